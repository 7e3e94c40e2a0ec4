//! `cargo xtask fuzz`: gives random input to what reads input from outside. It knows how the targets in `fuzz/fuzz_targets` are
//! built and run, but not what they test.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};

use crate::repo;
use crate::step::{self, Step};
use crate::tools::crates_io::Program;
use crate::tools::rust_target;

/// What to fuzz, and for how long.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The targets, which are files in fuzz/; without any, all of them
    #[arg(value_name = "TARGET")]
    targets: Vec<String>,
    /// How long each target runs
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    seconds: u32,
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> Result<()> {
    let known = targets()?;
    if let Some(unknown) = args.targets.iter().find(|name| !known.contains(name)) {
        bail!("there is no target {unknown}; there are {}", known.join(", "));
    }
    let wanted = if args.targets.is_empty() { &known } else { &args.targets };
    let triple = host_triple()?;
    let folder = repo::target("fuzz");
    let mut build = Command::new(CARGO_FUZZ.ready()?);
    build
        .args(["build", "--fuzz-dir"])
        .arg(repo::path("fuzz"))
        .args(["--target", &triple, "--target-dir"])
        .arg(&folder)
        .current_dir(repo::root())
        // The instrumentation is an unstable option: this allows it for a stable compiler.
        .env("RUSTC_BOOTSTRAP", "1");
    step::run("build the fuzzing targets", &mut build)?;
    let mut failed = Vec::new();
    for name in wanted {
        let program = folder.join(&triple).join("release").join(name);
        if !fuzz(name, &program, args.seconds)? {
            failed.push(name.as_str());
        }
    }
    ensure!(failed.is_empty(), "a failure was found by {}", failed.join(", "));
    Ok(())
}

/// Runs one target, with the inputs of earlier runs. Returns whether nothing failed.
fn fuzz(name: &str, program: &Path, seconds: u32) -> Result<bool> {
    let folder = repo::target("fuzz-inputs").join(name);
    let (inputs, failures) = (folder.join("found"), folder.join("failures"));
    for folder in [&inputs, &failures] {
        fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    }
    let step = Step::start(&format!("fuzz {name}"));
    let mut fuzzer = Command::new(program);
    fuzzer
        .args([&inputs, &repo::path("fuzz/seeds").join(name)])
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-artifact_prefix={}/", failures.display()))
        .args(LIMITS)
        .arg("-print_final_stats=1");
    let finished = step::observed(&format!("fuzz {name}"), &mut fuzzer)?;
    if finished.success {
        let number = |name| statistic(&finished.output, name).unwrap_or_default();
        let [runs, megabytes] = ["number_of_executed_units", "peak_rss_mb"].map(number);
        step.ok(&format!("{runs} inputs, {megabytes} MB at most"));
    } else {
        drop(step);
        step::say(&finished.explain(&format!("fuzz {name}")));
    }
    Ok(finished.success)
}

/// A number that libFuzzer prints at the end.
fn statistic<'a>(output: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = output.split_once(&format!("stat::{name}:"))?;
    rest.split_whitespace().next()
}

/// The names of all targets.
fn targets() -> Result<Vec<String>> {
    let folder = repo::path("fuzz/fuzz_targets");
    let failed = || format!("cannot list {}", folder.display());
    let mut names = Vec::new();
    for entry in fs::read_dir(&folder).with_context(failed)? {
        let path = entry.with_context(failed)?.path();
        if path.extension() == Some(OsStr::new("rs")) {
            names.extend(path.file_stem().and_then(OsStr::to_str).map(str::to_owned));
        }
    }
    names.sort();
    Ok(names)
}

fn host_triple() -> Result<String> {
    let about = rust_target::rustc(&["-vV"])?;
    let triple = about.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(triple.context("the compiler does not report its host")?.to_owned())
}

const CARGO_FUZZ: Program = Program { name: "cargo-fuzz", version: "0.13.2" };

/// Of memory, in megabytes, and of time for one input, in seconds.
const LIMITS: [&str; 2] = ["-rss_limit_mb=1024", "-timeout=10"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_has_seeds_and_is_built() {
        let manifest = String::from_utf8(repo::read(&repo::path("fuzz/Cargo.toml")).unwrap()).unwrap();
        for name in targets().unwrap() {
            assert!(manifest.contains(&format!("path = \"fuzz_targets/{name}.rs\"")), "{name}");
            let seeds = fs::read_dir(repo::path("fuzz/seeds").join(&name)).unwrap();
            assert!(seeds.count() > 0, "{name}");
        }
    }

    #[test]
    fn the_fuzzers_numbers_are_found() {
        let output = "Done 12 runs\nstat::number_of_executed_units: 12\nstat::peak_rss_mb:              45\n";
        assert_eq!(statistic(output, "peak_rss_mb"), Some("45"));
        assert_eq!(statistic(output, "number_of_executed_units"), Some("12"));
        assert_eq!(statistic(output, "slowest_unit_time_sec"), None);
    }
}
