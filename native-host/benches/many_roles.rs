//! `cargo bench -p rolecall --bench many_roles`: how long commands take whose browser knows 10,000 roles.

// Only measured, never shipped.
#![allow(clippy::disallowed_macros, clippy::expect_used, clippy::unwrap_used, missing_docs)]

#[path = "../tests/terminal/browser.rs"]
#[allow(dead_code)]
mod browser;
#[path = "../tests/terminal/machine.rs"]
#[allow(dead_code)]
mod machine;

use std::fmt::Write as _;
use std::thread;
use std::time::{Duration, Instant};

use browser::Browser;
use machine::Machine;
use rolecall_core::message::host::{PersonSummary, RoleSummary, StatusPage, WorkerRequest, WorkerResponse};
use rolecall_core::settings::RoleKey;

const ROLES: u32 = 10_000;
const ROUNDS: usize = 11;

fn main() {
    let roles: Vec<RoleSummary> = (0..ROLES).map(role).collect();
    let people =
        [PersonSummary { provider: "corp".parse().unwrap(), person: Some("ann@example.com".into()) }];
    let page = |from| StatusPage::cut(&people, roles.iter(), Clone::clone, 1, from);

    let machine = Machine::new();
    println!("{ROLES} roles that the browser knows:");
    let mut browser = Browser::open(&machine);
    for arguments in [&["roles"][..], &["roles", "--json"], &["status"]] {
        measure(&arguments.join(" "), || run(&mut browser, &page, &machine.command(arguments)));
    }
    let complete = || {
        let mut command = machine.command(&["--", "rolecall", "env", "account-123-"]);
        command.env("ROLECALL_COMPLETE", "bash").env("_CLAP_COMPLETE_INDEX", "2");
        command
    };
    measure("completion", || run(&mut browser, &page, &complete()));
    drop(browser);

    println!("{ROLES} roles in the machine's settings:");
    let provider = "[[provider]]\nid = \"corp\"\nclient_id = \"abc\"\n\
                    well_known_url = \"https://idp.example/.well-known/openid-configuration\"\n";
    let mut text = provider.to_owned();
    for role in &roles {
        let _ = write!(text, "[[role]]\nprovider = \"corp\"\narn = \"{}\"\n", role.role.arn);
    }
    machine.write(".config/rolecall/config.toml", &text);
    let mut browser = Browser::open(&machine);
    measure("settings pages", || {
        let started = Instant::now();
        assert_eq!(browser.settings().part.role.len(), roles.len());
        started.elapsed()
    });
    drop(browser);
    measure("roles", || {
        let started = Instant::now();
        assert!(machine.run(&["roles"]).stdout.lines().count() > roles.len());
        started.elapsed()
    });
}

/// How long a command takes, less what the browser takes to answer it.
fn run(
    browser: &mut Browser,
    page: &impl Fn(u32) -> StatusPage,
    command: &std::process::Command,
) -> Duration {
    let mut again = std::process::Command::new(command.get_program());
    again.args(command.get_args()).env_clear();
    again.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let pages: Vec<StatusPage> = {
        let mut pages = vec![page(0)];
        while let Some(next) = pages.last().and_then(|page| page.next) {
            pages.push(page(next));
        }
        pages
    };
    let mut pages = pages.into_iter().cycle();
    let mut answering = Duration::ZERO;
    let started = Instant::now();
    thread::scope(|scope| {
        let ran = scope.spawn(|| again.stdin(std::process::Stdio::null()).output().unwrap());
        while !ran.is_finished() {
            if let Some((id, WorkerRequest::Status(_))) = browser.question_now() {
                let begun = Instant::now();
                browser.answer(id, Ok(WorkerResponse::Status(pages.next().unwrap())));
                answering += begun.elapsed();
            }
            thread::yield_now();
        }
        assert!(ran.join().unwrap().status.success());
    });
    started.elapsed().saturating_sub(answering)
}

fn measure(name: &str, mut once: impl FnMut() -> Duration) {
    let mut times: Vec<_> = (0..ROUNDS).map(|_| once()).collect();
    times.sort();
    println!("  {name:16} {:6.1} ms (best {:.1})", millis(times[ROUNDS / 2]), millis(times[0]));
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

fn role(number: u32) -> RoleSummary {
    let account = format!("{:012}", 100_000_000_000_u64 + u64::from(number / 10));
    let name = format!("role-{}", number % 10);
    RoleSummary {
        role: RoleKey {
            provider: "corp".parse().unwrap(),
            arn: format!("arn:aws:iam::{account}:role/{name}").parse().unwrap(),
        },
        account: account.parse().unwrap(),
        account_label: format!("account-{}", number / 10),
        profile: format!("account-{}-{name}", number / 10).parse().unwrap(),
        environment: String::new(),
        about: String::new(),
        expiration: None,
    }
}
