//! The program at the other end of the agent's socket, as the operating system reports it.
//!
//! Approvals show it and are remembered for it. It tells honest programs apart and names an unexpected one; it does not
//! stop a program of the same user that pretends to be another.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use interprocess::local_socket::Stream;
use rolecall_core::message::host::Program;
use rolecall_core::text;

use crate::platform::{self, Process};

/// The program that a person started, skipping `rolecall` itself and shells that only run one command. `None` if the
/// system does not report it.
pub(crate) fn program(stream: &Stream) -> Option<Program> {
    let mut next = platform::peer_process(stream);
    let mut programs = Vec::new();
    // A chain of processes is short; a limit prevents loops through reused process ids.
    for _ in 0..LONGEST_CHAIN {
        let Some(process) = next.filter(|id| *id > 1).and_then(platform::process) else { break };
        let Some(path) = &process.program else { break };
        let script = script(&process);
        if !is_intermediary(path, script.is_some()) {
            programs.push(name(path, script.as_deref()));
        }
        if programs.len() == 2 {
            break;
        }
        next = process.parent;
    }
    let mut programs = programs.into_iter();
    Some(Program { path: programs.next()?, parent: programs.next() })
}

/// The script that an interpreter runs. An argument counts as one only if such a file exists: any other argument may be
/// a secret.
fn script(process: &Process) -> Option<PathBuf> {
    let name = process
        .program
        .as_ref()?
        .file_stem()?
        .to_str()?
        .trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    if !INTERPRETERS.contains(&name) {
        return None;
    }
    script_among(process.arguments.get(1..)?, process.folder.as_deref()?)
}

fn script_among(arguments: &[OsString], folder: &Path) -> Option<PathBuf> {
    let first = arguments.iter().find(|argument| !argument.as_encoded_bytes().starts_with(b"-"))?;
    let path = folder.join(first);
    path.is_file().then_some(path)
}

fn name(path: &Path, script: Option<&Path>) -> String {
    let name = match script {
        Some(script) => format!("{} {}", path.display(), script.display()),
        None => path.display().to_string(),
    };
    text::on_one_line(&name, NAME_MAX)
}

fn is_intermediary(path: &Path, runs_script: bool) -> bool {
    let shell = path.file_name().is_some_and(|name| ["sh", "dash"].map(OsStr::new).contains(&name));
    (shell && !runs_script) || std::env::current_exe().is_ok_and(|own| own == path)
}

/// Interpreters, whose own path says little. Without trailing digits and dots, as in `python3.11`.
const INTERPRETERS: [&str; 9] = ["python", "node", "ruby", "perl", "bash", "sh", "dash", "zsh", "fish"];

const LONGEST_CHAIN: usize = 8;

/// The longest name of a program, in characters.
const NAME_MAX: usize = 2_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_argument_that_names_a_file_counts_as_a_script() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("deploy.py"), "").unwrap();
        let script = |arguments: &[&str]| {
            script_among(&arguments.iter().map(OsString::from).collect::<Vec<_>>(), folder.path())
        };
        assert_eq!(script(&["-u", "deploy.py", "--token", "secret"]), Some(folder.path().join("deploy.py")));
        assert_eq!(script(&["-c", "print('secret')"]), None);
        assert_eq!(script(&["-"]), None);
        assert_eq!(script(&[]), None);
    }

    #[test]
    fn a_shell_is_skipped_if_it_runs_one_command_but_not_if_it_runs_a_script() {
        assert!(is_intermediary(Path::new("/usr/bin/dash"), false));
        assert!(!is_intermediary(Path::new("/usr/bin/dash"), true));
        assert!(!is_intermediary(Path::new("/usr/bin/bash"), false));
        assert!(is_intermediary(&std::env::current_exe().unwrap(), false));
    }
}
