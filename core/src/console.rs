//! The way into the AWS console: `getSigninToken`, then `login` (IAM User Guide, "Enabling custom identity
//! broker access to the AWS console").
//!
//! The login address works for 15 minutes for whoever has it. It is a secret, opened and never logged.

use http::Method;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use url::Url;

use crate::aws::{Credentials, Region};
use crate::error::Code;
use crate::identity::PRODUCT;
use crate::oidc::post_form;
use crate::platform::{HttpRequest, HttpResponse, Platform, Route, Step};
use crate::settings::{Endpoint, Provider, Role};
use crate::{Error, Result};

/// Asks AWS for an address that opens the console signed in as the role.
///
/// `service` is a path below the console's root, such as `s3`; the console's home without one.
pub async fn login_url(
    platform: &impl Platform,
    provider: &Provider,
    role: &Role,
    credentials: &Credentials,
    service: Option<&str>,
) -> Result<SecretString> {
    platform.progress(Step::OpeningConsole);
    let region = role.region();
    let place = Place::of(provider, role, &region)?;
    let mut response = platform
        .send(sign_in_token_request(&place.federation, credentials, &Method::POST), Route::Auto)
        .await?;
    // POST keeps the keys out of an address, where proxies would log them. Only a server that refuses the
    // method is asked again with GET, which is what AWS documents.
    if matches!(response.status().as_u16(), 404 | 405 | 501) {
        let request = sign_in_token_request(&place.federation, credentials, &Method::GET);
        response = platform.send(request, Route::Auto).await?;
    }
    let token = read_sign_in_token(&response)?;
    let mut destination = place.console;
    if let Some(service) = service {
        destination.set_path(&format!("/{}/home", service.trim_matches('/')));
    }
    destination.query_pairs_mut().append_pair("region", region.as_str());

    let mut url = place.federation.url().clone();
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
    /// No console is known for the partition.
    #[error("No AWS console is known for the partition {partition}.")]
    NotOffered {
        /// The role's partition.
        partition: &'static str,
    },
    /// The credentials were refused.
    #[error("The AWS sign-in refused the role's credentials (HTTP status {status}).")]
    Refused {
        /// The status.
        status: u16,
    },
    /// No sign-in token in the answer.
    #[error("The AWS sign-in answered with something that is not a sign-in token.")]
    Malformed,
}

impl ConsoleError {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::NotOffered { .. } => Code::ConsoleNotOffered,
            Self::Refused { .. } => Code::ConsoleRefused,
            Self::Malformed => Code::ConsoleResponseInvalid,
        }
    }
}

struct Place {
    federation: Endpoint,
    console: Url,
}

impl Place {
    fn of(provider: &Provider, role: &Role, region: &Region) -> Result<Self> {
        if let Some(federation) = &provider.console_endpoint {
            let mut console = federation.url().clone();
            console.set_path("/console/home");
            console.set_query(None);
            return Ok(Self { federation: federation.clone(), console });
        }
        let partition = role.arn.partition();
        let not_offered = || Error::from(ConsoleError::NotOffered { partition: partition.id() });
        let sign_in_host = partition.sign_in_host(region).ok_or_else(not_offered)?;
        let console_host = partition.console_host(region).ok_or_else(not_offered)?;
        let federation = Endpoint::https(&sign_in_host, "/federation");
        let console = Endpoint::https(&console_host, "/console/home").url().clone();
        Ok(Self { federation, console })
    }
}

fn sign_in_token_request(federation: &Endpoint, credentials: &Credentials, method: &Method) -> HttpRequest {
    let session = serde_json::json!({
        "sessionId": credentials.access_key_id,
        "sessionKey": credentials.secret_access_key.expose_secret(),
        "sessionToken": credentials.session_token.expose_secret(),
    })
    .to_string();
    let parameters = [("Action", "getSigninToken"), ("Session", &session)];
    if *method == Method::POST {
        return post_form(federation, &parameters);
    }
    let mut url = federation.url().clone();
    url.query_pairs_mut().extend_pairs(parameters);
    let mut request = http::Request::new(Vec::new());
    *request.uri_mut() = Endpoint::from_checked(url).uri();
    request
}

fn read_sign_in_token(response: &HttpResponse) -> std::result::Result<SecretString, ConsoleError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Answer {
        signin_token: SecretString,
    }
    if response.status() != http::StatusCode::OK {
        return Err(ConsoleError::Refused { status: response.status().as_u16() });
    }
    let answer: Answer = serde_json::from_slice(response.body()).map_err(|_| ConsoleError::Malformed)?;
    Ok(answer.signin_token)
}
