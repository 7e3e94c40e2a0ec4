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
//! | Which role fits what was typed? | `rolecall_core::search` |
//! | How long are credentials good for, in words? | `time` |
//! | What does it say? | `words` |
//! | What does the question of a program look like, and who answers it? | `approval` |
//! | How does a view get into the document? | `page` |
//! | How do events get out of it? | `popup` |
//! | What is asked of the browser? | `browser`, `connection`, `codec` |

mod approval;
mod browser;
mod codec;
mod connection;
mod dom;
mod model;
#[cfg(all(test, target_arch = "wasm32"))]
mod opened;
mod page;
mod popup;
mod time;
mod view;
mod words;

use js_sys::Array;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{UnwrapThrowExt as _, throw_str};

use browser::Port;
use connection::Opening;
use dom::or_throw;

/// Binds `popup.html`, or `popup.html#SEARCH` in a window of its own. Called once, by `popup.js`, with the port to the
/// background and what came on it so far.
#[wasm_bindgen]
pub fn popup(port: Port, early: Array) {
    let search: String = or_throw(js_sys::decode_uri_component(&fragment())).into();
    popup::Popup::open(&body(), or_throw(browser::api()), Opening::new(port, early), &search);
}

/// Binds `approval.html#ID`, as [`popup`] does.
#[wasm_bindgen]
pub fn approval(port: Port, early: Array) {
    let id = fragment().parse();
    let id = id.unwrap_or_else(|_| throw_str("the page's address names no question"));
    approval::Approval::open(&body(), or_throw(browser::api()), Opening::new(port, early), id);
}

/// What the page's address ends with.
fn fragment() -> String {
    let fragment = or_throw(web_sys::window().unwrap_throw().location().hash());
    fragment.trim_start_matches('#').to_owned()
}

fn body() -> web_sys::Element {
    let document = web_sys::window().and_then(|window| window.document()).unwrap_throw();
    document.body().expect_throw("the page has no body").into()
}
