//! The extension's background: owns every secret, runs the flows, talks to the native host.
//!
//! The bootstrap (`pages/worker.js`) registers the browser's events and calls the functions exported here. From
//! there on everything is Rust: [`app`] holds what is known, [`flows`] does what a person or a terminal wants,
//! [`approvals`] asks a person before a program gets what it is after, [`renewal`] renews what is in use,
//! [`session`] is what is known of a provider,
//! [`platform`] is the outside world for `rolecall-core`, [`transport`] sends its requests, [`host`] is the port to
//! the native host, [`pages`] the ports to the popup. [`browser`] is the one place that knows the WebExtensions API and how browsers differ.

mod app;
mod approvals;
mod browser;
mod flows;
mod host;
mod pages;
mod platform;
mod renewal;
mod session;
mod store;
mod transport;

use std::rc::Rc;

use wasm_bindgen::prelude::*;

/// Starts the background. Called once, before any event is handed over.
#[wasm_bindgen]
pub async fn start() {
    app::App::start().await;
}

/// A page opened a port; `early` holds what it said before this module was running.
#[wasm_bindgen]
pub fn on_connect(port: browser::Port, early: Vec<JsValue>) {
    pages::connected(port, early);
}

/// The browser started. [`start`] has done what there is to do; the event only wakes the background.
#[wasm_bindgen]
pub fn on_startup() {}

/// The extension was installed or updated; as for [`on_startup`].
#[wasm_bindgen]
pub fn on_installed() {}

/// An alarm went off.
#[wasm_bindgen]
pub async fn on_alarm(alarm: browser::Alarm) {
    if let Some(app) = app::with(Rc::clone) {
        renewal::renew(&app, &alarm.name()).await;
    }
}

/// A host permission was granted or revoked: the way a request takes is looked for anew, and what waited for it goes on.
#[wasm_bindgen]
pub async fn on_permissions_changed() {
    let app = app::with(|app| {
        app.routes.borrow_mut().clear();
        Rc::clone(app)
    });
    if let Some(app) = app {
        store::save_routes(&store::Routes::default()).await;
        flows::go_on_if_granted(&app).await;
    }
}
