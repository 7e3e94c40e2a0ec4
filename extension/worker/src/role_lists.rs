//! Where roles come from beside the settings: each provider's catalogue, and its role service.
//!
//! Neither is ever waited for. What was read before stays in use until something newer was read, and people are told how
//! old it is where that has failed.

use std::cell::RefCell;
use std::rc::Rc;

use futures_util::FutureExt as _;
use rolecall_core::Problem;
use rolecall_core::catalogue::{self, CatalogueError, KeptCatalogue, MAX_AGE, RETRY};
use rolecall_core::map::Map;
use rolecall_core::oidc::keys_request;
use rolecall_core::platform::Route;
use rolecall_core::role_service::{self, RoleServiceError};
use rolecall_core::session::ProviderSession;
use rolecall_core::settings::{Endpoint, Provider, ProviderId};
use rolecall_core::time::{DateTime, Utc};

use crate::browser::{Browser, StorageArea};
use crate::changes::Changes;
use crate::sessions::{Session, Sessions};
use crate::settings::Settings;
use crate::storage::{Storage, Stored};
use crate::transport::Transport;

/// The catalogues and role services of all providers.
pub(crate) struct RoleLists {
    browser: Rc<dyn Browser>,
    storage: Storage,
    settings: Rc<Settings>,
    sessions: Rc<Sessions>,
    transport: Rc<Transport>,
    changes: Changes,
    catalogues: RefCell<Map<ProviderId, List>>,
    services: RefCell<Map<ProviderId, List>>,
}

/// What is known of a list.
#[derive(Default)]
struct List {
    /// Where it is from.
    url: Option<Endpoint>,
    /// Of the catalogue in use.
    fingerprint: Option<u64>,
    /// When it was last known to be current.
    read_at: Option<DateTime<Utc>>,
    /// When and why it could not be read since.
    failure: Option<(DateTime<Utc>, Problem)>,
    is_being_read: bool,
}

impl RoleLists {
    /// Takes the catalogues that are kept.
    pub(crate) fn new(
        browser: &Rc<dyn Browser>,
        storage: &Storage,
        settings: &Rc<Settings>,
        sessions: &Rc<Sessions>,
        transport: &Rc<Transport>,
        changes: &Changes,
        stored: &mut Stored,
    ) -> Rc<Self> {
        let read_at: Map<ProviderId, DateTime<Utc>> =
            stored.take(StorageArea::Local, READ_AT).unwrap_or_default();
        let mut catalogues = Map::new();
        for (id, kept) in stored.take_all::<KeptCatalogue>(StorageArea::Local, KEPT) {
            let read = id.parse().ok().and_then(|id: ProviderId| Some((kept.read(&id).ok()?, id)));
            let Some((catalogue, id)) = read else {
                storage.remove(StorageArea::Local, &format!("{KEPT}{id}"));
                continue;
            };
            let list = List {
                url: Some(kept.url),
                fingerprint: Some(catalogue::fingerprint(kept.text.as_bytes())),
                read_at: read_at.get(&id).copied(),
                ..List::default()
            };
            settings.set_catalogue(&id, Some(catalogue));
            catalogues.insert(id, list);
        }
        Rc::new(Self {
            browser: Rc::clone(browser),
            storage: storage.clone(),
            settings: Rc::clone(settings),
            sessions: Rc::clone(sessions),
            transport: Rc::clone(transport),
            changes: changes.clone(),
            catalogues: RefCell::new(catalogues),
            services: RefCell::default(),
        })
    }

    /// Has every list read that is not known to be current; with `at_once`, every one.
    pub(crate) fn refresh(self: &Rc<Self>, at_once: bool) {
        // What the policy does not name is not asked.
        if !self.settings.is_known() {
            return;
        }
        self.remove_unknown();
        self.forget_services_without_a_person();
        let now = self.browser.now();
        for provider in self.settings.current().providers() {
            let provider = &provider.value;
            if let Some(url) = &provider.catalogue_url
                && begin(&self.catalogues, &provider.id, url, now, at_once)
            {
                let (this, provider, url) = (Rc::clone(self), provider.clone(), url.clone());
                self.browser.spawn(async move { this.read_catalogue(&provider, &url).await }.boxed_local());
            }
            let Some(url) = &provider.roles_url else { continue };
            let session = self.sessions.of(&provider.id);
            let is_wanted = session.read(|session| {
                session.is_of(provider)
                    && session.id_token(now).is_some()
                    && (at_once || session.wants_served_roles(now, MAX_AGE))
            });
            // The session says how old the roles are: they are the person's.
            if is_wanted && begin(&self.services, &provider.id, url, now, at_once) {
                let (this, provider, url) = (Rc::clone(self), provider.clone(), url.clone());
                let work = async move { this.read_service(&provider, &url, &session).await };
                self.browser.spawn(work.boxed_local());
            }
        }
    }

    /// Why lists could not be read.
    pub(crate) fn problems(&self) -> Vec<Problem> {
        let (catalogues, services) = (self.catalogues.borrow(), self.services.borrow());
        let failures = catalogues.values().chain(services.values()).filter_map(|list| list.failure.as_ref());
        failures.map(|(_, problem)| problem.clone()).collect()
    }

    async fn read_catalogue(&self, provider: &Provider, url: &Endpoint) {
        let read = self.fetch_catalogue(provider, url).await;
        let now = self.browser.now();
        self.end(&self.catalogues, provider, url, |list| {
            let read = read.map_err(|error| error.problem(provider, list.read_at));
            read.map(|new| {
                list.fingerprint = new.or(list.fingerprint);
                list.read_at = Some(now);
            })
        });
        let catalogues = self.catalogues.borrow();
        let read_at = |(id, list): (&ProviderId, &List)| Some((id.clone(), list.read_at?));
        let read_at: Map<_, _> = catalogues.iter().filter_map(read_at).collect();
        self.storage.save(StorageArea::Local, READ_AT, &read_at);
    }

    /// Reads a catalogue. Gives its fingerprint if it is another one than before.
    async fn fetch_catalogue(
        &self,
        provider: &Provider,
        url: &Endpoint,
    ) -> Result<Option<u64>, CatalogueError> {
        let response = self.transport.document(url.url()).await?;
        let fingerprint = catalogue::fingerprint(response.body.expose_secret());
        let before = self.catalogues.borrow().get(&provider.id).and_then(|list| list.fingerprint);
        if response.is_success() && before == Some(fingerprint) {
            return Ok(None);
        }
        let kept = KeptCatalogue::of_response(url, &response)?;
        let catalogue = kept.read(&provider.id)?;
        // Another one is wanted by now.
        if self.catalogues.borrow().get(&provider.id).is_none_or(|list| list.url.as_ref() != Some(url)) {
            return Ok(None);
        }
        self.storage.save(StorageArea::Local, &format!("{KEPT}{}", provider.id), &kept);
        self.settings.set_catalogue(&provider.id, Some(catalogue));
        Ok(Some(fingerprint))
    }

    async fn read_service(&self, provider: &Provider, url: &Endpoint, session: &Session) {
        let generation = session.read(ProviderSession::generation);
        let served = self.ask_service(provider, url, session).await;
        let now = self.browser.now();
        let (served, failed) = match served {
            Ok(served) => (Some(served), None),
            Err(error) => (None, Some(error.problem(provider))),
        };
        self.end(&self.services, provider, url, |_| failed.map_or(Ok(()), Err));
        // What was listed for somebody who has signed out meanwhile is nobody else's.
        if session.read(ProviderSession::generation) == generation
            && let Some(served) = served
        {
            session.change(|session| session.set_served(served, now));
        }
    }

    async fn ask_service(
        &self,
        provider: &Provider,
        url: &Endpoint,
        session: &Session,
    ) -> Result<role_service::ServedRoles, RoleServiceError> {
        let client = format!("{} {}", provider.id, provider.client_id);
        let now = self.browser.now();
        let request =
            session.read(|session| session.metadata().map(|metadata| keys_request(provider, metadata)));
        let keys = match request {
            Some(request) => Some(self.transport.send(request, Route::Auto, &client).await?),
            None => None,
        };
        let token =
            session.read(|session| session.id_token(now).filter(|_| session.is_of(provider)).cloned());
        let (Some(token), Some(keys)) = (token, keys) else { return Err(RoleServiceError::SignedOut) };
        let request = role_service::request(url, &token, &keys);
        // The native host sends forms only: it is no way for others into the networks of this machine.
        role_service::read(url, &self.transport.send(request, Route::Extension, &client).await?)
    }

    fn end(
        &self,
        lists: &RefCell<Map<ProviderId, List>>,
        provider: &Provider,
        url: &Endpoint,
        read: impl FnOnce(&mut List) -> Result<(), Problem>,
    ) {
        let now = self.browser.now();
        let mut lists = lists.borrow_mut();
        // What was read of an address that is no longer the provider's says nothing.
        let list = lists.get_mut(&provider.id).filter(|list| list.url.as_ref() == Some(url));
        if let Some(list) = list {
            list.is_being_read = false;
            list.failure = read(list).err().map(|problem| (now, problem));
        }
        drop(lists);
        self.changes.notify();
    }

    /// What a service has failed to list is told as long as there is somebody to list roles for.
    fn forget_services_without_a_person(&self) {
        let (effective, now) = (self.settings.current(), self.browser.now());
        self.services.borrow_mut().retain(|id, list| {
            let provider = effective.provider(id).filter(|provider| provider.roles_url == list.url);
            provider.is_some() && self.sessions.of(id).read(|session| session.id_token(now).is_some())
        });
    }

    /// Removes the catalogues that the settings do not name any more.
    fn remove_unknown(&self) {
        if !self.settings.is_complete() {
            return;
        }
        let effective = self.settings.current();
        let is_unknown = |id: &ProviderId, list: &List| {
            effective.provider(id).is_none_or(|provider| provider.catalogue_url != list.url)
        };
        let unknown = self.catalogues.borrow_mut().take_if(|id, list| is_unknown(id, list));
        for (id, _) in unknown {
            self.storage.remove(StorageArea::Local, &format!("{KEPT}{id}"));
            self.settings.set_catalogue(&id, None);
        }
    }
}

/// Whether a list has to be read, which is noted as under way.
fn begin(
    lists: &RefCell<Map<ProviderId, List>>,
    id: &ProviderId,
    url: &Endpoint,
    now: DateTime<Utc>,
    at_once: bool,
) -> bool {
    let mut lists = lists.borrow_mut();
    let list = lists.get_or_insert_with(id.clone(), List::default);
    if list.url.as_ref() != Some(url) {
        *list = List { url: Some(url.clone()), ..List::default() };
    }
    let has_just_failed = list.failure.as_ref().is_some_and(|(at, _)| (now - *at).abs() < RETRY);
    let is_current = list.read_at.is_some_and(|at| (now - at).abs() < MAX_AGE);
    let is_wanted = !list.is_being_read && (at_once || !has_just_failed && !is_current);
    list.is_being_read |= is_wanted;
    is_wanted
}

const KEPT: &str = "catalogue:";

/// When each catalogue was last known to be current.
const READ_AT: &str = "cataloguesReadAt";

#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))]
mod tests;
