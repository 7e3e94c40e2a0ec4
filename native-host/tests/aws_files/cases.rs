//! Folders of cases: `before/` is what is there, `command` what is done, `after/` what is there then. Where the command
//! is refused, `error` holds the words and `after/` is missing: nothing may have changed. `diff`, where there is one, is
//! what the plan shows. `ROLECALL_BLESS=1` writes the expectations from what happens, to be read before they are kept.

use std::fs;
use std::path::{Path, PathBuf};

use rolecall_host::aws_files::{NewProfile, Operation, Options, Source, StaticCredentials};

use crate::home::{Home, name};

#[test]
fn every_case_ends_as_its_folder_says() {
    let mut cases: Vec<PathBuf> = fs::read_dir(CASES).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.retain(|path| path.is_dir());
    cases.sort();
    assert!(cases.len() >= 25, "{} cases", cases.len());
    let failures: Vec<String> = cases.iter().filter_map(|case| run(case).err()).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

fn run(case: &Path) -> Result<(), String> {
    let home = Home::new();
    for file in FILES {
        if let Ok(bytes) = fs::read(case.join("before").join(file)) {
            fs::write(home.path().join(file), bytes).unwrap();
        }
    }
    let (operation, options) = parse(&fs::read_to_string(case.join("command")).unwrap());
    let files = home.files();
    let plan = files.plan(&operation, &options);
    let here = format!("{}{}", home.path().display(), std::path::MAIN_SEPARATOR);
    if let Ok(plan) = &plan
        && (case.join("diff").exists() || bless())
    {
        let diff = plan.diff().replace(&here, "~/.aws/");
        check(case, "diff", (!plan.is_empty()).then_some(diff.as_bytes()))?;
    }
    let applied = files.apply(&operation, &options);
    match applied {
        Err(error) => {
            let words = format!("{error}\n{}\n", rolecall_core::Problem::from(&error).next_line())
                .replace(&here, "~/.aws/");
            check(case, "error", Some(words.as_bytes()))?;
            for file in FILES {
                let before = fs::read(case.join("before").join(file)).ok();
                if fs::read(home.path().join(file)).ok() != before {
                    return Err(format!("{}: {file} changed", case.display()));
                }
            }
        }
        Ok(applied) => {
            check(case, "error", None)?;
            for file in FILES {
                check(case, &format!("after/{file}"), fs::read(home.path().join(file)).ok().as_deref())?;
            }
            let again = files.apply(&operation, &options);
            if matches!(operation, Operation::Set(_)) && !again.unwrap().plan.is_empty() {
                return Err(format!("{}: a second time changes something again", case.display()));
            }
            drop(applied);
        }
    }
    Ok(())
}

fn check(case: &Path, what: &str, actual: Option<&[u8]>) -> Result<(), String> {
    let path = case.join(what);
    if bless() {
        match actual {
            Some(bytes) => {
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(&path, bytes).unwrap();
            }
            None => drop(fs::remove_file(&path)),
        }
    }
    let expected = fs::read(&path).ok();
    if expected.as_deref() == actual {
        return Ok(());
    }
    let show = |bytes: Option<&[u8]>| {
        bytes.map_or("(nothing)".to_owned(), |b| String::from_utf8_lossy(b).into_owned())
    };
    Err(format!(
        "{}:\n--- expected\n{}\n--- actual\n{}",
        path.display(),
        show(expected.as_deref()),
        show(actual)
    ))
}

/// `set PROFILE process COMMAND KEY=VALUE…`, `set PROFILE file ID SECRET TOKEN KEY=VALUE…`, `remove PROFILE`, each with
/// `--force` at the end or not.
fn parse(command: &str) -> (Operation, Options) {
    let words = shlex::split(command.trim()).unwrap();
    let mut words: Vec<&str> = words.iter().map(String::as_str).collect();
    let force = words.last() == Some(&"--force");
    words.truncate(words.len() - usize::from(force));
    let settings = |pairs: &[&str]| -> Vec<(String, String)> {
        pairs
            .iter()
            .map(|pair| pair.split_once('=').unwrap())
            .map(|(k, v)| (k.to_owned(), v.to_owned()))
            .collect()
    };
    let set = |profile: &str, source, pairs: &[&str]| {
        Operation::Set(NewProfile::new(name(profile), source, settings(pairs)).unwrap())
    };
    let operation = match words.as_slice() {
        ["remove", profile] => Operation::Remove(name(profile)),
        ["set", profile, "process", command, pairs @ ..] => {
            set(profile, Source::Process { command: (*command).to_owned() }, pairs)
        }
        ["set", profile, "file", id, secret, token, pairs @ ..] => {
            let credentials = StaticCredentials {
                access_key_id: (*id).to_owned(),
                secret_access_key: (*secret).to_owned().into(),
                session_token: (*token).to_owned().into(),
                expires: Some("2031-05-17T12:00:00Z".parse().unwrap()),
            };
            set(profile, Source::File(credentials), pairs)
        }
        other => panic!("not a command: {other:?}"),
    };
    (operation, Options { force, ..Options::default() })
}

fn bless() -> bool {
    std::env::var_os("ROLECALL_BLESS").is_some()
}

const CASES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/aws_files/cases");
const FILES: [&str; 2] = ["config", "credentials"];
