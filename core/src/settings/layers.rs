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
//! all entries of a role, however its ARN is spelled and whichever roles it is assumed through, and a weaker entry of a role that a
//! stronger layer has must have the same endpoints.

use std::cmp::Ordering;

use serde::Serialize;

use super::reading::Losses;
use super::{
    Account, Approve, CredentialsMode, Duration, Endpoint, Fault, Lost, OtherGroups, Preferences,
    ProfileName, ProfilePart, ProfileTemplate, Provider, ProviderId, Reading, Role, RoleKey, Settings,
    SettingsError,
};
use crate::aws::{AccountId, RoleArn};
use crate::code::{Code, Problem};
use crate::json::{ReadJson, WriteJson};
use crate::map::{self, Map, Set};

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
    /// The labels of accounts that would have that of another.
    distinct_labels: Map<AccountId, String>,
    left_out: Vec<LeftOut>,
    lost_providers: Vec<Problem>,
    lost_roles: Vec<Problem>,
    /// Roles of catalogues for other groups than the person's, listed or not.
    others: Set<RoleKey>,
    /// What the popup looks like and does first.
    pub preferences: Preferences,
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
        for (_, reading) in used {
            effective.preferences = effective.preferences.or(reading.settings.preferences);
        }
        let mut lost = Losses::default();
        let (mut roles, mut accounts, mut others) = (Vec::new(), Vec::new(), Vec::new());
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
            let is_for_others = |role: &Role| listed.is_some_and(|listed| !listed.may_assume(role));
            let are_shown = effective.preferences.other_groups.unwrap_or_default() == OtherGroups::Dimmed;
            let is_kept = |role: &&Role| !lost.has_role(&role.arn) && (are_shown || !is_for_others(role));
            let kept = reading.settings.role.iter().filter(is_kept);
            if listed.is_some() {
                let of_others = reading.settings.role.iter().filter(|role| is_for_others(role));
                others.extend(of_others.map(Role::key));
            }
            roles.extend(kept.map(|role| Sourced { value: role.clone(), layer: Layer::Catalogue }));
            let kept = reading.settings.account.iter().filter(|account| !lost.has_account(&account.id));
            accounts.extend(kept.cloned());
            let label = provider.label();
            let told = |fault: &Fault| {
                let message = format!("The role catalogue of {label}: {}", fault.problem.message);
                fault.problem.clone().with_message(message)
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
        effective.tell_accounts_apart();
        let faults: Vec<_> = used.iter().flat_map(|(_, reading)| &reading.faults).collect();
        effective.others = others.into_iter().collect();
        let overruled = effective.make_roles_equal(&mut roles);
        let orphans = effective.set_roles(roles);
        effective.leave_out(&faults, orphans);
        for role in &overruled {
            effective.leave_out_role(role);
        }
        effective.make_chains_strict();
        effective.chain_roles();
        effective.keep_approved_off_disk();
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

    /// Whether a role is only for groups that the person is not in.
    #[must_use]
    pub fn is_for_others(&self, role: &Sourced<Role>) -> bool {
        // Nearly always there are none, and a key is two texts.
        let has_others = self.others.iter().len() > 0;
        has_others && role.layer == Layer::Catalogue && self.others.contains(&role.value.key())
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
        let role = &self.sourced(key)?.value;
        Some((role, self.provider(&role.provider)?))
    }

    /// Whether these settings have the role, not only a list from elsewhere.
    #[must_use]
    pub fn is_own(&self, key: &RoleKey) -> bool {
        self.sourced(key).is_some_and(|role| role.layer <= Layer::Machine)
    }

    fn sourced(&self, key: &RoleKey) -> Option<&Sourced<Role>> {
        let wanted = (&key.arn, &key.provider);
        let found =
            self.role_index.binary_search_by(|position| sort_key(&self.roles[*position]).cmp(&wanted));
        Some(&self.roles[self.role_index[found.ok()?]])
    }

    /// The roles through which the role is assumed (role chaining), the nearest first: each with the next one's credentials,
    /// the last one with the ID token. None for a role without `source_role`. An error for roles that are left out only.
    pub fn sources(&self, role: &Role) -> Result<Vec<Role>, SettingsError> {
        let mut sources: Vec<Role> = Vec::new();
        while let Some(arn) = &sources.last().unwrap_or(role).source_role {
            let key = RoleKey::new(role.provider.clone(), arn.clone());
            let Some((source, _)) = self.role(&key) else {
                let source_role = arn.as_str().to_owned();
                return Err(SettingsError::SourceUnknown { arn: role.arn.clone(), source_role });
            };
            if sources.len() == MAX_SOURCES {
                return Err(SettingsError::EndlessChain { arn: role.arn.clone(), max: MAX_SOURCES });
            }
            sources.push(source.clone());
        }
        Ok(sources)
    }

    /// The roles of this ARN: one for each provider that has it.
    pub fn roles_by_arn(&self, arn: &RoleArn) -> impl Iterator<Item = &Role> {
        let start = self.role_index.partition_point(|position| self.roles[*position].value.arn < *arn);
        let roles = self.role_index[start..].iter().map(|position| &self.roles[*position].value);
        roles.take_while(move |role| role.arn == *arn)
    }

    /// An entry of the settings, valid or not, that AWS takes for the same role: of another provider, or whose ARN is spelled in
    /// another way.
    #[must_use]
    pub fn other_entry(&self, key: &RoleKey) -> Option<(&RoleArn, Option<&ProviderId>)> {
        let wanted = key.arn.identity();
        let roles = self.roles.iter().map(|role| (&role.value.arn, Some(&role.value.provider)));
        let left_out =
            self.left_out.iter().filter_map(|role| Some((role.arn.as_ref()?, role.provider.as_ref())));
        let is_other = |(arn, provider): &(&RoleArn, Option<&ProviderId>)| {
            arn.identity() == wanted && (**arn != key.arn || *provider != Some(&key.provider))
        };
        roles.chain(left_out).find(is_other)
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

    /// What people call the account: its alias or name, with the digits if another has the same; or the digits.
    #[must_use]
    pub fn account_label<'a>(&'a self, account: &'a AccountId) -> &'a str {
        match (self.distinct_labels.get(account), self.accounts.get(account)) {
            (Some(label), _) => label,
            (None, Some(account)) => account.label(),
            (None, None) => account.as_str(),
        }
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
            // A name must not change because another account gets the same.
            ProfilePart::Alias => self.account(arn.account()).map_or(arn.account().as_str(), Account::label),
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

    /// Puts the digits behind a label that several accounts have.
    fn tell_accounts_apart(&mut self) {
        let accounts: Vec<_> = self.accounts.values().collect();
        let compare = |one: usize, other: usize| accounts[one].label().cmp(accounts[other].label());
        let order = map::sorted(accounts.len(), &compare);
        let same = order.chunk_by(|one, other| compare(*one, *other) == Ordering::Equal);
        let alike = same.filter(|same| same.len() > 1).flatten().map(|position| accounts[*position]);
        self.distinct_labels = alike
            .map(|account| (account.id.clone(), format!("{} ({})", account.label(), account.id)))
            .collect();
    }

    /// The strictest `approve` of a role holds for all who have it, however they spell its ARN. Takes those out, and gives them back, for which a
    /// stronger layer has other endpoints.
    fn make_roles_equal(&self, roles: &mut Vec<Sourced<Role>>) -> Vec<Sourced<Role>> {
        let mut is_overruled = vec![false; roles.len()];
        for same in entries_of_one_role(roles) {
            self.make_as_strict(roles, &same);
            let provider = |position: &usize| self.provider(&roles[*position].value.provider);
            let strongest = roles[same[0]].layer;
            let (strong, weak): (Vec<_>, Vec<_>) =
                same.iter().copied().partition(|position| roles[*position].layer == strongest);
            let has_endpoints = |position: &usize| {
                let Some(own) = provider(position) else { return true };
                let mut strong = strong.iter().filter_map(provider).peekable();
                strong.peek().is_none() || strong.any(|strong| own.has_endpoints_of(strong))
            };
            for position in weak {
                is_overruled[position] = !has_endpoints(&position);
            }
        }
        let mut flags = is_overruled.into_iter();
        roles.extract_if(.., |_| flags.next().unwrap_or_default()).collect()
    }

    /// The strictest `approve` of these entries of a role holds for all of them.
    fn make_as_strict(&self, roles: &mut [Sourced<Role>], same: &[usize]) {
        let strictest = same.iter().map(|position| self.approve(&roles[*position].value)).max();
        for position in same {
            roles[*position].value.approve = strictest.unwrap_or_default();
        }
    }

    /// The stricter of what a role and its provider say.
    fn approve(&self, role: &Role) -> Approve {
        self.provider(&role.provider).map_or(role.approve, |provider| role.approve(provider))
    }

    /// Every program can read what is in a file, so a role that has to be approved is in none, whichever layer says so.
    fn keep_approved_off_disk(&mut self) {
        for position in 0..self.roles.len() {
            let role = &self.roles[position].value;
            if role.credentials == CredentialsMode::File && self.approve(role) != Approve::Never {
                self.problems.push(placeless(SettingsError::FileNotApproved { arn: role.arn.clone() }));
                self.roles[position].value.credentials = CredentialsMode::Process;
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

    /// Has a person asked for a chained role as strictly as for its sources. This holds for all entries of a role, and those
    /// that are assumed through them.
    fn make_chains_strict(&mut self) {
        loop {
            let mut has_changed = false;
            for position in 0..self.roles.len() {
                let role = &self.roles[position].value;
                if role.source_role.is_none() {
                    continue;
                }
                // None if the chain leads nowhere.
                let sources = self.sources(role).unwrap_or_default();
                let strictest = sources.iter().map(|source| self.approve(source)).max().unwrap_or_default();
                if self.approve(role) < strictest {
                    self.roles[position].value.approve = strictest;
                    has_changed = true;
                }
            }
            if !has_changed {
                return;
            }
            let mut roles = std::mem::take(&mut self.roles);
            for same in entries_of_one_role(&roles) {
                self.make_as_strict(&mut roles, &same);
            }
            self.roles = roles;
        }
    }

    /// Holds chained roles to the hour that AWS allows, and leaves out those whose chain leads nowhere.
    fn chain_roles(&mut self) {
        let (mut broken, mut others) = (Vec::new(), Vec::new());
        for position in 0..self.roles.len() {
            let role = &self.roles[position].value;
            if role.source_role.is_none() {
                continue;
            }
            match self.sources(role) {
                Ok(sources) => {
                    if sources.iter().any(|source| self.others.contains(&source.key())) {
                        others.push(role.key());
                    }
                    let role = &mut self.roles[position].value;
                    let is_too_long = role.duration.is_some_and(|duration| duration > Duration::DEFAULT);
                    let has_own = role.console_session_duration.take().is_some();
                    if is_too_long {
                        role.duration = None;
                    }
                    let arn = role.arn.clone();
                    for (key, _) in [("duration", is_too_long), ("console_session_duration", has_own)]
                        .into_iter()
                        .filter(|(_, has_no_effect)| *has_no_effect)
                    {
                        let error = SettingsError::ChainedForAnHour { arn: arn.clone(), key };
                        self.problems.push(placeless(error));
                    }
                }
                Err(error) => broken.push((position, error)),
            }
        }
        for role in others {
            self.others.insert(role);
        }
        if broken.is_empty() {
            return;
        }
        let mut kept = Vec::new();
        let mut broken = broken.into_iter().peekable();
        for (position, role) in std::mem::take(&mut self.roles).into_iter().enumerate() {
            let Some((_, error)) = broken.next_if(|(broken, _)| *broken == position) else {
                kept.push(role);
                continue;
            };
            // A source for groups that the person is not in is no mistake.
            let is_hidden = matches!(&error, SettingsError::SourceUnknown { source_role, .. }
                if self.others.iter().any(|other| other.arn.as_str() == source_role));
            let problem = placeless(error);
            if !is_hidden {
                self.problems.push(problem.clone());
            }
            self.leave_out_one(&role.value, problem);
        }
        self.set_roles(kept);
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

/// The positions of each role's entries, where it has several, however they spell its ARN. The strongest comes first.
fn entries_of_one_role(roles: &[Sourced<Role>]) -> Vec<Vec<usize>> {
    let identities: Vec<_> = roles.iter().map(|role| role.value.arn.identity()).collect();
    let compare = |one: usize, other: usize| identities[one].cmp(&identities[other]);
    // It keeps the order of equals, in which the strongest layer comes first.
    let order = map::sorted(roles.len(), &compare);
    let same = order.chunk_by(|one, other| compare(*one, *other) == Ordering::Equal);
    same.filter(|same| same.len() > 1).map(<[usize]>::to_vec).collect()
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

/// Longer than any chain of roles that somebody has: AWS sets no limit.
const MAX_SOURCES: usize = 8;

/// What is told of a file that cannot be read at this moment.
const STAY: &str = "The settings that were read before stay in use.";

/// What is told of a policy whose gaps could hide anything.
const CLOSED: &str = "Part of the organisation's policy cannot be read, so only the rest of the \
                      policy is in use.";

#[cfg(test)]
mod tests;
