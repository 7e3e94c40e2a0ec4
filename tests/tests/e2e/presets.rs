//! The sandbox behaves as the providers that companies have, with the settings of `docs/providers`.

use anyhow::{Context as _, Result, ensure};
use rolecall_sandbox::{Call, CallKind, Preset};
use rolecall_tests::{Browser, Kind, Scene, entries, until};
use toml::Table;

use crate::{DEVELOPER, popup_with_roles, prompts, sign_in_as_alice};

crate::stories![
    every_provider_signs_people_in_with_the_settings_of_its_page,
    what_a_provider_refuses_is_named_and_the_next_step_is_not_its_cause,
    the_page_that_ends_the_session_gets_the_parameters_of_the_settings,
    a_person_signs_in_without_a_role_and_gets_those_that_the_provider_lists,
];

/// The provider of this preset, in place of the one before.
fn become_provider(scene: &Scene, preset: Preset, edit: impl Fn(&mut Table)) -> Result<()> {
    scene.sandbox.change(|config| *config = preset.config());
    scene.sandbox.end_provider_sessions();
    scene.write_settings(|settings| entries(settings, "provider").for_each(edit))
}

async fn every_provider_signs_people_in_with_the_settings_of_its_page(kind: Kind) -> Result<()> {
    let scene = Scene::installed_with(kind, Preset::Auth0.config()).await?;
    let browser = scene.browser().await?;
    for preset in Preset::ALL {
        signs_in(&scene, &browser, preset).await.with_context(|| format!("{preset:?}"))?;
    }
    Ok(())
}

async fn signs_in(scene: &Scene, browser: &Browser, preset: Preset) -> Result<()> {
    become_provider(scene, preset, |_| {})?;
    let (tokens, asked) = (scene.sandbox.count(CallKind::Token), prompts(scene).len());
    let popup = popup_with_roles(browser).await?;
    popup.says(&scene.sandbox.config().provider.name).await?;
    popup.says("connected").await?;
    sign_in_as_alice(browser, &popup, DEVELOPER).await?;
    let calls = scene.sandbox.calls_of(CallKind::Token);
    let calls: Vec<_> = calls[tokens..].iter().map(|call| (call.has_origin(), call.status())).collect();
    // Where the answer to a request without a code could be read, the exchange took the same way.
    let expected = match preset {
        Preset::EntraSpa => vec![(true, Some(200))],
        // Either by the settings, or because the configuration could not be read already.
        Preset::EntraDesktop | Preset::Okta | Preset::Authentik | Preset::Dex | Preset::Pingfederate => {
            vec![(false, Some(200))]
        }
        Preset::Cognito | Preset::Gitlab | Preset::Google | Preset::Pingone | Preset::Zitadel => {
            vec![(true, Some(400)), (true, Some(200))]
        }
        _ => vec![(true, Some(400)), (false, Some(200))],
    };
    ensure!(calls == expected, "{calls:?}, expected {expected:?}");
    let is_silent_first = !matches!(preset, Preset::Cognito | Preset::Dex);
    let expected = if is_silent_first { &["none", ""][..] } else { &[""] };
    ensure!(prompts(scene)[asked..] == *expected, "{:?}", prompts(scene));
    Ok(())
}

async fn a_person_signs_in_without_a_role_and_gets_those_that_the_provider_lists(kind: Kind) -> Result<()> {
    let scene = Scene::installed_with(kind, Preset::Cognito.config()).await?;
    scene.write_settings(|settings| drop(settings.remove("role")))?;
    let browser = scene.browser().await?;
    let popup = browser.popup().await?;
    popup.says("No roles yet").await?;
    popup.press(&format!("Sign in to {}", scene.sandbox.config().provider.name)).await?;
    browser.sign_in_window().await?.choose("Alice Adams").await?;
    popup.says("Signed in at").await?;
    let asked = prompts(&scene).len();
    popup.select(DEVELOPER).await?;
    popup.press("Sign in").await?;
    popup.status("Signed in to").await?;
    ensure!(
        prompts(&scene).len() == asked,
        "the ID token of the first sign-in is used: {:?}",
        prompts(&scene)
    );
    Ok(())
}

async fn what_a_provider_refuses_is_named_and_the_next_step_is_not_its_cause(kind: Kind) -> Result<()> {
    let scene = Scene::installed_with(kind, Preset::EntraSpa.config()).await?;
    let browser = scene.browser().await?;
    for (preset, key, value, code, told) in [
        (
            Preset::EntraSpa,
            "token_exchange",
            Some("native"),
            "origin-required",
            "Set token_exchange = \"extension\"",
        ),
        (Preset::EntraDesktop, "token_exchange", Some("extension"), "origin-refused", "AADSTS9002326"),
        (Preset::Google, "client_secret", None, "secret-wanted", "set client_secret for the provider"),
        (Preset::Google, "client_secret", Some("GOCSPX-other"), "secret-refused", "Correct client_secret"),
    ] {
        become_provider(&scene, preset, |provider| {
            match value {
                Some(value) => provider.insert(key.to_owned(), value.into()),
                None => provider.remove(key),
            };
        })?;
        let popup = popup_with_roles(&browser).await?;
        popup.says("connected").await?;
        popup.says(&scene.sandbox.config().provider.name).await?;
        popup.select(DEVELOPER).await?;
        popup.press("Sign in").await?;
        browser.sign_in_window().await?.choose("Alice Adams").await?;
        let alert = popup.alert(code).await.with_context(|| format!("{preset:?} {value:?}"))?;
        ensure!(alert.contains(told) && !alert.contains("GOCSPX"), "{alert}");
        popup.dismiss().await?;
    }
    Ok(())
}

async fn the_page_that_ends_the_session_gets_the_parameters_of_the_settings(kind: Kind) -> Result<()> {
    let scene = Scene::installed_with(kind, Preset::Cognito.config()).await?;
    let browser = scene.browser().await?;
    let popup = popup_with_roles(&browser).await?;
    sign_in_as_alice(&browser, &popup, DEVELOPER).await?;
    popup.press("Account").await?;
    popup.press("Sign out of Rolecall and Cognito").await?;
    // Without them, this provider's page is an error.
    let status = until("the provider's page", async || {
        Ok(scene.sandbox.calls_of(CallKind::Logout).first().and_then(Call::status))
    });
    let status = status.await?;
    ensure!(status == 200, "the page wants something else: {status}");
    Ok(())
}
