//! `cargo xtask`: builds, tests, demonstrates, packages and benchmarks the project, with one subcommand each.
//!
//! Each subcommand sets up everything it needs, shows its progress on stderr, and when run again does only what has
//! changed. It knows how the product is built and tested, but not what the product does.

mod bench;
mod build;
mod crates;
mod demo;
#[cfg(test)]
mod docs;
mod extension;
mod fixtures;
mod fuzz;
mod manifest;
mod notices;
mod order;
mod package;
mod pictures;
mod remap;
mod repo;
mod sbom;
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

/// Build, test and try Rolecall.
///
/// Each command sets up everything it needs: the WebAssembly target, wasm-opt, Chromium, Firefox and their drivers, the
/// AWS command line, Wine. Downloads go to target/; on Debian and its derivatives, missing programs are installed with
/// apt. On other systems, the command prints what to install.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", version, max_term_width = 100, after_help = EXAMPLES)]
struct Cli {
    /// Use the sources in this folder instead of those that this program was compiled from
    #[arg(long, global = true, value_name = "FOLDER")]
    root: Option<PathBuf>,
    #[command(subcommand)]
    word: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build the extension to target/extension/<browser>, ready to be loaded unpacked
    Build(build::Args),
    /// Check formatting and lints, and run all tests
    Test(test::Args),
    /// Sign in through the extension in a real browser, against the embedded sandbox
    Demo(demo::Args),
    /// Write the release packages to target/package, with checksums
    Package(package::Args),
    /// Take the pictures with which the README opens, of the popup in a real browser
    Pictures,
    /// Give random input to what reads input from outside, and report what fails
    Fuzz(fuzz::Args),
    /// Measure what the project promises to keep small or fast, and compare with its limits
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

/// Waits for a thread and returns its result; a panic in it is resumed here.
fn join<T>(thread: ScopedJoinHandle<'_, Result<T>>) -> Result<T> {
    thread.join().unwrap_or_else(|panic| resume_unwind(panic))
}

fn run(cli: Cli) -> Result<()> {
    repo::program()?;
    if let Some(root) = cli.root {
        repo::set_root(&root)?;
    }
    match cli.word {
        Command::Build(args) => build::run(&args),
        Command::Test(args) => test::run(&args),
        Command::Demo(args) => demo::run(&args),
        Command::Package(args) => package::run(&args),
        Command::Pictures => pictures::run(),
        Command::Fuzz(args) => fuzz::run(&args),
        Command::Bench(args) => bench::run(&args),
    }
}

const EXAMPLES: &str = "\
Examples:
  cargo xtask demo                          try it by clicking through it yourself
  cargo xtask test                          everything that must pass before a change is merged
  cargo xtask test --only unit --filter arn
  cargo xtask build --browser firefox       then load target/extension/firefox";
