//! The port to the worker, opened again whenever it closes: the browser ends an idle worker, and starts it when a port
//! is opened.

use std::cell::{Cell, OnceCell, RefCell};
use std::rc::Rc;

use gloo_timers::callback::Timeout;
use js_sys::{Array, Function};
use rolecall_core::message::ui::{Intent, ToPage};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast as _, JsValue};
use web_sys::console;

use crate::browser::{Api, Port};
use crate::codec;

/// A page's line to the worker.
pub(crate) struct Connection {
    api: Api,
    name: String,
    port: RefCell<Option<Port>>,
    listeners: OnceCell<Listeners>,
    /// How often in a row the port closed before a message came.
    failures: Cell<u32>,
}

/// The port that the page has opened before this code was loaded, unless it has closed, and what came on it.
#[derive(Default)]
pub(crate) struct Opening {
    port: Option<Port>,
    early: Array,
}

impl Opening {
    /// `port` is undefined if it has closed.
    pub(crate) fn new(port: Port, early: Array) -> Self {
        Self { port: Some(port).filter(|port| !port.is_undefined()), early }
    }
}

struct Listeners {
    message: Function,
    disconnect: Function,
}

impl Connection {
    /// Goes on with the line, or opens it, on ports of this name. Every message of the worker goes to `on_message`.
    pub(crate) fn open(
        api: Api,
        name: impl Into<String>,
        opening: Opening,
        on_message: impl Fn(ToPage) + 'static,
    ) -> Rc<Self> {
        let connection = Rc::new(Self {
            api,
            name: name.into(),
            port: RefCell::default(),
            listeners: OnceCell::new(),
            failures: Cell::new(0),
        });
        let on_message = Rc::new(on_message);
        let (this, handle) = (Rc::clone(&connection), Rc::clone(&on_message));
        let message = Closure::<dyn Fn(JsValue)>::new(move |message| this.receive(&message, &*handle));
        let this = Rc::clone(&connection);
        let disconnect = Closure::<dyn Fn()>::new(move || this.closed());
        // They live as long as the page: a port may be opened again at any time.
        connection.listeners.get_or_init(|| Listeners {
            message: message.into_js_value().unchecked_into(),
            disconnect: disconnect.into_js_value().unchecked_into(),
        });
        match opening.port {
            Some(port) => connection.listen(port),
            None => connection.connect(),
        }
        for message in opening.early.iter() {
            connection.receive(&message, &*on_message);
        }
        connection
    }

    /// Sends an intent. Where the port turns out to be closed, it is opened and the intent sent again.
    pub(crate) fn send(&self, intent: &Intent) {
        let message = match codec::encode(intent) {
            Ok(message) => message,
            Err(error) => {
                return console::error_2(&"Rolecall cannot say what was asked for:".into(), &error);
            }
        };
        if !self.post(&message) {
            self.connect();
            self.post(&message);
        }
    }

    fn post(&self, message: &JsValue) -> bool {
        self.port.borrow().as_ref().is_some_and(|port| port.post_message(message).is_ok())
    }

    fn listen(&self, port: Port) {
        if let Some(listeners) = self.listeners.get() {
            port.on_message().add_listener(&listeners.message);
            port.on_disconnect().add_listener(&listeners.disconnect);
            self.port.replace(Some(port));
        }
    }

    fn connect(&self) {
        match self.api.open_port(&self.name) {
            Ok(port) => self.listen(port),
            // The extension was updated or removed while the page was open: there is nothing left to connect to.
            Err(error) => console::warn_2(&"Rolecall is gone; open this page again:".into(), &error),
        }
    }

    fn receive(&self, message: &JsValue, on_message: &impl Fn(ToPage)) {
        self.failures.set(0);
        match codec::decode(message) {
            Ok(message) => on_message(message),
            Err(error) => console::error_2(&"Rolecall cannot read what the background sent:".into(), &error),
        }
    }

    fn closed(self: &Rc<Self>) {
        self.api.take_last_error();
        self.port.replace(None);
        let failures = self.failures.get();
        self.failures.set(failures.saturating_add(1));
        let wait = LONGEST_WAIT.min(FIRST_WAIT << failures.min(8));
        let this = Rc::clone(self);
        Timeout::new(wait, move || {
            // Sending may have opened it in the meantime.
            if this.port.borrow().is_none() {
                this.connect();
            }
        })
        .forget();
    }
}

/// In milliseconds: a worker that was put to sleep is back before anybody notices.
const FIRST_WAIT: u32 = 20;
/// In milliseconds: one that cannot start is not pestered.
const LONGEST_WAIT: u32 = 5_000;
