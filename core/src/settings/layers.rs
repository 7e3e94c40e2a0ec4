//! Documents over one another, strongest first: policy, then machine; below them each provider's catalogue, and what
//! providers list for the person who is signed in.
//!
//! An entry (a provider by its id, a role by provider and ARN, an account by its id) of a stronger layer replaces
//! the whole entry of a weaker one, so that nobody wonders which half of a provider comes from where. An entry that had
//! to be left out does so as well: nothing weaker takes its place. Where a policy has lost something and it cannot be
//! told what, nothing below the policy is used, and neither where the policy says `only_policy`.
//!
//! Another id is no way around a stronger layer. A weaker provider with the registration of a stronger one (address and
//! client) is that provider under another name. The strictest `approve` holds for all providers of a registration and for
//! all roles of an ARN, and a weaker role of an ARN that a stronger layer has must have the same endpoints.

use std::cmp::Ordering;

use serde::Serialize;

use super::reading::Losses;
use super::{
    Account, Approve, Badge, CredentialsMode, DefaultAction, Endpoint, Fault, Lost, ProfileName, ProfilePart,
    ProfileTemplate, Provider, ProviderId, Reading, Role, RoleKey, Settings, SettingsError,
};
use crate::aws::{AccountId, RoleArn};
use crate::code::{Code, Problem};
use crate::json::{ReadJson, WriteJson};
use crate::map::{self, Map};

/// Where an entry comes from, strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ReadJson, WriteJson)]
#[serde(rename_all = "lowercase")]
#[json(rename_all = "lowercase")]
pub enum Layer {
    /// The browser's managed policy: an organisation's word.
    Policy,
    /// The machine's files.
    Machine,
    /// What the provider's catalogue lists (`catalogue_url`).
    Catalogue,
    /// What the provider lists for the person (`roles_claim`, `roles_url`).
    Listed,
}

/// The documents at hand.
#[derive(Debug, Clone, Default)]
pub struct Layers {
    /// The browser's managed policy.
    pub policy: Reading,
    /// The machine's files.
    pub machine: Reading,
    /// Roles and accounts that providers publish for everybody.
    pub catalogues: Map<ProviderId, Catalogue>,
    /// What providers list for the person who is signed in.
    pub listed: Map<ProviderId, Listed>,
}

/// A provider's catalogue, as it was read last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Catalogue {
    /// Where it is from. It counts while the provider's `catalogue_url` is the same.
    pub url: Endpoint,
    /// Its roles and accounts.
    pub reading: Reading,
}

/// What a provider lists for the person who is signed in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listed {
    /// The person's roles.
    pub roles: Vec<RoleArn>,
    /// What accounts are called.
    pub aliases: Vec<(AccountId, String)>,
    /// The person's groups, if the provider tells them.
    pub groups: Option<Vec<String>>,
}

impl Listed {
    /// Whether the person has one of the role's groups, as far as is known.
    fn may_assume(&self, role: &Role) -> bool {
        let Some(groups) = &self.groups else { return true };
        role.groups.is_empty() || role.groups.iter().any(|group| groups.contains(group))
    }
}

/// A value and where it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sourced<T> {
    /// The value.
    pub value: T,
    /// Its layer.
    pub layer: Layer,
}

/// What holds after all layers were put over one another, indexed once: nothing here is looked up by going through it.
#[derive(Debug, Clone, Default)]
pub struct Effective {
    providers: Vec<Sourced<Provider>>,
    /// The position of each provider.
    provider_index: Map<ProviderId, usize>,
    roles: Vec<Sourced<Role>>,
    /// The positions of the roles, in the order of their ARNs and then of their providers.
    role_index: Vec<usize>,
    accounts: Map<AccountId, Account>,
    left_out: Vec<LeftOut>,
    lost_providers: Vec<Problem>,
    lost_roles: Vec<Problem>,
    /// What the popup does with a role first.
    pub default_action: DefaultAction,
    /// What the button in the toolbar shows.
    pub badge: Badge,
    /// Whether the policy has taken every other layer out of use.
    pub only_policy: bool,
    /// What is wrong with the settings, and what was left out because of it.
    pub problems: Vec<Problem>,
}

/// A role that the settings name and that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// The role's ARN, if it can be read.
    pub arn: Option<RoleArn>,
    /// Its provider, if that can be read.
    pub provider: Option<ProviderId>,
    /// Its profile's name, if that is known.
    pub profile: Option<ProfileName>,
    /// Why.
    pub problem: Problem,
}

impl Layers {
    /// Takes what the machine's files say now. Where one of them cannot be read at all, what they said before holds, if
    /// they said anything.
    pub fn replace_machine(&mut self, mut now: Reading) {
        let is_lost = now.losses().any(|lost| *lost == Lost::Document);
        let had = self.machine.settings != Settings::default();
        if is_lost && had {
            for Fault { problem, lost } in &mut now.faults {
                if *lost == Some(Lost::Document) {
                    problem.message = format!("{} {STAY}", problem.message);
                }
            }
            // What was lost before is lost still: what holds is what held then.
            let before = std::mem::take(&mut self.machine);
            let lost = before.faults.into_iter().filter(|fault| fault.lost != Some(Lost::Document));
            now.faults.retain(|fault| fault.lost == Some(Lost::Document));
            now.faults.extend(lost);
            now.settings = before.settings;
        }
        self.machine = now;
    }

    /// Puts the layers over one another.
    #[must_use]
    pub fn effective(&self) -> Effective {
        let mut effective = Effective::default();
        let layers = [(Layer::Policy, &self.policy), (Layer::Machine, &self.machine)];
        let is_closed = self.policy.losses().any(Lost::is_anything);
        effective.only_policy = self.policy.settings.only_policy;
        let used = if is_closed || effective.only_policy { &layers[..1] } else { &layers[..] };
        let chosen = used.iter().find_map(|(_, reading)| reading.settings.default_action);
        effective.default_action = chosen.unwrap_or_default();
        let chosen = used.iter().find_map(|(_, reading)| reading.settings.badge);
        effective.badge = chosen.unwrap_or_default();
        let mut lost = Losses::default();
        let (mut roles, mut accounts) = (Vec::new(), Vec::new());
        for (layer, reading) in used {
            effective.add_providers(*layer, reading, &lost);
            let kept = reading.settings.role.iter().filter(|role| !lost.has_role(&role.arn));
            roles.extend(kept.map(|role| Sourced { value: role.clone(), layer: *layer }));
            let kept = reading.settings.account.iter().filter(|account| !lost.has_account(&account.id));
            accounts.extend(kept.cloned());
            lost.extend(reading.losses());
        }
        effective.make_approvals_equal();
        for (id, Catalogue { url, reading }) in self.catalogues.iter().filter(|_| !is_closed) {
            let Some(provider) = effective.provider(id) else { continue };
            if provider.catalogue_url.as_ref() != Some(url) {
                continue;
            }
            let listed = self.listed.get(id);
            let is_kept = |role: &&Role| {
                !lost.has_role(&role.arn) && listed.is_none_or(|listed| listed.may_assume(role))
            };
            let kept = reading.settings.role.iter().filter(is_kept);
            roles.extend(kept.map(|role| Sourced { value: role.clone(), layer: Layer::Catalogue }));
            let kept = reading.settings.account.iter().filter(|account| !lost.has_account(&account.id));
            accounts.extend(kept.cloned());
            let label = provider.label();
            let told = |fault: &Fault| {
                let message = format!("The role catalogue of {label}: {}", fault.problem.message);
                Problem { message, ..fault.problem.clone() }
            };
            let told: Vec<_> = reading.faults.iter().map(told).collect();
            effective.problems.extend(told);
        }
        for (provider, listed) in self.listed.iter().filter(|_| !is_closed) {
            // A provider that has left the settings lists nothing any more, which is no problem of the settings.
            if effective.provider(provider).is_none() {
                continue;
            }
            let kept = listed.roles.iter().filter(|arn| !lost.has_role(arn));
            let role = |arn: &RoleArn| Role::unlisted(RoleKey::new(provider.clone(), arn.clone()));
            roles.extend(kept.map(|arn| Sourced { value: role(arn), layer: Layer::Listed }));
            let kept = listed.aliases.iter().filter(|(id, _)| !lost.has_account(id));
            accounts.extend(kept.map(|(id, alias)| Account::called(id.clone(), alias.clone())));
        }

        effective.accounts = accounts.into_iter().map(|account| (account.id.clone(), account)).collect();
        let faults: Vec<_> = used.iter().flat_map(|(_, reading)| &reading.faults).collect();
        let overruled = effective.make_roles_equal(&mut roles);
        effective.keep_approved_off_disk(&mut roles);
        let orphans = effective.set_roles(roles);
        effective.leave_out(&faults, orphans);
        for role in &overruled {
            effective.leave_out_role(role);
        }
        if is_closed {
            effective.problems.push(Problem::new(Code::SettingsInvalid, CLOSED));
        }
        effective
    }
}

impl Effective {
    /// Every provider.
    pub fn providers(&self) -> std::slice::Iter<'_, Sourced<Provider>> {
        self.providers.iter()
    }

    /// Every role whose provider is known.
    pub fn roles(&self) -> std::slice::Iter<'_, Sourced<Role>> {
        self.roles.iter()
    }

    /// The provider of this id.
    #[must_use]
    pub fn provider(&self, id: &ProviderId) -> Option<&Provider> {
        Some(&self.providers[*self.provider_index.get(id)?].value)
    }

    /// Whether it is the first provider of the settings: the one that keeps the redirect address that was there before
    /// there were several.
    #[must_use]
    pub fn is_first(&self, provider: &Provider) -> bool {
        let first = self.providers.first();
        first.is_none_or(|first| first.value.well_known_url == provider.well_known_url)
    }

    /// The role, and its provider.
    #[must_use]
    pub fn role(&self, key: &RoleKey) -> Option<(&Role, &Provider)> {
        let wanted = (&key.arn, &key.provider);
        let found =
            self.role_index.binary_search_by(|position| sort_key(&self.roles[*position]).cmp(&wanted));
        let role = &self.roles[self.role_index[found.ok()?]].value;
        Some((role, self.provider(&role.provider)?))
    }

    /// The roles of this ARN: one for each provider that has it.
    pub fn roles_by_arn(&self, arn: &RoleArn) -> impl Iterator<Item = &Role> {
        let start = self.role_index.partition_point(|position| self.roles[*position].value.arn < *arn);
        let roles = self.role_index[start..].iter().map(|position| &self.roles[*position].value);
        roles.take_while(move |role| role.arn == *arn)
    }

    /// Why the role cannot be used, if it is in the settings all the same. Without a provider, any one may be meant.
    #[must_use]
    pub fn why_not(&self, arn: &RoleArn, provider: Option<&ProviderId>) -> Option<&Problem> {
        let is_meant = |role: &&LeftOut| {
            role.arn.as_ref() == Some(arn)
                && (provider.is_none() || role.provider.is_none() || role.provider.as_ref() == provider)
        };
        self.left_out().find(is_meant).map(|role| &role.problem)
    }

    /// Roles of the settings that cannot be used. Several ones may be the same, or one that can be used from elsewhere.
    pub fn left_out(&self) -> impl Iterator<Item = &LeftOut> {
        self.left_out.iter()
    }

    /// Why a provider is missing, or may be: a role that stands nowhere can be meant for it.
    #[must_use]
    pub fn lost_provider(&self) -> Option<&Problem> {
        self.lost_providers.first()
    }

    /// Why roles are missing of which not even a name is known: any name can be meant for one of them.
    #[must_use]
    pub fn lost_role(&self) -> Option<&Problem> {
        self.lost_roles.first()
    }

    /// What is known of the account.
    #[must_use]
    pub fn account(&self, id: &AccountId) -> Option<&Account> {
        self.accounts.get(id)
    }

    /// What people call the account: its alias or name, or the digits.
    #[must_use]
    pub fn account_label<'a>(&'a self, account: &'a AccountId) -> &'a str {
        self.accounts.get(account).map_or(account.as_str(), Account::label)
    }

    /// The role's colour, or its account's.
    #[must_use]
    pub fn color<'a>(&'a self, role: &'a Role) -> Option<&'a str> {
        let of_account = || self.account(role.arn.account())?.color.as_deref();
        role.color.as_deref().or_else(of_account)
    }

    /// What is said of a role beside its names: what it is for, its account's long name, and the tags of both.
    #[must_use]
    pub fn about(&self, role: &Role) -> String {
        let account = self.account(role.arn.account());
        let name = account.and_then(|account| account.name.as_ref().filter(|_| account.alias.is_some()));
        let tags = account.map_or(&[][..], |account| &account.tags);
        let mut about = String::new();
        for part in role.description.iter().chain(name).chain(&role.tags).chain(tags) {
            if !about.is_empty() {
                about.push_str(" · ");
            }
            about.push_str(part);
        }
        about
    }

    /// What the role's account is for, if that is known.
    #[must_use]
    pub fn environment(&self, role: &Role) -> Option<&str> {
        self.account(role.arn.account())?.environment.as_deref()
    }

    /// The profile a role is written under: the one the settings name, or the one that the provider's template makes.
    #[must_use]
    pub fn profile_name(&self, role: &Role) -> ProfileName {
        role.profile.clone().unwrap_or_else(|| self.usual_profile_name(role))
    }

    fn usual_profile_name(&self, role: &Role) -> ProfileName {
        let (arn, region) = (&role.arn, role.region());
        let template = self.provider(&role.provider).and_then(|provider| provider.profile_name.clone());
        template.unwrap_or_else(ProfileTemplate::usual).fill(|part| match part {
            ProfilePart::Account => arn.account().as_str(),
            ProfilePart::Alias => self.account_label(arn.account()),
            ProfilePart::Role => arn.name(),
            ProfilePart::Region => region.as_str(),
            ProfilePart::Partition => arn.partition().id(),
            ProfilePart::Environment => self.environment(role).unwrap_or_default(),
            ProfilePart::Provider => role.provider.as_str(),
        })
    }

    /// Adds a layer's providers, except where something stronger is there or was lost. One with the registration of a
    /// stronger one has everything of it but the names.
    fn add_providers(&mut self, layer: Layer, reading: &Reading, lost: &Losses<'_>) {
        for provider in &reading.settings.provider {
            if lost.has_provider(&provider.id) || self.provider(&provider.id).is_some() {
                continue;
            }
            let mut value = provider.clone();
            let is_same = |known: &&Sourced<Provider>| {
                known.layer < layer && known.value.is_same_registration(provider)
            };
            if let Some(stronger) = self.providers.iter().find(is_same) {
                let approve = value.approve;
                let names = (value.id, value.name);
                value = stronger.value.clone();
                (value.id, value.name) = names;
                value.approve = value.approve.max(approve);
            } else if lost.has_registration_of(provider) {
                let error = SettingsError::ProviderOverruled { id: value.id };
                self.problems.push(placeless(error));
                continue;
            }
            self.provider_index.insert(provider.id.clone(), self.providers.len());
            self.providers.push(Sourced { value, layer });
        }
    }

    /// The strictest `approve` of a registration holds for all its providers.
    fn make_approvals_equal(&mut self) {
        for position in 0..self.providers.len() {
            let provider = &self.providers[position].value;
            let same = self.providers.iter().filter(|other| other.value.is_same_registration(provider));
            let strictest = same.map(|other| other.value.approve).max().unwrap_or_default();
            self.providers[position].value.approve = strictest;
        }
    }

    /// The strictest `approve` of an ARN holds for all its roles. Takes those out, and gives them back, for which a
    /// stronger layer has other endpoints.
    fn make_roles_equal(&self, roles: &mut Vec<Sourced<Role>>) -> Vec<Sourced<Role>> {
        let compare = |one: usize, other: usize| roles[one].value.arn.cmp(&roles[other].value.arn);
        // It keeps the order of equals: the strongest layer comes first.
        let order = map::sorted(roles.len(), &compare);
        let mut changes = Vec::new();
        for same in order.chunk_by(|one, other| compare(*one, *other) == Ordering::Equal) {
            if same.len() < 2 {
                continue;
            }
            let provider = |position: &usize| self.provider(&roles[*position].value.provider);
            let approve = |position: &usize| {
                let role = &roles[*position].value;
                provider(position).map_or(role.approve, |provider| role.approve(provider))
            };
            let strictest = same.iter().map(approve).max().unwrap_or_default();
            let strongest = roles[same[0]].layer;
            let (strong, weak): (Vec<_>, Vec<_>) =
                same.iter().copied().partition(|position| roles[*position].layer == strongest);
            let has_endpoints = |position: &usize| {
                let Some(own) = provider(position) else { return true };
                let mut strong = strong.iter().filter_map(provider).peekable();
                strong.peek().is_none() || strong.any(|strong| own.has_endpoints_of(strong))
            };
            changes.extend(strong.iter().map(|position| (*position, Some(strictest))));
            changes.extend(
                weak.iter().map(|position| (*position, has_endpoints(position).then_some(strictest))),
            );
        }
        let mut is_overruled = vec![false; roles.len()];
        for (position, approve) in changes {
            match approve {
                Some(approve) => roles[position].value.approve = approve,
                None => is_overruled[position] = true,
            }
        }
        let mut flags = is_overruled.into_iter();
        roles.extract_if(.., |_| flags.next().unwrap_or_default()).collect()
    }

    /// Every program can read what is in a file, so a role that has to be approved is in none, whichever layer says so.
    fn keep_approved_off_disk(&mut self, roles: &mut [Sourced<Role>]) {
        for Sourced { value: role, .. } in roles {
            let provider = self.provider(&role.provider);
            let approve = provider.map_or(role.approve, |provider| role.approve(provider));
            if role.credentials == CredentialsMode::File && approve != Approve::Never {
                role.credentials = CredentialsMode::Process;
                self.problems.push(placeless(SettingsError::FileNotApproved { arn: role.arn.clone() }));
            }
        }
    }

    /// Tells of a role for which a stronger layer has other endpoints.
    fn leave_out_role(&mut self, role: &Sourced<Role>) {
        let Role { arn, provider, .. } = &role.value;
        let problem = placeless(SettingsError::RoleOverruled { arn: arn.clone(), id: provider.clone() });
        self.problems.push(problem.clone());
        self.leave_out_one(&role.value, problem);
    }

    fn leave_out_one(&mut self, role: &Role, problem: Problem) {
        self.left_out.push(LeftOut {
            arn: Some(role.arn.clone()),
            provider: Some(role.provider.clone()),
            profile: Some(self.profile_name(role)),
            problem,
        });
    }

    /// Takes the roles, the strongest first: of those with one key the first one counts. Gives those back that have no
    /// provider.
    fn set_roles(&mut self, roles: Vec<Sourced<Role>>) -> Vec<Sourced<Role>> {
        let compare = |one: usize, other: usize| sort_key(&roles[one]).cmp(&sort_key(&roles[other]));
        // It keeps the order of equals, so the strongest of them stays.
        let mut order = map::sorted(roles.len(), &compare);
        order.dedup_by(|later, first| compare(*later, *first) == Ordering::Equal);
        let mut is_first = vec![false; roles.len()];
        for position in &order {
            is_first[*position] = true;
        }
        let mut orphans = Vec::new();
        let mut positions = vec![None; roles.len()];
        for (before, role) in roles.into_iter().enumerate().filter(|(position, _)| is_first[*position]) {
            if self.provider_index.contains_key(&role.value.provider) {
                positions[before] = Some(self.roles.len());
                self.roles.push(role);
            } else {
                orphans.push(role);
            }
        }
        self.role_index = order.into_iter().filter_map(|position| positions[position]).collect();
        orphans
    }

    /// Tells what is missing.
    fn leave_out(&mut self, faults: &[&Fault], orphans: Vec<Sourced<Role>>) {
        // One that stands twice is there all the same.
        let is_gone = |lost: &Lost| match lost {
            Lost::Provider { id, .. } => id.as_ref().is_none_or(|id| self.provider(id).is_none()),
            other => *other == Lost::Document,
        };
        let gone = faults.iter().filter(|fault| fault.lost.as_ref().is_some_and(is_gone));
        self.lost_providers = gone.map(|fault| fault.problem.clone()).collect();
        let mut causes = Map::new();
        let mut named = Map::new();
        for Fault { problem, lost } in faults {
            match lost {
                Some(Lost::Provider { id: Some(id), .. }) => _ = causes.get_or_insert_with(id, || problem),
                Some(Lost::Roles { provider }) => _ = named.get_or_insert_with(provider, || problem),
                _ => {}
            }
        }
        for Fault { problem, lost } in faults {
            match lost {
                Some(Lost::Roles { provider }) if self.provider(provider).is_some() => continue,
                // In this document it is unknown; in another one it is left out.
                Some(Lost::Roles { provider }) if problem.is(Code::ProviderUnknown) => {
                    let cause = causes.get(provider);
                    self.problems
                        .push(cause.map_or_else(|| problem.clone(), |cause| because(problem, cause)));
                    continue;
                }
                Some(Lost::Document | Lost::Role { arn: None, profile: None, .. }) => {
                    self.lost_roles.push(problem.clone());
                }
                Some(Lost::Role { arn, provider, profile }) => {
                    let usual = || {
                        let provider = provider
                            .clone()
                            .or_else(|| self.providers.first().map(|first| first.value.id.clone()))?;
                        let role = Role::unlisted(RoleKey::new(provider, arn.clone()?));
                        Some(self.usual_profile_name(&role))
                    };
                    let profile = profile.clone().or_else(usual);
                    let (arn, provider) = (arn.clone(), provider.clone());
                    self.left_out.push(LeftOut { arn, provider, profile, problem: problem.clone() });
                }
                _ => {}
            }
            self.problems.push(problem.clone());
        }
        for role in orphans {
            let Role { arn, provider, .. } = &role.value;
            let named = named.get(provider);
            let problem = match (causes.get(provider), named) {
                (Some(cause), _) => {
                    let error = SettingsError::ProviderLeftOut {
                        line: None,
                        arns: vec![arn.clone()],
                        id: provider.clone(),
                    };
                    because(&placeless(error), cause)
                }
                (None, Some(named)) => (*named).clone(),
                (None, None) => {
                    let error = SettingsError::ProviderUnknown {
                        line: None,
                        arns: vec![arn.clone()],
                        id: provider.clone(),
                    };
                    placeless(error)
                }
            };
            if named.is_none() {
                self.problems.push(problem.clone());
            }
            self.leave_out_one(&role.value, problem);
        }
    }
}

/// By what roles are found.
fn sort_key(role: &Sourced<Role>) -> (&RoleArn, &ProviderId) {
    (&role.value.arn, &role.value.provider)
}

/// A problem whose cause is another one of the settings.
fn because(problem: &Problem, cause: &Problem) -> Problem {
    Problem::new(Code::SettingsInvalid, format!("{} {}", problem.message, cause.message))
}

/// An error that is told of no place.
fn placeless(error: SettingsError) -> Problem {
    let mut problem = Problem::from(error);
    if let Some(first) = problem.message.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    problem
}

/// What is told of a file that cannot be read at this moment.
const STAY: &str = "The settings that were read before stay in use.";

/// What is told of a policy whose gaps could hide anything.
const CLOSED: &str = "Part of the organisation's policy cannot be read, so only the rest of the \
                      policy is in use.";

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
            Layers { policy: policy.into(), machine: fixture::settings().into(), ..Layers::default() };
        let effective = layers.effective();
        assert_eq!(effective.providers().count(), 1);
        assert_eq!(effective.provider(&"corp".parse().unwrap()).unwrap().client_id, "policy");
        assert_eq!(effective.roles().map(|role| role.layer).collect::<Vec<_>>(), [Layer::Machine]);
    }

    #[test]
    fn a_role_of_an_unknown_provider_is_left_out_and_named() {
        let mut machine = fixture::settings();
        machine.provider.clear();
        let effective = Layers { machine: machine.into(), ..Layers::default() }.effective();
        assert_eq!(effective.roles().count(), 0);
        assert!(effective.problems[0].is(Code::ProviderUnknown));
        let sentence = "The role arn:aws:iam::123456789012:role/example-role names the provider \"corp\", which is not in the settings.";
        assert_eq!(effective.problems[0].message, sentence);
        assert_eq!(effective.why_not(&fixture::role().arn, None), Some(&effective.problems[0]));
    }

    #[test]
    fn a_role_that_the_provider_lists_is_added_unless_the_settings_have_it() {
        let other: RoleArn = "arn:aws:iam::123456789012:role/other".parse().unwrap();
        let listed = Listed { roles: vec![fixture::role().arn, other.clone()], ..Listed::default() };
        let listed = Map::from_iter([("corp".parse().unwrap(), listed)]);
        let effective =
            Layers { machine: fixture::settings().into(), listed, ..Layers::default() }.effective();
        let roles: Vec<_> = effective.roles().map(|role| (role.value.arn.clone(), role.layer)).collect();
        assert_eq!(roles, [(fixture::role().arn, Layer::Machine), (other, Layer::Listed)]);
    }

    #[test]
    fn one_arn_of_two_providers_is_two_roles_of_which_each_is_found_by_its_provider() {
        let mut machine = fixture::settings();
        let mut other = machine.provider[0].clone();
        other.id = "another".parse().unwrap();
        let twin = Role { provider: other.id.clone(), color: Some("red".into()), ..fixture::role() };
        machine.provider.push(other);
        machine.role.push(twin.clone());
        let effective = Layers { machine: machine.into(), ..Layers::default() }.effective();
        let found = |role: &Role| {
            effective.role(&role.key()).map(|(role, provider)| (role.clone(), provider.id.clone()))
        };
        assert_eq!(found(&fixture::role()), Some((fixture::role(), "corp".parse().unwrap())));
        assert_eq!(found(&twin), Some((twin.clone(), "another".parse().unwrap())));
        let providers = |arn: &str| {
            let arn = arn.parse().unwrap();
            effective.roles_by_arn(&arn).map(|role| role.provider.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(providers(fixture::role().arn.as_str()), ["another", "corp"]);
        assert_eq!(providers("arn:aws:iam::123456789012:role/nobody"), Vec::<String>::new());
    }

    fn with(policy: &Settings, machine: &Settings) -> Effective {
        Layers { policy: policy.clone().into(), machine: machine.clone().into(), ..Layers::default() }
            .effective()
    }

    /// The fixture's settings, with another id for its provider.
    fn renamed() -> Settings {
        let mut settings = fixture::settings();
        settings.provider[0].id = "mine".parse().unwrap();
        settings.role[0].provider = "mine".parse().unwrap();
        settings
    }

    #[test]
    fn another_id_for_the_policys_registration_has_its_endpoints_and_its_approval() {
        let mut policy = fixture::settings();
        policy.provider[0].approve = Approve::Always;
        policy.provider[0].sts_endpoint = Some("https://sts.corp.example".parse().unwrap());
        policy.role.clear();
        let mut machine = renamed();
        machine.provider[0].sts_endpoint = Some("https://sts.evil.example".parse().unwrap());
        let effective = with(&policy, &machine);
        let (role, provider) = effective.role(&machine.role[0].key()).unwrap();
        assert_eq!(role.approve(provider), Approve::Always);
        assert_eq!(provider.sts_endpoint, policy.provider[0].sts_endpoint);
        assert_eq!(provider.label(), "Example Corp");
        // A weaker layer may be stricter, and is for the policy's roles as well.
        policy.provider[0].approve = Approve::First;
        machine.provider[0].approve = Approve::Always;
        let effective = with(&policy, &machine);
        assert!(effective.providers().all(|provider| provider.value.approve == Approve::Always));
    }

    #[test]
    fn another_provider_for_the_policys_role_asks_as_strictly_and_has_the_same_endpoints() {
        let mut policy = fixture::settings();
        policy.role[0].approve = Approve::Always;
        let mut machine = renamed();
        machine.provider[0].client_id = "another".to_owned();
        let effective = with(&policy, &machine);
        let (role, provider) = effective.role(&machine.role[0].key()).unwrap();
        assert_eq!(role.approve(provider), Approve::Always);

        machine.provider[0].sts_endpoint = Some("https://sts.evil.example".parse().unwrap());
        let effective = with(&policy, &machine);
        assert_eq!(effective.role(&machine.role[0].key()), None);
        assert!(effective.role(&policy.role[0].key()).is_some());
        let [problem] = &effective.problems[..] else { panic!("{:?}", effective.problems) };
        assert!(
            problem.message.ends_with("stronger settings have this role with other endpoints."),
            "{problem}"
        );
        assert_eq!(effective.why_not(&machine.role[0].arn, Some(&machine.role[0].provider)), Some(problem));
    }

    #[test]
    fn an_invalid_provider_or_role_of_the_policy_is_not_replaced_under_another_id() {
        let provider = PROVIDER.replace("\"policy\"", "\"abcdef\"");
        let bad_provider = format!(r#"{{"provider":[{{{provider},"approve":"sometimes"}}]}}"#);
        let bad_role = format!(r#"{{"role":[{{{ROLE},"approve":"sometimes"}}]}}"#);
        for text in [bad_provider, bad_role] {
            let layers = Layers { policy: policy(&text), machine: renamed().into(), ..Layers::default() };
            assert_eq!(layers.effective().roles().count(), 0, "{text}");
        }
    }

    #[test]
    fn with_only_policy_nothing_but_the_policy_counts() {
        let mut policy = fixture::settings();
        policy.role.clear();
        policy.only_policy = true;
        let effective = with(&policy, &fixture::settings());
        assert_eq!((effective.providers().count(), effective.roles().count()), (1, 0));
        assert!(effective.only_policy && effective.problems.is_empty());
        // What cannot be read may have been meant.
        let policy = Reading::from_json(r#"{"only_policy":"yes"}"#);
        let layers = Layers { policy, machine: fixture::settings().into(), ..Layers::default() };
        assert_eq!(layers.effective().roles().count(), 0);
        // A file on disk cannot say it.
        let machine = Reading::from_toml("only_policy = true").unwrap();
        assert!(!machine.settings.only_policy && machine.faults.len() == 1 && machine.losses().count() == 0);
    }

    #[test]
    fn the_strongest_layer_that_says_what_the_popup_does_first_decides() {
        let says = |default_action| Settings { default_action, ..Settings::default() };
        let [none, console, credentials] =
            [None, Some(DefaultAction::Console), Some(DefaultAction::Credentials)].map(says);
        for (policy, machine, expected) in [
            (&none, &none, DefaultAction::Console),
            (&none, &credentials, DefaultAction::Credentials),
            (&console, &credentials, DefaultAction::Console),
            (&credentials, &console, DefaultAction::Credentials),
        ] {
            assert_eq!(with(policy, machine).default_action, expected);
        }
        // One file over another.
        let mut strong = Reading::from(none);
        strong.put_over(credentials.into());
        strong.put_over(console.into());
        assert_eq!(strong.settings.default_action, Some(DefaultAction::Credentials));
        // The badge's key is read in the same way.
        let [policy, machine] = [Some(Badge::Expiry), Some(Badge::Sessions)]
            .map(|badge| Settings { badge, ..Settings::default() });
        assert_eq!(with(&policy, &machine).badge, Badge::Expiry);
        assert_eq!(with(&Settings::default(), &machine).badge, Badge::Sessions);
        // A name that is not known loses nothing else.
        let bad = Reading::from_toml("default_action = \"fly\"").unwrap();
        assert_eq!((bad.settings.default_action, bad.losses().count()), (None, 0));
        let told = &bad.faults[0].problem.message;
        assert!(told.starts_with("line 1: the value of default_action cannot be used: "), "{told}");
    }

    #[test]
    fn a_role_that_a_stronger_layer_wants_approved_is_not_written_to_a_file() {
        let mut policy = fixture::settings();
        policy.role.clear();
        policy.provider[0].approve = Approve::First;
        let mut machine = fixture::settings();
        machine.provider.clear();
        machine.role[0].credentials = CredentialsMode::File;
        let effective = with(&policy, &machine);
        assert_eq!(effective.role(&machine.role[0].key()).unwrap().0.credentials, CredentialsMode::Process);
        assert!(
            effective.problems[0].message.contains("credentials = \"file\""),
            "{}",
            effective.problems[0]
        );
    }

    const CATALOGUE: &str = r#"{
        "role": [
            {"arn": "arn:aws:iam::123456789012:role/example-role", "color": "red"},
            {"arn": "arn:aws:iam::210987654321:role/open", "description": "Look around"},
            {"arn": "arn:aws:iam::210987654321:role/closed", "groups": ["admins"], "credentials": "file"},
            {"arn": "nonsense"}
        ],
        "account": [
            {"id": "210987654321", "name": "Payments", "environment": "production", "color": "red"},
            {"id": "123456789012", "alias": "weaker"}
        ],
        "provider": [{"id": "evil"}]
    }"#;

    /// The roles of the fixture on the machine and of a catalogue, with their layers.
    fn with_catalogue(url: &str, groups: Option<&[&str]>) -> Effective {
        let id: ProviderId = "corp".parse().unwrap();
        let mut machine = fixture::settings();
        machine.provider[0].catalogue_url = Some("https://roles.example/corp.json".parse().unwrap());
        machine.account.push(Account::called("123456789012".parse().unwrap(), "stronger".to_owned()));
        let reading = Reading::from_catalogue(CATALOGUE, &id).unwrap();
        let catalogue = Catalogue { url: url.parse().unwrap(), reading };
        let groups = groups.map(|groups| groups.iter().map(|&group| group.to_owned()).collect());
        Layers {
            machine: machine.into(),
            catalogues: Map::from_iter([(id.clone(), catalogue)]),
            listed: Map::from_iter([(id, Listed { groups, ..Listed::default() })]),
            ..Layers::default()
        }
        .effective()
    }

    #[test]
    fn a_catalogue_adds_roles_and_accounts_below_the_settings() {
        let effective = with_catalogue("https://roles.example/corp.json", None);
        let role = |role: &Sourced<Role>| (role.value.arn.name().to_owned(), role.layer);
        let roles: Vec<_> = effective.roles().map(role).collect();
        let expected =
            [("example-role", Layer::Machine), ("open", Layer::Catalogue), ("closed", Layer::Catalogue)];
        assert_eq!(roles, expected.map(|(name, layer)| (name.to_owned(), layer)));
        assert_eq!(effective.providers().count(), 1);
        let role = |name: &str| &effective.roles().find(|role| role.value.arn.name() == name).unwrap().value;
        assert_eq!(effective.account_label(role("open").arn.account()), "Payments");
        assert_eq!(effective.color(role("open")), Some("red"), "the account's");
        assert_eq!(effective.color(role("example-role")), None);
        assert_eq!(effective.environment(role("open")), Some("production"));
        assert_eq!(
            (effective.about(role("open")).as_str(), effective.about(role("closed")).as_str()),
            ("Look around", "")
        );
        assert_eq!(effective.account_label(role("example-role").arn.account()), "stronger");
        // A list from elsewhere has no keys written to disk.
        assert_eq!(role("closed").credentials, CredentialsMode::Process);
        let [problem] = &effective.problems[..] else { panic!("{:?}", effective.problems) };
        assert!(
            problem.message.starts_with("The role catalogue of Example Corp: [[role]] number 4"),
            "{problem}"
        );
    }

    #[test]
    fn a_role_for_groups_is_listed_for_those_who_are_in_one_and_for_those_of_whom_nothing_is_known() {
        let has_closed = |groups| {
            let effective = with_catalogue("https://roles.example/corp.json", groups);
            effective.roles().any(|role| role.value.arn.name() == "closed")
        };
        assert!(has_closed(None));
        assert!(has_closed(Some(&["users", "admins"])));
        assert!(!has_closed(Some(&["users"])));
        assert!(!has_closed(Some(&[])));
    }

    #[test]
    fn a_catalogue_from_another_address_than_the_settings_name_does_not_count() {
        let effective = with_catalogue("https://old.example/corp.json", None);
        assert_eq!((effective.roles().count(), effective.problems.len()), (1, 0));
    }

    #[test]
    fn a_profile_is_named_after_alias_and_role() {
        let mut machine = fixture::settings();
        let role = fixture::role();
        let name = |machine: &Settings| {
            let layers = Layers { machine: machine.clone().into(), ..Layers::default() };
            layers.effective().profile_name(&role).to_string()
        };
        assert_eq!(name(&machine), "123456789012-example-role");
        machine.account.push(Account::called("123456789012".parse().unwrap(), "Dev Team".to_owned()));
        assert_eq!(name(&machine), "Dev-Team-example-role");
        machine.account[0].environment = Some("Test".to_owned());
        machine.provider[0].profile_name = Some(
            "{provider}/{environment}.{account}-{alias}-{partition}-{region}-{role}x"
                .to_owned()
                .try_into()
                .unwrap(),
        );
        assert_eq!(name(&machine), "corp/Test.123456789012-Dev-Team-aws-eu-west-1-example-rolex");
    }

    const PROVIDER: &str = r#""id":"corp","well_known_url":"https://idp.example/.well-known/openid-configuration","client_id":"policy""#;
    const ROLE: &str = r#""provider":"corp","arn":"arn:aws:iam::123456789012:role/example-role""#;

    fn policy(text: &str) -> Reading {
        Reading::from_json(text)
    }

    /// What is left of the fixture on the machine, and of a role that the provider lists, below a policy.
    fn below(policy: Reading) -> (Vec<String>, Vec<String>, Effective) {
        let listed: RoleArn = "arn:aws:iam::123456789012:role/listed".parse().unwrap();
        let listed = Listed { roles: vec![fixture::role().arn, listed], ..Listed::default() };
        let listed = Map::from_iter([("corp".parse().unwrap(), listed)]);
        let mut machine = fixture::settings();
        let mut other = machine.provider[0].clone();
        other.id = "other".parse().unwrap();
        machine.provider.push(other);
        let effective = Layers { policy, machine: machine.into(), listed, ..Layers::default() }.effective();
        let providers =
            effective.providers().map(|p| format!("{} {}", p.value.id, p.value.client_id)).collect();
        let roles = effective.roles().map(|role| role.value.arn.name().to_owned()).collect();
        (providers, roles, effective)
    }

    #[test]
    fn nothing_weaker_takes_the_place_of_an_entry_that_a_policy_lost() {
        let all = ["corp abcdef", "other abcdef"].map(str::to_owned).to_vec();
        let both = ["example-role", "listed"].map(str::to_owned).to_vec();
        let (providers, roles, _) = below(policy("{}"));
        assert_eq!((&providers, &roles), (&all, &both));
        // The same provider with a check that cannot be read is no provider, and its roles go with it.
        let bad = format!(r#"{{"provider":[{{{PROVIDER},"approve":"allways"}}]}}"#);
        let (providers, roles, effective) = below(policy(&bad));
        assert_eq!((providers, roles.len()), (vec!["other abcdef".to_owned()], 0));
        let problem = effective.why_not(&fixture::role().arn, None).unwrap();
        assert!(problem.is(Code::SettingsInvalid), "{problem:?}");
        assert!(problem.message.contains("left out with the provider \"corp\". the provider \"corp\" cannot be used: approve: it must be one of never, first, always."), "{problem}");
        // Neither the machine's role nor the one that the provider lists stands in for the policy's.
        let bad = format!(r#"{{"role":[{{{ROLE},"approve":"allways"}}]}}"#);
        let (providers, roles, effective) = below(policy(&bad));
        assert_eq!((providers, roles), (all.clone(), vec!["listed".to_owned()]));
        assert!(
            effective
                .why_not(&fixture::role().arn, None)
                .unwrap()
                .message
                .contains("it must be one of never, first, always")
        );
        // Of a role whose provider cannot be read, any provider may be meant.
        let bad = r#"{"role":[{"provider":7,"arn":"arn:aws:iam::123456789012:role/example-role"}]}"#;
        assert_eq!(below(policy(bad)).1, ["listed"]);
        // What people only look at closes nothing.
        let bad = format!(
            r#"{{"role":[{{{ROLE},"color":"url(x)"}}],"account":[{{"id":"123456789012","color":7}}]}}"#
        );
        let (providers, roles, effective) = below(policy(&bad));
        assert_eq!((providers, roles, effective.problems.len()), (all, both, 2));
    }

    #[test]
    fn an_unreadable_part_of_a_policy_turns_off_all_weaker_layers() {
        for bad in [
            "7".to_owned(),
            r#"{"provider":{}}"#.to_owned(),
            r#"{"provider":[{"id":"a b"}]}"#.to_owned(),
            r#"{"role":["x"]}"#.to_owned(),
            r#"{"role":[{"provider":"corp","arn":"arn:aws:iam::1:role/x"}]}"#.to_owned(),
            r#"{"account":[{"alias":"prod"}]}"#.to_owned(),
        ] {
            let (providers, roles, effective) = below(policy(&bad));
            assert_eq!((providers.len(), roles.len()), (0, 0), "{bad}");
            assert_eq!(effective.problems.last().unwrap().message, CLOSED, "{bad}");
        }
        let good = format!(r#"{{"provider":[{{{PROVIDER}}},7],"role":[{{{ROLE}}}]}}"#);
        let (providers, roles, _) = below(policy(&good));
        assert_eq!((providers, roles), (vec!["corp policy".to_owned()], vec!["example-role".to_owned()]));
    }

    #[test]
    fn a_duplicate_provider_is_not_lost() {
        let twice = policy(&format!(r#"{{"provider":[{{{PROVIDER}}},{{{PROVIDER}}}]}}"#));
        let effective = Layers { machine: twice, ..Layers::default() }.effective();
        assert_eq!((effective.providers().count(), effective.problems.len()), (1, 1));
        assert_eq!(effective.lost_provider(), None);
        let one = policy(&format!(r#"{{"provider":[{{{PROVIDER}}},{{"id":"other"}}]}}"#));
        let effective = Layers { machine: one, ..Layers::default() }.effective();
        assert_eq!(effective.lost_provider(), effective.problems.first());
    }

    #[test]
    fn an_unreadable_part_of_a_file_only_turns_off_what_it_names() {
        let over_the_fixture = |text: &str| {
            let mut machine = policy(text);
            machine.put_over(fixture::settings().into());
            Layers { machine, ..Layers::default() }.effective()
        };
        let effective =
            over_the_fixture(r#"{"provider":[{"id":"a b"}],"role":[{"provider":"corp","arn":"x"}]}"#);
        assert_eq!((effective.roles().count(), effective.problems.len()), (1, 2));
        let effective = over_the_fixture(r#"{"provider":[{"id":"corp"}]}"#);
        assert_eq!((effective.roles().count(), effective.providers().count()), (0, 0));
    }

    #[test]
    fn roles_that_wait_for_a_provider_are_told_only_if_no_layer_has_it() {
        let machine = policy(&format!(r#"{{"role":[{{{ROLE}}}]}}"#)).at("file");
        let with =
            |policy: Reading| Layers { policy, machine: machine.clone(), ..Layers::default() }.effective();
        let effective = with(policy(&format!(r#"{{"provider":[{{{PROVIDER}}}]}}"#)));
        assert_eq!((effective.roles().count(), effective.problems.len()), (1, 0));
        let effective = with(Reading::default());
        let problem = &effective.problems[0];
        assert!(
            problem.is(Code::ProviderUnknown) && problem.message.starts_with("file: the role arn:"),
            "{problem}"
        );
        assert_eq!(effective.problems.len(), 1);
        // A policy that has lost it is the cause.
        let effective =
            with(policy(&format!(r#"{{"provider":[{{{PROVIDER},"scope":"email"}}]}}"#)).at("policy"));
        let [lost, role] = &effective.problems[..] else { panic!("{:?}", effective.problems) };
        assert_eq!(
            lost.message,
            "policy: the provider \"corp\" cannot be used: scope: it must contain openid."
        );
        assert!(role.is(Code::SettingsInvalid) && role.message.ends_with(&lost.message), "{role}");
    }

    #[test]
    fn a_machine_whose_file_cannot_be_read_at_all_keeps_what_it_said_before() {
        let lost = || Reading::lost(SettingsError::NotToml { line: 3, reason: "x".to_owned() }).at("file");
        let mut layers = Layers::default();
        layers.replace_machine(lost());
        assert_eq!(layers.effective().problems[0].message, "file: line 3: this is not TOML: x.");
        let half = Reading {
            faults: policy(r#"{"provider":[{"id":"gone"}]}"#).faults,
            ..fixture::settings().into()
        };
        layers.replace_machine(half);
        for _ in 0..2 {
            layers.replace_machine(lost());
            let effective = layers.effective();
            assert_eq!(effective.roles().count(), 1);
            let [file, entry] = &effective.problems[..] else { panic!("{:?}", effective.problems) };
            assert_eq!(file.message, format!("file: line 3: this is not TOML: x. {STAY}"));
            assert!(entry.message.contains("\"gone\""), "{entry}");
        }
        layers.replace_machine(Reading::default());
        assert_eq!((layers.effective().roles().count(), layers.effective().problems.len()), (0, 0));
    }
}
