//! An operation on one profile: planned without writing, or applied: locked, read again, planned again, written.

use std::path::PathBuf;
use std::time::Duration;

use rolecall_core::settings::ProfileName;

use super::error::Error;
use super::files::{AwsFiles, Which};
use super::plan::Plan;
use super::planner::{Planner, View};
use super::profile::NewProfile;
use super::store;

/// A change to the files.
#[derive(Debug, Clone)]
pub enum Operation {
    /// Write a profile, or rewrite Rolecall's own; it is removed from the other file.
    Set(NewProfile),
    /// Remove what Rolecall wrote for a profile. Lines that the person added to it stay.
    Remove(ProfileName),
}

impl Operation {
    /// The profile to change.
    #[must_use]
    pub const fn profile(&self) -> &ProfileName {
        match self {
            Self::Set(profile) => profile.name(),
            Self::Remove(name) => name,
        }
    }
}

/// Options of an operation.
#[derive(Debug, Clone)]
pub struct Options {
    /// Replace or remove what Rolecall did not write for this profile, after an extra backup.
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
    /// The changes made; empty if the files were up to date.
    pub plan: Plan,
    /// The backups made.
    pub backups: Vec<PathBuf>,
    /// Whether other users could read the credentials file before.
    pub made_private: bool,
}

impl AwsFiles {
    /// Computes what `operation` would change now. Writes nothing and takes no lock.
    pub fn plan(&self, operation: &Operation, options: &Options) -> Result<Plan, Error> {
        let files = [store::read(self.config())?, store::read(self.credentials())?];
        self.plan_for(&files, operation, options)
    }

    /// Takes the locks, reads both files again, plans and writes. On an error neither file is changed.
    pub fn apply(&self, operation: &Operation, options: &Options) -> Result<Applied, Error> {
        // Refuse, or find nothing to do, before anything is created or waited for.
        let mut seen = [store::read(self.config())?, store::read(self.credentials())?];
        let mut plan = self.plan_for(&seen, operation, options)?;
        if plan.is_empty() {
            return Ok(Applied { plan, backups: Vec::new(), made_private: false });
        }
        let paths = [self.config(), self.credentials()];
        let mut session = store::Session::open(paths, &plan, options.lock_deadline)?;
        let mut busy = self.config();
        for _ in 0..ATTEMPTS {
            let now = [store::read(self.config())?, store::read(self.credentials())?];
            if !now[0].is_like(&seen[0]) || !now[1].is_like(&seen[1]) {
                plan = self.plan_for(&now, operation, options)?;
            }
            if let Some(store::Written { backups, made_private }) =
                session.write(&plan, [&now[0], &now[1]], paths)?
            {
                return Ok(Applied { plan, backups, made_private });
            }
            seen = now;
            busy = if plan.files().any(|path| path == self.config()) {
                self.config()
            } else {
                self.credentials()
            };
        }
        Err(Error::Busy { path: busy.to_owned() })
    }

    /// What `operation` would change in these contents.
    fn plan_for(
        &self,
        [config, credentials]: &[store::Snapshot; 2],
        operation: &Operation,
        options: &Options,
    ) -> Result<Plan, Error> {
        // A profile's header differs between the two files: if they were one file, tools would see two profiles.
        if config.target == credentials.target {
            return Err(Error::OneFile { path: config.target.clone() });
        }
        let profile = operation.profile().as_str();
        let planner = Planner { profile, force: options.force };
        let config = View::new(Which::Config, self.config(), config.contents(), profile)?;
        let credentials = View::new(Which::Credentials, self.credentials(), credentials.contents(), profile)?;
        match operation {
            Operation::Set(new) if new.home == Which::Config => planner.set(new, config, &credentials),
            Operation::Set(new) => planner.set(new, credentials, &config),
            Operation::Remove(_) => planner.remove(config, credentials),
        }
    }
}

/// How often a program that takes no lock may write in between before the operation gives up.
const ATTEMPTS: usize = 8;
