//! The user's AWS files, edited like a careful person would.
//!
//! `~/.aws/config` and `~/.aws/credentials` hold years of hand-written profiles and comments. This module adds, changes
//! and removes Rolecall's own profiles in them and leaves every other byte as it was. It refuses to know what a role, a
//! provider or a sign-in is: it is given names, keys and values.
//!
//! - [`AwsFiles::locate`] finds the files, [`AwsFiles::plan`] says what an [`Operation`] would change (and
//!   [`Plan::diff`] shows it with secrets masked), [`AwsFiles::apply`] does it: it takes a lock, reads the files anew,
//!   plans again and replaces them in one step each.
//! - A profile is in one of the two files, never in both, and a section carries a comment that says it is Rolecall's.
//!   What somebody else wrote is not taken over unless [`Options::force`] says so, and then only after a backup.

mod apply;
mod diff;
mod document;
mod edit;
mod error;
mod faults;
mod location;
mod marker;
mod names;
mod plan;
mod planner;
mod profile;
mod report;
mod secret;
mod section;
mod store;
mod text;

use std::path::{Path, PathBuf};
use std::time::Duration;

pub use error::{Error, Finding};
pub use plan::{Note, Plan};
pub use profile::{NewProfile, ProfileName, Source, StaticCredentials};
pub use report::{Inspection, ManagedProfile, Mode, Owner, SectionReport};

/// The two files, wherever they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AwsFiles {
    config: PathBuf,
    credentials: PathBuf,
}

impl AwsFiles {
    /// The files at these paths, which need not exist.
    #[must_use]
    pub const fn at(config: PathBuf, credentials: PathBuf) -> Self {
        Self { config, credentials }
    }

    /// The path of the config file.
    #[must_use]
    pub fn config(&self) -> &Path {
        &self.config
    }

    /// The path of the credentials file.
    #[must_use]
    pub fn credentials(&self) -> &Path {
        &self.credentials
    }

    fn path(&self, which: Which) -> &Path {
        match which {
            Which::Config => &self.config,
            Which::Credentials => &self.credentials,
        }
    }
}

/// What to do to the files.
#[derive(Debug, Clone)]
pub enum Operation {
    /// Write a profile, or rewrite Rolecall's own; in the other file nothing of it stays.
    Set(NewProfile),
    /// Take out what Rolecall wrote for a profile. Lines that the person added to it stay.
    Remove(ProfileName),
}

impl Operation {
    /// The profile this is about.
    #[must_use]
    pub const fn profile(&self) -> &ProfileName {
        match self {
            Self::Set(profile) => profile.name(),
            Self::Remove(name) => name,
        }
    }
}

/// How to do it.
#[derive(Debug, Clone)]
pub struct Options {
    /// Replace or remove what somebody else wrote for this profile. A backup of its own is made first.
    pub force: bool,
    /// How long to wait for other processes that are changing the files.
    pub lock_deadline: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self { force: false, lock_deadline: Duration::from_secs(20) }
    }
}

/// What [`AwsFiles::apply`] did.
#[derive(Debug)]
pub struct Applied {
    /// The changes that were made; empty if the files said it all already.
    pub plan: Plan,
    /// The backups made on this occasion.
    pub backups: Vec<PathBuf>,
}

/// One of the two files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Which {
    Config,
    Credentials,
}
