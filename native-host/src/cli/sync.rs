//! `rolecall profile sync`: writes a profile for every role.

use std::collections::BTreeMap;
use std::process::ExitCode;

use rolecall_core::settings::{CredentialsMode, Effective, ProfileName, Role};
use rolecall_core::{Code, Problem};

use crate::aws_files::{self, AwsFiles, Operation, Options};
use crate::catalogues::Refresh;
use crate::output::{self, Failure, Outcome};
use crate::profile::{self, RoleProfile};
use crate::roles::{Known, KnownRole};
use crate::{roles, settings_files};

/// Write a credential_process profile for every role that has none or an outdated one.
///
/// Shows the changes and asks first. Profiles that Rolecall did not write are not changed.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: rolecall profile sync --yes")]
pub(crate) struct Sync {
    /// Do not ask.
    #[arg(long, short)]
    yes: bool,
    /// Show the changes, and change nothing.
    #[arg(long)]
    dry_run: bool,
}

impl Sync {
    pub(crate) fn run(self) -> Outcome {
        let files = profile::files()?;
        let known = Known::gather(Refresh::IfOld);
        settings_files::tell(&known.settings, None);
        let (operations, mut left_out) = operations(&known);
        let mut pending = Vec::new();
        for operation in operations {
            match files.plan(&operation, &Options::default()) {
                Ok(plan) if plan.is_empty() => {}
                Ok(plan) => {
                    output::data(plan.diff().trim_end())?;
                    pending.push(operation);
                }
                Err(error @ aws_files::Error::Conflict { .. }) => output::warn(&error),
                Err(error) => return Err(error.into()),
            }
        }
        left_out.iter().for_each(output::warn);
        if known.is_incomplete() {
            left_out.push(String::new());
            output::note("Invalid roles in the settings get no profile.");
        }
        // A missing profile is a failure, whatever else was written.
        let done = if left_out.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
        if pending.is_empty() {
            let other = if left_out.is_empty() { "" } else { "other " };
            output::note(format_args!("Every {other}role has a profile."));
            return Ok(done);
        }
        if self.dry_run {
            output::note("Nothing was changed (--dry-run).");
            return Ok(done);
        }
        if !self.yes && !confirmed(pending.len())? {
            output::note("Nothing was changed.");
            return Ok(ExitCode::FAILURE);
        }
        write(&files, &pending)?;
        Ok(done)
    }
}

fn write(files: &AwsFiles, operations: &[Operation]) -> Result<(), Failure> {
    for operation in operations {
        files.apply(operation, &Options::default())?;
        output::note(format_args!("Wrote the profile {}.", operation.profile()));
    }
    Ok(())
}

/// A profile for each role, unless its settings say otherwise, and why some roles get none.
fn operations(known: &Known) -> (Vec<Operation>, Vec<String>) {
    let settings = &known.settings;
    let mut by_name: BTreeMap<&ProfileName, Vec<(&KnownRole, Role)>> = BTreeMap::new();
    let mut names = Vec::new();
    for role in &known.roles {
        let in_settings = roles::role_of(settings, &role.key());
        if in_settings.credentials == CredentialsMode::Process {
            let roles = by_name.entry(&role.profile).or_default();
            if roles.is_empty() {
                names.push(&role.profile);
            }
            roles.push((role, in_settings));
        }
    }
    let (mut operations, mut left_out) = (Vec::new(), Vec::new());
    for name in names {
        let mut several = std::mem::take(by_name.entry(name).or_default());
        // A list from elsewhere takes no name away from the settings, nor from a role of theirs that cannot be used at the moment.
        let is_own = |(role, _): &(&KnownRole, Role)| settings.is_own(&role.key());
        let has_own = several.iter().filter(|role| is_own(role)).count() == 1;
        let is_of_left_out = |role: &KnownRole| {
            let mut others = settings.left_out().filter(|other| other.arn.as_ref() != Some(&role.arn));
            others.any(|other| other.profile.as_ref() == Some(name))
        };
        let others = several.extract_if(.., |role| !is_own(role) && (has_own || is_of_left_out(role.0)));
        left_out.extend(others.map(|(role, _)| {
            format!(
                "{} gets no profile, because a role of the settings has its name, \"{name}\".",
                role.key()
            )
        }));
        match &several[..] {
            [] => {}
            [(role, in_settings)] => match operation(settings, role, in_settings) {
                Ok(operation) => operations.push(operation),
                Err(problem) => left_out.push(format!("{} gets no profile. {problem}", role.key())),
            },
            several => {
                let roles: Vec<_> = several.iter().map(|(role, _)| role.key().to_string()).collect();
                left_out.push(format!(
                    "Several roles have the profile name \"{name}\", so it is not written: {}. Give each role its own profile \
                     in the settings.",
                    roles.join(", ")
                ));
            }
        }
    }
    (operations, left_out)
}

fn operation(settings: &Effective, role: &KnownRole, in_settings: &Role) -> Result<Operation, Problem> {
    let provider = settings.provider(&role.provider);
    let profile = RoleProfile {
        name: &role.profile,
        role: &role.arn,
        provider: Some(&role.provider),
        region: Some(&in_settings.region()),
        endpoint_url: provider.and_then(|provider| provider.endpoint_url.as_ref()),
        mode: CredentialsMode::Process,
        credentials: None,
    };
    Ok(Operation::Set(profile.to_new_profile()?))
}

fn confirmed(count: usize) -> Result<bool, Failure> {
    if !output::can_ask() {
        let problem = Problem::new(Code::RoleMissing, "The changes need your confirmation at a terminal.");
        return Err(Failure::from(problem)
            .next("Run the command again with --yes, or with --dry-run to only show the changes."));
    }
    let question = format!("Write {count} profile{}?", if count == 1 { "" } else { "s" });
    Ok(output::confirm(&question))
}
