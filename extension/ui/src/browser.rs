//! The few functions of the browser's extension API that pages need, as Chromium and Firefox both offer them.
//!
//! Promises, not callbacks: with manifest version 3 both browsers return them.

use js_sys::{Array, Function, Object, Promise, Reflect};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast as _, JsValue};

#[wasm_bindgen]
extern "C" {
    /// `browser` or `chrome`.
    #[derive(Clone)]
    pub(crate) type Api;

    #[wasm_bindgen(method, getter)]
    fn runtime(this: &Api) -> Runtime;

    #[wasm_bindgen(method, getter)]
    fn permissions(this: &Api) -> Permissions;

    type Runtime;

    #[wasm_bindgen(method, catch)]
    fn connect(this: &Runtime, info: &Object) -> Result<Port, JsValue>;

    #[wasm_bindgen(method, getter, js_name = lastError)]
    fn last_error(this: &Runtime) -> JsValue;

    type Permissions;

    #[wasm_bindgen(method, catch)]
    fn request(this: &Permissions, permissions: &Object) -> Result<Promise, JsValue>;

    #[wasm_bindgen(method, catch)]
    fn remove(this: &Permissions, permissions: &Object) -> Result<Promise, JsValue>;

    /// `runtime.Port`.
    pub type Port;

    #[wasm_bindgen(method, catch, js_name = postMessage)]
    pub(crate) fn post_message(this: &Port, message: &JsValue) -> Result<(), JsValue>;

    #[wasm_bindgen(method, getter, js_name = onMessage)]
    pub(crate) fn on_message(this: &Port) -> Event;

    #[wasm_bindgen(method, getter, js_name = onDisconnect)]
    pub(crate) fn on_disconnect(this: &Port) -> Event;

    /// An event of the extension API, which is not one of the document's.
    pub(crate) type Event;

    #[wasm_bindgen(method, js_name = addListener)]
    pub(crate) fn add_listener(this: &Event, listener: &Function);
}

impl Api {
    /// Opens a port to the background, which is started for it if it is asleep.
    pub(crate) fn open_port(&self, name: &str) -> Result<Port, JsValue> {
        let info = Object::new();
        Reflect::set(&info, &"name".into(), &name.into())?;
        self.runtime().connect(&info)
    }

    /// Why the last port closed. Chromium logs an error that nobody asked for.
    pub(crate) fn take_last_error(&self) -> JsValue {
        self.runtime().last_error()
    }

    /// Asks the person to allow the extension the hosts of a match pattern, or another permission. Must be called while a
    /// click is being handled; resolves to whether they did.
    pub(crate) fn request_permission(&self, permission: &str) -> Result<Promise, JsValue> {
        self.permissions().request(&permissions(permission)?)
    }

    /// Gives a permission back.
    pub(crate) fn remove_permission(&self, permission: &str) -> Result<Promise, JsValue> {
        self.permissions().remove(&permissions(permission)?)
    }
}

/// A match pattern or another permission, as the browser takes it.
fn permissions(permission: &str) -> Result<Object, JsValue> {
    let permissions = Object::new();
    let kind = if permission.split('/').nth(2).is_some() { "origins" } else { "permissions" };
    Reflect::set(&permissions, &kind.into(), &Array::of1(&permission.into()))?;
    Ok(permissions)
}

/// The API of the browser that the page runs in.
pub(crate) fn api() -> Result<Api, JsValue> {
    for name in ["browser", "chrome"] {
        let api = Reflect::get(&js_sys::global(), &name.into())?;
        if api.is_object() && Reflect::has(&api, &"runtime".into())? {
            return Ok(api.unchecked_into());
        }
    }
    Err(js_sys::Error::new("this page only works as part of the extension").into())
}
