//! The question whether a program may have what it asks for: `approval.html#ID`, in a window of its own.
//!
//! The window appears while a person does something else, so nothing that they type or click at that moment counts as
//! a yes: no button has the focus, and the buttons that allow take a moment before they can be pressed.

mod view;

use std::cell::{Cell, OnceCell, RefCell};
use std::rc::Rc;

use gloo_timers::callback::{Interval, Timeout};
use rolecall_core::message::ui::{APPROVAL_PORT_PREFIX, Decision, Intent, State, ToPage};
use rolecall_core::time::Utc;
use web_sys::{Element, Event, HtmlElement, KeyboardEvent};

use crate::browser::Api;
use crate::connection::{Connection, Opening};
use crate::dom::{by_id, focus, listen, set_marker, set_state, set_text, show};
use view::View;

/// The page.
pub(crate) struct Approval {
    id: u32,
    page: Page,
    state: RefCell<Option<State>>,
    worker: OnceCell<Rc<Connection>>,
    /// Whether the question has been there long enough to have been read.
    ready: Cell<bool>,
    shown: Cell<bool>,
    second: RefCell<Option<Interval>>,
}

struct Page {
    question: HtmlElement,
    title: HtmlElement,
    role: HtmlElement,
    arn: HtmlElement,
    marker: HtmlElement,
    program: HtmlElement,
    parent: HtmlElement,
    parent_term: HtmlElement,
    advice: HtmlElement,
    allow_for_a_while: HtmlElement,
    allow_once: HtmlElement,
    refuse: HtmlElement,
    time_left: HtmlElement,
    closed: HtmlElement,
}

impl Approval {
    /// Binds the page below `root` to the question of this id.
    pub(crate) fn open(root: &Element, api: Api, opening: Opening, id: u32) {
        let approval = Rc::new(Self {
            id,
            page: Page::find(root),
            state: RefCell::default(),
            worker: OnceCell::new(),
            ready: Cell::new(false),
            shown: Cell::new(false),
            second: RefCell::default(),
        });
        approval.on_click(&approval.page.allow_for_a_while, Decision::AllowForAWhile);
        approval.on_click(&approval.page.allow_once, Decision::AllowOnce);
        approval.on_click(&approval.page.refuse, Decision::Refuse);
        let this = Rc::clone(&approval);
        listen(root, "keydown", move |event: KeyboardEvent| {
            if event.key() == "Escape" {
                this.decide(Decision::Refuse);
            }
        });
        let this = Rc::clone(&approval);
        let worker = Connection::open(api, format!("{APPROVAL_PORT_PREFIX}{id}"), opening, move |message| {
            if let ToPage::State(state) = message {
                this.state.replace(Some(*state));
                this.show();
            }
        });
        approval.worker.get_or_init(|| worker);
        let this = Rc::clone(&approval);
        approval.second.replace(Some(Interval::new(1_000, move || this.show())));
    }

    fn on_click(self: &Rc<Self>, button: &HtmlElement, decision: Decision) {
        let this = Rc::clone(self);
        listen(button, "click", move |_: Event| this.decide(decision));
    }

    fn decide(&self, decision: Decision) {
        let allowed = self.ready.get() || decision == Decision::Refuse;
        if let Some(worker) = self.worker.get().filter(|_| allowed) {
            worker.send(&Intent::Answer { approval: self.id, decision });
        }
    }

    fn show(self: &Rc<Self>) {
        let state = self.state.borrow();
        let Some(state) = &*state else { return };
        let view = View::of(state, self.id, Utc::now());
        self.page.show(view.as_ref(), self.ready.get());
        if view.is_some() && !self.shown.replace(true) {
            // Not a button: what a person types at this moment was meant for something else.
            focus(&self.page.question);
            let this = Rc::clone(self);
            Timeout::new(READING_MILLISECONDS, move || {
                this.ready.set(true);
                this.show();
            })
            .forget();
        }
    }
}

impl Page {
    fn find(root: &Element) -> Self {
        Self {
            question: by_id(root, "question"),
            title: by_id(root, "title"),
            role: by_id(root, "role"),
            arn: by_id(root, "arn"),
            marker: by_id(root, "marker"),
            program: by_id(root, "program"),
            parent: by_id(root, "parent"),
            parent_term: by_id(root, "parent-term"),
            advice: by_id(root, "advice"),
            allow_for_a_while: by_id(root, "allow-for-a-while"),
            allow_once: by_id(root, "allow-once"),
            refuse: by_id(root, "refuse"),
            time_left: by_id(root, "time-left"),
            closed: by_id(root, "closed"),
        }
    }

    fn show(&self, view: Option<&View>, ready: bool) {
        if let Some(view) = view {
            set_text(&self.title, view.title);
            set_text(&self.role, &view.role);
            set_text(&self.arn, &view.arn);
            set_marker(&self.marker, view.color.as_deref().unwrap_or_default());
            set_text(&self.program, &view.program);
            set_text(&self.parent, view.parent.as_deref().unwrap_or_default());
            show(&self.parent, view.parent.is_some());
            show(&self.parent_term, view.parent.is_some());
            set_text(&self.advice, view.advice);
            show(&self.allow_for_a_while, view.may_be_remembered);
            set_state(&self.allow_for_a_while, "aria-disabled", !ready);
            set_state(&self.allow_once, "aria-disabled", !ready);
            set_text(&self.time_left, &view.time_left);
        }
        show(&self.question, view.is_some());
        show(&self.closed, view.is_none());
    }
}

/// How long a question has to be there before it can be answered with yes, as browsers do it with their own.
const READING_MILLISECONDS: u32 = 600;

#[cfg(all(test, target_arch = "wasm32"))]
mod tests;
