//! What is on the page: a pure function of the model and the time.
//!
//! A [`View`] says everything in the words and order in which it is shown, so that what binds it to the document
//! decides nothing.

use rolecall_core::message::role_table::RoleRow;
use rolecall_core::message::ui::{Activity, ConsoleTab, HostState, MAX_PINNED, ProviderState, State};
use rolecall_core::platform::Step;
use rolecall_core::settings::{CredentialsMode, ProviderId};
use rolecall_core::time::{DateTime, Utc};
use rolecall_core::{Code, Problem};

use crate::model::{Action, Model};
use crate::time::TimeLeft;
use crate::words;

/// Everything on the page.
#[derive(Debug, PartialEq)]
pub(crate) struct View {
    /// What the middle of the page is about.
    pub(crate) content: Content,
    /// Whom people sign in with.
    pub(crate) providers: Vec<ProviderView>,
    /// How many roles there are, whatever was typed: the list keeps that height.
    pub(crate) role_count: usize,
    /// How high the list of those that fit is, headings among them.
    pub(crate) height: usize,
    /// How many of them fit what was typed.
    pub(crate) found_count: usize,
    /// Those of them that are drawn.
    pub(crate) options: Vec<OptionView>,
    /// What can be done with the selected role.
    pub(crate) actions: Option<ActionsView>,
    /// What signs in to the console again in the tab in front, if that shows one.
    pub(crate) go_on: Option<String>,
    /// What else, if its menu is open.
    pub(crate) menu: Option<MenuView>,
    /// Whether something is being done.
    pub(crate) busy: bool,
    /// What is being done or was done last; may be empty.
    pub(crate) status: String,
    /// What went wrong last.
    pub(crate) problem: Option<ProblemView>,
    /// What is wrong with the settings.
    pub(crate) left_out: Vec<ProblemView>,
    /// The native host.
    pub(crate) host: HostView,
}

/// What the middle of the page is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Content {
    /// Nothing is known yet.
    Loading,
    /// There is nobody to sign in with.
    NoProviders,
    /// There is nothing to become.
    NoRoles,
    /// Nothing fits what was typed.
    NoMatch,
    /// Roles.
    Roles,
}

/// A provider and the person signed in there.
#[derive(Debug, PartialEq)]
pub(crate) struct ProviderView {
    pub(crate) id: ProviderId,
    pub(crate) label: String,
    pub(crate) person: String,
    pub(crate) signed_in: bool,
    /// Whether the actions of its account are shown.
    pub(crate) open: bool,
    /// Whether the person is waited for without a role, which they can end.
    pub(crate) can_be_cancelled: bool,
    /// What ends the session at the provider as well, if it can be ended.
    pub(crate) end_session: Option<String>,
    /// Where its settings come from.
    pub(crate) layer: &'static str,
}

/// A role in the list.
#[derive(Debug, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "each is shown by itself")]
pub(crate) struct OptionView {
    /// Its row in the worker's table.
    pub(crate) row: usize,
    /// Where it is in the list.
    pub(crate) position: usize,
    /// Where it begins in the list.
    pub(crate) place: usize,
    /// The heading above it.
    pub(crate) heading: Option<String>,
    /// How many there are in the list.
    pub(crate) count: usize,
    /// Its accessible name, "ACCOUNT / ROLE".
    pub(crate) label: String,
    /// What else there is to hear about it.
    pub(crate) description: String,
    pub(crate) account: Vec<Piece>,
    pub(crate) role: Vec<Piece>,
    /// The provider's name, where there are several.
    pub(crate) provider: Option<String>,
    pub(crate) left: Option<TimeLeft>,
    /// A CSS colour, as the settings have it: not checked. Empty without one.
    pub(crate) color: String,
    /// What the account is for. May be empty.
    pub(crate) environment: String,
    pub(crate) pinned: bool,
    /// Whether it is only for groups that the person is not in.
    pub(crate) for_others: bool,
    pub(crate) selected: bool,
    pub(crate) busy: bool,
}

/// The menu of a role.
#[derive(Debug, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "each decides about an item of its own")]
pub(crate) struct MenuView {
    /// The role's.
    pub(crate) label: String,
    pub(crate) pinned: bool,
    /// Whether no further role can be pinned.
    pub(crate) pins_are_full: bool,
    /// Whether something is being done with the role: nothing else is begun meanwhile.
    pub(crate) busy: bool,
    /// Whether it is remembered that the role was used.
    pub(crate) recent: bool,
    /// Whether there are credentials for it.
    pub(crate) has_session: bool,
    /// Whether it has an AWS profile.
    pub(crate) has_profile: bool,
    /// Whether roles can be read again.
    pub(crate) can_refresh: bool,
    /// Whether the console's tabs are grouped, where they can be.
    pub(crate) groups_tabs: Option<bool>,
}

/// A piece of a name.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) text: String,
    /// Whether it is what was typed.
    pub(crate) hit: bool,
}

/// What can be done with the selected role.
#[derive(Debug, PartialEq)]
pub(crate) struct ActionsView {
    pub(crate) label: String,
    pub(crate) profile: String,
    /// What the account is for, and what else is known of the role. May be empty.
    pub(crate) about: String,
    pub(crate) color: String,
    /// What the two main buttons do.
    pub(crate) main: [Action; 2],
    /// Why no profile can be written.
    pub(crate) no_profile: Option<&'static str>,
    /// Whether something is being done with the role: no further action is taken meanwhile.
    pub(crate) busy: bool,
    /// Whether the person is waited for, which they can end.
    pub(crate) can_be_cancelled: bool,
}

/// What went wrong and what to do.
#[derive(Debug, PartialEq)]
pub(crate) struct ProblemView {
    pub(crate) message: String,
    pub(crate) next_step: String,
    /// The command that the next step ends with.
    pub(crate) command: Option<String>,
    pub(crate) code: String,
    pub(crate) grant: Option<Grant>,
    /// Whether it is about a list of roles, which can be read again.
    pub(crate) is_about_role_list: bool,
    /// What the person can agree to.
    pub(crate) confirm: Option<&'static str>,
}

/// A host that the person can be asked to allow.
#[derive(Debug, PartialEq)]
pub(crate) struct Grant {
    pub(crate) pattern: String,
    pub(crate) label: String,
}

/// The native host.
#[derive(Debug, PartialEq)]
pub(crate) enum HostView {
    Connecting,
    Connected(String),
    Absent {
        title: &'static str,
        text: String,
        /// The command that the text ends with.
        command: Option<String>,
    },
}

impl View {
    /// The view of a model at a time, with the roles at these positions of the list.
    pub(crate) fn of(model: &Model, positions: &[usize], now: DateTime<Utc>) -> Self {
        let nothing = State::default();
        let state = model.state().unwrap_or(&nothing);
        let content = content(model);
        Self {
            content,
            providers: state
                .providers
                .iter()
                .map(|provider| ProviderView::of(provider, model, state))
                .collect(),
            role_count: model.role_count(),
            height: model.height(),
            found_count: model.found().len(),
            options: positions
                .iter()
                .filter_map(|position| OptionView::of(*position, model, state, now))
                .collect(),
            actions: ActionsView::of(model),
            go_on: state.go_on.as_ref().and_then(|ConsoleTab { role: key, .. }| {
                let role = model.role_of(key)?;
                Some(words::go_on(&words::role_label(role.account, role.name())))
            }),
            menu: MenuView::of(model),
            busy: !state.activities.is_empty(),
            status: match (state.activities.last(), model.notice(), &state.done) {
                (Some(activity), None, _) => words::step(activity.step).to_owned(),
                (_, Some(notice), _) => notice.to_owned(),
                (None, None, _) if content == Content::NoMatch => words::no_match(model.query()),
                (None, None, Some(done)) => done.clone(),
                (None, None, None) => String::new(),
            },
            problem: state.problem.as_ref().map(ProblemView::of),
            left_out: state.settings_problems.iter().map(ProblemView::of).collect(),
            host: HostView::of(&state.host),
        }
    }
}

impl ProviderView {
    fn of(provider: &ProviderState, model: &Model, state: &State) -> Self {
        let signed_in = provider.person.is_some();
        let waits = |activity: &Activity| {
            activity.provider == provider.id
                && activity.role.is_none()
                && activity.step == Step::WaitingForPerson
        };
        Self {
            id: provider.id.clone(),
            can_be_cancelled: state.activities.iter().any(waits),
            open: signed_in && model.is_account_open(&provider.id),
            end_session: provider.ends_sessions.then(|| words::end_session(&provider.label)),
            label: provider.label.clone(),
            person: provider.person.clone().unwrap_or_else(|| words::NOT_SIGNED_IN.to_owned()),
            signed_in,
            layer: words::layer(provider.layer),
        }
    }
}

impl OptionView {
    fn of(position: usize, model: &Model, state: &State, now: DateTime<Utc>) -> Option<Self> {
        let row = model.row_at(position)?;
        let role = model.role(row)?;
        let provider = state.providers.iter().find(|provider| provider.id.as_str() == role.provider);
        let provider = provider.filter(|_| state.providers.len() > 1).map(|provider| provider.label.clone());
        let session = state.sessions.iter().find(|session| role.is(&session.role));
        let left = session.map(|session| TimeLeft::until(session.expiration, now));
        let hits = model.hits(row);
        let pinned = state.pinned.iter().any(|key| role.is(key));
        // Every character of a role's name is a byte.
        let role_starts = hits.len().saturating_sub(role.name().len());
        Some(Self {
            row,
            position,
            place: model.place(position),
            heading: model
                .group_starts()
                .binary_search(&position)
                .ok()
                .and_then(|_| model.heading(position).map(str::to_owned)),
            count: model.found().len(),
            selected: model.position() == Some(position),
            busy: activity(&role, state).is_some(),
            account: pieces(role.account, &hits),
            role: pieces(role.name(), &hits[role_starts..]),
            color: role.color.to_owned(),
            label: words::role_label(role.account, role.name()),
            description: words::option_description(
                left,
                provider.as_deref(),
                pinned,
                role.environment,
                role.is_for_others,
            ),
            environment: role.environment.to_owned(),
            provider,
            left,
            pinned,
            for_others: role.is_for_others,
        })
    }
}

impl ActionsView {
    /// What can be done with the selected role, if one is.
    pub(crate) fn of(model: &Model) -> Option<Self> {
        let (role, state) = (model.selected()?, model.state()?);
        let console_only = role.credentials == CredentialsMode::None;
        let activity = activity(&role, state);
        Some(Self {
            busy: activity.is_some(),
            can_be_cancelled: activity.is_some_and(|activity| activity.step == Step::WaitingForPerson),
            label: words::role_label(role.account, role.name()),
            about: {
                let others = if role.is_for_others { words::FOR_OTHERS } else { "" };
                let parts =
                    [role.environment, role.about, others].into_iter().filter(|part| !part.is_empty());
                parts.collect::<Vec<_>>().join(" · ")
            },
            profile: if console_only {
                words::CONSOLE_ONLY_SHORT.to_owned()
            } else {
                words::profile(role.profile)
            },
            color: role.color.to_owned(),
            main: model.main_actions(),
            no_profile: console_only.then_some(words::CONSOLE_ONLY),
        })
    }
}

impl MenuView {
    fn of(model: &Model) -> Option<Self> {
        let (role, state) = (model.menu()?, model.state()?);
        Some(Self {
            label: words::role_label(role.account, role.name()),
            pinned: state.pinned.iter().any(|key| role.is(key)),
            pins_are_full: state.pinned.len() >= MAX_PINNED,
            busy: activity(&role, state).is_some(),
            recent: state.recent.iter().any(|key| role.is(key)),
            has_session: state.sessions.iter().any(|session| role.is(&session.role)),
            has_profile: role.credentials != CredentialsMode::None,
            can_refresh: state.has_role_lists,
            groups_tabs: state.groups_tabs,
        })
    }
}

/// What is being done with a role.
fn activity<'a>(role: &RoleRow<'_>, state: &'a State) -> Option<&'a Activity> {
    state.activities.iter().find(|activity| activity.role.as_ref().is_some_and(|key| role.is(key)))
}

impl ProblemView {
    fn of(problem: &Problem) -> Self {
        Self {
            message: problem.message.clone(),
            next_step: problem.next_step.clone(),
            command: problem.command.clone(),
            code: problem.code.clone(),
            grant: problem
                .grant
                .as_ref()
                .map(|pattern| Grant { pattern: pattern.clone(), label: words::allow(pattern) }),
            is_about_role_list: problem.is(Code::CatalogueUnavailable)
                || problem.is(Code::RoleServiceUnavailable),
            confirm: problem.confirmation(),
        }
    }
}

impl HostView {
    fn of(host: &HostState) -> Self {
        match host {
            HostState::Connecting => Self::Connecting,
            HostState::Connected { version } => Self::Connected(words::host_connected(version)),
            HostState::Absent { problem } => {
                let next_step = &problem.next_step;
                // The title says already that it is not installed; everything else needs the details.
                let text = if problem.is(Code::HostNotInstalled) {
                    next_step.clone()
                } else {
                    format!("{} {next_step}", problem.message)
                };
                Self::Absent { title: words::host_absent(problem), text, command: problem.command.clone() }
            }
        }
    }
}

fn content(model: &Model) -> Content {
    let Some(state) = model.state() else { return Content::Loading };
    if model.role_count() > 0 {
        return if model.found().is_empty() { Content::NoMatch } else { Content::Roles };
    }
    match (&state.host, state.providers.is_empty()) {
        // The host is connected once the machine's settings are there: until then, nothing is known to be missing.
        (HostState::Connecting, _) => Content::Loading,
        (_, true) => Content::NoProviders,
        (_, false) => Content::NoRoles,
    }
}

/// A text, cut where hits begin and end.
fn pieces(text: &str, hits: &[bool]) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    for (at, character) in text.chars().enumerate() {
        let hit = hits.get(at) == Some(&true);
        match pieces.last_mut() {
            Some(piece) if piece.hit == hit => piece.text.push(character),
            _ => pieces.push(Piece { text: character.into(), hit }),
        }
    }
    pieces
}

#[cfg(test)]
pub(crate) mod fixture;

#[cfg(test)]
mod tests;
