//! Checks types and lints of the native host's code for other systems. Nothing is linked or run.

use std::process::Command;

use anyhow::Result;

use crate::tools::rust_target::{self, Library};
use crate::tools::{apt, find};
use crate::{crates, repo};

/// Finds or installs the standard library of the targets.
pub(crate) fn ready() -> Result<Library> {
    let library = rust_target::ready(&TARGETS, "check the code for Windows and macOS")?;
    if library != Library::Installed && find(&[DLLTOOL]).is_none() {
        // The standard library for Windows builds its import libraries even for a check.
        apt::install(&["binutils-mingw-w64-x86-64"], "check the code for Windows", DLLTOOL)?;
    }
    Ok(library)
}

/// A command that fails if the host does not compile or has lints on one of them.
pub(crate) fn check() -> Result<Command> {
    let library = ready()?;
    // Clippy only works with the compiler of its own toolchain.
    let own = library != Library::FromDebian;
    let mut cargo = library.cargo(if own { "clippy" } else { "check" }, "std,panic_abort");
    cargo.args(["--package", "rolecall"]);
    if !own {
        // The other compiler uses its own target folder.
        cargo.arg("--target-dir").arg(repo::target("targets"));
    }
    for target in TARGETS {
        cargo.args(["--target", target]);
    }
    // These would need a C compiler for each system, only for what is not linked. Cargo accepts the output of a build
    // script in place of running it: here an empty one.
    // <https://doc.rust-lang.org/cargo/reference/build-scripts.html#overriding-build-scripts>
    for links in
        crates::all(&TARGETS)?.iter().filter(|one| one.compiles_c()).filter_map(|one| one.links.as_ref())
    {
        for target in TARGETS {
            cargo.args(["--config", &format!("target.{target}.{links}.rustc-link-lib=[]")]);
        }
    }
    if own {
        cargo.args(["--", "--deny", "warnings"]);
        cargo.args(NEEDED_ELSEWHERE.iter().flat_map(|lint| ["--allow", lint]));
    }
    Ok(cargo)
}

/// Both Windows ABIs, and macOS.
pub(crate) const TARGETS: [&str; 3] =
    ["x86_64-pc-windows-gnu", "x86_64-pc-windows-msvc", "aarch64-apple-darwin"];

/// A function has the same signature on all systems, so it may return a result that only another system needs, and
/// types that differ elsewhere are the same here.
const NEEDED_ELSEWHERE: [&str; 2] = ["clippy::unnecessary_wraps", "clippy::useless_conversion"];

const DLLTOOL: &str = "x86_64-w64-mingw32-dlltool";
