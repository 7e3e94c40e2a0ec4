//! `AssumeRole`: a role with the credentials of another role (role chaining).

use axum::response::Response;
use chrono::TimeDelta;

use super::error::{AwsError, AwsErrorCode};
use super::issued::{Caller, Credentials, RoleArn};
use super::policy::{self, Context, Key, KeyValues, Principal};
use super::{document, sigv4};
use crate::config::Dialect;
use crate::params::Params;
use crate::secrets::SecretKind;
use crate::world::World;

/// Handles the call.
pub(super) fn assume_role(
    world: &World,
    params: &Params,
    request: &sigv4::Request<'_>,
) -> Result<Response, AwsError> {
    let signed = sigv4::Authorization::parse(request, SERVICE)?;
    let found = world.issued().find(&signed.access_key_id);
    let now = world.clock.now();
    let (_, source) = sigv4::verify(request, &signed, found, now)?;

    let invalid = |message: &str| AwsError::new(AwsErrorCode::ValidationError, message);
    let role_arn = params.get("RoleArn").unwrap_or_default();
    let arn = RoleArn::parse(role_arn).ok_or_else(|| invalid("Request ARN is invalid"))?;
    let session_name = params.get("RoleSessionName").ok_or_else(|| invalid("RoleSessionName is missing"))?;
    let seconds = params.get("DurationSeconds").map_or(Ok(HOUR), str::parse::<i64>);
    let seconds = seconds.map_err(|_| AwsErrorCode::MalformedInput)?;
    if seconds > HOUR {
        return Err(invalid(TOO_LONG));
    }
    authorize(world, params, role_arn, &source, session_name)?;

    let caller = Caller { is_chained: true, ..Caller::new(&arn, session_name) };
    let credentials = Credentials::new(Dialect::Aws, now + TimeDelta::seconds(seconds));
    world.issued().add(credentials.clone(), caller.clone());
    world.secrets.add(SecretKind::SecretAccessKey, &credentials.secret_access_key);
    world.secrets.add(SecretKind::SessionToken, &credentials.session_token);
    Ok(document::assumed_role_with_role(&caller, &credentials, params.get("SourceIdentity")))
}

fn authorize(
    world: &World,
    params: &Params,
    role_arn: &str,
    source: &Caller,
    session_name: &str,
) -> Result<(), AwsError> {
    let config = world.config();
    let denied = |action: &str| {
        let message =
            format!("User: {} is not authorized to perform: {action} on resource: {role_arn}", source.arn);
        AwsError::new(AwsErrorCode::AccessDenied, &message)
    };
    let role = config.sts.roles.iter().find(|role| role.arn == role_arn).ok_or_else(|| denied(ASSUME))?;
    let key =
        |name: &str, value: &str| Key { name: name.to_owned(), values: KeyValues::Single(value.to_owned()) };
    let mut keys =
        vec![key("sts:RoleSessionName", session_name), key("aws:PrincipalAccount", &source.account)];
    keys.extend(params.get("ExternalId").map(|id| key("sts:ExternalId", id)));
    keys.extend(params.get("SourceIdentity").map(|identity| key("sts:SourceIdentity", identity)));
    let tags: Vec<_> = (1..)
        .map_while(|number| {
            let part = |part: &str| params.get(&format!("Tags.member.{number}.{part}"));
            Some((part("Key")?, part("Value")?))
        })
        .collect();
    keys.extend(tags.iter().map(|(name, value)| key(&format!("aws:RequestTag/{name}"), value)));
    let mut actions = vec![ASSUME];
    if !tags.is_empty() {
        actions.push(TAG_SESSION);
    }
    if params.get("SourceIdentity").is_some() {
        actions.push(SET_SOURCE_IDENTITY);
    }
    let context = Context { principal: Principal::Role(source), keys: &keys };
    for action in actions {
        // A policy that cannot be evaluated allows nothing; a sandbox with one does not start.
        if !policy::allows(&role.trust_policy, action, &context).unwrap_or(false) {
            return Err(denied(action));
        }
    }
    Ok(())
}

const SERVICE: &str = "sts";
const ASSUME: &str = "sts:AssumeRole";
const TAG_SESSION: &str = "sts:TagSession";
const SET_SOURCE_IDENTITY: &str = "sts:SetSourceIdentity";
/// In seconds.
const HOUR: i64 = 3_600;
const TOO_LONG: &str =
    "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining";
