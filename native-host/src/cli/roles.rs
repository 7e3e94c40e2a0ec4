//! `rolecall roles`: lists the roles.

use std::process::ExitCode;

use chrono::Utc;

use crate::catalogues::Refresh;
use crate::output::{self, Outcome};
use crate::roles::{Known, KnownRole};
use crate::settings_files;

/// List the roles you can use.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: rolecall roles --json | jq -r '.[].arn'")]
pub(crate) struct Roles {
    /// Print JSON instead of a table.
    #[arg(long)]
    json: bool,
    /// Read the providers' role catalogues again, however new they are.
    #[arg(long)]
    refresh: bool,
}

impl Roles {
    pub(crate) fn run(self) -> Outcome {
        let known = Known::list(if self.refresh { Refresh::Always } else { Refresh::IfOld });
        settings_files::tell(&known.settings, None);
        let roles = &known.roles;
        // Some roles are better than none; but if there are none because the settings are invalid, report that.
        let done =
            if roles.is_empty() && known.is_incomplete() { ExitCode::FAILURE } else { ExitCode::SUCCESS };
        if self.json {
            output::json(roles)?;
            return Ok(done);
        }
        if roles.is_empty() {
            output::note(
                "No roles are known. Add some to the settings; rolecall doctor shows where the files are.",
            );
            return Ok(done);
        }
        let now = Utc::now();
        let row = |role: &KnownRole| {
            let left = output::time_left(role.expiration, now);
            [role.account.clone(), role.arn.name().to_owned(), role.profile.to_string(), left]
        };
        let rows: Vec<_> = roles.iter().map(row).collect();
        if known.has_several_providers() {
            let with_provider = |([account, name, profile, left], role): ([String; 4], &KnownRole)| {
                [account, name, profile, role.provider.to_string(), left]
            };
            let rows: Vec<_> = rows.into_iter().zip(roles).map(with_provider).collect();
            output::table(["ACCOUNT", "ROLE", "PROFILE", "PROVIDER", "TIME LEFT"], &rows)?;
        } else {
            output::table(["ACCOUNT", "ROLE", "PROFILE", "TIME LEFT"], &rows)?;
        }
        Ok(done)
    }
}
