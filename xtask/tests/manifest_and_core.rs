//! Facts that `manifest/` repeats from core, because browsers read them there, are the same as in core.

#![expect(clippy::unwrap_used, reason = "a test that cannot read its data has failed")]

use std::path::Path;

use rolecall_core::{identity, settings};
use serde::de::{Deserialize, Deserializer, Error, Visitor, value};
use serde::forward_to_deserialize_any;
use serde_json::Value;

fn manifest(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../manifest").join(name);
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

#[test]
fn the_ids_of_the_extension_and_the_host_are_the_same_in_core() {
    let ids = manifest("ids.json");
    assert_eq!(ids["chromium_extension_id"], identity::CHROMIUM_EXTENSION_ID);
    assert_eq!(ids["firefox_extension_id"], identity::FIREFOX_EXTENSION_ID);
    assert_eq!(ids["native_host_name"], identity::HOST_NAME);
}

#[test]
fn the_policy_schema_has_exactly_the_settings_keys() {
    let schema = manifest("managed-schema.json");
    assert_eq!(properties(&schema), fields::<settings::Settings>());
    for (section, known) in [
        ("provider", fields::<settings::Provider>()),
        ("role", fields::<settings::Role>()),
        ("account", fields::<settings::Account>()),
    ] {
        assert_eq!(properties(&schema["properties"][section]["items"]), known, "{section}");
    }
}

fn properties(schema: &Value) -> Vec<String> {
    let mut names: Vec<_> = schema["properties"].as_object().unwrap().keys().cloned().collect();
    names.sort();
    names
}

/// The names of a struct's fields.
fn fields<T: for<'de> Deserialize<'de>>() -> Vec<String> {
    let mut names = Vec::new();
    // It always fails, since there is no data; only the requested fields matter.
    assert!(T::deserialize(FieldNames(&mut names)).is_err());
    names.sort();
    names
}

/// Records which fields a struct requests, and provides no values.
struct FieldNames<'a>(&'a mut Vec<String>);

impl<'de> Deserializer<'de> for FieldNames<'_> {
    type Error = value::Error;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Self::Error> {
        Err(Error::custom("only structs have fields"))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Self::Error> {
        self.0.extend(fields.iter().map(|field| (*field).to_owned()));
        Err(Error::custom("there is nothing to read"))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}
