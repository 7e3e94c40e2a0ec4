use std::time::Duration;

use rolecall_core::message::ui::Intent;

use crate::scripted::{World, role, settings};

/// A browser whose policy wants this badge, with credentials of two roles.
fn signed_in(badge: &str) -> World {
    let world = World::new();
    let mut policy = settings();
    policy["badge"] = badge.into();
    world.browser.tell_policy(&policy);
    let background = world.start();
    let popup = world.popup(&background);
    for name in ["developer", "admin"] {
        popup.send(&Intent::SignIn { role: role("corp", name) });
        if name == "developer" {
            world.browser.sign_in_at_window("alice");
        }
        world.run();
    }
    assert_eq!(popup.state().sessions.len(), 2);
    world
}

fn shown(world: &World) -> (String, bool) {
    world.run();
    world.browser.badge.borrow().clone()
}

#[test]
fn the_badge_shows_nothing_unless_the_settings_want_it() {
    assert_eq!(shown(&signed_in("none")), (String::new(), false));
}

#[test]
fn the_badge_counts_the_roles_that_there_are_credentials_of() {
    assert_eq!(shown(&signed_in("sessions")), ("2".into(), false));
}

#[test]
fn the_badge_shows_the_time_that_is_left_and_warns_in_the_last_ten_minutes() {
    for (left, expected) in [
        (Duration::from_mins(125), ("2h", false)),
        (Duration::from_hours(1), ("1h", false)),
        (Duration::from_secs(59 * 60 + 59), ("59m", false)),
        (Duration::from_mins(10), ("10m", false)),
        (Duration::from_secs(599), ("9m", true)),
        (Duration::from_secs(30), ("0m", true)),
    ] {
        let shown = super::time_left(super::TimeDelta::from_std(left).unwrap());
        assert_eq!((shown.text.as_str(), shown.is_warning), expected);
    }
}

#[test]
fn the_badge_is_up_to_date_after_each_minute_and_empty_when_everything_has_expired() {
    let world = World::new();
    let mut policy = settings();
    policy["badge"] = "expiry".into();
    world.browser.tell_policy(&policy);
    let background = world.start();
    let popup = world.popup(&background);
    popup.send(&Intent::SignIn { role: role("corp", "developer") });
    world.browser.sign_in_at_window("alice");
    let before = shown(&world);
    assert!(!before.0.is_empty());
    let mut warned = false;
    for _ in 0..800 {
        if shown(&world).0.is_empty() {
            break;
        }
        let alarm = world.browser.alarms.borrow()["badge"];
        let wait = (alarm - super::Browser::now(&*world.browser)).to_std().unwrap();
        assert!(wait <= Duration::from_secs(61), "{wait:?}");
        world.advance(wait);
        world.finish({
            let background = std::rc::Rc::clone(&background);
            async move { background.on_alarm("badge").await }
        });
        warned |= shown(&world).1;
    }
    assert_eq!((shown(&world), warned), ((String::new(), false), true));
}
