//! The request.

use secrecy::ExposeSecret;

use super::{session_name, signature};
use crate::aws::{Credentials, Region};
use crate::crypto::DigestError;
use crate::oidc::{IdToken, Person, post_form};
use crate::platform::HttpRequest;
use crate::settings::{Duration, Endpoint, Provider, Role};
use crate::time::{DateTime, Utc};

/// The STS asked for a role: the provider's own, else the one of the region and the role's partition.
#[must_use]
pub fn endpoint(provider: &Provider, role: &Role, region: &Region) -> Endpoint {
    provider
        .sts_endpoint
        .clone()
        .unwrap_or_else(|| Endpoint::https(&role.arn.partition().sts_host(region), "/"))
}

/// The unsigned POST that turns an ID token into a role's credentials.
///
/// It is what the AWS SDKs send and nothing else. `ProviderId` is for OAuth 2.0 access tokens of three fixed providers
/// and never sent for OpenID Connect. There is no `Accept`: STS answers JSON to whoever accepts that, and documents XML.
#[must_use]
pub fn assume_role_request(
    endpoint: &Endpoint,
    role: &Role,
    token: &IdToken,
    duration: Duration,
) -> HttpRequest {
    post_form(
        endpoint,
        &[
            ("Action", "AssumeRoleWithWebIdentity"),
            ("Version", "2011-06-15"),
            ("RoleArn", role.arn.as_str()),
            ("RoleSessionName", &session_name(&token.person)),
            ("DurationSeconds", &duration.seconds().to_string()),
            ("WebIdentityToken", token.text.expose_secret()),
        ],
    )
}

/// The signed POST of `AssumeRole`, which turns a role's credentials into those of another one (role chaining).
pub(crate) async fn chained_role_request(
    endpoint: &Endpoint,
    role: &Role,
    person: &Person,
    source: &Credentials,
    (region, now): (&Region, DateTime<Utc>),
) -> Result<HttpRequest, DigestError> {
    let name = session_name(person);
    // AWS limits a chained session to one hour, whatever the role allows.
    let duration = role.duration.unwrap_or(Duration::DEFAULT).min(Duration::DEFAULT).seconds().to_string();
    let mut parameters = vec![
        ("Action".to_owned(), "AssumeRole"),
        ("Version".to_owned(), "2011-06-15"),
        ("RoleArn".to_owned(), role.arn.as_str()),
        ("RoleSessionName".to_owned(), &name),
        ("DurationSeconds".to_owned(), &duration),
    ];
    let source_identity = role.source_identity.then_some(name.as_str());
    for (name, value) in [
        ("ExternalId", role.external_id.as_deref()),
        ("Policy", role.session_policy.as_deref()),
        ("SourceIdentity", source_identity),
    ] {
        parameters.extend(value.map(|value| (name.to_owned(), value)));
    }
    let member =
        |list: &str, number: usize, part: &str| [list, ".member.", &(number + 1).to_string(), part].concat();
    for (number, (key, value)) in role.session_tags.iter().enumerate() {
        parameters.push((member("Tags", number, ".Key"), key));
        parameters.push((member("Tags", number, ".Value"), value));
    }
    for (number, key) in role.transitive_tags.iter().enumerate() {
        parameters.push((member("TransitiveTagKeys", number, ""), key));
    }
    let parameters: Vec<_> = parameters.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    let mut request = post_form(endpoint, &parameters);
    // An endpoint of AWS's may be that of another region than the role's.
    let host = endpoint.url().host_str().unwrap_or_default();
    let region_of_host = role.arn.partition().region_of_sts_host(host);
    signature::sign(&mut request, source, region_of_host.as_ref().unwrap_or(region), now).await?;
    Ok(request)
}

#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))]
mod tests;
