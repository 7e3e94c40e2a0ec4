//! Changes to the document that leave alone what is already as it should be: assistive technology speaks of every
//! change of a live region, and a person's selection of text is lost with the node it is in.
//!
//! What cannot be shown is taken out of every text here: clippy refuses every other way (`extension/clippy.toml`).

use rolecall_core::text;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Document, Element, Event, EventTarget, HtmlElement, HtmlTemplateElement, Node};

use crate::view::Piece;

/// The element with this id below `root`. Throws a JavaScript exception that names the element if it is missing: then the
/// package is broken. An error returned for each element would cost 7 KB of code.
pub(crate) fn by_id<T: JsCast>(root: &Element, id: &str) -> T {
    select(root, &format!("#{id}")).unwrap_or_else(|error| wasm_bindgen::throw_val(error))
}

/// The part of this name in a copy of a template.
pub(crate) fn part<T: JsCast>(root: &Element, name: &str) -> Result<T, JsValue> {
    select(root, &format!("[data-part={name}]"))
}

/// A copy of what a template holds.
pub(crate) fn copy(template: &HtmlTemplateElement) -> Result<HtmlElement, JsValue> {
    let content = template.content().clone_node_with_deep(true)?;
    let element = content.unchecked_into::<web_sys::DocumentFragment>().first_element_child();
    element
        .and_then(|element| element.dyn_into().ok())
        .ok_or_else(|| js_sys::Error::new("a template of the page is empty").into())
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
pub(crate) fn set_pieces(element: &Element, pieces: &[Piece], document: &Document) -> Result<(), JsValue> {
    element.replace_children_with_node_0();
    for piece in pieces {
        let text = text::on_lines(&piece.text);
        let node: Node = if piece.hit {
            let mark = document.create_element("mark")?;
            mark.set_text_content(Some(&text));
            mark.into()
        } else {
            document.create_text_node(&text).into()
        };
        element.append_child(&node)?;
    }
    Ok(())
}

/// Sets an attribute, or removes it.
#[expect(clippy::disallowed_methods, reason = "the value has been made printable")]
pub(crate) fn set_attribute(element: &Element, name: &str, value: Option<&str>) -> Result<(), JsValue> {
    match value.map(text::on_lines).as_deref() {
        Some(value) if element.get_attribute(name).as_deref() != Some(value) => {
            element.set_attribute(name, value)
        }
        None if element.has_attribute(name) => element.remove_attribute(name),
        _ => Ok(()),
    }
}

/// Sets an attribute that is "true" or "false".
pub(crate) fn set_state(element: &Element, name: &str, value: bool) -> Result<(), JsValue> {
    set_attribute(element, name, Some(if value { "true" } else { "false" }))
}

/// Shows or hides an element.
pub(crate) fn show(element: &HtmlElement, shown: bool) {
    if element.hidden() == shown {
        element.set_hidden(!shown);
    }
}

/// Gives a marker its colour. What is not a colour is ignored by the browser, and the page's own remains.
pub(crate) fn set_marker(marker: &HtmlElement, color: &str) -> Result<(), JsValue> {
    let style = marker.style();
    style.remove_property("background-color")?;
    style.set_property("background-color", color)
}

/// Makes these the children of `parent`, in this order, moving as few as possible.
pub(crate) fn arrange(parent: &Element, children: &[&HtmlElement]) -> Result<(), JsValue> {
    let mut next = parent.first_element_child();
    for child in children {
        if next.as_ref().is_some_and(|next| next.is_same_node(Some(child))) {
            next = next.and_then(|next| next.next_element_sibling());
        } else {
            parent.insert_before(child, next.as_deref())?;
        }
    }
    while let Some(surplus) = next {
        next = surplus.next_element_sibling();
        surplus.remove();
    }
    Ok(())
}

/// Calls `handler` for every event of a type, as long as the page lives.
pub(crate) fn listen<E: JsCast + 'static>(
    target: &EventTarget,
    event: &str,
    handler: impl Fn(E) + 'static,
) -> Result<(), JsValue> {
    let closure = Closure::<dyn Fn(Event)>::new(move |event: Event| handler(event.unchecked_into()));
    target.add_event_listener_with_callback(event, closure.into_js_value().unchecked_ref())
}

fn select<T: JsCast>(root: &Element, selector: &str) -> Result<T, JsValue> {
    root.query_selector(selector)?
        .and_then(|element| element.dyn_into().ok())
        .ok_or_else(|| js_sys::Error::new(&format!("the page lacks {selector}")).into())
}
