//! `rolecall credential-process`: what AWS tools run. Only the credentials document goes to standard output.

use std::ffi::OsString;
use std::process::ExitCode;

use rolecall_core::aws::RoleArn;
use rolecall_core::settings::{ProfileName, ProviderId, RoleKey};
use rolecall_core::sign_in::Presence;
use rolecall_core::{Code, Problem};
use secrecy::ExposeSecret;

use crate::output::{self, Failure, Outcome};
use crate::profile::{COMMAND, PROFILE, PROVIDER, ROLE, SERVED};
use crate::source::Source;
use crate::{batch, container, roles};

/// Print a profile's credentials in the format that AWS tools expect from a credential_process.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: rolecall credential-process --profile example-dev")]
pub(crate) struct CredentialProcess {
    /// The AWS profile.
    #[arg(long, value_name = "PROFILE")]
    profile: ProfileName,
    /// The role; by default the profile's.
    #[arg(long, value_name = "ARN")]
    role_arn: Option<RoleArn>,
    /// The role's provider; by default the one whose role it is.
    #[arg(long, value_name = "ID", requires = "role_arn")]
    provider: Option<ProviderId>,
    /// Never show a sign-in window.
    #[arg(long)]
    batch: bool,
    /// Take the credentials from the `rolecall exec` that this runs under.
    #[arg(long, requires_all = ["role_arn", "provider"], hide = true)]
    served: bool,
}

impl CredentialProcess {
    pub(crate) fn run(self) -> Outcome {
        let role = match self.role_arn {
            Some(arn) => roles::resolve(arn, self.provider)?,
            None => roles::of_profile(&self.profile)?,
        };
        print(&role, batch::presence(self.batch), self.served)
    }
}

/// Runs the command if the arguments are those written to profiles. Tools without a cache call it for every request, so
/// it parses nothing else and builds no help.
pub(crate) fn run_fast(arguments: &[OsString]) -> Option<ExitCode> {
    let [command, profile, _, of, provider, option, arn, rest @ ..] = arguments else { return None };
    let served = match rest {
        [] => false,
        [served] if served == SERVED => true,
        _ => return None,
    };
    if command != COMMAND || profile != PROFILE || of != PROVIDER || option != ROLE {
        return None;
    }
    let provider = provider.to_str()?.parse().ok()?;
    let arn = arn.to_str()?.parse().ok()?;
    let printed = print(&RoleKey { provider, arn }, batch::presence(false), served);
    Some(printed.unwrap_or_else(|failure| failure.tell()))
}

fn print(role: &RoleKey, presence: Presence, served: bool) -> Outcome {
    // A command that has cleared its environment asks like any other.
    let credentials = match served.then(|| container::fetch(&role.arn)).flatten() {
        Some(fetched) => fetched?,
        None => Source::of_tool(presence).credentials(role)?,
    };
    let document = credentials.to_process_json(role.arn.account());
    output::data(document.expose_secret()).map_err(|_| {
        Failure::from(Problem::new(
            Code::Internal,
            "The credentials could not be written to standard output.",
        ))
    })?;
    Ok(ExitCode::SUCCESS)
}
