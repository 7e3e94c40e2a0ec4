//! What pages and terminals are shown, put together from where it is known.

use std::cmp::Ordering;
use std::rc::Rc;

use rolecall_core::map::{self, Map};
use rolecall_core::message::host::{PersonSummary, RoleSummary, StatusPage};
use rolecall_core::message::page::PageRequest;
use rolecall_core::message::role_table::{RoleRow, RoleTable};
use rolecall_core::message::ui::{ProviderState, RoleSession, State};
use rolecall_core::oidc::Person;
use rolecall_core::settings::{Effective, ProviderId, Role, Sourced};

use crate::approvals::Approvals;
use crate::console::Consoles;
use crate::host::Host;
use crate::progress::Progress;
use crate::role_lists::RoleLists;
use crate::sessions::Sessions;
use crate::settings::Settings;
use crate::shortlist::Shortlist;

/// Where it is known.
pub(crate) struct View {
    /// The settings.
    pub(crate) settings: Rc<Settings>,
    /// Who is signed in.
    pub(crate) sessions: Rc<Sessions>,
    /// What is being done.
    pub(crate) progress: Rc<Progress>,
    /// Whether the native host is there.
    pub(crate) host: Rc<Host>,
    /// Who waits for a decision.
    pub(crate) approvals: Rc<Approvals>,
    /// Which lists of roles could not be read.
    pub(crate) role_lists: Rc<RoleLists>,
    /// Which roles come first.
    pub(crate) shortlist: Rc<Shortlist>,
    /// What the tab in front shows.
    pub(crate) consoles: Rc<Consoles>,
}

impl View {
    /// Every role of these settings, by account and name.
    pub(crate) fn roles(effective: &Effective) -> RoleTable {
        let roles = effective.roles().map(|role| (effective.account_label(role.value.arn.account()), role));
        let roles: Vec<_> = roles.collect();
        let order = map::sorted(roles.len(), &|one, other| {
            let ((one_account, one), (other_account, other)) = (roles[one], roles[other]);
            alphabetical(one_account, other_account)
                .then_with(|| one_account.cmp(other_account))
                .then_with(|| alphabetical(one.value.arn.name(), other.value.arn.name()))
        });
        let mut table = RoleTable::default();
        for (account, sourced) in order.into_iter().map(|at| roles[at]) {
            let role = &sourced.value;
            table.push(RoleRow {
                provider: role.provider.as_str(),
                arn: role.arn.as_str(),
                account,
                profile: effective.profile_name(role).as_str(),
                color: effective.color(role).unwrap_or_default(),
                environment: effective.environment(role).unwrap_or_default(),
                about: &effective.about(role),
                credentials: role.credentials,
                is_for_others: effective.is_for_others(sourced),
            });
        }
        table
    }

    /// Everything else that a page shows.
    pub(crate) fn state(&self) -> State {
        let effective = self.settings.current();
        let outcome = self.progress.outcome();
        let providers = effective.providers().map(|provider| {
            let id = &provider.value.id;
            let ends_sessions = |session: &rolecall_core::session::ProviderSession| {
                session.metadata().is_some_and(|metadata| metadata.end_session_endpoint.is_some())
            };
            ProviderState {
                id: id.clone(),
                label: provider.value.label().to_owned(),
                person: self.person(id),
                ends_sessions: self.sessions.of(id).read(ends_sessions),
                layer: provider.layer,
            }
        });
        let sessions = self.sessions.expirations().into_iter();
        State {
            providers: providers.collect(),
            sessions: sessions.map(|(role, expiration)| RoleSession { role, expiration }).collect(),
            pinned: self.shortlist.pinned(),
            recent: self.shortlist.recent(),
            has_role_lists: effective
                .providers()
                .any(|provider| provider.value.catalogue_url.is_some() || provider.value.roles_url.is_some()),
            activities: self.progress.activities(),
            done: outcome.done,
            problem: outcome.problem,
            go_on: self.consoles.in_front(),
            groups_tabs: self.consoles.groups_tabs(),
            default_action: effective.preferences.default_action.unwrap_or_default(),
            group_by: effective.preferences.group_by.unwrap_or_default(),
            host: self.host.state(),
            settings_problems: effective.problems.iter().cloned().chain(self.role_lists.problems()).collect(),
            approvals: self.approvals.open(),
        }
    }

    /// A page of who is signed in and which roles there are, for a terminal.
    pub(crate) fn status(&self, request: PageRequest) -> StatusPage {
        let effective = self.settings.current();
        let people: Vec<_> = effective
            .providers()
            .map(|provider| {
                let id = &provider.value.id;
                PersonSummary { provider: id.clone(), person: self.person(id) }
            })
            .collect();
        let expirations: Map<_, _> = self.sessions.expirations().into_iter().collect();
        let revision = self.settings.revision().wrapping_add(self.sessions.revision());
        let role = |role: &Sourced<Role>| {
            let role = &role.value;
            RoleSummary {
                role: role.key(),
                account: role.arn.account().clone(),
                account_label: effective.account_label(role.arn.account()).to_owned(),
                profile: effective.profile_name(role),
                environment: effective.environment(role).unwrap_or_default().to_owned(),
                about: effective.about(role),
                expiration: expirations.get(&role.key()).copied(),
            }
        };
        StatusPage::cut(&people, effective.roles(), role, revision, request.start(revision))
    }

    fn person(&self, provider: &ProviderId) -> Option<String> {
        self.sessions.of(provider).read(|session| session.person().map(Person::label))
    }
}

/// The order of names that differ in more than their case.
fn alphabetical(one: &str, other: &str) -> Ordering {
    let [one, other] = [one, other].map(|name| name.bytes().map(|byte| byte.to_ascii_lowercase()));
    one.cmp(other)
}
