//! JSON: the product's own messages and stored items, and what providers and AWS answer.
//!
//! In the extension size counts. serde's derive makes a reader of each type that knows every order of its members and every form
//! of document; for 60 types that was a third of the extension. Here text is taken apart once into a [`Document`], in code that no type has
//! a part in, and each type looks its members up by name. No error quotes a secret.

use std::borrow::Cow;
use std::time::Duration;

pub use rolecall_json_derive::{ReadJson, WriteJson};
use zeroize::{Zeroize, Zeroizing};

use crate::time::{DateTime, Utc};

/// Reads a value.
pub fn from_str<T: ReadJson>(text: &str) -> Result<T, Malformed> {
    T::read(Document::parse(text)?.value())
}

/// Reads a value from text in UTF-8 (RFC 8259 section 8.1).
pub fn from_slice<T: ReadJson>(text: &[u8]) -> Result<T, Malformed> {
    from_str(std::str::from_utf8(text).map_err(|_| Malformed::new("it is not UTF-8"))?)
}

/// Writes a value. It may hold secrets: the text is zeroed when it is dropped.
#[must_use]
pub fn to_string(value: &dyn WriteJson) -> Zeroizing<String> {
    let mut writer = Writer::default();
    value.write(&mut writer);
    writer.text
}

/// What can be read from JSON.
pub trait ReadJson: Sized {
    /// Reads it.
    fn read(value: Value<'_>) -> Result<Self, Malformed>;
}

/// What can be written as JSON.
pub trait WriteJson {
    /// Writes it.
    fn write(&self, writer: &mut Writer);

    /// Whether a member that holds it is left out.
    fn is_absent(&self) -> bool {
        false
    }
}

/// For `#[json(write = …)]`: a member with the default value is left out.
pub fn unless_default<T: WriteJson + Default + PartialEq>(value: &T) -> impl WriteJson {
    Some(value).filter(|value| **value != T::default())
}

/// One of a few names.
pub trait Choice: Copy + 'static {
    /// Each by its name.
    const NAMES: &'static [(&'static str, Self)];

    /// The one of this name.
    fn named(name: &str) -> Result<Self, Malformed> {
        let found = Self::NAMES.iter().find(|(known, _)| *known == name);
        found
            .map(|(_, choice)| *choice)
            .ok_or_else(|| Malformed::unknown(&Self::NAMES.iter().map(|(name, _)| *name).collect::<Vec<_>>()))
    }
}

/// Why text is not the value that was wanted. It never quotes a secret: only types that are read from names, ARNs and
/// addresses quote those.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
#[expect(
    clippy::box_collection,
    reason = "one pointer: every reader returns it, and has code for each part of what it returns"
)]
pub struct Malformed(Box<String>);

impl Malformed {
    /// For this reason.
    #[must_use]
    pub fn new(reason: impl Into<String>) -> Self {
        Self(Box::new(reason.into()))
    }

    #[cold]
    #[inline(never)]
    fn expected(what: &str) -> Self {
        Self(Box::new(format!("expected {what}")))
    }

    /// What is wrong with a member.
    #[cold]
    #[inline(never)]
    fn of(self, member: &str, value: Value<'_>) -> Self {
        Self(Box::new(if value.is_absent() {
            format!("missing field {member}")
        } else {
            format!("{member}: {}", self.0)
        }))
    }

    /// A name that is none of these.
    #[must_use]
    #[cold]
    #[inline(never)]
    pub fn unknown(names: &[&str]) -> Self {
        Self(Box::new(format!("it must be one of {}", names.join(", "))))
    }
}

impl From<&str> for Malformed {
    fn from(reason: &str) -> Self {
        Self::new(reason)
    }
}

impl From<String> for Malformed {
    fn from(reason: String) -> Self {
        Self::new(reason)
    }
}

type Result<T, E = Malformed> = std::result::Result<T, E>;

/// Text that was taken apart.
#[derive(Debug)]
pub struct Document<'a> {
    text: &'a str,
    nodes: Vec<Node>,
}

/// A value, or the name of a member, which stands before the member's value.
#[derive(Debug, Clone, Copy)]
struct Node {
    /// Between two characters of the text.
    start: u32,
    end: u32,
    /// Where the node stands that comes after everything that this one holds.
    next: u32,
}

impl<'a> Document<'a> {
    /// Takes text apart. It is an error if it is not JSON.
    pub fn parse(text: &'a str) -> Result<Self> {
        let mut parser = Parser { text, at: 0, depth: 0, nodes: Vec::new() };
        parser.value()?;
        if parser.peek().is_some() {
            return Err(parser.malformed("the end"));
        }
        Ok(Self { text, nodes: parser.nodes })
    }

    /// The whole.
    #[must_use]
    pub fn value(&self) -> Value<'_> {
        Value { document: self, index: 0 }
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
    nodes: Vec<Node>,
}

impl Parser<'_> {
    #[cold]
    #[inline(never)]
    fn malformed(&self, expected: &str) -> Malformed {
        Malformed::new(format!("expected {expected} at byte {}", self.at))
    }

    /// The next byte that is not blank.
    fn peek(&mut self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        while let Some(byte) = bytes.get(self.at) {
            if !b" \n\r\t".contains(byte) {
                return Some(*byte);
            }
            self.at += 1;
        }
        None
    }

    fn take(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == Some(byte);
        self.at += usize::from(is_next);
        is_next
    }

    fn expect(&mut self, byte: u8, name: &str) -> Result<()> {
        if self.take(byte) { Ok(()) } else { Err(self.malformed(name)) }
    }

    fn value(&mut self) -> Result<()> {
        let first = self.peek();
        let node = self.open();
        match first {
            Some(b'"') => self.string()?,
            Some(b'{') => self.items(b'}', true)?,
            Some(b'[') => self.items(b']', false)?,
            _ => self.word()?,
        }
        self.close(node);
        Ok(())
    }

    fn open(&mut self) -> usize {
        let start = position(self.at);
        self.nodes.push(Node { start, end: start, next: 0 });
        self.nodes.len() - 1
    }

    fn close(&mut self, node: usize) {
        let (end, next) = (position(self.at), position(self.nodes.len()));
        if let Some(node) = self.nodes.get_mut(node) {
            (node.end, node.next) = (end, next);
        }
    }

    /// The items of a list or an object.
    fn items(&mut self, end: u8, have_names: bool) -> Result<()> {
        self.at += 1;
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.malformed("fewer levels"));
        }
        if !self.take(end) {
            loop {
                if have_names {
                    if self.peek() != Some(b'"') {
                        return Err(self.malformed("a name"));
                    }
                    let name = self.open();
                    self.string()?;
                    self.close(name);
                    self.expect(b':', "a colon")?;
                }
                self.value()?;
                if self.take(end) {
                    break;
                }
                self.expect(b',', "a comma")?;
            }
        }
        self.depth -= 1;
        Ok(())
    }

    fn string(&mut self) -> Result<()> {
        let start = self.at + 1;
        let mut is_plain = true;
        let mut at = start;
        let end = loop {
            match self.text.as_bytes().get(at) {
                Some(b'"') => break at,
                Some(b'\\') => {
                    is_plain = false;
                    at += 2;
                }
                Some(b' '..) => at += 1,
                Some(_) | None => {
                    self.at = at;
                    return Err(self.malformed("the end of a text"));
                }
            }
        };
        if !is_plain && self.text.get(start..end).and_then(unescaped).map(Zeroizing::new).is_none() {
            return Err(self.malformed("known escapes"));
        }
        self.at = end + 1;
        Ok(())
    }

    /// A number, `true`, `false` or `null`.
    fn word(&mut self) -> Result<()> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
        let end = rest.bytes().position(|byte| !is_part(byte)).unwrap_or(rest.len());
        let word = &rest[..end];
        if !matches!(word, "true" | "false" | "null") && Number::read(word).is_none() {
            return Err(self.malformed("a value"));
        }
        self.at += end;
        Ok(())
    }
}

/// A position in a text or a list. No text of 4 GiB comes this far.
fn position(position: usize) -> u32 {
    u32::try_from(position).unwrap_or(u32::MAX)
}

/// What a string holds between its quotes, with each escape replaced (RFC 8259 section 7). `None` for an escape that is none.
fn unescaped(text: &str) -> Option<String> {
    let mut string = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((plain, escape)) = rest.split_once('\\') {
        string.push_str(plain);
        let letter = escape.chars().next()?;
        rest = &escape[letter.len_utf8()..];
        string.push(match letter {
            '"' | '\\' | '/' => letter,
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => {
                let unit = code_unit(&mut rest)?;
                let is_high = (0xD800..0xDC00).contains(&unit);
                match rest.strip_prefix("\\u").filter(|_| is_high) {
                    Some(low) => {
                        rest = low;
                        let units = [unit, code_unit(&mut rest)?];
                        char::decode_utf16(units).next()?.ok()?
                    }
                    None => char::from_u32(unit.into())?,
                }
            }
            _ => return None,
        });
    }
    string.push_str(rest);
    Some(string)
}

fn code_unit(rest: &mut &str) -> Option<u16> {
    let digits = rest.get(..4).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
    *rest = &rest[4..];
    u16::from_str_radix(digits, 16).ok()
}

/// A value of a document, or that there is none.
#[derive(Debug, Clone, Copy)]
pub struct Value<'a> {
    document: &'a Document<'a>,
    /// Among the nodes, or behind them.
    index: usize,
}

impl<'a> Value<'a> {
    fn node(self) -> Node {
        self.document.nodes.get(self.index).copied().unwrap_or(Node { start: 0, end: 0, next: 0 })
    }

    fn text(self) -> &'a str {
        let Node { start, end, .. } = self.node();
        self.document.text.get(index(start)..index(end)).unwrap_or_default()
    }

    fn starts_with(self, byte: u8) -> bool {
        self.text().as_bytes().first() == Some(&byte)
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_absent(self) -> bool {
        self.index >= self.document.nodes.len()
    }

    /// Whether it is `null`, or there is none.
    #[must_use]
    pub fn is_null(self) -> bool {
        self.is_absent() || self.starts_with(b'n')
    }

    /// A string.
    pub fn string(self) -> Result<Cow<'a, str>> {
        let text = self.text();
        let text = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
        let text = text.ok_or_else(|| Malformed::expected("a text"))?;
        if text.contains('\\') {
            unescaped(text).map(Cow::Owned).ok_or_else(|| Malformed::expected("a text"))
        } else {
            Ok(Cow::Borrowed(text))
        }
    }

    /// `true` or `false`.
    pub fn boolean(self) -> Result<bool> {
        match self.text() {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err(Malformed::expected("true or false")),
        }
    }

    fn number(self) -> Result<Number> {
        Number::read(self.text()).ok_or_else(|| Malformed::expected("a number"))
    }

    /// The whole part of a number that is not negative: times, which AWS writes with an exponent.
    #[must_use]
    pub fn whole_part(self) -> Option<u64> {
        match self.number().ok()? {
            Number::Unsigned(number) => Some(number),
            Number::Float(number) => Some(Duration::try_from_secs_f64(number).ok()?.as_secs()),
            Number::Negative(_) => None,
        }
    }

    /// What is in it, names and values alike.
    fn content(self) -> Content<'a> {
        Content { of: self, next: self.index.saturating_add(1), end: index(self.node().next) }
    }

    /// The items of a list.
    pub fn list(self) -> Result<Content<'a>> {
        if self.starts_with(b'[') { Ok(self.content()) } else { Err(Malformed::expected("a list")) }
    }

    /// An object.
    pub fn object(self) -> Result<Object<'a>> {
        if self.starts_with(b'{') { Ok(Object(self)) } else { Err(Malformed::expected("an object")) }
    }

    /// A variant of an enum: a name alone, or an object with one member of that name.
    pub fn variant(self) -> Result<VariantOf<'a>> {
        if !self.starts_with(b'{') {
            return Ok(VariantOf { name: self.string()?, content: None });
        }
        let mut content = self.content();
        match (content.next(), content.next(), content.next()) {
            (Some(name), content @ Some(_), None) => Ok(VariantOf { name: name.string()?, content }),
            _ => Err(Malformed::expected("an object with one member")),
        }
    }

    /// One of a few names.
    pub fn choice<T: Choice>(self) -> Result<T> {
        T::named(&self.string()?)
    }
}

fn index(position: u32) -> usize {
    usize::try_from(position).unwrap_or(usize::MAX)
}

/// What is in a list or an object.
#[derive(Debug)]
pub struct Content<'a> {
    of: Value<'a>,
    next: usize,
    end: usize,
}

impl<'a> Iterator for Content<'a> {
    type Item = Value<'a>;

    fn next(&mut self) -> Option<Value<'a>> {
        let value = Value { index: self.next, ..self.of };
        if self.next >= self.end {
            return None;
        }
        self.next = index(value.node().next);
        Some(value)
    }
}

/// An object of a document.
#[derive(Debug, Clone, Copy)]
pub struct Object<'a>(Value<'a>);

impl<'a> Object<'a> {
    /// The name and the value of every member, also of one name.
    pub fn entries(self) -> impl Iterator<Item = (Value<'a>, Value<'a>)> {
        let mut content = self.0.content();
        std::iter::from_fn(move || Some((content.next()?, content.next()?)))
    }

    /// The name of every member.
    pub fn names(self) -> impl Iterator<Item = String> {
        self.entries().filter_map(|(name, _)| String::read(name).ok())
    }

    /// Reads every member, as a map does.
    pub fn read<T: ReadJson>(self) -> Result<T> {
        T::read(self.0)
    }

    /// The member of this name. It is an error if there are two.
    #[inline(never)]
    pub fn find(self, name: &str) -> Result<Option<Value<'a>>> {
        let mut found = None;
        for (known, value) in self.entries() {
            if known.string()? == name && found.replace(value).is_some() {
                return Err(Malformed::new(format!("duplicate field {name}")));
            }
        }
        Ok(found)
    }

    /// The member of this name, which may be absent.
    pub fn member(self, name: &str) -> Result<Value<'a>> {
        Ok(self.find(name)?.unwrap_or(Value { index: usize::MAX, ..self.0 }))
    }

    /// Reads the member of this name.
    #[inline(never)]
    pub fn get<T: ReadJson>(self, name: &str) -> Result<T> {
        let value = self.member(name)?;
        T::read(value).map_err(|error| error.of(name, value))
    }

    /// Reads the member of this name, if there is one.
    #[inline(never)]
    pub fn get_or_default<T: ReadJson + Default>(self, name: &str) -> Result<T> {
        let value = self.member(name)?;
        if value.is_absent() {
            Ok(T::default())
        } else {
            T::read(value).map_err(|error| error.of(name, value))
        }
    }
}

/// A variant of an enum.
#[derive(Debug)]
pub struct VariantOf<'a> {
    name: Cow<'a, str>,
    content: Option<Value<'a>>,
}

impl<'a> VariantOf<'a> {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it holds.
    pub fn content(&self) -> Result<Value<'a>> {
        self.content.ok_or_else(|| Malformed::expected("an object"))
    }

    /// That it holds nothing.
    pub fn nothing(&self) -> Result<()> {
        if self.content.is_none() { Ok(()) } else { Err(Malformed::expected("a text")) }
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

/// The name and the value of a member.
pub type Member<'v> = (&'v dyn WriteJson, &'v dyn WriteJson);

/// Puts text together. What it leaves behind when it grows is zeroed.
#[derive(Debug, Default)]
pub struct Writer {
    text: Zeroizing<String>,
}

impl Writer {
    fn push(&mut self, text: &str) {
        if self.text.capacity() - self.text.len() < text.len() {
            let room = (self.text.len() + text.len()).next_power_of_two().max(256);
            let mut larger = String::with_capacity(room);
            larger.push_str(&self.text);
            self.text.zeroize();
            self.text = Zeroizing::new(larger);
        }
        self.text.push_str(text);
    }

    /// A string.
    pub fn string(&mut self, text: &str) {
        self.push("\"");
        let mut rest = text;
        while let Some(at) = rest.bytes().position(|byte| byte < b' ' || byte == b'"' || byte == b'\\') {
            self.push(&rest[..at]);
            match rest.as_bytes()[at] {
                b'"' => self.push("\\\""),
                b'\\' => self.push("\\\\"),
                b'\n' => self.push("\\n"),
                b'\r' => self.push("\\r"),
                b'\t' => self.push("\\t"),
                8 => self.push("\\b"),
                12 => self.push("\\f"),
                other => self.push(&format!("\\u{other:04x}")),
            }
            rest = &rest[at + 1..];
        }
        self.push(rest);
        self.push("\"");
    }

    /// An object, without the members that are absent.
    pub fn object(&mut self, members: &[(&str, &dyn WriteJson)]) {
        let mut before = "{";
        for (name, value) in members {
            if !value.is_absent() {
                self.push(before);
                self.string(name);
                self.push(":");
                value.write(self);
                before = ",";
            }
        }
        self.push(if before == "{" { "{}" } else { "}" });
    }

    /// An object with one member, whatever it holds.
    pub fn newtype(&mut self, name: &str, content: &dyn WriteJson) {
        self.push("{");
        self.string(name);
        self.push(":");
        content.write(self);
        self.push("}");
    }

    /// An object whose one member is an object with these members.
    pub fn variant(&mut self, name: &str, members: &[(&str, &dyn WriteJson)]) {
        self.push("{");
        self.string(name);
        self.push(":");
        self.object(members);
        self.push("}");
    }

    /// An object of keys that are written as texts.
    pub fn members(&mut self, members: &mut dyn Iterator<Item = Member<'_>>) {
        let mut before = "{";
        for (name, value) in members {
            self.push(before);
            name.write(self);
            self.push(":");
            value.write(self);
            before = ",";
        }
        self.push(if before == "{" { "{}" } else { "}" });
    }

    /// A list.
    pub fn list(&mut self, values: &mut dyn Iterator<Item = &dyn WriteJson>) {
        let mut before = "[";
        for value in values {
            self.push(before);
            value.write(self);
            before = ",";
        }
        self.push(if before == "[" { "[]" } else { "]" });
    }
}

impl<T: WriteJson + ?Sized> WriteJson for &T {
    fn write(&self, writer: &mut Writer) {
        (**self).write(writer);
    }

    fn is_absent(&self) -> bool {
        (**self).is_absent()
    }
}

impl WriteJson for str {
    fn write(&self, writer: &mut Writer) {
        writer.string(self);
    }
}

impl WriteJson for String {
    fn write(&self, writer: &mut Writer) {
        writer.string(self);
    }
}

impl ReadJson for String {
    fn read(value: Value<'_>) -> Result<Self> {
        value.string().map(Cow::into_owned)
    }
}

impl WriteJson for bool {
    fn write(&self, writer: &mut Writer) {
        writer.push(if *self { "true" } else { "false" });
    }
}

impl ReadJson for bool {
    fn read(value: Value<'_>) -> Result<Self> {
        value.boolean()
    }
}

/// Whole numbers.
macro_rules! whole_numbers {
    ($($number:ty),*) => {
        $(
            impl WriteJson for $number {
                fn write(&self, writer: &mut Writer) {
                    writer.push(&self.to_string());
                }
            }

            impl ReadJson for $number {
                fn read(value: Value<'_>) -> Result<Self> {
                    let number = match value.number()? {
                        Number::Unsigned(number) => number.try_into().ok(),
                        Number::Negative(number) => number.try_into().ok(),
                        Number::Float(_) => None,
                    };
                    number.ok_or_else(|| Malformed::expected("a whole number in its range"))
                }
            }
        )*
    };
}

whole_numbers!(u8, u16, u32, usize, i64, u64);

impl<T: WriteJson> WriteJson for Option<T> {
    fn write(&self, writer: &mut Writer) {
        match self {
            Some(value) => value.write(writer),
            None => writer.push("null"),
        }
    }

    fn is_absent(&self) -> bool {
        self.is_none()
    }
}

impl<T: ReadJson> ReadJson for Option<T> {
    fn read(value: Value<'_>) -> Result<Self> {
        if value.is_null() { Ok(None) } else { T::read(value).map(Some) }
    }
}

impl<T: WriteJson> WriteJson for Box<T> {
    fn write(&self, writer: &mut Writer) {
        (**self).write(writer);
    }
}

impl<T: ReadJson> ReadJson for Box<T> {
    fn read(value: Value<'_>) -> Result<Self> {
        T::read(value).map(Self::new)
    }
}

impl<T: WriteJson> WriteJson for Vec<T> {
    fn write(&self, writer: &mut Writer) {
        writer.list(&mut self.iter().map(|value| -> &dyn WriteJson { value }));
    }
}

impl<T: ReadJson> ReadJson for Vec<T> {
    fn read(value: Value<'_>) -> Result<Self> {
        // As loops, here and below, since collecting brings several functions for each type.
        let mut values = Self::new();
        for value in value.list()? {
            values.push(T::read(value)?);
        }
        Ok(values)
    }
}

impl<A: WriteJson, B: WriteJson> WriteJson for (A, B) {
    fn write(&self, writer: &mut Writer) {
        let pair: [&dyn WriteJson; 2] = [&self.0, &self.1];
        writer.list(&mut pair.into_iter());
    }
}

impl<A: ReadJson, B: ReadJson> ReadJson for (A, B) {
    fn read(value: Value<'_>) -> Result<Self> {
        let mut items = value.list()?;
        match (items.next(), items.next(), items.next()) {
            (Some(first), Some(second), None) => Ok((A::read(first)?, B::read(second)?)),
            _ => Err(Malformed::expected("a list of two")),
        }
    }
}

/// A time is whole seconds since 1970.
impl WriteJson for DateTime<Utc> {
    fn write(&self, writer: &mut Writer) {
        self.timestamp().write(writer);
    }
}

impl ReadJson for DateTime<Utc> {
    fn read(value: Value<'_>) -> Result<Self> {
        let seconds = i64::read(value)?;
        Self::from_timestamp(seconds, 0).ok_or_else(|| Malformed::expected("a time"))
    }
}

/// Types that travel as a text: what `as_str` says, and what `TryFrom<String>` takes.
macro_rules! as_text {
    ($($text:ty),*) => {
        $(
            impl $crate::json::WriteJson for $text {
                fn write(&self, writer: &mut $crate::json::Writer) {
                    writer.string(self.as_str());
                }
            }

            impl $crate::json::ReadJson for $text {
                fn read(value: $crate::json::Value<'_>) -> Result<Self, $crate::json::Malformed> {
                    let text = value.string()?.into_owned();
                    Self::try_from(text).map_err(|error| $crate::json::Malformed::new(error.to_string()))
                }
            }
        )*
    };
}

pub(crate) use as_text;

/// As deep as `serde_json` goes. Messages are some 10 levels deep.
const MAX_DEPTH: usize = 127;

#[cfg(test)]
mod tests {
    #[cfg(not(target_arch = "wasm32"))]
    use proptest::prelude::*;
    use serde::Serialize;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;
    use crate::map::Map;

    /// As `serde_json` has it, to be compared. Of several members of one name the last one counts.
    impl ReadJson for serde_json::Value {
        fn read(value: Value<'_>) -> Result<Self> {
            Ok(match value.text().as_bytes()[0] {
                b'"' => Self::String(String::read(value)?),
                b'[' => Self::Array(Vec::read(value)?),
                b'{' => {
                    let member = |(name, value)| Ok((String::read(name)?, Self::read(value)?));
                    Self::Object(value.object()?.entries().map(member).collect::<Result<_>>()?)
                }
                b'n' => Self::Null,
                b't' | b'f' => Self::Bool(value.boolean()?),
                _ => match value.number()? {
                    Number::Unsigned(number) => number.into(),
                    Number::Negative(number) => number.into(),
                    Number::Float(number) => number.into(),
                },
            })
        }
    }

    #[derive(Debug, PartialEq, Serialize, serde::Deserialize, ReadJson, WriteJson)]
    enum Shape {
        Unit,
        Newtype(u32),
        Perhaps(Option<u8>),
        Pair((u8, String)),
        Struct { text: String },
    }

    #[derive(Debug, PartialEq, Serialize, ReadJson, WriteJson)]
    #[serde(rename_all = "camelCase")]
    #[json(rename_all = "camelCase")]
    struct Sample {
        text: String,
        number: i64,
        small_number: u16,
        yes: bool,
        #[serde(skip_serializing_if = "Option::is_none")]
        some: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        none: Option<Box<Sample>>,
        pair: (u32, String),
        shapes: Vec<Shape>,
        map: Map<String, Vec<i64>>,
    }

    #[derive(Debug, ReadJson)]
    struct Deep(#[expect(dead_code, reason = "only its depth counts")] Vec<Deep>);

    fn sample(text: &str, number: i64) -> Sample {
        let text = || text.to_owned();
        let shapes = vec![
            Shape::Unit,
            Shape::Newtype(7),
            Shape::Perhaps(None),
            Shape::Pair((1, text())),
            Shape::Struct { text: text() },
        ];
        Sample {
            text: text(),
            number,
            small_number: u16::MAX,
            yes: true,
            some: Some(text()),
            none: None,
            pair: (1, text()),
            shapes,
            map: [(text(), vec![-1, 0, 1]), (String::new(), vec![])].into_iter().collect(),
        }
    }

    #[test]
    fn what_serde_json_writes_is_read_back() {
        let sample = sample("a \"b\" \\ \n \u{1} ü 🦀", i64::MIN);
        for text in [serde_json::to_string(&sample), serde_json::to_string_pretty(&sample)] {
            assert_eq!(from_str::<Sample>(&text.unwrap()).unwrap(), sample);
        }
        assert_eq!(*to_string(&sample), serde_json::to_string(&sample).unwrap());
        assert_eq!(from_str::<String>(r#""\ud83e\udd80\u00fc\/\b\f""#).unwrap(), "🦀ü/\u{8}\u{c}");
    }

    #[test]
    fn keys_that_are_not_known_are_passed_over() {
        #[derive(Debug, PartialEq, ReadJson)]
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
            "{\"Pair\":[1,\"a\",2]}",
            "{\"Pair\":[1]}",
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
    fn an_error_names_the_member_and_says_what_is_missing() {
        let told = |text: &str| from_str::<Sample>(text).unwrap_err().to_string();
        assert_eq!(told("{}"), "missing field text");
        assert_eq!(told(r#"{"text":7}"#), "text: expected a text");
        assert_eq!(told(r#"{"text":"a","text":"b"}"#), "duplicate field text");
        let inner = from_str::<Vec<Shape>>(r#"[{"Struct":{"text":null}}]"#).unwrap_err();
        assert_eq!(inner.to_string(), "text: expected a text");
    }

    #[test]
    fn text_that_is_longer_than_the_writers_room_is_written_whole() {
        let mut writer = Writer::default();
        writer.string("very-secret");
        let room = writer.text.capacity();
        writer.string(&"x".repeat(room));
        assert!(writer.text.capacity() > room && writer.text.contains("very-secret"));
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
            let value = from_str::<serde_json::Value>(text).unwrap();
            assert_eq!(value.as_i64(), whole, "{text}");
        }
        assert_eq!(from_str::<serde_json::Value>("1.9e9").unwrap().as_f64(), Some(1_900_000_000.0));
        assert!(from_str::<serde_json::Value>("1e999").is_err());
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
            prop_assert_eq!(&*to_string(&sample), &serde_json::to_string(&sample).unwrap());
            prop_assert_eq!(from_str::<Sample>(&serde_json::to_string(&sample).unwrap()).unwrap(), sample);
        }

        #[test]
        fn any_text_is_read_or_refused_as_serde_json_does(text in "[\\[\\]{}\":,\\\\a-fnu0-9 .-]{0,40}") {
            let ours = from_str::<Vec<Shape>>(&text).ok();
            prop_assert_eq!(ours, serde_json::from_str::<Vec<Shape>>(&text).ok());
            prop_assert_eq!(from_str::<serde_json::Value>(&text).ok(), serde_json::from_str::<serde_json::Value>(&text).ok());
        }

        #[test]
        fn any_number_is_read_or_refused_as_serde_json_does(text in "-?[0-9]{0,22}(\\.[0-9]{0,3})?([eE][+-]?[0-9]{0,4})?") {
            let shape = |value: &serde_json::Value| (value.as_i64(), value.as_u64(), value.is_f64());
            let ours = from_str::<serde_json::Value>(&text).ok();
            let theirs = serde_json::from_str::<serde_json::Value>(&text).ok();
            prop_assert_eq!(ours.as_ref().map(shape), theirs.as_ref().map(shape));
            // It rounds other than to the nearest float.
            if let (Some(ours), Some(theirs)) = (ours.and_then(|value| value.as_f64()), theirs.and_then(|value| value.as_f64())) {
                prop_assert!((ours - theirs).abs() <= ours.abs() * 1e-15, "{ours} {theirs}");
            }
        }

        #[test]
        fn any_value_is_read_as_serde_json_does(text in json_text()) {
            prop_assert_eq!(from_str::<serde_json::Value>(&text).unwrap(), serde_json::from_str::<serde_json::Value>(&text).unwrap());
        }
    }

    /// A document with whole numbers.
    #[cfg(not(target_arch = "wasm32"))]
    fn json_text() -> impl Strategy<Value = String> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(serde_json::Value::from),
            any::<i64>().prop_map(serde_json::Value::from),
            any::<u64>().prop_map(serde_json::Value::from),
            ".{0,8}".prop_map(serde_json::Value::from),
        ];
        let value = leaf.prop_recursive(4, 40, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(serde_json::Value::from),
                prop::collection::btree_map(".{0,8}", inner, 0..6)
                    .prop_map(|members| serde_json::Value::Object(members.into_iter().collect())),
            ]
        });
        value.prop_map(|value| value.to_string())
    }
}
