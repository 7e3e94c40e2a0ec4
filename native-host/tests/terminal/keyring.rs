//! Credentials that are kept in the keyring: GNOME's own, on a session bus of its own. Left out where Debian's
//! `dbus` and `gnome-keyring` are not installed; `cargo xtask test` installs them.

#![cfg(target_os = "linux")]

use std::ffi::OsString;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::thread;

use rolecall_core::message::host::WorkerResponse;
use rolecall_sandbox::CallKind;
use serde_json::Value;

use crate::browser::{Browser, credentials};
use crate::cache::{sign_in, world};
use crate::loopback::DEVELOPER;
use crate::machine::Machine;

const ASK_NOBODY: [&str; 8] =
    ["credential-process", "--profile", "dev", "--provider", "sandbox", "--role-arn", DEVELOPER, "--batch"];
const FILE: &str = ".cache/rolecall/credentials.json";

/// A desktop session with an unlocked keyring. It ends when it is dropped.
struct Session {
    address: String,
    child: Child,
    end: Option<ChildStdin>,
}

impl Session {
    fn start(machine: &Machine) -> Option<Self> {
        Self::start_with(machine, UNLOCK)
    }

    /// Starts one with this command.
    fn start_with(machine: &Machine, begin: &str) -> Option<Self> {
        for program in ["dbus-run-session", "gnome-keyring-daemon"] {
            Command::new(program).arg("--version").stdout(Stdio::null()).status().ok()?;
        }
        let script = format!("{begin} && echo \"$DBUS_SESSION_BUS_ADDRESS\" && read -r _");
        let mut command = Command::new("dbus-run-session");
        command.args(["--", "sh", "-c", &script]).env_clear().envs(variables(machine));
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut address = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut address).unwrap();
        assert!(address.starts_with("unix:"), "no session bus: {address}");
        Some(Self { address: address.trim().to_owned(), end: child.stdin.take(), child })
    }

    /// Locks the keyring, as a desktop does after a while.
    fn lock(&self) {
        let login = "array:objpath:/org/freedesktop/secrets/collection/login";
        let locked = Command::new("dbus-send")
            .env("DBUS_SESSION_BUS_ADDRESS", &self.address)
            .args(["--print-reply", "--dest=org.freedesktop.secrets", "/org/freedesktop/secrets"])
            .args(["org.freedesktop.Secret.Service.Lock", login])
            .stdout(Stdio::null())
            .status();
        assert!(locked.unwrap().success());
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.end = None;
        let _ = self.child.wait();
    }
}

/// The variables of the machine's commands.
fn variables(machine: &Machine) -> Vec<(OsString, OsString)> {
    let command = machine.command(&[]);
    command.get_envs().filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned()))).collect()
}

/// A machine with a keyring, and one sign-in that it keeps.
fn signed_in() -> Option<(rolecall_sandbox::Sandbox, Machine, Session)> {
    let (sandbox, mut machine) = world("keyring");
    let session = Session::start(&machine)?;
    machine.set("DBUS_SESSION_BUS_ADDRESS", &session.address);
    let (ran, told) = sign_in(&machine, &["login", "developer", "--no-browser"]);
    assert_eq!(ran.code, Some(0), "{told}");
    assert!(told.contains("The credentials are stored in the keyring"), "{told}");
    Some((sandbox, machine, session))
}

#[test]
fn one_sign_in_serves_the_tools_that_come_after_it_and_no_file_holds_its_keys() {
    let Some((sandbox, machine, _session)) = signed_in() else { return };
    let ran = machine.run(&ASK_NOBODY);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    let document: Value = serde_json::from_str(&ran.stdout).unwrap();
    let kept = machine.read(FILE);
    for secret in ["AccessKeyId", "SecretAccessKey", "SessionToken"] {
        assert!(!kept.contains(document[secret].as_str().unwrap()), "{kept}");
    }
    assert_eq!(sandbox.count(CallKind::AssumeRole), 1);
    let doctor = machine.run(&["doctor"]).stdout;
    assert!(doctor.contains("ok    The cache works (keyring). Roles in it: 1."), "{doctor}");
    assert!(machine.run(&["status"]).stdout.contains("  keyring\n"));
}

#[test]
fn logout_removes_the_entry_from_the_keyring() {
    let Some((_sandbox, machine, _session)) = signed_in() else { return };
    let kept = machine.read(FILE);
    assert_eq!(machine.run(&["logout", "developer"]).code, Some(0));
    // With the list as it was, only the keyring can say that it has nothing.
    let list = machine.write(FILE, &kept);
    fs::set_permissions(list, fs::Permissions::from_mode(0o600)).unwrap();
    let ran = machine.run(&ASK_NOBODY);
    assert_eq!((ran.code, ran.stderr.contains("warning")), (Some(3), false), "{}", ran.stderr);
}

#[test]
fn a_keyring_that_is_locked_is_told_and_the_list_keeps_what_could_not_be_removed() {
    let Some((_sandbox, machine, session)) = signed_in() else { return };
    session.lock();
    let ran = machine.run(&ASK_NOBODY);
    assert_eq!(ran.code, Some(3));
    assert!(
        ran.stderr
            .starts_with("warning: The cache was not used. The keyring is locked.\nerror[sign-in-needed]"),
        "{}",
        ran.stderr
    );
    let doctor = machine.run(&["doctor"]).stdout;
    assert!(doctor.contains("fail  The keyring is locked."), "{doctor}");
    // There is no window here to type the password in.
    let logout = machine.run(&["logout", "developer"]);
    assert_eq!(logout.code, Some(1));
    assert!(logout.stderr.starts_with("error[cache-failed]: The keyring is locked."), "{}", logout.stderr);
    assert!(machine.read(FILE).contains(DEVELOPER));
}

#[test]
fn what_the_browser_answered_goes_into_the_keyring_and_nobody_waits_for_one_that_is_absent() {
    let (_sandbox, mut machine) = world("keyring");
    let ask = &ASK_NOBODY[..7];
    let ask_with_browser = |machine: &Machine| {
        let mut browser = Browser::open(machine);
        thread::scope(|scope| {
            let ran = scope.spawn(|| machine.run(ask));
            let (id, _) = browser.question();
            let answer = WorkerResponse::Credentials { credentials: credentials(60), keep: true };
            browser.answer(id, Ok(answer));
            let ran = ran.join().unwrap();
            assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
            ran.stdout
        })
    };
    ask_with_browser(&machine);
    assert_eq!(machine.read(FILE), "");
    let status: Value = serde_json::from_str(&machine.run(&["status", "--json"]).stdout).unwrap();
    assert_eq!(status["cache"], serde_json::json!([]));

    let Some(session) = Session::start(&machine) else { return };
    machine.set("DBUS_SESSION_BUS_ADDRESS", &session.address);
    let document = ask_with_browser(&machine);
    let list: Value = serde_json::from_str(&machine.read(FILE)).unwrap();
    assert_eq!(list["roles"][0]["backend"], "keyring");
    assert!(!machine.read(FILE).contains("very/secret+key"));
    assert_eq!(machine.run(&ASK_NOBODY).stdout, document);
}

#[test]
fn a_keyring_service_without_a_keyring_is_told() {
    let (_sandbox, mut machine) = world("keyring");
    // The service is started by the bus, and nobody has made a keyring yet.
    let Some(session) = Session::start_with(&machine, "true") else { return };
    machine.set("DBUS_SESSION_BUS_ADDRESS", &session.address);
    let doctor = machine.run(&["doctor"]);
    assert!(
        doctor.stdout.contains("fail  There is no keyring here: the keyring service has no default keyring."),
        "{}",
        doctor.stdout
    );
    let ran = machine.run(&ASK_NOBODY);
    assert_eq!(ran.code, Some(3), "{}", ran.stderr);
}

#[test]
fn without_a_keyring_tools_sign_in_and_a_person_is_told() {
    let (sandbox, machine) = world("keyring");
    let (ran, told) = sign_in(&machine, &["login", "developer", "--no-browser"]);
    assert_eq!(ran.code, Some(1));
    assert!(told.contains("Signed in as"), "{told}");
    assert!(told.contains("error[cache-failed]: There is no keyring here: "), "{told}");
    let (ran, told) = sign_in(&machine, &["env", "developer", "--no-browser", "--shell", "json"]);
    assert_eq!(ran.code, Some(0));
    assert!(told.contains("warning: The credentials are not cached. There is no keyring here"), "{told}");
    assert_eq!(sandbox.count(CallKind::AssumeRole), 2);
    let doctor = machine.run(&["doctor"]);
    assert_eq!(doctor.code, Some(1));
    assert!(doctor.stdout.contains("fail  There is no keyring here: "), "{}", doctor.stdout);
}

/// Makes and unlocks the login keyring with the password on standard input.
const UNLOCK: &str = "printf x | gnome-keyring-daemon --unlock --components=secrets >/dev/null";
