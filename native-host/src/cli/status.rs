//! `rolecall status`: the browsers that respond, who is signed in there, and the time left of each role.

use std::process::ExitCode;

use chrono::{DateTime, Utc};
use rolecall_core::aws::AccountId;
use rolecall_core::message::host::{PersonSummary, RoleSummary};
use rolecall_core::settings::{Effective, ProfileName, RoleKey};
use rolecall_core::{Code, Problem};
use serde::Serialize;

use crate::agent::{AgentStatus, Agents};
use crate::cache::{self, Kept};
use crate::output::{self, BAD, DIM, GOOD, Outcome, WARN};
use crate::{roles, settings_files};

/// Show the browsers that respond, who is signed in, and the time left of each role, in the browser and in the cache.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: rolecall status --json")]
pub(crate) struct Status {
    /// Print JSON instead of text. Without a browser, the list of agents is empty and the exit status is 0.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    agents: Vec<AgentReport>,
    cache: Vec<Kept>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct AgentReport {
    socket: String,
    since: Option<DateTime<Utc>>,
    version: Option<String>,
    people: Vec<PersonSummary>,
    roles: Vec<RoleReport>,
    problem: Option<Problem>,
}

/// A [`RoleSummary`] with dates rather than seconds, for people and their scripts.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct RoleReport {
    role: RoleKey,
    account: AccountId,
    account_label: String,
    profile: ProfileName,
    expiration: Option<DateTime<Utc>>,
}

impl From<RoleSummary> for RoleReport {
    fn from(RoleSummary { role, account, account_label, profile, expiration, .. }: RoleSummary) -> Self {
        Self { role, account, account_label, profile, expiration }
    }
}

impl Status {
    pub(crate) fn run(self) -> Outcome {
        let settings = roles::settings();
        settings_files::tell(&settings, None);
        let agents = Agents::of_browsers().within(roles::STATUS_TIMEOUT);
        let agents = agents.statuses().into_iter().map(AgentReport::new).collect();
        let report = Report { agents, cache: cache::list() };
        if self.json {
            output::json(&report)?;
            return Ok(ExitCode::SUCCESS);
        }
        let now = Utc::now();
        report.agents.iter().try_for_each(|agent| agent.print(now))?;
        print_cache(&settings, &report.cache, now)?;
        if report.agents.is_empty() {
            let message = "No browser with the Rolecall extension is running.";
            return Err(Problem::new(Code::AgentUnavailable, message).into());
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn print_cache(settings: &Effective, kept: &[Kept], now: DateTime<Utc>) -> Result<(), output::Failure> {
    if kept.is_empty() {
        return Ok(());
    }
    output::data(format_args!("{GOOD}cache{GOOD:#}"))?;
    for Kept { role, expiration, backend } in kept {
        let account = settings.account_label(role.arn.account());
        let left = output::time_left(Some(*expiration), now);
        output::data(format_args!("  {account} / {}  {left}  {DIM}{backend}{DIM:#}", role.arn.name()))?;
    }
    Ok(())
}

impl AgentReport {
    fn new((path, status): (&std::path::Path, Result<AgentStatus, Problem>)) -> Self {
        let socket = path.display().to_string();
        let (people, roles) = (Vec::new(), Vec::new());
        match status {
            Ok(AgentStatus { since, version, people, roles }) => {
                let roles = roles.into_iter().map(RoleReport::from).collect();
                Self { socket, since: Some(since), version: Some(version), people, roles, problem: None }
            }
            Err(problem) => {
                Self { socket, since: None, version: None, people, roles, problem: Some(problem) }
            }
        }
    }

    fn print(&self, now: DateTime<Utc>) -> Result<(), output::Failure> {
        if let Some(problem) = &self.problem {
            return output::data(format_args!(
                "{BAD}browser{BAD:#}  [{}] {problem} {DIM}{}{DIM:#}",
                problem.code, self.socket
            ));
        }
        let (Some(since), Some(version)) = (self.since, &self.version) else { return Ok(()) };
        let minutes = (now - since).num_minutes();
        output::data(format_args!("{GOOD}browser{GOOD:#}  host {version}, connected for {minutes}m"))?;
        for PersonSummary { provider, person } in &self.people {
            match person {
                Some(person) => output::data(format_args!("  {provider}: {person}"))?,
                None => output::data(format_args!("  {provider}: {WARN}not signed in{WARN:#}"))?,
            }
        }
        for role in self.roles.iter().filter(|role| role.expiration.is_some()) {
            let left = output::time_left(role.expiration, now);
            output::data(format_args!("  {} / {}  {left}", role.account_label, role.role.arn.name()))?;
        }
        Ok(())
    }
}
