//! Which roles there are: those that the browser tells of, and those of this machine's settings and profiles.

use std::time::Duration;

use chrono::{DateTime, Utc};
use rolecall_core::aws::RoleArn;
use rolecall_core::message::agent::{Answer, Wish};
use rolecall_core::settings::{Effective, LeftOut, ProfileName};
use rolecall_core::{Code, Problem};

use crate::agent::Agents;
use crate::{profile, settings_files};

/// A role, as a person may name it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct KnownRole {
    /// The role.
    pub(crate) arn: RoleArn,
    /// The account's alias or digits.
    pub(crate) account: String,
    /// The AWS profile's name.
    pub(crate) profile: ProfileName,
    /// Until when the browser has credentials.
    pub(crate) expiration: Option<DateTime<Utc>>,
}

/// Every role that is known.
#[derive(Debug, Default)]
pub(crate) struct Known {
    /// Each once; what the browser tells goes first.
    pub(crate) roles: Vec<KnownRole>,
    /// The settings of this machine.
    pub(crate) settings: Effective,
}

impl Known {
    /// Asks every agent and reads the settings.
    pub(crate) fn gather() -> Self {
        Self::gather_within(PATIENCE)
    }

    /// The same, with no more patience than this for each browser.
    pub(crate) fn gather_within(patience: Duration) -> Self {
        let mut known = Self::of_browsers(patience);
        known.add_settings(settings());
        known
    }

    /// Whether roles may be missing because something in the settings cannot be used.
    pub(crate) fn is_incomplete(&self) -> bool {
        let is_known = |arn: &RoleArn| self.roles.iter().any(|role| role.arn == *arn);
        let is_missing = |role: &LeftOut| role.arn.as_ref().is_none_or(|arn| !is_known(arn));
        let settings = &self.settings;
        settings.lost_provider().or(settings.lost_role()).is_some() || settings.left_out().any(is_missing)
    }

    /// Roles of the settings that cannot be used and that nobody else knows, and why.
    pub(crate) fn left_out(&self) -> impl Iterator<Item = (KnownRole, &Problem)> {
        self.settings.left_out().filter_map(|role| {
            let arn = role.arn.clone().filter(|arn| self.roles.iter().all(|known| known.arn != *arn))?;
            let account = self.settings.account_label(arn.account()).to_owned();
            Some((
                KnownRole { account, profile: role.profile.clone()?, arn, expiration: None },
                &role.problem,
            ))
        })
    }

    fn of_browsers(patience: Duration) -> Self {
        let mut known = Self::default();
        for (_, answer) in Agents::of_browsers().within(patience).all(|| Wish::Status) {
            let Ok(Answer::Status { worker, .. }) = answer else { continue };
            for role in worker.roles {
                known.add(KnownRole {
                    arn: role.arn,
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
                arn: role.value.arn.clone(),
                account: effective.account_label(role.value.arn.account()).to_owned(),
                profile: effective.profile_name(&role.value),
                expiration: None,
            });
        }
        self.settings = effective;
    }

    fn add(&mut self, role: KnownRole) {
        match self.roles.iter_mut().find(|known| known.arn == role.arn) {
            // Two browsers may know the role: the longest-lived credentials are the ones a person would get.
            Some(known) => known.expiration = known.expiration.max(role.expiration),
            None => self.roles.push(role),
        }
    }

    fn of_profile(&self, name: &ProfileName) -> Option<RoleArn> {
        self.roles.iter().find(|role| role.profile == *name).map(|role| role.arn.clone())
    }
}

/// The role that a profile stands for: what the profile itself says, or else the settings, or else a browser.
pub(crate) fn of_profile(name: &ProfileName) -> Result<RoleArn, Problem> {
    if let Some(role) = role_in_files(name)? {
        return Ok(role);
    }
    let mut known = Known::default();
    known.add_settings(settings_files::load().effective());
    let role = known.of_profile(name).or_else(|| Known::of_browsers(PATIENCE).of_profile(name));
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
fn role_in_files(name: &ProfileName) -> Result<Option<RoleArn>, Problem> {
    let profiles = profile::files()?.list().map_err(|error| profile::problem(&error))?;
    let profile = profiles.iter().find(|profile| profile.name.as_str() == name.as_str());
    let line =
        profile.and_then(|profile| profile.settings.iter().find(|(key, _)| key == "credential_process"));
    Ok(line.and_then(|(_, line)| profile::role_of_line(line)))
}

/// A browser that does not say what it knows within this time is left out.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);
