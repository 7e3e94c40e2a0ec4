//! Credentials that are in use are renewed before they run short, so that the program that asks next does not wait.
//!
//! The browser keeps the alarms, and wakes the background for them.

use std::rc::Rc;

use rolecall_core::aws::Credentials;
use rolecall_core::freshness::{Lifetime, RENEWAL};
use rolecall_core::json;
use rolecall_core::settings::RoleKey;
use rolecall_core::sign_in::Presence;

use crate::browser::Browser;
use crate::sign_in::SignIn;

/// Renews credentials.
pub(crate) struct Renewal {
    browser: Rc<dyn Browser>,
    sign_in: Rc<SignIn>,
}

impl Renewal {
    /// Renews by these sign-ins.
    pub(crate) fn new(browser: &Rc<dyn Browser>, sign_in: &Rc<SignIn>) -> Rc<Self> {
        Rc::new(Self { browser: Rc::clone(browser), sign_in: Rc::clone(sign_in) })
    }

    /// Has the role's credentials renewed in time. What was renewed without anybody asking since is not renewed again.
    pub(crate) fn schedule(&self, role: &RoleKey, credentials: &Credentials) {
        let when = Lifetime::of(credentials, self.browser.now()).renewal();
        // Those of a short session are renewed when somebody asks.
        if when > self.browser.now() {
            self.browser.set_alarm(&json::to_string(role), when);
        }
    }

    /// An alarm went off.
    pub(crate) async fn renew(&self, alarm: &str) {
        let Ok(role) = json::from_str::<RoleKey>(alarm) else { return };
        // Whoever signed out meanwhile stays signed out.
        if self.sign_in.has_credentials(&role) {
            // Nobody waits for it, and nobody is shown why it failed: whoever asks next is.
            let _ = self.sign_in.credentials(&role, Presence::Nobody, RENEWAL, None).await;
        }
    }
}

#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))]
mod tests;
