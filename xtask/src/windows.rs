//! The native host for Windows, tested in Wine: its unit tests, those of the AWS files, and
//! `native-host/tests/windows`.
//!
//! These tests are left out, because in Wine they would not test Windows:
//!
//! - `tests/terminal` runs the program with Unix shells, signals, sockets and keyrings.
//! - `tests/aws_files_processes` kills a writer at every system call that `strace` names.
//! - Some tests of the AWS files are ignored there, with a reason.
//! - Windows' credential manager and certificate store would be Wine's own: the keyring is tested with a substitute.

use std::process::Command;

use anyhow::Result;

use crate::repo;
use crate::tools::rust_target;
use crate::tools::wine::{self, Windows};

/// Why the tests cannot run here, if they cannot.
pub(crate) fn unavailable() -> Result<Option<String>> {
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        return Ok(Some("the host is not tested in Wine, which needs Linux on x86-64".to_owned()));
    }
    let installed = rust_target::installed(&[TARGET])?;
    Ok((!installed).then(|| format!("the host is not tested in Wine: rustup has no {TARGET} here")))
}

/// The tests, and the Windows prefix, which must exist while they run.
pub(crate) fn tests() -> Result<(Command, Windows)> {
    let windows = wine::ready()?;
    let mut cargo = repo::cargo();
    cargo.args(["test", "--package", "rolecall", "--lib", "--bins", "--no-fail-fast"]);
    cargo.args(["--test", "aws_files", "--test", "windows", "--target", TARGET]);
    windows.give(&mut cargo, "CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUNNER");
    Ok((cargo, windows))
}

const TARGET: &str = "x86_64-pc-windows-gnu";
