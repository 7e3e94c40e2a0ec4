//! The request.

use secrecy::ExposeSecret;

use super::session_name;
use crate::aws::Region;
use crate::oidc::{IdToken, post_form};
use crate::platform::HttpRequest;
use crate::settings::{Duration, Endpoint, Provider, Role};

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
