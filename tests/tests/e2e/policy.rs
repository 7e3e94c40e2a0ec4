//! The organisation's policy, in a browser that has nothing else.

use anyhow::Result;
use rolecall_sandbox::Config;
use rolecall_tests::{Kind, Scene};

use crate::{BREAK_GLASS, popup_with_roles, sign_in_as_alice};

crate::stories![
    a_policy_is_enough_to_sign_in only in Firefox because "policies are read from the system's folder only",
    what_the_popup_says_outlives_an_idle_background
        only in Firefox because "policies are read from the system's folder only",
];

async fn a_policy_is_enough_to_sign_in(kind: Kind) -> Result<()> {
    let scene = Scene::bare(kind, Config::default()).await?;
    scene.write_policy()?;
    let browser = scene.browser().await?;
    let popup = popup_with_roles(&browser).await?;
    popup.says("Host program not installed").await?;
    sign_in_as_alice(&browser, &popup, crate::DEVELOPER).await
}

async fn what_the_popup_says_outlives_an_idle_background(kind: Kind) -> Result<()> {
    let scene = Scene::bare(kind, Config::default()).await?;
    scene.write_policy()?;
    let browser = scene.browser().await?;
    let popup = popup_with_roles(&browser).await?;
    popup.select(BREAK_GLASS).await?;
    popup.press("Sign in").await?;
    browser.sign_in_window().await?.choose("Alice Adams").await?;
    popup.alert("sts-access-denied").await?;

    // No native port keeps the background here.
    browser.end_background().await?;
    let popup = popup_with_roles(&browser).await?;
    popup.alert("sts-access-denied").await?;
    popup.says("alice@example.com").await?;
    Ok(())
}
