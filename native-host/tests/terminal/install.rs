//! `install`, `uninstall` and `doctor`.

use std::fs;
use std::process::Command;
use std::thread;

use rolecall_core::identity::CHROMIUM_EXTENSION_ID;
use rolecall_core::message::host::{ProtocolRange, StatusPage, WorkerResponse};

use crate::browser::Browser;
use crate::loopback::world;
use crate::machine::{Machine, program};

const MANIFEST: &str = ".config/chromium/NativeMessagingHosts/dev.rolecall.host.json";

#[test]
fn the_browsers_found_get_a_manifest_once() {
    let machine = Machine::new();
    machine.write(".config/chromium/Local State", "");
    machine.write(".mozilla/firefox/profiles.ini", "");
    let ran = machine.run(&["install"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert_eq!(
        ran.stdout,
        "Chromium: wrote ~/.config/chromium/NativeMessagingHosts/dev.rolecall.host.json\n\
         Firefox: wrote ~/.mozilla/native-messaging-hosts/dev.rolecall.host.json\n"
    );
    let manifest: serde_json::Value = serde_json::from_str(&machine.read(MANIFEST)).unwrap();
    assert_eq!(manifest["path"], program().to_str().unwrap());
    let ran = machine.run(&["install"]);
    assert!(ran.stdout.starts_with("Chromium: up to date: "), "{}", ran.stdout);
    let ran = machine.run(&["uninstall"]);
    assert_eq!(ran.stdout.lines().count(), 2, "{}", ran.stdout);
    assert!(!machine.home().join(MANIFEST).exists());
    let ran = machine.run(&["uninstall"]);
    assert_eq!(
        (ran.code, ran.stdout.as_str(), ran.stderr.as_str()),
        (Some(0), "", "Nothing was installed.\n")
    );
}

#[test]
fn one_profile_of_a_browser_gets_a_manifest_of_its_own() {
    let machine = Machine::new();
    let folder = machine.home().join("scratch");
    let at = ["--browser", "chromium", "--user-data-dir", folder.to_str().unwrap()];
    let ran = machine.run(&[&["install"], &at[..]].concat());
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(folder.join("NativeMessagingHosts/dev.rolecall.host.json").exists());
    assert!(!machine.home().join(".config").exists(), "the user's own browser is left alone");
    assert_eq!(machine.run(&[&["uninstall"], &at[..]].concat()).code, Some(0));
    assert_eq!(fs::read_dir(folder.join("NativeMessagingHosts")).unwrap().count(), 0);
}

#[cfg(target_os = "linux")]
#[test]
fn a_program_that_a_user_can_change_is_not_installed_for_all_users() {
    let machine = Machine::new();
    let copy = machine.home().join("rolecall");
    fs::copy(program(), &copy).unwrap();
    let ran = machine.run(&["install", "--system", "--host-path", copy.to_str().unwrap()]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), ""));
    assert!(ran.stderr.contains("Users other than the administrator can change"), "{}", ran.stderr);
}

#[test]
fn without_a_browser_the_names_are_listed() {
    let ran = Machine::new().run(&["install"]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.stderr.starts_with("error[browser-unknown]: "), "{}", ran.stderr);
    assert!(ran.stderr.contains("firefox"), "{}", ran.stderr);
    let ran = Machine::new().run(&["install", "--browser", "lynx"]);
    assert_eq!(ran.code, Some(2));
}

#[test]
fn the_doctor_finds_what_is_broken_and_names_the_command() {
    let machine = Machine::new();
    machine.write(".config/chromium/Local State", "");
    let ran = machine.run(&["doctor"]);
    assert_eq!(ran.code, Some(0), "warnings are no failure: {}", ran.stdout);
    assert!(
        ran.stdout.contains(
            "warn  Chromium: the host program is not installed.\n      rolecall install --browser chromium\n"
        ),
        "{}",
        ran.stdout
    );
    machine.run(&["install"]);
    let ran = machine.run(&["doctor"]);
    assert!(
        ran.stdout.contains("ok    Chromium: the host program is installed and answers.\n"),
        "{}",
        ran.stdout
    );
    let other = machine.read(MANIFEST).replace(program().to_str().unwrap(), "/bin/cat");
    machine.write(MANIFEST, &other);
    let ran = machine.run(&["doctor"]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.stdout.contains("/bin/cat does not respond as a host program does.\n"), "{}", ran.stdout);
    machine.run(&["install"]);
    let gone = machine.read(MANIFEST).replace(program().to_str().unwrap(), "/nowhere/rolecall");
    machine.write(MANIFEST, &gone);
    machine.write(".config/rolecall/config.toml", "[[provider]]\nid = 7\n");
    let ran = machine.run(&["doctor", "--json"]);
    assert_eq!(ran.code, Some(1));
    let findings: Vec<serde_json::Value> = serde_json::from_str(&ran.stdout).unwrap();
    let failed: Vec<_> = findings.iter().filter(|finding| finding["state"] == "fail").collect();
    assert_eq!(failed.len(), 2, "{findings:?}");
    assert!(failed[0]["what"].as_str().unwrap().contains("/nowhere/rolecall"));
    assert!(failed[1]["what"].as_str().unwrap().contains("line 2"));
}

/// A browser by name: what it runs is the host, what it was started with is a folder of its own.
#[cfg(target_os = "linux")]
#[test]
fn a_browser_with_a_folder_of_its_own_is_not_called_without_a_host() {
    let machine = Machine::new();
    machine.write(".config/chromium/Local State", "");
    let folder = machine.home().join("scratch");
    let ran = machine.run(&["install", "--browser", "chromium", "--user-data-dir", folder.to_str().unwrap()]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let chromium = machine.home().join("chromium");
    assert!(Command::new("cp").arg("/bin/sh").arg(&chromium).status().unwrap().success());
    let script = format!("'{}' chrome-extension://{CHROMIUM_EXTENSION_ID}/; exit", program().display());
    let folder_option = format!("--user-data-dir={}", folder.display());
    let mut browser = Browser::run(machine.command_of(&chromium, &["-c", &script, &folder_option]));
    browser.hello(ProtocolRange::CURRENT).unwrap();
    let ran = thread::scope(|scope| {
        let ran = scope.spawn(|| machine.run(&["doctor"]));
        let (id, _) = browser.question();
        browser.answer(id, Ok(WorkerResponse::Status(StatusPage::default())));
        ran.join().unwrap()
    });
    assert!(!ran.stdout.contains("not installed"), "{}", ran.stdout);
    assert!(
        ran.stdout.contains("ok    Chromium in ~/scratch: the host program is installed and answers.\n"),
        "{}",
        ran.stdout
    );
    assert!(ran.stdout.contains("ok    Chromium responds (host "), "{}", ran.stdout);
}

#[test]
fn the_doctor_asks_the_providers_and_tells_silence_from_a_wrong_address() {
    let (sandbox, machine) = world();
    let told = |machine: &Machine| machine.run(&["doctor"]).stdout;
    assert!(told(&machine).contains(": the provider responds.\n"), "{}", told(&machine));
    // Where AWS is the one to read what the provider publishes, its rules count.
    let settings = machine.read(".config/rolecall/config.toml");
    let of_aws: Vec<_> = settings.lines().filter(|line| !line.contains("_endpoint")).collect();
    machine.write(".config/rolecall/config.toml", &of_aws.join("\n"));
    let stdout = told(&machine);
    assert!(stdout.contains(" is not https, which AWS does not accept.\n"), "{stdout}");
    assert!(stdout.contains(" has a port, which AWS does not accept.\n"), "{stdout}");
    let wrong = settings.replace("/.well-known/", "/elsewhere/.well-known/");
    machine.write(".config/rolecall/config.toml", &wrong);
    let ran = machine.run(&["doctor"]);
    assert_eq!(ran.code, Some(1), "{}", ran.stdout);
    assert!(ran.stdout.contains(" responded with the HTTP status 404.\n"), "{}", ran.stdout);
    machine.write(".config/rolecall/config.toml", &settings);
    drop(sandbox);
    let ran = machine.run(&["doctor"]);
    assert_eq!(ran.code, Some(0), "a network that is away is no broken set-up: {}", ran.stdout);
    assert!(ran.stdout.contains(" could not be reached: "), "{}", ran.stdout);
}
