use std::time::Duration;

use rolecall_core::message::host::{CredentialsRequest, WorkerRequest};

use super::*;
use crate::background::Background;
use crate::scripted::{World, role};

/// A browser in which a program got the credentials of this role.
fn in_use(key: &RoleKey) -> (World, Rc<Background>) {
    let world = World::with_host();
    world.browser.person.replace(Some("alice"));
    let background = world.start();
    world.run();
    let request =
        CredentialsRequest { role: key.clone(), time_left_seconds: 900, interactive: false, asked_by: None };
    world.browser.program_asks(1, WorkerRequest::Credentials(request));
    world.run();
    (world, background)
}

#[test]
fn credentials_in_use_are_renewed_for_the_provider_that_gave_them() {
    let key = role("other", "admin");
    let (world, background) = in_use(&key);
    let (alarm, when) =
        world.browser.alarms.borrow().first_key_value().map(|(name, at)| (name.clone(), *at)).unwrap();
    world.advance((when - world.browser.now()).to_std().unwrap());
    let asked = world.browser.count("sts.");
    let ringing = Rc::clone(&background);
    world.finish(async move { ringing.on_alarm(&alarm).await });
    assert_eq!(world.browser.count("sts."), asked + 1);
    assert_eq!(world.browser.count("Silent corp.example"), 0);
    assert!(background.activities().is_empty());
}

#[test]
fn what_was_signed_out_of_is_not_renewed() {
    let key = role("corp", "developer");
    let (world, background) = in_use(&key);
    let alarm = world.browser.alarms.borrow().first_key_value().unwrap().0.clone();
    background.sign_out_at("corp");
    world.advance(Duration::from_mins(40));
    let asked = world.browser.count("sts.");
    let ringing = Rc::clone(&background);
    world.finish(async move { ringing.on_alarm(&alarm).await });
    assert_eq!(world.browser.count("sts."), asked);
}
