//! The licence notices of a program: the authors of the crates that are linked into it, and their terms. They are
//! generated for exactly these crates, from the files in the crates.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use spdx::{Expression, ParseMode};

use crate::crates::{self, Crate};
use crate::repo;

/// The third-party crates in a program.
pub(crate) struct Notices {
    /// Crates under the Apache licence, whose text must be included once.
    apache: Vec<String>,
    /// Other terms, which are included as written, with the crates they belong to.
    others: BTreeMap<String, Vec<String>>,
}

impl Notices {
    /// The notices for `package` when compiled for `target`.
    ///
    /// A crate with unknown terms is an error: someone has to read them first.
    pub(crate) fn of(package: &str, target: &str) -> Result<Self> {
        let linked = crates::linked(package, target)?;
        let mut all = crates::all(&[target])?;
        all.retain(|one| one.source.is_some());
        all.sort_by(|one, other| (&one.name, &one.version).cmp(&(&other.name, &other.version)));

        let mut notices = Self { apache: Vec::new(), others: BTreeMap::new() };
        for one in &all {
            if !linked.iter().any(|(name, version)| (name, version) == (&one.name, &one.version)) {
                continue;
            }
            if satisfied(one, &[APACHE])? {
                notices.apache.push(label(one));
            } else if satisfied(one, &WITH_TERMS)? {
                for terms in terms(one)? {
                    notices.others.entry(terms).or_default().push(label(one));
                }
            } else {
                bail!(
                    "the licence of {} {} is not in the list of accepted licences: {:?}",
                    one.name,
                    one.version,
                    one.license
                );
            }
        }
        Ok(notices)
    }

    /// As a text file.
    pub(crate) fn text(&self) -> Result<String> {
        let mut text = format!("{TITLE}\n\n{STANDARD_LIBRARY}\n");
        for label in &self.apache {
            text.extend([label, "\n"]);
        }
        for (terms, labels) in self.others() {
            text.extend([RULER, &labels.join("\n"), "\n\n", terms, "\n"]);
        }
        text.extend([RULER, &String::from_utf8(repo::read(&repo::path("LICENSE-APACHE"))?)?]);
        Ok(text)
    }

    /// As paragraphs of Debian's copyright file, <https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/>.
    pub(crate) fn debian(&self) -> String {
        let apache = self.apache.iter().map(|label| files(label)).collect::<Vec<_>>().join("\n ");
        let mut text = format!(
            "Files: {apache}\nCopyright: the authors of each, named in its repository\nLicense: Apache-2.0\n"
        );
        for (number, (terms, labels)) in self.others().into_iter().enumerate() {
            let files = labels.iter().map(|label| files(label)).collect::<Vec<_>>().join("\n ");
            let holders: Vec<_> =
                terms.lines().map(str::trim).filter(|line| line.starts_with("Copyright ")).collect();
            let holders = if holders.is_empty() { "see below".into() } else { holders.join("\n ") };
            let name = format!("terms-{}", number + 1);
            text.extend(["\nFiles: ", &files, "\nCopyright: ", &holders, "\nLicense: ", &name, "\n"]);
            text.push_str(&paragraph(terms));
        }
        text
    }

    /// Terms and their crates, in the order of the crates.
    fn others(&self) -> Vec<(&String, &Vec<String>)> {
        let mut others: Vec<_> = self.others.iter().collect();
        others.sort_by_key(|(terms, labels)| (*labels, *terms));
        others
    }
}

/// Text as a continuation of a field in Debian's control files.
pub(crate) fn paragraph(text: &str) -> String {
    let line = |line: &str| if line.trim().is_empty() { " .\n".into() } else { format!(" {line}\n") };
    text.lines().map(line).collect()
}

/// Whether these licences are enough to use the crate.
pub(crate) fn satisfied(one: &Crate, licences: &[&str]) -> Result<bool> {
    let Some(text) = &one.license else { return Ok(false) };
    let expression = Expression::parse_mode(text, ParseMode::LAX)
        .with_context(|| format!("{} {} has an invalid licence expression", one.name, one.version))?;
    Ok(expression.evaluate(|asked| licences.contains(&asked.to_string().as_str())))
}

/// The terms in a crate's folder, except the Apache licence, which is at the end of every notice.
fn terms(one: &Crate) -> Result<Vec<String>> {
    let folder = one.manifest_path.parent().unwrap_or(Path::new(""));
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))? {
        names.push(entry?.file_name());
    }
    names.sort();
    let mut terms = Vec::new();
    for name in names {
        let upper = name.to_string_lossy().to_uppercase();
        let wanted = NAMES.iter().any(|begin| upper.starts_with(begin)) && !upper.contains("APACHE");
        if wanted && folder.join(&name).is_file() {
            let text = String::from_utf8(repo::read(&folder.join(&name))?)?;
            let lines: Vec<_> = text.lines().map(str::trim_end).collect();
            terms.push(lines.join("\n").trim_matches('\n').to_owned());
        }
    }
    if terms.is_empty() && satisfied(one, &["MIT"])? {
        let own = String::from_utf8(repo::read(&repo::path("LICENSE-MIT"))?)?;
        let (_, words) =
            own.split_once("\n\n").context("LICENSE-MIT does not begin with the copyright holder")?;
        let holder = if one.authors.is_empty() {
            format!("the authors of {}", one.name)
        } else {
            one.authors.join(", ")
        };
        terms.push(format!("Copyright (c) {holder}\n\n{}", words.trim_end()));
    }
    if terms.is_empty() {
        bail!("{} {} has no licence file", one.name, one.version);
    }
    Ok(terms)
}

/// "NAME VERSION, REPOSITORY".
fn label(one: &Crate) -> String {
    let place = one.repository.as_ref().map(|place| format!(", {place}")).unwrap_or_default();
    format!("{} {}{place}", one.name, one.version)
}

/// A crate in Debian's format: the folder that cargo unpacks it to.
fn files(label: &str) -> String {
    format!("{}/*", label.split(',').next().unwrap_or_default().replace(' ', "-"))
}

/// The name of the notices in packages.
pub(crate) const FILE: &str = "THIRD-PARTY.txt";

const TITLE: &str = "\
Rolecall contains third-party software, which is listed here with its licence terms: first everything that may be
used under the Apache License 2.0, whose text is at the end, then everything with other terms.";

/// It is in every program, but not in the lock file.
const STANDARD_LIBRARY: &str = "The Rust standard library, https://github.com/rust-lang/rust";

const RULER: &str = "\n----------------------------------------------------------------------\n\n";

const APACHE: &str = "Apache-2.0";

/// Licences that allow publishing a program without its sources, if their terms are included.
const WITH_TERMS: [&str; 9] = [
    APACHE,
    "BSD-2-Clause",
    "BSD-3-Clause",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// How the names of licence files begin.
const NAMES: [&str; 5] = ["COPYING", "COPYRIGHT", "LICENCE", "LICENSE", "NOTICE"];

#[cfg(test)]
mod tests {
    use super::*;

    fn extension() -> Notices {
        Notices::of("rolecall-extension", "wasm32-unknown-unknown").unwrap()
    }

    #[test]
    fn every_linked_crate_is_listed_with_its_terms() {
        let text = extension().text().unwrap();
        assert!(text.contains("\nserde 1."), "{text}");
        let (_, slab) = text.split_once("\nslab 0.").unwrap();
        assert!(slab.contains("Permission is hereby granted"), "{text}");
        assert!(!text.contains("rolecall-core"), "our own crates are no third party's");
        assert!(!text.contains("clap "), "the host's crates are not in the extension");
        assert!(
            text.ends_with(&String::from_utf8(repo::read(&repo::path("LICENSE-APACHE")).unwrap()).unwrap())
        );
    }

    #[test]
    fn terms_shared_by_several_crates_are_included_once() {
        let text = extension().text().unwrap();
        let (before, _) = text.split_once("\nzeroize ").unwrap();
        assert!(before.lines().last().unwrap().starts_with("web-sys "), "{text}");
    }

    #[test]
    fn debians_form_has_no_empty_line_within_a_paragraph() {
        let text = extension().debian();
        for paragraph in text.split("\n\n") {
            assert!(paragraph.starts_with("Files: "), "{paragraph}");
            assert!(paragraph.contains("\nCopyright: ") && paragraph.contains("\nLicense: "), "{paragraph}");
        }
    }

    #[test]
    fn an_unknown_licence_is_refused() {
        let mut one = crates::all(&["wasm32-unknown-unknown"]).unwrap().remove(0);
        for (license, apache, known) in [
            ("MIT OR Apache-2.0", true, true),
            ("Apache-2.0/MIT", true, true),
            ("Apache-2.0 AND ISC", false, true),
            ("(MIT OR Apache-2.0) AND Unicode-3.0", false, true),
            ("GPL-3.0-only", false, false),
            ("MIT AND GPL-3.0-only", false, false),
        ] {
            one.license = Some(license.into());
            assert_eq!(satisfied(&one, &[APACHE]).unwrap(), apache, "{license}");
            assert_eq!(satisfied(&one, &WITH_TERMS).unwrap(), known, "{license}");
        }
    }
}
