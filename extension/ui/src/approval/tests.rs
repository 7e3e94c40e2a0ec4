//! The question in a browser: `approval.html` itself, with a stand-in for the extension API.

use rolecall_core::message::host::Program;
use rolecall_core::message::ui::{ApprovalState, Decision, Intent, Purpose, State};
use rolecall_core::time::{TimeDelta, Utc};
use wasm_bindgen_test::wasm_bindgen_test;

use crate::opened::Opened;
use crate::view::fixture::{Scene, role};

fn state(may_be_remembered: bool) -> Scene {
    let question = ApprovalState {
        id: 7,
        role: role("acme-dev", "Developer").key,
        account: "acme-dev".into(),
        color: None,
        program: Some(Program { path: "/usr/bin/aws".into(), parent: None, is_recognisable: true }),
        purpose: Purpose::Credentials,
        may_be_remembered,
        until: Utc::now() + TimeDelta::seconds(50),
    };
    State { approvals: vec![question], ..State::default() }.into()
}

fn answer(decision: Decision) -> Intent {
    Intent::Answer { approval: 7, decision }
}

#[wasm_bindgen_test]
async fn nothing_that_was_pressed_for_something_else_is_a_yes() {
    let page = Opened::question(7);
    page.receive(&state(true));
    assert_eq!(page.focused(), "question", "no button has the focus");
    assert_eq!(page.get("#allow-once").get_attribute("aria-disabled").as_deref(), Some("true"));
    page.button("Allow once").click();
    page.button("Allow for 8 hours").click();
    assert_eq!(page.posted(), []);
    page.next_attribute_of("#allow-once").await;
    page.button("Allow once").click();
    page.button("Allow for 8 hours").click();
    assert_eq!(page.posted(), [answer(Decision::AllowOnce), answer(Decision::AllowForAWhile)]);
}

#[wasm_bindgen_test]
fn a_no_counts_at_once() {
    let page = Opened::question(7);
    page.receive(&state(true));
    page.button("Refuse").click();
    page.key_in("#question", "Escape");
    assert_eq!(page.posted(), [answer(Decision::Refuse), answer(Decision::Refuse)]);
}

#[wasm_bindgen_test]
fn it_says_who_asks_for_what_and_offers_what_the_settings_let_it() {
    let page = Opened::question(7);
    page.receive(&state(false));
    assert_eq!(page.text("#role"), "acme-dev / Developer");
    assert_eq!(page.text("#arn"), "arn:aws:iam::123456789012:role/Developer");
    assert_eq!(page.text("#program"), "/usr/bin/aws");
    assert!(!page.is_shown("#parent") && !page.is_shown("#allow-for-a-while"));
    page.receive(&state(true));
    assert!(page.is_shown("#allow-for-a-while"));
}

#[wasm_bindgen_test]
fn a_question_that_is_no_longer_asked_says_so() {
    let page = Opened::question(7);
    page.receive(&state(true));
    assert!(page.is_shown("#question") && !page.is_shown("#closed"));
    page.receive(&Scene::default());
    assert!(!page.is_shown("#question") && page.is_shown("#closed"));
}
