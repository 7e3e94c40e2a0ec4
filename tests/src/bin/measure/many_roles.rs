//! Programs that request credentials for twenty roles at once, none of which has any yet. A person is signed in, so
//! that each role costs one call to STS; the last program must not wait much longer than a single one.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use rolecall_sandbox::{CallKind, Config, Role};
use rolecall_tests::{Kind, Scene};
use tokio::task::JoinSet;
use toml::{Table, Value};

use crate::{median, report};

/// Through the extension.
pub(crate) async fn through_browser(kind: Kind) -> Result<()> {
    let scene = Scene::installed_with(kind, config()).await?;
    scene.sandbox.delay(CallKind::AssumeRole, STS_LATENCY);
    let browser = scene.browser().await?;
    browser.popup().await?.says("connected").await?;
    browser.driver().goto("about:blank").await?;
    let person = async { browser.sign_in_window().await?.choose(PERSON).await };
    let (first, signed_in) = tokio::join!(ask(&scene, 0), person);
    signed_in?;
    first?;
    compare(&scene, &format!("through {kind}")).await
}

/// Without the extension: the command line signs in through the system's browser.
pub(crate) async fn by_loopback() -> Result<()> {
    let kind = Kind::wanted().into_iter().next().context("no browser")?;
    let mut config = config();
    for client in &mut config.provider.clients {
        client.redirect_uris.push("http://localhost:*/redirect_uri".to_owned());
    }
    let scene = Scene::bare(kind, config).await?;
    // The machine has no fixed ports to register.
    scene.write_settings(|settings| {
        let ports = Table::from_iter([("ports".to_owned(), Value::Array(vec![0.into()]))]);
        settings.insert("loopback".into(), ports.into());
    })?;
    scene.sandbox.delay(CallKind::AssumeRole, STS_LATENCY);
    let browser = scene.browser().await?;
    let person = async {
        browser.driver().goto(scene.opened().await?).await?;
        browser.sign_in_window().await?.answer(PERSON).await
    };
    let (first, signed_in) = tokio::join!(ask(&scene, 0), person);
    signed_in?;
    first?;
    // The provider has a session in this browser: every sign-in redirects back by itself.
    let silently = async {
        loop {
            browser.driver().goto(scene.opened().await?).await?;
        }
    };
    tokio::select! {
        compared = compare(&scene, "by loopback") => compared,
        failed = silently => failed,
    }
}

/// Runs one program after the other, then many at once.
async fn compare(scene: &Scene, way: &str) -> Result<()> {
    let mut alone = Vec::new();
    for number in 1..=ALONE {
        alone.push(ask(scene, number).await?);
    }
    let alone = median(&mut alone);

    let terminal = std::sync::Arc::new(scene.terminal());
    let started = Instant::now();
    let mut programs = JoinSet::new();
    for number in ALONE + 1..=ALONE + AT_ONCE {
        let terminal = std::sync::Arc::clone(&terminal);
        programs.spawn(async move { terminal.rolecall(question(number)).await?.succeeded() });
    }
    while let Some(program) = programs.join_next().await {
        program??;
    }
    let last = started.elapsed();
    report(
        &format!("{AT_ONCE} roles at once {way}"),
        last,
        alone * 3 / 2,
        &format!(
            "the last of them; a single role: {} ms, of which STS takes {} ms; the limit is 1.5 times a single role",
            alone.as_millis(),
            STS_LATENCY.as_millis()
        ),
    );
    Ok(())
}

/// Runs a program that requests a role's credentials, and returns how long it took.
async fn ask(scene: &Scene, number: usize) -> Result<Duration> {
    let started = Instant::now();
    scene.terminal().rolecall(question(number)).await?.succeeded()?;
    Ok(started.elapsed())
}

fn question(number: usize) -> [String; 5] {
    let profile = format!("role-{number}");
    ["credential-process".into(), "--profile".into(), profile, "--role-arn".into(), arn(number)]
}

fn arn(number: usize) -> String {
    format!("arn:aws:iam::111111111111:role/role-{number}")
}

/// The sandbox's configuration with this many roles, which trust every user.
fn config() -> Config {
    let mut config = Config::default();
    let trust = config.sts.roles.iter().find(|role| role.arn.ends_with("/readonly"));
    let trust = trust.map(|role| role.trust_policy.clone()).unwrap_or_default();
    config.sts.roles = (0..=ALONE + AT_ONCE).map(|number| Role::new(&arn(number), &trust)).collect();
    config
}

const PERSON: &str = "Alice Adams";

/// How many programs run one after the other, and at once.
const ALONE: usize = 3;
const AT_ONCE: usize = 20;

/// The latency of a distant STS.
const STS_LATENCY: Duration = Duration::from_millis(500);
