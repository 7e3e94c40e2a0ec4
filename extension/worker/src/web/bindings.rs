//! The functions of the WebExtensions API that are in use, as the browser has them.

use js_sys::{Object, Promise};
use wasm_bindgen::prelude::*;

use crate::browser::TabId;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(catch, js_name = fetch)]
    pub(super) fn global_fetch(url: &str, options: &Object) -> Result<Promise, JsValue>;

    /// `browser` or `chrome`.
    pub(super) type Api;
    #[wasm_bindgen(method, getter)]
    pub(super) fn identity(this: &Api) -> Identity;
    #[wasm_bindgen(method, getter)]
    pub(super) fn notifications(this: &Api) -> Notifications;
    #[wasm_bindgen(method, getter)]
    pub(super) fn permissions(this: &Api) -> Permissions;
    #[wasm_bindgen(method, getter)]
    pub(super) fn runtime(this: &Api) -> Runtime;
    #[wasm_bindgen(method, getter)]
    pub(super) fn storage(this: &Api) -> Storage;
    #[wasm_bindgen(method, getter)]
    pub(super) fn tabs(this: &Api) -> Tabs;
    #[wasm_bindgen(method, getter, js_name = contextualIdentities)]
    pub(super) fn containers(this: &Api) -> ContextualIdentities;

    #[wasm_bindgen(method, getter)]
    pub(super) fn action(this: &Api) -> Action;
    #[wasm_bindgen(method, getter)]
    pub(super) fn alarms(this: &Api) -> Alarms;
    #[wasm_bindgen(method, getter)]
    pub(super) fn omnibox(this: &Api) -> Omnibox;
    #[wasm_bindgen(method, getter)]
    pub(super) fn windows(this: &Api) -> Windows;
    #[wasm_bindgen(method, getter, js_name = tabGroups)]
    pub(super) fn tab_groups(this: &Api) -> TabGroups;

    pub(super) type TabGroups;
    #[wasm_bindgen(method, catch, js_name = query)]
    pub(super) fn query_groups(this: &TabGroups, query: &Object) -> Result<Promise, JsValue>;
    #[wasm_bindgen(method, catch, js_name = update)]
    pub(super) fn update_group(
        this: &TabGroups,
        group: &JsValue,
        properties: &Object,
    ) -> Result<Promise, JsValue>;

    #[wasm_bindgen(method, getter, js_name = contextMenus)]
    pub(super) fn context_menus(this: &Api) -> ContextMenus;

    pub(super) type ContextMenus;
    #[wasm_bindgen(method, catch, js_name = create)]
    pub(super) fn create_item(this: &ContextMenus, properties: &Object) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, catch, js_name = removeAll)]
    pub(super) fn remove_all(this: &ContextMenus) -> Result<JsValue, JsValue>;

    pub(super) type Action;
    #[wasm_bindgen(method, catch, js_name = setBadgeText)]
    pub(super) fn set_badge_text(this: &Action, details: &Object) -> Result<Promise, JsValue>;
    #[wasm_bindgen(method, catch, js_name = setBadgeBackgroundColor)]
    pub(super) fn set_badge_background_color(this: &Action, details: &Object) -> Result<Promise, JsValue>;
    #[wasm_bindgen(method, catch, js_name = setBadgeTextColor)]
    pub(super) fn set_badge_text_color(this: &Action, details: &Object) -> Result<Promise, JsValue>;

    pub(super) type Omnibox;
    #[wasm_bindgen(method, catch, js_name = setDefaultSuggestion)]
    pub(super) fn set_default_suggestion(this: &Omnibox, suggestion: &Object) -> Result<JsValue, JsValue>;

    pub(super) type Alarms;
    #[wasm_bindgen(method, catch, js_name = create)]
    pub(super) fn create_alarm(this: &Alarms, name: &str, info: &Object) -> Result<JsValue, JsValue>;

    pub(super) type Windows;
    #[wasm_bindgen(method, catch, js_name = create)]
    pub(super) fn create_window(this: &Windows, data: &Object) -> Result<Promise, JsValue>;
    #[wasm_bindgen(method, catch)]
    pub(super) fn remove(this: &Windows, id: i32) -> Result<Promise, JsValue>;
    #[wasm_bindgen(method, catch, js_name = update)]
    pub(super) fn update_window(this: &Windows, id: i32, data: &Object) -> Result<Promise, JsValue>;
    #[wasm_bindgen(method, getter, js_name = onCreated)]
    pub(super) fn created_event(this: &Windows) -> Event;

    pub(super) type Identity;
    #[wasm_bindgen(method, js_name = getRedirectURL)]
    pub(super) fn get_redirect_url(this: &Identity) -> String;
    #[wasm_bindgen(method, catch, js_name = launchWebAuthFlow)]
    pub(super) fn launch_web_auth_flow(this: &Identity, details: &Object) -> Result<Promise, JsValue>;

    pub(super) type Notifications;
    #[wasm_bindgen(method, catch)]
    pub(super) fn create(this: &Notifications, id: &str, options: &Object) -> Result<Promise, JsValue>;
    #[wasm_bindgen(method, catch)]
    pub(super) fn clear(this: &Notifications, id: &str) -> Result<Promise, JsValue>;

    pub(super) type Permissions;
    #[wasm_bindgen(method, catch)]
    pub(super) fn contains(this: &Permissions, permissions: &Object) -> Result<Promise, JsValue>;

    pub(super) type Runtime;
    #[wasm_bindgen(method, catch, js_name = connectNative)]
    pub(super) fn connect_native(this: &Runtime, name: &str) -> Result<JsPort, JsValue>;
    #[wasm_bindgen(method, js_name = getManifest)]
    pub(super) fn get_manifest(this: &Runtime) -> Object;
    #[wasm_bindgen(method, js_name = getURL)]
    pub(super) fn get_url(this: &Runtime, path: &str) -> String;
    #[wasm_bindgen(method, getter, js_name = lastError)]
    pub(super) fn last_error(this: &Runtime) -> JsValue;

    pub(super) type Storage;
    #[wasm_bindgen(method, getter)]
    pub(super) fn session(this: &Storage) -> Area;
    #[wasm_bindgen(method, getter)]
    pub(super) fn local(this: &Storage) -> Area;
    #[wasm_bindgen(method, getter)]
    pub(super) fn managed(this: &Storage) -> Area;

    /// One of the storage areas.
    pub(super) type Area;
    #[wasm_bindgen(method, catch)]
    pub(super) fn get(this: &Area, keys: &JsValue) -> Result<Promise, JsValue>;
    #[wasm_bindgen(method, catch)]
    pub(super) fn set(this: &Area, items: &Object) -> Result<Promise, JsValue>;
    #[wasm_bindgen(method, catch, js_name = remove)]
    pub(super) fn remove_item(this: &Area, key: &str) -> Result<Promise, JsValue>;

    pub(super) type Tabs;
    #[wasm_bindgen(method, catch, js_name = create)]
    pub(super) fn create_tab(this: &Tabs, properties: &Object) -> Result<Promise, JsValue>;
    #[wasm_bindgen(method, catch, js_name = get)]
    pub(super) fn get_tab(this: &Tabs, id: TabId) -> Result<Promise, JsValue>;
    #[wasm_bindgen(method, catch, js_name = query)]
    pub(super) fn query_tabs(this: &Tabs, query: &Object) -> Result<Promise, JsValue>;
    #[wasm_bindgen(method, catch, js_name = group)]
    pub(super) fn group_tabs(this: &Tabs, options: &Object) -> Result<Promise, JsValue>;
    #[wasm_bindgen(method, catch, js_name = update)]
    pub(super) fn update_tab(this: &Tabs, id: TabId, properties: &Object) -> Result<Promise, JsValue>;

    /// Firefox's containers.
    pub(super) type ContextualIdentities;
    #[wasm_bindgen(method, catch)]
    pub(super) fn query(this: &ContextualIdentities, details: &Object) -> Result<Promise, JsValue>;
    #[wasm_bindgen(method, catch, js_name = create)]
    pub(super) fn create_container(this: &ContextualIdentities, details: &Object)
    -> Result<Promise, JsValue>;

    /// An alarm that went off.
    pub type Alarm;
    /// Its name.
    #[wasm_bindgen(method, getter, js_name = name)]
    pub fn name(this: &Alarm) -> String;

    /// A port to a page or to the native host.
    #[derive(Clone)]
    pub type JsPort;
    /// Which page it is.
    #[wasm_bindgen(method, getter)]
    pub fn name(this: &JsPort) -> String;
    #[wasm_bindgen(method, catch, js_name = postMessage)]
    pub(super) fn post_message(this: &JsPort, message: &JsValue) -> Result<(), JsValue>;
    /// Closes the port from this side.
    #[wasm_bindgen(method, js_name = disconnect)]
    pub fn close(this: &JsPort);
    #[wasm_bindgen(method, getter)]
    pub(super) fn error(this: &JsPort) -> JsValue;
    #[wasm_bindgen(method, getter, js_name = onMessage)]
    pub(super) fn message_event(this: &JsPort) -> Event;
    #[wasm_bindgen(method, getter, js_name = onDisconnect)]
    pub(super) fn disconnect_event(this: &JsPort) -> Event;

    pub(super) type Event;
    #[wasm_bindgen(method, js_name = addListener)]
    pub(super) fn add_listener(this: &Event, listener: &JsValue);
    #[wasm_bindgen(method, js_name = removeListener)]
    pub(super) fn remove_listener(this: &Event, listener: &JsValue);
}
