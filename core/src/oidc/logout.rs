//! The end of a session: token revocation (RFC 7009) and OpenID Connect RP-Initiated Logout 1.0.

use secrecy::{ExposeSecret, SecretString};

use super::Metadata;
use super::token::client_form;
use crate::platform::HttpRequest;
use crate::settings::Provider;
use crate::url::Url;

/// The request that revokes a refresh token (RFC 7009 section 2.1), if the provider supports it.
#[must_use]
pub fn revocation_request(
    provider: &Provider,
    metadata: &Metadata,
    refresh_token: &SecretString,
) -> Option<HttpRequest> {
    let endpoint = metadata.revocation_endpoint.as_ref()?;
    let parameters = [("token", refresh_token.expose_secret()), ("token_type_hint", "refresh_token")];
    Some(client_form(provider, endpoint, &parameters))
}

/// The page at which a person ends their session at the provider, if it has one.
///
/// RP-Initiated Logout section 2 lets a provider ask for confirmation where `id_token_hint` is missing. It is left
/// out: an ID token that AWS still takes has no place in an address.
#[must_use]
pub fn end_session_url(provider: &Provider, metadata: &Metadata) -> Option<Url> {
    let mut url = metadata.end_session_endpoint.as_ref()?.url().clone();
    let mut query = url.query_pairs_mut();
    query.append_pair("client_id", &provider.client_id);
    query.extend_pairs(provider.end_session_params.iter());
    drop(query);
    Some(url)
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;
    use crate::platform::HttpResponse;
    use crate::settings::fixture;

    fn metadata(more: &str) -> Metadata {
        let body = format!(
            r#"{{"issuer":"https://idp.example","authorization_endpoint":"https://idp.example/authorize",
                "token_endpoint":"https://idp.example/token","jwks_uri":"https://idp.example/jwks"{more}}}"#
        );
        Metadata::read(&fixture::provider(), &HttpResponse::new(200, body.into())).unwrap()
    }

    #[test]
    fn a_refresh_token_is_revoked_in_the_body_and_never_in_the_address() {
        let metadata = metadata(r#","revocation_endpoint":"https://idp.example/revoke""#);
        let request = revocation_request(&fixture::provider(), &metadata, &"r&1".into()).unwrap();
        assert_eq!(request.url.as_str(), "https://idp.example/revoke");
        assert_eq!(
            request.body.expose_secret(),
            b"token=r%261&token_type_hint=refresh_token&client_id=abcdef"
        );
    }

    #[test]
    fn the_address_that_ends_a_session_keeps_its_own_query_and_holds_no_token() {
        let metadata = metadata(r#","end_session_endpoint":"https://idp.example/logout?tenant=1""#);
        let url = end_session_url(&fixture::provider(), &metadata).unwrap();
        assert_eq!(url.as_str(), "https://idp.example/logout?tenant=1&client_id=abcdef");
    }

    #[test]
    fn a_provider_that_offers_neither_is_left_alone() {
        let (provider, metadata) = (fixture::provider(), metadata(""));
        assert!(revocation_request(&provider, &metadata, &"r".into()).is_none());
        assert!(end_session_url(&provider, &metadata).is_none());
    }
}
