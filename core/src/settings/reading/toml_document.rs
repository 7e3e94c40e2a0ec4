//! A TOML document: as the JSON that it means, and on which line something stands in it.

use std::cell::OnceCell;

use toml::de::{DeTable, DeValue};

use super::super::SettingsError;
use super::plain;
use crate::json::{Member, WriteJson, Writer};

/// Says on which line of a TOML document something stands. A JSON document has no lines.
#[derive(Debug, Default)]
pub(super) struct Lines<'a> {
    pub(super) document: Option<(&'a str, &'a DeTable<'a>)>,
    /// Of each line but the first, the byte; found when the first line is asked for.
    starts: OnceCell<Vec<usize>>,
}

impl<'a> Lines<'a> {
    pub(super) fn of_document(text: &'a str, table: &'a DeTable<'a>) -> Self {
        Self { document: Some((text, table)), starts: OnceCell::new() }
    }

    /// The line, counted from 1, of a key of the document.
    pub(super) fn of_table(&self, name: &str) -> Option<usize> {
        let (_, document) = self.document?;
        let (name, _) = document.get_key_value(name)?;
        Some(self.at(name.span().start))
    }

    /// The line of an entry of a table, or of a key of that entry.
    pub(super) fn of_entry(&self, table: &str, index: usize, key: Option<&str>) -> Option<usize> {
        let (_, document) = self.document?;
        let entry = document.get(table)?.get_ref().as_array()?.get(index)?;
        let of_key = |key| Some(entry.get_ref().as_table()?.get_key_value(key)?.0.span().start);
        Some(self.at(key.and_then(of_key).unwrap_or(entry.span().start)))
    }

    fn at(&self, offset: usize) -> usize {
        let text = self.document.map_or("", |(text, _)| text);
        let starts = self.starts.get_or_init(|| line_starts(text));
        1 + starts.partition_point(|start| *start <= offset)
    }
}

fn line_starts(text: &str) -> Vec<usize> {
    text.match_indices('\n').map(|(offset, _)| offset + 1).collect()
}

/// Parses a TOML document, once for all who read a part of it.
pub fn parse_toml(text: &str) -> Result<DeTable<'_>, SettingsError> {
    match DeTable::parse(text) {
        Ok(document) => Ok(document.into_inner()),
        Err(error) => Err(not_toml(text, &error)),
    }
}

fn not_toml(text: &str, error: &toml::de::Error) -> SettingsError {
    let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
    SettingsError::NotToml { line: 1 + before.matches('\n').count(), reason: plain(error.message()) }
}

/// A TOML table as the JSON that it means.
pub(super) struct TomlTable<'a>(pub(super) &'a DeTable<'a>);

impl WriteJson for TomlTable<'_> {
    fn write(&self, writer: &mut Writer) {
        let members: Vec<_> =
            self.0.iter().map(|(key, value)| (key.get_ref().as_ref(), Toml(value.get_ref()))).collect();
        writer.members(&mut members.iter().map(|(key, value)| -> Member<'_> { (key, value) }));
    }
}

struct Toml<'a>(&'a DeValue<'a>);

impl WriteJson for Toml<'_> {
    fn write(&self, writer: &mut Writer) {
        match self.0 {
            DeValue::String(text) => writer.string(text),
            DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
                Ok(number) => number.write(writer),
                Err(_) => writer.object(&[]),
            },
            DeValue::Boolean(value) => value.write(writer),
            DeValue::Array(values) => {
                let values: Vec<_> = values.iter().map(|value| Toml(value.get_ref())).collect();
                values.write(writer);
            }
            DeValue::Table(table) => TomlTable(table).write(writer),
            // No key takes either: it is told as what it is not.
            DeValue::Float(_) | DeValue::Datetime(_) => writer.object(&[]),
        }
    }
}
