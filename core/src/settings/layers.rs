//! Documents over one another, strongest first: policy, machine, user; below them what providers list.
//!
//! An entry (a provider by its id, a role by provider and ARN, an account by its id) of a stronger layer replaces
//! the whole entry of a weaker one, so that nobody wonders which half of a provider comes from where.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{ProfileName, Provider, ProviderId, Role, Settings, SettingsError};
use crate::aws::{AccountId, RoleArn};

/// Where a document comes from, strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Layer {
    /// The browser's managed policy: an organisation's word.
    Policy,
    /// The machine's files.
    Machine,
    /// What the person added in the settings page.
    User,
    /// What the provider lists in the person's ID token (`roles_claim`).
    Listed,
}

/// The documents at hand.
#[derive(Debug, Clone, Default)]
pub struct Layers {
    /// The browser's managed policy.
    pub policy: Settings,
    /// The machine's files.
    pub machine: Settings,
    /// The person's own.
    pub user: Settings,
    /// Roles that providers list for the person who is signed in.
    pub listed: BTreeMap<ProviderId, Vec<RoleArn>>,
}

/// A value and where it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sourced<T> {
    /// The value.
    pub value: T,
    /// Its layer.
    pub layer: Layer,
}

/// What holds after all layers were put over one another.
#[derive(Debug, Clone, Default)]
pub struct Effective {
    providers: Vec<Sourced<Provider>>,
    roles: Vec<Sourced<Role>>,
    aliases: Vec<(AccountId, String)>,
    /// Roles that were left out, and why.
    pub problems: Vec<SettingsError>,
}

impl Layers {
    /// Puts the layers over one another.
    #[must_use]
    pub fn effective(&self) -> Effective {
        let mut effective = Effective::default();
        let layers =
            [(Layer::Policy, &self.policy), (Layer::Machine, &self.machine), (Layer::User, &self.user)];
        for (layer, settings) in layers {
            for provider in &settings.provider {
                if effective.provider(&provider.id).is_none() {
                    effective.providers.push(Sourced { value: provider.clone(), layer });
                }
            }
            for account in &settings.account {
                if effective.alias(&account.id).is_none() {
                    effective.aliases.push((account.id.clone(), account.alias.clone()));
                }
            }
            for role in &settings.role {
                effective.add_role(role.clone(), layer);
            }
        }
        for (provider, arns) in &self.listed {
            // A provider that has left the settings lists nothing any more, which is no problem of the settings.
            let known = effective.provider(provider).is_some();
            for arn in arns.iter().filter(|_| known) {
                effective.add_role(Role::listed(provider.clone(), arn.clone()), Layer::Listed);
            }
        }
        let (roles, lost): (Vec<_>, Vec<_>) = effective
            .roles
            .drain(..)
            .partition(|role| effective.providers.iter().any(|p| p.value.id == role.value.provider));
        effective.roles = roles;
        effective.problems = lost
            .into_iter()
            .map(|role| SettingsError::ProviderUnknown { arn: role.value.arn, id: role.value.provider })
            .collect();
        effective
    }
}

impl Effective {
    /// Every provider.
    pub fn providers(&self) -> impl Iterator<Item = &Sourced<Provider>> {
        self.providers.iter()
    }

    /// Every role whose provider is known.
    pub fn roles(&self) -> impl Iterator<Item = &Sourced<Role>> {
        self.roles.iter()
    }

    /// The provider of this id.
    #[must_use]
    pub fn provider(&self, id: &ProviderId) -> Option<&Provider> {
        self.providers.iter().map(|sourced| &sourced.value).find(|provider| provider.id == *id)
    }

    /// The first role of this ARN, and its provider.
    #[must_use]
    pub fn role(&self, arn: &RoleArn) -> Option<(&Role, &Provider)> {
        let role = &self.roles.iter().find(|role| role.value.arn == *arn)?.value;
        Some((role, self.provider(&role.provider)?))
    }

    /// What people call the account: its alias, or the digits.
    #[must_use]
    pub fn account_label<'a>(&'a self, account: &'a AccountId) -> &'a str {
        self.alias(account).unwrap_or(account.as_str())
    }

    /// The profile a role is written under: the one the settings name, or `<account alias or id>-<role name>`
    /// with what a profile's name cannot hold replaced.
    #[must_use]
    pub fn profile_name(&self, role: &Role) -> ProfileName {
        if let Some(profile) = &role.profile {
            return profile.clone();
        }
        let name = format!("{}-{}", self.account_label(role.arn.account()), role.arn.name());
        let allowed = |c: char| c.is_ascii_alphanumeric() || "_./%@:+-".contains(c);
        let name: String = name.chars().map(|c| if allowed(c) { c } else { '-' }).take(200).collect();
        // Only allowed characters are left, and a role's name is never empty.
        name.parse().unwrap_or_else(|_| unreachable!())
    }

    fn add_role(&mut self, role: Role, layer: Layer) {
        let known =
            |other: &Sourced<Role>| other.value.arn == role.arn && other.value.provider == role.provider;
        if !self.roles.iter().any(known) {
            self.roles.push(Sourced { value: role, layer });
        }
    }

    fn alias(&self, account: &AccountId) -> Option<&str> {
        self.aliases.iter().find(|(id, _)| id == account).map(|(_, alias)| alias.as_str())
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;
    use crate::settings::fixture;

    #[test]
    fn a_stronger_layer_replaces_the_whole_entry() {
        let mut policy = fixture::settings();
        policy.role.clear();
        policy.provider[0].client_id = "policy".to_owned();
        let layers =
            Layers { policy, machine: fixture::settings(), user: fixture::settings(), ..Layers::default() };
        let effective = layers.effective();
        assert_eq!(effective.providers().count(), 1);
        assert_eq!(effective.provider(&"corp".parse().unwrap()).unwrap().client_id, "policy");
        assert_eq!(effective.roles().map(|role| role.layer).collect::<Vec<_>>(), [Layer::Machine]);
    }

    #[test]
    fn a_role_of_an_unknown_provider_is_left_out_and_named() {
        let mut user = fixture::settings();
        user.provider.clear();
        let effective = Layers { user, ..Layers::default() }.effective();
        assert_eq!(effective.roles().count(), 0);
        assert!(effective.problems[0].to_string().contains("names the provider \"corp\""));
    }

    #[test]
    fn a_role_that_the_provider_lists_is_added_unless_the_settings_have_it() {
        let other: RoleArn = "arn:aws:iam::123456789012:role/other".parse().unwrap();
        let listed = BTreeMap::from([("corp".parse().unwrap(), vec![fixture::role().arn, other.clone()])]);
        let effective = Layers { user: fixture::settings(), listed, ..Layers::default() }.effective();
        let roles: Vec<_> = effective.roles().map(|role| (role.value.arn.clone(), role.layer)).collect();
        assert_eq!(roles, [(fixture::role().arn, Layer::User), (other, Layer::Listed)]);
    }

    #[test]
    fn a_profile_is_named_after_alias_and_role() {
        let mut user = fixture::settings();
        let role = fixture::role();
        let name = |user: &Settings| {
            let layers = Layers { user: user.clone(), ..Layers::default() };
            layers.effective().profile_name(&role).to_string()
        };
        assert_eq!(name(&user), "123456789012-example-role");
        user.account.push(super::super::Account {
            id: "123456789012".parse::<AccountId>().unwrap(),
            alias: "Dev Team".into(),
        });
        assert_eq!(name(&user), "Dev-Team-example-role");
    }
}
