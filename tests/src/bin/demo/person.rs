//! Asks the person for each click and waits for it, without a time limit. The clicks may come in any order.

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use rolecall_core::aws::RoleArn;
use rolecall_sandbox::{Call, CallKind};
use rolecall_tests::{Browser, Scene};

use crate::{Made, show};

/// Waits until the person has signed in to a role and written its profile.
pub(crate) async fn sign_in(scene: &Scene, browser: &Browser) -> Result<Made> {
    show::ask("In the browser: choose a role, “example-dev / developer” say, and press “Sign in”.");
    let window = || {
        let calls = scene.sandbox.calls_of(CallKind::Authorize);
        calls.iter().any(|call| call.field("prompt") != Some("none")).then_some(())
    };
    show::step("The provider's window", happens(browser, window)).await?;

    show::ask("In the window that opened: continue as any user. There are no passwords here.");
    let role = show::step("ID token verified, role assumed", assumed(scene, browser)).await?;

    show::ask("Back in the popup: press “Write profile”.");
    let profile = || profile(&std::fs::read_to_string(scene.aws_config()).ok()?);
    let profile = show::step("The profile, written", happens(browser, profile)).await?;
    // The person may have chosen another role meanwhile: the profile belongs to the last one that was assumed.
    let role = granted(scene).pop().unwrap_or(role);
    Ok(Made { role, profile })
}

/// Waits until the person has closed the browser.
pub(crate) async fn closes(browser: &Browser) {
    let mut pulse = tokio::time::interval(POLL_INTERVAL);
    while browser.driver().windows().await.is_ok() {
        pulse.tick().await;
    }
}

async fn assumed(scene: &Scene, browser: &Browser) -> Result<RoleArn> {
    let mut refused = 0;
    happens(browser, || {
        let refusals: Vec<Call> = scene
            .sandbox
            .calls_of(CallKind::AssumeRole)
            .into_iter()
            .filter(|call| call.error.as_deref() == Some("AccessDenied"))
            .collect();
        if refusals.len() > refused {
            refused = refusals.len();
            show::ask("The role does not trust this person, and the popup says so. Choose another role.");
        }
        granted(scene).pop()
    })
    .await
}

/// The roles that STS has issued credentials for, in order.
fn granted(scene: &Scene) -> Vec<RoleArn> {
    let calls = scene.sandbox.calls_of(CallKind::AssumeRole);
    let granted = calls.iter().filter(|call| call.status() == Some(200));
    granted.filter_map(|call| call.role()?.parse().ok()).collect()
}

/// The name of the first profile in a config file.
fn profile(config: &str) -> Option<String> {
    let name = config.lines().find_map(|line| line.strip_prefix("[profile ")?.strip_suffix(']'));
    name.map(|name| name.trim_matches('"').to_owned())
}

/// Waits until `look` finds something, while the browser is open.
async fn happens<T>(browser: &Browser, mut look: impl FnMut() -> Option<T>) -> Result<T> {
    let mut pulse = tokio::time::interval(POLL_INTERVAL);
    loop {
        pulse.tick().await;
        if let Some(found) = look() {
            return Ok(found);
        }
        if browser.driver().windows().await.context("the browser was closed before the end")?.is_empty() {
            bail!("the browser was closed before the end");
        }
    }
}

/// How often the state is checked while the person clicks.
const POLL_INTERVAL: Duration = Duration::from_millis(250);
