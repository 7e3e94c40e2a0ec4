//! The role argument and the provider option that most commands have.

use std::ffi::OsStr;
use std::time::Duration;

use clap_complete::CompletionCandidate;
use clap_complete::engine::ArgValueCompleter;
use rolecall_core::Problem;
use rolecall_core::settings::ProviderId;

use crate::choice::{self, RoleSearch};
use crate::roles::{self, Known, KnownRole};
use crate::variables::Target;

/// A role, as a person names it.
#[derive(Debug, clap::Args)]
pub(super) struct RoleArgument {
    /// The role: an ARN, a profile, or a part of a name that matches only one role. Without it, choose from a list.
    #[arg(value_name = "ROLE", add = ArgValueCompleter::new(role_candidates))]
    role: Option<String>,
    /// The role's provider, if several have the role.
    #[arg(long, value_name = "ID", add = ArgValueCompleter::new(provider_candidates))]
    provider: Option<ProviderId>,
}

impl RoleArgument {
    pub(super) fn is_named(&self) -> bool {
        self.role.is_some()
    }

    /// Gives away what was named as the role if it is something else, so that the role is chosen from a list.
    pub(super) fn take_if(&mut self, is_something_else: impl FnOnce(&str) -> bool) -> Option<String> {
        self.role.take_if(|role| is_something_else(role))
    }

    /// Finds the role.
    pub(super) fn find(&self) -> Result<KnownRole, Problem> {
        self.find_as(self.role.as_deref())
    }

    /// Finds the role by this name.
    pub(super) fn find_as(&self, name: Option<&str>) -> Result<KnownRole, Problem> {
        choice::role(name, self.provider.as_ref()).map(|(role, _)| role)
    }

    /// Finds the role, its region and its endpoint.
    pub(super) fn target(&self) -> Result<Target, Problem> {
        let (known, settings) = choice::role(self.role.as_deref(), self.provider.as_ref())?;
        let key = known.key();
        let role = roles::role_of(&settings, &key);
        let provider = settings.provider(&role.provider);
        Ok(Target {
            region: role.region(),
            endpoint_url: provider.and_then(|provider| provider.endpoint_url.clone()),
            profile: known.profile.to_string(),
            role: key,
        })
    }
}

/// The roles that complete a word.
fn role_candidates(typed: &OsStr) -> Vec<CompletionCandidate> {
    let known = Known::list_within(COMPLETION_TIMEOUT);
    let has_several = known.has_several_providers();
    let fits =
        |role: &&KnownRole| typed.to_str().is_some_and(|typed| role.profile.as_str().starts_with(typed));
    let candidate = |role: &KnownRole| {
        let help = if has_several { role.key().to_string() } else { role.arn.to_string() };
        CompletionCandidate::new(role.profile.to_string()).help(Some(help.into()))
    };
    let begin_with: Vec<_> = known.roles.iter().filter(fits).map(candidate).collect();
    // A shell puts what all candidates begin with in the place of the word.
    match typed.to_str() {
        Some(typed) if begin_with.is_empty() => {
            let found = RoleSearch::new(&known.roles).find(typed);
            found.into_iter().take(MOST_FOUND).filter_map(|row| known.roles.get(row)).map(candidate).collect()
        }
        _ => begin_with,
    }
}

fn provider_candidates(typed: &OsStr) -> Vec<CompletionCandidate> {
    let known = Known::gather_within(COMPLETION_TIMEOUT);
    let ids = known.providers().into_iter().map(ProviderId::as_str);
    let fitting = ids.filter(|id| typed.to_str().is_some_and(|typed| id.starts_with(typed)));
    fitting.map(CompletionCandidate::new).collect()
}

/// How many roles are offered that do not begin with what was typed.
const MOST_FOUND: usize = 50;

/// How long a person who pressed Tab waits.
const COMPLETION_TIMEOUT: Duration = Duration::from_secs(1);
