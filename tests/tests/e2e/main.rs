//! End-to-end tests of the built product: the popup in a real browser, the sandbox's provider, STS and console, the
//! real host program, the real AWS command line and SDKs, and in one module third-party providers and STSs.
//!
//! Every test has its own isolated machine ([`Scene`](rolecall_tests::Scene)) and is a user story, which runs unchanged
//! in every browser. `cargo xtask test --only e2e` builds everything they need; `--filter firefox::` runs them in one
//! browser only.

mod accessibility;
mod account;
mod approval;
mod canaries;
mod chaining;
mod compatibility;
mod console;
mod consumers;
mod crashes;
mod faults;
mod host;
mod independent;
mod main_job;
mod policy;
mod presets;
mod provider;
mod role_lists;
mod routes;
mod session;
mod settings;
mod story;
mod sts;
mod sts_requests;
mod terminal;
mod tokens;

use std::fs;
use std::process::ExitCode;

use anyhow::{Result, ensure};
use rolecall_sandbox::{Call, CallKind};
use rolecall_tests::{Browser, Kind, Popup, Scene, TIMEOUT};
use toml::{Table, Value};

fn main() -> ExitCode {
    let stories = [
        accessibility::stories(),
        account::stories(),
        approval::stories(),
        canaries::stories(),
        chaining::stories(),
        console::stories(),
        consumers::stories(),
        crashes::stories(),
        faults::stories(),
        host::stories(),
        independent::stories(),
        main_job::stories(),
        policy::stories(),
        presets::stories(),
        provider::stories(),
        role_lists::stories(),
        routes::stories(),
        session::stories(),
        settings::stories(),
        sts::stories(),
        sts_requests::stories(),
        terminal::stories(),
        tokens::stories(),
    ];
    let stories = stories.concat();
    let trials =
        Kind::wanted().into_iter().flat_map(|kind| stories.iter().map(move |story| story.trial(kind)));
    let arguments = libtest_mimic::Arguments::from_args();
    let is_whole = arguments.filter.is_none() && !arguments.list && Kind::wanted().len() == Kind::ALL.len();
    let conclusion = libtest_mimic::run(&arguments, trials.collect());
    // The page can only be compared after all stories have passed.
    if is_whole
        && !conclusion.has_failed()
        && independent::all_are_there()
        && let Err(error) = compatibility::check()
    {
        eprintln!("{error:#}");
        return ExitCode::FAILURE;
    }
    conclusion.exit_code()
}

/// The sandbox's roles, as the popup shows them.
const DEVELOPER: &str = "example-dev / developer";
const READONLY: &str = "example-dev / readonly";
const ADMIN: &str = "example-prod / admin";
const AUDITOR: &str = "example-prod / auditor";
const BREAK_GLASS: &str = "example-prod / break-glass";
const ROLES: [&str; 5] = [DEVELOPER, READONLY, ADMIN, AUDITOR, BREAK_GLASS];

/// Opens the popup and waits until it lists the sandbox's roles.
async fn popup_with_roles(browser: &Browser) -> Result<Popup<'_>> {
    let popup = browser.popup().await?;
    popup.lists(&ROLES).await?;
    Ok(popup)
}

/// A browser that knows the roles, with its popup closed.
async fn browser_in_the_background(scene: &Scene) -> Result<Browser> {
    let browser = scene.browser().await?;
    popup_with_roles(&browser).await?.says("connected").await?;
    browser.driver().goto("about:blank").await?;
    Ok(browser)
}

/// Lets the command line use any free port for the redirect: tests have no fixed ports.
fn on_any_port(settings: &mut Table) {
    let ports = Value::Array(vec![0.into()]);
    settings.insert("loopback".into(), Table::from_iter([("ports".to_owned(), ports)]).into());
}

/// Signs in to a role as Alice, through the provider's window.
async fn sign_in_as_alice(browser: &Browser, popup: &Popup<'_>, role: &str) -> Result<()> {
    popup.select(role).await?;
    popup.press("Sign in").await?;
    browser.sign_in_window().await?.choose("Alice Adams").await?;
    popup.status(&format!("Signed in to {role}.")).await?;
    Ok(())
}

/// Signs out of Rolecall only.
async fn sign_out(popup: &Popup<'_>) -> Result<()> {
    popup.press("Account").await?;
    popup.press("Sign out of Rolecall").await?;
    popup.status("Signed out of Rolecall.").await?;
    Ok(())
}

/// Waits until the sandbox has received this many calls of a kind.
async fn arrived(scene: &Scene, kind: CallKind, count: usize) -> Result<()> {
    let arrived = tokio::time::timeout(TIMEOUT, scene.sandbox.arrived(kind, count)).await;
    arrived.map_err(|_| anyhow::anyhow!("{kind:?} was called {} times", scene.sandbox.count(kind)))
}

/// The values of one field in the calls of a kind.
fn asked(scene: &Scene, kind: CallKind, field: &str) -> Vec<String> {
    let value = |call: &Call| call.field(field).unwrap_or_default().to_owned();
    scene.sandbox.calls_of(kind).iter().map(value).collect()
}

/// The `prompt` of each sign-in attempt at the provider: `none` for a silent one, anything else for a window. Firefox
/// requests a window twice, at first without showing it: that is one attempt.
fn prompts(scene: &Scene) -> Vec<String> {
    let mut prompts = asked(scene, CallKind::Authorize, "prompt");
    if scene.kind() == Kind::Firefox {
        let mut hidden = false;
        prompts.retain(|prompt| {
            hidden = prompt != "none" && !hidden;
            !hidden
        });
    }
    prompts
}

/// Checks that no AWS file was written and no credentials were issued.
fn nothing_was_written(scene: &Scene) -> Result<()> {
    let left = fs::read_dir(scene.aws_folder()).map(Iterator::count).unwrap_or_default();
    ensure!(left == 0, "something was written to {}", scene.aws_folder().display());
    Ok(())
}

/// Checks that STS issued no credentials.
fn nothing_was_issued(scene: &Scene) -> Result<()> {
    let calls = scene.sandbox.calls_of(CallKind::AssumeRole);
    ensure!(calls.iter().all(|call| call.status() != Some(200)), "credentials were issued: {calls:#?}");
    Ok(())
}

/// A port that refuses every connection while the socket exists.
fn refusing_port() -> Result<tokio::net::TcpSocket> {
    let socket = tokio::net::TcpSocket::new_v4()?;
    socket.bind((std::net::Ipv4Addr::LOCALHOST, 0).into())?;
    Ok(socket)
}
