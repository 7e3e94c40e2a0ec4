use std::time::Duration;

use rolecall_core::json;
use rolecall_core::message::ui::{Intent, ToPage};
use rolecall_core::settings::Reading;

use crate::scripted::{World, role};

#[test]
fn roles_are_sent_in_alphabetical_order_when_the_settings_change_and_not_with_every_state() {
    let world = World::new();
    let background = world.start();
    let popup = world.popup(&background);
    assert_eq!(popup.role_lists().len(), 1);
    let keys: Vec<_> = popup.role_lists()[0].rows().map(|role| role.key().unwrap()).collect();
    let expected =
        [role("corp", "admin"), role("other", "admin"), role("other", "auditor"), role("corp", "developer")];
    assert_eq!(keys, expected);

    popup.send(&Intent::SignIn { role: role("corp", "developer") });
    world.browser.sign_in_at_window("alice");
    assert_eq!(popup.state().sessions.len(), 1);
    assert_eq!(popup.role_lists().len(), 1);

    background.on_policy_changed();
    assert_eq!(popup.role_lists().len(), 1, "settings that are read anew and the same");

    let mut settings = crate::scripted::settings();
    settings["role"].as_array_mut().unwrap().truncate(1);
    world.browser.tell_policy(&settings);
    background.on_policy_changed();
    assert_eq!(popup.role_lists().len(), 2);
}

#[test]
fn opening_the_popup_has_the_machines_settings_read_anew() {
    let world = World::with_host();
    let background = world.start();
    world.run();
    let mut settings = crate::scripted::settings();
    settings["role"].as_array_mut().unwrap().truncate(1);
    world.browser.machine.replace(Reading::from_json(&settings.to_string()));
    let popup = world.popup(&background);
    assert_eq!(popup.role_lists().last().unwrap().len(), 1);
}

#[test]
fn what_is_shown_is_stored_for_the_next_background_without_secrets_and_not_in_the_middle() {
    let world = World::new();
    let background = world.start();
    let popup = world.popup(&background);
    popup.send(&Intent::SignIn { role: role("corp", "developer") });
    let shown = |name: &str| world.browser.session.borrow()[name].clone();
    assert!(shown("shownState").contains(r#""activities":[]"#), "{}", shown("shownState"));
    world.browser.sign_in_at_window("alice");
    let sent = ToPage::State(Box::new(popup.state()));
    assert_eq!(shown("shownState"), *json::to_string(&sent));
    assert_eq!(json::from_str(&shown("shownRoles")), Ok(ToPage::Roles(popup.role_lists().pop().unwrap())));

    let session = world.browser.session.borrow();
    let secrets: serde_json::Value = serde_json::from_str(&session["session:corp"]).unwrap();
    let secret = secrets["idToken"]["text"].as_str().unwrap();
    assert!(!session["shownState"].contains(secret) && !session["shownRoles"].contains(secret));
}

#[test]
fn a_page_is_sent_nothing_before_the_settings_are_known() {
    let world = World::new();
    world.browser.policy.replace(None);
    let background = world.start();
    let popup = world.popup(&background);
    assert_eq!(popup.role_lists().len(), 0);
    world.browser.tell_policy(&crate::scripted::settings());
    world.run();
    assert_eq!((popup.role_lists().len(), popup.state().providers.len()), (1, 2));
}

#[test]
fn a_page_waits_a_second_for_the_settings_and_no_longer() {
    let world = World::new();
    world.browser.policy.replace(None);
    let background = world.start();
    let popup = world.popup(&background);
    world.advance(Duration::from_millis(999));
    assert_eq!(popup.role_lists().len(), 0);
    world.advance(Duration::from_millis(1));
    assert_eq!(popup.role_lists().len(), 1);
}

#[test]
fn roles_are_not_sent_again_when_the_machine_says_the_same_as_before() {
    let world = World::with_host();
    let background = world.start();
    let popup = world.popup(&background);
    let other = world.popup(&background);
    world.run();
    assert_eq!((popup.role_lists().len(), other.role_lists().len()), (1, 1));
}

#[test]
fn a_port_of_an_unknown_name_is_not_opened() {
    let world = World::new();
    let background = world.start();
    assert!(!background.pages.connect("stranger", Vec::new(), |_| panic!("it was opened")));
}
