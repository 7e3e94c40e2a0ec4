//! Something goes wrong during a sign-in. Each time the person or the program is served, or gets an error with its code,
//! and the next attempt works. Nothing hangs, and there is never a second window.
//!
//! A fault of a server, of the background or of the host program is one line of a table.

use anyhow::{Context as _, Result, bail, ensure};
use chrono::{DateTime, TimeDelta, Utc};
use rolecall_sandbox::{AwsErrorCode, CallKind, Failure, KeyRotation};
use rolecall_tests::{Browser, Kind, Options, Popup, Scene, entries, until};
use serde_json::Value;

use crate::terminal::{QUESTION, ask};
use crate::{DEVELOPER, arrived, popup_with_roles, sign_out};

crate::stories![
    a_fault_of_a_server_is_retried_or_named_and_the_next_attempt_works
        only in Chromium because "a test cannot make the background of Firefox forget what it knows",
    a_server_that_never_answers_is_named
        only in Chromium because "a test cannot make the background of Firefox forget what it knows",
    a_sign_in_can_be_repeated_after_the_background_was_stopped_at_any_step
        only in Chromium because "a test cannot make the background of Firefox forget what it knows",
    a_program_is_served_although_the_host_program_was_killed_at_any_step
        only in Chromium because "a test cannot make the background of Firefox forget what it knows",
    a_host_program_that_hangs_is_reported_and_used_again
        only in Chromium because "a test cannot make the background of Firefox forget what it knows",
    a_host_program_is_upgraded_while_it_runs
        only in Chromium because "a test cannot make the background of Firefox forget what it knows",
    a_person_signs_in_again_after_the_browser_was_restarted
        only in Chromium because "a test cannot make the background of Firefox forget what it knows",
    keys_that_change_during_a_sign_in_are_read_again
        only in Chromium because "a test cannot make the background of Firefox forget what it knows",
    a_clock_that_is_ten_minutes_off_is_named
        only in Chromium because "a test cannot make the background of Firefox forget what it knows",
    two_windows_of_the_popup_cause_one_sign_in
        only in Chromium because "a test cannot make the background of Firefox forget what it knows",
    of_two_browsers_one_serves_a_program_and_the_other_when_it_is_gone
        only in Chromium because "a test cannot make the background of Firefox forget what it knows",
    a_full_storage_does_not_keep_anybody_from_signing_in
        only in Chromium because "a test cannot make the background of Firefox forget what it knows",
    nothing_expired_is_served_after_a_computer_was_suspended
        only in Chromium because "a test cannot make the background of Firefox forget what it knows",
];

/// The code of the error that a sign-in ends with, if it fails.
type Code = Option<&'static str>;

const SERVED: Code = None;

/// A kind of call, how many of its calls fail (all, if there is no number), how, and what comes of it.
type Fault = (CallKind, Option<usize>, fn() -> Failure, Code);

const FAULTS: [Fault; 18] = [
    (CallKind::Discovery, None, || Failure::status(500, "broken"), Some("provider-unreachable")),
    (CallKind::Discovery, None, || Failure::status(404, "no such page"), Some("provider-unreachable")),
    (CallKind::Discovery, None, || Failure::Drop, Some("unreachable")),
    (CallKind::Discovery, None, || Failure::HalfAnswer, Some("unreachable")),
    (CallKind::Jwks, None, || Failure::status(503, "busy"), Some("provider-unreachable")),
    (CallKind::Jwks, None, || Failure::HalfAnswer, Some("unreachable")),
    (CallKind::Jwks, None, || Failure::Drop, Some("unreachable")),
    (CallKind::Token, None, || Failure::status(429, "slow down"), Some("provider-busy")),
    (CallKind::Token, None, || Failure::status(500, "broken"), Some("provider-unreachable")),
    (CallKind::Token, None, || Failure::Drop, Some("unreachable")),
    (CallKind::Token, Some(1), || Failure::HalfAnswer, SERVED),
    (CallKind::AssumeRole, Some(1), || Failure::status(500, "broken"), SERVED),
    (CallKind::AssumeRole, Some(1), || Failure::Drop, SERVED),
    (CallKind::AssumeRole, Some(1), || Failure::HalfAnswer, SERVED),
    (CallKind::AssumeRole, Some(2), || Failure::Aws(AwsErrorCode::Throttling.into()), SERVED),
    (CallKind::AssumeRole, None, || Failure::Aws(AwsErrorCode::Throttling.into()), Some("sts-throttled")),
    (CallKind::AssumeRole, None, || Failure::status(503, "busy"), Some("sts-unavailable")),
    (CallKind::AssumeRole, None, || Failure::Drop, Some("sts-unreachable")),
];

async fn a_fault_of_a_server_is_retried_or_named_and_the_next_attempt_works(kind: Kind) -> Result<()> {
    let scene = Scene::installed(kind).await?;
    let browser = scene.browser().await?;
    let popup = ready(&scene, &browser).await?;
    let mut wrong = Vec::new();
    for (call, times, failure, expected) in FAULTS {
        let failure = failure();
        let fault = format!("{call:?} {times:?} {failure:?}");
        forget_everything(&browser, &popup).await?;
        let before = scene.sandbox.calls().len();
        match times {
            Some(times) => scene.sandbox.fail_next(call, times, &failure),
            None => scene.sandbox.fail_all(call, failure),
        }
        let came = sign_in(&browser, &popup).await.with_context(|| fault.clone())?;
        scene.sandbox.heal(call);
        if !is(came.as_deref(), expected) {
            let calls = scene.sandbox.calls().split_off(before);
            let calls: Vec<_> =
                calls.iter().map(|call| format!("{:?} {:?}", call.kind, call.outcome)).collect();
            wrong.push(format!("{fault}: {came:?} instead of {expected:?} after {calls:?}"));
        }
        if came.is_some() {
            serves(&browser, &popup).await.with_context(|| format!("after {fault}"))?;
        }
    }
    ensure!(wrong.is_empty(), "{wrong:#?}");
    Ok(())
}

async fn a_server_that_never_answers_is_named(kind: Kind) -> Result<()> {
    let scene = Scene::installed(kind).await?;
    let browser = scene.browser().await?;
    let popup = ready(&scene, &browser).await?;
    let token = scene.sandbox.hold(CallKind::Token);
    begin(&popup).await?;
    browser.sign_in_window().await?.choose("Alice Adams").await?;
    popup.alert("request-timed-out").await?;
    token.release();
    serves(&browser, &popup).await
}

/// The steps of a sign-in, by the call that is waited for.
const STEPS: [CallKind; 5] =
    [CallKind::Discovery, CallKind::Jwks, CallKind::Authorize, CallKind::Token, CallKind::AssumeRole];

/// Whether the call comes before a person has chosen an account.
fn is_early(step: CallKind) -> bool {
    matches!(step, CallKind::Discovery | CallKind::Jwks | CallKind::Authorize)
}

async fn a_sign_in_can_be_repeated_after_the_background_was_stopped_at_any_step(kind: Kind) -> Result<()> {
    let scene = Scene::installed(kind).await?;
    let browser = scene.browser().await?;
    let popup = ready(&scene, &browser).await?;
    for step in STEPS {
        let count = scene.sandbox.count(step);
        let held = scene.sandbox.hold(step);
        begin(&popup).await?;
        if !is_early(step) {
            let window = browser.sign_in_window().await.with_context(|| format!("before {step:?}"))?;
            window.choose("Alice Adams").await?;
        }
        arrived(&scene, step, count + 1).await?;
        popup.enter().await?;
        browser.end_background().await?;
        held.release();
        serves(&browser, &popup).await.with_context(|| format!("stopped at {step:?}"))?;
        scene.sandbox.end_provider_sessions();
        forget_everything(&browser, &popup).await?;
    }

    // The last step is a person's.
    begin(&popup).await?;
    browser.sign_in_window().await?;
    popup.enter().await?;
    browser.end_background().await?;
    // Chromium keeps the window open, without anybody who waits for its answer, and opens no second one.
    if let Some(error) = sign_in(&browser, &popup).await? {
        ensure!(error.ends_with("no-browser"), "{error}");
        serves(&browser, &popup).await?;
    }
    Ok(())
}

async fn a_program_is_served_although_the_host_program_was_killed_at_any_step(kind: Kind) -> Result<()> {
    let scene = Scene::installed(kind).await?;
    let browser = in_the_background(&scene).await?;
    for step in STEPS {
        let count = scene.sandbox.count(step);
        let held = scene.sandbox.hold(step);
        let program = scene.terminal().start_rolecall(QUESTION)?;
        if !is_early(step) {
            let window = browser.sign_in_window().await.with_context(|| format!("before {step:?}"))?;
            window.choose("Alice Adams").await?;
        }
        arrived(&scene, step, count + 1).await?;
        scene.crash_host()?;
        held.release();
        if is_early(step) {
            let window = browser.sign_in_window().await.with_context(|| format!("after {step:?}"))?;
            window.choose("Alice Adams").await?;
        }
        let served = program.finish().await?.succeeded();
        served.with_context(|| format!("killed at {step:?}"))?;
        assert_eq!(browser.sign_in_windows().await?, 0, "killed at {step:?}");
        scene.terminal().rolecall(["logout", "--all", "--keep-session"]).await?.succeeded()?;
        scene.sandbox.end_provider_sessions();
        let popup = popup_with_roles(&browser).await?;
        forget_everything(&browser, &popup).await?;
        popup.says("connected").await?;
        browser.driver().goto("about:blank").await?;
    }
    Ok(())
}

async fn a_host_program_that_hangs_is_reported_and_used_again(kind: Kind) -> Result<()> {
    let scene = Scene::installed(kind).await?;
    let browser = scene.browser().await?;
    let popup = ready(&scene, &browser).await?;
    popup.says("connected").await?;
    serves(&browser, &popup).await?;
    scene.stop_host()?;
    popup.press("Write profile").await?;
    popup.alert("host-timed-out").await?;
    // The sign-in itself does not need it.
    sign_out(&popup).await?;
    serves(&browser, &popup).await?;
    scene.continue_host()?;
    popup.press("Write profile").await?;
    popup.status("profile example-dev-developer").await?;
    Ok(())
}

async fn a_host_program_is_upgraded_while_it_runs(kind: Kind) -> Result<()> {
    let mut scene = Scene::bare(kind, rolecall_sandbox::Config::default()).await?;
    scene.own_program()?;
    scene.install_host().await?;
    let browser = scene.browser().await?;
    let popup = ready(&scene, &browser).await?;
    scene.upgrade_program()?;
    let person = async { browser.sign_in_window().await?.choose("Alice Adams").await };
    let (answer, signed_in) = tokio::join!(ask(&scene), person);
    signed_in?;
    answer?.succeeded()?;
    popup.press("Write profile").await?;
    popup.status("Wrote the profile").await?;
    let config = std::fs::read_to_string(scene.aws_config())?;
    ensure!(!config.contains("(deleted)"), "{config}");
    let identity = ["sts", "get-caller-identity", "--profile", "example-dev-developer"];
    scene.terminal().aws(identity).await?.succeeded()?;
    Ok(())
}

async fn a_person_signs_in_again_after_the_browser_was_restarted(kind: Kind) -> Result<()> {
    let scene = Scene::installed(kind).await?;
    let browser = scene.browser().await?;
    serves(&browser, &ready(&scene, &browser).await?).await?;
    drop(browser);
    scene.host_has_ended().await?;
    let browser = scene.browser().await?;
    let popup = popup_with_roles(&browser).await?;
    assert_eq!(popup.description(DEVELOPER).await?, "", "nothing was kept");
    serves(&browser, &popup).await
}

async fn keys_that_change_during_a_sign_in_are_read_again(kind: Kind) -> Result<()> {
    let scene = Scene::installed(kind).await?;
    let browser = scene.browser().await?;
    let popup = ready(&scene, &browser).await?;
    serves(&browser, &popup).await?;
    sign_out(&popup).await?;
    // The extension knows the old keys; the token is signed with the new one.
    let count = scene.sandbox.count(CallKind::Token);
    let token = scene.sandbox.hold(CallKind::Token);
    begin(&popup).await?;
    browser.sign_in_window().await?.choose("Alice Adams").await?;
    arrived(&scene, CallKind::Token, count + 1).await?;
    scene.sandbox.rotate_keys(KeyRotation { retire_old: true, publish_late: false })?;
    token.release();
    popup.status("Signed in to").await?;
    assert_eq!(browser.sign_in_windows().await?, 0);

    // A key that is not published yet is named, and is read once it is.
    sign_out(&popup).await?;
    scene.sandbox.rotate_keys(KeyRotation { retire_old: false, publish_late: true })?;
    let came = sign_in(&browser, &popup).await?;
    ensure!(is(came.as_deref(), Some("id-token-key-unknown")), "{came:?}");
    scene.sandbox.publish_keys();
    serves(&browser, &popup).await
}

async fn a_clock_that_is_ten_minutes_off_is_named(kind: Kind) -> Result<()> {
    let scene = Scene::installed(kind).await?;
    let browser = scene.browser().await?;
    let popup = ready(&scene, &browser).await?;
    // This computer's clock is behind that of the servers, and then ahead of it: a token lives for an hour.
    for (minutes, expected) in [(10, Some("id-token-not-yet-valid")), (-10, SERVED)] {
        scene.sandbox.clock().advance(TimeDelta::minutes(minutes));
        let came = sign_in(&browser, &popup).await?;
        ensure!(is(came.as_deref(), expected), "{minutes} minutes: {came:?}");
        scene.sandbox.clock().reset();
        if expected != SERVED {
            serves(&browser, &popup).await?;
        }
        sign_out(&popup).await?;
    }
    Ok(())
}

async fn two_windows_of_the_popup_cause_one_sign_in(kind: Kind) -> Result<()> {
    let scene = Scene::installed(kind).await?;
    let browser = scene.browser().await?;
    let first = ready(&scene, &browser).await?;
    browser.driver().new_tab().await?;
    let tab = browser.driver().windows().await?.pop().context("no new tab")?;
    browser.driver().switch_to_window(tab).await?;
    let second = popup_with_roles(&browser).await?;
    let before = scene.sandbox.calls().len();
    begin(&first).await?;
    second.type_keys(thirtyfour::Key::Control + thirtyfour::Key::Enter).await?;
    let window = browser.sign_in_window().await?;
    assert_eq!(browser.sign_in_windows().await?, 1);
    window.choose("Alice Adams").await?;
    first.status("Signed in to").await?;
    second.says("alice@example.com").await?;
    assert_eq!(browser.sign_in_windows().await?, 0);
    let calls = scene.sandbox.calls().split_off(before);
    for kind in [CallKind::SignIn, CallKind::AssumeRole] {
        assert_eq!(calls.iter().filter(|call| call.kind == kind).count(), 1, "{kind:?}");
    }
    Ok(())
}

async fn of_two_browsers_one_serves_a_program_and_the_other_when_it_is_gone(kind: Kind) -> Result<()> {
    let scene = Scene::installed(kind).await?;
    let first = in_the_background(&scene).await?;
    let profile = scene.another_profile().await?;
    let second = scene.browser_with(Options { profile: Some(profile), ..Options::default() }).await?;
    ready(&scene, &second).await?;

    let before = scene.sandbox.count(CallKind::AssumeRole);
    let program = scene.terminal().start_rolecall(QUESTION)?;
    let windows = until("a window in one of the browsers", async || {
        let windows = (first.sign_in_windows().await?, second.sign_in_windows().await?);
        Ok((windows != (0, 0)).then_some(windows))
    });
    let (one, stays) = match windows.await? {
        (1, 0) => (first, second),
        (0, 1) => (second, first),
        more => bail!("{more:?} windows"),
    };
    one.sign_in_window().await?.choose("Alice Adams").await?;
    program.finish().await?.succeeded()?;
    drop(one);
    let person = async { stays.sign_in_window().await?.choose("Alice Adams").await };
    let (answer, signed_in) = tokio::join!(ask(&scene), person);
    signed_in?;
    answer?.succeeded()?;
    assert_eq!(scene.sandbox.count(CallKind::AssumeRole) - before, 2);
    Ok(())
}

async fn a_full_storage_does_not_keep_anybody_from_signing_in(kind: Kind) -> Result<()> {
    let scene = Scene::installed(kind).await?;
    let browser = scene.browser().await?;
    let popup = ready(&scene, &browser).await?;
    popup.enter().await?;
    let filled = browser.driver().execute_async(FILL_STORAGE, Vec::new()).await?;
    ensure!(filled.convert::<String>()?.to_lowercase().contains("quota"), "the storage is not full");
    serves(&browser, &popup).await?;
    ask(&scene).await?.succeeded()?;
    // A new background only knows what could be stored.
    popup.enter().await?;
    browser.end_background().await?;
    serves(&browser, &popup).await
}

async fn nothing_expired_is_served_after_a_computer_was_suspended(kind: Kind) -> Result<()> {
    let scene = Scene::installed(kind).await?;
    scene.write_settings(|settings| {
        for role in entries(settings, "role") {
            role.insert("duration".into(), 900.into());
        }
    })?;
    let browser = in_the_background(&scene).await?;
    // Of a quarter of an hour, ten seconds are left.
    scene.sandbox.clock().advance(TimeDelta::seconds(10) - TimeDelta::minutes(15));
    let person = async { browser.sign_in_window().await?.choose("Alice Adams").await };
    let (answer, signed_in) = tokio::join!(ask(&scene), person);
    signed_in?;
    let expiration = expiration(&answer?.succeeded()?)?;
    scene
        .suspended(until("the credentials to expire", async || Ok((Utc::now() > expiration).then_some(()))))
        .await?;
    scene.sandbox.clock().reset();
    let again = ask(&scene).await?.succeeded()?;
    ensure!(self::expiration(&again)? > Utc::now() + TimeDelta::minutes(10), "{again}");
    assert_eq!(browser.sign_in_windows().await?, 0);
    Ok(())
}

fn expiration(document: &str) -> Result<DateTime<Utc>> {
    let document: Value = serde_json::from_str(document)?;
    Ok(document["Expiration"].as_str().context("no expiration")?.parse()?)
}

/// The popup of a browser that has finished starting: somebody has signed in with it, which is forgotten.
async fn ready<'browser>(scene: &Scene, browser: &'browser Browser) -> Result<Popup<'browser>> {
    let popup = popup_with_roles(browser).await?;
    popup.says("connected").await?;
    serves(browser, &popup).await?;
    scene.sandbox.end_provider_sessions();
    forget_everything(browser, &popup).await?;
    popup.says("connected").await?;
    Ok(popup)
}

/// The same, with the popup closed.
async fn in_the_background(scene: &Scene) -> Result<Browser> {
    let browser = scene.browser().await?;
    ready(scene, &browser).await?;
    browser.driver().goto("about:blank").await?;
    Ok(browser)
}

/// Presses the button for the developer's role.
async fn begin(popup: &Popup<'_>) -> Result<()> {
    if popup.has_alert().await? {
        popup.dismiss().await?;
    }
    popup.select(DEVELOPER).await?;
    popup.press("Sign in").await
}

/// Signs in as Alice, in a window if there is one, and returns the error if there is one.
async fn sign_in(browser: &Browser, popup: &Popup<'_>) -> Result<Option<String>> {
    begin(popup).await?;
    let came = until("the end of the sign-in", async || {
        match browser.sign_in_windows().await? {
            0 => {}
            1 => browser.sign_in_window().await?.choose("Alice Adams").await?,
            more => bail!("{more} windows are open"),
        }
        if !popup.description(DEVELOPER).await?.is_empty() {
            return Ok(Some(None));
        }
        match popup.error().await? {
            // A busy browser takes its time to read policies. There is none.
            Some(error) if error.ends_with("policy-unavailable") => {
                begin(popup).await?;
                Ok(None)
            }
            error => Ok(error.map(Some)),
        }
    });
    let came = came.await?;
    assert_eq!(browser.sign_in_windows().await?, 0);
    Ok(came)
}

/// Checks that a sign-in succeeds now.
async fn serves(browser: &Browser, popup: &Popup<'_>) -> Result<()> {
    let came = sign_in(browser, popup).await?;
    ensure!(came.is_none(), "{came:?}");
    Ok(())
}

fn is(error: Option<&str>, code: Code) -> bool {
    match (error, code) {
        (Some(error), Some(code)) => error.ends_with(code),
        (error, code) => error.is_none() && code.is_none(),
    }
}

/// Leaves a background that knows nothing of the provider and of anybody.
async fn forget_everything(browser: &Browser, popup: &Popup<'_>) -> Result<()> {
    popup.enter().await?;
    browser.driver().execute_async(FORGET, Vec::new()).await?;
    browser.end_background().await?;
    browser.driver().refresh().await?;
    popup.says("Not signed in").await?;
    Ok(())
}

const FORGET: &str = "
const done = arguments[arguments.length - 1];
(globalThis.browser ?? chrome).storage.session.clear().then(() => done());
";

/// Stores what there is room for, in smaller and smaller parts, and returns the last error.
const FILL_STORAGE: &str = r#"
const done = arguments[arguments.length - 1];
const { session } = (globalThis.browser ?? chrome).storage;
(async () => {
  let said = "";
  for (let part = 0, size = 1 << 20; size > 0 && part < 100; part += 1) {
    try {
      await session.set({ [`filler-${part}`]: "x".repeat(size) });
    } catch (error) {
      said = String(error);
      size >>= 2;
    }
  }
  done(said);
})();
"#;
