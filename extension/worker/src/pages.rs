//! The ports to the pages: roles and state out, intents in.
//!
//! What is shown is also stored, without a secret, for the next background. `worker.js` sends it to the pages until the
//! settings are known: a part of them would only make the pages flicker.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use futures_util::FutureExt as _;
use rolecall_core::json;
use rolecall_core::map::Map;
use rolecall_core::message::ui::{APPROVAL_PORT_PREFIX, Decision, PORT_NAME, State, ToPage};
use rolecall_core::settings::Effective;

use crate::approvals::Approvals;
use crate::browser::{Browser, JsonText, Port, PortListener, StorageArea};
use crate::host::Host;
use crate::intents::Intents;
use crate::role_lists::RoleLists;
use crate::settings::Settings;
use crate::storage::Storage;
use crate::view::View;

/// The pages that are open.
pub(crate) struct Pages {
    /// Whose clock says when to begin.
    pub(crate) browser: Rc<dyn Browser>,
    /// Where it is stored what is shown.
    pub(crate) storage: Storage,
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
    /// Which are read anew for whoever looks at them.
    pub(crate) role_lists: Rc<RoleLists>,
    /// The pages.
    pub(crate) open: RefCell<Map<u32, Rc<dyn Port>>>,
    /// The last page's number.
    pub(crate) last_number: Cell<u32>,
    /// What the pages were sent last.
    pub(crate) sent: RefCell<Option<Sent>>,
}

/// The messages that the pages were sent last.
#[derive(Default)]
pub(crate) struct Sent {
    /// The settings that the roles are of.
    effective: Rc<Effective>,
    /// With ten thousand of them it takes a while to put together.
    roles: JsonText,
    state: JsonText,
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
        self.role_lists.refresh(false);
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
        if let Some(sent) = &*self.sent.borrow() {
            send(&*port, &sent.roles);
            send(&*port, &sent.state);
        }
        self.open.borrow_mut().insert(number, port);
        if approval.is_none() {
            self.intents.popup_count.update(|count| count + 1);
            self.look_around();
        }
        for message in early {
            self.receive(&message);
        }
        true
    }

    /// Looks at what is around the popup, and shows it.
    pub(crate) fn look_around(self: &Rc<Self>) {
        if self.intents.popup_count.get() == 0 {
            return;
        }
        let this = Rc::clone(self);
        let look = async move {
            let recent = this.intents.shortlist.recent();
            this.intents.consoles.look_at_tab_in_front(&recent).await;
            // It may have been closed meanwhile.
            if this.intents.popup_count.get() == 0 {
                this.intents.consoles.look_away();
            }
            this.publish();
        };
        self.browser.spawn(look.boxed_local());
    }

    /// Begins to send, once the settings are known or are not for too long.
    pub(crate) fn begin_soon(self: &Rc<Self>) {
        let settings = Rc::clone(&self.settings);
        let known = async move { drop(settings.known().await) }.boxed_local();
        for wait in [known, self.browser.wait(SETTINGS_LIMIT)] {
            let this = Rc::clone(self);
            let beginning = async move {
                wait.await;
                if this.sent.borrow().is_none() {
                    this.send_changes(Sent::default());
                }
            };
            self.browser.spawn(beginning.boxed_local());
        }
    }

    /// Sends every page what has changed.
    pub(crate) fn publish(&self) {
        if let Some(sent) = self.sent.take() {
            self.send_changes(sent);
        }
    }

    fn send_changes(&self, mut sent: Sent) {
        // What is stored is shown at once the next time: it must not lack what is only late now.
        let is_known = self.settings.is_known();
        let effective = self.settings.current();
        if !Rc::ptr_eq(&effective, &sent.effective) {
            let roles = json::to_string(&ToPage::Roles(View::roles(&effective)));
            if roles != sent.roles {
                self.send_all(SHOWN_ROLES, &roles, is_known.then_some(&roles));
                sent.roles = roles;
            }
            sent.effective = effective;
        }
        let state = self.view.state();
        let is_stored = is_known && state.activities.is_empty();
        let message = |state| json::to_string(&ToPage::State(Box::new(state)));
        // What the next popup is opened above is not known yet.
        let stored = state.go_on.is_some().then(|| message(State { go_on: None, ..state.clone() }));
        let state = message(state);
        if state != sent.state {
            self.send_all(SHOWN_STATE, &state, is_stored.then_some(stored.as_ref().unwrap_or(&state)));
            sent.state = state;
        }
        self.sent.replace(Some(sent));
    }

    /// Sends a message to all pages, and stores another for the next background.
    fn send_all(&self, item: &str, message: &str, stored: Option<&String>) {
        for port in self.open.borrow().values() {
            send(&**port, message);
        }
        if message.len() > MAX_SHOWN_BYTES {
            self.storage.remove(StorageArea::Session, item);
        } else if let Some(stored) = stored {
            self.storage.save_text(StorageArea::Session, item, stored);
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
        if approval.is_none() {
            self.intents.popup_count.update(|count| count.saturating_sub(1));
            if self.intents.popup_count.get() == 0 {
                self.intents.consoles.look_away();
            }
        }
        // Closing the window refuses.
        if let Some(id) = approval {
            self.approvals.decide(id, Decision::Refuse);
        }
    }
}

fn send(port: &dyn Port, text: &str) {
    // A page that has just been closed is told so by its own event.
    let _ = port.post(text);
}

/// How long pages wait for the settings. A native host that does not respond must not keep a policy's roles from them.
const SETTINGS_LIMIT: Duration = Duration::from_secs(1);

/// Read by `worker.js`.
const SHOWN_ROLES: &str = "shownRoles";
const SHOWN_STATE: &str = "shownState";

/// The largest message that is stored, in bytes. Every background reads it first.
const MAX_SHOWN_BYTES: usize = 64 * 1024;

#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))]
mod tests;
