//! `cargo xtask demo`: a newcomer's first ten minutes, without a provider and without an AWS account.

use anyhow::{Context, Result, bail};

use crate::extension::Browser;
use crate::fixtures::Fixtures;
use crate::{repo, step};

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
    let fixtures = Fixtures::ready(&[args.browser])?;
    step::run(
        "build the demo",
        repo::cargo().args(["build", "--package", "rolecall-tests", "--bin", "demo"]),
    )?;
    let mut demo = repo::cargo();
    demo.args(["run", "--quiet", "--package", "rolecall-tests", "--bin", "demo", "--"]);
    demo.args(["--browser", args.browser.name()]).args(args.headless.then_some("--headless"));
    let status = fixtures.give(&mut demo).status().context("cannot run the demo")?;
    if !status.success() {
        bail!("the demo did not reach its end");
    }
    Ok(())
}
