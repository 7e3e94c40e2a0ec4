//! Archives that depend only on names, modes and contents: sorted entries, the same time for all, and no particular
//! owner.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Cursor, Write};
use std::path::Path;

use anyhow::{Context, Result, bail};
use flate2::{Compression, GzBuilder};
use tar::{EntryType, Header};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

/// Files by their name in the archive (forward slashes, no leading one).
#[derive(Default)]
pub(super) struct Tree(BTreeMap<String, Entry>);

/// A file.
pub(super) struct Entry {
    /// Whether it is executable.
    executable: bool,
    pub(super) content: Vec<u8>,
}

impl Tree {
    /// Adds a file.
    pub(super) fn add(&mut self, name: impl Into<String>, content: impl Into<Vec<u8>>) {
        self.0.insert(name.into(), Entry { executable: false, content: content.into() });
    }

    /// Adds an executable.
    pub(super) fn add_program(&mut self, name: impl Into<String>, content: impl Into<Vec<u8>>) {
        self.0.insert(name.into(), Entry { executable: true, content: content.into() });
    }

    /// The files in the order of their names.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &Entry)> {
        self.0.iter().map(|(name, entry)| (name.as_str(), entry))
    }

    /// As a zip. Its time is the format's earliest, not the commit's: a reviewer rebuilds it from sources without
    /// history.
    pub(super) fn zip(&self) -> Result<Vec<u8>> {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, entry) in &self.0 {
            let options = SimpleFileOptions::default()
                .compression_method(CompressionMethod::Deflated)
                .compression_level(Some(9))
                .last_modified_time(DateTime::default())
                .unix_permissions(entry.mode());
            zip.start_file(name.as_str(), options)?;
            zip.write_all(&entry.content)?;
        }
        Ok(zip.finish()?.into_inner())
    }

    /// As a tar with its folders, with all names below `prefix`; `time` in seconds since 1970.
    pub(super) fn tar(&self, prefix: &str, time: u64) -> Result<Vec<u8>> {
        let mut tar = tar::Builder::new(Vec::new());
        for folder in self.folders() {
            let name = format!("{prefix}{folder}");
            tar.append(&header(EntryType::Directory, &name, 0o755, 0, time)?, std::io::empty())?;
        }
        for (name, entry) in &self.0 {
            let name = format!("{prefix}{name}");
            let size = u64::try_from(entry.content.len())?;
            let header = header(EntryType::Regular, &name, entry.mode(), size, time)?;
            tar.append(&header, entry.content.as_slice())?;
        }
        Ok(tar.into_inner()?)
    }

    /// Every folder above a file, parents first, with a trailing slash; the outermost is empty.
    fn folders(&self) -> BTreeSet<&str> {
        let mut folders = BTreeSet::from([""]);
        for name in self.0.keys() {
            folders.extend(name.match_indices('/').filter_map(|(at, _)| name.get(..=at)));
        }
        folders
    }
}

impl Entry {
    fn mode(&self) -> u32 {
        if self.executable { 0o755 } else { 0o644 }
    }
}

/// Compresses without a name or time.
pub(super) fn gzip(content: &[u8]) -> Result<Vec<u8>> {
    let mut gzip = GzBuilder::new().mtime(0).write(Vec::new(), Compression::best());
    gzip.write_all(content)?;
    Ok(gzip.finish()?)
}

fn header(kind: EntryType, name: &str, mode: u32, size: u64, time: u64) -> Result<Header> {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_uid(0);
    header.set_gid(0);
    header.set_username("root")?;
    header.set_groupname("root")?;
    header.set_size(size);
    header.set_mtime(time);
    // `set_path` would drop the "./" at the beginning of names in Debian's packages.
    let place = &mut header.as_old_mut().name;
    let Some(place) = place.get_mut(..name.len()) else { bail!("{name} is too long a name for an archive") };
    place.copy_from_slice(name.as_bytes());
    header.set_cksum();
    Ok(header)
}

/// A path in the form of archives, on every system.
pub(super) fn name(path: &Path) -> Result<String> {
    let parts: Option<Vec<_>> = path.iter().map(|part| part.to_str()).collect();
    Ok(parts.with_context(|| format!("{} is not UTF-8", path.display()))?.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(names: &[&str]) -> Tree {
        let mut tree = Tree::default();
        for name in names {
            tree.add(*name, format!("content of {name}"));
        }
        tree.add_program("bin/rolecall", "#!");
        tree
    }

    #[test]
    fn the_order_of_adding_files_does_not_matter() {
        let (one, two) = (tree(&["b", "a/b", "a/a"]), tree(&["a/a", "b", "a/b"]));
        assert_eq!(one.zip().unwrap(), two.zip().unwrap());
        assert_eq!(one.tar("./", 1).unwrap(), two.tar("./", 1).unwrap());
    }

    #[test]
    fn a_zip_has_forward_slashes_and_file_modes() {
        let bytes = tree(&["wasm/a.js", "manifest.json"]).zip().unwrap();
        let mut zip = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
        let mut seen = Vec::new();
        for at in 0..zip.len() {
            let file = zip.by_index(at).unwrap();
            seen.push((file.name().unwrap().into_owned(), file.unix_mode().unwrap() & 0o777));
        }
        let expected = [("bin/rolecall", 0o755), ("manifest.json", 0o644), ("wasm/a.js", 0o644)];
        assert_eq!(seen, expected.map(|(name, mode)| (name.to_owned(), mode)));
    }

    #[test]
    fn a_tar_names_folders_before_what_is_in_them_and_belongs_to_root() {
        let bytes = tree(&["share/man/man1/rolecall.1"]).tar("./", 1_700_000_000).unwrap();
        let mut tar = tar::Archive::new(bytes.as_slice());
        let mut seen = Vec::new();
        for entry in tar.entries().unwrap() {
            let entry = entry.unwrap();
            let header = entry.header();
            assert_eq!((header.uid().unwrap(), header.gid().unwrap()), (0, 0));
            assert_eq!(header.username().unwrap(), Some("root"));
            assert_eq!(header.mtime().unwrap(), 1_700_000_000);
            let name = String::from_utf8(entry.path_bytes().into_owned()).unwrap();
            seen.push((name, header.mode().unwrap()));
        }
        let expected = [
            ("./", 0o755),
            ("./bin/", 0o755),
            ("./share/", 0o755),
            ("./share/man/", 0o755),
            ("./share/man/man1/", 0o755),
            ("./bin/rolecall", 0o755),
            ("./share/man/man1/rolecall.1", 0o644),
        ];
        assert_eq!(seen, expected.map(|(name, mode)| (name.to_owned(), mode)));
    }

    #[test]
    fn a_name_too_long_for_the_format_is_refused_rather_than_truncated() {
        assert!(tree(&["x".repeat(101).as_str()]).tar("", 1).is_err());
    }

    #[test]
    fn compressing_at_another_time_gives_the_same_bytes() {
        let bytes = gzip(b"page").unwrap();
        assert_eq!(bytes[3], 0, "no name");
        assert_eq!(bytes[4..8], [0; 4], "no time");
    }
}
