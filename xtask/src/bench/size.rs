//! The weight of the extension, and of its parts.
//!
//! A browser reads and compiles the module, wasm-bindgen's JavaScript for it, and the scripts that start it. The
//! weight is the sum of these files, each compressed with gzip.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::ops::Range;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use flate2::Compression;
use flate2::write::GzEncoder;
use rustc_demangle::demangle;
use wasmparser::{KnownCustom, Name, NameSectionReader, Parser, Payload};

use super::Measure;
use crate::{build, repo};

/// The weight of the last build of the extension.
pub(super) fn measure() -> Result<Measure> {
    let files = files()?;
    let module = files.iter().filter(|file| file.path.extension().is_some_and(|kind| kind == "wasm"));
    Ok(Measure {
        name: "the module and its JavaScript, gzipped".into(),
        value: files.iter().map(|file| file.gzipped).sum(),
        limit: LIMIT,
        unit: "bytes".into(),
        aside: format!("the module {}", module.map(|file| file.gzipped).sum::<u64>()),
    })
}

/// Says how much the extension weighs as it was built last. It is an error if that is over the limit.
pub(crate) fn check() -> Result<String> {
    let measure = measure()?;
    let line = super::line(&measure);
    ensure!(
        measure.value <= measure.limit,
        "{line}\nThe extension is too heavy: see `cargo xtask bench --size`."
    );
    Ok(line)
}

/// Prints the sizes of each file, then the module's sections, crates and largest functions.
pub(super) fn breakdown() -> Result<()> {
    for file in files()? {
        println!("{:>9} {:>9} gzipped  {}", file.bytes, file.gzipped, file.name());
    }
    println!("{}", super::line(&measure()?));
    let bytes = repo::read(&build::named())?;
    print!("\nThe module, bytes before compression\n{}", Contents::read(&bytes)?.table());
    Ok(())
}

struct File {
    path: PathBuf,
    bytes: u64,
    gzipped: u64,
}

impl File {
    /// Reads it as it is in the extension.
    fn read(path: PathBuf) -> Result<Self> {
        let mut content = repo::read(&path)?;
        if path.extension().is_some_and(|kind| kind == "js") {
            content = build::slimmed(str::from_utf8(&content)?).into_bytes();
        }
        let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
        gzip.write_all(&content)?;
        let gzipped = u64::try_from(gzip.finish()?.len())?;
        Ok(Self { path, bytes: u64::try_from(content.len())?, gzipped })
    }

    fn name(&self) -> String {
        self.path.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }
}

/// The files that a browser loads to run the extension, in a fixed order.
fn files() -> Result<Vec<File>> {
    let mut paths = Vec::new();
    for folder in [build::modules(), repo::path("extension/pages")] {
        let entries = fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))?;
        for entry in entries {
            paths.push(entry?.path());
        }
    }
    paths.retain(|path| path.extension().is_some_and(|kind| kind == "wasm" || kind == "js"));
    paths.sort();
    paths.into_iter().map(File::read).collect()
}

/// The parts of a module.
#[derive(Default)]
struct Contents {
    code: u64,
    data: u64,
    other: u64,
    /// The demangled name and size of each function.
    functions: Vec<(String, u64)>,
}

impl Contents {
    /// Reads a module that contains the names of its functions.
    fn read(bytes: &[u8]) -> Result<Self> {
        let mut contents = Self::default();
        let mut imported = 0;
        let mut sizes = Vec::new();
        let mut names = BTreeMap::new();
        for payload in Parser::new(0).parse_all(bytes) {
            match payload? {
                Payload::ImportSection(imports) => {
                    contents.other += size(&imports.range());
                    for import in imports.into_imports() {
                        imported += u32::from(matches!(import?.ty, wasmparser::TypeRef::Func(_)));
                    }
                }
                Payload::CodeSectionStart { range, .. } => contents.code = size(&range),
                Payload::CodeSectionEntry(body) => sizes.push(size(&body.range())),
                Payload::DataSection(data) => contents.data = size(&data.range()),
                Payload::CustomSection(section) => match section.as_known() {
                    KnownCustom::Name(section) => names = functions(section)?,
                    _ => contents.other += size(&section.range()),
                },
                other => contents.other += other.as_section().map_or(0, |(_, range)| size(&range)),
            }
        }
        let name = |index| names.get(&index).map_or("(no name)", String::as_str);
        let functions =
            (imported..).zip(sizes).map(|(index, size)| (format!("{:#}", demangle(name(index))), size));
        contents.functions = functions.collect();
        Ok(contents)
    }

    fn table(&self) -> String {
        let mut crates: BTreeMap<&str, (u64, usize)> = BTreeMap::new();
        for (name, size) in &self.functions {
            let (bytes, count) = crates.entry(crate_of(name)).or_default();
            *bytes += size;
            *count += 1;
        }
        let mut crates: Vec<_> = crates.into_iter().collect();
        crates.sort_by_key(|(_, (bytes, _))| std::cmp::Reverse(*bytes));
        let mut functions: Vec<_> = self.functions.iter().collect();
        functions.sort_by_key(|(_, bytes)| std::cmp::Reverse(*bytes));

        let mut table = String::new();
        let mut row = |bytes: u64, what: &str| {
            let _ = writeln!(table, "{bytes:>9}  {what}");
        };
        row(self.code, "code");
        row(self.data, "data");
        row(self.other, "everything else");
        for (name, (bytes, count)) in crates.into_iter().take(CRATES) {
            row(bytes, &format!("code of {name} ({count} functions)"));
        }
        for (name, bytes) in functions.into_iter().take(FUNCTIONS) {
            row(*bytes, name);
        }
        table
    }
}

fn functions(section: NameSectionReader<'_>) -> Result<BTreeMap<u32, String>> {
    let mut names = BTreeMap::new();
    for subsection in section {
        if let Name::Function(functions) = subsection? {
            for function in functions {
                let function = function?;
                names.insert(function.index, function.name.to_owned());
            }
        }
    }
    Ok(names)
}

/// The crate that a function's source is in. Instances of generic functions count for the crate that defines them.
fn crate_of(function: &str) -> &str {
    let path = function.trim_start_matches(['<', '&', '(', '[', '*']);
    let path =
        ["dyn ", "mut ", "const ", "impl "].iter().fold(path, |path, word| path.trim_start_matches(word));
    let end = path.find(|c: char| c != '_' && !c.is_ascii_alphanumeric()).unwrap_or(path.len());
    &path[..end]
}

fn size(range: &Range<usize>) -> u64 {
    u64::try_from(range.len()).unwrap_or(u64::MAX)
}

/// In bytes. It was 592,000 when general-purpose crates did all the decoding.
const LIMIT: u64 = 260_000;

/// How many of the largest are printed.
const CRATES: usize = 30;
const FUNCTIONS: usize = 40;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_counts_for_the_crate_that_defines_it() {
        for (function, of) in [
            ("serde_json::de::from_slice", "serde_json"),
            ("<alloc::vec::Vec<T> as core::clone::Clone>::clone", "alloc"),
            (
                "<&mut serde_json::de::Deserializer<R> as serde_core::de::Deserializer>::deserialize_map",
                "serde_json",
            ),
            ("<dyn core::fmt::Write>::write_char", "core"),
            ("memcpy", "memcpy"),
        ] {
            assert_eq!(crate_of(function), of, "{function}");
        }
    }

    #[test]
    fn a_module_is_split_by_sections_and_names() {
        // Two functions of the type () -> (), the first of them imported, and the other's name.
        let module = b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x02\x07\x01\x01a\x01b\0\0\x03\x02\x01\0\x0a\x05\x01\x03\0\0\x0b\0\x0d\x04name\x01\x06\x01\x01\x03a::";
        let contents = Contents::read(module).unwrap();
        assert_eq!((contents.code, contents.data), (5, 0));
        assert_eq!(contents.functions, [("a::".to_owned(), 3)]);
        assert!(contents.table().contains("3  code of a (1 functions)"), "{}", contents.table());
    }
}
