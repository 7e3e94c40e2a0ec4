//! Running browsers that started a host program, as the operating system reports them: which browser it is, and which
//! manifest it read. A browser with another user data folder reads the manifest in that folder.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::browsers::{self, Browser};
use crate::platform;

/// A browser that started a host program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Running {
    /// The browser, if this program knows it.
    pub(super) browser: Option<&'static Browser>,
    /// Its user data folder, if it was started with another one.
    pub(super) folder: Option<PathBuf>,
    /// The manifest that it read, if known.
    pub(super) manifest: Option<PathBuf>,
}

impl Running {
    /// The browser of the host program that listens at `socket`.
    pub(super) fn of_socket(socket: &Path) -> Option<Self> {
        let host = platform::process(process_of_socket(socket)?)?;
        let named = named_manifest(&host.arguments);
        let mut next = host.parent;
        // Windows has a shell in between; a limit prevents loops through reused process ids.
        for _ in 0..LONGEST_CHAIN {
            let Some(process) = next.and_then(platform::process) else { break };
            let browser = process.program.as_deref().and_then(Browser::of_program);
            let folder = folder(&process.arguments).map(|folder| match &process.folder {
                Some(current) => current.join(folder),
                None => folder,
            });
            if browser.is_some() || folder.is_some() {
                let manifest = named.or_else(|| folder.as_deref().map(browsers::manifest_path_in));
                return Some(Self { browser, folder, manifest });
            }
            next = process.parent;
        }
        named.map(|manifest| Self {
            browser: Browser::named("firefox"),
            folder: None,
            manifest: Some(manifest),
        })
    }
}

/// The process id in the socket's name.
fn process_of_socket(socket: &Path) -> Option<u32> {
    socket.file_stem()?.to_str()?.split('-').nth(1)?.parse().ok()
}

/// The manifest that Firefox passes when it starts a host program.
fn named_manifest(arguments: &[impl AsRef<OsStr>]) -> Option<PathBuf> {
    let first = Path::new(arguments.get(1)?.as_ref());
    first.extension().is_some_and(|extension| extension == "json").then(|| first.to_owned())
}

/// The user data folder that Chromium was started with.
fn folder(arguments: &[impl AsRef<OsStr>]) -> Option<PathBuf> {
    let given = |argument: &OsStr| Some(PathBuf::from(argument.to_str()?.strip_prefix("--user-data-dir=")?));
    arguments.iter().find_map(|argument| given(argument.as_ref()))
}

/// The number of processes from a host program to its browser, with a shell or two between.
const LONGEST_CHAIN: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_and_the_manifest_are_read_from_the_arguments() {
        assert_eq!(folder(&["chromium", "--headless", "--user-data-dir=/tmp/a b"]), Some("/tmp/a b".into()));
        assert_eq!(folder(&["chromium"]), None);
        let firefox = ["rolecall", "/home/p/.mozilla/native-messaging-hosts/dev.rolecall.host.json", "x@y"];
        assert_eq!(named_manifest(&firefox), Some(firefox[1].into()));
        assert_eq!(named_manifest(&["rolecall", "chrome-extension://abc/"]), None);
        assert_eq!(process_of_socket(Path::new("/run/agent-4711-0a0b0c0d.sock")), Some(4711));
    }
}
