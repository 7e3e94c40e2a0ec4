use rolecall_core::message::ui::Intent;
use rolecall_core::settings::Reading;

use crate::scripted::{World, role};

#[test]
fn roles_are_sent_when_the_settings_change_and_not_with_every_state() {
    let world = World::new();
    let background = world.start();
    let popup = world.popup(&background);
    assert_eq!(popup.role_lists().len(), 1);
    let keys: Vec<_> = popup.role_lists()[0].iter().map(|role| role.key.clone()).collect();
    let expected =
        [role("corp", "developer"), role("corp", "admin"), role("other", "admin"), role("other", "auditor")];
    assert_eq!(keys, expected);

    popup.send(&Intent::SignIn { role: role("corp", "developer") });
    world.browser.sign_in_at_window("alice");
    assert_eq!(popup.state().sessions.len(), 1);
    assert_eq!(popup.role_lists().len(), 1);

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
fn a_port_of_an_unknown_name_is_not_opened() {
    let world = World::new();
    let background = world.start();
    assert!(!background.pages.connect("stranger", Vec::new(), |_| panic!("it was opened")));
}
