//! `cargo xtask pictures`: the README's pictures of the real popup, and what the real command line prints. A test says when
//! they are of another popup.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use crate::extension::{Browser, Profile};
use crate::fixtures::Fixtures;
use crate::tools::wasm_target;
use crate::{build, repo, step};

/// Takes the pictures.
pub(crate) fn run() -> Result<()> {
    wasm_target::ready()?;
    let program = |name| repo::target("debug").join(name).with_extension(std::env::consts::EXE_EXTENSION);
    let programs = ["build", "--workspace", "--bin", "rolecall", "--bin", "screenshots"];
    step::run("compile the host and what takes pictures", repo::cargo().args(programs))?;
    let browsers = [Browser::Chromium];
    build::extension(&browsers, Profile::Debug)?;
    let fixtures = Fixtures::new(&browsers, Profile::Debug, program("rolecall"))?;
    let mut screenshots = Command::new(program("screenshots"));
    screenshots.arg("--readme").arg(repo::path(FOLDER));
    let status = fixtures.give(&mut screenshots).status().context("cannot take pictures")?;
    ensure!(status.success(), "the pictures were not taken");
    repo::write(&repo::path(FOLDER).join(SUBJECT), subject()?)
}

/// What the pictures show: the digest of the sources that decide how the popup looks.
fn subject() -> Result<String> {
    let mut files = BTreeMap::new();
    for folder in ["extension/pages", "extension/ui/src"] {
        repo::collect(&repo::path(folder), &decides_the_look, &mut files)?;
    }
    let lines = files.iter().map(|(path, content)| format!("{} {}\n", repo::sha256(content), path.display()));
    Ok(format!("{}\n", repo::sha256(lines.collect::<String>().as_bytes())))
}

fn decides_the_look(path: &Path) -> bool {
    const FILES: [&str; 6] = ["popup.html", "popup.css", "common.css", "view.rs", "words.rs", "time.rs"];
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let is_part = path.parent().is_some_and(|folder| folder.ends_with("ui/src/page"));
    path.is_dir() && name != "tests" || FILES.contains(&name) || is_part
}

const FOLDER: &str = "docs/pictures";

/// The file that says what the pictures show.
const SUBJECT: &str = "subject.sha256";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_readmes_pictures_are_of_this_popup() {
        let of = |path: std::path::PathBuf| String::from_utf8(repo::read(&path).unwrap()).unwrap();
        let taken = of(repo::path(FOLDER).join(SUBJECT));
        assert_eq!(taken, subject().unwrap(), "the popup looks different now: run cargo xtask pictures");
        let readme = of(repo::path("README.md"));
        for picture in ["popup-light.png", "popup-dark.png"] {
            assert!(readme.contains(&format!("{FOLDER}/{picture}")), "{picture}");
            assert!(repo::path(FOLDER).join(picture).is_file(), "{picture}");
        }
        assert!(readme.contains(&of(repo::path(FOLDER).join("terminal.txt"))), "docs/pictures/terminal.txt");
    }
}
