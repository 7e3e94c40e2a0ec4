//! `rolecall roles`: which roles there are.

use std::process::ExitCode;

use chrono::Utc;

use crate::output::{self, Outcome};
use crate::roles::Known;

/// List the roles you can use.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: rolecall roles --json | jq -r '.[].arn'")]
pub(crate) struct Roles {
    /// Print a JSON list instead of a table.
    #[arg(long)]
    json: bool,
}

impl Roles {
    pub(crate) fn run(self) -> Outcome {
        let roles = Known::gather().roles;
        if self.json {
            output::json(&roles)?;
            return Ok(ExitCode::SUCCESS);
        }
        if roles.is_empty() {
            output::note(
                "No roles are known. Add some to the settings: rolecall doctor shows where they are.",
            );
            return Ok(ExitCode::SUCCESS);
        }
        let now = Utc::now();
        let row = |role: &crate::roles::KnownRole| {
            let left = output::time_left(role.expiration, now);
            [role.account.clone(), role.arn.name().to_owned(), role.profile.to_string(), left]
        };
        output::table(
            ["ACCOUNT", "ROLE", "PROFILE", "TIME LEFT"],
            &roles.iter().map(row).collect::<Vec<_>>(),
        )?;
        Ok(ExitCode::SUCCESS)
    }
}
