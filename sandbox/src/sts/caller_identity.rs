//! `GetCallerIdentity`: who signed the request.

use axum::response::Response;

use super::error::AwsError;
use super::{document, sigv4};
use crate::world::World;

/// Handles the call.
pub(super) fn caller_identity(world: &World, request: &sigv4::Request<'_>) -> Result<Response, AwsError> {
    let signed = sigv4::Authorization::parse(request, SERVICE)?;
    let found = world.issued().find(&signed.access_key_id);
    let (credentials, caller) = sigv4::verify(request, &signed, found, world.clock.now())?;
    drop(credentials);
    Ok(document::caller_identity(&caller))
}

const SERVICE: &str = "sts";
