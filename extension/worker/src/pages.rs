//! The ports to the pages: state out, intents in.

use std::cell::RefCell;
use std::rc::Rc;

use rolecall_core::message::ui::{APPROVAL_PORT_PREFIX, Decision, Intent, PORT_NAME, ToPage};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;

use crate::app::{self, App};
use crate::browser::Port;
use crate::{flows, store};

thread_local! {
    static PORTS: RefCell<Vec<Port>> = const { RefCell::new(Vec::new()) };
}

/// A page opened a port.
pub(crate) fn connected(port: Port, early: Vec<JsValue>) {
    let approval = port.name().strip_prefix(APPROVAL_PORT_PREFIX).and_then(|id| id.parse().ok());
    if port.name() != PORT_NAME && approval.is_none() {
        port.disconnect();
        return;
    }
    app::with(|app| {
        // Somebody looks: a host that was not there may have been installed meanwhile, or is about to be.
        app.host.look_again(app);
        let watching = Rc::clone(app);
        spawn_local(async move { watching.host.watch(&watching).await });
        send(&port, &ToPage::Roles(app.role_states()));
        send(&port, &ToPage::State(Box::new(app.state())));
        let (listening, closing) = (Rc::clone(app), Rc::clone(app));
        port.listen(
            move |message| said(&listening, message),
            move |gone| {
                PORTS.with_borrow_mut(|ports| ports.retain(|port| !js_sys::Object::is(port, &gone)));
                // Whoever closes the window has not said yes.
                if let Some(id) = approval {
                    closing.approvals.decide(id, Decision::Refuse);
                }
            },
        );
        PORTS.with_borrow_mut(|ports| ports.push(port));
        for message in early {
            said(app, message);
        }
    });
}

/// Sends a message to every page.
pub(crate) fn broadcast(message: &ToPage) {
    PORTS.with_borrow(|ports| ports.iter().for_each(|port| send(port, message)));
}

/// Whether anybody looks.
pub(crate) fn are_open() -> bool {
    PORTS.with_borrow(|ports| !ports.is_empty())
}

fn send(port: &Port, message: &ToPage) {
    if let Ok(message) = store::to_js(message) {
        // A page that has just been closed is told so by its own event.
        let _ = port.post_message(&message);
    }
}

fn said(app: &Rc<App>, message: JsValue) {
    // Only this extension's own pages can open a port; a message of another version is ignored.
    if let Ok(intent) = serde_wasm_bindgen::from_value::<Intent>(message) {
        flows::fulfil(app, intent);
    }
}
