//! `rolecall serve`: a role's credentials at an address on this machine, for containers and editors.

use std::process::ExitCode;

use rolecall_core::{Code, Problem};
use secrecy::ExposeSecret;

use super::role_argument::RoleArgument;
use crate::ask::Ask;
use crate::container::Endpoint;
use crate::output::{self, Failure, Outcome};
use crate::platform;
use crate::variables::{self, Format};

/// Serve a role's credentials at an address on this machine until interrupted.
///
/// Prints the variables that AWS tools need. With them a tool is the role, and reads no profile of ~/.aws. The
/// credentials renew for as long as it runs.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: rolecall serve example-dev --shell dotenv > .env.aws")]
pub(crate) struct Serve {
    #[command(flatten)]
    role: RoleArgument,
    /// The port; any free one without it.
    #[arg(long, default_value_t = 0, hide_default_value = true)]
    port: u16,
    /// How to print the variables; for the shell in SHELL without it.
    #[arg(long, value_enum)]
    shell: Option<Format>,
    #[command(flatten)]
    ask: Ask,
}

impl Serve {
    pub(crate) fn run(self) -> Outcome {
        let target = self.role.target()?;
        let source = self.ask.source();
        let credentials = source.credentials(&target.role)?;
        let endpoint = Endpoint::start(target.role.clone(), source, credentials, self.port)?;
        let (end, ended) = std::sync::mpsc::channel();
        let watched = platform::on_termination(move || {
            let _ = end.send(());
        });
        watched.map_err(|error| {
            Failure::caused_by(Problem::new(Code::Internal, "Signals cannot be watched."), &error)
        })?;
        let mut set = endpoint.variables();
        set.extend(variables::of_target(&target));
        // Profiles come before a served role in every SDK: without the files there is none.
        set.extend(AWS_FILES.map(|name| (name, platform::NO_FILE.to_owned().into())));
        let shell = self.shell.unwrap_or_else(Format::of_this_terminal);
        output::data(shell.set(&set, &variables::shadowing())?.expose_secret())?;
        output::note("Serving until interrupted (Ctrl-C).");
        let _ = ended.recv();
        Ok(ExitCode::SUCCESS)
    }
}

/// Where AWS tools are told to look for profiles.
const AWS_FILES: [&str; 2] = ["AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"];
