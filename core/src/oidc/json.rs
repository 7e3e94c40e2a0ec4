//! JSON objects without duplicate names.
//!
//! RFC 7519 section 4 lets a JWT reader either refuse duplicate claim names or take the last. Two readers that
//! choose differently see two different tokens, so this product refuses.

use crate::json::{Document, Object};
use crate::map::sorted;

/// Why text is not a JSON object whose top-level names are unique.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum UniqueObjectError {
    /// This name is a duplicate.
    Duplicate(String),
    /// It is no JSON object.
    Malformed,
}

/// The object that a document is, if its top-level names are unique.
pub(super) fn unique_object<'a>(document: &'a Document<'_>) -> Result<Object<'a>, UniqueObjectError> {
    let object = document.value().object().map_err(|_| UniqueObjectError::Malformed)?;
    let names: Vec<_> = object.names().collect();
    let order = sorted(names.len(), &|one, other| names[one].cmp(&names[other]));
    let twin = order.windows(2).find(|pair| names[pair[0]] == names[pair[1]]);
    twin.map_or(Ok(object), |pair| Err(UniqueObjectError::Duplicate(names[pair[0]].clone())))
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    fn names(text: &str) -> Result<usize, UniqueObjectError> {
        let document = Document::parse(text).map_err(|_| UniqueObjectError::Malformed)?;
        unique_object(&document).map(|object| object.names().count())
    }

    #[test]
    fn a_duplicate_name_is_reported() {
        assert_eq!(names(r#"{"a":1,"b":{"a":2,"a":3}}"#).unwrap(), 2);
        for (text, name) in [(r#"{"a":1,"a":1}"#, "a"), (r#"{"a\u0000b":1,"c":2,"a\u0000b":3}"#, "a\0b")] {
            let error = names(text).unwrap_err();
            assert_eq!(error, UniqueObjectError::Duplicate(name.to_owned()), "{text}");
        }
    }

    #[test]
    fn what_is_no_object_is_refused() {
        for text in ["", "[]", "7", "{", "{}x", "\"a\"", "\u{feff}{}"] {
            assert_eq!(names(text).unwrap_err(), UniqueObjectError::Malformed, "{text}");
        }
    }
}
