//! Which services allow other origins, as AWS and the providers do: the STS all, the sign-in host none, the provider as
//! configured. Whether a *request* is served is up to the service; this only decides what a page may read (the Fetch
//! standard, "CORS protocol").

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::calls::CallKind;
use crate::config::{Dialect, TokenCors};
use crate::front::Service;
use crate::world::World;

/// Which origins may read the responses of an endpoint.
pub(crate) enum Readers {
    Anyone {
        /// The headers beyond the safelisted ones that they may read; `Date` is not safelisted.
        exposed: Option<HeaderValue>,
    },
    Known(Vec<String>),
    Nobody,
}

/// The readers of the responses to `kind` at `service`.
pub(crate) fn readers(world: &World, service: Service, kind: CallKind) -> Readers {
    let config = world.config();
    match (service, kind) {
        (Service::Sts, _) if config.sts.dialect == Dialect::Aws => {
            Readers::Anyone { exposed: Some(STS_EXPOSES) }
        }
        (Service::Provider, CallKind::Discovery | CallKind::Jwks) if config.provider.metadata_cors => {
            Readers::Anyone { exposed: None }
        }
        (Service::Provider, CallKind::Catalogue)
            if config.provider.catalogue.as_ref().is_some_and(|catalogue| catalogue.cors) =>
        {
            Readers::Anyone { exposed: None }
        }
        (Service::Provider, CallKind::Token | CallKind::Revoke | CallKind::Userinfo) => {
            match config.provider.token_cors {
                TokenCors::AllowAll | TokenCors::RequireOrigin | TokenCors::RefuseReadably => {
                    Readers::Anyone { exposed: None }
                }
                TokenCors::NoHeaders => Readers::Nobody,
                TokenCors::RefuseOrigins => Readers::Known(
                    config.provider.clients.into_iter().flat_map(|client| client.origins).collect(),
                ),
            }
        }
        _ => Readers::Nobody,
    }
}

/// Adds the CORS headers to a response.
pub(crate) fn allow(readers: &Readers, origin: Option<&HeaderValue>, response: &mut Response) {
    let headers = response.headers_mut();
    match (readers, origin) {
        (Readers::Anyone { exposed }, _) => {
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
            if let Some(exposed) = exposed {
                headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, exposed.clone());
            }
        }
        (Readers::Known(known), Some(origin))
            if known.iter().any(|known| known.as_bytes() == origin.as_bytes()) =>
        {
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
            headers.append(header::VARY, HeaderValue::from_static("origin"));
        }
        (Readers::Known(_) | Readers::Nobody, _) => {}
    }
}

/// The response to a preflight.
pub(crate) fn preflight(service: Service, readers: &Readers, request: &HeaderMap) -> Response {
    let (status, methods, max_age) = match service {
        // Recorded at sts.us-east-1.amazonaws.com.
        Service::Sts => (StatusCode::OK, "POST", "172800"),
        Service::Provider | Service::Console => (StatusCode::NO_CONTENT, "GET, POST", "600"),
    };
    let mut response = status.into_response();
    allow(readers, request.get(header::ORIGIN), &mut response);
    let headers = response.headers_mut();
    if !headers.contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN) {
        return StatusCode::METHOD_NOT_ALLOWED.into_response();
    }
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(methods));
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static(max_age));
    if let Some(asked) = request.get(header::ACCESS_CONTROL_REQUEST_HEADERS) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, asked.clone());
    }
    response
}

const STS_EXPOSES: HeaderValue =
    HeaderValue::from_static("x-amzn-RequestId,x-amzn-ErrorType,x-amzn-ErrorMessage,Date");
