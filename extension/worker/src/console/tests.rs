use std::rc::Rc;

use chrono::TimeDelta;
use rolecall_core::message::host::{ConsoleRequest, WorkerRequest, WorkerResponse};
use rolecall_core::message::ui::Intent;
use rolecall_core::{Code, Problem};

use crate::background::Background;
use crate::scripted::{Popup, World, role, settings};

const PATTERN: &str = "https://*.console.aws.amazon.com/*";

/// A world in which alice is signed in at the providers, and the sign-in host can be read.
fn world() -> World {
    let world = World::new();
    world.browser.person.replace(Some("alice"));
    world.browser.permissions.borrow_mut().insert("https://eu-west-1.signin.aws.amazon.com/*".to_owned());
    world
}

fn open(popup: &Popup<'_>, name: &str) -> Result<String, Problem> {
    popup.send(&Intent::OpenConsole { role: role("corp", name) });
    outcome(popup)
}

fn outcome(popup: &Popup<'_>) -> Result<String, Problem> {
    let state = popup.state();
    state.problem.map_or(Ok(state.done.unwrap_or_default()), Err)
}

fn tabs(world: &World) -> Vec<String> {
    world.browser.tabs.borrow().clone()
}

/// Lets the extension see what a tab shows.
fn shows(world: &World, tab: u32, address: &str) {
    world.browser.open_tabs.borrow_mut().insert(tab, Some(address.to_owned()));
}

fn is_login(url: &str) -> bool {
    url.starts_with("https://eu-west-1.signin.aws.amazon.com/federation?Action=login&")
}

fn is_login_after_logout(url: &str) -> bool {
    url.starts_with("https://eu-west-1.signin.aws.amazon.com/oauth?Action=logout&redirect_uri=https%3A%2F%2Feu-west-1.signin.aws.amazon.com%2Ffederation")
}

fn begin(world: &World) -> (Rc<Background>, Popup<'_>) {
    let background = world.start();
    let popup = world.popup(&background);
    (background, popup)
}

#[test]
fn a_console_that_is_open_is_shown_and_opened_anew_if_that_is_wanted_at_once() {
    let world = world();
    let (_background, popup) = begin(&world);
    assert!(open(&popup, "developer").unwrap().starts_with("Opened the console as "));
    assert!(open(&popup, "developer").unwrap().starts_with("The console is open as "));
    assert_eq!(world.browser.shown_tabs.borrow()[..], [(1, None)]);
    assert_eq!(tabs(&world).len(), 1);

    // The session may have been ended where the extension cannot see it: the next click signs in again. What the tab
    // shows cannot be seen either, so it is left alone.
    assert!(open(&popup, "developer").unwrap().starts_with("Opened the console as "));
    assert_eq!(world.browser.shown_tabs.borrow().len(), 1);
    assert!(is_login_after_logout(&tabs(&world)[1]), "{:?}", tabs(&world));
}

#[test]
fn nobody_is_shown_the_console_of_whoever_was_signed_in_before() {
    let world = world();
    let (background, popup) = begin(&world);
    open(&popup, "developer").unwrap();
    background.sign_out_at("corp");
    world.browser.person.replace(None);
    popup.send(&Intent::OpenConsole { role: role("corp", "developer") });
    world.browser.sign_in_at_window("bob");
    assert!(outcome(&popup).unwrap().starts_with("Opened the console as "));
    // Nobody else's session is left beside it.
    assert!(is_login_after_logout(&tabs(&world)[1]), "{:?}", tabs(&world));
    assert_eq!(world.browser.shown_tabs.borrow().len(), 0);
}

#[test]
fn a_tab_in_which_another_accounts_session_was_chosen_is_not_the_roles() {
    let world = world();
    let (_background, popup) = begin(&world);
    open(&popup, "developer").unwrap();
    shows(&world, 1, "https://999999999999-a1b2c3d4.eu-west-1.console.aws.amazon.com/console/home");
    open(&popup, "developer").unwrap();
    assert_eq!(world.browser.shown_tabs.borrow().len(), 0);
    assert_eq!(tabs(&world)[1], "https://eu-west-1.console.aws.amazon.com/console/home?region=eu-west-1");
}

#[test]
fn a_session_whose_tab_was_closed_is_used_without_signing_in() {
    let world = world();
    let (_background, popup) = begin(&world);
    open(&popup, "developer").unwrap();
    world.browser.open_tabs.borrow_mut().clear();
    open(&popup, "developer").unwrap();
    assert_eq!(tabs(&world)[1], "https://eu-west-1.console.aws.amazon.com/console/home?region=eu-west-1");

    // So is one whose tab shows something else.
    shows(&world, 2, "https://example.com/");
    world.advance(std::time::Duration::from_mins(2));
    open(&popup, "developer").unwrap();
    assert_eq!(tabs(&world).len(), 3);
}

#[test]
fn where_a_session_ended_the_next_one_goes_on_in_the_same_tab() {
    let world = world();
    let (_background, popup) = begin(&world);
    open(&popup, "developer").unwrap();
    shows(&world, 1, "https://eu-west-1.console.aws.amazon.com/ec2/home?region=eu-west-1#Instances:");
    world.advance(TimeDelta::hours(2).to_std().unwrap());
    open(&popup, "developer").unwrap();
    let shown = world.browser.shown_tabs.borrow()[0].clone();
    let url = shown.1.unwrap();
    assert!(shown.0 == 1 && is_login(&url), "{url}");
    assert!(url.contains("%2Fec2%2Fhome%3Fregion%3Deu-west-1%23Instances%3A"), "{url}");
}

#[test]
fn the_session_of_another_role_is_ended_once_a_person_has_agreed_and_without_asking_from_then_on() {
    let world = world();
    let (_background, popup) = begin(&world);
    open(&popup, "developer").unwrap();
    let problem = open(&popup, "admin").unwrap_err();
    assert!(problem.is(Code::ConsoleSessionOpen), "{problem}");
    assert!(problem.message.starts_with("The console is open as 123456789012 / developer."), "{problem}");
    assert_eq!(problem.grant.as_deref(), Some(PATTERN));
    assert_eq!(tabs(&world).len(), 1);

    popup.send(&Intent::Confirm);
    assert!(outcome(&popup).is_ok());
    assert!(is_login_after_logout(&tabs(&world)[1]), "{:?}", tabs(&world));

    // It is remembered, also by the next background.
    let (_background, popup) = begin(&world);
    open(&popup, "developer").unwrap();
    assert!(is_login_after_logout(&tabs(&world)[2]), "{:?}", tabs(&world));
}

#[test]
fn a_session_that_has_ended_by_itself_is_in_nobodys_way() {
    let world = world();
    let (_background, popup) = begin(&world);
    open(&popup, "developer").unwrap();
    world.advance(TimeDelta::hours(2).to_std().unwrap());
    open(&popup, "admin").unwrap();
    assert!(is_login(&tabs(&world)[1]), "{:?}", tabs(&world));
}

#[test]
fn where_the_console_has_several_sessions_none_is_ended_and_the_sixth_is_explained() {
    let world = world();
    let mut settings = settings();
    for name in ["one", "two", "three", "four"] {
        let mut role = settings["role"][0].clone();
        role["arn"] = format!("arn:aws:iam::123456789012:role/{name}").into();
        settings["role"].as_array_mut().unwrap().push(role);
    }
    world.browser.policy.replace(Some(Ok(Some(settings.to_string()))));
    let (_background, popup) = begin(&world);
    let page = "https://123456789012-a1b2c3d4.eu-west-1.console.aws.amazon.com/console/home";
    for (number, name) in (1..).zip(["developer", "one", "two", "three", "four"]) {
        popup.send(&Intent::OpenConsole { role: role("corp", name) });
        assert!(outcome(&popup).is_ok(), "{name}: {:?}", outcome(&popup));
        shows(&world, number, page);
    }
    assert!(tabs(&world).iter().all(|url| is_login(url)), "{:?}", tabs(&world));
    let problem = open(&popup, "admin").unwrap_err();
    assert!(problem.is(Code::ConsoleSessionsFull), "{problem}");
    for name in ["developer", "one", "two", "three", "four"] {
        assert!(problem.message.contains(&format!("123456789012 / {name}")), "{problem}");
    }
    popup.send(&Intent::Confirm);
    assert!(is_login(tabs(&world).last().unwrap()));
    // That was about the number of sessions, and not about ending one.
    assert!(!world.browser.local.borrow().contains_key("consoleEndsOthers"));
}

#[test]
fn with_containers_every_role_has_its_own_session() {
    let world = world();
    world.browser.has_containers.set(true);
    let (_background, popup) = begin(&world);
    open(&popup, "developer").unwrap();
    let problem = open(&popup, "admin").unwrap_err();
    assert_eq!(problem.grant.as_deref(), Some("cookies"));

    world.browser.permissions.borrow_mut().insert("cookies".to_owned());
    popup.send(&Intent::Retry);
    assert!(outcome(&popup).is_ok());
    assert_eq!(
        world.browser.containers.borrow()[..],
        [None, Some("123456789012 / admin (123456789012)".to_owned())]
    );
    assert!(is_login(&tabs(&world)[1]), "{:?}", tabs(&world));
}

#[test]
fn a_terminal_is_told_of_the_session_in_the_way_and_may_end_it() {
    let world = World::with_host();
    world.browser.person.replace(Some("alice"));
    world.browser.permissions.borrow_mut().insert("https://eu-west-1.signin.aws.amazon.com/*".to_owned());
    let _background = world.start();
    let ask = |id, name: &str, end_session| {
        let request = ConsoleRequest {
            role: role("corp", name),
            page: Some("/s3/home?region=eu-west-1".parse().unwrap()),
            region: None,
            open: true,
            end_session,
            interactive: true,
            asked_by: None,
        };
        world.browser.program_asks(id, WorkerRequest::Console(request));
        world.run();
        world.browser.program_got(id).unwrap()
    };
    assert!(matches!(ask(1, "developer", false), Ok(WorkerResponse::Done)));
    assert!(ask(2, "admin", false).unwrap_err().is(Code::ConsoleSessionOpen));
    assert!(matches!(ask(3, "admin", true), Ok(WorkerResponse::Done)));
    assert!(is_login_after_logout(&tabs(&world)[1]), "{:?}", tabs(&world));
    // That was for once.
    assert!(ask(4, "developer", false).unwrap_err().is(Code::ConsoleSessionOpen));
}
