use std::time::Duration;

use rolecall_core::message::host::{CredentialsRequest, WorkerRequest};
use rolecall_core::message::ui::Intent;

use super::*;
use crate::scripted::{World, role};

const WEEK: Duration = Duration::from_hours(7 * 24);

/// A shortlist, and the world whose clock it follows.
fn shortlist(world: &World) -> Rc<Shortlist> {
    let browser: Rc<dyn Browser> = world.browser.clone();
    let storage = Storage::new(&browser);
    let mut stored = world.finish({
        let storage = storage.clone();
        async move { storage.load().await }
    });
    Shortlist::new(&browser, &storage, &Changes::default(), &mut stored)
}

#[test]
fn a_role_that_is_used_often_comes_before_one_that_was_used_once_until_it_is_used_no_more() {
    let world = World::new();
    let list = shortlist(&world);
    let [often, once] = [role("corp", "developer"), role("other", "auditor")];
    for _ in 0..3 {
        list.count(&often);
    }
    world.advance(Duration::from_mins(1));
    list.count(&once);
    assert_eq!(list.recent(), [often.clone(), once.clone()]);
    world.advance(2 * WEEK);
    list.count(&once);
    assert_eq!(list.recent(), [once, often]);
}

#[test]
fn of_roles_that_were_used_equally_often_the_last_one_comes_first() {
    let world = World::new();
    let list = shortlist(&world);
    let [first, second] = [role("corp", "developer"), role("other", "auditor")];
    list.count(&first);
    world.advance(Duration::from_secs(1));
    list.count(&second);
    assert_eq!(list.recent(), [second, first]);
}

#[test]
fn a_shortlist_outlives_the_browser_and_can_be_forgotten_role_by_role_or_as_a_whole() {
    let world = World::new();
    let [one, other, third] = [role("corp", "developer"), role("other", "auditor"), role("corp", "admin")];
    let list = shortlist(&world);
    list.pin(&one, true);
    list.pin(&third, true);
    list.pin(&one, false);
    for role in [&one, &other, &third] {
        list.count(role);
    }
    list.forget(Some(&one));
    let list = shortlist(&world);
    assert_eq!(list.pinned(), [third]);
    assert_eq!(list.recent().len(), 2);
    assert!(!list.recent().contains(&one));
    list.forget(None);
    assert_eq!((shortlist(&world).recent().len(), shortlist(&world).pinned().len()), (0, 1));
}

#[test]
fn the_least_used_role_makes_room_for_a_new_one() {
    let world = World::new();
    let list = shortlist(&world);
    let roles: Vec<_> = (0..=MAX_USED).map(|number| role("corp", &format!("role-{number}"))).collect();
    for role in &roles {
        list.count(role);
        if *role != roles[1] {
            list.count(role);
        }
    }
    let recent = list.recent();
    assert_eq!(recent.len(), MAX_USED);
    assert!(!recent.contains(&roles[1]) && recent.contains(&roles[MAX_USED]));
}

#[test]
fn what_a_person_does_with_a_role_counts_once_it_is_done_and_what_programs_ask_for_does_not() {
    let world = World::with_host();
    let background = world.start();
    let popup = world.popup(&background);
    popup.send(&Intent::SignIn { role: role("corp", "developer") });
    assert_eq!(popup.state().recent, []);
    world.browser.sign_in_at_window("alice");
    assert_eq!(popup.state().recent, [role("corp", "developer")]);
    let request = CredentialsRequest {
        role: role("corp", "admin"),
        time_left_seconds: 900,
        interactive: true,
        asked_by: None,
    };
    world.browser.program_asks(1, WorkerRequest::Credentials(request));
    world.run();
    assert!(world.browser.program_got(1).unwrap().is_ok());
    assert_eq!(popup.state().recent, [role("corp", "developer")]);

    popup.send(&Intent::Pin { role: role("other", "auditor"), pinned: true });
    popup.send(&Intent::ForgetRecent { role: None });
    let state = popup.state();
    assert_eq!((state.pinned, state.recent), (vec![role("other", "auditor")], vec![]));
}
