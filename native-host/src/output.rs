//! Output for people: data on standard output, everything else on standard error, errors in three parts.

use std::fmt::{self, Display};
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use anstyle::{AnsiColor, Style};
use chrono::{DateTime, Utc};
use rolecall_core::{Code, Problem};

use crate::platform;

/// The result of a command.
pub(crate) type Outcome = Result<ExitCode, Failure>;

/// Why a command failed.
#[derive(Debug)]
pub(crate) struct Failure {
    problem: Box<Problem>,
    causes: Vec<String>,
}

impl Failure {
    /// A failure and its cause.
    pub(crate) fn caused_by(problem: Problem, cause: &dyn std::error::Error) -> Self {
        let mut causes = vec![cause.to_string()];
        let mut cause = cause.source();
        while let Some(next) = cause {
            causes.push(next.to_string());
            cause = next.source();
        }
        Self { problem: Box::new(problem), causes }
    }

    /// The same failure with another next step.
    pub(crate) fn next(self, step: impl Into<String>) -> Self {
        Self { problem: Box::new(self.problem.with_next_step(step)), ..self }
    }

    /// Prints the error and returns the exit code.
    pub(crate) fn tell(&self) -> ExitCode {
        let Problem { code, message, .. } = &*self.problem;
        let next = self.problem.next_line();
        let mut text = format!("{BAD}error[{code}]:{BAD:#} {message}\n");
        for cause in &self.causes {
            let _ = fmt::Write::write_fmt(&mut text, format_args!("  caused by: {cause}\n"));
        }
        let _ = fmt::Write::write_fmt(&mut text, format_args!("{DIM}next:{DIM:#} {next}\n"));
        // In one write: a parallel run prints many of these at once.
        if anstream::AutoStream::choice(&io::stderr()) == anstream::ColorChoice::Never {
            text = anstream::adapter::strip_str(&text).to_string();
        }
        let _ = anstream::stderr().lock().write_all(text.as_bytes());
        exit_code(&self.problem)
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self { problem: Box::new(problem), causes: Vec::new() }
    }
}

impl From<crate::aws_files::Error> for Failure {
    fn from(error: crate::aws_files::Error) -> Self {
        Problem::from(&error).into()
    }
}

impl From<rolecall_core::Error> for Failure {
    fn from(error: rolecall_core::Error) -> Self {
        Problem::from(error).into()
    }
}

/// The exit codes, as shown by every `--help`.
pub(crate) const EXIT_CODES: &str = "Exit status: 0 success, 1 failure, 2 wrong usage, 3 a person has to sign in or refused, \
                                     4 no browser with the extension is running.";

fn exit_code(problem: &Problem) -> ExitCode {
    let is = |codes: &[Code]| codes.iter().any(|code| problem.is(*code));
    if is(&[
        Code::SignInNeeded,
        Code::SignInCancelled,
        Code::ApprovalNeeded,
        Code::ApprovalRefused,
        Code::SignInTimedOut,
        Code::AccessDeniedByProvider,
        Code::AgentTimedOut,
    ]) {
        ExitCode::from(3)
    } else if is(&[Code::AgentUnavailable]) {
        ExitCode::from(4)
    } else {
        ExitCode::FAILURE
    }
}

/// Writes a line of data.
pub(crate) fn data(line: impl Display) -> Result<(), Failure> {
    writeln!(anstream::stdout().lock(), "{line}").map_err(|error| unwritten(&error))
}

/// Prints JSON data.
pub(crate) fn json(value: &impl serde::Serialize) -> Result<(), Failure> {
    let text =
        serde_json::to_string_pretty(value).map_err(io::Error::other).map_err(|error| unwritten(&error))?;
    data(text)
}

/// Prints a message that is not data.
pub(crate) fn note(line: impl Display) {
    let _ = writeln!(anstream::stderr().lock(), "{line}");
}

/// Prints a warning.
pub(crate) fn warn(line: impl Display) {
    let _ = writeln!(anstream::stderr().lock(), "{WARN}warning:{WARN:#} {line}");
}

/// Prints rows in columns with headings.
pub(crate) fn table<const N: usize>(names: [&str; N], rows: &[[String; N]]) -> Result<(), Failure> {
    let mut widths = names.map(str::len);
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |cells: &[&str]| {
        let cells = cells.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    let head = format!("{DIM}{}{DIM:#}", line(&names));
    let rows = rows.iter().map(|row| line(&row.each_ref().map(String::as_str)));
    // In one write, for thousands of roles.
    data(std::iter::once(head).chain(rows).collect::<Vec<_>>().join("\n"))
}

/// The time left, for display.
pub(crate) fn time_left(expiration: Option<DateTime<Utc>>, now: DateTime<Utc>) -> String {
    let Some(left) = expiration.map(|expiration| expiration - now) else { return "-".to_owned() };
    match (left.num_hours(), left.num_minutes()) {
        (_, minutes) if left.num_seconds() <= 0 || minutes < 0 => "expired".to_owned(),
        (_, 0) => "<1m".to_owned(),
        (0, minutes) => format!("{minutes}m"),
        (hours, minutes) => format!("{hours}h {:02}m", minutes - hours * 60),
    }
}

/// A path with `~` for the home folder.
pub(crate) fn short_path(path: &Path) -> String {
    match platform::home().and_then(|home| path.strip_prefix(home).map(Path::to_owned).ok()) {
        Some(rest) => Path::new("~").join(rest).display().to_string(),
        None => path.display().to_string(),
    }
}

fn unwritten(error: &io::Error) -> Failure {
    Failure::caused_by(Problem::new(Code::Internal, "The output could not be written."), error)
}

/// Success.
pub(crate) const GOOD: Style = AnsiColor::Green.on_default().bold();
/// A warning.
pub(crate) const WARN: Style = AnsiColor::Yellow.on_default().bold();
/// An error.
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
/// Less important text.
pub(crate) const DIM: Style = Style::new().dimmed();

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    #[test]
    fn time_left_is_shown_in_hours_and_minutes() {
        let now = Utc::now();
        let left = |seconds| time_left(Some(now + TimeDelta::seconds(seconds)), now);
        assert_eq!(left(-1), "expired");
        assert_eq!(left(0), "expired");
        assert_eq!(left(59), "<1m");
        assert_eq!(left(59 * 60 + 59), "59m");
        assert_eq!(left(3600), "1h 00m");
        assert_eq!(left(43_200), "12h 00m");
        assert_eq!(time_left(None, now), "-");
    }
}
