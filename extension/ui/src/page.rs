//! A view in the document: finds the page's elements once, and makes them say what the view says.
//!
//! It decides nothing and listens to nothing.

pub(crate) mod menu;
pub(crate) mod providers;
mod roles;

use std::cell::{Cell, RefCell};

use wasm_bindgen::{JsCast as _, UnwrapThrowExt as _};
use web_sys::{Document, Element, HtmlElement, HtmlInputElement, HtmlTemplateElement};

use crate::dom::{
    arrange, by_id, closest, copy, focus, part, set_attribute, set_marker, set_state, set_style, set_text,
    show,
};
use crate::model::Model;
use crate::view::{ActionsView, Content, HostView, ProblemView, View};
use crate::words;
use menu::Menu;
use providers::Providers;
use roles::Roles;

/// The page's elements.
pub(crate) struct Page {
    pub(crate) document: Document,
    app: HtmlElement,
    /// Where a person types. It has the focus whenever nothing else has.
    pub(crate) search: HtmlInputElement,
    /// The roles' listbox.
    pub(crate) list: HtmlElement,
    /// The providers' list.
    pub(crate) providers: HtmlElement,
    pub(crate) main_buttons: [HtmlElement; 2],
    pub(crate) write_profile: HtmlElement,
    pub(crate) cancel: HtmlElement,
    pub(crate) go_on: HtmlElement,
    pub(crate) allow: HtmlElement,
    pub(crate) confirm: HtmlElement,
    pub(crate) dismiss: HtmlElement,
    pub(crate) try_again: HtmlElement,
    pub(crate) copy: HtmlElement,
    /// What is wrong with the settings.
    pub(crate) left_out_list: HtmlElement,
    pub(crate) menu: Menu,
    actions: HtmlElement,
    chosen_marker: HtmlElement,
    chosen_label: HtmlElement,
    chosen_profile: HtmlElement,
    chosen_about: HtmlElement,
    problem: HtmlElement,
    problem_message: HtmlElement,
    problem_next_step: HtmlElement,
    problem_command: HtmlElement,
    problem_code: HtmlElement,
    status: HtmlElement,
    no_providers: HtmlElement,
    left_out: HtmlElement,
    left_out_was_all: Cell<bool>,
    left_out_summary: HtmlElement,
    left_out_shown: RefCell<Vec<ProblemView>>,
    left_out_template: HtmlTemplateElement,
    host: HtmlElement,
    host_words: HtmlElement,
    host_help: HtmlElement,
    host_text: HtmlElement,
    host_run: HtmlElement,
    host_command: HtmlElement,
    role_rows: RefCell<Roles>,
    provider_rows: RefCell<Providers>,
}

impl Page {
    /// Finds the elements below `root`.
    pub(crate) fn find(root: &Element) -> Self {
        let document = root.owner_document().expect_throw("the page has no document");
        Self {
            document,
            app: by_id(root, "app"),
            search: by_id(root, "search"),
            list: by_id(root, "roles"),
            providers: by_id(root, "providers"),
            main_buttons: [by_id(root, "first-action"), by_id(root, "second-action")],
            write_profile: by_id(root, "write-profile"),
            cancel: by_id(root, "cancel"),
            go_on: by_id(root, "go-on"),
            allow: by_id(root, "allow"),
            confirm: by_id(root, "confirm"),
            dismiss: by_id(root, "dismiss"),
            try_again: by_id(root, "try-again"),
            copy: by_id(root, "copy"),
            menu: Menu::find(root),
            actions: by_id(root, "actions"),
            chosen_marker: by_id(root, "chosen-marker"),
            chosen_label: by_id(root, "chosen-label"),
            chosen_profile: by_id(root, "chosen-profile"),
            chosen_about: by_id(root, "chosen-about"),
            problem: by_id(root, "problem"),
            problem_message: by_id(root, "problem-message"),
            problem_next_step: by_id(root, "problem-next-step"),
            problem_command: by_id(root, "problem-command"),
            problem_code: by_id(root, "problem-code"),
            status: by_id(root, "status"),
            no_providers: by_id(root, "no-providers"),
            left_out: by_id(root, "left-out"),
            left_out_was_all: Cell::new(false),
            left_out_summary: by_id(root, "left-out-summary"),
            left_out_shown: RefCell::default(),
            left_out_list: by_id(root, "left-out-list"),
            left_out_template: by_id(root, "left-out-template"),
            host: by_id(root, "host"),
            host_words: by_id(root, "host-words"),
            host_help: by_id(root, "host-help"),
            host_text: by_id(root, "host-text"),
            host_run: by_id(root, "host-run"),
            host_command: by_id(root, "host-command"),
            role_rows: RefCell::new(Roles::new(by_id(root, "option-template"))),
            provider_rows: RefCell::new(Providers::new(by_id(root, "provider-template"))),
        }
    }

    /// The positions in the list whose options are to be drawn.
    pub(crate) fn positions(&self, model: &Model) -> Vec<usize> {
        self.role_rows.borrow_mut().positions(model)
    }

    /// Says whether a person has scrolled so far that other options are in sight.
    pub(crate) fn scrolled(&self, model: &Model) -> bool {
        self.role_rows.borrow_mut().scrolled(&self.list, model)
    }

    /// How many options are in sight at once.
    pub(crate) fn per_page(&self) -> usize {
        self.role_rows.borrow().per_page(&self.list)
    }

    /// Has the selected role scrolled into sight even if it is the same as before.
    pub(crate) fn reveal_again(&self) {
        self.role_rows.borrow_mut().reveal_again();
    }

    /// Shows a view of a model.
    pub(crate) fn show(&self, model: &Model, view: View) {
        set_attribute(&self.app, "data-content", Some(content(view.content)));
        // Not `aria-busy`: assistive technology may keep silent about what changes in a busy part of a page.
        set_state(&self.app, "data-busy", view.busy);
        self.provider_rows.borrow_mut().show(&self.providers, &view.providers);
        set_style(&self.app, "--count", &view.role_count.to_string());
        set_style(&self.list, "--height", &view.height.to_string());
        let active = self.role_rows.borrow_mut().show(&self.list, view.options, &self.document);
        set_attribute(&self.search, "aria-activedescendant", active.as_deref());
        set_state(&self.search, "aria-expanded", view.found_count > 0);
        self.show_actions(view.actions.as_ref());
        show(&self.go_on, view.go_on.is_some());
        set_text(&self.go_on, view.go_on.as_deref().unwrap_or_default());
        self.menu.show(view.menu.as_ref());
        self.show_problem(view.problem.as_ref());
        set_text(&self.status, &view.status);
        self.show_left_out(view.left_out, view.content);
        self.show_host(&view.host);
        // Last: what else is shown decides how much of the list there is to see.
        self.role_rows.borrow_mut().reveal(model);
        let is_grouped = !model.group_starts().is_empty();
        let heading = if is_grouped { model.heading(roles::first_in_sight(&self.list, model)) } else { None };
        set_attribute(&self.list, "data-heading", heading);
        self.keep_focus();
    }

    /// The row of the role whose option an event happened in.
    pub(crate) fn role_at(&self, target: &Element) -> Option<usize> {
        let option = closest(target, "[role=option]")?;
        self.role_rows.borrow().role_of(&option)
    }

    /// The command that can be copied.
    pub(crate) fn command(&self) -> String {
        self.host_command.text_content().unwrap_or_default()
    }

    fn show_actions(&self, actions: Option<&ActionsView>) {
        show(&self.actions, actions.is_some());
        let Some(actions) = actions else { return };
        set_text(&self.chosen_label, &actions.label);
        set_attribute(&self.chosen_label, "title", Some(&actions.label));
        set_text(&self.chosen_profile, &actions.profile);
        set_attribute(&self.chosen_profile, "title", Some(&actions.profile));
        set_text(&self.chosen_about, &actions.about);
        set_attribute(&self.chosen_about, "title", Some(&actions.about));
        show(&self.chosen_about, !actions.about.is_empty());
        set_marker(&self.chosen_marker, &actions.color);
        // Not `disabled`: that would take the focus from the button that was just pressed.
        for (button, action) in self.main_buttons.iter().zip(actions.main) {
            set_text(button, words::action(action));
            set_state(button, "aria-disabled", actions.busy);
        }
        set_attribute(&self.status, "data-hint", Some(words::hint(actions.main[0])));
        set_state(&self.write_profile, "aria-disabled", actions.busy || actions.no_profile.is_some());
        show(&self.cancel, actions.can_be_cancelled);
        set_attribute(&self.write_profile, "title", actions.no_profile);
        set_attribute(&self.write_profile, "aria-description", actions.no_profile);
    }

    fn show_problem(&self, problem: Option<&ProblemView>) {
        if let Some(problem) = problem {
            set_text(&self.problem_message, &problem.message);
            set_text(&self.problem_next_step, &problem.next_step);
            set_text(&self.problem_command, problem.command.as_deref().unwrap_or_default());
            show(&self.problem_command, problem.command.is_some());
            set_text(&self.problem_code, &problem.code);
            show(&self.allow, problem.grant.is_some());
            set_text(&self.allow, problem.grant.as_ref().map_or("", |grant| &grant.label));
            show(&self.confirm, problem.confirm.is_some());
            set_text(&self.confirm, problem.confirm.unwrap_or_default());
        }
        show(&self.problem, problem.is_some());
    }

    fn show_left_out(&self, left_out: Vec<ProblemView>, content: Content) {
        // Where nothing else is left, they are what it is about: opened once, and closed by whoever wants to.
        let is_all = !left_out.is_empty() && matches!(content, Content::NoProviders | Content::NoRoles);
        if is_all && !self.left_out_was_all.get() {
            set_attribute(&self.left_out, "open", Some(""));
        }
        self.left_out_was_all.set(is_all);
        show(&self.left_out, !left_out.is_empty());
        set_text(&self.left_out_summary, &words::left_out(left_out.len()));
        set_text(&self.no_providers, words::no_providers(left_out.len()));
        // What is the same keeps its elements, one of which may have the focus.
        if *self.left_out_shown.borrow() == left_out {
            return;
        }
        let items = left_out
            .iter()
            .map(|problem| {
                let item = copy(&self.left_out_template);
                set_text(&part::<web_sys::Node>(&item, "message"), &problem.message);
                set_text(&part::<web_sys::Node>(&item, "next-step"), &problem.next_step);
                let again: HtmlElement = part(&item, "again");
                show(&again, problem.grant.is_some() || problem.is_about_role_list);
                set_text(&again, problem.grant.as_ref().map_or(words::TRY_AGAIN, |grant| &grant.label));
                set_attribute(
                    &again,
                    "data-pattern",
                    problem.grant.as_ref().map(|grant| grant.pattern.as_str()),
                );
                item
            })
            .collect::<Vec<_>>();
        arrange(&self.left_out_list, &items.iter().collect::<Vec<_>>());
        self.left_out_shown.replace(left_out);
    }

    fn show_host(&self, host: &HostView) {
        let (state, words) = match host {
            HostView::Connecting => ("connecting", words::HOST_CONNECTING),
            HostView::Connected(words) => ("connected", words.as_str()),
            HostView::Absent { title, .. } => ("absent", *title),
        };
        set_attribute(&self.host, "data-host", Some(state));
        set_text(&self.host_words, words);
        let absent = matches!(host, HostView::Absent { .. });
        show(&self.try_again, absent);
        show(&self.host_help, absent);
        if let HostView::Absent { text, command, .. } = host {
            let command = command.as_deref().unwrap_or_default();
            if self.command() != command || self.copy.text_content().is_some_and(|text| text.is_empty()) {
                set_text(&self.copy, words::COPY);
            }
            set_text(&self.host_text, text);
            set_text(&self.host_command, command);
            show(&self.host_run, !command.is_empty());
        }
    }

    /// Gives the focus back to the search when what had it is no longer there.
    fn keep_focus(&self) {
        let lost = match self.document.active_element() {
            None => true,
            Some(active) => {
                closest(&active, "[hidden]").is_some()
                    || active.dyn_ref::<web_sys::HtmlBodyElement>().is_some()
            }
        };
        if lost {
            focus(&self.search);
        }
    }
}

fn content(content: Content) -> &'static str {
    match content {
        Content::Loading => "loading",
        Content::NoProviders => "no-providers",
        Content::NoRoles => "no-roles",
        Content::NoMatch => "no-match",
        Content::Roles => "roles",
    }
}
