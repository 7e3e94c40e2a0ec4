//! An operation carried out: locked, read again, planned again, written.

use super::error::Error;
use super::{Applied, AwsFiles, Operation, Options, store};

impl AwsFiles {
    /// Takes the locks, reads both files anew, plans and writes. On an error both files are as they were.
    pub fn apply(&self, operation: &Operation, options: &Options) -> Result<Applied, Error> {
        // What is refused anyway, or is there already, is found out before anything is made or waited for.
        let mut seen = [store::read(self.config())?, store::read(self.credentials())?];
        let mut plan = self.plan_for(&seen[0], &seen[1], operation, options)?;
        if plan.is_empty() {
            return Ok(Applied { plan, backups: Vec::new() });
        }
        let paths = [self.config(), self.credentials()];
        let mut session = store::Session::open(paths, &plan, options.lock_deadline)?;
        let mut busy = self.config();
        for _ in 0..ATTEMPTS {
            let now = [store::read(self.config())?, store::read(self.credentials())?];
            if !now[0].is_like(&seen[0]) || !now[1].is_like(&seen[1]) {
                plan = self.plan_for(&now[0], &now[1], operation, options)?;
            }
            if let Some(backups) = session.write(&plan, [&now[0], &now[1]], paths)? {
                return Ok(Applied { plan, backups });
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
}

/// How often a program that takes no lock may write in between before it is too busy to work beside.
const ATTEMPTS: usize = 8;
