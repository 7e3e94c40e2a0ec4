//! `rolecall logout`: deletes credentials, and the keys written to the credentials file.

use std::process::ExitCode;

use clap::ArgGroup;
use rolecall_core::message::agent::AgentAnswer;
use rolecall_core::message::host::{RoleSelection, SignOutRequest, WorkerRequest};
use rolecall_core::{Code, Problem};

use super::role_argument::RoleArgument;
use crate::agent::Agents;
use crate::aws_files::{Mode, Operation, Options};
use crate::cache::{self, Unlock};
use crate::output::{self, Outcome};
use crate::{choice, profile};

/// Delete a role's credentials, or sign out of everything.
///
/// Deletes them from the browser and the cache, and removes keys that Rolecall wrote to the credentials file. Profiles
/// without keys stay. Credentials that a program already has remain valid until they expire. With --all, also revokes
/// refresh tokens, and opens each provider's page that ends the session there.
#[derive(Debug, clap::Args)]
#[command(
    group = ArgGroup::new("which").required(true).args(["role", "all"]),
    after_help = "Examples:\n  rolecall logout example-dev\n  rolecall logout --all"
)]
pub(crate) struct Logout {
    #[command(flatten)]
    role: RoleArgument,
    /// All roles, and the signed-in user.
    #[arg(long, conflicts_with_all = ["role", "provider"])]
    all: bool,
    /// Do not end the sessions at the identity providers.
    #[arg(long, requires = "all")]
    keep_session: bool,
}

impl Logout {
    pub(crate) fn run(self) -> Outcome {
        let role = if self.role.is_named() { Some(self.role.find()?) } else { None };
        let roles = role.as_ref().map_or(RoleSelection::All, |role| RoleSelection::Role(role.key()));
        let mut failed = None;
        let agents = Agents::of_browsers();
        let end_session = self.all && !self.keep_session;
        let request = || WorkerRequest::SignOut(SignOutRequest { roles: roles.clone(), end_session });
        for (_, answer) in agents.all(request) {
            match answer {
                Ok(AgentAnswer::Done) => {}
                Ok(_) => failed = Some(unexpected()),
                Err(problem) if problem.is(Code::RoleUnknown) => {}
                Err(problem) => failed = Some(problem),
            }
        }
        let files = profile::files()?;
        for written in files.list()?.into_iter().filter(|written| written.mode == Mode::File) {
            if role.as_ref().is_none_or(|role| role.profile.as_str() == written.name.as_str()) {
                files.apply(&Operation::Remove(written.name.clone()), &Options::default())?;
                output::note(format_args!("Removed the keys of the profile {}.", written.name));
            }
        }
        if let Err(problem) = cache::forget(&roles, Unlock::Ask) {
            failed = Some(problem);
        }
        if let Some(problem) = failed {
            return Err(problem.into());
        }
        match &role {
            Some(role) => output::note(format_args!("Deleted the credentials of {}.", choice::label(role))),
            None => output::note("Signed out and deleted all credentials."),
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn unexpected() -> Problem {
    Problem::new(Code::HostProtocol, "The agent sent an unexpected response.")
}
