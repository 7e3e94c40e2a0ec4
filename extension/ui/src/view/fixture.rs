//! States to test with.

use rolecall_core::message::ui::{ProviderState, RoleState, State};
use rolecall_core::settings::{CredentialsMode, Layer};

/// A role of one provider.
pub(crate) fn role(account: &str, name: &str) -> RoleState {
    RoleState {
        arn: format!("arn:aws:iam::123456789012:role/{name}").parse().unwrap(),
        account: account.into(),
        name: name.into(),
        provider: "corp".parse().unwrap(),
        profile: format!("{account}-{name}"),
        color: None,
        credentials: CredentialsMode::Process,
        expiration: None,
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
pub(crate) fn state_with(roles: Vec<RoleState>) -> State {
    State {
        providers: vec![provider("corp", "Example Corp", Some("ada@example.com"))],
        roles,
        ..State::default()
    }
}
