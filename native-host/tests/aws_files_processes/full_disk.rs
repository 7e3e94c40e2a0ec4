//! A file system of 1 MiB with ever more room: whatever does not fit is refused, and nothing is lost.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use rolecall_host::aws_files::{AwsFiles, Options};
use tempfile::TempDir;

use crate::home::{file, names, process};

/// A file system of its own, gone with this value.
struct Small(TempDir);

impl Small {
    fn mount() -> Result<Self, String> {
        let folder = TempDir::new().map_err(|error| error.to_string())?;
        let output = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=1m", "rolecall-test"])
            .arg(folder.path())
            .output()
            .map_err(|error| error.to_string())?;
        if output.status.success() {
            Ok(Self(folder))
        } else {
            Err(String::from_utf8_lossy(&output.stderr).trim().to_owned())
        }
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.path()).status();
    }
}

pub(crate) fn can_mount() -> Result<(), String> {
    Small::mount().map(drop)
}

pub(crate) fn loses_nothing() {
    let disk = Small::mount().unwrap();
    let files = AwsFiles::at(disk.path().join("config"), disk.path().join("credentials"));
    // Three pages each, so that room can run out anywhere in a copy.
    let comments = "# a comment that fills a page or so of the file\n".repeat(200);
    fs::write(files.config(), format!("{comments}[default]\n")).unwrap();
    fs::write(files.credentials(), format!("{comments}[default]\n")).unwrap();
    files.apply(&process("dev"), &Options::default()).unwrap();
    for name in names(disk.path()).iter().filter(|name| name.contains("backup")) {
        fs::remove_file(disk.path().join(name)).unwrap();
    }
    let read = || [fs::read(files.config()).unwrap(), fs::read(files.credentials()).unwrap()];
    let before = read();
    let mut refusals = 0;
    for free in 0.. {
        let filler = disk.path().join("filler");
        fill(&filler);
        let length = fs::metadata(&filler).unwrap().len();
        File::options()
            .write(true)
            .open(&filler)
            .unwrap()
            .set_len(length.saturating_sub(free * PAGE))
            .unwrap();
        match files.apply(&file("dev"), &Options::default()) {
            Err(error) => {
                assert_eq!(error.code(), rolecall_core::Code::AwsFilesDiskFull, "{error}");
                assert_eq!(read(), before, "with {free} pages free");
                refusals += 1;
            }
            Ok(_) => break,
        }
        let left: Vec<_> = names(disk.path()).into_iter().filter(|name| name.starts_with('.')).collect();
        assert!(left.is_empty(), "{left:?}");
        for name in names(disk.path()).iter().filter(|name| name.contains("backup")) {
            fs::remove_file(disk.path().join(name)).unwrap();
        }
    }
    assert!(refusals > 4, "only {refusals} refusals");
    assert!(files.list().unwrap().iter().any(|profile| profile.expires.is_some()));
}

fn fill(path: &Path) {
    let mut filler = File::create(path).unwrap();
    let page = vec![0; usize::try_from(PAGE).unwrap()];
    while filler.write_all(&page).is_ok() {}
}

const PAGE: u64 = 4096;
