//! `cargo xtask bench`: measures what the project promises to keep small or fast. Sizes are compared with a limit,
//! times with a peer that does the same in the same run.

mod hot_path;
mod many_roles;
mod settings;
pub(crate) mod size;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use clap::ValueEnum;
use clap::builder::PossibleValue;
use serde::Deserialize;

use crate::extension::{Browser, Choice, Profile};
use crate::fixtures::Fixtures;
use crate::step::Step;
use crate::tools::python;
use crate::{build, repo, step};

/// One measured value and its limit.
#[derive(Deserialize)]
struct Measure {
    name: String,
    value: u64,
    limit: u64,
    unit: String,
    /// A remark.
    aside: String,
}

/// What to measure.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Show the weight of the extension and its parts, and measure nothing else
    #[arg(long)]
    size: bool,
    /// Take only these measurements
    #[arg(long, value_enum, conflicts_with = "size")]
    only: Option<Group>,
    /// The browsers to measure in
    #[arg(long, value_enum, default_value = "all")]
    browser: Choice,
}

/// Measurements in a real browser.
#[derive(Clone, Copy, ValueEnum)]
enum Group {
    /// Many roles at once
    ManyRoles,
    /// What a stopped background is woken for
    Waking,
    /// The popup, until it is drawn and for each key
    Popup,
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> Result<()> {
    build::extension(&Browser::ALL, Profile::Release)?;
    if args.size {
        return size::breakdown();
    }
    let host = host()?;
    let mut measures = Vec::new();
    if args.only.is_none() {
        measures.push(size::measure()?);
        measures.push(change_of_a_profile(&host)?);
        if cfg!(unix) {
            measures.push(hot_path::measure(&host)?);
            measures.extend(many_roles::measure(&host)?);
            for browser in args.browser.browsers() {
                measures.extend(settings::measure(*browser)?);
            }
        }
    }
    if cfg!(unix) {
        measures.extend(in_browsers(host, args)?);
    }
    for measure in &measures {
        println!("{}", line(measure));
    }
    let over = measures.iter().filter(|measure| measure.value > measure.limit).count();
    if over > 0 {
        bail!("{over} of {} measures are over their limits", measures.len());
    }
    Ok(())
}

/// The measurements that need a real browser.
fn in_browsers(host: PathBuf, args: &Args) -> Result<Vec<Measure>> {
    let fixtures = Fixtures::new(args.browser.browsers(), Profile::Release, host)?;
    step::run(
        "compile the measurements in browsers",
        repo::cargo().args(["build", "--workspace", "--bin", "measure"]),
    )?;
    let step = Step::start("measure in browsers");
    let mut measure =
        Command::new(repo::target("debug/measure").with_extension(std::env::consts::EXE_EXTENSION));
    let only = args.only.and_then(|group| group.to_possible_value());
    measure.args(only.as_ref().map(PossibleValue::get_name));
    let output = fixtures.give(&mut measure).output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr).trim_end());
    step.ok("");
    let lines = String::from_utf8(output.stdout)?;
    lines.lines().map(|line| Ok(serde_json::from_str(line)?)).collect()
}

/// The host program, compiled as for a release.
fn host() -> Result<PathBuf> {
    step::run(
        "build the host, optimised",
        repo::cargo().args(["build", "--release", "--package", "rolecall"]),
    )?;
    Ok(repo::target("release/rolecall").with_extension(std::env::consts::EXE_EXTENSION))
}

/// One change in a config file of 10,000 profiles, as a whole process, compared with `aws configure set`.
fn change_of_a_profile(host: &Path) -> Result<Measure> {
    let python = python::ready()?;
    let home = repo::target("bench/home");
    repo::remove_dir(&home)?;
    let mut config = String::new();
    for number in 0..PROFILES {
        write!(config, "# team {number}\n[profile team-{number}]\nregion = eu-west-1\noutput = json\n\n")?;
    }
    repo::write(&home.join(".aws/config"), config)?;

    let at_home = |program: &Path| {
        let mut command = Command::new(program);
        command.env_clear().env("HOME", &home).env("PATH", "/usr/bin:/bin");
        command
    };
    let ours = median(|region| {
        let mut command = at_home(host);
        let role = "arn:aws:iam::123456789012:role/dev";
        command.args(["profile", "write", "dev", "--role-arn", role, "--region", region]);
        command
    })?;
    let theirs = median(|region| {
        let mut command = at_home(&python);
        command.args(["-m", "awscli", "configure", "set", "region", region, "--profile", "team-5000"]);
        command
    })?;
    repo::remove_dir(&home)?;
    Ok(Measure {
        name: format!("one of {PROFILES} profiles changed"),
        value: micros(ours),
        limit: micros(theirs) / PEER_RATIO,
        unit: "µs".into(),
        aside: format!("aws configure set: {} µs; the limit is a {PEER_RATIO}th of it", micros(theirs)),
    })
}

/// The median time of a command, which changes something each time it runs.
fn median(command: impl Fn(&str) -> Command) -> Result<Duration> {
    let mut times = Vec::new();
    for region in ["eu-west-2", "eu-west-3", "eu-north-1", "eu-south-1", "us-west-2"] {
        let mut command = command(region);
        let start = Instant::now();
        let output = command.output()?;
        times.push(start.elapsed());
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    times.sort();
    Ok(times[times.len() / 2])
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

fn line(measure: &Measure) -> String {
    let Measure { name, value, limit, unit, aside } = measure;
    let percent = value.saturating_mul(100).div_ceil(*limit);
    let verdict = if value > limit { "OVER" } else { "ok" };
    format!("{verdict:<4} {name}: {value} {unit} of {limit} ({percent} %), {aside}")
}

/// The number of profiles in a large organisation.
const PROFILES: u32 = 10_000;

/// How many times faster than the peer a change must be.
const PEER_RATIO: u64 = 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_over_its_limit_is_marked() {
        let measure = |value| Measure {
            name: "size".into(),
            value,
            limit: 10,
            unit: "bytes".into(),
            aside: "3 gzipped".into(),
        };
        assert_eq!(line(&measure(10)), "ok   size: 10 bytes of 10 (100 %), 3 gzipped");
        assert_eq!(line(&measure(11)), "OVER size: 11 bytes of 10 (110 %), 3 gzipped");
    }
}
