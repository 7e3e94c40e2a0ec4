//! Changes to the document that leave alone what is already as it should be: assistive technology speaks of every
//! change of a live region, and a person's selection of text is lost with the node it is in.
//!
//! What cannot be shown is taken out of every text here: clippy refuses every other way (`extension/clippy.toml`).
//!
//! If the browser refuses a call in this module, the package is broken: an element is missing or misnamed. A JavaScript
//! exception then says so ([`or_throw`]), and the page no longer works, since what was borrowed in its `RefCell`s is never
//! given back. Errors that are returned from function to function would make the module 10 KB larger.

use rolecall_core::text;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue, throw_str, throw_val};
use web_sys::{Document, Element, Event, EventTarget, HtmlElement, HtmlTemplateElement, Node, console};

use crate::view::Piece;

/// The element with this id below `root`.
pub(crate) fn by_id<T: JsCast>(root: &Element, id: &str) -> T {
    select(root, &format!("#{id}"))
}

/// The part of this name in a copy of a template.
pub(crate) fn part<T: JsCast>(root: &Element, name: &str) -> T {
    select(root, &format!("[data-part={name}]"))
}

/// A copy of what a template holds.
pub(crate) fn copy(template: &HtmlTemplateElement) -> HtmlElement {
    let content = or_throw(template.content().clone_node_with_deep(true));
    let element = content.unchecked_into::<web_sys::DocumentFragment>().first_element_child();
    element
        .and_then(|element| element.dyn_into().ok())
        .unwrap_or_else(|| throw_str("a template of the page is empty"))
}

/// Sets a node's text.
#[expect(clippy::disallowed_methods, reason = "the text has been made printable")]
pub(crate) fn set_text(node: &Node, text: &str) {
    let text = &*text::on_lines(text);
    if node.text_content().as_deref() != Some(text) {
        node.set_text_content(Some(text));
    }
}

/// Sets a text of which pieces are marked.
#[expect(clippy::disallowed_methods, reason = "the text has been made printable")]
pub(crate) fn set_pieces(element: &Element, pieces: &[Piece], document: &Document) {
    element.replace_children_with_node_0();
    for piece in pieces {
        let text = text::on_lines(&piece.text);
        let node: Node = if piece.hit {
            let mark = or_throw(document.create_element("mark"));
            mark.set_text_content(Some(&text));
            mark.into()
        } else {
            document.create_text_node(&text).into()
        };
        or_throw(element.append_child(&node));
    }
}

/// Sets an attribute, or removes it.
#[expect(clippy::disallowed_methods, reason = "the value has been made printable")]
pub(crate) fn set_attribute(element: &Element, name: &str, value: Option<&str>) {
    match value.map(text::on_lines).as_deref() {
        Some(value) if element.get_attribute(name).as_deref() != Some(value) => {
            or_throw(element.set_attribute(name, value));
        }
        None if element.has_attribute(name) => or_throw(element.remove_attribute(name)),
        _ => {}
    }
}

/// Sets an attribute that is "true" or "false".
pub(crate) fn set_state(element: &Element, name: &str, value: bool) {
    set_attribute(element, name, Some(if value { "true" } else { "false" }));
}

/// Shows or hides an element.
pub(crate) fn show(element: &HtmlElement, shown: bool) {
    if element.hidden() == shown {
        element.set_hidden(!shown);
    }
}

/// Gives a marker its colour. What is not a colour is ignored by the browser, and the page's own remains.
pub(crate) fn set_marker(marker: &HtmlElement, color: &str) {
    set_style(marker, "background-color", "");
    set_style(marker, "background-color", color);
}

/// Sets a property of an element's style.
pub(crate) fn set_style(element: &HtmlElement, property: &str, value: &str) {
    or_throw(element.style().set_property(property, value));
}

/// Gives an element the focus. It does no harm if that fails.
pub(crate) fn focus(element: &HtmlElement) {
    if let Err(error) = element.focus() {
        console::error_2(&"The focus cannot be moved:".into(), &error);
    }
}

/// The element itself, or the closest one around it, that the selector means.
pub(crate) fn closest(element: &Element, selector: &str) -> Option<Element> {
    or_throw(element.closest(selector))
}

/// Makes these the children of `parent`, in this order, moving as few as possible.
pub(crate) fn arrange(parent: &Element, children: &[&HtmlElement]) {
    let mut next = parent.first_element_child();
    for child in children {
        if next.as_ref().is_some_and(|next| next.is_same_node(Some(child))) {
            next = next.and_then(|next| next.next_element_sibling());
        } else {
            or_throw(parent.insert_before(child, next.as_deref()));
        }
    }
    while let Some(surplus) = next {
        next = surplus.next_element_sibling();
        surplus.remove();
    }
}

/// Calls `handler` for every event of a type, as long as the page lives.
pub(crate) fn listen<E: JsCast + 'static>(target: &EventTarget, event: &str, handler: impl Fn(E) + 'static) {
    let closure = Closure::<dyn Fn(Event)>::new(move |event: Event| handler(event.unchecked_into()));
    or_throw(target.add_event_listener_with_callback(event, closure.into_js_value().unchecked_ref()));
}

/// The value, or the exception that JavaScript has in its place.
pub(crate) fn or_throw<T>(result: Result<T, JsValue>) -> T {
    result.unwrap_or_else(|error| throw_val(error))
}

fn select<T: JsCast>(root: &Element, selector: &str) -> T {
    or_throw(root.query_selector(selector))
        .and_then(|element| element.dyn_into().ok())
        .unwrap_or_else(|| throw_str(&format!("the page lacks {selector}")))
}
