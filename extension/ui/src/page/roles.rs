//! The options of the roles' listbox, of which only those in sight and a few around them are drawn.
//!
//! Each option is placed by its position in the list, and the listbox is as high as if all were drawn: both are left to the style
//! sheet. The selected option is always drawn, since `aria-activedescendant` names it. An option's id is its role's, so that
//! assistive technology hears of a selection that has moved.

use web_sys::{
    Document, Element, HtmlElement, HtmlTemplateElement, ScrollIntoViewOptions, ScrollLogicalPosition,
};

use crate::dom::{
    arrange, copy, part, set_attribute, set_marker, set_pieces, set_state, set_style, set_text,
};
use crate::model::Model;
use crate::time::TimeLeft;
use crate::view::OptionView;
use crate::words;

/// The options.
pub(super) struct Roles {
    template: HtmlTemplateElement,
    /// Those that are drawn, in the order of the list.
    rows: Vec<Row>,
    /// The first position in sight, as far as is known.
    first: usize,
    revealed: Revealed,
}

/// What was scrolled to last: the selected role, its position, and whether a problem took a part of the list's room.
type Revealed = Option<(usize, usize, bool)>;

struct Row {
    element: HtmlElement,
    marker: HtmlElement,
    names: HtmlElement,
    role: HtmlElement,
    account: HtmlElement,
    environment: HtmlElement,
    left: HtmlElement,
    /// What it shows.
    view: Option<OptionView>,
}

impl Roles {
    pub(super) fn new(template: HtmlTemplateElement) -> Self {
        Self { template, rows: Vec::new(), first: 0, revealed: None }
    }

    /// The positions whose options are to be drawn.
    pub(super) fn positions(&mut self, model: &Model) -> Vec<usize> {
        let selected = model.position();
        if let Some(selected) = selected.filter(|_| self.revealed != to_reveal(model)) {
            self.first = selected;
        }
        let count = model.found().len();
        let start = self.first.min(count).saturating_sub(ABOVE);
        let end = count.min(self.first + BELOW);
        let before = selected.filter(|selected| *selected < start);
        let after = selected.filter(|selected| *selected >= end);
        before.into_iter().chain(start..end).chain(after).collect()
    }

    /// Notes how far a person has scrolled. Says whether other options are in sight now.
    pub(super) fn scrolled(&mut self, list: &Element, model: &Model) -> bool {
        let first = first_in_sight(list, model);
        std::mem::replace(&mut self.first, first) != first
    }

    /// How many options are in sight at once.
    pub(super) fn per_page(&self, list: &Element) -> usize {
        let height = self.rows.first().map_or(0, |row| row.element.offset_height());
        usize::try_from(list.client_height() / height.max(1)).unwrap_or_default().max(1)
    }

    /// Shows options in their order, and returns the id of the selected one. Elements are used again: first for the same role,
    /// then for any.
    pub(super) fn show(
        &mut self,
        list: &Element,
        views: Vec<OptionView>,
        document: &Document,
    ) -> Option<String> {
        let (mut active, mut shown) = (None, Vec::with_capacity(views.len()));
        // Those of roles that go out of sight are free for others.
        let is_shown = |row: &Row| views.iter().any(|view| row.role() == Some(view.row));
        let mut free: Vec<_> = self.rows.extract_if(.., |row| !is_shown(row)).collect();
        for view in views {
            let mut row = match self.rows.iter().position(|row| row.role() == Some(view.row)) {
                Some(at) => self.rows.swap_remove(at),
                None => match free.pop() {
                    Some(row) => row,
                    None => Row::new(&self.template),
                },
            };
            let is_selected = view.selected;
            row.show(view, document);
            if is_selected {
                active = Some(row.element.id());
            }
            shown.push(row);
        }
        self.rows = shown;
        arrange(list, &self.rows.iter().map(|row| &row.element).collect::<Vec<_>>());
        active
    }

    /// Scrolls the selected option into sight when another is selected or the room for the list changed, and not
    /// otherwise: a person may have scrolled elsewhere.
    pub(super) fn reveal(&mut self, model: &Model) {
        let to_reveal = to_reveal(model);
        if to_reveal == self.revealed {
            return;
        }
        let selected = self.rows.iter().find(|row| row.view.as_ref().is_some_and(|view| view.selected));
        if let Some(row) = selected {
            let nearest = ScrollIntoViewOptions::new();
            nearest.set_block(ScrollLogicalPosition::Nearest);
            row.element.scroll_into_view_with_scroll_into_view_options(&nearest);
        }
        self.revealed = to_reveal;
    }

    /// Has the selected option scrolled into sight even if it is the same as before.
    pub(super) fn reveal_again(&mut self) {
        self.revealed = None;
    }

    /// Which role an option stands for.
    pub(super) fn role_of(&self, option: &Element) -> Option<usize> {
        self.rows.iter().find(|row| row.element.is_same_node(Some(option)))?.role()
    }
}

/// The first position in sight.
pub(super) fn first_in_sight(list: &Element, model: &Model) -> usize {
    let [top, height, whole] = [
        i64::from(list.scroll_top()),
        list.scroll_height().into(),
        i64::try_from(model.height()).unwrap_or(i64::MAX),
    ];
    model.position_at(usize::try_from(top * whole / height.max(1)).unwrap_or_default())
}

fn to_reveal(model: &Model) -> Revealed {
    let position = model.position()?;
    let with_problem = model.state().is_some_and(|state| state.problem.is_some());
    Some((model.row_at(position)?, position, with_problem))
}

impl Row {
    fn new(template: &HtmlTemplateElement) -> Self {
        let element = copy(template);
        Self {
            marker: part(&element, "marker"),
            names: part(&element, "names"),
            role: part(&element, "role"),
            account: part(&element, "account"),
            environment: part(&element, "environment"),
            left: part(&element, "left"),
            element,
            view: None,
        }
    }

    fn role(&self) -> Option<usize> {
        self.view.as_ref().map(|view| view.row)
    }

    fn show(&mut self, view: OptionView, document: &Document) {
        if self.view.as_ref() == Some(&view) {
            return;
        }
        self.element.set_id(&format!("role-{}", view.row));
        set_style(&self.element, "--place", &view.place.to_string());
        set_attribute(&self.element, "data-heading", view.heading.as_deref());
        set_attribute(&self.element, "aria-posinset", Some(&(view.position + 1).to_string()));
        set_attribute(&self.element, "aria-setsize", Some(&view.count.to_string()));
        set_attribute(&self.element, "aria-label", Some(&view.label));
        // Not on the option itself: where there is no description, the title would be read out as one.
        set_attribute(&self.names, "title", Some(&view.label));
        let description = Some(view.description.as_str()).filter(|text| !text.is_empty());
        set_attribute(&self.element, "aria-description", description);
        set_state(&self.element, "aria-selected", view.selected);
        set_state(&self.element, "data-busy", view.busy);
        set_state(&self.element, "data-pinned", view.pinned);
        set_state(&self.element, "data-for-others", view.for_others);
        set_marker(&self.marker, &view.color);
        set_pieces(&self.role, &view.role, document);
        set_pieces(&self.account, &view.account, document);
        set_attribute(&self.account, "data-provider", view.provider.as_deref());
        set_text(&self.environment, &view.environment);
        set_state(&self.environment, "data-production", is_production(&view.environment));
        set_text(&self.left, &view.left.map(words::time_left).unwrap_or_default());
        set_attribute(&self.left, "data-left", view.left.map(tone));
        self.view = Some(view);
    }
}

/// Whether a mistake costs most here: whatever it is called in full, it begins like "production" in every language that has
/// the word.
fn is_production(environment: &str) -> bool {
    environment.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("prod"))
}

fn tone(left: TimeLeft) -> &'static str {
    match left {
        TimeLeft::Plenty { .. } => "plenty",
        TimeLeft::Little { .. } => "little",
        TimeLeft::Expired => "expired",
    }
}

/// How many options are drawn before the first one in sight.
const ABOVE: usize = 8;
/// How many options are drawn from the first one in sight on. The list has room for seven.
const BELOW: usize = 12;
