//! Whom people sign in with, one line each.

use rolecall_core::settings::ProviderId;
use web_sys::{Element, HtmlElement, HtmlTemplateElement};

use crate::dom::{arrange, closest, copy, focus, part, set_attribute, set_state, set_text, show};
use crate::view::ProviderView;
use crate::words;

/// The lines of the providers' list.
pub(super) struct Providers {
    template: HtmlTemplateElement,
    rows: Vec<Row>,
}

struct Row {
    element: HtmlElement,
    person: HtmlElement,
    label: HtmlElement,
    sign_in: HtmlElement,
    account: HtmlElement,
    cancel: HtmlElement,
    actions: HtmlElement,
    end_session: HtmlElement,
}

/// What a button of a provider's line is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum AccountAction {
    /// Show the others, or hide them.
    Toggle,
    SignOut,
    EndSession,
    SignIn,
    Cancel,
}

impl Providers {
    pub(super) fn new(template: HtmlTemplateElement) -> Self {
        Self { template, rows: Vec::new() }
    }

    pub(super) fn show(&mut self, list: &Element, views: &[ProviderView]) {
        self.rows.truncate(views.len());
        while self.rows.len() < views.len() {
            self.rows.push(Row::new(&self.template));
        }
        for (row, view) in self.rows.iter().zip(views) {
            row.show(view);
        }
        arrange(list, &self.rows.iter().map(|row| &row.element).collect::<Vec<_>>());
    }
}

/// The button that an event happened in, and the provider in whose line it is.
pub(crate) fn action_at(target: &Element) -> Option<(ProviderId, AccountAction)> {
    let button = closest(target, "button[data-part]")?;
    let action = match button.get_attribute("data-part")?.as_str() {
        "account" => AccountAction::Toggle,
        "sign-out" => AccountAction::SignOut,
        "end-session" => AccountAction::EndSession,
        "cancel" => AccountAction::Cancel,
        "sign-in" | "choose-account" => AccountAction::SignIn,
        _ => return None,
    };
    let provider = closest(&button, "[data-provider]")?;
    Some((provider.get_attribute("data-provider")?.parse().ok()?, action))
}

/// Gives the focus to the button that shows the account's actions, from one of those, which are about to be hidden.
pub(crate) fn focus_account(action: &Element) {
    if let Some(line) = closest(action, "[data-provider]") {
        focus(&part(&line, "account"));
    }
}

impl Row {
    fn new(template: &HtmlTemplateElement) -> Self {
        let element = copy(template);
        Self {
            person: part(&element, "person"),
            label: part(&element, "label"),
            sign_in: part(&element, "sign-in"),
            account: part(&element, "account"),
            cancel: part(&element, "cancel"),
            actions: part(&element, "account-actions"),
            end_session: part(&element, "end-session"),
            element,
        }
    }

    fn show(&self, view: &ProviderView) {
        set_attribute(&self.element, "data-provider", Some(view.id.as_str()));
        set_state(&self.element, "data-signed-in", view.signed_in);
        set_text(&self.person, &view.person);
        set_attribute(&self.person, "title", view.signed_in.then_some(view.person.as_str()));
        set_text(&self.label, &view.label);
        set_attribute(&self.label, "title", Some(&format!("{}. {}.", view.label, view.layer)));
        show(&self.cancel, view.can_be_cancelled);
        set_attribute(&self.cancel, "aria-label", Some(&words::cancel_at(&view.label)));
        show(&self.sign_in, !view.signed_in && !view.can_be_cancelled);
        set_attribute(&self.sign_in, "aria-label", Some(&words::sign_in_to(&view.label)));
        show(&self.account, view.signed_in && !view.can_be_cancelled);
        set_state(&self.account, "aria-expanded", view.open);
        // Which one, where there are several.
        set_attribute(&self.account, "aria-description", Some(&view.label));
        show(&self.actions, view.open);
        set_attribute(&self.actions, "aria-label", Some(&view.label));
        show(&self.end_session, view.end_session.is_some());
        set_text(&self.end_session, view.end_session.as_deref().unwrap_or_default());
    }
}
