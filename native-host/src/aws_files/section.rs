//! The sections of one profile in one file: who wrote them, and the edits that claim, strip or remove them.

use memchr::memmem;
use secrecy::ExposeSecret;

use super::document::{Document, Property, Section};
use super::edit::Edit;
use super::files::Which;
use super::line::{Kind, is_delimiter};
use super::marker;
use super::names::{self, Seen};
use super::profile::Entry;
use super::text;

/// A section that some reader takes for the profile.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) section: Section,
    pub(super) seen: Seen,
    /// The keys that Rolecall wrote, if the section is its own.
    pub(super) owned: Option<Vec<String>>,
    markers: Vec<usize>,
}

/// All sections of `profile`, in order.
pub(super) fn find(document: &Document<'_>, which: Which, profile: &str) -> Vec<Found> {
    let mut found = Vec::new();
    let name = memmem::Finder::new(profile);
    for section in &document.sections {
        let header = document.content(section.header);
        // A header can only name the profile if it contains the name, or hides it behind quotes.
        if name.find(header).is_none() && memchr::memchr3(b'"', b'\'', b'\\', header).is_none() {
            continue;
        }
        let seen = names::seen(header, which, profile);
        if seen.by_anyone() {
            found.push(Found::new(document, *section, seen, profile));
        }
    }
    found
}

/// A credentials file without the keys that Rolecall wrote.
pub(super) fn without_own(bytes: &[u8]) -> Vec<u8> {
    let document = Document::new(bytes);
    let mut edit = Edit::default();
    for section in &document.sections {
        let header = document.content(section.header);
        let Some(name) = names::profile(header, Which::Credentials) else { continue };
        let seen = names::seen(header, Which::Credentials, &name);
        let found = Found::new(&document, *section, seen, &name);
        if found.owned.is_some() {
            found.strip(&document, &mut edit, |key| found.owns(key));
        }
    }
    edit.render(&document)
}

/// The lines of a new section.
pub(super) fn new_lines(which: Which, profile: &str, entries: &[Entry]) -> Vec<Vec<u8>> {
    let mut lines = vec![names::header(which, profile).into_bytes(), marker_line(profile, entries)];
    lines.extend(entries.iter().map(|entry| entry_line(b"", entry)));
    lines
}

impl Found {
    pub(super) fn new(document: &Document<'_>, section: Section, seen: Seen, profile: &str) -> Self {
        let first_key = document.properties(&section).first().map_or(section.end, |property| property.line);
        let mut found = Self { section, seen, owned: None, markers: Vec::new() };
        for line in section.header + 1..section.end {
            if !matches!(document.kind(line), Kind::Comment | Kind::IndentedComment) {
                continue;
            }
            let Some(marker) = marker::parse(document.content(line)) else { continue };
            // Below other keys and for another profile: the header above the marker was deleted.
            if line < first_key || marker.profile.is_none_or(|name| name == profile) {
                found.markers.push(line);
                found.owned.get_or_insert_default().extend(marker.keys);
            }
        }
        found
    }

    pub(super) fn owns(&self, key: &str) -> bool {
        self.owned.as_ref().is_some_and(|keys| keys.iter().any(|owned| owned == key))
    }

    /// Keys that Rolecall did not write, of those that `matters` selects.
    pub(super) fn foreign<'d>(
        &'d self,
        document: &'d Document<'_>,
        matters: impl Fn(&str) -> bool + 'd,
    ) -> impl Iterator<Item = (Property, String)> + 'd {
        document
            .properties(&self.section)
            .iter()
            .map(|property| (*property, document.key(property)))
            .filter(move |(_, key)| !self.owns(key) && matters(key))
    }

    /// Treats the section as Rolecall's if it already has what Rolecall would write.
    pub(super) fn recognize(&mut self, document: &Document<'_>, entries: &[Entry]) {
        let Some(process) = entries.iter().find(|entry| entry.key == "credential_process") else { return };
        let says_so = |property: &Property| {
            document.key(property) == process.key
                && document.value(property) == process.value.expose_secret().as_bytes()
        };
        if self.owned.is_none() && document.properties(&self.section).iter().any(says_so) {
            self.owned = Some(vec![process.key.clone()]);
        }
    }

    /// Removes the keys that `goes` selects and Rolecall's marker; the header too, if no key is left below it.
    pub(super) fn strip(&self, document: &Document<'_>, edit: &mut Edit, goes: impl Fn(&str) -> bool) {
        let mut is_left = false;
        let mut is_changed = false;
        for &line in &self.markers {
            edit.drop_line(line);
            is_changed = true;
        }
        for property in document.properties(&self.section) {
            if goes(&document.key(property)) {
                edit.drop_property(document, property);
                is_changed = true;
            } else {
                is_left = true;
            }
        }
        if is_changed && !is_left {
            edit.drop_header(document, &self.section);
        }
    }

    /// Removes everything from the header to the last key. Comments below stay: they may belong to the next section.
    pub(super) fn remove(&self, document: &Document<'_>, edit: &mut Edit) {
        edit.drop_header(document, &self.section);
        let last_key =
            document.properties(&self.section).last().map_or(self.section.header + 1, |last| last.end);
        for line in (self.section.header..last_key).chain(self.markers.iter().copied()) {
            edit.drop_line(line);
        }
    }

    /// Writes `entries` into the section, in place. Other keys stay unless `goes` selects them.
    pub(super) fn claim(
        &self,
        document: &Document<'_>,
        edit: &mut Edit,
        (which, profile): (Which, &str),
        entries: &[Entry],
        goes: impl Fn(&str) -> bool,
    ) {
        if !self.seen.by_everyone() {
            edit.replace(self.section.header, names::header(which, profile).into_bytes());
        }
        let marker = marker_line(profile, entries);
        match self.markers.split_first() {
            Some((&line, others)) => {
                if document.content(line) != marker {
                    edit.replace(line, marker);
                }
                for &line in others {
                    edit.drop_line(line);
                }
            }
            None => edit.insert(self.section.header + 1, marker),
        }
        let properties: Vec<_> = document
            .properties(&self.section)
            .iter()
            .map(|property| (*property, document.key(property)))
            .collect();
        for (position, (property, key)) in properties.iter().enumerate() {
            let is_wanted = entries.iter().any(|entry| entry.key == *key);
            let is_repeated = properties.iter().take(position).any(|(_, before)| before == key);
            if is_repeated && is_wanted || !is_wanted && (self.owns(key) || goes(key)) {
                edit.drop_property(document, property);
            }
        }
        let mut anchor = self.top(document, edit, &properties);
        for entry in entries {
            match properties.iter().find(|(_, key)| *key == entry.key) {
                Some((property, _)) => {
                    rewrite(document, edit, property, entry);
                    anchor = (property.end, indentation(document.content(property.line)));
                }
                None => edit.insert(anchor.0, entry_line(anchor.1, entry)),
            }
        }
    }

    /// Where a key can be inserted at the head of the section, and with which indentation, so that it neither continues
    /// another key nor is continued.
    fn top<'d>(
        &self,
        document: &Document<'d>,
        edit: &Edit,
        properties: &[(Property, String)],
    ) -> (usize, &'d [u8]) {
        let first_key = properties.first().map_or(self.section.end, |(property, _)| property.line);
        let is_head = |line: &usize| {
            document.kind(*line) == Kind::IndentedComment || self.markers.first() == Some(line)
        };
        let line =
            (self.section.header + 1..first_key).rev().find(is_head).unwrap_or(self.section.header) + 1;
        let below = properties.iter().find(|(property, _)| !edit.drops(property.line));
        (line, below.map_or(&[], |(property, _)| indentation(document.content(property.line))))
    }
}

fn rewrite(document: &Document<'_>, edit: &mut Edit, property: &Property, entry: &Entry) {
    let is_one_line = document.lines_of(property).count() == 1;
    if is_one_line
        && document.value(property) == entry.value.expose_secret().as_bytes()
        && has_equals(document, property)
    {
        return;
    }
    let indentation = indentation(document.content(property.line));
    for line in document.lines_of(property).skip(1) {
        edit.drop_line(line);
    }
    edit.replace(property.line, entry_line(indentation, entry));
}

/// Whether the SDKs see the same key as botocore, which takes `:` for `=`.
fn has_equals(document: &Document<'_>, property: &Property) -> bool {
    document.content(property.line).iter().find(|&&byte| is_delimiter(byte)) == Some(&b'=')
}

fn indentation(line: &[u8]) -> &[u8] {
    line.get(..line.len() - text::strip_start(line).len()).unwrap_or_default()
}

fn entry_line(indentation: &[u8], entry: &Entry) -> Vec<u8> {
    [indentation, entry.key.as_bytes(), b" = ", entry.value.expose_secret().as_bytes()].concat()
}

fn marker_line(profile: &str, entries: &[Entry]) -> Vec<u8> {
    marker::line(profile, entries.iter().map(|entry| entry.key.as_str())).into_bytes()
}
