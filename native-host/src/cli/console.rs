//! `rolecall console`: the AWS console, signed in as a role.

use std::process::ExitCode;
use std::time::Duration;

use rolecall_core::aws::Region;
use rolecall_core::console;
use rolecall_core::freshness;
use rolecall_core::message::agent::AgentAnswer;
use rolecall_core::message::host::{ConsoleUrlRequest, WorkerRequest};
use rolecall_core::settings::ProviderId;
use rolecall_core::sign_in::Presence;
use rolecall_core::{Code, Problem};
use secrecy::{ExposeSecret, SecretString};

use crate::agent::Agents;
use crate::ask::Ask;
use crate::loopback::{Loopback, Way};
use crate::output::{self, Failure, Outcome};
use crate::source::{self, Method, Source};
use crate::variables::Place;
use crate::{roles, settings_files};

/// Open the AWS console signed in as a role.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: rolecall console example-dev --service s3")]
pub(crate) struct Console {
    /// The role: an ARN, a profile's name, or a part of a name that fits one role only.
    #[arg(value_name = "ROLE", add = super::completion::roles())]
    role: Option<String>,
    /// The role's provider, where several have the role.
    #[arg(long, value_name = "ID")]
    provider: Option<ProviderId>,
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
        let place = super::place(self.role.as_deref(), self.provider.as_ref())?;
        let url = self.url(&place)?;
        if self.print_url {
            output::data(url.expose_secret())?;
            return Ok(ExitCode::SUCCESS);
        }
        webbrowser::open(url.expose_secret()).map_err(|error| {
            let problem = Problem::new(Code::NoBrowser, "No browser could be opened.");
            Failure::caused_by(problem, &error)
                .next("Run again with --print-url and open the address yourself.")
        })?;
        output::note(format_args!("Opened the console as {}.", place.role.arn));
        Ok(ExitCode::SUCCESS)
    }

    fn url(&self, place: &Place) -> Result<SecretString, Problem> {
        // The browser's side knows settings that this machine may not have; only a region it cannot be told.
        let source = Source { time_left: freshness::CONSOLE, ..self.ask.source() };
        let agents = Agents::of_browsers_soon();
        if self.region.is_none() && source.method != Method::Loopback && !agents.is_empty() {
            let request = || {
                WorkerRequest::ConsoleUrl(ConsoleUrlRequest {
                    role: place.role.clone(),
                    service: self.service.clone(),
                    interactive: source.presence == Presence::Person,
                    asked_by: None,
                })
            };
            let read = |answer| match answer {
                AgentAnswer::ConsoleUrl { url } => Ok(url),
                _ => {
                    Err(Problem::new(Code::HostProtocol, "The agent answered something else than was asked."))
                }
            };
            match agents.first(request, read) {
                Err(problem) if problem.is(Code::RoleUnknown) || problem.is(Code::AgentUnavailable) => {}
                answer => return answer,
            }
        }
        let credentials = source.credentials(&place.role)?;
        let effective = roles::settings();
        let (mut role, provider) = source::find(&effective, &place.role)?;
        role.region = self.region.clone().or(role.region);
        // Nobody is sent anywhere for this: the platform only carries the request.
        let loopback = settings_files::Loopback { ports: vec![0], ..settings_files::Loopback::default() };
        let platform = Loopback::open(&loopback, Way::Browser, Duration::ZERO)?;
        let url = console::login_url(&platform, &provider, &role, &credentials, self.service.as_deref());
        Ok(pollster::block_on(url)?)
    }
}
