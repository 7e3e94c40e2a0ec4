//! The options of the roles' listbox.
//!
//! Each role keeps its element and its id for as long as it is in the state, wherever it stands in the list: assistive
//! technology follows `aria-activedescendant` by that id.

use rolecall_core::map::Map;
use rolecall_core::settings::RoleKey;
use wasm_bindgen::JsValue;
use web_sys::{
    Document, Element, HtmlElement, HtmlTemplateElement, ScrollIntoViewOptions, ScrollLogicalPosition,
};

use crate::dom::{arrange, copy, part, set_attribute, set_marker, set_pieces, set_state, set_text};
use crate::time::TimeLeft;
use crate::view::OptionView;
use crate::words;

/// The options.
pub(super) struct Roles {
    template: HtmlTemplateElement,
    rows: Map<RoleKey, Row>,
    /// How many elements were ever made, for their ids.
    made: usize,
    /// What was last scrolled to: the option's id, and whether a problem took a part of the list's room.
    revealed: (Option<String>, bool),
}

struct Row {
    element: HtmlElement,
    marker: HtmlElement,
    names: HtmlElement,
    role: HtmlElement,
    account: HtmlElement,
    left: HtmlElement,
}

impl Roles {
    pub(super) fn new(template: HtmlTemplateElement) -> Self {
        Self { template, rows: Map::new(), made: 0, revealed: (None, false) }
    }

    /// Shows the options in their order, and returns the id of the selected one.
    pub(super) fn show(
        &mut self,
        list: &Element,
        views: &[OptionView],
        document: &Document,
    ) -> Result<Option<String>, JsValue> {
        self.rows.retain(|key, row| row.element.is_connected() || views.iter().any(|view| view.key == *key));
        let mut shown = Vec::with_capacity(views.len());
        let mut active = None;
        for view in views {
            if !self.rows.contains_key(&view.key) {
                self.made += 1;
                let row = Row::new(&self.template, &format!("role-{}", self.made))?;
                self.rows.insert(view.key.clone(), row);
            }
            let Some(row) = self.rows.get(&view.key) else { continue };
            row.show(view, document)?;
            if view.selected {
                active = Some(row.element.id());
            }
            shown.push(row.element.clone());
        }
        arrange(list, &shown.iter().collect::<Vec<_>>())?;

        Ok(active)
    }

    /// Scrolls the selected option into sight when another is selected or the room for the list changed, and not
    /// otherwise: a person may have scrolled elsewhere.
    pub(super) fn reveal(&mut self, active: Option<&str>, with_problem: bool) {
        let now = (active.map(str::to_owned), with_problem);
        if now == self.revealed {
            return;
        }
        if let Some(row) = self.rows.values().find(|row| Some(row.element.id().as_str()) == active) {
            let nearest = ScrollIntoViewOptions::new();
            nearest.set_block(ScrollLogicalPosition::Nearest);
            row.element.scroll_into_view_with_scroll_into_view_options(&nearest);
        }
        self.revealed = now;
    }

    /// Which role an option stands for.
    pub(super) fn key_of(&self, option: &Element) -> Option<RoleKey> {
        self.rows.iter().find(|(_, row)| row.element.is_same_node(Some(option))).map(|(key, _)| key.clone())
    }
}

impl Row {
    fn new(template: &HtmlTemplateElement, id: &str) -> Result<Self, JsValue> {
        let element = copy(template)?;
        element.set_id(id);
        Ok(Self {
            marker: part(&element, "marker")?,
            names: part(&element, "names")?,
            role: part(&element, "role")?,
            account: part(&element, "account")?,
            left: part(&element, "left")?,
            element,
        })
    }

    fn show(&self, view: &OptionView, document: &Document) -> Result<(), JsValue> {
        set_attribute(&self.element, "aria-label", Some(&view.label))?;
        // Not on the option itself: where there is no description, the title would be read out as one.
        set_attribute(&self.names, "title", Some(&view.label))?;
        let description = Some(view.description.as_str()).filter(|text| !text.is_empty());
        set_attribute(&self.element, "aria-description", description)?;
        set_state(&self.element, "aria-selected", view.selected)?;
        set_state(&self.element, "data-busy", view.busy)?;
        set_marker(&self.marker, view.color.as_deref())?;
        set_pieces(&self.role, &view.role, document)?;
        set_pieces(&self.account, &view.account, document)?;
        set_attribute(&self.account, "data-provider", view.provider.as_deref())?;
        set_text(&self.left, &view.left.map(words::time_left).unwrap_or_default());
        set_attribute(&self.left, "data-left", view.left.map(tone))
    }
}

fn tone(left: TimeLeft) -> &'static str {
    match left {
        TimeLeft::Plenty { .. } => "plenty",
        TimeLeft::Little { .. } => "little",
        TimeLeft::Expired => "expired",
    }
}
