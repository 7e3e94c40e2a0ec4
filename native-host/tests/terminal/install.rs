//! `install`, `uninstall` and `doctor`.

use std::fs;

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
    assert!(ran.stdout.starts_with("Chromium: already there: "), "{}", ran.stdout);
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
    assert!(ran.stdout.contains("/bin/cat does not speak as a host program does.\n"), "{}", ran.stdout);
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
