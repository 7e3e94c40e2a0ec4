//! The extension's pages, bound to Rust: they show the worker's state and send it intents.
//!
//! Nothing here ever holds a secret, talks to the native host or reaches the network; all a page knows is the last
//! [`State`](rolecall_core::message::ui::State) and what a person typed since it opened. What it looks like stands in
//! `extension/pages`: the code fills in text and attributes and writes no HTML.
//!
//! | question | module |
//! |---|---|
//! | What is on the page, given a state? | `view` |
//! | What does a person's key or click change before the worker is asked? | `model` |
//! | Which role fits what was typed? | `search` |
//! | How long are credentials good for, in words? | `time` |
//! | What does it say? | `words` |
//! | How does a view get into the document? | `page` |
//! | How do events get out of it? | `popup` |
//! | What is asked of the browser? | `browser`, `connection` |

mod browser;
mod connection;
mod dom;
mod model;
mod page;
mod popup;
mod search;
mod time;
mod view;
mod words;

use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsValue, UnwrapThrowExt as _};

/// Binds `popup.html`. Called once, by `popup.js`, when the page has loaded.
#[wasm_bindgen]
pub fn popup() -> Result<(), JsValue> {
    let document = web_sys::window().and_then(|window| window.document()).unwrap_throw();
    let body = document.body().ok_or_else(|| JsValue::from_str("the page has no body"))?;
    popup::Popup::open(&body, browser::api()?)
}
