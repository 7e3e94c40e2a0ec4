//! Credentials in use are renewed in time, and a session ends when a person signs out.

use anyhow::{Result, ensure};
use chrono::TimeDelta;
use rolecall_sandbox::CallKind;
use rolecall_tests::{Browser, Kind, Scene, entries, until};

use crate::terminal::{QUESTION, ask};
use crate::{arrived, browser_in_the_background, prompts};

crate::stories![
    credentials_in_use_are_renewed_before_they_run_short,
    signing_out_revokes_the_refresh_token_and_ends_the_session_at_the_provider,
    signing_out_keeps_the_session_at_the_provider_on_request,
];

async fn credentials_in_use_are_renewed_before_they_run_short(kind: Kind) -> Result<()> {
    let scene = Scene::installed(kind).await?;
    scene.write_settings(|settings| {
        for role in entries(settings, "role") {
            role.insert("duration".into(), 3_600.into());
        }
    })?;
    // Of an hour, 20 seconds are left: they are renewed when half of those are left.
    scene.sandbox.clock().advance(TimeDelta::seconds(20) - TimeDelta::minutes(60));
    let browser = browser_in_the_background(&scene).await?;
    let first = ask_and_sign_in(&scene, &browser).await?;

    scene.sandbox.clock().reset();
    arrived(&scene, CallKind::AssumeRole, 2).await?;
    assert_eq!(browser.sign_in_windows().await?, 0);

    // Requests get the new ones as soon as the background has STS's answer.
    until("the new credentials", async || Ok((ask(&scene).await?.succeeded()? != first).then_some(())))
        .await?;
    assert_eq!(scene.sandbox.count(CallKind::AssumeRole), 2);
    Ok(())
}

/// Requests credentials from a program and signs in as Alice; returns the program's output.
async fn ask_and_sign_in(scene: &Scene, browser: &Browser) -> Result<String> {
    let person = async { browser.sign_in_window().await?.choose("Alice Adams").await };
    let (answer, signed_in) = tokio::join!(ask(scene), person);
    signed_in?;
    answer?.succeeded()
}

/// A machine whose provider issues refresh tokens.
async fn scene_with_refresh_tokens(kind: Kind) -> Result<Scene> {
    let scene = Scene::installed(kind).await?;
    scene.write_settings(|settings| {
        for provider in entries(settings, "provider") {
            provider.insert("scope".into(), "openid email offline_access".into());
        }
    })?;
    Ok(scene)
}

async fn signing_out_revokes_the_refresh_token_and_ends_the_session_at_the_provider(
    kind: Kind,
) -> Result<()> {
    let scene = scene_with_refresh_tokens(kind).await?;
    let browser = browser_in_the_background(&scene).await?;
    ask_and_sign_in(&scene, &browser).await?;

    scene.terminal().rolecall(["logout", "--all"]).await?.succeeded()?;
    ensure!(browser.provider_page("logout").await?.contains("No one is signed in"));
    assert_eq!(scene.sandbox.count(CallKind::Revoke), 1);
    // The address contains no token, only the client id.
    let address = browser.driver().current_url().await?;
    assert_eq!(address.query_pairs().count(), 1);
    let answer = scene.terminal().with("ROLECALL_BATCH", "1").rolecall(QUESTION).await?;
    ensure!(answer.failed()?.contains("error[sign-in-needed]"));
    Ok(())
}

async fn signing_out_keeps_the_session_at_the_provider_on_request(kind: Kind) -> Result<()> {
    let scene = scene_with_refresh_tokens(kind).await?;
    let browser = browser_in_the_background(&scene).await?;
    ask_and_sign_in(&scene, &browser).await?;

    scene.terminal().rolecall(["logout", "--all", "--keep-session"]).await?.succeeded()?;
    assert_eq!(scene.sandbox.count(CallKind::Revoke), 1);
    assert_eq!(scene.sandbox.count(CallKind::Logout), 0);
    // The provider still has her session, but the next person chooses an account all the same.
    ask_and_sign_in(&scene, &browser).await?;
    assert_eq!(prompts(&scene).last().map(String::as_str), Some("select_account"));
    Ok(())
}
