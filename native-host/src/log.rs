//! The log: off unless asked for, never on standard output, and without secrets.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::PathBuf;
use std::sync::Mutex;

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::output::{self, Printable};
use crate::platform;

/// Logs to a file if `ROLECALL_LOG` names a level: `error`, `warn`, `info`, `debug` or `trace`.
pub(crate) fn to_file() {
    let Some(level) = level() else { return };
    // A log that cannot be written must not stop the program.
    let Ok(file) = open() else { return };
    let layer = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(Mutex::new(Printable(file)));
    let _ = tracing_subscriber::registry().with(only_own(level)).with(layer).try_init();
}

/// Logs to standard error, at the level of `ROLECALL_LOG` or, with `--verbose`, at `debug`.
pub(crate) fn to_standard_error(verbose: bool) {
    let Some(level) = level().or_else(|| verbose.then_some(LevelFilter::DEBUG)) else { return };
    let layer = tracing_subscriber::fmt::layer()
        .with_ansi(false)
        .without_time()
        .with_writer(output::log_to_standard_error);
    let _ = tracing_subscriber::registry().with(only_own(level)).with(layer).try_init();
}

/// The host's log file: `$XDG_STATE_HOME/rolecall/host.log`, below `~/.local/state` by default.
pub(crate) fn path() -> Option<PathBuf> {
    Some(platform::state_home()?.join("rolecall").join("host.log"))
}

fn open() -> io::Result<fs::File> {
    let path = path().ok_or(io::ErrorKind::NotFound)?;
    if let Some(folder) = path.parent() {
        platform::make_private_folder(folder)?;
    }
    let file = OpenOptions::new().append(true).create(true).open(&path)?;
    platform::make_private(&path)?;
    Ok(file)
}

fn level() -> Option<LevelFilter> {
    std::env::var("ROLECALL_LOG").ok()?.parse().ok()
}

/// Excludes other crates, which may log what they send.
fn only_own(level: LevelFilter) -> Targets {
    Targets::new().with_target("rolecall_host", level)
}
