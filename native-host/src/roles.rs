//! Which roles there are: those that the browser tells of, and those of this machine's settings and profiles.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use chrono::{DateTime, Utc};
use rolecall_core::aws::RoleArn;
use rolecall_core::settings::{Effective, LeftOut, ProfileName, Provider, ProviderId, Role, RoleKey};
use rolecall_core::{Code, Problem};

use crate::agent::Agents;
use crate::{cache, profile, settings_files};

/// A role, as a person may name it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct KnownRole {
    /// The role's provider.
    pub(crate) provider: ProviderId,
    /// The role's ARN.
    pub(crate) arn: RoleArn,
    /// The account's alias or digits.
    pub(crate) account: String,
    /// The AWS profile's name.
    pub(crate) profile: ProfileName,
    /// Until when the browser has credentials.
    pub(crate) expiration: Option<DateTime<Utc>>,
}

impl KnownRole {
    /// What identifies it.
    pub(crate) fn key(&self) -> RoleKey {
        RoleKey::new(self.provider.clone(), self.arn.clone())
    }
}

/// Every role that is known.
#[derive(Debug, Default)]
pub(crate) struct Known {
    /// Each once; what the browser tells goes first.
    pub(crate) roles: Vec<KnownRole>,
    /// The position of each.
    index: HashMap<RoleKey, usize>,
    /// The settings of this machine.
    pub(crate) settings: Effective,
}

impl Known {
    /// Asks every agent and reads the settings.
    pub(crate) fn gather() -> Self {
        Self::gather_within(STATUS_TIMEOUT)
    }

    /// The same, waiting no longer than this for each browser.
    pub(crate) fn gather_within(timeout: Duration) -> Self {
        let mut known = Self::of_browsers(timeout);
        known.add_settings(settings());
        known
    }

    /// What the settings alone tell.
    pub(crate) fn of_settings() -> Self {
        let mut known = Self::default();
        known.add_settings(settings());
        known
    }

    /// The providers of the roles, and those of the settings.
    pub(crate) fn providers(&self) -> BTreeSet<&ProviderId> {
        let of_settings = self.settings.providers().map(|provider| &provider.value.id);
        self.roles.iter().map(|role| &role.provider).chain(of_settings).collect()
    }

    /// Whether the roles are not all of one provider, so that it matters which one a role is of.
    pub(crate) fn has_several_providers(&self) -> bool {
        let mut providers = self.roles.iter().map(|role| &role.provider);
        providers.next().is_some_and(|first| providers.any(|other| other != first))
    }

    /// Whether roles may be missing because something in the settings cannot be used.
    pub(crate) fn is_incomplete(&self) -> bool {
        let settings = &self.settings;
        let arns = self.arns();
        let is_missing = |role: &LeftOut| role.arn.as_ref().is_none_or(|arn| !arns.contains(arn));
        settings.lost_provider().or(settings.lost_role()).is_some() || settings.left_out().any(is_missing)
    }

    /// Roles of the settings that cannot be used and that nobody else knows, and why.
    pub(crate) fn left_out(&self) -> Vec<(KnownRole, &Problem)> {
        let arns = self.arns();
        let role = |left_out: &'_ LeftOut| {
            let arn = left_out.arn.clone().filter(|arn| !arns.contains(arn))?;
            Some(KnownRole {
                provider: left_out.provider.clone()?,
                account: self.settings.account_label(arn.account()).to_owned(),
                profile: left_out.profile.clone()?,
                arn,
                expiration: None,
            })
        };
        self.settings.left_out().filter_map(|left_out| Some((role(left_out)?, &left_out.problem))).collect()
    }

    /// The roles of this ARN, of this provider if one is given.
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
                expiration: None,
            });
        }
        self.settings = effective;
    }

    fn add(&mut self, role: KnownRole) {
        let next = self.roles.len();
        let position = *self.index.entry(role.key()).or_insert(next);
        match self.roles.get_mut(position) {
            // Two browsers may know the role: the longest-lived credentials are the ones a person would get.
            Some(known) => known.expiration = known.expiration.max(role.expiration),
            None => self.roles.push(role),
        }
    }

    fn of_profile(&self, name: &ProfileName) -> Option<RoleKey> {
        self.roles.iter().find(|role| role.profile == *name).map(KnownRole::key)
    }
}

/// What the settings say of a role; nothing but what identifies it if they do not know it.
pub(crate) fn role_of(effective: &Effective, key: &RoleKey) -> Role {
    match effective.role(key) {
        Some((role, _)) => role.clone(),
        None => Role::unlisted(key.clone()),
    }
}

/// The role and its provider. A role that stands in no settings can still be had from a provider that does.
pub(crate) fn find(effective: &Effective, key: &RoleKey) -> Result<(Role, Provider), Problem> {
    if let Some((role, provider)) = effective.role(key) {
        return Ok((role.clone(), provider.clone()));
    }
    // A role that was left out is not just any role.
    if let Some(problem) = effective.why_not(&key.arn, Some(&key.provider)) {
        return Err(problem.clone());
    }
    if let Some(provider) = effective.provider(&key.provider) {
        return Ok((Role::unlisted(key.clone()), provider.clone()));
    }
    if let Some(cause) = effective.lost_provider() {
        let message = format!("The role {key} is in no settings that can be used. {}", cause.message);
        return Err(Problem::new(Code::SettingsInvalid, message));
    }
    Err(Problem::new(Code::RoleUnknown, format!("The role {key} is not in this machine's settings.")))
}

/// Finds the provider of a role that is named by its ARN alone. `Ok(None)` if nobody knows the role.
pub(crate) fn find_provider(known: &Known, arn: &RoleArn) -> Result<Option<ProviderId>, Problem> {
    let mut providers: BTreeSet<_> =
        known.of_arn(arn, None).into_iter().map(|role| role.provider.clone()).collect();
    if providers.is_empty() {
        // What a browser allowed to be kept can be had without it.
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

/// A role that nobody knows can still be had from the only provider.
fn only_provider(settings: &Effective, arn: &RoleArn) -> Result<Option<ProviderId>, Problem> {
    // A role that was left out is not just any role, and what is left of two providers is not the only one.
    if let Some(problem) = settings.why_not(arn, None) {
        return Err(problem.clone());
    }
    if let Some(cause) = settings.lost_provider() {
        let message = format!("The role {arn} is in no settings that can be used. {}", cause.message);
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

/// The role of this ARN, and of this provider if one is given.
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

/// That nobody knows the role.
pub(crate) fn unknown_arn(arn: &RoleArn) -> Problem {
    let message =
        format!("The role {arn} is not in this machine's settings, and no browser that is open knows it.");
    Problem::new(Code::RoleUnknown, message)
}

/// The role that a profile stands for: what the profile itself says, or else the settings, or else a browser.
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

/// Why no role is known for a profile.
fn why_no_profile(settings: &Effective, name: &ProfileName) -> Problem {
    let mut left_out = settings.left_out();
    if let Some(role) = left_out.find(|role| role.profile.as_ref() == Some(name)) {
        return role.problem.clone();
    }
    unknown(settings, Code::ProfileUnknown, format!("No role is known for the profile \"{name}\"."))
}

/// That something is not in the settings, unless it may be in what cannot be used of them.
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

/// A browser that does not say what it knows within this time is left out.
pub(crate) const STATUS_TIMEOUT: Duration = Duration::from_secs(5);
