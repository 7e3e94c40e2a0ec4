//! Wine, which runs programs for Windows, and the compiler that links them. Each run has its own Windows prefix, which
//! is removed afterwards.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use crate::repo::{self, Stamp};
use crate::step;
use crate::tools::{apt, find};

/// A new Windows prefix. Dropping it stops its processes and removes it.
pub(crate) struct Windows {
    wine: PathBuf,
    folder: PathBuf,
    /// The same folder for all runs, so that a killed run leaves only one behind.
    _lock: File,
}

/// Finds or installs Wine and the compiler.
pub(crate) fn install() -> Result<PathBuf> {
    if find(&[WINE]).is_none() || find(&[COMPILER]).is_none() {
        apt::install(
            &["gcc-mingw-w64-x86-64", "wine", "wine64"],
            "run the host as Windows does",
            "Wine for 64-bit programs and MinGW-w64's C compiler",
        )?;
    }
    find(&[WINE]).context("wine was installed but is not on the PATH")
}

/// Starts Windows in a new prefix.
pub(crate) fn ready() -> Result<Windows> {
    let lock = repo::lock("wine")?;
    let wine = install()?;
    let folder = repo::target("windows/prefix");
    repo::remove_dir(&folder)?;
    fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let windows = Windows { wine, folder, _lock: lock };
    let step = step::Step::start("start Windows in Wine");
    // Otherwise it ends some time after each program, and the next program may start while it ends.
    windows.server("--persistent");
    step::logged("wineboot", windows.command().args(["wineboot", "--init"]))?;
    windows.complete()?;
    step.ok("");
    Ok(windows)
}

impl Windows {
    /// Makes a cargo command run its programs in this prefix; `runner` is the variable for the runner.
    pub(crate) fn give(&self, command: &mut Command, runner: &str) {
        command.env(runner, &self.wine);
        self.surround(command);
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.wine);
        self.surround(&mut command);
        command
    }

    fn surround(&self, command: &mut Command) {
        command
            .env("WINEPREFIX", &self.folder)
            // Wine's own debug output is of no use.
            .env("WINEDEBUG", "-all")
            // Do not offer to install anything, and do not write to a desktop's menu.
            .env("WINEDLLOVERRIDES", "mscoree,mshtml=;winemenubuilder.exe=d")
            .env_remove("DISPLAY")
            .env_remove("WAYLAND_DISPLAY");
    }

    /// Sends a command to the server that Wine's processes share. A failure is ignored.
    fn server(&self, option: &str) {
        let mut server = Command::new("wineserver");
        server.arg(option).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        self.surround(&mut server);
        let _ = server.status();
    }

    /// Adds the library from which Rust's standard library gets random numbers, and which Wine has since version 9.
    fn complete(&self) -> Result<()> {
        let installed = self.folder.join("drive_c/windows/system32").join(LIBRARY);
        if installed.is_file() {
            return Ok(());
        }
        let library = repo::target("windows").join(LIBRARY);
        let stamp = Stamp::new(library.with_extension("sha256"), &[LIBRARY_SOURCE.as_bytes()]);
        if !stamp.is_fresh() || !library.is_file() {
            let source = library.with_extension("c");
            repo::write(&source, LIBRARY_SOURCE)?;
            let mut compiler = Command::new(COMPILER);
            compiler.args(["-shared", "-o"]).arg(&library).arg(&source).arg("-ladvapi32");
            step::logged("compile bcryptprimitives", &mut compiler)?;
            stamp.set()?;
        }
        fs::copy(&library, &installed).with_context(|| format!("cannot write {}", installed.display()))?;
        Ok(())
    }
}

impl Drop for Windows {
    fn drop(&mut self) {
        // Otherwise its server stays for a moment and writes the registry into the removed folder.
        self.server("--kill");
        self.server("--wait");
        let _ = fs::remove_dir_all(&self.folder);
    }
}

const WINE: &str = "wine";
const COMPILER: &str = "x86_64-w64-mingw32-gcc";

const LIBRARY: &str = "bcryptprimitives.dll";
const LIBRARY_SOURCE: &str = include_str!("wine/bcryptprimitives.c");
