//! Careful edits of the user's AWS files.
//!
//! `~/.aws/config` and `~/.aws/credentials` hold years of hand-written profiles and comments. This module adds, changes
//! and removes Rolecall's own profiles in them and leaves every other byte unchanged. It does not know roles, providers
//! or sign-ins: it gets names, keys and values.
//!
//! - [`AwsFiles::locate`] finds the files, [`AwsFiles::plan`] computes what an [`Operation`] would change (and
//!   [`Plan::diff`] shows it with secrets masked), [`AwsFiles::apply`] does it: it takes a lock, reads the files again,
//!   plans again and replaces each in one step.
//! - A profile is in one of the two files, never in both, and its section has a comment that marks it as Rolecall's.
//!   Sections that Rolecall did not write are not changed unless [`Options::force`] is set, and then only after a backup.

mod diff;
mod document;
mod edit;
mod error;
mod faults;
mod files;
mod line;
mod marker;
mod names;
mod operation;
mod plan;
mod planner;
mod profile;
mod report;
mod secret;
mod section;
mod store;
mod text;

pub use error::{Error, Finding};
pub use files::AwsFiles;
pub use operation::{Applied, Operation, Options};
pub use plan::{Note, Plan};
pub(crate) use profile::decides_credentials;
pub use profile::{NewProfile, Source, StaticCredentials};
pub use report::{Inspection, ManagedProfile, Mode, Owner, SectionReport};
