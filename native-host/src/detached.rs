//! A sign-in for tools in a process of its own. AWS tools do not wait for a person for as long as a person takes, and some
//! kill what they have started: the sign-in outlives that.

use std::io::{self, BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use rolecall_core::settings::RoleKey;

use crate::platform;
use crate::profile::PROVIDER;

/// The command that signs in.
pub(crate) const COMMAND: &str = "sign-in-for-tools";

/// Starts the command, and waits until it can be asked. It goes on when whoever started it is killed.
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

/// Tells whoever started this command that it can be asked.
pub(crate) fn announce() -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{READY}")?;
    stdout.flush()
}

const READY: &str = "ready";
