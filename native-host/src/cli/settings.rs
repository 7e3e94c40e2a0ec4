//! `rolecall settings`: shows the settings in effect on this machine, and imports others.

use std::path::PathBuf;
use std::process::ExitCode;

use rolecall_core::settings::{Account, ClientSecret, Preferences, Provider, Role, Settings as Document};
use rolecall_core::{Code, Problem};
use serde::Serialize;
use toml::Table;

use crate::host_settings::{Loopbacks, ProviderLoopback};
use crate::import::OwnPart;
use crate::output::{self, BAD, DIM, Failure, GOOD, Outcome, WARN, short_path};
use crate::settings_files::{self, File, State};
use crate::{import, whole_file};

/// Show the settings of this machine, or import settings.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Settings {
    Show(Show),
    Import(Import),
}

/// Show the settings files and the settings that result from them.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: rolecall settings show --json")]
pub(crate) struct Show {
    /// Print the resulting settings as JSON.
    #[arg(long)]
    json: bool,
}

/// Add the settings of a file to yours: a config.yaml or [maws] file of the previous tool, or a settings file.
///
/// Settings that you already have are not changed.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: rolecall settings import ~/.federated_aws_cli/config.yaml")]
pub(crate) struct Import {
    /// The file.
    file: PathBuf,
    /// Show what would be added, and change nothing.
    #[arg(long)]
    dry_run: bool,
}

impl Settings {
    pub(crate) fn run(self) -> Outcome {
        match self {
            Self::Show(command) => command.run(),
            Self::Import(command) => command.run(),
        }
    }
}

impl Show {
    fn run(self) -> Outcome {
        let machine = settings_files::load_and_remember();
        let settings = &machine.reading.settings;
        let own = Table::new();
        let shown = whole(settings, &machine.host.providers, &own, Secrets::Hidden);
        if self.json {
            output::json(&shown)?;
        } else {
            machine.files.iter().try_for_each(show)?;
            if *settings != Document::default() {
                output::data("")?;
                output::data(text(&shown)?.trim_end())?;
            }
        }
        let problems = machine.effective().problems;
        problems.iter().for_each(output::warn);
        // A provider that is missing here may be in the browser's policy.
        let is_broken = problems.iter().any(|problem| problem.is(Code::SettingsInvalid));
        Ok(if is_broken { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    }
}

fn show(file: &File) -> Result<(), Failure> {
    let path = short_path(&file.path);
    match &file.state {
        State::Absent => output::data(format_args!("{DIM}absent{DIM:#}  {path}")),
        State::Read { unknown, .. } if unknown.is_empty() => {
            output::data(format_args!("{GOOD}in use{GOOD:#}  {path}"))
        }
        State::Read { unknown, .. } => output::data(format_args!(
            "{WARN}in use{WARN:#}  {path}, unknown keys ignored: {}",
            unknown.join(", ")
        )),
        State::Kept { copy, since } => {
            output::data(format_args!("{BAD}invalid{BAD:#}  {path}"))?;
            output::data(format_args!("{WARN}in use{WARN:#}  {}, the copy of {since}", short_path(copy)))
        }
        State::Lost => output::data(format_args!("{BAD}invalid{BAD:#}  {path}")),
    }
}

impl Import {
    fn run(self) -> Outcome {
        let path = settings_files::user_file().ok_or(crate::aws_files::Error::HomeMissing)?;
        let old = match std::fs::read_to_string(&path) {
            Ok(old) => old,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(failed(&path, &error)),
        };
        let (own, _) = Document::from_toml(&old)
            .map_err(|error| Problem::new(Code::SettingsInvalid, format!("{}: {error}", path.display())))?;
        let new = settings_files::missing(&own, import::read(&self.file)?);
        let OwnPart { loopbacks, tables } = import::own_part(&self.file, &old);
        if new == Document::default() && tables.is_empty() {
            output::note("Nothing to add: you already have these settings.");
            return Ok(ExitCode::SUCCESS);
        }
        let added = text(&whole(&new, &loopbacks, &tables, Secrets::Written))?;
        output::data(text(&whole(&new, &loopbacks, &tables, Secrets::Hidden))?.trim_end())?;
        if self.dry_run {
            output::note("Nothing was changed (--dry-run).");
            return Ok(ExitCode::SUCCESS);
        }
        let gap = if old.is_empty() { "" } else { "\n" };
        let whole = format!("{old}{gap}# From {}\n{added}", self.file.display().to_string().escape_debug());
        // Checks the text that would be written: two documents may contradict each other only when combined.
        Document::from_toml(&whole).map_err(|error| {
            Problem::new(Code::ImportFailed, format!("The settings contradict yours: {error}"))
        })?;
        whole_file::write(&path, &whole).map_err(|error| failed(&path, &error))?;
        output::note(format_args!("Added to {}", short_path(&path)));
        Ok(ExitCode::SUCCESS)
    }
}

/// What becomes of client secrets.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Secrets {
    /// They go into a file.
    Written,
    /// They are not shown: people pass on what they see.
    Hidden,
}

/// A document, with what this program alone reads of providers.
#[derive(Serialize)]
struct Whole<'a> {
    #[serde(flatten)]
    preferences: Preferences,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    provider: Vec<WholeProvider>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    role: &'a [Role],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    account: &'a [Account],
    /// This program's tables.
    #[serde(flatten)]
    own: &'a Table,
}

#[derive(Serialize)]
struct WholeProvider {
    #[serde(flatten)]
    provider: Provider,
    #[serde(skip_serializing_if = "Option::is_none")]
    loopback: Option<ProviderLoopback>,
}

fn whole<'a>(settings: &'a Document, loopbacks: &Loopbacks, own: &'a Table, secrets: Secrets) -> Whole<'a> {
    let treated = |secret: Option<ClientSecret>| match secrets {
        Secrets::Written => secret,
        Secrets::Hidden => secret.map(|_| ClientSecret::hidden()),
    };
    let provider = settings.provider.iter().cloned().map(|mut provider| {
        let mut loopback = loopbacks.get(provider.id.as_str()).cloned().flatten();
        provider.client_secret = treated(provider.client_secret.take());
        if let Some(loopback) = &mut loopback {
            loopback.client_secret = treated(loopback.client_secret.take());
        }
        WholeProvider { provider, loopback }
    });
    Whole {
        preferences: settings.preferences,
        provider: provider.collect(),
        role: &settings.role,
        account: &settings.account,
        own,
    }
}

fn text(settings: &Whole<'_>) -> Result<String, Failure> {
    toml::to_string(settings).map_err(|error| {
        Failure::caused_by(Problem::new(Code::Internal, "The settings cannot be shown."), &error)
    })
}

fn failed(path: &std::path::Path, error: &std::io::Error) -> Failure {
    Problem::new(Code::FileFailed, format!("{}: {error}.", path.display())).into()
}
