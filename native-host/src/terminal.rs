//! A command that signs in by itself, also for other commands that wait: the backend of an agent for the time of the
//! sign-in.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::Duration;

use chrono::TimeDelta;
use rolecall_core::message::host::{RoleSelection, WorkerRequest, WorkerResponse};
use rolecall_core::platform::AuthorizeError;
use rolecall_core::session::{PersonChanged, ProviderSession, SharedSession};
use rolecall_core::settings::{self, Approve, Effective, Provider, ProviderId, RoleKey};
use rolecall_core::sign_in::{Presence, sign_in};
use rolecall_core::{Code, Problem};

use crate::agent::{Agent, Backend};
use crate::cache::{self, Unlock};
use crate::host_settings::LoopbackSettings;
use crate::loopback::{BrowserMode, Loopback, RedirectListener};
use crate::settings_files::Machine;
use crate::{platform, roles};

/// How to sign in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SignInOptions {
    /// How the person opens the provider's page.
    pub(crate) browser_mode: BrowserMode,
    /// How long the credentials last.
    pub(crate) duration: Option<settings::Duration>,
    /// How long a person may take to sign in.
    pub(crate) timeout: Duration,
}

impl Default for SignInOptions {
    fn default() -> Self {
        Self { browser_mode: BrowserMode::Open, duration: None, timeout: SIGN_IN_TIMEOUT }
    }
}

/// An agent that signs in by itself. It stores nothing beyond its end.
pub(crate) fn agent(machine: Machine, effective: Effective, options: SignInOptions) -> Arc<Agent> {
    let terminal = Arc::new(Terminal {
        machine,
        effective,
        options,
        agent: OnceLock::new(),
        listeners: Mutex::default(),
        login: Mutex::default(),
        sessions: Mutex::default(),
    });
    let agent = Agent::new(Arc::<Terminal>::clone(&terminal), |_, _| {});
    let _ = terminal.agent.set(Arc::downgrade(&agent));
    agent
}

/// A person signs in once at each provider, whatever roles are requested; the roles are then assumed in parallel.
struct Terminal {
    machine: Machine,
    effective: Effective,
    options: SignInOptions,
    /// The agent whose memory is cleared when another person signs in.
    agent: OnceLock<Weak<Agent>>,
    /// Shared by the requests in flight for the same registered addresses: the last of them frees the port.
    listeners: Mutex<Vec<(LoopbackSettings, Weak<RedirectListener>)>>,
    /// Only one window is shown at a time.
    login: Mutex<()>,
    sessions: Mutex<BTreeMap<ProviderId, Arc<Mutex<ProviderSession>>>>,
}

impl Terminal {
    fn listener(&self, provider: &Provider) -> Result<Arc<RedirectListener>, Problem> {
        let settings = self.machine.host.loopback_of(provider);
        let mut shared = lock(&self.listeners);
        shared.retain(|(_, listener)| listener.strong_count() > 0);
        let known = shared.iter().find(|(known, _)| *known == settings);
        if let Some(listener) = known.and_then(|(_, listener)| listener.upgrade()) {
            return Ok(listener);
        }
        let listener = Arc::new(RedirectListener::open(&settings)?);
        shared.push((settings, Arc::downgrade(&listener)));
        Ok(listener)
    }
}

impl Backend for Terminal {
    fn request(
        &self,
        request: WorkerRequest,
        is_wanted: &dyn Fn() -> bool,
    ) -> Result<WorkerResponse, Problem> {
        let WorkerRequest::Credentials(request) = request else {
            return Err(Problem::new(
                Code::AgentUnavailable,
                "No browser with the Rolecall extension is running.",
            ));
        };
        let (mut role, provider) = roles::find(&self.effective, &request.role)?;
        let provider = self.machine.host.with_own_client(provider);
        role.duration = self.options.duration.or(role.duration);
        let sources = self.effective.sources(&role)?;
        let presence = Presence::of(request.interactive);
        let time_left = TimeDelta::seconds(request.time_left_seconds.into());
        let listener = self.listener(&provider)?;
        let SignInOptions { browser_mode, timeout, .. } = self.options;
        let own_redirect = (!self.effective.is_first(&provider)).then(|| provider.id.clone());
        let platform = Loopback::new(&listener, own_redirect, browser_mode, timeout, is_wanted);
        let session = Arc::clone(lock(&self.sessions).entry(provider.id.clone()).or_default());
        let session = TerminalSession { terminal: self, provider: &provider.id, session: &session };
        let signed_in = sign_in(&platform, &provider, (&role, &sources), presence, time_left, &session);
        let credentials = pollster::block_on(signed_in)?;
        Ok(WorkerResponse::Credentials { credentials, keep: true })
    }

    /// Without a browser nobody can be asked about a program, so a role that has to be approved is for this command alone.
    fn may_serve(&self, role: &RoleKey) -> Result<(), Problem> {
        let (role, provider) = roles::find(&self.effective, role)?;
        if role.approve(&provider) == Approve::Never {
            return Ok(());
        }
        let message =
            format!("The role {} has to be approved, so another command's sign-in is not for it.", role.arn);
        Err(Problem::new(Code::ApprovalNeeded, message))
    }
}

/// A provider's session, while this command runs.
struct TerminalSession<'a> {
    terminal: &'a Terminal,
    provider: &'a ProviderId,
    session: &'a Mutex<ProviderSession>,
}

impl SharedSession for TerminalSession<'_> {
    type LoginLock<'a>
        = MutexGuard<'a, ()>
    where
        Self: 'a;

    fn read<T>(&self, look: impl FnOnce(&ProviderSession) -> T) -> T {
        look(&lock(self.session))
    }

    fn change<T>(&self, change: impl FnOnce(&mut ProviderSession) -> T) -> T {
        change(&mut lock(self.session))
    }

    async fn lock_login(&self) -> Result<MutexGuard<'_, ()>, AuthorizeError> {
        Ok(lock(&self.terminal.login))
    }

    fn person_changed(&self, _: &PersonChanged) {
        let roles = RoleSelection::Provider(self.provider.clone());
        if let Some(agent) = self.terminal.agent.get().and_then(Weak::upgrade) {
            agent.forget(&roles);
        }
        if let Err(problem) = cache::forget(&roles, Unlock::Never) {
            tracing::warn!(%problem, "credentials of the previous person were not removed from the cache");
        }
    }
}

/// A poisoned lock guards consistent data: nothing here panics half-way through a change.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The exclusive right to look for a command that signs in, and to become one.
pub(crate) struct LoginLock {
    _file: File,
}

impl LoginLock {
    /// Waits for the lock.
    pub(crate) fn take() -> io::Result<Self> {
        let file = File::create(platform::create_runtime_folder()?.join("login.lock"))?;
        file.lock()?;
        Ok(Self { _file: file })
    }
}

/// How long a person may take to sign in.
const SIGN_IN_TIMEOUT: Duration = Duration::from_mins(5);

/// How long a command that has signed in stays for the others that it serves.
pub(crate) const DRAIN_TIMEOUT: Duration = Duration::from_secs(20);
