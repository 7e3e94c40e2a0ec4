//! `~/.aws/config` and `~/.aws/credentials`: whatever is in them, a profile can be planned or is refused.
#![no_main]

use std::fs;

use libfuzzer_sys::fuzz_target;
use rolecall_host::aws_files::{AwsFiles, Operation, Options};

fuzz_target!(|files: (&[u8], &[u8])| {
    let folder = tempfile::tempdir().unwrap();
    let paths = [folder.path().join("config"), folder.path().join("credentials")];
    fs::write(&paths[0], files.0).unwrap();
    fs::write(&paths[1], files.1).unwrap();
    let [config, credentials] = paths;
    let aws_files = AwsFiles::at(config, credentials);
    let _ = aws_files.list();
    let _ = aws_files.plan(&Operation::Remove("dev".parse().unwrap()), &Options::default());
});
