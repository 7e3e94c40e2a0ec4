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
pub use profile::{NewProfile, Source, StaticCredentials};
pub use report::{Inspection, ManagedProfile, Mode, Owner, SectionReport};
