//! Progress of steps: what runs, for how long, and how it ended. Several steps may run at once. Progress goes to
//! stderr, a tool's output to a log whose end is shown only if the tool fails.

use std::env;
use std::fs::{self, File};
use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::repo;

/// A running step. Dropping it without [`Step::ok`] marks it as failed.
pub(crate) struct Step {
    name: String,
    started: Instant,
    ticker: Option<(Sender<()>, JoinHandle<()>)>,
}

impl Step {
    /// Announces a step and keeps showing its duration.
    pub(crate) fn start(name: &str) -> Self {
        let started = Instant::now();
        let (stop, stopped) = mpsc::channel();
        let shown = name.to_owned();
        under_way().push((shown.clone(), started));
        let ticker = thread::spawn(move || {
            let mut pause = if is_live() { Duration::ZERO } else { FIRST_NOTICE };
            while stopped.recv_timeout(pause) == Err(RecvTimeoutError::Timeout) {
                let steps = under_way();
                if is_live() {
                    show_status(&steps);
                    pause = REDRAW;
                } else {
                    eprintln!("... {shown} ({} s so far)", started.elapsed().as_secs());
                    pause = NEXT_NOTICE;
                }
            }
        });
        Self { name: name.to_owned(), started, ticker: Some((stop, ticker)) }
    }

    /// Ends the step successfully; `note` is an optional remark.
    pub(crate) fn ok(mut self, note: &str) {
        self.end("ok", GREEN, note);
    }

    fn end(&mut self, word: &str, color: &str, note: &str) {
        if let Some((stop, ticker)) = self.ticker.take() {
            drop(stop);
            let _ = ticker.join();
            let mut steps = under_way();
            steps.retain(|(name, started)| (name, started) != (&self.name, &self.started));
            let seconds = self.started.elapsed().as_secs_f32();
            let gap = if note.is_empty() { "" } else { ": " };
            let (word, seconds) = (paint(word, color), paint(&format!("{seconds:.1} s"), DIM));
            print(&steps, &format!(" {word} {}{gap}{note} {seconds}", self.name));
        }
    }
}

impl Drop for Step {
    fn drop(&mut self) {
        self.end("failed", RED, "");
    }
}

/// The running steps, oldest first. Only the holder of the lock prints.
fn under_way() -> MutexGuard<'static, Vec<(String, Instant)>> {
    static STEPS: Mutex<Vec<(String, Instant)>> = Mutex::new(Vec::new());
    STEPS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Prints complete lines above the status line.
fn print(steps: &[(String, Instant)], text: &str) {
    eprintln!("{}{text}", if is_live() { "\r\x1b[2K" } else { "" });
    if is_live() && !steps.is_empty() {
        show_status(steps);
    }
}

fn show_status(steps: &[(String, Instant)]) {
    let show = |(name, started): &(String, Instant)| format!("{name} {} s", started.elapsed().as_secs());
    let line = steps.iter().map(show).collect::<Vec<_>>().join(", ");
    // A line that the terminal wraps could not be cleared.
    let columns = env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok()).unwrap_or(80);
    let line: String = line.chars().take(usize::max(columns, 20) - 4).collect();
    eprint!("\r\x1b[2K {} {line}", paint("…", DIM));
    let _ = std::io::stderr().flush();
}

/// Prints complete lines between the lines of steps.
pub(crate) fn say(text: &str) {
    print(&under_way(), text);
}

/// Runs a command as a step; its output goes to the log of that name.
pub(crate) fn run(name: &str, command: &mut Command) -> Result<()> {
    let step = Step::start(name);
    logged(name, command)?;
    step.ok("");
    Ok(())
}

/// Runs a command within a running step; its output goes to the log `name`.
pub(crate) fn logged(name: &str, command: &mut Command) -> Result<()> {
    let finished = observed(name, command)?;
    if finished.success {
        return Ok(());
    }
    bail!("{}", finished.explain(name))
}

/// The result of a command.
pub(crate) struct Finished {
    /// Whether it exited with status 0.
    pub(crate) success: bool,
    /// Its output.
    pub(crate) output: String,
    /// The log that contains it.
    pub(crate) log: PathBuf,
}

impl Finished {
    /// The end of the output, and the path of the log.
    pub(crate) fn explain(&self, name: &str) -> String {
        let lines: Vec<_> = self.output.lines().collect();
        let tail = lines.get(lines.len().saturating_sub(TAIL)..).unwrap_or_default().join("\n");
        format!("{name} failed. The end of {}:\n{tail}", self.log.display())
    }
}

/// Runs a command and returns its result, whatever it was; an error only means that it could not run.
pub(crate) fn observed(name: &str, command: &mut Command) -> Result<Finished> {
    observed_all(name, [command])
}

/// Runs commands one after the other, even after a failure, and returns their combined result.
pub(crate) fn observed_all<'a>(
    name: &str,
    commands: impl IntoIterator<Item = &'a mut Command>,
) -> Result<Finished> {
    let log = repo::target("logs").join(format!("{}.log", slug(name)));
    repo::create_parent(&log)?;
    let file = File::create(&log).with_context(|| format!("cannot create {}", log.display()))?;
    let mut success = true;
    for command in commands {
        let share = || file.try_clone().context("cannot share the log");
        let program = command.get_program().to_string_lossy().into_owned();
        command.stdin(Stdio::null()).stdout(share()?).stderr(share()?);
        success &= command.status().with_context(|| format!("cannot run {program}"))?.success();
    }
    let output = String::from_utf8_lossy(&fs::read(&log).context("cannot read the log")?).into_owned();
    Ok(Finished { success, output, log })
}

/// Prints a remark.
pub(crate) fn note(text: &str) {
    say(&format!(" {} {text}", paint("note", DIM)));
}

fn slug(name: &str) -> String {
    name.to_lowercase().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect()
}

fn is_live() -> bool {
    std::io::stderr().is_terminal() && env::var_os("TERM").is_none_or(|term| term != "dumb")
}

fn paint(text: &str, color: &str) -> String {
    let wanted = is_live() && env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    if wanted { format!("\x1b[{color}m{text}\x1b[0m") } else { text.to_owned() }
}

/// How many lines of a failed tool's output are shown.
const TAIL: usize = 60;

/// Without a terminal, a step is announced only once it takes long, and then at intervals.
const FIRST_NOTICE: Duration = Duration::from_secs(5);
const NEXT_NOTICE: Duration = Duration::from_mins(1);
const REDRAW: Duration = Duration::from_millis(250);

const DIM: &str = "2";
const GREEN: &str = "32";
const RED: &str = "31";
