//! A user who may not do everything. Root may, so root sends a child that is nobody.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

use crate::home::Home;
use crate::writer::command;

const NOBODY: u32 = 65534;

pub(crate) fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|metadata| metadata.uid() == 0)
}

pub(crate) fn read_only_folder() {
    let home = Home::with("[default]\n", "");
    allow(&home.config(), 0o666);
    allow(&home.credentials(), 0o666);
    allow(home.path(), 0o555);
    let code = run(&home, "process");
    assert_eq!(code, "aws-files-read-only-folder\n");
    assert_eq!(home.read_config().unwrap(), b"[default]\n");
    allow(home.path(), 0o755);
    assert_eq!(home.names(), ["config", "credentials"]);
}

pub(crate) fn foreign_owner() {
    let home = Home::with("[default]\n", "");
    allow(&home.config(), 0o666);
    allow(&home.credentials(), 0o666);
    allow(home.path(), 0o777);
    chown(home.config(), Some(0), Some(0)).unwrap();
    assert_eq!(run(&home, "process"), "aws-files-foreign-owner\n");
    assert_eq!(home.read_config().unwrap(), b"[default]\n");
    let hidden: Vec<_> = home.names().into_iter().filter(|name| name.starts_with('.')).collect();
    assert!(hidden.is_empty(), "{hidden:?}");
}

fn run(home: &Home, operation: &str) -> String {
    let command = command(home.path(), operation, "dev");
    // Where nobody may execute it: the build's own folder can be root's alone.
    let copy = tempfile::Builder::new().permissions(fs::Permissions::from_mode(0o755)).tempdir().unwrap();
    let program = copy.path().join("writer");
    // By another process: a file that this one has open for writing can reach the child of another
    // test's thread for a moment, and is then "text file busy".
    let copied = Command::new("cp").arg(command.get_program()).arg(&program).status().unwrap();
    assert!(copied.success());
    let mut child = Command::new(&program);
    child.args(command.get_args());
    if is_root() {
        child.uid(NOBODY).gid(NOBODY);
    }
    let output = child.output().unwrap();
    assert!(!output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

fn allow(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}
