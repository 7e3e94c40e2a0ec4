//! The way from Rust to WebAssembly: the toolchain's own `wasm32-unknown-unknown`, rustup's, or a standard library
//! compiled from Debian's sources where neither can be had.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::repo::{self, Stamp};
use crate::step;
use crate::tools::{apt, find};

/// A way to compile for the browser.
pub(crate) enum WasmTarget {
    /// The active toolchain has the target.
    Installed,
    /// Debian's compiler, cargo's `build-std`, and a linker from elsewhere.
    FromSources { linker: PathBuf },
}

impl WasmTarget {
    /// A cargo command that compiles for the browser, into a folder of its own: a different compiler may be at work
    /// than for the rest.
    pub(crate) fn cargo(&self, subcommand: &str) -> Command {
        let mut cargo = repo::cargo();
        if let Self::FromSources { linker } = self {
            cargo
                .env("RUSTC", DEBIAN_RUSTC)
                // Debian's is a released compiler: this lets it take the unstable option below.
                .env("RUSTC_BOOTSTRAP", "1")
                .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker);
        }
        cargo.args([subcommand, "--target", TARGET, "--target-dir"]).arg(repo::target("wasm"));
        if matches!(self, Self::FromSources { .. }) {
            cargo.arg(if subcommand == "test" {
                "-Zbuild-std=std,panic_abort,test"
            } else {
                "-Zbuild-std=std,panic_abort"
            });
        }
        cargo
    }

    /// The compiler that such a command runs.
    pub(crate) fn compiler(&self) -> OsString {
        match self {
            Self::Installed => env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()),
            Self::FromSources { .. } => DEBIAN_RUSTC.into(),
        }
    }
}

/// Finds a way, or installs one.
pub(crate) fn ready() -> Result<WasmTarget> {
    if has_target()? || (find(&["rustup"]).is_some() && add_with_rustup()?) {
        return Ok(WasmTarget::Installed);
    }
    if !debian_can() {
        apt::install(&["rustc-web", "rust-web-src"], "compile to WebAssembly", ELSEWHERE)?;
    }
    if !debian_can() {
        bail!(
            "Debian's rustc-web is too old or lacks the sources of the standard library. Install {ELSEWHERE}"
        );
    }
    Ok(WasmTarget::FromSources { linker: linker()? })
}

fn has_target() -> Result<bool> {
    let folder = rustc(&["--print", "target-libdir", "--target", TARGET])?;
    Ok(fs::read_dir(folder.trim()).is_ok_and(|mut entries| entries.next().is_some()))
}

/// Asks rustup for the target, once for each toolchain: where it can't be had the answer may take long.
fn add_with_rustup() -> Result<bool> {
    let refused = Stamp::new(repo::target("tools/rustup-without-wasm"), &[rustc(&["-vV"])?.as_bytes()]);
    if refused.is_fresh() {
        return Ok(false);
    }
    let step = step::Step::start("ask rustup for the WebAssembly target");
    let mut rustup = Command::new("rustup");
    rustup.args(["target", "add", TARGET]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let added = succeeds_within(&mut rustup, RUSTUP_LIMIT)? && has_target()?;
    if added {
        step.ok("");
    } else {
        step.ok("not to be had");
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

/// The linker that comes with a rustup toolchain, else LLVM's.
fn linker() -> Result<PathBuf> {
    let sysroot = rustc(&["--print", "sysroot"])?;
    let about = rustc(&["-vV"])?;
    let host = about.lines().find_map(|line| line.strip_prefix("host: ")).unwrap_or_default();
    let bundled = Path::new(sysroot.trim()).join("lib/rustlib").join(host).join("bin/rust-lld");
    if bundled.is_file() {
        return Ok(bundled);
    }
    if find(&["wasm-ld"]).is_none() {
        apt::install(&["lld"], "link WebAssembly", "LLVM's wasm-ld")?;
    }
    find(&["wasm-ld"]).context("lld was installed but wasm-ld is not on the PATH")
}

/// What the active toolchain's compiler answers.
fn rustc(args: &[&str]) -> Result<String> {
    let program = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(program).args(args).output().context("cannot run rustc")?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The one target that browsers run.
pub(crate) const TARGET: &str = "wasm32-unknown-unknown";

const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
const DEBIAN_SOURCES: &str = "/usr/lib/rustlib/src/rust/library";

/// rustup fetches about 25 MB; behind a firewall it may hang instead of failing.
const RUSTUP_LIMIT: Duration = Duration::from_secs(90);

const ELSEWHERE: &str =
    "Rust's target wasm32-unknown-unknown (with rustup: `rustup target add wasm32-unknown-unknown`)";
