//! Whether the folder, the user's own cargo folder and the times of files leave a trace in the packages: all of them are
//! made here and from a copy elsewhere, without history as in a source archive, and compared.
//!
//! This is cheap enough for every test run. It differs from a release in one thing, the host's profile: how well it is
//! optimised costs minutes and has no part in the question. [`super::verify`] leaves nothing out.

use std::collections::BTreeMap;
use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::host::compile;
use super::source::{Source, TIME_FILE};
use super::verify::compare;
use super::{folder, pack, write};
use crate::repo::{self, Stamp};
use crate::step;
use crate::tools::rust_target::rustc;

/// The host as the proof packs it. The end-to-end tests drive it: what people get, but for how well it is optimised.
pub(crate) fn program() -> Result<PathBuf> {
    compile(PROFILE)
}

/// Fails with the names of the packages that differ. Unless the variable `CI` is set, what was proven for the same
/// sources is not proven again.
pub(crate) fn prove() -> Result<()> {
    let mut sources = BTreeMap::new();
    let made = |path: &Path| path.file_name().is_some_and(|name| NO_SOURCES.iter().any(|made| name == *made));
    repo::collect(repo::root(), &|path| !made(path), &mut sources)?;
    let source = Source::here()?;
    let stamp = Stamp::new(
        repo::target("proof/sources.sha256"),
        &[&rustc(&["-vV"])?.into_bytes(), &digest(&sources)],
    );
    sources.insert(TIME_FILE.into(), source.time.to_string().into_bytes());
    if stamp.is_fresh() && env::var_os("CI").is_none() {
        step::note("the packages of these sources were made twice and compared before");
        return Ok(());
    }

    let here = write(&folder(PROFILE), &pack(&source, PROFILE)?)?;

    let copy = repo::target("proof/another folder");
    repo::fill(&copy, &sources)?;
    let mut again = Command::new(repo::program()?);
    again.arg("--root").arg(&copy).args(["package", "--host-profile", PROFILE]).current_dir(&copy);
    if let Some(home) = another_cargo_home()? {
        again.env("CARGO_HOME", home);
    }
    step::run("package again in another folder", &mut again)?;

    let there = copy.join("target").join(format!("package-{PROFILE}"));
    compare(&here, &String::from_utf8(repo::read(&there.join(super::SUMS))?)?, &there)?;
    stamp.set()
}

/// What is in the files that packages are made from, and how they are called.
fn digest(files: &BTreeMap<PathBuf, Vec<u8>>) -> Vec<u8> {
    let packed = files.iter().filter(|(name, _)| !is_only_tested_with(name));
    let lines = packed.map(|(name, content)| format!("{} {}\n", repo::sha256(content), name.display()));
    lines.collect::<String>().into_bytes()
}

/// Whether a file has no part in any package: tests, what they are held against, and pages to read on the way.
fn is_only_tested_with(name: &Path) -> bool {
    let is_page = name.starts_with("docs") && name.extension().is_some_and(|extension| extension == "md");
    is_page || NOT_PACKED.iter().any(|folder| name.starts_with(folder))
}

/// A cargo folder by another name, with the same crates in it.
#[cfg(unix)]
fn another_cargo_home() -> Result<Option<PathBuf>> {
    let Some(home) = crate::remap::cargo_home() else { return Ok(None) };
    let other = repo::target("proof/cargo-home");
    repo::remove_dir(&other)?;
    for name in
        ["config.toml", "git", "registry"].map(Path::new).iter().filter(|name| home.join(name).exists())
    {
        let link = other.join(name);
        repo::create_parent(&link)?;
        std::os::unix::fs::symlink(home.join(name), &link).context("cannot link to the crates")?;
    }
    Ok(Some(other))
}

#[cfg(not(unix))]
fn another_cargo_home() -> Result<Option<PathBuf>> {
    Ok(None)
}

/// Folders of history and of what was made or fetched.
const NO_SOURCES: [&str; 3] = [".git", "node_modules", "target"];

/// Folders of which nothing is packed or compiled into what is.
const NOT_PACKED: [&str; 8] = [
    ".ci",
    "core/tests",
    "native-host/benches",
    "native-host/tests",
    "sandbox",
    "tests",
    "xtask/src/bench",
    "xtask/tests",
];

/// In the workspace's `Cargo.toml`.
const PROFILE: &str = "proof";
