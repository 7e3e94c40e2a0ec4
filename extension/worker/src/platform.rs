//! The browser as `rolecall-core` sees it.

use std::rc::Rc;
use std::time::Duration;

use futures_util::lock::Mutex;
use rolecall_core::message::host::Program;
use rolecall_core::oidc::own_redirect_uri;
use rolecall_core::platform::{
    AuthorizeError, HttpRequest, HttpResponse, Interaction, Platform, RandomnessError, Route, Step,
    TransportError,
};
use rolecall_core::settings::{ProviderId, Redirect, RoleKey};
use rolecall_core::time::{DateTime, Utc};
use rolecall_core::url::Url;

use crate::browser::{Browser, within};
use crate::progress::Running;
use crate::transport::Transport;

/// The browser, at work for one request.
pub(crate) struct BrowserPlatform {
    /// The browser.
    pub(crate) browser: Rc<dyn Browser>,
    /// How requests leave.
    pub(crate) transport: Rc<Transport>,
    /// Whose requests they are: a client of a provider.
    pub(crate) client: String,
    /// Which redirect address the provider takes.
    pub(crate) redirect: Redirect,
    /// The provider, if it does not share a redirect address with others.
    pub(crate) own_redirect: Option<ProviderId>,
    /// Where the steps are shown.
    pub(crate) running: Running,
    /// Held while a window is open for a redirect.
    pub(crate) window: Rc<Mutex<()>>,
    /// The program in a terminal that asked and the role that it wants, if it was not a person in the popup.
    pub(crate) asked_by: Option<(Program, RoleKey)>,
}

impl Platform for BrowserPlatform {
    fn redirect_uri(&self, names_issuer: bool) -> Url {
        let shared = self.browser.redirect_uri(self.redirect);
        match &self.own_redirect {
            Some(provider) if !names_issuer => own_redirect_uri(&shared, provider),
            _ => shared,
        }
    }

    async fn authorize(&self, url: &Url, interaction: Interaction) -> Result<Url, AuthorizeError> {
        let limit = match interaction {
            Interaction::Silent => SILENT_LIMIT,
            Interaction::Window => WINDOW_LIMIT,
        };
        let timed_out = || {
            let seconds = u32::try_from(limit.as_secs()).unwrap_or(u32::MAX);
            Err(AuthorizeError::TimedOut { seconds })
        };
        let redirect = || within(&*self.browser, limit, self.browser.launch_redirect(url, interaction));
        if interaction == Interaction::Silent {
            return redirect().await.unwrap_or_else(timed_out);
        }
        // Firefox opens all redirects in one window, so that a second one would take it from the first. And where windows are
        // opened one at a time, it is clear which to close.
        let Some(_window) = within(&*self.browser, limit, self.window.lock()).await else {
            return timed_out();
        };
        // A window that nobody called for would be closed, or worse, trusted: the notification says where it comes from.
        let asked_by = self.asked_by.as_ref();
        let _notification = asked_by.map(|(program, role)| Notification::show(&self.browser, program, role));
        redirect().await.unwrap_or_else(timed_out)
    }

    async fn send(&self, request: HttpRequest, route: Route) -> Result<HttpResponse, TransportError> {
        self.transport.send(request, route, &self.client).await
    }

    async fn find_route(&self, probe: HttpRequest, route: Route) {
        if route == Route::Auto {
            self.transport.find_route(&probe, &self.client).await;
        }
    }

    async fn wait(&self, duration: Duration) {
        self.browser.wait(duration).await;
    }

    fn now(&self) -> DateTime<Utc> {
        self.browser.now()
    }

    fn random(&self, bytes: &mut [u8]) -> Result<(), RandomnessError> {
        self.browser.random(bytes)
    }

    fn progress(&self, step: Step) {
        self.running.step(step);
    }
}

/// A notification that is taken away when the window that it is about has closed.
struct Notification {
    browser: Rc<dyn Browser>,
    id: String,
}

impl Notification {
    fn show(browser: &Rc<dyn Browser>, program: &Program, role: &RoleKey) -> Self {
        let message = format!("{program} asks for {}. Sign in to let it continue.", role.arn);
        browser.show_notification(role.arn.as_str(), &message);
        Self { browser: Rc::clone(browser), id: role.arn.as_str().to_owned() }
    }
}

impl Drop for Notification {
    fn drop(&mut self) {
        self.browser.clear_notification(&self.id);
    }
}

/// How long a silent redirect may take. Firefox has no limit of its own.
pub(crate) const SILENT_LIMIT: Duration = Duration::from_secs(15);

/// How long a person may take to sign in.
const WINDOW_LIMIT: Duration = Duration::from_mins(5);
