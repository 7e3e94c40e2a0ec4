//! A browser that follows a script, with two identity providers that really sign, an STS and a native host: what the tests
//! of this crate run the background in.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use futures_channel::oneshot;
use futures_executor::{LocalPool, LocalSpawner};
use futures_util::FutureExt as _;
use futures_util::future::RemoteHandle;
use futures_util::task::LocalSpawnExt as _;
use jwt_compact::Algorithm as _;
use jwt_compact::alg::Es256;
use jwt_compact::jwk::JsonWebKey;
use p256::ecdsa::SigningKey;
use rolecall_core::json;
use rolecall_core::message::host::{
    HostRequest, HostResponse, HttpRelayResponse, Id, Outcome, ProtocolRange, ToHost, ToWorker,
    WorkerRequest, WorkerResponse,
};
use rolecall_core::message::page::SettingsPage;
use rolecall_core::message::role_table::RoleTable;
use rolecall_core::message::ui::{Intent, PORT_NAME, State, ToPage};
use rolecall_core::platform::{AuthorizeError, HttpRequest, HttpResponse, Interaction, RandomnessError};
use rolecall_core::settings::{Reading, Redirect, RoleKey};
use rolecall_core::time::{DateTime, TimeDelta, Utc};
use rolecall_core::url::Url;
use rolecall_core::{Code, Problem};
use serde_json::{Value, json};

use crate::background::Background;
use crate::browser::{
    Browser, Container, FetchError, JsonText, Port, PortClosed, PortListener, StorageArea, TabClosed, TabId,
    Task, WindowId,
};

/// A browser on a machine, and the executor that runs its tasks.
pub(crate) struct World {
    pool: RefCell<LocalPool>,
    pub(crate) browser: Rc<Scripted>,
}

impl World {
    /// A browser with a policy of two providers with two roles each, and without a native host.
    pub(crate) fn new() -> Self {
        let pool = LocalPool::new();
        let browser = Rc::new(Scripted::new(pool.spawner()));
        Self { pool: RefCell::new(pool), browser }
    }

    /// The same with a native host, which delivers the settings instead of the policy.
    pub(crate) fn with_host() -> Self {
        let world = Self::new();
        world.browser.policy.replace(Some(Ok(None)));
        world.browser.host_is_installed.set(true);
        world
    }

    /// Runs every task as far as it gets.
    pub(crate) fn run(&self) {
        self.pool.borrow_mut().run_until_stalled();
    }

    /// Starts the background.
    pub(crate) fn start(&self) -> Rc<Background> {
        let browser: Rc<dyn Browser> = self.browser.clone();
        self.finish(Background::start(browser))
    }

    /// Runs a future that must not have to wait for anything but other tasks.
    pub(crate) fn finish<T: 'static>(&self, future: impl Future<Output = T> + 'static) -> T {
        let mut waiting = self.begin(future);
        waiting.result().expect("it waits for something else")
    }

    /// Runs a future as far as it gets.
    pub(crate) fn begin<T: 'static>(&self, future: impl Future<Output = T> + 'static) -> Waiting<'_, T> {
        let handle = self.browser.spawner.spawn_local_with_handle(future).unwrap();
        self.run();
        Waiting { world: self, handle: Some(handle) }
    }

    /// Lets time pass, timer by timer.
    pub(crate) fn advance(&self, duration: Duration) {
        let end = self.browser.now.get() + TimeDelta::from_std(duration).unwrap();
        self.run();
        loop {
            let due = {
                let mut timers = self.browser.timers.borrow_mut();
                timers.retain(|(_, timer)| !timer.is_canceled());
                let next = (0..timers.len()).min_by_key(|index| timers[*index].0);
                next.filter(|index| timers[*index].0 <= end).map(|index| timers.remove(index))
            };
            let Some((at, timer)) = due else { break };
            self.browser.now.set(at);
            timer.send(()).ok();
            self.run();
        }
        self.browser.now.set(end);
    }

    /// Opens the popup.
    pub(crate) fn popup(&self, background: &Rc<Background>) -> Popup<'_> {
        let page = Rc::new(ScriptedPort::default());
        let opened = Rc::clone(&page);
        let is_known = background.pages.connect(PORT_NAME, Vec::new(), |listener| {
            opened.listener.replace(Some(listener));
            opened
        });
        assert!(is_known);
        self.run();
        Popup { world: self, page }
    }
}

/// A future under way.
pub(crate) struct Waiting<'a, T: 'static> {
    world: &'a World,
    handle: Option<RemoteHandle<T>>,
}

impl<T> Waiting<'_, T> {
    /// What came of it, if it is done.
    pub(crate) fn result(&mut self) -> Option<T> {
        self.world.run();
        self.handle.as_mut()?.now_or_never()
    }

    /// Stops waiting for it.
    pub(crate) fn cancel(mut self) {
        drop(self.handle.take());
        self.world.run();
    }
}

/// The popup.
pub(crate) struct Popup<'a> {
    world: &'a World,
    page: Rc<ScriptedPort>,
}

impl Popup<'_> {
    /// The person closes it.
    pub(crate) fn close(&self) {
        let listener = self.page.listener.take().unwrap();
        (listener.closed)(Problem::new(Code::Internal, "closed"));
        self.world.run();
    }

    /// Does what a person does there.
    pub(crate) fn send(&self, intent: &Intent) {
        self.page.receive(&json::to_string(intent));
        self.world.run();
    }

    /// What it shows.
    pub(crate) fn state(&self) -> State {
        self.world.run();
        let state = |message: &String| match json::from_str(message).unwrap() {
            ToPage::State(state) => Some(*state),
            ToPage::Roles(_) => None,
        };
        self.page.posted.borrow().iter().rev().find_map(state).unwrap()
    }

    /// The lists of roles that it was sent.
    pub(crate) fn role_lists(&self) -> Vec<RoleTable> {
        self.world.run();
        let roles = |message: &String| match json::from_str(message).unwrap() {
            ToPage::State(_) => None,
            ToPage::Roles(roles) => Some(roles),
        };
        self.page.posted.borrow().iter().filter_map(roles).collect()
    }
}

/// A port to the other end of which the test is.
#[derive(Default)]
pub(crate) struct ScriptedPort {
    pub(crate) posted: RefCell<Vec<String>>,
    listener: RefCell<Option<PortListener>>,
    closed: Cell<bool>,
}

impl ScriptedPort {
    fn receive(&self, message: &str) {
        let mut listener = self.listener.take().unwrap();
        (listener.message)(JsonText::from(message.to_owned()));
        self.listener.replace(Some(listener));
    }
}

impl Port for ScriptedPort {
    fn post(&self, message: &str) -> Result<(), PortClosed> {
        if self.closed.get() {
            return Err(PortClosed);
        }
        self.posted.borrow_mut().push(message.to_owned());
        Ok(())
    }

    fn disconnect(&self) {
        self.closed.set(true);
    }
}

/// A redirect in a window that waits for the test.
struct PendingRedirect {
    url: Url,
    answer: oneshot::Sender<Result<Url, AuthorizeError>>,
}

/// A request that waits for the test.
struct HeldRequest {
    request: HttpRequest,
    answer: oneshot::Sender<Result<HttpResponse, FetchError>>,
}

type PolicyText = Result<Option<JsonText>, String>;

/// The browser.
pub(crate) struct Scripted {
    spawner: LocalSpawner,
    now: Cell<DateTime<Utc>>,
    timers: RefCell<Vec<(DateTime<Utc>, oneshot::Sender<()>)>>,
    pub(crate) session: RefCell<BTreeMap<String, String>>,
    pub(crate) local: RefCell<BTreeMap<String, String>>,
    /// `None` for a policy that the browser does not tell yet.
    pub(crate) policy: RefCell<Option<Result<Option<String>, String>>>,
    policy_waits: RefCell<Vec<oneshot::Sender<PolicyText>>>,
    key: SigningKey,
    /// Who is signed in at the providers, which then answer silently.
    pub(crate) person: RefCell<Option<&'static str>>,
    pub(crate) grants_refresh: Cell<bool>,
    windows: RefCell<Vec<PendingRedirect>>,
    pub(crate) silent_hangs: Cell<bool>,
    nonces: RefCell<Vec<String>>,
    /// Where providers sent the browser back to.
    pub(crate) redirect_uris: RefCell<Vec<String>>,
    /// Requests to hosts whose names contain this wait.
    pub(crate) hold: RefCell<Option<&'static str>>,
    held: RefCell<Vec<HeldRequest>>,
    /// The browser keeps the answers of hosts whose names contain this from the extension.
    pub(crate) unreadable: RefCell<Option<&'static str>>,
    /// Whether the hosts are up that the browser keeps the answers of.
    pub(crate) is_up: Cell<bool>,
    /// What was asked, in order.
    pub(crate) log: RefCell<Vec<String>>,
    pub(crate) notifications: RefCell<BTreeSet<String>>,
    pub(crate) alarms: RefCell<BTreeMap<String, DateTime<Utc>>>,
    /// What the button in the toolbar shows, and whether it is a warning.
    pub(crate) badge: RefCell<(String, bool)>,
    /// The addresses of all tabs that were opened, and their containers.
    pub(crate) tabs: RefCell<Vec<String>>,
    pub(crate) containers: RefCell<Vec<Option<String>>>,
    /// What the tabs show that are open, where the extension may know it.
    pub(crate) open_tabs: RefCell<BTreeMap<TabId, Option<String>>>,
    pub(crate) shown_tabs: RefCell<Vec<(TabId, Option<String>)>>,
    /// Above which tab the popup is opened.
    pub(crate) tab_in_front: Cell<Option<TabId>>,
    pub(crate) groups: RefCell<Vec<(TabId, String, Option<String>)>>,
    pub(crate) has_containers: Cell<bool>,
    last_window: Cell<i32>,
    pub(crate) pages: RefCell<BTreeMap<WindowId, String>>,
    pub(crate) host_is_installed: Cell<bool>,
    pub(crate) machine: Rc<RefCell<Reading>>,
    pub(crate) hosts: RefCell<Vec<Rc<ScriptedPort>>>,
    pub(crate) permissions: RefCell<BTreeSet<String>>,
    /// What `roles.example` answers: its catalogue, and its role service.
    catalogue: RefCell<Result<(u16, String), FetchError>>,
    pub(crate) role_service: RefCell<(u16, String)>,
}

impl Scripted {
    fn new(spawner: LocalSpawner) -> Self {
        Self {
            spawner,
            now: Cell::new(DateTime::from_timestamp(1_900_000_000, 0).unwrap()),
            timers: RefCell::default(),
            session: RefCell::default(),
            local: RefCell::default(),
            policy: RefCell::new(Some(Ok(Some(settings().to_string())))),
            policy_waits: RefCell::default(),
            key: SigningKey::random(&mut rand_core::OsRng),
            person: RefCell::new(None),
            grants_refresh: Cell::default(),
            windows: RefCell::default(),
            silent_hangs: Cell::default(),
            nonces: RefCell::default(),
            redirect_uris: RefCell::default(),
            hold: RefCell::default(),
            held: RefCell::default(),
            unreadable: RefCell::default(),
            is_up: Cell::new(true),
            log: RefCell::default(),
            notifications: RefCell::default(),
            alarms: RefCell::default(),
            badge: RefCell::default(),
            tabs: RefCell::default(),
            containers: RefCell::default(),
            open_tabs: RefCell::default(),
            shown_tabs: RefCell::default(),
            tab_in_front: Cell::default(),
            groups: RefCell::default(),
            has_containers: Cell::default(),
            last_window: Cell::default(),
            pages: RefCell::default(),
            host_is_installed: Cell::default(),
            machine: Rc::new(RefCell::new(Reading::from_json(&settings().to_string()))),
            hosts: RefCell::default(),
            permissions: RefCell::default(),
            catalogue: RefCell::new(Ok((404, String::new()))),
            role_service: RefCell::new((404, String::new())),
        }
    }

    /// What the catalogue's server answers from now on.
    pub(crate) fn serve_catalogue(&self, answer: Result<(u16, String), FetchError>) {
        drop(self.catalogue.replace(answer));
    }

    /// Has the browser tell the policy at last.
    pub(crate) fn tell_policy(&self, policy: &Value) {
        let policy = policy.to_string();
        for waiting in self.policy_waits.take() {
            waiting.send(Ok(Some(JsonText::from(policy.clone())))).ok();
        }
        self.policy.replace(Some(Ok(Some(policy))));
    }

    /// A person signs in at the window that was opened last.
    pub(crate) fn sign_in_at_window(&self, person: &'static str) {
        let window = self.windows.borrow_mut().pop().expect("no window is open");
        self.person.replace(Some(person));
        let redirect = self.redirect(&window.url);
        assert!(window.answer.send(Ok(redirect)).is_ok(), "the window was closed");
    }

    /// The person closes the window that was opened last.
    pub(crate) fn close_window_of_redirect(&self) {
        let window = self.windows.borrow_mut().pop().expect("no window is open");
        window.answer.send(Err(AuthorizeError::Cancelled)).ok();
    }

    /// How many sign-in windows are open.
    pub(crate) fn open_windows(&self) -> usize {
        self.windows.borrow_mut().retain(|window| !window.answer.is_canceled());
        self.windows.borrow().len()
    }

    /// How many requests wait.
    pub(crate) fn held(&self) -> usize {
        self.held.borrow_mut().retain(|held| !held.answer.is_canceled());
        self.held.borrow().len()
    }

    /// Answers every request that waits, and holds no more.
    pub(crate) fn release(&self) {
        self.hold.replace(None);
        for HeldRequest { request, answer } in self.held.take() {
            answer.send(Ok(self.respond(&request))).ok();
        }
    }

    /// How often something was asked.
    pub(crate) fn count(&self, what: &str) -> usize {
        self.log.borrow().iter().filter(|line| line.starts_with(what)).count()
    }

    /// The native host's end of the port that was opened last.
    fn host(&self) -> Rc<ScriptedPort> {
        Rc::clone(self.hosts.borrow().last().expect("no host was started"))
    }

    /// The native host says something.
    pub(crate) fn host_sends(&self, message: &ToWorker) {
        self.host().receive(&json::to_string(message));
    }

    /// A program in a terminal asks for something.
    pub(crate) fn program_asks(&self, id: Id, body: WorkerRequest) {
        self.host_sends(&ToWorker::Request { id, body });
    }

    /// What the native host was told, as JSON.
    pub(crate) fn host_received(&self, what: &str) -> Vec<Value> {
        let messages =
            self.hosts.borrow().iter().flat_map(|host| host.posted.borrow().clone()).collect::<Vec<_>>();
        let bodies = messages.iter().filter_map(|message| {
            let message: Value = serde_json::from_str(message).unwrap();
            message["request"]["body"].get(what).cloned()
        });
        bodies.collect()
    }

    /// The native host answers the request that it was asked last to send.
    pub(crate) fn host_relays(&self, status: u16, body: &str) {
        let posted = self.host().posted.borrow().clone();
        let relayed = posted.iter().rev().find_map(|message| match json::from_str(message).unwrap() {
            ToHost::Request { id, body: HostRequest::SendHttp(_) } => Some(id),
            _ => None,
        });
        let body = body.to_owned().into();
        let response = HostResponse::Http(HttpRelayResponse { status, headers: Vec::new(), body });
        let id = relayed.expect("the host was not asked to send anything");
        self.host_sends(&ToWorker::Response { id, result: Outcome::Ok(response) });
    }

    /// What a program was answered, if it was.
    pub(crate) fn program_got(&self, id: Id) -> Option<Result<WorkerResponse, Problem>> {
        let posted = self.host().posted.borrow().clone();
        posted.iter().find_map(|message| match json::from_str(message).unwrap() {
            ToHost::Response { id: of, result } if of == id => Some(result.into_result()),
            _ => None,
        })
    }

    /// How many requests were answered to the native host that was started last.
    pub(crate) fn responses_of_last_host(&self) -> usize {
        let posted = self.host().posted.borrow().clone();
        let is_response =
            |message: &&String| matches!(json::from_str(message).unwrap(), ToHost::Response { .. });
        posted.iter().filter(is_response).count()
    }

    /// The host program ends.
    pub(crate) fn host_exits(&self) {
        let host = self.host();
        host.closed.set(true);
        let listener = host.listener.take().unwrap();
        (listener.closed)(Problem::new(Code::HostExited, "The Rolecall host program stopped."));
    }

    fn redirect(&self, url: &Url) -> Url {
        let query: BTreeMap<_, _> = url.query_pairs().into_owned().collect();
        let mut redirect: Url = query["redirect_uri"].parse().unwrap();
        self.redirect_uris.borrow_mut().push(redirect.to_string());
        redirect.query_pairs_mut().append_pair("state", &query["state"]);
        match *self.person.borrow() {
            Some(_) => {
                let mut nonces = self.nonces.borrow_mut();
                redirect.query_pairs_mut().append_pair("code", &nonces.len().to_string());
                nonces.push(query["nonce"].clone());
            }
            None => drop(redirect.query_pairs_mut().append_pair("error", "login_required")),
        }
        redirect
    }

    fn respond(&self, request: &HttpRequest) -> HttpResponse {
        let host = request.url.host_str().unwrap().to_owned();
        let form: BTreeMap<String, String> =
            url::form_urlencoded::parse(request.body.expose_secret()).into_owned().collect();
        match request.url.path() {
            "/.well-known/openid-configuration" => answer(&json!({
                "issuer": format!("https://{host}"),
                "authorization_endpoint": format!("https://{host}/authorize"),
                "token_endpoint": format!("https://{host}/token"),
                "jwks_uri": format!("https://{host}/jwks"),
                "revocation_endpoint": format!("https://{host}/revoke"),
                "end_session_endpoint": format!("https://{host}/logout"),
            })),
            "/jwks" => {
                let mut key = serde_json::to_value(JsonWebKey::from(self.key.verifying_key())).unwrap();
                key["kid"] = "k1".into();
                answer(&json!({ "keys": [key] }))
            }
            "/token" => {
                let nonce =
                    form.get("code").map(|code| self.nonces.borrow()[code.parse::<usize>().unwrap()].clone());
                if nonce.is_none() && form.contains_key("client_id") && !form.contains_key("refresh_token") {
                    return HttpResponse::new(400, r#"{"error":"invalid_request"}"#.to_owned().into());
                }
                let mut tokens = json!({
                    "token_type": "Bearer", "access_token": "x", "id_token": self.id_token(&host, nonce),
                });
                if self.grants_refresh.get() {
                    tokens["refresh_token"] = "refresh".into();
                }
                answer(&tokens)
            }
            "/revoke" => answer(&json!({})),
            "/oauth" if host == "console.example" => HttpResponse::new(404, String::new().into()),
            "/oauth" if host == "signin.example" => HttpResponse::new(200, String::new().into()),
            "/federation" => answer(&json!({ "SigninToken": "signin-token" })),
            "/roles" => {
                let asked: Value = serde_json::from_slice(request.body.expose_secret()).unwrap();
                assert!(asked["token"].as_str().unwrap().split('.').count() == 3, "no ID token");
                assert_eq!(asked["key"]["keys"][0]["kid"], "k1");
                let (status, body) = self.role_service.borrow().clone();
                HttpResponse::new(status, body.into())
            }
            "/" if host.starts_with("sts.") => self.credentials(&form),
            path => panic!("nobody answers at {host}{path}"),
        }
    }

    fn id_token(&self, host: &str, nonce: Option<String>) -> String {
        let now = self.now.get().timestamp();
        let person = self.person.borrow().unwrap_or("alice");
        let header = json!({ "alg": "ES256", "kid": "k1" });
        let mut claims = json!({
            "iss": format!("https://{host}"), "aud": "abcdef", "sub": person,
            "email": format!("{person}@example.com"), "iat": now, "exp": now + 3_600,
        });
        if let Some(nonce) = nonce {
            claims["nonce"] = nonce.into();
        }
        let message = format!("{}.{}", BASE64.encode(header.to_string()), BASE64.encode(claims.to_string()));
        let signature = Es256.sign(&self.key, message.as_bytes()).to_bytes();
        format!("{message}.{}", BASE64.encode(signature))
    }

    fn credentials(&self, form: &BTreeMap<String, String>) -> HttpResponse {
        let seconds: i64 = form["DurationSeconds"].parse().unwrap();
        let expiration = (self.now.get() + TimeDelta::seconds(seconds)).to_rfc3339();
        let text = format!(
            "<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials>\
             <AccessKeyId>ASIA{}</AccessKeyId><SecretAccessKey>secret</SecretAccessKey>\
             <SessionToken>token</SessionToken><Expiration>{expiration}</Expiration></Credentials>\
             </AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>",
            form["RoleSessionName"].to_uppercase().replace(|c: char| !c.is_ascii_alphanumeric(), "")
        );
        HttpResponse::new(200, text.into())
    }
}

impl Browser for Scripted {
    fn redirect_uri(&self, _: Redirect) -> Url {
        "https://abc.chromiumapp.org/".parse().unwrap()
    }

    fn launch_redirect(&self, url: &Url, interaction: Interaction) -> Task<Result<Url, AuthorizeError>> {
        self.log.borrow_mut().push(format!("{interaction:?} {}", url.host_str().unwrap()));
        if interaction == Interaction::Silent {
            if self.silent_hangs.get() {
                return std::future::pending().boxed_local();
            }
            return std::future::ready(Ok(self.redirect(url))).boxed_local();
        }
        let (answer, redirect) = oneshot::channel();
        self.windows.borrow_mut().push(PendingRedirect { url: url.clone(), answer });
        async move { redirect.await.unwrap_or(Err(AuthorizeError::Cancelled)) }.boxed_local()
    }

    fn open_tab(&self, url: &str, container: Option<&Container>) -> Task<Result<TabId, Problem>> {
        self.tabs.borrow_mut().push(url.to_owned());
        self.containers.borrow_mut().push(container.map(|container| container.name.clone()));
        let tab = TabId::try_from(self.tabs.borrow().len()).unwrap();
        self.open_tabs.borrow_mut().insert(tab, None);
        std::future::ready(Ok(tab)).boxed_local()
    }

    fn show_tab(&self, tab: TabId, url: Option<&str>) -> Task<bool> {
        let is_open = self.open_tabs.borrow().contains_key(&tab);
        if is_open {
            self.shown_tabs.borrow_mut().push((tab, url.map(str::to_owned)));
        }
        std::future::ready(is_open).boxed_local()
    }

    fn tab_address(&self, tab: TabId) -> Task<Result<Option<String>, TabClosed>> {
        std::future::ready(self.open_tabs.borrow().get(&tab).cloned().ok_or(TabClosed)).boxed_local()
    }

    fn tab_in_front(&self) -> Task<Option<(TabId, String)>> {
        let address = |tab| Some((tab, self.open_tabs.borrow().get(&tab)?.clone()?));
        std::future::ready(self.tab_in_front.get().and_then(address)).boxed_local()
    }

    fn group_tab(&self, tab: TabId, name: &str, color: Option<&str>) {
        self.groups.borrow_mut().push((tab, name.to_owned(), color.map(str::to_owned)));
    }

    fn has_containers(&self) -> bool {
        self.has_containers.get()
    }

    fn open_window(&self, page: &str) -> Task<Option<WindowId>> {
        let window = WindowId(self.last_window.get() + 1);
        self.last_window.set(window.0);
        self.pages.borrow_mut().insert(window, page.to_owned());
        std::future::ready(Some(window)).boxed_local()
    }

    fn close_window(&self, window: WindowId) {
        self.pages.borrow_mut().remove(&window);
    }

    fn show_notification(&self, id: &str, _: &str) {
        self.notifications.borrow_mut().insert(id.to_owned());
    }

    fn clear_notification(&self, id: &str) {
        self.notifications.borrow_mut().remove(id);
    }

    fn load(&self, area: StorageArea) -> Task<Vec<(String, JsonText)>> {
        self.log.borrow_mut().push(format!("load {area:?}"));
        let items = self.area(area).borrow().clone();
        let items = items.into_iter().map(|(key, value)| (key, JsonText::from(value))).collect();
        std::future::ready(items).boxed_local()
    }

    fn store(&self, area: StorageArea, key: &str, value: &str) {
        self.area(area).borrow_mut().insert(key.to_owned(), value.to_owned());
    }

    fn remove(&self, area: StorageArea, key: &str) {
        self.area(area).borrow_mut().remove(key);
    }

    fn load_policy(&self) -> Task<Result<Option<JsonText>, String>> {
        if let Some(policy) = self.policy.borrow().clone() {
            return std::future::ready(policy.map(|text| text.map(JsonText::from))).boxed_local();
        }
        let (sender, policy) = oneshot::channel();
        self.policy_waits.borrow_mut().push(sender);
        async move { policy.await.unwrap() }.boxed_local()
    }

    fn connect_native(&self, listener: PortListener) -> Result<Rc<dyn Port>, Problem> {
        if !self.host_is_installed.get() {
            return Err(Problem::new(Code::HostNotInstalled, "The Rolecall host program is not installed."));
        }
        let host = Rc::new(ScriptedPort::default());
        host.listener.replace(Some(listener));
        self.hosts.borrow_mut().push(Rc::clone(&host));
        Ok(Rc::new(HostPort {
            host,
            machine: Rc::clone(&self.machine),
            asked_for: RefCell::default(),
            spawner: self.spawner.clone(),
        }))
    }

    fn has_permission(&self, pattern: &str) -> Task<bool> {
        std::future::ready(self.permissions.borrow().contains(pattern)).boxed_local()
    }

    fn fetch(&self, request: HttpRequest) -> Task<Result<HttpResponse, FetchError>> {
        let (host, path) = (request.url.host_str().unwrap().to_owned(), request.url.path().to_owned());
        self.log.borrow_mut().push(format!("{host}{path}"));
        if self.unreadable.borrow().is_some_and(|unreadable| host.contains(unreadable)) {
            return std::future::ready(Err(FetchError::NoAnswer)).boxed_local();
        }
        if self.hold.borrow().is_none_or(|hold| !host.contains(hold)) {
            return std::future::ready(Ok(self.respond(&request))).boxed_local();
        }
        let (answer, response) = oneshot::channel();
        self.held.borrow_mut().push(HeldRequest { request, answer });
        async move { response.await.unwrap_or(Err(FetchError::NoAnswer)) }.boxed_local()
    }

    fn fetch_document(&self, url: &Url) -> Task<Result<HttpResponse, FetchError>> {
        self.log.borrow_mut().push(format!("{}{}", url.host_str().unwrap(), url.path()));
        let answer = self.catalogue.borrow().clone();
        std::future::ready(answer.map(|(status, body)| HttpResponse::new(status, body.into()))).boxed_local()
    }

    fn is_reachable(&self, _: &str) -> Task<bool> {
        std::future::ready(self.is_up.get()).boxed_local()
    }

    fn set_alarm(&self, name: &str, when: DateTime<Utc>) {
        self.alarms.borrow_mut().insert(name.to_owned(), when);
    }

    fn set_badge(&self, text: &str, is_warning: bool) {
        self.badge.replace((text.to_owned(), is_warning));
    }

    fn random(&self, bytes: &mut [u8]) -> Result<(), RandomnessError> {
        rand_core::RngCore::fill_bytes(&mut rand_core::OsRng, bytes);
        Ok(())
    }

    fn version(&self) -> String {
        "0.1.0".to_owned()
    }

    fn now(&self) -> DateTime<Utc> {
        self.now.get()
    }

    fn wait(&self, duration: Duration) -> Task<()> {
        let (timer, elapsed) = oneshot::channel();
        let at = self.now.get() + TimeDelta::from_std(duration).unwrap();
        self.timers.borrow_mut().push((at, timer));
        elapsed.map(drop).boxed_local()
    }

    fn spawn(&self, task: Task<()>) {
        self.spawner.spawn_local(task).unwrap();
    }
}

impl Scripted {
    fn area(&self, area: StorageArea) -> &RefCell<BTreeMap<String, String>> {
        match area {
            StorageArea::Session => &self.session,
            StorageArea::Local => &self.local,
        }
    }
}

/// The worker's end of the port to the native host, which answers `hello`, the settings and what it is to forget by itself.
struct HostPort {
    host: Rc<ScriptedPort>,
    machine: Rc<RefCell<Reading>>,
    /// The settings that were asked for last, and their revision.
    asked_for: RefCell<(Reading, u32)>,
    spawner: LocalSpawner,
}

impl HostPort {
    fn revision(&self) -> u32 {
        let mut asked_for = self.asked_for.borrow_mut();
        if asked_for.0 != *self.machine.borrow() {
            *asked_for = (self.machine.borrow().clone(), asked_for.1 + 1);
        }
        asked_for.1
    }
}

impl Port for HostPort {
    fn post(&self, message: &str) -> Result<(), PortClosed> {
        self.host.post(message)?;
        let Ok(ToHost::Request { id, body }) = json::from_str(message) else { return Ok(()) };
        let response = match body {
            HostRequest::Hello { .. } => {
                HostResponse::Hello { protocol: ProtocolRange::CURRENT, version: "0.1.0".to_owned() }
            }
            HostRequest::Settings(page) => {
                let revision = self.revision();
                HostResponse::Settings(SettingsPage::cut(
                    &self.machine.borrow(),
                    revision,
                    page.start(revision),
                ))
            }
            HostRequest::SettingsRevision => HostResponse::SettingsRevision(self.revision()),
            HostRequest::Forget(_) => HostResponse::Done,
            _ => return Ok(()),
        };
        let response = ToWorker::Response { id, result: Outcome::Ok(response) };
        let (host, text) = (Rc::clone(&self.host), json::to_string(&response));
        // As in a browser, nothing is heard before the worker has done what it is doing.
        self.spawner
            .spawn_local(async move {
                if !host.closed.get() {
                    host.receive(&text);
                }
            })
            .unwrap();
        Ok(())
    }

    fn disconnect(&self) {
        self.host.disconnect();
    }
}

/// Two providers, `corp` and `other`, with two roles each; one ARN is listed for both.
pub(crate) fn settings() -> Value {
    let provider = |id: &str| {
        json!({
            "id": id, "name": id.to_uppercase(), "client_id": "abcdef",
            "well_known_url": format!("https://{id}.example/.well-known/openid-configuration"),
        })
    };
    let role = |provider: &str, name: &str| json!({ "provider": provider, "arn": arn(name), "region": "eu-west-1", "duration": 3_600 });
    json!({
        "provider": [provider("corp"), provider("other")],
        "role": [
            role("corp", "developer"), role("corp", "admin"), role("other", "admin"), role("other", "auditor"),
        ],
    })
}

fn arn(name: &str) -> String {
    format!("arn:aws:iam::123456789012:role/{name}")
}

/// A role of [`settings`].
pub(crate) fn role(provider: &str, name: &str) -> RoleKey {
    RoleKey::new(provider.parse().unwrap(), arn(name).parse().unwrap())
}

fn answer(value: &Value) -> HttpResponse {
    HttpResponse::new(200, value.to_string().into())
}
