//! `cargo xtask demo`: a newcomer's first ten minutes, without a provider and without an AWS account.

use std::process::Command;
use std::thread;

use anyhow::{Context, Result, bail};

use crate::extension::{Browser, Profile};
use crate::fixtures::Fixtures;
use crate::tools::wasm_target;
use crate::{build, join, repo, step};

/// How to show it.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Open no window and do the clicks itself; what happens without a display anyway
    #[arg(long)]
    headless: bool,
    /// The browser to show it in
    #[arg(long, value_enum, default_value = "chromium")]
    browser: Browser,
}

/// Runs the word.
pub(crate) fn run(args: &Args) -> Result<()> {
    let program = |name| repo::target("debug").join(name).with_extension(std::env::consts::EXE_EXTENSION);
    let browsers = [args.browser];
    let fixtures = thread::scope(|scope| {
        // Fetched while cargo compiles.
        let target = scope.spawn(wasm_target::ready);
        let fixtures = scope.spawn(|| Fixtures::new(&browsers, Profile::Debug, program("rolecall")));
        // In one go, and for the whole workspace: what programs share is compiled once, and never again for the tests.
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
        bail!("the demo did not reach its end");
    }
    Ok(())
}
