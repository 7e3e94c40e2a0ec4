//! `rolecall sign-in-for-tools`: what `credential-process` starts when it has to sign in itself.

use std::process::ExitCode;
use std::time::Duration;

use rolecall_core::aws::RoleArn;
use rolecall_core::settings::{ProviderId, RoleKey};
use rolecall_core::{Code, Problem};

use crate::agent::Kind;
use crate::output::{Failure, Outcome};
use crate::terminal::{self, SignInOptions};
use crate::{detached, roles, settings_files};

/// Sign in to a role for waiting tools, and keep its credentials until one has taken them.
#[derive(Debug, clap::Args)]
#[command(
    hide = true,
    after_help = "Example: rolecall sign-in-for-tools arn:aws:iam::123456789012:role/example --provider corp"
)]
pub(crate) struct SignInForTools {
    /// The role.
    #[arg(value_name = "ARN")]
    role: RoleArn,
    /// Its provider.
    #[arg(long, value_name = "ID")]
    provider: ProviderId,
}

impl SignInForTools {
    pub(crate) fn run(self) -> Outcome {
        let failed = |error: std::io::Error| {
            Failure::caused_by(
                Problem::new(Code::Internal, "The agent for tools could not be started."),
                &error,
            )
        };
        let machine = settings_files::load();
        let effective = machine.effective();
        roles::find(&effective, &RoleKey { provider: self.provider, arn: self.role })?;
        let agent = terminal::agent(machine, effective, SignInOptions::default());
        let listening = agent.listen(Kind::Terminal).map_err(failed)?;
        detached::announce().map_err(failed)?;
        agent.serve_until_taken(KEEP_FOR);
        drop(listening);
        agent.wait_until_idle(terminal::DRAIN_TIMEOUT);
        Ok(ExitCode::SUCCESS)
    }
}

/// How long credentials that no tool waited for are kept in memory: the person may run the command again.
const KEEP_FOR: Duration = Duration::from_mins(5);
