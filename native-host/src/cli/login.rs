//! `rolecall login`: gets a role's credentials now, so that no tool has to wait for them later.

use std::process::ExitCode;

use chrono::Utc;
use rolecall_core::aws::RoleArn;

use super::role_argument::RoleArgument;
use crate::ask::Ask;
use crate::host_settings::CacheBackend;
use crate::output::{self, DIM, GOOD, Outcome, short_path};
use crate::source::{Obtained, Origin};
use crate::{choice, settings_files};

/// Sign in to a role now.
///
/// The browser keeps the credentials while it is open. A cache, if the settings have one, keeps them longer.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  rolecall login example-dev\n  rolecall login --no-browser example-dev   (over SSH)"
)]
pub(crate) struct Login {
    #[command(flatten)]
    role: RoleArgument,
    /// The role's ARN.
    #[arg(long, value_name = "ARN", conflicts_with = "role")]
    role_arn: Option<RoleArn>,
    #[command(flatten)]
    ask: Ask,
}

impl Login {
    pub(crate) fn run(self) -> Outcome {
        let role = match &self.role_arn {
            Some(arn) => self.role.find_as(Some(arn.as_str()))?,
            None => self.role.find()?,
        };
        let Obtained { credentials, origin, kept, .. } = self.ask.source().obtain(&role.key())?;
        let left = output::time_left(Some(credentials.expiration), Utc::now());
        let label = choice::label(&role);
        if origin == Origin::Cache {
            output::note(format_args!("{GOOD}Signed in{GOOD:#} as {label}, for {left} (from the cache)."));
        } else {
            output::note(format_args!("{GOOD}Signed in{GOOD:#} as {label}, for {left}."));
        }
        match (kept?, origin) {
            (CacheBackend::None, Origin::SignIn) => output::note(format_args!(
                "{DIM}No browser with the extension is running, so these credentials are not stored. Use the role with:{DIM:#}\n  \
                 rolecall exec {0} -- COMMAND\n  eval \"$(rolecall env {0})\"\n\
                 {DIM}To store them, set cache = \"file\" or \"keyring\" under [host] in {1}.{DIM:#}",
                role.profile,
                settings_files::user_file()
                    .map_or_else(|| "the settings".to_owned(), |file| short_path(&file)),
            )),
            (CacheBackend::File, Origin::SignIn) => note_kept("a file"),
            (CacheBackend::Keyring, Origin::SignIn) => note_kept("the keyring"),
            _ => {}
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn note_kept(place: &str) {
    output::note(format_args!(
        "{DIM}The credentials are stored in {place} until then; rolecall logout deletes them.{DIM:#}"
    ));
}
