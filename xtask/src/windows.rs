//! The native host as Windows runs it: its unit tests and the stories of `native-host/tests/windows`, in Wine.
//!
//! Left out, because here they would tell of something else than Windows:
//!
//! - `tests/terminal` drives the program with shells, signals, sockets and keyrings of Unix.
//! - `tests/aws_files` expects Unix modes, and lock files that go; its property tests take minutes with Wine's files.
//! - `tests/aws_files_processes` kills a writer at every system call that `strace` names.
//! - Windows' credential manager and certificate store are Wine's own here: the keyring is tested with a stand-in.

use std::process::Command;

use anyhow::Result;

use crate::repo;
use crate::step;
use crate::tools::rust_target;
use crate::tools::wine::{self, Windows};

/// The tests, and the Windows that has to live as long as they run. None where there is no way to run them; it says why.
pub(crate) fn tests() -> Result<Option<(Command, Windows)>> {
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        step::note("the host is not tried in Wine: that is done on Linux for x86-64");
        return Ok(None);
    }
    if !rust_target::installed(&[TARGET])? {
        step::note(&format!("the host is not tried in Wine: rustup has no {TARGET} here"));
        return Ok(None);
    }
    let windows = wine::ready()?;
    let mut cargo = repo::cargo();
    cargo.args(["test", "--package", "rolecall", "--lib", "--bins", "--test", "windows", "--no-fail-fast"]);
    cargo.args(["--target", TARGET]);
    windows.give(&mut cargo, "CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUNNER");
    Ok(Some((cargo, windows)))
}

const TARGET: &str = "x86_64-pc-windows-gnu";
