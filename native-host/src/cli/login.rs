//! `rolecall login`: gets a role's credentials now, so that nothing has to wait for them later.

use std::process::ExitCode;

use chrono::Utc;
use rolecall_core::aws::RoleArn;

use crate::agent::Agents;
use crate::ask::Ask;
use crate::choice;
use crate::output::{self, DIM, GOOD, Outcome};

/// Sign in to a role now.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  rolecall login example-dev\n  rolecall login --no-browser example-dev   (over SSH)"
)]
pub(crate) struct Login {
    /// The role: an ARN, a profile's name, or a part of a name that fits one role only. Picked from a list without.
    #[arg(value_name = "ROLE", conflicts_with = "role_arn", add = super::completion::roles())]
    role: Option<String>,
    /// The role's ARN.
    #[arg(long, value_name = "ARN")]
    role_arn: Option<RoleArn>,
    #[command(flatten)]
    ask: Ask,
}

impl Login {
    pub(crate) fn run(self) -> Outcome {
        let word = self.role_arn.map(|arn| arn.to_string()).or(self.role);
        let role = choice::role(word.as_deref())?;
        let credentials = self.ask.source().credentials(&role.arn)?;
        let left = output::time_left(Some(credentials.expiration), Utc::now());
        output::note(format_args!("{GOOD}Signed in{GOOD:#} as {}, for {left}.", choice::label(&role)));
        if Agents::of_browsers().is_empty() {
            output::note(format_args!(
                "{DIM}No browser with the extension is running, so nothing keeps these credentials. Use them with:{DIM:#}\n  \
                 rolecall exec {0} -- COMMAND\n  eval \"$(rolecall env {0})\"",
                role.profile
            ));
        }
        Ok(ExitCode::SUCCESS)
    }
}
