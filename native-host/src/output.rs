//! Output for people: data on standard output, everything else on standard error, errors in three parts.
//!
//! Everything that reaches a terminal passes through [`printable`]: clippy refuses every other way (`clippy.toml`).

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt::{self, Display};
use std::io::{self, IsTerminal as _, Write};
use std::path::Path;
use std::process::ExitCode;

use anstyle::{AnsiColor, Style};
use chrono::{DateTime, Utc};
use rolecall_core::{Code, Problem, text};
use zeroize::Zeroizing;

use crate::platform;

/// The result of a command.
pub(crate) type Outcome = Result<ExitCode, Failure>;

/// Why a command failed.
#[derive(Debug)]
pub(crate) struct Failure {
    problem: Problem,
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
        Self { problem, causes }
    }

    /// The same failure with another next step.
    pub(crate) fn next(self, step: impl AsRef<str>) -> Self {
        Self { problem: self.problem.with_next_step(step), ..self }
    }

    /// Prints the error and returns the exit code.
    pub(crate) fn tell(&self) -> ExitCode {
        let problem = &self.problem;
        let next = problem.next_line();
        let mut text = format!("{BAD}error[{}]:{BAD:#} {problem}\n", problem.code);
        for cause in &self.causes {
            let _ = fmt::Write::write_fmt(&mut text, format_args!("  caused by: {cause}\n"));
        }
        let _ = fmt::Write::write_fmt(&mut text, format_args!("{DIM}next:{DIM:#} {next}\n"));
        let _ = print_error(&text);
        exit_code(problem)
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self { problem, causes: Vec::new() }
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
    // It may be a secret.
    let line = Zeroizing::new(format!("{line}\n"));
    print(&line).map_err(|error| unwritten(&error))
}

/// Prints JSON data.
pub(crate) fn json(value: &impl serde::Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value).map_err(io::Error::other);
    // It may be a secret.
    let mut text = Zeroizing::new(text.map_err(|error| unwritten(&error))?);
    if let Cow::Owned(escaped) = escaped(&text) {
        text = Zeroizing::new(escaped);
    }
    text.push('\n');
    print(&text).map_err(|error| unwritten(&error))
}

/// Prints a message that is not data.
pub(crate) fn note(line: impl Display) {
    let _ = print_error(&format!("{line}\n"));
}

/// Prints a warning.
pub(crate) fn warn(line: impl Display) {
    note(format_args!("{WARN}warning:{WARN:#} {line}"));
}

/// Prints help, or what is wrong with the command's arguments.
pub(crate) fn usage(message: &clap::Error) {
    let text = message.render();
    let _ = if message.use_stderr() { print_error } else { print }(&text.ansi().to_string());
}

/// Whether a person sees what is printed here.
#[expect(clippy::disallowed_methods, reason = "nothing is written to it")]
pub(crate) fn is_seen() -> bool {
    io::stderr().is_terminal()
}

/// Whether a person can be asked here.
pub(crate) fn can_ask() -> bool {
    io::stdin().is_terminal() && is_seen()
}

/// Has the person at the terminal choose one of several lines, of which those are shown that `find` gives for what is typed, in its
/// order. `None` if none was chosen.
#[expect(clippy::disallowed_types, reason = "what it shows has been made printable")]
pub(crate) fn choose(prompt: &str, items: &[String], find: impl Fn(&str) -> Vec<usize>) -> Option<usize> {
    let items: Vec<_> = items.iter().map(|item| text::on_one_line(item, usize::MAX)).collect();
    // It is asked for each line, one after the other.
    let places = RefCell::new((None, HashMap::new()));
    let score = |typed: &str, _: &String, _: &str, item: usize| {
        let (query, places) = &mut *places.borrow_mut();
        if query.as_deref() != Some(typed) {
            *query = Some(typed.to_owned());
            *places = find(typed).into_iter().zip((0..).map(|place: i64| -place)).collect();
        }
        places.get(&item).copied()
    };
    let select = inquire::Select::new(prompt, items).with_scorer(&score).with_page_size(LINES);
    select.raw_prompt_skippable().ok().flatten().map(|chosen| chosen.index)
}

/// Has the person at the terminal say yes or no.
#[expect(clippy::disallowed_types, reason = "what it shows has been made printable")]
pub(crate) fn confirm(question: &str) -> bool {
    let question = text::on_one_line(question, usize::MAX);
    let answer = inquire::Confirm::new(&question).with_default(true).prompt_skippable();
    matches!(answer, Ok(Some(true)))
}

/// Standard error, for a log.
#[expect(clippy::disallowed_methods, reason = "what is written to it is made printable")]
pub(crate) fn log_to_standard_error() -> Printable<io::Stderr> {
    Printable(io::stderr())
}

/// A log whose events are made printable. Each of them is one write.
#[derive(Debug)]
pub(crate) struct Printable<W>(pub(crate) W);

impl<W: Write> Write for Printable<W> {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        self.0.write_all(text::on_lines(&String::from_utf8_lossy(event)).as_bytes())?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[expect(clippy::disallowed_methods, reason = "what is written to it is made printable")]
fn print(text: &str) -> io::Result<()> {
    let printable = printable(text);
    // Looking for styles where there are none would take longer than everything else for thousands of roles.
    let written = if printable.contains('\u{1b}') {
        anstream::stdout().lock().write_all(printable.as_bytes())
    } else {
        io::stdout().lock().write_all(printable.as_bytes())
    };
    // A reader such as `head` has seen what it wanted.
    written.or_else(|error| if error.kind() == io::ErrorKind::BrokenPipe { Ok(()) } else { Err(error) })
}

#[expect(clippy::disallowed_methods, reason = "what is written to it is made printable")]
fn print_error(text: &str) -> io::Result<()> {
    let text = printable(text);
    // In one write: a parallel run prints many of these at once.
    if anstream::AutoStream::choice(&io::stderr()) == anstream::ColorChoice::Never {
        let plain = anstream::adapter::strip_str(&text).to_string();
        return anstream::stderr().lock().write_all(plain.as_bytes());
    }
    anstream::stderr().lock().write_all(text.as_bytes())
}

/// The text without what cannot be shown, except this program's own styles.
fn printable(text: &str) -> Cow<'_, str> {
    let Some((first, styled)) = text.split_once('\u{1b}') else { return text::on_lines(text) };
    let mut printable = text::on_lines(first).into_owned();
    for part in styled.split('\u{1b}') {
        let style = part.strip_prefix('[').and_then(|part| part.split_once('m'));
        match style.filter(|(style, _)| STYLES.contains(style)) {
            Some((style, rest)) => printable.extend(["\u{1b}[", style, "m", &text::on_lines(rest)]),
            None => printable.extend(["\u{fffd}", &text::on_lines(part)]),
        }
    }
    printable.into()
}

/// JSON with what cannot be shown escaped: it means the same.
fn escaped(json: &str) -> Cow<'_, str> {
    if let Cow::Borrowed(json) = text::on_lines(json) {
        return json.into();
    }
    let mut escaped = String::new();
    let mut writing = text::Writing::default();
    for c in json.chars() {
        if writing.shown(c) == c {
            escaped.push(c);
        } else {
            writing = text::Writing::default();
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = fmt::Write::write_fmt(&mut escaped, format_args!("\\u{unit:04x}"));
            }
        }
    }
    escaped.into()
}

/// Prints rows in columns with headings.
pub(crate) fn table<const N: usize>(names: [&str; N], rows: &[[String; N]]) -> Result<(), Failure> {
    let mut widths = names.map(str::len);
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let add = |text: &mut String, cells: [&str; N]| {
        for (cell, width) in cells.into_iter().zip(widths) {
            text.push_str(cell);
            text.extend(std::iter::repeat_n(' ', width - cell.chars().count() + 2));
        }
        text.truncate(text.trim_end_matches(' ').len());
    };
    let mut head = String::new();
    add(&mut head, names);
    data(format_args!("{DIM}{head}{DIM:#}"))?;
    // In one write, for thousands of roles, and apart from what has a style.
    let mut text = String::new();
    for row in rows {
        if !text.is_empty() {
            text.push('\n');
        }
        add(&mut text, row.each_ref().map(String::as_str));
    }
    if text.is_empty() { Ok(()) } else { data(text) }
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

/// How many lines of a list are shown at once.
const LINES: usize = 12;

/// The styles in use (ECMA-48, SGR), by this program and by clap: none of them hides text.
const STYLES: [&str; 9] = ["0", "1", "2", "4", "31", "32", "33", "36", "1;4"];

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

    /// OSC 52 (writes the clipboard), CSI as one C1 character, an override of the writing direction, and hidden text.
    const HOSTILE: [&str; 4] =
        ["a\u{1b}]52;c;eA==\u{7}@b", "\u{9b}2Jgone", "a\u{202e}moc.b@", "\u{1b}[8mhidden\u{1b}[38;5;0m"];

    #[test]
    fn only_our_own_styles_and_text_without_controls_reach_a_terminal() {
        for text in HOSTILE {
            let line = format!("{BAD}error{BAD:#} {DIM}x{DIM:#} {GOOD}{text}{GOOD:#} {WARN}y{WARN:#}\n");
            let shown = printable(&line);
            let plain = anstream::adapter::strip_str(&shown).to_string();
            assert!(shown.contains(&format!("{BAD}error{BAD:#}")), "{shown:?}");
            assert_eq!(text::on_lines(&plain), plain, "{shown:?}");
            assert!(!shown.contains("[8m") || shown.contains("\u{fffd}[8m"), "{shown:?}");
        }
    }

    #[test]
    fn help_keeps_its_styles() {
        let command = clap::Command::new("x").styles(crate::cli::STYLES).arg(clap::arg!(--name <NAME> "it"));
        let help = command.clone().render_long_help().ansi().to_string();
        assert!(help.contains('\u{1b}'), "{help:?}");
        assert_eq!(printable(&help), help);
        let error = command.try_get_matches_from(["x", "--nane"]).unwrap_err().render().ansi().to_string();
        assert_eq!(printable(&error), error);
    }

    #[test]
    fn json_keeps_its_meaning_and_shows_nothing_that_cannot_be_shown() {
        for text in HOSTILE.into_iter().chain([
            "Zoë \u{e0041}",
            "می\u{200c}خواهم",
            "a\u{301}\u{301}\u{301}\u{301}\u{301}",
        ]) {
            let json = serde_json::to_string(text).unwrap();
            let json = escaped(&json);
            assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
            assert_eq!(text::on_lines(&json), json);
        }
    }

    #[test]
    fn a_log_is_made_printable() {
        let mut log = Vec::new();
        Printable(&mut log).write_all("a \u{9b}2J\u{1b}[2J b\n".as_bytes()).unwrap();
        assert_eq!(String::from_utf8(log).unwrap(), "a \u{fffd}2J\u{fffd}[2J b\n");
    }

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
