//! The known roles: those that browsers report, and those of this machine's settings and profiles.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use chrono::{DateTime, Utc};
use rolecall_core::aws::RoleArn;
use rolecall_core::settings::{Effective, LeftOut, ProfileName, Provider, ProviderId, Role, RoleKey};
use rolecall_core::{Code, Problem};

use crate::agent::Agents;
use crate::catalogues::Refresh;
use crate::role_index::Sources;
use crate::{cache, profile, role_index, settings_files};

/// A role that a person can name.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct KnownRole {
    pub(crate) provider: ProviderId,
    pub(crate) arn: RoleArn,
    /// The account's alias or number.
    pub(crate) account: String,
    /// The AWS profile's name.
    pub(crate) profile: ProfileName,
    /// What the account is for. Empty if that is not known.
    pub(crate) environment: String,
    /// What the role is for, and further words by which it is found. May be empty.
    pub(crate) about: String,
    /// When the browser's credentials expire.
    pub(crate) expiration: Option<DateTime<Utc>>,
}

impl KnownRole {
    /// Its key.
    pub(crate) fn key(&self) -> RoleKey {
        RoleKey::new(self.provider.clone(), self.arn.clone())
    }
}

/// All known roles.
#[derive(Debug, Default)]
pub(crate) struct Known {
    /// Without duplicates; a browser's first.
    pub(crate) roles: Vec<KnownRole>,
    /// The index of each, where the same role may come from several places.
    index: HashMap<RoleKey, usize>,
    /// The settings of this machine.
    pub(crate) settings: Effective,
}

impl Known {
    /// Reads the settings and catalogues, and asks every agent, for a person.
    pub(crate) fn gather(refresh: Refresh) -> Self {
        let mut known = Self::of_browsers(STATUS_TIMEOUT);
        known.add_settings(settings_files::load_with_catalogues(refresh).effective());
        known
    }

    /// The same of what is known at once, with a time limit for each browser.
    pub(crate) fn gather_within(timeout: Duration) -> Self {
        let mut known = Self::of_browsers(timeout);
        known.add_settings(settings());
        known
    }

    /// The roles alone, for a person who wants to see them. The settings are empty if they have no problems and a list of their
    /// roles is at hand.
    pub(crate) fn list(refresh: Refresh) -> Self {
        Self::list_of(Self::of_browsers(STATUS_TIMEOUT), Some(refresh))
    }

    /// The same of what is known at once, with a time limit for each browser.
    pub(crate) fn list_within(timeout: Duration) -> Self {
        Self::list_of(Self::of_browsers(timeout), None)
    }

    fn list_of(mut known: Self, refresh: Option<Refresh>) -> Self {
        let sources = Sources::look();
        if let Some(roles) = sources.as_ref().and_then(|sources| role_index::kept(sources, refresh)) {
            if known.roles.is_empty() {
                return Self { roles, ..known };
            }
            for role in roles {
                known.add(role);
            }
            return known;
        }
        known.add_settings(match refresh {
            Some(refresh) => settings_files::load_with_catalogues(refresh).effective(),
            None => settings(),
        });
        if let Some(sources) = sources {
            role_index::keep(&sources, &known.settings);
        }
        known
    }

    /// The roles of the settings alone.
    pub(crate) fn of_settings() -> Self {
        let mut known = Self::default();
        known.add_settings(settings());
        known
    }

    /// The providers of the roles and of the settings.
    pub(crate) fn providers(&self) -> BTreeSet<&ProviderId> {
        let of_settings = self.settings.providers().map(|provider| &provider.value.id);
        self.roles.iter().map(|role| &role.provider).chain(of_settings).collect()
    }

    /// Whether there is more than one provider, so that a role's provider has to be shown.
    pub(crate) fn has_several_providers(&self) -> bool {
        let mut providers = self.roles.iter().map(|role| &role.provider);
        providers.next().is_some_and(|first| providers.any(|other| other != first))
    }

    /// Whether roles may be missing because part of the settings is invalid.
    pub(crate) fn is_incomplete(&self) -> bool {
        let settings = &self.settings;
        let arns = self.arns();
        let is_missing = |role: &LeftOut| role.arn.as_ref().is_none_or(|arn| !arns.contains(arn));
        settings.lost_provider().or(settings.lost_role()).is_some() || settings.left_out().any(is_missing)
    }

    /// Invalid roles in the settings that no browser knows, and why they are invalid.
    pub(crate) fn left_out(&self) -> Vec<(KnownRole, &Problem)> {
        let arns = self.arns();
        let role = |left_out: &'_ LeftOut| {
            let arn = left_out.arn.clone().filter(|arn| !arns.contains(arn))?;
            Some(KnownRole {
                provider: left_out.provider.clone()?,
                account: self.settings.account_label(arn.account()).to_owned(),
                profile: left_out.profile.clone()?,
                environment: String::new(),
                about: String::new(),
                arn,
                expiration: None,
            })
        };
        self.settings.left_out().filter_map(|left_out| Some((role(left_out)?, &left_out.problem))).collect()
    }

    /// The roles with this ARN, of this provider if one is given.
    pub(crate) fn of_arn(&self, arn: &RoleArn, provider: Option<&ProviderId>) -> Vec<&KnownRole> {
        let is_meant = |role: &&KnownRole| {
            role.arn == *arn && provider.is_none_or(|provider| role.provider == *provider)
        };
        self.roles.iter().filter(is_meant).collect()
    }

    fn arns(&self) -> BTreeSet<&RoleArn> {
        self.roles.iter().map(|role| &role.arn).collect()
    }

    fn of_browsers(timeout: Duration) -> Self {
        let mut known = Self::default();
        for (_, status) in Agents::of_browsers().within(timeout).statuses() {
            for role in status.into_iter().flat_map(|status| status.roles) {
                known.add(KnownRole {
                    provider: role.role.provider,
                    arn: role.role.arn,
                    account: role.account_label,
                    profile: role.profile,
                    environment: role.environment,
                    about: role.about,
                    expiration: role.expiration,
                });
            }
        }
        known
    }

    fn add_settings(&mut self, effective: Effective) {
        for role in effective.roles() {
            self.add(KnownRole {
                provider: role.value.provider.clone(),
                arn: role.value.arn.clone(),
                account: effective.account_label(role.value.arn.account()).to_owned(),
                profile: effective.profile_name(&role.value),
                environment: effective.environment(&role.value).unwrap_or_default().to_owned(),
                about: effective.about(&role.value),
                expiration: None,
            });
        }
        self.settings = effective;
    }

    fn add(&mut self, role: KnownRole) {
        let next = self.roles.len();
        let position = *self.index.entry(role.key()).or_insert(next);
        match self.roles.get_mut(position) {
            // Two browsers may know the role: a command would get the credentials that last longest.
            Some(known) => known.expiration = known.expiration.max(role.expiration),
            None => self.roles.push(role),
        }
    }

    fn of_profile(&self, name: &ProfileName) -> Option<RoleKey> {
        self.roles.iter().find(|role| role.profile == *name).map(KnownRole::key)
    }
}

/// The role's settings; defaults if the settings do not have it.
pub(crate) fn role_of(effective: &Effective, key: &RoleKey) -> Role {
    match effective.role(key) {
        Some((role, _)) => role.clone(),
        None => Role::unlisted(key.clone()),
    }
}

/// The role and its provider. A role that is not in the settings can still be assumed with a provider that is.
pub(crate) fn find(effective: &Effective, key: &RoleKey) -> Result<(Role, Provider), Problem> {
    if let Some((role, provider)) = effective.role(key) {
        return Ok((role.clone(), provider.clone()));
    }
    // An invalid role is not a missing one.
    if let Some(problem) = effective.why_not(&key.arn, Some(&key.provider)) {
        return Err(problem.clone());
    }
    // What the settings say of a role holds however its ARN is spelled, and whichever provider signs in to it.
    if let Some((arn, provider)) = effective.other_entry(key) {
        let of = provider.map(|provider| format!(" of the provider {provider}")).unwrap_or_default();
        let message = format!("The settings do not have the role {key}, but they have {arn}{of}.");
        return Err(
            Problem::new(Code::RoleUnknown, message).with_next_step("Name the role as the settings do.")
        );
    }
    if let Some(provider) = effective.provider(&key.provider) {
        return Ok((Role::unlisted(key.clone()), provider.clone()));
    }
    if let Some(cause) = effective.lost_provider() {
        let message = format!("The role {key} is not in the valid part of the settings. {}", cause.message);
        return Err(Problem::new(Code::SettingsInvalid, message));
    }
    Err(Problem::new(Code::RoleUnknown, format!("The role {key} is not in this machine's settings.")))
}

/// Finds the provider of a role that is named by its ARN alone. `Ok(None)` if the role is unknown.
pub(crate) fn find_provider(known: &Known, arn: &RoleArn) -> Result<Option<ProviderId>, Problem> {
    let mut providers: BTreeSet<_> =
        known.of_arn(arn, None).into_iter().map(|role| role.provider.clone()).collect();
    if providers.is_empty() {
        // Credentials that a browser allowed to be cached are available without it.
        let kept = cache::list().into_iter().filter(|kept| kept.role.arn == *arn);
        providers = kept.map(|kept| kept.role.provider).collect();
    }
    let mut all = providers.into_iter();
    match (all.next(), all.next()) {
        (Some(one), None) => Ok(Some(one)),
        (Some(one), Some(other)) => {
            let names: Vec<_> = [one, other].into_iter().chain(all).map(|id| id.to_string()).collect();
            Err(ambiguous(arn, &names))
        }
        _ => only_provider(&known.settings, arn),
    }
}

/// An unknown role can still be assumed with the only provider.
fn only_provider(settings: &Effective, arn: &RoleArn) -> Result<Option<ProviderId>, Problem> {
    // An invalid role is not a missing one, and the valid one of two providers is not the only one.
    if let Some(problem) = settings.why_not(arn, None) {
        return Err(problem.clone());
    }
    if let Some(cause) = settings.lost_provider() {
        let message = format!("The role {arn} is not in the valid part of the settings. {}", cause.message);
        return Err(Problem::new(Code::SettingsInvalid, message));
    }
    let mut providers = settings.providers();
    Ok(match (providers.next(), providers.next()) {
        (Some(provider), None) => Some(provider.value.id.clone()),
        _ => None,
    })
}

fn ambiguous(arn: &RoleArn, providers: &[String]) -> Problem {
    let message = format!("The role {arn} is listed for several providers: {}.", providers.join(", "));
    Problem::new(Code::RoleAmbiguous, message).with_next_step("Name one of them with --provider.")
}

/// The role with this ARN, of this provider if one is given.
pub(crate) fn resolve(arn: RoleArn, provider: Option<ProviderId>) -> Result<RoleKey, Problem> {
    if let Some(provider) = provider {
        return Ok(RoleKey { provider, arn });
    }
    let mut known = Known::of_browsers(STATUS_TIMEOUT);
    known.add_settings(settings_files::load().effective());
    let provider = find_provider(&known, &arn);
    settings_files::tell(&known.settings, provider.as_ref().err());
    match provider? {
        Some(provider) => Ok(RoleKey { provider, arn }),
        None => Err(unknown_arn(&arn)),
    }
}

/// The error for an unknown role.
pub(crate) fn unknown_arn(arn: &RoleArn) -> Problem {
    let message = format!("The role {arn} is not in this machine's settings, and no open browser knows it.");
    Problem::new(Code::RoleUnknown, message)
}

/// The role of a profile: from the profile itself, else from the settings, else from a browser.
pub(crate) fn of_profile(name: &ProfileName) -> Result<RoleKey, Problem> {
    if let Some((arn, provider)) = role_in_files(name)? {
        return resolve(arn, provider);
    }
    let mut known = Known::default();
    known.add_settings(settings_files::load().effective());
    let role = known.of_profile(name).or_else(|| Known::of_browsers(STATUS_TIMEOUT).of_profile(name));
    let role = role.ok_or_else(|| why_no_profile(&known.settings, name));
    settings_files::tell(&known.settings, role.as_ref().err());
    role
}

/// Why a profile has no known role.
fn why_no_profile(settings: &Effective, name: &ProfileName) -> Problem {
    let mut left_out = settings.left_out();
    if let Some(role) = left_out.find(|role| role.profile.as_ref() == Some(name)) {
        return role.problem.clone();
    }
    unknown(settings, Code::ProfileUnknown, format!("No role is known for the profile \"{name}\"."))
}

/// The error for something missing in the settings, or for the invalid part that may contain it.
pub(crate) fn unknown(settings: &Effective, code: Code, sentence: String) -> Problem {
    match settings.lost_role() {
        Some(cause) => Problem::new(Code::SettingsInvalid, format!("{sentence} {}", cause.message)),
        None => Problem::new(code, sentence),
    }
}

/// The settings of this machine, ready to use.
pub(crate) fn settings() -> Effective {
    settings_files::load_and_remember().effective()
}

/// The role that Rolecall's own line in a profile names.
fn role_in_files(name: &ProfileName) -> Result<Option<(RoleArn, Option<ProviderId>)>, Problem> {
    let profiles = profile::files()?.list().map_err(|error| Problem::from(&error))?;
    let profile = profiles.iter().find(|profile| profile.name.as_str() == name.as_str());
    let line =
        profile.and_then(|profile| profile.settings.iter().find(|(key, _)| key == "credential_process"));
    Ok(line.and_then(|(_, line)| profile::role_of_line(line)))
}

/// A browser that does not report its status within this time is left out.
pub(crate) const STATUS_TIMEOUT: Duration = Duration::from_secs(5);
