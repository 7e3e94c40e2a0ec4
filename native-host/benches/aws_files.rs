//! One profile changed in a config file of 10,000: what it costs beside the disk's own time.

// A benchmark stops at the first thing that goes wrong, and prints its figures.
#![allow(clippy::unwrap_used, clippy::disallowed_macros)]

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use rolecall_core::settings::ProfileName;
use rolecall_host::aws_files::{AwsFiles, NewProfile, Operation, Options, Source};

fn main() {
    let memory = Path::new("/dev/shm");
    let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.unwrap();
    let files = AwsFiles::at(folder.path().join("config"), folder.path().join("credentials"));
    let mut config = String::new();
    for number in 0..10_000 {
        let _ = write!(
            config,
            "# team {number}\n[profile team-{number}]\nrole_arn = arn:aws:iam::123456789012:role/team-{number}\n\
             source_profile = default\nregion = eu-west-1\n\n"
        );
    }
    fs::write(files.config(), &config).unwrap();
    println!("{} profiles, {} bytes", 10_000, config.len());
    let set = |command: &str| {
        let name = "dev".parse::<ProfileName>().unwrap();
        let source = Source::Process { command: command.to_owned() };
        Operation::Set(NewProfile::new(name, source, [("region", "eu-west-1")]).unwrap())
    };
    let options = Options::default();
    let commands = ["/usr/bin/rolecall a", "/usr/bin/rolecall b"].map(set);
    measure("plan", || files.plan(&commands[0], &options).map(drop).unwrap());
    let mut turn = 0;
    measure("apply (files in memory: flushing costs nothing)", || {
        turn = 1 - turn;
        assert!(!files.apply(&commands[turn], &options).unwrap().plan.is_empty());
    });
    let mut plan = None;
    measure("plan again, for the difference", || plan = Some(files.plan(&commands[0], &options).unwrap()));
    measure("difference", || drop(plan.as_ref().unwrap().diff()));
    measure("list", || drop(files.list().unwrap()));
}

/// The median of many rounds, which a busy machine moves least.
fn measure(what: &str, mut round: impl FnMut()) {
    let mut times: Vec<Duration> = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            round();
            start.elapsed()
        })
        .collect();
    times.sort();
    println!("{what}: median {:?}, fastest {:?}", times[ROUNDS / 2], times[0]);
}

const ROUNDS: usize = 101;
