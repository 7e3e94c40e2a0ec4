//! The main use of the product: a sign-in in the toolbar results in a profile that AWS's own tools use.

use std::fs;

use anyhow::Result;
use rolecall_sandbox::CallKind;
use rolecall_tests::{Accessible, Kind, Scene, mode, until};
use thirtyfour::{By, Key};

use crate::{ADMIN, DEVELOPER, READONLY, arrived, popup_with_roles, prompts, sign_in_as_alice, sign_out};

crate::stories![
    a_toolbar_sign_in_becomes_a_profile_that_the_aws_command_line_uses,
    a_new_aws_config_is_private_to_its_owner,
    more_roles_need_no_more_sign_ins,
    a_button_pressed_twice_starts_one_sign_in,
    a_sign_in_that_is_cancelled_closes_its_window_and_can_be_started_again,
    typing_finds_a_role_and_enter_does_what_the_settings_want_first,
];

/// A hand-written file with its own formatting.
const BY_HAND: &str = "# My accounts. Do not touch!\n\n[profile  personal]\nregion=eu-central-1\n\
    ; an old comment\n[profile work]\n  region = us-east-1   \ns3 =\n    max_concurrent_requests = 20\n";

async fn a_toolbar_sign_in_becomes_a_profile_that_the_aws_command_line_uses(kind: Kind) -> Result<()> {
    let scene = Scene::installed(kind).await?;
    fs::create_dir(scene.aws_folder())?;
    fs::write(scene.aws_config(), BY_HAND)?;
    let browser = scene.browser().await?;

    // The popup opens with the focus in the search field.
    let popup = popup_with_roles(&browser).await?;
    assert_eq!(popup.focused().await?, ("combobox".to_owned(), "Search roles".to_owned()));

    // The keyboard is enough to choose a role and to sign in.
    popup.key(Key::Down).await?;
    popup.shows_selected(READONLY).await?;
    popup.key(Key::Up).await?;
    popup.shows_selected(DEVELOPER).await?;
    popup.type_keys(Key::Control + Key::Enter).await?;
    let window = browser.sign_in_window().await?;
    popup.status("Waiting for you to sign in").await?;
    window.choose("Alice Adams").await?;
    popup.status("Signed in to example-dev / developer.").await?;
    popup.says("alice@example.com").await?;
    let left = popup.description(DEVELOPER).await?;
    assert!(left.contains("11 h 59 min") || left.contains("12 h"), "{left:?}");
    assert!(!popup.has_alert().await?);

    // The profile is written, the file is private, and nothing else has changed.
    popup.press("Write profile").await?;
    popup.status("Wrote the profile example-dev-developer").await?;
    let config = fs::read_to_string(scene.aws_config())?;
    let added =
        config.strip_prefix(BY_HAND).unwrap_or_else(|| panic!("something else has changed:\n{config}"));
    assert!(added.contains("[profile example-dev-developer]\n"), "{added}");
    assert!(added.contains("region = eu-west-1\n"), "{added}");
    assert!(added.contains("credential_process = /"), "{added}");
    assert!(!scene.aws_folder().join("credentials").exists(), "nothing secret is on disk");

    // AWS's command line uses the role, and so does ours.
    let arn = "arn:aws:sts::111111111111:assumed-role/developer/alice@example.com";
    let terminal = scene.terminal();
    let profile = ["--profile", "example-dev-developer"];
    let identity = terminal
        .aws(["sts", "get-caller-identity", "--output", "text", "--query", "Arn"].into_iter().chain(profile));
    assert_eq!(identity.await?.succeeded()?.trim_end(), arn);
    let identity = terminal.rolecall(["whoami"].into_iter().chain(profile)).await?.succeeded()?;
    assert!(identity.contains(arn), "{identity}");

    // The console opens with the role.
    popup.press("Open console").await?;
    let console = browser.console().await?;
    assert!(console.contains("Signed in as developer in example-dev"), "{console}");
    popup.status("Opened the console as example-dev / developer.").await?;
    Ok(())
}

async fn a_new_aws_config_is_private_to_its_owner(kind: Kind) -> Result<()> {
    let scene = Scene::installed(kind).await?;
    let browser = scene.browser().await?;
    let popup = popup_with_roles(&browser).await?;
    sign_in_as_alice(&browser, &popup, READONLY).await?;
    popup.press("Write profile").await?;
    popup.status("Wrote the profile example-dev-readonly").await?;
    assert_eq!(mode(&scene.aws_config())?, 0o600);
    popup.press("Write profile").await?;
    popup.status("The profile example-dev-readonly is already in").await?;
    Ok(())
}

async fn more_roles_need_no_more_sign_ins(kind: Kind) -> Result<()> {
    let scene = Scene::installed(kind).await?;
    let browser = scene.browser().await?;
    let popup = popup_with_roles(&browser).await?;
    sign_in_as_alice(&browser, &popup, DEVELOPER).await?;
    let prompts_before = prompts(&scene);

    popup.select(ADMIN).await?;
    popup.press("Sign in").await?;
    popup.status("Signed in to example-prod / admin.").await?;
    arrived(&scene, CallKind::AssumeRole, 2).await?;
    assert_eq!(prompts(&scene), prompts_before, "the existing ID token was enough");
    assert_eq!(scene.sandbox.count(CallKind::SignIn), 1);

    // After signing out, the person chooses an account again.
    sign_out(&popup).await?;
    assert_eq!(popup.description(ADMIN).await?, "");
    sign_in_as_alice(&browser, &popup, ADMIN).await?;
    assert_eq!(prompts(&scene)[prompts_before.len()..], ["select_account"]);
    assert_eq!(scene.sandbox.count(CallKind::SignIn), 2);
    Ok(())
}

async fn a_button_pressed_twice_starts_one_sign_in(kind: Kind) -> Result<()> {
    let scene = Scene::installed(kind).await?;
    let browser = scene.browser().await?;
    let popup = popup_with_roles(&browser).await?;
    popup.select(DEVELOPER).await?;
    let button = popup.pressable("Sign in").await?;
    let discovery = scene.sandbox.hold(CallKind::Discovery);
    button.web.click().await?;
    arrived(&scene, CallKind::Discovery, 1).await?;
    button.web.click().await?;
    popup.key(Key::Enter).await?;
    discovery.release();

    browser.sign_in_window().await?.choose("Alice Adams").await?;
    popup.status("Signed in to example-dev / developer.").await?;
    assert_eq!(browser.sign_in_windows().await?, 0);
    assert_eq!(prompts(&scene), ["none", ""], "once silently, once in a window");
    let exchanges = scene.sandbox.calls_of(CallKind::Token);
    assert_eq!(exchanges.iter().filter(|call| call.status() == Some(200)).count(), 1);
    assert_eq!(scene.sandbox.count(CallKind::AssumeRole), 1);
    Ok(())
}

async fn a_sign_in_that_is_cancelled_closes_its_window_and_can_be_started_again(kind: Kind) -> Result<()> {
    let scene = Scene::installed(kind).await?;
    let browser = scene.browser().await?;
    let popup = popup_with_roles(&browser).await?;
    popup.select(DEVELOPER).await?;
    popup.press("Sign in").await?;
    let window = browser.sign_in_window().await?;
    popup.press("Cancel").await?;
    window.has_closed().await?;
    assert!(!popup.has_alert().await?, "cancelling is not an error");
    sign_in_as_alice(&browser, &popup, DEVELOPER).await
}

async fn typing_finds_a_role_and_enter_does_what_the_settings_want_first(kind: Kind) -> Result<()> {
    let scene = Scene::installed(kind).await?;
    let browser = scene.browser().await?;
    let popup = popup_with_roles(&browser).await?;
    popup.type_keys("prodaud").await?;
    popup.lists(&[crate::AUDITOR]).await?;
    popup.shows_selected(crate::AUDITOR).await?;
    popup.key(Key::Enter).await?;
    browser.sign_in_window().await?.choose("Bob Brown").await?;
    let console = browser.console().await?;
    assert!(console.contains("Signed in as auditor in example-prod"), "{console}");
    popup.status("Opened the console as example-prod / auditor.").await?;
    popup.says("bob@example.com").await?;
    popup.key(Key::Escape).await?;
    popup.lists(&crate::ROLES).await?;
    assert_eq!(popup.names(Accessible::Listbox).await?, ["Roles"]);

    scene.write_settings(|settings| {
        settings.insert("default_action".into(), "credentials".into());
    })?;
    let popup = browser.popup().await?;
    until("signing in to be what is done first", async || {
        popup.enter().await?;
        let first = browser.driver().find(By::Id("first-action")).await?.text().await?;
        Ok((first == "Sign in").then_some(()))
    })
    .await?;
    // What was used last comes first now.
    popup.shows_selected(crate::AUDITOR).await?;
    popup.select(DEVELOPER).await?;
    popup.key(Key::Enter).await?;
    popup.status("Signed in to example-dev / developer.").await?;
    Ok(())
}
