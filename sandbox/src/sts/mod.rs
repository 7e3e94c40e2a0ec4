//! The STS: `AssumeRoleWithWebIdentity`, `AssumeRole` and `GetCallerIdentity`, in AWS's wire format or an S3-compatible store's.

mod assume_role;
mod assume_role_with_role;
mod caller_identity;
mod document;
mod error;
mod identity;
mod issued;
mod key_set;
mod limits;
mod policy;
mod roles_claim;
mod sigv4;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router};
use serde_json::Value;

pub(crate) use document::negotiate;
pub use error::{AwsError, AwsErrorCode};
pub(crate) use issued::{Caller, Issued};
pub(crate) use policy::check as check_policy;

use crate::config::Dialect;
use crate::params::Params;
use crate::world::{SharedWorld, World};

/// The STS endpoint.
pub(crate) fn router(world: SharedWorld) -> Router {
    Router::new().route("/", get(dispatch).post(dispatch)).with_state(world)
}

/// Whether an ID token of the provider, for one of its clients, is signed with one of these keys.
pub(crate) fn is_good_id_token(world: &World, token: &str, keys: &[Value]) -> bool {
    let clients: Vec<_> = world.config().provider.clients.into_iter().map(|client| client.id).collect();
    let expected = identity::Expected {
        role_arn: "",
        issuer: &world.issuer(),
        audiences: Some(&clients),
        keys: Some(keys),
        now: world.clock.now().timestamp(),
    };
    identity::verify(token, &expected).is_ok()
}

/// An error in the current dialect.
pub(crate) fn error_response(world: &World, error: &AwsError) -> Response {
    document::error(world.config().sts.dialect, error)
}

async fn dispatch(
    State(world): State<SharedWorld>,
    Extension(params): Extension<Params>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let dialect = world.config().sts.dialect;
    if dialect == Dialect::S3Compatible && method != Method::POST {
        return document::bucket_list();
    }
    if method == Method::GET && params.is_empty() {
        // AWS redirects a browser that opens this address to its product page.
        let elsewhere = HeaderValue::from_static("https://aws.amazon.com/iam");
        return (StatusCode::FOUND, [(header::LOCATION, elsewhere)]).into_response();
    }
    let request = sigv4::Request {
        method: method.as_str(),
        path: uri.path(),
        query: uri.query().unwrap_or_default(),
        headers: &headers,
        body: &body,
    };
    let answer = match (action(&params), dialect) {
        (Ok("AssumeRoleWithWebIdentity"), _) => assume_role::assume_role(&world, &params, dialect),
        (Ok("AssumeRole"), Dialect::Aws) => assume_role_with_role::assume_role(&world, &params, &request),
        (Ok("GetCallerIdentity"), Dialect::Aws) => caller_identity::caller_identity(&world, &request),
        (Ok(_), Dialect::S3Compatible) => return document::not_offered(),
        (Ok(action), Dialect::Aws) => Err(AwsError::new(
            AwsErrorCode::InvalidAction,
            &format!("Could not find operation {action} for version {API_VERSION}"),
        )),
        (Err(error), _) => Err(error),
    };
    answer.unwrap_or_else(|error| document::error(dialect, &error))
}

/// The action, if the version is the supported one.
fn action(params: &Params) -> Result<&str, AwsError> {
    let Some(action) = params.get("Action") else {
        return Err(AwsError::new(
            AwsErrorCode::MissingAction,
            "The request must contain the parameter Action",
        ));
    };
    match params.get("Version") {
        Some(API_VERSION) => Ok(action),
        version => Err(AwsError::new(
            AwsErrorCode::InvalidAction,
            &format!(
                "Could not find operation {action} for version {}",
                version.unwrap_or("NO_VERSION_SPECIFIED")
            ),
        )),
    }
}

const API_VERSION: &str = "2011-06-15";
