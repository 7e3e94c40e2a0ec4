//! `rolecall profile sync`: a profile for every role.

use std::io::{IsTerminal, stderr, stdin};
use std::process::ExitCode;

use rolecall_core::settings::CredentialsMode;
use rolecall_core::{Code, Problem};

use crate::aws_files::{AwsFiles, Operation, Options};
use crate::output::{self, Failure, Outcome};
use crate::profile::{self, Wanted};
use crate::roles::Known;
use crate::{settings_files, source};

/// Write a credential_process profile for every role that has none, or an outdated one.
///
/// Shows what changes and asks first. Profiles that Rolecall did not write stay as they are.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: rolecall profile sync --yes")]
pub(crate) struct Sync {
    /// Do not ask.
    #[arg(long, short)]
    yes: bool,
    /// Show what would change, and change nothing.
    #[arg(long)]
    dry_run: bool,
}

impl Sync {
    pub(crate) fn run(self) -> Outcome {
        let files = profile::files()?;
        let known = Known::gather();
        settings_files::tell(&known.settings, None);
        // A profile that should be there and is not is no success, whatever else was done.
        let done = if known.is_incomplete() { ExitCode::FAILURE } else { ExitCode::SUCCESS };
        let mut pending = Vec::new();
        for operation in wanted(&known)? {
            match files.plan(&operation, &Options::default()) {
                Ok(plan) if plan.is_empty() => {}
                Ok(plan) => {
                    output::data(plan.diff().trim_end())?;
                    pending.push(operation);
                }
                Err(error @ crate::aws_files::Error::InTheWay { .. }) => output::warn(&error),
                Err(error) => return Err(error.into()),
            }
        }
        if known.is_incomplete() {
            output::note("Roles of the settings that cannot be used get no profile.");
        }
        if pending.is_empty() {
            output::note(format_args!(
                "Every {}role has its profile.",
                if known.is_incomplete() { "other " } else { "" }
            ));
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

/// A profile for each role whose settings do not want something else.
fn wanted(known: &Known) -> Result<Vec<Operation>, Failure> {
    let effective = &known.settings;
    let mut operations = Vec::new();
    for known in &known.roles {
        let role = source::role_of(effective, &known.key());
        if role.credentials != CredentialsMode::Process {
            continue;
        }
        let provider = effective.provider(&role.provider);
        let wanted = Wanted {
            name: &known.profile,
            role: &known.arn,
            provider: Some(&known.provider),
            region: Some(&role.region()),
            endpoint_url: provider.and_then(|provider| provider.endpoint_url.as_ref()),
            mode: CredentialsMode::Process,
            credentials: None,
        };
        operations.push(Operation::Set(wanted.to_new_profile()?));
    }
    Ok(operations)
}

fn confirmed(count: usize) -> Result<bool, Failure> {
    if !(stdin().is_terminal() && stderr().is_terminal()) {
        let problem = Problem::new(Code::RoleMissing, "Nobody is here to confirm the change.");
        return Err(Failure::from(problem).next("Run again with --yes, or with --dry-run to look only."));
    }
    let question = format!("Write {count} profile{}?", if count == 1 { "" } else { "s" });
    let answer = dialoguer::Confirm::new().with_prompt(question).default(true).interact_opt();
    Ok(matches!(answer, Ok(Some(true))))
}
