//! `rolecall profile`: AWS profiles that get their credentials from Rolecall.

use std::process::ExitCode;

use rolecall_core::aws::{Region, RoleArn};
use rolecall_core::settings::{Approve, CredentialsMode, ProfileName, Provider, ProviderId, Role, RoleKey};
use rolecall_core::{Code, Problem};
use serde::Serialize;

use crate::ask::Ask;
use crate::aws_files::{Applied, ManagedProfile, Mode, Operation, Options};
use crate::catalogues::Refresh;
use crate::output::{self, DIM, Failure, Outcome, short_path};
use crate::profile::RoleProfile;
use crate::roles::Known;
use crate::{profile, roles, settings_files};

/// Write, list and remove AWS profiles that get their credentials from Rolecall.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Profile {
    Write(Write),
    List(List),
    Remove(Remove),
    Sync(super::sync::Sync),
}

/// Write a profile for a role. Everything else in the AWS files stays as it is.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: rolecall profile write example-dev --role-arn arn:aws:iam::123456789012:role/developer --region eu-west-1"
)]
pub(crate) struct Write {
    /// The profile's name, as in aws --profile.
    profile: ProfileName,
    /// The role.
    #[arg(long, value_name = "ARN")]
    role_arn: RoleArn,
    /// The role's provider, if several have the role.
    #[arg(long, value_name = "ID")]
    provider: Option<ProviderId>,
    /// The profile's region; by default the role's in the settings.
    #[arg(long)]
    region: Option<Region>,
    /// How tools get the credentials: "process" asks the browser when they need them and stores no secret on disk,
    /// "file" writes the keys to the credentials file.
    #[arg(long, value_enum, default_value_t = WriteMode::Process)]
    mode: WriteMode,
    #[command(flatten)]
    change: Change,
    #[command(flatten)]
    ask: Ask,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum WriteMode {
    Process,
    File,
}

/// List the profiles that Rolecall wrote.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: rolecall profile list --json")]
pub(crate) struct List {
    /// Print JSON instead of a table.
    #[arg(long)]
    json: bool,
}

/// Remove a profile that Rolecall wrote. Lines that you added to it stay.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: rolecall profile remove example-dev")]
pub(crate) struct Remove {
    /// The profile's name.
    profile: ProfileName,
    #[command(flatten)]
    change: Change,
}

/// Options for changing the files.
#[derive(Debug, clap::Args)]
struct Change {
    /// Change the profile even if Rolecall did not write it; a backup is made first.
    #[arg(long)]
    force: bool,
    /// Show the changes, with secrets masked.
    #[arg(long)]
    diff: bool,
    /// Change nothing.
    #[arg(long)]
    dry_run: bool,
}

impl Profile {
    pub(crate) fn run(self) -> Outcome {
        match self {
            Self::Write(command) => command.run(),
            Self::List(command) => command.run(),
            Self::Remove(command) => command.run(),
            Self::Sync(command) => command.run(),
        }
    }
}

impl Write {
    fn run(self) -> Outcome {
        let known = Known::gather(Refresh::IfOld);
        let settings = &known.settings;
        let provider = match self.provider {
            Some(provider) => Ok(Some(provider)),
            None => roles::find_provider(&known, &self.role_arn),
        };
        // If the role's entry is invalid, its region would be a guess.
        let why_not = settings.why_not(&self.role_arn, provider.as_ref().ok().and_then(Option::as_ref));
        let why_not = provider
            .as_ref()
            .err()
            .or(why_not)
            .filter(|problem| self.region.is_none() || problem.is(Code::RoleAmbiguous));
        settings_files::tell(settings, why_not);
        if let Some(problem) = why_not {
            return Err(problem.clone().into());
        }
        let provider = provider.unwrap_or_default();
        let key = provider.clone().map(|provider| RoleKey { provider, arn: self.role_arn.clone() });
        let known = key.as_ref().and_then(|key| settings.role(key));
        // Every profile gets a region: a child process of a tool would have none otherwise.
        let region = self.region.or_else(|| known.and_then(|(role, _)| role.region.clone()));
        let region = region.unwrap_or_else(|| self.role_arn.partition().default_region());
        let (mode, credentials) = match self.mode {
            WriteMode::Process => (CredentialsMode::Process, None),
            WriteMode::File => {
                let key = key.ok_or_else(|| roles::unknown_arn(&self.role_arn))?;
                let is_free = |(role, provider): (&Role, &Provider)| role.approve(provider) == Approve::Never;
                if !known.is_none_or(is_free) {
                    return Err(not_for_a_file(&key.arn));
                }
                let (credentials, may_keep) = self.ask.source().credentials_for_file(&key)?;
                if !may_keep {
                    return Err(not_for_a_file(&key.arn));
                }
                (CredentialsMode::File, Some(credentials))
            }
        };
        let wanted = RoleProfile {
            name: &self.profile,
            role: &self.role_arn,
            provider: provider.as_ref(),
            region: Some(&region),
            endpoint_url: known.and_then(|(_, provider)| provider.endpoint_url.as_ref()),
            mode,
            credentials: credentials.as_ref(),
        };
        let operation = Operation::Set(wanted.to_new_profile()?);
        let done =
            format!("Wrote the profile {}. Try it: aws sts get-caller-identity --profile {0}", self.profile);
        change(&operation, &self.change, &done)
    }
}

fn not_for_a_file(role: &RoleArn) -> Failure {
    let message =
        format!("The role {role} has to be approved, and every program can read what is in a file.");
    let problem = Problem::new(Code::ApprovalNeeded, message);
    Failure::from(problem).next("Write the profile without --mode file.")
}

impl Remove {
    fn run(self) -> Outcome {
        let operation = Operation::Remove(self.profile.clone());
        let done = format!("Removed the profile {}.", self.profile);
        change(&operation, &self.change, &done)
    }
}

fn change(operation: &Operation, change: &Change, done: &str) -> Outcome {
    let files = profile::files()?;
    let options = Options { force: change.force, ..Options::default() };
    let Applied { plan, backups, made_private } = if change.dry_run {
        Applied { plan: files.plan(operation, &options)?, backups: Vec::new(), made_private: false }
    } else {
        files.apply(operation, &options)?
    };
    if change.diff || change.dry_run {
        output::data(plan.diff().trim_end())?;
    }
    for note in plan.notes() {
        output::warn(format_args!("{}: {}", short_path(&note.file), note.message));
    }
    if made_private {
        let file = short_path(files.credentials());
        output::note(format_args!("Other users of this computer could read {file}. Now only you can."));
    }
    for backup in backups {
        output::note(format_args!("The previous version is in {}", short_path(&backup)));
    }
    if change.dry_run {
        output::note("Nothing was changed (--dry-run).");
    } else if plan.is_empty() {
        output::note("Nothing to change: the profile is up to date.");
    } else {
        output::note(done);
    }
    Ok(ExitCode::SUCCESS)
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Listed {
    profile: String,
    mode: Mode,
    role: Option<RoleArn>,
    provider: Option<ProviderId>,
    region: Option<String>,
    file: String,
    expires: Option<String>,
}

impl From<ManagedProfile> for Listed {
    fn from(profile: ManagedProfile) -> Self {
        let setting = |name: &str| {
            let found = profile.settings.iter().find(|(key, _)| key == name);
            found.map(|(_, value)| value.clone())
        };
        let role = setting("credential_process").and_then(|line| profile::role_of_line(&line));
        let (role, provider) = role.map_or((None, None), |(role, provider)| (Some(role), provider));
        Self {
            role,
            provider,
            region: setting("region"),
            profile: profile.name.to_string(),
            mode: profile.mode,
            file: profile.file.display().to_string(),
            expires: profile.expires,
        }
    }
}

impl List {
    fn run(self) -> Outcome {
        let profiles: Vec<Listed> = profile::files()?.list()?.into_iter().map(Listed::from).collect();
        if self.json {
            output::json(&profiles)?;
            return Ok(ExitCode::SUCCESS);
        }
        if profiles.is_empty() {
            output::note(format_args!(
                "Rolecall has written no profiles yet. {DIM}Write one: rolecall profile write --help{DIM:#}"
            ));
            return Ok(ExitCode::SUCCESS);
        }
        let row = |profile: Listed| {
            let mode = match profile.mode {
                Mode::Process => "process".to_owned(),
                Mode::File => format!("file until {}", profile.expires.as_deref().unwrap_or("?")),
            };
            let role = profile.role.map_or_else(|| "-".to_owned(), |role| role.to_string());
            [profile.profile, role, profile.region.unwrap_or_else(|| "-".to_owned()), mode]
        };
        let rows: Vec<_> = profiles.into_iter().map(row).collect();
        output::table(["PROFILE", "ROLE", "REGION", "CREDENTIALS"], &rows)?;
        Ok(ExitCode::SUCCESS)
    }
}
