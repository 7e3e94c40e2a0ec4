use std::time::Duration;

use rolecall_core::Code;
use rolecall_core::message::ui::Intent;
use serde_json::{Value, json};

use crate::background::Background;
use crate::browser::FetchError;
use crate::scripted::{World, role, settings};

use super::*;

/// A browser whose policy has `corp` with further keys, and no roles.
fn world(keys: &Value) -> World {
    let world = World::new();
    let mut policy = settings();
    for (key, value) in keys.as_object().unwrap() {
        policy["provider"][0][key] = value.clone();
    }
    policy["role"] = json!([]);
    world.browser.policy.replace(Some(Ok(Some(policy.to_string()))));
    world
}

fn with_catalogue() -> World {
    let world = world(&json!({ "catalogue_url": "https://roles.example/corp.json" }));
    world.browser.serve_catalogue(Ok((200, catalogue(&["a", "b"]))));
    world
}

fn catalogue(names: &[&str]) -> String {
    let roles = names.iter().map(|name| json!({ "arn": format!("arn:aws:iam::123456789012:role/{name}") }));
    json!({ "role": roles.collect::<Vec<_>>(), "account": [{ "id": "123456789012", "name": "Payments" }] })
        .to_string()
}

fn roles(background: &Rc<Background>) -> Vec<String> {
    let effective = background.settings().current();
    effective
        .roles()
        .map(|role| {
            let arn = &role.value.arn;
            format!("{} / {}", effective.account_label(arn.account()), arn.name())
        })
        .collect()
}

const BOTH: [&str; 2] = ["Payments / a", "Payments / b"];

#[test]
fn the_roles_of_a_catalogue_are_there_without_a_sign_in_and_for_the_next_background() {
    let world = with_catalogue();
    let background = world.start();
    world.run();
    assert_eq!(roles(&background), BOTH);
    assert!(world.popup(&background).state().settings_problems.is_empty());

    // It is asked again only when it may have changed.
    world.advance(Duration::from_mins(59));
    let background = world.start();
    world.popup(&background);
    assert_eq!((roles(&background).len(), world.browser.count("roles.example")), (2, 1));
    world.browser.serve_catalogue(Ok((200, catalogue(&["c"]))));
    world.advance(Duration::from_mins(2));
    world.popup(&background);
    assert_eq!(roles(&background), ["Payments / c"]);
}

#[test]
fn a_role_of_a_catalogue_takes_no_profile_from_a_role_of_the_settings() {
    let world = World::new();
    let mut policy = settings();
    policy["provider"][0]["catalogue_url"] = "https://roles.example/corp.json".into();
    policy["role"][0]["profile"] = "mine".into();
    world.browser.policy.replace(Some(Ok(Some(policy.to_string()))));
    let listed = json!({ "role": [{ "arn": "arn:aws:iam::123456789012:role/listed", "profile": "mine" }] });
    world.browser.serve_catalogue(Ok((200, listed.to_string())));
    let background = world.start();
    world.run();
    let popup = world.popup(&background);
    popup.send(&Intent::WriteProfile { role: role("corp", "listed") });
    let problem = popup.state().problem.unwrap();
    assert_eq!(
        (problem.code.as_str(), problem.message.as_str()),
        ("profile-invalid", "Several roles have the profile name mine.")
    );
    // Its own role gets it, as soon as somebody signs in.
    popup.send(&Intent::WriteProfile { role: role("corp", "developer") });
    assert_eq!((popup.state().problem, popup.state().activities.len()), (None, 1));
}

#[test]
fn what_was_read_before_stays_when_a_catalogue_cannot_be_read_and_people_are_told_how_old_it_is() {
    let world = with_catalogue();
    world.start();
    world.run();
    for (answer, reason) in [
        (Err(FetchError::NoAnswer), "roles.example could not be reached"),
        (Err(FetchError::TimedOut), "did not respond within 20 seconds"),
        (Err(FetchError::TooLarge), "is larger than 4194304 bytes"),
        (Ok((503, "{}".to_owned())), "answered with the status 503"),
        (Ok((200, "<html>".to_owned())), "is not a JSON document"),
    ] {
        world.advance(Duration::from_hours(2));
        world.browser.is_up.set(false);
        world.browser.serve_catalogue(answer);
        let background = world.start();
        let popup = world.popup(&background);
        assert_eq!(roles(&background), BOTH);
        let problems = popup.state().settings_problems;
        let [problem] = &problems[..] else { panic!("{problems:?}") };
        assert!(problem.is(Code::CatalogueUnavailable) && problem.message.contains(reason), "{problem:?}");
        assert!(
            problem.message.ends_with("The roles listed are those of 2030-03-17 17:46 UTC."),
            "{problem:?}"
        );
    }
    // The server is left alone for a minute, and asked again at the next occasion.
    let asked = world.browser.count("roles.example");
    world.browser.serve_catalogue(Ok((200, catalogue(&["a", "b"]))));
    let background = world.start();
    let popup = world.popup(&background);
    assert_eq!((world.browser.count("roles.example"), popup.state().settings_problems.len()), (asked + 1, 0));
}

#[test]
fn a_failure_is_not_repeated_at_every_change_but_when_a_person_wants_it() {
    let world = with_catalogue();
    world.browser.serve_catalogue(Ok((500, String::new())));
    let background = world.start();
    let popup = world.popup(&background);
    popup.send(&Intent::DismissProblem);
    assert_eq!(world.browser.count("roles.example"), 1);
    let problems = popup.state().settings_problems;
    assert!(problems[0].message.ends_with("No role of it is listed."), "{problems:?}");
    world.browser.serve_catalogue(Ok((200, catalogue(&["a", "b"]))));
    popup.send(&Intent::RefreshRoles);
    assert_eq!((roles(&background).len(), popup.state().settings_problems.len()), (2, 0));
}

#[test]
fn a_host_that_has_to_be_allowed_is_asked_for_and_read_once_it_is() {
    let world = with_catalogue();
    world.browser.serve_catalogue(Err(FetchError::NoAnswer));
    let background = world.start();
    let popup = world.popup(&background);
    let problem = popup.state().settings_problems.remove(0);
    assert_eq!(problem.grant.as_deref(), Some("https://roles.example/*"));
    world.browser.permissions.borrow_mut().insert("https://roles.example/*".to_owned());
    world.browser.serve_catalogue(Ok((200, catalogue(&["a", "b"]))));
    world.finish({
        let background = Rc::clone(&background);
        async move { background.on_permissions_changed().await }
    });
    assert_eq!(roles(&background), BOTH);
}

#[test]
fn a_catalogue_goes_with_its_provider_and_its_address() {
    let world = World::with_host();
    let mut machine = settings();
    machine["role"] = json!([]);
    machine["provider"][0]["catalogue_url"] = "https://roles.example/corp.json".into();
    let read = |machine: &Value| rolecall_core::settings::Reading::from_json(&machine.to_string());
    world.browser.machine.replace(read(&machine));
    world.browser.serve_catalogue(Ok((200, catalogue(&["a", "b"]))));
    let background = world.start();
    world.run();
    assert_eq!(roles(&background), BOTH);
    assert!(world.browser.local.borrow().contains_key("catalogue:corp"));

    machine["provider"][0]["catalogue_url"] = "https://roles.example/other.json".into();
    world.browser.machine.replace(read(&machine));
    world.browser.serve_catalogue(Ok((404, String::new())));
    let background = world.start();
    world.run();
    assert_eq!(roles(&background), [""; 0]);
    assert!(!world.browser.local.borrow().contains_key("catalogue:corp"));
}

#[test]
fn a_role_service_lists_roles_for_the_person_and_stops_no_sign_in() {
    let world = world(&json!({ "roles_url": "https://roles.example/roles" }));
    world.browser.role_service.replace((503, String::new()));
    let background = world.start();
    let popup = world.popup(&background);
    assert_eq!(world.browser.count("roles.example"), 0, "nobody is signed in");
    world.browser.person.replace(Some("alice"));
    let provider: ProviderId = "corp".parse().unwrap();
    popup.send(&Intent::SignInToProvider { provider: provider.clone() });
    let state = popup.state();
    assert_eq!((state.problem, state.providers[0].person.as_deref()), (None, Some("alice@example.com")));
    let [problem] = &state.settings_problems[..] else { panic!("{:?}", state.settings_problems) };
    assert!(
        problem.is(Code::RoleServiceUnavailable) && problem.message.contains("status 503"),
        "{problem:?}"
    );

    let body =
        json!({ "roles": ["arn:aws:iam::123456789012:role/mine"], "aliases": { "123456789012": ["Dev"] } });
    world.browser.role_service.replace((200, body.to_string()));
    popup.send(&Intent::RefreshRoles);
    assert_eq!(roles(&background), ["Dev / mine"]);
    assert_eq!(popup.state().settings_problems, []);
    // The list outlives the background, and goes with the person.
    let background = world.start();
    assert_eq!(roles(&background), ["Dev / mine"]);
    assert_eq!(world.browser.count("roles.example"), 2);
    background.sign_out_at("corp");
    assert_eq!(roles(&background), [""; 0]);
    assert!(background.settings().current().role(&role("corp", "mine")).is_none());
}
