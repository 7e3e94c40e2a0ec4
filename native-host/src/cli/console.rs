//! `rolecall console`: the AWS console, signed in as a role.

use std::process::ExitCode;
use std::time::Duration;

use rolecall_core::aws::Region;
use rolecall_core::console;
use rolecall_core::freshness;
use rolecall_core::message::agent::AgentAnswer;
use rolecall_core::message::host::{ConsoleUrlRequest, WorkerRequest};
use rolecall_core::sign_in::Presence;
use rolecall_core::{Code, Problem};
use secrecy::{ExposeSecret, SecretString};

use super::role_argument::RoleArgument;
use crate::agent::Agents;
use crate::ask::Ask;
use crate::host_settings::LoopbackSettings;
use crate::loopback::{BrowserMode, Loopback, RedirectListener};
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
    /// The region to open; the role's own without it.
    #[arg(long)]
    region: Option<Region>,
    /// Print the address instead of opening it. It is a secret for 15 minutes.
    #[arg(long)]
    print_url: bool,
    #[command(flatten)]
    ask: Ask,
}

impl Console {
    pub(crate) fn run(self) -> Outcome {
        let target = self.role.target()?;
        let url = self.url(&target)?;
        if self.print_url {
            output::data(url.expose_secret())?;
            return Ok(ExitCode::SUCCESS);
        }
        webbrowser::open(url.expose_secret()).map_err(|error| {
            let problem = Problem::new(Code::NoBrowser, "No browser could be opened.");
            Failure::caused_by(problem, &error)
                .next("Run again with --print-url and open the address yourself.")
        })?;
        output::note(format_args!("Opened the console as {}.", target.role.arn));
        Ok(ExitCode::SUCCESS)
    }

    fn url(&self, target: &Target) -> Result<SecretString, Problem> {
        // The browser's side knows settings that this machine may not have; only a region it cannot be told.
        let source = Source { time_left: freshness::CONSOLE, ..self.ask.source() };
        let agents = Agents::of_browsers_soon();
        if self.region.is_none() && source.method != Method::Loopback && !agents.is_empty() {
            let request = || {
                WorkerRequest::ConsoleUrl(ConsoleUrlRequest {
                    role: target.role.clone(),
                    service: self.service.clone(),
                    interactive: source.presence == Presence::Person,
                    asked_by: None,
                })
            };
            let read = |answer| match answer {
                AgentAnswer::ConsoleUrl { url } => Ok(url),
                _ => Err(Problem::new(Code::HostProtocol, "The agent sent an unexpected response.")),
            };
            match agents.first(request, read) {
                Err(problem) if problem.is(Code::RoleUnknown) || problem.is(Code::AgentUnavailable) => {}
                answer => return answer,
            }
        }
        let credentials = source.credentials(&target.role)?;
        let effective = roles::settings();
        let (mut role, provider) = roles::find(&effective, &target.role)?;
        role.region = self.region.clone().or(role.region);
        // Nobody is sent anywhere for this: the platform only carries the request.
        let loopback = LoopbackSettings { ports: vec![0], ..LoopbackSettings::default() };
        let listener = RedirectListener::open(&loopback)?;
        let platform = Loopback::new(&listener, BrowserMode::Open, Duration::ZERO, &|| true);
        let url = console::login_url(&platform, &provider, &role, &credentials, self.service.as_deref());
        Ok(pollster::block_on(url)?)
    }
}
