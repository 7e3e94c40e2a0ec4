use std::time::Duration;

use rolecall_core::json;
use rolecall_core::message::host::{CredentialsRequest, Outcome, ToHost, ToWorker, WorkerRequest};

use super::*;
use crate::scripted::{World, role};

fn sign_in(provider: &str, name: &str) -> Intent {
    Intent::SignIn { role: role(provider, name) }
}

#[test]
fn a_second_click_on_a_role_starts_nothing_and_one_on_another_role_is_not_swallowed() {
    let world = World::new();
    let background = world.start();
    let popup = world.popup(&background);
    popup.send(&sign_in("corp", "developer"));
    popup.send(&sign_in("corp", "developer"));
    assert_eq!(world.browser.count("Window"), 1);
    popup.send(&sign_in("other", "auditor"));
    let roles: Vec<_> = popup.state().activities.into_iter().filter_map(|activity| activity.role).collect();
    assert_eq!(roles, [role("corp", "developer"), role("other", "auditor")]);
}

#[test]
fn the_end_of_one_sign_in_does_not_end_what_is_shown_of_another() {
    let world = World::new();
    let background = world.start();
    let popup = world.popup(&background);
    popup.send(&sign_in("corp", "developer"));
    popup.send(&sign_in("other", "auditor"));
    world.browser.sign_in_at_window("alice");
    let state = popup.state();
    assert_eq!(state.done.as_deref(), Some("Signed in to 123456789012 / developer."));
    let roles: Vec<_> = state.activities.into_iter().filter_map(|activity| activity.role).collect();
    assert_eq!(roles, [role("other", "auditor")]);

    // Neither does that of a program that was served from memory.
    popup.send(&sign_in("corp", "developer"));
    assert_eq!(popup.state().activities.len(), 1);
}

#[test]
fn a_sign_in_is_cancelled_from_the_popup_and_can_be_started_again() {
    let world = World::new();
    let background = world.start();
    let popup = world.popup(&background);
    popup.send(&sign_in("corp", "developer"));
    assert_eq!(world.browser.open_windows(), 1);
    popup.send(&Intent::Cancel { role: role("corp", "developer") });
    assert_eq!(world.browser.open_windows(), 0);
    let state = popup.state();
    assert_eq!((state.activities.len(), state.problem, state.done), (0, None, None));
    popup.send(&sign_in("corp", "developer"));
    world.browser.sign_in_at_window("alice");
    assert_eq!(popup.state().sessions.len(), 1);
}

#[test]
fn a_sign_in_at_a_provider_without_a_role_is_cancelled_and_one_at_another_provider_goes_on() {
    let world = World::new();
    let background = world.start();
    let popup = world.popup(&background);
    let [corp, other] = ["corp", "other"].map(|id| id.parse::<ProviderId>().unwrap());
    for provider in [&corp, &other] {
        popup.send(&Intent::SignInToProvider { provider: provider.clone() });
    }
    assert_eq!(world.browser.count("Window corp.example"), 1);
    popup.send(&Intent::CancelAtProvider { provider: corp });
    assert_eq!((world.browser.count("Window other.example"), world.browser.open_windows()), (1, 1));
    let activities = popup.state().activities;
    assert_eq!(activities.iter().map(|activity| &activity.provider).collect::<Vec<_>>(), [&other]);
    assert!(activities[0].role.is_none() && popup.state().problem.is_none());
}

#[test]
fn what_a_person_cancels_goes_on_for_a_program_that_waits_for_it_until_they_cancel_that_too() {
    let world = World::with_host();
    let background = world.start();
    let popup = world.popup(&background);
    popup.send(&sign_in("corp", "developer"));
    let request = CredentialsRequest {
        role: role("corp", "developer"),
        time_left_seconds: 900,
        interactive: true,
        asked_by: None,
    };
    world.browser.program_asks(1, WorkerRequest::Credentials(request));
    world.run();
    popup.send(&Intent::Cancel { role: role("corp", "developer") });
    assert_eq!(world.browser.open_windows(), 1);
    popup.send(&Intent::Cancel { role: role("corp", "developer") });
    assert_eq!(world.browser.open_windows(), 0);
    let problem = world.browser.program_got(1).unwrap().unwrap_err();
    assert!(problem.is(Code::SignInCancelled));
}

#[test]
fn a_window_that_was_closed_is_told_and_what_failed_can_be_tried_again() {
    let world = World::new();
    let background = world.start();
    let popup = world.popup(&background);
    popup.send(&sign_in("corp", "developer"));
    world.browser.close_window_of_redirect();
    assert!(popup.state().problem.unwrap().is(Code::SignInCancelled));

    // The next background still tells.
    let background = world.start();
    let popup = world.popup(&background);
    assert!(popup.state().problem.unwrap().is(Code::SignInCancelled));
    popup.send(&Intent::Retry);
    assert_eq!(popup.state().problem, None);
    world.browser.sign_in_at_window("alice");
    assert!(popup.state().done.is_some());
}

#[test]
fn signing_out_forgets_the_person_revokes_the_refresh_token_and_opens_the_providers_page() {
    let world = World::with_host();
    world.browser.person.replace(Some("alice"));
    world.browser.grants_refresh.set(true);
    let background = world.start();
    let popup = world.popup(&background);
    popup.send(&sign_in("corp", "developer"));
    assert_eq!(popup.state().providers[0].person.as_deref(), Some("alice@example.com"));
    popup.send(&Intent::SignOut { provider: "corp".parse().unwrap(), end_session: true });
    let state = popup.state();
    assert_eq!((state.providers[0].person.as_deref(), state.sessions.len()), (None, 0));
    assert_eq!(world.browser.count("corp.example/revoke"), 1);
    assert!(world.browser.tabs.borrow()[0].starts_with("https://corp.example/logout"));
    assert_eq!(world.browser.host_received("forget"), [serde_json::json!({ "provider": "corp" })]);

    // Whoever has signed out is not signed in again without being asked, although the provider still knows them.
    let silent = world.browser.count("Silent");
    popup.send(&sign_in("corp", "developer"));
    assert_eq!((world.browser.count("Silent"), world.browser.open_windows()), (silent, 1));
}

#[test]
fn a_sign_out_does_not_wait_for_a_window_that_is_open() {
    let world = World::new();
    let background = world.start();
    let popup = world.popup(&background);
    popup.send(&sign_in("corp", "developer"));
    assert_eq!(world.browser.open_windows(), 1);
    popup.send(&Intent::SignOut { provider: "corp".parse().unwrap(), end_session: false });
    assert_eq!(world.browser.open_windows(), 0);
    world.advance(Duration::ZERO);
    assert!(popup.state().activities.is_empty());
}

#[test]
fn the_credentials_of_one_role_are_forgotten_in_the_browser_and_in_the_host_program_and_no_others() {
    let world = World::with_host();
    let background = world.start();
    world.run();
    let popup = world.popup(&background);
    popup.send(&sign_in("corp", "developer"));
    world.browser.sign_in_at_window("alice");
    popup.send(&sign_in("corp", "admin"));
    assert_eq!(popup.state().sessions.len(), 2);

    popup.send(&Intent::ForgetCredentials { role: role("corp", "developer") });
    let state = popup.state();
    let left: Vec<_> = state.sessions.iter().map(|session| &session.role).collect();
    assert_eq!(left, [&role("corp", "admin")]);
    assert!(state.providers[0].person.is_some(), "the person stays signed in");
    assert!(state.done.unwrap().starts_with("Forgot the credentials of "));
    assert_eq!(world.browser.host_received("forget").len(), 1);
}

#[test]
fn a_profile_is_removed_by_the_host_program_and_that_is_no_use_of_the_role() {
    let world = World::with_host();
    let background = world.start();
    world.run();
    let popup = world.popup(&background);
    for (removed, told) in [(true, "Removed the profile "), (false, "Rolecall has written no profile ")] {
        popup.send(&Intent::RemoveProfile { role: role("corp", "developer") });
        let result = Outcome::Ok(HostResponse::ProfileRemoved { removed });
        world.browser.host_sends(&ToWorker::Response { id: last_id(&world), result });
        world.run();
        let state = popup.state();
        assert!(state.done.as_ref().is_some_and(|done| done.starts_with(told)), "{:?}", state.done);
        assert_eq!(state.recent, []);
    }
}

/// The id of the last request to the host program.
fn last_id(world: &World) -> u32 {
    let hosts = world.browser.hosts.borrow();
    let last = hosts[0].posted.borrow().last().cloned().unwrap();
    match json::from_str(&last) {
        Ok(ToHost::Request { id, .. }) => id,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_went_wrong_is_a_notification_where_no_page_shows_it() {
    let world = World::new();
    let background = world.start();
    let popup = world.popup(&background);
    // There is no host program.
    let intent = Intent::RemoveProfile { role: role("corp", "developer") };
    popup.send(&intent);
    assert!(popup.state().problem.is_some());
    assert!(world.browser.notifications.borrow().is_empty());

    popup.close();
    background.pages.intents.fulfil(intent);
    world.run();
    assert_eq!(world.browser.notifications.borrow().iter().collect::<Vec<_>>(), ["problem"]);
}
