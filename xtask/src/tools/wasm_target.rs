//! Compiling Rust to WebAssembly.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::repo;
use crate::tools::rust_target::{self, Library, rustc};
use crate::tools::{apt, find};

/// The tools to compile for the browser.
pub(crate) struct WasmTarget {
    library: Library,
    /// Another linker, if the toolchain has none.
    linker: Option<PathBuf>,
}

impl WasmTarget {
    /// A cargo command that compiles for the browser.
    pub(crate) fn cargo(&self, subcommand: &str) -> Command {
        let crates = if subcommand == "test" { "std,panic_abort,test" } else { "std,panic_abort" };
        let mut cargo = self.library.cargo(subcommand, crates);
        if let Some(linker) = &self.linker {
            cargo.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker);
        }
        cargo.args(["--target", TARGET, "--target-dir"]).arg(self.target_dir());
        cargo
    }

    /// The output folder of such a command, which contains one for each profile.
    pub(crate) fn folder(&self) -> PathBuf {
        self.target_dir().join(TARGET)
    }

    fn target_dir(&self) -> PathBuf {
        match self.library {
            Library::Installed | Library::FromSources => repo::target(""),
            // Another compiler uses its own target folder.
            Library::FromDebian => repo::target("wasm-from-sources"),
        }
    }

    /// Whether the compiler is Debian's, and not the active toolchain's.
    pub(crate) fn is_debians(&self) -> bool {
        self.library == Library::FromDebian
    }

    /// The compiler of such a command.
    pub(crate) fn compiler(&self) -> OsString {
        self.library.compiler()
    }
}

/// Finds or installs the tools.
pub(crate) fn ready() -> Result<WasmTarget> {
    with(rust_target::ready(&[TARGET], PURPOSE)?)
}

/// Finds or installs the tools for a release. Its standard library is compiled as the rest of it is: the one that comes with a
/// toolchain is optimised for speed and prints panics.
pub(crate) fn ready_for_release() -> Result<WasmTarget> {
    let elsewhere = "rustup's component rust-src (`rustup component add rust-src`)";
    with(rust_target::from_sources(PURPOSE, elsewhere)?)
}

fn with(library: Library) -> Result<WasmTarget> {
    let linker = if library == Library::FromDebian { Some(linker()?) } else { None };
    Ok(WasmTarget { library, linker })
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

/// What the tools are needed for.
const PURPOSE: &str = "compile to WebAssembly";

/// The target that browsers run.
pub(crate) const TARGET: &str = "wasm32-unknown-unknown";
