//! `wasm-opt` of Binaryen, in npm's package: a Node.js program. Its version and checksum are in
//! `binaryen/package-lock.json`.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::repo::{self, Stamp};
use crate::step;
use crate::tools::npm;

/// Shrinks `input` into `output`, keeping the names of functions.
pub(crate) fn shrink(input: &Path, output: &Path) -> Result<()> {
    run(&OPTIONS, input, output)
}

/// Sorts the functions by their names, and removes the names and the list of features, which a browser does not need.
pub(crate) fn sort_and_strip(input: &Path, output: &Path) -> Result<()> {
    run(&SORT_AND_STRIP, input, output)
}

fn run(options: &[&str], input: &Path, output: &Path) -> Result<()> {
    let mut node = Command::new("node");
    node.arg(repo::target(PROGRAM)).args(options).arg(input).arg("-o").arg(output);
    step::logged(&format!("wasm-opt {}", output.display()), &mut node)
}

/// Installs it if it is missing or has another version.
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
    // The package has a hundred megabytes, of which one program is needed.
    let shipped = folder.join("node_modules/binaryen/bin");
    for name in ["package.json", "wasm-opt"] {
        let kept = program.with_file_name(name);
        repo::create_parent(&kept)?;
        fs::rename(shipped.join(name), &kept).with_context(|| format!("npm's binaryen has no {name}"))?;
    }
    repo::remove_dir(&folder)?;
    stamp.set()
}

/// What the output depends on, apart from the input.
pub(crate) fn recipe() -> Vec<u8> {
    [LOCK.as_bytes(), OPTIONS.join(" ").as_bytes(), SORT_AND_STRIP.join(" ").as_bytes()].concat()
}

const PROGRAM: &str = "tools/binaryen/wasm-opt";
const PACKAGE: &str = include_str!("binaryen/package.json");
const LOCK: &str = include_str!("binaryen/package-lock.json");

/// Optimises for compressed size: inlining a function into its only caller makes that one less similar to others. The module
/// itself lists its features.
const OPTIONS: [&str; 3] = ["-Oz", "--one-caller-inline-max-function-size=0", "--debuginfo"];

const SORT_AND_STRIP: [&str; 3] = ["--reorder-functions-by-name", "--strip-debug", "--strip-target-features"];
