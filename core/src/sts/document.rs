//! What STS says, whichever way it says it: XML, or the JSON twin that it sends to whoever accepts JSON and that some
//! proxies and S3-compatible services send unasked.
//!
//! Both are read into the same list of leaves, each known by its own name and by the name of what it stands in. The
//! first character decides which of the two a body is: services are careless with `Content-Type`.

use quick_xml::Reader;
use quick_xml::events::Event;
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use crate::json::{self, Object, ReadJson};

/// The leaves of a document, in the order in which they stand.
#[derive(Debug)]
pub struct Document {
    root: String,
    leaves: Vec<Leaf>,
}

#[derive(Debug)]
struct Leaf {
    parent: String,
    name: String,
    text: SecretString,
}

impl Document {
    /// Reads a body; `None` if it is neither XML nor JSON to its end, or larger or deeper than any answer of STS.
    #[must_use]
    pub fn read(body: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(body).ok()?.trim_start_matches('\u{feff}').trim();
        match text.bytes().next()? {
            b'{' => Self::from_json(text),
            b'<' => Self::from_xml(text),
            _ => None,
        }
    }

    /// The name of the outermost element. In JSON, of the member that is named like one; where services leave that out, as
    /// Ceph's gateway does, what it would be for the result that is there; else empty.
    #[must_use]
    pub fn root(&self) -> &str {
        &self.root
    }

    /// The first leaf of this name inside an element of that name, without the white space around it.
    #[must_use]
    pub fn text(&self, parent: &str, name: &str) -> Option<&str> {
        let leaf = self.leaves.iter().find(|leaf| leaf.parent == parent && leaf.name == name)?;
        Some(leaf.text.expose_secret().trim())
    }

    /// The same, if there is only one: whoever reads another one of two would read other credentials.
    #[must_use]
    pub fn only_text(&self, parent: &str, name: &str) -> Option<&str> {
        let is_meant = |leaf: &&Leaf| leaf.parent == parent && leaf.name == name;
        let is_only = self.leaves.iter().filter(is_meant).count() == 1;
        self.text(parent, name).filter(|_| is_only)
    }

    /// The code and the message of an error, wherever it stands: `ErrorResponse`, S3's bare `Error`, EC2's `Response`.
    #[must_use]
    pub fn error(&self) -> Option<(&str, &str)> {
        let has_error = self.leaves.iter().any(|leaf| leaf.parent == ERROR);
        let code = self.text(ERROR, "Code").or_else(|| has_error.then_some(""))?;
        Some((code, self.text(ERROR, "Message").unwrap_or_default()))
    }

    fn from_xml(text: &str) -> Option<Self> {
        let mut reader = Reader::from_str(text);
        let mut document = Self { root: String::new(), leaves: Vec::new() };
        let mut open: Vec<String> = Vec::new();
        let mut content = Zeroizing::new(String::new());
        let mut is_leaf = false;
        loop {
            match reader.read_event().ok()? {
                Event::Start(element) => {
                    let name = element.local_name().into_inner().to_owned();
                    document.enter(&name, open.len())?;
                    open.push(name);
                    content.clear();
                    is_leaf = true;
                }
                Event::Empty(element) => {
                    let name = element.local_name().into_inner().to_owned();
                    document.enter(&name, open.len())?;
                    document.add(open.last(), name, String::new());
                    is_leaf = false;
                }
                Event::End(_) => {
                    let name = open.pop()?;
                    if is_leaf {
                        let text = std::mem::take(&mut *content);
                        document.add(open.last(), name, text);
                    }
                    is_leaf = false;
                }
                Event::Text(text) => content.push_str(&text.xml_content(quick_xml::XmlVersion::Implicit1_0)),
                Event::CData(text) => content.push_str(&text.xml_content(quick_xml::XmlVersion::Implicit1_0)),
                Event::GeneralRef(reference) => {
                    let named = || quick_xml::escape::resolve_predefined_entity(&reference);
                    match reference.resolve_char_ref().ok()? {
                        Some(character) => content.push(character),
                        None => content.push_str(named()?),
                    }
                }
                Event::Eof => break,
                // No answer of STS declares entities, and nothing here expands them.
                Event::DocType(_) => return None,
                Event::Decl(_) | Event::PI(_) | Event::Comment(_) => {}
            }
        }
        // Text that is left stands behind the root's end.
        (open.is_empty() && !document.root.is_empty() && content.trim().is_empty()).then_some(document)
    }

    fn from_json(text: &str) -> Option<Self> {
        let json = json::Document::parse(text).ok()?;
        let members = json.value().object().ok()?;
        let names: Vec<_> = members.names().collect();
        let is_root = |name: &&String| name.ends_with("Response") || *name == ERROR;
        let of_result = |name: &String| Some(format!("{}Response", name.strip_suffix("Result")?));
        let root = names.iter().find(is_root).cloned().or_else(|| names.iter().find_map(of_result));
        let mut document = Self { root: root.unwrap_or_default(), leaves: Vec::new() };
        document.add_bare_error(members);
        document.add_members(None, members, 0)?;
        Some(document)
    }

    /// An error without the element around it (Ceph's gateway), with the name of its shape (AWS JSON protocol), in small
    /// letters, or in a list.
    fn add_bare_error(&mut self, members: Object<'_>) {
        let inside = |name: &str| {
            let value = members.find(name).ok()??;
            value.list().ok().and_then(|mut list| list.next()).unwrap_or(value).object().ok()
        };
        for error in [Some(members), inside("error"), inside("Errors")].into_iter().flatten() {
            let text = |names: &[&'static str]| names.iter().find_map(|name| error.get::<String>(name).ok());
            let Some(code) = text(&["Code", "code", "__type"]) else { continue };
            let code = code.rsplit('#').next().unwrap_or_default();
            let message = text(&["Message", "message"]).unwrap_or_default();
            self.add(Some(&ERROR.to_owned()), "Code".to_owned(), code.to_owned());
            self.add(Some(&ERROR.to_owned()), "Message".to_owned(), message);
        }
    }

    fn add_members(&mut self, parent: Option<&String>, members: Object<'_>, depth: usize) -> Option<()> {
        for (name, value) in members.entries() {
            let name = String::read(name).ok().filter(|name| name.len() <= MAX_NAME)?;
            if depth >= MAX_DEPTH || self.leaves.len() >= MAX_LEAVES {
                return None;
            }
            if let Ok(members) = value.object() {
                self.add_members(Some(&name), members, depth + 1)?;
            } else if let Ok(text) = String::read(value) {
                self.add(parent, name, text);
            } else if let Some(number) = value.whole_part() {
                self.add(parent, name, number.to_string());
            }
        }
        Some(())
    }

    fn enter(&mut self, name: &str, depth: usize) -> Option<()> {
        if depth == 0 {
            // A second root is no document.
            self.root.is_empty().then(|| name.clone_into(&mut self.root))?;
        }
        (depth < MAX_DEPTH && self.leaves.len() < MAX_LEAVES).then_some(())
    }

    fn add(&mut self, parent: Option<&String>, name: String, text: String) {
        self.leaves.push(Leaf { parent: parent.cloned().unwrap_or_default(), name, text: text.into() });
    }
}

const ERROR: &str = "Error";

/// The answers of STS are 4 elements deep and have some 15 leaves.
const MAX_DEPTH: usize = 16;
const MAX_LEAVES: usize = 200;
/// Far longer than any name of theirs.
const MAX_NAME: usize = 200;

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn both_encodings_say_the_same() {
        for body in [
            "<?xml version=\"1.0\"?>\n<AResponse xmlns=\"urn:x\"><AResult><C><K> a&amp;b\n</K><E/></C></AResult></AResponse>",
            r#" {"AResponse":{"AResult":{"C":{"K":"a&b","E":""}},"ResponseMetadata":{"RequestId":"r"}}}"#,
        ] {
            let document = Document::read(body.as_bytes()).unwrap();
            assert_eq!(document.root(), "AResponse");
            assert_eq!(document.text("C", "K"), Some("a&b"));
            assert_eq!(document.text("C", "E"), Some(""));
            assert_eq!(document.text("D", "K"), None);
            assert_eq!(document.error(), None);
        }
    }

    #[test]
    fn json_that_is_larger_than_any_answer_is_not_read() {
        let many = |leaves: usize| format!("{{\"A\":{{{}\"z\":\"\"}}}}", "\"a\":\"\",".repeat(leaves));
        assert!(Document::read(many(MAX_LEAVES - 1).as_bytes()).is_some());
        assert!(Document::read(many(MAX_LEAVES).as_bytes()).is_none());
        let deep = |levels: usize| format!("{}\"\"{}", "{\"a\":".repeat(levels), "}".repeat(levels));
        assert!(Document::read(deep(MAX_DEPTH).as_bytes()).is_some());
        assert!(Document::read(deep(MAX_DEPTH + 1).as_bytes()).is_none());
        let named = |length: usize| format!("{{\"{}\":\"\"}}", "a".repeat(length));
        assert!(Document::read(named(MAX_NAME).as_bytes()).is_some());
        assert!(Document::read(named(MAX_NAME + 1).as_bytes()).is_none());
    }

    #[test]
    fn what_is_no_document_is_not_read_as_one() {
        for body in [
            "",
            "null",
            "[]",
            "\"<a/>\"",
            "<a>",
            "<a/><b/>",
            "<a></b>",
            "a",
            "{\"a\":",
            "<!DOCTYPE a [<!ENTITY e \"x\">]><a>&e;</a>",
            "<a>&nobody;</a>",
        ] {
            assert!(Document::read(body.as_bytes()).is_none(), "{body}");
        }
        let deep = format!("{}{}", "<a>".repeat(40), "</a>".repeat(40));
        assert!(Document::read(deep.as_bytes()).is_none());
        let wide = format!("<a>{}</a>", "<b>x</b>".repeat(300));
        assert!(Document::read(wide.as_bytes()).is_none());
        assert!(Document::read(b"\xff\xfe<a/>").is_none());
    }

    #[test]
    fn an_error_is_found_wherever_it_stands() {
        for body in [
            "<ErrorResponse><Error><Type>Sender</Type><Code>C</Code><Message>M</Message></Error></ErrorResponse>",
            "<Error><Code>C</Code><Message>M</Message><Resource>/</Resource></Error>",
            "<Response><Errors><Error><Code>C</Code><Message>M</Message></Error></Errors></Response>",
            r#"{"Error":{"Code":"C","Message":"M","Type":"Sender"},"RequestId":"r"}"#,
            r#"{"ErrorResponse":{"Error":{"Code":"C","Message":"M"},"RequestId":"r"}}"#,
            r#"{"Code":"C","Message":"M","RequestId":"r","HostId":"h"}"#,
            r#"{"__type":"com.amazonaws.sts#C","message":"M"}"#,
            r#"{"error":{"code":"C","message":"M"}}"#,
            r#"{"Errors":[{"Code":"C","Message":"M"}]}"#,
        ] {
            assert_eq!(Document::read(body.as_bytes()).unwrap().error(), Some(("C", "M")), "{body}");
        }
        assert_eq!(Document::read(b"<Error><Code/></Error>").unwrap().error(), Some(("", "")));
    }

    #[test]
    fn no_document_shows_what_it_holds() {
        let shown = format!("{:?}", Document::read(b"<a><b>very-secret</b></a>"));
        assert!(!shown.contains("very-secret"), "{shown}");
    }
}
