//! The output of the demo. It has colours only on a terminal and without `NO_COLOR`.

use std::fmt::Write as _;
use std::io::{IsTerminal as _, Write as _};
use std::time::Instant;

use anstream::{print, println, stdout};
use anstyle::{AnsiColor, Style};
use anyhow::{Error, Result};

/// Prints the title and the introduction.
pub(crate) fn title(name: &str, text: &str) {
    println!("\n  {BOLD}{name}{BOLD:#}\n{}", indented(text, "  "));
}

/// Runs a step, and prints its result and duration.
pub(crate) async fn step<T>(name: &str, work: impl Future<Output = Result<T>>) -> Result<T> {
    let live = std::io::stdout().is_terminal();
    if live {
        print!("  {DIM}…{DIM:#} {name}");
        // If stdout cannot be flushed, the line appears later.
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

/// Prints a piece of text unchanged.
pub(crate) fn block(name: &str, text: &str) {
    println!("    {DIM}{name}:{DIM:#}\n{}", indented(text, "      "));
}

/// Prints a remark between steps.
pub(crate) fn aside(text: &str) {
    println!("{}", indented(text, "  "));
}

/// Prints the end of the demo and the next steps.
pub(crate) fn end(text: &str, next: &str, started: Instant) {
    let took = started.elapsed().as_secs_f32();
    println!(
        "  {GOOD}{text}{GOOD:#}  {DIM}{took:.1} s in total{DIM:#}\n\n  {BOLD}Next steps{BOLD:#}\n{}",
        indented(next, "  ")
    );
}

/// Prints why the demo ended early.
pub(crate) fn failure(error: &Error) {
    anstream::eprintln!("\n  {BAD}The demo failed:{BAD:#} {error}");
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
