//! The popup with few, many and very many roles, beside a list that is hand-written in JavaScript (`peer-list.js`) and has the same
//! roles, in the same browser: how long it takes to open, how long a key takes, and how much memory the page needs.

use std::time::Duration;

use anyhow::{Context as _, Result};
use rolecall_tests::{Browser, Kind, Options, Scene, until};
use serde_json::{Value, json};
use toml::Table;

use crate::{median, print, report};

/// Measures everything for each number of roles, alternating: other programs on the machine slow all of them down.
pub(crate) async fn measure(kind: Kind) -> Result<()> {
    let mut organisations = Vec::new();
    for count in COUNTS {
        organisations.push(Organisation::new(kind, count).await?);
    }
    for _ in 0..ROUNDS {
        for organisation in &mut organisations {
            organisation.open_and_type().await?;
        }
    }
    let mut limit = None;
    for Organisation { browser, count, opened: [ours, theirs], keys, .. } in &mut organisations {
        let name = format!("{kind}: popup of {count} roles");
        let (ours, theirs) = (median(ours), median(theirs));
        let limit = *limit.get_or_insert(ours * 3 / 2);
        let aside = format!("{}; the limit is 1.5 times that of {} roles", peer(theirs), COUNTS[0]);
        report(&format!("{name}, until they are drawn and the search has the focus"), ours, limit, &aside);
        let [ours, theirs] = keys.each_ref().map(|rounds| Keys::of(rounds));
        report(
            &format!("{name}, first key to its paint"),
            ours.first,
            SLOWEST_KEY_LIMIT,
            &peer(theirs.first),
        );
        report(&format!("{name}, any key to its paint"), ours.median, KEY_LIMIT, &peer(theirs.median));
        report(
            &format!("{name}, slowest key to its paint"),
            ours.slowest,
            SLOWEST_KEY_LIMIT,
            &peer(theirs.slowest),
        );
        print(
            &format!("{name}, memory of the page"),
            memory(browser).await?,
            MEMORY_LIMIT,
            "bytes",
            match kind {
                Kind::Chromium => "its scripts and the module",
                Kind::Firefox => "the module; Firefox does not tell the rest",
            },
        );
    }
    Ok(())
}

fn peer(time: Duration) -> String {
    format!("hand-written in JavaScript: {:.1} ms", time.as_secs_f64() * 1_000.0)
}

/// A browser with so many roles. Of two measurements, ours comes first, then the peer's.
struct Organisation {
    browser: Browser,
    /// Its files are in use.
    _scene: Scene,
    count: usize,
    opened: [Vec<Duration>; 2],
    /// The keys of each round.
    keys: [Vec<Vec<Duration>>; 2],
}

struct Keys {
    /// The one on the list of all roles.
    first: Duration,
    median: Duration,
    slowest: Duration,
}

impl Organisation {
    async fn new(kind: Kind, count: usize) -> Result<Self> {
        let scene = Scene::installed(kind).await?;
        scene.write_settings(|settings| set_roles(settings, count))?;
        let extension = scene.copy_of_extension()?;
        for (name, text) in
            [("peer-list.html", PEER_PAGE), ("peer-list.js", PEER_SCRIPT), ("memory.js", MEMORY_SCRIPT)]
        {
            std::fs::write(extension.join(name), text).context("cannot write the peer")?;
        }
        let browser =
            scene.browser_with(Options { extension: Some(extension), ..Options::default() }).await?;
        browser.popup().await?.says("connected").await?;
        until("the roles", async || {
            let listed: usize = browser.driver().execute(COUNT, Vec::new()).await?.convert()?;
            Ok((listed >= count).then_some(()))
        })
        .await?;
        browser.driver().goto(browser.address_of("icons/icon-16.png")).await?;
        let roles: Vec<_> = (0..count).map(|number| json!([alias(number), name(number)])).collect();
        browser.driver().execute_async(GIVE_TO_PEER, vec![roles.into()]).await?;
        Ok(Self { browser, _scene: scene, count, opened: <[_; 2]>::default(), keys: <[_; 2]>::default() })
    }

    /// Opens each page and types.
    async fn open_and_type(&mut self) -> Result<()> {
        for (number, page) in ["popup.html", "peer-list.html"].into_iter().enumerate() {
            let arguments = vec![page.into(), self.count.into(), QUERY.into()];
            let times: Value =
                self.browser.driver().execute_async(OPEN_AND_TYPE, arguments).await?.convert()?;
            self.opened[number].push(duration(&times["opened"])?);
            let times = times["keys"].as_array().context("no keys were measured")?;
            self.keys[number].push(times.iter().map(duration).collect::<Result<Vec<_>>>()?);
        }
        Ok(())
    }
}

impl Keys {
    /// The times of each round, of which each key's median counts.
    fn of(rounds: &[Vec<Duration>]) -> Self {
        let count = rounds.first().map_or(0, Vec::len);
        let of_key = |key: usize| {
            median(&mut rounds.iter().filter_map(|keys| keys.get(key).copied()).collect::<Vec<_>>())
        };
        let mut keys: Vec<_> = (0..count).map(of_key).collect();
        Self {
            first: keys.first().copied().unwrap_or_default(),
            median: median(&mut keys),
            slowest: keys.last().copied().unwrap_or_default(),
        }
    }
}

/// The memory of the popup's page: of its scripts as far as the browser tells, and of the module.
async fn memory(browser: &Browser) -> Result<u64> {
    browser.popup().await?.says("connected").await?;
    let module: u64 = browser.driver().execute_async(MODULE_MEMORY, Vec::new()).await?.convert()?;
    Ok(module + browser.script_memory().await?)
}

fn duration(milliseconds: &Value) -> Result<Duration> {
    let milliseconds = milliseconds.as_f64().context("a time is no number")?;
    Duration::try_from_secs_f64(milliseconds / 1_000.0).context("the page's clock went backwards")
}

/// Puts this many roles in the place of the sandbox's own, ten in each account.
fn set_roles(settings: &mut Table, count: usize) {
    let provider = settings["provider"][0]["id"].clone();
    let text: String = (0..count)
        .map(|number| {
            let arn = format!("arn:aws:iam::{:012}:role/{}", number / 10, name(number));
            format!("[[role]]\nprovider = {provider}\narn = \"{arn}\"\n\n")
        })
        .chain((0..count.div_ceil(10)).map(|account| {
            format!("[[account]]\nid = \"{account:012}\"\nalias = \"{}\"\n\n", alias(account * 10))
        }))
        .collect();
    let Ok(generated) = text.parse::<Table>() else { unreachable!("it is TOML") };
    settings.extend(generated);
}

fn alias(number: usize) -> String {
    format!("account-{}", number / 10)
}

fn name(number: usize) -> String {
    let kind = ["Administrator", "Developer", "ReadOnly", "Auditor", "Billing"][number % 5];
    format!("{kind}-{}", number % 10)
}

const COUNTS: [usize; 3] = [20, 1_000, 10_000];

/// How often each page is opened and typed into.
const ROUNDS: usize = 5;

/// What is typed, letter by letter, and deleted again.
const QUERY: &str = "account 1 dev";

/// One frame.
const KEY_LIMIT: Duration = Duration::from_millis(16);

const SLOWEST_KEY_LIMIT: Duration = Duration::from_millis(50);

/// In bytes.
const MEMORY_LIMIT: u64 = 12_000_000;

const PEER_PAGE: &str = include_str!("peer-list.html");
const PEER_SCRIPT: &str = include_str!("peer-list.js");

const GIVE_TO_PEER: &str = "
    const [peer, done] = arguments;
    (globalThis.browser ?? chrome).storage.local.set({ peer }).then(() => done(null));
";

/// Gives how many roles the popup's list has.
const COUNT: &str = "
    const option = document.querySelector('[role=option]');
    return Number(option?.getAttribute('aria-setsize') ?? 0);
";

/// A key is handled at the beginning of a frame; it is painted when a message to oneself, sent when the frame begins to be
/// drawn, arrives.
const OPEN_AND_TYPE: &str = "
    const [address, count, query, done] = arguments;
    const start = performance.now();
    const page = window.open('/' + address, '_blank', 'popup,width=420,height=640');
    const frame = () => new Promise(page.requestAnimationFrame);
    const painted = () => new Promise(resolve => {
        const { port1, port2 } = new MessageChannel();
        port1.onmessage = resolve;
        port2.postMessage(null);
    });
    const isOpen = () => page.document.activeElement?.id === 'search'
        && Number(page.document.querySelector('[role=option]')?.getAttribute('aria-setsize')
            ?? page.document.querySelectorAll('[role=option]').length) >= count;
    const opened = () => new Promise(resolve => {
        const wait = () => {
            if (page.location.pathname !== '/' + address || !page.document.body) return setTimeout(wait, 1);
            if (isOpen()) return resolve();
            const look = () => isOpen() && (changes.disconnect(), resolve());
            const changes = new MutationObserver(look);
            changes.observe(page.document, { attributes: true, childList: true, subtree: true });
            page.document.addEventListener('focusin', look);
        };
        wait();
    });
    const key = async text => {
        await frame();
        const start = performance.now();
        const search = page.document.getElementById('search');
        search.value = text;
        search.dispatchEvent(new page.Event('input', { bubbles: true }));
        await painted();
        return performance.now() - start;
    };
    (async () => {
        await opened();
        await frame();
        await painted();
        const times = { opened: performance.now() - start, keys: [] };
        for (let end = 1; end <= query.length; end++) times.keys.push(await key(query.slice(0, end)));
        for (let end = query.length - 1; end >= 0; end--) times.keys.push(await key(query.slice(0, end)));
        page.close();
        return times;
    })().then(done, error => done({ error: String(error) }));
";

/// In the page, where the module has been started.
const MEMORY_SCRIPT: &str = "
    import init from './wasm/rolecall_extension.js';
    const { memory } = await init();
    dispatchEvent(new CustomEvent('memory', { detail: memory.buffer.byteLength }));
";

/// Gives the size of the module's memory, in bytes.
const MODULE_MEMORY: &str = "
    const done = arguments[arguments.length - 1];
    addEventListener('memory', event => done(event.detail), { once: true });
    const script = document.createElement('script');
    Object.assign(script, { type: 'module', src: '/memory.js' });
    document.head.append(script);
";
