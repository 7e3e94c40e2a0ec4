//! Where a command gets a role's credentials: from a browser's agent, else from the cache if the settings have one,
//! else from its own sign-in.
//!
//! If several commands have to sign in at once, one does and the others ask it, through its socket.

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

/// How to sign in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Method {
    /// With a browser that has the extension; if there is none, as `loopback`.
    Auto,
    /// With a browser that has the extension.
    Extension,
    /// In the system's browser, with a redirect to a port on this machine.
    Loopback,
}

/// How to get credentials.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    pub(crate) method: Method,
    pub(crate) presence: Presence,
    /// Options of the command's own sign-in.
    pub(crate) sign_in: SignInOptions,
    /// The least time that the credentials must be valid for.
    pub(crate) time_left: TimeDelta,
    /// Whether cached credentials may be used.
    pub(crate) allow_cached: bool,
    /// Whether the person may be asked to unlock the keyring.
    pub(crate) unlock: Unlock,
    /// Whether a sign-in goes on when this program is killed, for the next caller.
    pub(crate) outlives_asker: bool,
}

/// Credentials, and where they came from.
#[derive(Debug)]
pub(crate) struct Obtained {
    pub(crate) credentials: Credentials,
    /// Whether they may be written down: not where each program has to be approved.
    pub(crate) may_keep: bool,
    pub(crate) origin: Origin,
    /// Where they are cached, or why they are not.
    pub(crate) kept: Result<CacheBackend, Problem>,
}

/// Where credentials come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A browser with the extension.
    Browser,
    /// The cache.
    Cache,
    /// A sign-in in the system's browser.
    SignIn,
}

impl Source {
    /// For an AWS tool that waits.
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

    /// Gets a role's credentials, valid for at least `time_left` unless the role's duration is shorter or no person is
    /// there to sign in again.
    pub(crate) fn credentials(&self, role: &RoleKey) -> Result<Credentials, Problem> {
        Ok(self.credentials_for_file(role)?.0)
    }

    /// The same, and whether they may be written into a file.
    pub(crate) fn credentials_for_file(&self, role: &RoleKey) -> Result<(Credentials, bool), Problem> {
        // The host program caches the credentials of a browser.
        let Obtained { credentials, may_keep, kept, .. } = self.get(role, |_| Ok(CacheBackend::None))?;
        if let Err(problem) = kept {
            output::warn(format_args!("The credentials are not cached. {problem}"));
        }
        Ok((credentials, may_keep))
    }

    /// Gets a role's credentials and caches them, if the settings ask for that.
    pub(crate) fn obtain(&self, role: &RoleKey) -> Result<Obtained, Problem> {
        self.get(role, |credentials| Cache::of(&settings_files::load()).keep(role, credentials, self.unlock))
    }

    /// `keep` stores a browser's credentials.
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
                Ok(Obtained { credentials, may_keep, origin: Origin::Browser, kept })
            }
            Err(problem) if self.method == Method::Auto && is_unavailable(&problem) => {
                // Without settings, this machine cannot sign in itself: the browser's error is the result.
                let timeout = self.sign_in.timeout.saturating_sub(started.elapsed());
                let sign_in = SignInOptions { timeout, ..self.sign_in };
                let obtained = Self { sign_in, ..self.clone() }.without_browser(role);
                obtained.map_err(|own| if own.is(Code::RoleUnknown) { problem } else { own })
            }
            Err(problem) => Err(problem),
        }
    }

    /// Asks the browsers. If a host program crashes meanwhile, its browser restarts it and continues the sign-in, so it
    /// is asked once more.
    fn ask_browsers(&self, role: &RoleKey) -> Result<CredentialsReply, Problem> {
        let started = Instant::now();
        let ask = |agents: Agents| {
            let agents = if self.outlives_asker { agents.outliving_asker() } else { agents };
            agents.credentials(role, self.presence, self.time_left)
        };
        let mut answer = ask(Agents::of_browsers_soon());
        let crashed = Instant::now();
        // A host program that is about to end may still accept a connection and then fail.
        while answer.as_ref().is_err_and(|problem| problem.is(Code::HostExited)) {
            let left = RESTART.saturating_sub(crashed.elapsed());
            let Some(agents) = Agents::of_browsers_within(left).filter(|_| !left.is_zero()) else {
                let message = "The browser closed the connection before it responded.";
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
        // Only the browser may know the role; credentials that it allowed to be cached can be used all the same.
        let known = roles::find(&effective, key);
        settings_files::tell(&effective, known.as_ref().err());
        // A role that needs approval each time is not taken from the cache.
        let is_free =
            |(role, provider): &(Role, Provider)| role.approve(provider) == settings::Approve::Never;
        let may_keep = match &known {
            Ok(known) => is_free(known),
            // If the role's settings are invalid, they may have asked for approval.
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
        let from_cache = |credentials| {
            let kept = Ok(cache.backend());
            Obtained { credentials, may_keep, origin: Origin::Cache, kept }
        };
        let is_cache_usable = match find_kept() {
            Ok(Some(credentials)) => return Ok(from_cache(credentials)),
            Ok(None) => true,
            Err(problem) => {
                output::warn(format_args!("The cache was not used. {problem}"));
                false
            }
        };
        known?;
        if self.presence == Presence::Nobody {
            let message =
                format!("You have to sign in for {}, but this command must not open a window.", key.arn);
            return Err(Problem::new(Code::SignInNeeded, message));
        }
        // A person who just refused to unlock the keyring is not asked again.
        let unlock = if is_cache_usable { self.unlock } else { Unlock::Never };
        let keep = |reply: CredentialsReply| {
            let may_keep = may_keep && reply.keep;
            let kept =
                if may_keep { cache.keep(key, &reply.credentials, unlock) } else { Ok(CacheBackend::None) };
            Obtained { credentials: reply.credentials, may_keep, origin: Origin::SignIn, kept }
        };
        let request = CredentialsRequest {
            role: key.clone(),
            time_left_seconds: u32::try_from(self.time_left.num_seconds()).unwrap_or(u32::MAX),
            interactive: true,
            asked_by: None,
        };
        let lock = loop {
            // A second command finds the first one's socket, or waits here until it exists.
            let lock = LoginLock::take();
            let others = Agents::of_terminals();
            // A role that has to be approved is not for others, and not from them.
            if lock.is_err() || others.is_empty() || !may_keep {
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
        // The first command may have finished meanwhile.
        if is_cache_usable && let Ok(Some(credentials)) = find_kept() {
            return Ok(from_cache(credentials));
        }
        // Credentials that need approval each time are not kept for the next caller.
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
        let listening = may_keep.then(|| agent.listen(Kind::Terminal));
        drop(lock);
        let obtained = agent.credentials(&request, || None, &|| true).map(keep);
        drop(listening);
        agent.wait_until_idle(terminal::DRAIN_TIMEOUT);
        obtained
    }
}

/// Whether no browser is available for the role, as opposed to one that refused.
fn is_unavailable(problem: &Problem) -> bool {
    problem.is(Code::AgentUnavailable) || problem.is(Code::RoleUnknown)
}

/// How long a tool waits for a sign-in: the Go SDK gives up after 60 seconds.
const TOOL_TIMEOUT: Duration = Duration::from_secs(50);
