use rolecall_core::message::host::{CredentialsRequest, Program};
use rolecall_core::message::page::PageRequest;

use super::*;
use crate::scripted::{World, role};

fn credentials(name: &str) -> WorkerRequest {
    WorkerRequest::Credentials(CredentialsRequest {
        role: role("corp", name),
        time_left_seconds: 900,
        interactive: true,
        asked_by: Some(Program { path: "/usr/bin/aws".to_owned(), parent: None, is_recognisable: true }),
    })
}

#[test]
fn a_program_that_asks_before_the_settings_have_come_is_served_when_they_have() {
    let world = World::with_host();
    world.browser.person.replace(Some("alice"));
    let background = world.start();
    world.browser.program_asks(1, credentials("developer"));
    world.run();
    let Some(Ok(WorkerResponse::Credentials { keep, .. })) = world.browser.program_got(1) else {
        panic!("{:?}", world.browser.program_got(1));
    };
    assert!(keep);
    drop(background);
}

#[test]
fn the_window_of_a_program_that_has_gone_is_closed_unless_it_is_asked_for_again_at_once() {
    let world = World::with_host();
    let _background = world.start();
    world.run();
    world.browser.program_asks(1, credentials("developer"));
    world.run();
    assert_eq!(world.browser.open_windows(), 1);
    assert_eq!(world.browser.notifications.borrow().len(), 1);

    world.browser.host_sends(&ToWorker::Cancel { id: 1 });
    world.advance(Duration::from_secs(1));
    world.browser.program_asks(2, credentials("developer"));
    world.advance(Duration::from_secs(5));
    assert_eq!((world.browser.open_windows(), world.browser.count("Window")), (1, 1));

    world.browser.host_sends(&ToWorker::Cancel { id: 2 });
    world.advance(Duration::from_secs(2));
    assert_eq!(world.browser.open_windows(), 0);
    assert!(world.browser.notifications.borrow().is_empty());
    assert!(world.browser.program_got(1).is_none() && world.browser.program_got(2).is_none());
}

#[test]
fn a_response_goes_to_the_host_program_that_asked_and_to_no_other() {
    let world = World::with_host();
    let _background = world.start();
    world.run();
    world.browser.program_asks(1, credentials("developer"));
    world.run();
    world.browser.host_exits();
    world.advance(Duration::from_secs(1));
    assert_eq!(world.browser.hosts.borrow().len(), 2);

    // The next host program uses the same ids for other requests.
    world.browser.program_asks(1, credentials("admin"));
    world.run();
    world.browser.sign_in_at_window("alice");
    world.run();
    let Some(Ok(WorkerResponse::Credentials { .. })) = world.browser.program_got(1) else { panic!() };
    assert_eq!(world.browser.responses_of_last_host(), 1);
}

#[test]
fn a_host_that_stops_is_started_again_later_each_time() {
    let world = World::with_host();
    let background = world.start();
    world.run();
    assert!(background.host().is_connected());
    world.browser.host_is_installed.set(true);
    world.browser.host_exits();
    assert!(!background.host().is_connected());
    world.advance(Duration::from_millis(999));
    assert_eq!(world.browser.hosts.borrow().len(), 1);
    world.advance(Duration::from_millis(1));
    assert_eq!(world.browser.hosts.borrow().len(), 2);
    assert!(background.host().is_connected());
}

#[test]
fn a_host_that_is_not_installed_is_found_while_a_page_is_open() {
    let world = World::with_host();
    world.browser.host_is_installed.set(false);
    let background = world.start();
    let _popup = world.popup(&background);
    assert!(!background.host().is_connected());
    world.browser.host_is_installed.set(true);
    world.advance(Duration::from_millis(1_500));
    assert!(background.host().is_connected());
}

#[test]
fn settings_that_have_not_changed_are_not_sent_again_for_each_popup() {
    let world = World::with_host();
    let background = world.start();
    world.run();
    drop(world.popup(&background));
    let hosts = world.browser.hosts.borrow();
    let sent = |request: &str| hosts[0].posted.borrow().iter().filter(|sent| sent.contains(request)).count();
    assert_eq!((sent(r#""settingsRevision""#), sent(r#"{"settings":"#)), (1, 1));
}

#[test]
fn a_terminal_is_told_who_is_signed_in_and_which_roles_there_are() {
    let world = World::with_host();
    world.browser.person.replace(Some("alice"));
    let _background = world.start();
    world.run();
    world.browser.program_asks(1, credentials("developer"));
    world.run();
    world.browser.program_asks(2, WorkerRequest::Status(PageRequest::default()));
    world.run();
    let Some(Ok(WorkerResponse::Status(page))) = world.browser.program_got(2) else { panic!() };
    assert_eq!(page.people[0].person.as_deref(), Some("alice@example.com"));
    let with_credentials: Vec<_> =
        page.roles.iter().filter(|role| role.expiration.is_some()).map(|role| role.role.clone()).collect();
    assert_eq!((page.roles.len(), with_credentials), (4, vec![role("corp", "developer")]));
}
