//! A provider's role catalogue: a JSON document of roles and accounts on any web server (`docs/catalogue.md`).
//!
//! It has the keys of the settings. What cannot be used of it is told and loses nothing else, and a server that is down
//! or sends something else takes away nothing that was read before.

use crate::code::{Code, Problem};
use crate::json::{ReadJson, WriteJson};
use crate::platform::{HttpResponse, TransportError};
use crate::settings::{Catalogue, Endpoint, Provider, ProviderId, Reading};
use crate::time::{self, DateTime, TimeDelta, Utc};

/// The largest catalogue, in bytes.
pub const MAX_BYTES: usize = 4 * 1024 * 1024;

/// How long a catalogue is used before its server is asked whether it has changed.
pub const MAX_AGE: TimeDelta = TimeDelta::hours(1);

/// How long a server is left alone after a failure.
pub const RETRY: TimeDelta = TimeDelta::minutes(1);

/// A catalogue as it is kept on this computer. It holds no secret.
#[derive(Debug, Clone, PartialEq, Eq, ReadJson, WriteJson)]
pub struct KeptCatalogue {
    /// Where it is from.
    pub url: Endpoint,
    /// What the server calls this version (RFC 9110 section 8.8.3), if it says so.
    pub etag: Option<String>,
    /// The document.
    pub text: String,
}

impl KeptCatalogue {
    /// Takes a server's answer, if it is a catalogue.
    pub fn of_response(url: &Endpoint, response: &HttpResponse) -> Result<Self, CatalogueError> {
        let host = || url.url().host_str().unwrap_or_default().to_owned();
        if !response.is_success() {
            return Err(CatalogueError::Status { host: host(), status: response.status });
        }
        let etag = response.header("etag").map(str::to_owned);
        match std::str::from_utf8(response.body.expose_secret()) {
            Ok(text) => Ok(Self { url: url.clone(), etag, text: text.to_owned() }),
            Err(_) => Err(CatalogueError::NotADocument { host: host() }),
        }
    }

    /// Reads it for its provider.
    pub fn read(&self, provider: &ProviderId) -> Result<Catalogue, CatalogueError> {
        let host = || self.url.url().host_str().unwrap_or_default().to_owned();
        let reading = Reading::from_catalogue(&self.text, provider)
            .map_err(|_| CatalogueError::NotADocument { host: host() })?;
        Ok(Catalogue { url: self.url.clone(), reading })
    }
}

/// Why a catalogue cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CatalogueError {
    /// There was no answer.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// The server refused.
    #[error("{host} answered with the status {status}.")]
    Status {
        /// Which server.
        host: String,
        /// The status.
        status: u16,
    },
    /// It is no JSON object.
    #[error("The answer of {host} is not a JSON document.")]
    NotADocument {
        /// Which server.
        host: String,
    },
}

impl CatalogueError {
    /// What people are told. `read_at` is when the catalogue in use was last known to be current, if there is one.
    #[must_use]
    pub fn problem(&self, provider: &Provider, read_at: Option<DateTime<Utc>>) -> Problem {
        let label = provider.label();
        let in_use = match read_at {
            Some(at) => format!("The roles listed are those of {} UTC.", time::minute(at)),
            None => "No role of it is listed.".to_owned(),
        };
        let problem = Problem::new(
            Code::CatalogueUnavailable,
            format!("The role catalogue of {label} could not be read: {self} {in_use}"),
        );
        match self {
            Self::Transport(TransportError::NotAllowed { pattern, .. }) => problem
                .with_next_step(
                    "Choose Allow, or have the server send the header Access-Control-Allow-Origin: *.",
                )
                .with_grant(pattern),
            _ if read_at.is_none() => problem.with_next_step(
                "Check catalogue_url in the settings, and whether the server can be reached.",
            ),
            _ => problem,
        }
    }
}

/// A number that differs between two documents that differ (FNV-1a), to tell that nothing has changed.
#[must_use]
pub fn fingerprint(document: &[u8]) -> u64 {
    document
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;
    use crate::json;
    use crate::secret::SecretBytes;
    use crate::settings::fixture;

    fn answered(status: u16, body: &[u8]) -> Result<Catalogue, CatalogueError> {
        let url = "https://roles.example/corp.json".parse().unwrap();
        let response = HttpResponse {
            headers: vec![("ETag".to_owned(), "\"1\"".to_owned())],
            ..HttpResponse::new(status, SecretBytes::from(body.to_vec()))
        };
        let kept = KeptCatalogue::of_response(&url, &response)?;
        assert_eq!(kept.etag.as_deref(), Some("\"1\""));
        let again: KeptCatalogue = json::from_str(&json::to_string(&kept)).unwrap();
        assert_eq!(again, kept, "as it was kept");
        kept.read(&fixture::provider().id)
    }

    #[test]
    fn a_catalogues_roles_are_those_of_its_provider() {
        let body =
            br#"{"role": [{"arn": "arn:aws:iam::123456789012:role/a", "provider": "evil"}], "version": 7}"#;
        let catalogue = answered(200, body).unwrap();
        let [role] = &catalogue.reading.settings.role[..] else { panic!("{catalogue:?}") };
        assert_eq!(role.provider, fixture::provider().id);
        assert_eq!(answered(200, b"{}").unwrap().reading, Reading::default());
    }

    #[test]
    fn a_catalogue_that_cannot_be_read_says_why_and_from_when_the_roles_are() {
        for (status, body, sentence) in [
            (404, &b"{}"[..], "roles.example answered with the status 404."),
            (302, b"", "roles.example answered with the status 302."),
            (200, b"<html>", "The answer of roles.example is not a JSON document."),
            (200, b"[]", "The answer of roles.example is not a JSON document."),
            (200, b"{\"role\": \xff}", "The answer of roles.example is not a JSON document."),
            (200, b"", "The answer of roles.example is not a JSON document."),
        ] {
            let error = answered(status, body).unwrap_err();
            assert_eq!(error.to_string(), sentence);
            let told = error.problem(&fixture::provider(), DateTime::from_timestamp(1_000_000_000, 0));
            let told = &told.message;
            assert!(told.starts_with("The role catalogue of Example Corp could not be read: "), "{told}");
            assert!(told.ends_with("The roles listed are those of 2001-09-09 01:46 UTC."), "{told}");
        }
    }

    #[test]
    fn a_server_that_the_browser_keeps_from_the_extension_can_be_allowed() {
        let error =
            TransportError::NotAllowed { host: "a.example".into(), pattern: "https://a.example/*".into() };
        let problem = CatalogueError::from(error).problem(&fixture::provider(), None);
        assert_eq!(problem.grant.as_deref(), Some("https://a.example/*"));
        assert!(problem.next_step.contains("Access-Control-Allow-Origin"));
    }

    #[test]
    fn fingerprints_are_those_of_fnv_1a() {
        // From the reference's test suite (draft-eastlake-fnv).
        for (text, hash) in
            [("", 0xcbf2_9ce4_8422_2325), ("a", 0xaf63_dc4c_8601_ec8c), ("foobar", 0x8594_4171_f739_67e8)]
        {
            assert_eq!(fingerprint(text.as_bytes()), hash);
        }
    }
}
