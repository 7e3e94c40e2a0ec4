//! `rolecall exec`: runs a command as a role. Its credentials renew for as long as it runs.

use std::ffi::OsString;
use std::process::{Command, ExitCode};

use rolecall_core::{Code, Problem};
use secrecy::ExposeSecret;

use super::role_argument::RoleArgument;
use crate::ask::Ask;
use crate::container::Endpoint;
use crate::output::{Failure, Outcome};
use crate::platform;
use crate::variables::{self, SHADOWING};

/// Run a command as a role.
///
/// The command finds its credentials at an address on this machine that only it knows, and fetches fresh ones there
/// when they expire. Its exit status and signals are passed through.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: rolecall exec example-dev -- terraform apply")]
pub(crate) struct Exec {
    #[command(flatten)]
    role: RoleArgument,
    /// Put the keys into the environment, for tools that know no other way. They do not renew.
    #[arg(long)]
    keys: bool,
    #[command(flatten)]
    ask: Ask,
    /// The command and its arguments.
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

impl Exec {
    pub(crate) fn run(self) -> Outcome {
        let Some((program, arguments)) = self.command.split_first() else { return Ok(ExitCode::SUCCESS) };
        let target = self.role.target()?;
        let source = self.ask.source();
        let credentials = source.credentials(&target.role)?;
        let mut command = Command::new(program);
        command.args(arguments);
        for name in SHADOWING {
            command.env_remove(name);
        }
        let mut endpoint = None;
        let set = if self.keys {
            variables::of_keys(&credentials, &target)
        } else {
            let endpoint = endpoint.insert(Endpoint::start(target.role.clone(), source, credentials, 0)?);
            let mut set = variables::of_target(&target);
            set.extend(endpoint.variables());
            set
        };
        command.envs(set.iter().map(|(name, value)| (name, value.expose_secret())));
        platform::run_to_the_end(command).map_err(|error| {
            let program = program.to_string_lossy();
            Failure::caused_by(
                Problem::new(Code::CommandFailed, format!("{program} could not be run.")),
                &error,
            )
        })
    }
}
