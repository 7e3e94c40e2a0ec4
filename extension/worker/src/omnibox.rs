//! Roles in the browser's address bar, behind the keyword of the manifest: the popup's search, and what it does first.

use std::cell::RefCell;
use std::rc::Rc;

use rolecall_core::console::role_and_page;
use rolecall_core::message::role_table::{RoleRow, RoleTable};
use rolecall_core::message::ui::Intent;
use rolecall_core::search::{SEPARATOR, Search};
use rolecall_core::settings::{DefaultAction, Effective, GroupBy};
use rolecall_core::text;

use crate::intents::Intents;
use crate::settings::Settings;
use crate::shortlist::Shortlist;
use crate::view::View;

/// The roles in the address bar.
pub(crate) struct Omnibox {
    pub(crate) settings: Rc<Settings>,
    pub(crate) shortlist: Rc<Shortlist>,
    pub(crate) intents: Rc<Intents>,
    /// What is searched while a person types.
    pub(crate) index: RefCell<Option<Index>>,
}

/// The roles of some settings.
pub(crate) struct Index {
    effective: Rc<Effective>,
    roles: RoleTable,
    search: Search,
}

impl Omnibox {
    /// The roles that fit what was typed, best first, as texts that name one role each, and the page of the console.
    pub(crate) async fn suggestions(&self, text: &str) -> Vec<String> {
        let (role, page) = role_and_page(text);
        self.find(role, |index| {
            let rows = index.search.found().iter().take(MAX_SUGGESTIONS);
            let name = |row: &usize| {
                let mut name = index.name(index.roles.get(*row)?);
                if let Some(page) = page {
                    name.push_str(" > ");
                    name.push_str(page);
                }
                Some(name)
            };
            rows.filter_map(name).collect()
        })
        .await
        .unwrap_or_default()
    }

    /// A person has chosen a suggestion, or pressed Enter behind what they typed.
    pub(crate) async fn choose(&self, text: &str) {
        let (typed, page) = role_and_page(text);
        let chosen = self.find(typed, |index| {
            // An account's name may have any sign in it.
            let named = |role: RoleRow<'_>| {
                let behind = text.trim().strip_prefix(&index.name(role))?.trim_start();
                let page = if behind.is_empty() { None } else { Some(behind.strip_prefix('>')?.trim()) };
                Some((role.key()?, page))
            };
            let best = || Some((index.roles.get(*index.search.found().first()?)?.key()?, page));
            index.roles.rows().find_map(named).or_else(best)
        });
        let chosen = chosen.await.flatten();
        // Nobody types any more.
        let default_action = self.index.take().and_then(|index| index.effective.preferences.default_action);
        if let Some((role, page)) = chosen {
            let page = page.filter(|page| !page.is_empty());
            self.intents.fulfil(match (page, default_action.unwrap_or_default()) {
                (Some(page), _) => Intent::OpenPage { role, page: page.to_owned() },
                (None, DefaultAction::Console) => Intent::OpenConsole { role },
                (None, DefaultAction::Credentials) => Intent::SignIn { role },
            });
        }
    }

    /// Searches for a text. `None` without settings.
    async fn find<T>(&self, text: &str, look: impl FnOnce(&Index) -> T) -> Option<T> {
        let effective = self.settings.known().await.ok()?;
        let mut kept = self.index.borrow_mut();
        let is_current = kept.as_ref().is_some_and(|index| Rc::ptr_eq(&index.effective, &effective));
        if !is_current {
            let roles = View::roles(&effective);
            let mut search = Search::default();
            search.set_roles(&roles);
            search.put_first(&roles, &self.shortlist.pinned(), &self.shortlist.recent(), GroupBy::None);
            kept.replace(Index { effective, roles, search });
        }
        let index = kept.as_mut()?;
        index.search.set_query(&index.roles, text);
        Some(look(index))
    }
}

impl Index {
    /// Names one role: with its account's digits where that has a name, since two accounts may be called the same, and with its
    /// provider where there are several, since two may have the same role.
    fn name(&self, role: RoleRow<'_>) -> String {
        let mut name = [role.account, SEPARATOR, role.name()].concat();
        if !text::contains(role.account, role.account_id()) {
            name.push_str(" · ");
            name.push_str(role.account_id());
        }
        if self.effective.providers().len() > 1 {
            name.push_str(" · ");
            name.push_str(role.provider);
        }
        name
    }
}

/// Chromium shows no more.
const MAX_SUGGESTIONS: usize = 8;

#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))]
mod tests;
