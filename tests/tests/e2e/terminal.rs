//! A program in a terminal wants credentials, and the browser has them or gets them.

use anyhow::Result;
use rolecall_sandbox::CallKind;
use rolecall_tests::{Browser, Kind, Output, Scene};
use serde_json::Value;
use tokio::task::JoinSet;

use crate::{arrived, nothing_was_issued, popup_with_roles};

crate::stories![
    a_terminal_that_needs_credentials_opens_the_sign_in_window,
    twenty_programs_at_once_cause_one_sign_in,
    a_window_closed_on_a_terminal_is_told_there,
];

const ROLE: &str = "arn:aws:iam::111111111111:role/developer";

/// What `credential_process` runs.
async fn ask(scene: &Scene) -> Result<Output> {
    let question = ["credential-process", "--profile", "dev", "--role-arn", ROLE];
    scene.terminal().rolecall(question).await
}

/// A browser that knows the roles, and nobody in front of its popup.
async fn browser_in_the_background(scene: &Scene) -> Result<Browser> {
    let browser = scene.browser().await?;
    popup_with_roles(&browser).await?.says("connected").await?;
    browser.driver().goto("about:blank").await?;
    Ok(browser)
}

async fn a_terminal_that_needs_credentials_opens_the_sign_in_window(kind: Kind) -> Result<()> {
    let scene = Scene::installed(kind).await?;
    let browser = browser_in_the_background(&scene).await?;
    let person = async { browser.sign_in_window().await?.choose("Alice Adams").await };
    let (answer, signed_in) = tokio::join!(ask(&scene), person);
    signed_in?;
    let answer: Value = serde_json::from_str(&answer?.succeeded()?)?;
    assert_eq!(answer["Version"], 1);
    assert_eq!(answer["AccountId"], "111111111111");
    assert!(answer["SessionToken"].is_string());

    // From now on nobody is asked, not even AWS.
    ask(&scene).await?.succeeded()?;
    assert_eq!(scene.sandbox.count(CallKind::AssumeRole), 1);
    Ok(())
}

async fn twenty_programs_at_once_cause_one_sign_in(kind: Kind) -> Result<()> {
    let scene = Scene::installed(kind).await?;
    let browser = browser_in_the_background(&scene).await?;
    let discovery = scene.sandbox.hold(CallKind::Discovery);
    let terminal = std::sync::Arc::new(scene.terminal());
    let mut programs = JoinSet::new();
    for _ in 0..20 {
        let terminal = std::sync::Arc::clone(&terminal);
        programs.spawn(async move {
            let question = ["credential-process", "--profile", "dev", "--role-arn", ROLE];
            terminal.rolecall(question).await?.succeeded()
        });
    }
    arrived(&scene, CallKind::Discovery, 1).await?;
    discovery.release();
    browser.sign_in_window().await?.choose("Alice Adams").await?;
    let mut answers = Vec::new();
    while let Some(program) = programs.join_next().await {
        answers.push(program??);
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "all got the same credentials");
    assert_eq!(scene.sandbox.count(CallKind::SignIn), 1);
    assert_eq!(scene.sandbox.count(CallKind::AssumeRole), 1);
    Ok(())
}

async fn a_window_closed_on_a_terminal_is_told_there(kind: Kind) -> Result<()> {
    let scene = Scene::installed(kind).await?;
    let browser = browser_in_the_background(&scene).await?;
    let person = async { browser.sign_in_window().await?.close().await };
    let (answer, closed) = tokio::join!(ask(&scene), person);
    closed?;
    let said = answer?.failed()?;
    assert!(said.contains("error[sign-in-cancelled]"), "{said}");
    nothing_was_issued(&scene)
}
