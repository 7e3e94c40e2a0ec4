//! How long a stopped background takes to serve someone who waits: a person who opens the popup, or a program that
//! requests credentials which the background had. In the same run, a background hand-written in JavaScript (`peer.js`)
//! does the same with fixed responses from the browser's storage.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use rolecall_core::message::ui::PORT_NAME;
use rolecall_tests::{Browser, Kind, Options, Scene};
use serde_json::{Value, json};

use crate::{median, report};

/// Measures both, alternating.
pub(crate) async fn measure(kind: Kind) -> Result<()> {
    let ours = Scene::installed(kind).await?;
    let browser = ours.browser().await?;
    let (stored, state) = signed_in(&ours, &browser).await?;
    let theirs = Scene::installed(kind).await?;
    let options = Options { extension: Some(peer(&theirs)?), ..Options::default() };
    let peer = theirs.browser_with(options).await?;
    enter_static_page(&peer).await?;
    let arguments = vec![stored, json!({ "state": state, "answer": answer(&ours).await? })];
    peer.driver().execute_async(GIVE_TO_PEER, arguments).await?;

    let mut popups = [Vec::new(), Vec::new()];
    let mut programs = [Vec::new(), Vec::new()];
    for _ in 0..ROUNDS {
        for (number, (scene, browser)) in [(&ours, &browser), (&theirs, &peer)].into_iter().enumerate() {
            popups[number].push(popup(browser).await?);
            programs[number].push(program(scene, browser).await?);
        }
    }
    for (name, [ours, theirs]) in [
        ("popup opened on a stopped background, to the first paint of the roles", &mut popups),
        ("program that requests credentials from a stopped background, to its first byte", &mut programs),
    ] {
        let (ours, theirs) = (median(ours), median(theirs));
        let aside = format!("hand-written in JavaScript: {} ms; the limit is 25 ms more", theirs.as_millis());
        report(&format!("{kind}: {name}"), ours, theirs + MARGIN, &aside);
    }
    Ok(())
}

/// Signs in, and returns what the background has stored and what it sends to the popup.
async fn signed_in(scene: &Scene, browser: &Browser) -> Result<(Value, Value)> {
    browser.popup().await?.says("connected").await?;
    browser.driver().goto("about:blank").await?;
    let window = browser.driver().window().await?;
    let person = async { browser.sign_in_window().await?.choose("Alice Adams").await };
    let terminal = scene.terminal();
    let (asked, signed_in) = tokio::join!(terminal.rolecall(QUESTION), person);
    signed_in?;
    asked?.succeeded()?;
    browser.driver().switch_to_window(window).await?;
    enter_static_page(browser).await?;
    let stored: Value = browser.driver().execute_async(READ_STORAGE, Vec::new()).await?.convert()?;
    let state: Value = browser.driver().execute_async(READ_STATE, vec![PORT_NAME.into()]).await?.convert()?;
    Ok((stored, state))
}

/// The built extension with the peer as its background. Pages, manifest and host program are the same.
fn peer(scene: &Scene) -> Result<PathBuf> {
    let extension = scene.copy_of_extension()?;
    std::fs::write(extension.join("worker.js"), PEER).context("cannot write the peer")?;
    Ok(extension)
}

/// The background's response to a program, read from the program's output.
async fn answer(scene: &Scene) -> Result<Value> {
    let document = scene.terminal().rolecall(QUESTION).await?.succeeded()?;
    let document: Value = serde_json::from_str(&document).context("no credentials")?;
    Ok(json!({
        "accessKeyId": document["AccessKeyId"],
        "secretAccessKey": document["SecretAccessKey"],
        "sessionToken": document["SessionToken"],
        "expiration": document["Expiration"],
    }))
}

/// From the click that opens the popup to the first frame with the roles.
async fn popup(browser: &Browser) -> Result<Duration> {
    stop(browser).await?;
    let milliseconds: f64 = browser.driver().execute_async(OPEN_POPUP, Vec::new()).await?.convert()?;
    Duration::try_from_secs_f64(milliseconds / 1000.0).context("the page's clock went backwards")
}

/// From the event that starts the background to the first byte of output of a waiting program.
async fn program(scene: &Scene, browser: &Browser) -> Result<Duration> {
    stop(browser).await?;
    let mut waiting = scene.terminal().start_rolecall(QUESTION)?;
    let started = Instant::now();
    browser.driver().execute(WAKE, vec![PORT_NAME.into()]).await?;
    waiting.next().await?;
    Ok(started.elapsed())
}

/// Stops the background and its host program.
async fn stop(browser: &Browser) -> Result<()> {
    enter_static_page(browser).await?;
    browser.end_background().await
}

/// Opens a page of the extension that runs no script.
async fn enter_static_page(browser: &Browser) -> Result<()> {
    Ok(browser.driver().goto(browser.address_of("icons/icon-16.png")).await?)
}

const QUESTION: [&str; 5] =
    ["credential-process", "--profile", "dev", "--role-arn", "arn:aws:iam::111111111111:role/developer"];

const PEER: &str = include_str!("peer.js");

/// The number of measurements of each.
const ROUNDS: usize = 15;

/// How much slower than the peer the product may be.
const MARGIN: Duration = Duration::from_millis(25);

const READ_STORAGE: &str = "
    const done = arguments[arguments.length - 1];
    const { session, local } = (globalThis.browser ?? chrome).storage;
    Promise.all([session.get(null), local.get(null)]).then(([session, local]) => done({ session, local }));
";

const READ_STATE: &str = "
    const done = arguments[arguments.length - 1];
    const port = (globalThis.browser ?? chrome).runtime.connect({ name: arguments[0] });
    port.onMessage.addListener(state => { port.disconnect(); done(state); });
";

const GIVE_TO_PEER: &str = "
    const [stored, known, done] = arguments;
    // Messages have seconds.
    known.answer.expiration = Date.parse(known.answer.expiration) / 1000;
    const { session, local } = (globalThis.browser ?? chrome).storage;
    Promise.all([session.set({ ...stored.session, peer: known }), local.set(stored.local)]).then(() => done(null));
";

const OPEN_POPUP: &str = "
    const done = arguments[arguments.length - 1];
    const start = performance.now();
    const page = window.open('/popup.html', '_blank', 'popup,width=420,height=640');
    const painted = () => page.requestAnimationFrame(() => page.requestAnimationFrame(() => {
        const time = performance.now() - start;
        page.close();
        done(time);
    }));
    const look = () => page.document.querySelector('[role=option]') && (painted(), true);
    const wait = () => {
        if (page.location.pathname !== '/popup.html' || !page.document.body) return setTimeout(wait, 1);
        if (look()) return;
        const changes = new MutationObserver(() => look() && changes.disconnect());
        changes.observe(page.document, { subtree: true, childList: true });
    };
    wait();
";

const WAKE: &str = "(globalThis.browser ?? chrome).runtime.connect({ name: arguments[0] });";
