//! The sign-in fails because of the person, the provider, or an attacker in between.

use anyhow::Result;
use rolecall_sandbox::{CallKind, Config, RedirectFault};
use rolecall_tests::{Browser, Kind, Popup, Scene};

use crate::{DEVELOPER, nothing_was_issued, nothing_was_written, popup_with_roles};

crate::stories![
    closing_the_window_ends_the_sign_in_and_the_next_one_works,
    a_denied_sign_in_says_that_the_provider_denied_it,
    a_redirect_that_belongs_to_another_sign_in_is_refused,
    a_provider_that_is_down_is_named,
    a_provider_that_only_allows_loopback_addresses_gets_firefoxs
        only in Firefox because "it has no loopback address",
    a_second_provider_that_does_not_name_itself_comes_back_to_an_address_of_its_own,
    sign_ins_at_two_providers_at_once_do_not_take_each_others_window,
];

/// Presses "Sign in" for a role that needs a window.
async fn begin(browser: &Browser) -> Result<Popup<'_>> {
    let popup = popup_with_roles(browser).await?;
    popup.select(DEVELOPER).await?;
    popup.press("Sign in").await?;
    Ok(popup)
}

async fn closing_the_window_ends_the_sign_in_and_the_next_one_works(kind: Kind) -> Result<()> {
    let scene = Scene::installed(kind).await?;
    let browser = scene.browser().await?;
    let popup = begin(&browser).await?;
    browser.sign_in_window().await?.close().await?;
    let alert = popup.alert("sign-in-cancelled").await?;
    assert!(alert.contains("The sign-in window was closed before the sign-in was complete."), "{alert}");
    assert!(alert.contains("Sign in again when you are ready."), "{alert}");
    nothing_was_issued(&scene)?;
    nothing_was_written(&scene)?;

    popup.press("Sign in").await?;
    browser.sign_in_window().await?.choose("Alice Adams").await?;
    popup.status("Signed in to example-dev / developer.").await?;
    assert!(!popup.has_alert().await?, "the previous error is no longer shown");
    Ok(())
}

async fn a_denied_sign_in_says_that_the_provider_denied_it(kind: Kind) -> Result<()> {
    let scene = Scene::installed(kind).await?;
    let browser = scene.browser().await?;
    let popup = begin(&browser).await?;
    browser.sign_in_window().await?.deny().await?;
    let alert = popup.alert("provider-denied").await?;
    assert!(alert.contains("the person denied the sign-in"), "{alert}");
    assert_eq!(scene.sandbox.count(CallKind::Token), 0);
    nothing_was_written(&scene)?;

    popup.dismiss().await?;
    rolecall_tests::until("the alert to disappear", async || Ok((!popup.has_alert().await?).then_some(())))
        .await
}

async fn a_redirect_that_belongs_to_another_sign_in_is_refused(kind: Kind) -> Result<()> {
    let scene = Scene::installed(kind).await?;
    let browser = scene.browser().await?;
    let popup = popup_with_roles(&browser).await?;
    popup.select(DEVELOPER).await?;
    let tampered = |fault| scene.sandbox.change(|config| config.provider.redirect_fault = fault);
    for (fault, code) in [
        (RedirectFault::WrongState, "state-mismatch"),
        (RedirectFault::MissingState, "state-mismatch"),
        (RedirectFault::WrongIssuer, "redirect-issuer-mismatch"),
        (RedirectFault::MissingIssuer, "redirect-issuer-mismatch"),
        (RedirectFault::MissingCode, "redirect-invalid"),
    ] {
        // The silent attempt redirects correctly; the redirect after the window does not.
        scene.sandbox.end_provider_sessions();
        tampered(None);
        popup.press("Sign in").await?;
        let window = browser.sign_in_window().await?;
        tampered(Some(fault.clone()));
        window.choose("Alice Adams").await?;
        popup.alert(code).await.map_err(|error| error.context(format!("{fault:?}")))?;
        popup.dismiss().await?;
    }
    assert_eq!(scene.sandbox.count(CallKind::Token), 0, "no code was redeemed");
    nothing_was_written(&scene)
}

async fn a_provider_that_is_down_is_named(kind: Kind) -> Result<()> {
    let scene = Scene::installed(kind).await?;
    let reserved = crate::refusing_port()?;
    let address = reserved.local_addr()?;
    scene.write_settings(|settings| {
        for provider in rolecall_tests::entries(settings, "provider") {
            let url = format!("http://{address}/.well-known/openid-configuration");
            provider.insert("well_known_url".into(), url.into());
        }
    })?;
    let browser = scene.browser().await?;
    let popup = begin(&browser).await?;
    let alert = popup.alert("unreachable").await?;
    assert!(alert.contains(&address.to_string()), "{alert}");
    nothing_was_written(&scene)
}

/// The loopback address that the guide for administrators says to register.
const FIREFOX_LOOPBACK: &str = "http://127.0.0.1/mozoauth2/4ee8a6599c74e8d8a1150321c2f2e859c5d63e25";

async fn a_provider_that_only_allows_loopback_addresses_gets_firefoxs(kind: Kind) -> Result<()> {
    let mut config = Config::default();
    config.provider.clients[0].redirect_uris = vec![FIREFOX_LOOPBACK.to_owned()];
    let scene = Scene::installed_with(kind, config).await?;
    scene.write_settings(|settings| {
        for provider in rolecall_tests::entries(settings, "provider") {
            provider.insert("redirect".into(), "loopback".into());
        }
    })?;
    let browser = scene.browser().await?;
    let popup = popup_with_roles(&browser).await?;
    crate::sign_in_as_alice(&browser, &popup, DEVELOPER).await
}

/// The addresses that the guide for administrators says to register for a provider that is not the first.
const OWN_REDIRECTS: [&str; 3] = [
    "https://ganjefdifpdbcgkcmbniolbdkacieled.chromiumapp.org/provider-sandbox",
    "https://4ee8a6599c74e8d8a1150321c2f2e859c5d63e25.extensions.allizom.org/provider-sandbox",
    "http://127.0.0.1/mozoauth2/4ee8a6599c74e8d8a1150321c2f2e859c5d63e25/provider-sandbox",
];

async fn a_second_provider_that_does_not_name_itself_comes_back_to_an_address_of_its_own(
    kind: Kind,
) -> Result<()> {
    let redirects: &[&str] = if kind == Kind::Firefox { &["browser", "loopback"] } else { &["browser"] };
    for redirect in redirects {
        let mut config = Config::default();
        config.provider.issuer_in_redirect = false;
        config.provider.clients[0].redirect_uris = OWN_REDIRECTS.map(str::to_owned).to_vec();
        let scene = Scene::installed_with(kind, config).await?;
        scene.write_settings(|settings| {
            let mut first = toml::Table::new();
            for (key, value) in [
                ("id", "first"),
                ("well_known_url", "https://first.example/.well-known/openid-configuration"),
                ("client_id", "rolecall"),
            ] {
                first.insert(key.into(), value.into());
            }
            for provider in rolecall_tests::entries(settings, "provider") {
                provider.insert("redirect".into(), (*redirect).into());
            }
            if let Some(toml::Value::Array(providers)) = settings.get_mut("provider") {
                providers.insert(0, first.into());
            }
        })?;
        let browser = scene.browser().await?;
        let popup = popup_with_roles(&browser).await?;
        crate::sign_in_as_alice(&browser, &popup, DEVELOPER).await?;
    }
    Ok(())
}

async fn sign_ins_at_two_providers_at_once_do_not_take_each_others_window(kind: Kind) -> Result<()> {
    let scene = Scene::installed(kind).await?;
    scene.write_settings(|settings| {
        for name in ["provider", "role"] {
            let Some(toml::Value::Array(entries)) = settings.get_mut(name) else { continue };
            let Some(toml::Value::Table(mut second)) = entries.first().cloned() else { continue };
            for key in ["id", "provider"] {
                if let Some(id) = second.get_mut(key) {
                    *id = "second".into();
                }
            }
            entries.push(second.into());
        }
    })?;
    let browser = scene.browser().await?;
    browser.popup().await?.says("connected").await?;
    browser.driver().goto("about:blank").await?;
    let terminal = scene.terminal();
    let env = |provider| terminal.start_rolecall(["env", "developer", "--provider", provider]);
    let mut asking = vec![env("second")?];
    let window = browser.sign_in_window().await?;
    let before = scene.sandbox.count(CallKind::Authorize);
    asking.push(env("sandbox")?);
    let is_asked = async || Ok((scene.sandbox.count(CallKind::Authorize) > before).then_some(()));
    rolecall_tests::until("the second sign-in to need a person", is_asked).await?;
    window.choose("Alice Adams").await?;
    for program in asking {
        assert!(program.finish().await?.succeeded()?.contains("AWS_SESSION_TOKEN"));
    }
    Ok(())
}
