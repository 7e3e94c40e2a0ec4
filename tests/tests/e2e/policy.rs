//! The organisation's policy, in a browser without other settings.

use anyhow::Result;
use rolecall_sandbox::Config;
use rolecall_tests::{Kind, Scene, entries};
use toml::Value;

use crate::{ADMIN, AUDITOR, BREAK_GLASS, DEVELOPER, READONLY, popup_with_roles, sign_in_as_alice};

crate::stories![
    a_policy_is_enough_to_sign_in only in Firefox because "policies are read from the system's folder only",
    the_popups_state_survives_an_idle_background
        only in Firefox because "policies are read from the system's folder only",
    the_machines_settings_do_not_replace_invalid_parts_of_a_policy
        only in Firefox because "policies are read from the system's folder only",
];

async fn a_policy_is_enough_to_sign_in(kind: Kind) -> Result<()> {
    let scene = Scene::bare(kind, Config::default()).await?;
    scene.write_policy()?;
    let browser = scene.browser().await?;
    let popup = popup_with_roles(&browser).await?;
    popup.says("Host program not installed").await?;
    sign_in_as_alice(&browser, &popup, DEVELOPER).await
}

async fn the_popups_state_survives_an_idle_background(kind: Kind) -> Result<()> {
    let scene = Scene::bare(kind, Config::default()).await?;
    scene.write_policy()?;
    let browser = scene.browser().await?;
    let popup = popup_with_roles(&browser).await?;
    popup.select(BREAK_GLASS).await?;
    popup.press("Sign in").await?;
    browser.sign_in_window().await?.choose("Alice Adams").await?;
    popup.alert("sts-access-denied").await?;

    // Without a native port, the background can become idle.
    browser.end_background().await?;
    let popup = popup_with_roles(&browser).await?;
    popup.alert("sts-access-denied").await?;
    popup.says("alice@example.com").await?;
    Ok(())
}

async fn the_machines_settings_do_not_replace_invalid_parts_of_a_policy(kind: Kind) -> Result<()> {
    let scene = Scene::installed(kind).await?;
    scene.write_policy_with(|settings| {
        for role in entries(settings, "role") {
            if role["arn"].as_str().is_some_and(|arn| arn.ends_with("/break-glass")) {
                role.insert("approve".into(), Value::from("allways"));
            }
        }
    })?;
    let browser = scene.browser().await?;
    let popup = browser.popup().await?;
    popup.says("connected").await?;
    popup.lists(&[DEVELOPER, READONLY, ADMIN, AUDITOR]).await?;
    popup.says("1 problem with the settings").await?;

    // A provider with an invalid id could be any: then only the policy counts.
    scene.write_policy_with(|settings| {
        settings.remove("role");
        entries(settings, "provider").for_each(|provider| drop(provider.insert("id".into(), 7.into())));
    })?;
    drop(popup);
    drop(browser);
    let browser = scene.browser().await?;
    let popup = browser.popup().await?;
    popup.says("connected").await?;
    popup.says("No sign-in provider can be used").await?;
    popup.says("only the rest of the policy is in use").await?;
    Ok(())
}
