//! What is on the page: a pure function of the model and the time.
//!
//! A [`View`] says everything in the words and order in which it is shown, so that what binds it to the document
//! decides nothing.

use chrono::{DateTime, Utc};
use rolecall_core::message::ui::{HostState, ProviderState, RoleState, State};
use rolecall_core::platform::Step;
use rolecall_core::settings::{CredentialsMode, ProviderId, RoleKey};
use rolecall_core::{Code, Problem};

use crate::model::{Found, Model};
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
    /// The roles that fit what was typed.
    pub(crate) options: Vec<OptionView>,
    /// What can be done with the selected role.
    pub(crate) actions: Option<ActionsView>,
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
    /// What ends the session at the provider as well, if it can be ended.
    pub(crate) end_session: Option<String>,
    /// Where its settings come from.
    pub(crate) layer: &'static str,
}

/// A role in the list.
#[derive(Debug, PartialEq)]
pub(crate) struct OptionView {
    pub(crate) key: RoleKey,
    /// Its accessible name, "ACCOUNT / ROLE".
    pub(crate) label: String,
    /// What else there is to hear about it.
    pub(crate) description: String,
    pub(crate) account: Vec<Piece>,
    pub(crate) role: Vec<Piece>,
    /// The provider's name, where there are several.
    pub(crate) provider: Option<String>,
    pub(crate) left: Option<TimeLeft>,
    /// A CSS colour, as the settings have it: not checked.
    pub(crate) color: Option<String>,
    pub(crate) selected: bool,
    pub(crate) busy: bool,
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
    pub(crate) color: Option<String>,
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
    /// The view of a model at a time.
    pub(crate) fn of(model: &Model, now: DateTime<Utc>) -> Self {
        let nothing = State::default();
        let state = model.state().unwrap_or(&nothing);
        let found = model.found();
        let content = content(model, found.len());
        Self {
            content,
            providers: state.providers.iter().map(|provider| ProviderView::of(provider, model)).collect(),
            role_count: model.roles().len(),
            options: found.iter().map(|found| OptionView::of(found, model, state, now)).collect(),
            actions: found
                .iter()
                .find(|found| is_selected(model, found.role))
                .map(|found| ActionsView::of(found.role, state)),
            busy: !state.activities.is_empty(),
            status: match (state.activities.last(), &state.done) {
                (Some(activity), _) => words::step(activity.step).to_owned(),
                (None, _) if content == Content::NoMatch => words::no_match(model.query()),
                (None, Some(done)) => done.clone(),
                (None, None) => String::new(),
            },
            problem: state.problem.as_ref().map(ProblemView::of),
            left_out: state.settings_problems.iter().map(ProblemView::of).collect(),
            host: HostView::of(&state.host),
        }
    }
}

impl ProviderView {
    fn of(provider: &ProviderState, model: &Model) -> Self {
        let signed_in = provider.person.is_some();
        Self {
            id: provider.id.clone(),
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
    fn of(found: &Found<'_>, model: &Model, state: &State, now: DateTime<Utc>) -> Self {
        let role = found.role;
        let key = role.key.clone();
        let label = words::role_label(&role.account, &role.name);
        let provider = state.providers.iter().find(|provider| provider.id == key.provider);
        let provider = provider.filter(|_| state.providers.len() > 1).map(|provider| provider.label.clone());
        let left = model.expiration(&key).map(|expiration| TimeLeft::until(expiration, now));
        let description = left
            .map(words::time_left_spoken)
            .into_iter()
            .chain(provider.iter().map(|provider| format!("{provider}.")))
            .collect::<Vec<_>>()
            .join(" ");
        let role_starts = role.account.chars().count() + words::SEPARATOR.chars().count();
        Self {
            selected: is_selected(model, role),
            busy: state.activities.iter().any(|activity| activity.role.as_ref() == Some(&key)),
            account: pieces(&role.account, 0, &found.hits),
            role: pieces(&role.name, role_starts, &found.hits),
            color: role.color.clone(),
            key,
            label,
            description,
            provider,
            left,
        }
    }
}

impl ActionsView {
    fn of(role: &RoleState, state: &State) -> Self {
        let console_only = role.credentials == CredentialsMode::None;
        let activity = state.activities.iter().find(|activity| activity.role.as_ref() == Some(&role.key));
        Self {
            busy: activity.is_some(),
            can_be_cancelled: activity.is_some_and(|activity| activity.step == Step::WaitingForPerson),
            label: words::role_label(&role.account, &role.name),
            profile: if console_only {
                words::CONSOLE_ONLY_SHORT.to_owned()
            } else {
                words::profile(&role.profile)
            },
            color: role.color.clone(),
            no_profile: console_only.then_some(words::CONSOLE_ONLY),
        }
    }
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

fn content(model: &Model, found: usize) -> Content {
    let Some(state) = model.state() else { return Content::Loading };
    if !model.roles().is_empty() {
        return if found > 0 { Content::Roles } else { Content::NoMatch };
    }
    match (&state.host, state.providers.is_empty()) {
        // The host is connected once the machine's settings are there: until then, nothing is known to be missing.
        (HostState::Connecting, _) => Content::Loading,
        (_, true) => Content::NoProviders,
        (_, false) => Content::NoRoles,
    }
}

fn is_selected(model: &Model, role: &RoleState) -> bool {
    model.selected() == Some(&role.key)
}

/// `text`, which starts at the given place of a label, cut where hits begin and end.
fn pieces(text: &str, start: usize, hits: &[usize]) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    for (at, character) in text.chars().enumerate() {
        let hit = hits.binary_search(&(start + at)).is_ok();
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
