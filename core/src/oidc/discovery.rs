//! OpenID Connect Discovery 1.0: the provider's configuration and where its keys are.

use super::Prompt;
use crate::code::Code;
use crate::json::{self, ReadJson, Value, WriteJson};
use crate::platform::{HttpRequest, HttpResponse, Method};
use crate::secret::SecretBytes;
use crate::settings::{Endpoint, Provider};
use crate::url::Url;

/// What this product reads of a provider's configuration.
#[derive(Debug, Clone, PartialEq, Eq, ReadJson, WriteJson)]
pub struct Metadata {
    /// Exactly as ID tokens carry it in `iss`.
    pub issuer: String,
    /// Where the browser is sent.
    pub authorization_endpoint: Endpoint,
    /// Where the code is exchanged.
    pub token_endpoint: Endpoint,
    /// Where the keys are.
    pub jwks_uri: Endpoint,
    /// Where a session is ended (OpenID Connect RP-Initiated Logout 1.0).
    #[json(read = usable)]
    pub end_session_endpoint: Option<Endpoint>,
    /// The revocation endpoint (RFC 7009).
    #[json(read = usable)]
    pub revocation_endpoint: Option<Endpoint>,
    /// Whether every redirect carries `iss` (RFC 9207 section 3).
    #[json(read = usable)]
    pub authorization_response_iss_parameter_supported: bool,
    /// Absent means "not said" (RFC 8414 section 2), and PKCE is tried.
    #[json(read = usable)]
    code_challenge_methods_supported: Option<Vec<String>>,
    /// Initiating User Registration via OpenID Connect 1.0 section 4; absent means "not said".
    #[json(read = usable)]
    prompt_values_supported: Option<Vec<String>>,
}

impl Metadata {
    /// How to ask a person for an account of their choice (OIDC Core 3.1.2.1): among those that the provider knows, or
    /// where it knows no such thing, by signing in anew.
    #[must_use]
    pub fn prompt_for_account(&self) -> Prompt {
        let knows = |value: &str| {
            let values = self.prompt_values_supported.as_ref();
            values.is_none_or(|values| values.iter().any(|known| known == value))
        };
        if knows("select_account") { Prompt::SelectAccount } else { Prompt::Login }
    }
}

// What a sign-in does without is taken as absent where it cannot be used: it costs nobody the sign-in.

pub(super) fn usable<T: ReadJson + Default>(value: Value<'_>) -> T {
    T::read(value).unwrap_or_default()
}

/// The request for the provider's configuration.
#[must_use]
pub fn metadata_request(provider: &Provider) -> HttpRequest {
    get(&provider.well_known_url)
}

/// The request for the provider's keys.
#[must_use]
pub fn keys_request(provider: &Provider, metadata: &Metadata) -> HttpRequest {
    HttpRequest { public_only: provider.is_public_only(&metadata.jwks_uri), ..get(&metadata.jwks_uri) }
}

impl Metadata {
    /// Reads the provider's configuration.
    pub fn read(provider: &Provider, response: &HttpResponse) -> Result<Self, DiscoveryError> {
        let url = provider.well_known_url.url();
        check_status(url, response)?;
        let mut metadata: Self = json::from_slice(response.body.expose_secret())
            .map_err(|error| DiscoveryError::Malformed { url: shown(url), reason: error.to_string() })?;
        // OIDC Discovery 4.3: the issuer must be the URL to which the well-known path was appended (4.1: with
        // any terminating "/" removed). Otherwise one provider could speak for another.
        let expected = format!("{}{WELL_KNOWN_PATH}", metadata.issuer.trim_end_matches('/'));
        // Readers of URLs take out blanks and hidden characters.
        let is_plain = metadata.issuer.bytes().all(|byte| byte.is_ascii_graphic());
        if !is_plain || Url::parse(&expected).ok().as_ref() != Some(url) {
            let fitting = fitting_address(&metadata.issuer, &expected, url);
            return Err(DiscoveryError::IssuerMismatch { url: shown(url), issuer: metadata.issuer, fitting });
        }
        metadata.keep_off_this_machine(provider)?;
        let challenge_methods = metadata.code_challenge_methods_supported.as_ref();
        if challenge_methods.is_some_and(|methods| !methods.iter().any(|method| method == "S256")) {
            return Err(DiscoveryError::NoPkce { url: shown(url) });
        }
        Ok(metadata)
    }
}

impl Metadata {
    /// A provider elsewhere has nothing to ask of this machine: what listens here trusts whoever can reach it.
    fn keep_off_this_machine(&mut self, provider: &Provider) -> Result<(), DiscoveryError> {
        if provider.well_known_url.is_this_machine() {
            return Ok(());
        }
        for endpoint in [&self.authorization_endpoint, &self.token_endpoint, &self.jwks_uri] {
            if endpoint.is_this_machine() {
                let (url, endpoint) = (provider.well_known_url.url(), endpoint.url());
                return Err(DiscoveryError::ThisMachine { url: shown(url), endpoint: shown(endpoint) });
            }
        }
        for optional in [&mut self.end_session_endpoint, &mut self.revocation_endpoint] {
            optional.take_if(|endpoint| endpoint.is_this_machine());
        }
        Ok(())
    }
}

/// Why a provider's configuration or keys cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DiscoveryError {
    /// An HTTP status other than 200.
    #[error("{url} responded with the HTTP status {status}.")]
    Status {
        /// What was asked.
        url: String,
        /// The status.
        status: u16,
    },
    /// Not the document that was expected.
    #[error("{url} did not return a valid provider configuration: {reason}.")]
    Malformed {
        /// What was asked.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The document speaks for another issuer.
    #[error("{url} names the issuer \"{issuer}\", which does not match that address.{fitting}")]
    IssuerMismatch {
        /// What was asked.
        url: String,
        /// What the document says.
        issuer: String,
        /// What would fit, as a sentence; empty where that is not known.
        fitting: String,
    },
    /// An endpoint on this machine, of a provider elsewhere.
    #[error("{url} names the address {endpoint}, which is on this computer and not the provider's.")]
    ThisMachine {
        /// What was asked.
        url: String,
        /// The endpoint.
        endpoint: String,
    },
    /// The provider says it does not do PKCE with S256.
    #[error("{url} says that the provider does not support PKCE with S256.")]
    NoPkce {
        /// What was asked.
        url: String,
    },
    /// Not a JSON Web Key Set.
    #[error("{url} did not return a JSON Web Key Set: {reason}.")]
    KeysMalformed {
        /// What was asked.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl DiscoveryError {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Status { .. } => Code::ProviderUnreachable,
            Self::Malformed { .. } | Self::NoPkce { .. } | Self::ThisMachine { .. } => {
                Code::ProviderMisconfigured
            }
            Self::IssuerMismatch { .. } => Code::IssuerMismatch,
            Self::KeysMalformed { .. } => Code::KeysUnusable,
        }
    }
}

/// Which address would fit: that of the issuer. Two are not meant to be used: Entra ID's template for all tenants at once,
/// and the issuer of the first version of its addresses.
fn fitting_address(issuer: &str, expected: &str, asked: &Url) -> String {
    if issuer.contains('{') {
        let everybody = asked.path().split('/').nth(1).unwrap_or_default();
        return format!(" Replace \"{everybody}\" in the address with your tenant's ID.");
    }
    if issuer.starts_with("https://sts.windows.net/") {
        return " Add \"/v2.0\" before \"/.well-known\" in the address.".to_owned();
    }
    match expected.parse::<Endpoint>() {
        Ok(fitting) => format!(" That issuer's address is {}.", shown(fitting.url())),
        Err(_) => String::new(),
    }
}

pub(super) fn check_status(url: &Url, response: &HttpResponse) -> Result<(), DiscoveryError> {
    match response.status {
        200 => Ok(()),
        status => Err(DiscoveryError::Status { url: shown(url), status }),
    }
}

/// An address as people are shown it: without a query, which might hold anything.
pub(super) fn shown(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.set_fragment(None);
    url.to_string()
}

fn get(endpoint: &Endpoint) -> HttpRequest {
    HttpRequest {
        method: Method::Get,
        url: endpoint.url().clone(),
        headers: vec![("accept", "application/json")],
        signature: Vec::new(),
        body: SecretBytes::default(),
        public_only: false,
    }
}

const WELL_KNOWN_PATH: &str = "/.well-known/openid-configuration";

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;
    use crate::settings::fixture;

    fn read(well_known_url: &str, issuer: &str, extra: &str) -> Result<Metadata, DiscoveryError> {
        let mut provider = fixture::provider();
        provider.well_known_url = well_known_url.parse().unwrap();
        let body = format!(
            r#"{{"issuer":"{issuer}","authorization_endpoint":"https://a.example/authorize",
                "token_endpoint":"https://a.example/token","jwks_uri":"https://a.example/jwks"{extra}}}"#
        );
        Metadata::read(&provider, &HttpResponse::new(200, body.into()))
    }

    #[test]
    fn the_issuer_must_belong_to_the_address_that_was_asked() {
        let well_known = "https://a.example/.well-known/openid-configuration";
        assert!(read(well_known, "https://a.example", "").is_ok());
        assert!(read(well_known, "https://a.example/", "").is_ok());
        for issuer in
            ["https://b.example", "https://a.example/tenant", "http://a.example", "", "https://a.example.b"]
        {
            let error = read(well_known, issuer, "").unwrap_err();
            assert_eq!(error.code(), Code::IssuerMismatch, "{issuer}");
        }
    }

    #[test]
    fn a_tenant_path_belongs_to_the_issuer() {
        let well_known = "https://a.example/realms/corp/.well-known/openid-configuration";
        assert!(read(well_known, "https://a.example/realms/corp", "").is_ok());
        assert!(read(well_known, "https://a.example", "").is_err());
    }

    #[test]
    fn a_provider_that_denies_pkce_is_refused_and_one_that_is_silent_is_not() {
        let well_known = "https://a.example/.well-known/openid-configuration";
        let plain = r#","code_challenge_methods_supported":["plain"]"#;
        assert_eq!(
            read(well_known, "https://a.example", plain).unwrap_err().code(),
            Code::ProviderMisconfigured
        );
        let both = r#","code_challenge_methods_supported":["plain","S256"]"#;
        assert!(read(well_known, "https://a.example", both).is_ok());
    }

    #[test]
    fn unusable_optional_metadata_counts_as_absent() {
        let well_known = "https://a.example/.well-known/openid-configuration";
        for unusable in ["\"http://a.example/logout\"", "\"/logout\"", "\"\"", "null", "7"] {
            let extra = format!(
                r#","end_session_endpoint":{unusable},"revocation_endpoint":{unusable},
                   "prompt_values_supported":{unusable},"code_challenge_methods_supported":{unusable},
                   "authorization_response_iss_parameter_supported":{unusable}"#
            );
            let metadata = read(well_known, "https://a.example", &extra).unwrap();
            assert_eq!((metadata.end_session_endpoint, metadata.revocation_endpoint), (None, None));
            assert!(!metadata.authorization_response_iss_parameter_supported);
        }
        let loopback = r#","end_session_endpoint":"http://127.0.0.1:80/logout""#;
        assert!(read(well_known, "https://a.example", loopback).unwrap().end_session_endpoint.is_none());
    }

    #[test]
    fn an_endpoint_that_is_needed_is_refused_without_tls_and_on_this_machine_unless_the_issuer_is_there() {
        let (elsewhere, here) = ("https://a.example", "http://127.0.0.1:80");
        for (issuer, address, is_taken) in [
            (elsewhere, "https://b.example/jwks", true),
            (elsewhere, "http://a.example/jwks", false),
            (elsewhere, "http://127.0.0.1:2375/containers/create", false),
            (elsewhere, "https://localhost/jwks", false),
            (here, "http://127.0.0.1:80/jwks", true),
        ] {
            let well_known_url = format!("{issuer}/.well-known/openid-configuration").parse().unwrap();
            let provider = Provider { well_known_url, ..fixture::provider() };
            for name in ["authorization_endpoint", "token_endpoint", "jwks_uri"] {
                let mut document = serde_json::json!({
                    "issuer": issuer, "authorization_endpoint": format!("{issuer}/authorize"),
                    "token_endpoint": format!("{issuer}/token"), "jwks_uri": format!("{issuer}/jwks"),
                });
                document[name] = address.into();
                let read = Metadata::read(&provider, &HttpResponse::new(200, document.to_string().into()));
                assert_eq!(read.is_ok(), is_taken, "{issuer} {address}");
            }
        }
    }

    #[test]
    fn a_host_that_only_the_providers_configuration_names_must_be_public_unless_the_settings_say_otherwise() {
        let well_known = "https://a.example/.well-known/openid-configuration";
        let provider = Provider { well_known_url: well_known.parse().unwrap(), ..fixture::provider() };
        let mut metadata = read(well_known, "https://a.example", "").unwrap();
        assert!(!metadata_request(&provider).public_only && !keys_request(&provider, &metadata).public_only);
        metadata.jwks_uri = "https://intranet.example/jwks".parse().unwrap();
        assert!(keys_request(&provider, &metadata).public_only);
        let provider = Provider { private_endpoints: true, ..provider };
        assert!(!keys_request(&provider, &metadata).public_only);
    }

    #[test]
    fn for_an_issuer_that_does_not_match_the_address_the_right_address_is_named() {
        let tenant = "11111111-2222-3333-4444-555555555555";
        let host = "https://login.microsoftonline.com";
        let path = ".well-known/openid-configuration";
        for (asked, issuer, told) in [
            (
                format!("{host}/common/v2.0/{path}"),
                format!("{host}/{{tenantid}}/v2.0"),
                "Replace \"common\" in the address with your tenant's ID.".to_owned(),
            ),
            (
                format!("{host}/example.onmicrosoft.com/v2.0/{path}"),
                format!("{host}/{tenant}/v2.0"),
                format!("That issuer's address is {host}/{tenant}/v2.0/{path}."),
            ),
            (
                format!("{host}/{tenant}/{path}"),
                format!("https://sts.windows.net/{tenant}/"),
                "Add \"/v2.0\" before \"/.well-known\" in the address.".to_owned(),
            ),
            (
                format!("{host}/{tenant}/v2.0/{path}?appid=1"),
                format!("{host}/{tenant}/v2.0"),
                format!("That issuer's address is {host}/{tenant}/v2.0/{path}."),
            ),
            (
                format!("https://tenant.auth0.com//{path}"),
                "https://tenant.auth0.com/".to_owned(),
                format!("That issuer's address is https://tenant.auth0.com/{path}."),
            ),
        ] {
            let error = read(&asked, &issuer, "").unwrap_err().to_string();
            assert!(error.ends_with(&told), "{error}");
        }
    }
}
