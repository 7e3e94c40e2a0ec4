//! `rolecall sign-in-for-tools`: what `credential-process` starts where it has to sign in itself. AWS tools do not wait for
//! a person for as long as a person takes, and some kill what they have started: the sign-in outlives that.

use std::io::Write as _;
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use rolecall_core::aws::RoleArn;
use rolecall_core::settings::{ProviderId, RoleKey};
use rolecall_core::{Code, Problem};

use crate::output::{Failure, Outcome};
use crate::platform;
use crate::profile::PROVIDER;
use crate::source;

/// Sign in to a role for tools that ask for it, and keep its credentials until one has taken them.
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
        let failed = |error: &dyn std::error::Error| {
            Failure::caused_by(Problem::new(Code::Internal, "Tools cannot be served."), error)
        };
        let agent = source::agent_for_tools(&RoleKey { provider: self.provider, arn: self.role })?;
        let listening = agent.listen().map_err(|error| failed(&error))?;
        let mut stdout = std::io::stdout().lock();
        writeln!(stdout, "{READY}").and_then(|()| stdout.flush()).map_err(|error| failed(&error))?;
        agent.serve_until_taken(KEEP);
        drop(listening);
        agent.wait_until_idle();
        Ok(ExitCode::SUCCESS)
    }
}

/// Starts it, and waits until it can be asked. It goes on when whoever started it is killed.
pub(crate) fn start(role: &RoleKey) -> std::io::Result<()> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args([COMMAND, role.arn.as_str(), PROVIDER, role.provider.as_str()]);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    platform::detach(&mut command);
    let mut child = command.spawn()?;
    let mut line = String::new();
    if let Some(stdout) = child.stdout.take() {
        std::io::BufRead::read_line(&mut std::io::BufReader::new(stdout), &mut line)?;
    }
    if line.trim() == READY { Ok(()) } else { Err(std::io::Error::other("it did not start")) }
}

const COMMAND: &str = "sign-in-for-tools";

/// What it prints once it listens.
const READY: &str = "ready";

/// How long credentials that nobody waited for are kept in memory: a person who has just signed in runs the command again.
const KEEP: Duration = Duration::from_mins(5);
