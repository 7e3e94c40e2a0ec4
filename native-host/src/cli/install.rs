//! `rolecall install` and `uninstall`: registers the host program with browsers.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use rolecall_core::{Code, Problem};

use crate::browsers::{self, BROWSERS, Browser, Family};
use crate::output::{self, Failure, Outcome, short_path};
use crate::{platform, profile, settings_files, whole_file};

/// Register the host program with your browsers, so that the extension can start it.
///
/// Writes a native messaging manifest for every browser found. Run it again after moving the program.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  rolecall install\n  rolecall install --browser chromium --user-data-dir /tmp/profile\n  sudo rolecall install --system"
)]
pub(crate) struct Install {
    #[command(flatten)]
    target: Target,
    /// The program that the browser starts; by default this one.
    #[arg(long, value_name = "PATH")]
    host_path: Option<PathBuf>,
    /// Another extension that may start it, such as your own build. Can be repeated.
    #[arg(long, value_name = "ID")]
    extension_id: Vec<String>,
}

/// Remove what `install` wrote.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: rolecall uninstall")]
pub(crate) struct Uninstall {
    #[command(flatten)]
    target: Target,
}

#[derive(Debug, clap::Args)]
struct Target {
    /// Only this browser.
    #[arg(long, value_name = "NAME", value_parser = browser())]
    browser: Option<&'static Browser>,
    /// The browser's user data folder, as in Chromium's option of the same name.
    #[arg(long, value_name = "DIR", requires = "browser")]
    user_data_dir: Option<PathBuf>,
    /// For all users of this machine (Linux; usually needs root).
    #[arg(long, conflicts_with = "user_data_dir")]
    system: bool,
}

/// A manifest to write or remove.
struct Manifest {
    browser: &'static Browser,
    path: PathBuf,
    /// Whether the browser looks there by default.
    usual: bool,
}

impl Install {
    pub(crate) fn run(self) -> Outcome {
        let home = home()?;
        let host = match &self.host_path {
            Some(path) => std::path::absolute(path).map_err(|error| failed("find", path, &error))?,
            None => profile::own_path()?,
        };
        if !platform::is_executable(&host) {
            let message = format!("{} is not a program that can be run.", host.display());
            return Err(Failure::from(Problem::new(Code::FileFailed, message)));
        }
        if self.target.system {
            let part = platform::changeable_part(&host).map_err(|error| failed("look at", &host, error))?;
            if let Some(part) = part {
                let message = format!(
                    "Users other than the administrator can change {}, and every user's browser would run it.",
                    part.display()
                );
                let problem = Problem::new(Code::FileFailed, message);
                return Err(Failure::from(problem).next(
                    "Install the program where only the administrator can change it, such as /usr/local/bin.",
                ));
            }
        }
        let places = self.target.places(&home, |browser| browser.is_found(&home))?;
        if places.is_empty() {
            let names = browsers::names().collect::<Vec<_>>().join(", ");
            let problem = Problem::new(Code::BrowserUnknown, "No browser was found for this user.");
            return Err(
                Failure::from(problem).next(format!("Name one: rolecall install --browser NAME ({names})"))
            );
        }
        let settings = settings_files::load_and_remember();
        settings_files::tell(&settings.effective(), None);
        let mut extensions = settings.host.allowed_extensions;
        extensions.extend(self.extension_id);
        for place in places {
            let text = browsers::manifest(place.browser.family, &host, &extensions)
                .ok_or_else(|| failed("name", &host, "the path is not Unicode text"))?;
            let written = whole_file::write(&place.path, &text)
                .map_err(|error| failed("write", &place.path, &error))?;
            if place.usual {
                place
                    .browser
                    .register(&place.path)
                    .map_err(|error| failed("register", &place.path, &error))?;
            }
            let what = if written { "wrote" } else { "up to date:" };
            output::data(format_args!("{}: {what} {}", place.browser.label, short_path(&place.path)))?;
        }
        browsers::sandboxes(&home).for_each(|sandbox| output::warn(sandbox.advice));
        Ok(ExitCode::SUCCESS)
    }
}

impl Uninstall {
    pub(crate) fn run(self) -> Outcome {
        let home = home()?;
        let mut removed = false;
        for place in self.target.places(&home, |_| true)? {
            if place.usual {
                place.browser.unregister().map_err(|error| failed("unregister", &place.path, &error))?;
            }
            match std::fs::remove_file(&place.path) {
                Ok(()) => {
                    removed = true;
                    output::data(format_args!(
                        "{}: removed {}",
                        place.browser.label,
                        short_path(&place.path)
                    ))?;
                }
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => return Err(failed("remove", &place.path, &error)),
            }
        }
        if !removed {
            output::note("Nothing was installed.");
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl Target {
    fn places(&self, home: &Path, wanted: impl Fn(&Browser) -> bool) -> Result<Vec<Manifest>, Failure> {
        let usual =
            |browser: &'static Browser| Manifest { browser, path: browser.manifest_path(home), usual: true };
        if self.system {
            return self.system_places();
        }
        match (self.browser, &self.user_data_dir) {
            (Some(browser), Some(_)) if browser.family == Family::Firefox => {
                let problem =
                    Problem::new(Code::BrowserUnknown, "Firefox uses one manifest for all profiles.");
                Err(Failure::from(problem).next("Run the command again without --user-data-dir."))
            }
            (Some(browser), Some(folder)) => {
                let folder = std::path::absolute(folder).map_err(|error| failed("find", folder, &error))?;
                Ok(vec![Manifest { browser, path: browsers::manifest_path_in(&folder), usual: false }])
            }
            (Some(browser), None) => Ok(vec![usual(browser)]),
            (None, _) => Ok(BROWSERS.iter().filter(|browser| wanted(browser)).map(usual).collect()),
        }
    }
}

impl Target {
    fn system_places(&self) -> Result<Vec<Manifest>, Failure> {
        let asked = BROWSERS.iter().filter(|browser| self.browser.is_none_or(|one| one.name == browser.name));
        let place = |browser: &'static Browser| {
            Some(Manifest { browser, path: browser.system_manifest_path()?, usual: false })
        };
        let places: Vec<_> = asked.filter_map(place).collect();
        if places.is_empty() {
            let message = "This browser has no known folder for all users of the machine.";
            let problem = Problem::new(Code::BrowserUnknown, message);
            return Err(Failure::from(problem).next("Run the command without --system, once for each user."));
        }
        Ok(places)
    }
}

fn browser() -> impl TypedValueParser<Value = &'static Browser> {
    PossibleValuesParser::new(browsers::names())
        .try_map(|name| Browser::named(&name).ok_or("unknown browser"))
}

fn home() -> Result<PathBuf, Failure> {
    platform::home().ok_or_else(|| crate::aws_files::Error::HomeMissing.into())
}

fn failed(action: &str, path: &Path, error: impl std::fmt::Display) -> Failure {
    Problem::new(Code::FileFailed, format!("Could not {action} {}: {error}.", path.display())).into()
}
