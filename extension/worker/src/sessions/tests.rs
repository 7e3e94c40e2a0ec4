use super::*;
use crate::scripted::{World, role};
use rolecall_core::sign_in::Presence;
use rolecall_core::time::TimeDelta;

/// A browser in which somebody was signed in at both providers when the background ended.
fn left_behind() -> World {
    let world = World::new();
    let background = world.start();
    world.browser.person.replace(Some("alice"));
    for key in [role("corp", "developer"), role("other", "auditor")] {
        let sign_in = Rc::clone(background.sign_in());
        let left = TimeDelta::zero();
        let credentials = async move { sign_in.credentials(&key, Presence::Nobody, left, None).await };
        world.finish(credentials).unwrap();
    }
    world.browser.log.borrow_mut().clear();
    world
}

#[test]
fn each_provider_has_a_stored_item_of_its_own() {
    let world = left_behind();
    let stored = world.browser.session.borrow();
    let keys: Vec<_> = stored.keys().filter(|key| key.starts_with(PREFIX)).collect();
    assert_eq!(keys, ["session:corp", "session:other"]);
}

#[test]
fn the_next_background_knows_what_the_one_before_stored_after_reading_each_area_once() {
    let world = left_behind();
    let background = world.start();
    assert!(background.sign_in().has_credentials(&role("corp", "developer")));
    assert!(background.sign_in().has_credentials(&role("other", "auditor")));
    assert_eq!(*world.browser.log.borrow(), ["load Session", "load Local"]);
}

#[test]
fn one_item_that_cannot_be_read_loses_no_other_and_is_removed() {
    let world = left_behind();
    world.browser.session.borrow_mut().insert("session:corp".to_owned(), r#"{"idToken":7}"#.to_owned());
    let background = world.start();
    assert!(!background.sign_in().has_credentials(&role("corp", "developer")));
    assert!(background.sign_in().has_credentials(&role("other", "auditor")));
    assert!(!world.browser.session.borrow().contains_key("session:corp"));
}

#[test]
fn credentials_that_are_asked_for_in_another_way_now_are_removed_here_and_from_the_host() {
    let world = World::with_host();
    world.browser.person.replace(Some("alice"));
    let background = world.start();
    let sign_in = Rc::clone(background.sign_in());
    for name in ["developer", "admin"] {
        let sign_in = Rc::clone(&sign_in);
        let left = TimeDelta::zero();
        let key = role("corp", name);
        world
            .finish(async move { sign_in.credentials(&key, Presence::Nobody, left, None).await.map(drop) })
            .unwrap();
    }
    let mut settings = crate::scripted::settings();
    let developer =
        settings["role"].as_array().unwrap().iter().position(|role| {
            role["arn"].as_str().unwrap().ends_with("/developer") && role["provider"] == "corp"
        });
    settings["role"][developer.unwrap()]["source_role"] = role("corp", "admin").arn.as_str().into();
    world.browser.tell_policy(&settings);
    background.on_policy_changed();
    world.run();
    assert!(!sign_in.has_credentials(&role("corp", "developer")));
    assert!(sign_in.has_credentials(&role("corp", "admin")));
    let forgotten = format!("{:?}", world.browser.host_received("forget"));
    assert!(forgotten.contains("role/developer") && !forgotten.contains("role/admin"), "{forgotten}");
}

#[test]
fn what_was_stored_of_a_provider_that_has_left_the_settings_is_removed() {
    let world = left_behind();
    let mut settings = crate::scripted::settings();
    settings["provider"].as_array_mut().unwrap().pop();
    settings["role"].as_array_mut().unwrap().truncate(2);
    world.browser.policy.replace(Some(Ok(None)));
    world.browser.host_is_installed.set(true);
    world.browser.machine.replace(rolecall_core::settings::Reading::from_json(&settings.to_string()));
    let background = world.start();
    world.run();
    assert!(world.browser.session.borrow().contains_key("session:corp"));
    assert!(!world.browser.session.borrow().contains_key("session:other"));
    assert!(!background.sign_in().has_credentials(&role("other", "auditor")));
    assert_eq!(world.browser.host_received("forget"), [serde_json::json!({ "provider": "other" })]);
}

#[test]
fn nothing_is_removed_before_the_machines_settings_are_known() {
    let world = left_behind();
    world.browser.policy.replace(Some(Ok(None)));
    let background = world.start();
    world.run();
    assert!(background.sign_in().has_credentials(&role("other", "auditor")));
}
