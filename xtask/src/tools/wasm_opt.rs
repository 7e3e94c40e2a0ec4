//! `wasm-opt` of Binaryen, as npm ships it: a Node program. Version and checksum stand in `binaryen/package-lock.json`.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::repo::{self, Stamp};
use crate::step;
use crate::tools::npm;

/// Shrinks `input` into `output`, where functions keep their names.
pub(crate) fn shrink(input: &Path, output: &Path) -> Result<()> {
    run(&OPTIONS, input, output)
}

/// Takes away the names of functions, and which features are in use, which is of no use to a browser.
pub(crate) fn strip(input: &Path, output: &Path) -> Result<()> {
    run(&["--strip-debug", "--strip-target-features"], input, output)
}

fn run(options: &[&str], input: &Path, output: &Path) -> Result<()> {
    let mut node = Command::new("node");
    node.arg(repo::target(PROGRAM)).args(options).arg(input).arg("-o").arg(output);
    step::logged(&format!("wasm-opt {}", output.display()), &mut node)
}

/// Installs it if it isn't there, or if another version is wanted.
pub(crate) fn ready() -> Result<()> {
    let _lock = repo::lock("wasm-opt")?;
    let program = repo::target(PROGRAM);
    let stamp = Stamp::new(repo::target("tools/binaryen/lock.sha256"), &[LOCK.as_bytes()]);
    let fetched = stamp.is_fresh() && program.is_file();
    npm::ready("run wasm-opt", fetched)?;
    if fetched {
        return Ok(());
    }
    let folder = repo::target("tools/npm");
    npm::fetch("wasm-opt", &folder, PACKAGE, LOCK)?;
    // The package is a hundred megabytes of which we need one program.
    let shipped = folder.join("node_modules/binaryen/bin");
    for name in ["package.json", "wasm-opt"] {
        let kept = program.with_file_name(name);
        repo::create_parent(&kept)?;
        fs::rename(shipped.join(name), &kept).with_context(|| format!("npm's binaryen has no {name}"))?;
    }
    repo::remove_dir(&folder)?;
    stamp.set()
}

/// What the output depends on besides the input.
pub(crate) fn recipe() -> Vec<u8> {
    [LOCK.as_bytes(), OPTIONS.join(" ").as_bytes()].concat()
}

const PROGRAM: &str = "tools/binaryen/wasm-opt";
const PACKAGE: &str = include_str!("binaryen/package.json");
const LOCK: &str = include_str!("binaryen/package-lock.json");

/// Size first, after compression: a function that is inlined into its only caller makes that one's code less like any
/// other, and functions of one name lie side by side, within what gzip looks back on. Which features are in use stands in the
/// module.
const OPTIONS: [&str; 4] =
    ["-Oz", "--one-caller-inline-max-function-size=0", "--reorder-functions-by-name", "--debuginfo"];
