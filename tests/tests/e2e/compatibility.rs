//! docs/compatibility.md: the third-party software that the product was tested with, generated from the tests.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::sync::Mutex;

use anyhow::{Context as _, Result};
use rolecall_tests::{Kind, Provider, Setup, Sts};

/// Provider, STS and what was done; then where.
type Rows = BTreeMap<[String; 3], BTreeSet<&'static str>>;

static ROWS: Mutex<Rows> = Mutex::new(BTreeMap::new());

/// Records what a story has done.
pub(crate) fn record(setup: &Setup, done: &str, place: Place) {
    let row = [provider(setup.provider), sts(setup.sts), done.to_owned()];
    if let Ok(mut rows) = ROWS.lock() {
        rows.entry(row).or_default().insert(place.name());
    }
}

/// Where it was done.
#[derive(Clone, Copy)]
pub(crate) enum Place {
    /// In the extension.
    Extension(Kind),
    /// In a terminal, without the extension.
    Terminal,
}

impl Place {
    fn name(self) -> &'static str {
        match self {
            Self::Extension(Kind::Chromium) => "Chromium",
            Self::Extension(Kind::Firefox) => "Firefox",
            Self::Terminal => "command line",
        }
    }
}

/// Compares the page with a complete run, or writes it if the environment asks for that.
pub(crate) fn check() -> Result<()> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/compatibility.md");
    let rows = ROWS.lock().map_err(|_| anyhow::anyhow!("a story panicked"))?;
    let text = render(&rows);
    if std::env::var_os(WRITE).is_some() {
        return fs::write(&page, text).with_context(|| format!("cannot write {}", page.display()));
    }
    let committed = fs::read_to_string(&page).unwrap_or_default();
    anyhow::ensure!(
        committed == text,
        "docs/compatibility.md differs from this run. To update it: {WRITE}=1 cargo xtask test --only e2e\n{text}"
    );
    Ok(())
}

fn render(rows: &Rows) -> String {
    let mut text = HEAD.to_owned();
    for ([provider, sts, done], places) in rows {
        let places: Vec<_> = places.iter().copied().collect();
        // Writing to a string never fails.
        let _ = writeln!(text, "| {provider} | {sts} | {done} | {} |", places.join(", "));
    }
    text
}

fn provider(provider: Provider) -> String {
    match provider {
        Provider::OidcProvider8 => format!("oidc-provider {} (JavaScript)", npm("oidc-provider")),
        Provider::OidcProvider9 => format!("oidc-provider {} (JavaScript)", npm("oidc-provider-9")),
        Provider::Authlib => format!("Authlib {} (Python)", pip("authlib==")),
    }
}

fn sts(sts: Sts) -> String {
    match sts {
        Sts::Moto => format!("moto {} (Python)", pip("moto==")),
        Sts::Trust => "tests/independent/sts_trust.py (Python): verifies tokens, evaluates trust policies, responds in JSON on request".to_owned(),
    }
}

/// The pinned version.
fn npm(name: &str) -> String {
    let package = include_str!("../../node/package.json");
    let line = package.lines().find(|line| line.trim_start().starts_with(&format!("\"{name}\":")));
    let version = line.and_then(|line| line.split('"').nth(3)).unwrap_or_default();
    version.rsplit('@').next().unwrap_or_default().to_owned()
}

fn pip(name: &str) -> &'static str {
    let requirements = include_str!("../../python-requirements.txt");
    requirements.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default()
}

/// If set, the page is written instead of compared.
const WRITE: &str = "ROLECALL_WRITE_COMPATIBILITY";

const HEAD: &str = "# Compatibility

Every `cargo xtask test` runs Rolecall with these third-party identity providers and STS implementations. The run generates
this page: each row describes a test that passed, and the run fails if the page differs. Nothing in Rolecall is adapted to these
programs, and they are configured as an administrator would configure them. For the AWS command line and SDKs that use the
credentials, see [architecture.md](architecture.md#the-tests-beyond-this-project).

| provider | STS | result | where |
|---|---|---|---|
";
