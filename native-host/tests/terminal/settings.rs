//! Settings of which a part cannot be used, as each command sees them.

use std::fs;
use std::path::{Path, PathBuf};

use rolecall_core::message::host::{WorkerRequest, WorkerResponse};

use crate::browser::{Browser, credentials};
use crate::machine::{Machine, Ran};

const PROVIDER: &str = r#"[[provider]]
id = "corp"
well_known_url = "https://idp.example/.well-known/openid-configuration"
client_id = "abc"
"#;
const GOOD: &str = r#"[[role]]
provider = "corp"
arn = "arn:aws:iam::123456789012:role/good"
profile = "good"
"#;
const BAD: &str = r#"[[role]]
provider = "corp"
arn = "arn:aws:iam::123456789012:role/bad"
profile = "bad"
duration = 5
"#;
const BAD_ARN: &str = "arn:aws:iam::123456789012:role/bad";
/// A role whose ARN cannot be read has its profile's name still.
const NAMELESS: &str =
    "[[role]]\nprovider = \"corp\"\narn = \"arn:aws:iam::12:role/nameless\"\nprofile = \"nameless\"\n";

fn write(machine: &Machine, text: &str) -> PathBuf {
    machine.write(".config/rolecall/config.toml", text)
}

/// A machine with a good role, one with a bad key on line 13, and one without an ARN on line 16.
fn machine() -> (Machine, String, String) {
    let machine = Machine::new();
    let path = write(&machine, &format!("{PROVIDER}{GOOD}{BAD}{NAMELESS}")).display().to_string();
    let bad = format!(
        "{path}: line 13: the role {BAD_ARN} cannot be used: duration must be 900 to 43200 seconds, not 5."
    );
    let nameless = format!(
        "{path}: line 16: [[role]] number 3 cannot be used: arn: \"arn:aws:iam::12:role/nameless\" is not the ARN of an IAM role"
    );
    (machine, bad, nameless)
}

fn count(ran: &Ran, text: &str) -> usize {
    ran.stderr.matches(text).count()
}

#[test]
fn a_command_that_wants_a_bad_role_fails_for_its_entry_and_tells_of_the_others_once() {
    let (machine, bad, nameless) = machine();
    let method: &[&str] = &["--method", "loopback"];
    for (command, role) in [
        (vec!["login"], "bad"),
        (vec!["login"], BAD_ARN),
        (vec!["env"], "bad"),
        (vec!["env"], "123456789012/bad"),
        (vec!["serve"], "bad"),
        (vec!["console", "--print-url"], "bad"),
        (vec!["console", "--print-url"], BAD_ARN),
    ] {
        let ran = machine.run(&[&command, method, &[role]].concat());
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), ""), "{command:?} {role}: {ran:?}");
        assert!(
            ran.stderr.contains(&format!("error[settings-invalid]: {bad}\n")),
            "{command:?}: {}",
            ran.stderr
        );
        assert_eq!((count(&ran, &bad), count(&ran, &nameless)), (1, 1), "{command:?}: {}", ran.stderr);
        assert!(ran.stderr.contains(&format!("warning: {nameless}")), "{command:?}: {}", ran.stderr);
    }
    let ran = machine.run(&["exec", "--method", "loopback", "nameless", "--", "true"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.stderr.contains(&format!("error[settings-invalid]: {nameless}")), "{}", ran.stderr);
    assert_eq!((count(&ran, &bad), count(&ran, &nameless)), (1, 1), "{}", ran.stderr);
}

#[test]
fn a_credential_process_of_a_bad_role_fails_for_its_entry() {
    let (machine, bad, nameless) = machine();
    for (arguments, told) in [
        (vec!["--profile", "bad"], &bad),
        (vec!["--profile", "bad", "--role-arn", BAD_ARN], &bad),
        (vec!["--profile", "nameless"], &nameless),
    ] {
        let ran = machine.run(&[vec!["credential-process"], arguments].concat());
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), ""), "{ran:?}");
        assert!(ran.stderr.contains(&format!("error[settings-invalid]: {told}")), "{}", ran.stderr);
        assert_eq!((count(&ran, &bad), count(&ran, &nameless)), (1, 1), "{}", ran.stderr);
    }
}

#[test]
fn a_credential_process_that_needs_no_settings_neither_reads_nor_keeps_them() {
    let (machine, _, _) = machine();
    let mut browser = Browser::start(&machine, "chrome-extension://ganjefdifpdbcgkcmbniolbdkacieled/");
    browser.hello(rolecall_core::message::host::ProtocolRange::CURRENT).unwrap();
    browser.settings();
    let copies = machine.home().join(".local/state/rolecall");
    fs::remove_dir_all(&copies).unwrap();
    let role = "arn:aws:iam::123456789012:role/good";
    let ran = std::thread::scope(|scope| {
        let ran = scope.spawn(|| {
            machine.run(&[
                "credential-process",
                "--profile",
                "good",
                "--provider",
                "corp",
                "--role-arn",
                role,
            ])
        });
        let (id, question) = browser.question();
        assert!(matches!(question, WorkerRequest::Credentials(_)));
        browser.answer(id, Ok(WorkerResponse::Credentials { credentials: credentials(60), keep: true }));
        ran.join().unwrap()
    });
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    assert!(!copies.exists());
}

#[test]
fn lists_show_what_is_good_and_name_what_is_not() {
    let (machine, bad, nameless) = machine();
    for (command, code) in [
        (&["roles"][..], 0),
        (&["roles", "--json"], 0),
        (&["settings", "show"], 1),
        (&["settings", "show", "--json"], 1),
        (&["status", "--json"], 0),
    ] {
        let ran = machine.run(command);
        assert_eq!(ran.code, Some(code), "{command:?}: {ran:?}");
        assert_eq!((count(&ran, &bad), count(&ran, &nameless)), (1, 1), "{command:?}: {}", ran.stderr);
        assert_eq!(
            ran.stdout.contains("role/good") || ran.stdout.contains("good  "),
            command[0] != "status",
            "{ran:?}"
        );
        assert!(!ran.stdout.contains("role/bad"), "{ran:?}");
    }
    let ran = machine.run(&["doctor"]);
    assert!(ran.stdout.contains(&format!("fail  {bad}\n")), "{}", ran.stdout);
    assert!(ran.stdout.contains(&format!("fail  {nameless}")), "{}", ran.stdout);
    assert!(ran.stdout.contains("config.toml is in use."), "{}", ran.stdout);
}

#[test]
fn sync_writes_the_good_profiles_and_says_that_some_are_missing() {
    let (machine, bad, nameless) = machine();
    let ran = machine.run(&["profile", "sync", "--yes"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.stderr.contains("Wrote the profile good.\n"), "{}", ran.stderr);
    assert!(ran.stderr.contains("Invalid roles in the settings get no profile.\n"), "{}", ran.stderr);
    assert_eq!((count(&ran, &bad), count(&ran, &nameless)), (1, 1), "{}", ran.stderr);
    let ran = machine.run(&["profile", "sync", "--yes"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.stderr.contains("Every other role has a profile.\n"), "{}", ran.stderr);
    write(&machine, &format!("{PROVIDER}{GOOD}"));
    let ran = machine.run(&["profile", "sync", "--yes"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), "Every role has a profile.\n"));
}

#[test]
fn a_profile_of_a_bad_role_is_written_only_with_a_region_of_its_own() {
    let (machine, bad, _) = machine();
    let write = ["profile", "write", "mine", "--role-arn", BAD_ARN];
    let ran = machine.run(&write);
    assert_eq!((ran.code, machine.read(".aws/config").as_str()), (Some(1), ""), "{ran:?}");
    assert!(ran.stderr.contains(&format!("error[settings-invalid]: {bad}\n")), "{}", ran.stderr);
    let ran = machine.run(&[&write[..], &["--region", "eu-west-1"]].concat());
    assert_eq!((ran.code, count(&ran, &bad)), (Some(0), 1), "{ran:?}");
    assert!(machine.read(".aws/config").contains("region = eu-west-1\n"));
}

#[test]
fn a_role_goes_with_its_provider_and_the_cause_is_told() {
    let machine = Machine::new();
    let path = write(&machine, &format!("{PROVIDER}scope = \"email\"\n{GOOD}"));
    let cause = format!(
        "{}: line 5: the provider \"corp\" cannot be used: scope: it must contain openid.",
        path.display()
    );
    let ran = machine.run(&["login", "--method", "loopback", "good"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(
        ran.stderr.contains(&format!("left out with the provider \"corp\". {cause}\nnext: ")),
        "{}",
        ran.stderr
    );
    assert!(ran.stderr.contains("error[settings-invalid]: "), "{}", ran.stderr);
    assert_eq!(count(&ran, &cause), 1, "{}", ran.stderr);
    // Without any role left, an empty list is no answer.
    assert_eq!(machine.run(&["roles"]).code, Some(1));
    // Nor is another provider, for a role that stands nowhere.
    let other = PROVIDER.replace("\"corp\"", "\"other\"");
    write(&machine, &format!("{PROVIDER}scope = \"email\"\n{other}"));
    let arn = "arn:aws:iam::123456789012:role/x";
    let ran = machine.run(&["login", "--method", "loopback", arn]);
    let told = format!(
        "error[settings-invalid]: The role {arn} is not in the valid part of the settings. {cause}\n"
    );
    assert!(ran.stderr.starts_with(&told), "{}", ran.stderr);
    assert_eq!(count(&ran, &cause), 1, "{}", ran.stderr);
}

#[test]
fn a_role_of_an_unknown_provider_is_named_with_file_and_line_by_who_wants_it() {
    let machine = Machine::new();
    let path = write(
        &machine,
        &format!("{PROVIDER}{GOOD}{}", BAD.replace("corp", "cosp").replace("duration = 5\n", "")),
    );
    let told = format!(
        "{}: line 9: the role {BAD_ARN} names the provider \"cosp\", which is not in the settings.",
        path.display()
    );
    let ran = machine.run(&["login", "--method", "loopback", "bad"]);
    assert!(ran.stderr.starts_with(&format!("error[provider-unknown]: {told}\n")), "{}", ran.stderr);
    assert_eq!(ran.code, Some(1));
    let ran = machine.run(&["settings", "show"]);
    assert!(ran.stderr.starts_with(&format!("warning: {told}\n")), "{}", ran.stderr);
    // The browser's policy may have the provider: whoever wants another role is not bothered.
    assert_eq!(machine.run(&["roles"]).stderr, "");
}

#[test]
fn a_name_that_was_left_out_is_not_taken_for_a_similar_one() {
    let machine = Machine::new();
    let similar = GOOD.replace("role/good", "role/bad-guys").replace("\"good\"", "\"bad-guys\"");
    write(&machine, &format!("{PROVIDER}{similar}{BAD}"));
    let ran = machine.run(&["login", "--method", "loopback", "bad"]);
    assert!(ran.stderr.starts_with("error[settings-invalid]: "), "{}", ran.stderr);
}

#[test]
fn a_file_that_is_no_toml_leaves_the_last_good_settings_in_use_and_says_so() {
    let machine = Machine::new();
    let path = write(&machine, &format!("{PROVIDER}{GOOD}"));
    assert_eq!(machine.run(&["roles"]).stderr, "");
    write(&machine, &format!("{PROVIDER}{GOOD}[[role]\n"));
    for command in [&["roles"][..], &["profile", "sync", "--dry-run"], &["settings", "show"], &["status"]] {
        let ran = machine.run(command);
        let told = format!("warning: {}: line 9: this is not TOML: ", path.display());
        assert_eq!(
            (count(&ran, &told), count(&ran, " UTC stay in use.\n")),
            (1, 1),
            "{command:?}: {}",
            ran.stderr
        );
        assert_eq!(ran.stdout.contains("good"), command[0] != "status", "{command:?}: {}", ran.stdout);
    }
    let ran = machine.run(&["settings", "show"]);
    assert!(ran.stdout.contains("invalid  ~/.config/rolecall/config.toml\n"), "{}", ran.stdout);
    assert!(
        ran.stdout.contains("in use  ~/.local/state/rolecall/settings-user.toml, the copy of "),
        "{}",
        ran.stdout
    );
    assert_eq!(ran.code, Some(1));
    let ran = machine.run(&["doctor"]);
    assert!(
        ran.stdout.contains("line 9: this is not TOML") && ran.stdout.contains("stay in use."),
        "{}",
        ran.stdout
    );
    // Who removes the file wants none.
    fs::remove_file(&path).unwrap();
    let ran = machine.run(&["roles", "--json"]);
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("[]\n", ""));
    write(&machine, "[[role]\n");
    let ran = machine.run(&["roles", "--json"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), "[]\n"));
    assert!(!ran.stderr.contains("stay in use"), "{}", ran.stderr);
}

#[test]
fn a_role_that_may_be_in_what_cannot_be_read_is_not_called_unknown() {
    let told = |machine: &Machine, arguments: &[&str], place: &str| {
        let ran = machine.run(arguments);
        assert_eq!(ran.code, Some(1), "{ran:?}");
        let error = ran.stderr.lines().find(|line| line.starts_with("error[settings-invalid]: "));
        assert!(error.is_some_and(|error| error.contains(place)), "{arguments:?}: {}", ran.stderr);
        assert_eq!(count(&ran, place), 1, "{arguments:?}: {}", ran.stderr);
    };
    let machine = Machine::new();
    let nameless = "[[role]]\nprovider = \"corp\"\narn = \"mistyped\"\n";
    for (text, place) in [
        ("[[role]\n", "config.toml: line 1: this is not TOML: "),
        (nameless, "config.toml: line 3: [[role]] number 1 cannot be used: "),
    ] {
        write(&machine, text);
        told(&machine, &["env", "dev"], place);
        told(&machine, &["login", "dev"], place);
        told(&machine, &["credential-process", "--profile", "dev"], place);
    }
    let machine = Machine::new();
    write(&machine, "[[role]\n");
    let arn = "arn:aws:iam::123456789012:role/dev";
    let place = "config.toml: line 1: this is not TOML: ";
    told(&machine, &["exec", "--method", "loopback", arn, "--", "true"], place);
    told(&machine, &["credential-process", "--profile", "dev", "--role-arn", arn], place);
}

#[test]
fn settings_are_shown_with_all_that_counts_and_without_secrets() {
    let machine = Machine::new();
    let own =
        "[provider.loopback]\nclient_id = \"desktop\"\nclient_secret = \"GOCSPX-desktop\"\nports = [0]\n";
    let more = "client_secret = \"GOCSPX-web\"\nprompt = \"consent\"\nsilent = false\nusername_claim = \"upn\"\n\
                end_session_params = { logout_uri = \"https://a.example/\" }\n";
    let path = write(&machine, &format!("{PROVIDER}{more}{own}{GOOD}"));
    for arguments in [vec!["settings", "show"], vec!["settings", "show", "--json"]] {
        let ran = machine.run(&arguments);
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{}", ran.stdout);
        assert!(!ran.stdout.contains("GOCSPX"), "{}", ran.stdout);
        assert_eq!(ran.stdout.matches("(hidden)").count(), 2, "{}", ran.stdout);
        assert!(!ran.stdout.contains("unknown"), "{}", ran.stdout);
        let known =
            ["prompt", "silent", "username_claim", "end_session_params", "loopback", "desktop", "ports"];
        for key in known {
            assert!(ran.stdout.contains(key), "{key}: {}", ran.stdout);
        }
    }
    let other = machine.write("other.toml", &fs::read_to_string(path).unwrap().replace("corp", "other"));
    let ran = machine.run(&["settings", "import", &other.display().to_string()]);
    assert!(ran.stdout.contains("(hidden)") && !ran.stdout.contains("GOCSPX"), "{ran:?}");
    let kept = fs::read_to_string(machine.home().join(".config/rolecall/config.toml")).unwrap();
    for secret in ["GOCSPX-web", "GOCSPX-desktop"] {
        assert_eq!(kept.matches(secret).count(), 2, "{kept}");
    }
}

#[test]
fn a_bad_key_of_a_providers_loopback_is_named_and_loses_nothing_else() {
    let machine = Machine::new();
    write(&machine, &format!("{PROVIDER}loopback = {{ ports = [99999], host = \"127.0.0.1\" }}\n{GOOD}"));
    let ran = machine.run(&["settings", "show"]);
    let told =
        "line 5: ports of loopback of the provider \"corp\" cannot be used: invalid value: integer `99999`";
    assert!(ran.stderr.contains(told), "{}", ran.stderr);
    assert!(
        ran.stdout.contains("host = \"127.0.0.1\"") && ran.stdout.contains("role/good"),
        "{}",
        ran.stdout
    );
}

/// The settings of an organisation with so many roles.
fn many_roles(count: usize, profile: &str) -> String {
    let roles = (0..count).map(|number| {
        format!("[[role]]\nprovider = \"corp\"\narn = \"arn:aws:iam::123456789012:role/role-{number}\"\nprofile = \"{profile}-{number}\"\n")
    });
    [PROVIDER.to_owned()].into_iter().chain(roles).collect()
}

/// Makes a file look as if nobody had touched it for a while.
fn settle(path: &Path) {
    let file = fs::File::options().append(true).open(path).unwrap();
    file.set_modified(std::time::SystemTime::now() - std::time::Duration::from_mins(1)).unwrap();
}

#[test]
fn a_long_list_of_roles_is_kept_for_the_next_command_and_counts_until_a_file_changes() {
    let machine = Machine::new();
    let list = |machine: &Machine| machine.run(&["roles", "--json"]).stdout;
    let index = machine.home().join(".local/state/rolecall/roles.index");

    let settings = machine.write(".config/rolecall/config.toml", &many_roles(300, "first"));
    let first = list(&machine);
    assert!(first.contains("first-299"));
    assert!(!index.exists(), "a file that has just been written may change again at once");
    settle(&settings);
    assert_eq!(list(&machine), first);
    assert!(index.exists());
    // Only a list that is read can say this.
    let kept = fs::read_to_string(&index).unwrap();
    fs::write(&index, kept.replace("first-299", "kept--299")).unwrap();
    assert!(list(&machine).contains("kept--299"));
    let completed = machine
        .command(&["--", "rolecall", "exec", "kept--"])
        .env("ROLECALL_COMPLETE", "bash")
        .env("_CLAP_COMPLETE_INDEX", "2")
        .output()
        .unwrap();
    assert!(String::from_utf8_lossy(&completed.stdout).contains("kept--299"));

    // The same size, and as old as before.
    machine.write(".config/rolecall/config.toml", &many_roles(300, "other"));
    settle(&settings);
    assert!(list(&machine).contains("other-299"));
    let kept = fs::read_to_string(&index).unwrap();
    assert!(kept.contains("other-299"));

    // A list that others could have written, or that is damaged, is none.
    fs::set_permissions(&index, std::os::unix::fs::PermissionsExt::from_mode(0o666)).unwrap();
    fs::write(&index, kept.replace("other-299", "wrong-299")).unwrap();
    assert!(list(&machine).contains("other-299"));
    fs::write(&index, &kept[..kept.rfind('\t').unwrap()]).unwrap();
    assert!(list(&machine).contains("other-299"));
}

#[test]
fn problems_of_settings_with_many_roles_are_told_each_time() {
    let machine = Machine::new();
    let bad = format!("{}[[role]]\nprovider = \"corp\"\narn = \"nonsense\"\n", many_roles(300, "first"));
    let settings = machine.write(".config/rolecall/config.toml", &bad);
    settle(&settings);
    for _ in 0..2 {
        let ran = machine.run(&["roles"]);
        assert!(ran.stderr.contains("[[role]] number 301 cannot be used"), "{}", ran.stderr);
    }
}
