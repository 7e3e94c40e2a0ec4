//! What the button in the toolbar shows of the credentials there are, if the settings want it.

use std::cell::RefCell;
use std::rc::Rc;

use rolecall_core::settings;
use rolecall_core::time::{DateTime, TimeDelta, Utc};

use crate::browser::Browser;
use crate::sessions::Sessions;
use crate::settings::Settings;

/// The badge on the button.
pub(crate) struct Badge {
    browser: Rc<dyn Browser>,
    settings: Rc<Settings>,
    sessions: Rc<Sessions>,
    /// What is shown, once that is known: the browser keeps a badge from one background to the next.
    shown: RefCell<Option<Shown>>,
}

/// A short text, and whether it is a warning.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Shown {
    text: String,
    is_warning: bool,
}

impl Badge {
    /// Shows nothing yet.
    pub(crate) fn new(browser: &Rc<dyn Browser>, settings: &Rc<Settings>, sessions: Rc<Sessions>) -> Self {
        let (browser, settings) = (Rc::clone(browser), Rc::clone(settings));
        Self { browser, settings, sessions, shown: RefCell::default() }
    }

    /// Shows what there is to show now, and has itself woken when that changes.
    pub(crate) fn update(&self) {
        if !self.settings.is_known() {
            return;
        }
        let badge = self.settings.current().preferences.badge.unwrap_or_default();
        let now = self.browser.now();
        let expirations = self.sessions.expirations().into_iter().map(|(_, expiration)| expiration);
        let live: Vec<_> = expirations.filter(|expiration| *expiration > now).collect();
        let next = live.iter().min().copied();
        let wanted = match (badge, next) {
            (settings::Badge::None, _) | (_, None) => Shown::default(),
            (settings::Badge::Sessions, Some(next)) => {
                self.browser.set_alarm(ALARM, next);
                Shown { text: live.len().to_string(), is_warning: false }
            }
            (settings::Badge::Expiry, Some(next)) => {
                self.browser.set_alarm(ALARM, next_change(next, now));
                time_left(next - now)
            }
        };
        if self.shown.borrow().as_ref() != Some(&wanted) {
            self.browser.set_badge(&wanted.text, wanted.is_warning);
            self.shown.replace(Some(wanted));
        }
    }

    /// An alarm went off.
    pub(crate) fn on_alarm(&self, name: &str) {
        if name == ALARM {
            self.update();
        }
    }
}

fn time_left(left: TimeDelta) -> Shown {
    let minutes = left.num_minutes();
    let text = match (minutes / 60, minutes) {
        (0, minutes) => format!("{minutes}m"),
        (hours, _) => format!("{hours}h"),
    };
    Shown { text, is_warning: minutes < WARNING_MINUTES }
}

/// When there is less than the whole minutes that are left now.
fn next_change(expiration: DateTime<Utc>, now: DateTime<Utc>) -> DateTime<Utc> {
    let minute = expiration - TimeDelta::minutes((expiration - now).num_minutes());
    (minute + TimeDelta::seconds(1)).min(expiration).max(now + TimeDelta::seconds(1))
}

const ALARM: &str = "badge";

/// The popup warns at the same time.
const WARNING_MINUTES: i64 = 10;

#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))]
mod tests;
