//! The documented responses of AWS, each with its source. Only this check depends on them: if AWS responds differently
//! today, the check shows it.

use http::header;

use super::shape::{Shape, Text};

/// An expected response.
#[derive(Debug)]
pub(super) struct Expected {
    /// The status, if it is known.
    status: Option<u16>,
    content_type: Option<&'static str>,
    /// Elements or members that must be present.
    members: &'static [&'static str],
    code: Option<&'static str>,
    /// One of these texts.
    texts: &'static [Text],
    /// Headers that must be present.
    headers: &'static [&'static str],
    /// Headers that contain lists, and the expected words.
    lists: &'static [(&'static str, &'static str)],
    readers: Readers,
    /// The source.
    pub(super) source: &'static str,
}

/// Which pages may read the response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Readers {
    /// Not checked.
    Any,
    AllPages,
    NoPage,
}

impl Expected {
    /// How the response differs, for display.
    pub(super) fn differences(&self, shape: &Shape) -> Vec<String> {
        let mut differences = Vec::new();
        let mut differs = |what: &str, expected: &str, found: &str| {
            differences.push(format!("{what}: {found} instead of {expected}"));
        };
        if let Some(status) = self.status.filter(|status| *status != shape.status) {
            differs("status", &status.to_string(), &shape.status.to_string());
        }
        if let Some(expected) =
            self.content_type.filter(|expected| shape.content_type.as_deref() != Some(expected))
        {
            differs("content type", expected, shape.content_type.as_deref().unwrap_or("none"));
        }
        for member in self.members.iter().filter(|member| !shape.members.contains(**member)) {
            differs("document", member, "no such element");
        }
        if let Some(expected) = self.code.filter(|expected| shape.code.as_deref() != Some(expected)) {
            differs("code", expected, shape.code.as_deref().unwrap_or("none"));
        }
        if !self.texts.is_empty() && !shape.text.is_some_and(|text| self.texts.contains(&text)) {
            let expected: Vec<_> = self.texts.iter().map(|text| text.words()).collect();
            differs("text", &expected.join(" or "), shape.text.map_or("none", Text::words));
        }
        for name in self.headers.iter().filter(|name| !shape.headers.contains(**name)) {
            differs("headers", name, "none");
        }
        for (name, words) in self.lists {
            let found = shape.values.get(*name).map_or("", String::as_str);
            if set(found) != set(words) {
                differs(name, words, if found.is_empty() { "none" } else { found });
            }
        }
        let reader = shape.values.get(header::ACCESS_CONTROL_ALLOW_ORIGIN.as_str()).map(String::as_str);
        match (self.readers, reader) {
            (Readers::AllPages, Some("*")) | (Readers::NoPage, None) | (Readers::Any, _) => {}
            (Readers::AllPages, found) => differs("readable by", "every page", found.unwrap_or("no page")),
            (Readers::NoPage, Some(found)) => differs("readable by", "no page", found),
        }
        differences
    }
}

impl Text {
    fn words(self) -> &'static str {
        match self {
            Self::NotAJwt => "\"not a valid JWT\"",
            Self::NotValidated => "\"could not be validated\"",
            Self::NoProvider => "\"No OpenIDConnect provider found\"",
            Self::NoKey => "\"Couldn't retrieve verification key\"",
            Self::InvalidCredentials => "\"Invalid credentials\"",
            Self::OriginNotAllowed => "\"Origin not allowed\"",
            Self::Other => "another text",
        }
    }
}

fn set(words: &str) -> std::collections::BTreeSet<String> {
    words.split(',').map(|word| word.trim().to_ascii_lowercase()).filter(|word| !word.is_empty()).collect()
}

const NOTHING: Expected = Expected {
    status: None,
    content_type: None,
    members: &[],
    code: None,
    texts: &[],
    headers: &[],
    lists: &[],
    readers: Readers::Any,
    source: "",
};

const REQUEST_ID: &[&str] = &["x-amzn-requestid"];

/// A token that is not a JWT.
pub(super) const NO_JWT: Expected = Expected {
    status: Some(400),
    content_type: Some("text/xml"),
    members: &[
        "ErrorResponse > Error > Code",
        "ErrorResponse > Error > Message",
        "ErrorResponse > Error > Type",
        "ErrorResponse > RequestId",
    ],
    code: Some("InvalidIdentityToken"),
    texts: &[Text::NotAJwt],
    headers: REQUEST_ID,
    source: "sts.us-east-1, recorded in September 2026 by radkawar/stackd; aws-sdk-rust #827 for the headers",
    ..NOTHING
};

/// The same with `Accept: application/json`.
pub(super) const NO_JWT_JSON: Expected = Expected {
    content_type: Some("application/json"),
    members: JSON_ERROR,
    source: "Envoy's tests of its web identity provider, kubernetes-sigs/aws-iam-authenticator",
    ..NO_JWT
};

const JSON_ERROR: &[&str] = &["Error > Code", "Error > Message", "Error > Type", "RequestId"];

/// A JWT with an invalid signature and an issuer that does not exist. Until about 2026 the text named the issuer.
pub(super) const FALSE_JWT: Expected = Expected {
    texts: &[Text::NotValidated, Text::NoProvider],
    source: "posts of 2026 (\"could not be validated\") and before (\"No OpenIDConnect provider found\")",
    ..NO_JWT
};

/// The same with `Accept: application/json`.
pub(super) const FALSE_JWT_JSON: Expected =
    Expected { content_type: NO_JWT_JSON.content_type, members: JSON_ERROR, ..FALSE_JWT };

/// With the `Origin` of an extension. None is documented for Firefox's.
pub(super) const NO_JWT_FROM_A_PAGE: Expected = Expected {
    readers: Readers::AllPages,
    source: "aws-sdk-js, SERVICES.md: STS answers pages of every origin",
    ..NO_JWT
};

/// A browser's preflight to STS.
pub(super) const STS_PREFLIGHT: Expected = Expected {
    status: Some(200),
    lists: &[
        ("access-control-allow-methods", "POST"),
        ("access-control-max-age", "172800"),
        ("access-control-expose-headers", "x-amzn-RequestId,x-amzn-ErrorType,x-amzn-ErrorMessage,Date"),
    ],
    readers: Readers::AllPages,
    source: "an OPTIONS recorded at sts.us-east-1 in 2020",
    ..NOTHING
};

/// Invalid keys, by POST and by GET.
pub(super) const FALSE_KEYS: Expected = Expected {
    status: Some(400),
    content_type: Some("text/html"),
    texts: &[Text::InvalidCredentials],
    readers: Readers::NoPage,
    source: "aws-vault #77, holochrome #8: a page \"Invalid credentials parameter\"",
    ..NOTHING
};

/// With the `Origin` of an extension.
pub(super) const FALSE_KEYS_FROM_A_PAGE: Expected = Expected {
    source: "none; assumed to be the same as without an Origin, and not readable by pages",
    ..FALSE_KEYS
};

/// A browser's preflight to the sign-in host.
pub(super) const SIGN_IN_PREFLIGHT: Expected =
    Expected { readers: Readers::NoPage, source: "none; no CORS response of this host is known", ..NOTHING };

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_expected_responses_are_the_recorded_ones() {
        let rows = |text: &str| -> Vec<serde_json::Value> {
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
        };
        let sts = rows(include_str!("../../../../../tests/recorded/sts-answers.jsonl"));
        let sign_in = rows(include_str!("../../../../../tests/recorded/federation.jsonl"));
        let today = "today's text for audience, key, signature and provider";
        for (name, expected) in [
            ("not a JWT", &NO_JWT),
            ("not a JWT, JSON twin", &NO_JWT_JSON),
            (today, &FALSE_JWT),
            (&format!("{today}, JSON twin"), &FALSE_JWT_JSON),
            ("no provider, until 2026", &FALSE_JWT),
            ("keys that are refused: a page", &FALSE_KEYS),
        ] {
            let row = sts.iter().chain(&sign_in).find(|row| row["name"] == name).unwrap();
            let kind = row.get("type").or_else(|| row.get("content_type")).unwrap();
            let response = http::Response::builder()
                .status(u16::try_from(row["status"].as_u64().unwrap()).unwrap())
                .header("content-type", kind.as_str().unwrap())
                .header("x-amzn-requestid", "r")
                .body(row["body"].as_str().unwrap().as_bytes().to_vec().into())
                .unwrap();
            assert_eq!(expected.differences(&Shape::of(&response)), [""; 0], "{name}");
        }
    }

    #[test]
    fn every_difference_is_named() {
        let response = http::Response::builder()
            .status(403)
            .header("content-type", "application/json")
            .header("access-control-allow-origin", "https://one.example")
            .body(r#"{"Error":{"Code":"AccessDenied","Message":"no"}}"#.to_owned().into())
            .unwrap();
        let differences = NO_JWT_FROM_A_PAGE.differences(&Shape::of(&response));
        assert_eq!(
            differences,
            [
                "status: 403 instead of 400",
                "content type: application/json instead of text/xml",
                "document: no such element instead of ErrorResponse > Error > Code",
                "document: no such element instead of ErrorResponse > Error > Message",
                "document: no such element instead of ErrorResponse > Error > Type",
                "document: no such element instead of ErrorResponse > RequestId",
                "code: AccessDenied instead of InvalidIdentityToken",
                "text: another text instead of \"not a valid JWT\"",
                "headers: none instead of x-amzn-requestid",
                "readable by: https://one.example instead of every page",
            ]
        );
    }

    #[test]
    fn lists_in_headers_are_compared_whatever_their_order_and_case() {
        let response = http::Response::builder()
            .header("access-control-allow-origin", "*")
            .header("access-control-allow-methods", "post")
            .header("access-control-max-age", "172800")
            .header(
                "access-control-expose-headers",
                "date, X-Amzn-Requestid,x-amzn-ErrorMessage,x-amzn-ErrorType",
            )
            .body(Vec::new().into())
            .unwrap();
        assert_eq!(STS_PREFLIGHT.differences(&Shape::of(&response)), [""; 0]);
    }
}
