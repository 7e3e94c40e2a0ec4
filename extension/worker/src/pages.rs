//! The ports to the pages: roles and state out, intents in.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use rolecall_core::json;
use rolecall_core::map::Map;
use rolecall_core::message::ui::{APPROVAL_PORT_PREFIX, Decision, PORT_NAME, State, ToPage};
use rolecall_core::settings::Effective;

use crate::approvals::Approvals;
use crate::browser::{JsonText, Port, PortListener};
use crate::host::Host;
use crate::intents::Intents;
use crate::settings::Settings;
use crate::view::View;

/// The pages that are open.
pub(crate) struct Pages {
    /// The settings.
    pub(crate) settings: Rc<Settings>,
    /// What there is to show.
    pub(crate) view: Rc<View>,
    /// Who does what people want.
    pub(crate) intents: Rc<Intents>,
    /// Who takes decisions.
    pub(crate) approvals: Rc<Approvals>,
    /// Who is looked for while a page is open.
    pub(crate) host: Rc<Host>,
    /// The pages.
    pub(crate) open: RefCell<Map<u32, Rc<dyn Port>>>,
    /// The last page's number.
    pub(crate) last_number: Cell<u32>,
    /// What the pages were sent last.
    pub(crate) sent: RefCell<(Rc<Effective>, State)>,
}

impl Pages {
    /// A page has opened a port of this name. `open` begins to listen to it; `early` is what the page said before.
    /// `false` for a port that this version does not know.
    pub(crate) fn connect(
        self: &Rc<Self>,
        name: &str,
        early: Vec<JsonText>,
        open: impl FnOnce(PortListener) -> Rc<dyn Port>,
    ) -> bool {
        let approval = name.strip_prefix(APPROVAL_PORT_PREFIX).and_then(|id| id.parse().ok());
        if name != PORT_NAME && approval.is_none() {
            return false;
        }
        // Somebody is looking: a host that was not there may have been installed meanwhile, or is about to be.
        self.host.try_again();
        let watching = Rc::clone(self);
        self.host.watch(move || watching.are_open());

        let number = self.last_number.get().wrapping_add(1);
        self.last_number.set(number);
        let (receiving, closing) = (Rc::clone(self), Rc::clone(self));
        let port = open(PortListener {
            message: Box::new(move |message| receiving.receive(&message)),
            closed: Box::new(move |_| closing.closed(number, approval)),
        });
        // The others are sent what has changed first, so that all have been sent the same.
        self.publish();
        let effective = self.settings.current();
        send(&*port, &ToPage::Roles(View::roles(&effective)));
        send(&*port, &ToPage::State(Box::new(self.view.state())));
        self.open.borrow_mut().insert(number, port);
        for message in early {
            self.receive(&message);
        }
        true
    }

    /// Sends every page what has changed.
    pub(crate) fn publish(&self) {
        let (effective, state) = (self.settings.current(), self.view.state());
        let (sent_settings, sent_state) = self.sent.replace((Rc::clone(&effective), state.clone()));
        let roles = (!Rc::ptr_eq(&effective, &sent_settings)).then(|| ToPage::Roles(View::roles(&effective)));
        let state = (state != sent_state).then(|| ToPage::State(Box::new(state)));
        let ports: Vec<_> = self.open.borrow().values().cloned().collect();
        for message in roles.into_iter().chain(state) {
            for port in &ports {
                send(&**port, &message);
            }
        }
    }

    fn are_open(&self) -> bool {
        !self.open.borrow().is_empty()
    }

    fn receive(&self, message: &str) {
        // Only this extension's own pages can open a port; a message of another version is ignored.
        if let Ok(intent) = json::from_str(message) {
            self.intents.fulfil(intent);
        }
    }

    fn closed(&self, number: u32, approval: Option<u32>) {
        self.open.borrow_mut().remove(&number);
        // Closing the window refuses.
        if let Some(id) = approval {
            self.approvals.decide(id, Decision::Refuse);
        }
    }
}

fn send(port: &dyn Port, message: &ToPage) {
    // A page that has just been closed is told so by its own event.
    let _ = port.post(&json::to_string(message));
}

#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))]
mod tests;
