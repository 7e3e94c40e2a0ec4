//! `~/.aws/config` and `~/.aws/credentials`: whatever is in them, a profile is written as it should be or refused, and what
//! was written and removed again leaves the original bytes.
#![no_main]

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use rolecall_core::settings::ProfileName;
use rolecall_host::aws_files::{AwsFiles, NewProfile, Operation, Options, Source, StaticCredentials};
use tempfile::TempDir;

static FOLDER: LazyLock<TempDir> = LazyLock::new(|| {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { TempDir::new_in(memory).unwrap() } else { TempDir::new().unwrap() }
});

fuzz_target!(|input: (bool, bool, &[u8], &[u8])| {
    let (force, is_process, config, credentials) = input;
    let files = AwsFiles::at(FOLDER.path().join("config"), FOLDER.path().join("credentials"));
    let write = |path: &Path, bytes: &[u8]| fs::write(path, bytes).unwrap();
    write(files.config(), config);
    write(files.credentials(), credentials);
    let name: ProfileName = "dev".parse().unwrap();
    let was_there = !files.inspect(&name).is_ok_and(|inspection| inspection.sections.is_empty());
    let _ = (files.list(), files.check());
    let options = Options { force, ..Options::default() };
    let set = |is_process: bool| {
        let source = if is_process {
            Source::Process { command: "/usr/bin/rolecall".to_owned() }
        } else {
            Source::File(StaticCredentials {
                access_key_id: "ASIA".to_owned(),
                secret_access_key: "hidden".to_owned().into(),
                session_token: "hidden too".to_owned().into(),
                expires: None,
            })
        };
        Operation::Set(NewProfile::new(name.clone(), source, [("region", "eu-west-1")]).unwrap())
    };
    if let Ok(plan) = files.plan(&set(is_process), &options) {
        let diff = plan.diff();
        assert!(!diff.contains("+aws_secret_access_key = hidden"));
    }
    if files.apply(&set(is_process), &options).is_ok() {
        assert!(files.plan(&set(is_process), &options).unwrap().is_empty(), "set twice is set once");
        files.apply(&set(!is_process), &options).unwrap();
        files.apply(&Operation::Remove(name), &Options::default()).unwrap();
        if !was_there {
            assert_eq!(fs::read(files.config()).unwrap(), config);
            assert_eq!(fs::read(files.credentials()).unwrap(), credentials);
        }
    } else {
        assert_eq!(fs::read(files.config()).unwrap(), config);
        assert_eq!(fs::read(files.credentials()).unwrap(), credentials);
    }
});
