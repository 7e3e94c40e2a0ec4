//! Which roles come first while nothing is typed: those that a person has pinned, then those that they use often or have used
//! lately.
//!
//! It is kept in `storage.local`, by each browser profile for itself. Only what a person does is counted, not what programs
//! ask for.

use std::cell::RefCell;
use std::rc::Rc;

use rolecall_core::json::{ReadJson, WriteJson};
use rolecall_core::map;
use rolecall_core::message::ui::MAX_PINNED;
use rolecall_core::settings::RoleKey;
use rolecall_core::time::{DateTime, TimeDelta, Utc};

use crate::browser::{Browser, StorageArea};
use crate::changes::Changes;
use crate::storage::{Storage, Stored};

/// The roles that come first.
pub(crate) struct Shortlist {
    browser: Rc<dyn Browser>,
    storage: Storage,
    changes: Changes,
    kept: RefCell<Kept>,
}

/// What is stored.
#[derive(Default, ReadJson, WriteJson)]
struct Kept {
    /// In the order in which they were pinned.
    pinned: Vec<RoleKey>,
    used: Vec<Used>,
}

/// A role that was used.
#[derive(ReadJson, WriteJson)]
struct Used {
    role: RoleKey,
    /// [`ONE_USE`] for each use, halved each week.
    score: u32,
    /// When it was used last.
    last: DateTime<Utc>,
    /// Since when the score has not been halved.
    since: DateTime<Utc>,
}

impl Used {
    fn score_at(&self, now: DateTime<Utc>) -> u32 {
        self.score >> self.weeks_at(now).min(31)
    }

    /// How often the score has to be halved.
    fn weeks_at(&self, now: DateTime<Utc>) -> i64 {
        (now - self.since).num_weeks().max(0)
    }
}

impl Shortlist {
    /// What was kept when the background before ended.
    pub(crate) fn new(
        browser: &Rc<dyn Browser>,
        storage: &Storage,
        changes: &Changes,
        stored: &mut Stored,
    ) -> Rc<Self> {
        Rc::new(Self {
            browser: Rc::clone(browser),
            storage: storage.clone(),
            changes: changes.clone(),
            kept: RefCell::new(stored.take(StorageArea::Local, SHORTLIST).unwrap_or_default()),
        })
    }

    /// The pinned roles.
    pub(crate) fn pinned(&self) -> Vec<RoleKey> {
        self.kept.borrow().pinned.clone()
    }

    /// The roles that were used, the highest score first, and of equal ones the one that was used last.
    pub(crate) fn recent(&self) -> Vec<RoleKey> {
        let (used, now) = (&self.kept.borrow().used, self.browser.now());
        let rank = |at: usize| (used[at].score_at(now), used[at].last);
        let order = map::sorted(used.len(), &|one, other| rank(other).cmp(&rank(one)));
        order.into_iter().map(|at| used[at].role.clone()).collect()
    }

    /// The person has used a role.
    pub(crate) fn count(&self, role: &RoleKey) {
        let now = self.browser.now();
        self.change(|kept| {
            let known = kept.used.iter().position(|used| used.role == *role);
            let before = known.map(|at| kept.used.swap_remove(at));
            let score = before.as_ref().map_or(0, |before| before.score_at(now));
            let since = before.map_or(now, |before| before.since + TimeDelta::weeks(before.weeks_at(now)));
            if kept.used.len() >= MAX_USED {
                let least =
                    kept.used.iter().enumerate().min_by_key(|(_, used)| (used.score_at(now), used.last));
                if let Some((at, _)) = least {
                    kept.used.swap_remove(at);
                }
            }
            kept.used.push(Used {
                role: role.clone(),
                score: score.saturating_add(ONE_USE),
                last: now,
                since,
            });
        });
    }

    /// Pins a role, or no longer does.
    pub(crate) fn pin(&self, role: &RoleKey, pinned: bool) {
        self.change(|kept| {
            kept.pinned.retain(|known| known != role);
            if pinned && kept.pinned.len() < MAX_PINNED {
                kept.pinned.push(role.clone());
            }
        });
    }

    /// Forgets when a role was used; every role without one.
    pub(crate) fn forget(&self, role: Option<&RoleKey>) {
        self.change(|kept| kept.used.retain(|used| role.is_some_and(|role| used.role != *role)));
    }

    fn change(&self, change: impl FnOnce(&mut Kept)) {
        let mut kept = self.kept.borrow_mut();
        change(&mut kept);
        self.storage.save(StorageArea::Local, SHORTLIST, &*kept);
        drop(kept);
        self.changes.notify();
    }
}

const SHORTLIST: &str = "shortlist";

/// Large enough to be halved for ten weeks.
const ONE_USE: u32 = 1024;

/// How many roles are remembered. A person who uses more of them searches.
const MAX_USED: usize = 30;
#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))]
mod tests;
