use rolecall_core::message::host::{CredentialsRequest, ToWorker, WorkerRequest, WorkerResponse};
use rolecall_core::message::ui::Intent;
use rolecall_core::settings::Reading;

use super::*;
use crate::background::Background;
use crate::scripted::{World, role, settings};

/// A browser whose settings want programs to be approved, with somebody signed in.
fn world(approve: &str) -> (World, Rc<Background>) {
    let world = World::with_host();
    let mut settings = settings();
    for provider in settings["provider"].as_array_mut().unwrap() {
        provider["approve"] = approve.into();
    }
    world.browser.machine.replace(Reading::from_json(&settings.to_string()));
    world.browser.person.replace(Some("alice"));
    let background = world.start();
    world.run();
    (world, background)
}

fn ask(world: &World, id: u32, program: Option<&str>, name: &str) {
    let asked_by = program.map(|path| Program { path: path.to_owned(), parent: None, is_recognisable: true });
    let role = role("corp", name);
    let request = CredentialsRequest { role, time_left_seconds: 900, interactive: true, asked_by };
    world.browser.program_asks(id, WorkerRequest::Credentials(request));
    world.run();
}

fn answer(world: &World, background: &Rc<Background>, decision: Decision) {
    let popup = world.popup(background);
    let approval = popup.state().approvals[0].id;
    popup.send(&Intent::Answer { approval, decision });
}

fn is_served(world: &World, id: u32) -> bool {
    match world.browser.program_got(id) {
        Some(Ok(WorkerResponse::Credentials { keep, .. })) => {
            assert!(!keep, "what a person has to allow each program is kept for none");
            true
        }
        Some(Err(problem)) => panic!("{problem:?}"),
        _ => false,
    }
}

fn refusal(world: &World, id: u32) -> String {
    world.browser.program_got(id).unwrap().unwrap_err().code.clone()
}

#[test]
fn a_decision_for_a_while_holds_for_that_program_and_role_only() {
    let (world, background) = world("first");
    ask(&world, 1, Some("/usr/bin/aws"), "developer");
    assert!(!is_served(&world, 1));
    assert_eq!(world.browser.pages.borrow().len(), 1);
    answer(&world, &background, Decision::AllowForAWhile);
    assert!(is_served(&world, 1));
    assert!(world.browser.pages.borrow().is_empty(), "its window is closed");

    ask(&world, 2, Some("/usr/bin/aws"), "developer");
    assert!(is_served(&world, 2));
    ask(&world, 3, Some("/usr/bin/terraform"), "developer");
    ask(&world, 4, Some("/usr/bin/aws"), "admin");
    assert_eq!(world.browser.pages.borrow().len(), 2);

    // It is over after 8 hours, and with the session of whoever allowed it.
    background.sign_out_at("corp");
    ask(&world, 5, Some("/usr/bin/aws"), "developer");
    assert!(!is_served(&world, 5));
}

#[test]
fn requests_of_one_program_share_a_question_and_those_of_unknown_programs_do_not() {
    let (world, background) = world("always");
    ask(&world, 1, Some("/usr/bin/aws"), "developer");
    ask(&world, 2, Some("/usr/bin/aws"), "developer");
    assert_eq!(world.browser.pages.borrow().len(), 1);
    answer(&world, &background, Decision::AllowOnce);
    assert!(is_served(&world, 1) && is_served(&world, 2));

    ask(&world, 3, None, "developer");
    ask(&world, 4, None, "developer");
    assert_eq!(world.browser.pages.borrow().len(), 2);
}

#[test]
fn a_question_that_is_refused_or_not_answered_in_time_gives_nothing() {
    let (world, background) = world("always");
    ask(&world, 1, Some("/usr/bin/aws"), "developer");
    answer(&world, &background, Decision::Refuse);
    assert_eq!(refusal(&world, 1), "approval-refused");
    ask(&world, 2, Some("/usr/bin/aws"), "developer");
    world.advance(Duration::from_secs(50));
    assert_eq!(refusal(&world, 2), "approval-needed");
    assert!(world.browser.pages.borrow().is_empty());
    assert_eq!(world.browser.count("sts."), 0);
}

#[test]
fn the_question_of_a_program_that_has_gone_is_closed() {
    let (world, background) = world("always");
    ask(&world, 1, Some("/usr/bin/aws"), "developer");
    world.browser.host_sends(&ToWorker::Cancel { id: 1 });
    world.advance(Duration::from_secs(2));
    assert!(world.browser.pages.borrow().is_empty());
    assert!(world.popup(&background).state().approvals.is_empty());
}

#[test]
fn no_more_than_four_questions_are_open_at_once() {
    let (world, _background) = world("always");
    for id in 1..=4 {
        ask(&world, id, Some(&format!("/usr/bin/{id}")), "developer");
    }
    ask(&world, 5, Some("/usr/bin/5"), "developer");
    assert_eq!(refusal(&world, 5), "approval-needed");
    assert_eq!(world.browser.pages.borrow().len(), 4);
}
