//! `rolecall env`: a role as environment variables, written for a shell to evaluate.

use std::process::ExitCode;

use rolecall_core::settings::ProviderId;
use secrecy::ExposeSecret;

use crate::ask::Ask;
use crate::output::{self, Outcome};
use crate::variables::{self, Format, OUTRANKING};

/// Print a role's credentials as environment variables.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  eval \"$(rolecall env example-dev)\"\n  rolecall env example-dev --shell fish | source\n  eval \"$(rolecall env --unset)\""
)]
pub(crate) struct Env {
    /// The role: an ARN, a profile's name, or a part of a name that fits one role only.
    #[arg(value_name = "ROLE", add = super::completion::roles())]
    role: Option<String>,
    /// The role's provider, where several have the role.
    #[arg(long, value_name = "ID")]
    provider: Option<ProviderId>,
    /// For which shell; the one in SHELL without it.
    #[arg(long, value_enum)]
    shell: Option<Format>,
    /// Print what takes the variables away again.
    #[arg(long, conflicts_with = "role")]
    unset: bool,
    #[command(flatten)]
    ask: Ask,
}

impl Env {
    pub(crate) fn run(self) -> Outcome {
        let shell = self.shell.unwrap_or_else(Format::of_this_shell);
        if self.unset {
            output::data(shell.unset(&variables::ALL))?;
            return Ok(ExitCode::SUCCESS);
        }
        let place = super::place(self.role.as_deref(), self.provider.as_ref())?;
        let credentials = self.ask.source().credentials(&place.role)?;
        let text = shell.set(&variables::of_keys(&credentials, &place), &OUTRANKING);
        output::data(text.expose_secret())?;
        Ok(ExitCode::SUCCESS)
    }
}
