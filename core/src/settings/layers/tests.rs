//! Documents over one another.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;
use crate::settings::{Badge, DefaultAction, GroupBy, fixture};

mod chaining;

#[test]
fn a_stronger_layer_replaces_the_whole_entry() {
    let mut policy = fixture::settings();
    policy.role.clear();
    policy.provider[0].client_id = "policy".to_owned();
    let layers = Layers { policy: policy.into(), machine: fixture::settings().into(), ..Layers::default() };
    let effective = layers.effective();
    assert_eq!(effective.providers().count(), 1);
    assert_eq!(effective.provider(&"corp".parse().unwrap()).unwrap().client_id, "policy");
    assert_eq!(effective.roles().map(|role| role.layer).collect::<Vec<_>>(), [Layer::Machine]);
}

#[test]
fn a_role_of_an_unknown_provider_is_left_out_and_named() {
    let mut machine = fixture::settings();
    machine.provider.clear();
    let effective = Layers { machine: machine.into(), ..Layers::default() }.effective();
    assert_eq!(effective.roles().count(), 0);
    assert!(effective.problems[0].is(Code::ProviderUnknown));
    let sentence = "The role arn:aws:iam::123456789012:role/example-role names the provider \"corp\", which is not in the settings.";
    assert_eq!(effective.problems[0].message, sentence);
    assert_eq!(effective.why_not(&fixture::role().arn, None), Some(&effective.problems[0]));
}

#[test]
fn a_role_that_the_provider_lists_is_added_unless_the_settings_have_it() {
    let other: RoleArn = "arn:aws:iam::123456789012:role/other".parse().unwrap();
    let listed = Listed { roles: vec![fixture::role().arn, other.clone()], ..Listed::default() };
    let listed = Map::from_iter([("corp".parse().unwrap(), listed)]);
    let effective = Layers { machine: fixture::settings().into(), listed, ..Layers::default() }.effective();
    let roles: Vec<_> = effective.roles().map(|role| (role.value.arn.clone(), role.layer)).collect();
    assert_eq!(roles, [(fixture::role().arn, Layer::Machine), (other, Layer::Listed)]);
}

#[test]
fn one_arn_of_two_providers_is_two_roles_of_which_each_is_found_by_its_provider() {
    let mut machine = fixture::settings();
    let mut other = machine.provider[0].clone();
    other.id = "another".parse().unwrap();
    let twin = Role { provider: other.id.clone(), color: Some("red".into()), ..fixture::role() };
    machine.provider.push(other);
    machine.role.push(twin.clone());
    let effective = Layers { machine: machine.into(), ..Layers::default() }.effective();
    let found =
        |role: &Role| effective.role(&role.key()).map(|(role, provider)| (role.clone(), provider.id.clone()));
    assert_eq!(found(&fixture::role()), Some((fixture::role(), "corp".parse().unwrap())));
    assert_eq!(found(&twin), Some((twin.clone(), "another".parse().unwrap())));
    let providers = |arn: &str| {
        let arn = arn.parse().unwrap();
        effective.roles_by_arn(&arn).map(|role| role.provider.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(providers(fixture::role().arn.as_str()), ["another", "corp"]);
    assert_eq!(providers("arn:aws:iam::123456789012:role/nobody"), Vec::<String>::new());
}

fn with(policy: &Settings, machine: &Settings) -> Effective {
    Layers { policy: policy.clone().into(), machine: machine.clone().into(), ..Layers::default() }.effective()
}

/// The fixture's settings, with another id for its provider.
fn renamed() -> Settings {
    let mut settings = fixture::settings();
    settings.provider[0].id = "mine".parse().unwrap();
    settings.role[0].provider = "mine".parse().unwrap();
    settings
}

#[test]
fn another_id_for_the_policys_registration_has_its_endpoints_and_its_approval() {
    let mut policy = fixture::settings();
    policy.provider[0].approve = Approve::Always;
    policy.provider[0].sts_endpoint = Some("https://sts.corp.example".parse().unwrap());
    policy.role.clear();
    let mut machine = renamed();
    machine.provider[0].sts_endpoint = Some("https://sts.evil.example".parse().unwrap());
    let effective = with(&policy, &machine);
    let (role, provider) = effective.role(&machine.role[0].key()).unwrap();
    assert_eq!(role.approve(provider), Approve::Always);
    assert_eq!(provider.sts_endpoint, policy.provider[0].sts_endpoint);
    assert_eq!(provider.label(), "Example Corp");
    // A weaker layer may be stricter, and is for the policy's roles as well.
    policy.provider[0].approve = Approve::First;
    machine.provider[0].approve = Approve::Always;
    let effective = with(&policy, &machine);
    assert!(effective.providers().all(|provider| provider.value.approve == Approve::Always));
}

#[test]
fn another_provider_for_the_policys_role_asks_as_strictly_and_has_the_same_endpoints() {
    let mut policy = fixture::settings();
    policy.role[0].approve = Approve::Always;
    let mut machine = renamed();
    machine.provider[0].client_id = "another".to_owned();
    let effective = with(&policy, &machine);
    let (role, provider) = effective.role(&machine.role[0].key()).unwrap();
    assert_eq!(role.approve(provider), Approve::Always);

    machine.provider[0].sts_endpoint = Some("https://sts.evil.example".parse().unwrap());
    let effective = with(&policy, &machine);
    assert_eq!(effective.role(&machine.role[0].key()), None);
    assert!(effective.role(&policy.role[0].key()).is_some());
    let [problem] = &effective.problems[..] else { panic!("{:?}", effective.problems) };
    assert!(problem.message.ends_with("stronger settings have this role with other endpoints."), "{problem}");
    assert_eq!(effective.why_not(&machine.role[0].arn, Some(&machine.role[0].provider)), Some(problem));
}

#[test]
fn another_spelling_of_the_policys_role_is_the_same_role() {
    let mut policy = fixture::settings();
    policy.role[0].approve = Approve::Always;
    for arn in
        ["arn:aws:iam::123456789012:role/EXAMPLE-Role", "arn:aws:iam::123456789012:role/team/example-role"]
    {
        let mut machine = renamed();
        machine.provider[0].client_id = "another".to_owned();
        machine.role[0].arn = arn.parse().unwrap();
        let key = machine.role[0].key();
        let effective = with(&policy, &machine);
        let (role, provider) = effective.role(&key).unwrap();
        assert_eq!(role.approve(provider), Approve::Always, "{arn}");

        machine.provider[0].sts_endpoint = Some("https://sts.evil.example".parse().unwrap());
        assert_eq!(with(&policy, &machine).role(&key), None, "{arn}");
        let text = format!(r#"{{"role":[{{{ROLE},"approve":"sometimes"}}]}}"#);
        let layers = Layers { policy: self::policy(&text), machine: machine.into(), ..Layers::default() };
        assert_eq!(layers.effective().roles().count(), 0, "{arn}");
    }
}

#[test]
fn a_role_that_is_not_in_the_settings_may_be_there_as_another_entry() {
    let mut machine = fixture::settings();
    machine.provider.push(Provider {
        id: "mine".parse().unwrap(),
        client_id: "other".to_owned(),
        ..fixture::provider()
    });
    machine.role.push(Role { provider: "nobody".parse().unwrap(), ..arn_of("lost") });
    let effective = Layers { machine: machine.into(), ..Layers::default() }.effective();
    let found = |provider: &str, name: &str| {
        let key = RoleKey::new(provider.parse().unwrap(), arn_of(name).arn);
        effective
            .other_entry(&key)
            .map(|(arn, provider)| (arn.name().to_owned(), provider.unwrap().to_string()))
    };
    let example = Some(("example-role".to_owned(), "corp".to_owned()));
    assert_eq!(found("mine", "example-role"), example);
    assert_eq!(found("corp", "Example-Role"), example);
    assert_eq!(found("corp", "lost"), Some(("lost".to_owned(), "nobody".to_owned())));
    assert_eq!((found("corp", "example-role"), found("corp", "other")), (None, None));
}

fn arn_of(name: &str) -> Role {
    Role { arn: format!("arn:aws:iam::123456789012:role/{name}").parse().unwrap(), ..fixture::role() }
}

#[test]
fn an_invalid_provider_or_role_of_the_policy_is_not_replaced_under_another_id() {
    let provider = PROVIDER.replace("\"policy\"", "\"abcdef\"");
    let bad_provider = format!(r#"{{"provider":[{{{provider},"approve":"sometimes"}}]}}"#);
    let bad_role = format!(r#"{{"role":[{{{ROLE},"approve":"sometimes"}}]}}"#);
    for text in [bad_provider, bad_role] {
        let layers = Layers { policy: policy(&text), machine: renamed().into(), ..Layers::default() };
        assert_eq!(layers.effective().roles().count(), 0, "{text}");
    }
}

#[test]
fn with_only_policy_nothing_but_the_policy_counts() {
    let mut policy = fixture::settings();
    policy.role.clear();
    policy.only_policy = true;
    let effective = with(&policy, &fixture::settings());
    assert_eq!((effective.providers().count(), effective.roles().count()), (1, 0));
    assert!(effective.only_policy && effective.problems.is_empty());
    // What cannot be read may have been meant.
    let policy = Reading::from_json(r#"{"only_policy":"yes"}"#);
    let layers = Layers { policy, machine: fixture::settings().into(), ..Layers::default() };
    assert_eq!(layers.effective().roles().count(), 0);
    // A file on disk cannot say it.
    let machine = Reading::from_toml("only_policy = true").unwrap();
    assert!(!machine.settings.only_policy && machine.faults.len() == 1 && machine.losses().count() == 0);
}

#[test]
fn the_strongest_layer_that_says_what_the_popup_does_first_decides() {
    let says = |default_action| {
        let preferences = Preferences { default_action, ..Preferences::default() };
        Settings { preferences, ..Settings::default() }
    };
    let [none, console, credentials] =
        [None, Some(DefaultAction::Console), Some(DefaultAction::Credentials)].map(says);
    for (policy, machine, expected) in [
        (&none, &none, DefaultAction::Console),
        (&none, &credentials, DefaultAction::Credentials),
        (&console, &credentials, DefaultAction::Console),
        (&credentials, &console, DefaultAction::Credentials),
    ] {
        assert_eq!(with(policy, machine).preferences.default_action.unwrap_or_default(), expected);
    }
    // One file over another.
    let mut strong = Reading::from(none);
    strong.put_over(credentials.into());
    strong.put_over(console.into());
    assert_eq!(strong.settings.preferences.default_action, Some(DefaultAction::Credentials));
    // The other keys are read in the same way.
    let read = |text| Reading::from_toml(text).unwrap().settings;
    let policy = read("badge = \"expiry\"\ngroup_by = \"account\"");
    let machine = read("badge = \"sessions\"\nother_groups = \"dimmed\"\ngroup_by = \"environment\"");
    let expected = Preferences {
        default_action: None,
        badge: Some(Badge::Expiry),
        group_by: Some(GroupBy::Account),
        other_groups: Some(OtherGroups::Dimmed),
    };
    assert_eq!(with(&policy, &machine).preferences, expected);
    // A name that is not known loses nothing else.
    let bad = Reading::from_toml("default_action = \"fly\"").unwrap();
    assert_eq!((bad.settings.preferences.default_action, bad.losses().count()), (None, 0));
    let told = &bad.faults[0].problem.message;
    assert!(told.starts_with("line 1: the value of default_action cannot be used: "), "{told}");
}

#[test]
fn a_role_that_a_stronger_layer_wants_approved_is_not_written_to_a_file() {
    let mut policy = fixture::settings();
    policy.role.clear();
    policy.provider[0].approve = Approve::First;
    let mut machine = fixture::settings();
    machine.provider.clear();
    machine.role[0].credentials = CredentialsMode::File;
    let effective = with(&policy, &machine);
    assert_eq!(effective.role(&machine.role[0].key()).unwrap().0.credentials, CredentialsMode::Process);
    assert!(effective.problems[0].message.contains("credentials = \"file\""), "{}", effective.problems[0]);
}

const CATALOGUE: &str = r#"{
        "role": [
            {"arn": "arn:aws:iam::123456789012:role/example-role", "color": "red"},
            {"arn": "arn:aws:iam::210987654321:role/open", "description": "Look around"},
            {"arn": "arn:aws:iam::210987654321:role/closed", "groups": ["admins"], "credentials": "file"},
            {"arn": "nonsense"}
        ],
        "account": [
            {"id": "210987654321", "name": "Payments", "environment": "production", "color": "red"},
            {"id": "123456789012", "alias": "weaker"}
        ],
        "provider": [{"id": "evil"}]
    }"#;

/// The roles of the fixture on the machine and of a catalogue, with their layers.
fn with_catalogue(url: &str, groups: Option<&[&str]>) -> Effective {
    with_catalogue_below(fixture::settings(), url, groups)
}

fn with_catalogue_below(mut machine: Settings, url: &str, groups: Option<&[&str]>) -> Effective {
    let id: ProviderId = "corp".parse().unwrap();
    machine.provider[0].catalogue_url = Some("https://roles.example/corp.json".parse().unwrap());
    machine.account.push(Account::called("123456789012".parse().unwrap(), "stronger".to_owned()));
    let reading = Reading::from_catalogue(CATALOGUE, &id).unwrap();
    let catalogue = Catalogue { url: url.parse().unwrap(), reading };
    let groups = groups.map(|groups| groups.iter().map(|&group| group.to_owned()).collect());
    Layers {
        machine: machine.into(),
        catalogues: Map::from_iter([(id.clone(), catalogue)]),
        listed: Map::from_iter([(id, Listed { groups, ..Listed::default() })]),
        ..Layers::default()
    }
    .effective()
}

#[test]
fn accounts_of_one_name_are_told_apart_by_their_digits() {
    let account = |id: &str, alias: &str| Account::called(id.parse().unwrap(), alias.to_owned());
    let accounts =
        [account("111111111111", "shop"), account("222222222222", "shop"), account("333333333333", "bank")];
    let machine = Settings { account: accounts.to_vec(), ..Settings::default() };
    let effective = Layers { machine: machine.into(), ..Layers::default() }.effective();
    let labels = accounts.each_ref().map(|account| effective.account_label(&account.id));
    assert_eq!(labels, ["shop (111111111111)", "shop (222222222222)", "bank"]);
}

#[test]
fn a_catalogue_adds_roles_and_accounts_below_the_settings() {
    let effective = with_catalogue("https://roles.example/corp.json", None);
    let role = |role: &Sourced<Role>| (role.value.arn.name().to_owned(), role.layer);
    let roles: Vec<_> = effective.roles().map(role).collect();
    let expected =
        [("example-role", Layer::Machine), ("open", Layer::Catalogue), ("closed", Layer::Catalogue)];
    assert_eq!(roles, expected.map(|(name, layer)| (name.to_owned(), layer)));
    assert_eq!(effective.providers().count(), 1);
    let role = |name: &str| &effective.roles().find(|role| role.value.arn.name() == name).unwrap().value;
    assert_eq!(effective.account_label(role("open").arn.account()), "Payments");
    assert_eq!(effective.color(role("open")), Some("red"), "the account's");
    assert_eq!(effective.color(role("example-role")), None);
    assert_eq!(effective.environment(role("open")), Some("production"));
    assert_eq!(
        (effective.about(role("open")).as_str(), effective.about(role("closed")).as_str()),
        ("Look around", "")
    );
    assert_eq!(effective.account_label(role("example-role").arn.account()), "stronger");
    // A list from elsewhere has no keys written to disk.
    assert_eq!(role("closed").credentials, CredentialsMode::Process);
    let [problem] = &effective.problems[..] else { panic!("{:?}", effective.problems) };
    assert!(
        problem.message.starts_with("The role catalogue of Example Corp: [[role]] number 4"),
        "{problem}"
    );
}

#[test]
fn a_role_for_groups_is_listed_for_those_who_are_in_one_and_for_those_of_whom_nothing_is_known() {
    let has_closed = |groups| {
        let effective = with_catalogue("https://roles.example/corp.json", groups);
        effective.roles().any(|role| role.value.arn.name() == "closed")
    };
    assert!(has_closed(None));
    assert!(has_closed(Some(&["users", "admins"])));
    assert!(!has_closed(Some(&["users"])));
    assert!(!has_closed(Some(&[])));
}

#[test]
fn a_role_for_other_groups_is_listed_and_marked_if_the_settings_want_that() {
    let mut machine = fixture::settings();
    machine.preferences.other_groups = Some(OtherGroups::Dimmed);
    let marked = |machine: &Settings, groups| {
        let effective = with_catalogue_below(machine.clone(), "https://roles.example/corp.json", groups);
        let name = |role: &Sourced<Role>| (role.value.arn.name().to_owned(), effective.is_for_others(role));
        effective.roles().map(name).collect::<Vec<_>>()
    };
    let named = |marks: [bool; 3]| {
        ["example-role", "open", "closed"].map(str::to_owned).into_iter().zip(marks).collect::<Vec<_>>()
    };
    assert_eq!(marked(&machine, Some(&["users"])), named([false, false, true]));
    assert_eq!(marked(&machine, Some(&["admins"])), named([false, false, false]));
    assert_eq!(marked(&machine, None), named([false, false, false]));
    // A role of the settings is for whomever the settings are.
    let own = "arn:aws:iam::210987654321:role/closed".parse().unwrap();
    machine.role.push(Role { arn: own, ..fixture::role() });
    let roles = marked(&machine, Some(&["users"]));
    assert!(roles.contains(&("closed".to_owned(), false)), "{roles:?}");
}

#[test]
fn a_catalogue_from_another_address_than_the_settings_name_does_not_count() {
    let effective = with_catalogue("https://old.example/corp.json", None);
    assert_eq!((effective.roles().count(), effective.problems.len()), (1, 0));
}

#[test]
fn a_profile_is_named_after_alias_and_role() {
    let mut machine = fixture::settings();
    let role = fixture::role();
    let name = |machine: &Settings| {
        let layers = Layers { machine: machine.clone().into(), ..Layers::default() };
        layers.effective().profile_name(&role).to_string()
    };
    assert_eq!(name(&machine), "123456789012-example-role");
    machine.account.push(Account::called("123456789012".parse().unwrap(), "Dev Team".to_owned()));
    assert_eq!(name(&machine), "Dev-Team-example-role");
    machine.account[0].environment = Some("Test".to_owned());
    machine.provider[0].profile_name = Some(
        "{provider}/{environment}.{account}-{alias}-{partition}-{region}-{role}x"
            .to_owned()
            .try_into()
            .unwrap(),
    );
    assert_eq!(name(&machine), "corp/Test.123456789012-Dev-Team-aws-eu-west-1-example-rolex");
}

const PROVIDER: &str = r#""id":"corp","well_known_url":"https://idp.example/.well-known/openid-configuration","client_id":"policy""#;
const ROLE: &str = r#""provider":"corp","arn":"arn:aws:iam::123456789012:role/example-role""#;

fn policy(text: &str) -> Reading {
    Reading::from_json(text)
}

/// What is left of the fixture on the machine, and of a role that the provider lists, below a policy.
fn below(policy: Reading) -> (Vec<String>, Vec<String>, Effective) {
    let listed: RoleArn = "arn:aws:iam::123456789012:role/listed".parse().unwrap();
    let listed = Listed { roles: vec![fixture::role().arn, listed], ..Listed::default() };
    let listed = Map::from_iter([("corp".parse().unwrap(), listed)]);
    let mut machine = fixture::settings();
    let mut other = machine.provider[0].clone();
    other.id = "other".parse().unwrap();
    machine.provider.push(other);
    let effective = Layers { policy, machine: machine.into(), listed, ..Layers::default() }.effective();
    let providers = effective.providers().map(|p| format!("{} {}", p.value.id, p.value.client_id)).collect();
    let roles = effective.roles().map(|role| role.value.arn.name().to_owned()).collect();
    (providers, roles, effective)
}

#[test]
fn nothing_weaker_takes_the_place_of_an_entry_that_a_policy_lost() {
    let all = ["corp abcdef", "other abcdef"].map(str::to_owned).to_vec();
    let both = ["example-role", "listed"].map(str::to_owned).to_vec();
    let (providers, roles, _) = below(policy("{}"));
    assert_eq!((&providers, &roles), (&all, &both));
    // The same provider with a check that cannot be read is no provider, and its roles go with it.
    let bad = format!(r#"{{"provider":[{{{PROVIDER},"approve":"allways"}}]}}"#);
    let (providers, roles, effective) = below(policy(&bad));
    assert_eq!((providers, roles.len()), (vec!["other abcdef".to_owned()], 0));
    let problem = effective.why_not(&fixture::role().arn, None).unwrap();
    assert!(problem.is(Code::SettingsInvalid), "{problem:?}");
    assert!(problem.message.contains("left out with the provider \"corp\". the provider \"corp\" cannot be used: approve: it must be one of never, first, always."), "{problem}");
    // Neither the machine's role nor the one that the provider lists stands in for the policy's.
    let bad = format!(r#"{{"role":[{{{ROLE},"approve":"allways"}}]}}"#);
    let (providers, roles, effective) = below(policy(&bad));
    assert_eq!((providers, roles), (all.clone(), vec!["listed".to_owned()]));
    assert!(
        effective
            .why_not(&fixture::role().arn, None)
            .unwrap()
            .message
            .contains("it must be one of never, first, always")
    );
    // Of a role whose provider cannot be read, any provider may be meant.
    let bad = r#"{"role":[{"provider":7,"arn":"arn:aws:iam::123456789012:role/example-role"}]}"#;
    assert_eq!(below(policy(bad)).1, ["listed"]);
    // What people only look at closes nothing.
    let bad =
        format!(r#"{{"role":[{{{ROLE},"color":"url(x)"}}],"account":[{{"id":"123456789012","color":7}}]}}"#);
    let (providers, roles, effective) = below(policy(&bad));
    assert_eq!((providers, roles, effective.problems.len()), (all, both, 2));
}

#[test]
fn an_unreadable_part_of_a_policy_turns_off_all_weaker_layers() {
    for bad in [
        "7".to_owned(),
        r#"{"provider":{}}"#.to_owned(),
        r#"{"provider":[{"id":"a b"}]}"#.to_owned(),
        r#"{"role":["x"]}"#.to_owned(),
        r#"{"role":[{"provider":"corp","arn":"arn:aws:iam::1:role/x"}]}"#.to_owned(),
        r#"{"account":[{"alias":"prod"}]}"#.to_owned(),
    ] {
        let (providers, roles, effective) = below(policy(&bad));
        assert_eq!((providers.len(), roles.len()), (0, 0), "{bad}");
        assert_eq!(effective.problems.last().unwrap().message, CLOSED, "{bad}");
    }
    let good = format!(r#"{{"provider":[{{{PROVIDER}}},7],"role":[{{{ROLE}}}]}}"#);
    let (providers, roles, _) = below(policy(&good));
    assert_eq!((providers, roles), (vec!["corp policy".to_owned()], vec!["example-role".to_owned()]));
}

#[test]
fn a_duplicate_provider_is_not_lost() {
    let twice = policy(&format!(r#"{{"provider":[{{{PROVIDER}}},{{{PROVIDER}}}]}}"#));
    let effective = Layers { machine: twice, ..Layers::default() }.effective();
    assert_eq!((effective.providers().count(), effective.problems.len()), (1, 1));
    assert_eq!(effective.lost_provider(), None);
    let one = policy(&format!(r#"{{"provider":[{{{PROVIDER}}},{{"id":"other"}}]}}"#));
    let effective = Layers { machine: one, ..Layers::default() }.effective();
    assert_eq!(effective.lost_provider(), effective.problems.first());
}

#[test]
fn an_unreadable_part_of_a_file_only_turns_off_what_it_names() {
    let over_the_fixture = |text: &str| {
        let mut machine = policy(text);
        machine.put_over(fixture::settings().into());
        Layers { machine, ..Layers::default() }.effective()
    };
    let effective = over_the_fixture(r#"{"provider":[{"id":"a b"}],"role":[{"provider":"corp","arn":"x"}]}"#);
    assert_eq!((effective.roles().count(), effective.problems.len()), (1, 2));
    let effective = over_the_fixture(r#"{"provider":[{"id":"corp"}]}"#);
    assert_eq!((effective.roles().count(), effective.providers().count()), (0, 0));
}

#[test]
fn roles_that_wait_for_a_provider_are_told_only_if_no_layer_has_it() {
    let machine = policy(&format!(r#"{{"role":[{{{ROLE}}}]}}"#)).at("file");
    let with = |policy: Reading| Layers { policy, machine: machine.clone(), ..Layers::default() }.effective();
    let effective = with(policy(&format!(r#"{{"provider":[{{{PROVIDER}}}]}}"#)));
    assert_eq!((effective.roles().count(), effective.problems.len()), (1, 0));
    let effective = with(Reading::default());
    let problem = &effective.problems[0];
    assert!(
        problem.is(Code::ProviderUnknown) && problem.message.starts_with("file: the role arn:"),
        "{problem}"
    );
    assert_eq!(effective.problems.len(), 1);
    // A policy that has lost it is the cause.
    let effective = with(policy(&format!(r#"{{"provider":[{{{PROVIDER},"scope":"email"}}]}}"#)).at("policy"));
    let [lost, role] = &effective.problems[..] else { panic!("{:?}", effective.problems) };
    assert_eq!(lost.message, "policy: the provider \"corp\" cannot be used: scope: it must contain openid.");
    assert!(role.is(Code::SettingsInvalid) && role.message.ends_with(&lost.message), "{role}");
}

#[test]
fn a_machine_whose_file_cannot_be_read_at_all_keeps_what_it_said_before() {
    let lost = || Reading::lost(SettingsError::NotToml { line: 3, reason: "x".to_owned() }).at("file");
    let mut layers = Layers::default();
    layers.replace_machine(lost());
    assert_eq!(layers.effective().problems[0].message, "file: line 3: this is not TOML: x.");
    let half =
        Reading { faults: policy(r#"{"provider":[{"id":"gone"}]}"#).faults, ..fixture::settings().into() };
    layers.replace_machine(half);
    for _ in 0..2 {
        layers.replace_machine(lost());
        let effective = layers.effective();
        assert_eq!(effective.roles().count(), 1);
        let [file, entry] = &effective.problems[..] else { panic!("{:?}", effective.problems) };
        assert_eq!(file.message, format!("file: line 3: this is not TOML: x. {STAY}"));
        assert!(entry.message.contains("\"gone\""), "{entry}");
    }
    layers.replace_machine(Reading::default());
    assert_eq!((layers.effective().roles().count(), layers.effective().problems.len()), (0, 0));
}
