//! Where a command gets a role's credentials: from a browser's agent, else from the cache if the settings choose one,
//! else by signing in itself.
//!
//! However many commands sign in themselves at once, one does it and the others ask that one, through a socket that
//! is there for as long as it takes.

use std::time::{Duration, Instant};

use chrono::TimeDelta;
use rolecall_core::aws::Credentials;
use rolecall_core::message::host::CredentialsRequest;
use rolecall_core::settings::{self, Provider, Role, RoleKey};
use rolecall_core::sign_in::Presence;
use rolecall_core::{Code, Problem, freshness};

use crate::agent::{Agents, CredentialsReply, DEADLINE, Kind, RESTART};
use crate::cache::{Cache, Unlock};
use crate::host_settings::CacheBackend;
use crate::terminal::{self, LoginLock, SignInOptions};
use crate::{detached, output, roles, settings_files};

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
    /// How this program signs in, where it does so itself.
    pub(crate) sign_in: SignInOptions,
    /// How long the credentials must still last at least.
    pub(crate) time_left: TimeDelta,
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
    pub(crate) kept: Result<CacheBackend, Problem>,
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
    /// What an AWS tool waits for.
    pub(crate) fn of_tool(presence: Presence) -> Self {
        Self {
            method: Method::Auto,
            presence,
            sign_in: SignInOptions { timeout: TOOL_TIMEOUT, ..SignInOptions::default() },
            time_left: freshness::SDK_RENEWAL,
            allow_cached: true,
            unlock: Unlock::Never,
            outlives_asker: presence == Presence::Person,
        }
    }

    /// Gets a role's credentials, which last for `time_left` at least unless the role allows no more or nobody is there
    /// to sign in again.
    pub(crate) fn credentials(&self, role: &RoleKey) -> Result<Credentials, Problem> {
        // Those of a browser are kept by its host program.
        let Obtained { credentials, kept, .. } = self.get(role, |_| Ok(CacheBackend::None))?;
        if let Err(problem) = kept {
            output::warn(format_args!("The credentials are not kept. {problem}"));
        }
        Ok(credentials)
    }

    /// Gets a role's credentials and keeps them, if the settings want that, whatever it takes.
    pub(crate) fn obtain(&self, role: &RoleKey) -> Result<Obtained, Problem> {
        self.get(role, |credentials| Cache::of(&settings_files::load()).keep(role, credentials, self.unlock))
    }

    /// `keep` is for what a browser answers with.
    fn get(
        &self,
        role: &RoleKey,
        keep: impl FnOnce(&Credentials) -> Result<CacheBackend, Problem>,
    ) -> Result<Obtained, Problem> {
        if self.method == Method::Loopback {
            return self.without_browser(role);
        }
        let started = Instant::now();
        match self.ask_browsers(role) {
            Ok(CredentialsReply { credentials, keep: may_keep }) => {
                let kept = if may_keep { keep(&credentials) } else { Ok(CacheBackend::None) };
                Ok(Obtained { credentials, origin: Origin::Browser, kept })
            }
            Err(problem) if self.method == Method::Auto && is_unavailable(&problem) => {
                // A machine without settings of its own knows of no other way: the browser's answer stands.
                let timeout = self.sign_in.timeout.saturating_sub(started.elapsed());
                let sign_in = SignInOptions { timeout, ..self.sign_in };
                let obtained = Self { sign_in, ..self.clone() }.without_browser(role);
                obtained.map_err(|own| if own.is(Code::RoleUnknown) { problem } else { own })
            }
            Err(problem) => Err(problem),
        }
    }

    /// Asks the browsers. One whose host program crashes meanwhile starts it anew and goes on with what it was asked for,
    /// so it is asked for that once more.
    fn ask_browsers(&self, role: &RoleKey) -> Result<CredentialsReply, Problem> {
        let started = Instant::now();
        let ask = |agents: Agents| {
            let agents = if self.outlives_asker { agents.outliving_asker() } else { agents };
            agents.credentials(role, self.presence, self.time_left)
        };
        let mut answer = ask(Agents::of_browsers_soon());
        let crashed = Instant::now();
        // One that is just about to end may take a connection still, and crash with that as well.
        while answer.as_ref().is_err_and(|problem| problem.is(Code::HostExited)) {
            let left = RESTART.saturating_sub(crashed.elapsed());
            let Some(agents) = Agents::of_browsers_within(left).filter(|_| !left.is_zero()) else {
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
        let known = roles::find(&effective, key);
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
            |credentials| Obtained { credentials, origin: Origin::Cache, kept: Ok(cache.backend()) };
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
            let message =
                format!("A person has to sign in for {}, but this command may not ask anybody.", key.arn);
            return Err(Problem::new(Code::SignInNeeded, message));
        }
        // Whoever did not unlock it a moment ago is not asked again.
        let unlock = if is_cache_usable { self.unlock } else { Unlock::Never };
        let keep = |reply: CredentialsReply| {
            let may_keep = reply.keep;
            let kept =
                if may_keep { cache.keep(key, &reply.credentials, unlock) } else { Ok(CacheBackend::None) };
            Obtained { credentials: reply.credentials, origin: Origin::SignIn, kept }
        };
        let request = CredentialsRequest {
            role: key.clone(),
            time_left_seconds: u32::try_from(self.time_left.num_seconds()).unwrap_or(u32::MAX),
            interactive: true,
            asked_by: None,
        };
        let lock = loop {
            // Whoever comes second finds the first one's socket, or waits here until it is there.
            let lock = LoginLock::take();
            let others = Agents::of_terminals();
            if lock.is_err() || others.is_empty() {
                break lock;
            }
            drop(lock);
            let others = if self.outlives_asker { others.outliving_asker() } else { others };
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
            match detached::start(key) {
                Ok(()) => {
                    drop(lock);
                    output::note("Waiting for you to sign in, in the browser…");
                    let agents = Agents::of_terminals().outliving_asker();
                    return agents.credentials(key, self.presence, self.time_left).map(keep);
                }
                Err(error) => tracing::warn!(%error, "the sign-in will end with this program"),
            }
        }
        let agent = terminal::agent(machine, effective, self.sign_in);
        let listening = agent.listen(Kind::Terminal);
        drop(lock);
        let obtained = agent.credentials(&request, || None, &|| true).map(keep);
        drop(listening);
        agent.wait_until_idle(terminal::DRAIN_TIMEOUT);
        obtained
    }
}

/// Whether no browser answers for the role, as opposed to one that answered no.
fn is_unavailable(problem: &Problem) -> bool {
    problem.is(Code::AgentUnavailable) || problem.is(Code::RoleUnknown)
}

/// How long a tool waits for a sign-in: the Go SDK gives up after 60 seconds.
const TOOL_TIMEOUT: Duration = Duration::from_secs(50);
