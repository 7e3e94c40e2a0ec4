//! The browser as `rolecall-core` sees it.

use std::rc::Rc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use rolecall_core::message::host::Program;
use rolecall_core::message::ui::Activity;
use rolecall_core::platform::{
    AuthorizeError, HttpRequest, HttpResponse, Interaction, Platform, RandomnessError, Route, Step,
    TransportError,
};
use rolecall_core::settings::{Redirect, RoleKey};
use rolecall_core::url::Url;
use wasm_bindgen::JsCast;

use crate::app::App;
use crate::{browser, transport};

/// The browser, at work for one role.
pub(crate) struct Browser {
    /// The background.
    pub(crate) app: Rc<App>,
    /// For which role, if it is for one.
    pub(crate) role: Option<RoleKey>,
    /// Which redirect address the provider takes.
    pub(crate) redirect: Redirect,
    /// The program in a terminal that asked, if it was not a person in the popup.
    pub(crate) asked_by: Option<Program>,
}

impl Platform for Browser {
    fn redirect_uri(&self) -> Url {
        browser::redirect_uri(self.redirect)
    }

    async fn authorize(&self, url: &Url, interaction: Interaction) -> Result<Url, AuthorizeError> {
        if let (Interaction::Window, Some(program), Some(role)) = (interaction, &self.asked_by, &self.role) {
            // A window that nobody called for would be closed, or worse, trusted: say where it comes from.
            let message = format!("{program} asks for {}. Sign in to let it continue.", role.arn);
            browser::notify(role.arn.as_str(), &message).await;
            let redirect = browser::authorize(url, interaction).await;
            browser::end_notification(role.arn.as_str()).await;
            return redirect;
        }
        browser::authorize(url, interaction).await
    }

    async fn send(&self, request: HttpRequest, route: Route) -> Result<HttpResponse, TransportError> {
        transport::send(&self.app, request, route).await
    }

    async fn wait(&self, duration: Duration) {
        gloo_timers::future::sleep(duration).await;
    }

    fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }

    fn random(&self, bytes: &mut [u8]) -> Result<(), RandomnessError> {
        let scope: web_sys::WorkerGlobalScope = js_sys::global().unchecked_into();
        let crypto = scope.crypto().map_err(|_| RandomnessError("no crypto object".to_owned()))?;
        let filled = crypto.get_random_values_with_u8_array(bytes);
        filled.map(|_| ()).map_err(|_| RandomnessError("getRandomValues failed".to_owned()))
    }

    fn progress(&self, step: Step) {
        self.app.show_activity(Some(Activity { role: self.role.clone(), step }));
    }
}
