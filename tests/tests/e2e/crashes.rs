//! Something is killed while a program in a terminal waits for credentials: every waiting program gets credentials or
//! an error.

use anyhow::Result;
use rolecall_sandbox::{CallKind, Config};
use rolecall_tests::{Kind, Scene};
use serde_json::Value;

use crate::terminal::{QUESTION, ask};
use crate::{arrived, browser_in_the_background, on_any_port};

crate::stories![
    killing_a_waiting_program_does_not_affect_others,
    killing_the_host_program_does_not_fail_the_request,
    a_program_started_before_the_next_host_program_waits_for_it,
    after_the_browser_is_killed_the_systems_browser_signs_in,
];

async fn killing_a_waiting_program_does_not_affect_others(kind: Kind) -> Result<()> {
    let scene = Scene::installed(kind).await?;
    let browser = browser_in_the_background(&scene).await?;
    let first = scene.terminal().start_rolecall(QUESTION)?;
    let window = browser.sign_in_window().await?;
    let other = async {
        first.kill().await?;
        window.choose("Alice Adams").await
    };
    let (answer, signed_in) = tokio::join!(ask(&scene), other);
    signed_in?;
    let answer: Value = serde_json::from_str(&answer?.succeeded()?)?;
    assert_eq!(answer["AccountId"], "111111111111");
    assert_eq!(scene.sandbox.count(CallKind::AssumeRole), 1);
    Ok(())
}

async fn killing_the_host_program_does_not_fail_the_request(kind: Kind) -> Result<()> {
    let scene = Scene::installed(kind).await?;
    let browser = browser_in_the_background(&scene).await?;
    let authorize = scene.sandbox.hold(CallKind::Authorize);
    let program = scene.terminal().start_rolecall(QUESTION)?;
    arrived(&scene, CallKind::Authorize, 1).await?;
    scene.crash_host()?;
    authorize.release();
    browser.sign_in_window().await?.choose("Alice Adams").await?;

    // The extension continued, and the command repeated its request to the next host program.
    program.finish().await?.succeeded()?;
    assert_eq!(browser.sign_in_windows().await?, 0);
    assert_eq!(scene.sandbox.count(CallKind::SignIn), 1);
    assert_eq!(scene.sandbox.count(CallKind::AssumeRole), 1);
    Ok(())
}

async fn a_program_started_before_the_next_host_program_waits_for_it(kind: Kind) -> Result<()> {
    let scene = Scene::installed(kind).await?;
    let browser = browser_in_the_background(&scene).await?;
    scene.crash_host()?;
    scene.host_has_ended().await?;
    let program = scene.terminal().start_rolecall(QUESTION)?;
    browser.sign_in_window().await?.choose("Alice Adams").await?;
    program.finish().await?.succeeded()?;
    assert_eq!(scene.sandbox.count(CallKind::AssumeRole), 1);
    Ok(())
}

async fn after_the_browser_is_killed_the_systems_browser_signs_in(kind: Kind) -> Result<()> {
    let mut config = Config::default();
    config.provider.clients[0].redirect_uris.push("http://localhost:*/redirect_uri".to_owned());
    let scene = Scene::installed_with(kind, config).await?;
    scene.write_settings(on_any_port)?;
    let browser = browser_in_the_background(&scene).await?;
    let program = scene.terminal().start_rolecall(QUESTION)?;
    browser.sign_in_window().await?;
    scene.crash_browser()?;
    scene.host_has_ended().await?;
    let address = scene.opened().await?;
    drop(browser);

    let browser = scene.browser().await?;
    browser.driver().goto(address).await?;
    browser.sign_in_window().await?.answer("Alice Adams").await?;
    program.finish().await?.succeeded()?;
    assert_eq!(scene.sandbox.count(CallKind::AssumeRole), 1);
    Ok(())
}
