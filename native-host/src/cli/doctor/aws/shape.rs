//! The shape of a response: enough to compare it with the documented one, nothing that could be private.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use http::{HeaderMap, Response, header};
use quick_xml::events::Event;
use rolecall_core::secret::SecretBytes;
use serde::Serialize;
use serde_json::Value;

/// A response without its values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Shape {
    pub(super) status: u16,
    /// The media type without parameters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) content_type: Option<String>,
    /// The names of headers that many servers send or that AWS is known for.
    pub(super) headers: BTreeSet<String>,
    /// How many other headers there are: a company's own proxy could be recognised by their names.
    pub(super) other_headers: usize,
    /// The values of CORS headers and of AWS's error type.
    pub(super) values: BTreeMap<String, String>,
    /// The elements or members, as `ErrorResponse > Error > Code`; none for an HTML page.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub(super) members: BTreeSet<String>,
    /// AWS's code for the error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) code: Option<String>,
    /// Which of the known texts it contains.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) text: Option<Text>,
}

/// The texts of AWS that are recognised. Others are not repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Text {
    NotAJwt,
    NotValidated,
    NoProvider,
    NoKey,
    InvalidCredentials,
    OriginNotAllowed,
    Other,
}

impl Shape {
    /// The shape of a response.
    pub(super) fn of(response: &Response<SecretBytes>) -> Self {
        let headers = response.headers();
        let body = String::from_utf8_lossy(response.body().expose_secret());
        let content_type = plain(headers, header::CONTENT_TYPE.as_str())
            .map(|value| value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase());
        let (known, other): (Vec<_>, Vec<_>) =
            headers.keys().map(|name| name.as_str().to_owned()).partition(|name| is_known(name));
        let values = known.iter().filter(|name| has_harmless_value(name));
        let values = values.filter_map(|name| Some((name.clone(), plain(headers, name)?))).collect();
        let document = match body.trim_start().as_bytes().first() {
            Some(b'{') => of_json(&body),
            // The element names of an HTML page mean nothing.
            Some(b'<') if content_type.as_deref() != Some("text/html") => of_xml(&body),
            _ => Document::default(),
        };
        Self {
            status: response.status().as_u16(),
            content_type,
            headers: known.into_iter().collect(),
            other_headers: other.len(),
            values,
            members: document.members,
            code: document.code.filter(|code| is_name(code)),
            text: text(&body),
        }
    }

    pub(super) fn is_of_a_proxy(&self, has_documents: bool) -> bool {
        let asks_for_sign_in = matches!(self.status, 407 | 511);
        let is_aws = self.headers.iter().any(|name| name.starts_with("x-amz"));
        let is_page = self.content_type.as_deref() == Some("text/html");
        asks_for_sign_in || (has_documents && is_page && !is_aws)
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.status)?;
        for part in [&self.content_type, &self.code].into_iter().flatten() {
            write!(formatter, " {part}")?;
        }
        if let Some(origin) = self.values.get(header::ACCESS_CONTROL_ALLOW_ORIGIN.as_str()) {
            write!(formatter, " (readable by {origin})")?;
        }
        Ok(())
    }
}

#[derive(Default)]
struct Document {
    members: BTreeSet<String>,
    code: Option<String>,
}

impl Document {
    fn add(&mut self, path: &[String]) {
        if self.members.len() < MEMBERS_MAX && path.len() <= DEPTH_MAX {
            self.members.insert(path.join(" > "));
        }
    }
}

fn of_xml(body: &str) -> Document {
    let mut document = Document::default();
    let mut path: Vec<String> = Vec::new();
    let mut reader = quick_xml::Reader::from_str(body);
    loop {
        match reader.read_event() {
            Ok(Event::Start(element)) => {
                path.push(name(element.local_name().as_ref()));
                document.add(&path);
            }
            Ok(Event::Empty(element)) => {
                path.push(name(element.local_name().as_ref()));
                document.add(&path);
                path.pop();
            }
            Ok(Event::End(_)) => {
                path.pop();
            }
            Ok(Event::Text(text)) if path.last().is_some_and(|last| last == "Code") => {
                document.code = Some(text.trim().to_owned());
            }
            Ok(Event::Eof) | Err(_) => return document,
            Ok(_) => {}
        }
    }
}

fn of_json(body: &str) -> Document {
    fn walk(value: &Value, path: &mut Vec<String>, document: &mut Document) {
        let Value::Object(members) = value else { return };
        for (key, value) in members {
            if let ("Code", Value::String(code)) = (key.as_str(), value) {
                document.code = Some(code.clone());
            }
            path.push(name(key));
            document.add(path);
            walk(value, path, document);
            path.pop();
        }
    }
    let mut document = Document::default();
    if let Ok(value) = serde_json::from_str(body) {
        walk(&value, &mut Vec::new(), &mut document);
    }
    document
}

/// Finds a known text, in any quotes and line breaks of an HTML page.
fn text(body: &str) -> Option<Text> {
    let body = body.to_lowercase();
    if body.trim().is_empty() {
        return None;
    }
    let known = TEXTS.iter().find(|(words, _)| body.contains(words));
    Some(known.map_or(Text::Other, |(_, text)| *text))
}

/// A header's value if it is short plain text.
fn plain(headers: &HeaderMap, name: &str) -> Option<String> {
    let value = headers.get(name)?.to_str().ok()?;
    (value.len() <= VALUE_MAX).then(|| value.to_owned())
}

fn is_known(name: &str) -> bool {
    name.starts_with("access-control-") || name.starts_with("x-amz") || USUAL.contains(&name)
}

fn has_harmless_value(name: &str) -> bool {
    name.starts_with("access-control-") || name == "x-amzn-errortype"
}

/// The name of an element or member, if it can be one of AWS's.
fn name(text: &str) -> String {
    if is_name(text) { text.to_owned() } else { "…".to_owned() }
}

fn is_name(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphabetic() || b"._:-".contains(&byte))
}

/// Headers that do not identify their sender.
const USUAL: [&str; 14] = [
    "cache-control",
    "connection",
    "content-encoding",
    "content-length",
    "content-security-policy",
    "content-type",
    "date",
    "location",
    "set-cookie",
    "strict-transport-security",
    "transfer-encoding",
    "vary",
    "via",
    "x-frame-options",
];

/// In lower case, each as short as it is still unambiguous.
const TEXTS: [(&str, Text); 6] = [
    ("is not a valid jwt", Text::NotAJwt),
    ("could not be validated", Text::NotValidated),
    ("no openidconnect provider found", Text::NoProvider),
    ("retrieve verification key", Text::NoKey),
    ("invalid credentials", Text::InvalidCredentials),
    ("origin not allowed", Text::OriginNotAllowed),
];

const VALUE_MAX: usize = 200;
const MEMBERS_MAX: usize = 40;
const DEPTH_MAX: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    fn response(status: u16, headers: &[(&str, &str)], body: &str) -> Response<SecretBytes> {
        let mut response = Response::builder().status(status);
        for (name, value) in headers {
            response = response.header(*name, *value);
        }
        response.body(body.to_owned().into()).unwrap()
    }

    #[test]
    fn a_refusal_in_xml_or_json_keeps_names_and_no_values() {
        let xml = "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type>\
                   <Code>InvalidIdentityToken</Code><Message>The ID Token provided is not a valid JWT. (secret)</Message>\
                   </Error><RequestId>11111111-2222</RequestId></ErrorResponse>";
        let json = "{\"Error\":{\"Code\":\"InvalidIdentityToken\",\"Message\":\"x could not be validated. secret\",\
                    \"Type\":\"Sender\"},\"RequestId\":\"11111111-2222\"}";
        let headers =
            [("content-type", "text/xml"), ("x-amzn-requestid", "11111111-2222"), ("x-corp-proxy", "secret")];
        let shape = Shape::of(&response(400, &headers, xml));
        assert_eq!(shape.code.as_deref(), Some("InvalidIdentityToken"));
        assert_eq!(shape.text, Some(Text::NotAJwt));
        assert!(
            shape.members.contains("ErrorResponse > Error > Code")
                && shape.members.contains("ErrorResponse > RequestId")
        );
        assert_eq!((shape.other_headers, shape.headers.len()), (1, 2));
        let twin = Shape::of(&response(400, &[("content-type", "application/json; charset=utf-8")], json));
        assert_eq!(twin.text, Some(Text::NotValidated));
        assert_eq!(twin.content_type.as_deref(), Some("application/json"));
        for shape in [shape, twin] {
            let told = serde_json::to_string(&shape).unwrap();
            assert!(!told.contains("secret") && !told.contains("1111") && !told.contains("corp"), "{told}");
        }
    }

    #[test]
    fn a_proxys_page_is_told_apart_from_a_response_of_aws() {
        let page = [("content-type", "text/html")];
        assert!(Shape::of(&response(407, &[], "")).is_of_a_proxy(false));
        assert!(Shape::of(&response(403, &page, "<html>Acme Corp")).is_of_a_proxy(true));
        // The sign-in host's own refusal is an HTML page.
        assert!(!Shape::of(&response(400, &page, "<html>Invalid credentials")).is_of_a_proxy(false));
        let aws = [("content-type", "text/html"), ("x-amzn-requestid", "1")];
        assert!(!Shape::of(&response(403, &aws, "<html>")).is_of_a_proxy(true));
        assert!(Shape::of(&response(403, &page, "<html><p>Acme Corp</p>")).members.is_empty());
    }

    #[test]
    fn a_member_name_that_could_be_private_is_not_kept() {
        let shape = Shape::of(&response(
            200,
            &[],
            "{\"arn:aws:iam::123456789012:role/x\": 1, \"SigninToken\": \"s\"}",
        ));
        assert_eq!(shape.members.into_iter().collect::<Vec<_>>(), ["SigninToken", "…"]);
    }
}
