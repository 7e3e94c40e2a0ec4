//! A provider's session in the background: several sign-ins share it, and `storage.session` keeps it.

use std::cell::RefCell;
use std::rc::Rc;

use futures_util::lock::{Mutex, MutexGuard};
use rolecall_core::message::host::RoleSelection;
use rolecall_core::session::{PersonChanged, ProviderSession, SharedSession};
use rolecall_core::settings::ProviderId;
use wasm_bindgen_futures::spawn_local;

use crate::app::App;
use crate::flows;

/// A provider's session, and the lock of whoever gets an ID token there.
#[derive(Default)]
pub(crate) struct Held {
    session: RefCell<ProviderSession>,
    login: Mutex<()>,
}

impl From<ProviderSession> for Held {
    fn from(session: ProviderSession) -> Self {
        Self { session: RefCell::new(session), login: Mutex::default() }
    }
}

/// A provider's session.
pub(crate) struct Session {
    pub(crate) app: Rc<App>,
    pub(crate) provider: ProviderId,
    pub(crate) held: Rc<Held>,
}

impl SharedSession for Session {
    type LoginLock<'a> = MutexGuard<'a, ()>;

    fn read<T>(&self, look: impl FnOnce(&ProviderSession) -> T) -> T {
        look(&self.held.session.borrow())
    }

    fn change<T>(&self, change: impl FnOnce(&mut ProviderSession) -> T) -> T {
        let value = change(&mut self.held.session.borrow_mut());
        self.app.keep(&self.provider, &self.held.session.borrow());
        value
    }

    async fn lock_login(&self) -> MutexGuard<'_, ()> {
        self.held.login.lock().await
    }

    fn person_changed(&self, _: &PersonChanged) {
        let roles = RoleSelection::Provider(self.provider.clone());
        self.app.approvals.forget(&roles);
        let app = Rc::clone(&self.app);
        spawn_local(async move { flows::tell_host_to_forget(&app, roles).await });
    }
}
