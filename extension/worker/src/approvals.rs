//! Whether a program in a terminal may have what it asks for, where the settings want a person to decide.
//!
//! Each question has a window of its own. Closing the window refuses; so that nobody allows one program and means another,
//! a question never changes and never gives way to another. Requests of the same program share one question.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use futures_channel::oneshot;
use futures_util::FutureExt as _;
use rolecall_core::json::{ReadJson, WriteJson};
use rolecall_core::map::Map;
use rolecall_core::message::host::{Program, RoleSelection};
use rolecall_core::message::ui::{ApprovalState, Decision, Purpose};
use rolecall_core::settings::{Approve, Effective, Provider, Role, RoleKey};
use rolecall_core::sign_in::Presence;
use rolecall_core::time::{DateTime, TimeDelta, Utc};
use rolecall_core::{Code, Problem};

use crate::browser::{Browser, StorageArea, Task, WindowId, within};
use crate::changes::Changes;
use crate::flights::Flights;
use crate::storage::{Storage, Stored};

/// Open questions, and what was allowed.
pub(crate) struct Approvals {
    browser: Rc<dyn Browser>,
    storage: Storage,
    changes: Changes,
    last_id: RefCell<u32>,
    open: RefCell<Map<u32, Question>>,
    /// `None` if nobody decided in time, or the browser opened no window.
    decisions: Flights<Asked, Option<Decision>>,
    allowed: RefCell<Vec<Allowed>>,
}

/// What makes two questions the same: their order among the keys means nothing.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Asked {
    role: RoleKey,
    /// Path and parent; the question's own id for a program that cannot be recognised, which is never the same as another.
    program: Result<(String, Option<String>), u32>,
    console: bool,
}

struct Question {
    shown: ApprovalState,
    decide: Option<oneshot::Sender<Decision>>,
}

/// That a program may have a role for a while. Holds no secret.
#[derive(Clone, ReadJson, WriteJson)]
struct Allowed {
    role: RoleKey,
    program: Program,
    until: DateTime<Utc>,
}

/// What a program wants.
pub(crate) struct ApprovalRequest<'a> {
    /// The role.
    pub(crate) role: &'a Role,
    /// Its provider.
    pub(crate) provider: &'a Provider,
    /// The program, as far as it is known.
    pub(crate) program: Option<Program>,
    /// What it is after.
    pub(crate) purpose: Purpose,
    /// Whether a person may be asked.
    pub(crate) presence: Presence,
}

impl Approvals {
    /// Knows what was allowed before this background started.
    pub(crate) fn new(
        browser: &Rc<dyn Browser>,
        storage: &Storage,
        changes: &Changes,
        stored: &mut Stored,
    ) -> Rc<Self> {
        // The window of a question of the background before may still be open: it must not show another.
        let last_id = u32::try_from(browser.now().timestamp() & 0x7FFF_FFFF).unwrap_or_default();
        Rc::new(Self {
            browser: Rc::clone(browser),
            storage: storage.clone(),
            changes: changes.clone(),
            last_id: RefCell::new(last_id),
            open: RefCell::default(),
            decisions: Flights::default(),
            allowed: RefCell::new(stored.take(StorageArea::Session, ALLOWED).unwrap_or_default()),
        })
    }

    /// Every open question, as pages show it.
    pub(crate) fn open(&self) -> Vec<ApprovalState> {
        self.open.borrow().values().map(|question| question.shown.clone()).collect()
    }

    /// Takes a person's decision. One that comes too late has no effect.
    pub(crate) fn decide(&self, id: u32, decision: Decision) {
        let decide = self.open.borrow_mut().get_mut(&id).and_then(|question| question.decide.take());
        if let Some(decide) = decide {
            let _ = decide.send(decision);
        }
    }

    /// Forgets what was allowed for these roles.
    pub(crate) fn forget(&self, roles: &RoleSelection) {
        self.change_allowed(|allowed| allowed.retain(|allowed| !roles.contains(&allowed.role)));
    }

    /// Has a person decide, if the settings want that. `Err` if the program may not have what it wants.
    pub(crate) async fn ask(
        self: &Rc<Self>,
        effective: &Effective,
        request: ApprovalRequest<'_>,
    ) -> Result<(), Problem> {
        let ApprovalRequest { role, provider, program, purpose, presence } = request;
        let key = role.key();
        let approve = role.approve(provider);
        // A program that cannot be recognised is another one each time.
        let recognised = program.clone().filter(|program| program.is_recognisable);
        let remembered = recognised.clone().filter(|_| approve == Approve::First);
        let is_allowed = |program: &Program| self.is_allowed(&key, program);
        if approve == Approve::Never || remembered.as_ref().is_some_and(is_allowed) {
            return Ok(());
        }
        let name = program.as_ref().map_or(UNKNOWN.to_owned(), ToString::to_string);
        if presence == Presence::Nobody {
            let sentence =
                format!("Somebody has to allow {name} to use {}, and nobody may be asked.", role.arn);
            return Err(Problem::new(Code::ApprovalNeeded, sentence));
        }
        let id = self.next_id();
        let identity = recognised.map(|program| (program.path, program.parent)).ok_or(id);
        let asked = Asked { role: key.clone(), program: identity, console: purpose == Purpose::Console };
        let shown = ApprovalState {
            id,
            role: key.clone(),
            account: effective.account_label(role.arn.account()).to_owned(),
            color: role.color.clone(),
            program,
            purpose,
            may_be_remembered: remembered.is_some(),
            until: self.browser.now() + TimeDelta::seconds(LIMIT_SECONDS),
        };
        let decision = self.decisions.try_join(asked, || self.open_question(shown)).ok_or_else(|| {
            let sentence = format!(
                "Nobody is asked about {name} while {MOST_QUESTIONS} other programs wait for an answer."
            );
            Problem::new(Code::ApprovalNeeded, sentence)
        })?;
        match decision.await {
            Some(Decision::Refuse) => {
                let sentence = format!("You did not allow {name} to use {}.", role.arn);
                Err(Problem::new(Code::ApprovalRefused, sentence))
            }
            Some(Decision::AllowOnce) => Ok(()),
            Some(Decision::AllowForAWhile) => {
                // Of those who share a question, the first has the decision written down.
                if let Some(program) = remembered.filter(|program| !is_allowed(program)) {
                    let until = self.browser.now() + ALLOWED_FOR;
                    self.change_allowed(|all| all.push(Allowed { role: key, program, until }));
                }
                Ok(())
            }
            None => {
                let sentence = format!("Nobody said in time whether {name} may use {}.", role.arn);
                Err(Problem::new(Code::ApprovalNeeded, sentence))
            }
        }
    }

    fn next_id(&self) -> u32 {
        let mut last = self.last_id.borrow_mut();
        *last = last.wrapping_add(1);
        *last
    }

    /// Opens the question's window. `None` where too many questions are open: nobody reads a screen full of windows.
    fn open_question(self: &Rc<Self>, shown: ApprovalState) -> Option<Task<Option<Decision>>> {
        if self.open.borrow().len() >= MOST_QUESTIONS {
            return None;
        }
        let (decide, decided) = oneshot::channel();
        let id = shown.id;
        self.open.borrow_mut().insert(id, Question { shown, decide: Some(decide) });
        self.changes.notify();
        let mut asking = Asking { approvals: Rc::clone(self), id, window: None };
        let decision = async move {
            let browser = Rc::clone(&asking.approvals.browser);
            asking.window = Some(browser.open_window(&format!("{PAGE}#{id}")).await?);
            let limit = Duration::from_secs(LIMIT_SECONDS.unsigned_abs());
            let decision = within(&*browser, limit, decided).await;
            drop(asking);
            decision?.ok()
        };
        Some(decision.boxed_local())
    }

    fn is_allowed(&self, role: &RoleKey, program: &Program) -> bool {
        let now = self.browser.now();
        let allowed =
            |allowed: &Allowed| allowed.role == *role && allowed.program == *program && allowed.until > now;
        self.allowed.borrow().iter().any(allowed)
    }

    fn change_allowed(&self, change: impl FnOnce(&mut Vec<Allowed>)) {
        let now = self.browser.now();
        let mut allowed = self.allowed.borrow_mut();
        allowed.retain(|allowed| allowed.until > now);
        change(&mut allowed);
        self.storage.save(StorageArea::Session, ALLOWED, &*allowed);
    }
}

/// A question that is open as long as somebody waits for the decision.
struct Asking {
    approvals: Rc<Approvals>,
    id: u32,
    window: Option<WindowId>,
}

impl Drop for Asking {
    fn drop(&mut self) {
        self.approvals.open.borrow_mut().remove(&self.id);
        self.approvals.changes.notify();
        if let Some(window) = self.window.take() {
            self.approvals.browser.close_window(window);
        }
    }
}

/// How long a decision for a while holds.
const ALLOWED_FOR: TimeDelta = TimeDelta::hours(8);

/// How long a question stays open, in seconds. The program itself waits for 55.
const LIMIT_SECONDS: i64 = 50;

/// How many questions are open at once.
const MOST_QUESTIONS: usize = 4;

const UNKNOWN: &str = "an unknown program";

const PAGE: &str = "approval.html";

const ALLOWED: &str = "allowedPrograms";

#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))]
mod tests;
