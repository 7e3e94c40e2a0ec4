//! The whole product is used, and then every secret of it is looked for: on disk, in what can be known of processes, and
//! in the popup. What a page takes from the background is code.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use rolecall_sandbox::{Config, SecretKind};
use rolecall_tests::{Browser, Found, Kind, Options, Popup, Scene, until};
use serde_json::Value;

use crate::terminal::ask;
use crate::{DEVELOPER, popup_with_roles, sign_in_as_alice};

crate::stories![
    every_secret_is_only_where_it_has_to_be,
    a_secret_in_a_file_a_process_or_a_page_is_found,
    a_page_takes_the_compiled_module_of_a_running_background only in Firefox because "Chromium shares compiled code by itself",
];

async fn every_secret_is_only_where_it_has_to_be(kind: Kind) -> Result<()> {
    let scene = scene(kind).await?;
    let watch = scene.watch();
    let browser = browser(&scene).await?;
    let popup = popup_with_roles(&browser).await?;
    sign_in_as_alice(&browser, &popup, DEVELOPER).await?;
    popup.press("Write profile").await?;
    popup.status("Wrote the profile").await?;
    popup.press("Open console").await?;
    browser.console().await?;

    // What a program is given is where it has to be, which shows that the search would find it elsewhere.
    let terminal = scene.terminal();
    let credentials = scene.canaries().within(ask(&scene).await?.succeeded()?.as_bytes());
    ensure!(credentials == KEYS.into(), "{credentials:?}");
    let identity = terminal.aws(["sts", "get-caller-identity", "--profile", "example-dev-developer"]);
    identity.await?.succeeded()?;
    let shell = "env; cat \"$AWS_CONFIG_FILE\"";
    let executed = terminal.rolecall(["exec", "readonly", "--", "sh", "-c", shell]).await?.succeeded()?;
    ensure!(executed.contains("AWS_PROFILE="), "{executed}");
    ensure!(scene.canaries().within(executed.as_bytes()).is_empty(), "{executed}");
    terminal.rolecall(["console", "admin", "--end-session"]).await?.succeeded()?;
    terminal.rolecall(["status"]).await?.succeeded()?;
    terminal.rolecall(["doctor"]).await?;
    popup.enter().await?;
    browser.end_background().await?;
    ask(&scene).await?.succeeded()?;
    let issued: BTreeSet<_> = scene.sandbox.secrets().into_iter().map(|(kind, _)| kind).collect();
    ensure!(issued == ALL.into(), "not every secret was in use: {issued:?}");
    only_where_it_has_to_be(&scene.files_with_secrets()?, &[])?;
    let popup = popup_with_roles(&browser).await?;
    popup.says("alice@example.com").await?;
    let memory = memory(&browser, &popup).await?;
    ensure!(has(&memory, b"alice@example.com"), "this is not the memory of what the popup shows");
    let page = browser.driver().source().await?.into_bytes();
    for bytes in [memory, page] {
        let known = scene.canaries().within(&bytes);
        ensure!(known.is_empty(), "the popup knows {known:?}");
    }

    let write = ["profile", "write", "dev", "--role-arn", DEVELOPER_ARN, "--mode", "file"];
    terminal.rolecall(write).await?.succeeded()?;
    only_where_it_has_to_be(&scene.files_with_secrets()?, &[("home/.aws/credentials", &KEYS)])?;
    terminal.rolecall(["logout", "--all"]).await?.succeeded()?;
    only_where_it_has_to_be(&scene.files_with_secrets()?, &[])?;
    drop(browser);
    scene.host_has_ended().await?;
    only_where_it_has_to_be(&scene.files_with_secrets()?, &[])?;
    let processes = scene.canaries().processes(&watch);
    ensure!(processes.is_empty(), "in command lines or environments: {processes:?}");
    Ok(())
}

async fn a_secret_in_a_file_a_process_or_a_page_is_found(kind: Kind) -> Result<()> {
    let scene = scene(kind).await?;
    let watch = scene.watch();
    let browser = browser(&scene).await?;
    let popup = popup_with_roles(&browser).await?;
    sign_in_as_alice(&browser, &popup, DEVELOPER).await?;
    let secrets = scene.sandbox.secrets();
    let of =
        |wanted| secrets.iter().find(|(kind, _)| *kind == wanted).map_or("", |(_, value)| value.as_str());

    fs::write(scene.settings_file().with_file_name("planted"), of(SecretKind::RefreshToken))?;
    let planted = scene.files_with_secrets()?;
    let planted = planted.get(Path::new("home/.config/rolecall/planted"));
    ensure!(planted == Some(&[SecretKind::RefreshToken].into()), "{planted:?}");

    popup.enter().await?;
    let arguments = [SecretKind::IdToken, SecretKind::AccessToken].map(|kind| of(kind).into());
    browser.driver().execute_async(PLANT, arguments.to_vec()).await?;
    let seen = scene.canaries().within(browser.driver().source().await?.as_bytes());
    ensure!(seen == [SecretKind::IdToken].into(), "{seen:?}");

    let terminal = scene.terminal().with("PLANTED", of(SecretKind::SessionToken));
    let programs = [
        terminal.start(&["cat".into()])?,
        scene.terminal().start(&["tail".into(), "-f".into(), "-".into(), of(SecretKind::Code).into()])?,
    ];
    let planted = BTreeSet::from([SecretKind::SessionToken, SecretKind::Code]);
    until("both programs", async || {
        let seen: BTreeSet<_> = scene.canaries().processes(&watch).into_values().flatten().collect();
        Ok((seen == planted).then_some(()))
    })
    .await?;
    drop((programs, browser));
    scene.host_has_ended().await?;
    let stored = scene.files_with_secrets()?;
    let is_stored = |(place, kinds): (&PathBuf, &BTreeSet<_>)| {
        place.starts_with("profile") && kinds.contains(&SecretKind::AccessToken)
    };
    ensure!(stored.iter().any(is_stored), "{stored:?}");
    Ok(())
}

const DEVELOPER_ARN: &str = "arn:aws:iam::111111111111:role/developer";

/// What a program gets.
const KEYS: [SecretKind; 2] = [SecretKind::SecretAccessKey, SecretKind::SessionToken];

const ALL: [SecretKind; 9] = [
    SecretKind::ClientSecret,
    SecretKind::Code,
    SecretKind::CodeVerifier,
    SecretKind::IdToken,
    SecretKind::AccessToken,
    SecretKind::RefreshToken,
    SecretKind::SecretAccessKey,
    SecretKind::SessionToken,
    SecretKind::SigninToken,
];

/// A machine on which every kind of secret is in use, and every part of the product logs as much as it can.
async fn scene(kind: Kind) -> Result<Scene> {
    let mut config = Config::default();
    config.provider.clients[0].secret = Some("client-secret-that-the-settings-have".to_owned());
    config.provider.scope = "openid email offline_access".into();
    config.console.multi_session = true;
    let mut scene = Scene::installed_with(kind, config).await?;
    scene.set("ROLECALL_LOG", "trace");
    Ok(scene)
}

/// A browser with the extension and one more script, which shows the memory of the popup's module.
async fn browser(scene: &Scene) -> Result<Browser> {
    let extension = scene.copy_of_extension()?;
    fs::write(extension.join("memory.js"), MEMORY)?;
    scene.browser_with(Options { extension: Some(extension), ..Options::default() }).await
}

/// The memory of the popup's module.
async fn memory(browser: &Browser, popup: &Popup<'_>) -> Result<Vec<u8>> {
    popup.enter().await?;
    browser.driver().execute(SHOW_MEMORY, Vec::new()).await?;
    let memory = until("the popup's memory", async || {
        let memory = browser.driver().execute(READ_MEMORY, Vec::new()).await?;
        Ok(Some(memory.convert::<String>()?).filter(|memory| !memory.is_empty()))
    });
    let memory = memory.await?;
    let bytes = memory.as_bytes().chunks_exact(2);
    bytes.map(|digits| Ok(u8::from_str_radix(str::from_utf8(digits)?, 16)?)).collect()
}

fn has(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

/// Compares what was found with the places that docs/threat-model.md names.
fn only_where_it_has_to_be(found: &Found, more: &[(&str, &[SecretKind])]) -> Result<()> {
    let places = SETTINGS.map(|place| (place, &[SecretKind::ClientSecret][..]));
    let expected: Found = places
        .iter()
        .chain(more)
        .map(|(place, kinds)| (place.into(), kinds.iter().copied().collect()))
        .collect();
    let mut found = found.clone();
    found.retain(|place, kinds| {
        // The browser keeps the addresses of all tabs.
        if place.starts_with("profile") && !place.to_string_lossy().to_lowercase().contains("extension") {
            kinds.remove(&SecretKind::SigninToken);
        }
        !kinds.is_empty()
    });
    ensure!(found == expected, "found {found:#?}\nexpected {expected:#?}");
    Ok(())
}

async fn a_page_takes_the_compiled_module_of_a_running_background(kind: Kind) -> Result<()> {
    let scene = Scene::installed(kind).await?;
    let browser = scene.browser().await?;
    let offer = async |module: Value| -> Result<()> {
        popup_with_roles(&browser).await?.says("connected").await?;
        browser.driver().execute(OFFER_ONCE, vec![module]).await?;
        // Another page, which works whatever it was offered.
        popup_with_roles(&browser).await?.says("connected").await?;
        let was_taken = browser.driver().execute(WAS_TAKEN, Vec::new()).await?;
        ensure!(was_taken.json() == true, "nobody took the module");
        Ok(())
    };
    offer(Value::Null).await?;
    offer("no module".into()).await
}

/// Has the background give its module, or something else, to whoever reads it first. The functions are the background's own,
/// since those of this page end with it.
const OFFER_ONCE: &str = "
const background = browser.extension.getBackgroundPage();
const { Array, Function, Object } = background;
const offered = Array.of(arguments[0] ?? background.compiled);
Object.defineProperty(background, 'compiled', {
    get: Function.prototype.bind.call(Array.prototype.pop, offered),
    configurable: true,
});
";

const WAS_TAKEN: &str = "return browser.extension.getBackgroundPage().compiled === undefined";

/// The settings, and the copy that is used while they are being edited.
const SETTINGS: [&str; 2] =
    ["home/.config/rolecall/config.toml", "home/.local/state/rolecall/settings-user.toml"];

/// The page's module, which runs already, returns what it exports.
const MEMORY: &str = r#"
import init from "./wasm/rolecall_extension.js";
const { memory } = await init();
document.querySelector("meta[name=memory]").content = new Uint8Array(memory.buffer).toHex();
"#;

/// Each address of a module runs once.
const SHOW_MEMORY: &str = r#"
document.querySelector("meta[name=memory]")?.remove();
const memory = document.head.appendChild(document.createElement("meta"));
memory.name = "memory";
const script = document.head.appendChild(document.createElement("script"));
script.type = "module";
script.src = `memory.js?${performance.now()}`;
"#;

const READ_MEMORY: &str = r#"return document.querySelector("meta[name=memory]").content"#;

/// Shows one secret, and stores the other one as the extension could.
const PLANT: &str = "
const [shown, stored, done] = arguments;
document.title = shown;
(globalThis.browser ?? chrome).storage.local.set({ planted: stored }).then(() => done());
";
