//! The WebExtensions API, as far as the background uses it, and everything in which browsers differ.

use js_sys::{Object, Promise, Reflect};
use rolecall_core::platform::{AuthorizeError, Interaction};
use rolecall_core::settings::Redirect;
use rolecall_core::url::Url;
use rolecall_core::{Code, Problem};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

#[wasm_bindgen]
extern "C" {
    /// `browser` or `chrome`.
    type Api;
    #[wasm_bindgen(method, getter)]
    fn identity(this: &Api) -> Identity;
    #[wasm_bindgen(method, getter)]
    fn notifications(this: &Api) -> Notifications;
    #[wasm_bindgen(method, getter)]
    fn permissions(this: &Api) -> Permissions;
    #[wasm_bindgen(method, getter)]
    fn runtime(this: &Api) -> Runtime;
    #[wasm_bindgen(method, getter)]
    fn storage(this: &Api) -> Storage;
    #[wasm_bindgen(method, getter)]
    fn tabs(this: &Api) -> Tabs;

    #[wasm_bindgen(method, getter)]
    fn alarms(this: &Api) -> Alarms;
    #[wasm_bindgen(method, getter)]
    fn windows(this: &Api) -> Windows;

    type Alarms;
    #[wasm_bindgen(method, catch, js_name = create)]
    fn create_alarm(this: &Alarms, name: &str, info: &Object) -> Result<JsValue, JsValue>;

    type Windows;
    #[wasm_bindgen(method, catch, js_name = create)]
    fn create_window(this: &Windows, data: &Object) -> Result<Promise, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn remove(this: &Windows, id: &JsValue) -> Result<Promise, JsValue>;

    type Identity;
    #[wasm_bindgen(method, js_name = getRedirectURL)]
    fn get_redirect_url(this: &Identity) -> String;
    #[wasm_bindgen(method, catch, js_name = launchWebAuthFlow)]
    fn launch_web_auth_flow(this: &Identity, details: &Object) -> Result<Promise, JsValue>;

    type Notifications;
    #[wasm_bindgen(method, catch)]
    fn create(this: &Notifications, id: &str, options: &Object) -> Result<Promise, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn clear(this: &Notifications, id: &str) -> Result<Promise, JsValue>;

    type Permissions;
    #[wasm_bindgen(method, catch)]
    fn contains(this: &Permissions, permissions: &Object) -> Result<Promise, JsValue>;

    type Runtime;
    #[wasm_bindgen(method, catch, js_name = connectNative)]
    fn connect_native(this: &Runtime, name: &str) -> Result<Port, JsValue>;
    #[wasm_bindgen(method, js_name = getManifest)]
    fn get_manifest(this: &Runtime) -> Object;
    #[wasm_bindgen(method, js_name = getURL)]
    fn get_url(this: &Runtime, path: &str) -> String;
    #[wasm_bindgen(method, getter, js_name = lastError)]
    fn last_error(this: &Runtime) -> JsValue;

    type Storage;
    #[wasm_bindgen(method, getter)]
    fn session(this: &Storage) -> Area;
    #[wasm_bindgen(method, getter)]
    fn local(this: &Storage) -> Area;
    #[wasm_bindgen(method, getter)]
    fn managed(this: &Storage) -> Area;

    /// One of the storage areas.
    type Area;
    #[wasm_bindgen(method, catch)]
    fn get(this: &Area, keys: &JsValue) -> Result<Promise, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn set(this: &Area, items: &Object) -> Result<Promise, JsValue>;

    type Tabs;
    #[wasm_bindgen(method, catch, js_name = create)]
    fn create_tab(this: &Tabs, properties: &Object) -> Result<Promise, JsValue>;

    /// An alarm that went off.
    pub type Alarm;
    /// Its name.
    #[wasm_bindgen(method, getter, js_name = name)]
    pub fn name(this: &Alarm) -> String;

    /// A port to a page or to the native host.
    #[derive(Clone)]
    pub type Port;
    /// Which page it is.
    #[wasm_bindgen(method, getter)]
    pub fn name(this: &Port) -> String;
    /// Sends a message. Throws when the port is closed.
    #[wasm_bindgen(method, catch, js_name = postMessage)]
    pub fn post_message(this: &Port, message: &JsValue) -> Result<(), JsValue>;
    /// Closes the port from this side.
    #[wasm_bindgen(method)]
    pub fn disconnect(this: &Port);
    #[wasm_bindgen(method, getter)]
    fn error(this: &Port) -> JsValue;
    #[wasm_bindgen(method, getter, js_name = onMessage)]
    fn message_event(this: &Port) -> Event;
    #[wasm_bindgen(method, getter, js_name = onDisconnect)]
    fn disconnect_event(this: &Port) -> Event;

    type Event;
    #[wasm_bindgen(method, js_name = addListener)]
    fn add_listener(this: &Event, listener: &JsValue);
}

/// The storage areas in use.
#[derive(Debug, Clone, Copy)]
pub(crate) enum StorageArea {
    /// Memory only; holds secrets.
    Session,
    /// On disk; never holds a secret.
    Local,
    /// The organisation's policy.
    Managed,
}

impl Port {
    /// Calls `listener` with every message, and `gone` once when the other side has closed.
    pub(crate) fn listen(&self, listener: impl FnMut(JsValue) + 'static, gone: impl FnOnce(Port) + 'static) {
        let listener = Closure::<dyn FnMut(JsValue)>::new(listener);
        self.message_event().add_listener(&listener.into_js_value());
        let gone = Closure::once(gone);
        self.disconnect_event().add_listener(&gone.into_js_value());
    }

    /// Why the native host's port closed. Valid only while its `onDisconnect` is being handled.
    pub(crate) fn native_problem(&self) -> Problem {
        // Firefox puts the reason on the port, Chromium into `runtime.lastError`.
        let words = error_text(&self.error()).or_else(|| error_text(&api().runtime().last_error()));
        native_problem(words.as_deref())
    }
}

/// The redirect URI that belongs to this extension.
pub(crate) fn redirect_uri(redirect: Redirect) -> Url {
    let text = api().identity().get_redirect_url();
    // The browser makes it from the extension's id.
    let own = Url::parse(&text).unwrap_or_else(|_| unreachable!("the browser's redirect address is no URL"));
    match redirect {
        Redirect::Loopback if !is_chromium() => firefox_loopback(&own).unwrap_or(own),
        _ => own,
    }
}

/// Firefox's second address, under which it knows the extension by the same digest of its id.
fn firefox_loopback(own: &Url) -> Option<Url> {
    let (digest, _) = own.host_str()?.split_once('.')?;
    Url::parse(&format!("http://127.0.0.1/mozoauth2/{digest}")).ok()
}

/// Sends the person, or nobody, to the provider and waits for the redirect.
pub(crate) async fn authorize(url: &Url, interaction: Interaction) -> Result<Url, AuthorizeError> {
    let interactive = interaction == Interaction::Window;
    let details = object(&[("url", url.as_str().into()), ("interactive", interactive.into())]);
    // A provider may take a page with a script to get to its redirect. Chromium waits for it when told to; Firefox
    // follows redirects of HTTP only, and takes the options for a type error.
    if !interactive && is_chromium() {
        set(&details, "abortOnLoadForNonInteractive", &false.into());
        set(&details, "timeoutMsForNonInteractive", &SILENT_TIMEOUT_MILLISECONDS.into());
    }
    let promise = api().identity().launch_web_auth_flow(&details);
    match settle(promise).await {
        Ok(redirect) => {
            let text = redirect.as_string().unwrap_or_default();
            Url::parse(&text)
                .map_err(|_| AuthorizeError::PageUnreachable { reason: "it led nowhere".to_owned() })
        }
        Err(error) => Err(authorize_error(&error_text(&error).unwrap_or_default(), interaction)),
    }
}

/// Opens a native messaging port.
pub(crate) fn connect_native(name: &str) -> Result<Port, Problem> {
    api().runtime().connect_native(name).map_err(|error| native_problem(error_text(&error).as_deref()))
}

/// The extension's version.
pub(crate) fn version() -> String {
    get(&api().runtime().get_manifest(), "version").as_string().unwrap_or_default()
}

/// Whether the extension may talk to this match pattern whatever the server says about CORS.
pub(crate) async fn may_talk_to(pattern: &str) -> bool {
    let origins = js_sys::Array::of1(&pattern.into());
    let answer = settle(api().permissions().contains(&object(&[("origins", origins.into())]))).await;
    answer.is_ok_and(|answer| answer.is_truthy())
}

/// Opens a tab. The address may be a secret; it goes nowhere else.
pub(crate) async fn open_tab(url: &str) -> Result<(), Problem> {
    let opened = settle(api().tabs().create_tab(&object(&[("url", url.into())]))).await;
    opened.map(|_| ()).map_err(|_| Problem::new(Code::Internal, "The browser did not open a tab."))
}

/// A window that [`open_window`] opened.
pub(crate) struct Window(JsValue);

/// Opens a page of the extension in a small window of its own. `None` if the browser does not.
pub(crate) async fn open_window(page: &str) -> Option<Window> {
    let data = object(&[
        ("url", page.into()),
        ("type", "popup".into()),
        ("focused", true.into()),
        ("width", WINDOW_WIDTH.into()),
        ("height", WINDOW_HEIGHT.into()),
    ]);
    let window = settle(api().windows().create_window(&data)).await.ok()?;
    Some(Window(get(&window, "id")))
}

/// Closes it, unless a person has.
pub(crate) async fn close_window(window: Window) {
    let _ = settle(api().windows().remove(&window.0)).await;
}

/// Has the background woken at this time, in milliseconds since the epoch. An alarm of the same name is replaced.
pub(crate) fn set_alarm(name: &str, when: i64) {
    // Milliseconds since the epoch fit into a number for 285,000 years.
    #[expect(clippy::cast_precision_loss, clippy::as_conversions, reason = "see above")]
    let _ = api().alarms().create_alarm(name, &object(&[("when", (when as f64).into())]));
}

/// Shows a notification. A browser or a person may have turned them off, which is theirs to decide.
pub(crate) async fn notify(id: &str, message: &str) {
    let options = object(&[
        ("type", "basic".into()),
        ("iconUrl", api().runtime().get_url("icons/icon-128.png").into()),
        ("title", rolecall_core::identity::PRODUCT.into()),
        ("message", message.into()),
    ]);
    let _ = settle(api().notifications().create(id, &options)).await;
}

/// Takes it away again.
pub(crate) async fn end_notification(id: &str) {
    let _ = settle(api().notifications().clear(id)).await;
}

/// One item of a storage area, or everything when `key` is `None`. `undefined` when there is none.
pub(crate) async fn load(area: StorageArea, key: Option<&str>) -> JsValue {
    let keys = key.map_or(JsValue::NULL, JsValue::from);
    // Firefox rejects reading a policy that does not exist.
    let Ok(items) = settle(storage(area).get(&keys)).await else { return JsValue::UNDEFINED };
    key.map_or(items.clone(), |key| get(&items, key))
}

/// Sets one item of a storage area.
pub(crate) async fn save(area: StorageArea, key: &str, value: &JsValue) {
    if let Err(error) = settle(storage(area).set(&object(&[(key, value.clone())]))).await {
        // The item's value is not told: it may be a secret.
        web_sys::console::warn_2(&"Rolecall could not store an item:".into(), &error);
    }
}

fn storage(area: StorageArea) -> Area {
    let storage = api().storage();
    match area {
        StorageArea::Session => storage.session(),
        StorageArea::Local => storage.local(),
        StorageArea::Managed => storage.managed(),
    }
}

/// Firefox names the API `browser`, Chromium `chrome`; both give promises under manifest version 3.
fn api() -> Api {
    let global = js_sys::global();
    let browser = get(&global, "browser");
    if browser.is_object() { browser } else { get(&global, "chrome") }.unchecked_into()
}

fn is_chromium() -> bool {
    // Only Firefox tells its name.
    get(&api().runtime(), "getBrowserInfo").is_undefined()
}

/// The browsers' words for a failed native port, as measured.
fn native_problem(words: Option<&str>) -> Problem {
    let (code, sentence) = match words {
        Some(words) if words.contains("forbidden") => {
            (Code::HostForbidden, "The browser does not let this extension use the Rolecall host program.")
        }
        Some(words)
            if words.contains("not found")
                || words.contains("No such native application")
                || words.contains("An unexpected error occurred") =>
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
        _ if words.contains("could not be loaded") || words.contains("Invalid request") => {
            AuthorizeError::PageUnreachable { reason: words.trim_end_matches('.').to_owned() }
        }
        _ if interaction == Interaction::Silent => AuthorizeError::InteractionRequired,
        // "The user did not approve access." and "User cancelled or denied access."
        _ if words.contains("approve") || words.contains("cancel") => AuthorizeError::Cancelled,
        _ => AuthorizeError::NoBrowser { reason: words.to_owned() },
    }
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

/// In CSS pixels.
const WINDOW_WIDTH: u32 = 460;

/// In CSS pixels.
const WINDOW_HEIGHT: u32 = 440;

/// How long a silent redirect may take in Chromium, in milliseconds.
const SILENT_TIMEOUT_MILLISECONDS: u32 = 5_000;

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
}
