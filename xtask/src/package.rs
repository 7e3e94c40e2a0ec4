//! `cargo xtask package`: what is released, the same bytes for the same source.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use crate::extension::{self, Browser};
use crate::{build, repo};

/// Runs the word.
pub(crate) fn run() -> Result<()> {
    build::extension(&Browser::ALL)?;
    let folder = repo::target("package");
    repo::remove_dir(&folder)?;
    fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let mut sums = String::new();
    for browser in Browser::ALL {
        let name = format!("rolecall-{}-{}.zip", env!("CARGO_PKG_VERSION"), browser.name());
        let mut files = BTreeMap::new();
        extension::collect(&browser.folder(), Path::new(""), &mut files)?;
        let archive = folder.join(&name);
        pack(&archive, &files).with_context(|| format!("cannot write {}", archive.display()))?;
        sums.extend([&repo::sha256(&repo::read(&archive)?), "  ", &name, "\n"]);
        println!("{}", archive.display());
    }
    let list = folder.join("SHA256SUMS");
    repo::write(&list, sums)?;
    println!("{}", list.display());
    Ok(())
}

/// Packs files in the order of their names, with a fixed time and fixed rights, so that only content counts.
fn pack(archive: &Path, files: &BTreeMap<PathBuf, Vec<u8>>) -> Result<()> {
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .compression_level(Some(9))
        .last_modified_time(DateTime::default())
        .unix_permissions(0o644);
    let mut zip = ZipWriter::new(File::create(archive)?);
    for (path, content) in files {
        // Archives have forward slashes on every system.
        let name: Vec<_> = path.iter().map(|part| part.to_string_lossy()).collect();
        zip.start_file(name.join("/"), options)?;
        zip.write_all(content)?;
    }
    zip.finish()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packing_the_same_files_twice_gives_the_same_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let files = BTreeMap::from([
            (PathBuf::from("manifest.json"), b"{}".to_vec()),
            (Path::new("wasm").join("a.js"), b"export default 1;".to_vec()),
        ]);
        let (one, two) = (folder.path().join("one.zip"), folder.path().join("two.zip"));
        pack(&one, &files).unwrap();
        pack(&two, &files).unwrap();
        assert_eq!(fs::read(&one).unwrap(), fs::read(&two).unwrap());
        let mut read = zip::ZipArchive::new(File::open(&one).unwrap()).unwrap();
        assert_eq!(read.by_index(1).unwrap().name().unwrap(), "wasm/a.js");
    }
}
