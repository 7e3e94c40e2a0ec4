//! What a page remembers: what the worker sent last, what was typed, and which role is selected.
//!
//! It knows nothing of documents and events. The selection is a role, not a place in the list, so it stays with the
//! role when the state changes under it.

use chrono::{DateTime, Utc};
use rolecall_core::map::{self, Map};
use rolecall_core::message::ui::{RoleState, State, ToPage};
use rolecall_core::settings::{ProviderId, RoleKey};

use crate::{search, words};

/// A page's memory.
#[derive(Debug, Default)]
pub(crate) struct Model {
    roles: Option<Vec<RoleState>>,
    state: Option<State>,
    expirations: Map<RoleKey, DateTime<Utc>>,
    query: String,
    selected: Option<RoleKey>,
    open_account: Option<ProviderId>,
}

/// A role that fits what was typed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Found<'a> {
    /// The role.
    pub(crate) role: &'a RoleState,
    /// Which characters of its label were typed.
    pub(crate) hits: Vec<usize>,
}

/// Where to move the selection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Move {
    /// One up.
    Up,
    /// One down.
    Down,
    /// To the first.
    First,
    /// To the last.
    Last,
}

impl Model {
    /// The worker's last state, once the roles that go with it have come as well.
    pub(crate) fn state(&self) -> Option<&State> {
        self.roles.as_ref().and(self.state.as_ref())
    }

    /// Every role, in the settings' order.
    pub(crate) fn roles(&self) -> &[RoleState] {
        self.roles.as_deref().unwrap_or_default()
    }

    /// Until when there are credentials of a role.
    pub(crate) fn expiration(&self, role: &RoleKey) -> Option<DateTime<Utc>> {
        self.expirations.get(role).copied()
    }

    /// Until when there are credentials of each role that has any.
    pub(crate) fn expirations(&self) -> impl Iterator<Item = DateTime<Utc>> {
        self.expirations.values().copied()
    }

    /// What was typed, without the blanks around it.
    pub(crate) fn query(&self) -> &str {
        self.query.trim()
    }

    /// Takes what the worker sends. A selected role that is still listed stays selected; before anything was selected, the role
    /// that is being worked on is, else the first.
    pub(crate) fn receive(&mut self, message: ToPage) {
        let is_first = self.state().is_none();
        match message {
            ToPage::Roles(roles) => self.roles = Some(roles),
            ToPage::State(state) => {
                let sessions = state.sessions.iter();
                self.expirations =
                    sessions.map(|session| (session.role.clone(), session.expiration)).collect();
                self.state = Some(*state);
            }
        }
        if is_first && let Some(state) = self.state() {
            let busy = state.activities.iter().find_map(|activity| activity.role.clone());
            self.selected = busy.filter(|busy| self.roles().iter().any(|role| role.key == *busy));
        }
        self.keep_selection();
    }

    /// Takes what was typed, and selects what fits it best.
    pub(crate) fn search(&mut self, query: &str) {
        query.clone_into(&mut self.query);
        if !self.query().is_empty() {
            self.selected = self.key_at(0).or(self.selected.take());
        }
        self.keep_selection();
    }

    /// Selects a role. One that is not to be seen is not selected.
    pub(crate) fn select(&mut self, key: &RoleKey) {
        if self.found().iter().any(|found| found.role.key == *key) {
            self.selected = Some(key.clone());
        }
    }

    /// Moves the selection. It stops at either end.
    pub(crate) fn go(&mut self, to: Move) {
        let Some(last) = self.found().len().checked_sub(1) else { return };
        let here = self.position().unwrap_or_default();
        self.selected = self.key_at(match to {
            Move::Up => here.saturating_sub(1),
            Move::Down => last.min(here + 1),
            Move::First => 0,
            Move::Last => last,
        });
    }

    /// The roles that fit what was typed, best first; of equals, and when nothing was typed, in the settings' order.
    pub(crate) fn found(&self) -> Vec<Found<'_>> {
        let scored = self.roles().iter().filter_map(|role| {
            let label = words::role_label(&role.account, &role.name);
            let other = [role.key.arn.account().as_str(), role.profile.as_str()];
            let fit = search::fit(&self.query, &label, &other)?;
            Some((fit.score, Found { role, hits: fit.hits }))
        });
        let mut fits: Vec<_> = scored.map(Some).collect();
        let score = |at: usize| fits[at].as_ref().map(|(score, _)| *score);
        let order = map::sorted(fits.len(), &|one, other| score(other).cmp(&score(one)));
        order.into_iter().filter_map(|at| Some(fits[at].take()?.1)).collect()
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

    /// The selected role, if it can be seen.
    pub(crate) fn selected(&self) -> Option<&RoleKey> {
        self.position().and(self.selected.as_ref())
    }

    fn position(&self) -> Option<usize> {
        let selected = self.selected.as_ref()?;
        self.found().iter().position(|found| found.role.key == *selected)
    }

    fn key_at(&self, position: usize) -> Option<RoleKey> {
        self.found().get(position).map(|found| found.role.key.clone())
    }

    /// Something is always selected while there is something to select. What was selected is remembered while no role
    /// fits, so that it is selected again once the search is cleared.
    fn keep_selection(&mut self) {
        if self.position().is_none() {
            self.selected = self.key_at(0).or(self.selected.take());
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::view::fixture::{role, state_with, tell};

    fn model(names: &[&str]) -> Model {
        let mut model = Model::default();
        tell(&mut model, state_with(names.iter().map(|name| role("acme", name)).collect()));
        model
    }

    fn selected(model: &Model) -> Option<&str> {
        model.selected().map(|key| key.arn.name())
    }

    fn shown(model: &Model) -> Vec<&str> {
        model.found().iter().map(|found| found.role.name.as_str()).collect()
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
            (Move::Down, "B"),
            (Move::Down, "C"),
            (Move::Down, "C"),
            (Move::Up, "B"),
            (Move::First, "A"),
            (Move::Up, "A"),
            (Move::Last, "C"),
        ] {
            model.go(to);
            assert_eq!(selected(&model), Some(name), "{to:?}");
        }
    }

    #[test]
    fn the_selection_stays_with_its_role_when_the_state_changes() {
        let mut model = model(&["A", "B", "C"]);
        model.go(Move::Down);
        tell(&mut model, state_with(["New", "C", "B", "A"].map(|name| role("acme", name)).to_vec()));
        assert_eq!(selected(&model), Some("B"));
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
        model.go(Move::Down);
        model.search("");
        assert_eq!(selected(&model), Some("B"));
    }

    #[test]
    fn a_state_that_arrives_during_a_search_leaves_the_selection_alone() {
        let mut model = model(&["Admin", "Auditor", "Reader"]);
        model.search("a");
        model.go(Move::Down);
        let before = selected(&model).map(str::to_owned);
        tell(&mut model, state_with(["Admin", "Auditor", "Reader"].map(|name| role("acme", name)).to_vec()));
        assert_eq!(selected(&model).map(str::to_owned), before);
        assert_eq!(model.query(), "a");
    }

    #[test]
    fn one_arn_listed_for_two_providers_is_two_roles() {
        let mut other = role("acme", "A");
        other.key.provider = "other".parse().unwrap();
        let mut model = Model::default();
        tell(&mut model, state_with(vec![role("acme", "A"), other.clone()]));
        model.go(Move::Down);
        assert_eq!(model.selected(), Some(&other.key));
    }
}
