//! `cargo xtask test`: runs every check and test, and prints how many passed.

use std::env;
use std::num::NonZero;
use std::process::Command;
use std::thread;

use anyhow::{Result, bail};
use clap::ValueEnum;
use serde_json::json;

use crate::bench::size;
use crate::extension::{Browser, Choice, Profile};
use crate::fixtures::Fixtures;
use crate::step::{self, Finished, Step};
use crate::tools::{
    apt, chromium, find, firefox, node_packages, python, wasm_opt, wasm_target, web_ext, wine,
};
use crate::{build, crates, join, package, repo, targets, windows};

/// Which tests to run.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Run only the tests whose name contains this, and skip the formatting and lint checks
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
    /// Run only this kind of test
    #[arg(long, value_enum)]
    only: Option<Kind>,
    /// The browsers to test in
    #[arg(long, value_enum, default_value = "all")]
    browser: Choice,
}

/// A kind of test.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// Formatting, lints and the tests that need no other programs
    Unit,
    /// Types and lints of the native host on Windows and macOS
    Targets,
    /// The native host's tests for Windows, in Wine
    Windows,
    /// Packages built in two folders must be the same, byte for byte
    Packages,
    /// The tests that run as WebAssembly in a headless browser
    Wasm,
    /// The tests that drive the built product in a real browser
    E2e,
}

/// Runs the command.
///
/// Downloads, linking and single-threaded work run in parallel with the rest. The end-to-end tests do not: they time a
/// real browser.
pub(crate) fn run(args: &Args) -> Result<()> {
    let wanted = |kind| args.only.is_none_or(|only| only == kind);
    let mut total = thread::scope(|scope| {
        if args.only.is_none() {
            scope.spawn(fetch_tools);
        }
        let code = scope.spawn(|| {
            let mut total = Count::default();
            if wanted(Kind::Unit) {
                total += unit(args)?;
            }
            if wanted(Kind::Targets) && args.filter.is_none() {
                total += check("check the host for Windows and macOS", &mut targets::check()?)?;
            }
            if wanted(Kind::Windows) {
                total += windows(args)?;
            }
            anyhow::Ok(total)
        });
        let product = scope.spawn(|| {
            let mut total = Count::default();
            if wanted(Kind::Packages) && args.filter.is_none() {
                total += packages();
            }
            if wanted(Kind::Wasm) {
                total += wasm(args)?;
            }
            anyhow::Ok(total)
        });
        let mut total = join(code)?;
        total += join(product)?;
        anyhow::Ok(total)
    })?;
    if wanted(Kind::E2e) {
        total += end_to_end(args)?;
    }
    println!("{} passed, {} failed", total.passed, total.failed);
    if total.failed > 0 {
        bail!("some checks or tests failed");
    }
    Ok(())
}

/// Fetches what the tests will need, while other things are compiled. A test that then misses a tool tries again and
/// reports the error.
fn fetch_tools() {
    let _ = outside_programs();
    let _ = wasm_target::ready();
    let _ = wasm_target::ready_for_release();
    let _ = python::ready();
    let _ = wasm_opt::ready();
    let _ = targets::ready();
    if let Ok(None) = windows::unavailable() {
        let _ = wine::install();
    }
    let _ = chromium::ready();
    let _ = firefox::ready();
    let _ = node_packages::ready();
    let _ = web_ext::ready();
}

fn unit(args: &Args) -> Result<Count> {
    let mut total = Count::default();
    if args.filter.is_none() {
        total += check("check the formatting", repo::cargo().args(["fmt", "--all", "--check"]))?;
        let lints = ["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"];
        total += check("check for lints", repo::cargo().args(lints))?;
    }
    outside_programs()?;
    let python = python::ready()?;
    let test = |targets: &[&str]| {
        let mut cargo = workspace_tests(targets);
        cargo.env("ROLECALL_TEST_PYTHON", &python);
        cargo
    };
    let mut targets = vec!["--lib", "--bins"];
    let tests = crates::integration_tests()?;
    targets.extend(tests.iter().filter(|name| *name != E2E).flat_map(|name| ["--test", name]));
    total += run_tests("unit tests", vec![test(&targets), test(&["--doc"])], args)?;
    Ok(total)
}

/// A command that runs tests of the workspace. The workspace is always compiled as a whole, so that what the tests
/// share is compiled once.
fn workspace_tests(targets: &[&str]) -> Command {
    let mut cargo = repo::cargo();
    cargo.args(["test", "--workspace", "--no-fail-fast"]).args(targets);
    cargo
}

/// Real programs that unit tests need: shells that read the printed commands, strace, which kills the writer of the AWS
/// files at every system call, and a keyring on a session bus.
fn outside_programs() -> Result<()> {
    if !cfg!(target_os = "linux") {
        return Ok(());
    }
    let programs = [
        ("strace", "strace"),
        ("zsh", "zsh"),
        ("fish", "fish"),
        ("dbus-run-session", "dbus"),
        ("gnome-keyring-daemon", "gnome-keyring"),
    ];
    let is_missing = |(program, package)| find(&[program]).is_none().then_some(package);
    let missing: Vec<_> = programs.into_iter().filter_map(is_missing).collect();
    if missing.is_empty() {
        return Ok(());
    }
    apt::install(&missing, "run every unit test", &missing.join(", "))
}

fn windows(args: &Args) -> Result<Count> {
    if let Some(reason) = windows::unavailable()? {
        step::note(&reason);
        return Ok(Count::default());
    }
    let (cargo, _windows) = windows::tests()?;
    run_tests("tests in Wine", vec![cargo], args)
}

fn packages() -> Count {
    match package::prove() {
        Ok(()) => Count { passed: 1, failed: 0 },
        Err(error) => {
            step::say(&format!("{error:#}"));
            Count { passed: 0, failed: 1 }
        }
    }
}

fn wasm(args: &Args) -> Result<Count> {
    let target = wasm_target::ready()?;
    let mut total = Count::default();
    if args.filter.is_none() {
        let mut benches = target.cargo("check");
        benches.args(["--package", "rolecall-core", "--benches"]);
        total += check("check the benches for WebAssembly", &mut benches)?;
    }
    for browser in args.browser.browsers() {
        let mut cargo = target.cargo("test");
        in_browser(*browser, &mut cargo)?;
        total += wasm_in(*browser, cargo, args)?;
    }
    Ok(total)
}

/// Runs cargo so that WebAssembly binaries run in a browser.
pub(crate) fn in_browser(browser: Browser, cargo: &mut Command) -> Result<()> {
    let runner = ["build", "--workspace", "--features", "xtask/wasm-tests", "--bin", "wasm-test-runner"];
    step::run("build the WebAssembly test runner", repo::cargo().args(runner))?;
    let runner = repo::target("debug/wasm-test-runner").with_extension(env::consts::EXE_EXTENSION);
    cargo.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER", runner);
    let capabilities = match browser {
        Browser::Chromium => {
            cargo.env("CHROMEDRIVER", chromium::ready()?.driver);
            repo::path("xtask/webdriver.json")
        }
        Browser::Firefox => {
            let firefox = firefox::ready()?;
            cargo.env("GECKODRIVER", firefox.driver).env("GECKODRIVER_ARGS", "--websocket-port=0");
            let capabilities = json!({ "moz:firefoxOptions": { "binary": firefox.browser } });
            let file = repo::target("tools/webdriver-firefox.json");
            repo::write(&file, capabilities.to_string())?;
            file
        }
    };
    cargo
        .env("WASM_BINDGEN_TEST_WEBDRIVER_JSON", capabilities)
        .env("WASM_BINDGEN_TEST_TIMEOUT", "120")
        // The runner's own backtraces are of no use.
        .env("RUST_BACKTRACE", "0");
    Ok(())
}

fn wasm_in(browser: Browser, mut cargo: Command, args: &Args) -> Result<Count> {
    cargo
        // The default of crates that do not configure it: in a worker, like the background.
        .env("WASM_BINDGEN_USE_DEDICATED_WORKER", "1")
        .args(["--lib", "--tests", "--no-fail-fast"]);
    for package in ["rolecall-core", "rolecall-worker", "rolecall-ui"] {
        cargo.args(["--package", package]);
    }
    run_tests(&format!("WebAssembly tests in {}", browser.name()), vec![cargo], args)
}

fn end_to_end(args: &Args) -> Result<Count> {
    let browsers = args.browser.browsers();
    build::extension(browsers, Profile::Release)?;
    let host = package::program()?;
    let fixtures =
        Fixtures::new(browsers, Profile::Release, host)?.with_outside_programs()?.with_used_profile()?;
    let mut total = Count::default();
    if args.filter.is_none() {
        total += weight();
    }
    if args.filter.is_none() && browsers.contains(&Browser::Firefox) {
        let folder = Browser::Firefox.folder(Profile::Release);
        total += check("check as addons.mozilla.org does", &mut web_ext::lint(&folder)?)?;
    }
    let caller = ["build", "--workspace", "--example", "caller"];
    step::run("compile what the AWS SDK for Rust makes", repo::cargo().args(caller))?;
    let mut cargo = workspace_tests(&["--test", E2E]);
    fixtures.give(&mut cargo);
    if env::var_os(TEST_THREADS).is_none() {
        // A story often waits for its browser to start or end.
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        cargo.env(TEST_THREADS, (cores + 2).to_string());
    }
    total += run_tests("end-to-end tests", vec![cargo], args)?;
    Ok(total)
}

/// Holds the weight of the extension, which is built by now, against its limit.
fn weight() -> Count {
    match size::check() {
        Ok(line) => {
            step::say(&line);
            Count { passed: 1, failed: 0 }
        }
        Err(error) => {
            step::say(&format!("{error:#}"));
            Count { passed: 0, failed: 1 }
        }
    }
}

/// Runs a command that checks something.
fn check(name: &str, command: &mut Command) -> Result<Count> {
    let step = Step::start(name);
    let finished = step::observed(name, command)?;
    if finished.success {
        step.ok("");
        return Ok(Count::default());
    }
    drop(step);
    step::say(&finished.explain(name));
    Ok(Count { passed: 0, failed: 1 })
}

/// Runs test commands, one after the other.
fn run_tests(name: &str, mut commands: Vec<Command>, args: &Args) -> Result<Count> {
    if let Some(filter) = &args.filter {
        for command in &mut commands {
            command.arg("--").arg(filter);
        }
    }
    let step = Step::start(name);
    let finished = step::observed_all(name, &mut commands)?;
    let count = Count::of(&finished);
    let lines = finished.output.lines();
    if count.failed == 0 {
        step.ok(&format!("{} passed", count.passed));
        let ignored = lines.filter(|line| line.contains(" ... ignored")).map(|line| format!("    {line}"));
        let ignored = ignored.collect::<Vec<_>>();
        if !ignored.is_empty() {
            step::say(&ignored.join("\n"));
        }
    } else {
        drop(step);
        step::say(&format!(
            "{}\n{name}: {} passed, {} failed; see {}",
            lines.filter(|line| is_worth_reading(line)).collect::<Vec<_>>().join("\n"),
            count.passed,
            count.failed,
            finished.log.display()
        ));
    }
    Ok(count)
}

/// Whether a line of output is not about success.
fn is_worth_reading(line: &str) -> bool {
    let cargo_at_work = CARGO_AT_WORK.iter().any(|word| line.trim_start().starts_with(word));
    !(cargo_at_work || line.trim().is_empty() || (line.starts_with("test ") && line.ends_with(" ... ok")))
}

/// Counts of test results.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Count {
    passed: u32,
    failed: u32,
}

impl Count {
    /// Adds up the result lines of all test binaries, native or in the browser. A command that failed without one,
    /// because of a compile error, counts as one failure.
    fn of(finished: &Finished) -> Self {
        let mut count = Self::default();
        for line in finished.output.lines() {
            let Some((_, numbers)) = line.split_once("test result: ") else { continue };
            count.passed += number_before(numbers, " passed");
            count.failed += number_before(numbers, " failed");
        }
        if !finished.success {
            count.failed = count.failed.max(1);
        }
        count
    }
}

impl std::ops::AddAssign for Count {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

fn number_before(text: &str, word: &str) -> u32 {
    let before = text.split_once(word).map(|(before, _)| before).unwrap_or_default();
    before.rsplit(' ').next().and_then(|digits| digits.parse().ok()).unwrap_or_default()
}

/// How many tests run at a time: the number of cores, unless this variable says otherwise.
const TEST_THREADS: &str = "RUST_TEST_THREADS";

/// The end-to-end tests, which run separately.
const E2E: &str = "e2e";

const CARGO_AT_WORK: [&str; 6] =
    ["Compiling ", "Downloaded ", "Downloading ", "Finished ", "Locking ", "Updating "];

#[cfg(test)]
mod unit_tests {
    use super::*;

    fn finished(success: bool, output: &str) -> Finished {
        Finished { success, output: output.into(), log: "log".into() }
    }

    #[test]
    fn results_of_all_test_binaries_are_added_up() {
        let output = "running 3 tests\n\
            test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s\n\
            test a ... FAILED\n\
            test result: FAILED. 12 passed; 2 failed; 0 ignored; 0 filtered out\n";
        assert_eq!(Count::of(&finished(false, output)), Count { passed: 15, failed: 2 });
    }

    #[test]
    fn successes_are_left_out_when_something_failed() {
        let printed = ["   Compiling x v1.0.0", "test a ... ok", "test b ... FAILED", "", "panicked at 'b'"];
        let shown: Vec<_> = printed.into_iter().filter(|line| is_worth_reading(line)).collect();
        assert_eq!(shown, ["test b ... FAILED", "panicked at 'b'"]);
    }

    #[test]
    fn a_failed_build_counts_as_a_failure() {
        let output = "test result: ok. 3 passed; 0 failed;\nerror: could not compile `x`\n";
        assert_eq!(Count::of(&finished(false, output)), Count { passed: 3, failed: 1 });
    }
}
