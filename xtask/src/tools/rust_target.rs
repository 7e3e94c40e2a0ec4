//! The standard library for other targets: compiled by whoever made the toolchain, or here from the toolchain's sources or
//! Debian's.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::repo::{self, Stamp};
use crate::step;
use crate::tools::{apt, find};

/// Where a standard library comes from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Library {
    /// The active toolchain has it.
    Installed,
    /// The active toolchain has its sources, which cargo's `build-std` compiles.
    FromSources,
    /// Debian has its sources, and the compiler that goes with them.
    FromDebian,
}

impl Library {
    /// The matching compiler.
    pub(crate) fn compiler(self) -> OsString {
        match self {
            Self::Installed | Self::FromSources => own_compiler(),
            Self::FromDebian => DEBIAN_RUSTC.into(),
        }
    }

    /// A cargo command that uses the library; `crates` are the needed parts of it.
    ///
    /// It needs its own target folder: it may use another compiler.
    pub(crate) fn cargo(self, subcommand: &str, crates: &str) -> Command {
        let mut cargo = repo::cargo();
        cargo.arg(subcommand);
        if self != Self::Installed {
            cargo
                .env("RUSTC", self.compiler())
                // The compiler is a stable one: this allows the unstable option below.
                .env("RUSTC_BOOTSTRAP", "1")
                .arg(format!("-Zbuild-std={crates}"));
        }
        cargo
    }
}

/// Finds or installs a library for all of `targets`. `purpose` ends the sentence "… is needed to".
pub(crate) fn ready(targets: &[&str], purpose: &str) -> Result<Library> {
    if installed(targets)? {
        return Ok(Library::Installed);
    }
    let list = targets.join(" ");
    let elsewhere = format!("Rust's targets {list} (with rustup: `rustup target add {list}`)");
    from_sources(purpose, &elsewhere)
}

/// Finds or installs the sources. `elsewhere` is what else would do.
pub(crate) fn from_sources(purpose: &str, elsewhere: &str) -> Result<Library> {
    if own_sources()? {
        return Ok(Library::FromSources);
    }
    if !debian_can() {
        apt::install(&["rustc-web", "rust-web-src"], purpose, elsewhere)?;
    }
    if !debian_can() {
        bail!(
            "Debian's rustc-web is too old or lacks the sources of the standard library. Install {elsewhere}"
        );
    }
    Ok(Library::FromDebian)
}

/// Whether the active toolchain has the sources of its standard library, after asking rustup for them.
fn own_sources() -> Result<bool> {
    let _lock = repo::lock("rust-targets")?;
    let has = || anyhow::Ok(Path::new(rustc(&["--print", "sysroot"])?.trim()).join(SOURCES).is_dir());
    Ok(has()? || add_with_rustup(&["component", "add", SOURCES_COMPONENT], &has)?)
}

/// Whether the active toolchain has the library for all of `targets`, after asking rustup for missing ones.
pub(crate) fn installed(targets: &[&str]) -> Result<bool> {
    let _lock = repo::lock("rust-targets")?;
    for target in targets {
        let has = || has(target);
        if !has()? && !add_with_rustup(&["target", "add", target], &has)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The output of the active toolchain's compiler.
pub(crate) fn rustc(args: &[&str]) -> Result<String> {
    let output = Command::new(own_compiler()).args(args).output().context("cannot run rustc")?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn own_compiler() -> OsString {
    env::var_os("RUSTC").unwrap_or_else(|| "rustc".into())
}

fn has(target: &str) -> Result<bool> {
    let folder = rustc(&["--print", "target-libdir", "--target", target])?;
    Ok(fs::read_dir(folder.trim()).is_ok_and(|mut entries| entries.next().is_some()))
}

/// Asks rustup for a part of the toolchain, once for each toolchain: a failure may take long.
fn add_with_rustup(command: &[&str], has: &dyn Fn() -> Result<bool>) -> Result<bool> {
    let part = command.last().copied().unwrap_or_default();
    let stamp = repo::target(&format!("tools/rustup-without-{part}"));
    let refused = Stamp::new(stamp, &[rustc(&["-vV"])?.as_bytes()]);
    if refused.is_fresh() || find(&["rustup"]).is_none() {
        return Ok(false);
    }
    let step = step::Step::start(&format!("ask rustup for {part}"));
    let mut rustup = Command::new("rustup");
    rustup.args(command).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let added = succeeds_within(&mut rustup, RUSTUP_LIMIT)? && has()?;
    if added {
        step.ok("");
    } else {
        step.ok("not available");
        refused.set()?;
    }
    Ok(added)
}

fn succeeds_within(command: &mut Command, limit: Duration) -> Result<bool> {
    let mut child = command.spawn().context("cannot run rustup")?;
    let deadline = Instant::now() + limit;
    loop {
        if let Some(status) = child.try_wait().context("cannot wait for rustup")? {
            return Ok(status.success());
        }
        if Instant::now() > deadline {
            child.kill().context("cannot stop rustup")?;
            child.wait().context("cannot wait for rustup")?;
            return Ok(false);
        }
        thread::sleep(Duration::from_millis(50));
    }
}

fn debian_can() -> bool {
    let new_enough = Command::new(DEBIAN_RUSTC).arg("--version").output().is_ok_and(|output| {
        // "rustc 1.96.0 (…)"
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let minor = text.split('.').nth(1).and_then(|minor| minor.parse::<u32>().ok());
        text.starts_with("rustc 1.") && minor >= oldest_minor()
    });
    new_enough && Path::new(DEBIAN_SOURCES).is_dir()
}

/// The minor version in the workspace's `rust-version`.
fn oldest_minor() -> Option<u32> {
    env!("CARGO_PKG_RUST_VERSION").split('.').nth(1).and_then(|minor| minor.parse().ok())
}

/// The folder of the sources in a toolchain, and rustup's name for them.
const SOURCES: &str = "lib/rustlib/src/rust/library";
const SOURCES_COMPONENT: &str = "rust-src";

const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
const DEBIAN_SOURCES: &str = "/usr/lib/rustlib/src/rust/library";

/// rustup fetches about 25 MB a target; behind a firewall it may hang instead of failing.
const RUSTUP_LIMIT: Duration = Duration::from_secs(90);
