//! `cargo xtask demo`: a newcomer's first ten minutes, without a provider and without an AWS account.

use std::process::Command;
use std::thread;

use anyhow::{Context, Result, bail};

use crate::extension::{Browser, Profile};
use crate::fixtures::Fixtures;
use crate::tools::wasm_target;
use crate::{build, join, repo, step};

/// Options of the demo.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Open no window and click by itself; the default without a display
    #[arg(long)]
    headless: bool,
    /// The browser to use
    #[arg(long, value_enum, default_value = "chromium")]
    browser: Browser,
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> Result<()> {
    let program = |name| repo::target("debug").join(name).with_extension(std::env::consts::EXE_EXTENSION);
    let browsers = [args.browser];
    let fixtures = thread::scope(|scope| {
        // Fetched while cargo compiles.
        let target = scope.spawn(wasm_target::ready);
        let fixtures = scope.spawn(|| Fixtures::new(&browsers, Profile::Debug, program("rolecall")));
        // In one command for the whole workspace: shared crates are compiled once, and not again for the tests.
        let programs = ["build", "--workspace", "--bin", "rolecall", "--bin", "demo"];
        step::run("compile the host and the demo", repo::cargo().args(programs))?;
        join(target)?;
        build::extension(&browsers, Profile::Debug)?;
        join(fixtures)
    })?;
    let mut demo = Command::new(program("demo"));
    demo.args(["--browser", args.browser.name()]).args(args.headless.then_some("--headless"));
    let status = fixtures.give(&mut demo).status().context("cannot run the demo")?;
    if !status.success() {
        bail!("the demo failed");
    }
    Ok(())
}
