use std::time::Duration;

use rolecall_core::freshness::SDK_RENEWAL;

use super::*;
use crate::background::Background;
use crate::browser::{REDIRECT_WINDOW, WindowId};
use crate::scripted::{Waiting, World, role};

type Credentials = Result<rolecall_core::aws::Credentials, Problem>;

/// Asks for a role's credentials.
fn ask<'a>(
    world: &'a World,
    background: &Rc<Background>,
    key: &RoleKey,
    presence: Presence,
) -> Waiting<'a, Credentials> {
    let (sign_in, key) = (Rc::clone(background.sign_in()), key.clone());
    world.begin(async move { sign_in.credentials(&key, presence, SDK_RENEWAL, None).await })
}

/// Somebody is signed in at both providers, and there are fresh credentials of these roles.
fn signed_in(world: &World, background: &Rc<Background>, roles: &[RoleKey]) {
    world.browser.person.replace(Some("alice"));
    for key in roles {
        ask(world, background, key, Presence::Person).result().unwrap().unwrap();
    }
}

fn code(result: Option<Credentials>) -> String {
    result.expect("nobody was answered").unwrap_err().code.clone()
}

#[test]
fn one_arn_of_two_providers_is_two_roles() {
    let world = World::new();
    let background = world.start();
    signed_in(&world, &background, &[role("other", "admin")]);
    assert_eq!(world.browser.count("Silent other.example"), 1);
    assert_eq!(world.browser.count("Silent corp.example"), 0);
    assert!(background.sign_in().has_credentials(&role("other", "admin")));
    assert!(!background.sign_in().has_credentials(&role("corp", "admin")));
    ask(&world, &background, &role("corp", "admin"), Presence::Nobody).result().unwrap().unwrap();
    assert_eq!(world.browser.count("Silent corp.example"), 1);
}

#[test]
fn a_second_provider_that_does_not_name_itself_has_a_redirect_address_of_its_own() {
    let world = World::new();
    let background = world.start();
    signed_in(&world, &background, &[role("corp", "admin"), role("other", "admin")]);
    let addresses = ["https://abc.chromiumapp.org/", "https://abc.chromiumapp.org/provider-other"];
    assert_eq!(*world.browser.redirect_uris.borrow(), addresses);
}

#[test]
fn fresh_credentials_are_served_while_a_sign_in_window_of_the_provider_is_open() {
    let world = World::new();
    let background = world.start();
    signed_in(&world, &background, &[role("corp", "developer")]);
    let provider = "corp".parse().unwrap();
    let sign_in = Rc::clone(background.sign_in());
    let mut choosing = world.begin(async move { sign_in.sign_in_to_provider(&provider).await });
    assert!(choosing.result().is_none());
    assert_eq!(world.browser.open_windows(), 1);

    ask(&world, &background, &role("corp", "developer"), Presence::Person).result().unwrap().unwrap();
}

#[test]
fn a_window_of_one_provider_is_waited_for_before_another_one_opens() {
    let world = World::new();
    let background = world.start();
    let corp = ask(&world, &background, &role("corp", "admin"), Presence::Person);
    let mut other = ask(&world, &background, &role("other", "admin"), Presence::Person);
    let windows = || ["corp", "other"].map(|name| world.browser.count(&format!("Window {name}.example")));
    assert_eq!(windows(), [1, 0]);
    corp.cancel();
    assert_eq!(windows(), [1, 1]);
    assert!(other.result().is_none());
    world.browser.sign_in_at_window("alice");
    other.result().unwrap().unwrap();
}

#[test]
fn a_window_that_waited_for_another_one_stays_open_as_long_as_any() {
    let world = World::new();
    let background = world.start();
    let mut corp = ask(&world, &background, &role("corp", "admin"), Presence::Person);
    world.advance(Duration::from_mins(1));
    let mut other = ask(&world, &background, &role("other", "admin"), Presence::Person);
    world.advance(Duration::from_mins(4));
    assert_eq!(code(corp.result()), Code::SignInTimedOut.as_str());
    world.advance(Duration::from_mins(4));
    assert!(other.result().is_none());
    world.advance(Duration::from_mins(1));
    assert_eq!(code(other.result()), Code::SignInTimedOut.as_str());
}

#[test]
fn roles_that_need_no_new_id_token_go_to_sts_side_by_side() {
    let world = World::new();
    let background = world.start();
    signed_in(&world, &background, &[role("corp", "developer")]);
    background.sign_in().forget_role(&role("corp", "developer"));
    world.browser.hold.replace(Some("sts."));
    let mut first = ask(&world, &background, &role("corp", "developer"), Presence::Person);
    let mut second = ask(&world, &background, &role("corp", "admin"), Presence::Person);
    assert_eq!(world.browser.held(), 2, "both are asked before either is answered");
    world.browser.release();
    first.result().unwrap().unwrap();
    second.result().unwrap().unwrap();
    assert_eq!(world.browser.count("Silent"), 1);
}

#[test]
fn a_role_is_served_by_the_id_token_at_hand_while_another_account_is_chosen_in_a_window() {
    let world = World::new();
    let background = world.start();
    signed_in(&world, &background, &[role("corp", "developer")]);
    let provider = "corp".parse().unwrap();
    let sign_in = Rc::clone(background.sign_in());
    let mut choosing = world.begin(async move { sign_in.sign_in_to_provider(&provider).await });
    assert!(choosing.result().is_none());
    ask(&world, &background, &role("corp", "admin"), Presence::Person).result().unwrap().unwrap();
    assert_eq!(world.browser.open_windows(), 1);
}

#[test]
fn twenty_roles_at_once_take_one_silent_sign_in() {
    let world = World::new();
    let background = world.start();
    world.browser.person.replace(Some("alice"));
    world.browser.hold.replace(Some("corp."));
    let keys = [role("corp", "developer"), role("corp", "admin")];
    let mut asked: Vec<_> =
        (0..20).map(|index| ask(&world, &background, &keys[index % 2], Presence::Nobody)).collect();
    world.browser.hold.replace(None);
    world.browser.release();
    for asked in &mut asked {
        asked.result().unwrap().unwrap();
    }
    assert_eq!(world.browser.count("Silent"), 1);
    assert_eq!(world.browser.count("sts."), 2, "once for each role");
}

#[test]
fn whoever_does_not_finish_in_a_window_is_told_after_five_minutes() {
    let world = World::new();
    let background = world.start();
    let mut asked = ask(&world, &background, &role("corp", "developer"), Presence::Person);
    world.advance(Duration::from_secs(299));
    assert!(asked.result().is_none());
    world.advance(Duration::from_secs(1));
    assert_eq!(code(asked.result()), "sign-in-timed-out");
    assert_eq!(world.browser.open_windows(), 0);
}

#[test]
fn a_silent_redirect_that_never_comes_back_gives_way_to_a_window() {
    let world = World::new();
    let background = world.start();
    world.browser.silent_hangs.set(true);
    let mut asked = ask(&world, &background, &role("corp", "developer"), Presence::Person);
    world.advance(Duration::from_secs(15));
    assert_eq!(world.browser.open_windows(), 1);
    world.browser.sign_in_at_window("alice");
    asked.result().unwrap().unwrap();
}

#[test]
fn a_cancelled_sign_in_frees_the_provider_for_the_next_one() {
    let world = World::new();
    let background = world.start();
    let asked = ask(&world, &background, &role("corp", "developer"), Presence::Person);
    assert_eq!(world.browser.open_windows(), 1);
    asked.cancel();
    assert_eq!(world.browser.open_windows(), 0);
    assert!(background.activities().is_empty());

    let mut next = ask(&world, &background, &role("corp", "developer"), Presence::Person);
    world.browser.sign_in_at_window("alice");
    next.result().unwrap().unwrap();
}

#[test]
fn a_sign_in_goes_on_for_those_who_still_wait_for_it() {
    let world = World::new();
    let background = world.start();
    let first = ask(&world, &background, &role("corp", "developer"), Presence::Person);
    let mut second = ask(&world, &background, &role("corp", "developer"), Presence::Person);
    first.cancel();
    world.browser.sign_in_at_window("alice");
    second.result().unwrap().unwrap();
    assert_eq!(world.browser.count("Window"), 1);
}

#[test]
fn nobody_waits_for_longer_than_a_silent_sign_in_behind_a_window() {
    let world = World::new();
    let background = world.start();
    let _window = ask(&world, &background, &role("corp", "developer"), Presence::Person);
    let mut batch = ask(&world, &background, &role("corp", "admin"), Presence::Nobody);
    world.advance(Duration::from_secs(15));
    assert_eq!(code(batch.result()), "sign-in-needed");
    assert_eq!(world.browser.open_windows(), 1);
}

#[test]
fn a_sign_out_during_a_renewal_wins() {
    let world = World::new();
    let background = world.start();
    world.browser.grants_refresh.set(true);
    signed_in(&world, &background, &[role("corp", "developer"), role("other", "auditor")]);
    background.sign_in().forget_role(&role("corp", "developer"));
    world.browser.hold.replace(Some("sts."));
    let mut renewing = ask(&world, &background, &role("corp", "developer"), Presence::Nobody);

    background.sign_out_at("corp");
    assert_eq!(code(renewing.result()), "sign-in-cancelled");
    world.browser.release();
    world.run();
    assert!(!background.sign_in().has_credentials(&role("corp", "developer")));
    let stored = world.browser.session.borrow()["session:corp"].clone();
    assert!(!stored.contains("ASIA") && !stored.contains("eyJ") && !stored.contains("alice"), "{stored}");
    assert!(background.sign_in().has_credentials(&role("other", "auditor")));
}

#[test]
fn a_renewal_at_one_provider_does_not_bring_back_what_another_one_gave() {
    let world = World::new();
    let background = world.start();
    signed_in(&world, &background, &[role("corp", "developer"), role("other", "auditor")]);
    background.sign_in().forget_role(&role("corp", "developer"));
    world.browser.hold.replace(Some("sts."));
    let mut renewing = ask(&world, &background, &role("corp", "developer"), Presence::Nobody);
    background.sign_out_at("other");
    world.browser.release();
    renewing.result().unwrap().unwrap();

    let session = world.browser.session.borrow();
    assert!(session["session:corp"].contains("ASIA"));
    assert!(!session["session:other"].contains("ASIA"));
}

#[test]
fn whoever_signs_in_silently_as_somebody_else_has_everything_of_the_one_before_forgotten() {
    let world = World::with_host();
    let background = world.start();
    signed_in(&world, &background, &[role("corp", "developer")]);
    assert_eq!(world.browser.host_received("forget").len(), 0);

    // The ID token has expired, and the provider's own session is Bob's by now.
    world.advance(Duration::from_secs(3_700));
    world.browser.person.replace(Some("bob"));
    ask(&world, &background, &role("corp", "admin"), Presence::Nobody).result().unwrap().unwrap();
    assert_eq!(world.browser.count("Window"), 0);
    assert_eq!(world.browser.host_received("forget"), [serde_json::json!({ "provider": "corp" })]);
    assert!(!background.sign_in().has_credentials(&role("corp", "developer")));
}

#[test]
fn a_host_that_was_not_there_is_told_what_to_forget_when_it_comes() {
    let world = World::with_host();
    let background = world.start();
    signed_in(&world, &background, &[role("corp", "developer")]);
    world.browser.host_exits();
    background.sign_out_at("corp");
    assert_eq!(world.browser.host_received("forget").len(), 0);
    world.advance(Duration::from_secs(1));
    assert_eq!(world.browser.host_received("forget"), [serde_json::json!({ "provider": "corp" })]);
}

#[test]
fn nothing_leaves_the_browser_before_the_policy_is_known() {
    let world = World::new();
    world.browser.policy.replace(None);
    let background = world.start();
    let mut asked = ask(&world, &background, &role("corp", "developer"), Presence::Person);
    assert!(asked.result().is_none());
    assert_eq!(world.browser.count("corp.") + world.browser.count("Silent"), 0);
    world.browser.person.replace(Some("alice"));
    world.browser.tell_policy(&crate::scripted::settings());
    asked.result().unwrap().unwrap();
}

#[test]
fn a_window_that_the_background_before_left_open_is_closed() {
    let world = World::new();
    world.browser.pages.borrow_mut().insert(WindowId(7), "https://auth.example.com/".to_owned());
    world.browser.session.borrow_mut().insert(REDIRECT_WINDOW.to_owned(), "7".to_owned());
    world.start();
    assert!(world.browser.pages.borrow().is_empty());
    assert!(!world.browser.session.borrow().contains_key(REDIRECT_WINDOW));
}
