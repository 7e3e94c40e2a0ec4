//! Opening the AWS console: `getSigninToken`, then `login` (IAM User Guide, "Enabling custom identity
//! broker access to the AWS console").
//!
//! The login address works for 15 minutes and for anyone who has it. It is a secret, opened and never logged.

use secrecy::{ExposeSecret, SecretString};

use crate::aws::{Credentials, Region};
use crate::code::Code;
use crate::identity::PRODUCT;
use crate::json::{self, ReadJson, WriteJson};
use crate::oidc::post_form;
use crate::platform::{HttpRequest, HttpResponse, Method, Platform, Route, Step, TransportError};
use crate::secret::SecretBytes;
use crate::settings::{Endpoint, Provider, Role};
use crate::url::Url;

/// Asks AWS for an address that opens the console signed in as the role.
///
/// `service` is a path below the console's root, such as `s3`; the console's home without one.
pub async fn login_url(
    platform: &impl Platform,
    provider: &Provider,
    role: &Role,
    credentials: &Credentials,
    service: Option<&str>,
) -> Result<SecretString, ConsoleError> {
    platform.progress(Step::OpeningConsole);
    let region = role.region();
    let endpoints = ConsoleEndpoints::of(provider, role, &region)?;
    let mut response = platform
        .send(sign_in_token_request(&endpoints.federation, credentials, Method::Post), Route::Readable)
        .await?;
    // POST keeps the keys out of an address, where proxies would log them. Only a server that refuses it is asked
    // again with GET, once, which is what AWS documents. A success that cannot be read is no refusal.
    if refuses_post(&response) {
        let request = sign_in_token_request(&endpoints.federation, credentials, Method::Get);
        response = platform.send(request, Route::Readable).await?;
    }
    let token = read_sign_in_token(&response)?;
    let mut destination = endpoints.console;
    if let Some(service) = service {
        destination.set_path(&format!("/{}/home", service.trim_matches('/')));
    }
    destination.query_pairs_mut().append_pair("region", region.as_str());

    let mut url = endpoints.federation.url().clone();
    url.query_pairs_mut()
        .append_pair("Action", "login")
        .append_pair("Issuer", PRODUCT)
        .append_pair("Destination", destination.as_str())
        .append_pair("SigninToken", token.expose_secret());
    Ok(String::from(url).into())
}

/// Why the console cannot be opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConsoleError {
    /// The AWS sign-in did not respond.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// No console is known for the partition.
    #[error("No AWS console is known for the partition {partition}.")]
    NotOffered {
        /// The role's partition.
        partition: &'static str,
    },
    /// The credentials are not AWS's.
    #[error("The credentials come from {host}, which is not AWS, so they are not sent to the AWS console.")]
    NotAws {
        /// The host of `sts_endpoint`.
        host: String,
    },
    /// The credentials were refused.
    #[error("The AWS sign-in refused the role's credentials (HTTP status {status}).")]
    Refused {
        /// The status.
        status: u16,
    },
    /// No sign-in token in the answer.
    #[error("The AWS sign-in did not return a sign-in token.")]
    Malformed,
}

impl ConsoleError {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Transport(error) => error.code(),
            Self::NotOffered { .. } | Self::NotAws { .. } => Code::ConsoleNotOffered,
            Self::Refused { .. } => Code::ConsoleRefused,
            Self::Malformed => Code::ConsoleResponseInvalid,
        }
    }
}

struct ConsoleEndpoints {
    federation: Endpoint,
    console: Url,
}

impl ConsoleEndpoints {
    fn of(provider: &Provider, role: &Role, region: &Region) -> Result<Self, ConsoleError> {
        let partition = role.arn.partition();
        let not_offered = || ConsoleError::NotOffered { partition: partition.id() };
        let federation = match (&provider.console_endpoint, &provider.sts_endpoint) {
            (Some(federation), _) => federation.clone(),
            // Credentials that another service has issued are none of AWS's business.
            (None, Some(sts)) if !partition.is_sts_host(host(sts)) => {
                return Err(ConsoleError::NotAws { host: host(sts).to_owned() });
            }
            (None, _) => {
                Endpoint::https(&partition.sign_in_host(region).ok_or_else(not_offered)?, "/federation")
            }
        };
        let mut console = match &provider.console_destination {
            Some(console) => console.url().clone(),
            None if partition.is_sign_in_host(host(&federation)) => {
                let host = partition.console_host(region).ok_or_else(not_offered)?;
                Endpoint::https(&host, "/").url().clone()
            }
            // A console of somebody else's, which has one host for both.
            None => federation.url().clone(),
        };
        console.set_path("/console/home");
        console.set_query(None);
        Ok(Self { federation, console })
    }
}

fn host(endpoint: &Endpoint) -> &str {
    endpoint.url().host_str().unwrap_or_default()
}

fn sign_in_token_request(federation: &Endpoint, credentials: &Credentials, method: Method) -> HttpRequest {
    #[derive(WriteJson)]
    struct Session<'a> {
        #[json(name = "sessionId")]
        id: &'a str,
        #[json(name = "sessionKey")]
        key: &'a str,
        #[json(name = "sessionToken")]
        token: &'a str,
    }
    let session = Session {
        id: &credentials.access_key_id,
        key: credentials.secret_access_key.expose_secret(),
        token: credentials.session_token.expose_secret(),
    };
    let session = json::to_string(&session);
    let parameters = [("Action", "getSigninToken"), ("Session", session.as_str())];
    if method == Method::Post {
        return post_form(federation, &parameters);
    }
    let mut url = federation.url().clone();
    url.query_pairs_mut().extend_pairs(parameters);
    HttpRequest { method, url, headers: Vec::new(), body: SecretBytes::default(), public_only: false }
}

/// Whether the method was refused, or may have been for the `Origin` that browsers send along with POST and not with GET.
fn refuses_post(response: &HttpResponse) -> bool {
    match response.status {
        404 | 405 | 501 => true,
        400 | 403 => response.had_origin,
        _ => false,
    }
}

fn read_sign_in_token(response: &HttpResponse) -> Result<SecretString, ConsoleError> {
    #[derive(ReadJson)]
    #[json(rename_all = "PascalCase")]
    struct Answer {
        signin_token: SecretString,
    }
    if response.status != 200 {
        return Err(ConsoleError::Refused { status: response.status });
    }
    let answer: Answer =
        json::from_slice(response.body.expose_secret()).map_err(|_| ConsoleError::Malformed)?;
    Ok(answer.signin_token)
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;
    use crate::settings::fixture;

    fn answer(status: u16, had_origin: bool) -> HttpResponse {
        HttpResponse { had_origin, ..HttpResponse::new(status, SecretBytes::default()) }
    }

    #[test]
    fn keys_go_into_an_address_only_where_post_is_refused() {
        for status in [404, 405, 501] {
            assert!(refuses_post(&answer(status, false)), "{status}");
        }
        // Of a request that named no origin, these are about the keys themselves.
        for status in [400, 403] {
            assert!(!refuses_post(&answer(status, false)), "{status}");
            assert!(refuses_post(&answer(status, true)), "{status}");
        }
        // What succeeded is over, whether or not its answer can be read.
        for status in [200, 204, 302, 500, 503] {
            assert!(!refuses_post(&answer(status, true)), "{status}");
        }
    }

    fn endpoints(role: &str, change: impl FnOnce(&mut Provider)) -> Result<(String, String), ConsoleError> {
        let mut provider = fixture::provider();
        change(&mut provider);
        let role = Role { arn: role.parse().unwrap(), region: None, ..fixture::role() };
        let ConsoleEndpoints { federation, console } =
            ConsoleEndpoints::of(&provider, &role, &role.region())?;
        Ok((federation.url().to_string(), console.to_string()))
    }

    const ROLE: &str = "arn:aws:iam::123456789012:role/example";

    fn at(address: &str) -> Endpoint {
        address.parse().unwrap()
    }

    #[test]
    fn credentials_that_are_not_awss_are_never_shown_to_aws() {
        for sts in ["https://sts.example.com/", "http://127.0.0.1:8080/", "https://amazonaws.com.example/"] {
            let error = endpoints(ROLE, |provider| provider.sts_endpoint = Some(at(sts))).unwrap_err();
            assert_eq!(error.code(), Code::ConsoleNotOffered, "{sts}");
            assert!(error.to_string().contains("is not AWS"), "{error}");
        }
        for sts in ["https://sts-fips.us-east-1.amazonaws.com/", "https://sts.us-east-1.api.aws/"] {
            let (federation, _) = endpoints(ROLE, |provider| provider.sts_endpoint = Some(at(sts))).unwrap();
            assert_eq!(federation, "https://us-east-1.signin.aws.amazon.com/federation", "{sts}");
        }
    }

    #[test]
    fn another_sign_in_host_of_awss_leads_to_the_same_console_and_somebody_elses_to_its_own() {
        for (endpoint, destination) in [
            (
                "https://signin.aws.amazon.com/federation",
                "https://us-east-1.console.aws.amazon.com/console/home",
            ),
            ("https://console.example/federation", "https://console.example/console/home"),
        ] {
            let (federation, console) =
                endpoints(ROLE, |provider| provider.console_endpoint = Some(at(endpoint))).unwrap();
            assert_eq!((federation.as_str(), console.as_str()), (endpoint, destination));
        }
    }

    #[test]
    fn a_partition_without_a_known_console_takes_both_addresses_from_the_settings() {
        let iso = "arn:aws-iso:iam::123456789012:role/example";
        let sign_in = "https://us-iso-east-1.signin.c2shome.ic.gov/federation";
        assert_eq!(endpoints(iso, |_| {}).unwrap_err().code(), Code::ConsoleNotOffered);
        let half = endpoints(iso, |provider| provider.console_endpoint = Some(at(sign_in)));
        assert_eq!(half.unwrap_err().code(), Code::ConsoleNotOffered);
        let both = endpoints(iso, |provider| {
            provider.console_endpoint = Some(at(sign_in));
            provider.console_destination = Some(at("https://console.iso.example/"));
        });
        assert_eq!(both.unwrap(), (sign_in.into(), "https://console.iso.example/console/home".into()));
    }
}
