//! Two readers that nobody here wrote: botocore (the AWS CLI, boto3) and the AWS SDK for Rust.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs};

use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};
use aws_runtime::env_config::section::EnvConfigSections;
use aws_runtime::env_config::source;
use aws_types::os_shim_internal::{Env, Fs};

/// What a reader finds: profiles with their keys, or that it cannot read the files.
pub(crate) type Reading = Result<BTreeMap<String, BTreeMap<String, String>>, String>;

/// botocore's view of each folder with a `config` and a `credentials`, all in one process.
pub(crate) fn botocore(folders: &[PathBuf]) -> Vec<Reading> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/aws_files/read_with_botocore.py");
    let mut child = Command::new(python())
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the test's Python starts");
    let mut stdin = child.stdin.take().unwrap();
    let list: Vec<_> = folders.iter().map(|folder| folder.to_str().unwrap()).collect();
    let list = list.join("\n");
    let writer = std::thread::spawn(move || stdin.write_all(list.as_bytes()).unwrap());
    let answers = BufReader::new(child.stdout.take().unwrap())
        .lines()
        .map(|line| {
            let line = line.unwrap();
            match line.strip_prefix("error ") {
                Some(error) => Err(error.to_owned()),
                None => Ok(serde_json::from_str(&line).unwrap()),
            }
        })
        .collect();
    writer.join().unwrap();
    assert!(child.wait().unwrap().success());
    answers
}

/// The SDK's view of one folder.
pub(crate) fn sdk(folder: &Path) -> Reading {
    // The other SDKs replace what is no text; this one would ignore the whole file.
    let read = |name: &str| match fs::read(folder.join(name)) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned().into_bytes(),
        Err(_) => Vec::new(),
    };
    let (config, credentials) = (read("config"), read("credentials"));
    // The SDK has no list of a profile's keys, so it is asked for every word that could be one.
    let text = String::from_utf8([&config[..], b"\n", &credentials].concat()).unwrap();
    let keys: BTreeSet<String> = text
        .split('\n')
        .filter_map(|line| line.split_once('='))
        .map(|(key, _)| key.trim_matches([' ', '\t']).to_ascii_lowercase())
        .collect();
    let system = Fs::from_raw_map(
        [("/config".to_owned().into(), config), ("/credentials".to_owned().into(), credentials)].into(),
    );
    let files = EnvConfigFiles::builder()
        .with_file(EnvConfigFileKind::Config, "/config")
        .with_file(EnvConfigFileKind::Credentials, "/credentials")
        .build();
    let source = pollster::block_on(source::load(&Env::from_slice(&[]), &system, &files)).unwrap();
    let sections = EnvConfigSections::parse(source).map_err(|error| error.to_string())?;
    let profile = |name: &str| {
        let profile = sections.get_profile(name).unwrap();
        keys.iter().filter_map(|key| Some((key.clone(), profile.get(key)?.to_owned()))).collect()
    };
    Ok(sections.profiles().map(|name| (name.to_owned(), profile(name))).collect())
}

/// The interpreter with the pinned packages: `ROLECALL_TEST_PYTHON`, else one made once below `target/`.
fn python() -> OsString {
    if let Some(python) = env::var_os("ROLECALL_TEST_PYTHON") {
        return python;
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let requirements = root.join("tests/python-lock.txt");
    let folder = env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| root.join("target"), PathBuf::from)
        .join("python-cargo-test");
    let python = folder.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" });
    let installed = folder.join("installed.txt");
    let wanted = fs::read(&requirements).expect("tests/python-lock.txt is there");
    if fs::read(&installed).ok() != Some(wanted.clone()) {
        run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder));
        run(Command::new(&python)
            .args(["-m", "pip", "install", "--quiet", "--require-hashes", "--requirement"])
            .arg(&requirements));
        fs::write(&installed, wanted).unwrap();
    }
    python.into()
}

fn run(command: &mut Command) {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error} (install python3 and python3-venv)"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}
