//! What is remembered of each provider: in memory, and one stored item per provider for the next background.
//!
//! Several sign-ins share a session; what was under way for a person who has signed out is not kept (see
//! [`rolecall_core::session`]).

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use futures_util::lock::{Mutex, MutexGuard};
use rolecall_core::map::Map;
use rolecall_core::session::ProviderSession;
use rolecall_core::settings::{Effective, Listed, ProviderId, RoleKey};
use rolecall_core::time::{DateTime, Utc};

use crate::browser::StorageArea;
use crate::changes::Changes;
use crate::settings::Settings;
use crate::storage::{Storage, Stored};

/// The sessions of all providers.
pub(crate) struct Sessions {
    keeper: Rc<Keeper>,
    open: RefCell<Map<ProviderId, Rc<Session>>>,
}

/// Where changes of sessions go.
struct Keeper {
    storage: Storage,
    changes: Changes,
    settings: Rc<Settings>,
    revision: Cell<u32>,
}

/// A provider's session.
pub(crate) struct Session {
    provider: ProviderId,
    keeper: Rc<Keeper>,
    content: RefCell<ProviderSession>,
    login: Mutex<()>,
    /// Whether the provider has left the settings: nothing is stored any more.
    is_removed: Cell<bool>,
}

impl Session {
    fn new(provider: ProviderId, content: ProviderSession, keeper: &Rc<Keeper>) -> Rc<Self> {
        Rc::new(Self {
            provider,
            keeper: Rc::clone(keeper),
            content: RefCell::new(content),
            login: Mutex::default(),
            is_removed: Cell::default(),
        })
    }

    /// At which provider.
    pub(crate) fn provider(&self) -> &ProviderId {
        &self.provider
    }

    /// Waits until nobody else gets an ID token of the provider.
    pub(crate) async fn lock_login(&self) -> MutexGuard<'_, ()> {
        self.login.lock().await
    }

    /// Reads from it.
    pub(crate) fn read<T>(&self, read: impl FnOnce(&ProviderSession) -> T) -> T {
        read(&self.content.borrow())
    }

    /// Changes it, and stores it for the next background.
    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut ProviderSession) -> T) -> T {
        let mut content = self.content.borrow_mut();
        let result = change(&mut content);
        if !self.is_removed.get() {
            self.keeper.storage.save(StorageArea::Session, &key(&self.provider), &*content);
            let listed = content.listed();
            drop(content);
            self.keeper.settings.set_listed(&self.provider, listed);
            self.keeper.changed();
        }
        result
    }
}

impl Sessions {
    /// The sessions that the background before stored.
    pub(crate) fn new(
        storage: &Storage,
        changes: &Changes,
        settings: &Rc<Settings>,
        stored: &mut Stored,
    ) -> Rc<Self> {
        let keeper = Rc::new(Keeper {
            storage: storage.clone(),
            changes: changes.clone(),
            settings: Rc::clone(settings),
            revision: Cell::default(),
        });
        let mut open = Map::new();
        for (id, content) in stored.take_all::<ProviderSession>(StorageArea::Session, PREFIX) {
            let Ok(id) = id.parse::<ProviderId>() else {
                storage.remove(StorageArea::Session, &format!("{PREFIX}{id}"));
                continue;
            };
            settings.set_listed(&id, content.listed());
            open.insert(id.clone(), Session::new(id, content, &keeper));
        }
        Rc::new(Self { keeper, open: RefCell::new(open) })
    }

    /// The provider's session, which is empty before the first sign-in.
    pub(crate) fn of(&self, provider: &ProviderId) -> Rc<Session> {
        let mut open = self.open.borrow_mut();
        let new = || Session::new(provider.clone(), ProviderSession::default(), &self.keeper);
        let session = open.get_or_insert_with(provider.clone(), new);
        Rc::clone(session)
    }

    /// Removes the sessions of providers that have left the settings. Gives the providers.
    pub(crate) fn retain_known(&self, effective: &Effective) -> Vec<ProviderId> {
        let is_gone = |id: &ProviderId, _: &Rc<Session>| effective.provider(id).is_none();
        let gone = self.open.borrow_mut().take_if(is_gone);
        for (provider, session) in &gone {
            session.is_removed.set(true);
            self.keeper.storage.remove(StorageArea::Session, &key(provider));
            self.keeper.settings.set_listed(provider, Listed::default());
        }
        if !gone.is_empty() {
            self.keeper.changed();
        }
        gone.into_iter().map(|(provider, _)| provider).collect()
    }

    /// Until when there are credentials, role by role.
    pub(crate) fn expirations(&self) -> Vec<(RoleKey, DateTime<Utc>)> {
        let mut expirations = Vec::new();
        for (provider, session) in self.open.borrow().iter() {
            session.read(|content| {
                expirations.extend(content.lifetimes().map(|(arn, lifetime)| {
                    (RoleKey::new(provider.clone(), arn.clone()), lifetime.expiration)
                }));
            });
        }
        expirations
    }

    /// Grows with each change.
    pub(crate) fn revision(&self) -> u32 {
        self.keeper.revision.get()
    }
}

impl Keeper {
    fn changed(&self) {
        self.revision.set(self.revision.get().wrapping_add(1));
        self.changes.notify();
    }
}

fn key(provider: &ProviderId) -> String {
    format!("{PREFIX}{provider}")
}

const PREFIX: &str = "session:";

#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))]
mod tests;
