//! The extension's background: owns every secret, runs the flows, talks to the native host.
//!
//! The bootstrap (`pages/worker.js`) registers the browser's events and calls the functions exported here. From there on
//! everything is Rust, in layers; each knows only what stands below it:
//!
//! | layer | modules |
//! |---|---|
//! | puts everything together | [`background`] |
//! | who wants something | [`pages`], [`intents`] (people), [`omnibox`] (the address bar), [`programs`] (terminals), [`renewal`] (alarms) |
//! | what they are shown | [`view`], [`badge`] |
//! | what they get | [`sign_in`], [`console`] |
//! | what that takes | [`platform`], [`transport`], [`approvals`], [`host`] |
//! | what is known | [`settings`], [`role_lists`], [`sessions`], [`progress`], [`shortlist`], [`storage`] |
//! | tools | [`flights`] (work done once for several), [`changes`] |
//! | the outside world | [`browser`], one trait; [`web`] implements it, `scripted` does for the tests |

mod approvals;
mod background;
mod badge;
mod browser;
mod changes;
mod console;
mod flights;
mod host;
mod intents;
mod omnibox;
mod pages;
mod platform;
mod programs;
mod progress;
mod renewal;
mod role_lists;
#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))]
mod scripted;
mod sessions;
mod settings;
mod shortlist;
mod sign_in;
mod storage;
mod transport;
mod view;
mod web;

use std::cell::OnceCell;
use std::rc::Rc;

use js_sys::{Array, Promise};
use wasm_bindgen::prelude::*;

use background::Background;
use web::WebBrowser;

thread_local! {
    static BACKGROUND: OnceCell<Rc<Background>> = const { OnceCell::new() };
}

fn background() -> Option<Rc<Background>> {
    BACKGROUND.with(|background| background.get().cloned())
}

/// Starts the background. Called once, before any event is handed over, with what the areas of the browser's storage
/// hold.
#[wasm_bindgen]
pub async fn start(session: Promise, local: Promise, managed: Promise) {
    let background = Background::start(Rc::new(WebBrowser::new(session, local, managed))).await;
    BACKGROUND.with(|slot| drop(slot.set(background)));
}

/// A page opened a port; `early` holds what it said before this module was running.
#[wasm_bindgen]
#[expect(clippy::needless_pass_by_value, reason = "as JavaScript gives them")]
pub fn on_connect(port: web::JsPort, early: Array) {
    let Some(background) = background() else { return };
    let early = early.iter().filter_map(|message| web::to_text(&message)).collect();
    let opened = port.clone();
    if !background.pages.connect(&port.name(), early, |listener| opened.listen(listener)) {
        port.close();
    }
}

/// The browser started. [`start`] has done what there is to do; the event only wakes the background.
#[wasm_bindgen]
pub fn on_startup() {}

/// The extension was installed or updated. What its menu has outlives the background.
#[wasm_bindgen]
pub fn on_installed() {
    web::create_menu();
}

/// A person has chosen the item in the menu of a console's page or of a link to one.
#[wasm_bindgen]
pub fn on_menu_clicked(address: String) {
    if let Some(background) = background() {
        background.on_console_address(address);
    }
}

/// An alarm went off.
#[wasm_bindgen]
pub async fn on_alarm(alarm: web::Alarm) {
    if let Some(background) = background() {
        background.on_alarm(&alarm.name()).await;
    }
}

/// A host permission was granted or revoked.
#[wasm_bindgen]
pub async fn on_permissions_changed() {
    if let Some(background) = background() {
        background.on_permissions_changed().await;
    }
}

/// The organisation's policy has changed.
#[wasm_bindgen]
pub fn on_policy_changed() {
    if let Some(background) = background() {
        background.on_policy_changed();
    }
}

/// A person types behind the keyword in the address bar.
#[wasm_bindgen]
pub async fn on_omnibox_changed(text: String, suggest: js_sys::Function) {
    if let Some(background) = background() {
        web::suggest(&suggest, background.omnibox.suggestions(&text).await);
    }
}

/// A person pressed Enter there.
#[wasm_bindgen]
pub async fn on_omnibox_entered(text: String) {
    if let Some(background) = background() {
        background.omnibox.choose(&text).await;
    }
}
