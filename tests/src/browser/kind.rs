//! Which browser, and all in which the tests have to know one from another.

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

    /// Those to test in: all, unless `ROLECALL_TEST_BROWSERS` names fewer.
    #[must_use]
    pub fn wanted() -> Vec<Self> {
        let names = env::var("ROLECALL_TEST_BROWSERS");
        let is_wanted = |kind: &Self| {
            names.as_ref().map_or(true, |names| names.split(',').any(|name| name == kind.name()))
        };
        Self::ALL.into_iter().filter(is_wanted).collect()
    }

    /// The name that `rolecall install --browser` takes, and tests bear.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Chromium => "chromium",
            Self::Firefox => "firefox",
        }
    }

    /// Where an extension page is. Firefox gives every installation an address of its own; tests preset it.
    pub(crate) fn page(self, name: &str) -> String {
        match self {
            Self::Chromium => format!("chrome-extension://{}/{name}", identity::CHROMIUM_EXTENSION_ID),
            Self::Firefox => format!("moz-extension://{FIREFOX_UUID}/{name}"),
        }
    }

    /// Where the native messaging hosts are registered: Chromium looks in a profile's folder, Firefox in one for all.
    pub(crate) fn host_manifests(self, home: &Path, profile: &Path) -> PathBuf {
        match self {
            Self::Chromium => profile.join("NativeMessagingHosts"),
            Self::Firefox => home.join(".mozilla/native-messaging-hosts"),
        }
    }

    /// Who may start a native messaging host, as its manifest says it.
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

/// Of the add-on in every Firefox that a test starts.
pub(super) const FIREFOX_UUID: &str = "5b6f3a52-8c1e-4d0f-9d0e-6a3d1f2b7c40";
