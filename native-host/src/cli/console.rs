//! `rolecall console`: the AWS console, signed in as a role.

use std::ffi::OsStr;
use std::process::ExitCode;
use std::time::Duration;

use clap_complete::CompletionCandidate;
use clap_complete::engine::ArgValueCompleter;
use rolecall_core::aws::Region;
use rolecall_core::console::{self, ConsolePage, Place, Service};
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
#[command(
    after_help = "Examples:\n  rolecall console example-dev\n  rolecall console example-dev s3 --region eu-north-1\n  rolecall console example-dev arn:aws:lambda:eu-west-1:123456789012:function:resize\n  rolecall console example-dev 'https://eu-west-1.console.aws.amazon.com/ec2/home#Instances:'"
)]
pub(crate) struct Console {
    #[command(flatten)]
    role: RoleArgument,
    /// The page: a service such as s3, the ARN of a resource, or an address of the console. By default the home page.
    #[arg(value_name = "PAGE", add = ArgValueCompleter::new(services))]
    page: Option<String>,
    /// The service to open, the same as PAGE.
    #[arg(long, value_name = "NAME", conflicts_with = "page", add = ArgValueCompleter::new(services))]
    service: Option<String>,
    /// The region to open; by default the role's. An address, and a resource whose ARN names a region, are opened where they
    /// are.
    #[arg(long)]
    region: Option<Region>,
    /// End the console's session of another role first. AWS allows one session in a browser, unless its multi-session
    /// support is on.
    #[arg(long)]
    end_session: bool,
    /// Print the address instead of opening it. It is a secret for 15 minutes.
    #[arg(long)]
    print_url: bool,
    #[command(flatten)]
    ask: Ask,
}

impl Console {
    pub(crate) fn run(mut self) -> Outcome {
        if self.page.is_none() && self.service.is_none() {
            self.page = self.role.take_if(console::is_page);
        }
        let target = self.role.target()?;
        let region = self.region.as_ref().unwrap_or(&target.region);
        let page = match self.page.as_deref().or(self.service.as_deref()) {
            Some(page) => {
                let place = Place::find(page, &target.role.arn, region)?;
                if let Some(note) = place.note(target.role.arn.account()) {
                    output::note(note);
                }
                (place.page, Some(place.region))
            }
            None => (None, self.region.clone()),
        };
        let url =
            self.open_in_browser(&target, &page).unwrap_or_else(|| self.url(&target, page).map(Some))?;
        if self.print_url {
            let url = url.unwrap_or_default();
            output::note(
                "This address is a secret: whoever has it within 15 minutes is signed in as the role.",
            );
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
    fn open_in_browser(
        &self,
        target: &Target,
        (page, region): &Page,
    ) -> Option<Result<Option<SecretString>, Problem>> {
        let source = self.ask.source();
        let agents = Agents::of_browsers_soon();
        if source.method == Method::Loopback || agents.is_empty() {
            return None;
        }
        let request = || {
            WorkerRequest::Console(ConsoleRequest {
                role: target.role.clone(),
                page: page.clone(),
                region: region.clone(),
                open: !self.print_url,
                end_session: self.end_session,
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
            Err(problem) if problem.is(Code::ConsoleSessionOpen) => {
                Some(Err(problem.with_next_step(
                    "Run it again with --end-session, or open the console in the popup, which remembers what you choose.",
                )))
            }
            answer => Some(answer),
        }
    }

    /// The address, without the extension.
    fn url(&self, target: &Target, (page, region): Page) -> Result<SecretString, Problem> {
        let effective = roles::settings();
        let (mut role, provider) = roles::find(&effective, &target.role)?;
        role.region = region.or(role.region);
        let console = console::Console::of(&provider, &role, page.as_ref())?;
        let source = Source { time_left: freshness::CONSOLE, ..self.ask.source() };
        let credentials = source.credentials(&target.role)?;
        // No authorization is needed: the platform only sends the request.
        let loopback = LoopbackSettings { ports: vec![0], ..LoopbackSettings::default() };
        let listener = RedirectListener::open(&loopback)?;
        let platform = Loopback::new(&listener, None, BrowserMode::Open, Duration::ZERO, &|| true);
        pollster::block_on(async {
            let url = console.login_url(&platform, &credentials).await?;
            Ok(if self.end_session { console.after_log_out(&platform, url).await } else { url })
        })
    }
}

/// The names of services that complete a word.
fn services(typed: &OsStr) -> Vec<CompletionCandidate> {
    let Some(typed) = typed.to_str() else { return Vec::new() };
    let names = Service::all().flat_map(Service::names);
    names.filter(|name| name.starts_with(typed)).map(CompletionCandidate::new).collect()
}

/// The page, and the region to open it in, where they are not the role's own.
type Page = (Option<ConsolePage>, Option<Region>);
