//! `AssumeRoleWithWebIdentity`.

use axum::response::Response;
use chrono::TimeDelta;

use super::document::{self, Assumed};
use super::error::{AwsError, AwsErrorCode};
use super::identity::{self, Expected, Identity};
use super::issued::{Caller, Credentials, RoleArn};
use super::limits::Request;
use super::policy::{self, Context, Key, KeyValues, Principal};
use crate::calls::CallKind;
use crate::config::{Config, Dialect};
use crate::params::Params;
use crate::secrets::SecretKind;
use crate::world::World;

/// Handles the call.
pub(super) fn assume_role(world: &World, params: &Params, dialect: Dialect) -> Result<Response, AwsError> {
    let config = world.config();
    let request = Request::parse(params)?;
    let Some(arn) = RoleArn::parse(request.role_arn) else {
        return Err(AwsError::new(AwsErrorCode::ValidationError, "Request ARN is invalid"));
    };
    if let Some(provider) = request.provider_id {
        return Err(not_from(provider));
    }
    let identity = verified(world, &config, &request, &arn)?;
    let issuer = world.issuer();
    let host = issuer.split_once("://").map_or(issuer.as_str(), |(_, host)| host);
    let provider_arn = format!("arn:{}:iam::{}:oidc-provider/{host}", arn.partition, arn.account);
    let packed_policy_size = packed(&config, &request, &identity)?;
    let max_duration = authorize(&config, &request, &identity, host, arn.account, &provider_arn)?;
    if request.duration_seconds > max_duration {
        return Err(AwsError::new(AwsErrorCode::ValidationError, TOO_LONG));
    }
    let caller =
        Caller { source_identity: identity.source.clone(), ..Caller::new(&arn, request.session_name) };
    let expires = world.clock.now() + TimeDelta::seconds(request.duration_seconds.into());
    let credentials = Credentials::new(dialect, expires);
    world.issued().add(credentials.clone(), caller.clone());
    world.secrets.add(SecretKind::SecretAccessKey, &credentials.secret_access_key);
    world.secrets.add(SecretKind::SessionToken, &credentials.session_token);
    Ok(document::assumed_role(
        dialect,
        &Assumed {
            caller: &caller,
            credentials: &credentials,
            subject: &identity.subject,
            audience: &identity.audience,
            provider_arn: &provider_arn,
            packed_policy_size,
            source_identity: identity.source.as_deref(),
        },
    ))
}

/// The error for an ID token of another provider.
fn not_from(provider: &str) -> AwsError {
    match provider {
        "www.amazon.com" => identity::invalid("Provided Token is not a Login With Amazon token"),
        "graph.facebook.com" => AwsErrorCode::IdpRejectedClaim.into(),
        _ => AwsErrorCode::AccessDenied.into(),
    }
}

fn verified(
    world: &World,
    config: &Config,
    request: &Request<'_>,
    arn: &RoleArn<'_>,
) -> Result<Identity, AwsError> {
    let account = config.sts.accounts.iter().find(|account| account.id == arn.account);
    // The STS sees the published keys, and none while the provider's JWKS fails.
    let reachable = !world.faults.failing(CallKind::Jwks);
    let keys = reachable.then(|| world.published_keys());
    identity::verify(
        request.token,
        &Expected {
            role_arn: request.role_arn,
            issuer: &world.issuer(),
            audiences: account.and_then(|account| account.audiences.as_deref()),
            keys: keys.as_deref(),
            now: world.clock.now().timestamp(),
        },
    )
}

/// Returns the role's `MaxSessionDuration` if its trust policy allows this identity. A role that does not exist and one
/// that refuses look the same to the caller.
fn authorize(
    config: &Config,
    request: &Request<'_>,
    identity: &Identity,
    host: &str,
    account: &str,
    provider_arn: &str,
) -> Result<u32, AwsError> {
    let denied = |action: &str| {
        AwsError::new(AwsErrorCode::AccessDenied, &format!("Not authorized to perform {action}"))
    };
    let role =
        config.sts.roles.iter().find(|role| role.arn == request.role_arn).ok_or_else(|| denied(ASSUME))?;
    let trust_policy = role.trust_policy.replace("{provider}", host);
    let single =
        |name: &str, value: &str| Key { name: name.to_owned(), values: KeyValues::Single(value.to_owned()) };
    let mut keys = vec![
        single(&format!("{host}:aud"), &identity.audience),
        single(&format!("{host}:sub"), &identity.subject),
        single("sts:RoleSessionName", request.session_name),
        single("sts:RoleAuthorizedByIdp", if identity.role_is_listed { "true" } else { "false" }),
        // Recorded: before the role is assumed, the principal is the provider.
        single("aws:PrincipalAccount", account),
        single("aws:PrincipalType", "User"),
        single("aws:userid", provider_arn),
    ];
    keys.extend(identity.tags.iter().map(|(tag, value)| single(&format!("aws:RequestTag/{tag}"), value)));
    if !identity.amr.is_empty() {
        keys.push(Key { name: format!("{host}:amr"), values: KeyValues::Multi(identity.amr.clone()) });
    }
    let context = Context { principal: Principal::Federated(provider_arn), keys: &keys };
    let mut actions = vec![ASSUME];
    if identity.has_tags {
        actions.push(TAG_SESSION);
    }
    if identity.source.is_some() {
        actions.push(SET_SOURCE_IDENTITY);
    }
    for action in actions {
        // A policy that cannot be evaluated allows nothing; a sandbox with one does not start.
        if !policy::allows(&trust_policy, action, &context).unwrap_or(false) {
            return Err(denied(action));
        }
    }
    Ok(role.max_session_duration)
}

/// The share of the space for session policy and tags that this request takes, in percent. AWS's packed form is not
/// documented: this is an estimate with the same refusals.
fn packed(config: &Config, request: &Request<'_>, identity: &Identity) -> Result<usize, AwsError> {
    let amr = identity.amr.len() * 100 / config.sts.amr_entries.max(1);
    let policy = request.policy_length * 100 / PACKED_BYTES;
    let tags = identity.tags_length * 100 / PACKED_BYTES;
    let percent = amr + policy + tags;
    if percent > 100 {
        let message = if policy == 0 && tags > 0 {
            format!("Packed size of session tags consumes {percent}% of allotted space.")
        } else {
            format!("Packed policy consumes {percent}% of allotted space, please use smaller policy.")
        };
        return Err(AwsError::new(AwsErrorCode::PackedPolicyTooLarge, &message));
    }
    // Recorded: every session takes a quarter.
    Ok(ALWAYS_PACKED + percent * (100 - ALWAYS_PACKED) / 100)
}

const ASSUME: &str = "sts:AssumeRoleWithWebIdentity";
const TAG_SESSION: &str = "sts:TagSession";
const SET_SOURCE_IDENTITY: &str = "sts:SetSourceIdentity";
pub(super) const TOO_LONG: &str =
    "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.";
/// The share of the space that a session without policy and tags takes, in percent.
const ALWAYS_PACKED: usize = 25;
/// The space for the packed form, in bytes; an assumption.
pub(super) const PACKED_BYTES: usize = 4096;
