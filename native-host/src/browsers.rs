//! The browsers, where they look for native messaging hosts, and the manifest they read there.

use std::io;
use std::path::{Path, PathBuf};

use rolecall_core::identity::{CHROMIUM_EXTENSION_ID, FIREFOX_EXTENSION_ID, HOST_NAME};
use serde_json::Value;

use crate::platform;

/// A browser that can start the host.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Browser {
    /// The name that `--browser` takes.
    pub(crate) name: &'static str,
    /// The name shown to people.
    pub(crate) label: &'static str,
    /// Which kind of manifest it reads.
    pub(crate) family: Family,
    /// The names of its programs, in lower case and without an extension.
    programs: &'static [&'static str],
    /// Its user data folder, below `~/.config` (Linux).
    linux: &'static str,
    /// The manifest folder for all users of the machine (Linux), if known.
    linux_system: Option<&'static str>,
    /// The same below `~/Library/Application Support` (macOS).
    macos: &'static str,
    /// Its key below `HKEY_CURRENT_USER\Software` (Windows).
    #[cfg_attr(not(windows), allow(dead_code))]
    windows: &'static str,
    sandboxes: &'static [Sandbox],
}

/// A sandboxed package of a browser, which cannot access the host or its socket.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Sandbox {
    /// A folder below the home folder that the package creates.
    folder: &'static str,
    /// Advice for the person.
    pub(crate) advice: &'static str,
}

/// The two kinds of manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Family {
    /// `allowed_origins`.
    Chromium,
    /// `allowed_extensions`.
    Firefox,
}

impl Family {
    /// The id of the product's own extension in these browsers.
    pub(crate) const fn extension_id(self) -> &'static str {
        match self {
            Self::Chromium => CHROMIUM_EXTENSION_ID,
            Self::Firefox => FIREFOX_EXTENSION_ID,
        }
    }
}

/// All supported browsers.
pub(crate) static BROWSERS: [Browser; 7] = [
    Browser {
        name: "chrome",
        label: "Google Chrome",
        family: Family::Chromium,
        programs: &["chrome", "google chrome", "google-chrome"],
        linux: "google-chrome",
        linux_system: Some("/etc/opt/chrome/native-messaging-hosts"),
        macos: "Google/Chrome",
        windows: r"Google\Chrome",
        sandboxes: &[Sandbox {
            folder: ".var/app/com.google.Chrome",
            advice: "The Flatpak of Chrome cannot start the host program; install the vendor's package.",
        }],
    },
    Browser {
        name: "chrome-beta",
        label: "Google Chrome Beta",
        family: Family::Chromium,
        programs: &["google chrome beta"],
        linux: "google-chrome-beta",
        linux_system: None,
        macos: "Google/Chrome Beta",
        windows: r"Google\Chrome Beta",
        sandboxes: &[],
    },
    Browser {
        name: "chromium",
        label: "Chromium",
        family: Family::Chromium,
        programs: &["chromium", "chromium-browser"],
        linux: "chromium",
        linux_system: Some("/etc/chromium/native-messaging-hosts"),
        macos: "Chromium",
        windows: "Chromium",
        sandboxes: &[
            Sandbox {
                folder: ".var/app/org.chromium.Chromium",
                advice: "The Flatpak of Chromium cannot start the host program; install it from your distribution.",
            },
            Sandbox {
                folder: "snap/chromium",
                advice: "The Snap of Chromium cannot start the host program; use the vendor's package of Chrome, or Firefox.",
            },
        ],
    },
    Browser {
        name: "edge",
        label: "Microsoft Edge",
        family: Family::Chromium,
        programs: &["msedge", "microsoft edge", "microsoft-edge"],
        linux: "microsoft-edge",
        linux_system: Some("/etc/opt/edge/native-messaging-hosts"),
        macos: "Microsoft Edge",
        windows: r"Microsoft\Edge",
        sandboxes: &[Sandbox {
            folder: ".var/app/com.microsoft.Edge",
            advice: "The Flatpak of Edge cannot start the host program; install the vendor's package.",
        }],
    },
    Browser {
        name: "brave",
        label: "Brave",
        family: Family::Chromium,
        programs: &["brave", "brave browser", "brave-browser"],
        linux: "BraveSoftware/Brave-Browser",
        linux_system: None,
        macos: "BraveSoftware/Brave-Browser",
        windows: r"BraveSoftware\Brave-Browser",
        sandboxes: &[Sandbox {
            folder: ".var/app/com.brave.Browser",
            advice: "The Flatpak of Brave cannot start the host program; install the vendor's package.",
        }],
    },
    Browser {
        name: "vivaldi",
        label: "Vivaldi",
        family: Family::Chromium,
        programs: &["vivaldi", "vivaldi-bin"],
        linux: "vivaldi",
        linux_system: None,
        macos: "Vivaldi",
        windows: "Vivaldi",
        sandboxes: &[],
    },
    Browser {
        name: "firefox",
        label: "Firefox",
        family: Family::Firefox,
        programs: &["firefox", "firefox-esr", "firefox-bin"],
        linux: ".mozilla",
        linux_system: Some("/usr/lib/mozilla/native-messaging-hosts"),
        macos: "Mozilla",
        windows: "Mozilla",
        sandboxes: &[
            Sandbox {
                folder: ".var/app/org.mozilla.firefox",
                advice: "The Flatpak of Firefox cannot start the host program; install Firefox from your distribution.",
            },
            Sandbox {
                folder: "snap/firefox",
                advice: "The Snap of Firefox asks once for permission to start the host program.",
            },
        ],
    },
];

/// The names that `--browser` takes.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    BROWSERS.iter().map(|browser| browser.name)
}

/// The sandboxed packages that this user has run.
pub(crate) fn sandboxes(home: &Path) -> impl Iterator<Item = &'static Sandbox> {
    let all = BROWSERS.iter().flat_map(|browser| browser.sandboxes);
    all.filter(move |sandbox| home.join(sandbox.folder).is_dir())
}

impl Browser {
    /// The path of the manifest for all users of the machine, if known.
    pub(crate) fn system_manifest_path(&self) -> Option<PathBuf> {
        let folder = self.linux_system.filter(|_| cfg!(target_os = "linux"))?;
        Some(Path::new(folder).join(file_name()))
    }

    /// The browser that `--browser` names.
    pub(crate) fn named(name: &str) -> Option<&'static Self> {
        BROWSERS.iter().find(|browser| browser.name == name)
    }

    /// The browser of a program, by its name. Chrome's channels share a name and differ in their folder.
    pub(crate) fn of_program(program: &Path) -> Option<&'static Self> {
        let stem = program.file_stem()?.to_str()?.to_ascii_lowercase();
        let found = BROWSERS.iter().find(|browser| browser.programs.contains(&stem.as_str()))?;
        let is_beta = program.components().any(|part| part.as_os_str().to_string_lossy().contains("beta"));
        if found.name == "chrome" && is_beta { Self::named("chrome-beta") } else { Some(found) }
    }

    /// The browser's own folder, which need not exist.
    fn folder(&self, home: &Path) -> PathBuf {
        if cfg!(windows) {
            return platform::local_data(home).join("rolecall").join(self.name);
        }
        if cfg!(target_os = "macos") {
            return home.join("Library").join("Application Support").join(self.macos);
        }
        if self.family == Family::Firefox {
            return home.join(self.linux);
        }
        platform::config_home().unwrap_or_else(|| home.join(".config")).join(self.linux)
    }

    /// Whether this user seems to have the browser.
    pub(crate) fn is_found(&self, home: &Path) -> bool {
        if cfg!(windows) { platform::has_software(self.windows) } else { self.folder(home).is_dir() }
    }

    /// The path of the host's manifest for this user.
    pub(crate) fn manifest_path(&self, home: &Path) -> PathBuf {
        let folder = match self.family {
            Family::Firefox if cfg!(not(target_os = "macos")) => "native-messaging-hosts",
            _ => "NativeMessagingHosts",
        };
        self.folder(home).join(folder).join(file_name())
    }

    /// Registers a manifest with the browser, if its path alone is not enough.
    pub(crate) fn register(&self, manifest: &Path) -> io::Result<()> {
        platform::register_host(self.windows, HOST_NAME, Some(manifest))
    }

    /// Undoes [`Self::register`].
    pub(crate) fn unregister(&self) -> io::Result<()> {
        platform::register_host(self.windows, HOST_NAME, None)
    }
}

/// The manifest's path for a Chromium browser with another user data folder (measured on Chromium 156).
pub(crate) fn manifest_path_in(user_data: &Path) -> PathBuf {
    user_data.join("NativeMessagingHosts").join(file_name())
}

/// The manifest for a family of browsers.
///
/// `extensions` are allowed besides the product's own.
pub(crate) fn manifest(family: Family, host: &Path, extensions: &[String]) -> Option<String> {
    let (template, list, placeholder) = match family {
        Family::Chromium => (CHROMIUM_TEMPLATE, "allowed_origins", "@CHROMIUM_EXTENSION_ID@"),
        Family::Firefox => (FIREFOX_TEMPLATE, "allowed_extensions", "@FIREFOX_EXTENSION_ID@"),
    };
    let text = template.replace("@NATIVE_HOST_NAME@", HOST_NAME).replace(placeholder, family.extension_id());
    let mut manifest: Value = serde_json::from_str(&text).ok()?;
    manifest["path"] = host.to_str()?.into();
    let allowed = manifest[list].as_array_mut()?;
    for id in extensions.iter().filter(|id| (family == Family::Chromium) == is_chromium_id(id)) {
        allowed.push(match family {
            Family::Chromium => format!("chrome-extension://{id}/").into(),
            Family::Firefox => id.as_str().into(),
        });
    }
    allowed.dedup();
    serde_json::to_string_pretty(&manifest).ok().map(|text| text + "\n")
}

/// A Chromium extension id: 32 letters from a to p, a hash whose hexadecimal digits are written as letters.
fn is_chromium_id(id: &str) -> bool {
    id.len() == 32 && id.bytes().all(|byte| (b'a'..=b'p').contains(&byte))
}

fn file_name() -> String {
    format!("{HOST_NAME}.json")
}

const CHROMIUM_TEMPLATE: &str = include_str!("../../manifest/native-host.chromium.json.in");
const FIREFOX_TEMPLATE: &str = include_str!("../../manifest/native-host.firefox.json.in");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_names_the_host_its_path_and_the_allowed_extensions() {
        let other = "abcdefghijklmnopabcdefghijklmnop".to_owned();
        let text =
            manifest(Family::Chromium, Path::new("/home/a \"b\"/rolecall"), &[other, "x@y".to_owned()])
                .unwrap();
        let manifest: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(manifest["name"], "dev.rolecall.host");
        assert_eq!(manifest["path"], "/home/a \"b\"/rolecall");
        assert_eq!(manifest["type"], "stdio");
        let own = format!("chrome-extension://{CHROMIUM_EXTENSION_ID}/");
        assert_eq!(
            manifest["allowed_origins"],
            serde_json::json!([own, "chrome-extension://abcdefghijklmnopabcdefghijklmnop/"])
        );
    }

    #[test]
    fn firefox_reads_ids_instead_of_origins() {
        let text = manifest(Family::Firefox, Path::new("/rolecall"), &["x@y".to_owned()]).unwrap();
        let manifest: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(manifest["allowed_extensions"], serde_json::json!([FIREFOX_EXTENSION_ID, "x@y"]));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_manifest_for_all_users_is_where_each_browser_looks_for_it() {
        let paths: Vec<_> = BROWSERS.iter().filter_map(Browser::system_manifest_path).collect();
        let expected = [
            "/etc/opt/chrome/native-messaging-hosts/dev.rolecall.host.json",
            "/etc/chromium/native-messaging-hosts/dev.rolecall.host.json",
            "/etc/opt/edge/native-messaging-hosts/dev.rolecall.host.json",
            "/usr/lib/mozilla/native-messaging-hosts/dev.rolecall.host.json",
        ];
        assert_eq!(paths, expected.map(PathBuf::from));
    }

    #[test]
    fn browsers_are_recognised_by_their_programs_names() {
        let name = |path: &str| Browser::of_program(Path::new(path)).map(|browser| browser.name);
        assert_eq!(name("/usr/lib/chromium/chromium"), Some("chromium"));
        assert_eq!(name("/opt/google/chrome/chrome"), Some("chrome"));
        assert_eq!(name("/opt/google/chrome-beta/chrome"), Some("chrome-beta"));
        assert_eq!(name("/Applications/Google Chrome Beta.app/Google Chrome Beta"), Some("chrome-beta"));
        assert_eq!(name("/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge"), Some("edge"));
        assert_eq!(name("/usr/lib/firefox-esr/firefox-esr"), Some("firefox"));
        assert_eq!(name("/usr/bin/bash"), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn firefox_looks_in_its_own_folder_and_chromium_in_the_configuration() {
        let home = Path::new("/home/p");
        let path = |name| Browser::named(name).unwrap().manifest_path(home).display().to_string();
        assert_eq!(path("firefox"), "/home/p/.mozilla/native-messaging-hosts/dev.rolecall.host.json");
        assert!(path("chromium").ends_with("/chromium/NativeMessagingHosts/dev.rolecall.host.json"));
        assert!(
            path("brave")
                .ends_with("/BraveSoftware/Brave-Browser/NativeMessagingHosts/dev.rolecall.host.json")
        );
    }
}
