//! Every page and state of the extension, as axe-core sees it.

use anyhow::{Result, ensure};
use rolecall_sandbox::{CallKind, Config};
use rolecall_tests::{Accessible, Browser, Kind, Look, Scene, axe, entries, until};
use thirtyfour::{By, Key};

use crate::{ADMIN, BREAK_GLASS, DEVELOPER, popup_with_roles};

crate::stories![
    nothing_in_any_state_of_the_popup_violates_a_rule_of_accessibility,
    neither_does_the_popup_without_settings_nor_a_programs_question,
];

/// Checks the current window in the light and in the dark theme, and narrow.
pub(crate) async fn check(browser: &Browser, state: &str) -> Result<()> {
    for (dark, width) in [(false, 380), (true, 380), (false, 320)] {
        browser.look(Look { dark, forced_colors: false, size: (width, 600) }).await?;
        let found = axe::violations(browser).await?;
        ensure!(found.is_empty(), "{state}, dark: {dark}, {width} px:\n{}", found.join("\n"));
    }
    Ok(())
}

async fn nothing_in_any_state_of_the_popup_violates_a_rule_of_accessibility(kind: Kind) -> Result<()> {
    let scene = Scene::installed(kind).await?;
    let browser = scene.browser().await?;
    let popup = popup_with_roles(&browser).await?;
    popup.says("connected").await?;
    check(&browser, "a list").await?;

    popup.press("More actions").await?;
    check(&browser, "an open menu").await?;
    browser.driver().find(By::Id("pin")).await?.click().await?;
    let pinned = async || {
        let description = popup.description(DEVELOPER).await?;
        Ok(description.contains("Pinned.").then_some(()))
    };
    until("the role to be pinned", pinned).await?;
    check(&browser, "a pinned role").await?;

    popup.element(Accessible::Combobox, "Search roles").await?.web.click().await?;
    popup.type_keys("adm").await?;
    popup.lists(&[ADMIN]).await?;
    check(&browser, "a search").await?;
    popup.type_keys("zzz").await?;
    popup.lists(&[]).await?;
    check(&browser, "a search without a match").await?;
    popup.key(Key::Escape).await?;

    popup.select(DEVELOPER).await?;
    popup.press("Sign in").await?;
    let window = browser.sign_in_window().await?;
    popup.status("Waiting for you to sign in").await?;
    check(&browser, "a sign-in that waits for the person").await?;
    window.choose("Alice Adams").await?;
    popup.status("Signed in to").await?;
    check(&browser, "signed in").await?;
    popup.press("Account").await?;
    check(&browser, "an account's actions").await?;

    let assuming = scene.sandbox.hold(CallKind::AssumeRole);
    popup.select(ADMIN).await?;
    popup.press("Sign in").await?;
    popup.status("Asking AWS").await?;
    check(&browser, "busy").await?;
    assuming.release();
    popup.status("Signed in to").await?;

    popup.select(BREAK_GLASS).await?;
    popup.press("Sign in").await?;
    popup.alert("sts-access-denied").await?;
    check(&browser, "a problem").await
}

async fn neither_does_the_popup_without_settings_nor_a_programs_question(kind: Kind) -> Result<()> {
    let bare = Scene::bare(kind, Config::default()).await?;
    let browser = bare.browser().await?;
    browser.popup().await?.says("Host program not installed").await?;
    check(&browser, "nothing set up").await?;
    drop(browser);

    let scene = Scene::installed(kind).await?;
    scene.write_settings(|settings| {
        for provider in entries(settings, "provider") {
            provider.insert("approve".into(), "first".into());
        }
    })?;
    let browser = scene.browser().await?;
    browser.popup().await?.says("connected").await?;
    let terminal = scene.terminal();
    let asking = terminal.rolecall(["env", "developer"]);
    let looking = async {
        let question = browser.question().await?;
        question.text().await?;
        check(&browser, "a program's question").await?;
        question.answer("Refuse").await
    };
    let (_, looked) = tokio::join!(asking, looking);
    looked
}
