//! Commands for people and scripts, with a browser that answers.

use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;
use std::thread;

use rolecall_core::json;
use rolecall_core::message::host::{RoleSelection, StatusPage, WorkerRequest, WorkerResponse};
use rolecall_core::{Code, Problem};

use crate::browser::{Browser, credentials, role};
use crate::machine::{Machine, Ran};

const STATUS: &str = r#"{"people":[{"provider":"corp","person":"ann@example.com"}],"roles":[
    {"role":{"provider":"corp","arn":"arn:aws:iam::123456789012:role/developer"},"account":"123456789012",
     "accountLabel":"dev","profile":"dev-developer","environment":"","about":"","expiration":null},
    {"role":{"provider":"corp","arn":"arn:aws:iam::210987654321:role/developer"},"account":"210987654321",
     "accountLabel":"prod","profile":"prod-developer","environment":"","about":"","expiration":null}],"revision":1,"next":null}"#;

/// Runs a command while the browser answers whatever is asked, and gives the questions.
fn run(machine: &Machine, arguments: &[&str]) -> (Ran, Vec<WorkerRequest>) {
    let mut browser = Browser::open(machine);
    let mut asked = Vec::new();
    let ran = thread::scope(|scope| {
        let ran = scope.spawn(|| machine.run(arguments));
        while !ran.is_finished() {
            let Some((id, question)) = browser.question_now() else {
                thread::yield_now();
                continue;
            };
            browser.answer(id, answer(&question));
            asked.push(question);
        }
        ran.join().unwrap()
    });
    (ran, asked)
}

fn answer(question: &WorkerRequest) -> Result<WorkerResponse, Problem> {
    match question {
        WorkerRequest::Status(_) => Ok(WorkerResponse::Status(json::from_str::<StatusPage>(STATUS).unwrap())),
        WorkerRequest::Credentials(request) if request.role.arn.account().as_str() == "123456789012" => {
            Ok(WorkerResponse::Credentials { credentials: credentials(60), keep: true })
        }
        WorkerRequest::Console(request) if request.open => Ok(WorkerResponse::Done),
        WorkerRequest::Console(request) => {
            let page = request.page.as_ref().map(ToString::to_string).unwrap_or_default();
            let url = format!("https://signin.example{page}");
            Ok(WorkerResponse::ConsoleUrl { url: url.into() })
        }
        WorkerRequest::SignOut(_) => Ok(WorkerResponse::Done),
        WorkerRequest::Credentials(_) => Err(Problem::new(Code::StsAccessDenied, "AWS refused.")),
    }
}

#[test]
fn env_writes_what_a_shell_evaluates() {
    let (ran, _) = run(&Machine::new(), &["env", "dev", "--shell", "bash"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(ran.stdout.contains("unset AWS_PROFILE\n"), "{}", ran.stdout);
    assert!(ran.stdout.contains("export AWS_SECRET_ACCESS_KEY=very/secret+key\n"), "{}", ran.stdout);
    assert!(ran.stdout.contains("export ROLECALL_PROFILE=dev-developer\n"), "{}", ran.stdout);
}

#[test]
fn a_word_that_fits_several_roles_is_told_with_the_candidates() {
    let (ran, asked) = run(&Machine::new(), &["env", "developer"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), ""));
    assert!(ran.stderr.starts_with("error[role-ambiguous]: "), "{}", ran.stderr);
    assert!(
        ran.stderr.contains("dev / developer (dev-developer, corp), prod / developer (prod-developer, corp)"),
        "{}",
        ran.stderr
    );
    assert!(matches!(asked[..], [WorkerRequest::Status(_)]), "{asked:?}");
    let (ran, _) = run(&Machine::new(), &["env"]);
    assert!(ran.stderr.starts_with("error[role-missing]: "), "{}", ran.stderr);
    let (ran, _) = run(&Machine::new(), &["env", "nobody"]);
    assert!(ran.stderr.starts_with("error[role-unknown]: "), "{}", ran.stderr);
}

#[test]
fn a_refusal_of_aws_reaches_the_terminal_in_its_own_words() {
    let (ran, _) = run(&Machine::new(), &["env", "prod"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), ""));
    assert!(
        ran.stderr.starts_with("error[sts-access-denied]: AWS refused.\nnext: Ask your AWS administrator"),
        "{}",
        ran.stderr
    );
}

#[test]
fn the_consoles_address_comes_from_the_browser() {
    let (ran, _) = run(&Machine::new(), &["console", "dev", "--service", "s3", "--print-url"]);
    let url = "https://signin.example/s3/home?region=us-east-1\n";
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), url), "{}", ran.stderr);
    assert!(ran.stderr.contains("secret"), "{}", ran.stderr);
}

#[test]
fn a_resource_is_opened_on_its_page_in_its_region() {
    let queue = "arn:aws:sqs:eu-north-1:123456789012:jobs";
    let (ran, asked) = run(&Machine::new(), &["console", "dev", queue]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let Some(WorkerRequest::Console(request)) = asked.last() else { panic!("{asked:?}") };
    assert_eq!(request.region.as_ref().map(ToString::to_string).as_deref(), Some("eu-north-1"));
    let page = request.page.as_ref().unwrap().as_str();
    assert!(page.starts_with("/sqs/v3/home?region=eu-north-1#/queues/"), "{page}");
}

#[test]
fn an_unknown_service_is_refused_before_anything_is_asked() {
    let (ran, asked) = run(&Machine::new(), &["console", "dev", "--service", "lamda"]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.stderr.contains("error[console-page-invalid]"), "{}", ran.stderr);
    assert!(ran.stderr.contains("next: Did you mean lambda"), "{}", ran.stderr);
    assert!(!asked.iter().any(|request| matches!(request, WorkerRequest::Console(_))), "{asked:?}");
}

#[test]
fn the_browser_opens_the_console_itself() {
    let (ran, asked) = run(&Machine::new(), &["console", "dev", "--region", "eu-north-1"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(ran.stderr.starts_with("Opened the console as "), "{}", ran.stderr);
    let Some(WorkerRequest::Console(request)) = asked.last() else { panic!("{asked:?}") };
    assert_eq!(request.region.as_ref().map(ToString::to_string).as_deref(), Some("eu-north-1"));
}

#[test]
fn logout_forgets_in_the_browser_and_removes_keys_from_disk() {
    let machine = Machine::new();
    let arn = "arn:aws:iam::123456789012:role/developer";
    let (ran, _) = run(&machine, &["profile", "write", "dev-developer", "--role-arn", arn, "--mode", "file"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(machine.read(".aws/credentials").contains("very/secret+key"));
    let (ran, mut asked) = run(&machine, &["logout", "dev"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(!machine.read(".aws/credentials").contains("very/secret+key"));
    let Some(WorkerRequest::SignOut(request)) = asked.pop() else { panic!("{asked:?}") };
    assert_eq!(request.roles, RoleSelection::Role(role(arn)));
    let (ran, asked) = run(&machine, &["logout", "--all"]);
    assert_eq!(ran.stderr, "Signed out and deleted all credentials.\n");
    let [WorkerRequest::SignOut(request)] = &asked[..] else { panic!("{asked:?}") };
    assert_eq!(request.roles, RoleSelection::All);
}

#[test]
fn sync_writes_a_profile_for_every_role_and_leaves_others_alone() {
    let machine = Machine::new();
    machine.write(".aws/config", "[profile prod-developer]\nsso_session = corp\n");
    let (ran, _) = run(&machine, &["profile", "sync"]);
    assert_eq!(ran.code, Some(1), "nobody is here to confirm");
    let (ran, _) = run(&machine, &["profile", "sync", "--yes"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(ran.stdout.contains("+[profile dev-developer]"), "{}", ran.stdout);
    assert!(ran.stderr.contains("warning: The profile \"prod-developer\" was not changed"), "{}", ran.stderr);
    let config = machine.read(".aws/config");
    assert!(
        config.contains("[profile dev-developer]\n") && config.contains("sso_session = corp\n"),
        "{config}"
    );
    let (ran, _) = run(&machine, &["profile", "sync", "--yes"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), ""), "{}", ran.stderr);
}

#[test]
fn roles_that_share_a_profile_name_are_named_and_no_other_misses_its_profile() {
    let machine = Machine::new();
    let role = |provider: &str, name: &str, profile: &str| {
        format!(
            "[[role]]\nprovider = \"{provider}\"\narn = \"arn:aws:iam::123456789012:role/{name}\"\nprofile = \"{profile}\"\n"
        )
    };
    let provider = |id: &str| {
        format!(
            "[[provider]]\nid = \"{id}\"\nclient_id = \"abc\"\nwell_known_url = \"https://{id}.example/.well-known/openid-configuration\"\n"
        )
    };
    let settings = [
        provider("corp"),
        provider("other"),
        role("corp", "developer", "shared"),
        role("other", "developer", "shared"),
        role("corp", "odd", "DEFAULT"),
        role("corp", "last", "last"),
    ];
    machine.write(".config/rolecall/config.toml", &settings.concat());
    for told in ["Wrote the profile last.\n", "Every other role has a profile.\n"] {
        let ran = machine.run(&["profile", "sync", "--yes"]);
        assert_eq!(ran.code, Some(1), "{}", ran.stderr);
        assert!(ran.stderr.contains(told), "{}", ran.stderr);
        let shared = "Several roles have the profile name \"shared\", so it is not written: \
                      arn:aws:iam::123456789012:role/developer (provider corp), arn:aws:iam::123456789012:role/developer (provider \
                      other).";
        assert!(ran.stderr.contains(shared), "{}", ran.stderr);
        assert!(ran.stderr.contains("\"DEFAULT\" cannot be the name of an AWS profile"), "{}", ran.stderr);
        let config = machine.read(".aws/config");
        assert_eq!(config.matches("[profile ").count(), 1, "{config}");
    }
}

#[test]
fn a_command_that_outlives_its_credentials_gets_fresh_ones() {
    let machine = Machine::new();
    let mut browser = Browser::open(&machine);
    let script =
        r#"echo "$AWS_CONTAINER_CREDENTIALS_FULL_URI $AWS_CONTAINER_AUTHORIZATION_TOKEN"; read -r _"#;
    let role = "arn:aws:iam::123456789012:role/developer";
    let mut child = machine
        .command(&["exec", role, "--provider", "corp", "--", "sh", "-c", script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let (id, _) = browser.question();
    // They are as good as gone when they come.
    browser.answer(id, Ok(WorkerResponse::Credentials { credentials: credentials(0), keep: true }));
    let mut told = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut told).unwrap();
    let (uri, token) = told.trim().split_once(' ').unwrap();
    let fetch = || {
        let mut answer = ureq::get(uri).header("authorization", token).call().unwrap();
        answer.body_mut().read_to_string().unwrap()
    };
    thread::scope(|scope| {
        let fetched = scope.spawn(fetch);
        let (id, _) = browser.question();
        let mut fresh = credentials(60);
        fresh.access_key_id = "ASIAFRESH".into();
        browser.answer(id, Ok(WorkerResponse::Credentials { credentials: fresh, keep: true }));
        assert!(fetched.join().unwrap().contains("ASIAFRESH"));
    });
    assert!(fetch().contains("ASIAFRESH"));
    assert!(browser.question_now().is_none());
    // The profile's credential_process takes the same, and never what is served of another role.
    let process = |role: &str| {
        let arguments =
            ["credential-process", "--profile", "p", "--provider", "corp", "--role-arn", role, "--served"];
        let mut command = machine.command(&arguments);
        command
            .env("AWS_CONTAINER_CREDENTIALS_FULL_URI", uri)
            .env("AWS_CONTAINER_AUTHORIZATION_TOKEN", token);
        command.env("ROLECALL_ROLE", "arn:aws:iam::123456789012:role/developer");
        String::from_utf8(command.output().unwrap().stdout).unwrap()
    };
    assert!(process(role).contains("ASIAFRESH"));
    assert!(browser.question_now().is_none());
    thread::scope(|scope| {
        let other = scope.spawn(|| process("arn:aws:iam::123456789012:role/other"));
        let (id, _) = browser.question();
        browser.answer(id, Ok(WorkerResponse::Credentials { credentials: credentials(60), keep: true }));
        assert!(other.join().unwrap().contains("ASIAEXAMPLE"));
    });
    writeln!(child.stdin.take().unwrap(), "end").unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn a_signal_reaches_the_command_and_its_end_comes_back() {
    let machine = Machine::new();
    let mut browser = Browser::open(&machine);
    let role = "arn:aws:iam::123456789012:role/developer";
    let mut child = machine
        .command(&[
            "exec",
            role,
            "--provider",
            "corp",
            "--keys",
            "--",
            "sh",
            "-c",
            "echo $AWS_ACCESS_KEY_ID; exec cat",
        ])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let (id, _) = browser.question();
    browser.answer(id, Ok(WorkerResponse::Credentials { credentials: credentials(60), keep: true }));
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "ASIAEXAMPLE\n");
    // Waiting would close it, and that would end the command as well.
    let _stdin = child.stdin.take();
    let process = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(process, rustix::process::Signal::TERM).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(128 + 15));
    let ran = machine.run(&["exec", role, "--provider", "corp", "--", "/nowhere/program"]);
    assert_eq!(ran.code, Some(1));
    assert!(
        ran.stderr.starts_with("error[command-failed]: /nowhere/program could not be run.\n  caused by: "),
        "{}",
        ran.stderr
    );
}

#[test]
fn settings_of_the_first_generation_are_imported_once() {
    let machine = Machine::new();
    let old = "well_known_url: https://auth.example.com/.well-known/openid-configuration\nclient_id: abc\n";
    let file = machine.write("config.yaml", old);
    let import = ["settings", "import", file.to_str().unwrap()];
    let ran = machine.run(&[&import[..], &["--dry-run"]].concat());
    assert!(ran.stdout.starts_with("[[provider]]\nid = \"example\"\n"), "{ran:?}");
    assert_eq!(machine.read(".config/rolecall/config.toml"), "");
    assert_eq!(machine.run(&import).code, Some(0));
    let written = machine.read(".config/rolecall/config.toml");
    assert!(written.contains("client_id = \"abc\"\n"), "{written}");
    assert_eq!(machine.run(&import).stderr, "Nothing to add: you already have these settings.\n");
    assert_eq!(machine.read(".config/rolecall/config.toml"), written);
    let ran = machine.run(&["settings", "show"]);
    assert!(ran.stdout.contains("in use  ~/.config/rolecall/config.toml\n"), "{}", ran.stdout);
    assert!(ran.stdout.contains("id = \"example\"\n"), "{}", ran.stdout);
}
