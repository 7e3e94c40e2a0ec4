//! `rolecall env`: a role as environment variables, written for a shell to evaluate.

use std::process::ExitCode;

use secrecy::ExposeSecret;

use super::role_argument::RoleArgument;
use crate::ask::Ask;
use crate::output::{self, Outcome};
use crate::variables::{self, Format};

/// Print a role's credentials as environment variables.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  eval \"$(rolecall env example-dev)\"\n  rolecall env example-dev --shell fish | source\n  eval \"$(rolecall env --unset)\""
)]
pub(crate) struct Env {
    #[command(flatten)]
    role: RoleArgument,
    /// The shell; by default the one in SHELL.
    #[arg(long, value_enum)]
    shell: Option<Format>,
    /// Print the commands that clear the variables.
    #[arg(long, conflicts_with = "role")]
    unset: bool,
    #[command(flatten)]
    ask: Ask,
}

impl Env {
    pub(crate) fn run(self) -> Outcome {
        let shell = self.shell.unwrap_or_else(Format::of_this_terminal);
        if self.unset {
            output::data(shell.unset(&variables::ALL))?;
            return Ok(ExitCode::SUCCESS);
        }
        let target = self.role.target()?;
        let credentials = self.ask.source().credentials(&target.role)?;
        let text = shell.set(&variables::of_keys(&credentials, &target), &variables::shadowing())?;
        output::data(text.expose_secret())?;
        Ok(ExitCode::SUCCESS)
    }
}
