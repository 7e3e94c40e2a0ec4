//! JSON objects without duplicate names.
//!
//! RFC 7519 section 4 lets a JWT reader either refuse duplicate claim names or take the last. Two readers that
//! choose differently see two different tokens, so this product refuses.

use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use crate::json;

/// Why text is not a JSON object whose top-level names are unique.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum UniqueObjectError {
    /// This name is a duplicate.
    Duplicate(String),
    /// It is no JSON object.
    Malformed,
}

/// Reads a JSON object whose top-level names are unique.
pub(super) fn unique_object(text: &[u8]) -> Result<Map<String, Value>, UniqueObjectError> {
    match json::from_slice(text) {
        Ok(Names::Unique(object)) => Ok(object),
        Ok(Names::Duplicate(name)) => Err(UniqueObjectError::Duplicate(name)),
        Err(_) => Err(UniqueObjectError::Malformed),
    }
}

enum Names {
    Unique(Map<String, Value>),
    Duplicate(String),
}

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Members)
    }
}

struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Names;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Names, A::Error> {
        let mut object = Map::new();
        let mut duplicate = None;
        while let Some((name, value)) = entries.next_entry::<String, Value>()? {
            if object.contains_key(&name) {
                duplicate.get_or_insert(name);
            } else {
                object.insert(name, value);
            }
        }
        Ok(duplicate.map_or(Names::Unique(object), Names::Duplicate))
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn a_duplicate_name_is_reported() {
        assert_eq!(unique_object(br#"{"a":1,"b":{"a":2}}"#).unwrap().len(), 2);
        for (text, name) in [(r#"{"a":1,"a":1}"#, "a"), (r#"{"a\u0000b":1,"c":2,"a\u0000b":3}"#, "a\0b")] {
            let error = unique_object(text.as_bytes()).unwrap_err();
            assert_eq!(error, UniqueObjectError::Duplicate(name.to_owned()), "{text}");
        }
    }

    #[test]
    fn what_is_no_object_is_refused() {
        for text in ["", "[]", "7", "{", "{}x", "\"a\"", "\u{feff}{}"] {
            assert_eq!(unique_object(text.as_bytes()).unwrap_err(), UniqueObjectError::Malformed, "{text}");
        }
    }
}
