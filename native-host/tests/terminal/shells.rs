//! What shells get, in the shells themselves. A shell that this machine lacks is left out.

use std::io::Write;
use std::path::Path;
use std::process::Stdio;

use chrono::TimeDelta;
use rolecall_core::message::host::WorkerResponse;

use crate::browser::{Browser, credentials};
use crate::machine::{Machine, Ran, program};

const ROLE: &str = "arn:aws:iam::123456789012:role/developer";

/// Runs a script in a shell, if there is one.
fn shell(machine: &Machine, shell: &str, options: &[&str], script: &str) -> Option<Ran> {
    let mut command = machine.command(&[]);
    let envs: Vec<_> =
        command.get_envs().map(|(name, value)| (name.to_owned(), value.unwrap().to_owned())).collect();
    command = std::process::Command::new(shell);
    command
        .args(options)
        .env_clear()
        .envs(envs)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().ok()?;
    child.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
    Some(child.wait_with_output().unwrap().into())
}

#[test]
fn use_role_puts_a_role_into_the_shell_and_takes_it_away() {
    for (name, options, segment) in [
        ("bash", &["--norc", "-s"][..], "_rolecall_segment; printf '%s' \"$ROLECALL_SEGMENT\""),
        ("zsh", &["-f", "-s"], "_rolecall_segment; printf '%s' \"$ROLECALL_SEGMENT\""),
        ("fish", &["--no-config"], "_rolecall_segment"),
    ] {
        let machine = Machine::new();
        let mut browser = Browser::open(&machine);
        let source = match name {
            "fish" => format!("'{}' shell-init fish | source", program().display()),
            _ => format!("eval \"$('{}' shell-init {name})\"", program().display()),
        };
        let script = format!(
            "{source}\nuse-role {ROLE} --provider corp\necho \"$AWS_SECRET_ACCESS_KEY\"\n{segment}\necho\nuse-role --unset\necho \"<$AWS_SECRET_ACCESS_KEY>\"\n{segment}\necho .\n"
        );
        let ran = std::thread::scope(|scope| {
            let ran = scope.spawn(|| shell(&machine, name, options, &script));
            while !ran.is_finished() {
                if let Some((id, _)) = browser.question_now() {
                    let mut credentials = credentials(59);
                    // Away from the edge of a minute.
                    credentials.expiration += TimeDelta::seconds(30);
                    browser.answer(id, Ok(WorkerResponse::Credentials { credentials, keep: true }));
                }
                std::thread::yield_now();
            }
            ran.join().unwrap()
        });
        let Some(ran) = ran else { continue };
        assert_eq!(
            ran.stdout, "very/secret+key\n[123456789012-developer 59m] \n<>\n.\n",
            "{name}: {}",
            ran.stderr
        );
        assert_eq!(ran.stderr, "", "{name}");
    }
}

#[test]
fn completion_offers_commands_and_live_roles() {
    let machine = Machine::new();
    machine.write(
        ".config/rolecall/config.toml",
        "[[provider]]\nid = \"corp\"\nwell_known_url = \"https://idp.example/.well-known/openid-configuration\"\nclient_id = \"x\"\n\
         [[role]]\nprovider = \"corp\"\narn = \"arn:aws:iam::123456789012:role/developer\"\nprofile = \"example-dev\"\n",
    );
    let complete = |words: &[&str], index: &str| {
        let mut command = machine.command(&[&["--"], words].concat());
        command.env("ROLECALL_COMPLETE", "bash").env("_CLAP_COMPLETE_INDEX", index).env("_CLAP_IFS", "\n");
        String::from_utf8(command.output().unwrap().stdout).unwrap()
    };
    let commands = complete(&["rolecall", "pro"], "1");
    assert_eq!(commands.trim(), "profile");
    assert_eq!(complete(&["rolecall", "exec", "exa"], "2").trim(), "example-dev");
    // Nothing begins like this, so the popup's search has its say.
    assert_eq!(complete(&["rolecall", "exec", "dvlpr"], "2").trim(), "example-dev");
    for shell in ["bash", "zsh", "fish", "powershell"] {
        let ran = machine.run(&["completions", shell]);
        assert!(ran.stdout.contains("ROLECALL_COMPLETE"), "{shell}: {}", ran.stderr);
    }
}

#[test]
fn the_manual_has_a_page_for_each_command() {
    let machine = Machine::new();
    let folder = machine.home().join("man1");
    let ran = machine.run(&["man", "--dir", folder.to_str().unwrap()]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    for page in ["rolecall.1", "rolecall-login.1", "rolecall-profile-write.1"] {
        assert!(folder.join(page).exists(), "{page}");
    }
    assert!(machine.run(&["man"]).stdout.contains(".TH rolecall 1"));
}

/// `script` gives the command a terminal.
#[cfg(target_os = "linux")]
#[test]
fn who_names_no_role_at_a_terminal_picks_one_with_the_popups_search() {
    let machine = Machine::new();
    let role = |name: &str, about: &str| {
        format!(
            "[[role]]\nprovider = \"corp\"\narn = \"arn:aws:iam::123456789012:role/{name}\"\ndescription = \"{about}\"\n"
        )
    };
    machine.write(
        ".config/rolecall/config.toml",
        &[
            "[[provider]]\nid = \"corp\"\nwell_known_url = \"http://127.0.0.1:9/\"\nclient_id = \"x\"\n",
            &role("administrator", "Everything"),
            &role("developer", "Whatever is on call"),
        ]
        .concat(),
    );
    let mut command = machine.command_of(Path::new("script"), &["-qefc"]);
    command.arg(format!("{} env", program().display())).arg("/dev/null");
    command.env("TERM", "xterm").env("NO_COLOR", "1");
    let mut script = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    script.stdin.take().unwrap().write_all(b"what call\n").unwrap();
    let shown = String::from_utf8(script.wait_with_output().unwrap().stdout).unwrap();
    assert!(shown.contains("Role 123456789012 / developer"), "{shown}");
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error_and_a_word_for_many_roles_names_some_of_them() {
    let machine = Machine::new();
    let mut settings = String::from(
        "[[provider]]\nid = \"corp\"\nwell_known_url = \"https://idp.example/.well-known/openid-configuration\"\nclient_id = \"x\"\n",
    );
    for number in 0..3_000 {
        let role =
            format!("[[role]]\nprovider = \"corp\"\narn = \"arn:aws:iam::{number:012}:role/developer\"\n");
        settings.push_str(&role);
    }
    machine.write(".config/rolecall/config.toml", &settings);
    let ran = shell(&machine, "bash", &["--norc", "-s"], &format!("{} roles | head -2", program().display()));
    let ran = ran.expect("bash is on every machine that runs these tests");
    assert_eq!((ran.stderr.as_str(), ran.stdout.lines().count()), ("", 2));
    let ran = machine.run(&["env", "developer", "--batch"]);
    assert!(ran.stderr.contains("(000000000004-developer, corp), and 2995 more."), "{}", ran.stderr);
}
