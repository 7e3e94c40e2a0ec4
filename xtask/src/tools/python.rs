//! A Python environment with the AWS command line and SDK, which the tests use with the product, and a third-party STS. The
//! packages and their checksums are in `tests/python-lock.txt`.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use crate::repo::{self, Stamp};
use crate::step;
use crate::tools::apt;

/// The environment's interpreter. The environment is created first if its list of packages has changed.
pub(crate) fn ready() -> Result<PathBuf> {
    let _lock = repo::lock("python")?;
    let requirements = repo::path("tests/python-lock.txt");
    let folder = repo::target("python");
    let python = folder.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" });
    let stamp = Stamp::new(folder.join("requirements.sha256"), &[&repo::read(&requirements)?]);
    if stamp.is_fresh() && python.is_file() {
        return Ok(python);
    }
    if !can_make_environments() {
        apt::install(
            &["python3", "python3-venv"],
            "run AWS's Python tools",
            "Python 3 with its modules venv and ensurepip",
        )?;
    }
    repo::remove_dir(&folder)?;
    step::run("create a Python environment", Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
    step::run(
        "install AWS's Python tools and an STS",
        Command::new(&python)
            .args([
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
                "--no-compile",
                "--require-hashes",
                // Building a package runs its code, and fetches further packages without checksums.
                "--only-binary=:all:",
                "--requirement",
            ])
            .arg(&requirements),
    )?;
    stamp.set()?;
    Ok(python)
}

fn can_make_environments() -> bool {
    Command::new("python3")
        .args(["-c", "import ensurepip, venv"])
        .output()
        .is_ok_and(|output| output.status.success())
}

#[cfg(test)]
mod unit_tests {
    #[test]
    fn the_lock_has_every_package_that_is_wanted_with_checksums() {
        let lock = include_str!("../../../tests/python-lock.txt");
        // An entry is a line with the version and lines with checksums, each of them continued but the last.
        let locked: Vec<_> =
            lock.lines().filter(|line| !line.starts_with([' ', '#'])).map(str::trim_end).collect();
        assert!(locked.iter().all(|line| line.ends_with('\\')), "a package has no checksum: {locked:?}");
        let requirements = include_str!("../../../tests/python-requirements.txt");
        for wanted in requirements.lines().filter(|line| !line.starts_with('#')) {
            let (name, version) = wanted.split_once("==").unwrap();
            let name = name.split('[').next().unwrap();
            let is_it = |line: &&str| line.split([' ', ';']).next() == Some(&format!("{name}=={version}"));
            assert!(locked.iter().any(is_it), "{wanted} is not in the lock: make it anew");
        }
    }
}
