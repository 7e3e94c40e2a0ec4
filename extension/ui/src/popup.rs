//! The popup at work: events change the model or become intents, and every change of model, state or minute is shown.

use std::cell::{Cell, OnceCell, RefCell};
use std::rc::Rc;

use gloo_timers::callback::Timeout;
use rolecall_core::console::role_and_page;
use rolecall_core::message::ui::{Intent, PORT_NAME, ToPage};
use rolecall_core::time::Utc;
use wasm_bindgen::{JsCast, UnwrapThrowExt as _};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{Element, Event, FocusEvent, HtmlElement, KeyboardEvent, console};

use crate::browser::Api;
use crate::connection::{Connection, Opening};
use crate::dom::{closest, focus, listen, or_throw, set_text};
use crate::model::{Action, Model, Move};
use crate::page::Page;
use crate::page::menu::{Item, Step, item_at};
use crate::page::providers::{AccountAction, action_at, focus_account};
use crate::view::{ActionsView, View};
use crate::{time, words};

/// The popup.
pub(crate) struct Popup {
    page: Page,
    api: Api,
    model: RefCell<Model>,
    worker: OnceCell<Rc<Connection>>,
    /// When the words for the time left change. Dropping it stops it.
    minute: RefCell<Option<Timeout>>,
    /// Whether the page is in a window of its own, to open an address of the console.
    is_window: bool,
    /// Whether the role was chosen there.
    is_chosen: Cell<bool>,
}

impl Popup {
    /// Binds the page below `root`, which lives as long as the document does. A page in a window of its own is opened with a
    /// search.
    pub(crate) fn open(root: &Element, api: Api, opening: Opening, search: &str) {
        let popup = Rc::new(Self {
            page: Page::find(root),
            api: api.clone(),
            model: RefCell::default(),
            worker: OnceCell::new(),
            minute: RefCell::default(),
            is_window: !search.is_empty(),
            is_chosen: Cell::default(),
        });
        popup.listen();
        if popup.is_window {
            popup.page.search.set_value(search);
            // What is typed there replaces the account.
            let end = u32::try_from(role_and_page(search).0.trim().len()).unwrap_or_default();
            or_throw(popup.page.search.set_selection_range(0, end));
        }
        // What was typed before this code was loaded counts.
        popup.model.borrow_mut().search(&popup.page.search.value());
        popup.show();
        focus(&popup.page.search);

        let this = Rc::clone(&popup);
        let worker = Connection::open(api, PORT_NAME, opening, move |message| this.receive(message));
        popup.worker.get_or_init(|| worker);
    }

    fn receive(self: &Rc<Self>, message: ToPage) {
        let has_roles = matches!(message, ToPage::Roles(_));
        let is_done =
            matches!(&message, ToPage::State(state) if state.done.is_some() && state.activities.is_empty());
        self.model.borrow_mut().receive(message);
        self.show();
        if self.is_window && self.is_chosen.get() && is_done {
            or_throw(web_sys::window().unwrap_throw().close());
        }
        if has_roles {
            // Once they are painted.
            self.prepare_search(ONE_FRAME);
        }
    }

    /// Gets ready for a search, in steps between which keys are answered.
    fn prepare_search(self: &Rc<Self>, delay: u32) {
        let this = Rc::clone(self);
        let step = move || {
            if this.model.borrow_mut().prepare_search() {
                this.prepare_search(0);
            }
        };
        Timeout::new(delay, step).forget();
    }

    fn show(self: &Rc<Self>) {
        let now = Utc::now();
        let model = self.model.borrow();
        let mut view = View::of(&model, &self.page.positions(&model), now);
        if self.is_window {
            // What is in front of it now is the window itself.
            view.go_on = None;
        }
        self.page.show(&model, view);

        let minute = time::until_next_change(model.expirations(), now).map(|wait| {
            let this = Rc::clone(self);
            // Rounded up: a timer that fires early would find nothing changed.
            let milliseconds = u32::try_from(wait.as_millis()).unwrap_or(u32::MAX).saturating_add(1);
            Timeout::new(milliseconds, move || this.show())
        });
        self.minute.replace(minute);
    }

    fn listen(self: &Rc<Self>) {
        let page = &self.page;
        self.on(&page.search, "input", |this, _: Event| this.typed());
        self.on(&page.search, "keydown", |this, event: KeyboardEvent| this.key(&event));
        self.on(&page.list, "scroll", |this, _: Event| this.scrolled());
        self.on(&page.list, "mousedown", |this, event: Event| this.keep_focus(&event));
        self.on(&page.list, "click", |this, event: Event| this.clicked_role(&event));
        self.on(&page.list, "dblclick", |this, event: Event| {
            if this.role_under(&event).is_some() {
                this.act_first();
            }
        });
        let [first, second] = &page.main_buttons;
        self.on(first, "click", |this, _: Event| this.act_first());
        self.on(second, "click", |this, _: Event| this.act_second());
        self.on(&page.write_profile, "click", |this, _: Event| this.act(Action::WriteProfile));
        self.on(&page.cancel, "click", |this, _: Event| this.cancel());
        self.on(&page.go_on, "click", |this, _: Event| this.go_on());
        self.on(&page.providers, "click", |this, event: Event| this.account(&event));
        self.on(&page.providers, "keydown", |this, event: KeyboardEvent| this.key_in_account(&event));
        self.on(&page.allow, "click", |this, _: Event| this.allow());
        self.on(&page.left_out_list, "click", |this, event: Event| this.clicked_again(&event));
        self.on(&page.confirm, "click", |this, _: Event| this.send(&Intent::Confirm));
        self.on(&page.dismiss, "click", |this, _: Event| this.send(&Intent::DismissProblem));
        self.on(&page.try_again, "click", |this, _: Event| this.send(&Intent::ConnectHost));
        self.on(&page.copy, "click", |this, _: Event| this.copy_command());
        self.on(&page.list, "contextmenu", |this, event: Event| {
            this.clicked_role(&event);
            if this.role_under(&event).is_some() {
                event.prevent_default();
                this.open_menu();
            }
        });
        let menu = &page.menu;
        self.on(&menu.button, "click", |this, _: Event| this.open_menu());
        self.on(&menu.element, "click", |this, event: Event| this.clicked_item(&event));
        self.on(&menu.element, "keydown", |this, event: KeyboardEvent| this.key_in_menu(&event));
        self.on(&menu.element, "focusout", |this, event: FocusEvent| this.left_menu(&event));
        // The key that opened it may ask the browser for its own menu once it is released.
        self.on(&menu.element, "contextmenu", |_, event: Event| event.prevent_default());
    }

    fn on<E: JsCast + 'static>(
        self: &Rc<Self>,
        element: &HtmlElement,
        event: &str,
        handler: impl Fn(&Rc<Self>, E) + 'static,
    ) {
        let this = Rc::clone(self);
        listen(element, event, move |event| handler(&this, event));
    }

    fn typed(self: &Rc<Self>) {
        self.model.borrow_mut().search(&self.page.search.value());
        self.page.reveal_again();
        self.show();
    }

    fn key(self: &Rc<Self>, event: &KeyboardEvent) {
        // With a modifier, a key belongs to the field or the browser; while composing, to the input method.
        let with_command = event.ctrl_key() || event.meta_key();
        let key = event.key();
        if key == "ContextMenu" || (key == "F10" && event.shift_key()) {
            event.prevent_default();
            return self.open_menu();
        }
        if event.is_composing() || event.alt_key() || event.shift_key() {
            return;
        }
        match key.as_str() {
            "Enter" if with_command => self.act_second(),
            _ if with_command => return,
            "ArrowUp" => self.go(Move::Up(1)),
            "ArrowDown" => self.go(Move::Down(1)),
            "PageUp" => self.go(Move::Up(self.page.per_page())),
            "PageDown" => self.go(Move::Down(self.page.per_page())),
            "Home" => self.go(Move::First),
            "End" => self.go(Move::Last),
            "Enter" => self.act_first(),
            // With nothing to clear, Escape closes the popup as everywhere.
            "Escape" if !self.page.search.value().is_empty() => {
                self.page.search.set_value("");
                self.typed();
            }
            _ => return,
        }
        event.prevent_default();
    }

    fn go(self: &Rc<Self>, to: Move) {
        self.model.borrow_mut().go(to);
        self.page.reveal_again();
        self.show();
    }

    fn scrolled(self: &Rc<Self>) {
        if self.page.scrolled(&self.model.borrow()) {
            self.show();
        }
    }

    /// The focus stays in the search, so that one can go on typing.
    fn keep_focus(&self, event: &Event) {
        if self.role_under(event).is_some() {
            event.prevent_default();
        }
    }

    fn clicked_role(self: &Rc<Self>, event: &Event) {
        if let Some(row) = self.role_under(event) {
            self.model.borrow_mut().select(row);
            self.show();
        }
    }

    fn open_menu(self: &Rc<Self>) {
        if self.model.borrow_mut().open_menu() {
            self.show();
            self.page.menu.enter(&self.page.document);
        }
    }

    /// Closes the menu, and gives the focus back.
    fn close_menu(self: &Rc<Self>) {
        if self.model.borrow_mut().close_menu() {
            self.page.menu.leave();
            self.show();
        }
    }

    fn key_in_menu(self: &Rc<Self>, event: &KeyboardEvent) {
        let step = match event.key().as_str() {
            "ArrowDown" => Step::Next,
            "ArrowUp" => Step::Previous,
            "Home" => Step::First,
            "End" => Step::Last,
            "Escape" | "Tab" => {
                event.prevent_default();
                return self.close_menu();
            }
            _ => return,
        };
        event.prevent_default();
        self.page.menu.step(&self.page.document, step);
    }

    /// The menu closes when the focus goes elsewhere.
    fn left_menu(self: &Rc<Self>, event: &FocusEvent) {
        let to = event.related_target();
        let stays = to.as_ref().and_then(|to| to.dyn_ref::<Element>());
        if stays.is_some_and(|to| self.page.menu.element.contains(Some(to))) {
            return;
        }
        // The focus also leaves when the menu is hidden, while the model is being shown: then it has closed already.
        let is_closed = self.model.try_borrow_mut().is_ok_and(|mut model| model.close_menu());
        if is_closed {
            self.show();
        }
    }

    fn clicked_item(self: &Rc<Self>, event: &Event) {
        let target = event.target();
        let Some(item) = target.as_ref().and_then(|target| item_at(target.dyn_ref()?)) else { return };
        match item {
            Item::OpenConsole => self.act(Action::OpenConsole),
            Item::OpenPage => {
                self.close_menu();
                return self.type_page();
            }
            Item::SignIn => self.act(Action::SignIn),
            Item::WriteProfile => self.act(Action::WriteProfile),
            Item::Refresh => self.send(&Intent::RefreshRoles),
            Item::GroupTabs => self.group_tabs(),
            Item::ForgetCredentials | Item::RemoveProfile | Item::Pin | Item::Forget | Item::ForgetAll => {
                if let Some(intent) = self.menu_intent(item) {
                    self.send(&intent);
                }
            }
            _ => {
                if let Some(text) = self.text_to_copy(item) {
                    self.copy(&text, |this| {
                        this.model.borrow_mut().tell(words::COPIED_FROM_MENU);
                        this.show();
                    });
                }
            }
        }
        self.close_menu();
    }

    /// Asks for what it takes to group the console's tabs, or gives it back. The worker hears of it from the browser.
    fn group_tabs(&self) {
        let are_grouped = self.model.borrow().state().and_then(|state| state.groups_tabs);
        let asked = match are_grouped {
            Some(true) => self.api.remove_permission(TAB_GROUPS),
            _ => self.api.request_permission(TAB_GROUPS),
        };
        match asked {
            // They may say no.
            Ok(asked) => spawn_local(async move { drop(JsFuture::from(asked).await) }),
            Err(error) => console::error_2(&"The browser cannot group tabs:".into(), &error),
        }
    }

    /// Lets the person type a page of the console behind the role.
    fn type_page(self: &Rc<Self>) {
        let search = &self.page.search;
        if !self.model.borrow().takes_page() {
            search.set_value(&[&search.value(), " > "].concat());
            self.typed();
        }
        focus(search);
    }

    /// Signs in again in the tab that was offered.
    fn go_on(&self) {
        let tab = self.model.borrow().state().and_then(|state| state.go_on.clone());
        if let Some(tab) = tab {
            self.send(&Intent::GoOn(Box::new(tab)));
        }
    }

    /// What the worker is asked for by an item that no button does as well.
    fn menu_intent(&self, item: Item) -> Option<Intent> {
        let model = self.model.borrow();
        let role = model.menu()?.key()?;
        Some(match item {
            Item::ForgetCredentials => Intent::ForgetCredentials { role },
            Item::RemoveProfile => Intent::RemoveProfile { role },
            Item::Pin => {
                let pinned = !model.state()?.pinned.contains(&role);
                Intent::Pin { role, pinned }
            }
            Item::Forget => Intent::ForgetRecent { role: Some(role) },
            _ => Intent::ForgetRecent { role: None },
        })
    }

    fn text_to_copy(&self, item: Item) -> Option<String> {
        let model = self.model.borrow();
        let role = model.menu()?;
        let mut argument = role.profile.to_owned();
        if model.state()?.providers.len() > 1 {
            argument.push_str(" --provider ");
            argument.push_str(role.provider);
        }
        Some(match item {
            Item::CopyArn => role.arn.to_owned(),
            Item::CopyProfile => role.profile.to_owned(),
            Item::CopyExec => words::exec_command(&argument),
            Item::CopyEnv(shell) => words::env_command(shell, &argument),
            _ => return None,
        })
    }

    fn role_under(&self, event: &Event) -> Option<usize> {
        self.page.role_at(event.target()?.dyn_ref()?)
    }

    /// Does what the settings want done first with the selected role.
    fn act_first(&self) {
        let [action, _] = self.model.borrow().main_actions();
        self.act(action);
    }

    /// Does the other one of what is mostly done with a role.
    fn act_second(&self) {
        let [_, action] = self.model.borrow().main_actions();
        self.act(action);
    }

    /// Asks for something to be done with the selected role, unless something is being done or it cannot be.
    fn act(&self, action: Action) {
        let intent = {
            let model = self.model.borrow();
            let possible = ActionsView::of(&model).is_some_and(|actions| {
                !actions.busy && (action != Action::WriteProfile || actions.no_profile.is_none())
            });
            let role = model.selected().filter(|_| possible);
            role.and_then(|role| Some(action.intent(role.key()?, model.page())))
        };
        if let Some(intent) = intent {
            self.is_chosen.set(true);
            self.send(&intent);
        }
    }

    /// Ends what waits for the person.
    fn cancel(&self) {
        let role = self.model.borrow().selected().and_then(|role| role.key());
        if let Some(role) = role {
            self.send(&Intent::Cancel { role });
        }
    }

    fn account(self: &Rc<Self>, event: &Event) {
        let target = event.target();
        let Some((provider, action)) = target.as_ref().and_then(|target| action_at(target.dyn_ref()?)) else {
            return;
        };
        let intent = match action {
            AccountAction::Toggle => {
                self.model.borrow_mut().toggle_account(provider);
                return self.show();
            }
            AccountAction::SignOut => Intent::SignOut { provider, end_session: false },
            AccountAction::EndSession => Intent::SignOut { provider, end_session: true },
            AccountAction::SignIn => Intent::SignInToProvider { provider },
            AccountAction::Cancel => Intent::CancelAtProvider { provider },
        };
        self.close_account(event);
        self.send(&intent);
    }

    /// Escape closes the account's actions before it closes the popup.
    fn key_in_account(self: &Rc<Self>, event: &KeyboardEvent) {
        if event.key() == "Escape" && self.close_account(event) {
            event.prevent_default();
        }
    }

    /// Hides the account's actions, of which one has the focus. Says whether they were shown.
    fn close_account(self: &Rc<Self>, event: &Event) -> bool {
        let closed = self.model.borrow_mut().close_account();
        if closed {
            // Where there is no account any more, the focus goes on to the search.
            let target = event.target();
            if let Some(target) = target.as_ref().and_then(|target| target.dyn_ref()) {
                focus_account(target);
            }
            self.show();
        }
        closed
    }

    /// Asks for the host that the problem names. The browser only does so while the click is being handled: nothing may
    /// be awaited before.
    fn allow(self: &Rc<Self>) {
        let pattern = self.model.borrow().state().and_then(|state| state.problem.as_ref()?.grant.clone());
        if let Some(pattern) = pattern {
            self.ask_for_host(&pattern, Intent::Retry);
        }
    }

    /// Has a list of roles read again, or asks for the host that it takes.
    fn clicked_again(self: &Rc<Self>, event: &Event) {
        let target = event.target();
        let Some(target) = target.as_ref().and_then(|target| target.dyn_ref::<Element>()) else { return };
        let Some(again) = closest(target, "[data-part=again]") else { return };
        match again.get_attribute("data-pattern") {
            Some(pattern) => self.ask_for_host(&pattern, Intent::RefreshRoles),
            None => self.send(&Intent::RefreshRoles),
        }
    }

    /// Asks to allow a host, and for what that is good.
    fn ask_for_host(self: &Rc<Self>, pattern: &str, intent: Intent) {
        let asked = match self.api.request_permission(pattern) {
            Ok(asked) => asked,
            Err(error) => return console::error_2(&"The browser cannot ask for the host:".into(), &error),
        };
        let this = Rc::clone(self);
        spawn_local(async move {
            match JsFuture::from(asked).await {
                Ok(granted) if granted.is_truthy() => this.send(&intent),
                // They said no: the problem stays, and so does the button.
                Ok(_) => {}
                Err(error) => console::error_2(&"The browser did not ask for the host:".into(), &error),
            }
        });
    }

    fn copy_command(self: &Rc<Self>) {
        self.copy(&self.page.command(), |this| set_text(&this.page.copy, words::COPIED));
    }

    /// Copies a text to the clipboard, and says so.
    fn copy(self: &Rc<Self>, text: &str, copied: fn(&Rc<Self>)) {
        let Some(window) = web_sys::window() else { return };
        let written = window.navigator().clipboard().write_text(text);
        let this = Rc::clone(self);
        spawn_local(async move {
            if JsFuture::from(written).await.is_ok() {
                copied(&this);
            }
        });
    }

    fn send(&self, intent: &Intent) {
        if let Some(worker) = self.worker.get() {
            worker.send(intent);
        }
    }
}

#[cfg(all(test, target_arch = "wasm32"))]
mod tests;

/// The permission that groups of tabs take.
const TAB_GROUPS: &str = "tabGroups";

/// In milliseconds.
const ONE_FRAME: u32 = 16;
