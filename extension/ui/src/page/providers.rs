//! Whom people sign in with, one line each.

use rolecall_core::settings::ProviderId;
use wasm_bindgen::JsValue;
use web_sys::{Element, HtmlElement, HtmlTemplateElement};

use crate::dom::{arrange, copy, part, set_attribute, set_state, set_text, show};
use crate::view::ProviderView;

/// The lines of the providers' list.
pub(super) struct Providers {
    template: HtmlTemplateElement,
    rows: Vec<Row>,
}

struct Row {
    element: HtmlElement,
    person: HtmlElement,
    label: HtmlElement,
    sign_out: HtmlElement,
}

impl Providers {
    pub(super) fn new(template: HtmlTemplateElement) -> Self {
        Self { template, rows: Vec::new() }
    }

    pub(super) fn show(&mut self, list: &Element, views: &[ProviderView], busy: bool) -> Result<(), JsValue> {
        self.rows.truncate(views.len());
        while self.rows.len() < views.len() {
            self.rows.push(Row::new(&self.template)?);
        }
        for (row, view) in self.rows.iter().zip(views) {
            row.show(view, busy)?;
        }
        arrange(list, &self.rows.iter().map(|row| &row.element).collect::<Vec<_>>())
    }
}

/// The provider whose button to sign out an event happened in.
pub(crate) fn sign_out_at(target: &Element) -> Option<ProviderId> {
    let button = target.closest("button[data-part=sign-out]").ok()??;
    let provider = button.closest("[data-provider]").ok()??;
    provider.get_attribute("data-provider")?.parse().ok()
}

impl Row {
    fn new(template: &HtmlTemplateElement) -> Result<Self, JsValue> {
        let element = copy(template)?;
        Ok(Self {
            person: part(&element, "person")?,
            label: part(&element, "label")?,
            sign_out: part(&element, "sign-out")?,
            element,
        })
    }

    fn show(&self, view: &ProviderView, busy: bool) -> Result<(), JsValue> {
        set_attribute(&self.element, "data-provider", Some(view.id.as_str()))?;
        set_state(&self.element, "data-signed-in", view.signed_in)?;
        set_text(&self.person, &view.person);
        set_attribute(&self.person, "title", view.signed_in.then_some(view.person.as_str()))?;
        set_text(&self.label, &view.label);
        set_attribute(&self.label, "title", Some(&format!("{}. {}.", view.label, view.layer)))?;
        show(&self.sign_out, view.signed_in);
        set_state(&self.sign_out, "aria-disabled", busy)?;
        // Which one, where there are several.
        set_attribute(&self.sign_out, "aria-description", Some(&view.label))
    }
}
