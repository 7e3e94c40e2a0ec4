//! `rolecall credential-process`: what the AWS tools run. Nothing but the document ever goes to standard output.

use std::ffi::OsString;
use std::process::ExitCode;

use rolecall_core::aws::RoleArn;
use rolecall_core::settings::ProfileName;
use rolecall_core::sign_in::Presence;
use rolecall_core::{Code, Problem};
use secrecy::ExposeSecret;

use crate::output::{self, Failure, Outcome};
use crate::profile::{COMMAND, PROFILE, ROLE};
use crate::source::Source;
use crate::{batch, roles};

/// Print a profile's credentials the way AWS tools want them from a credential_process.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: rolecall credential-process --profile example-dev")]
pub(crate) struct CredentialProcess {
    /// The AWS profile.
    #[arg(long, value_name = "PROFILE")]
    profile: ProfileName,
    /// The role; what the profile says without one.
    #[arg(long, value_name = "ARN")]
    role_arn: Option<RoleArn>,
    /// Never show a sign-in window.
    #[arg(long)]
    batch: bool,
}

impl CredentialProcess {
    pub(crate) fn run(self) -> Outcome {
        let role = match self.role_arn {
            Some(role) => role,
            None => roles::of_profile(&self.profile)?,
        };
        print(&role, batch::presence(self.batch))
    }
}

/// Runs the command if the arguments are those that stand in profiles. It is called for every request that a tool
/// makes without a cache, so it parses nothing else and builds no help.
pub(crate) fn run_fast(arguments: &[OsString]) -> Option<ExitCode> {
    let [command, profile, _, option, role] = arguments else { return None };
    if command != COMMAND || profile != PROFILE || option != ROLE {
        return None;
    }
    let role: RoleArn = role.to_str()?.parse().ok()?;
    Some(print(&role, batch::presence(false)).unwrap_or_else(|failure| failure.tell()))
}

fn print(role: &RoleArn, presence: Presence) -> Outcome {
    let credentials = Source::of_tool(presence).credentials(role)?;
    let document = credentials.to_process_json(role.account());
    output::data(document.expose_secret()).map_err(|_| {
        Failure::from(Problem::new(
            Code::Internal,
            "The credentials could not be written to standard output.",
        ))
    })?;
    Ok(ExitCode::SUCCESS)
}
