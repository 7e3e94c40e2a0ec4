//! Faults in the machine's settings.

use std::fs;

use anyhow::{Context as _, Result};
use rolecall_sandbox::Config;
use rolecall_tests::{Browser, Kind, Popup, Scene, entries, until};
use thirtyfour::By;
use toml::Value;

use crate::{ADMIN, AUDITOR, DEVELOPER, READONLY, ROLES, popup_with_roles, sign_in_as_alice};

crate::stories![
    a_bad_entry_is_named_in_the_popup_and_the_others_can_be_used,
    after_a_toml_error_the_popup_keeps_the_previous_roles_and_says_so,
];

/// The problem that the popup shows after opening its details.
async fn told(browser: &Browser, popup: &Popup<'_>) -> Result<String> {
    popup.says("1 problem with the settings").await?;
    browser.driver().find(By::Css("#left-out summary")).await?.click().await?;
    popup.says("Correct the settings at the place named.").await
}

async fn a_bad_entry_is_named_in_the_popup_and_the_others_can_be_used(kind: Kind) -> Result<()> {
    let scene = Scene::bare(kind, Config::default()).await?;
    scene.write_settings(|settings| {
        for role in entries(settings, "role") {
            if role["arn"].as_str().is_some_and(|arn| arn.ends_with("/break-glass")) {
                role.insert("approve".into(), Value::from("allways"));
            }
        }
    })?;
    scene.install_host().await?;
    let browser = scene.browser().await?;
    let popup = browser.popup().await?;
    popup.lists(&[DEVELOPER, READONLY, ADMIN, AUDITOR]).await?;
    let text = told(&browser, &popup).await?;
    let file = fs::read_to_string(scene.settings_file())?;
    let line = file.lines().position(|line| line.contains("allways")).context("the bad key")? + 1;
    let place = format!("{}: line {line}: the role arn:aws:iam::", scene.settings_file().display());
    assert!(text.contains(&place) && text.contains("break-glass cannot be used: approve: "), "{text}");
    sign_in_as_alice(&browser, &popup, DEVELOPER).await?;

    // Corrected settings are used without a restart.
    scene.write_settings(|_| {})?;
    let popup = popup_with_roles(&browser).await?;
    until(
        "the problem to go",
        async || Ok((!popup.text().await?.contains("with the settings")).then_some(())),
    )
    .await
}

async fn after_a_toml_error_the_popup_keeps_the_previous_roles_and_says_so(kind: Kind) -> Result<()> {
    let scene = Scene::installed(kind).await?;
    let browser = scene.browser().await?;
    popup_with_roles(&browser).await?;
    let good = fs::read_to_string(scene.settings_file())?;
    fs::write(scene.settings_file(), format!("{good}\n[[role]\n"))?;
    let popup = popup_with_roles(&browser).await?;
    let text = told(&browser, &popup).await?;
    let line = good.lines().count() + 2;
    let place = format!("{}: line {line}: this is not TOML: ", scene.settings_file().display());
    assert!(text.contains(&place) && text.contains(" stay in use."), "{text}");
    sign_in_as_alice(&browser, &popup, DEVELOPER).await?;

    // After a restart of the browser the copy is still used; after removing the file it is not.
    drop(browser);
    let browser = scene.browser().await?;
    browser.popup().await?.lists(&ROLES).await?;
    fs::remove_file(scene.settings_file())?;
    browser.popup().await?.says("No sign-in provider yet").await?;
    Ok(())
}
