//! Terminals and the agent.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Stdio};
use std::thread;

use chrono::{SecondsFormat, TimeDelta, Utc};
use rolecall_core::aws::Credentials;
use rolecall_core::json;
use rolecall_core::message::agent::{AgentRequest, AgentResponse};
use rolecall_core::message::frame;
use rolecall_core::message::host::{
    CredentialsRequest, Outcome, Program, ProtocolRange, StatusPage, WorkerRequest, WorkerResponse,
};
use rolecall_core::{Code, Problem};
use rustix::process::{Pid, Signal, kill_process};

use crate::browser::{Browser, credentials, role};
use crate::machine::{Machine, Ran, program};

const ROLE: &str = "arn:aws:iam::123456789012:role/developer";
const ASK: [&str; 7] = ["credential-process", "--profile", "dev", "--provider", "corp", "--role-arn", ROLE];

/// Runs a command while the browser answers its one question.
fn run_and_answer(
    machine: &Machine,
    browser: &mut Browser,
    arguments: &[&str],
    answer: Result<WorkerResponse, Problem>,
) -> (Ran, WorkerRequest) {
    thread::scope(|scope| {
        let ran = scope.spawn(|| machine.run(arguments));
        let (id, question) = browser.question();
        browser.answer(id, answer);
        (ran.join().unwrap(), question)
    })
}

#[test]
fn a_tool_gets_the_document_byte_by_byte_and_the_browser_learns_who_asked() {
    let machine = Machine::new();
    let mut browser = Browser::open(&machine);
    let fresh = credentials(60);
    let expiration = fresh.expiration.to_rfc3339_opts(SecondsFormat::Secs, true);
    let answer = Ok(WorkerResponse::Credentials { credentials: fresh, keep: true });
    let (ran, question) = run_and_answer(&machine, &mut browser, &ASK, answer);
    let document = format!(
        "{{\"Version\":1,\"AccessKeyId\":\"ASIAEXAMPLE\",\"SecretAccessKey\":\"very/secret+key\",\"SessionToken\":\"session/token==\",\"Expiration\":\"{expiration}\",\"AccountId\":\"123456789012\"}}\n"
    );
    assert_eq!((ran.code, ran.stdout, ran.stderr), (Some(0), document, String::new()));
    let WorkerRequest::Credentials(request) = question else { panic!("{question:?}") };
    assert_eq!(request.role, role(ROLE));
    assert!(request.interactive);
    assert!(request.time_left_seconds >= 900);
    let own = std::env::current_exe().unwrap().display().to_string();
    assert!(
        request.asked_by.as_ref().is_some_and(|program| program.path.starts_with(&own)),
        "{:?}",
        request.asked_by
    );
}

#[test]
fn what_is_in_memory_is_served_without_asking_the_browser() {
    let machine = Machine::new();
    let mut browser = Browser::open(&machine);
    let answer = || Ok(WorkerResponse::Credentials { credentials: credentials(60), keep: true });
    let (first, _) = run_and_answer(&machine, &mut browser, &ASK, answer());
    let second = machine.run(&ASK);
    assert_eq!(second.stdout, first.stdout);
    assert!(browser.question_now().is_none());
}

#[test]
fn what_a_person_allowed_one_program_is_not_kept_for_the_next() {
    let machine = Machine::new();
    let mut browser = Browser::open(&machine);
    for _ in 0..2 {
        let answer = Ok(WorkerResponse::Credentials { credentials: credentials(60), keep: false });
        let (ran, _) = run_and_answer(&machine, &mut browser, &ASK, answer);
        assert_eq!(ran.code, Some(0));
    }
    let refused = Err(Problem::new(Code::ApprovalRefused, "You did not allow it."));
    let (ran, _) = run_and_answer(&machine, &mut browser, &ASK, refused);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(3), ""));
    let answer = Ok(WorkerResponse::Credentials { credentials: credentials(60), keep: true });
    let (ran, _) = run_and_answer(&machine, &mut browser, &ASK, answer);
    assert_eq!(ran.code, Some(0), "a refusal is not kept either");
}

#[cfg(target_os = "linux")]
#[test]
fn two_programs_that_ask_at_once_are_two_questions_and_nobody_can_say_that_it_is_another() {
    let machine = Machine::new();
    let mut browser = Browser::open(&machine);
    let line = format!("\"{}\" {}; true", program().display(), ASK.join(" "));
    let script = machine.write("deploy.sh", &line);
    let run = |arguments: &[&str]| {
        let mut shell = machine.command_of(Path::new("bash"), arguments);
        shell.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let first = run(&["-c", &line]);
    let (one, asked_first) = browser.question();
    let second = run(&[script.to_str().unwrap()]);
    let (two, asked_second) = browser.question();
    let asked_by = |question: &WorkerRequest| match question {
        WorkerRequest::Credentials(request) => request.asked_by.clone().unwrap().path,
        other => panic!("{other:?}"),
    };
    assert!(asked_by(&asked_first).ends_with("/bash"), "{asked_first:?}");
    assert!(asked_by(&asked_second).ends_with(&format!("/bash {}", script.display())), "{asked_second:?}");
    for id in [two, one] {
        browser.answer(id, Ok(WorkerResponse::Credentials { credentials: credentials(60), keep: false }));
    }
    for process in [first, second] {
        let ran: Ran = process.wait_with_output().unwrap().into();
        assert!(ran.stdout.starts_with("{\"Version\":1"), "{ran:?}");
    }
    let claim = Some(Program { path: "/usr/bin/innocent".into(), parent: None, is_recognisable: true });
    let reply = thread::scope(|scope| {
        let asked = scope.spawn(|| {
            let stream = UnixStream::connect(machine.sockets().remove(0)).unwrap();
            let body = WorkerRequest::Credentials(CredentialsRequest {
                role: role(ROLE),
                time_left_seconds: 900,
                interactive: true,
                asked_by: claim.clone(),
            });
            frame::write(
                &mut &stream,
                &AgentRequest { protocol: ProtocolRange::CURRENT, outlives_asker: false, body },
            )
            .unwrap();
            frame::read::<AgentResponse>(&mut &stream).unwrap()
        });
        let (id, question) = browser.question();
        assert!(asked_by(&question).starts_with(&std::env::current_exe().unwrap().display().to_string()));
        browser.answer(id, Ok(WorkerResponse::Credentials { credentials: credentials(60), keep: true }));
        asked.join().unwrap()
    });
    assert!(matches!(reply, Some(Outcome::Ok(_))));
}

#[test]
fn a_hundred_processes_from_cold_cause_one_question() {
    let machine = Machine::new();
    let mut browser = Browser::open(&machine);
    let processes: Vec<_> = (0..100)
        .map(|_| machine.command(&ASK).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
        .collect();
    let (id, _) = browser.question();
    browser.answer(id, Ok(WorkerResponse::Credentials { credentials: credentials(60), keep: true }));
    let outputs: Vec<Ran> =
        processes.into_iter().map(|process| process.wait_with_output().unwrap().into()).collect();
    for ran in &outputs {
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
        assert_eq!(ran.stdout, outputs[0].stdout);
    }
    assert!(browser.question_now().is_none());
}

#[cfg(target_os = "linux")]
#[test]
fn one_closed_window_answers_for_the_whole_parallel_run() {
    let machine = Machine::new();
    let mut browser = Browser::open(&machine);
    let processes: Vec<_> = (0..20)
        .map(|_| machine.command(&ASK).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
        .collect();
    let (id, _) = browser.question();
    machine.wait_for_connections(20);
    let problem = Problem::new(Code::SignInCancelled, "The sign-in window was closed.");
    browser.answer(id, Err(problem));
    for process in processes {
        let ran: Ran = process.wait_with_output().unwrap().into();
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(3), ""));
        assert_eq!(
            ran.stderr,
            "error[sign-in-cancelled]: The sign-in window was closed.\nnext: Sign in again when you are ready.\n"
        );
    }
    assert!(browser.question_now().is_none());
}

#[test]
fn everybody_who_waits_is_told_at_once_when_the_browser_is_closed() {
    let machine = Machine::new();
    let mut browser = Browser::open(&machine);
    let processes: Vec<_> =
        (0..10).map(|_| machine.command(&ASK).stderr(Stdio::piped()).spawn().unwrap()).collect();
    browser.question();
    assert!(browser.close().success());
    for process in processes {
        let ran: Ran = process.wait_with_output().unwrap().into();
        assert_eq!(ran.code, Some(4), "{}", ran.stderr);
        assert!(ran.stderr.starts_with("error[agent-unavailable]: "), "{}", ran.stderr);
    }
}

#[test]
fn those_who_wait_are_told_when_the_host_is_killed_and_not_started_again() {
    let machine = Machine::new();
    let mut browser = Browser::open(&machine);
    let process = machine.command(&ASK).stderr(Stdio::piped()).spawn().unwrap();
    browser.question();
    browser.host.kill().unwrap();
    let ran: Ran = process.wait_with_output().unwrap().into();
    assert_eq!(ran.code, Some(4), "{}", ran.stderr);
    assert!(ran.stderr.starts_with("error[agent-unavailable]: "), "{}", ran.stderr);
}

#[test]
fn those_who_wait_are_served_by_the_host_that_is_started_after_a_killed_one() {
    let machine = Machine::new();
    let mut browser = Browser::open(&machine);
    let process = machine.command(&ASK).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    browser.question();
    browser.host.kill().unwrap();
    let mut next = Browser::open(&machine);
    let (id, _) = next.question();
    next.answer(id, Ok(WorkerResponse::Credentials { credentials: credentials(60), keep: true }));
    let ran: Ran = process.wait_with_output().unwrap().into();
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    assert!(ran.stdout.contains("ASIAEXAMPLE"), "{}", ran.stdout);
}

#[test]
fn those_who_come_before_the_next_host_has_started_wait_for_it() {
    for is_killed in [true, false] {
        let machine = Machine::new();
        let mut browser = Browser::open(&machine);
        if is_killed {
            browser.host.kill().unwrap();
            browser.host.wait().unwrap();
        } else {
            browser.close();
        }
        // Two of them, since the first one clears away what a killed host leaves.
        let ask = || machine.command(&ASK).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let processes = [ask(), ask()];
        let mut next = Browser::open(&machine);
        let (id, _) = next.question();
        next.answer(id, Ok(WorkerResponse::Credentials { credentials: credentials(60), keep: true }));
        for process in processes {
            let ran: Ran = process.wait_with_output().unwrap().into();
            assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
            assert!(ran.stdout.contains("ASIAEXAMPLE"), "{}", ran.stdout);
        }
    }
}

#[test]
fn a_killed_host_leaves_its_socket_and_the_next_one_clears_it_away() {
    let machine = Machine::new();
    let mut browser = Browser::open(&machine);
    browser.host.kill().unwrap();
    browser.host.wait().unwrap();
    assert_eq!(machine.sockets().len(), 1);
    let _next = Browser::open(&machine);
    assert_eq!(machine.sockets().len(), 1);
}

#[test]
fn what_is_served_is_answered_at_once_while_it_is_renewed() {
    let machine = Machine::new();
    machine.write(
        ".config/rolecall/config.toml",
        &format!(
            "[[provider]]\nid = \"corp\"\nclient_id = \"abc\"\n\
             well_known_url = \"https://idp.example/.well-known/openid-configuration\"\n\
             [[role]]\nprovider = \"corp\"\narn = \"{ROLE}\"\n"
        ),
    );
    let mut browser = Browser::open(&machine);
    let mut serve = machine
        .command(&["serve", ROLE, "--shell", "json"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // Good for three seconds: after the half of that they are renewed, as those of an hour are with 20 minutes left.
    let short = |key: &str| Credentials {
        access_key_id: key.into(),
        expiration: Utc::now() + TimeDelta::seconds(3),
        ..credentials(1)
    };
    let answer = |browser: &mut Browser, key: &str| loop {
        match browser.question() {
            (id, WorkerRequest::Credentials(request)) => {
                let credentials = short(key);
                browser.answer(id, Ok(WorkerResponse::Credentials { credentials, keep: true }));
                return request.interactive;
            }
            (id, _) => {
                browser.answer(id, Ok(WorkerResponse::Status(StatusPage::default())));
            }
        }
    };
    assert!(answer(&mut browser, "ASIAFIRST"));
    let mut line = String::new();
    BufReader::new(serve.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let variables: serde_json::Value = serde_json::from_str(&line).unwrap();
    let fetch = || {
        let text = |name: &str| variables[name].as_str().unwrap().to_owned();
        let agent: ureq::Agent =
            ureq::Agent::config_builder().proxy(None).http_status_as_error(false).build().into();
        let request = agent
            .get(text("AWS_CONTAINER_CREDENTIALS_FULL_URI"))
            .header("authorization", text("AWS_CONTAINER_AUTHORIZATION_TOKEN"));
        let answer = request.call().unwrap().body_mut().read_to_string().unwrap();
        let document: serde_json::Value = serde_json::from_str(&answer).unwrap();
        document["AccessKeyId"].as_str().unwrap_or_default().to_owned()
    };
    assert_eq!(fetch(), "ASIAFIRST");

    // The renewal begins by itself, shows nothing to anybody, and nobody waits for it.
    let (id, WorkerRequest::Credentials(request)) = browser.question() else { panic!("something else") };
    assert!(!request.interactive);
    assert_eq!(fetch(), "ASIAFIRST");
    browser.answer(id, Ok(WorkerResponse::Credentials { credentials: short("ASIASECOND"), keep: true }));
    while fetch() == "ASIAFIRST" {
        thread::yield_now();
    }
    assert_eq!(fetch(), "ASIASECOND");
    serve.kill().unwrap();
    serve.wait().unwrap();
}

#[test]
fn nothing_is_shown_to_anybody_in_a_batch_job() {
    let machine = Machine::new();
    let mut browser = Browser::open(&machine);
    let problem = || Err(Problem::new(Code::SignInNeeded, "Nobody is signed in."));
    let arguments = [&ASK[..], &["--batch"]].concat();
    let (ran, question) = run_and_answer(&machine, &mut browser, &arguments, problem());
    assert_eq!(ran.code, Some(3));
    assert!(matches!(question, WorkerRequest::Credentials(request) if !request.interactive));
    thread::scope(|scope| {
        let ran = scope.spawn(|| machine.command(&ASK).env("ROLECALL_BATCH", "1").output().unwrap());
        let (id, question) = browser.question();
        browser.answer(id, problem());
        assert!(matches!(question, WorkerRequest::Credentials(request) if !request.interactive));
        assert_eq!(ran.join().unwrap().status.code(), Some(3));
    });
}

#[test]
fn a_command_that_is_killed_has_its_sign_in_cancelled() {
    let machine = Machine::new();
    let browser = Browser::open(&machine);
    for arguments in [&["login", ROLE, "--provider", "corp"][..], &["console", ROLE, "--provider", "corp"]] {
        let mut command =
            machine.command(arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let (id, _) = browser.question();
        command.kill().unwrap();
        command.wait().unwrap();
        assert_eq!(browser.cancelled(), id);
    }
}

#[test]
fn one_of_two_that_wait_for_the_same_may_go() {
    let machine = Machine::new();
    let mut browser = Browser::open(&machine);
    let login = || {
        let mut login = machine.command(&["login", ROLE, "--provider", "corp"]);
        login.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let mut first = login();
    let (id, _) = browser.question();
    let second = login();
    machine.wait_for_connections(2);
    first.kill().unwrap();
    first.wait().unwrap();
    let answer = Ok(WorkerResponse::Credentials { credentials: credentials(60), keep: true });
    browser.answer(id, answer);
    let ran: Ran = second.wait_with_output().unwrap().into();
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(browser.question_now().is_none());
}

#[test]
fn a_tool_that_kills_what_it_started_finds_the_credentials_when_it_comes_again() {
    let machine = Machine::new();
    let mut browser = Browser::open(&machine);
    let mut process = machine.command(&ASK).stdout(Stdio::null()).spawn().unwrap();
    let (id, _) = browser.question();
    process.kill().unwrap();
    process.wait().unwrap();
    browser.answer(id, Ok(WorkerResponse::Credentials { credentials: credentials(60), keep: true }));
    machine.wait_until_nobody_is_connected();
    assert_eq!(machine.run(&ASK).code, Some(0));
    assert!(browser.question_now().is_none());
}

#[test]
fn a_person_who_interrupts_a_tool_cancels_its_sign_in() {
    let machine = Machine::new();
    let browser = Browser::open(&machine);
    for signal in [Signal::INT, Signal::TERM] {
        let mut process = machine.command(&ASK).stdout(Stdio::null()).spawn().unwrap();
        let (id, _) = browser.question();
        wait_until_signals_are_caught(&process);
        kill_process(Pid::from_child(&process), signal).unwrap();
        assert_eq!(browser.cancelled(), id);
        let status = process.wait().unwrap();
        assert_eq!(status.signal(), Some(signal.as_raw()), "it ends as the signal has it");
    }
}

/// proc(5): a mask with a bit for each signal that the process catches.
fn wait_until_signals_are_caught(process: &Child) {
    loop {
        let status = std::fs::read_to_string(format!("/proc/{}/status", process.id())).unwrap();
        let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap().trim();
        let mask = u64::from_str_radix(caught, 16).unwrap();
        if [Signal::INT, Signal::TERM].iter().all(|signal| mask & (1 << (signal.as_raw() - 1)) != 0) {
            return;
        }
        thread::yield_now();
    }
}

#[test]
fn of_two_browsers_the_one_that_is_signed_in_answers_without_a_window() {
    let machine = Machine::new();
    let mut browsers = [Browser::open(&machine), Browser::open(&machine)];
    let ran = thread::scope(|scope| {
        let ran = scope.spawn(|| machine.run(&ASK));
        // The younger one is asked first.
        let (id, question) = browsers[1].question();
        assert!(matches!(question, WorkerRequest::Credentials(request) if !request.interactive));
        browsers[1].answer(id, Err(Problem::new(Code::SignInNeeded, "Nobody is signed in.")));
        let (id, question) = browsers[0].question();
        assert!(matches!(question, WorkerRequest::Credentials(request) if !request.interactive));
        browsers[0].answer(id, Ok(WorkerResponse::Credentials { credentials: credentials(60), keep: true }));
        ran.join().unwrap()
    });
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
}

#[test]
fn a_no_in_one_browser_is_not_asked_for_again_by_the_other() {
    let machine = Machine::new();
    let mut browsers = [Browser::open(&machine), Browser::open(&machine)];
    for code in [Code::ApprovalRefused, Code::SignInCancelled] {
        let ran = thread::scope(|scope| {
            let ran = scope.spawn(|| machine.run(&ASK));
            for browser in [1, 0] {
                let (id, _) = browsers[browser].question();
                browsers[browser].answer(id, Err(Problem::new(Code::SignInNeeded, "Nobody is signed in.")));
            }
            let (id, question) = browsers[1].question();
            assert!(matches!(question, WorkerRequest::Credentials(request) if request.interactive));
            browsers[1].answer(id, Err(Problem::new(code, "No.")));
            ran.join().unwrap()
        });
        assert!(ran.stderr.starts_with(&format!("error[{}]", code.as_str())), "{}", ran.stderr);
        assert!(browsers[0].question_now().is_none());
    }
}

#[test]
fn without_a_browser_the_next_step_is_named() {
    let ran = Machine::new().run(&["status"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(4), ""));
    assert!(ran.stderr.contains("next: Open the browser that has the Rolecall extension"), "{}", ran.stderr);
}

#[test]
fn a_command_of_another_version_is_told_so() {
    let machine = Machine::new();
    let _browser = Browser::open(&machine);
    for (question, code) in [
        (r#"{"protocol":{"min":9,"max":9},"body":{"status":{"from":0,"revision":null}}}"#, Code::HostVersion),
        (r#"{"protocol":{"min":1,"max":1},"body":"juggle"}"#, Code::HostProtocol),
    ] {
        let mut stream = UnixStream::connect(&machine.sockets()[0]).unwrap();
        let length = u32::try_from(question.len()).unwrap().to_ne_bytes();
        stream.write_all(&[&length, question.as_bytes()].concat()).unwrap();
        match frame::read::<AgentResponse>(&mut stream).unwrap() {
            Some(Outcome::Error(problem)) => assert!(problem.is(code), "{problem:?}"),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_caller_that_says_nothing_or_nonsense_harms_nobody() {
    let machine = Machine::new();
    let mut browser = Browser::open(&machine);
    let socket = machine.sockets().remove(0);
    drop(UnixStream::connect(&socket).unwrap());
    UnixStream::connect(&socket).unwrap().write_all(&[0xff; 64]).unwrap();
    let _silent = UnixStream::connect(&socket).unwrap();
    let answer = Ok(WorkerResponse::Credentials { credentials: credentials(60), keep: true });
    let (ran, _) = run_and_answer(&machine, &mut browser, &ASK, answer);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
}

#[test]
fn status_and_roles_tell_what_the_browser_knows() {
    let machine = Machine::new();
    let mut browser = Browser::open(&machine);
    let status = || {
        let status = r#"{"people":[{"provider":"corp","person":"ann@example.com"},{"provider":"other","person":null}],
            "roles":[{"role":{"provider":"corp","arn":"arn:aws:iam::123456789012:role/developer"},
            "account":"123456789012","accountLabel":"example","profile":"example-dev","environment":"","about":"",
            "expiration":32472144000}],"revision":1,"next":null}"#;
        Ok(WorkerResponse::Status(json::from_str::<StatusPage>(status).unwrap()))
    };
    let (ran, _) = run_and_answer(&machine, &mut browser, &["status"], status());
    assert!(ran.stdout.contains("corp: ann@example.com"), "{ran:?}");
    assert!(ran.stdout.contains("other: not signed in"), "{ran:?}");
    assert!(ran.stdout.contains("example / developer"), "{ran:?}");
    assert!(!ran.stdout.contains('\u{1b}'), "a pipe gets no colours");
    let (ran, _) = run_and_answer(&machine, &mut browser, &["status", "--json"], status());
    let json: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(json["agents"][0]["people"][0]["person"], "ann@example.com");
    let (ran, _) = run_and_answer(&machine, &mut browser, &["roles", "--json"], status());
    let json: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(json[0]["profile"], "example-dev");
    let (ran, _) = run_and_answer(&machine, &mut browser, &["roles"], status());
    assert!(
        ran.stdout
            .starts_with("ACCOUNT  ROLE       PROFILE      TIME LEFT\nexample  developer  example-dev  "),
        "{ran:?}"
    );
}
