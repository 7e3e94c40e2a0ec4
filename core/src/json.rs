//! Reads JSON: the product's own messages and stored items, and what providers and AWS answer.
//!
//! `serde_json` reads the same, and natively messages are read by it. In the extension size counts: for each type it brings a
//! second form of it (a struct as a list), and for all of them the formatting of what was found instead of what was expected. No
//! error of this reader quotes the text.

use std::fmt::Display;

use serde::de::{
    self, DeserializeOwned, DeserializeSeed, EnumAccess, Expected, MapAccess, SeqAccess, Unexpected,
    VariantAccess, Visitor,
};
use serde::{Deserializer, forward_to_deserialize_any};

/// Reads a value.
pub fn from_str<T: DeserializeOwned>(text: &str) -> Result<T, Malformed> {
    let mut reader = Reader { text, at: 0, depth: 0 };
    let value = T::deserialize(&mut reader)?;
    if reader.peek().is_some() { Err(reader.malformed("the end")) } else { Ok(value) }
}

/// Reads a value from text in UTF-8 (RFC 8259 section 8.1).
pub fn from_slice<T: DeserializeOwned>(text: &[u8]) -> Result<T, Malformed> {
    from_str(std::str::from_utf8(text).map_err(|_| Malformed("it is not UTF-8".to_owned()))?)
}

/// Why text is not the value that was wanted. Never quotes the text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Malformed(String);

impl de::Error for Malformed {
    fn custom<T: Display>(message: T) -> Self {
        Self(message.to_string())
    }

    fn invalid_type(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self(format!("expected {expected}"))
    }

    fn invalid_value(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self(format!("expected {expected}"))
    }

    fn unknown_variant(_: &str, expected: &'static [&'static str]) -> Self {
        Self(format!("it must be one of {}", expected.join(", ")))
    }

    #[cold]
    #[inline(never)]
    fn missing_field(field: &'static str) -> Self {
        Self(format!("missing field {field}"))
    }

    #[cold]
    #[inline(never)]
    fn duplicate_field(field: &'static str) -> Self {
        Self(format!("duplicate field {field}"))
    }
}

type Result<T, E = Malformed> = std::result::Result<T, E>;

struct Reader<'a> {
    text: &'a str,
    /// Between two characters of the text.
    at: usize,
    depth: usize,
}

impl Reader<'_> {
    fn malformed(&self, expected: &str) -> Malformed {
        Malformed(format!("expected {expected} at byte {}", self.at))
    }

    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// The next byte that is not blank.
    fn peek(&mut self) -> Option<u8> {
        let blank = self.rest().bytes().take_while(|byte| b" \n\r\t".contains(byte)).count();
        self.at += blank;
        self.rest().bytes().next()
    }

    fn take(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == Some(byte);
        self.at += usize::from(is_next);
        is_next
    }

    fn expect(&mut self, byte: u8, name: &str) -> Result<()> {
        if self.take(byte) { Ok(()) } else { Err(self.malformed(name)) }
    }

    fn take_word(&mut self, word: &str) -> bool {
        self.peek();
        let is_next = self.rest().starts_with(word);
        self.at += if is_next { word.len() } else { 0 };
        is_next
    }

    fn string(&mut self) -> Result<String> {
        self.expect(b'"', "a text")?;
        let mut string = String::new();
        loop {
            let rest = self.rest();
            let special = rest.bytes().position(|byte| byte == b'"' || byte == b'\\' || byte < b' ');
            let plain = special.ok_or_else(|| self.malformed("the end of a text"))?;
            string.push_str(&rest[..plain]);
            let special = rest.as_bytes()[plain];
            self.at += plain + 1;
            match special {
                b'"' => return Ok(string),
                b'\\' => string.push(self.escaped()?),
                _ => return Err(self.malformed("no control character")),
            }
        }
    }

    /// What stands after a backslash (RFC 8259 section 7).
    fn escaped(&mut self) -> Result<char> {
        let letter = self.rest().chars().next();
        self.at += letter.map_or(0, char::len_utf8);
        Ok(match letter {
            Some(letter @ ('"' | '\\' | '/')) => letter,
            Some('b') => '\u{8}',
            Some('f') => '\u{c}',
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            Some('u') => {
                let unit = self.code_unit()?;
                let low = if (0xD800..0xDC00).contains(&unit) && self.rest().starts_with("\\u") {
                    self.at += 2;
                    Some(self.code_unit()?)
                } else {
                    None
                };
                let units = std::iter::once(unit).chain(low);
                let mut characters = char::decode_utf16(units);
                match (characters.next(), characters.next()) {
                    (Some(Ok(character)), None) => character,
                    _ => return Err(self.malformed("a character")),
                }
            }
            _ => return Err(self.malformed("an escape")),
        })
    }

    fn code_unit(&mut self) -> Result<u16> {
        let digits =
            self.rest().get(..4).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let unit = digits.and_then(|digits| u16::from_str_radix(digits, 16).ok());
        let unit = unit.ok_or_else(|| self.malformed("four digits"))?;
        self.at += 4;
        Ok(unit)
    }

    fn number(&mut self) -> Result<Number> {
        self.peek();
        let rest = self.rest();
        let is_part = |byte: u8| byte.is_ascii_digit() || b"+-.eE".contains(&byte);
        let end = rest.bytes().position(|byte| !is_part(byte)).unwrap_or(rest.len());
        let number = Number::read(&rest[..end]).ok_or_else(|| self.malformed("a number"))?;
        self.at += end;
        Ok(number)
    }

    /// Opens a list or an object.
    fn open(&mut self, byte: u8, name: &str) -> Result<()> {
        self.expect(byte, name)?;
        self.depth += 1;
        if self.depth > MAX_DEPTH { Err(self.malformed("fewer levels")) } else { Ok(()) }
    }

    /// Closes it if it ends here; else the next item begins.
    fn next_item(&mut self, first: bool, end: u8) -> Result<bool> {
        if self.take(end) {
            self.depth -= 1;
            return Ok(false);
        }
        if !first {
            self.expect(b',', "a comma")?;
        }
        Ok(true)
    }
}

enum Number {
    Unsigned(u64),
    Negative(i64),
    Float(f64),
}

impl Number {
    /// RFC 8259 section 6. What is not whole, or too large for it, is a float.
    fn read(text: &str) -> Option<Self> {
        let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
        let unsigned = text.strip_prefix('-').unwrap_or(text);
        let (whole, mut rest) = unsigned.split_at(digits(unsigned));
        if whole.is_empty() || (whole.len() > 1 && whole.starts_with('0')) {
            return None;
        }
        let is_whole = rest.is_empty() && text != "-0";
        if let Some(fraction) = rest.strip_prefix('.') {
            let count = digits(fraction);
            rest = if count == 0 { return None } else { &fraction[count..] };
        }
        if let Some(exponent) = rest.strip_prefix(['e', 'E']) {
            let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
            let count = digits(exponent);
            rest = if count == 0 { return None } else { &exponent[count..] };
        }
        if !rest.is_empty() {
            return None;
        }
        let unsigned = || text.parse().ok().map(Self::Unsigned);
        let whole = is_whole.then(|| unsigned().or_else(|| text.parse().ok().map(Self::Negative)));
        whole.flatten().or_else(|| Some(float(text)).filter(|float| float.is_finite()).map(Self::Float))
    }
}

#[cfg(not(target_arch = "wasm32"))]
fn float(text: &str) -> f64 {
    text.parse().unwrap_or(f64::NAN)
}

/// The browser's own reader spares the standard library's tables.
#[cfg(target_arch = "wasm32")]
fn float(text: &str) -> f64 {
    js_sys::Number::parse_float(text)
}

impl<'de> Deserializer<'de> for &mut Reader<'_> {
    type Error = Malformed;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.peek() {
            Some(b'"') => self.deserialize_string(visitor),
            Some(b'[') => self.deserialize_seq(visitor),
            Some(b'{') => self.deserialize_map(visitor),
            Some(b'n') => self.deserialize_unit(visitor),
            Some(b't' | b'f') => self.deserialize_bool(visitor),
            _ => self.deserialize_f64(visitor),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        if self.take_word("true") {
            visitor.visit_bool(true)
        } else if self.take_word("false") {
            visitor.visit_bool(false)
        } else {
            Err(self.malformed("true or false"))
        }
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.number()? {
            Number::Unsigned(number) => visitor.visit_u64(number),
            Number::Negative(number) => visitor.visit_i64(number),
            Number::Float(number) => visitor.visit_f64(number),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        let string = self.string()?;
        visitor.visit_string(string)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        if self.take_word("null") { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        if self.take_word("null") { visitor.visit_unit() } else { Err(self.malformed("null")) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.open(b'[', "a list")?;
        visitor.visit_seq(Items { reader: self, first: true })
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value> {
        self.open(b'[', "a list")?;
        let value = visitor.visit_seq(Items { reader: self, first: true })?;
        // A tuple knows its length and does not ask for the end.
        if self.next_item(true, b']')? { Err(self.malformed("the end of a list")) } else { Ok(value) }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.open(b'{', "an object")?;
        visitor.visit_map(Items { reader: self, first: true })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        self.deserialize_map(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        if self.peek() != Some(b'{') {
            return visitor.visit_enum(Variant { reader: self, has_content: false });
        }
        self.open(b'{', "an object")?;
        let value = visitor.visit_enum(Variant { reader: self, has_content: true })?;
        if self.next_item(true, b'}')? { Err(self.malformed("the end of an object")) } else { Ok(value) }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.deserialize_any(visitor)
    }

    forward_to_deserialize_any! {
        bytes byte_buf unit_struct tuple_struct
    }

    fn deserialize_i8<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.deserialize_f64(visitor)
    }

    fn deserialize_i16<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.deserialize_f64(visitor)
    }

    fn deserialize_i32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.deserialize_f64(visitor)
    }

    fn deserialize_i64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.deserialize_f64(visitor)
    }

    fn deserialize_u8<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.deserialize_f64(visitor)
    }

    fn deserialize_u16<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.deserialize_f64(visitor)
    }

    fn deserialize_u32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.deserialize_f64(visitor)
    }

    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.deserialize_f64(visitor)
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.deserialize_f64(visitor)
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.deserialize_string(visitor)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.deserialize_string(visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.deserialize_string(visitor)
    }
}

/// Of a list or an object.
struct Items<'r, 'a> {
    reader: &'r mut Reader<'a>,
    first: bool,
}

impl<'de> SeqAccess<'de> for Items<'_, '_> {
    type Error = Malformed;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>> {
        let first = std::mem::take(&mut self.first);
        if self.reader.next_item(first, b']')? {
            seed.deserialize(&mut *self.reader).map(Some)
        } else {
            Ok(None)
        }
    }
}

impl<'de> MapAccess<'de> for Items<'_, '_> {
    type Error = Malformed;

    fn next_key_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>> {
        let first = std::mem::take(&mut self.first);
        if self.reader.next_item(first, b'}')? {
            seed.deserialize(&mut *self.reader).map(Some)
        } else {
            Ok(None)
        }
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value> {
        self.reader.expect(b':', "a colon")?;
        seed.deserialize(&mut *self.reader)
    }
}

/// Of an enum: a text, or the only key of an object.
struct Variant<'r, 'a> {
    reader: &'r mut Reader<'a>,
    has_content: bool,
}

impl<'de> EnumAccess<'de> for Variant<'_, '_> {
    type Error = Malformed;
    type Variant = Self;

    fn variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<(T::Value, Self)> {
        let variant = seed.deserialize(&mut *self.reader)?;
        if self.has_content {
            self.reader.expect(b':', "a colon")?;
        }
        Ok((variant, self))
    }
}

impl Variant<'_, '_> {
    fn content(&mut self) -> Result<&mut Self> {
        if self.has_content { Ok(self) } else { Err(self.reader.malformed("an object")) }
    }
}

impl<'de> VariantAccess<'de> for Variant<'_, '_> {
    type Error = Malformed;

    fn unit_variant(self) -> Result<()> {
        if self.has_content { Err(self.reader.malformed("a text")) } else { Ok(()) }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(mut self, seed: T) -> Result<T::Value> {
        seed.deserialize(&mut *self.content()?.reader)
    }

    fn tuple_variant<V: Visitor<'de>>(mut self, length: usize, visitor: V) -> Result<V::Value> {
        self.content()?.reader.deserialize_tuple(length, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(mut self, _: &'static [&'static str], visitor: V) -> Result<V::Value> {
        self.content()?.reader.deserialize_map(visitor)
    }
}

/// As deep as `serde_json` goes. Messages are some 10 levels deep.
const MAX_DEPTH: usize = 127;

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    #[cfg(not(target_arch = "wasm32"))]
    use proptest::prelude::*;
    use serde::{Deserialize, Serialize};
    use serde_json::Value;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    enum Shape {
        Unit,
        Newtype(u32),
        Tuple(u8, String),
        Struct { text: String },
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Sample {
        text: String,
        number: i64,
        small: u16,
        yes: bool,
        some: Option<String>,
        none: Option<Box<Sample>>,
        pair: (u32, String),
        shapes: Vec<Shape>,
        map: BTreeMap<String, Vec<i32>>,
    }

    #[derive(Debug, Deserialize)]
    struct Deep(#[expect(dead_code, reason = "only its depth counts")] Vec<Deep>);

    fn sample(text: &str, number: i64) -> Sample {
        let text = || text.to_owned();
        let shapes =
            vec![Shape::Unit, Shape::Newtype(7), Shape::Tuple(1, text()), Shape::Struct { text: text() }];
        Sample {
            text: text(),
            number,
            small: u16::MAX,
            yes: true,
            some: Some(text()),
            none: None,
            pair: (1, text()),
            shapes,
            map: BTreeMap::from([(text(), vec![-1, 0, 1]), (String::new(), vec![])]),
        }
    }

    #[test]
    fn what_serde_json_writes_is_read_back() {
        let sample = sample("a \"b\" \\ \n \u{1} ü 🦀", i64::MIN);
        for text in [serde_json::to_string(&sample), serde_json::to_string_pretty(&sample)] {
            assert_eq!(from_str::<Sample>(&text.unwrap()).unwrap(), sample);
        }
        assert_eq!(from_str::<String>(r#""\ud83e\udd80\u00fc\/\b\f""#).unwrap(), "🦀ü/\u{8}\u{c}");
    }

    #[test]
    fn keys_that_are_not_known_are_passed_over() {
        #[derive(Debug, PartialEq, Deserialize)]
        struct Old {
            a: u32,
        }
        let newer = r#"{"x":[1,{"y":null}],"a":1,"z":{"t":"\n","f":false,"d":-2}}"#;
        assert_eq!(from_str::<Old>(newer).unwrap(), Old { a: 1 });
    }

    #[test]
    fn what_is_not_the_value_is_refused() {
        for text in [
            "",
            "7",
            "[]",
            "{",
            "{\"Newtype\"",
            "{\"Newtype\":7",
            "{\"Newtype\":-1}",
            "{\"Newtype\":1.5}",
            "\"Newtype\"",
            "{\"Unit\":null}",
            "\"Other\"",
            "{\"Newtype\":7,\"Unit\":1}",
            "{\"Newtype\":7}x",
            "{\"Tuple\":[1,\"a\",2]}",
            "{\"Tuple\":[1]}",
            "{\"Struct\":{}}",
            "{\"Struct\":{\"text\":\"a}}",
            "{\"Struct\":{\"text\":\"\\x\"}}",
            "{\"Struct\":{\"text\":\"\\ud83e\"}}",
            "{\"Struct\":{\"text\":\"\\u+123\"}}",
            "{\"Struct\":{\"text\":\"a\nb\"}}",
            "{\"Struct\":{\"text\":\"a\"\"text\":\"b\"}}",
        ] {
            assert!(from_str::<Shape>(text).is_err(), "{text}");
        }
        for text in [
            "[1,]", "[,1]", "[1 2]", "[1", "1]", "[--1]", "[01]", "[-]", "[+1]", "[1.]", "[.1]", "[1e]",
            "[256]",
        ] {
            assert!(from_str::<Vec<u8>>(text).is_err(), "{text}");
        }
        let deep = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(from_str::<Deep>(&deep(MAX_DEPTH)).is_ok());
        assert!(from_str::<Deep>(&deep(MAX_DEPTH + 1)).is_err());
        assert!(from_str::<Deep>(&"[".repeat(100_000)).is_err());
    }

    #[test]
    fn text_is_read_in_utf_8_alone() {
        assert_eq!(from_slice::<String>("\"ü\"".as_bytes()).unwrap(), "ü");
        assert!(from_slice::<String>(b"\"\xfc\"").is_err());
        assert!(from_slice::<String>("\u{feff}\"a\"".as_bytes()).is_err());
    }

    #[test]
    fn a_number_is_whole_or_a_float() {
        for (text, whole) in
            [("7", Some(7)), ("-7", Some(-7)), ("0", Some(0)), ("1.9e9", None), ("7.0", None)]
        {
            let value = from_str::<Value>(text).unwrap();
            assert_eq!(value.as_i64(), whole, "{text}");
        }
        assert_eq!(from_str::<Value>("1.9e9").unwrap().as_f64(), Some(1_900_000_000.0));
        assert!(from_str::<Value>("1e999").is_err());
    }

    #[test]
    fn no_error_quotes_the_text() {
        for text in [r#"{"Newtype":"very-secret"}"#, r#"{"very-secret":1}"#, r#""very-secret""#] {
            let error = from_str::<Shape>(text).unwrap_err().to_string();
            assert!(!error.contains("very-secret"), "{error}");
        }
    }

    #[cfg(not(target_arch = "wasm32"))]

    proptest! {
        #[test]
        fn any_text_and_number_come_back(text in ".*", number: i64) {
            let sample = sample(&text, number);
            prop_assert_eq!(from_str::<Sample>(&serde_json::to_string(&sample).unwrap()).unwrap(), sample);
        }

        #[test]
        fn any_text_is_read_or_refused_as_serde_json_does(text in "[\\[\\]{}\":,\\\\a-fnu0-9 .-]{0,40}") {
            let ours = from_str::<Vec<Shape>>(&text).ok();
            prop_assert_eq!(ours, serde_json::from_str::<Vec<Shape>>(&text).ok());
            prop_assert_eq!(from_str::<Value>(&text).ok(), serde_json::from_str::<Value>(&text).ok());
        }

        #[test]
        fn any_number_is_read_or_refused_as_serde_json_does(text in "-?[0-9]{0,22}(\\.[0-9]{0,3})?([eE][+-]?[0-9]{0,4})?") {
            let shape = |value: &Value| (value.as_i64(), value.as_u64(), value.is_f64());
            let ours = from_str::<Value>(&text).ok();
            let theirs = serde_json::from_str::<Value>(&text).ok();
            prop_assert_eq!(ours.as_ref().map(shape), theirs.as_ref().map(shape));
            // It rounds other than to the nearest float.
            if let (Some(ours), Some(theirs)) = (ours.and_then(|value| value.as_f64()), theirs.and_then(|value| value.as_f64())) {
                prop_assert!((ours - theirs).abs() <= ours.abs() * 1e-15, "{ours} {theirs}");
            }
        }

        #[test]
        fn any_value_is_read_as_serde_json_does(text in json_text()) {
            prop_assert_eq!(from_str::<Value>(&text).unwrap(), serde_json::from_str::<Value>(&text).unwrap());
        }
    }

    /// A document with whole numbers.
    #[cfg(not(target_arch = "wasm32"))]
    fn json_text() -> impl Strategy<Value = String> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            ".{0,8}".prop_map(Value::from),
        ];
        let value = leaf.prop_recursive(4, 40, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::btree_map(".{0,8}", inner, 0..6)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        });
        value.prop_map(|value| value.to_string())
    }
}
