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
use crate::tools::rust_target;
use crate::tools::wine::{self, Windows};

/// Why the tests cannot be run here, if they cannot.
pub(crate) fn unavailable() -> Result<Option<String>> {
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        return Ok(Some("the host is not tried in Wine: that is done on Linux for x86-64".to_owned()));
    }
    let installed = rust_target::installed(&[TARGET])?;
    Ok((!installed).then(|| format!("the host is not tried in Wine: rustup has no {TARGET} here")))
}

/// The tests, and the Windows that has to live as long as they run.
pub(crate) fn tests() -> Result<(Command, Windows)> {
    let windows = wine::ready()?;
    let mut cargo = repo::cargo();
    cargo.args(["test", "--package", "rolecall", "--lib", "--bins", "--no-fail-fast"]);
    cargo.args(["--test", "aws_files", "--test", "windows", "--target", TARGET]);
    windows.give(&mut cargo, "CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUNNER");
    Ok((cargo, windows))
}

const TARGET: &str = "x86_64-pc-windows-gnu";
