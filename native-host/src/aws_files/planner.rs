//! The decisions of a plan: what conflicts, and what is edited in which file.

use std::path::Path;
use std::sync::Arc;

use super::document::Document;
use super::edit::Edit;
use super::error::{Error, Finding};
use super::faults::Fault;
use super::files::Which;
use super::line::Kind;
use super::names;
use super::plan::{self, Change, Contents, Note, Plan, Zeroized};
use super::profile::{Entry, NewProfile, decides_credentials};
use super::section::{self, Found};
use super::{marker, secret};

/// One file with the profile's sections in it.
pub(super) struct View<'a> {
    pub(super) which: Which,
    pub(super) path: &'a Path,
    pub(super) contents: &'a Contents,
    pub(super) document: Document<'a>,
    pub(super) found: Vec<Found>,
}

impl<'a> View<'a> {
    /// Finds `profile` in a file that may not exist.
    pub(super) fn new(
        which: Which,
        path: &'a Path,
        contents: &'a Contents,
        profile: &str,
    ) -> Result<Self, Error> {
        let bytes = plan::bytes(contents);
        if bytes.is_some_and(is_not_text) {
            return Err(Error::NotText { file: path.to_owned() });
        }
        let document = Document::new(bytes.unwrap_or_default());
        let found = section::find(&document, which, profile);
        Ok(Self { which, path, contents, document, found })
    }

    /// Keys that Rolecall did not write and that tools would use in place of Rolecall's.
    pub(super) fn shadowing<'v>(
        &'v self,
        found: &'v Found,
        beats: impl Fn(&str) -> bool + 'v,
    ) -> impl Iterator<Item = Finding> + 'v {
        found.foreign(&self.document, beats).map(|(property, key)| {
            let what =
                format!("AWS tools would use {}, which Rolecall did not write", secret::shown_key(&key));
            Finding::new(self.path, property.line + 1, what)
        })
    }

    /// Refuses a file that no reader accepts: what would be added could not be read, and its meaning is unclear.
    fn check_readable(&self) -> Result<(), Error> {
        match self.document.faults.for_everybody() {
            Some(Fault { line, what }) => {
                Err(Error::Unreadable { file: self.path.to_owned(), line: line + 1, what })
            }
            None => Ok(()),
        }
    }

    /// Warnings about the file, whatever the operation.
    pub(super) fn notes(&self) -> impl Iterator<Item = Note> + '_ {
        let faults = self.document.faults;
        let note =
            |line: usize, message: String| Note { file: self.path.to_owned(), line: line + 1, message };
        let nobody = faults
            .for_everybody()
            .map(|fault| note(fault.line, format!("No AWS tool can read this file: {}.", fault.what)));
        let botocore = faults.botocore.filter(|_| faults.sdks.is_none()).map(|fault| {
            note(fault.line, format!("The AWS CLI and boto3 cannot read this file: {}.", fault.what))
        });
        let sdks = faults
            .sdks
            .filter(|_| faults.botocore.is_none())
            .map(|fault| note(fault.line, format!("Some AWS SDKs cannot read this file: {}.", fault.what)));
        let bare_return = faults.bare_return.map(|line| {
            note(
                line,
                "AWS tools disagree about where this line ends: it has a lone carriage return.".to_owned(),
            )
        });
        let defaults = self.document.sections.iter().filter(|section| {
            self.document.content(section.header).starts_with(b"[DEFAULT]")
                && self
                    .document
                    .properties(section)
                    .iter()
                    .any(|p| decides_credentials(&self.document.key(p)))
        });
        let defaults = defaults.map(move |section| {
            note(
                section.header,
                "The AWS CLI and boto3 add the keys of [DEFAULT] to every profile.".to_owned(),
            )
        });
        nobody.into_iter().chain(botocore).chain(sdks).chain(bare_return).chain(defaults)
    }

    /// The file after `edit`; `None` if nothing but Rolecall's own first line would be left.
    fn edited(&self, mut edit: Edit) -> Contents {
        let is_marked = |(line, _): (usize, _)| {
            self.document.kind(line) == Kind::Comment
                && !edit.drops(line)
                && marker::is_marker(self.document.content(line))
        };
        let is_created = self
            .document
            .lines
            .first()
            .is_some_and(|_| self.document.content(0) == marker::CREATED.as_bytes());
        if is_created && !edit.inserts() && !self.document.lines.iter().enumerate().any(is_marked) {
            edit.drop_line(0);
        }
        let after = Zeroized(edit.render(&self.document));
        (!(is_created && after.0.is_empty())).then(|| Arc::new(after))
    }

    fn change(&self, edit: Edit, takes_over: bool) -> Option<Change> {
        if edit.is_empty() {
            return None;
        }
        let after = self.edited(edit);
        Some(Change { path: self.path.to_owned(), before: self.contents.clone(), after, takes_over })
    }
}

/// Plans one operation on one profile.
pub(super) struct Planner<'a> {
    pub(super) profile: &'a str,
    pub(super) force: bool,
}

impl Planner<'_> {
    /// Writes `new` to `target` and removes what Rolecall wrote for it from `other`.
    pub(super) fn set(
        &self,
        new: &NewProfile,
        mut target: View<'_>,
        other: &View<'_>,
    ) -> Result<Plan, Error> {
        target.found.iter_mut().for_each(|found| found.recognize(&target.document, &new.entries));
        let findings = conflicts(new, &target, other);
        if !findings.is_empty() && !self.force {
            return Err(Error::Conflict { profile: self.profile.to_owned(), findings });
        }
        let takes_over = !findings.is_empty();
        // A tool reads both files or neither, so a fault in the other one stops this profile too.
        target.check_readable()?;
        other.check_readable()?;
        let notes = target.notes().chain(other.notes()).collect();
        let changed = self.change_target(new, &target, takes_over);
        let edit = self.edit_other(new, other);
        Ok(Plan::new(other.change(edit, takes_over).into_iter().chain(changed), notes))
    }

    /// Removes what Rolecall wrote for the profile; if forced, all of the profile.
    pub(super) fn remove(&self, config: View<'_>, credentials: View<'_>) -> Result<Plan, Error> {
        let views = [config, credentials];
        let all = || views.iter().flat_map(|view| view.found.iter().map(move |found| (view, found)));
        if all().next().is_none() {
            return Err(Error::NotFound { profile: self.profile.to_owned() });
        }
        let is_ours = all().any(|(_, found)| found.owned.is_some());
        if !is_ours && !self.force {
            let findings = all().map(|(view, found)| foreign_section(view, found)).collect();
            return Err(Error::Conflict { profile: self.profile.to_owned(), findings });
        }
        let mut changes = Vec::new();
        for view in &views {
            let mut edit = Edit::default();
            let mut takes_over = false;
            for found in &view.found {
                if self.force {
                    takes_over |= found.foreign(&view.document, |_| true).next().is_some();
                    found.remove(&view.document, &mut edit);
                } else if found.owned.is_some() {
                    found.strip(&view.document, &mut edit, |key| found.owns(key));
                }
            }
            if edit.is_empty() {
                continue;
            }
            view.check_readable()?;
            changes.extend(view.change(edit, takes_over));
        }
        Ok(Plan::new(changes, views.iter().flat_map(View::notes).collect()))
    }

    fn change_target(&self, new: &NewProfile, target: &View<'_>, takes_over: bool) -> Option<Change> {
        let document = &target.document;
        let mut edit = Edit::default();
        let Some(primary) = primary(&target.found) else {
            let lines = section::new_lines(target.which, self.profile, &new.entries);
            let Some(_) = target.contents else {
                let created = format!("{}\n", marker::CREATED);
                let document = Document::new(created.as_bytes());
                edit.append(&document, lines);
                let after = Some(Arc::new(Zeroized(edit.render(&document))));
                return Some(Change { path: target.path.to_owned(), before: None, after, takes_over });
            };
            edit.append(document, lines);
            return target.change(edit, takes_over);
        };
        for (position, found) in target.found.iter().enumerate() {
            if position == primary {
                let goes = |key: &str| self.force && decides_credentials(key);
                found.claim(document, &mut edit, (target.which, self.profile), &new.entries, goes);
            } else {
                found.remove(document, &mut edit);
            }
        }
        target.change(edit, takes_over)
    }

    fn edit_other(&self, new: &NewProfile, other: &View<'_>) -> Edit {
        let mut edit = Edit::default();
        for found in &other.found {
            let goes = |key: &str| found.owns(key) || self.force && beats(new, other.which, key);
            found.strip(&other.document, &mut edit, goes);
        }
        edit
    }
}

/// Everything that Rolecall did not write and that writing `new` would replace or contradict.
fn conflicts(new: &NewProfile, target: &View<'_>, other: &View<'_>) -> Vec<Finding> {
    let primary = primary(&target.found);
    let is_ours = target.found.iter().chain(&other.found).any(|found| found.owned.is_some());
    let mut views = [target, other];
    views.sort_by_key(|view| view.which);
    let mut findings = Vec::new();
    for view in views {
        for (position, found) in view.found.iter().enumerate() {
            if !is_ours {
                findings.push(foreign_section(view, found));
            } else if view.which == target.which && Some(position) != primary {
                if found.foreign(&view.document, |_| true).next().is_some() || found.owned.is_none() {
                    findings.push(foreign_section(view, found));
                }
            } else {
                findings.extend(view.shadowing(found, |key| beats(new, view.which, key)));
            }
        }
    }
    findings
}

/// Whether a key of this name that Rolecall did not write would be used in place of those of `new`.
fn beats(new: &NewProfile, which: Which, key: &str) -> bool {
    // The credentials file takes precedence in all readers, key by key.
    let wins = which == Which::Credentials && new.home == Which::Config;
    decides_credentials(key) || wins && new.entries.iter().any(|entry: &Entry| entry.key == key)
}

/// The section to keep in the target file: Rolecall's own, else the first.
fn primary(found: &[Found]) -> Option<usize> {
    found.iter().position(|found| found.owned.is_some()).or_else(|| (!found.is_empty()).then_some(0))
}

fn foreign_section(view: &View<'_>, found: &Found) -> Finding {
    let document = &view.document;
    let header = names::profile(document.content(found.section.header), view.which).unwrap_or_default();
    let keys: Vec<_> =
        document.properties(&found.section).iter().map(|property| document.key(property)).collect();
    let shown: Vec<_> = keys.iter().take(KEYS_SHOWN).map(|key| secret::shown_key(key)).collect();
    let list = match keys.len() {
        0 => "no keys".to_owned(),
        count if count > KEYS_SHOWN => format!("{} and {} more", shown.join(", "), count - KEYS_SHOWN),
        _ => shown.join(", "),
    };
    let what = format!("a section for {header:?} that Rolecall did not write, with {list}");
    Finding::new(view.path, found.section.header + 1, what)
}

/// UTF-16 and binary files, which adding ASCII would break.
fn is_not_text(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") || bytes.contains(&0)
}

const KEYS_SHOWN: usize = 6;
