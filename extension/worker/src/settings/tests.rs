use std::time::Duration;

use serde_json::json;

use super::*;
use crate::scripted::{World, role, settings};

#[test]
fn a_policy_that_the_browser_does_not_tell_closes_until_it_does() {
    let world = World::with_host();
    world.browser.policy.replace(None);
    let background = world.start();
    let known = Rc::clone(background.settings());
    let mut known = world.begin(async move { known.known().await.map(drop) });
    world.advance(Duration::from_secs(29));
    assert!(known.result().is_none());
    world.advance(Duration::from_secs(1));
    assert!(known.result().unwrap().unwrap_err().is(Code::PolicyUnavailable));
    let closed = background.settings().current();
    assert_eq!(closed.roles().count(), 0, "the machine's settings do not stand in for it");
    assert!(closed.problems.iter().any(|problem| problem.is(Code::PolicyUnavailable)));

    world.browser.tell_policy(&settings());
    world.run();
    let settings = Rc::clone(background.settings());
    let effective = world.finish(async move { settings.known().await }).unwrap();
    assert_eq!(effective.roles().count(), 4);
}

#[test]
fn a_policy_that_cannot_be_read_closes() {
    let world = World::with_host();
    world.browser.policy.replace(Some(Err("the disk is broken".to_owned())));
    let background = world.start();
    let known = Rc::clone(background.settings());
    let problem = world.finish(async move { known.known().await.map(drop) }).unwrap_err();
    assert!(problem.is(Code::PolicyUnavailable));
    assert!(problem.message.contains("the disk is broken"), "{problem:?}");
    assert_eq!(background.settings().current().providers().count(), 0);
}

#[test]
fn a_policy_that_changes_is_applied_at_once() {
    let world = World::new();
    let background = world.start();
    assert!(background.settings().current().role(&role("other", "auditor")).is_some());
    let mut policy = settings();
    policy["provider"].as_array_mut().unwrap().pop();
    policy["role"].as_array_mut().unwrap().truncate(2);
    world.browser.policy.replace(Some(Ok(Some(policy.to_string()))));
    background.on_policy_changed();
    world.run();
    assert!(background.settings().current().role(&role("other", "auditor")).is_none());
    assert!(background.settings().current().role(&role("corp", "admin")).is_some());
}

#[test]
fn a_policy_that_is_read_late_does_not_replace_a_newer_one() {
    let world = World::new();
    world.browser.policy.replace(None);
    let background = world.start();
    world.browser.policy.replace(Some(Ok(Some(settings().to_string()))));
    background.on_policy_changed();
    world.run();
    world.browser.tell_policy(&json!({}));
    world.run();
    assert_eq!(background.settings().current().providers().count(), 2);
}
