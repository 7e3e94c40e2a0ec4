//! `cargo xtask test`: every check and every test, and one line that says how many ran.

use std::process::Command;

use anyhow::{Result, bail};
use clap::ValueEnum;
use serde_json::json;

use crate::extension::{Browser, Choice};
use crate::fixtures::Fixtures;
use crate::package;
use crate::repo;
use crate::step::{self, Finished, Step};
use crate::targets;
use crate::tools::{apt, chromium, find, firefox, python, wasm_target, web_ext};
use crate::windows;

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
    /// Formatting, lints and the tests that need nothing around them
    Unit,
    /// Types and lints of the native host on Windows and macOS
    Targets,
    /// The native host's tests for Windows, in Wine
    Windows,
    /// That packages made in two folders are the same, byte for byte
    Packages,
    /// The tests that run as WebAssembly in a headless browser
    Wasm,
    /// The tests that drive the built product in a real browser
    E2e,
}

/// Runs the word.
pub(crate) fn run(args: &Args) -> Result<()> {
    let wanted = |kind| args.only.is_none_or(|only| only == kind);
    let mut total = Count::default();
    if wanted(Kind::Unit) {
        if args.filter.is_none() {
            total += check("check the formatting", repo::cargo().args(["fmt", "--all", "--check"]))?;
            let lints = ["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"];
            total += check("check for lints", repo::cargo().args(lints))?;
        }
        total += unit(args)?;
    }
    if wanted(Kind::Targets) && args.filter.is_none() {
        total += check("check the host for Windows and macOS", &mut targets::check()?)?;
    }
    if wanted(Kind::Windows) {
        total += windows(args)?;
    }
    if wanted(Kind::Packages) && args.filter.is_none() {
        total += packages();
    }
    if wanted(Kind::Wasm) {
        total += wasm(args)?;
    }
    if wanted(Kind::E2e) {
        total += end_to_end(args)?;
    }
    println!("{} passed, {} failed", total.passed, total.failed);
    if total.failed > 0 {
        bail!("not everything passed");
    }
    Ok(())
}

fn unit(args: &Args) -> Result<Count> {
    let python = python::ready()?;
    if cfg!(target_os = "linux") {
        outside_programs()?;
    }
    let mut cargo = repo::cargo();
    cargo
        .args(["test", "--workspace", "--exclude", "rolecall-tests", "--no-fail-fast"])
        .env("ROLECALL_TEST_PYTHON", python);
    tests("unit tests", cargo, args)
}

/// Real programs that unit tests hold the product against: shells that read what it prints, strace, which kills the
/// writer of the AWS files at every system call, and a keyring on a session bus.
fn outside_programs() -> Result<()> {
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
    match windows::tests()? {
        Some((cargo, _windows)) => tests("tests in Wine", cargo, args),
        None => Ok(Count::default()),
    }
}

fn packages() -> Count {
    match package::prove() {
        Ok(()) => Count { passed: 1, failed: 0 },
        Err(error) => {
            eprintln!("{error:#}");
            Count { passed: 0, failed: 1 }
        }
    }
}

fn wasm(args: &Args) -> Result<Count> {
    let target = wasm_target::ready()?;
    let runner = ["build", "--package", "xtask", "--features", "wasm-tests", "--bin", "wasm-test-runner"];
    step::run("build the WebAssembly test runner", repo::cargo().args(runner))?;
    let runner = repo::target("debug/wasm-test-runner").with_extension(std::env::consts::EXE_EXTENSION);

    let mut total = Count::default();
    for browser in args.browser.browsers() {
        let mut cargo = target.cargo("test");
        cargo.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER", &runner);
        wasm_browser(*browser, &mut cargo)?;
        total += wasm_in(*browser, cargo, args)?;
    }
    Ok(total)
}

/// Tells the test runner about a browser.
fn wasm_browser(browser: Browser, cargo: &mut Command) -> Result<()> {
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
    cargo.env("WASM_BINDGEN_TEST_WEBDRIVER_JSON", capabilities);
    Ok(())
}

fn wasm_in(browser: Browser, mut cargo: Command, args: &Args) -> Result<Count> {
    cargo
        // Where a crate does not say where its tests run: in a worker, like the background.
        .env("WASM_BINDGEN_USE_DEDICATED_WORKER", "1")
        .env("WASM_BINDGEN_TEST_TIMEOUT", "120")
        // Of the runner's own stack there is nothing to learn.
        .env("RUST_BACKTRACE", "0")
        .args(["--lib", "--tests", "--no-fail-fast"]);
    for package in ["rolecall-core", "rolecall-worker", "rolecall-ui"] {
        cargo.args(["--package", package]);
    }
    tests(&format!("WebAssembly tests in {}", browser.name()), cargo, args)
}

fn end_to_end(args: &Args) -> Result<Count> {
    let browsers = args.browser.browsers();
    let fixtures = Fixtures::ready(browsers)?.with_outside_programs()?;
    let mut total = Count::default();
    if args.filter.is_none() && browsers.contains(&Browser::Firefox) {
        total += check("check as addons.mozilla.org does", &mut web_ext::lint(&Browser::Firefox.folder())?)?;
    }
    let mut cargo = repo::cargo();
    cargo.args(["test", "--package", "rolecall-tests", "--no-fail-fast"]);
    fixtures.give(&mut cargo);
    total += tests("end-to-end tests", cargo, args)?;
    Ok(total)
}

/// A command that either finds something wrong or doesn't.
fn check(name: &str, command: &mut Command) -> Result<Count> {
    let step = Step::start(name);
    let finished = step::observed(name, command)?;
    if finished.success {
        step.ok("");
        return Ok(Count::default());
    }
    drop(step);
    eprintln!("{}", finished.explain(name));
    Ok(Count { passed: 0, failed: 1 })
}

fn tests(name: &str, mut cargo: Command, args: &Args) -> Result<Count> {
    if let Some(filter) = &args.filter {
        cargo.arg("--").arg(filter);
    }
    let step = Step::start(name);
    let finished = step::observed(name, &mut cargo)?;
    let count = Count::of(&finished);
    if count.failed == 0 {
        step.ok(&format!("{} passed", count.passed));
        for line in finished.output.lines().filter(|line| line.contains(" ... ignored")) {
            eprintln!("    {line}");
        }
    } else {
        drop(step);
        for line in finished.output.lines().filter(|line| is_worth_reading(line)) {
            eprintln!("{line}");
        }
        eprintln!("{name}: {} passed, {} failed; see {}", count.passed, count.failed, finished.log.display());
    }
    Ok(count)
}

/// Of what cargo and the test binaries print, all but what went well.
fn is_worth_reading(line: &str) -> bool {
    let cargo_at_work = CARGO_AT_WORK.iter().any(|word| line.trim_start().starts_with(word));
    !(cargo_at_work || line.trim().is_empty() || (line.starts_with("test ") && line.ends_with(" ... ok")))
}

/// How many tests ended how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Count {
    passed: u32,
    failed: u32,
}

impl Count {
    /// Adds up the lines in which each test binary, native or in the browser, says how it went. A command that failed
    /// without one, because something did not compile, counts as one failure.
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
    fn what_went_well_is_left_out_when_something_failed() {
        let printed = ["   Compiling x v1.0.0", "test a ... ok", "test b ... FAILED", "", "panicked at 'b'"];
        let shown: Vec<_> = printed.into_iter().filter(|line| is_worth_reading(line)).collect();
        assert_eq!(shown, ["test b ... FAILED", "panicked at 'b'"]);
    }

    #[test]
    fn a_build_that_breaks_counts_as_a_failure() {
        let output = "test result: ok. 3 passed; 0 failed;\nerror: could not compile `x`\n";
        assert_eq!(Count::of(&finished(false, output)), Count { passed: 3, failed: 1 });
    }
}
