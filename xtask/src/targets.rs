//! The native host on the systems that this machine is not: types and lints of the code that only they compile. Nothing
//! is linked and nothing runs.

use std::process::Command;

use anyhow::Result;

use crate::tools::rust_target::{self, Library};
use crate::tools::{apt, find};
use crate::{crates, repo};

/// Finds the standard library of the targets, or installs one.
pub(crate) fn ready() -> Result<Library> {
    let library = rust_target::ready(&TARGETS, "check the code for Windows and macOS")?;
    if library == Library::FromSources && find(&[DLLTOOL]).is_none() {
        // The standard library for Windows makes its import libraries even to be checked.
        apt::install(&["binutils-mingw-w64-x86-64"], "check the code for Windows", DLLTOOL)?;
    }
    Ok(library)
}

/// A command that fails if the host does not compile, or could be better, on one of them.
pub(crate) fn check() -> Result<Command> {
    let library = ready()?;
    let installed = library == Library::Installed;
    // Clippy is made for the compiler of its own toolchain only.
    let mut cargo = library.cargo(if installed { "clippy" } else { "check" }, "std,panic_abort");
    cargo.args(["--package", "rolecall"]);
    if !installed {
        // The other compiler keeps what it made to itself.
        cargo.arg("--target-dir").arg(repo::target("targets"));
    }
    for target in TARGETS {
        cargo.args(["--target", target]);
    }
    // These would need a C compiler for each system, only to make what is not linked. Cargo lets a build script's
    // output be given instead of running it: here, none.
    // <https://doc.rust-lang.org/cargo/reference/build-scripts.html#overriding-build-scripts>
    for links in
        crates::all(&TARGETS)?.iter().filter(|one| one.compiles_c()).filter_map(|one| one.links.as_ref())
    {
        for target in TARGETS {
            cargo.args(["--config", &format!("target.{target}.{links}.rustc-link-lib=[]")]);
        }
    }
    if installed {
        cargo.args(["--", "--deny", "warnings"]);
        cargo.args(NEEDED_ELSEWHERE.iter().flat_map(|lint| ["--allow", lint]));
    }
    Ok(cargo)
}

/// Both ways to link on Windows, and macOS.
const TARGETS: [&str; 3] = ["x86_64-pc-windows-gnu", "x86_64-pc-windows-msvc", "aarch64-apple-darwin"];

/// A function has one signature on all systems, so that it may return a result that only another one needs, and types
/// that differ elsewhere are the same here.
const NEEDED_ELSEWHERE: [&str; 2] = ["clippy::unnecessary_wraps", "clippy::useless_conversion"];

const DLLTOOL: &str = "x86_64-w64-mingw32-dlltool";
