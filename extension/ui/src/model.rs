//! What a page remembers: what the worker sent last, what was typed, and which role is selected.
//!
//! It knows nothing of documents and events. The selection is a role, not a place in the list, so it stays with the
//! role when the state changes under it.

use rolecall_core::console::role_and_page;
use rolecall_core::message::role_table::{RoleRow, RoleTable};
use rolecall_core::message::ui::{Intent, State, ToPage};
use rolecall_core::search::Search;
use rolecall_core::settings::{DefaultAction, ProviderId, RoleKey};
use rolecall_core::time::{DateTime, Utc};

use crate::words;

/// A page's memory. A role is the number of its row in the worker's table, until the worker sends another.
#[derive(Debug, Default)]
pub(crate) struct Model {
    roles: Option<RoleTable>,
    state: Option<State>,
    /// What was typed for a role.
    query: String,
    /// What was typed for a page of the console, if something was.
    page: Option<String>,
    search: Search,
    /// The row of the selected role, which may not fit what was typed.
    selected: Option<usize>,
    /// What was selected when the worker left it out. It may only be late.
    missing: Option<RoleKey>,
    /// Where the selected role is in the list.
    position: Option<usize>,
    /// Where the groups of the list begin, while nothing is typed.
    group_starts: Vec<usize>,
    /// Whether the first group is of roles that are pinned or were used.
    has_first_group: bool,
    open_account: Option<ProviderId>,
    /// The role whose menu is open.
    menu: Option<RoleKey>,
    /// What the page itself has done, in one sentence.
    notice: Option<&'static str>,
}

/// Where to move the selection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Move {
    /// So many up.
    Up(usize),
    /// So many down.
    Down(usize),
    /// To the first.
    First,
    /// To the last.
    Last,
}

/// What can be done with a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    OpenConsole,
    /// Open the page of the console that was typed.
    OpenPage,
    SignIn,
    WriteProfile,
}

impl Action {
    /// What the worker is asked for. The page is what was typed.
    pub(crate) fn intent(self, role: RoleKey, page: &str) -> Intent {
        match self {
            Self::OpenConsole => Intent::OpenConsole { role },
            Self::OpenPage => Intent::OpenPage { role, page: page.to_owned() },
            Self::SignIn => Intent::SignIn { role },
            Self::WriteProfile => Intent::WriteProfile { role },
        }
    }
}

impl Model {
    /// The worker's last state, once the roles that go with it have come as well.
    pub(crate) fn state(&self) -> Option<&State> {
        self.roles.as_ref().and(self.state.as_ref())
    }

    /// How many roles there are, whatever was typed.
    pub(crate) fn role_count(&self) -> usize {
        self.roles.as_ref().map_or(0, RoleTable::len)
    }

    /// A role.
    pub(crate) fn role(&self, row: usize) -> Option<RoleRow<'_>> {
        self.roles.as_ref()?.get(row)
    }

    /// The role of this key.
    pub(crate) fn role_of(&self, key: &RoleKey) -> Option<RoleRow<'_>> {
        self.role(self.row_of(key)?)
    }

    /// Until when there are credentials of each role that has any.
    pub(crate) fn expirations(&self) -> impl Iterator<Item = DateTime<Utc>> {
        self.state.iter().flat_map(|state| &state.sessions).map(|session| session.expiration)
    }

    /// What Enter does with a role, and what Ctrl+Enter does.
    pub(crate) fn main_actions(&self) -> [Action; 2] {
        if !self.page().is_empty() {
            return [Action::OpenPage, Action::SignIn];
        }
        match self.state.as_ref().map(|state| state.default_action).unwrap_or_default() {
            DefaultAction::Console => [Action::OpenConsole, Action::SignIn],
            DefaultAction::Credentials => [Action::SignIn, Action::OpenConsole],
        }
    }

    /// What was typed for a role, without the blanks around it.
    pub(crate) fn query(&self) -> &str {
        self.query.trim()
    }

    /// What was typed for a page of the console. May be empty.
    pub(crate) fn page(&self) -> &str {
        self.page.as_deref().unwrap_or_default()
    }

    /// Whether a page of the console can be typed where the search ends.
    pub(crate) fn takes_page(&self) -> bool {
        self.page.is_some()
    }

    /// Takes what the worker sends. A selected role that is still listed stays selected, and one that is listed again is selected
    /// again, unless the person went on; before anything was selected, the role that is being worked on is, else the first.
    pub(crate) fn receive(&mut self, message: ToPage) {
        let is_first = self.state().is_none();
        match message {
            ToPage::Roles(roles) => {
                let selected = self.missing.take().or_else(|| self.role(self.selected?)?.key());
                self.search.set_roles(&roles);
                self.roles = Some(roles);
                self.selected = selected.as_ref().and_then(|key| self.row_of(key));
                self.missing = selected.filter(|_| self.selected.is_none());
                self.put_first();
            }
            ToPage::State(state) => {
                // A role that was used while the list is shown stays where it is.
                let is_reordered = self.state.as_ref().is_none_or(|before| {
                    before.pinned != state.pinned
                        || before.recent.len() > state.recent.len()
                        || before.group_by != state.group_by
                });
                let is_news = self
                    .state
                    .as_ref()
                    .is_some_and(|before| before.activities != state.activities || before.done != state.done);
                if is_news {
                    self.notice = None;
                }
                self.state = Some(*state);
                if is_reordered {
                    self.put_first();
                }
            }
        }
        if is_first && let Some(state) = self.state() {
            let busy = state.activities.iter().find_map(|activity| activity.role.as_ref());
            self.selected = busy.and_then(|key| self.row_of(key));
        }
        self.keep_selection();
        if self.menu().is_none() {
            self.menu = None;
        }
    }

    /// Takes what was typed, and selects what fits it best.
    pub(crate) fn search(&mut self, typed: &str) {
        let (query, page) = role_and_page(typed);
        // More is no name, and would be compared word by word.
        let query = query.char_indices().nth(MAX_QUERY).map_or(query, |(end, _)| &query[..end]);
        let before = std::mem::replace(&mut self.query, query.to_owned());
        // Whoever types a page has chosen the role already.
        let is_other_query = before.trim() != self.query();
        self.page = page.map(str::to_owned);
        (self.missing, self.notice) = (None, page.filter(|page| page.is_empty()).map(|_| words::PAGE));
        self.search.set_query(self.roles.as_ref().unwrap_or(&RoleTable::default()), query);
        if is_other_query
            && !self.query().is_empty()
            && let Some(best) = self.found().first()
        {
            self.selected = Some(*best);
        }
        self.keep_selection();
    }

    /// Gets ready for a search, a step at a time, since that takes a while if there are thousands of roles. Says whether there is
    /// more to do.
    pub(crate) fn prepare_search(&mut self) -> bool {
        self.roles.as_ref().is_some_and(|roles| self.search.prepare(roles, ROLES_PER_STEP))
    }

    /// Selects a role that is in the list.
    pub(crate) fn select(&mut self, row: usize) {
        (self.selected, self.missing, self.notice) = (Some(row), None, None);
        self.keep_selection();
    }

    /// Moves the selection. It stops at either end.
    pub(crate) fn go(&mut self, to: Move) {
        let Some(last) = self.found().len().checked_sub(1) else { return };
        let here = self.position.unwrap_or_default();
        let position = match to {
            Move::Up(count) => here.saturating_sub(count),
            Move::Down(count) => last.min(here + count),
            Move::First => 0,
            Move::Last => last,
        };
        (self.position, self.selected) = (Some(position), self.row_at(position));
        (self.missing, self.notice) = (None, None);
    }

    /// The rows of the roles that fit what was typed, best first; of equals, and if nothing was typed, in the worker's
    /// order.
    pub(crate) fn found(&self) -> &[usize] {
        self.search.found()
    }

    /// Where the groups of the list begin. A list of what was typed has none.
    pub(crate) fn group_starts(&self) -> &[usize] {
        if self.query().is_empty() { &self.group_starts } else { &[] }
    }

    /// The heading of the group that a position is in.
    pub(crate) fn heading(&self, position: usize) -> Option<&str> {
        let starts = self.group_starts();
        let start = *starts[..starts.partition_point(|start| *start <= position)].last()?;
        if start == 0 && self.has_first_group {
            return Some(words::FIRST_ROLES);
        }
        let (role, state) = (self.role(self.row_at(start)?)?, self.state.as_ref()?);
        Some(match role.group(state.group_by) {
            "" => words::OTHER_ROLES,
            group => group,
        })
    }

    /// Where a position begins in the list, in units of which a role takes [`ROLE_HEIGHT`] and a heading [`HEADING_HEIGHT`].
    pub(crate) fn place(&self, position: usize) -> usize {
        let headings = self.group_starts().partition_point(|start| *start <= position);
        position * ROLE_HEIGHT + headings * HEADING_HEIGHT
    }

    /// How high the list is, in the same units.
    pub(crate) fn height(&self) -> usize {
        self.found().len() * ROLE_HEIGHT + self.group_starts().len() * HEADING_HEIGHT
    }

    /// The position of the role that is at a place, or of the next one.
    pub(crate) fn position_at(&self, place: usize) -> usize {
        let starts = self.group_starts();
        let above = starts
            .iter()
            .zip(0..)
            .take_while(|(start, count)| *start * ROLE_HEIGHT + count * HEADING_HEIGHT <= place);
        place.saturating_sub(above.count() * HEADING_HEIGHT) / ROLE_HEIGHT
    }

    /// The row of the role that is listed here.
    pub(crate) fn row_at(&self, position: usize) -> Option<usize> {
        self.found().get(position).copied()
    }

    /// Which characters of a role's label were typed.
    pub(crate) fn hits(&self, row: usize) -> Vec<bool> {
        self.search.hits(row)
    }

    /// Whether the actions of a provider's account are shown.
    pub(crate) fn is_account_open(&self, provider: &ProviderId) -> bool {
        self.open_account.as_ref() == Some(provider)
    }

    /// Shows the actions of a provider's account in place of another's, or hides them.
    pub(crate) fn toggle_account(&mut self, provider: ProviderId) {
        self.open_account = (!self.is_account_open(&provider)).then_some(provider);
    }

    /// Hides them. Says whether there were any.
    pub(crate) fn close_account(&mut self) -> bool {
        self.open_account.take().is_some()
    }

    /// Opens the menu of the selected role. Says whether there is one.
    pub(crate) fn open_menu(&mut self) -> bool {
        self.menu = self.selected().and_then(|role| role.key());
        self.menu.is_some()
    }

    /// Closes the menu. Says whether it was open.
    pub(crate) fn close_menu(&mut self) -> bool {
        self.menu.take().is_some()
    }

    /// The role whose menu is open: the selected one. The menu does not pass to another role when the selected one is gone.
    pub(crate) fn menu(&self) -> Option<RoleRow<'_>> {
        let key = self.menu.as_ref()?;
        self.selected().filter(|role| role.is(key))
    }

    /// Tells what the page itself has done.
    pub(crate) fn tell(&mut self, notice: &'static str) {
        self.notice = Some(notice);
    }

    /// What the page itself has done, until something else is.
    pub(crate) fn notice(&self) -> Option<&'static str> {
        self.notice
    }

    /// Where the selected role is in the list, if it is.
    pub(crate) fn position(&self) -> Option<usize> {
        self.position
    }

    /// The selected role, if it is in the list.
    pub(crate) fn selected(&self) -> Option<RoleRow<'_>> {
        self.role(self.row_at(self.position?)?)
    }

    /// Lists the pinned roles and those that were used before the others.
    fn put_first(&mut self) {
        let (Some(roles), Some(state)) = (&self.roles, &self.state) else { return };
        self.group_starts = self.search.put_first(roles, &state.pinned, &state.recent, state.group_by);
        let first = self.search.order().first().and_then(|row| roles.get(*row));
        self.has_first_group =
            first.is_some_and(|role| state.pinned.iter().chain(&state.recent).any(|key| role.is(key)));
    }

    fn row_of(&self, key: &RoleKey) -> Option<usize> {
        self.roles.as_ref()?.rows().position(|role| role.is(key))
    }

    /// Something is always selected while there is something to select. What was selected is remembered while no role
    /// fits, so that it is selected again once the search is cleared.
    fn keep_selection(&mut self) {
        self.position =
            self.selected.and_then(|selected| self.found().iter().position(|row| *row == selected));
        if self.position.is_none()
            && let Some(first) = self.row_at(0)
        {
            (self.position, self.selected) = (Some(0), Some(first));
        }
    }
}

/// How high a role is in the list, in fifths: the style sheet says of what.
const ROLE_HEIGHT: usize = 5;
/// How high the heading of a group is.
const HEADING_HEIGHT: usize = 3;

/// In characters.
const MAX_QUERY: usize = 200;

/// How many roles are made ready for a search at a time: a few milliseconds of work.
const ROLES_PER_STEP: usize = 1_000;

#[cfg(test)]
pub(crate) mod tests {
    use rolecall_core::settings::GroupBy;

    use super::*;
    use crate::view::fixture::{role, state_with, tell};

    fn model(names: &[&str]) -> Model {
        let mut model = Model::default();
        tell(&mut model, state_with(names.iter().map(|name| role("acme", name)).collect()));
        model
    }

    fn selected(model: &Model) -> Option<&str> {
        model.selected().map(|role| role.name())
    }

    fn shown(model: &Model) -> Vec<&str> {
        model.found().iter().map(|row| model.role(*row).unwrap().name()).collect()
    }

    #[test]
    fn the_first_role_is_selected_at_first() {
        assert_eq!(selected(&model(&["Reader", "Writer"])), Some("Reader"));
        assert_eq!(selected(&model(&[])), None);
    }

    #[test]
    fn the_role_being_worked_on_is_selected_at_first() {
        let mut state = state_with(vec![role("acme", "Reader"), role("acme", "Writer")]);
        state.activities = vec![rolecall_core::message::ui::Activity {
            provider: "corp".parse().unwrap(),
            role: Some(state.roles[1].key.clone()),
            step: rolecall_core::platform::Step::WaitingForPerson,
        }];
        let mut model = Model::default();
        tell(&mut model, state);
        assert_eq!(selected(&model), Some("Writer"));
    }

    #[test]
    fn the_selection_moves_and_stops_at_either_end() {
        let mut model = model(&["A", "B", "C"]);
        for (to, name) in [
            (Move::Down(1), "B"),
            (Move::Down(1), "C"),
            (Move::Down(1), "C"),
            (Move::Up(1), "B"),
            (Move::First, "A"),
            (Move::Up(1), "A"),
            (Move::Last, "C"),
            (Move::Up(2), "A"),
            (Move::Down(7), "C"),
        ] {
            model.go(to);
            assert_eq!(selected(&model), Some(name), "{to:?}");
        }
    }

    #[test]
    fn the_selection_stays_with_its_role_when_the_state_changes() {
        let mut model = model(&["A", "B", "C"]);
        model.go(Move::Down(1));
        tell(&mut model, state_with(["New", "C", "B", "A"].map(|name| role("acme", name)).to_vec()));
        assert_eq!(selected(&model), Some("B"));
    }

    #[test]
    fn a_selected_role_that_comes_back_is_selected_again_unless_the_person_went_on() {
        let send = |model: &mut Model, names: &[&str]| {
            tell(model, state_with(names.iter().map(|name| role("acme", name)).collect()));
        };
        for (goes_on, expected) in [(false, "B"), (true, "D")] {
            let mut model = model(&["A", "B", "C"]);
            model.go(Move::Down(1));
            send(&mut model, &["C", "D"]);
            if goes_on {
                model.go(Move::Last);
            }
            send(&mut model, &["A", "B", "C", "D"]);
            assert_eq!(selected(&model), Some(expected));
        }
    }

    #[test]
    fn the_first_is_selected_when_the_selected_role_is_gone() {
        let mut model = model(&["A", "B"]);
        model.go(Move::Last);
        tell(&mut model, state_with(vec![role("acme", "C"), role("acme", "A")]));
        assert_eq!(selected(&model), Some("C"));
    }

    #[test]
    fn typing_selects_the_best_match_and_clearing_keeps_it_selected() {
        let mut model = model(&["Administrator", "ReadOnly", "Auditor"]);
        model.search("read");
        assert_eq!((shown(&model), selected(&model)), (vec!["ReadOnly"], Some("ReadOnly")));
        model.search("");
        assert_eq!(shown(&model).len(), 3);
        assert_eq!(selected(&model), Some("ReadOnly"));
    }

    #[test]
    fn a_search_without_a_match_selects_nothing_and_forgets_nothing() {
        let mut model = model(&["A", "B"]);
        model.go(Move::Last);
        model.search("zzz");
        assert_eq!((shown(&model), selected(&model)), (vec![], None));
        model.go(Move::Down(1));
        model.search("");
        assert_eq!(selected(&model), Some("B"));
    }

    #[test]
    fn a_state_that_arrives_during_a_search_leaves_the_selection_alone() {
        let mut model = model(&["Admin", "Auditor", "Reader"]);
        model.search("a");
        model.go(Move::Down(1));
        let before = selected(&model).map(str::to_owned);
        tell(&mut model, state_with(["Admin", "Auditor", "Reader"].map(|name| role("acme", name)).to_vec()));
        assert_eq!(selected(&model).map(str::to_owned), before);
        assert_eq!(model.query(), "a");
    }

    #[test]
    fn pinned_roles_come_first_then_those_that_are_used_then_the_others_in_the_workers_order() {
        let mut state = state_with(["A", "B", "C", "D", "E"].map(|name| role("acme", name)).to_vec());
        let key = |name: &str| role("acme", name).key;
        state.pinned = vec![key("E"), key("C")];
        state.recent = vec![key("D"), key("C"), key("gone")];
        let mut model = Model::default();
        tell(&mut model, state.clone());
        assert_eq!((shown(&model), selected(&model)), (vec!["E", "C", "D", "A", "B"], Some("E")));

        // A role that is used stays where it is while the list is shown; one that is pinned moves.
        state.recent.insert(0, key("B"));
        model.receive(ToPage::State(Box::new(state.state.clone())));
        assert_eq!(shown(&model), ["E", "C", "D", "A", "B"]);
        state.pinned.push(key("A"));
        model.receive(ToPage::State(Box::new(state.state.clone())));
        assert_eq!((shown(&model), selected(&model)), (vec!["E", "C", "A", "B", "D"], Some("E")));
        state.recent.clear();
        model.receive(ToPage::State(Box::new(state.state.clone())));
        assert_eq!(shown(&model), ["E", "C", "A", "B", "D"]);
    }

    /// The list with its headings, and how far from the top each role begins.
    fn grouped(model: &Model) -> Vec<(Option<&str>, &str, usize)> {
        let starts = model.group_starts();
        let line = |(position, name)| {
            let heading = starts.contains(&position).then(|| model.heading(position).unwrap());
            (heading, name, model.place(position))
        };
        shown(model).into_iter().enumerate().map(line).collect()
    }

    #[test]
    fn roles_are_listed_below_headings_while_nothing_is_typed() {
        let mut state = state_with(
            [
                ("acme", "A", "production"),
                ("acme", "B", ""),
                ("beta", "C", "development"),
                ("beta", "D", "production"),
                ("beta", "E", ""),
            ]
            .map(|(account, name, environment)| {
                let mut role = role(account, name);
                role.environment = environment;
                role
            })
            .to_vec(),
        );
        state.recent = vec![role("beta", "E").key];
        let mut model = Model::default();
        tell(&mut model, state.clone());
        assert!(model.group_starts().is_empty());
        assert_eq!((model.height(), model.place(4), model.heading(4)), (25, 20, None));

        state.group_by = GroupBy::Account;
        model.receive(ToPage::State(Box::new(state.state.clone())));
        assert_eq!(
            grouped(&model),
            [
                (Some("Pinned and recent"), "E", 3),
                (Some("acme"), "A", 11),
                (None, "B", 16),
                (Some("beta"), "C", 24),
                (None, "D", 29),
            ]
        );
        assert_eq!(model.height(), 34);
        assert_eq!(
            [0, 3, 8, 10, 11, 16, 21, 24, 29].map(|place| model.position_at(place)),
            [0, 0, 0, 0, 1, 2, 2, 3, 4]
        );
        assert_eq!(
            (0..5).map(|at| model.heading(at).unwrap()).collect::<String>(),
            "Pinned and recentacmeacmebetabeta"
        );

        state.group_by = GroupBy::Environment;
        model.receive(ToPage::State(Box::new(state.state.clone())));
        assert_eq!(
            grouped(&model).into_iter().map(|(heading, name, _)| (heading, name)).collect::<Vec<_>>(),
            [
                (Some("Pinned and recent"), "E"),
                (Some("development"), "C"),
                (Some("production"), "A"),
                (None, "D"),
                (Some("Others"), "B"),
            ]
        );
        // The last one stays where it is, and so does its heading, while the list is shown.
        state.recent.insert(0, role("acme", "B").key);
        model.receive(ToPage::State(Box::new(state.state.clone())));
        assert_eq!(grouped(&model).last(), Some(&(Some("Others"), "B", 32)));
        model.search("a");
        assert!(model.group_starts().is_empty() && model.place(0) == 0);
    }

    #[test]
    fn of_roles_that_fit_equally_well_those_come_first_that_are_used() {
        let mut state = state_with(["Dev-1", "Dev-2", "Dev-3"].map(|name| role("acme", name)).to_vec());
        state.recent = vec![state.roles[2].key.clone()];
        let mut model = Model::default();
        tell(&mut model, state);
        model.search("dev");
        assert_eq!(shown(&model), ["Dev-3", "Dev-1", "Dev-2"]);
    }

    #[test]
    fn what_is_typed_behind_the_role_is_a_page_of_the_console() {
        let mut model = model(&["Administrator", "ReadOnly"]);
        model.search("read > s3");
        assert_eq!((selected(&model), model.page()), (Some("ReadOnly"), "s3"));
        assert_eq!(model.main_actions(), [Action::OpenPage, Action::SignIn]);
        // A role that is chosen stays chosen.
        model.search("r");
        model.go(Move::Down(1));
        let second = selected(&model).map(str::to_owned);
        model.search("r > s3");
        assert_eq!((model.found().len(), selected(&model)), (2, second.as_deref()));
        model.search("read >");
        assert_eq!((model.main_actions()[0], model.notice()), (Action::OpenConsole, Some(words::PAGE)));
        // A page alone leaves all roles in the list, and the selected one selected.
        let url = "https://eu-west-1.console.aws.amazon.com/s3/home";
        model.search(url);
        assert_eq!((shown(&model).len(), selected(&model), model.page()), (2, Some("ReadOnly"), url));
        model.search("");
        assert_eq!((model.main_actions()[0], model.notice()), (Action::OpenConsole, None));
    }

    #[test]
    fn a_menu_does_not_pass_to_another_role_when_its_own_is_gone() {
        let mut model = model(&["A", "B"]);
        assert!(model.open_menu());
        assert_eq!(model.menu().unwrap().name(), "A");
        tell(&mut model, state_with(vec![role("acme", "B")]));
        assert_eq!((selected(&model), model.menu()), (Some("B"), None));
    }

    #[test]
    fn one_arn_listed_for_two_providers_is_two_roles() {
        let mut other = role("acme", "A");
        other.key.provider = "other".parse().unwrap();
        let mut model = Model::default();
        tell(&mut model, state_with(vec![role("acme", "A"), other.clone()]));
        model.go(Move::Down(1));
        assert!(model.selected().unwrap().is(&other.key));
    }
}
