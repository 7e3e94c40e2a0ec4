//! Providers' role catalogues, as commands list and use them.

use std::fs::File;
use std::time::{Duration, SystemTime};

use rolecall_sandbox::{CallKind, Catalogue, Config, Failure, Sandbox};

use crate::machine::{Machine, Ran};

const CATALOGUE: &str = r#"{
    "account": [{ "id": "333333333333", "name": "Payments", "environment": "production" }],
    "role": [
        { "arn": "arn:aws:iam::333333333333:role/one", "region": "eu-central-1" },
        { "arn": "arn:aws:iam::333333333333:role/two" }
    ]
}"#;

/// A machine whose provider has a catalogue, and no roles in the settings.
fn world() -> (Sandbox, Machine) {
    let mut config = Config::default();
    config.sts.roles.clear();
    config.provider.catalogue = Some(Catalogue { document: CATALOGUE.to_owned(), cors: true });
    config.provider.settings.insert("profile_name".to_owned(), "{environment}-{alias}-{role}".into());
    let sandbox = Sandbox::start_in_thread(config).unwrap();
    let url = format!("{}/catalogue.json", sandbox.provider_origin());
    sandbox.change(|config| drop(config.provider.settings.insert("catalogue_url".to_owned(), url.into())));
    let machine = Machine::new();
    machine.write(".config/rolecall/config.toml", &sandbox.settings_toml());
    (sandbox, machine)
}

fn kept(machine: &Machine) -> std::path::PathBuf {
    machine.home().join(".local/state/rolecall/catalogue-sandbox.json")
}

/// Lets the catalogue that is kept grow old.
fn age(machine: &Machine) {
    let two_hours_ago = SystemTime::now() - Duration::from_hours(2);
    File::options().append(true).open(kept(machine)).unwrap().set_modified(two_hours_ago).unwrap();
}

/// The status of each request for the catalogue.
fn answers(sandbox: &Sandbox) -> Vec<Option<u16>> {
    sandbox.calls_of(CallKind::Catalogue).iter().map(rolecall_sandbox::Call::status).collect()
}

#[track_caller]
fn lists_both(ran: &Ran) {
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let rows: Vec<_> =
        ran.stdout.lines().skip(1).map(|line| line.split_whitespace().collect::<Vec<_>>()).collect();
    let expected = [
        vec!["Payments", "one", "production-Payments-one"],
        vec!["Payments", "two", "production-Payments-two"],
    ];
    assert_eq!(rows.len(), 2, "{ran:?}");
    for (row, expected) in rows.iter().zip(expected) {
        assert_eq!(row[..3], expected[..], "{ran:?}");
    }
}

#[test]
fn a_catalogues_roles_are_listed_and_asked_for_again_only_when_they_may_have_changed() {
    let (sandbox, machine) = world();
    for _ in 0..2 {
        let ran = machine.run(&["roles"]);
        lists_both(&ran);
        assert_eq!(ran.stderr, "");
    }
    assert_eq!(answers(&sandbox), [Some(200)]);
    age(&machine);
    lists_both(&machine.run(&["roles"]));
    lists_both(&machine.run(&["roles"]));
    assert_eq!(answers(&sandbox), [Some(200), Some(304)]);
    lists_both(&machine.run(&["roles", "--refresh"]));
    assert_eq!(answers(&sandbox), [Some(200), Some(304), Some(304)]);
    sandbox.change(|config| config.provider.catalogue.as_mut().unwrap().document = "{}".to_owned());
    let ran = machine.run(&["roles", "--refresh"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), ""), "{ran:?}");
}

#[test]
fn a_catalogue_that_cannot_be_read_takes_no_role_away() {
    let (sandbox, machine) = world();
    lists_both(&machine.run(&["roles"]));
    for (failure, reason) in [
        (Failure::Drop, "could not be reached"),
        (Failure::status(503, "{}"), "answered with the status 503"),
        (Failure::status(200, "<html>"), "is not a JSON document"),
        (Failure::status(200, &"[".repeat(100_000)), "is not a JSON document"),
        (Failure::HalfAnswer, "could not be reached"),
    ] {
        age(&machine);
        // An older version, so that the whole of it is asked for.
        sandbox.change(|config| config.provider.catalogue.as_mut().unwrap().document.push(' '));
        sandbox.fail_next(CallKind::Catalogue, 1, &failure);
        let ran = machine.run(&["roles"]);
        lists_both(&ran);
        assert!(
            ran.stderr.starts_with("warning: The role catalogue of Rolecall sandbox could not be read: "),
            "{ran:?}"
        );
        assert!(
            ran.stderr.contains(reason) && ran.stderr.contains("The roles listed are those of "),
            "{ran:?}"
        );
    }
}

#[test]
fn tools_use_what_is_kept_and_never_wait_for_a_catalogue() {
    let (sandbox, machine) = world();
    lists_both(&machine.run(&["roles"]));
    let ran = machine.run(&["profile", "sync", "--dry-run"]);
    assert!(ran.stdout.contains("[profile production-Payments-one]"), "{ran:?}");
    assert!(ran.stdout.contains("region = eu-central-1"), "{ran:?}");
    age(&machine);
    let asked = answers(&sandbox).len();
    // The name says which role it is, and the role that it has to be signed in for.
    let ran = machine.run(&["credential-process", "--profile", "production-Payments-one", "--batch"]);
    assert!(ran.stderr.contains("sign-in-needed") && ran.stderr.contains("333333333333:role/one"), "{ran:?}");
    assert_eq!(answers(&sandbox).len(), asked, "{ran:?}");
}

#[test]
fn a_catalogue_is_kept_for_its_owner_alone_and_counts_for_its_address_alone() {
    use std::os::unix::fs::PermissionsExt as _;

    let (sandbox, machine) = world();
    lists_both(&machine.run(&["roles"]));
    assert_eq!(kept(&machine).metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let other = sandbox.settings_toml().replace("catalogue.json", "elsewhere.json");
    machine.write(".config/rolecall/config.toml", &other);
    let ran = machine.run(&["roles"]);
    assert!(ran.stdout.is_empty() && ran.stderr.contains("No role of it is listed."), "{ran:?}");
}

#[test]
fn a_catalogue_that_no_provider_names_any_more_is_deleted_but_not_while_the_settings_cannot_be_read() {
    let (sandbox, machine) = world();
    lists_both(&machine.run(&["roles"]));
    let settings = sandbox.settings_toml();
    let without_catalogue: String = settings
        .lines()
        .filter(|line| !line.starts_with("catalogue_url"))
        .flat_map(|line| [line, "\n"])
        .collect();
    machine.write(".config/rolecall/config.toml", &without_catalogue.replace("client_id", "client"));
    machine.run(&["roles"]);
    assert!(kept(&machine).exists());
    machine.write(".config/rolecall/config.toml", &without_catalogue);
    let ran = machine.run(&["roles"]);
    assert!(!kept(&machine).exists(), "{ran:?}");
}

#[test]
fn a_catalogue_takes_no_profile_name_from_the_settings_and_does_not_name_the_default_one() {
    let (sandbox, machine) = world();
    let catalogue = r#"{"role": [
        { "arn": "arn:aws:iam::333333333333:role/one", "profile": "mine" },
        { "arn": "arn:aws:iam::333333333333:role/two", "profile": "default" }
    ]}"#;
    sandbox.change(|config| config.provider.catalogue.as_mut().unwrap().document = catalogue.to_owned());
    let own = "[[role]]\nprovider = \"sandbox\"\narn = \"arn:aws:iam::333333333333:role/own\"\nprofile = \"mine\"\n";
    machine.write(
        ".config/rolecall/config.toml",
        &format!("{}\n{own}", sandbox.settings_toml().replace("role = []", "")),
    );

    let ran = machine.run(&["profile", "sync", "--yes"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let refused = "profile: in a catalogue it must not be default, or begin with -.";
    assert!(ran.stderr.contains(refused), "{ran:?}");
    assert!(
        ran.stderr.contains(
            "role/one (provider sandbox) gets no profile, because a role of the settings has its name"
        ),
        "{ran:?}"
    );
    let written = std::fs::read_to_string(machine.home().join(".aws/config")).unwrap();
    assert!(written.contains("[profile mine]") && written.contains("role/own"), "{written}");
    assert!(!written.contains("role/one") && !written.contains("[default]"), "{written}");
    // The name alone is the settings' role as well.
    let ran = machine.run(&["login", "mine", "--batch"]);
    assert!(ran.stderr.contains("role/own") && !ran.stderr.contains("matches several"), "{ran:?}");

    // So it is while that role cannot be used.
    machine.write(
        ".config/rolecall/config.toml",
        &format!(
            "{}\n{own}source_role = \"arn:aws:iam::333333333333:role/nowhere\"\n",
            sandbox.settings_toml().replace("role = []", "")
        ),
    );
    machine.run(&["profile", "sync", "--yes"]);
    let written = std::fs::read_to_string(machine.home().join(".aws/config")).unwrap();
    assert!(!written.contains("role/one"), "{written}");
}
