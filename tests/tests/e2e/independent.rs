//! Providers and STSs that are not ours: what the product and its sandbox agree on might be a mistake of both.
//!
//! What is told here stands in docs/compatibility.md, which a test holds against this table.

use anyhow::{Result, ensure};
use rolecall_sandbox::Config;
use rolecall_tests::{Independent, Kind, Popup, Provider, Scene, Sdk, Setup, Sts, entries};

use crate::compatibility::{Place, record};
use crate::{on_any_port, sign_out};

crate::stories![
    the_extension_signs_in_at_providers_of_others,
    the_command_line_signs_in_at_providers_of_others,
    a_role_whose_trust_policy_says_no_is_denied,
    a_provider_that_demands_pushed_requests_is_told_apart,
    a_key_that_was_rotated_between_two_sign_ins_is_fetched,
    a_refresh_token_that_is_rotated_each_time_works_each_time,
];

/// The redirect addresses that the guide for administrators has registered.
const REDIRECTS: [&str; 2] = [
    "https://ganjefdifpdbcgkcmbniolbdkacieled.chromiumapp.org/",
    "https://4ee8a6599c74e8d8a1150321c2f2e859c5d63e25.extensions.allizom.org/",
];

/// The one of the command line, at whatever port (RFC 8252, section 7.3).
const LOOPBACK: &str = "http://localhost/redirect_uri";

const ARN: &str = "arn:aws:sts::123456789012:assumed-role/example/alice@example.com";

/// As the guide for administrators has it.
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

/// Whether every provider runs on this machine.
pub(crate) fn all_are_there() -> bool {
    [Provider::OidcProvider8, Provider::OidcProvider9, Provider::Authlib].into_iter().all(is_there)
}

/// Says why a case is not told here, where its provider does not run.
fn is_there(provider: Provider) -> bool {
    if let Some(reason) = provider.missing() {
        println!("not told: {reason}");
    }
    provider.missing().is_none()
}

async fn the_extension_signs_in_at_providers_of_others(kind: Kind) -> Result<()> {
    for (done, setup) in [
        (
            // So the host program asks its token endpoint.
            "signed in where the token endpoint refuses the extension's origin; RS256, `iss` in the redirect",
            Setup { cors: false, ..setup(Provider::OidcProvider8, Sts::Moto) },
        ),
        (
            "signed in with CORS; ES256, `iss` in the redirect",
            Setup { algorithm: "ES256", ..setup(Provider::OidcProvider9, Sts::Trust) },
        ),
        (
            // The browser keeps such answers from the extension.
            "signed in where no answer has CORS; RS256, no `iss` in the redirect",
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

async fn the_command_line_signs_in_at_providers_of_others(kind: Kind) -> Result<()> {
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

        // The provider knows the browser by now.
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

async fn a_role_whose_trust_policy_says_no_is_denied(kind: Kind) -> Result<()> {
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
    record(others.setup(), "a role whose trust policy says no: `sts-access-denied`", Place::Extension(kind));
    Ok(())
}

async fn a_provider_that_demands_pushed_requests_is_told_apart(kind: Kind) -> Result<()> {
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
    let done = "pushed authorization requests demanded, which Rolecall does not make: `provider-refused`, with the reason";
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
    // It honours no prompt: whoever it knows is sent back at once.
    popup.status("Signed in to 123456789012 / example.").await?;
    record(others.setup(), "the signing key rotated between two sign-ins", Place::Extension(kind));
    Ok(())
}

async fn a_refresh_token_that_is_rotated_each_time_works_each_time(kind: Kind) -> Result<()> {
    let scene = Scene::installed(kind).await?;
    // Never good for a second call.
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
    record(others.setup(), "refresh tokens rotated at each use, twice", Place::Extension(kind));
    Ok(())
}

/// Waits until the popup lists the roles, of which the first is selected.
async fn listed(popup: &Popup<'_>) -> Result<()> {
    popup.lists(&["123456789012 / example", "123456789012 / closed"]).await
}
