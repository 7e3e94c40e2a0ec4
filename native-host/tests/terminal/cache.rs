//! Credentials that are kept in a file for when no browser answers.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::PathBuf;
use std::process::Stdio;
use std::thread;

use chrono::{TimeDelta, Utc};
use rolecall_core::aws::Credentials;
use rolecall_core::message::host::{HostRequest, RoleSelection, WorkerResponse};
use rolecall_sandbox::CallKind;
use serde_json::Value;

use crate::browser::{Browser, credentials, role};
use crate::loopback::{self, DEVELOPER};
use crate::machine::{Machine, Ran};

const ASK: [&str; 7] =
    ["credential-process", "--profile", "dev", "--provider", "sandbox", "--role-arn", DEVELOPER];
const ASK_NOBODY: [&str; 8] =
    ["credential-process", "--profile", "dev", "--provider", "sandbox", "--role-arn", DEVELOPER, "--batch"];
const FILE: &str = ".cache/rolecall/credentials.json";

/// A machine with these settings, where no provider is known.
fn machine(settings: &str) -> Machine {
    let machine = Machine::new();
    machine.write(".config/rolecall/config.toml", settings);
    machine
}

/// A machine that keeps credentials in a file.
fn keeping() -> Machine {
    machine("[host]\ncache = \"file\"\n")
}

/// A machine whose settings know the sandbox and choose this cache.
pub(crate) fn world(cache: &str) -> (rolecall_sandbox::Sandbox, Machine) {
    let (sandbox, machine) = loopback::world();
    let settings = machine.read(".config/rolecall/config.toml");
    machine.write(".config/rolecall/config.toml", &format!("{settings}\n[host]\ncache = \"{cache}\"\n"));
    (sandbox, machine)
}

/// Signs in to the sandbox with a command that shows the address.
pub(crate) fn sign_in(machine: &Machine, arguments: &[&str]) -> (Ran, String) {
    let (child, address, mut stderr) = loopback::start(machine, arguments);
    loopback::visit(&loopback::fill_in_the_form(&address, "user=alice-0001"));
    let ran = loopback::finish(child);
    let mut told = String::new();
    std::io::Read::read_to_string(&mut stderr, &mut told).unwrap();
    (ran, told)
}

/// Asks while a browser is open, which answers with these credentials.
fn ask_with_browser(machine: &Machine, credentials: Credentials, keep: bool) -> Ran {
    let mut browser = Browser::open(machine);
    let ran = thread::scope(|scope| {
        let ran = scope.spawn(|| machine.run(&ASK));
        let (id, _) = browser.question();
        browser.answer(id, Ok(WorkerResponse::Credentials { credentials, keep }));
        ran.join().unwrap()
    });
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    browser.close();
    ran
}

fn mode(path: PathBuf) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// A file as an earlier command left it.
fn leave(machine: &Machine, left: TimeDelta) -> PathBuf {
    let expiration = (Utc::now() + left).timestamp();
    let text = serde_json::json!({ "version": 1, "roles": [{
        "role": { "provider": "sandbox", "arn": DEVELOPER }, "backend": "file",
        "lifetime": { "expiration": expiration, "seconds": 3600 },
        "credentials": { "accessKeyId": "ASIAKEPT", "secretAccessKey": "kept", "sessionToken": "kept",
            "expiration": expiration },
    }] });
    let path = machine.write(FILE, &text.to_string());
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    fs::set_permissions(path.parent().unwrap(), fs::Permissions::from_mode(0o700)).unwrap();
    path
}

#[test]
fn one_sign_in_serves_the_tools_that_come_after_it() {
    let (sandbox, machine) = world("file");
    let (ran, told) = sign_in(&machine, &["login", "developer", "--no-browser"]);
    assert_eq!(ran.code, Some(0), "{told}");
    assert!(told.contains("The credentials are stored in a file"), "{told}");
    let first = machine.run(&ASK);
    assert_eq!((first.code, first.stderr.as_str()), (Some(0), ""));
    assert_eq!(machine.run(&ASK_NOBODY).stdout, first.stdout);
    let again = machine.run(&["login", "developer", "--no-browser"]);
    assert!(again.stderr.contains("from the cache"), "{}", again.stderr);
    assert_eq!((sandbox.count(CallKind::Authorize), sandbox.count(CallKind::AssumeRole)), (1, 1));
    assert_eq!(mode(machine.home().join(FILE)), 0o600);
    assert_eq!(mode(machine.home().join(".cache/rolecall")), 0o700);
}

#[test]
fn whoever_names_the_way_signs_in_again() {
    let (sandbox, machine) = world("file");
    sign_in(&machine, &["login", "developer", "--no-browser"]);
    sign_in(&machine, &["login", "developer", "--no-browser", "--method", "loopback"]);
    assert_eq!(sandbox.count(CallKind::AssumeRole), 2);
    let expirations = machine.read(FILE);
    sign_in(&machine, &["login", "developer", "--no-browser", "--duration", "15m"]);
    assert_eq!(sandbox.count(CallKind::AssumeRole), 3);
    assert_ne!(machine.read(FILE), expirations, "what came last is kept");
}

#[test]
fn nothing_is_kept_unless_the_settings_say_so() {
    let (_sandbox, machine) = loopback::world();
    let (_, told) = sign_in(&machine, &["login", "developer", "--no-browser"]);
    assert!(told.contains("these credentials are not stored"), "{told}");
    assert!(
        told.contains("cache = \"file\" or \"keyring\" under [host] in ~/.config/rolecall/config.toml"),
        "{told}"
    );
    let machine_with_browser = Machine::new();
    ask_with_browser(&machine_with_browser, credentials(60), true);
    for machine in [machine, machine_with_browser] {
        assert!(!machine.home().join(".cache").exists());
    }
}

#[test]
fn what_the_browser_answered_outlives_it() {
    let machine = keeping();
    let ran = ask_with_browser(&machine, credentials(60), true);
    assert_eq!(ran.stderr, "");
    let without = machine.run(&ASK_NOBODY);
    assert_eq!((without.code, without.stdout), (Some(0), ran.stdout));
}

#[test]
fn what_a_person_has_to_allow_each_time_is_not_kept() {
    let machine = keeping();
    ask_with_browser(&machine, credentials(60), false);
    assert!(!machine.home().join(FILE).exists());
    assert_eq!(machine.run(&ASK_NOBODY).code, Some(4));
    // What was kept before that was asked for goes, too.
    ask_with_browser(&machine, credentials(60), true);
    assert!(machine.home().join(FILE).exists());
    ask_with_browser(&machine, credentials(90), false);
    assert!(!machine.home().join(FILE).exists());
}

#[test]
fn a_role_that_has_to_be_approved_is_not_taken_from_what_was_kept_before() {
    let (_sandbox, machine) = world("file");
    leave(&machine, TimeDelta::hours(1));
    assert_eq!(machine.run(&ASK_NOBODY).code, Some(0));
    let settings = machine.read(".config/rolecall/config.toml");
    let strict = settings.replace("[[role]]", "[[role]]\napprove = \"always\"");
    assert_ne!(strict, settings);
    machine.write(".config/rolecall/config.toml", &strict);
    assert_eq!(machine.run(&ASK_NOBODY).code, Some(3));
}

#[test]
fn a_browser_that_answers_from_memory_causes_no_write() {
    let machine = keeping();
    let mut browser = Browser::open(&machine);
    let fresh = Ok(WorkerResponse::Credentials { credentials: credentials(60), keep: true });
    thread::scope(|scope| {
        let ran = scope.spawn(|| machine.run(&ASK));
        let (id, _) = browser.question();
        browser.answer(id, fresh);
        ran.join().unwrap()
    });
    let written = |file: &str| fs::metadata(machine.home().join(file)).map(|it| (it.ino(), it.mtime_nsec()));
    let before = written(FILE).unwrap();
    for _ in 0..3 {
        assert_eq!(machine.run(&ASK).code, Some(0));
    }
    assert_eq!(written(FILE).unwrap(), before);
}

#[test]
fn many_tools_at_once_leave_one_whole_file() {
    let machine = keeping();
    let mut browser = Browser::open(&machine);
    let tools: Vec<_> = (0..20)
        .map(|_| machine.command(&ASK).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
        .collect();
    let (id, _) = browser.question();
    browser.answer(id, Ok(WorkerResponse::Credentials { credentials: credentials(60), keep: true }));
    for tool in tools {
        let ran: Ran = tool.wait_with_output().unwrap().into();
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    }
    let kept: Value = serde_json::from_str(&machine.read(FILE)).unwrap();
    assert_eq!(kept["roles"].as_array().unwrap().len(), 1);
    assert!(!machine.home().join(".cache/rolecall/credentials.new").exists());
}

#[test]
fn where_nobody_can_sign_in_the_last_minutes_are_used_up() {
    let (_sandbox, machine) = world("file");
    leave(&machine, TimeDelta::minutes(5));
    let ran = machine.run(&ASK_NOBODY);
    assert!(ran.stdout.contains("ASIAKEPT"), "{ran:?}");
    leave(&machine, TimeDelta::seconds(30));
    assert_eq!(machine.run(&ASK_NOBODY).code, Some(3));
    // Somebody who can is better off with new ones.
    leave(&machine, TimeDelta::minutes(5));
    let (ran, told) = sign_in(&machine, &["env", "developer", "--no-browser", "--shell", "json"]);
    assert!(!ran.stdout.contains("ASIAKEPT"), "{told}");
}

#[test]
fn a_file_that_is_damaged_or_not_private_is_as_good_as_none() {
    let (sandbox, machine) = world("file");
    let path = leave(&machine, TimeDelta::hours(1));
    assert_eq!(machine.run(&ASK_NOBODY).code, Some(0), "it is read as it is");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    assert_eq!(machine.run(&ASK_NOBODY).code, Some(3), "others could read it");
    leave(&machine, TimeDelta::hours(1));
    let elsewhere = machine.home().join("elsewhere.json");
    fs::rename(&path, &elsewhere).unwrap();
    symlink(&elsewhere, &path).unwrap();
    assert_eq!(machine.run(&ASK_NOBODY).code, Some(3), "it is a link");
    let before = fs::read(&elsewhere).unwrap();
    sign_in(&machine, &["login", "developer", "--no-browser"]);
    assert_eq!(fs::read(&elsewhere).unwrap(), before, "nothing is written through a link");
    assert!(!path.is_symlink());
    fs::write(&path, &fs::read(&path).unwrap()[..40]).unwrap();
    let ran = machine.run(&ASK_NOBODY);
    assert_eq!((ran.code, ran.stderr.contains("kept")), (Some(3), false), "it is cut short");
    sign_in(&machine, &["login", "developer", "--no-browser"]);
    assert_eq!(machine.run(&ASK_NOBODY).code, Some(0), "and written anew");
    assert_eq!(sandbox.count(CallKind::AssumeRole), 2);
}

#[test]
fn a_folder_that_others_may_enter_is_closed_to_them() {
    let (_sandbox, machine) = world("file");
    let path = leave(&machine, TimeDelta::seconds(-1));
    fs::set_permissions(path.parent().unwrap(), fs::Permissions::from_mode(0o755)).unwrap();
    // What a process that was killed in the middle has left.
    let unfinished = machine.write(".cache/rolecall/credentials.new", "half of a secr");
    sign_in(&machine, &["login", "developer", "--no-browser"]);
    assert_eq!(mode(machine.home().join(".cache/rolecall")), 0o700);
    assert!(!unfinished.exists());
    assert!(!machine.read(FILE).contains("ASIAKEPT"), "what has expired is dropped");
}

#[test]
fn a_cache_that_cannot_be_written_stops_no_tool_but_is_told_to_a_person() {
    let (_sandbox, machine) = world("file");
    machine.write(".cache", "a file where the folder would be");
    let (ran, told) = sign_in(&machine, &["env", "developer", "--no-browser", "--shell", "json"]);
    assert_eq!(ran.code, Some(0), "{told}");
    assert!(told.contains("warning: The credentials are not cached. The cache "), "{told}");
    let (ran, told) = sign_in(&machine, &["login", "developer", "--no-browser"]);
    assert_eq!(ran.code, Some(1));
    assert!(
        told.contains("error[cache-failed]: The cache ~/.cache/rolecall/credentials.json cannot be written"),
        "{told}"
    );
    let doctor = machine.run(&["doctor"]);
    assert!(
        doctor.stdout.contains("fail  The cache ~/.cache/rolecall/credentials.json cannot"),
        "{}",
        doctor.stdout
    );
}

#[test]
fn status_tells_what_is_kept_and_logout_forgets_it_whatever_the_settings_say_by_then() {
    let (_sandbox, machine) = world("file");
    leave(&machine, TimeDelta::minutes(59));
    let status = machine.run(&["status"]);
    assert_eq!(status.code, Some(4), "no browser answers");
    assert!(
        status.stdout.starts_with("cache\n  111111111111 / developer  58m  file\n")
            || status.stdout.starts_with("cache\n  example-dev / developer  58m  file\n"),
        "{}",
        status.stdout
    );
    let status: Value = serde_json::from_str(&machine.run(&["status", "--json"]).stdout).unwrap();
    assert_eq!(
        (&status["cache"][0]["role"]["arn"], &status["cache"][0]["backend"]),
        (&DEVELOPER.into(), &"file".into())
    );
    assert!(!status.to_string().contains("ASIAKEPT"));
    let settings = machine.read(".config/rolecall/config.toml");
    let doctor = machine.run(&["doctor"]).stdout;
    assert!(doctor.contains("ok    The cache works (file). Roles in it: 1."), "{doctor}");
    machine.write(".config/rolecall/config.toml", &settings.replace("\"file\"", "\"none\""));
    assert_eq!(machine.run(&ASK_NOBODY).code, Some(3), "it is not used");
    let doctor = machine.run(&["doctor"]).stdout;
    assert!(
        doctor.contains("warn  A cache that is not in use still contains credentials. Roles in it: 1."),
        "{doctor}"
    );
    assert_eq!(machine.run(&["logout", "developer"]).code, Some(0));
    assert!(!machine.home().join(FILE).exists());
    let status: Value = serde_json::from_str(&machine.run(&["status", "--json"]).stdout).unwrap();
    assert_eq!(status["cache"], serde_json::json!([]));
}

#[test]
fn signing_out_in_the_browser_empties_the_cache_too() {
    let machine = keeping();
    ask_with_browser(&machine, credentials(60), true);
    let mut browser = Browser::open(&machine);
    let other = role("arn:aws:iam::111111111111:role/other");
    browser.ask(HostRequest::Forget(RoleSelection::Role(other))).unwrap();
    assert!(machine.read(FILE).contains(DEVELOPER));
    browser.ask(HostRequest::Forget(RoleSelection::All)).unwrap();
    assert!(!machine.home().join(FILE).exists());
}

#[test]
fn logout_of_one_role_leaves_the_others() {
    let (_sandbox, machine) = world("file");
    leave(&machine, TimeDelta::hours(1));
    sign_in(&machine, &["login", "developer", "--no-browser", "--method", "loopback"]);
    let other = "arn:aws:iam::111111111111:role/other";
    let text = machine.read(FILE);
    let mut kept: Value = serde_json::from_str(&text).unwrap();
    let mut copy = kept["roles"][0].clone();
    copy["role"]["arn"] = other.into();
    kept["roles"].as_array_mut().unwrap().push(copy);
    machine.write(FILE, &kept.to_string());
    assert_eq!(machine.run(&["logout", "developer"]).code, Some(0));
    let kept: Value = serde_json::from_str(&machine.read(FILE)).unwrap();
    assert_eq!(kept["roles"].as_array().unwrap().len(), 1);
    assert_eq!(kept["roles"][0]["role"]["arn"], other);
    assert_eq!(machine.run(&["logout", "--all"]).code, Some(0));
    assert!(!machine.home().join(FILE).exists());
}
