//! A sign-in for tools in a separate process. AWS tools do not wait as long as a person takes to sign in, and some kill
//! the command they started: the sign-in survives that.

use std::io::{self, BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use rolecall_core::settings::RoleKey;

use crate::platform;
use crate::profile::PROVIDER;

/// The command that signs in.
pub(crate) const COMMAND: &str = "sign-in-for-tools";

/// Starts the command, and waits until it accepts requests. It continues when its parent is killed.
pub(crate) fn start(role: &RoleKey) -> io::Result<()> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args([COMMAND, PROVIDER, role.provider.as_str(), role.arn.as_str()]);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    platform::detach(&mut command);
    let mut child = command.spawn()?;
    let mut line = String::new();
    if let Some(stdout) = child.stdout.take() {
        BufReader::new(stdout).read_line(&mut line)?;
    }
    if line.trim() == READY { Ok(()) } else { Err(io::Error::other("it did not start")) }
}

/// Reports to the parent process that this command accepts requests.
#[expect(clippy::disallowed_methods, reason = "the parent process reads it")]
pub(crate) fn announce() -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{READY}")?;
    stdout.flush()
}

const READY: &str = "ready";
