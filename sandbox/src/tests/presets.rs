//! The sandbox as each of the providers that companies have.

use serde_json::json;

use super::{ADMIN, Browser, DEVELOPER};
use crate::{Preset, Sandbox};

const EXTENSION: &str = "chrome-extension://abcdefghijklmnopabcdefghijklmnop";

#[tokio::test]
async fn every_preset_signs_its_people_in_and_its_roles_know_them() {
    for preset in Preset::ALL {
        let sandbox = Sandbox::start(preset.config()).await.unwrap();
        let browser = Browser::new(&sandbox);
        let document = browser.get(&sandbox.well_known_url()).await.json();
        assert_eq!(document["issuer"], sandbox.issuer(), "{preset:?}");
        let config = sandbox.config().provider;
        let (alice, client) = (&config.users[0].sub, &config.clients[0]);
        let form = browser.authorize(&[("scope", &config.scope)]).await;
        let code = browser.submit(&form, "user", alice).await.redirect("code");
        let secret = client.secret.as_deref().unwrap_or_default();
        let origin = (preset == Preset::EntraSpa).then_some(EXTENSION);
        let answer = browser.token_from(origin, &[("code", &code), ("client_secret", secret)]).await;
        assert_eq!(answer.status, 200, "{preset:?}: {}", answer.body);
        let token = answer.json()["id_token"].as_str().unwrap().to_owned();
        for role in [DEVELOPER, ADMIN] {
            assert_eq!(browser.assume(role, &token, &[]).await.status, 200, "{preset:?}");
        }
        let settings: toml::Table = sandbox.settings_toml().parse().unwrap();
        assert_eq!(settings["provider"][0]["id"].as_str(), Some(config.id.as_str()));
    }
}

#[tokio::test]
async fn presets_refuse_in_the_words_of_their_providers() {
    for (preset, origin, secret, status, words) in [
        (Preset::EntraDesktop, Some(EXTENSION), None, 400, "AADSTS9002326: Cross-origin token redemption"),
        (Preset::EntraSpa, None, None, 400, "AADSTS9002327: Tokens issued for"),
        (Preset::Google, None, Some(""), 400, "client_secret is missing."),
        (Preset::Google, None, Some("GOCSPX-other"), 401, "The provided client secret is invalid."),
        (Preset::Okta, Some(EXTENSION), None, 400, "Browser requests to the token endpoint"),
    ] {
        let sandbox = Sandbox::start(preset.config()).await.unwrap();
        let browser = Browser::new(&sandbox);
        let changes = [("code", "none"), ("client_secret", secret.unwrap_or_default())];
        let answer = browser.token_from(origin, &changes).await;
        assert_eq!(answer.status, status, "{preset:?}");
        let told = answer.json();
        assert!(told["error_description"].as_str().unwrap().starts_with(words), "{preset:?}: {told}");
        if preset == Preset::Google {
            assert_eq!(
                browser.revoke("rolecall-sandbox", "none").await.status,
                400,
                "it wants the secret too"
            );
        }
        if preset == Preset::EntraSpa {
            assert_eq!(told["error_codes"], json!([9_002_327]));
        }
    }
}

#[tokio::test]
async fn a_provider_without_sessions_shows_its_form_whatever_it_is_asked() {
    let sandbox = Sandbox::start(Preset::Dex.config()).await.unwrap();
    let browser = Browser::new(&sandbox);
    browser.sign_in("alice-0001").await;
    assert_eq!(browser.authorize(&[("prompt", "none")]).await.status, 200);
    let sandbox = Sandbox::start(Preset::Cognito.config()).await.unwrap();
    let browser = Browser::new(&sandbox);
    let logout = format!("{}/logout?client_id=rolecall-sandbox", sandbox.provider_origin());
    assert_eq!(browser.get(&logout).await.status, 400);
    assert_eq!(browser.get(&format!("{logout}&logout_uri=https://example.com/")).await.status, 200);
    assert_eq!(browser.authorize(&[]).await.redirect("error"), "invalid_scope", "offline_access");
}
