//! Consoles of several roles in one browser, which has one session of AWS's console, or five, or containers.

use anyhow::Result;
use rolecall_sandbox::{CallKind, Config, Role};
use rolecall_tests::{Accessible, Kind, Options, Popup, Scene};
use thirtyfour::Key;

use crate::{AUDITOR, DEVELOPER, READONLY, ROLES, popup_with_roles};

crate::stories![
    a_second_roles_console_asks_once_and_then_ends_the_session_before,
    with_multi_session_support_nobody_is_signed_out_and_the_sixth_session_is_explained,
    firefox_opens_each_role_in_a_container_of_its_own,
    chromium_puts_the_tabs_of_an_account_into_a_group,
    a_page_that_is_typed_behind_a_role_opens_as_in_the_terminal,
    an_address_opens_as_the_role_that_is_chosen_in_a_window,
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

    // Another session of the same role has the same container. The first time, the open console is shown.
    open(&popup, READONLY).await?;
    popup.status("The console is open as").await?;
    open(&popup, READONLY).await?;
    popup.status("Opened the console as").await?;
    assert_eq!(scene.sandbox.count(CallKind::ConsoleLogin), 4);
    assert_eq!(browser.containers().await?.len(), before.len() + 2);
    Ok(())
}

async fn chromium_puts_the_tabs_of_an_account_into_a_group(kind: Kind) -> Result<()> {
    if kind != Kind::Chromium {
        return Ok(());
    }
    let mut config = Config::default();
    config.console.multi_session = true;
    let scene = Scene::installed_with(kind, config).await?;
    let extension = Some(scene.extension_with_permission("tabGroups")?);
    let browser = scene.browser_with(Options { extension, ..Options::default() }).await?;
    let popup = popup_with_roles(&browser).await?;
    open(&popup, DEVELOPER).await?;
    browser.sign_in_window().await?.choose("Alice Adams").await?;
    browser.console_as("developer").await?;
    open(&popup, READONLY).await?;
    popup.press("End the other session").await?;
    browser.console_as("readonly").await?;
    open(&popup, "example-prod / admin").await?;
    browser.console_as("admin").await?;
    let groups = async || {
        popup.enter().await?;
        let groups = browser.driver().execute_async(GROUPS, Vec::new()).await?;
        let groups: Vec<(String, usize)> = groups.convert()?;
        Ok(Some(groups).filter(|groups| groups.iter().map(|(_, tabs)| tabs).sum::<usize>() == 3))
    };
    let groups = rolecall_tests::until("three tabs in groups", groups).await?;
    assert_eq!(groups, [("example-dev".to_owned(), 2), ("example-prod".to_owned(), 1)]);
    Ok(())
}

/// Gives the groups of tabs by name, and how many tabs each has.
const GROUPS: &str = "
    const done = arguments[arguments.length - 1];
    chrome.tabGroups.query({}).then(async groups => {
        const count = async group => [group.title, (await chrome.tabs.query({ groupId: group.id })).length];
        done((await Promise.all(groups.map(count))).sort());
    });
";

async fn a_page_that_is_typed_behind_a_role_opens_as_in_the_terminal(kind: Kind) -> Result<()> {
    let scene = Scene::installed(kind).await?;
    let browser = scene.browser().await?;
    let popup = popup_with_roles(&browser).await?;
    // The menu begins to type it.
    popup.select(READONLY).await?;
    popup.press("More actions").await?;
    popup.element(Accessible::Menuitem, "Open a page of the console…").await?.web.click().await?;
    popup.status("Type a service, a region, an ARN or a console address").await?;
    popup.type_keys("lamda eu-north-1" + Key::Enter).await?;
    let alert = popup.alert("console-page-invalid").await?;
    assert!(alert.contains("Did you mean lambda?"), "{alert}");
    popup.key(Key::Escape).await?;
    popup.type_keys("readonly > lambda eu-north-1" + Key::Enter).await?;
    browser.sign_in_window().await?.choose("Alice Adams").await?;
    browser.console_at("lambda", "eu-north-1").await?;

    // An address is a page by itself, for the role that is selected.
    popup.enter().await?;
    popup.key(Key::Escape).await?;
    popup.shows_selected(READONLY).await?;
    let address = scene.sandbox.console_url().replace("/console/", "/sqs/v3/home?region=eu-west-3#/queues");
    popup.type_keys(address + Key::Enter).await?;
    browser.console_at("sqs", "eu-west-3").await?;
    assert!(browser.driver().current_url().await?.as_str().ends_with("#/queues"), "the fragment is kept");
    assert_eq!(scene.sandbox.count(CallKind::ConsoleLogin), 1, "in the session that there was");

    scene.terminal().rolecall(["console", "readonly", "ecs", "--region", "eu-north-1"]).await?.succeeded()?;
    browser.console_at("ecs", "eu-north-1").await?;
    Ok(())
}

async fn an_address_opens_as_the_role_that_is_chosen_in_a_window(kind: Kind) -> Result<()> {
    let scene = Scene::installed(kind).await?;
    let browser = scene.browser().await?;
    let popup = popup_with_roles(&browser).await?;
    // As the item in the menu of a page opens it, which no test can choose.
    let address = scene.sandbox.console_url().replace("/console/", "/s3/home?region=eu-west-3");
    let search: String = url::form_urlencoded::byte_serialize(format!(" > {address}").as_bytes()).collect();
    popup.enter().await?;
    let mut page = browser.driver().current_url().await?;
    page.set_fragment(Some(&search.replace('+', "%20")));
    let script = "(globalThis.browser ?? chrome).windows.create({ url: arguments[0], type: 'popup' })";
    browser.driver().execute(script, vec![page.as_str().into()]).await?;
    let window = browser.popup_window().await?;
    window.lists(&ROLES).await?;
    window.type_keys("audit" + Key::Enter).await?;
    browser.sign_in_window().await?.choose("Alice Adams").await?;
    browser.console_as("auditor").await?;
    browser.console_at("s3", "eu-west-3").await?;
    browser.popup_window_closes().await?;
    Ok(())
}
