//! Checks that the folder, the user's cargo folder and the times of files leave no trace in the packages: all packages
//! are built here and from a copy elsewhere, without history as in a source archive, and compared.
//!
//! This is cheap enough for every test run. It differs from a release only in the host's profile: optimising takes
//! minutes and does not matter here. [`super::verify`] leaves nothing out.

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

/// The host program of these packages. The end-to-end tests use it: it is a release except for its optimisation.
pub(crate) fn program() -> Result<PathBuf> {
    compile(PROFILE)
}

/// Fails with the names of the packages that differ. If the same sources have passed before, it does nothing, unless
/// the variable `CI` is set.
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
        step::note("the packages of these sources were already built twice and compared");
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

/// The names and contents of the files that packages are built from.
fn digest(files: &BTreeMap<PathBuf, Vec<u8>>) -> Vec<u8> {
    let packed = files.iter().filter(|(name, _)| !is_only_tested_with(name));
    let lines = packed.map(|(name, content)| format!("{} {}\n", repo::sha256(content), name.display()));
    lines.collect::<String>().into_bytes()
}

/// Whether a file is in no package: tests, their data, and documentation pages.
fn is_only_tested_with(name: &Path) -> bool {
    let is_page = name.starts_with("docs") && name.extension().is_some_and(|extension| extension == "md");
    is_page || NOT_PACKED.iter().any(|folder| name.starts_with(folder))
}

/// Another cargo folder with the same crates.
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

/// Folders of history, builds and downloads.
const NO_SOURCES: [&str; 3] = [".git", "node_modules", "target"];

/// Folders that are neither packaged nor compiled into a package.
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

/// A profile in the workspace's `Cargo.toml`.
const PROFILE: &str = "proof";
