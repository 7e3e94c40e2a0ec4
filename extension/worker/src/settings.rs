//! The settings in force, put together once per change of a layer.
//!
//! Nothing leaves the browser before the organisation's policy is known: whoever is about to send something waits in
//! [`Settings::known`]. A policy that cannot be read closes: then no layer below it is used.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use futures_channel::oneshot;
use futures_util::FutureExt as _;
use futures_util::future::{Either, select};
use rolecall_core::settings::{
    Catalogue, Effective, Fault, Layers, Listed, Lost, Provider, ProviderId, Reading, Role, RoleKey,
};
use rolecall_core::{Code, Problem};

use crate::browser::Browser;
use crate::changes::Changes;

/// The settings of the background.
pub(crate) struct Settings {
    browser: Rc<dyn Browser>,
    changes: Changes,
    layers: RefCell<Layers>,
    /// The layers put together, once somebody has needed it since the last change.
    effective: RefCell<Option<Rc<Effective>>>,
    policy: RefCell<Policy>,
    /// Which attempt to read the policy is the newest.
    attempt: Cell<u32>,
    machine: Cell<Machine>,
    waiting: RefCell<Vec<oneshot::Sender<()>>>,
    revision: Cell<u32>,
}

#[derive(Clone)]
enum Policy {
    Unknown,
    Known,
    Unreadable(Problem),
}

/// The layer that the native host delivers.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Machine {
    /// Whether there is a native host is not known yet.
    Unknown,
    /// There is no native host, or it does not say.
    Absent,
    Known,
}

impl Settings {
    /// No settings yet.
    pub(crate) fn new(browser: &Rc<dyn Browser>, changes: &Changes) -> Rc<Self> {
        Rc::new(Self {
            browser: Rc::clone(browser),
            changes: changes.clone(),
            layers: RefCell::default(),
            effective: RefCell::default(),
            policy: RefCell::new(Policy::Unknown),
            attempt: Cell::default(),
            machine: Cell::new(Machine::Unknown),
            waiting: RefCell::default(),
            revision: Cell::default(),
        })
    }

    /// The settings as far as they are known now. To show, not to act on.
    pub(crate) fn current(&self) -> Rc<Effective> {
        let mut effective = self.effective.borrow_mut();
        Rc::clone(effective.get_or_insert_with(|| Rc::new(self.layers.borrow().effective())))
    }

    /// What people call a role.
    pub(crate) fn label(&self, role: &RoleKey) -> String {
        format!("{} / {}", self.current().account_label(role.arn.account()), role.arn.name())
    }

    /// The settings, once every layer is known or known to be absent. `Err` if the policy cannot be read.
    pub(crate) async fn known(&self) -> Result<Rc<Effective>, Problem> {
        loop {
            match &*self.policy.borrow() {
                Policy::Unreadable(problem) => return Err(problem.clone()),
                Policy::Known if self.machine.get() != Machine::Unknown => return Ok(self.current()),
                Policy::Known | Policy::Unknown => {}
            }
            let (sender, receiver) = oneshot::channel();
            self.waiting.borrow_mut().push(sender);
            let _ = receiver.await;
        }
    }

    /// Whether every layer is known or known to be absent.
    pub(crate) fn is_known(&self) -> bool {
        self.machine.get() != Machine::Unknown && !matches!(*self.policy.borrow(), Policy::Unknown)
    }

    /// Whether both the policy and the machine's settings were read: what they lack is gone, and not merely late.
    pub(crate) fn is_complete(&self) -> bool {
        self.machine.get() == Machine::Known && matches!(*self.policy.borrow(), Policy::Known)
    }

    /// Has the policy read, at the start and whenever the browser says that it changed.
    ///
    /// Chromium answers only once it is done with starting, which takes seconds (measured: 2 to 4, and more than
    /// 10 on a busy computer).
    pub(crate) fn read_policy(self: &Rc<Self>) {
        let attempt = self.attempt.get().wrapping_add(1);
        self.attempt.set(attempt);
        let (this, reading) = (Rc::clone(self), self.browser.load_policy());
        let read = async move {
            let policy = match select(reading, this.browser.wait(POLICY_LIMIT)).await {
                Either::Left((policy, _)) => policy,
                Either::Right(((), reading)) => {
                    this.policy_is_late(attempt);
                    reading.await
                }
            };
            this.set_policy(attempt, policy.as_ref().map(|text| text.as_deref().map(String::as_str)));
        };
        self.browser.spawn(read.boxed_local());
    }

    fn policy_is_late(&self, attempt: u32) {
        if self.attempt.get() == attempt && matches!(*self.policy.borrow(), Policy::Unknown) {
            let sentence = format!(
                "The browser did not tell the organisation's policy within {} seconds.",
                POLICY_LIMIT.as_secs()
            );
            self.close(Problem::new(Code::PolicyUnavailable, sentence));
        }
    }

    fn set_policy(&self, attempt: u32, policy: Result<Option<&str>, &String>) {
        if self.attempt.get() != attempt {
            return;
        }
        let reading = match policy {
            Ok(None) => Reading::default(),
            Ok(Some(text)) => Reading::from_json(text),
            Err(reason) => {
                let sentence = format!("The browser cannot read the organisation's policy: {reason}");
                return self.close(Problem::new(Code::PolicyUnavailable, sentence));
            }
        };
        self.layers.borrow_mut().policy = reading.at("The organisation's policy");
        self.policy.replace(Policy::Known);
        self.changed();
    }

    /// A policy that cannot be read could say anything.
    fn close(&self, problem: Problem) {
        let fault = Fault { problem: problem.clone(), lost: Some(Lost::Document) };
        self.layers.borrow_mut().policy = Reading { faults: vec![fault], ..Reading::default() };
        self.policy.replace(Policy::Unreadable(problem));
        self.changed();
    }

    /// Takes the machine's settings, as the native host read them.
    pub(crate) fn set_machine(&self, machine: Reading) {
        self.machine.set(Machine::Known);
        if self.layers.borrow().machine == machine {
            return self.wake();
        }
        self.layers.borrow_mut().replace_machine(machine);
        self.changed();
    }

    /// There is no native host to deliver the machine's settings. Those that it delivered before stay in use.
    pub(crate) fn machine_is_absent(&self) {
        if self.machine.get() == Machine::Unknown {
            self.machine.set(Machine::Absent);
            self.wake();
        }
    }

    /// Takes what a provider lists for the person who is signed in.
    pub(crate) fn set_listed(&self, provider: &ProviderId, listed: Listed) {
        let mut layers = self.layers.borrow_mut();
        if *layers.listed.get(provider).unwrap_or(&Listed::default()) == listed {
            return;
        }
        if listed == Listed::default() {
            layers.listed.remove(provider);
        } else {
            layers.listed.insert(provider.clone(), listed);
        }
        drop(layers);
        self.changed();
    }

    /// Takes a provider's catalogue.
    pub(crate) fn set_catalogue(&self, provider: &ProviderId, catalogue: Option<Catalogue>) {
        let mut layers = self.layers.borrow_mut();
        match catalogue {
            Some(catalogue) => _ = layers.catalogues.insert(provider.clone(), catalogue),
            None => _ = layers.catalogues.remove(provider),
        }
        drop(layers);
        self.changed();
    }

    /// Grows with each change.
    pub(crate) fn revision(&self) -> u32 {
        self.revision.get()
    }

    fn changed(&self) {
        self.effective.take();
        self.revision.set(self.revision.get().wrapping_add(1));
        self.changes.notify();
        self.wake();
    }

    fn wake(&self) {
        for waiting in self.waiting.take() {
            let _ = waiting.send(());
        }
    }
}

/// A role and its provider, or why there is none.
pub(crate) fn find(effective: &Effective, key: &RoleKey) -> Result<(Role, Provider), Problem> {
    let found = effective.role(key).map(|(role, provider)| (role.clone(), provider.clone()));
    found.ok_or_else(|| match effective.why_not(&key.arn, Some(&key.provider)) {
        Some(problem) => problem.clone(),
        None if effective.only_policy => {
            let sentence = format!(
                "The role {key} is not in the organisation's policy, which does not allow other settings."
            );
            Problem::new(Code::RoleUnknown, sentence)
        }
        None => Problem::new(Code::RoleUnknown, format!("The role {key} is not in the settings.")),
    })
}

/// How long the policy may take to be read.
const POLICY_LIMIT: Duration = Duration::from_secs(30);

#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))]
mod tests;
