//! The clicks of the demo itself.

use anyhow::{Context as _, Result};
use rolecall_sandbox::CallKind;
use rolecall_tests::{Browser, Popup, Scene};

use crate::{Made, show};

/// Signs in to the demo's role as Alice and writes its profile.
pub(crate) async fn sign_in(scene: &Scene, browser: &Browser, popup: &Popup<'_>) -> Result<Made> {
    let pick = async {
        popup.select(ROLE).await?;
        popup.press("Sign in").await?;
        browser.sign_in_window().await
    };
    let window = show::step(&format!("“{ROLE}”, Sign in"), pick).await?;
    show::step(&format!("The provider's window: continue as {PERSON}"), window.choose(PERSON)).await?;
    let signed_in = async {
        popup.status(&format!("Signed in to {ROLE}.")).await?;
        popup.description(ROLE).await
    };
    let left = show::step("ID token verified, role assumed", signed_in).await?;
    show::block("The popup says", &left);
    let write = async {
        popup.press("Write profile").await?;
        popup.status("Wrote the profile").await
    };
    let said = show::step("Write profile", write).await?;
    show::block("The popup says", &said);

    let calls = scene.sandbox.calls_of(CallKind::AssumeRole);
    let role = calls.last().and_then(|call| call.role()).context("STS was not asked")?;
    Ok(Made { role: role.parse()?, profile: ROLE.replace(" / ", "-") })
}

const ROLE: &str = "example-dev / developer";
const PERSON: &str = "Alice Adams";
