//! The native host as Windows runs it, in Wine: its unit tests, those of the AWS files, and the stories of
//! `native-host/tests/windows`.
//!
//! Left out, because here they would tell of something else than Windows:
//!
//! - `tests/terminal` drives the program with shells, signals, sockets and keyrings of Unix.
//! - `tests/aws_files_processes` kills a writer at every system call that `strace` names.
//! - Some tests of the AWS files are ignored there, and say why.
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
    cargo.args(["test", "--package", "rolecall", "--lib", "--bins", "--no-fail-fast"]);
    cargo.args(["--test", "aws_files", "--test", "windows", "--target", TARGET]);
    windows.give(&mut cargo, "CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUNNER");
    Ok(Some((cargo, windows)))
}

const TARGET: &str = "x86_64-pc-windows-gnu";
