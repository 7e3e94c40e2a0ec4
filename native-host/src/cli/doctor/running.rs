//! Browsers whose host program runs, as the operating system tells of them: which one it is, and which manifest led it
//! to the program. A browser started with a folder of user data of its own reads the manifest in there.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use sysinfo::{Pid, Process, ProcessRefreshKind, ProcessesToUpdate, System, UpdateKind};

use crate::browsers::{self, Browser};

/// A browser that started a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Running {
    /// Which it is, if it is one that this program knows.
    pub(super) browser: Option<&'static Browser>,
    /// Its own folder of user data, if it was given one.
    pub(super) folder: Option<PathBuf>,
    /// The manifest that it read, as far as that can be told.
    pub(super) manifest: Option<PathBuf>,
}

impl Running {
    /// The browser of the host that listens at `socket`.
    pub(super) fn of_socket(socket: &Path) -> Option<Self> {
        let mut system = System::new();
        let host = look(&mut system, process_of_socket(socket)?)?;
        let named = named_manifest(host.cmd());
        let mut next = host.parent();
        // Windows has a shell in between; a bound keeps a reused id from leading in circles.
        for _ in 0..LONGEST_CHAIN {
            let Some(process) = next.and_then(|id| look(&mut system, id)) else { break };
            let browser = process.exe().and_then(browser_of_program);
            let folder = folder(process.cmd()).map(|folder| match process.cwd() {
                Some(current) => current.join(folder),
                None => folder,
            });
            if browser.is_some() || folder.is_some() {
                let manifest = named.or_else(|| folder.as_deref().map(browsers::manifest_path_in));
                return Some(Self { browser, folder, manifest });
            }
            next = process.parent();
        }
        named.map(|manifest| Self {
            browser: Browser::named("firefox"),
            folder: None,
            manifest: Some(manifest),
        })
    }
}

fn look(system: &mut System, id: Pid) -> Option<&Process> {
    let once = UpdateKind::Always;
    let kind = ProcessRefreshKind::nothing().with_exe(once).with_cmd(once).with_cwd(once);
    system.refresh_processes_specifics(ProcessesToUpdate::Some(&[id]), false, kind);
    system.process(id)
}

/// The process that made the socket is part of its name.
fn process_of_socket(socket: &Path) -> Option<Pid> {
    socket.file_stem()?.to_str()?.split('-').nth(1)?.parse().ok()
}

/// The manifest that Firefox names when it starts a host.
fn named_manifest(arguments: &[impl AsRef<OsStr>]) -> Option<PathBuf> {
    let first = Path::new(arguments.get(1)?.as_ref());
    first.extension().is_some_and(|extension| extension == "json").then(|| first.to_owned())
}

/// The folder that Chromium was given.
fn folder(arguments: &[impl AsRef<OsStr>]) -> Option<PathBuf> {
    let given = |argument: &OsStr| Some(PathBuf::from(argument.to_str()?.strip_prefix("--user-data-dir=")?));
    arguments.iter().find_map(|argument| given(argument.as_ref()))
}

/// The browser that a program is, by its name.
fn browser_of_program(program: &Path) -> Option<&'static Browser> {
    let is_beta = program.components().any(|part| part.as_os_str().to_string_lossy().contains("beta"));
    let name = match program.file_stem()?.to_str()?.to_ascii_lowercase().as_str() {
        "chrome" | "google chrome" | "google-chrome" if !is_beta => "chrome",
        "chrome" | "google chrome" | "google chrome beta" | "google-chrome" => "chrome-beta",
        "chromium" | "chromium-browser" => "chromium",
        "msedge" | "microsoft edge" | "microsoft-edge" => "edge",
        "brave" | "brave browser" | "brave-browser" => "brave",
        "vivaldi" | "vivaldi-bin" => "vivaldi",
        "firefox" | "firefox-esr" | "firefox-bin" => "firefox",
        _ => return None,
    };
    Browser::named(name)
}

/// As far as from a host to its browser, with a shell or two between.
const LONGEST_CHAIN: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_known_by_their_names() {
        let name = |path: &str| browser_of_program(Path::new(path)).map(|browser| browser.name);
        assert_eq!(name("/usr/lib/chromium/chromium"), Some("chromium"));
        assert_eq!(name("/opt/google/chrome/chrome"), Some("chrome"));
        assert_eq!(name("/opt/google/chrome-beta/chrome"), Some("chrome-beta"));
        assert_eq!(name("/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge"), Some("edge"));
        assert_eq!(name("/usr/lib/firefox-esr/firefox-esr"), Some("firefox"));
        assert_eq!(name("/usr/bin/bash"), None);
    }

    #[test]
    fn the_folder_and_the_manifest_are_read_from_what_was_started() {
        assert_eq!(folder(&["chromium", "--headless", "--user-data-dir=/tmp/a b"]), Some("/tmp/a b".into()));
        assert_eq!(folder(&["chromium"]), None);
        let firefox = ["rolecall", "/home/p/.mozilla/native-messaging-hosts/dev.rolecall.host.json", "x@y"];
        assert_eq!(named_manifest(&firefox), Some(firefox[1].into()));
        assert_eq!(named_manifest(&["rolecall", "chrome-extension://abc/"]), None);
        assert_eq!(process_of_socket(Path::new("/run/agent-4711-0a0b0c0d.sock")), Some(Pid::from_u32(4711)));
    }
}
