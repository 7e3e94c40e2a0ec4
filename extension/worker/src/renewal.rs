//! Credentials that are in use are renewed before they run short, so that the program that asks next does not wait.
//!
//! The browser keeps the alarms, and wakes the background for them.

use std::rc::Rc;

use chrono::{TimeDelta, Utc};
use rolecall_core::aws::{Credentials, RoleArn};
use rolecall_core::sign_in::Presence;

use crate::app::App;
use crate::{browser, flows};

/// Has the role's credentials renewed in time. What was renewed without anybody asking since is not renewed again.
pub(crate) fn plan(role: &RoleArn, credentials: &Credentials) {
    let when = credentials.expiration - RENEW_BEFORE;
    // Those of a short session are renewed when somebody asks.
    if when > Utc::now() {
        browser::set_alarm(role.as_str(), when.timestamp_millis());
    }
}

/// An alarm went off.
pub(crate) async fn renew(app: &Rc<App>, alarm: &str) {
    let Ok(role) = alarm.parse::<RoleArn>() else { return };
    // Whoever signed out meanwhile stays signed out.
    if app.has_credentials(&role) {
        // Nobody waits for it, and nobody is shown why it failed: whoever asks next is.
        let _ = flows::credentials(app, &role, Presence::Nobody, RENEW_BEFORE, None).await;
        app.show_activity(None);
    }
}

/// SDKs ask again once 15 minutes are left (botocore, measured).
const RENEW_BEFORE: TimeDelta = TimeDelta::minutes(20);
