//! Third-party providers and STSs: the product and its own sandbox might share a mistake.
//!
//! The results are listed in docs/compatibility.md, which a test compares with this run.

use anyhow::{Result, ensure};
use rolecall_sandbox::Config;
use rolecall_tests::{Independent, Kind, Popup, Provider, Scene, Sdk, Setup, Sts, entries};

use crate::compatibility::{Place, record};
use crate::{on_any_port, sign_out};

crate::stories![
    the_extension_signs_in_at_third_party_providers,
    the_command_line_signs_in_at_third_party_providers,
    a_role_whose_trust_policy_refuses_is_denied,
    a_provider_that_requires_pushed_requests_is_reported,
    a_key_that_was_rotated_between_two_sign_ins_is_fetched,
    a_refresh_token_that_is_rotated_on_each_use_works,
    a_role_is_assumed_through_another_one_at_a_third_party_sts,
];

/// The redirect URIs that the guide for administrators says to register.
const REDIRECTS: [&str; 2] = [
    "https://ganjefdifpdbcgkcmbniolbdkacieled.chromiumapp.org/",
    "https://4ee8a6599c74e8d8a1150321c2f2e859c5d63e25.extensions.allizom.org/",
];

/// The command line's redirect URI, at any port (RFC 8252, section 7.3).
const LOOPBACK: &str = "http://localhost/redirect_uri";

const ARN: &str = "arn:aws:sts::123456789012:assumed-role/example/alice@example.com";

/// The configuration of the guide for administrators.
fn setup(provider: Provider, sts: Sts) -> Setup {
    Setup {
        provider,
        sts,
        application_type: "web",
        redirect_uris: REDIRECTS.map(str::to_owned).to_vec(),
        cors: true,
        par: false,
        algorithm: "RS256",
        lifetime: 3_600,
    }
}

/// Whether every provider can run on this machine.
pub(crate) fn all_are_there() -> bool {
    [Provider::OidcProvider8, Provider::OidcProvider9, Provider::Authlib].into_iter().all(is_there)
}

/// Prints why a test is skipped, if its provider cannot run.
fn is_there(provider: Provider) -> bool {
    if let Some(reason) = provider.missing() {
        println!("skipped: {reason}");
    }
    provider.missing().is_none()
}

async fn the_extension_signs_in_at_third_party_providers(kind: Kind) -> Result<()> {
    for (done, setup) in [
        (
            // So the host program sends the token request.
            "signed in although the token endpoint refuses the extension's origin; RS256, `iss` in the redirect",
            Setup { cors: false, ..setup(Provider::OidcProvider8, Sts::Moto) },
        ),
        (
            "signed in with CORS; ES256, `iss` in the redirect",
            Setup { algorithm: "ES256", ..setup(Provider::OidcProvider9, Sts::Trust) },
        ),
        (
            // The browser hides such responses from the extension.
            "signed in without CORS; RS256, no `iss` in the redirect",
            Setup { cors: false, ..setup(Provider::Authlib, Sts::Trust) },
        ),
    ] {
        if !is_there(setup.provider) {
            continue;
        }
        let scene = Scene::installed(kind).await?;
        let others = Independent::start(&scene, setup).await?;
        let settings = others.settings()?;
        scene.write_settings(|document| *document = settings)?;
        let browser = scene.browser().await?;
        let popup = browser.popup().await?;
        listed(&popup).await?;
        popup.press("Sign in").await?;
        others.sign_in(&browser, "alice").await?;
        popup.status("Signed in to 123456789012 / example.").await?;
        popup.says("alice@example.com").await?;

        popup.press("Write profile").await?;
        popup.status("Wrote the profile example").await?;
        let identity = scene.terminal().rolecall(["whoami", "--profile", "example"]).await?.succeeded()?;
        ensure!(identity.contains(ARN), "{identity}");
        record(others.setup(), &format!("{done}; profile written and used"), Place::Extension(kind));
    }
    Ok(())
}

async fn the_command_line_signs_in_at_third_party_providers(kind: Kind) -> Result<()> {
    for (done, setup) in [
        ("signed in by loopback; RS256", setup(Provider::OidcProvider8, Sts::Moto)),
        (
            "signed in by loopback; ES256",
            Setup { algorithm: "ES256", ..setup(Provider::OidcProvider9, Sts::Trust) },
        ),
    ] {
        if !is_there(setup.provider) {
            continue;
        }
        let scene = Scene::bare(kind, Config::default()).await?;
        let setup = Setup { application_type: "native", redirect_uris: vec![LOOPBACK.to_owned()], ..setup };
        let others = Independent::start(&scene, setup).await?;
        let mut settings = others.settings()?;
        on_any_port(&mut settings);
        scene.write_settings(|document| *document = settings)?;
        let browser = scene.browser().await?;
        let terminal = scene.terminal();

        let login = terminal.start_rolecall(["login", "example", "--method", "loopback"])?;
        browser.driver().goto(scene.opened().await?).await?;
        others.sign_in(&browser, "alice").await?;
        let login = login.finish().await?;
        ensure!(login.stderr.contains("Signed in as 123456789012 / example"), "{login:?}");
        login.succeeded()?;

        // The provider has a session in this browser.
        let exec = ["exec", "example", "--method", "loopback", "--"].map(Into::into);
        let mut exec = terminal.start_rolecall(exec.into_iter().chain(Sdk::Boto3.caller(&scene)?))?;
        browser.driver().goto(scene.opened().await?).await?;
        others.agree(&browser).await?;
        assert_eq!(exec.ask("Who are you?").await?, ARN);
        exec.finish().await?.succeeded()?;
        record(others.setup(), &format!("{done}; boto3 run under `exec`"), Place::Terminal);
    }
    Ok(())
}

async fn a_role_whose_trust_policy_refuses_is_denied(kind: Kind) -> Result<()> {
    let scene = Scene::installed(kind).await?;
    let others = Independent::start(&scene, setup(Provider::Authlib, Sts::Trust)).await?;
    let settings = others.settings()?;
    scene.write_settings(|document| *document = settings)?;
    let browser = scene.browser().await?;
    let popup = browser.popup().await?;
    listed(&popup).await?;
    popup.select("123456789012 / closed").await?;
    popup.press("Sign in").await?;
    others.sign_in(&browser, "alice").await?;
    popup.alert("sts-access-denied").await?;
    record(others.setup(), "role refused by its trust policy: `sts-access-denied`", Place::Extension(kind));
    Ok(())
}

async fn a_provider_that_requires_pushed_requests_is_reported(kind: Kind) -> Result<()> {
    let provider =
        if is_there(Provider::OidcProvider9) { Provider::OidcProvider9 } else { Provider::OidcProvider8 };
    let scene = Scene::installed(kind).await?;
    let others = Independent::start(&scene, Setup { par: true, ..setup(provider, Sts::Trust) }).await?;
    let settings = others.settings()?;
    scene.write_settings(|document| *document = settings)?;
    let browser = scene.browser().await?;
    let popup = browser.popup().await?;
    listed(&popup).await?;
    popup.press("Sign in").await?;
    let alert = popup.alert("provider-refused").await?;
    ensure!(alert.contains("Pushed Authorization Request"), "{alert}");
    let done = "pushed authorization requests required, which Rolecall does not support: `provider-refused`, with the reason";
    record(others.setup(), done, Place::Extension(kind));
    Ok(())
}

async fn a_key_that_was_rotated_between_two_sign_ins_is_fetched(kind: Kind) -> Result<()> {
    let scene = Scene::installed(kind).await?;
    let mut others = Independent::start(&scene, setup(Provider::Authlib, Sts::Trust)).await?;
    let settings = others.settings()?;
    scene.write_settings(|document| *document = settings)?;
    let browser = scene.browser().await?;
    let popup = browser.popup().await?;
    listed(&popup).await?;
    popup.press("Sign in").await?;
    others.sign_in(&browser, "alice").await?;
    popup.status("Signed in to 123456789012 / example.").await?;

    others.rotate_key().await?;
    sign_out(&popup).await?;
    popup.press("Sign in").await?;
    // It ignores prompts: a person with a session is redirected at once.
    popup.status("Signed in to 123456789012 / example.").await?;
    record(others.setup(), "signing key rotated between two sign-ins", Place::Extension(kind));
    Ok(())
}

async fn a_refresh_token_that_is_rotated_on_each_use_works(kind: Kind) -> Result<()> {
    let scene = Scene::installed(kind).await?;
    // Never valid for a second call.
    let setup = Setup { lifetime: 0, ..setup(Provider::Authlib, Sts::Trust) };
    let mut others = Independent::start(&scene, setup).await?;
    let mut settings = others.settings()?;
    for provider in entries(&mut settings, "provider") {
        provider.insert("scope".into(), "openid email offline_access".into());
    }
    scene.write_settings(|document| *document = settings)?;
    let browser = scene.browser().await?;
    let popup = browser.popup().await?;
    listed(&popup).await?;
    popup.press("Sign in").await?;
    others.sign_in(&browser, "alice").await?;
    popup.status("Signed in to 123456789012 / example.").await?;
    for round in 1..=2 {
        scene.terminal().rolecall(["logout", "example"]).await?.succeeded()?;
        scene.terminal().rolecall(["login", "example", "--batch"]).await?.succeeded()?;
        assert_eq!(others.grants().await?.matches("refresh_token").count(), round, "each was used once");
    }
    record(others.setup(), "refresh token rotated on each use", Place::Extension(kind));
    Ok(())
}

async fn a_role_is_assumed_through_another_one_at_a_third_party_sts(kind: Kind) -> Result<()> {
    let scene = Scene::installed(kind).await?;
    let others = Independent::start(&scene, setup(Provider::Authlib, Sts::Moto)).await?;
    let mut settings = others.settings()?;
    for role in entries(&mut settings, "role").filter(|role| !role.contains_key("profile")) {
        role.insert("source_role".into(), "arn:aws:iam::123456789012:role/example".into());
        role.insert("external_id".into(), "corp".into());
    }
    scene.write_settings(|document| *document = settings)?;
    let browser = scene.browser().await?;
    let popup = browser.popup().await?;
    listed(&popup).await?;
    popup.select("123456789012 / closed").await?;
    popup.press("Sign in").await?;
    others.sign_in(&browser, "alice").await?;
    popup.status("Signed in to 123456789012 / closed.").await?;
    popup.press("Write profile").await?;
    popup.status("Wrote the profile 123456789012-closed").await?;
    let whoami = ["whoami", "--profile", "123456789012-closed"];
    let identity = scene.terminal().rolecall(whoami).await?.succeeded()?;
    ensure!(identity.contains("assumed-role/closed/alice@example.com"), "{identity}");
    Ok(())
}

/// Waits until the popup lists the roles, and selects the one that can be assumed.
async fn listed(popup: &Popup<'_>) -> Result<()> {
    popup.lists(&["123456789012 / closed", "123456789012 / example"]).await?;
    popup.select("123456789012 / example").await
}
