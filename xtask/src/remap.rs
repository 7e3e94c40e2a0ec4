//! Keeps the folders of the machine that compiles out of what it compiles: the same source gives the same bytes in
//! every checkout and for every user.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::repo;

/// The value of [`VARIABLE`] that gives the repository, the crates from the registry and the standard
/// library's sources one name everywhere. `rustc` is the compiler that will be told.
///
/// The flags of the person who builds are left out on purpose: they would be in the bytes.
pub(crate) fn flags(rustc: &OsStr) -> Result<OsString> {
    Ok(encode(&folders(rustc)?))
}

/// Folders and their names, the more special ones later: the compiler takes the last that fits.
fn folders(rustc: &OsStr) -> Result<Vec<(PathBuf, String)>> {
    let mut folders = vec![(repo::root().to_owned(), "/rolecall".to_owned())];
    if let Some(home) = cargo_home() {
        // Below it each registry has a folder whose name depends on the way to the registry.
        let sources = home.join("registry/src");
        let registries = fs::read_dir(&sources).into_iter().flatten().filter_map(Result::ok);
        let mut registries: Vec<_> = registries.map(|registry| registry.path()).collect();
        registries.sort();
        folders.push((home, "/cargo".to_owned()));
        folders.extend(registries.into_iter().map(|registry| (registry, "/crates".to_owned())));
    }
    // Where the standard library's sources are installed, the compiler prefers them to the name they were given when
    // the library was compiled.
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

/// Where cargo keeps what it fetched.
pub(crate) fn cargo_home() -> Option<PathBuf> {
    env::var_os("CARGO_HOME").map(PathBuf::from).or_else(|| Some(env::home_dir()?.join(".cargo")))
}

fn ask(rustc: &OsStr, args: &[&str]) -> Result<String> {
    let output = Command::new(rustc).args(args).output().context("cannot run rustc")?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Where cargo looks for the compiler's flags first.
pub(crate) const VARIABLE: &str = "CARGO_ENCODED_RUSTFLAGS";

/// What cargo wants between flags, so that they can hold spaces.
const SEPARATOR: &str = "\x1f";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_with_spaces_stay_whole_and_keep_their_order() {
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
