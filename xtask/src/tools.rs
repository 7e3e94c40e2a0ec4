//! The programs that building and testing need, found or installed. Each module handles one of them, without knowing
//! its use.

pub(crate) mod apt;
pub(crate) mod chromium;
pub(crate) mod crates_io;
pub(crate) mod firefox;
pub(crate) mod node_packages;
pub(crate) mod npm;
pub(crate) mod python;
pub(crate) mod rust_target;
pub(crate) mod wasm_opt;
pub(crate) mod wasm_target;
pub(crate) mod web_ext;
pub(crate) mod wine;

use std::env;
use std::path::PathBuf;

/// The first of these programs on the PATH.
pub(crate) fn find(names: &[&str]) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    names.iter().find_map(|name| {
        env::split_paths(&path)
            .map(|folder| folder.join(name).with_extension(env::consts::EXE_EXTENSION))
            .find(|file| file.is_file())
    })
}
