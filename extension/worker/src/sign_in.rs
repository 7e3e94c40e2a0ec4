//! Role credentials, whoever wants them: fresh ones at once, others by a sign-in that everybody shares who wants the same.
//!
//! Only one sign-in at a time gets an ID token of a provider. Whatever is forgotten here, the native host is told to forget.

use std::rc::Rc;

use futures_util::FutureExt as _;
use futures_util::lock::{Mutex, MutexGuard};
use rolecall_core::aws::Credentials;
use rolecall_core::message::host::{Program, RoleSelection};
use rolecall_core::oidc::Person;
use rolecall_core::platform::AuthorizeError;
use rolecall_core::session::{PersonChanged, ProviderSession, SharedSession};
use rolecall_core::settings::{Provider, ProviderId, RoleKey};
use rolecall_core::sign_in::{self, Presence};
use rolecall_core::time::TimeDelta;
use rolecall_core::url::Url;
use rolecall_core::{Code, Error, Problem};

use crate::approvals::Approvals;
use crate::browser::{Browser, within};
use crate::flights::Flights;
use crate::host::Host;
use crate::platform::{BrowserPlatform, SILENT_LIMIT};
use crate::progress::Progress;
use crate::sessions::{Session, Sessions};
use crate::settings::{Settings, find};
use crate::transport::Transport;

/// Signs people in and out.
pub(crate) struct SignIn {
    /// The browser.
    pub(crate) browser: Rc<dyn Browser>,
    /// The settings.
    pub(crate) settings: Rc<Settings>,
    /// What is remembered of each provider.
    pub(crate) sessions: Rc<Sessions>,
    /// Where steps are shown.
    pub(crate) progress: Rc<Progress>,
    /// How requests leave.
    pub(crate) transport: Rc<Transport>,
    /// Who is told what to forget.
    pub(crate) host: Rc<Host>,
    /// What goes with the person to whom it was given.
    pub(crate) approvals: Rc<Approvals>,
    /// Sign-ins under way: per role, and with or without a person.
    pub(crate) flights: Flights<(RoleKey, bool), Result<Credentials, Problem>>,
    /// Held while a window is open for a sign-in, at whichever provider.
    pub(crate) window: Rc<Mutex<()>>,
    /// Choices of an account under way.
    pub(crate) choices: Flights<ProviderId, Result<Person, Problem>>,
}

impl SignIn {
    /// The role's credentials, which last for longer than `time_left` as [`rolecall_core::freshness`] has it.
    pub(crate) async fn credentials(
        self: &Rc<Self>,
        key: &RoleKey,
        presence: Presence,
        time_left: TimeDelta,
        asked_by: Option<Program>,
    ) -> Result<Credentials, Problem> {
        let effective = self.settings.known().await?;
        let (role, provider) = find(&effective, key)?;
        let sources = effective.sources(&role)?;
        let session = self.sessions.of(&provider.id);
        let now = self.browser.now();
        let fresh = session.read(|session| {
            let fresh = session.fresh_credentials(&role, &sources, now, time_left);
            fresh.filter(|_| session.is_of(&provider)).cloned()
        });
        if let Some(credentials) = fresh {
            return Ok(credentials);
        }
        let flight = self.flights.join((key.clone(), presence == Presence::Person), || {
            let asked_by = asked_by.map(|program| (program, key.clone()));
            let platform = self.platform(&provider, Some(key.clone()), asked_by);
            let shared = Shared { sign_in: Rc::clone(self), session, presence };
            let work = async move {
                let roles = (&role, &sources[..]);
                let credentials =
                    sign_in::sign_in(&platform, &provider, roles, presence, time_left, &shared).await;
                credentials.map_err(Problem::from)
            };
            work.boxed_local()
        });
        flight.await
    }

    /// Signs the person in at the provider. One who is signed in chooses who they are.
    pub(crate) async fn sign_in_to_provider(self: &Rc<Self>, id: &ProviderId) -> Result<Person, Problem> {
        let effective = self.settings.known().await?;
        let Some(provider) = effective.provider(id).cloned() else {
            return Err(Problem::new(Code::ProviderUnknown, "The provider is no longer in the settings."));
        };
        let choice = self.choices.join(id.clone(), || {
            let platform = self.platform(&provider, None, None);
            let shared = self.shared(id);
            let work = async move {
                let token = if shared.read(|session| session.person().is_some()) {
                    sign_in::choose_account(&platform, &provider, &shared).await
                } else {
                    sign_in::id_token(&platform, &provider, Presence::Person, None, &shared).await
                };
                token.map(|token| token.person).map_err(Problem::from)
            };
            work.boxed_local()
        });
        choice.await
    }

    /// Signs the person out and has the provider revoke the refresh token. Gives the page that ends the session at the
    /// provider, if there is one.
    pub(crate) async fn sign_out(self: &Rc<Self>, provider: &Provider) -> Option<Url> {
        self.end(&provider.id);
        let shared = self.shared(&provider.id);
        if shared.read(|session| session.person().is_none()) {
            // What was given to somebody who is not known any more.
            self.forget_grants(RoleSelection::Provider(provider.id.clone()));
        }
        let platform = self.platform(provider, None, None);
        sign_in::sign_out(&platform, provider, &shared).await
    }

    /// Forgets one role's credentials.
    pub(crate) fn forget_role(&self, key: &RoleKey) {
        self.flights.end(|(role, _)| role == key, &Err(signed_out()));
        if self.has_credentials(key) {
            self.sessions.of(&key.provider).change(|session| session.forget_role(&key.arn));
        }
        self.forget_grants(RoleSelection::Role(key.clone()));
    }

    /// Ends the role's sign-ins for everybody who waits for them.
    pub(crate) fn cancel(&self, role: &RoleKey) {
        let problem = Problem::new(Code::SignInCancelled, "The sign-in was cancelled in the browser.");
        self.flights.end(|(key, _)| role == key, &Err(problem));
    }

    /// Whether there are credentials of the role, good or expired.
    pub(crate) fn has_credentials(&self, key: &RoleKey) -> bool {
        let session = self.sessions.of(&key.provider);
        session.read(|content| content.lifetimes().any(|(arn, _)| *arn == key.arn))
    }

    /// Removes what is left of providers that have left the settings, and credentials that are now asked for on other terms, such
    /// as with a session policy.
    pub(crate) fn forget_outdated(&self) {
        if !self.settings.is_complete() {
            return;
        }
        let effective = self.settings.current();
        for provider in self.sessions.retain_known(&effective) {
            self.end(&provider);
            self.forget_grants(RoleSelection::Provider(provider));
        }
        for (key, _) in self.sessions.expirations() {
            let is_outdated = match effective.role(&key).map(|(role, _)| (role, effective.sources(role))) {
                Some((role, Ok(sources))) => {
                    self.sessions.of(&key.provider).read(|session| session.is_outdated(role, &sources))
                }
                Some((_, Err(_))) => true,
                // A role that the settings do not have can be asked for all the same, but not one that they have and cannot use.
                None => effective.why_not(&key.arn, Some(&key.provider)).is_some(),
            };
            if is_outdated {
                self.forget_role(&key);
            }
        }
    }

    /// The browser, at work for a role if it is for one.
    pub(crate) fn platform(
        &self,
        provider: &Provider,
        role: Option<RoleKey>,
        asked_by: Option<(Program, RoleKey)>,
    ) -> BrowserPlatform {
        BrowserPlatform {
            browser: Rc::clone(&self.browser),
            transport: Rc::clone(&self.transport),
            client: format!("{} {}", provider.id, provider.client_id),
            redirect: provider.redirect,
            own_redirect: (!self.settings.current().is_first(provider)).then(|| provider.id.clone()),
            running: self.progress.begin(provider.id.clone(), role),
            window: Rc::clone(&self.window),
            asked_by,
        }
    }

    fn shared(self: &Rc<Self>, provider: &ProviderId) -> Shared {
        let session = self.sessions.of(provider);
        Shared { sign_in: Rc::clone(self), session, presence: Presence::Person }
    }

    /// Forgets what programs were given of these roles and allowed to have.
    pub(crate) fn forget_grants(&self, roles: RoleSelection) {
        self.approvals.forget(&roles);
        self.host.forget(roles);
    }

    fn end(&self, provider: &ProviderId) {
        self.flights.end(|(key, _)| key.provider == *provider, &Err(signed_out()));
        self.choices.end(|id| id == provider, &Err(signed_out()));
    }
}

/// A provider's session, as sign-ins share it.
struct Shared {
    sign_in: Rc<SignIn>,
    session: Rc<Session>,
    presence: Presence,
}

impl SharedSession for Shared {
    type LoginLock<'a> = MutexGuard<'a, ()>;

    fn read<T>(&self, look: impl FnOnce(&ProviderSession) -> T) -> T {
        self.session.read(look)
    }

    fn change<T>(&self, change: impl FnOnce(&mut ProviderSession) -> T) -> T {
        self.session.change(change)
    }

    /// Whoever may show no window does not wait for that of somebody else.
    async fn lock_login(&self) -> Result<MutexGuard<'_, ()>, AuthorizeError> {
        match self.presence {
            Presence::Person => Ok(self.session.lock_login().await),
            Presence::Nobody => within(&*self.sign_in.browser, SILENT_LIMIT, self.session.lock_login())
                .await
                .ok_or(AuthorizeError::InteractionRequired),
        }
    }

    /// By whichever way it has come to that, what belonged to the person before is forgotten everywhere.
    fn person_changed(&self, _: &PersonChanged) {
        self.sign_in.forget_grants(RoleSelection::Provider(self.session.provider().clone()));
    }
}

fn signed_out() -> Problem {
    Error::from(AuthorizeError::SignedOut).into()
}

#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))]
mod tests;
