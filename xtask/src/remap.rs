//! Keeps the paths of the compiling machine out of its output: the same source gives the same bytes in every checkout
//! and for every user.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::repo;

/// The value of [`VARIABLE`] that gives the repository, the registry's crates and the standard library's sources the
/// same names everywhere. `rustc` is the compiler to use.
///
/// The user's own flags are left out on purpose: they would change the bytes.
pub(crate) fn flags(rustc: &OsStr) -> Result<OsString> {
    Ok(encode(&folders(rustc)?))
}

/// Folders and their names, the more specific ones later: the compiler uses the last one that matches.
fn folders(rustc: &OsStr) -> Result<Vec<(PathBuf, String)>> {
    let mut folders = vec![(repo::root().to_owned(), "/rolecall".to_owned())];
    if let Some(home) = cargo_home() {
        // Below it each registry has a folder whose name depends on the registry's address.
        let sources = home.join("registry/src");
        let registries = fs::read_dir(&sources).into_iter().flatten().filter_map(Result::ok);
        let mut registries: Vec<_> = registries.map(|registry| registry.path()).collect();
        registries.sort();
        folders.push((home, "/cargo".to_owned()));
        folders.extend(registries.into_iter().map(|registry| (registry, "/crates".to_owned())));
    }
    // If the standard library's sources are installed, the compiler prefers their path to the name from the library's
    // own compilation.
    let sysroot = ask(rustc, &["--print", "sysroot"])?;
    let about = ask(rustc, &["-vV"])?;
    let commit = about.lines().find_map(|line| line.strip_prefix("commit-hash: ")).unwrap_or("unknown");
    folders.push((Path::new(sysroot.trim()).join("lib/rustlib/src/rust"), format!("/rustc/{commit}")));
    Ok(folders)
}

fn encode(folders: &[(PathBuf, String)]) -> OsString {
    let mut flags = OsString::new();
    for (folder, name) in folders {
        if !flags.is_empty() {
            flags.push(SEPARATOR);
        }
        flags.push("--remap-path-prefix=");
        flags.push(folder);
        flags.push("=");
        flags.push(name);
    }
    flags
}

/// Cargo's home folder.
pub(crate) fn cargo_home() -> Option<PathBuf> {
    env::var_os("CARGO_HOME").map(PathBuf::from).or_else(|| Some(env::home_dir()?.join(".cargo")))
}

fn ask(rustc: &OsStr, args: &[&str]) -> Result<String> {
    let output = Command::new(rustc).args(args).output().context("cannot run rustc")?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The variable in which cargo looks for compiler flags first.
pub(crate) const VARIABLE: &str = "CARGO_ENCODED_RUSTFLAGS";

/// Cargo's separator of flags, so that they can contain spaces.
pub(crate) const SEPARATOR: &str = "\x1f";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_with_spaces_are_not_split_and_keep_their_order() {
        let folders = [("/home/me/my work", "/rolecall"), ("/home/me/.cargo", "/cargo")];
        let flags = encode(&folders.map(|(folder, name)| (folder.into(), name.into())));
        assert_eq!(
            flags.to_str().unwrap(),
            "--remap-path-prefix=/home/me/my work=/rolecall\x1f--remap-path-prefix=/home/me/.cargo=/cargo"
        );
    }

    #[test]
    fn the_repository_has_the_same_name_wherever_it_is() {
        let folders = folders(OsStr::new("rustc")).unwrap();
        assert_eq!(folders[0], (repo::root().to_owned(), "/rolecall".into()));
        assert!(folders.last().unwrap().1.starts_with("/rustc/"), "{folders:?}");
    }
}
