//! States to test with.

use std::ops::{Deref, DerefMut};

use rolecall_core::message::ui::{ProviderState, RoleState, State, ToPage};
use rolecall_core::settings::{CredentialsMode, Layer, RoleKey};

use crate::model::Model;

/// What the worker tells of.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scene {
    pub(crate) roles: Vec<RoleState>,
    pub(crate) state: State,
}

impl Scene {
    /// The messages by which it does.
    pub(crate) fn messages(self) -> [ToPage; 2] {
        [ToPage::Roles(self.roles), ToPage::State(Box::new(self.state))]
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
pub(crate) fn role(account: &str, name: &str) -> RoleState {
    RoleState {
        key: RoleKey {
            provider: "corp".parse().unwrap(),
            arn: format!("arn:aws:iam::123456789012:role/{name}").parse().unwrap(),
        },
        account: account.into(),
        name: name.into(),
        profile: format!("{account}-{name}"),
        color: None,
        credentials: CredentialsMode::Process,
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
pub(crate) fn state_with(roles: Vec<RoleState>) -> Scene {
    let providers = vec![provider("corp", "Example Corp", Some("ada@example.com"))];
    Scene { roles, state: State { providers, ..State::default() } }
}
