//! `AssumeRole`: a role with the credentials of another role (role chaining).

use axum::response::Response;
use chrono::TimeDelta;

use super::error::{AwsError, AwsErrorCode};
use super::issued::{Caller, Credentials, RoleArn};
use super::limits::ChainedRequest;
use super::policy::{self, Context, Key, KeyValues, Principal};
use super::{assume_role, document, sigv4};
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

    let asked = ChainedRequest::parse(params)?;
    let invalid = |message: &str| AwsError::new(AwsErrorCode::ValidationError, message);
    let arn = RoleArn::parse(asked.role_arn).ok_or_else(|| invalid("Request ARN is invalid"))?;
    check_tags(&asked, &source)?;
    // Recorded: it is inherited, and stays what it is.
    let source_identity = match (&source.source_identity, asked.source_identity) {
        (Some(inherited), Some(other)) if inherited != other => return Err(invalid(SOURCE_IDENTITY_IS_SET)),
        (inherited, own) => inherited.as_deref().or(own),
    };
    let max_duration = authorize(world, &asked, &source, source_identity)?;
    // Recorded, in this order.
    if asked.duration_seconds > max_duration {
        return Err(invalid(assume_role::TOO_LONG));
    }
    if asked.duration_seconds > HOUR {
        return Err(invalid(TOO_LONG));
    }
    let packed_policy_size = packed(&asked)?;

    let keys = asked.transitive_keys.iter().map(|key| key.to_lowercase());
    let caller = Caller {
        is_chained: true,
        source_identity: source_identity.map(str::to_owned),
        transitive_keys: source.transitive_keys.iter().cloned().chain(keys).collect(),
        ..Caller::new(&arn, asked.session_name)
    };
    let credentials = Credentials::new(Dialect::Aws, now + TimeDelta::seconds(asked.duration_seconds.into()));
    world.issued().add(credentials.clone(), caller.clone());
    world.secrets.add(SecretKind::SecretAccessKey, &credentials.secret_access_key);
    world.secrets.add(SecretKind::SessionToken, &credentials.session_token);
    Ok(document::assumed_role_with_role(&caller, &credentials, packed_policy_size))
}

/// Tags by the IAM User Guide, "Passing session tags in AWS STS"; the messages are those of `LocalStack`, which follows AWS's.
fn check_tags(asked: &ChainedRequest<'_>, source: &Caller) -> Result<(), AwsError> {
    let invalid = |message: &str| Err(AwsError::new(AwsErrorCode::InvalidParameterValue, message));
    let mut keys: Vec<String> = asked.tags.iter().map(|(key, _)| key.to_lowercase()).collect();
    if keys.iter().any(|key| source.transitive_keys.contains(key)) {
        return invalid(
            "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key \
             from the calling session.",
        );
    }
    if asked.transitive_keys.iter().any(|key| !keys.contains(&key.to_lowercase())) {
        return invalid("The specified transitive tag key must be included in the requested tags.");
    }
    keys.sort();
    if keys.windows(2).any(|pair| pair[0] == pair[1]) {
        return invalid("Duplicate tag keys found. Please note that Tag keys are case insensitive.");
    }
    Ok(())
}

/// The share of the space for session policy and tags, in percent; recorded: nothing is said of it where there are neither.
fn packed(asked: &ChainedRequest<'_>) -> Result<Option<usize>, AwsError> {
    let tags: usize = asked.tags.iter().map(|(key, value)| key.len() + value.len()).sum();
    let percent = (asked.policy_length + tags) * 100 / assume_role::PACKED_BYTES;
    if percent > 100 {
        let message =
            format!("Packed policy consumes {percent}% of allotted space, please use smaller policy.");
        return Err(AwsError::new(AwsErrorCode::PackedPolicyTooLarge, &message));
    }
    Ok((asked.policy_length + tags > 0).then_some(percent.max(1)))
}

/// Gives the role's `MaxSessionDuration` if its trust policy allows all of it.
fn authorize(
    world: &World,
    asked: &ChainedRequest<'_>,
    source: &Caller,
    source_identity: Option<&str>,
) -> Result<u32, AwsError> {
    let config = world.config();
    let role_arn = asked.role_arn;
    let denied = |action: &str| {
        let message =
            format!("User: {} is not authorized to perform: {action} on resource: {role_arn}", source.arn);
        AwsError::new(AwsErrorCode::AccessDenied, &message)
    };
    let role = config.sts.roles.iter().find(|role| role.arn == role_arn).ok_or_else(|| denied(ASSUME))?;
    let key =
        |name: &str, value: &str| Key { name: name.to_owned(), values: KeyValues::Single(value.to_owned()) };
    let mut keys =
        vec![key("sts:RoleSessionName", asked.session_name), key("aws:PrincipalAccount", &source.account)];
    keys.extend(asked.external_id.map(|id| key("sts:ExternalId", id)));
    keys.extend(source_identity.map(|identity| key("sts:SourceIdentity", identity)));
    keys.extend(asked.tags.iter().map(|(name, value)| key(&format!("aws:RequestTag/{name}"), value)));
    let mut actions = vec![ASSUME];
    if !asked.tags.is_empty() {
        actions.push(TAG_SESSION);
    }
    if source_identity.is_some() {
        actions.push(SET_SOURCE_IDENTITY);
    }
    let context = Context { principal: Principal::Role(source), keys: &keys };
    for action in actions {
        // A policy that cannot be evaluated allows nothing; a sandbox with one does not start.
        if !policy::allows(&role.trust_policy, action, &context).unwrap_or(false) {
            return Err(denied(action));
        }
    }
    Ok(role.max_session_duration)
}

const SERVICE: &str = "sts";
const ASSUME: &str = "sts:AssumeRole";
const TAG_SESSION: &str = "sts:TagSession";
const SET_SOURCE_IDENTITY: &str = "sts:SetSourceIdentity";
/// In seconds.
const HOUR: u32 = 3_600;
const TOO_LONG: &str =
    "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.";
const SOURCE_IDENTITY_IS_SET: &str = "The source identity is already set for this assume role session";
