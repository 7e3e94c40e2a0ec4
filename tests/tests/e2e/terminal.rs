//! A program in a terminal requests credentials, and the browser has them or gets them.

use anyhow::Result;
use rolecall_sandbox::{CallKind, Config};
use rolecall_tests::{Kind, Output, Scene};
use serde_json::Value;
use tokio::task::JoinSet;

use crate::{
    DEVELOPER, arrived, browser_in_the_background, nothing_was_issued, on_any_port, popup_with_roles,
    sign_in_as_alice,
};

crate::stories![
    a_terminal_that_needs_credentials_opens_the_sign_in_window,
    a_hundred_programs_at_once_cause_one_sign_in,
    closing_the_window_is_reported_in_the_terminal,
    interrupting_a_command_closes_its_sign_in_window,
    programs_are_served_while_a_person_chooses_an_account,
    the_console_opens_and_its_address_is_in_no_command_line,
    a_sign_in_for_a_terminal_shows_a_notification_for_its_role,
];

/// The command in a profile's `credential_process`.
pub(crate) const QUESTION: [&str; 5] =
    ["credential-process", "--profile", "dev", "--role-arn", "arn:aws:iam::111111111111:role/developer"];

/// Runs it.
pub(crate) async fn ask(scene: &Scene) -> Result<Output> {
    scene.terminal().rolecall(QUESTION).await
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

    // From now on neither the person nor AWS is asked.
    ask(&scene).await?.succeeded()?;
    assert_eq!(scene.sandbox.count(CallKind::AssumeRole), 1);
    Ok(())
}

async fn the_console_opens_and_its_address_is_in_no_command_line(kind: Kind) -> Result<()> {
    let mut config = Config::default();
    config.console.multi_session = true;
    for client in &mut config.provider.clients {
        client.redirect_uris.push("http://localhost:*/redirect_uri".to_owned());
    }
    let scene = Scene::installed_with(kind, config).await?;
    scene.write_settings(on_any_port)?;
    let browser = browser_in_the_background(&scene).await?;
    let person = async { browser.sign_in_window().await?.choose("Alice Adams").await };
    let terminal = scene.terminal();
    let (opened, signed_in) = tokio::join!(terminal.rolecall(["console", "developer"]), person);
    signed_in?;
    opened?.succeeded()?;
    assert!(browser.console().await?.contains("Signed in as developer"));

    // Without the extension, the system's browser is started with what is written to a file here.
    let console = scene.terminal().start_rolecall(["console", "readonly", "--method", "loopback"])?;
    browser.driver().goto(scene.opened().await?).await?;
    let address = scene.opened().await?;
    assert!(address.starts_with("http://127.0.0.1:") && address.len() < 70, "{address}");
    browser.driver().goto(&address).await?;
    assert!(browser.text().await?.contains("Signed in as readonly"));
    console.finish().await?.succeeded()?;
    Ok(())
}

async fn a_hundred_programs_at_once_cause_one_sign_in(kind: Kind) -> Result<()> {
    let scene = Scene::installed(kind).await?;
    let browser = browser_in_the_background(&scene).await?;
    let discovery = scene.sandbox.hold(CallKind::Discovery);
    let terminal = std::sync::Arc::new(scene.terminal());
    let mut programs = JoinSet::new();
    for _ in 0..100 {
        let terminal = std::sync::Arc::clone(&terminal);
        programs.spawn(async move { terminal.rolecall(QUESTION).await?.succeeded() });
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

async fn closing_the_window_is_reported_in_the_terminal(kind: Kind) -> Result<()> {
    let scene = Scene::installed(kind).await?;
    let browser = browser_in_the_background(&scene).await?;
    let person = async { browser.sign_in_window().await?.close().await };
    let (answer, closed) = tokio::join!(ask(&scene), person);
    closed?;
    let said = answer?.failed()?;
    assert!(said.contains("error[sign-in-cancelled]"), "{said}");
    nothing_was_issued(&scene)
}

async fn interrupting_a_command_closes_its_sign_in_window(kind: Kind) -> Result<()> {
    let scene = Scene::installed(kind).await?;
    let browser = browser_in_the_background(&scene).await?;
    let program = scene.terminal().start_rolecall(QUESTION)?;
    let window = browser.sign_in_window().await?;
    program.interrupt().await?;
    window.has_closed().await?;

    // Nothing is left that a later request would have to wait for.
    let person = async { browser.sign_in_window().await?.choose("Alice Adams").await };
    let (answer, signed_in) = tokio::join!(ask(&scene), person);
    signed_in?;
    answer?.succeeded()?;
    Ok(())
}

async fn programs_are_served_while_a_person_chooses_an_account(kind: Kind) -> Result<()> {
    let scene = Scene::installed(kind).await?;
    let browser = scene.browser().await?;
    let popup = popup_with_roles(&browser).await?;
    sign_in_as_alice(&browser, &popup, DEVELOPER).await?;
    popup.press("Account").await?;
    popup.press("Use another account…").await?;
    let window = browser.sign_in_window().await?;

    // One role from memory, the other with the existing ID token.
    ask(&scene).await?.succeeded()?;
    let other = ["credential-process", "--profile", "other", "--role-arn"];
    let other = other.into_iter().chain(["arn:aws:iam::111111111111:role/readonly"]);
    scene.terminal().rolecall(other).await?.succeeded()?;
    assert_eq!(browser.sign_in_windows().await?, 1);
    window.choose("Bob Brown").await
}

async fn a_sign_in_for_a_terminal_shows_a_notification_for_its_role(kind: Kind) -> Result<()> {
    let scene = Scene::installed(kind).await?;
    let browser = scene.browser().await?;
    let popup = popup_with_roles(&browser).await?;
    popup.says("connected").await?;
    // A person who presses the button needs no notification.
    popup.press("Sign in").await?;
    let window = browser.sign_in_window().await?;
    assert_eq!(popup.notifications().await?, [""; 0]);
    window.close().await?;
    popup.alert("sign-in-cancelled").await?;

    let person = async {
        let window = browser.sign_in_window().await?;
        assert_eq!(popup.notifications().await?, ["arn:aws:iam::111111111111:role/developer"]);
        window.choose("Alice Adams").await
    };
    let (answer, signed_in) = tokio::join!(ask(&scene), person);
    signed_in?;
    answer?.succeeded()?;
    assert_eq!(popup.notifications().await?, [""; 0], "it is removed");
    Ok(())
}
