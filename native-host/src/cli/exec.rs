//! `rolecall exec`: runs a command as a role. Its credentials renew for as long as it runs.

use std::ffi::OsString;
use std::process::{Command, ExitCode};

use rolecall_core::{Code, Problem};
use secrecy::ExposeSecret;

use super::role_argument::RoleArgument;
use crate::ask::Ask;
use crate::command_profile::CommandProfile;
use crate::container::Endpoint;
use crate::output::{self, Failure, Outcome};
use crate::platform;
use crate::variables;

/// Run a command as a role.
///
/// The command is the role whatever the AWS files and the environment say; other profiles can still be used by name.
/// Credentials renew for as long as it runs. Its exit status and signals are passed through.
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
        for name in variables::shadowing() {
            command.env_remove(name);
        }
        let mut served = None;
        let set = if self.keys {
            variables::of_keys(&credentials, &target)
        } else {
            let profile = CommandProfile::create(&target)?;
            let endpoint = Endpoint::start(target.role.clone(), source, credentials, 0)?;
            let (profile, endpoint) = served.insert((profile, endpoint));
            let mut set = variables::of_target(&target);
            set.extend(profile.variables());
            set.extend(endpoint.variables());
            set
        };
        command.envs(set.iter().map(|(name, value)| (name, value.expose_secret())));
        let program = program.to_string_lossy();
        if output::is_seen() {
            output::note(format_args!("Running {program} as {} ({})", target.profile, target.role.arn));
        }
        let ran = platform::run_to_the_end(command).map_err(|error| {
            Failure::caused_by(
                Problem::new(Code::CommandFailed, format!("{program} could not be run.")),
                &error,
            )
        });
        if let Some(path) = served.and_then(|(profile, _)| profile.changed()) {
            output::warn(format_args!(
                "{program} changed its own copy of your AWS config, and not yours. The copy is {}",
                output::short_path(&path)
            ));
        }
        ran
    }
}
