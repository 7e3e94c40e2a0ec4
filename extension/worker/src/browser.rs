//! The browser as far as the background uses it: one trait, so that everything above it is tested without a browser.
//!
//! [`crate::web`] implements it with the WebExtensions API; the tests implement it with a script. Messages and stored
//! values cross it as JSON text.

use std::future::Future;
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use futures_util::future::{Either, LocalBoxFuture, select};
use rolecall_core::Problem;
use rolecall_core::platform::{AuthorizeError, HttpRequest, HttpResponse, Interaction, RandomnessError};
use rolecall_core::settings::Redirect;
use rolecall_core::time::{DateTime, Utc};
use rolecall_core::url::Url;
use zeroize::Zeroizing;

/// Something that ends later.
pub(crate) type Task<T> = LocalBoxFuture<'static, T>;

/// JSON that may hold a secret.
pub(crate) type JsonText = Zeroizing<String>;

/// The browser.
pub(crate) trait Browser {
    /// The redirect URI that belongs to this extension.
    fn redirect_uri(&self, redirect: Redirect) -> Url;

    /// Sends the browser to `url` and waits for the redirect, without a time limit. Dropping the task closes the window
    /// that was opened for it, where the browser tells which one that is. As long as the window is open, its id is stored
    /// as [`REDIRECT_WINDOW`].
    fn launch_redirect(&self, url: &Url, interaction: Interaction) -> Task<Result<Url, AuthorizeError>>;

    /// Opens a tab, in a container if one is named, which is created if there is none of this name. The address may be a
    /// secret; it goes nowhere else.
    fn open_tab(&self, url: &str, container: Option<&Container>) -> Task<Result<TabId, Problem>>;

    /// Brings a tab to the front and opens an address in it, if one is given. `false` if the tab is gone.
    fn show_tab(&self, tab: TabId, url: Option<&str>) -> Task<bool>;

    /// The address that a tab shows, where the extension may know it.
    fn tab_address(&self, tab: TabId) -> Task<Result<Option<String>, TabClosed>>;

    /// The tab in front and its address, where the extension may know it: since a person has opened the popup above it.
    fn tab_in_front(&self) -> Task<Option<(TabId, String)>>;

    /// Whether the browser has containers, which keep the cookies of their tabs apart.
    fn has_containers(&self) -> bool;

    /// Puts a tab into the group of this name in its window, which is created if there is none.
    fn group_tab(&self, tab: TabId, name: &str, color: Option<&str>);

    /// Opens a page of the extension in a small window of its own. `None` if the browser does not.
    fn open_window(&self, page: &str) -> Task<Option<WindowId>>;

    /// Closes a window, unless a person has.
    fn close_window(&self, window: WindowId);

    /// Shows a notification. A browser or a person may have turned them off, which is theirs to decide.
    fn show_notification(&self, id: &str, message: &str);

    /// Takes a notification away.
    fn clear_notification(&self, id: &str);

    /// Everything in a storage area.
    fn load(&self, area: StorageArea) -> Task<Vec<(String, JsonText)>>;

    /// Stores one item. Items are stored in the order of the calls.
    fn store(&self, area: StorageArea, key: &str, value: &str);

    /// Removes one item.
    fn remove(&self, area: StorageArea, key: &str);

    /// The organisation's policy; `None` if there is none. `Err` tells in the browser's words why it cannot be read.
    fn load_policy(&self) -> Task<Result<Option<JsonText>, String>>;

    /// Starts the native host and opens a port to it.
    fn connect_native(&self, listener: PortListener) -> Result<Rc<dyn Port>, Problem>;

    /// Whether the extension has this permission. For a match pattern it may read the answers of its hosts whatever they say
    /// about CORS, and the addresses of their tabs.
    fn has_permission(&self, permission: &str) -> Task<bool>;

    /// `fetch` without cookies, cache or redirects, within the limits of [`rolecall_core::platform`].
    fn fetch(&self, request: HttpRequest) -> Task<Result<HttpResponse, FetchError>>;

    /// `fetch` of a public document of up to [`rolecall_core::catalogue::MAX_BYTES`], without cookies. The browser sends
    /// `If-None-Match` if it has a copy, and gives that if it is current.
    fn fetch_document(&self, url: &Url) -> Task<Result<HttpResponse, FetchError>>;

    /// Whether anything answers at an origin, which a request tells whose answer cannot be read.
    fn is_reachable(&self, origin: &str) -> Task<bool>;

    /// Has the background woken at this time. An alarm of the same name is replaced.
    fn set_alarm(&self, name: &str, when: DateTime<Utc>);

    /// Shows a short text on the button in the toolbar.
    fn set_badge(&self, text: &str, is_warning: bool);

    /// Fills `bytes` from a cryptographically secure source.
    fn random(&self, bytes: &mut [u8]) -> Result<(), RandomnessError>;

    /// The extension's version.
    fn version(&self) -> String;

    /// The local clock.
    fn now(&self) -> DateTime<Utc>;

    /// Waits.
    fn wait(&self, duration: Duration) -> Task<()>;

    /// Runs a task to its end.
    fn spawn(&self, task: Task<()>);
}

/// A port to a page or to the native host.
pub(crate) trait Port {
    /// Sends a message. `Err` if the port is closed.
    fn post(&self, message: &str) -> Result<(), PortClosed>;

    /// Closes the port from this side; its listener is not told.
    fn disconnect(&self);
}

/// The port is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PortClosed;

/// Who hears what happens on a port.
pub(crate) struct PortListener {
    /// Called with every message.
    pub(crate) message: Box<dyn FnMut(JsonText)>,
    /// Called once when the other side has closed, with the reason as far as the browser tells it.
    pub(crate) closed: Box<dyn FnOnce(Problem)>,
}

/// A window of the browser.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct WindowId(pub(crate) i32);

/// The stored item with the window in which a person signs in. If the background ends meanwhile, the browser leaves the
/// window open: Chromium then refuses to open another one, and Firefox loads the next sign-in into it and reports that it
/// was closed.
pub(crate) const REDIRECT_WINDOW: &str = "redirectWindow";

/// A tab of the browser.
pub(crate) type TabId = u32;

/// The tab is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TabClosed;

/// A container of Firefox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Container {
    /// Its name, by which it is found again.
    pub(crate) name: String,
    /// The role's colour, which becomes its own where Firefox has it.
    pub(crate) color: Option<String>,
}

/// The storage areas that the background writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum StorageArea {
    /// Memory only; holds secrets.
    Session,
    /// On disk; never holds a secret.
    Local,
}

/// Why a `fetch` gave no response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FetchError {
    /// The browser says no more than "Failed to fetch", on purpose.
    NoAnswer,
    /// It took too long.
    TimedOut,
    /// The response is larger than anything this product reads.
    TooLarge,
}

/// Waits for a future, but no longer than `limit`.
pub(crate) async fn within<T>(
    browser: &dyn Browser,
    limit: Duration,
    future: impl Future<Output = T>,
) -> Option<T> {
    match select(pin!(future), browser.wait(limit)).await {
        Either::Left((output, _)) => Some(output),
        Either::Right(((), _)) => None,
    }
}
