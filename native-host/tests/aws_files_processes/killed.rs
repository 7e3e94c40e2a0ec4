//! A writer that is killed leaves each file as it was or as it was meant to be, and never the profile in both.

use std::collections::HashMap;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::home::{Home, file, process};
use crate::writer::command;

const CONFIG: &str = "# mine\n[default]\nregion = us-east-1\n\n[profile other]\nrole_arn = x\n";
const CREDENTIALS: &str = "[default]\naws_access_key_id = AKIA\naws_secret_access_key = old";

/// Both files' contents.
type State = (Option<Vec<u8>>, Option<Vec<u8>>);

fn state(home: &Home) -> State {
    (home.read_config(), home.read_credentials())
}

fn restore(home: &Home, (config, credentials): &State) {
    for name in home.names() {
        fs::remove_file(home.path().join(name)).unwrap();
    }
    for (path, bytes) in [(home.config(), config), (home.credentials(), credentials)] {
        if let Some(bytes) = bytes {
            fs::write(path, bytes).unwrap();
        }
    }
}

pub(crate) fn has_strace() -> bool {
    Command::new("strace").arg("-V").output().is_ok_and(|output| output.status.success())
}

pub(crate) fn at_every_system_call() {
    // A profile that moves changes both files; one in a new home creates the file.
    let moving = Home::with(CONFIG, CREDENTIALS);
    moving.apply(&process("dev")).unwrap();
    let fresh = Home::new();
    for (home, operation) in [(moving, "file"), (fresh, "process")] {
        let old = state(&home);
        let calls = trace(&home, operation);
        let new = state(&home);
        assert_ne!(old, new);
        assert!(calls.len() > 30, "{} calls", calls.len());
        let mut killed = 0;
        for (name, occurrence) in &calls {
            restore(&home, &old);
            let status = Command::new("strace")
                .args(["-qq", "-o", "/dev/null", "-e"])
                .arg(format!("inject={name}:signal=KILL:when={occurrence}"))
                .args(words(&command(home.path(), operation, "dev")))
                .status()
                .unwrap();
            killed += usize::from(status.signal() == Some(9) || status.code() == Some(137));
            check(&home, &old, &new, &format!("killed at {name} #{occurrence}"));
            // Whoever comes next is not hindered and clears up.
            let next = if operation == "file" { file("dev") } else { process("dev") };
            home.apply(&next).unwrap();
            assert_eq!(state(&home), new, "after {name} #{occurrence}");
        }
        assert!(killed * 10 >= calls.len() * 9, "{killed} of {} were killed", calls.len());
    }
}

/// The system calls of a whole run since it first looked at the files: each name with how often it came before.
fn trace(home: &Home, operation: &str) -> Vec<(String, usize)> {
    let log = tempfile::NamedTempFile::new().unwrap();
    let status = Command::new("strace")
        .args(["-qq", "-o"])
        .arg(log.path())
        .args(words(&command(home.path(), operation, "dev")))
        .status()
        .unwrap();
    assert!(status.success());
    let folder = home.path().display().to_string();
    let mut seen: HashMap<String, usize> = HashMap::new();
    let mut calls = Vec::new();
    for line in fs::read_to_string(log.path()).unwrap().lines() {
        let Some((name, rest)) = line.split_once('(') else { continue };
        let occurrence = seen.entry(name.to_owned()).or_default();
        *occurrence += 1;
        if !calls.is_empty() || name != "execve" && rest.contains(&folder) {
            calls.push((name.to_owned(), *occurrence));
        }
    }
    calls
}

pub(crate) fn at_any_moment() {
    let home = Home::with(CONFIG, CREDENTIALS);
    home.apply(&file("dev")).unwrap();
    let in_credentials = state(&home);
    home.apply(&process("dev")).unwrap();
    let in_config = state(&home);
    let kills = if has_strace() { 250 } else { 1000 };
    let mut found = HashMap::new();
    for kill in 0..kills {
        let mut child = command(home.path(), "alternate", "dev").stdout(Stdio::piped()).spawn().unwrap();
        let mut ready = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut ready).unwrap();
        assert_eq!(ready, "ready\n");
        // Moments spread over a few changes; a busy wait, because sleeping is far coarser than one change.
        let until = Instant::now() + Duration::from_micros(kill * 7919 % 4000);
        while Instant::now() < until {
            std::hint::spin_loop();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let between = (in_credentials.0.clone(), in_config.1.clone());
        let now = state(&home);
        let which = [&in_config, &in_credentials, &between].iter().position(|known| **known == now);
        *found.entry(which.unwrap_or_else(|| panic!("kill {kill}: {now:?}"))).or_insert(0) += 1;
        let applied = home.apply(&process("dev")).unwrap();
        let is_clear = home.names().iter().all(|name| !name.starts_with('.'));
        assert!(is_clear || applied.plan.is_empty(), "{:?}", home.names());
    }
    assert!(found.len() > 1, "every kill came at the same moment: {found:?}");
}

/// Each file is old or new, what leaves a file does so before it comes to the other, and no backup is half a backup.
fn check(home: &Home, old: &State, new: &State, when: &str) {
    let now = state(home);
    let between = (new.0.clone(), old.1.clone());
    assert!(now == *old || now == *new || now == between, "{when}: {now:?}");
    for name in home.names() {
        let kept = if name.starts_with("config.rolecall-backup-") {
            &old.0
        } else if name.starts_with("credentials.rolecall-backup-") {
            &old.1
        } else {
            continue;
        };
        assert_eq!(&fs::read(home.path().join(&name)).ok(), kept, "{when}: {name}");
    }
}

fn words(command: &Command) -> Vec<std::ffi::OsString> {
    std::iter::once(command.get_program()).chain(command.get_args()).map(ToOwned::to_owned).collect()
}
