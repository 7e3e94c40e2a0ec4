//! Something is killed while a program in a terminal waits for credentials: whoever waits is served or told.

use anyhow::Result;
use rolecall_sandbox::{CallKind, Config};
use rolecall_tests::{Kind, Scene};
use serde_json::Value;

use crate::terminal::{QUESTION, ask};
use crate::{arrived, browser_in_the_background, on_any_port};

crate::stories![
    a_program_that_is_killed_while_it_waits_takes_nobody_with_it,
    a_host_program_that_is_killed_in_the_middle_is_not_missed,
    a_program_that_comes_before_the_next_host_program_waits_for_it,
    a_browser_that_is_killed_in_the_middle_leaves_the_sign_in_to_the_systems_own,
];

async fn a_program_that_is_killed_while_it_waits_takes_nobody_with_it(kind: Kind) -> Result<()> {
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

async fn a_host_program_that_is_killed_in_the_middle_is_not_missed(kind: Kind) -> Result<()> {
    let scene = Scene::installed(kind).await?;
    let browser = browser_in_the_background(&scene).await?;
    let authorize = scene.sandbox.hold(CallKind::Authorize);
    let program = scene.terminal().start_rolecall(QUESTION)?;
    arrived(&scene, CallKind::Authorize, 1).await?;
    scene.crash_host()?;
    authorize.release();
    browser.sign_in_window().await?.choose("Alice Adams").await?;

    // The extension went on with what it had been asked for, and its next host program was asked for the same.
    program.finish().await?.succeeded()?;
    assert_eq!(browser.sign_in_windows().await?, 0);
    assert_eq!(scene.sandbox.count(CallKind::SignIn), 1);
    assert_eq!(scene.sandbox.count(CallKind::AssumeRole), 1);
    Ok(())
}

async fn a_program_that_comes_before_the_next_host_program_waits_for_it(kind: Kind) -> Result<()> {
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

async fn a_browser_that_is_killed_in_the_middle_leaves_the_sign_in_to_the_systems_own(
    kind: Kind,
) -> Result<()> {
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
