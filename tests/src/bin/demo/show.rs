//! What the demo prints. Colour only where a terminal shows it and `NO_COLOR` is not set.

use std::fmt::Write as _;
use std::io::{IsTerminal as _, Write as _};
use std::time::Instant;

use anstream::{print, println, stdout};
use anstyle::{AnsiColor, Style};
use anyhow::{Error, Result};

/// Opens.
pub(crate) fn title(name: &str, text: &str) {
    println!("\n  {BOLD}{name}{BOLD:#}\n{}", indented(text, "  "));
}

/// Does one thing, and says how it went and how long it took.
pub(crate) async fn step<T>(name: &str, work: impl Future<Output = Result<T>>) -> Result<T> {
    let live = std::io::stdout().is_terminal();
    if live {
        print!("  {DIM}…{DIM:#} {name}");
        // What cannot be shown early is shown late.
        let _ = stdout().flush();
    }
    let begun = Instant::now();
    let outcome = work.await;
    let took = begun.elapsed().as_secs_f32();
    let again = if live { "\r\x1b[2K" } else { "" };
    let mark = if outcome.is_ok() { format!("{GOOD}✓{GOOD:#}") } else { format!("{BAD}✗{BAD:#}") };
    println!("{again}  {mark} {name}  {DIM}{took:.1} s{DIM:#}");
    outcome
}

/// Asks the person to do something.
pub(crate) fn ask(text: &str) {
    println!("\n  {HINT}→{HINT:#} {BOLD}{text}{BOLD:#}");
}

/// Shows a piece of text as it is.
pub(crate) fn block(name: &str, text: &str) {
    println!("    {DIM}{name}:{DIM:#}\n{}", indented(text, "      "));
}

/// Says something beside the steps.
pub(crate) fn aside(text: &str) {
    println!("{}", indented(text, "  "));
}

/// Closes, with what to do next.
pub(crate) fn end(text: &str, next: &str, started: Instant) {
    let took = started.elapsed().as_secs_f32();
    println!(
        "  {GOOD}{text}{GOOD:#}  {DIM}{took:.1} s in all{DIM:#}\n\n  {BOLD}How to go on{BOLD:#}\n{}",
        indented(next, "  ")
    );
}

/// Says why it ended early.
pub(crate) fn failure(error: &Error) {
    anstream::eprintln!("\n  {BAD}The demo did not reach its end:{BAD:#} {error}");
    for cause in error.chain().skip(1) {
        anstream::eprintln!("{}", indented(&format!("because: {cause}"), "    "));
    }
}

fn indented(text: &str, by: &str) -> String {
    text.trim_end().lines().fold(String::new(), |mut lines, line| {
        // Writing to a String cannot fail.
        let _ = writeln!(lines, "{}", format!("{by}{line}").trim_end());
        lines
    })
}

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const GOOD: Style = AnsiColor::Green.on_default().bold();
const BAD: Style = AnsiColor::Red.on_default().bold();
const HINT: Style = AnsiColor::Cyan.on_default().bold();
