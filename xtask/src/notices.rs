//! What a program owes to the authors of the crates that are linked into it: their names, and the terms that have to go
//! along. Told for exactly the crates in question, from the files that the crates themselves bring.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use spdx::{Expression, ParseMode};

use crate::crates::{self, Crate};
use crate::repo;

/// The crates of others in a program.
pub(crate) struct Notices {
    /// Those that offer the Apache licence. It wants its text to go along, once.
    apache: Vec<String>,
    /// Terms that go along as their authors wrote them, and whose they are.
    others: BTreeMap<String, Vec<String>>,
}

impl Notices {
    /// For what `packages` become when they are compiled for `target`.
    ///
    /// A crate under terms that are not known here is an error: somebody has to read them first.
    pub(crate) fn of(packages: &[&str], target: &str) -> Result<Self> {
        let mut linked = Vec::new();
        for package in packages {
            linked.extend(crates::linked(package, target)?);
        }
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
                bail!("nobody has said that {} {} may be used: {:?}", one.name, one.version, one.license);
            }
        }
        Ok(notices)
    }

    /// As a page to read.
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

    /// Terms and whose they are, in the order of the crates.
    fn others(&self) -> Vec<(&String, &Vec<String>)> {
        let mut others: Vec<_> = self.others.iter().collect();
        others.sort_by_key(|(terms, labels)| (*labels, *terms));
        others
    }
}

/// Text as Debian's control files continue a field.
pub(crate) fn paragraph(text: &str) -> String {
    let line = |line: &str| if line.trim().is_empty() { " .\n".into() } else { format!(" {line}\n") };
    text.lines().map(line).collect()
}

/// Whether it is enough to agree to these licences.
fn satisfied(one: &Crate, licences: &[&str]) -> Result<bool> {
    let Some(text) = &one.license else { return Ok(false) };
    let expression = Expression::parse_mode(text, ParseMode::LAX)
        .with_context(|| format!("{} {} does not name its licence well", one.name, one.version))?;
    Ok(expression.evaluate(|asked| licences.contains(&asked.to_string().as_str())))
}

/// The terms in a crate's folder, but for the Apache licence, which stands at the end of every notice.
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
        let (_, words) = own.split_once("\n\n").context("LICENSE-MIT does not begin with its holder")?;
        let holder = if one.authors.is_empty() {
            format!("the authors of {}", one.name)
        } else {
            one.authors.join(", ")
        };
        terms.push(format!("Copyright (c) {holder}\n\n{}", words.trim_end()));
    }
    if terms.is_empty() {
        bail!("{} {} does not bring its terms", one.name, one.version);
    }
    Ok(terms)
}

/// "NAME VERSION, REPOSITORY".
fn label(one: &Crate) -> String {
    let place = one.repository.as_ref().map(|place| format!(", {place}")).unwrap_or_default();
    format!("{} {}{place}", one.name, one.version)
}

/// What Debian's format calls a labelled crate: the folder that cargo unpacks it to.
fn files(label: &str) -> String {
    format!("{}/*", label.split(',').next().unwrap_or_default().replace(' ', "-"))
}

/// Where it is in what is packed.
pub(crate) const FILE: &str = "THIRD-PARTY.txt";

const TITLE: &str = "\
Rolecall is made with the work of others. What is compiled into it is listed here with its terms: first all that may be
used under the Apache License 2.0, whose text is at the end, then what comes with terms of its own.";

/// It is in every program, and no crate of the lock file.
const STANDARD_LIBRARY: &str = "The Rust standard library, https://github.com/rust-lang/rust";

const RULER: &str = "\n----------------------------------------------------------------------\n\n";

const APACHE: &str = "Apache-2.0";

/// Licences that a program may be published under without its sources, if their terms go along.
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

/// How files of terms are called.
const NAMES: [&str; 5] = ["COPYING", "COPYRIGHT", "LICENCE", "LICENSE", "NOTICE"];

#[cfg(test)]
mod tests {
    use super::*;

    fn extension() -> Notices {
        Notices::of(&["rolecall-worker", "rolecall-ui"], "wasm32-unknown-unknown").unwrap()
    }

    #[test]
    fn whatever_is_linked_is_named_with_its_terms() {
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
    fn terms_that_several_crates_share_stand_there_once() {
        let text = extension().text().unwrap();
        let (before, _) = text.split_once("\nzmij ").unwrap();
        assert!(before.lines().last().unwrap().starts_with("unicode-ident "), "{text}");
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
    fn a_licence_that_nobody_has_read_is_refused() {
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
