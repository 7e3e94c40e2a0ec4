//! JSON objects in which every name stands once.
//!
//! RFC 7519 section 4 lets a JWT reader either refuse duplicate claim names or take the last. Two readers that
//! choose differently see two different tokens, so this product refuses.

use std::fmt;

use serde::Deserializer as _;
use serde::de::{Error as _, MapAccess, Visitor};
use serde_json::{Map, Value};

/// Why text is not a JSON object whose top-level names are unique.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum UniqueObjectError {
    /// This name stands twice.
    Duplicate(String),
    /// It is no JSON object.
    Malformed,
}

/// Reads a JSON object whose top-level names are unique.
pub(super) fn unique_object(json: &[u8]) -> Result<Map<String, Value>, UniqueObjectError> {
    let mut duplicate = None;
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    let object = deserializer.deserialize_map(UniqueNames { duplicate: &mut duplicate });
    let object = object.and_then(|object| deserializer.end().map(|()| object));
    object.map_err(|_| duplicate.map_or(UniqueObjectError::Malformed, UniqueObjectError::Duplicate))
}

struct UniqueNames<'a> {
    duplicate: &'a mut Option<String>,
}

impl<'de> Visitor<'de> for UniqueNames<'_> {
    type Value = Map<String, Value>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let mut object = Map::new();
        while let Some((name, value)) = entries.next_entry::<String, Value>()? {
            if object.contains_key(&name) {
                *self.duplicate = Some(name);
                return Err(A::Error::custom("duplicate name"));
            }
            object.insert(name, value);
        }
        Ok(object)
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn a_name_that_stands_twice_is_told() {
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
