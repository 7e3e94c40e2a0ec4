//! Where a command gets a role's credentials: from a browser's agent, else from the cache if the settings choose one,
//! else by signing in itself.
//!
//! However many commands sign in themselves at once, one does it and the others ask that one, through a socket that
//! is there for as long as it takes.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use rolecall_core::aws::Credentials;
use rolecall_core::message::host::{CredentialsRequest, RoleSelection, WorkerRequest, WorkerResponse};
use rolecall_core::session::{PersonChanged, ProviderSession, SharedSession};
use rolecall_core::settings::{self, Effective, Provider, ProviderId, Role, RoleKey};
use rolecall_core::sign_in::{Presence, sign_in};
use rolecall_core::{Code, Problem, freshness};

use crate::agent::{Agent, Agents, Browser, DEADLINE, Got, Kind, Listening, RESTART};
use crate::ask::PATIENCE;
use crate::cache::{self, Cache, Place, Unlock};
use crate::cli::sign_in_for_tools;
use crate::loopback::{Loopback, Way};
use crate::settings_files::{self, Machine};
use crate::{output, platform};

/// By which way to sign in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Method {
    /// Through a browser that has the extension; without one, as `loopback`.
    Auto,
    /// Through a browser that has the extension.
    Extension,
    /// In the system's browser, coming back to a port of this machine.
    Loopback,
}

/// How credentials are asked for.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    pub(crate) method: Method,
    pub(crate) presence: Presence,
    pub(crate) way: Way,
    /// How long the credentials shall last, where this program signs in itself.
    pub(crate) duration: Option<settings::Duration>,
    /// How long the credentials must still last at least.
    pub(crate) time_left: TimeDelta,
    /// How long a person may take at the provider's pages.
    pub(crate) patience: Duration,
    /// Whether credentials that were kept from an earlier time will do.
    pub(crate) allow_cached: bool,
    /// Whether the person may be asked to unlock the keyring.
    pub(crate) unlock: Unlock,
    /// Whether a sign-in goes on when this program is killed, for whoever asks next.
    pub(crate) outlives_asker: bool,
}

/// Credentials, and how they came.
#[derive(Debug)]
pub(crate) struct Obtained {
    pub(crate) credentials: Credentials,
    pub(crate) origin: Origin,
    /// Where they are kept for when no browser answers, or why they are not.
    pub(crate) kept: Result<Place, Problem>,
}

/// Where credentials come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A browser with the extension.
    Browser,
    /// What was kept from an earlier time.
    Cache,
    /// A sign-in in the system's browser.
    SignIn,
}

impl Source {
    /// What an AWS tool waits for: the Go SDK gives up after 60 seconds.
    pub(crate) fn of_tool(presence: Presence) -> Self {
        let patience = Duration::from_secs(50);
        Self {
            method: Method::Auto,
            presence,
            way: Way::Browser,
            duration: None,
            time_left: freshness::SDK_RENEWAL,
            patience,
            allow_cached: true,
            unlock: Unlock::Never,
            outlives_asker: presence == Presence::Person,
        }
    }

    /// Gets a role's credentials, which last for `time_left` at least unless the role allows no more or nobody is there
    /// to sign in again.
    pub(crate) fn credentials(&self, role: &RoleKey) -> Result<Credentials, Problem> {
        let Obtained { credentials, kept, .. } = self.get(role, |role, got| {
            cache::keep_in_passing(role, &got.credentials);
            Ok(Place::None)
        })?;
        if let Err(problem) = kept {
            output::warn(format_args!("The credentials are not kept. {problem}"));
        }
        Ok(credentials)
    }

    /// Gets a role's credentials and keeps them, if the settings want that, whatever it takes.
    pub(crate) fn obtain(&self, role: &RoleKey) -> Result<Obtained, Problem> {
        self.get(role, |role, got| {
            Cache::of(&settings_files::load()).keep(role, &got.credentials, self.unlock)
        })
    }

    /// `keep` is for what a browser answers with.
    fn get(
        &self,
        role: &RoleKey,
        keep: impl FnOnce(&RoleKey, &Got) -> Result<Place, Problem>,
    ) -> Result<Obtained, Problem> {
        if self.method == Method::Loopback {
            return self.without_browser(role);
        }
        let started = Instant::now();
        match self.ask_browsers(role) {
            Ok(got) => {
                let kept = if got.keep {
                    keep(role, &got)
                } else {
                    cache::forget_if_kept(role);
                    Ok(Place::None)
                };
                Ok(Obtained { credentials: got.credentials, origin: Origin::Browser, kept })
            }
            Err(problem) if self.method == Method::Auto && is_unavailable(&problem) => {
                // A machine without settings of its own knows of no other way: the browser's answer stands.
                let patience = self.patience.saturating_sub(started.elapsed());
                let obtained = Self { patience, ..self.clone() }.without_browser(role);
                obtained.map_err(|own| if own.is(Code::RoleUnknown) { problem } else { own })
            }
            Err(problem) => Err(problem),
        }
    }

    /// Asks the browsers. One whose host program crashes meanwhile starts it anew and goes on with what it was asked for,
    /// so it is asked for that once more.
    fn ask_browsers(&self, role: &RoleKey) -> Result<Got, Problem> {
        let started = Instant::now();
        let ask = |agents: Agents| agents.credentials(role, self.presence, self.time_left);
        let mut answer = ask(Agents::of_browsers_soon());
        let crashed = Instant::now();
        // One that is just about to end may take a connection still, and crash with that as well.
        while answer.as_ref().is_err_and(|problem| problem.is(Code::HostExited)) {
            let patience = RESTART.saturating_sub(crashed.elapsed());
            let Some(agents) = Agents::of_browsers_within(patience).filter(|_| !patience.is_zero()) else {
                let message = "The browser went away before it answered.";
                return Err(Problem::new(Code::AgentUnavailable, message));
            };
            let rest = DEADLINE.saturating_sub(started.elapsed()).max(Duration::from_secs(1));
            answer = ask(agents.within(rest));
        }
        answer
    }

    fn without_browser(&self, key: &RoleKey) -> Result<Obtained, Problem> {
        let machine = settings_files::load();
        let effective = machine.effective();
        // Only the browser may know the role; what it allowed to be kept can be had all the same.
        let known = find(&effective, key);
        settings_files::tell(&effective, known.as_ref().err());
        // What a person wants to be asked for each time is not had without asking.
        let is_free =
            |(role, provider): &(Role, Provider)| role.approve(provider) == settings::Approve::Never;
        let may_keep = match &known {
            Ok(known) => is_free(known),
            // What cannot be read of the role may be that it is asked for.
            Err(problem) => problem.is(Code::RoleUnknown),
        };
        let cache = if may_keep { Cache::of(&machine) } else { Cache::default() };
        let find_kept = || {
            if self.allow_cached {
                cache.find(key, self.presence, self.time_left, self.unlock)
            } else {
                Ok(None)
            }
        };
        let from_cache =
            |credentials| Obtained { credentials, origin: Origin::Cache, kept: Ok(cache.place()) };
        let is_cache_usable = match find_kept() {
            Ok(Some(credentials)) => return Ok(from_cache(credentials)),
            Ok(None) => true,
            Err(problem) => {
                output::warn(format_args!("The cache is not used. {problem}"));
                false
            }
        };
        known?;
        if self.presence == Presence::Nobody {
            let message = format!("Somebody has to sign in for {}, and nobody may be asked.", key.arn);
            return Err(Problem::new(Code::SignInNeeded, message));
        }
        // Whoever did not unlock it a moment ago is not asked again.
        let unlock = if is_cache_usable { self.unlock } else { Unlock::Never };
        let keep = |got: Got| {
            let kept = if got.keep { cache.keep(key, &got.credentials, unlock) } else { Ok(Place::None) };
            Obtained { credentials: got.credentials, origin: Origin::SignIn, kept }
        };
        let request = CredentialsRequest {
            role: key.clone(),
            time_left_seconds: u32::try_from(self.time_left.num_seconds()).unwrap_or(u32::MAX),
            interactive: true,
            asked_by: None,
        };
        let turn = loop {
            // Whoever comes second finds the first one's socket, or waits here until it is there.
            let turn = platform::create_runtime_folder().and_then(|folder| Turn::take(&folder));
            let others = Agents::of_terminals();
            if turn.is_err() || others.is_empty() {
                break turn;
            }
            drop(turn);
            match others.credentials(key, self.presence, self.time_left) {
                // It was just about to end.
                Err(problem) if problem.is(Code::HostExited) => {}
                answer => return answer.map(keep),
            }
        };
        // The first one may have been and gone since.
        if is_cache_usable && let Ok(Some(credentials)) = find_kept() {
            return Ok(from_cache(credentials));
        }
        // What a person is asked about each time is not kept for the next one who asks.
        if self.outlives_asker && may_keep {
            match sign_in_for_tools::start(key) {
                Ok(()) => {
                    drop(turn);
                    output::note("Waiting for you to sign in, in the browser…");
                    return Agents::of_terminals().credentials(key, self.presence, self.time_left).map(keep);
                }
                Err(error) => tracing::warn!(%error, "the sign-in will end with this program"),
            }
        }
        let agent = Terminal::agent(machine, effective, self.clone());
        let listening = agent.listen(Kind::Terminal);
        drop(turn);
        let obtained = agent.credentials(&request, || None).map(keep);
        drop(listening);
        agent.wait_until_idle(FAREWELL);
        obtained
    }
}

/// An agent that signs in to a role for tools, by itself.
pub(crate) fn agent_for_tools(role: &RoleKey) -> Result<ToolsAgent, Problem> {
    let machine = settings_files::load();
    let effective = machine.effective();
    find(&effective, role)?;
    // Not what a tool waits for: what a person may take.
    let source = Source { patience: PATIENCE, ..Source::of_tool(Presence::Person) };
    Ok(ToolsAgent(Terminal::agent(machine, effective, source)))
}

/// See [`agent_for_tools`].
pub(crate) struct ToolsAgent(Arc<Agent>);

impl ToolsAgent {
    /// Answers from now on, until what is returned is dropped.
    pub(crate) fn listen(&self) -> std::io::Result<Listening> {
        self.0.listen(Kind::Terminal)
    }

    /// See [`Agent::serve_until_taken`].
    pub(crate) fn serve_until_taken(&self, keep: Duration) {
        self.0.serve_until_taken(keep);
    }

    /// Answers those who have come at the last moment.
    pub(crate) fn wait_until_idle(&self) {
        self.0.wait_until_idle(FAREWELL);
    }
}

/// What the settings say of a role; nothing but what identifies it if they do not know it.
pub(crate) fn role_of(effective: &Effective, key: &RoleKey) -> Role {
    match effective.role(key) {
        Some((role, _)) => role.clone(),
        None => Role::unlisted(key.clone()),
    }
}

/// The role and its provider. A role that stands in no settings can still be had from a provider that does.
pub(crate) fn find(effective: &Effective, key: &RoleKey) -> Result<(Role, Provider), Problem> {
    if let Some((role, provider)) = effective.role(key) {
        return Ok((role.clone(), provider.clone()));
    }
    // A role that was left out is not just any role.
    if let Some(problem) = effective.why_not(&key.arn, Some(&key.provider)) {
        return Err(problem.clone());
    }
    if let Some(provider) = effective.provider(&key.provider) {
        return Ok((Role::unlisted(key.clone()), provider.clone()));
    }
    if let Some(cause) = effective.lost_provider() {
        let message = format!("The role {key} is in no settings that can be used. {}", cause.message);
        return Err(Problem::new(Code::SettingsInvalid, message));
    }
    Err(Problem::new(Code::RoleUnknown, format!("The role {key} is not in this machine's settings.")))
}

/// Whether no browser answers for the role, as opposed to one that answered no.
fn is_unavailable(problem: &Problem) -> bool {
    problem.is(Code::AgentUnavailable) || problem.is(Code::RoleUnknown)
}

/// This command, as the one that signs in for all who wait. A person signs in once at each provider, whichever roles are
/// asked for; the roles are then assumed side by side.
struct Terminal {
    machine: Machine,
    effective: Effective,
    source: Source,
    /// Whose memory has to be emptied when somebody else signs in.
    agent: OnceLock<Weak<Agent>>,
    platform: Mutex<Option<Arc<Loopback>>>,
    /// One window is shown at a time.
    login: Mutex<()>,
    sessions: Mutex<BTreeMap<ProviderId, Arc<Mutex<ProviderSession>>>>,
}

impl Terminal {
    /// An agent that asks this command.
    fn agent(machine: Machine, effective: Effective, source: Source) -> Arc<Agent> {
        let terminal = Arc::new(Self {
            machine,
            effective,
            source,
            agent: OnceLock::new(),
            platform: Mutex::default(),
            login: Mutex::default(),
            sessions: Mutex::default(),
        });
        let agent = Agent::new(Arc::<Self>::clone(&terminal));
        let _ = terminal.agent.set(Arc::downgrade(&agent));
        agent
    }

    fn platform(&self) -> Result<Arc<Loopback>, Problem> {
        let mut platform = lock(&self.platform);
        if let Some(platform) = &*platform {
            return Ok(Arc::clone(platform));
        }
        let opened =
            Loopback::open(&self.machine.loopback, self.source.way, self.source.patience).map(Arc::new)?;
        Ok(Arc::clone(platform.insert(opened)))
    }
}

impl Browser for Terminal {
    fn ask(&self, request: WorkerRequest) -> Result<WorkerResponse, Problem> {
        let WorkerRequest::Credentials(request) = request else {
            return Err(Problem::new(
                Code::AgentUnavailable,
                "No browser with the Rolecall extension is running.",
            ));
        };
        let (mut role, provider) = find(&self.effective, &request.role)?;
        role.duration = self.source.duration.or(role.duration);
        let presence = Presence::of(request.interactive);
        let time_left = TimeDelta::seconds(request.time_left_seconds.into());
        let platform = self.platform()?;
        let session = Arc::clone(lock(&self.sessions).entry(provider.id.clone()).or_default());
        let session = TerminalSession { terminal: self, provider: &provider.id, session: &session };
        let signed_in = sign_in(&*platform, &provider, &role, presence, time_left, &session);
        let credentials = pollster::block_on(signed_in)?;
        Ok(WorkerResponse::Credentials { credentials, keep: true })
    }
}

/// A provider's session, for as long as this command runs.
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

    async fn lock_login(&self) -> MutexGuard<'_, ()> {
        lock(&self.terminal.login)
    }

    fn person_changed(&self, _: &PersonChanged) {
        let roles = RoleSelection::Provider(self.provider.clone());
        if let Some(agent) = self.terminal.agent.get().and_then(Weak::upgrade) {
            agent.forget(&roles);
        }
        if let Err(problem) = cache::forget(&roles, Unlock::Never) {
            tracing::warn!(%problem, "credentials of somebody who has left are not forgotten");
        }
    }
}

/// A poisoned lock guards data that is whole: nothing here panics half-way through a change.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The right to look for others and to announce oneself, one process at a time.
struct Turn {
    _lock: File,
}

impl Turn {
    fn take(folder: &Path) -> std::io::Result<Self> {
        let lock = File::create(folder.join("login.lock"))?;
        lock.lock()?;
        Ok(Self { _lock: lock })
    }
}

/// How long the first one stays for those who still wait.
const FAREWELL: Duration = Duration::from_secs(20);
