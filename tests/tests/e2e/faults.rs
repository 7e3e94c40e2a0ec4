//! Something goes wrong during a sign-in. Each time the person or the program is served, or gets an error with its code,
//! and the next attempt works. Nothing hangs, and there is never a second window.
//!
//! To start a browser takes longer than most faults, so each story has many of them in one browser.

use anyhow::{Context as _, Result, bail, ensure};
use chrono::{DateTime, TimeDelta, Utc};
use rolecall_sandbox::{AwsErrorCode, CallKind, Failure, KeyRotation};
use rolecall_tests::{Browser, Kind, Options, Popup, Scene, entries, until};
use serde_json::Value;
use thirtyfour::Key;

use crate::terminal::{QUESTION, ask};
use crate::{DEVELOPER, READONLY, arrived, popup_with_roles, sign_out};

crate::stories![
    a_fault_of_a_server_is_retried_or_named_and_the_next_attempt_works,
    a_sign_in_copes_with_slow_servers_lost_networks_new_keys_and_wrong_clocks,
    a_sign_in_can_be_repeated_after_the_background_was_stopped_at_any_step,
    a_program_is_served_although_the_host_program_is_killed_hangs_or_is_upgraded,
    a_request_causes_one_sign_in_whatever_windows_and_browsers_come_and_go,
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
    let popup = popup_with_roles(&browser).await?;
    let stage = Stage::ready(&scene, &browser, &popup).await?;
    let mut wrong = Vec::new();
    for (call, times, failure, expected) in FAULTS {
        let failure = failure();
        let fault = format!("{call:?} {times:?} {failure:?}");
        stage.needs(call).await.with_context(|| format!("before {fault}"))?;
        let before = scene.sandbox.calls().len();
        match times {
            Some(times) => scene.sandbox.fail_next(call, times, &failure),
            None => scene.sandbox.fail_all(call, failure),
        }
        let came = stage.sign_in(DEVELOPER).await.with_context(|| fault.clone())?;
        scene.sandbox.heal(call);
        if !is(came.as_deref(), expected) {
            let calls = scene.sandbox.calls().split_off(before);
            let calls: Vec<_> =
                calls.iter().map(|call| format!("{:?} {:?}", call.kind, call.outcome)).collect();
            wrong.push(format!("{fault}: {came:?} instead of {expected:?} after {calls:?}"));
        }
        if came.is_some() {
            stage.serves(DEVELOPER).await.with_context(|| format!("after {fault}"))?;
        }
    }
    ensure!(wrong.is_empty(), "{wrong:#?}");
    Ok(())
}

async fn a_sign_in_copes_with_slow_servers_lost_networks_new_keys_and_wrong_clocks(kind: Kind) -> Result<()> {
    let scene = Scene::installed(kind).await?;
    let browser = scene.browser().await?;
    let popup = popup_with_roles(&browser).await?;
    let stage = Stage::ready(&scene, &browser, &popup).await?;
    what_a_slow_sign_in_waits_for_is_shown(stage).await.context("slow servers")?;
    a_lost_network_is_named(stage).await.context("a lost network")?;
    keys_that_change_during_a_sign_in_are_read_again(stage).await.context("new keys")?;
    a_clock_that_is_ten_minutes_off_is_named(stage).await.context("a wrong clock")?;
    a_server_that_never_answers_is_named(stage).await.context("a server that never answers")
}

async fn what_a_slow_sign_in_waits_for_is_shown(stage: Stage<'_>) -> Result<()> {
    const WAITS: [(CallKind, &str); 5] = [
        (CallKind::Discovery, "Looking up your sign-in provider"),
        (CallKind::Jwks, "Looking up your sign-in provider"),
        (CallKind::Authorize, "Checking whether you are still signed in"),
        (CallKind::Token, "Completing the sign-in"),
        (CallKind::AssumeRole, "Asking AWS for the role's credentials"),
    ];
    let Stage { scene, browser, popup } = stage;
    scene.sandbox.end_provider_sessions();
    stage.forget_everything().await?;
    let held = WAITS.map(|(call, words)| (call, words, scene.sandbox.count(call), scene.sandbox.hold(call)));
    stage.begin(DEVELOPER).await?;
    for (call, words, count, hold) in held {
        if !is_early(call) && browser.sign_in_windows().await? > 0 {
            browser.sign_in_window().await?.choose("Alice Adams").await?;
        }
        arrived(scene, call, count + 1).await?;
        popup.status(words).await?;
        hold.release();
        if call == CallKind::Authorize {
            browser.sign_in_window().await?;
            popup.status("Waiting for you to sign in").await?;
        }
    }
    popup.status("Signed in to").await?;
    assert_eq!(browser.sign_in_windows().await?, 0);
    Ok(())
}

async fn a_lost_network_is_named(stage: Stage<'_>) -> Result<()> {
    for (call, expected) in [(CallKind::AssumeRole, "sts-unreachable"), (CallKind::Discovery, "unreachable")]
    {
        stage.needs(call).await?;
        stage.scene.sandbox.cut_network().await;
        let came = stage.sign_in(DEVELOPER).await?;
        ensure!(is(came.as_deref(), Some(expected)), "{call:?}: {came:?}");
        stage.scene.sandbox.restore_network().await;
        stage.serves(DEVELOPER).await?;
    }
    Ok(())
}

async fn keys_that_change_during_a_sign_in_are_read_again(stage: Stage<'_>) -> Result<()> {
    let Stage { scene, browser, popup } = stage;
    sign_out(popup).await?;
    // The extension knows the old keys; the token is signed with the new one.
    let count = scene.sandbox.count(CallKind::Token);
    let token = scene.sandbox.hold(CallKind::Token);
    stage.begin(DEVELOPER).await?;
    browser.sign_in_window().await?.choose("Alice Adams").await?;
    arrived(scene, CallKind::Token, count + 1).await?;
    scene.sandbox.rotate_keys(KeyRotation { retire_old: true, publish_late: false })?;
    token.release();
    popup.status("Signed in to").await?;
    assert_eq!(browser.sign_in_windows().await?, 0);

    // A key that is not published yet is named, and is read once it is.
    sign_out(popup).await?;
    scene.sandbox.rotate_keys(KeyRotation { retire_old: false, publish_late: true })?;
    let came = stage.sign_in(DEVELOPER).await?;
    ensure!(is(came.as_deref(), Some("id-token-key-unknown")), "{came:?}");
    scene.sandbox.publish_keys();
    stage.serves(DEVELOPER).await
}

async fn a_clock_that_is_ten_minutes_off_is_named(stage: Stage<'_>) -> Result<()> {
    // This computer's clock is behind that of the servers, and then ahead of it: a token lives for an hour.
    for (minutes, expected) in [(10, Some("id-token-not-yet-valid")), (-10, SERVED)] {
        stage.needs(CallKind::Token).await?;
        stage.scene.sandbox.clock().advance(TimeDelta::minutes(minutes));
        let came = stage.sign_in(DEVELOPER).await?;
        ensure!(is(came.as_deref(), expected), "{minutes} minutes: {came:?}");
        stage.scene.sandbox.clock().reset();
        if expected != SERVED {
            stage.serves(DEVELOPER).await?;
        }
    }
    Ok(())
}

async fn a_server_that_never_answers_is_named(stage: Stage<'_>) -> Result<()> {
    stage.needs(CallKind::Token).await?;
    let token = stage.scene.sandbox.hold(CallKind::Token);
    stage.begin(DEVELOPER).await?;
    stage.browser.sign_in_window().await?.choose("Alice Adams").await?;
    stage.popup.alert("request-timed-out").await?;
    token.release();
    stage.serves(DEVELOPER).await
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
    let popup = popup_with_roles(&browser).await?;
    let stage = Stage::ready(&scene, &browser, &popup).await?;
    for step in STEPS {
        scene.sandbox.end_provider_sessions();
        stage.forget_everything().await?;
        let count = scene.sandbox.count(step);
        let held = scene.sandbox.hold(step);
        stage.begin(DEVELOPER).await?;
        if !is_early(step) {
            let window = browser.sign_in_window().await.with_context(|| format!("before {step:?}"))?;
            window.choose("Alice Adams").await?;
        }
        arrived(&scene, step, count + 1).await?;
        stage.end_background().await?;
        held.release();
        stage.serves(DEVELOPER).await.with_context(|| format!("stopped at {step:?}"))?;
    }

    // The last step is a person's. Nobody waits any more for the answer of their window, so it is closed.
    scene.sandbox.end_provider_sessions();
    stage.forget_everything().await?;
    stage.begin(DEVELOPER).await?;
    let window = browser.sign_in_window().await?;
    stage.end_background().await?;
    browser.driver().refresh().await?;
    window.has_closed().await?;
    stage.serves(DEVELOPER).await?;
    a_full_storage_does_not_keep_anybody_from_signing_in(stage).await.context("a full storage")
}

async fn a_full_storage_does_not_keep_anybody_from_signing_in(stage: Stage<'_>) -> Result<()> {
    let Stage { scene, browser, popup } = stage;
    sign_out(popup).await?;
    popup.enter().await?;
    let filled = browser.driver().execute_async(FILL_STORAGE, Vec::new()).await?;
    ensure!(filled.convert::<String>()?.to_lowercase().contains("quota"), "the storage is not full");
    stage.serves(DEVELOPER).await?;
    ask(scene).await?.succeeded()?;
    // A new background only knows what could be stored.
    stage.end_background().await?;
    stage.serves(DEVELOPER).await
}

async fn a_program_is_served_although_the_host_program_is_killed_hangs_or_is_upgraded(
    kind: Kind,
) -> Result<()> {
    let mut scene = Scene::bare(kind, rolecall_sandbox::Config::default()).await?;
    scene.own_program()?;
    scene.install_host().await?;
    let browser = scene.browser().await?;
    let popup = popup_with_roles(&browser).await?;
    let stage = Stage::ready(&scene, &browser, &popup).await?;
    for step in STEPS {
        scene.sandbox.end_provider_sessions();
        stage.needs(step).await?;
        stage.popup.says("connected").await?;
        scene.terminal().rolecall(["logout", "--all", "--keep-session"]).await?.succeeded()?;
        a_program_is_served_although_the_host_program_was_killed(stage, step)
            .await
            .with_context(|| format!("killed at {step:?}"))?;
    }
    a_host_program_that_hangs_is_reported_and_used_again(stage).await.context("hung")?;
    a_host_program_is_upgraded_while_it_runs(stage).await.context("upgraded")
}

async fn a_program_is_served_although_the_host_program_was_killed(
    stage: Stage<'_>,
    step: CallKind,
) -> Result<()> {
    let Stage { scene, browser, .. } = stage;
    let count = scene.sandbox.count(step);
    let held = scene.sandbox.hold(step);
    let program = scene.terminal().start_rolecall(QUESTION)?;
    if !is_early(step) {
        browser.sign_in_window().await.context("before")?.choose("Alice Adams").await?;
    }
    arrived(scene, step, count + 1).await?;
    scene.crash_host()?;
    held.release();
    if is_early(step) {
        browser.sign_in_window().await.context("after")?.choose("Alice Adams").await?;
    }
    program.finish().await?.succeeded()?;
    assert_eq!(browser.sign_in_windows().await?, 0);
    Ok(())
}

async fn a_host_program_that_hangs_is_reported_and_used_again(stage: Stage<'_>) -> Result<()> {
    let Stage { scene, popup, .. } = stage;
    popup.says("connected").await?;
    stage.serves(DEVELOPER).await?;
    scene.stop_host()?;
    popup.press("Write profile").await?;
    // A sign-in does not need it.
    popup.select(READONLY).await?;
    popup.press("Sign in").await?;
    until("the other role's credentials", async || {
        Ok((!popup.description(READONLY).await?.is_empty()).then_some(()))
    })
    .await?;
    popup.alert("host-timed-out").await?;
    scene.continue_host()?;
    popup.select(DEVELOPER).await?;
    popup.press("Write profile").await?;
    popup.status("profile example-dev-developer").await?;
    Ok(())
}

async fn a_host_program_is_upgraded_while_it_runs(stage: Stage<'_>) -> Result<()> {
    let Stage { scene, browser, popup } = stage;
    scene.terminal().rolecall(["logout", "--all", "--keep-session"]).await?.succeeded()?;
    scene.upgrade_program()?;
    let person = async { browser.sign_in_window().await?.choose("Alice Adams").await };
    let (answer, signed_in) = tokio::join!(ask(scene), person);
    signed_in?;
    answer?.succeeded()?;
    popup.select(READONLY).await?;
    popup.press("Write profile").await?;
    popup.status("Wrote the profile example-dev-readonly").await?;
    let config = std::fs::read_to_string(scene.aws_config())?;
    ensure!(!config.contains("(deleted)"), "{config}");
    let identity = ["sts", "get-caller-identity", "--profile", "example-dev-readonly"];
    scene.terminal().aws(identity).await?.succeeded()?;
    Ok(())
}

async fn a_request_causes_one_sign_in_whatever_windows_and_browsers_come_and_go(kind: Kind) -> Result<()> {
    let scene = Scene::installed(kind).await?;
    scene.write_settings(|settings| {
        for role in entries(settings, "role") {
            role.insert("duration".into(), 900.into());
        }
    })?;
    let browser = scene.browser().await?;
    let popup = popup_with_roles(&browser).await?;
    let stage = Stage::ready(&scene, &browser, &popup).await?;
    nothing_expired_is_served_after_a_computer_was_suspended(stage).await.context("suspended")?;
    two_windows_of_the_popup_cause_one_sign_in(stage).await.context("two windows")?;
    drop(browser);
    scene.host_has_ended().await?;
    let browser = scene.browser().await?;
    let popup = popup_with_roles(&browser).await?;
    assert_eq!(popup.description(DEVELOPER).await?, "", "nothing was kept");
    Stage::ready(&scene, &browser, &popup).await.context("restarted")?;
    of_two_browsers_one_serves_a_program_and_the_other_when_it_is_gone(&scene, browser)
        .await
        .context("two browsers")
}

async fn nothing_expired_is_served_after_a_computer_was_suspended(stage: Stage<'_>) -> Result<()> {
    let Stage { scene, browser, .. } = stage;
    stage.needs(CallKind::AssumeRole).await?;
    // Of a quarter of an hour, ten seconds are left.
    scene.sandbox.clock().advance(TimeDelta::seconds(10) - TimeDelta::minutes(15));
    let expiration = expiration(&ask(scene).await?.succeeded()?)?;
    scene
        .suspended(until("the credentials to expire", async || Ok((Utc::now() > expiration).then_some(()))))
        .await?;
    scene.sandbox.clock().reset();
    let again = ask(scene).await?.succeeded()?;
    ensure!(self::expiration(&again)? > Utc::now() + TimeDelta::minutes(10), "{again}");
    assert_eq!(browser.sign_in_windows().await?, 0);
    Ok(())
}

fn expiration(document: &str) -> Result<DateTime<Utc>> {
    let document: Value = serde_json::from_str(document)?;
    Ok(document["Expiration"].as_str().context("no expiration")?.parse()?)
}

async fn two_windows_of_the_popup_cause_one_sign_in(stage: Stage<'_>) -> Result<()> {
    let Stage { scene, browser, popup: first } = stage;
    stage.needs(CallKind::Token).await?;
    browser.driver().new_tab().await?;
    let tab = browser.driver().windows().await?.pop().context("no new tab")?;
    browser.driver().switch_to_window(tab).await?;
    let second = popup_with_roles(browser).await?;
    second.select(DEVELOPER).await?;
    let before = scene.sandbox.calls().len();
    stage.begin(DEVELOPER).await?;
    second.type_keys(Key::Control + Key::Enter).await?;
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

async fn of_two_browsers_one_serves_a_program_and_the_other_when_it_is_gone(
    scene: &Scene,
    first: Browser,
) -> Result<()> {
    let profile = scene.another_profile().await?;
    let second = scene.browser_with(Options { profile: Some(profile), ..Options::default() }).await?;
    let popup = popup_with_roles(&second).await?;
    Stage::ready(scene, &second, &popup).await?;
    scene.terminal().rolecall(["logout", "--all", "--keep-session"]).await?.succeeded()?;

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
    let (answer, signed_in) = tokio::join!(ask(scene), person);
    signed_in?;
    answer?.succeeded()?;
    assert_eq!(scene.sandbox.count(CallKind::AssumeRole) - before, 2);
    Ok(())
}

/// A machine whose browser shows the popup.
#[derive(Clone, Copy)]
struct Stage<'a> {
    scene: &'a Scene,
    browser: &'a Browser,
    popup: &'a Popup<'a>,
}

impl<'a> Stage<'a> {
    /// A browser that has finished starting: Alice has signed in with it.
    async fn ready(scene: &'a Scene, browser: &'a Browser, popup: &'a Popup<'a>) -> Result<Self> {
        let stage = Self { scene, browser, popup };
        popup.says("connected").await?;
        stage.serves(DEVELOPER).await?;
        Ok(stage)
    }

    /// Has the developer's role need a call of this kind, and as few others as possible.
    async fn needs(self, call: CallKind) -> Result<()> {
        match call {
            CallKind::AssumeRole => {
                self.scene.terminal().rolecall(["logout", "example-dev-developer"]).await?.succeeded()?;
                self.has_no_credentials().await
            }
            CallKind::Discovery | CallKind::Jwks => self.forget_everything().await,
            _ => sign_out(self.popup).await,
        }
    }

    async fn has_no_credentials(self) -> Result<()> {
        until("the credentials to be forgotten", async || {
            Ok(self.popup.description(DEVELOPER).await?.is_empty().then_some(()))
        })
        .await
    }

    /// Selects a role and presses its button.
    async fn begin(self, role: &str) -> Result<()> {
        if self.popup.has_alert().await? {
            self.popup.dismiss().await?;
        }
        self.popup.select(role).await?;
        self.popup.press("Sign in").await
    }

    /// Signs in as Alice, in a window if there is one, and returns the error if there is one.
    async fn sign_in(self, role: &str) -> Result<Option<String>> {
        let Self { browser, popup, .. } = self;
        self.begin(role).await?;
        let came = until("the end of the sign-in", async || {
            match browser.sign_in_windows().await? {
                0 => {}
                1 => browser.sign_in_window().await?.choose("Alice Adams").await?,
                more => bail!("{more} windows are open"),
            }
            if !popup.description(role).await?.is_empty() {
                return Ok(Some(None));
            }
            match popup.error().await? {
                // A busy browser takes its time to read policies. There is none.
                Some(error) if error.ends_with("policy-unavailable") => {
                    self.begin(role).await?;
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
    async fn serves(self, role: &str) -> Result<()> {
        let came = self.sign_in(role).await?;
        ensure!(came.is_none(), "{came:?}");
        Ok(())
    }

    /// Stops the background, as the browser does when it is idle.
    async fn end_background(self) -> Result<()> {
        self.popup.enter().await?;
        self.browser.end_background().await
    }

    /// Leaves a background that knows nothing of the provider and of anybody.
    async fn forget_everything(self) -> Result<()> {
        self.popup.enter().await?;
        self.browser.driver().execute_async(FORGET, Vec::new()).await?;
        self.browser.end_background().await?;
        self.browser.driver().refresh().await?;
        self.popup.says("Not signed in").await?;
        Ok(())
    }
}

fn is(error: Option<&str>, code: Code) -> bool {
    match (error, code) {
        (Some(error), Some(code)) => error.ends_with(code),
        (error, code) => error.is_none() && code.is_none(),
    }
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
