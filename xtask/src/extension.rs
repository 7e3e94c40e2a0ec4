//! The unpacked extension of a browser: its files, and its folder in `target/extension`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use clap::ValueEnum;

use crate::{build, manifest, notices, repo, sbom};

/// A family of browsers with its own manifest.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Browser {
    /// Chromium, Chrome, Edge, Brave, Vivaldi
    Chromium,
    /// Firefox
    Firefox,
}

impl Browser {
    pub(crate) const ALL: [Self; 2] = [Self::Chromium, Self::Firefox];

    /// The name in files and folders.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Chromium => "chromium",
            Self::Firefox => "firefox",
        }
    }

    /// The folder of the unpacked extension.
    pub(crate) fn folder(self, profile: Profile) -> PathBuf {
        repo::target(match profile {
            Profile::Debug => "extension-debug",
            Profile::Release => "extension",
        })
        .join(self.name())
    }
}

/// How to compile the extension.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Profile {
    /// Quickly: for trying it out or debugging.
    Debug,
    /// As released, with the profile `wasm` of `Cargo.toml`.
    Release,
}

impl Profile {
    /// The folder of the finished module: `NAME.js` and `NAME_bg.wasm`.
    pub(crate) fn modules(self) -> PathBuf {
        repo::target("modules").join(self.cargo_folder())
    }

    /// Cargo's name for the profile's output folder.
    pub(crate) fn cargo_folder(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Release => "wasm",
        }
    }
}

/// One browser or all of them, as a command-line value.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Choice {
    /// Chromium, Chrome, Edge, Brave, Vivaldi
    Chromium,
    /// Firefox
    Firefox,
    /// All of them
    All,
}

impl Choice {
    /// The chosen browsers.
    pub(crate) fn browsers(self) -> &'static [Browser] {
        match self {
            Self::Chromium => &[Browser::Chromium],
            Self::Firefox => &[Browser::Firefox],
            Self::All => &Browser::ALL,
        }
    }
}

/// Writes the unpacked extension, with the finished module and the licences of their crates.
pub(crate) fn lay_out(browser: Browser, profile: Profile, notices: &str, bill: &str) -> Result<()> {
    let mut files = BTreeMap::new();
    collect(&repo::path("extension/pages"), Path::new(""), &mut files)?;
    if profile == Profile::Release {
        for (_, script) in files.iter_mut().filter(|(name, _)| name.extension().is_some_and(|it| it == "js"))
        {
            *script = build::slimmed(str::from_utf8(script).context("a script is not UTF-8")?).into_bytes();
        }
    }
    collect(&profile.modules(), Path::new("wasm"), &mut files)?;
    files.insert(notices::FILE.into(), notices.as_bytes().to_vec());
    files.insert(sbom::FILE.into(), bill.as_bytes().to_vec());
    files.insert("manifest.json".into(), manifest::compose(browser)?.into_bytes());
    if browser == Browser::Chromium {
        files.insert("managed-schema.json".into(), repo::read(&repo::path("manifest/managed-schema.json"))?);
    }

    repo::fill(&browser.folder(profile), &files)
}

/// The files below a folder that a browser needs, by their name below `prefix`, in a fixed order.
pub(crate) fn collect(folder: &Path, prefix: &Path, files: &mut BTreeMap<PathBuf, Vec<u8>>) -> Result<()> {
    let mut found = BTreeMap::new();
    let needed = |path: &Path| {
        !path.extension().is_some_and(|extension| SOURCES_ONLY.iter().any(|only| extension == *only))
    };
    repo::collect(folder, &needed, &mut found)?;
    files.extend(found.into_iter().map(|(name, content)| (prefix.join(name), content)));
    Ok(())
}

/// Files beside the pages that are for developers only: notes, the source drawings of icons, stamps.
const SOURCES_ONLY: [&str; 3] = ["md", "svg", "sha256"];
