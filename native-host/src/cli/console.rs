//! `rolecall console`: the AWS console, signed in as a role.

use std::process::ExitCode;
use std::time::Duration;

use rolecall_core::aws::Region;
use rolecall_core::console;
use rolecall_core::freshness;
use rolecall_core::message::agent::AgentAnswer;
use rolecall_core::message::host::{ConsoleRequest, WorkerRequest};
use rolecall_core::sign_in::Presence;
use rolecall_core::{Code, Problem};
use secrecy::{ExposeSecret, SecretString};

use super::role_argument::RoleArgument;
use crate::agent::Agents;
use crate::ask::Ask;
use crate::host_settings::LoopbackSettings;
use crate::loopback::{BrowserMode, Loopback, RedirectListener, open_once};
use crate::output::{self, Failure, Outcome};
use crate::roles;
use crate::source::{Method, Source};
use crate::variables::Target;

/// Open the AWS console signed in as a role.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: rolecall console example-dev --service s3")]
pub(crate) struct Console {
    #[command(flatten)]
    role: RoleArgument,
    /// The service to open, as in the console's addresses: s3, ec2, cloudwatch, …
    #[arg(long)]
    service: Option<String>,
    /// The region to open; by default the role's.
    #[arg(long)]
    region: Option<Region>,
    /// Print the address instead of opening it. It contains a secret and is valid for 15 minutes.
    #[arg(long)]
    print_url: bool,
    #[command(flatten)]
    ask: Ask,
}

impl Console {
    pub(crate) fn run(self) -> Outcome {
        let target = self.role.target()?;
        let url = self.open_in_browser(&target).unwrap_or_else(|| self.url(&target).map(Some))?;
        if self.print_url {
            let url = url.unwrap_or_default();
            output::note("Whoever has this address within 15 minutes is signed in as the role.");
            output::data(url.expose_secret())?;
            return Ok(ExitCode::SUCCESS);
        }
        if let Some(url) = url {
            open_once(&url).map_err(|reason| {
                let problem = Problem::new(Code::NoBrowser, format!("No browser could be opened: {reason}."));
                Failure::from(problem)
                    .next("Run the command again with --print-url and open the address yourself.")
            })?;
        }
        output::note(format_args!("Opened the console as {}.", target.role.arn));
        Ok(ExitCode::SUCCESS)
    }

    /// Asks the extension to open the console, or return the address, if a browser has it and knows the role.
    fn open_in_browser(&self, target: &Target) -> Option<Result<Option<SecretString>, Problem>> {
        let source = self.ask.source();
        let agents = Agents::of_browsers_soon();
        if source.method == Method::Loopback || agents.is_empty() {
            return None;
        }
        let request = || {
            WorkerRequest::Console(ConsoleRequest {
                role: target.role.clone(),
                service: self.service.clone(),
                region: self.region.clone(),
                open: !self.print_url,
                interactive: source.presence == Presence::Person,
                asked_by: None,
            })
        };
        let read = |answer| match answer {
            AgentAnswer::ConsoleUrl { url } => Ok(Some(url)),
            AgentAnswer::Done => Ok(None),
            _ => Err(Problem::new(Code::HostProtocol, "The agent sent an unexpected response.")),
        };
        match agents.first(request, read) {
            Err(problem) if problem.is(Code::RoleUnknown) || problem.is(Code::AgentUnavailable) => None,
            answer => Some(answer),
        }
    }

    /// The address, without the extension.
    fn url(&self, target: &Target) -> Result<SecretString, Problem> {
        let source = Source { time_left: freshness::CONSOLE, ..self.ask.source() };
        let credentials = source.credentials(&target.role)?;
        let effective = roles::settings();
        let (mut role, provider) = roles::find(&effective, &target.role)?;
        role.region = self.region.clone().or(role.region);
        // No authorization is needed: the platform only sends the request.
        let loopback = LoopbackSettings { ports: vec![0], ..LoopbackSettings::default() };
        let listener = RedirectListener::open(&loopback)?;
        let platform = Loopback::new(&listener, None, BrowserMode::Open, Duration::ZERO, &|| true);
        let url = console::login_url(&platform, &provider, &role, &credentials, self.service.as_deref());
        Ok(pollster::block_on(url)?)
    }
}
