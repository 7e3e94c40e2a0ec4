use std::rc::Rc;

use rolecall_core::console::Place;
use rolecall_core::message::host::{ConsoleRequest, WorkerRequest, WorkerResponse};
use rolecall_core::message::ui::Intent;
use rolecall_core::time::TimeDelta;
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

/// The popup above this tab.
fn above<'a>(world: &'a World, background: &Rc<Background>, tab: u32, address: &str) -> Popup<'a> {
    shows(world, tab, address);
    world.browser.tab_in_front.set(Some(tab));
    world.popup(background)
}

#[test]
fn a_tab_whose_session_has_ended_goes_on_where_it_was() {
    let world = world();
    let (background, popup) = begin(&world);
    open(&popup, "developer").unwrap();
    popup.send(&Intent::OpenConsole { role: role("corp", "admin") });
    popup.send(&Intent::Confirm);
    popup.close();
    // The role's session was ended for that of the other role, and AWS asks to sign in.
    let page = "https://eu-west-1.console.aws.amazon.com/ec2/home?region=eu-west-1#Instances:";
    let sign_in = "https://eu-west-1.signin.aws.amazon.com/oauth?redirect_uri=https%3A%2F%2Feu-west-1.console.aws.amazon.com%2Fs3%2Fhome";
    for (address, goes_on) in
        [(page, "%2Fec2%2Fhome%3Fregion%3Deu-west-1%23Instances"), (sign_in, "%2Fs3%2Fhome")]
    {
        let popup = above(&world, &background, 1, address);
        let tab = popup.state().go_on.unwrap();
        assert_eq!(tab.role, role("corp", "developer"), "{address}");
        popup.send(&Intent::GoOn(Box::new(tab)));
        assert!(outcome(&popup).unwrap().starts_with("Opened the console as 123456789012 / developer"));
        let (tab, url) = world.browser.shown_tabs.borrow().last().cloned().unwrap();
        let url = url.unwrap();
        assert!(
            tab == 1 && is_login_after_logout(&url) && url.contains(&goes_on.replace('%', "%25")),
            "{url}"
        );
        popup.close();
    }
    assert_eq!(tabs(&world).len(), 2, "no further tab");
}

#[test]
fn a_tab_that_rolecall_has_not_opened_goes_on_as_the_role_of_its_account_that_is_used_most() {
    let world = world();
    let (background, popup) = begin(&world);
    open(&popup, "developer").unwrap();
    popup.close();
    let page = |account: &str| format!("https://{account}-a1b2c3d4.eu-west-1.console.aws.amazon.com/s3/home");
    for (address, expected) in [
        (page("123456789012"), Some(role("corp", "developer"))),
        (page("999999999999"), None),
        ("https://eu-west-1.console.aws.amazon.com/s3/home".to_owned(), None),
        ("https://example.com/".to_owned(), None),
    ] {
        let popup = above(&world, &background, 7, &address);
        assert_eq!(popup.state().go_on.map(|tab| tab.role), expected, "{address}");
        popup.close();
    }
    // In the role's own tab, another account's session was chosen.
    assert_eq!(above(&world, &background, 1, &page("999999999999")).state().go_on, None);
    // It is about one tab, and gone with the popup.
    world.browser.tab_in_front.set(None);
    assert_eq!(world.popup(&background).state().go_on, None);
}

#[test]
fn what_is_confirmed_goes_on_in_the_tab_that_it_was_asked_for_and_nowhere_if_that_shows_something_else() {
    let page = "https://eu-west-1.console.aws.amazon.com/s3/home";
    for address in [page, "https://example.com/"] {
        let world = world();
        let (background, popup) = begin(&world);
        open(&popup, "developer").unwrap();
        popup.send(&Intent::OpenConsole { role: role("corp", "admin") });
        popup.send(&Intent::Confirm);
        popup.close();
        let popup = above(&world, &background, 1, page);
        let tab = popup.state().go_on.unwrap();
        popup.close();
        // The popup of another tab, and what the first tab shows by then.
        let popup = above(&world, &background, 2, page);
        shows(&world, 1, address);
        popup.send(&Intent::GoOn(Box::new(tab)));
        assert!(outcome(&popup).unwrap().starts_with("Opened the console as 123456789012 / developer"));
        let shown = world.browser.shown_tabs.borrow().iter().filter(|(_, url)| url.is_some()).count();
        assert_eq!((shown, tabs(&world).len()), if address == page { (1, 2) } else { (0, 3) }, "{address}");
    }
}

#[test]
fn a_page_that_only_looks_like_awss_sign_in_is_not_gone_on_with() {
    let world = world();
    let (background, popup) = begin(&world);
    open(&popup, "developer").unwrap();
    popup.close();
    let behind =
        "?redirect_uri=https%3A%2F%2F123456789012-a1b2c3d4.eu-west-1.console.aws.amazon.com%2Fs3%2Fhome";
    for (site, expected) in [
        ("https://eu-west-1.signin.aws.amazon.com/oauth", true),
        ("https://evil.example/oauth", false),
        ("http://signin.aws.amazon.com/oauth", false),
    ] {
        let popup = above(&world, &background, 7, &[site, behind].concat());
        assert_eq!(popup.state().go_on.is_some(), expected, "{site}");
        popup.close();
    }
}

#[test]
fn the_popup_and_a_terminal_open_the_same_address_for_the_same_words() {
    let address = "https://eu-north-1.console.aws.amazon.com/ec2/home?region=eu-north-1#Instances:";
    for (typed, region) in [
        ("s3", None),
        ("iam", None),
        ("logs", Some("eu-north-1")),
        ("arn:aws:lambda:eu-north-1:123456789012:function:resize", None),
        ("arn:aws:s3:::bucket/a/b", Some("eu-north-1")),
        (address, None),
    ] {
        let addresses = [true, false].map(|is_popup| {
            let world = World::with_host();
            world.browser.person.replace(Some("alice"));
            for region in ["eu-west-1", "eu-north-1", "us-east-1"] {
                let pattern = format!("https://{region}.signin.aws.amazon.com/*");
                world.browser.permissions.borrow_mut().insert(pattern);
            }
            let background = world.start();
            let key = role("corp", "developer");
            if is_popup {
                let page = [typed, region.unwrap_or_default()].join(" ");
                world.popup(&background).send(&Intent::OpenPage { role: key, page });
            } else {
                // As `rolecall console` does.
                let own = "eu-west-1".parse().unwrap();
                let region = region.map_or(own, |region| region.parse().unwrap());
                let place = Place::find(typed, &key.arn, &region).unwrap();
                let request = ConsoleRequest {
                    role: key,
                    page: place.page,
                    region: Some(place.region),
                    open: true,
                    end_session: false,
                    interactive: true,
                    asked_by: None,
                };
                world.browser.program_asks(1, WorkerRequest::Console(request));
                world.run();
                assert!(matches!(world.browser.program_got(1), Some(Ok(WorkerResponse::Done))), "{typed}");
            }
            tabs(&world)
        });
        assert_eq!(addresses[0], addresses[1], "{typed}");
        assert!(
            addresses[0].len() == 1 && addresses[0][0].contains("Action=login"),
            "{typed}: {addresses:?}"
        );
    }
}

#[test]
fn a_page_that_nobody_knows_is_refused_in_the_popup_with_what_may_be_meant() {
    let world = world();
    let (_background, popup) = begin(&world);
    let ask = |page: &str| {
        popup.send(&Intent::OpenPage { role: role("corp", "developer"), page: page.to_owned() });
        outcome(&popup)
    };
    let problem = ask("lamda").unwrap_err();
    assert!(problem.is(Code::ConsolePageInvalid) && problem.next_step == "Did you mean lambda?", "{problem}");
    for hostile in ["https://console.aws.amazon.com.evil.example/", "https://console.amazonaws.cn/s3/home"] {
        assert!(ask(hostile).unwrap_err().is(Code::ConsolePageInvalid), "{hostile}");
    }
    assert_eq!(tabs(&world).len(), 0);
    let note = ask("arn:aws:sqs:eu-west-1:999999999999:jobs").unwrap();
    assert!(
        note.ends_with(
            "This is in the account 999999999999, the role in 123456789012: the page may not show it."
        ),
        "{note}"
    );
}

#[test]
fn an_address_from_the_menu_of_a_page_is_opened_as_a_role_that_is_chosen_in_a_window() {
    let world = world();
    let background = world.start();
    let choose = |address: &'static str| {
        background.on_console_address(address.to_owned());
        world.run();
        world.browser.pages.borrow().values().last().cloned().unwrap()
    };
    assert_eq!(
        choose("https://eu-west-1.console.aws.amazon.com/s3/home?region=eu-west-1#a"),
        "popup.html#%20%3E%20https%3A%2F%2Feu-west-1.console.aws.amazon.com%2Fs3%2Fhome%3Fregion%3Deu-west-1%23a"
    );
    let of_a_session = choose("https://123456789012-a1b2c3d4.eu-west-1.console.aws.amazon.com/s3/home");
    assert!(of_a_session.starts_with("popup.html#123456789012%20%3E%20https"), "{of_a_session}");
    // An account without roles finds none.
    let of_others = choose("https://999999999999-a1b2c3d4.eu-west-1.console.aws.amazon.com/s3/home");
    assert!(of_others.starts_with("popup.html#%20%3E%20https"), "{of_others}");
}

#[test]
fn a_console_of_somebody_elses_is_signed_out_of_only_where_it_can_be() {
    for (host, can_be) in [("console.example", false), ("signin.example", true)] {
        let world = world();
        let mut settings = settings();
        settings["provider"][0]["console_endpoint"] = format!("https://{host}/federation").into();
        world.browser.policy.replace(Some(Ok(Some(settings.to_string()))));
        world.browser.permissions.borrow_mut().insert(format!("https://{host}/*"));
        let (_background, popup) = begin(&world);
        open(&popup, "developer").unwrap();
        open(&popup, "admin").unwrap_err();
        popup.send(&Intent::Confirm);
        let start = if can_be { "/oauth?Action=logout&redirect_uri=" } else { "/federation?Action=login" };
        assert!(tabs(&world)[1].starts_with(&format!("https://{host}{start}")), "{:?}", tabs(&world));
    }
}

#[test]
fn tabs_are_put_into_the_group_of_their_account_only_if_a_person_wants_that() {
    let world = world();
    let mut settings = settings();
    settings["account"] = serde_json::json!([{ "id": "123456789012", "alias": "dev", "color": "green" }]);
    world.browser.policy.replace(Some(Ok(Some(settings.to_string()))));
    let (background, popup) = begin(&world);
    assert_eq!(popup.state().groups_tabs, Some(false));
    open(&popup, "developer").unwrap();
    assert_eq!(world.browser.groups.borrow().len(), 0);

    world.browser.permissions.borrow_mut().insert("tabGroups".to_owned());
    let changed = Rc::clone(&background);
    world.finish(async move { changed.on_permissions_changed().await });
    assert_eq!(popup.state().groups_tabs, Some(true));
    open(&popup, "admin").unwrap_err();
    popup.send(&Intent::Confirm);
    assert_eq!(world.browser.groups.borrow()[..], [(2, "dev".to_owned(), Some("green".to_owned()))]);

    world.browser.has_containers.set(true);
    assert_eq!(world.popup(&background).state().groups_tabs, None);
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
