//! A page in a document of the test's, a stand-in for the extension API, and a person's hands.

use js_sys::{Array, Function, Object, Promise, Reflect};
use rolecall_core::message::ui::Intent;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    Document, DomParser, Element, Event, EventInit, HtmlElement, HtmlInputElement, KeyboardEvent,
    KeyboardEventInit, MouseEvent, MouseEventInit, SupportedType,
};

use crate::approval::Approval;
use crate::browser::Api;
use crate::codec;
use crate::connection::Opening;
use crate::popup::Popup;
use crate::view::fixture::Scene;

/// An open page. It leaves the document when the test is over.
pub(crate) struct Opened {
    root: Element,
    browser: Browser,
}

#[wasm_bindgen]
extern "C" {
    /// What [`BROWSER`] makes.
    type Browser;

    #[wasm_bindgen(method, getter)]
    fn posted(this: &Browser) -> Array;

    #[wasm_bindgen(method, getter)]
    fn asked(this: &Browser) -> Array;

    #[wasm_bindgen(method, getter)]
    fn copied(this: &Browser) -> Array;

    #[wasm_bindgen(method)]
    fn say(this: &Browser, state: &JsValue);

    #[wasm_bindgen(method)]
    fn close(this: &Browser);

    #[wasm_bindgen(method, js_name = breakPort)]
    fn break_port(this: &Browser);

    #[wasm_bindgen(method, js_name = nextPort)]
    fn next_port(this: &Browser) -> Promise;
}

impl Opened {
    /// A popup that has heard nothing yet.
    pub(crate) fn new() -> Self {
        Self::after_typing("")
    }

    /// A popup that shows a state.
    pub(crate) fn with(state: &Scene) -> Self {
        let popup = Self::new();
        popup.receive(state);
        popup
    }

    /// A popup in which somebody typed before it was bound.
    pub(crate) fn after_typing(text: &str) -> Self {
        Self::page(POPUP, |root, api| {
            let search = root.query_selector("#search").unwrap().unwrap();
            search.unchecked_into::<HtmlInputElement>().set_value(text);
            Popup::open(root, api, Opening::default(), "");
        })
    }

    /// A popup in a window of its own, opened with this search.
    pub(crate) fn in_window(search: &str) -> Self {
        Self::page(POPUP, |root, api| Popup::open(root, api, Opening::default(), search))
    }

    /// Gives the page its style sheets, so that it has a layout.
    pub(crate) fn dress(&self) {
        let style = document().create_element("style").unwrap();
        style.append_with_str_1(STYLE).unwrap();
        self.root.append_child(&style).unwrap();
    }

    /// The window of the question of this id, which has heard nothing yet.
    pub(crate) fn question(id: u32) -> Self {
        Self::page(APPROVAL, |root, api| Approval::open(root, api, Opening::default(), id))
    }

    fn page(html: &str, bind: impl FnOnce(&Element, Api)) -> Self {
        let page = DomParser::new().unwrap().parse_from_string(html, SupportedType::TextHtml).unwrap();
        let root = document().create_element("div").unwrap();
        root.append_with_node(&Array::from(&page.body().unwrap().children())).unwrap();
        document().body().unwrap().append_child(&root).unwrap();
        let browser: JsValue = Function::new_no_args(BROWSER).call0(&JsValue::NULL).unwrap();
        bind(&root, browser.clone().unchecked_into());
        Self { root, browser: browser.unchecked_into() }
    }

    /// The worker tells of everything.
    pub(crate) fn receive(&self, scene: &Scene) {
        for message in scene.clone().messages() {
            self.browser.say(&codec::encode(&message).unwrap());
        }
    }

    /// What the worker heard, on all ports.
    pub(crate) fn posted(&self) -> Vec<Intent> {
        self.browser.posted().iter().map(|intent| codec::decode(&intent).unwrap()).collect()
    }

    /// The hosts that the person was asked to allow.
    pub(crate) fn asked_hosts(&self) -> Vec<String> {
        self.browser.asked().iter().filter_map(|host| host.as_string()).collect()
    }

    pub(crate) fn deny_hosts(&self) {
        Reflect::set(&self.browser, &"granted".into(), &JsValue::FALSE).unwrap();
    }

    /// The worker goes away, and the page hears of it.
    pub(crate) fn close_port(&self) {
        self.browser.close();
    }

    /// The worker goes away, and the page has not heard of it yet.
    pub(crate) fn break_port(&self) {
        self.browser.break_port();
    }

    /// The port that is opened next.
    pub(crate) fn next_port(&self) -> impl Future<Output = JsValue> + use<> {
        let next = JsFuture::from(self.browser.next_port());
        async move { next.await.unwrap() }
    }

    /// Lets everything that is ready to go on do so.
    pub(crate) async fn settle(&self) {
        // A message to oneself comes after all that was promised before.
        let turn = Function::new_no_args(
            "return new Promise(done => { const { port1, port2 } = new MessageChannel(); port1.onmessage = () => { port1.close(); done(); }; port2.postMessage(0); })",
        );
        let turn: Promise = turn.call0(&JsValue::NULL).unwrap().unchecked_into();
        JsFuture::from(turn).await.unwrap();
    }

    /// Scrolls the list, and waits until the page has heard of it.
    pub(crate) async fn scroll_to(&self, top: i32) {
        let list = self.get("#roles");
        list.set_scroll_top(top);
        let scrolled = Function::new_with_args(
            "list",
            "return new Promise(done => list.addEventListener('scroll', done, { once: true }))",
        );
        let scrolled: Promise = scrolled.call1(&JsValue::NULL, &list).unwrap().unchecked_into();
        JsFuture::from(scrolled).await.unwrap();
    }

    /// The names of the options in sight, from top to bottom.
    pub(crate) fn in_sight(&self) -> Vec<String> {
        let list = self.get("#roles").get_bounding_client_rect();
        let options = self.root.query_selector_all("[role=option]").unwrap();
        let options =
            (0..options.length()).map(|index| options.item(index).unwrap().unchecked_into::<Element>());
        options
            .filter(|option| {
                let place = option.get_bounding_client_rect();
                place.top() >= list.top() && place.bottom() <= list.bottom()
            })
            .map(|option| option.get_attribute("aria-label").unwrap())
            .collect()
    }

    /// Waits for an element's text to change.
    pub(crate) async fn next_change_of(&self, selector: &str) {
        let changed = Function::new_with_args(
            "node",
            "return new Promise(done => new MutationObserver(done).observe(node, { characterData: true, childList: true, subtree: true }))",
        );
        let changed: Promise = changed.call1(&JsValue::NULL, &self.get(selector)).unwrap().unchecked_into();
        JsFuture::from(changed).await.unwrap();
    }

    /// Waits for an element's attribute to change.
    pub(crate) async fn next_attribute_of(&self, selector: &str) {
        let changed = Function::new_with_args(
            "node",
            "return new Promise(done => new MutationObserver(done).observe(node, { attributes: true }))",
        );
        let changed: Promise = changed.call1(&JsValue::NULL, &self.get(selector)).unwrap().unchecked_into();
        JsFuture::from(changed).await.unwrap();
    }

    pub(crate) fn get(&self, selector: &str) -> HtmlElement {
        let found = self.root.query_selector(selector).unwrap();
        found.unwrap_or_else(|| panic!("nothing is {selector}")).unchecked_into()
    }

    /// The button of this accessible name.
    pub(crate) fn button(&self, name: &str) -> HtmlElement {
        let buttons = self.root.query_selector_all("button").unwrap();
        (0..buttons.length())
            .map(|index| buttons.item(index).unwrap().unchecked_into::<HtmlElement>())
            .filter(|button| button.closest("[hidden]").unwrap().is_none())
            .find(|button| {
                button.get_attribute("aria-label").or(button.text_content()).as_deref() == Some(name)
            })
            .unwrap_or_else(|| panic!("no button is named {name}"))
    }

    pub(crate) fn search(&self) -> HtmlInputElement {
        self.get("#search").unchecked_into()
    }

    pub(crate) fn text(&self, selector: &str) -> String {
        self.get(selector).text_content().unwrap_or_default()
    }

    /// Whether there is such an element and it is not hidden.
    pub(crate) fn is_shown(&self, selector: &str) -> bool {
        self.root
            .query_selector(selector)
            .unwrap()
            .is_some_and(|element| element.closest("[hidden]").unwrap().is_none())
    }

    /// The texts of these elements, as far as they are not hidden.
    pub(crate) fn shown_texts(&self, selector: &str) -> Vec<String> {
        let found = self.root.query_selector_all(selector).unwrap();
        (0..found.length())
            .map(|at| found.item(at).unwrap().unchecked_into::<Element>())
            .filter(|element| element.closest("[hidden]").unwrap().is_none())
            .map(|element| element.text_content().unwrap())
            .collect()
    }

    /// What was copied to the clipboard.
    pub(crate) fn copied(&self) -> Vec<String> {
        self.browser.copied().iter().filter_map(|text| text.as_string()).collect()
    }

    /// The names of the options, in their order.
    pub(crate) fn options(&self) -> Vec<String> {
        let options = self.root.query_selector_all("[role=listbox] [role=option]").unwrap();
        (0..options.length())
            .map(|index| {
                options.item(index).unwrap().unchecked_into::<Element>().get_attribute("aria-label").unwrap()
            })
            .collect()
    }

    /// The one selected option.
    pub(crate) fn selected(&self) -> Option<Element> {
        let selected = self.root.query_selector_all("[role=option][aria-selected=true]").unwrap();
        assert!(selected.length() <= 1, "more than one option is selected");
        selected.item(0).map(wasm_bindgen::JsCast::unchecked_into)
    }

    pub(crate) fn selected_name(&self) -> String {
        self.selected().and_then(|option| option.get_attribute("aria-label")).unwrap_or_default()
    }

    /// The id of what has the focus.
    pub(crate) fn focused(&self) -> String {
        document().active_element().map(|element| element.id()).unwrap_or_default()
    }

    /// Presses a key in the search; returns whether the page took it.
    pub(crate) fn key(&self, key: &str) -> bool {
        self.key_in("#search", key)
    }

    /// Presses a key in an element; returns whether the page took it.
    pub(crate) fn key_in(&self, selector: &str, key: &str) -> bool {
        self.press(selector, key, false)
    }

    /// Presses a key in the search together with Ctrl; returns whether the page took it.
    pub(crate) fn key_with_ctrl(&self, key: &str) -> bool {
        self.press("#search", key, true)
    }

    fn press(&self, selector: &str, key: &str, with_ctrl: bool) -> bool {
        let init = KeyboardEventInit::new();
        let unshifted = key.strip_prefix("Shift+");
        init.set_shift_key(unshifted.is_some());
        init.set_key(unshifted.unwrap_or(key));
        init.set_ctrl_key(with_ctrl);
        init.set_bubbles(true);
        init.set_cancelable(true);
        let event = KeyboardEvent::new_with_keyboard_event_init_dict("keydown", &init).unwrap();
        !self.get(selector).dispatch_event(&event).unwrap()
    }

    pub(crate) fn type_text(&self, text: &str) {
        self.search().set_value(text);
        let init = EventInit::new();
        init.set_bubbles(true);
        self.search().dispatch_event(&Event::new_with_event_init_dict("input", &init).unwrap()).unwrap();
    }

    pub(crate) fn click(&self, selector: &str) {
        self.get(selector).click();
    }

    /// Presses the right button of the mouse; returns whether the page took it.
    pub(crate) fn right_click(&self, selector: &str) -> bool {
        let init = MouseEventInit::new();
        init.set_bubbles(true);
        init.set_cancelable(true);
        let event = MouseEvent::new_with_mouse_event_init_dict("contextmenu", &init).unwrap();
        !self.get(selector).dispatch_event(&event).unwrap()
    }

    pub(crate) fn double_click(&self, selector: &str) {
        let init = MouseEventInit::new();
        init.set_bubbles(true);
        let event = MouseEvent::new_with_mouse_event_init_dict("dblclick", &init).unwrap();
        self.get(selector).dispatch_event(&event).unwrap();
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        self.root.remove();
    }
}

/// The name under which a port was opened.
pub(crate) fn port_name(port: &JsValue) -> String {
    let info = Reflect::get(port, &"info".into()).unwrap();
    Reflect::get(&info.unchecked_into::<Object>(), &"name".into()).unwrap().as_string().unwrap()
}

fn document() -> Document {
    web_sys::window().unwrap().document().unwrap()
}

const POPUP: &str = include_str!("../../pages/popup.html");
const APPROVAL: &str = include_str!("../../pages/approval.html");
const STYLE: &str = concat!(include_str!("../../pages/common.css"), include_str!("../../pages/popup.css"));

/// The extension API as far as the pages use it, and the worker at the other end of the port.
const BROWSER: &str = r"
    const event = () => {
        const listeners = [];
        return { addListener: listener => listeners.push(listener), fire: (...details) => listeners.forEach(listener => listener(...details)) };
    };
    let port, opened = () => {};
    const browser = {
        posted: [],
        asked: [],
        copied: [],
        granted: true,
        runtime: {
            connect(info) {
                const fresh = { info, open: true, onMessage: event(), onDisconnect: event() };
                fresh.postMessage = message => {
                    if (!fresh.open) throw new Error('Attempting to use a disconnected port object');
                    browser.posted.push(structuredClone(message));
                };
                port = fresh;
                opened(fresh);
                return fresh;
            },
        },
        permissions: {
            request({ origins, permissions = [] }) {
                browser.asked.push(...origins ?? permissions);
                return Promise.resolve(browser.granted);
            },
            remove({ permissions: [permission] }) {
                browser.asked.push('no ' + permission);
                return Promise.resolve(true);
            },
        },
        say: state => port.onMessage.fire(structuredClone(state)),
        close() { port.open = false; port.onDisconnect.fire(port); },
        breakPort() { port.open = false; },
        nextPort: () => new Promise(resolve => { opened = resolve; }),
    };
    const clipboard = { writeText: async text => { browser.copied.push(text); } };
    Object.defineProperty(navigator, 'clipboard', { value: clipboard, configurable: true });
    return browser;
";
