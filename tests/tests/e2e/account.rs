//! Who is signed in, and how that changes.

use anyhow::{Result, ensure};
use rolecall_sandbox::{CallKind, Config};
use rolecall_tests::{Kind, Scene, entries, until};

use crate::{ADMIN, DEVELOPER, READONLY, asked, popup_with_roles, prompts, sign_in_as_alice};

crate::stories![
    another_account_is_chosen_in_a_window_and_the_previous_credentials_are_removed,
    signing_out_of_the_provider_opens_its_page,
    signing_out_of_the_provider_is_not_offered_if_it_has_no_page_for_it,
    credentials_of_another_sts_are_not_sent_to_the_aws_console,
    the_console_is_asked_once_and_only_if_its_response_can_be_read,
];

async fn another_account_is_chosen_in_a_window_and_the_previous_credentials_are_removed(
    kind: Kind,
) -> Result<()> {
    let scene = Scene::installed(kind).await?;
    let browser = scene.browser().await?;
    let popup = popup_with_roles(&browser).await?;
    sign_in_as_alice(&browser, &popup, READONLY).await?;
    popup.says("alice@example.com").await?;

    popup.press("Account").await?;
    popup.press("Use another account…").await?;
    browser.sign_in_window().await?.choose("Bob Brown").await?;
    popup.status("as bob@example.com.").await?;
    popup.says("bob@example.com").await?;
    ensure!(prompts(&scene).last().is_some_and(|prompt| prompt == "select_account"));
    ensure!(asked(&scene, CallKind::Authorize, "login_hint").last().is_some_and(String::is_empty));
    assert_eq!(popup.description(READONLY).await?, "", "Alice's credentials are removed");

    popup.select(READONLY).await?;
    popup.press("Sign in").await?;
    popup.status("Signed in to example-dev / readonly.").await?;
    let names = asked(&scene, CallKind::AssumeRole, "RoleSessionName");
    ensure!(names.last().is_some_and(|name| name == "bob@example.com"), "{names:?}");
    Ok(())
}

async fn signing_out_of_the_provider_opens_its_page(kind: Kind) -> Result<()> {
    let scene = Scene::installed(kind).await?;
    let browser = scene.browser().await?;
    let popup = popup_with_roles(&browser).await?;
    sign_in_as_alice(&browser, &popup, DEVELOPER).await?;
    popup.press("Account").await?;
    popup.press("Sign out of Rolecall and Rolecall sandbox").await?;
    popup.status("ends the session at Rolecall sandbox").await?;
    let ended =
        until("the provider's page", async || Ok((scene.sandbox.count(CallKind::Logout) == 1).then_some(())));
    ended.await?;
    assert_eq!(popup.description(DEVELOPER).await?, "");
    popup.says("Not signed in").await?;
    Ok(())
}

async fn signing_out_of_the_provider_is_not_offered_if_it_has_no_page_for_it(kind: Kind) -> Result<()> {
    let mut config = Config::default();
    config.provider.end_session = false;
    let scene = Scene::installed_with(kind, config).await?;
    let browser = scene.browser().await?;
    let popup = popup_with_roles(&browser).await?;
    sign_in_as_alice(&browser, &popup, DEVELOPER).await?;
    popup.press("Account").await?;
    popup.pressable("Sign out of Rolecall").await?;
    let text = popup.text().await?;
    ensure!(!text.contains("Sign out of Rolecall and"), "{text}");
    Ok(())
}

async fn credentials_of_another_sts_are_not_sent_to_the_aws_console(kind: Kind) -> Result<()> {
    let scene = Scene::installed(kind).await?;
    scene.write_settings(|settings| {
        for provider in entries(settings, "provider") {
            provider.remove("console_endpoint");
        }
    })?;
    let browser = scene.browser().await?;
    let popup = popup_with_roles(&browser).await?;
    sign_in_as_alice(&browser, &popup, ADMIN).await?;
    popup.press("Open console").await?;
    popup.alert("console-not-offered").await?;
    let said = scene.terminal().rolecall(["console", "admin", "--print-url"]).await?.failed()?;
    ensure!(said.contains("error[console-not-offered]"), "{said}");
    Ok(())
}

async fn the_console_is_asked_once_and_only_if_its_response_can_be_read(kind: Kind) -> Result<()> {
    // Like AWS's, this sign-in host has no CORS: the host program sends the request.
    let scene = Scene::installed(kind).await?;
    let browser = scene.browser().await?;
    let popup = popup_with_roles(&browser).await?;
    sign_in_as_alice(&browser, &popup, DEVELOPER).await?;
    popup.press("Open console").await?;
    browser.console().await?;
    assert_eq!(scene.sandbox.count(CallKind::SigninToken), 1);

    // Without the host program, the person is asked before anything is sent. The console that is open needs nothing.
    let popup = popup_with_roles(&browser).await?;
    scene.remove_host()?;
    popup.says("Host program not installed").await?;
    popup.press("Open console").await?;
    popup.status("The console is open as example-dev / developer.").await?;
    popup.press("Open console").await?;
    popup.alert("host-permission-needed").await?;
    assert_eq!(scene.sandbox.count(CallKind::SigninToken), 1);
    Ok(())
}
