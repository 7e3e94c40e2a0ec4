//! Roles that are assumed through other roles.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;

fn arn(name: &str) -> RoleArn {
    format!("arn:aws:iam::123456789012:role/{name}").parse().unwrap()
}

fn role(name: &str, source: Option<&str>) -> Role {
    Role { arn: arn(name), source_role: source.map(arn), ..fixture::role() }
}

fn settings(roles: Vec<Role>) -> Effective {
    let machine = Settings { role: roles, ..fixture::settings() };
    Layers { machine: machine.into(), ..Layers::default() }.effective()
}

fn names(effective: &Effective) -> Vec<&str> {
    effective.roles().map(|role| role.value.arn.name()).collect()
}

#[test]
fn the_sources_of_a_role_are_known_by_the_settings_the_nearest_first() {
    let effective =
        settings(vec![role("far", None), role("near", Some("far")), role("target", Some("near"))]);
    let sources = effective.sources(&role("target", Some("near"))).unwrap();
    assert_eq!(sources.iter().map(|role| role.arn.name()).collect::<Vec<_>>(), ["near", "far"]);
    assert_eq!(effective.sources(&role("far", None)).unwrap(), []);
    assert_eq!(effective.problems, []);
}

#[test]
fn roles_whose_chain_leads_nowhere_are_left_out_and_told() {
    let effective = settings(vec![
        role("itself", Some("itself")),
        role("one", Some("other")),
        role("other", Some("one")),
        role("into-it", Some("one")),
        role("lost", Some("nowhere")),
        role("good", None),
    ]);
    assert_eq!(names(&effective), ["good"]);
    assert!(effective.role(&role("good", None).key()).is_some());
    for (name, part) in [
        ("itself", "leads back to itself"),
        ("one", "leads back to itself"),
        ("into-it", "leads back to itself"),
        ("lost", "role/nowhere is not a role of the same provider in the settings"),
    ] {
        let problem = effective.why_not(&arn(name), None).unwrap();
        assert!(problem.message.contains(part), "{problem}");
        assert!(effective.problems.contains(problem));
    }
}

#[test]
fn the_strictest_approval_of_a_chain_holds_for_all_that_is_assumed_through_it() {
    let effective = settings(vec![
        Role { approve: Approve::Always, ..role("far", None) },
        Role { approve: Approve::First, ..role("near", Some("far")) },
        Role { credentials: CredentialsMode::File, ..role("target", Some("near")) },
        role("plain", None),
    ]);
    let of = |name: &str| effective.role(&role(name, None).key()).unwrap().0.clone();
    let approvals = ["far", "near", "target", "plain"].map(|name| of(name).approve);
    assert_eq!(approvals, [Approve::Always, Approve::Always, Approve::Always, Approve::Never]);
    assert_eq!(of("target").credentials, CredentialsMode::Process, "every program can read a file");
}

#[test]
fn other_entries_of_a_chained_role_ask_as_strictly_and_so_do_roles_behind_them() {
    let other: ProviderId = "another".parse().unwrap();
    let of_other = |role: Role| Role { provider: other.clone(), ..role };
    let mut machine = fixture::settings();
    machine.provider.push(Provider {
        id: other.clone(),
        client_id: "another".to_owned(),
        ..fixture::provider()
    });
    machine.role = vec![
        Role { approve: Approve::Always, ..role("hub", None) },
        role("target", Some("hub")),
        // The same role by another name, not through the hub, and a role behind that.
        of_other(role("Target", None)),
        of_other(role("behind", Some("Target"))),
        of_other(role("team/behind", None)),
        of_other(role("plain", None)),
    ];
    let effective = Layers { machine: machine.clone().into(), ..Layers::default() }.effective();
    assert_eq!(effective.problems, []);
    let approvals: Vec<_> = effective.roles().map(|role| role.value.approve).collect();
    assert_eq!(approvals[..5], [Approve::Always; 5]);
    assert_eq!(approvals[5], Approve::Never);
}

#[test]
fn durations_that_aws_does_not_give_to_chained_roles_have_no_effect_and_are_told() {
    let hours = |hours: u32| Some((hours * 3_600).try_into().unwrap());
    let effective = settings(vec![
        role("hub", None),
        Role { duration: hours(2), console_session_duration: hours(1), ..role("long", Some("hub")) },
        Role { duration: hours(1), ..role("short", Some("hub")) },
    ]);
    let of = |name: &str| effective.role(&role(name, None).key()).unwrap().0.clone();
    assert_eq!((of("long").duration, of("long").console_session_duration), (None, None));
    assert_eq!(of("short").duration, hours(1));
    let [duration, console] = &effective.problems[..] else { panic!("{:?}", effective.problems) };
    assert_eq!(
        duration.message,
        "AWS ends sessions of the role arn:aws:iam::123456789012:role/long, also in the console, after an hour at most, \
         because it has a source_role, so duration has no effect."
    );
    assert!(console.message.contains("console_session_duration has no effect"), "{console}");
}

#[test]
fn a_catalogues_role_whose_source_is_for_others_is_left_out_without_a_word() {
    let url: Endpoint = "https://catalogue.example/roles".parse().unwrap();
    let provider = Provider { catalogue_url: Some(url.clone()), ..fixture::provider() };
    let hub = Role { groups: vec!["admins".to_owned()], ..role("hub", None) };
    let catalogue = Settings { role: vec![hub, role("target", Some("hub"))], ..Settings::default() };
    let layers = |groups: &[&str]| {
        let groups = Some(groups.iter().map(|group| (*group).to_owned()).collect());
        let machine = Settings { provider: vec![provider.clone()], ..Settings::default() };
        let catalogue = Catalogue { url: url.clone(), reading: catalogue.clone().into() };
        Layers {
            machine: machine.into(),
            catalogues: Map::from_iter([(provider.id.clone(), catalogue)]),
            listed: Map::from_iter([(provider.id.clone(), Listed { groups, ..Listed::default() })]),
            ..Layers::default()
        }
        .effective()
    };
    assert_eq!(names(&layers(&["admins"])), ["hub", "target"]);
    let others = layers(&["developers"]);
    assert_eq!(names(&others), [""; 0]);
    assert_eq!(others.problems, []);
}
