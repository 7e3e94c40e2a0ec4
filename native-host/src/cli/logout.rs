//! `rolecall logout`: forgets, and takes back what was written.

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

/// Forget a role's credentials, or everything.
///
/// The browser and the cache forget them, and keys that Rolecall wrote into the credentials file are removed.
/// Profiles without keys stay. Credentials that are in use elsewhere work until they expire. With --all, refresh
/// tokens are revoked, and the browser opens the page of each provider that ends the session there.
#[derive(Debug, clap::Args)]
#[command(
    group = ArgGroup::new("which").required(true).args(["role", "all"]),
    after_help = "Examples:\n  rolecall logout example-dev\n  rolecall logout --all"
)]
pub(crate) struct Logout {
    #[command(flatten)]
    role: RoleArgument,
    /// All roles, and who is signed in.
    #[arg(long, conflicts_with_all = ["role", "provider"])]
    all: bool,
    /// Leave the sessions at the sign-in providers as they are, instead of opening the pages that end them.
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
            Some(role) => output::note(format_args!("Forgot {}.", choice::label(role))),
            None => output::note("Forgot everything."),
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn unexpected() -> Problem {
    Problem::new(Code::HostProtocol, "The agent sent an unexpected response.")
}
