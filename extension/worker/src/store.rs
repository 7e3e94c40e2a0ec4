//! What outlives the background: secrets in `storage.session` (memory only), routes in `storage.local`.

use std::collections::BTreeMap;

use rolecall_core::Problem;
use rolecall_core::message::ui::Intent;
use rolecall_core::session::ProviderSession;
use rolecall_core::settings::{ProviderId, Reading, SettingsError};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use wasm_bindgen::JsValue;

use crate::approvals::Allowed;
use crate::browser::{self, StorageArea};

/// Hosts whose answers the browser keeps from the extension, or that refuse its origin: `scheme://host:port`.
pub(crate) type Routes = std::collections::BTreeSet<String>;

/// What a person wanted last and was told about it. Holds no secret.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct LastOutcome {
    /// What they wanted.
    pub(crate) intent: Option<Intent>,
    /// What came of it.
    pub(crate) done: Option<String>,
    /// Why nothing came of it.
    pub(crate) problem: Option<Problem>,
}

/// What a person was told before the last background ended: they may be reading it still, or be on their way to allow
/// what it asks for.
pub(crate) async fn load_last_outcome() -> LastOutcome {
    load(StorageArea::Session, LAST_OUTCOME).await.unwrap_or_default()
}

/// Remembers what a person is told.
pub(crate) async fn save_last_outcome(last: &LastOutcome) {
    if let Ok(value) = to_js(last) {
        browser::save(StorageArea::Session, LAST_OUTCOME, &value).await;
    }
}

/// What is remembered of each provider.
pub(crate) async fn load_sessions() -> BTreeMap<ProviderId, ProviderSession> {
    load(StorageArea::Session, SESSIONS).await.unwrap_or_default()
}

/// Remembers one provider.
pub(crate) async fn save_session(provider: &ProviderId, session: &JsValue) {
    let stored = browser::load(StorageArea::Session, Some(SESSIONS)).await;
    let sessions = if stored.is_object() { stored.into() } else { js_sys::Object::new() };
    let _ = js_sys::Reflect::set(&sessions, &provider.as_str().into(), session);
    browser::save(StorageArea::Session, SESSIONS, &sessions).await;
}

/// Which hosts are asked through the native host.
pub(crate) async fn load_routes() -> Routes {
    load(StorageArea::Local, ROUTES).await.unwrap_or_default()
}

/// Remembers which hosts are asked through the native host.
pub(crate) async fn save_routes(routes: &Routes) {
    if let Ok(value) = to_js(routes) {
        browser::save(StorageArea::Local, ROUTES, &value).await;
    }
}

/// Which programs were allowed which roles.
pub(crate) async fn load_allowed() -> Vec<Allowed> {
    load(StorageArea::Session, ALLOWED).await.unwrap_or_default()
}

/// Remembers which programs were allowed which roles.
pub(crate) async fn save_allowed(allowed: &[Allowed]) {
    if let Ok(value) = to_js(&allowed) {
        browser::save(StorageArea::Session, ALLOWED, &value).await;
    }
}

/// The organisation's settings. Empty without a policy.
pub(crate) async fn load_policy() -> Reading {
    let policy = browser::load(StorageArea::Managed, None).await;
    if !policy.is_object() {
        return Reading::default();
    }
    let reading = match serde_wasm_bindgen::from_value(policy) {
        Ok(policy) => Reading::from_json(&policy),
        Err(_) => Reading::lost(SettingsError::NotADocument),
    };
    reading.at("The organisation's policy")
}

/// A message as the browser wants it.
pub(crate) fn to_js(value: &impl Serialize) -> Result<JsValue, serde_wasm_bindgen::Error> {
    value.serialize(&serde_wasm_bindgen::Serializer::json_compatible())
}

async fn load<T: DeserializeOwned>(area: StorageArea, key: &str) -> Option<T> {
    // What an older version stored and this one cannot read is done without.
    serde_wasm_bindgen::from_value(browser::load(area, Some(key)).await).ok()
}

const ALLOWED: &str = "allowed";
const SESSIONS: &str = "sessions";
const ROUTES: &str = "nativeRoutes";
const LAST_OUTCOME: &str = "lastOutcome";
