//! A provider and an STS that are not ours: what the product and its sandbox agree on might be a mistake of both.

use anyhow::Result;
use rolecall_tests::{Independent, Kind, Scene, Sdk};

use crate::on_any_port;

crate::stories![
    the_extension_signs_in_at_a_provider_of_others,
    the_command_line_signs_in_at_a_provider_of_others,
];

/// The redirect addresses that the guide for administrators has registered.
const REDIRECTS: [&str; 2] = [
    "https://ganjefdifpdbcgkcmbniolbdkacieled.chromiumapp.org/",
    "https://4ee8a6599c74e8d8a1150321c2f2e859c5d63e25.extensions.allizom.org/",
];

/// The one of the command line, at whatever port (RFC 8252, section 7.3).
const LOOPBACK: &str = "http://localhost/redirect_uri";

const ARN: &str = "arn:aws:sts::123456789012:assumed-role/example/alice@example.com";

async fn the_extension_signs_in_at_a_provider_of_others(kind: Kind) -> Result<()> {
    let scene = Scene::installed(kind).await?;
    let others = Independent::start(&scene, "web", &REDIRECTS).await?;
    let settings = others.settings()?;
    scene.write_settings(|document| *document = settings)?;
    let browser = scene.browser().await?;
    let popup = browser.popup().await?;
    popup.lists(&["123456789012 / example"]).await?;
    popup.press("Sign in").await?;
    others.sign_in(&browser, "alice").await?;
    popup.status("Signed in to 123456789012 / example.").await?;
    popup.says("alice@example.com").await?;

    popup.press("Write profile").await?;
    popup.status("Wrote the profile example").await?;
    let identity = scene.terminal().rolecall(["whoami", "--profile", "example"]).await?.succeeded()?;
    assert!(identity.contains(ARN), "{identity}");
    Ok(())
}

async fn the_command_line_signs_in_at_a_provider_of_others(kind: Kind) -> Result<()> {
    let scene = Scene::bare(kind, rolecall_sandbox::Config::default()).await?;
    let others = Independent::start(&scene, "native", &[LOOPBACK]).await?;
    let mut settings = others.settings()?;
    on_any_port(&mut settings);
    scene.write_settings(|document| *document = settings)?;
    let browser = scene.browser().await?;
    let terminal = scene.terminal();

    let login = terminal.start_rolecall(["login", "example", "--method", "loopback"])?;
    browser.driver().goto(scene.opened().await?).await?;
    others.sign_in(&browser, "alice").await?;
    let login = login.finish().await?;
    assert!(login.stderr.contains("Signed in as 123456789012 / example"), "{login:?}");
    login.succeeded()?;

    // The provider knows the browser by now.
    let exec = ["exec", "example", "--method", "loopback", "--"].map(Into::into);
    let mut exec = terminal.start_rolecall(exec.into_iter().chain(Sdk::Boto3.caller(&scene)?))?;
    browser.driver().goto(scene.opened().await?).await?;
    others.agree(&browser).await?;
    assert_eq!(exec.ask("Who are you?").await?, ARN);
    exec.finish().await?.succeeded()?;
    Ok(())
}
