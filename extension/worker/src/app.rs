//! What the background knows: settings, what is remembered of each provider, what is being done, what went wrong.
//!
//! There is one [`App`] per background, and everything runs on one thread. A `RefCell` is never borrowed across
//! an `await`.

use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use chrono::{DateTime, Utc};
use futures_util::lock::Mutex;
use rolecall_core::Problem;
use rolecall_core::aws::RoleArn;
use rolecall_core::message::host::{RoleSummary, WorkerStatus};
use rolecall_core::message::ui::{Activity, HostState, Intent, ProviderState, RoleState, State};
use rolecall_core::settings::{Effective, Layers, ProviderId, Reading, Role};
use rolecall_core::sign_in::Memory;
use wasm_bindgen_futures::spawn_local;

use crate::approvals::Approvals;
use crate::host::Host;
use crate::store::{self, Routes, Told};
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
    memories: RefCell<BTreeMap<ProviderId, Rc<Mutex<Memory>>>>,
    layers: RefCell<Layers>,
    effective: RefCell<Rc<Effective>>,
    seen: RefCell<Seen>,
}

/// What pages show that is derived from nothing else.
#[derive(Default)]
struct Seen {
    people: BTreeMap<ProviderId, String>,
    /// Providers that have a page that ends a session.
    ends_sessions: BTreeSet<ProviderId>,
    expirations: BTreeMap<ProviderId, BTreeMap<RoleArn, DateTime<Utc>>>,
    /// Whether a person's wish is being fulfilled.
    busy: bool,
    activity: Option<Activity>,
    told: Told,
}

impl Seen {
    fn expiration(&self, role: &Role) -> Option<DateTime<Utc>> {
        self.expirations.get(&role.provider)?.get(&role.arn).copied()
    }
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
            memories: RefCell::default(),
            layers: RefCell::default(),
            effective: RefCell::default(),
            seen: RefCell::new(Seen { told: store::load_told().await, ..Seen::default() }),
        });
        for (provider, memory) in store::load_memories().await {
            app.look_at(&provider, &memory);
            app.memories.borrow_mut().insert(provider, Rc::new(Mutex::new(memory)));
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

    /// Takes the machine's settings from the native host's `hello`.
    pub(crate) fn set_machine_settings(&self, machine: Reading) {
        self.layers.borrow_mut().replace_machine(machine);
        self.put_layers_together();
        self.publish();
    }

    /// Takes the organisation's settings.
    fn set_policy(&self, policy: Reading) {
        self.layers.borrow_mut().policy = policy;
        self.put_layers_together();
        self.publish();
    }

    /// What is remembered of a provider. Whoever holds the lock is the only one to sign in there.
    pub(crate) fn memory(&self, provider: &ProviderId) -> Rc<Mutex<Memory>> {
        let mut memories = self.memories.borrow_mut();
        Rc::clone(memories.entry(provider.clone()).or_insert_with(|| Rc::new(Mutex::new(Memory::default()))))
    }

    /// Keeps a provider's memory for the next background and shows what has changed.
    pub(crate) async fn keep(&self, provider: &ProviderId, memory: &Memory) {
        self.look_at(provider, memory);
        self.publish();
        store::save_memory(provider, memory).await;
    }

    /// Whether something is being done that a person is told about.
    pub(crate) fn is_busy(&self) -> bool {
        self.seen.borrow().busy
    }

    /// Begins what a person wants: the problem before is done with.
    pub(crate) fn begin(&self, intent: &Intent) {
        self.seen.borrow_mut().busy = true;
        self.tell(Told { intent: Some(intent.clone()), ..Told::default() });
    }

    /// Ends it.
    pub(crate) fn end(&self, outcome: Result<String, Problem>) {
        let mut seen = self.seen.borrow_mut();
        seen.busy = false;
        seen.activity = None;
        let intent = seen.told.intent.clone();
        drop(seen);
        let (done, problem) = match outcome {
            Ok(done) => (Some(done), None),
            Err(problem) => (None, Some(problem)),
        };
        self.tell(Told { intent, done, problem });
        self.publish();
    }

    fn tell(&self, told: Told) {
        self.seen.borrow_mut().told = told.clone();
        spawn_local(async move { store::save_told(&told).await });
    }

    /// What the person wanted when the problem came that they are still shown.
    pub(crate) fn failed_intent(&self) -> Option<Intent> {
        let seen = self.seen.borrow();
        seen.told.problem.as_ref().and(seen.told.intent.clone())
    }

    /// The match pattern whose grant mends that problem.
    pub(crate) fn wanted_grant(&self) -> Option<String> {
        self.seen.borrow().told.problem.as_ref()?.grant.clone()
    }

    /// Says what is being done.
    pub(crate) fn show_activity(&self, activity: Option<Activity>) {
        self.seen.borrow_mut().activity = activity;
        self.publish();
    }

    /// The problem was read.
    pub(crate) fn dismiss_problem(&self) {
        let told = Told { problem: None, ..self.seen.borrow().told.clone() };
        self.tell(told);
        self.publish();
    }

    /// Sends the state to every page.
    pub(crate) fn publish(&self) {
        pages::broadcast(&self.state());
    }

    /// Everything a page shows.
    pub(crate) fn state(&self) -> State {
        let effective = self.effective();
        let seen = self.seen.borrow();
        let providers = effective.providers().map(|provider| ProviderState {
            id: provider.value.id.clone(),
            label: provider.value.label().to_owned(),
            person: seen.people.get(&provider.value.id).cloned(),
            ends_sessions: seen.ends_sessions.contains(&provider.value.id),
            layer: provider.layer,
        });
        let roles = effective.roles().map(|role| RoleState {
            arn: role.value.arn.clone(),
            account: effective.account_label(role.value.arn.account()).to_owned(),
            name: role.value.arn.name().to_owned(),
            provider: role.value.provider.clone(),
            profile: effective.profile_name(&role.value).to_string(),
            color: role.value.color.clone(),
            credentials: role.value.credentials,
            expiration: seen.expiration(&role.value),
        });
        State {
            providers: providers.collect(),
            roles: roles.collect(),
            activity: seen.activity.clone(),
            done: seen.told.done.clone(),
            problem: seen.told.problem.clone(),
            host: self.host.state(),
            settings_problems: effective.problems.clone(),
            approvals: self.approvals.open(),
        }
    }

    /// Who is signed in and which roles there are, for a terminal.
    pub(crate) fn status(&self) -> WorkerStatus {
        let effective = self.effective();
        let seen = self.seen.borrow();
        let people = effective
            .providers()
            .map(|provider| (provider.value.id.to_string(), seen.people.get(&provider.value.id).cloned()));
        let roles = effective.roles().map(|role| RoleSummary {
            arn: role.value.arn.clone(),
            account: role.value.arn.account().clone(),
            account_label: effective.account_label(role.value.arn.account()).to_owned(),
            profile: effective.profile_name(&role.value),
            expiration: seen.expiration(&role.value),
        });
        WorkerStatus { people: people.collect(), roles: roles.collect() }
    }

    /// Whether there are credentials of the role, good or expired.
    pub(crate) fn has_credentials(&self, role: &RoleArn) -> bool {
        self.seen.borrow().expirations.values().any(|expirations| expirations.contains_key(role))
    }

    /// Whether the native host is there.
    pub(crate) fn host_is_connected(&self) -> bool {
        matches!(self.host.state(), HostState::Connected { .. })
    }

    fn put_layers_together(&self) {
        let effective = self.layers.borrow().effective();
        *self.effective.borrow_mut() = Rc::new(effective);
    }

    fn look_at(&self, provider: &ProviderId, memory: &Memory) {
        self.layers.borrow_mut().listed.insert(provider.clone(), memory.listed_roles().to_vec());
        self.put_layers_together();
        let mut seen = self.seen.borrow_mut();
        match memory.person() {
            Some(person) => seen.people.insert(provider.clone(), person.label().to_owned()),
            None => seen.people.remove(provider),
        };
        if memory.metadata().is_some_and(|metadata| metadata.end_session_endpoint.is_some()) {
            seen.ends_sessions.insert(provider.clone());
        } else {
            seen.ends_sessions.remove(provider);
        }
        let expirations = memory.expirations().map(|(role, expiration)| (role.clone(), expiration));
        seen.expirations.insert(provider.clone(), expirations.collect());
    }
}
