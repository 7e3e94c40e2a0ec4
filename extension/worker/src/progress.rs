//! What is being done now, as a list of what is really open, and what came of the last thing that a person wanted.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use rolecall_core::Problem;
use rolecall_core::json::{ReadJson, WriteJson};
use rolecall_core::map::Map;
use rolecall_core::message::ui::{Activity, Intent};
use rolecall_core::platform::Step;
use rolecall_core::settings::{ProviderId, RoleKey};

use crate::browser::StorageArea;
use crate::changes::Changes;
use crate::storage::{Storage, Stored};

/// What people are told.
pub(crate) struct Progress {
    storage: Storage,
    changes: Changes,
    running: RefCell<Map<u32, Activity>>,
    last_id: Cell<u32>,
    outcome: RefCell<LastOutcome>,
}

/// What a person wanted last, and what came of it. Holds no secret.
#[derive(Clone, Debug, Default, PartialEq, ReadJson, WriteJson)]
pub(crate) struct LastOutcome {
    /// What they wanted.
    pub(crate) intent: Option<Intent>,
    /// What was done, in one sentence.
    pub(crate) done: Option<String>,
    /// Why it was not.
    pub(crate) problem: Option<Problem>,
}

impl Progress {
    /// Nothing is being done. A person may still be reading what the background before told them.
    pub(crate) fn new(storage: &Storage, changes: &Changes, stored: &mut Stored) -> Rc<Self> {
        Rc::new(Self {
            storage: storage.clone(),
            changes: changes.clone(),
            running: RefCell::default(),
            last_id: Cell::default(),
            outcome: RefCell::new(stored.take(StorageArea::Session, OUTCOME).unwrap_or_default()),
        })
    }

    /// Something is begun, for a role if it is for one. It is shown from its first step on, until it is dropped.
    pub(crate) fn begin(self: &Rc<Self>, provider: ProviderId, role: Option<RoleKey>) -> Running {
        let id = self.last_id.get().wrapping_add(1);
        self.last_id.set(id);
        Running { progress: Rc::clone(self), id, provider, role }
    }

    /// What is being done, in the order in which it was begun. Of several things for one role, the last.
    pub(crate) fn activities(&self) -> Vec<Activity> {
        let mut activities: Vec<Activity> = Vec::new();
        for running in self.running.borrow().values() {
            let subject = |activity: &Activity| (activity.provider.clone(), activity.role.clone());
            activities.retain(|activity| subject(activity) != subject(running));
            activities.push(running.clone());
        }
        activities
    }

    /// What the last intent came to.
    pub(crate) fn outcome(&self) -> LastOutcome {
        self.outcome.borrow().clone()
    }

    /// Tells it.
    pub(crate) fn set_outcome(&self, outcome: LastOutcome) {
        self.storage.save(StorageArea::Session, OUTCOME, &outcome);
        self.outcome.replace(outcome);
        self.changes.notify();
    }
}

/// Something that is being done.
pub(crate) struct Running {
    progress: Rc<Progress>,
    id: u32,
    provider: ProviderId,
    role: Option<RoleKey>,
}

impl Running {
    /// Which step it has come to.
    pub(crate) fn step(&self, step: Step) {
        let activity = Activity { provider: self.provider.clone(), role: self.role.clone(), step };
        self.progress.running.borrow_mut().insert(self.id, activity);
        self.progress.changes.notify();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.progress.running.borrow_mut().remove(&self.id);
        self.progress.changes.notify();
    }
}

const OUTCOME: &str = "lastOutcome";
