//! The browser by its WebExtensions API, and everything in which browsers differ.

mod bindings;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use futures_util::FutureExt as _;
use js_sys::{JSON, Object, Promise, Reflect, Uint8Array};
use rolecall_core::aws::Partition;
use rolecall_core::map::Set;
use rolecall_core::platform::{
    AuthorizeError, HttpRequest, HttpResponse, Interaction, MAX_RESPONSE_BYTES, Method,
    REQUEST_TIMEOUT_SECONDS, RandomnessError,
};
use rolecall_core::secret::SecretBytes;
use rolecall_core::settings::Redirect;
use rolecall_core::time::{DateTime, Utc};
use rolecall_core::url::Url;
use rolecall_core::{Code, Problem, identity, text};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{AbortSignal, ReadableStreamDefaultReader, Response};

pub(crate) use self::bindings::{Alarm, JsPort};
use self::bindings::{Api, Area, global_fetch};
use crate::browser::{
    Browser, Container, FetchError, JsonText, Port, PortClosed, PortListener, REDIRECT_WINDOW, StorageArea,
    TabClosed, TabId, Task, WindowId,
};

/// The browser that the background runs in.
pub(crate) struct WebBrowser {
    /// Windows that the background opened itself.
    windows: Rc<RefCell<Set<WindowId>>>,
    /// What is being read since before this code was loaded.
    session: Cell<Option<Promise>>,
    local: Cell<Option<Promise>>,
    policy: Cell<Option<Promise>>,
}

impl WebBrowser {
    pub(crate) fn new(session: Promise, local: Promise, policy: Promise) -> Self {
        let [session, local, policy] = [session, local, policy].map(|area| Cell::new(Some(area)));
        Self { windows: Rc::default(), session, local, policy }
    }
}

/// What an area holds: as it was read first, then as it is.
fn content(early: &Cell<Option<Promise>>, area: &Area) -> Result<Promise, JsValue> {
    early.take().map_or_else(|| area.get(&JsValue::NULL), Ok)
}

impl Browser for WebBrowser {
    fn redirect_uri(&self, redirect: Redirect) -> Url {
        let text = api().identity().get_redirect_url();
        // The browser makes it from the extension's id.
        let own =
            Url::parse(&text).unwrap_or_else(|_| unreachable!("the browser's redirect address is no URL"));
        match redirect {
            Redirect::Loopback if !is_chromium() => firefox_loopback(&own).unwrap_or(own),
            _ => own,
        }
    }

    fn launch_redirect(&self, url: &Url, interaction: Interaction) -> Task<Result<Url, AuthorizeError>> {
        let interactive = interaction == Interaction::Window;
        let details = object(&[("url", url.as_str().into()), ("interactive", interactive.into())]);
        // A provider may take a page with a script to get to its redirect. Chromium waits for it when told to; Firefox
        // follows redirects of HTTP only, and takes the options for a type error.
        if !interactive && is_chromium() {
            set(&details, "abortOnLoadForNonInteractive", &false.into());
            set(&details, "timeoutMsForNonInteractive", &SILENT_LIMIT_MILLISECONDS.into());
        }
        let window = interactive.then(|| RedirectWindow::watch(&self.windows));
        let promise = api().identity().launch_web_auth_flow(&details);
        let redirect = async move {
            let redirect = settle(promise).await;
            if let Some(window) = window {
                window.forget();
            }
            match redirect {
                Ok(redirect) => Url::parse(&redirect.as_string().unwrap_or_default())
                    .map_err(|_| AuthorizeError::PageUnreachable { reason: "it led nowhere".to_owned() }),
                Err(error) => Err(authorize_error(&error_text(&error).unwrap_or_default(), interaction)),
            }
        };
        redirect.boxed_local()
    }

    fn open_tab(&self, url: &str, container: Option<&Container>) -> Task<Result<TabId, Problem>> {
        let properties = object(&[("url", url.into())]);
        let container = container.cloned();
        let opened = async move {
            if let Some(container) = container {
                // Where it cannot be had, as in a private window, the tab is opened without it.
                if let Ok(store) = cookie_store(container).await {
                    set(&properties, "cookieStoreId", &store);
                }
            }
            let tab = settle(api().tabs().create_tab(&properties)).await.ok();
            let tab = tab.and_then(|tab| TabId::try_from(whole(&tab, "id")?).ok());
            tab.ok_or_else(|| Problem::new(Code::Internal, "The browser did not open a tab."))
        };
        opened.boxed_local()
    }

    fn show_tab(&self, tab: TabId, url: Option<&str>) -> Task<bool> {
        let properties = object(&[("active", true.into())]);
        if let Some(url) = url {
            set(&properties, "url", &url.into());
        }
        let promise = api().tabs().update_tab(tab, &properties);
        let shown = async move {
            let Ok(tab) = settle(promise).await else { return false };
            if let Some(window) = whole(&tab, "windowId") {
                let_go(api().windows().update_window(window, &object(&[("focused", true.into())])));
            }
            true
        };
        shown.boxed_local()
    }

    fn tab_address(&self, tab: TabId) -> Task<Result<Option<String>, TabClosed>> {
        let promise = api().tabs().get_tab(tab);
        let address = async move {
            let tab = settle(promise).await.map_err(|_| TabClosed)?;
            Ok(get(&tab, "url").as_string().filter(|url| !url.is_empty()))
        };
        address.boxed_local()
    }

    fn tab_in_front(&self) -> Task<Option<(TabId, String)>> {
        let promise =
            api().tabs().query_tabs(&object(&[("active", true.into()), ("lastFocusedWindow", true.into())]));
        let found = async move {
            let tab = get(&settle(promise).await.ok()?, "0");
            Some((TabId::try_from(whole(&tab, "id")?).ok()?, get(&tab, "url").as_string()?))
        };
        found.boxed_local()
    }

    fn has_containers(&self) -> bool {
        get(&api(), "contextualIdentities").is_object()
    }

    fn group_tab(&self, tab: TabId, name: &str, color: Option<&str>) {
        let properties = object(&[("title", name.into())]);
        if let Some(color) = color.filter(|color| GROUP_COLORS.contains(color)) {
            set(&properties, "color", &color.into());
        }
        let query = object(&[("title", name.into()), ("windowId", CURRENT_WINDOW.into())]);
        let grouped = async move {
            let groups = api().tab_groups();
            let known = get(&get(&settle(groups.query_groups(&query)).await?, "0"), "id");
            let options = object(&[("tabIds", tab.into())]);
            if !known.is_undefined() {
                set(&options, "groupId", &known);
            }
            let group = settle(api().tabs().group_tabs(&options)).await?;
            settle(groups.update_group(&group, &properties)).await
        };
        // A tab that was closed, or is in a window without groups, is left alone.
        spawn_local(async move { drop(grouped.await) });
    }

    fn open_window(&self, page: &str) -> Task<Option<WindowId>> {
        let data = object(&[
            ("url", page.into()),
            ("type", "popup".into()),
            ("focused", true.into()),
            ("width", WINDOW_WIDTH.into()),
            ("height", WINDOW_HEIGHT.into()),
        ]);
        let promise = api().windows().create_window(&data);
        let windows = Rc::clone(&self.windows);
        let opened = async move {
            let window = window_id(&settle(promise).await.ok()?)?;
            windows.borrow_mut().insert(window);
            Some(window)
        };
        opened.boxed_local()
    }

    fn close_window(&self, window: WindowId) {
        self.windows.borrow_mut().remove(&window);
        let_go(api().windows().remove(window.0));
    }

    fn show_notification(&self, id: &str, message: &str) {
        let options = object(&[
            ("type", "basic".into()),
            ("iconUrl", api().runtime().get_url("icons/icon-128.png").into()),
            ("title", identity::PRODUCT.into()),
            ("message", (&*text::on_lines(message)).into()),
        ]);
        let_go(api().notifications().create(id, &options));
    }

    fn clear_notification(&self, id: &str) {
        let_go(api().notifications().clear(id));
    }

    fn load(&self, area: StorageArea) -> Task<Vec<(String, JsonText)>> {
        let early = match area {
            StorageArea::Session => &self.session,
            StorageArea::Local => &self.local,
        };
        let promise = content(early, &storage_area(area));
        let loaded = async move {
            let items = settle(promise).await.unwrap_or_default();
            let keys = Object::keys(items.unchecked_ref::<Object>());
            let item = |key: JsValue| {
                let value = Reflect::get(&items, &key).ok()?.as_string()?;
                Some((key.as_string()?, JsonText::from(value)))
            };
            keys.iter().filter_map(item).collect()
        };
        loaded.boxed_local()
    }

    fn store(&self, area: StorageArea, key: &str, value: &str) {
        store(area, key, value);
    }

    fn remove(&self, area: StorageArea, key: &str) {
        remove(area, key);
    }

    fn load_policy(&self) -> Task<Result<Option<JsonText>, String>> {
        let promise = content(&self.policy, &api().storage().managed());
        let loaded = async move {
            match settle(promise).await {
                Ok(policy) => Ok(to_text(&policy)),
                Err(error) => match error_text(&error).unwrap_or_default() {
                    // Firefox rejects reading a policy that does not exist.
                    reason if text::contains(&reason, "not found") => Ok(None),
                    reason => Err(reason),
                },
            }
        };
        loaded.boxed_local()
    }

    fn connect_native(&self, listener: PortListener) -> Result<Rc<dyn Port>, Problem> {
        match api().runtime().connect_native(identity::HOST_NAME) {
            Ok(port) => Ok(port.listen(listener)),
            Err(error) => Err(native_problem(error_text(&error).as_deref())),
        }
    }

    fn has_permission(&self, permission: &str) -> Task<bool> {
        let kind = if text::contains(permission, "://") { "origins" } else { "permissions" };
        let list = js_sys::Array::of1(&permission.into());
        let promise = api().permissions().contains(&object(&[(kind, list.into())]));
        async move { settle(promise).await.is_ok_and(|answer| answer.is_truthy()) }.boxed_local()
    }

    fn fetch(&self, request: HttpRequest) -> Task<Result<HttpResponse, FetchError>> {
        fetch(request).boxed_local()
    }

    fn fetch_document(&self, url: &Url) -> Task<Result<HttpResponse, FetchError>> {
        let options = options(&[("redirect", "error".into())]);
        set(&options, "cache", &"no-cache".into());
        answer(global_fetch(url.as_str(), &options), rolecall_core::catalogue::MAX_BYTES).boxed_local()
    }

    fn is_reachable(&self, origin: &str) -> Task<bool> {
        let sent = global_fetch(origin, &options(&[("mode", "no-cors".into())]));
        async move { settle(sent).await.is_ok() }.boxed_local()
    }

    fn set_alarm(&self, name: &str, when: DateTime<Utc>) {
        // Milliseconds since the epoch fit into a number for 285,000 years.
        #[expect(clippy::cast_precision_loss, clippy::as_conversions, reason = "see above")]
        let when = when.timestamp_millis() as f64;
        let _ = api().alarms().create_alarm(name, &object(&[("when", when.into())]));
    }

    fn set_badge(&self, text: &str, is_warning: bool) {
        let color = if is_warning { BADGE_WARNING } else { BADGE };
        let_go(api().action().set_badge_background_color(&object(&[("color", color.into())])));
        let_go(api().action().set_badge_text_color(&object(&[("color", "#ffffff".into())])));
        let_go(api().action().set_badge_text(&object(&[("text", text.into())])));
    }

    fn random(&self, bytes: &mut [u8]) -> Result<(), RandomnessError> {
        let scope: web_sys::WorkerGlobalScope = js_sys::global().unchecked_into();
        let crypto = scope.crypto().map_err(|_| RandomnessError("no crypto object".to_owned()))?;
        let filled = crypto.get_random_values_with_u8_array(bytes);
        filled.map(drop).map_err(|_| RandomnessError("getRandomValues failed".to_owned()))
    }

    fn version(&self) -> String {
        get(&api().runtime().get_manifest(), "version").as_string().unwrap_or_default()
    }

    fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }

    fn wait(&self, duration: Duration) -> Task<()> {
        gloo_timers::future::sleep(duration).boxed_local()
    }

    fn spawn(&self, task: Task<()>) {
        spawn_local(task);
    }
}

impl JsPort {
    /// Listens to the port for as long as it is open.
    pub(crate) fn listen(self, listener: PortListener) -> Rc<dyn Port> {
        let PortListener { mut message, closed } = listener;
        let message = Closure::<dyn FnMut(JsValue)>::new(move |value: JsValue| {
            if let Some(text) = to_text(&value) {
                message(text);
            }
        });
        self.message_event().add_listener(&message.into_js_value());
        // The reason is valid only while the event is being handled.
        let closed = Closure::once(move |port: JsPort| closed(port.problem()));
        self.disconnect_event().add_listener(&closed.into_js_value());
        Rc::new(self)
    }

    fn problem(&self) -> Problem {
        // Firefox puts the reason on the port, Chromium into `runtime.lastError`.
        let words = error_text(&self.error()).or_else(|| error_text(&api().runtime().last_error()));
        native_problem(words.as_deref())
    }
}

impl Port for JsPort {
    fn post(&self, message: &str) -> Result<(), PortClosed> {
        let message = JSON::parse(message).map_err(|_| PortClosed)?;
        self.post_message(&message).map_err(|_| PortClosed)
    }

    fn disconnect(&self) {
        self.close();
    }
}

/// What a page said on a port before the background ran.
pub(crate) fn to_text(message: &JsValue) -> Option<JsonText> {
    let text = JSON::stringify(message).ok()?.as_string()?;
    Some(JsonText::from(text))
}

/// Finds the window that the browser opens for a redirect. The browser does not tell which it is, so it is taken to be the
/// only small window that was opened meanwhile; where there are several, none is.
struct RedirectWindow {
    listener: Closure<dyn FnMut(JsValue)>,
    opened: Rc<RefCell<Set<WindowId>>>,
    own: Rc<RefCell<Set<WindowId>>>,
}

impl RedirectWindow {
    fn watch(own: &Rc<RefCell<Set<WindowId>>>) -> Self {
        let opened = Rc::new(RefCell::new(Set::new()));
        let (found, others) = (Rc::clone(&opened), Rc::clone(own));
        let listener = Closure::<dyn FnMut(JsValue)>::new(move |window: JsValue| {
            let is_small = get(&window, "type").as_string().is_some_and(|kind| kind == "popup");
            if let Some(id) = window_id(&window).filter(|_| is_small) {
                found.borrow_mut().insert(id);
                match only_other(&found.borrow(), &others.borrow()) {
                    Some(WindowId(id)) => store(StorageArea::Session, REDIRECT_WINDOW, &id.to_string()),
                    None => remove(StorageArea::Session, REDIRECT_WINDOW),
                }
            }
        });
        api().windows().created_event().add_listener(listener.as_ref());
        Self { listener, opened, own: Rc::clone(own) }
    }

    /// The redirect has ended, and the browser has closed its window.
    fn forget(self) {
        self.opened.borrow_mut().clear();
    }
}

impl Drop for RedirectWindow {
    fn drop(&mut self) {
        api().windows().created_event().remove_listener(self.listener.as_ref());
        remove(StorageArea::Session, REDIRECT_WINDOW);
        if let Some(window) = only_other(&self.opened.borrow(), &self.own.borrow()) {
            let_go(api().windows().remove(window.0));
        }
    }
}

/// The only window that is not the extension's own.
fn only_other(opened: &Set<WindowId>, own: &Set<WindowId>) -> Option<WindowId> {
    let mut others = opened.iter().filter(|window| !own.contains(*window));
    others.next().filter(|_| others.next().is_none()).copied()
}

async fn fetch(request: HttpRequest) -> Result<HttpResponse, FetchError> {
    let headers = Object::new();
    for (name, value) in request.all_headers() {
        set(&headers, name, &value.into());
    }
    let options = options(&[
        ("method", request.method.as_str().into()),
        ("headers", headers.into()),
        ("redirect", "error".into()),
    ]);
    if request.method != Method::Get {
        set(&options, "body", &Uint8Array::from(request.body.expose_secret()));
    }
    answer(global_fetch(request.url.as_str(), &options), MAX_RESPONSE_BYTES).await
}

/// Waits for an answer and reads it, up to `limit` bytes.
async fn answer(sent: Result<Promise, JsValue>, limit: usize) -> Result<HttpResponse, FetchError> {
    let response = settle(sent).await.map_err(|error| failure(&error))?;
    let response: Response = response.unchecked_into();
    let body = read_body(&response, limit).await?;
    let text = |pair: &JsValue, index| js_sys::Array::from(pair).get(index).as_string();
    let header =
        |pair: Result<JsValue, JsValue>| pair.ok().and_then(|pair| Some((text(&pair, 0)?, text(&pair, 1)?)));
    let headers = js_sys::try_iter(&response.headers()).ok().flatten().into_iter().flatten();
    let headers = headers.filter_map(header).collect();
    Ok(HttpResponse { headers, ..HttpResponse::new(response.status(), body) })
}

/// Options of `fetch`: nothing is sent along or kept that the request does not name.
fn options(further: &[(&str, JsValue)]) -> Object {
    let signal = AbortSignal::timeout_with_u32(REQUEST_TIMEOUT_SECONDS.saturating_mul(1_000));
    let options = object(further);
    for (name, value) in
        [("credentials", "omit".into()), ("cache", "no-store".into()), ("signal", signal.into())]
    {
        set(&options, name, &value);
    }
    options
}

fn failure(error: &JsValue) -> FetchError {
    let is_timeout = get(error, "name").as_string().is_some_and(|name| name == "TimeoutError");
    if is_timeout { FetchError::TimedOut } else { FetchError::NoAnswer }
}

/// Reads no more than this product takes.
async fn read_body(response: &Response, limit: usize) -> Result<SecretBytes, FetchError> {
    // Put together at the end, for a buffer that grows leaves copies behind.
    let (mut chunks, mut length) = (Vec::<SecretBytes>::new(), 0_usize);
    let Some(stream) = response.body() else { return Ok(SecretBytes::default()) };
    let reader: ReadableStreamDefaultReader = stream.get_reader().unchecked_into();
    loop {
        let chunk = JsFuture::from(reader.read()).await.map_err(|error| failure(&error))?;
        if get(&chunk, "done").is_truthy() {
            let mut body = Vec::with_capacity(length);
            for chunk in &chunks {
                body.extend_from_slice(chunk.expose_secret());
            }
            return Ok(body.into());
        }
        let bytes: Uint8Array = get(&chunk, "value").unchecked_into();
        let bytes = SecretBytes::from(bytes.to_vec());
        length = length.saturating_add(bytes.len());
        chunks.push(bytes);
        if length > limit {
            let _ = reader.cancel();
            return Err(FetchError::TooLarge);
        }
    }
}

/// Firefox's second address, under which it knows the extension by the same digest of its id.
fn firefox_loopback(own: &Url) -> Option<Url> {
    let (digest, _) = own.host_str()?.split_once('.')?;
    Url::parse(&format!("http://127.0.0.1/mozoauth2/{digest}")).ok()
}

fn store(area: StorageArea, key: &str, value: &str) {
    let promise = storage_area(area).set(&object(&[(key, value.into())]));
    let stored = async move {
        if let Err(error) = settle(promise).await {
            // The item's value is not told: it may be a secret.
            web_sys::console::warn_2(&"Rolecall could not store an item:".into(), &error);
        }
    };
    spawn_local(stored);
}

fn remove(area: StorageArea, key: &str) {
    let_go(storage_area(area).remove_item(key));
}

fn storage_area(area: StorageArea) -> Area {
    let storage = api().storage();
    match area {
        StorageArea::Session => storage.session(),
        StorageArea::Local => storage.local(),
    }
}

/// Firefox names the API `browser`, Chromium `chrome`; both give promises under manifest version 3.
fn api() -> Api {
    let global = js_sys::global();
    let browser = get(&global, "browser");
    if browser.is_object() { browser } else { get(&global, "chrome") }.unchecked_into()
}

/// Puts an item into the menu of links to consoles and of their pages, and nowhere else.
pub(crate) fn create_menu() {
    let patterns = Partition::ALL.into_iter().filter_map(Partition::console_pattern).map(JsValue::from);
    let patterns: JsValue = patterns.collect::<js_sys::Array>().into();
    let menus = api().context_menus();
    // Of the version before.
    let _ = menus.remove_all();
    for (context, limit) in [("link", "targetUrlPatterns"), ("page", "documentUrlPatterns")] {
        let _ = menus.create_item(&object(&[
            ("id", context.into()),
            ("title", "Open in the AWS console as…".into()),
            ("contexts", js_sys::Array::of1(&context.into()).into()),
            (limit, patterns.clone()),
        ]));
    }
}

/// Offers these texts in the address bar. The first one is what Enter chooses.
pub(crate) fn suggest(offer: &js_sys::Function, mut texts: Vec<String>) {
    let described = |text: &str| {
        let text = text::on_lines(text);
        // Chromium reads a description as XML.
        JsValue::from(if is_chromium() { escaped(&text) } else { text.into_owned() })
    };
    let mut first = if texts.is_empty() { "No role matches.".to_owned() } else { texts.remove(0) };
    if !first.contains('>') {
        first.push_str(PAGE_HINT);
    }
    let _ = api().omnibox().set_default_suggestion(&object(&[("description", described(&first))]));
    let others = texts
        .iter()
        .map(|text| JsValue::from(object(&[("content", text.into()), ("description", described(text))])));
    let others: js_sys::Array = others.collect();
    let _ = offer.call1(&JsValue::NULL, &others);
}

fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&apos;"),
            _ => escaped.push(letter),
        }
    }
    escaped
}

fn is_chromium() -> bool {
    // Only Firefox tells its name.
    get(&api().runtime(), "getBrowserInfo").is_undefined()
}

fn window_id(window: &JsValue) -> Option<WindowId> {
    whole(window, "id").map(WindowId)
}

/// One of the browsers' ids, which are small whole numbers.
fn whole(object: &JsValue, name: &str) -> Option<i32> {
    #[expect(clippy::cast_possible_truncation, clippy::as_conversions, reason = "see above")]
    get(object, name).as_f64().map(|id| id as i32)
}

/// Where a container keeps its cookies.
async fn cookie_store(container: Container) -> Result<JsValue, JsValue> {
    let containers = api().containers();
    let name = ("name", container.name.into());
    let known = settle(containers.query(&object(std::slice::from_ref(&name)))).await?;
    let mut known = get(&known, "0");
    if known.is_undefined() {
        let color = container.color.filter(|color| CONTAINER_COLORS.contains(&color.as_str()));
        let color = color.unwrap_or_else(|| CONTAINER_COLORS[0].to_owned());
        let details = object(&[name, ("color", color.into()), ("icon", "briefcase".into())]);
        known = settle(containers.create_container(&details)).await?;
    }
    Ok(get(&known, "cookieStoreId"))
}

/// The browsers' words for a failed native port, as measured.
fn native_problem(words: Option<&str>) -> Problem {
    let (code, sentence) = match words {
        Some(words) if text::contains(words, "forbidden") => {
            (Code::HostForbidden, "The browser does not let this extension use the Rolecall host program.")
        }
        Some(words)
            if text::contains(words, "not found")
                || text::contains(words, "No such native application")
                || text::contains(words, "An unexpected error occurred") =>
        {
            (Code::HostNotInstalled, "The Rolecall host program is not installed for this browser.")
        }
        _ => (Code::HostExited, "The Rolecall host program stopped."),
    };
    Problem::new(code, sentence)
}

/// The browsers' words for a flow that gave no redirect, as measured.
fn authorize_error(words: &str, interaction: Interaction) -> AuthorizeError {
    match words {
        // The latter is Firefox's, whose window opens all the same where the server cannot be reached.
        _ if text::contains(words, "could not be loaded") || text::contains(words, "Invalid request") => {
            AuthorizeError::PageUnreachable { reason: words.trim_end_matches('.').to_owned() }
        }
        _ if interaction == Interaction::Silent => AuthorizeError::InteractionRequired,
        // "The user did not approve access." and "User cancelled or denied access."
        _ if text::contains(words, "approve") || text::contains(words, "cancel") => AuthorizeError::Cancelled,
        _ => AuthorizeError::NoBrowser { reason: words.to_owned() },
    }
}

/// Lets a promise run that nobody waits for. What it is about may have ended already, which is no failure.
fn let_go(promise: Result<Promise, JsValue>) {
    spawn_local(async move { drop(settle(promise).await) });
}

async fn settle(promise: Result<Promise, JsValue>) -> Result<JsValue, JsValue> {
    JsFuture::from(promise?).await
}

fn error_text(error: &JsValue) -> Option<String> {
    error.as_string().or_else(|| error.is_object().then(|| get(error, "message").as_string()).flatten())
}

fn object(fields: &[(&str, JsValue)]) -> Object {
    let object = Object::new();
    for (name, value) in fields {
        set(&object, name, value);
    }
    object
}

fn get(target: &JsValue, name: &str) -> JsValue {
    Reflect::get(target, &name.into()).unwrap_or(JsValue::UNDEFINED)
}

fn set(target: &Object, name: &str, value: &JsValue) {
    // A plain object of our own takes every property.
    let _ = Reflect::set(target, &name.into(), value);
}

/// Behind the first role in the address bar.
const PAGE_HINT: &str = " (> s3 opens a service, > ARN a resource)";

/// Those of Firefox; the first is for roles of another colour.
const CONTAINER_COLORS: [&str; 8] =
    ["blue", "turquoise", "green", "yellow", "orange", "red", "pink", "purple"];

/// Chromium's. Groups of another colour get one that it chooses itself.
const GROUP_COLORS: [&str; 9] =
    ["blue", "red", "yellow", "green", "pink", "purple", "cyan", "orange", "grey"];

/// `chrome.windows.WINDOW_ID_CURRENT`.
const CURRENT_WINDOW: i32 = -2;

/// In CSS pixels.
const WINDOW_WIDTH: u32 = 460;

/// In CSS pixels.
const WINDOW_HEIGHT: u32 = 440;

/// The badge's colours behind white text.
const BADGE: &str = "#18794e";
const BADGE_WARNING: &str = "#b3261e";

/// How long Chromium may take for a silent redirect, in milliseconds.
const SILENT_LIMIT_MILLISECONDS: u32 = 15_000;

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn what_browsers_say_of_a_failed_port_is_told_apart() {
        for (words, code) in [
            (Some("Specified native messaging host not found."), Code::HostNotInstalled),
            (Some("No such native application dev.rolecall.host"), Code::HostNotInstalled),
            (Some("An unexpected error occurred"), Code::HostNotInstalled),
            (Some("Access to the specified native messaging host is forbidden."), Code::HostForbidden),
            (Some("Native host has exited."), Code::HostExited),
            (None, Code::HostExited),
        ] {
            assert!(native_problem(words).is(code), "{words:?}");
        }
    }

    #[test]
    fn what_browsers_say_of_a_failed_window_is_told_apart() {
        let window = |words| authorize_error(words, Interaction::Window);
        assert_eq!(window("The user did not approve access."), AuthorizeError::Cancelled);
        assert_eq!(window("User cancelled or denied access."), AuthorizeError::Cancelled);
        for words in ["User interaction required.", "Requires user interaction"] {
            assert_eq!(authorize_error(words, Interaction::Silent), AuthorizeError::InteractionRequired);
        }
        for interaction in [Interaction::Silent, Interaction::Window] {
            for words in ["Authorization page could not be loaded.", "Invalid request"] {
                assert_eq!(authorize_error(words, interaction).code(), Code::ProviderUnreachable);
            }
        }
    }

    #[test]
    fn firefox_knows_the_extension_by_the_same_digest_at_both_addresses() {
        let own = Url::parse("https://4ee8a659.extensions.allizom.org/").unwrap();
        let loopback = firefox_loopback(&own).unwrap();
        assert_eq!(loopback.as_str(), "http://127.0.0.1/mozoauth2/4ee8a659");
    }

    /// `fetch` that gets no answer until its signal ends it, and a signal that the test ends instead of the time.
    #[cfg(target_arch = "wasm32")]
    const SLOW: &str = "{
        const real = [globalThis.fetch, AbortSignal.timeout];
        const ending = new AbortController();
        AbortSignal.timeout = (limit) => { globalThis.limit = limit; return ending.signal; };
        globalThis.fetch = (address, { signal }) =>
            new Promise((_, refuse) => signal.addEventListener('abort', () => refuse(signal.reason)));
        globalThis.endTime = () => {
            [globalThis.fetch, AbortSignal.timeout] = real;
            ending.abort(new DOMException('', 'TimeoutError'));
        };
    }";

    #[cfg(target_arch = "wasm32")]
    #[wasm_bindgen_test::wasm_bindgen_test]
    async fn a_slow_server_is_not_waited_for_longer_than_for_any_answer() {
        let probe = |browser: &WebBrowser| browser.is_reachable("https://slow.example").boxed_local();
        let document = |browser: &WebBrowser| {
            let document = browser.fetch_document(&"https://slow.example/".parse().unwrap());
            async move { !matches!(document.await, Err(FetchError::TimedOut)) }.boxed_local()
        };
        let requests: [&dyn Fn(&WebBrowser) -> Task<bool>; 2] = [&probe, &document];
        for request in requests {
            js_sys::eval(SLOW).unwrap();
            let [one, two, three] = std::array::from_fn(|_| Promise::resolve(&JsValue::NULL));
            let mut answer = request(&WebBrowser::new(one, two, three));
            assert_eq!((&mut answer).now_or_never(), None);
            let limit = js_sys::eval("limit").unwrap().as_f64();
            assert_eq!(limit, Some(f64::from(REQUEST_TIMEOUT_SECONDS) * 1_000.0));
            js_sys::eval("endTime()").unwrap();
            assert!(!answer.await);
        }
    }
}
