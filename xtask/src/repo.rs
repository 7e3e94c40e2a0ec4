//! Paths in this repository, and commands that run in it.

use std::collections::BTreeMap;
use std::env;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{self, Command};
use std::sync::OnceLock;

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

use crate::step;

/// The repository's root folder: the one that this program was compiled from, unless [`set_root`] said otherwise.
pub(crate) fn root() -> &'static Path {
    ROOT.get_or_init(|| {
        let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
        xtask.parent().unwrap_or(xtask).to_owned()
    })
}

/// Makes another folder the root. It must be called before the root is used.
pub(crate) fn set_root(folder: &Path) -> Result<()> {
    let folder =
        fs::canonicalize(folder).with_context(|| format!("there is no folder {}", folder.display()))?;
    let _ = ROOT.set(folder);
    Ok(())
}

/// The path of this program. It is read when the program starts: the tests' build replaces the file, and from then on
/// the system only reports a deleted one.
pub(crate) fn program() -> Result<&'static Path> {
    let program = PROGRAM.get_or_init(|| env::current_exe().ok());
    program.as_deref().context("the path of this program is unknown")
}

/// A path below the repository's root.
pub(crate) fn path(relative: &str) -> PathBuf {
    root().join(relative)
}

/// A path below `target/`, the folder for everything that can be built again.
pub(crate) fn target(relative: &str) -> PathBuf {
    root().join("target").join(relative)
}

/// The cargo that started this program, in the repository's root and with its target folder.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root()).env("CARGO_TARGET_DIR", root().join("target"));
    if env::var_os(INCREMENTAL).is_none() {
        // Incremental compilation helps when one crate is compiled repeatedly by hand; here it would be a third of the
        // folder.
        command.env(INCREMENTAL, "0");
    }
    command
}

/// Locks what is set up under this name, until the returned file is dropped, against other runs of `cargo xtask` and
/// other threads of this one.
pub(crate) fn lock(name: &str) -> Result<File> {
    let path = target("locks").join(name);
    create_parent(&path)?;
    let failed = || format!("cannot lock {}", path.display());
    let mut file = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .with_context(failed)?;
    if file.try_lock().is_err() {
        let holder = fs::read_to_string(&path).unwrap_or_default();
        if holder != process::id().to_string() {
            step::note(&format!("waiting for another `cargo xtask` to set up {name}"));
        }
        file.lock().with_context(failed)?;
    }
    file.set_len(0).with_context(failed)?;
    write!(file, "{}", process::id()).with_context(failed)?;
    Ok(file)
}

/// Creates the folder of `path`.
pub(crate) fn create_parent(path: &Path) -> Result<()> {
    let folder = path.parent().unwrap_or(path);
    fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))
}

/// Reads a file; an error names it.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}

/// Writes a file and creates its folder; an error names it.
pub(crate) fn write(path: &Path, content: impl AsRef<[u8]>) -> Result<()> {
    create_parent(path)?;
    fs::write(path, content).with_context(|| format!("cannot write {}", path.display()))
}

/// Makes a folder contain exactly these files. Unchanged files are not written, other files are removed, except below
/// the folder `target`.
pub(crate) fn fill(folder: &Path, files: &BTreeMap<PathBuf, Vec<u8>>) -> Result<()> {
    let mut present = BTreeMap::new();
    if folder.is_dir() {
        collect(folder, &|path| path != folder.join("target"), &mut present)?;
    }
    for stale in present.keys().filter(|name| !files.contains_key(*name)) {
        fs::remove_file(folder.join(stale)).with_context(|| format!("cannot remove {}", stale.display()))?;
    }
    for (name, content) in files.iter().filter(|(name, content)| present.get(*name) != Some(content)) {
        write(&folder.join(name), content)?;
    }
    Ok(())
}

/// Reads every file below a folder for which, and for whose parent folders, `wanted` is true. Their names are relative
/// to the folder.
pub(crate) fn collect(
    folder: &Path,
    wanted: &dyn Fn(&Path) -> bool,
    files: &mut BTreeMap<PathBuf, Vec<u8>>,
) -> Result<()> {
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        let failed = || format!("cannot list {}", next.display());
        for entry in fs::read_dir(&next).with_context(failed)? {
            let path = entry.with_context(failed)?.path();
            if !wanted(&path) {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else {
                files.insert(path.strip_prefix(folder)?.to_owned(), read(&path)?);
            }
        }
    }
    Ok(())
}

/// Removes a folder with its contents, if it exists.
pub(crate) fn remove_dir(path: &Path) -> Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", path.display()))
        }
        _ => Ok(()),
    }
}

/// SHA-256 of some bytes, in hexadecimal.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    format!("{:x}", Sha256::digest(bytes))
}

/// Records the inputs of an output, so that it is only built again when they have changed.
pub(crate) struct Stamp {
    file: PathBuf,
    wanted: String,
}

impl Stamp {
    /// A stamp kept in `file` for an output made from `inputs`.
    pub(crate) fn new(file: PathBuf, inputs: &[&[u8]]) -> Self {
        let mut digest = Sha256::new();
        for input in inputs {
            digest.update(Sha256::digest(input));
        }
        Self { file, wanted: format!("{:x}", digest.finalize()) }
    }

    /// Whether the output was built from exactly these inputs.
    pub(crate) fn is_fresh(&self) -> bool {
        fs::read_to_string(&self.file).is_ok_and(|found| found == self.wanted)
    }

    /// Records that the output was built from these inputs.
    pub(crate) fn set(&self) -> Result<()> {
        write(&self.file, &self.wanted)
    }
}

const INCREMENTAL: &str = "CARGO_INCREMENTAL";

static ROOT: OnceLock<PathBuf> = OnceLock::new();
static PROGRAM: OnceLock<Option<PathBuf>> = OnceLock::new();
