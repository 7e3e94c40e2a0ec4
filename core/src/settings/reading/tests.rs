//! Documents with something wrong in them.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;
use crate::Code;
use crate::settings::fixture;

const PROVIDER: &str = r#"
[[provider]]
id = "corp"
well_known_url = "https://idp.example/.well-known/openid-configuration"
client_id = "abc"
"#;
const ROLE: &str = r#"
[[role]]
provider = "corp"
arn = "arn:aws:iam::123456789012:role/dev"
"#;
const ACCOUNT: &str = "\n[[account]]\nid = \"123456789012\"\nalias = \"example\"\n";

/// A document's good entries by name, and what is told of the others.
fn read(text: &str) -> (Vec<String>, Vec<String>) {
    let Reading { settings, faults, .. } = Reading::from_toml(text).unwrap();
    let providers = settings.provider.iter().map(|provider| provider.id.to_string());
    let roles = settings.role.iter().map(|role| role.arn.name().to_owned());
    let accounts = settings.account.iter().map(|account| account.label().to_owned());
    let good = providers.chain(roles).chain(accounts).collect();
    (good, faults.into_iter().map(|fault| fault.problem.message.clone()).collect())
}

/// Puts an entry behind good ones: `head` and keys. Lines are counted from the entry's first, which is 0.
fn is_told(head: &str, cases: &[(&str, usize, &str)]) {
    let good = format!("{PROVIDER}{ROLE}{ACCOUNT}");
    let first = good.lines().count() + 1;
    for (keys, line, told) in cases {
        let bad = format!("{head}{keys}\n");
        let (entries, problems) = read(&format!("{good}{bad}"));
        assert_eq!(entries, ["corp", "dev", "example"], "{bad}");
        let [problem] = &problems[..] else { panic!("{bad}: {problems:#?}") };
        let place = format!("line {}: ", first + line);
        assert!(problem.starts_with(&place) && problem.contains(told), "{problem}\nlacks {place}{told}");
    }
}

#[test]
fn the_documented_catalogue_has_every_key_that_the_schema_and_this_version_know() {
    let documentation = include_str!("../../../../docs/catalogue.md");
    let text = documentation.split("```json\n").nth(1).unwrap().split("```").next().unwrap();
    let catalogue = Reading::from_catalogue(text, &"corp".parse().unwrap()).unwrap();
    assert_eq!((&catalogue.faults[..], &catalogue.unknown[..]), (&[][..], &[][..]));
    let keys = |entry: &serde_json::Value| {
        let keys: std::collections::BTreeSet<_> = entry.as_object().unwrap().keys().cloned().collect();
        keys.into_iter().filter(|key| key != "provider").collect::<Vec<_>>()
    };
    let mut role = catalogue.settings.role[0].clone();
    role.profile = Some("p".parse().unwrap());
    role.color = Some("red".to_owned());
    role.credentials = CredentialsMode::None;
    role.approve = Approve::First;
    role.source_role = Some(role.arn.clone());
    role.external_id = Some("corp".to_owned());
    role.session_tags = std::iter::once(("team".to_owned(), "data".to_owned())).collect();
    role.transitive_tags = vec!["team".to_owned()];
    role.source_identity = true;
    role.session_policy = Some("{}".to_owned());
    role.console_session_duration = Some(Duration::DEFAULT);
    let known = [
        ("role", keys(&serde_json::to_value(&role).unwrap())),
        ("account", keys(&serde_json::to_value(&catalogue.settings.account[0]).unwrap())),
    ];
    let schema: serde_json::Value =
        serde_json::from_str(include_str!("../../../../docs/catalogue.schema.json")).unwrap();
    for (table, known) in known {
        assert_eq!(keys(&schema["$defs"][table]["properties"]), known, "{table}");
    }
}

#[test]
fn a_catalogue_names_neither_the_default_profile_nor_one_that_looks_like_an_option() {
    let text = r#"{"role":[{"arn":"arn:aws:iam::123456789012:role/a","profile":"default"},
        {"arn":"arn:aws:iam::123456789012:role/c","profile":"--keys"},
        {"arn":"arn:aws:iam::123456789012:role/b","profile":"default-b"}]}"#;
    let read = Reading::from_catalogue(text, &"corp".parse().unwrap()).unwrap();
    let names: Vec<_> = read.settings.role.iter().map(|role| role.arn.name()).collect();
    assert_eq!(names, ["b"]);
    for Fault { problem, .. } in &read.faults {
        assert!(
            problem.message.ends_with("in a catalogue it must not be default, or begin with -."),
            "{problem}"
        );
    }
    assert_eq!(read.faults.len(), 2);
}

#[test]
fn good_entries_alone_have_nothing_wrong() {
    let (good, problems) = read(&format!("{PROVIDER}{ROLE}{ACCOUNT}"));
    assert_eq!((good.len(), problems.len()), (3, 0), "{problems:?}");
}

#[test]
fn a_bad_provider_loses_nothing_else_and_is_named_with_its_line() {
    is_told(
        "[[provider]]\n",
        &[
            ("id = \"a b\"", 1, "[[provider]] number 2 cannot be used: id: \"a b\" must be 1 to 64 letters"),
            ("id = 7", 1, "[[provider]] number 2 cannot be used: id: it must be a string."),
            (
                "id = \"x\"\nclient_id = \"x\"",
                0,
                "provider \"x\" cannot be used: missing field `well_known_url`",
            ),
            (
                "id = \"x\"\nclient_id = \"x\"\nwell_known_url = \"http://a.example/\"",
                3,
                "well_known_url: the address",
            ),
        ],
    );
    is_told(
        "[[provider]]\nid = \"x\"\nwell_known_url = \"https://idp.example/\"\n",
        &[
            ("client_id = \"\"", 3, "the provider \"x\" cannot be used: client_id: it is empty."),
            ("client_id = \"x\"\nscope = \"email\"", 4, "scope: it must contain openid."),
            (
                "client_id = \"x\"\nauthorize_params.state = \"x\"",
                4,
                "authorize_params: they must not set state.",
            ),
            ("client_id = \"x\"\nclient_secret = \"\"", 4, "client_secret: it is empty."),
            ("client_id = \"x\"\nclient_secret = 7", 4, "client_secret: it must be a string."),
            (
                "client_id = \"x\"\nprompt = \"none\"",
                4,
                "prompt: it must be one of login, consent, select_account.",
            ),
            ("client_id = \"x\"\nsilent = \"no\"", 4, "silent: it must be true or false."),
            (
                "client_id = \"x\"\nend_session_params.id_token_hint = \"x\"",
                4,
                "end_session_params: they must not set id_token_hint.",
            ),
            (
                "client_id = \"x\"\ntoken_exchange = \"x\"",
                4,
                "token_exchange: it must be one of auto, extension, native.",
            ),
        ],
    );
    for reserved in ["prompt", "login_hint", "id_token_hint", "request_uri"] {
        let keys = format!("client_id = \"x\"\nauthorize_params.{reserved} = \"x\"");
        let told = format!("authorize_params: they must not set {reserved}.");
        is_told(
            "[[provider]]\nid = \"x\"\nwell_known_url = \"https://idp.example/\"\n",
            &[(&keys, 4, &told)],
        );
    }
    let twice = "it is a duplicate, and only the first one counts ([[provider]] number 1).";
    is_told(PROVIDER.trim_start(), &[("", 0, twice)]);
}

#[test]
fn a_bad_role_or_account_loses_nothing_else_and_is_named_with_its_line() {
    is_told(
        "[[role]]\nprovider = \"corp\"\n",
        &[("arn = \"x\"", 2, "[[role]] number 2 cannot be used: arn: \"x\" is not the ARN of an IAM role")],
    );
    is_told(
        "[[role]]\nprovider = \"corp\"\narn = \"arn:aws:iam::123456789012:role/x\"\n",
        &[
            ("duration = 9000000", 3, "role/x cannot be used: duration must be 900 to 43200 seconds"),
            (
                "approve = \"sometimes\"",
                3,
                "role/x cannot be used: approve: it must be one of never, first, always.",
            ),
            ("approve = \"first\"\ncredentials = \"file\"", 4, "credentials: every program can read"),
            ("profile = \"a b\"", 3, "role/x cannot be used: profile: \"a b\" must be"),
            ("region = 7", 3, "role/x cannot be used: region: "),
        ],
    );
    is_told(ROLE.trim_start(), &[("", 0, "role/dev cannot be used: it is a duplicate")]);
    is_told(
        "[[account]]\n",
        &[
            ("id = \"12\"\nalias = \"x\"", 1, "[[account]] number 2 cannot be used: id: "),
            (
                "id = \"210987654321\"\nalias = 7",
                2,
                "the account 210987654321 cannot be used: alias: it must be a string",
            ),
        ],
    );
}

#[test]
fn the_line_is_right_wherever_the_entry_stands() {
    let inline = "role = [\n  { provider = \"p\", arn = \"x\" },\n  7,\n]\nprovider = 7\n";
    assert_eq!(
        read(inline).1,
        [
            "line 5: the value of provider cannot be used: it must be a list of tables.",
            "line 2: [[role]] number 1 cannot be used: arn: \"x\" is not the ARN of an IAM role: it must have 20 to 2048 characters.",
            "line 3: [[role]] number 2 cannot be used: it must be a table.",
        ]
    );
    let windows = "# ä\r\n\r\n[[role]]\r\nprovider = \"p\"\r\narn = \"x\"\r\n";
    assert!(read(windows).1[0].starts_with("line 5: "));
}

#[test]
fn everything_that_is_wrong_is_told_not_only_the_first() {
    let text = "[[provider]]\nid = \"corp\"\nclient_id = \"\"\nscope = 7\nname = 7\napprove = \"x\"\n[[role]]\nprovider = \"corp\"\narn = \"x\"\n";
    let mut lines: Vec<_> =
        read(text).1.iter().map(|told| told.split(':').next().unwrap().to_owned()).collect();
    lines.sort();
    // What is missing is told as well.
    assert_eq!(lines, ["line 1", "line 3", "line 4", "line 5", "line 6", "line 9"]);
}

#[test]
fn what_people_only_look_at_is_left_out_by_itself() {
    let text = format!("{PROVIDER}name = 7\n{ROLE}color = \"red;background:url(x)\"\n");
    let reading = Reading::from_toml(&text).unwrap();
    assert_eq!(reading.settings.provider[0].label(), "idp.example");
    assert_eq!(reading.settings.role[0].color, None);
    assert_eq!(reading.losses().count(), 0);
    let told: Vec<_> = reading.faults.iter().map(|fault| fault.problem.message.as_str()).collect();
    assert_eq!(
        told,
        [
            "line 6: name of the provider \"corp\" cannot be used: it must be a string.",
            "line 11: color of the role arn:aws:iam::123456789012:role/dev cannot be used: it must be a colour's name or #rrggbb.",
        ]
    );
}

#[test]
fn the_second_of_two_is_left_out_even_if_the_first_is_bad() {
    let (good, problems) = read(&format!("{PROVIDER}scope = \"email\"\n{PROVIDER}"));
    assert_eq!(good, Vec::<String>::new());
    assert!(
        problems[0].contains("it must contain openid") && problems[1].contains("it is a duplicate"),
        "{problems:#?}"
    );
}

#[test]
fn roles_of_a_provider_that_was_left_out_are_told_so_at_once() {
    let more = ["a", "b", "c"].map(|name| ROLE.replace("role/dev", &format!("role/{name}"))).concat();
    let reading = Reading::from_toml(&format!("{PROVIDER}scope = \"email\"\n{ROLE}{more}")).unwrap();
    let [_, roles] = &reading.faults[..] else { panic!("{:#?}", reading.faults) };
    assert!(roles.problem.is(Code::SettingsInvalid));
    assert_eq!(
        roles.problem.message,
        "line 8: 4 roles (arn:aws:iam::123456789012:role/dev, arn:aws:iam::123456789012:role/a, \
         arn:aws:iam::123456789012:role/b, …) are left out with the provider \"corp\"."
    );
    let reading = Reading::from_toml(ROLE).unwrap();
    assert!(reading.faults[0].problem.is(Code::ProviderUnknown));
    assert_eq!(
        reading.faults[0].problem.message,
        "line 2: the role arn:aws:iam::123456789012:role/dev names the provider \"corp\", which is not in the settings."
    );
}

#[test]
fn what_is_no_toml_is_no_document() {
    let error = Reading::from_toml("[[provider]]\nid = \"corp\"\n[[role]\n").unwrap_err();
    assert!(matches!(error, SettingsError::NotToml { line: 3, .. }), "{error:?}");
    assert!(error.to_string().starts_with("line 3: this is not TOML: "), "{error}");
}

#[test]
fn a_reason_does_not_repeat_a_whole_document() {
    let text = format!("[[role]]\nprovider = \"corp\"\narn = \"\\u001b[31m{}\"\n", "x".repeat(10_000));
    let told = &read(&text).1[0];
    assert!(told.len() < 400 && !told.contains('\u{1b}'), "{told}");
}

#[test]
fn a_document_with_very_many_faults_is_told_to_have_more() {
    let bad = "[[role]]\narn = 7\n".repeat(FAULTS_MAX + 1);
    let reading = Reading::from_toml(&format!("{PROVIDER}{bad}")).unwrap();
    assert_eq!((reading.settings.provider.len(), reading.faults.len()), (1, FAULTS_MAX + 1));
    let last = reading.faults.last().unwrap();
    // Each of them is wrong and lacks its provider.
    let count = 2 * (FAULTS_MAX + 1) - FAULTS_MAX;
    assert_eq!(last.problem.message, format!("{count} more problems were found."));
    assert_eq!(last.lost, Some(Lost::Document));
}

#[test]
fn keys_of_a_newer_version_are_named_and_ignored() {
    let reading = Reading::from_toml(&format!("later = 1\n{PROVIDER}sparkle = true\n")).unwrap();
    assert_eq!(reading.settings.provider.len(), 1);
    assert_eq!(reading.unknown, ["later", "provider.0.sparkle"]);
    assert_eq!(reading.faults, []);
}

#[test]
fn json_and_toml_are_the_same_document() {
    let settings = fixture::settings();
    let json = serde_json::to_value(&settings).unwrap();
    assert_eq!(Reading::from_json(&json.to_string()), settings.clone().into());
    let toml = toml::to_string(&settings).unwrap();
    assert_eq!(Reading::from_toml(&toml).unwrap(), settings.into());
}

#[test]
fn a_bad_entry_of_a_stronger_document_keeps_the_weaker_one_out() {
    let mut strong = Reading::from_toml(&format!("{PROVIDER}scope = \"email\"\n")).unwrap();
    let other = PROVIDER.replace("\"corp\"", "\"other\"");
    strong.put_over(Reading::from_toml(&format!("{PROVIDER}{other}{ROLE}{ACCOUNT}")).unwrap());
    let ids: Vec<_> = strong.settings.provider.iter().map(|provider| provider.id.as_str()).collect();
    assert_eq!(ids, ["other"]);
    assert_eq!((strong.settings.role.len(), strong.settings.account.len()), (1, 1));
}

#[test]
fn a_document_that_must_be_good_is_refused_for_its_first_bad_entry() {
    let error = Settings::from_toml(&format!("{PROVIDER}scope = \"email\"\n{ROLE}")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "line 6: the provider \"corp\" cannot be used: scope: it must contain openid."
    );
    assert_eq!(Settings::from_toml(ROLE).unwrap().0.role.len(), 1, "another document may have the provider");
}

#[test]
fn a_key_of_role_chaining_that_could_mean_more_without_the_others_leaves_its_role_out() {
    let source = "source_role = \"arn:aws:iam::123456789012:role/hub\"\n";
    let entry = |keys: &str| {
        format!("[[role]]\nprovider = \"corp\"\narn = \"arn:aws:iam::123456789012:role/x\"\n{keys}")
    };
    for key in [
        "external_id = \"corp\"\n",
        "session_tags = { team = \"data\" }\n",
        "transitive_tags = [\"team\"]\n",
        "source_identity = true\n",
        "session_policy = \"{}\"\n",
    ] {
        let with_source = Reading::from_toml(&entry(&format!("{source}{key}"))).unwrap();
        assert_eq!(with_source.settings.role.len(), 1, "{key}");
        let alone = Reading::from_toml(&entry(key)).unwrap();
        let problem = &alone.faults[0].problem.message;
        assert!(problem.contains("it has a meaning only together with source_role"), "{problem}");
        assert_eq!(alone.settings.role, [], "{key}");
    }
    let elsewhere = entry("source_role = \"arn:aws-cn:iam::123456789012:role/hub\"\n");
    let problem = &Reading::from_toml(&elsewhere).unwrap().faults[0].problem.message;
    assert!(problem.contains("source_role: it must be in the role's partition"), "{problem}");
}
