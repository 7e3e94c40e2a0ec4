//! What a person wants in the popup, from the click to its end.
//!
//! Each role, and each choice of an account, is its own task: a second click on the same starts nothing new, and a click
//! on another one is not affected by the first.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::{AbortHandle, abortable};
use rolecall_core::console::Place;
use rolecall_core::freshness::SDK_RENEWAL;
use rolecall_core::map::Map;
use rolecall_core::message::host::{HostRequest, HostResponse, ProfileSpec};
use rolecall_core::message::ui::Intent;
use rolecall_core::platform::Step;
use rolecall_core::settings::{Approve, CredentialsMode, Effective, ProviderId, Role, RoleKey};
use rolecall_core::sign_in::Presence;
use rolecall_core::{Code, Problem};

use crate::approvals::Approvals;
use crate::browser::Browser;
use crate::console::{Consoles, Opened, Others, Wanted};
use crate::host::Host;
use crate::progress::{LastOutcome, Progress};
use crate::role_lists::RoleLists;
use crate::settings::{Settings, find};
use crate::shortlist::Shortlist;
use crate::sign_in::SignIn;

/// What people want.
pub(crate) struct Intents {
    /// The browser.
    pub(crate) browser: Rc<dyn Browser>,
    /// The settings.
    pub(crate) settings: Rc<Settings>,
    /// What people are told.
    pub(crate) progress: Rc<Progress>,
    /// Who signs in and out.
    pub(crate) sign_in: Rc<SignIn>,
    /// Who opens the console.
    pub(crate) consoles: Rc<Consoles>,
    /// Who takes decisions.
    pub(crate) approvals: Rc<Approvals>,
    /// Who writes profiles.
    pub(crate) host: Rc<Host>,
    /// What roles there are.
    pub(crate) role_lists: Rc<RoleLists>,
    /// Which roles come first.
    pub(crate) shortlist: Rc<Shortlist>,
    /// How many popups are open, to show what went wrong.
    pub(crate) popup_count: Cell<usize>,
    /// What is under way.
    pub(crate) tasks: RefCell<Map<Subject, AbortHandle>>,
}

/// What a task is about.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Subject {
    /// A role.
    Role(RoleKey),
    /// Who is signed in at a provider.
    Account(ProviderId),
}

impl Intents {
    /// Does what a person wants.
    pub(crate) fn fulfil(self: &Rc<Self>, intent: Intent) {
        match intent {
            Intent::DismissProblem => {
                self.progress.set_outcome(LastOutcome { problem: None, ..self.progress.outcome() });
            }
            Intent::ForgetCredentials { role } => {
                self.sign_in.forget_role(&role);
                let done = format!("Forgot the credentials of {}.", self.settings.label(&role));
                self.progress.set_outcome(LastOutcome { done: Some(done), ..LastOutcome::default() });
            }
            Intent::ConnectHost => self.host.try_again(),
            Intent::RefreshRoles => self.role_lists.refresh(true),
            Intent::Answer { approval, decision } => self.approvals.decide(approval, decision),
            // The popup and the permission's own event may both say so: only the first finds the problem still there.
            Intent::Retry => {
                let outcome = self.progress.outcome();
                if let Some(intent) = outcome.problem.and(outcome.intent) {
                    self.fulfil(intent);
                }
            }
            Intent::Confirm => {
                let LastOutcome { intent, problem, .. } = self.progress.outcome();
                if let Some(intent) = intent
                    && problem.is_some_and(|problem| problem.confirmation().is_some())
                    && let Some(subject) = Self::subject(&intent)
                {
                    self.begin(subject, intent, Others::AlwaysEnd);
                }
            }
            Intent::Cancel { role } => self.cancel(&Subject::Role(role)),
            Intent::CancelAtProvider { provider } => self.cancel(&Subject::Account(provider)),
            Intent::Pin { role, pinned } => self.shortlist.pin(&role, pinned),
            Intent::ForgetRecent { role } => self.shortlist.forget(role.as_ref()),
            Intent::SignOut { provider, end_session } => {
                let this = Rc::clone(self);
                let work = async move { this.sign_out(&provider, end_session).await };
                self.browser.spawn(work.boxed_local());
            }
            intent => {
                if let Some(subject) = Self::subject(&intent) {
                    self.begin(subject, intent, Others::AsBefore);
                }
            }
        }
    }

    /// Goes on with what failed for want of a permission, once it is granted. The popup may have been closed by the
    /// browser's own question, so it cannot be relied on to say so.
    pub(crate) async fn go_on_if_granted(self: &Rc<Self>) {
        let problem = self.progress.outcome().problem;
        if let Some(pattern) = problem.and_then(|problem| problem.grant.clone())
            && self.browser.has_permission(&pattern).await
        {
            self.fulfil(Intent::Retry);
        }
    }

    fn begin(self: &Rc<Self>, subject: Subject, intent: Intent, others: Others) {
        if self.tasks.borrow().contains_key(&subject) {
            return;
        }
        // The problem before is done with.
        self.progress.set_outcome(LastOutcome { intent: Some(intent.clone()), ..LastOutcome::default() });
        let this = Rc::clone(self);
        let wanted = intent.clone();
        let (work, abort) = abortable(async move { this.run(&wanted, others).await });
        self.tasks.borrow_mut().insert(subject.clone(), abort);
        let this = Rc::clone(self);
        let task = async move {
            let outcome = work.await;
            this.tasks.borrow_mut().remove(&subject);
            let is_use = !matches!(intent, Intent::RemoveProfile { .. });
            if is_use && let (Subject::Role(role), Ok(Ok(_))) = (&subject, &outcome) {
                this.shortlist.count(role);
            }
            if let Ok(Err(problem)) = &outcome {
                this.tell_if_unseen(problem);
            }
            let intent = Some(intent);
            this.progress.set_outcome(match outcome {
                Ok(Ok(done)) => LastOutcome { intent, done: Some(done), problem: None },
                Ok(Err(problem)) => LastOutcome { intent, done: None, problem: Some(problem) },
                // Whoever cancels knows what they cancelled.
                Err(_) => LastOutcome::default(),
            });
        };
        self.browser.spawn(task.boxed_local());
    }

    /// Shows what went wrong where no page does: the popup closes when a sign-in window opens, and the address bar has none.
    fn tell_if_unseen(&self, problem: &Problem) {
        if self.popup_count.get() == 0 && !problem.is(Code::SignInCancelled) {
            self.browser.show_notification(PROBLEM, &format!("{} {}", problem.message, problem.next_step));
        }
    }

    async fn run(self: &Rc<Self>, intent: &Intent, others: Others) -> Result<String, Problem> {
        match intent {
            Intent::OpenConsole { .. } | Intent::OpenPage { .. } | Intent::GoOn(_) => {
                self.open_console(intent, others).await
            }
            Intent::WriteProfile { role } => self.write_profile(role).await,
            Intent::RemoveProfile { role } => self.remove_profile(role).await,
            Intent::SignInToProvider { provider } => self.sign_in_to_provider(provider).await,
            Intent::SignIn { role } => self.sign_in_to(role).await,
            _ => Err(Problem::new(Code::Internal, "This cannot be done step by step.")),
        }
    }

    /// Ends what the person wanted. What programs wait for as well goes on; where only programs wait, they are told.
    fn cancel(&self, subject: &Subject) {
        match (self.tasks.borrow().get(subject), subject) {
            (Some(abort), _) => abort.abort(),
            (None, Subject::Role(role)) => self.sign_in.cancel(role),
            // Only a person signs in at a provider without a role.
            (None, Subject::Account(_)) => {}
        }
    }

    async fn sign_in_to(&self, key: &RoleKey) -> Result<String, Problem> {
        self.sign_in.credentials(key, Presence::Person, SDK_RENEWAL, None).await?;
        let (role, _) = find(&self.settings.current(), key)?;
        let uses_main_region =
            self.sign_in.sessions.of(&key.provider).read(|session| session.uses_main_region(&role));
        let note = if uses_main_region {
            format!(
                " AWS STS is not enabled in {} for this account, so {} was asked.",
                role.region(),
                key.arn.partition().default_region()
            )
        } else {
            String::new()
        };
        Ok(format!("Signed in to {}.{note}", self.settings.label(key)))
    }

    async fn open_console(&self, intent: &Intent, others: Others) -> Result<String, Problem> {
        let effective = self.settings.known().await?;
        let mut note = None;
        let wanted = match intent {
            Intent::OpenPage { role, page } => {
                let (found, _) = find(&effective, role)?;
                let place = Place::find(page, &found.arn, &found.region())?;
                note = place.note(found.arn.account());
                Wanted { page: place.page, region: Some(place.region), ..Wanted::home(role.clone()) }
            }
            Intent::GoOn(console) => Wanted {
                page: console.page.parse().ok(),
                tab: Some(console.tab),
                ..Wanted::home(console.role.clone())
            },
            Intent::OpenConsole { role } => Wanted::home(role.clone()),
            _ => return Err(Problem::new(Code::Internal, "This opens no console.")),
        };
        let label = self.settings.label(&wanted.role);
        let mut done = match self.consoles.open(Wanted { others, ..wanted }).await? {
            Opened::Anew => format!("Opened the console as {label}."),
            Opened::Again => {
                format!("The console is open as {label}. Open it again now to sign in to it anew.")
            }
        };
        if let Some(note) = note {
            done.push(' ');
            done.push_str(&note);
        }
        Ok(done)
    }

    /// What a task for the intent would be about, if it takes one.
    fn subject(intent: &Intent) -> Option<Subject> {
        match intent {
            Intent::SignIn { role }
            | Intent::OpenConsole { role }
            | Intent::OpenPage { role, .. }
            | Intent::WriteProfile { role }
            | Intent::RemoveProfile { role } => Some(Subject::Role(role.clone())),
            Intent::GoOn(console) => Some(Subject::Role(console.role.clone())),
            Intent::SignInToProvider { provider } => Some(Subject::Account(provider.clone())),
            _ => None,
        }
    }

    async fn write_profile(&self, key: &RoleKey) -> Result<String, Problem> {
        let effective = self.settings.known().await?;
        let (role, provider) = find(&effective, key)?;
        // A list from elsewhere takes no name away from the settings.
        if !effective.is_own(key) {
            refuse_namesakes(&effective, &role, |other| effective.is_own(other))?;
        }
        let refused =
            |why: &str| Problem::new(Code::ProfileInvalid, format!("{why} {}.", self.settings.label(key)));
        let for_every_program = role.approve(&provider) == Approve::Never;
        match role.credentials {
            CredentialsMode::None => return Err(refused("The settings want no AWS profile for")),
            CredentialsMode::File if !for_every_program => {
                return Err(refused(
                    "Every program can read a file of credentials, and the settings want each one approved for",
                ));
            }
            CredentialsMode::File | CredentialsMode::Process => {}
        }
        // Credentials come first: a profile that cannot work is not written.
        let credentials = self.sign_in.credentials(key, Presence::Person, SDK_RENEWAL, None).await?;
        let running = self.progress.begin(provider.id.clone(), Some(key.clone()));
        running.step(Step::WritingProfile);
        let spec = ProfileSpec {
            profile: effective.profile_name(&role),
            role: key.clone(),
            region: role.region(),
            mode: role.credentials,
            endpoint_url: provider.endpoint_url.clone(),
            // What a person has to allow each program is not given to the host for all of them.
            credentials: for_every_program.then_some(credentials),
        };
        match self.host.request(HostRequest::WriteProfile(Box::new(spec)), WRITE_LIMIT).await? {
            HostResponse::ProfileWritten { profile, file, changed: true } => {
                Ok(format!("Wrote the profile {profile} to {file}."))
            }
            HostResponse::ProfileWritten { profile, file, changed: false } => {
                Ok(format!("The profile {profile} is already in {file}."))
            }
            _ => Err(not_answered()),
        }
    }

    async fn remove_profile(&self, key: &RoleKey) -> Result<String, Problem> {
        let effective = self.settings.known().await?;
        let (role, _) = find(&effective, key)?;
        let profile = effective.profile_name(&role);
        // A profile with keys does not say whose they are.
        refuse_namesakes(&effective, &role, |_| true)?;
        let request = HostRequest::RemoveProfile { profile: profile.clone(), role: key.clone() };
        match self.host.request(request, WRITE_LIMIT).await? {
            HostResponse::ProfileRemoved { removed: true } => Ok(format!("Removed the profile {profile}.")),
            HostResponse::ProfileRemoved { removed: false } => {
                Ok(format!("Rolecall has written no profile {profile} for this role."))
            }
            _ => Err(not_answered()),
        }
    }

    async fn sign_in_to_provider(&self, id: &ProviderId) -> Result<String, Problem> {
        let person = self.sign_in.sign_in_to_provider(id).await?;
        let effective = self.settings.current();
        let provider = effective.provider(id).map_or(id.as_str(), |provider| provider.label());
        Ok(format!("Signed in at {provider} as {}.", person.label()))
    }

    async fn sign_out(&self, id: &ProviderId, end_session: bool) {
        let effective = self.settings.current();
        let Some(provider) = effective.provider(id) else { return };
        let page = self.sign_in.sign_out(provider).await;
        let outcome = match page.filter(|_| end_session) {
            Some(page) => self.browser.open_tab(page.as_str(), None).await.map(|_| {
                format!("Signed out of Rolecall. The new tab ends the session at {}.", provider.label())
            }),
            None => Ok("Signed out of Rolecall.".to_owned()),
        };
        let (done, problem) = match outcome {
            Ok(done) => (Some(done), None),
            Err(problem) => (None, Some(problem)),
        };
        self.progress.set_outcome(LastOutcome { intent: None, done, problem });
    }
}

fn not_answered() -> Problem {
    Problem::new(Code::HostProtocol, "The Rolecall host program answered something else than was asked.")
}

/// The notification's id.
const PROBLEM: &str = "problem";

/// How long writing a file may take: another program may hold its lock.
const WRITE_LIMIT: Duration = Duration::from_secs(15);

/// Refuses a role whose profile name another one has that counts, or one that cannot be used at the moment.
fn refuse_namesakes(
    effective: &Effective,
    role: &Role,
    counts: impl Fn(&RoleKey) -> bool,
) -> Result<(), Problem> {
    let profile = effective.profile_name(role);
    let mut others = effective.roles().map(|other| &other.value).filter(|other| other.key() != role.key());
    let has_namesake = others.any(|other| effective.profile_name(other) == profile && counts(&other.key()));
    let mut left_out = effective.left_out().filter(|other| other.arn.as_ref() != Some(&role.arn));
    if has_namesake || left_out.any(|other| other.profile.as_ref() == Some(&profile)) {
        let message = format!("Several roles have the profile name {profile}.");
        return Err(Problem::new(Code::ProfileInvalid, message));
    }
    Ok(())
}

#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))]
mod tests;
