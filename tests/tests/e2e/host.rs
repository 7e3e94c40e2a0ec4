//! The host program is missing, has another version, or stops.

use anyhow::{Result, ensure};
use rolecall_sandbox::Config;
use rolecall_tests::{Accessible, Kind, Scene};

use crate::{DEVELOPER, ROLES, nothing_was_written, popup_with_roles, sign_in_as_alice};

crate::stories![
    a_missing_host_program_is_reported_and_found_once_installed,
    without_the_host_program_signing_in_works_and_writing_a_profile_says_what_to_install,
    a_host_program_of_another_version_is_reported_and_not_used,
    with_a_newer_host_program_sign_in_works_but_nothing_is_written,
    a_host_program_that_stops_is_started_again,
    a_profile_is_removed_and_credentials_are_forgotten_from_the_roles_menu,
    the_host_program_ends_with_the_browser,
];

async fn a_missing_host_program_is_reported_and_found_once_installed(kind: Kind) -> Result<()> {
    let scene = Scene::bare(kind, Config::default()).await?;
    let browser = scene.browser().await?;
    let popup = browser.popup().await?;
    popup.says("Host program not installed").await?;
    popup.says("rolecall install").await?;
    scene.install_host().await?;
    popup.lists(&ROLES).await?;
    popup.says("connected").await?;
    Ok(())
}

async fn without_the_host_program_signing_in_works_and_writing_a_profile_says_what_to_install(
    kind: Kind,
) -> Result<()> {
    let scene = Scene::installed(kind).await?;
    let browser = scene.browser().await?;
    let popup = popup_with_roles(&browser).await?;
    scene.remove_host()?;
    popup.says("Host program not installed").await?;
    sign_in_as_alice(&browser, &popup, DEVELOPER).await?;
    popup.press("Write profile").await?;
    let alert = popup.alert("host-not-installed").await?;
    assert!(alert.contains("rolecall install"), "{alert}");
    nothing_was_written(&scene)
}

async fn a_host_program_of_another_version_is_reported_and_not_used(kind: Kind) -> Result<()> {
    let scene = Scene::bare(kind, Config::default()).await?;
    scene.install_host_of_protocol(2)?;
    let browser = scene.browser().await?;
    let popup = browser.popup().await?;
    popup.says("Host program has a different version").await?;
    popup.says("9.9.9").await?;
    nothing_was_written(&scene)
}

async fn with_a_newer_host_program_sign_in_works_but_nothing_is_written(kind: Kind) -> Result<()> {
    let scene = Scene::installed(kind).await?;
    let browser = scene.browser().await?;
    let popup = popup_with_roles(&browser).await?;
    scene.install_host_of_protocol(2)?;
    scene.crash_host()?;
    popup.says("Host program has a different version").await?;
    sign_in_as_alice(&browser, &popup, DEVELOPER).await?;
    popup.press("Write profile").await?;
    let alert = popup.alert("host-version").await?;
    assert!(alert.contains("Update the Rolecall extension and host program"), "{alert}");
    nothing_was_written(&scene)
}

async fn a_host_program_that_stops_is_started_again(kind: Kind) -> Result<()> {
    let scene = Scene::installed(kind).await?;
    let browser = scene.browser().await?;
    let popup = popup_with_roles(&browser).await?;
    popup.says("connected").await?;
    scene.crash_host()?;
    popup.says("Host program stopped").await?;
    popup.says("connected").await?;
    sign_in_as_alice(&browser, &popup, DEVELOPER).await?;
    popup.press("Write profile").await?;
    popup.status("Wrote the profile").await?;
    Ok(())
}

async fn a_profile_is_removed_and_credentials_are_forgotten_from_the_roles_menu(kind: Kind) -> Result<()> {
    let scene = Scene::installed(kind).await?;
    let browser = scene.browser().await?;
    let popup = popup_with_roles(&browser).await?;
    sign_in_as_alice(&browser, &popup, DEVELOPER).await?;
    popup.press("Write profile").await?;
    popup.status("Wrote the profile").await?;
    let in_menu = async |item| {
        popup.press("More actions").await?;
        popup.element(Accessible::Menuitem, item).await?.web.click().await?;
        anyhow::Ok(())
    };
    in_menu("Remove profile").await?;
    popup.status("Removed the profile").await?;
    let config = std::fs::read_to_string(scene.aws_folder().join("config")).unwrap_or_default();
    ensure!(!config.contains("[profile"), "{config}");
    in_menu("Forget credentials").await?;
    popup.status(&format!("Forgot the credentials of {DEVELOPER}.")).await?;
    ensure!(!popup.description(DEVELOPER).await?.contains("Signed in"), "there are still credentials");
    Ok(())
}

async fn the_host_program_ends_with_the_browser(kind: Kind) -> Result<()> {
    let scene = Scene::installed(kind).await?;
    let browser = scene.browser().await?;
    popup_with_roles(&browser).await?;
    drop(browser);
    scene.host_has_ended().await
}
