//! `rolecall doctor`: checks everything that a sign-in needs on this machine, and names the command that fixes it.

mod aws;
mod finding;
mod providers;
mod running;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use rolecall_core::aws::{Region, RoleArn};
use rolecall_core::settings::ProviderId;
use rolecall_core::{Code, Problem};
use serde_json::Value;

use super::trial;
use crate::agent::{AgentStatus, Agents};
use crate::browsers::{self, BROWSERS, Browser, Family};
use crate::cache::{self, Cache, Kept};
use crate::host_settings::CacheBackend;
use crate::output::{self, Outcome, short_path};
use crate::sdk_profile::SdkProfile;
use crate::settings_files::{self, State as FileState};
use crate::shell::{self, Syntax};
use crate::{platform, profile, roles};
use finding::{Finding, State};
use running::Running;

/// Check this machine's configuration and print how to fix problems.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Doctor {
    /// Print JSON instead of text.
    #[arg(long)]
    json: bool,
    /// Check AWS instead: whether it responds as documented, for the partitions and regions of your roles. Needs no
    /// permissions; sends only invalid tokens and keys, and prints the addresses first.
    #[arg(long)]
    aws: bool,
    /// With --aws: the region to use; by default each role's.
    #[arg(long, requires = "aws")]
    region: Option<Region>,
    /// With --aws: write the results to a file that you can paste into an issue. It contains versions and the shape of
    /// AWS's responses, but no account, role, provider or name.
    #[arg(long, value_name = "FILE", requires = "aws")]
    report: Option<PathBuf>,
}

const AFTER_HELP: &str = "\
Examples:
  rolecall doctor
  rolecall doctor --aws --report aws.json

Exit status: 0 no errors (there may be warnings), 1 errors. With --aws: 0 all responses are as documented, 1 a response \
differs or is missing.";

impl Doctor {
    pub(crate) fn run(self) -> Outcome {
        if self.aws {
            let settings = roles::settings();
            return aws::run(&settings, self.region.as_ref(), self.report.as_deref(), self.json);
        }
        let mut findings = Vec::new();
        let answering = Answering::all();
        check_browsers(&mut findings, &answering);
        check_settings(&mut findings);
        providers::check(&mut findings);
        check_agents(&mut findings, answering);
        check_cache(&mut findings);
        check_aws_files(&mut findings);
        check_environment(&mut findings);
        let broken = findings.iter().any(|finding| finding.state == State::Fail);
        if self.json {
            output::json(&findings)?;
        } else {
            findings.iter().try_for_each(Finding::print)?;
        }
        Ok(if broken { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    }
}

/// A browser's agent and its status.
struct Answering {
    running: Option<Running>,
    status: Result<AgentStatus, Problem>,
}

impl Answering {
    fn all() -> Vec<Self> {
        let agents = Agents::of_browsers().within(roles::STATUS_TIMEOUT);
        let statuses = agents.statuses().into_iter();
        statuses.map(|(socket, status)| Self { running: Running::of_socket(socket), status }).collect()
    }
}

/// Checks the manifests: installed, valid, and naming a program that responds.
fn check_browsers(findings: &mut Vec<Finding>, answering: &[Answering]) {
    let Some(home) = platform::home() else {
        findings.push(Finding::fail("The home folder is unknown.", "Set HOME."));
        return;
    };
    let running: Vec<&Running> = answering.iter().filter_map(|one| one.running.as_ref()).collect();
    let mut any = !running.is_empty();
    let mut checked = Vec::new();
    for browser in BROWSERS.iter().filter(|browser| browser.is_found(&home)) {
        any = true;
        // The user's own manifest takes precedence over the machine's, as in the browsers.
        let own = browser.manifest_path(&home);
        let shared = browser.system_manifest_path().filter(|shared| !own.exists() && shared.exists());
        let path = shared.unwrap_or(own);
        // A browser that runs with another user data folder reads the manifest there.
        let runs = running.iter().any(|one| one.browser.is_some_and(|known| known.name == browser.name));
        if path.exists() || !runs {
            findings.push(check_manifest(browser, &path, None));
        }
        checked.push(path);
    }
    for Running { browser, folder, manifest } in running {
        if let (Some(browser), Some(manifest)) = (browser, manifest)
            && !checked.contains(manifest)
        {
            findings.push(check_manifest(browser, manifest, folder.as_deref()));
            checked.push(manifest.clone());
        }
    }
    if !any {
        findings
            .push(Finding::warn("No browser was found for this user.", "rolecall install --browser NAME"));
    }
    for sandbox in browsers::sandboxes(&home) {
        findings.push(Finding::warn(sandbox.advice, "Choose another package of the browser."));
    }
}

/// `folder`: the browser's user data folder, if it was started with another one.
fn check_manifest(browser: &Browser, path: &Path, folder: Option<&Path>) -> Finding {
    let mut fix = format!("rolecall install --browser {}", browser.name);
    let mut label = browser.label.to_owned();
    if let Some(folder) = folder {
        let folder_text = folder.display().to_string();
        let word = Syntax::of_this_terminal().word(&folder_text).unwrap_or(folder_text);
        fix = format!("{fix} --user-data-dir {word}");
        label = format!("{label} in {}", short_path(folder));
    }
    let place = format!("{label} ({})", short_path(path));
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Finding::warn(format!("{label}: the host program is not installed."), fix);
        }
        Err(error) => return Finding::fail(format!("{place}: the manifest cannot be read: {error}."), fix),
    };
    let Ok(manifest) = serde_json::from_str::<Value>(&text) else {
        return Finding::fail(format!("{place}: the manifest is not JSON."), fix);
    };
    let Some(host) = manifest["path"].as_str() else {
        return Finding::fail(format!("{place}: the manifest names no program."), fix);
    };
    if !platform::is_executable(Path::new(host)) {
        return Finding::fail(format!("{place}: {host} is not a program that can be run."), fix);
    }
    let (list, expected) = match browser.family {
        Family::Chromium => ("allowed_origins", browsers::manifest(browser.family, Path::new(host), &[])),
        Family::Firefox => ("allowed_extensions", browsers::manifest(browser.family, Path::new(host), &[])),
    };
    let expected: Value = expected.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
    let allows = |id: &Value| manifest[list].as_array().is_some_and(|allowed| allowed.contains(id));
    if manifest["name"] != expected["name"]
        || !expected[list].as_array().is_some_and(|ids| ids.iter().all(allows))
    {
        return Finding::fail(format!("{place}: the manifest does not allow the Rolecall extension."), fix);
    }
    if let Err(why) = trial::hello(browser.family, path, Path::new(host)) {
        return Finding::fail(format!("{place}: {host} {why}."), fix);
    }
    match profile::own_path() {
        Ok(own) if own != Path::new(host) => Finding::warn(
            format!("{place}: the browser starts another copy of the host program, {host}."),
            fix,
        ),
        _ => Finding::ok(format!("{label}: the host program is installed and answers.")),
    }
}

/// Checks that the settings are readable and not empty.
fn check_settings(findings: &mut Vec<Finding>) {
    let machine = settings_files::load();
    for file in &machine.files {
        let path = short_path(&file.path);
        match &file.state {
            FileState::Absent | FileState::Kept { .. } | FileState::Lost => {}
            FileState::Read { unknown, .. } if unknown.is_empty() => {
                findings.push(Finding::ok(format!("{path} is in use.")));
            }
            FileState::Read { unknown, .. } => findings.push(Finding::warn(
                format!("{path} is in use, but these keys are unknown: {}.", unknown.join(", ")),
                "Correct them, or update Rolecall.",
            )),
        }
    }
    for problem in machine.effective().problems {
        // A provider that is missing here may be in the browser's policy.
        let is_broken = problem.is(Code::SettingsInvalid);
        let finding = if is_broken { Finding::fail } else { Finding::warn };
        findings.push(finding(problem.message.clone(), problem.next_line()));
    }
    if machine.files.iter().all(|file| matches!(file.state, FileState::Absent)) {
        let paths: Vec<_> = machine.files.iter().map(|file| short_path(&file.path)).collect();
        let what = format!("There is no settings file on this machine (looked at {}).", paths.join(" and "));
        findings.push(Finding::warn(what, "Write one, unless the browser gets its settings from a policy."));
    }
}

/// Checks that a browser's agent is running and responds.
fn check_agents(findings: &mut Vec<Finding>, answering: Vec<Answering>) {
    if answering.is_empty() {
        findings.push(Finding::warn(
            "No browser with the Rolecall extension is running.",
            "Open the browser; if it is open, click the extension's button once.",
        ));
    }
    for Answering { running, status } in answering {
        let who = running.and_then(|one| one.browser).map_or("A browser", |browser| browser.label);
        findings.push(match status {
            Ok(AgentStatus { version, people, roles, .. }) => {
                let people = people.iter().filter(|one| one.person.is_some()).count();
                let roles = roles.len();
                Finding::ok(format!("{who} responds (host {version}; signed in: {people}; roles: {roles})."))
            }
            Err(problem) => Finding::fail(format!("{who}: {}", problem.message), problem.next_line()),
        });
    }
}

/// Checks that the cache can store what the settings ask for, and that no other cache has credentials.
fn check_cache(findings: &mut Vec<Finding>) {
    let cache = Cache::of(&settings_files::load());
    let is_elsewhere = |kept: &Kept| kept.backend != cache.backend();
    let (left, kept): (Vec<_>, Vec<_>) = cache::list().into_iter().partition(is_elsewhere);
    if cache.backend() != CacheBackend::None {
        findings.push(match cache.check() {
            Ok(()) => {
                Finding::ok(format!("The cache works ({}). Roles in it: {}.", cache.backend(), kept.len()))
            }
            Err(problem) => Finding::fail(problem.message.clone(), problem.next_line()),
        });
    }
    if !left.is_empty() {
        let what =
            format!("A cache that is not in use still contains credentials. Roles in it: {}.", left.len());
        findings.push(Finding::warn(what, "rolecall logout --all"));
    }
}

/// Checks that the AWS files are readable, and that no other keys take precedence over Rolecall's profiles.
fn check_aws_files(findings: &mut Vec<Finding>) {
    let files = match profile::files() {
        Ok(files) => files,
        Err(problem) => return findings.push(Finding::fail(problem.message.clone(), problem.next_line())),
    };
    let profiles = match files.list() {
        Ok(profiles) => profiles,
        Err(error) => {
            let problem = Problem::from(&error);
            return findings.push(Finding::fail(problem.message.clone(), problem.next_line()));
        }
    };
    findings
        .push(Finding::ok(format!("The AWS files are readable. Rolecall's profiles: {}.", profiles.len())));
    for managed in &profiles {
        let name = &managed.name;
        let setting =
            |key: &str| managed.settings.iter().find(|(found, _)| found == key).map(|(_, value)| value);
        let line = setting("credential_process");
        let role = line.and_then(|line| profile::role_of_line(line));
        if let Ok(inspection) = files.inspect(name)
            && !inspection.shadowing.is_empty()
        {
            let role = role.as_ref().map_or_else(|| "ARN".to_owned(), role_options);
            for finding in inspection.shadowing {
                let place = format!("{}:{}", short_path(&finding.file), finding.line);
                findings.push(Finding::fail(
                    format!("Profile {name}: {} ({place}).", finding.what),
                    format!("rolecall profile write {name} --role-arn {role} --force"),
                ));
            }
            continue;
        }
        if let (Some(role), true) = (&role, cfg!(windows) && line.is_some_and(|line| line.contains('"'))) {
            findings.push(Finding::warn(
                format!(
                    "Profile {name}: there are quotes in its credential_process, which Terraform and other tools made \
                     with Go, .NET, PowerShell and older Rust cannot read."
                ),
                format!("rolecall profile write {name} --role-arn {}", role_options(role)),
            ));
        }
        let program =
            line.and_then(|line| shell::process_words(line)).and_then(|words| words.into_iter().next());
        if let (Some(program), Some(role)) = (program, role)
            && !platform::is_executable(Path::new(&program))
        {
            findings.push(Finding::fail(
                format!("Profile {name}: {program} is not a program that can be run."),
                format!("rolecall profile write {name} --role-arn {}", role_options(&role)),
            ));
        }
        if let Ok(profile) = SdkProfile::read(&files, name.as_str())
            && let Some(trap) = profile.shadowing()
        {
            findings.push(Finding::fail(
                format!("Profile {name}: {trap}."),
                format!("rolecall profile write {name} --force …"),
            ));
        }
    }
}

/// The role, formatted as the value of `--role-arn` and `--provider`.
fn role_options((arn, provider): &(RoleArn, Option<ProviderId>)) -> String {
    match provider {
        Some(provider) => format!("{arn} --provider {provider}"),
        None => arn.to_string(),
    }
}

/// Checks for variables that take precedence over every profile.
fn check_environment(findings: &mut Vec<Finding>) {
    if std::env::var_os("AWS_ACCESS_KEY_ID").is_some_and(|value| !value.is_empty()) {
        findings.push(Finding::warn(
            "AWS_ACCESS_KEY_ID is set: AWS tools use it instead of AWS_PROFILE.",
            "unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN",
        ));
    }
}
