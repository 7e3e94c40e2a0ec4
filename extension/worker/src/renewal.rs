//! Credentials that are in use are renewed before they run short, so that the program that asks next does not wait.
//!
//! The browser keeps the alarms, and wakes the background for them.

use std::rc::Rc;

use chrono::Utc;
use rolecall_core::aws::Credentials;
use rolecall_core::freshness::{Lifetime, RENEWAL};
use rolecall_core::settings::RoleKey;
use rolecall_core::sign_in::Presence;

use crate::app::App;
use crate::{browser, flows};

/// Has the role's credentials renewed in time. What was renewed without anybody asking since is not renewed again.
pub(crate) fn plan(role: &RoleKey, credentials: &Credentials) {
    let when = Lifetime::of(credentials, Utc::now()).renewal();
    // Those of a short session are renewed when somebody asks.
    if when > Utc::now() {
        browser::set_alarm(&alarm_name(role), when.timestamp_millis());
    }
}

/// An alarm went off.
pub(crate) async fn renew(app: &Rc<App>, alarm: &str) {
    let Some(role) = role_of(alarm) else { return };
    // Whoever signed out meanwhile stays signed out.
    if app.has_credentials(&role) {
        // Nobody waits for it, and nobody is shown why it failed: whoever asks next is.
        let _ = flows::credentials(app, &role, Presence::Nobody, RENEWAL, None).await;
        app.show_activity(None);
    }
}

/// A provider's id has no blank, and an ARN none either.
fn alarm_name(role: &RoleKey) -> String {
    format!("{} {}", role.provider, role.arn)
}

fn role_of(alarm: &str) -> Option<RoleKey> {
    let (provider, arn) = alarm.split_once(' ')?;
    Some(RoleKey::new(provider.parse().ok()?, arn.parse().ok()?))
}
