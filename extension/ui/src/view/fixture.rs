//! States to test with.

use std::ops::{Deref, DerefMut};

use rolecall_core::message::role_table::{RoleRow, RoleTable};
use rolecall_core::message::ui::{Activity, ProviderState, State, ToPage};
use rolecall_core::platform::Step;
use rolecall_core::settings::{CredentialsMode, Layer, RoleKey};

use crate::model::Model;

/// What the worker tells of.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scene {
    pub(crate) roles: Vec<Role>,
    pub(crate) state: State,
}

/// A role.
#[derive(Debug, Clone)]
pub(crate) struct Role {
    pub(crate) key: RoleKey,
    pub(crate) account: String,
    pub(crate) profile: String,
    pub(crate) color: &'static str,
    pub(crate) environment: &'static str,
    pub(crate) about: &'static str,
    pub(crate) credentials: CredentialsMode,
    pub(crate) is_for_others: bool,
}

impl Scene {
    /// The messages by which it does.
    pub(crate) fn messages(self) -> [ToPage; 2] {
        let mut table = RoleTable::default();
        for role in &self.roles {
            table.push(RoleRow {
                provider: role.key.provider.as_str(),
                arn: role.key.arn.as_str(),
                account: &role.account,
                profile: &role.profile,
                color: role.color,
                environment: role.environment,
                about: role.about,
                credentials: role.credentials,
                is_for_others: role.is_for_others,
            });
        }
        [ToPage::Roles(table), ToPage::State(Box::new(self.state))]
    }
}

impl Deref for Scene {
    type Target = State;

    fn deref(&self) -> &State {
        &self.state
    }
}

impl DerefMut for Scene {
    fn deref_mut(&mut self) -> &mut State {
        &mut self.state
    }
}

impl From<State> for Scene {
    fn from(state: State) -> Self {
        Self { roles: Vec::new(), state }
    }
}

/// The worker tells a model of it.
pub(crate) fn tell(model: &mut Model, scene: Scene) {
    scene.messages().into_iter().for_each(|message| model.receive(message));
}

/// A role of one provider.
pub(crate) fn role(account: &str, name: &str) -> Role {
    Role {
        key: RoleKey {
            provider: "corp".parse().unwrap(),
            arn: format!("arn:aws:iam::123456789012:role/{name}").parse().unwrap(),
        },
        account: account.into(),
        profile: format!("{account}-{name}"),
        color: "",
        environment: "",
        about: "",
        credentials: CredentialsMode::Process,
        is_for_others: false,
    }
}

/// A provider.
pub(crate) fn provider(id: &str, label: &str, person: Option<&str>) -> ProviderState {
    ProviderState {
        id: id.parse().unwrap(),
        label: label.into(),
        person: person.map(str::to_owned),
        ends_sessions: true,
        layer: Layer::Machine,
    }
}

/// A state with one provider, Ada signed in, and these roles.
pub(crate) fn state_with(roles: Vec<Role>) -> Scene {
    let providers = vec![provider("corp", "Example Corp", Some("ada@example.com"))];
    Scene { roles, state: State { providers, ..State::default() } }
}

/// Something that is being done at the provider of [`role`].
pub(crate) fn activity(role: Option<&RoleKey>, step: Step) -> Activity {
    Activity { provider: "corp".parse().unwrap(), role: role.cloned(), step }
}
