//! Where roles come from beside the settings: a catalogue on a web server, and the previous tool's role service.

use anyhow::{Result, ensure};
use rolecall_sandbox::{CallKind, Catalogue, Config, Failure};
use rolecall_tests::{Accessible, Browser, Kind, Options, Popup, Scene, entries, until};
use serde_json::json;
use thirtyfour::By;

use crate::accessibility::check;
use crate::arrived;

crate::stories![
    a_catalogue_lists_roles_without_a_sign_in_and_the_person_gets_one_of_them,
    a_catalogue_that_changes_is_shown_in_the_open_popup_and_one_that_is_down_takes_nothing_away,
    roles_for_other_groups_disappear_once_the_person_is_known,
    roles_are_below_headings_and_those_for_other_groups_are_marked_if_the_settings_want_that,
    a_catalogue_that_the_browser_may_not_read_can_be_allowed,
    html_in_a_catalogue_is_text,
    the_role_service_of_the_previous_tool_lists_roles_after_the_sign_in,
];

const DEVELOPER: &str = "Development / developer";
const ADMIN: &str = "Payments / admin";

/// A catalogue of two roles of the sandbox.
fn catalogue() -> serde_json::Value {
    json!({
        "account": [
            { "id": "111111111111", "name": "Development", "environment": "test" },
            { "id": "222222222222", "name": "Payments", "environment": "production", "color": "red" },
        ],
        "role": [
            { "arn": "arn:aws:iam::111111111111:role/developer", "region": "eu-west-1", "description": "Deploy to test" },
            { "arn": "arn:aws:iam::222222222222:role/admin", "groups": ["admin"] },
        ],
    })
}

/// A machine whose settings have a provider with further keys and no roles, and what the popup is to look like.
async fn scene(
    kind: Kind,
    catalogue: Option<Catalogue>,
    keys: &[(&str, &str)],
    preferences: &[(&str, &str)],
) -> Result<Scene> {
    let mut config = Config::default();
    config.provider.catalogue = catalogue;
    config.provider.served_roles = vec!["arn:aws:iam::111111111111:role/readonly".to_owned()];
    let scene = Scene::installed_with(kind, config).await?;
    let origin = scene.sandbox.provider_origin().to_owned();
    scene.write_settings(|settings| {
        settings.remove("role");
        settings.remove("account");
        for (key, value) in preferences {
            settings.insert((*key).to_owned(), (*value).into());
        }
        for provider in entries(settings, "provider") {
            for (key, value) in keys {
                provider.insert((*key).to_owned(), value.replace("ORIGIN", &origin).into());
            }
        }
    })?;
    Ok(scene)
}

async fn with_catalogue(kind: Kind, document: &serde_json::Value, cors: bool) -> Result<Scene> {
    with_catalogue_and(kind, document, cors, &[]).await
}

async fn with_catalogue_and(
    kind: Kind,
    document: &serde_json::Value,
    cors: bool,
    preferences: &[(&str, &str)],
) -> Result<Scene> {
    let catalogue = Catalogue { document: document.to_string(), cors };
    // The sandbox tells groups in `amr`.
    let keys = [("catalogue_url", "ORIGIN/catalogue.json"), ("groups_claim", "amr")];
    scene(kind, Some(catalogue), &keys, preferences).await
}

fn serve(scene: &Scene, document: &serde_json::Value) {
    let document = document.to_string();
    scene.sandbox.change(|config| config.provider.catalogue = Some(Catalogue { document, cors: true }));
}

/// Has the roles read again, by the menu of the selected one.
async fn refresh(popup: &Popup<'_>) -> Result<()> {
    popup.press("More actions").await?;
    popup.element(Accessible::Menuitem, "Refresh roles").await?.web.click().await?;
    Ok(())
}

async fn sign_in_to_provider(
    browser: &Browser,
    popup: &Popup<'_>,
    scene: &Scene,
    person: &str,
) -> Result<()> {
    popup.press(&format!("Sign in to {}", scene.sandbox.config().provider.name)).await?;
    browser.sign_in_window().await?.choose(person).await
}

async fn a_catalogue_lists_roles_without_a_sign_in_and_the_person_gets_one_of_them(kind: Kind) -> Result<()> {
    let scene = with_catalogue(kind, &catalogue(), true).await?;
    let browser = scene.browser().await?;
    let popup = browser.popup().await?;
    popup.lists(&[DEVELOPER, ADMIN]).await?;
    crate::sign_in_as_alice(&browser, &popup, DEVELOPER).await?;
    // Its region decides which STS is asked; the terminal knows the role as well.
    let roles = scene.terminal().rolecall(["roles"]).await?.succeeded()?;
    assert!(roles.contains("Development-developer"), "{roles}");

    // The description is found as well.
    popup.element(Accessible::Combobox, "Search roles").await?.web.send_keys("deploy").await?;
    popup.lists(&[DEVELOPER]).await
}

async fn a_catalogue_that_changes_is_shown_in_the_open_popup_and_one_that_is_down_takes_nothing_away(
    kind: Kind,
) -> Result<()> {
    let scene = with_catalogue(kind, &catalogue(), true).await?;
    let browser = scene.browser().await?;
    let popup = browser.popup().await?;
    popup.lists(&[DEVELOPER, ADMIN]).await?;
    let mut changed = catalogue();
    changed["role"].as_array_mut().unwrap_or(&mut Vec::new()).pop();
    serve(&scene, &changed);
    refresh(&popup).await?;
    popup.lists(&[DEVELOPER]).await?;
    // The browser's copy was asked for, and was not current.
    assert_eq!(scene.sandbox.count(CallKind::Catalogue), 2);

    scene.sandbox.fail_all(CallKind::Catalogue, Failure::status(503, "down"));
    refresh(&popup).await?;
    popup.says("1 problem with the settings").await?;
    browser.driver().find(By::Css("#left-out summary")).await?.click().await?;
    popup.says("could not be read").await?;
    popup.says("The roles listed are those of").await?;
    popup.lists(&[DEVELOPER]).await?;
    scene.sandbox.heal(CallKind::Catalogue);
    popup.press("Try again").await?;
    until(
        "the problem to go",
        async || Ok((!popup.text().await?.contains("could not be read")).then_some(())),
    )
    .await
}

async fn roles_for_other_groups_disappear_once_the_person_is_known(kind: Kind) -> Result<()> {
    let scene = with_catalogue(kind, &catalogue(), true).await?;
    let browser = scene.browser().await?;
    let popup = browser.popup().await?;
    popup.lists(&[DEVELOPER, ADMIN]).await?;
    sign_in_to_provider(&browser, &popup, &scene, "Bob Brown").await?;
    popup.lists(&[DEVELOPER]).await?;
    popup.press("Account").await?;
    popup.press("Use another account…").await?;
    browser.sign_in_window().await?.choose("Alice Adams").await?;
    popup.lists(&[DEVELOPER, ADMIN]).await
}

async fn roles_are_below_headings_and_those_for_other_groups_are_marked_if_the_settings_want_that(
    kind: Kind,
) -> Result<()> {
    let preferences = [("group_by", "environment"), ("other_groups", "dimmed")];
    let scene = with_catalogue_and(kind, &catalogue(), true, &preferences).await?;
    let browser = scene.browser().await?;
    let popup = browser.popup().await?;
    // Production comes before test.
    popup.lists(&[ADMIN, DEVELOPER]).await?;
    sign_in_to_provider(&browser, &popup, &scene, "Bob Brown").await?;
    let marked = async || {
        let description = popup.description(ADMIN).await?;
        Ok(description.contains("For groups that you are not in.").then_some(()))
    };
    until("the role to be marked", marked).await?;
    popup.lists(&[ADMIN, DEVELOPER]).await?;
    ensure!(!popup.description(DEVELOPER).await?.contains("groups"), "the role is for everybody");
    check(&browser, "headings and a role for other groups").await
}

async fn a_catalogue_that_the_browser_may_not_read_can_be_allowed(kind: Kind) -> Result<()> {
    let scene = with_catalogue(kind, &catalogue(), false).await?;
    let browser = scene.browser().await?;
    let popup = browser.popup().await?;
    popup.says("does not let Rolecall connect to 127.0.0.1").await?;
    popup.says("Access-Control-Allow-Origin").await?;
    popup.pressable("Allow access to 127.0.0.1").await?;
    drop(browser);

    let extension = Some(scene.extension_with_host("http://127.0.0.1/*")?);
    let options = Options { extension, ..Options::default() };
    let browser = scene.browser_with(options).await?;
    browser.popup().await?.lists(&[DEVELOPER, ADMIN]).await
}

async fn html_in_a_catalogue_is_text(kind: Kind) -> Result<()> {
    let html = "<img src=x onerror=document.title='hacked'><b>";
    let mut document = catalogue();
    document["account"][0] =
        json!({ "id": "111111111111", "alias": html, "name": html, "environment": html, "tags": [html] });
    document["role"][0]["description"] = html.into();
    let scene = with_catalogue(kind, &document, true).await?;
    let browser = scene.browser().await?;
    let popup = browser.popup().await?;
    let label = format!("{html} / developer");
    popup.lists(&[&label, ADMIN]).await?;
    popup.select(&label).await?;
    assert_eq!(browser.driver().title().await?, "Rolecall");
    Ok(())
}

async fn the_role_service_of_the_previous_tool_lists_roles_after_the_sign_in(kind: Kind) -> Result<()> {
    let scene = scene(kind, None, &[("roles_url", "ORIGIN/roles")], &[]).await?;
    // It allows no other origins, so the person has to allow the address.
    let browser = scene.browser().await?;
    let popup = browser.popup().await?;
    popup.says("No roles yet").await?;
    sign_in_to_provider(&browser, &popup, &scene, "Alice Adams").await?;
    popup.says("could not be listed").await?;
    popup.pressable("Allow access to 127.0.0.1").await?;
    assert_eq!(scene.sandbox.count(CallKind::RoleService), 0);
    drop(browser);

    let extension = Some(scene.extension_with_host("http://127.0.0.1/*")?);
    let browser = scene.browser_with(Options { extension, ..Options::default() }).await?;
    let popup = browser.popup().await?;
    scene.sandbox.fail_all(CallKind::RoleService, Failure::status(500, "no"));
    sign_in_to_provider(&browser, &popup, &scene, "Alice Adams").await?;
    arrived(&scene, CallKind::RoleService, 1).await?;
    popup.says("could not be listed").await?;
    scene.sandbox.heal(CallKind::RoleService);
    popup.press("Try again").await?;
    popup.lists(&["example-dev / readonly"]).await?;
    crate::sign_out(&popup).await?;
    popup.says("No roles yet").await.map(drop)
}
