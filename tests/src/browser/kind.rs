//! The browsers to test in, and their differences.

use std::path::{Path, PathBuf};
use std::{env, fmt};

use clap::ValueEnum;
use rolecall_core::identity;
use serde_json::{Value, json};

/// A browser that the product is tested in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// Chromium.
    Chromium,
    /// Firefox.
    Firefox,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Chromium, Self::Firefox];

    /// The browsers to test in: all, unless `ROLECALL_TEST_BROWSERS` names fewer.
    #[must_use]
    pub fn wanted() -> Vec<Self> {
        let names = env::var("ROLECALL_TEST_BROWSERS");
        let is_wanted = |kind: &Self| {
            names.as_ref().map_or(true, |names| names.split(',').any(|name| name == kind.name()))
        };
        Self::ALL.into_iter().filter(is_wanted).collect()
    }

    /// The name in `rolecall install --browser` and in test names.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Chromium => "chromium",
            Self::Firefox => "firefox",
        }
    }

    /// The address of an extension page. Firefox assigns each installation a UUID; tests preset it.
    pub(crate) fn page(self, name: &str) -> String {
        match self {
            Self::Chromium => format!("chrome-extension://{}/{name}", identity::CHROMIUM_EXTENSION_ID),
            Self::Firefox => format!("moz-extension://{FIREFOX_UUID}/{name}"),
        }
    }

    /// The folder of native messaging manifests: in the profile for Chromium, in the home folder for Firefox.
    pub(crate) fn host_manifests(self, home: &Path, profile: &Path) -> PathBuf {
        match self {
            Self::Chromium => profile.join("NativeMessagingHosts"),
            Self::Firefox => home.join(".mozilla/native-messaging-hosts"),
        }
    }

    /// The allowed callers in a native messaging manifest.
    pub(crate) fn allowed_callers(self) -> (&'static str, Value) {
        match self {
            Self::Chromium => (
                "allowed_origins",
                json!([format!("chrome-extension://{}/", identity::CHROMIUM_EXTENSION_ID)]),
            ),
            Self::Firefox => ("allowed_extensions", json!([identity::FIREFOX_EXTENSION_ID])),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Chromium => "Chromium",
            Self::Firefox => "Firefox",
        })
    }
}

/// The add-on's UUID in every Firefox that a test starts.
pub(super) const FIREFOX_UUID: &str = "5b6f3a52-8c1e-4d0f-9d0e-6a3d1f2b7c40";
