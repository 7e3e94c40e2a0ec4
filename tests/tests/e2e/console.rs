//! Consoles of several roles in one browser, which has one session of AWS's console, or five, or containers.

use anyhow::Result;
use rolecall_sandbox::{CallKind, Config, Role};
use rolecall_tests::{Kind, Options, Popup, Scene};

use crate::{AUDITOR, DEVELOPER, READONLY, popup_with_roles};

crate::stories![
    a_second_roles_console_asks_once_and_then_ends_the_session_before,
    with_multi_session_support_nobody_is_signed_out_and_the_sixth_session_is_explained,
    firefox_opens_each_role_in_a_container_of_its_own,
];

async fn open(popup: &Popup<'_>, role: &str) -> Result<()> {
    popup.enter().await?;
    popup.select(role).await?;
    popup.press("Open console").await
}

async fn a_second_roles_console_asks_once_and_then_ends_the_session_before(kind: Kind) -> Result<()> {
    let scene = Scene::installed(kind).await?;
    let browser = scene.browser().await?;
    let popup = popup_with_roles(&browser).await?;
    open(&popup, DEVELOPER).await?;
    browser.sign_in_window().await?.choose("Alice Adams").await?;
    browser.console_as("developer").await?;
    assert_eq!(scene.sandbox.count(CallKind::ConsoleLogout), 0);

    open(&popup, READONLY).await?;
    let alert = popup.alert("console-session-open").await?;
    assert!(alert.contains(DEVELOPER), "{alert}");
    assert_eq!(scene.sandbox.count(CallKind::ConsoleLogin), 1, "nothing was opened in the meantime");
    popup.press("End the other session").await?;
    browser.console_as("readonly").await?;
    assert_eq!(scene.sandbox.count(CallKind::ConsoleLogout), 1);

    // The answer is remembered.
    open(&popup, AUDITOR).await?;
    browser.console_as("auditor").await?;
    assert_eq!(scene.sandbox.count(CallKind::ConsoleLogout), 2);
    Ok(())
}

async fn with_multi_session_support_nobody_is_signed_out_and_the_sixth_session_is_explained(
    kind: Kind,
) -> Result<()> {
    let mut config = Config::default();
    config.console.multi_session = true;
    let readonly = config.sts.roles[1].clone();
    let more = ["a", "b", "c", "d"].map(|name| format!("arn:aws:iam::111111111111:role/{name}"));
    config.sts.roles.extend(more.map(|arn| Role { arn, ..readonly.clone() }));
    let scene = Scene::installed_with(kind, config).await?;
    // The addresses of consoles are what tells it.
    let extension = Some(scene.extension_with_host("http://*.localhost/*")?);
    let browser = scene.browser_with(Options { extension, ..Options::default() }).await?;
    let popup = browser.popup().await?;
    popup.says("example-dev / a").await?;
    open(&popup, DEVELOPER).await?;
    browser.sign_in_window().await?.choose("Alice Adams").await?;
    browser.console_as("developer").await?;
    for role in ["readonly", "a", "b", "c"] {
        open(&popup, &format!("example-dev / {role}")).await?;
        browser.console_as(role).await?;
    }
    open(&popup, "example-dev / d").await?;
    let alert = popup.alert("console-sessions-full").await?;
    for role in ["developer", "readonly", "a", "b", "c"] {
        assert!(alert.contains(&format!("example-dev / {role}")), "{alert}");
    }
    assert_eq!(scene.sandbox.count(CallKind::ConsoleLogin), 5);
    assert_eq!(scene.sandbox.count(CallKind::ConsoleLogout), 0);
    // All of them are alive.
    for role in ["developer", "readonly", "a", "b", "c"] {
        browser.console_as(role).await?;
        browser.driver().refresh().await?;
        browser.console_as(role).await?;
    }
    Ok(())
}

async fn firefox_opens_each_role_in_a_container_of_its_own(kind: Kind) -> Result<()> {
    if kind != Kind::Firefox {
        return Ok(());
    }
    let scene = Scene::installed(kind).await?;
    let browser = scene.browser().await?;
    // The permission alone does that, as docs/threat-model.md says.
    assert!(browser.offers_containers().await?);
    let before = browser.containers().await?;
    let popup = popup_with_roles(&browser).await?;
    open(&popup, DEVELOPER).await?;
    browser.sign_in_window().await?.choose("Alice Adams").await?;
    browser.console_as("developer").await?;
    open(&popup, READONLY).await?;
    popup.alert("console-session-open").await?;
    popup.press("Use containers").await?;
    browser.console_as("readonly").await?;
    assert_eq!(browser.containers().await?.len(), before.len() + 1);

    // No question any more, and nobody is signed out.
    open(&popup, "example-prod / admin").await?;
    browser.console_as("admin").await?;
    let mut containers = browser.containers().await?;
    containers.retain(|container| !before.contains(container));
    containers.sort();
    let [readonly, admin] = &containers[..] else { panic!("{containers:?}") };
    assert_eq!(readonly.0, format!("{READONLY} (111111111111)"));
    assert_eq!(*admin, ("example-prod / admin (222222222222)".to_owned(), "red".to_owned()));
    assert_eq!(scene.sandbox.count(CallKind::ConsoleLogout), 0);
    browser.console_as("readonly").await?;
    browser.driver().refresh().await?;
    browser.console_as("readonly").await?;
    Ok(())
}
