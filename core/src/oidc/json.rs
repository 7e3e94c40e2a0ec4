//! JSON objects in which every name stands once.
//!
//! RFC 7519 section 4 lets a JWT reader either refuse duplicate claim names or take the last. Two readers that
//! choose differently see two different tokens, so this product refuses.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde_json::{Map, Value};

/// A JSON object whose top-level names are unique.
pub(super) struct UniqueObject(pub(super) Map<String, Value>);

/// Why text is not a [`UniqueObject`].
pub(super) enum UniqueObjectError {
    Duplicate(String),
    Malformed,
}

impl UniqueObject {
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, UniqueObjectError> {
        serde_json::from_slice(bytes).map_err(|error| {
            let text = error.to_string();
            let name = text.strip_prefix(DUPLICATE).and_then(|rest| rest.split('\u{0}').next());
            name.map_or(UniqueObjectError::Malformed, |name| UniqueObjectError::Duplicate(name.to_owned()))
        })
    }
}

impl<'de> Deserialize<'de> for UniqueObject {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Names;
        impl<'de> Visitor<'de> for Names {
            type Value = UniqueObject;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<UniqueObject, A::Error> {
                let mut object = Map::new();
                while let Some((name, value)) = entries.next_entry::<String, Value>()? {
                    if object.contains_key(&name) {
                        return Err(A::Error::custom(format!("{DUPLICATE}{name}\u{0}")));
                    }
                    object.insert(name, value);
                }
                Ok(UniqueObject(object))
            }
        }
        deserializer.deserialize_map(Names)
    }
}

/// Marks the one error that is told apart from "not JSON"; serde carries errors as text.
const DUPLICATE: &str = "duplicate name\u{0}";
