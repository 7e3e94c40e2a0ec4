//! The menu of the selected role: what is done with it less often.

use std::cell::RefCell;

use wasm_bindgen::JsCast as _;
use web_sys::{Document, Element, HtmlElement};

use crate::dom::{by_id, closest, focus, or_throw, set_attribute, set_state, set_text, show};
use crate::view::MenuView;
use crate::words;

/// The menu.
pub(crate) struct Menu {
    pub(crate) element: HtmlElement,
    /// The button that opens it.
    pub(crate) button: HtmlElement,
    pin: HtmlElement,
    forget: HtmlElement,
    open_console: HtmlElement,
    open_page: HtmlElement,
    sign_in: HtmlElement,
    forget_credentials: HtmlElement,
    write_profile: HtmlElement,
    remove_profile: HtmlElement,
    /// What needs a profile's name.
    commands: HtmlElement,
    refresh: HtmlElement,
    group_tabs: HtmlElement,
    /// What had the focus when it was opened.
    opener: RefCell<Option<HtmlElement>>,
}

/// An item of the menu.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Item {
    OpenConsole,
    /// Type a page of the console.
    OpenPage,
    SignIn,
    ForgetCredentials,
    WriteProfile,
    RemoveProfile,
    CopyArn,
    CopyProfile,
    CopyExec,
    /// A shell, as `rolecall env --shell` names it.
    CopyEnv(&'static str),
    Pin,
    Forget,
    ForgetAll,
    Refresh,
    /// Have the console's tabs grouped, or no longer.
    GroupTabs,
}

impl Menu {
    pub(super) fn find(root: &Element) -> Self {
        Self {
            element: by_id(root, "menu"),
            button: by_id(root, "more"),
            pin: by_id(root, "pin"),
            forget: by_id(root, "forget"),
            open_console: by_id(root, "menu-open-console"),
            open_page: by_id(root, "menu-open-page"),
            sign_in: by_id(root, "menu-sign-in"),
            forget_credentials: by_id(root, "forget-credentials"),
            write_profile: by_id(root, "menu-write-profile"),
            remove_profile: by_id(root, "menu-remove-profile"),
            commands: by_id(root, "commands"),
            refresh: by_id(root, "refresh"),
            group_tabs: by_id(root, "group-tabs"),
            opener: RefCell::default(),
        }
    }

    pub(super) fn show(&self, view: Option<&MenuView>) {
        show(&self.element, view.is_some());
        set_state(&self.button, "aria-expanded", view.is_some());
        let Some(view) = view else { return };
        set_attribute(&self.element, "aria-label", Some(&view.label));
        let cannot_be_pinned = view.pins_are_full && !view.pinned;
        set_text(
            &self.pin,
            match (view.pinned, cannot_be_pinned) {
                (true, _) => words::UNPIN,
                (false, true) => words::PINS_ARE_FULL,
                (false, false) => words::PIN,
            },
        );
        set_state(&self.pin, "aria-disabled", cannot_be_pinned);
        for item in [
            &self.open_console,
            &self.open_page,
            &self.sign_in,
            &self.forget_credentials,
            &self.write_profile,
            &self.remove_profile,
        ] {
            set_state(item, "aria-disabled", view.busy);
        }
        show(&self.forget, view.recent);
        show(&self.forget_credentials, view.has_session);
        show(&self.write_profile, view.has_profile);
        show(&self.remove_profile, view.has_profile);
        show(&self.commands, view.has_profile);
        show(&self.refresh, view.can_refresh);
        show(&self.group_tabs, view.groups_tabs.is_some());
        let groups = view.groups_tabs.unwrap_or_default();
        set_text(&self.group_tabs, if groups { words::UNGROUP_TABS } else { words::GROUP_TABS });
    }

    /// Gives the focus to the first item, and remembers where it was.
    pub(crate) fn enter(&self, document: &Document) {
        let active = document.active_element().filter(|active| !self.element.contains(Some(active)));
        if let Some(active) = active {
            self.opener.replace(active.dyn_into().ok());
        }
        self.step(document, Step::First);
    }

    /// Gives the focus back to what had it.
    pub(crate) fn leave(&self) {
        if let Some(opener) = self.opener.take() {
            focus(&opener);
        }
    }

    /// Gives the focus to another item. Behind the last one comes the first.
    pub(crate) fn step(&self, document: &Document, step: Step) {
        let found = or_throw(self.element.query_selector_all("[role=menuitem]"));
        let items = (0..found.length()).filter_map(|at| found.item(at)?.dyn_into::<HtmlElement>().ok());
        let items: Vec<_> = items.filter(|item| item.offset_height() > 0).collect();
        let active = document.active_element();
        let here = items.iter().position(|item| item.is_same_node(active.as_deref()));
        let count = items.len();
        let at = match (step, here) {
            (Step::Next, Some(here)) => (here + 1) % count,
            (Step::Previous, Some(here)) => (here + count - 1) % count,
            (Step::Last, _) | (Step::Previous, None) => count.saturating_sub(1),
            (Step::First, _) | (Step::Next, None) => 0,
        };
        if let Some(item) = items.get(at) {
            focus(item);
        }
    }
}

/// Where the focus goes in the menu.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    Next,
    Previous,
    First,
    Last,
}

/// The item that an event happened in.
pub(crate) fn item_at(target: &Element) -> Option<Item> {
    let item = closest(target, "[data-item]:not([aria-disabled=true])")?;
    Some(match item.get_attribute("data-item")?.as_str() {
        "open-console" => Item::OpenConsole,
        "open-page" => Item::OpenPage,
        "sign-in" => Item::SignIn,
        "forget-credentials" => Item::ForgetCredentials,
        "write-profile" => Item::WriteProfile,
        "remove-profile" => Item::RemoveProfile,
        "copy-arn" => Item::CopyArn,
        "copy-profile" => Item::CopyProfile,
        "copy-exec" => Item::CopyExec,
        "copy-bash" => Item::CopyEnv("bash"),
        "copy-fish" => Item::CopyEnv("fish"),
        "copy-powershell" => Item::CopyEnv("powershell"),
        "copy-json" => Item::CopyEnv("json"),
        "pin" => Item::Pin,
        "forget" => Item::Forget,
        "forget-all" => Item::ForgetAll,
        "refresh" => Item::Refresh,
        "group-tabs" => Item::GroupTabs,
        _ => return None,
    })
}
