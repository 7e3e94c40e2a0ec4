//! `cargo xtask`: build, test, demo, package and bench the project, one word each.
//!
//! Each word does its own set-up from nothing, shows its progress on stderr, and does only what changed when it is run
//! again. It knows how the product is put together and tested, and nothing of what the product does.

mod bench;
mod build;
mod crates;
mod demo;
#[cfg(test)]
mod docs;
mod extension;
mod fixtures;
mod manifest;
mod notices;
mod package;
mod panics;
mod remap;
mod repo;
mod step;
mod targets;
mod test;
mod tools;
mod windows;

use std::panic::resume_unwind;
use std::path::PathBuf;
use std::process::ExitCode;
use std::thread::ScopedJoinHandle;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// Builds, tests and shows Rolecall.
///
/// Everything is set up from nothing: the WebAssembly target, wasm-opt, Chromium, Firefox and their drivers, the AWS command line, Wine.
/// What is fetched goes to target/; on Debian and its family missing programs are installed with apt. Elsewhere you
/// are told what to install.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", version, max_term_width = 100, after_help = EXAMPLES)]
struct Cli {
    /// Work on the sources in this folder instead of those that this program was compiled from
    #[arg(long, global = true, value_name = "FOLDER")]
    root: Option<PathBuf>,
    #[command(subcommand)]
    word: Word,
}

#[derive(Subcommand)]
enum Word {
    /// Build the extension into target/extension/<browser>, ready to be loaded unpacked
    Build(build::Args),
    /// Check formatting and lints, run every test, and say how many ran
    Test(test::Args),
    /// Sign in through the extension in a real browser, against the embedded sandbox
    Demo(demo::Args),
    /// Put what is released into target/package, with checksums
    Package(package::Args),
    /// Measure what the project promises to keep small or fast, against its limits
    Bench(bench::Args),
}

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            for cause in error.chain().skip(1) {
                eprintln!("  because: {cause}");
            }
            ExitCode::FAILURE
        }
    }
}

/// What a thread came to; a panic there goes on here.
fn join<T>(thread: ScopedJoinHandle<'_, Result<T>>) -> Result<T> {
    thread.join().unwrap_or_else(|panic| resume_unwind(panic))
}

fn run(cli: Cli) -> Result<()> {
    repo::program()?;
    if let Some(root) = cli.root {
        repo::set_root(&root)?;
    }
    match cli.word {
        Word::Build(args) => build::run(&args),
        Word::Test(args) => test::run(&args),
        Word::Demo(args) => demo::run(&args),
        Word::Package(args) => package::run(&args),
        Word::Bench(args) => bench::run(&args),
    }
}

const EXAMPLES: &str = "\
Examples:
  cargo xtask demo                          see it work, with clicks of your own
  cargo xtask test                          what has to pass before a change lands
  cargo xtask test --only unit --filter arn
  cargo xtask build --browser firefox       then load target/extension/firefox";
