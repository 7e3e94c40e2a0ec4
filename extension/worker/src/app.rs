//! What the background knows: settings, what is remembered of each provider, what is being done, what went wrong.
//!
//! There is one [`App`] per background, and everything runs on one thread. A `RefCell` is never borrowed across
//! an `await`.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use chrono::{DateTime, Utc};
use rolecall_core::Problem;
use rolecall_core::message::host::{PersonSummary, RoleSummary, StatusPage};
use rolecall_core::message::page::PageRequest;
use rolecall_core::message::ui::{
    Activity, HostState, Intent, ProviderState, RoleSession, RoleState, State, ToPage,
};
use rolecall_core::session::ProviderSession;
use rolecall_core::settings::{Effective, Layers, ProviderId, Reading, Role, RoleKey, Sourced};
use wasm_bindgen_futures::spawn_local;

use crate::approvals::Approvals;
use crate::host::Host;
use crate::session::{Held, Session};
use crate::store::{self, LastOutcome, Routes};
use crate::{flows, pages};

/// The background.
pub(crate) struct App {
    /// The port to the native host.
    pub(crate) host: Host,
    /// Programs that ask, and what they were allowed.
    pub(crate) approvals: Approvals,
    /// Hosts that are asked through the native host.
    pub(crate) routes: RefCell<Routes>,
    /// Hosts that were seen to refuse the extension's origin.
    pub(crate) refusing: RefCell<BTreeSet<String>>,
    /// Sign-ins under way, for whoever wants the same.
    pub(crate) flights: flows::Flights,
    sessions: RefCell<BTreeMap<ProviderId, Rc<Held>>>,
    layers: RefCell<Layers>,
    effective: RefCell<Rc<Effective>>,
    /// Grows with each change of the settings.
    revision: Cell<u32>,
    display: RefCell<DisplayState>,
}

/// What pages show that is derived from nothing else.
#[derive(Default)]
struct DisplayState {
    people: BTreeMap<ProviderId, String>,
    /// Providers that have a page that ends a session.
    ends_sessions: BTreeSet<ProviderId>,
    expirations: BTreeMap<RoleKey, DateTime<Utc>>,
    /// Whether a person's wish is being fulfilled.
    busy: bool,
    activity: Option<Activity>,
    last: LastOutcome,
}

thread_local! {
    static APP: OnceCell<Rc<App>> = const { OnceCell::new() };
}

/// Runs `action` with the background, once it has started.
pub(crate) fn with<T>(action: impl FnOnce(&Rc<App>) -> T) -> Option<T> {
    APP.with(|app| app.get().map(action))
}

impl App {
    /// Reads what outlived the last background, connects to the native host, and has the policy read.
    pub(crate) async fn start() {
        let app = Rc::new(Self {
            host: Host::default(),
            approvals: Approvals::load().await,
            routes: RefCell::new(store::load_routes().await),
            refusing: RefCell::default(),
            flights: flows::Flights::default(),
            sessions: RefCell::default(),
            layers: RefCell::default(),
            effective: RefCell::default(),
            revision: Cell::default(),
            display: RefCell::new(DisplayState {
                last: store::load_last_outcome().await,
                ..DisplayState::default()
            }),
        });
        for (provider, session) in store::load_sessions().await {
            app.update_display(&provider, &session);
            app.sessions.borrow_mut().insert(provider, Rc::new(session.into()));
        }
        APP.with(|slot| {
            let _ = slot.set(Rc::clone(&app));
        });
        app.host.connect(&app);
        // Chromium reads policies only once it is done with starting, which takes seconds (measured: 2 to 4). Nothing
        // waits for it.
        let reading = Rc::clone(&app);
        spawn_local(async move { reading.set_policy(store::load_policy().await) });
    }

    /// The settings that hold.
    pub(crate) fn effective(&self) -> Rc<Effective> {
        Rc::clone(&self.effective.borrow())
    }

    /// Takes the machine's settings from the native host.
    pub(crate) fn set_machine_settings(&self, machine: Reading) {
        self.layers.borrow_mut().replace_machine(machine);
        self.recompute_settings();
        self.publish();
    }

    /// Takes the organisation's settings.
    fn set_policy(&self, policy: Reading) {
        self.layers.borrow_mut().policy = policy;
        self.recompute_settings();
        self.publish();
    }

    /// The session at a provider.
    pub(crate) fn session(self: &Rc<Self>, provider: &ProviderId) -> Session {
        let held = Rc::clone(self.sessions.borrow_mut().entry(provider.clone()).or_default());
        Session { app: Rc::clone(self), provider: provider.clone(), held }
    }

    /// Keeps a provider's session for the next background and shows what has changed.
    pub(crate) fn keep(&self, provider: &ProviderId, session: &ProviderSession) {
        self.update_display(provider, session);
        self.publish();
        if let Ok(value) = store::to_js(session) {
            let provider = provider.clone();
            spawn_local(async move { store::save_session(&provider, &value).await });
        }
    }

    /// Whether something is being done that a person is told about.
    pub(crate) fn is_busy(&self) -> bool {
        self.display.borrow().busy
    }

    /// Begins what a person wants: the problem before is done with.
    pub(crate) fn begin(&self, intent: &Intent) {
        self.display.borrow_mut().busy = true;
        self.tell(LastOutcome { intent: Some(intent.clone()), ..LastOutcome::default() });
    }

    /// Ends it.
    pub(crate) fn end(&self, outcome: Result<String, Problem>) {
        let mut display = self.display.borrow_mut();
        display.busy = false;
        display.activity = None;
        let intent = display.last.intent.clone();
        drop(display);
        let (done, problem) = match outcome {
            Ok(done) => (Some(done), None),
            Err(problem) => (None, Some(problem)),
        };
        self.tell(LastOutcome { intent, done, problem });
        self.publish();
    }

    fn tell(&self, last: LastOutcome) {
        self.display.borrow_mut().last = last.clone();
        spawn_local(async move { store::save_last_outcome(&last).await });
    }

    /// What the person wanted when the problem came that they are still shown.
    pub(crate) fn failed_intent(&self) -> Option<Intent> {
        let display = self.display.borrow();
        display.last.problem.as_ref().and(display.last.intent.clone())
    }

    /// The match pattern whose grant mends that problem.
    pub(crate) fn wanted_grant(&self) -> Option<String> {
        self.display.borrow().last.problem.as_ref()?.grant.clone()
    }

    /// Says what is being done.
    pub(crate) fn show_activity(&self, activity: Option<Activity>) {
        self.display.borrow_mut().activity = activity;
        self.publish();
    }

    /// The problem was read.
    pub(crate) fn dismiss_problem(&self) {
        let last = LastOutcome { problem: None, ..self.display.borrow().last.clone() };
        self.tell(last);
        self.publish();
    }

    /// Sends the state to every page.
    pub(crate) fn publish(&self) {
        pages::broadcast(&ToPage::State(Box::new(self.state())));
    }

    /// Every role, as pages list them.
    pub(crate) fn role_states(&self) -> Vec<RoleState> {
        let effective = self.effective();
        let roles = effective.roles().map(|role| RoleState {
            key: role.value.key(),
            account: effective.account_label(role.value.arn.account()).to_owned(),
            name: role.value.arn.name().to_owned(),
            profile: effective.profile_name(&role.value).to_string(),
            color: role.value.color.clone(),
            credentials: role.value.credentials,
        });
        roles.collect()
    }

    /// Everything else a page shows.
    pub(crate) fn state(&self) -> State {
        let effective = self.effective();
        let display = self.display.borrow();
        let providers = effective.providers().map(|provider| ProviderState {
            id: provider.value.id.clone(),
            label: provider.value.label().to_owned(),
            person: display.people.get(&provider.value.id).cloned(),
            ends_sessions: display.ends_sessions.contains(&provider.value.id),
            layer: provider.layer,
        });
        let sessions = display.expirations.iter();
        let sessions =
            sessions.map(|(role, expiration)| RoleSession { role: role.clone(), expiration: *expiration });
        State {
            providers: providers.collect(),
            sessions: sessions.collect(),
            activities: display.activity.iter().cloned().collect(),
            done: display.last.done.clone(),
            problem: display.last.problem.clone(),
            host: self.host.state(),
            settings_problems: effective.problems.clone(),
            approvals: self.approvals.open(),
        }
    }

    /// A page of who is signed in and which roles there are, for a terminal.
    pub(crate) fn status(&self, request: PageRequest) -> StatusPage {
        let effective = self.effective();
        let display = self.display.borrow();
        let people: Vec<_> = effective
            .providers()
            .map(|provider| PersonSummary {
                provider: provider.value.id.clone(),
                person: display.people.get(&provider.value.id).cloned(),
            })
            .collect();
        let revision = self.revision.get();
        let summary = |role: &Sourced<Role>| {
            let key = role.value.key();
            RoleSummary {
                account: role.value.arn.account().clone(),
                account_label: effective.account_label(role.value.arn.account()).to_owned(),
                profile: effective.profile_name(&role.value),
                expiration: display.expirations.get(&key).copied(),
                role: key,
            }
        };
        StatusPage::cut(&people, effective.roles(), summary, revision, request.start(revision))
    }

    /// Whether there are credentials of the role, good or expired.
    pub(crate) fn has_credentials(&self, role: &RoleKey) -> bool {
        self.display.borrow().expirations.contains_key(role)
    }

    /// Whether the native host is there.
    pub(crate) fn host_is_connected(&self) -> bool {
        matches!(self.host.state(), HostState::Connected { .. })
    }

    fn recompute_settings(&self) {
        let effective = self.layers.borrow().effective();
        *self.effective.borrow_mut() = Rc::new(effective);
        self.revision.set(self.revision.get().wrapping_add(1));
        pages::broadcast(&ToPage::Roles(self.role_states()));
    }

    fn update_display(&self, provider: &ProviderId, session: &ProviderSession) {
        let listed = session.listed_roles().to_vec();
        if self.layers.borrow().listed.get(provider).map_or(&[][..], Vec::as_slice) != listed {
            self.layers.borrow_mut().listed.insert(provider.clone(), listed);
            self.recompute_settings();
        }
        let mut display = self.display.borrow_mut();
        match session.person() {
            Some(person) => display.people.insert(provider.clone(), person.label().to_owned()),
            None => display.people.remove(provider),
        };
        if session.metadata().is_some_and(|metadata| metadata.end_session_endpoint.is_some()) {
            display.ends_sessions.insert(provider.clone());
        } else {
            display.ends_sessions.remove(provider);
        }
        display.expirations.retain(|role, _| role.provider != *provider);
        display.expirations.extend(
            session
                .lifetimes()
                .map(|(arn, lifetime)| (RoleKey::new(provider.clone(), arn.clone()), lifetime.expiration)),
        );
    }
}
