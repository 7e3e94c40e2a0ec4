//! The limits of the parameters of `AssumeRoleWithWebIdentity` and `AssumeRole` (botocore, `sts/2011-06-15/service-2.json`), and
//! AWS's messages for them.

use serde_json::Value;

use super::error::{AwsError, AwsErrorCode};
use crate::params::Params;

/// Parameters within their limits.
pub(super) struct Request<'a> {
    pub(super) role_arn: &'a str,
    pub(super) session_name: &'a str,
    pub(super) token: &'a str,
    pub(super) duration_seconds: u32,
    /// The inline session policy's length.
    pub(super) policy_length: usize,
    /// For the opaque tokens of two old providers.
    pub(super) provider_id: Option<&'a str>,
}

impl<'a> Request<'a> {
    pub(super) fn parse(params: &'a Params) -> Result<Self, AwsError> {
        let mut complaints = Vec::new();
        let role_arn = string(params, &ROLE_ARN, &mut complaints);
        let session_name = string(params, &SESSION_NAME, &mut complaints);
        let token = string(params, &TOKEN, &mut complaints);
        let duration_seconds = duration(params.get("DurationSeconds"), &mut complaints)?;
        let policy_length = policy(params, &mut complaints)?;
        Ok(Self {
            role_arn,
            session_name,
            token,
            duration_seconds,
            policy_length,
            provider_id: params.get("ProviderId"),
        })
    }
}

/// Parameters of `AssumeRole` within their limits.
pub(super) struct ChainedRequest<'a> {
    pub(super) role_arn: &'a str,
    pub(super) session_name: &'a str,
    pub(super) duration_seconds: u32,
    pub(super) policy_length: usize,
    pub(super) external_id: Option<&'a str>,
    pub(super) source_identity: Option<&'a str>,
    pub(super) tags: Vec<(&'a str, &'a str)>,
    pub(super) transitive_keys: Vec<&'a str>,
}

impl<'a> ChainedRequest<'a> {
    pub(super) fn parse(params: &'a Params) -> Result<Self, AwsError> {
        let mut complaints = Vec::new();
        let role_arn = string(params, &ROLE_ARN, &mut complaints);
        let session_name = string(params, &SESSION_NAME, &mut complaints);
        let duration_seconds = duration(params.get("DurationSeconds"), &mut complaints)?;
        let mut optional =
            |limit: &Limit| params.get(limit.parameter).map(|_| string(params, limit, &mut complaints));
        let (external_id, source_identity) = (optional(&EXTERNAL_ID), optional(&SOURCE_IDENTITY));
        let tag = |number: usize| {
            let part = |part: &str| params.get(&format!("Tags.member.{number}.{part}"));
            Some((part("Key")?, part("Value")?))
        };
        let tags: Vec<_> = (1..).map_while(tag).collect();
        let transitive_keys: Vec<_> =
            (1..).map_while(|number| params.get(&format!("TransitiveTagKeys.member.{number}"))).collect();
        for (member, count) in [("tags", tags.len()), ("transitiveTagKeys", transitive_keys.len())] {
            if count > TAGS {
                complaints.push(too("long", member, None, TAGS));
            }
        }
        for (number, (key, value)) in (1..).zip(&tags) {
            let mut check = |part: &str, text: &str, min: usize, max: usize| {
                let member = format!("tags.{number}.member.{part}");
                match text.chars().count() {
                    length if length < min => complaints.push(too("short", &member, Some(text), min)),
                    length if length > max => complaints.push(too("long", &member, Some(text), max)),
                    _ => {}
                }
            };
            check("key", key, 1, TAG_KEY_LENGTH);
            check("value", value, 0, TAG_VALUE_LENGTH);
        }
        let policy_length = policy(params, &mut complaints)?;
        Ok(Self {
            role_arn,
            session_name,
            duration_seconds,
            policy_length,
            external_id,
            source_identity,
            tags,
            transitive_keys,
        })
    }
}

/// The length of the inline session policy, after all other complaints.
fn policy(params: &Params, complaints: &mut Vec<String>) -> Result<usize, AwsError> {
    let policy = params.get("Policy").unwrap_or_default();
    if policy.len() > POLICY_LENGTH {
        complaints.push(too("long", "policy", None, POLICY_LENGTH));
    }
    let policy_arns = params.iter().filter(|(name, _)| name.starts_with("PolicyArns.member.")).count();
    if policy_arns > POLICY_ARNS {
        complaints.push(too("long", "policyArns", None, POLICY_ARNS));
    }
    if !complaints.is_empty() {
        return Err(validation_error(complaints));
    }
    if !policy.is_empty() && serde_json::from_str::<Value>(policy).is_err() {
        return Err(AwsErrorCode::MalformedPolicyDocument.into());
    }
    Ok(policy.len())
}

/// The `ValidationError` for a list of complaints.
fn validation_error(complaints: &[String]) -> AwsError {
    let errors = if complaints.len() == 1 { "error" } else { "errors" };
    AwsError::new(
        AwsErrorCode::ValidationError,
        &format!("{} validation {errors} detected: {}", complaints.len(), complaints.join("; ")),
    )
}

struct Limit {
    parameter: &'static str,
    member: &'static str,
    min: usize,
    max: usize,
    /// AWS never repeats a secret.
    secret: bool,
    pattern: Option<Pattern>,
}

/// A regular expression of the API's model, as AWS quotes it, and the characters that it matches.
struct Pattern {
    quoted: &'static str,
    takes: fn(char) -> bool,
}

fn string<'a>(params: &'a Params, limit: &Limit, complaints: &mut Vec<String>) -> &'a str {
    let Some(value) = params.get(limit.parameter) else {
        complaints.push(format!(
            "Value null at '{}' failed to satisfy constraint: Member must not be null",
            limit.member
        ));
        return "";
    };
    let shown = (!limit.secret).then_some(value);
    let length = value.chars().count();
    if length < limit.min {
        complaints.push(too("short", limit.member, shown, limit.min));
    }
    if length > limit.max {
        complaints.push(too("long", limit.member, shown, limit.max));
    }
    if let Some(Pattern { quoted, takes }) = &limit.pattern
        && !value.chars().all(takes)
    {
        complaints.push(format!(
            "{} failed to satisfy constraint: Member must satisfy regular expression pattern: {quoted}",
            subject(limit.member, shown)
        ));
    }
    value
}

fn duration(value: Option<&str>, complaints: &mut Vec<String>) -> Result<u32, AwsError> {
    let Some(text) = value else {
        return Ok(DURATION_DEFAULT);
    };
    let Ok(seconds) = text.parse::<u32>() else {
        return Err(AwsErrorCode::MalformedInput.into());
    };
    let bound = if seconds < DURATION_MIN {
        format!("greater than or equal to {DURATION_MIN}")
    } else if seconds > DURATION_MAX {
        format!("less than or equal to {DURATION_MAX}")
    } else {
        return Ok(seconds);
    };
    complaints.push(format!(
        "{} failed to satisfy constraint: Member must have value {bound}",
        subject("durationSeconds", Some(text))
    ));
    Ok(seconds)
}

fn too(how: &str, member: &str, value: Option<&str>, limit: usize) -> String {
    let bound = if how == "short" { "greater" } else { "less" };
    format!(
        "{} failed to satisfy constraint: Member must have length {bound} than or equal to {limit}",
        subject(member, value)
    )
}

fn subject(member: &str, value: Option<&str>) -> String {
    match value {
        Some(value) => format!("Value '{value}' at '{member}'"),
        None => format!("Value at '{member}'"),
    }
}

const ROLE_ARN: Limit =
    Limit { parameter: "RoleArn", member: "roleArn", min: 20, max: 2048, secret: false, pattern: None };
const SESSION_NAME: Limit = Limit {
    parameter: "RoleSessionName",
    member: "roleSessionName",
    min: 2,
    max: 64,
    secret: false,
    pattern: Some(Pattern {
        quoted: r"[\w+=,.@-]*",
        takes: |character| character.is_ascii_alphanumeric() || "_+=,.@-".contains(character),
    }),
};
const TOKEN: Limit = Limit {
    parameter: "WebIdentityToken",
    member: "webIdentityToken",
    min: 4,
    max: 20000,
    secret: true,
    pattern: None,
};
const EXTERNAL_ID: Limit = Limit {
    parameter: "ExternalId",
    member: "externalId",
    min: 2,
    max: 1224,
    secret: false,
    pattern: Some(Pattern {
        quoted: r"[\w+=,.@:\/-]*",
        takes: |character| character.is_ascii_alphanumeric() || "_+=,.@:/-".contains(character),
    }),
};
/// The model's longest is 64; 256 were seen to be taken in July 2026. The stricter one is tested against.
const SOURCE_IDENTITY: Limit = Limit {
    parameter: "SourceIdentity",
    member: "sourceIdentity",
    min: 2,
    max: 64,
    secret: false,
    pattern: SESSION_NAME.pattern,
};
const TAGS: usize = 50;
const TAG_KEY_LENGTH: usize = 128;
const TAG_VALUE_LENGTH: usize = 256;
/// API reference of `AssumeRole`; the model has no longest one since 2025.
const POLICY_LENGTH: usize = 2048;
const POLICY_ARNS: usize = 10;
const DURATION_DEFAULT: u32 = 3600;
const DURATION_MIN: u32 = 900;
const DURATION_MAX: u32 = 43200;

#[cfg(test)]
mod tests {
    use axum::http::Method;

    use super::*;

    fn message(form: &str) -> String {
        let params = Params::of(&Method::POST, None, form.as_bytes());
        Request::parse(&params).err().map(|error| error.message).unwrap_or_default()
    }

    const ARN: &str = "RoleArn=arn:aws:iam::111111111111:role/r";

    #[test]
    fn every_limit_has_awss_message() {
        let cases = [
            (
                "RoleSessionName=ab&WebIdentityToken=abcd".to_owned(),
                "1 validation error detected: Value null at 'roleArn' failed to satisfy constraint: Member must not be null",
            ),
            (
                format!("{ARN}&RoleSessionName=a&WebIdentityToken=abcd"),
                "1 validation error detected: Value 'a' at 'roleSessionName' failed to satisfy constraint: Member must have length greater than or equal to 2",
            ),
            (
                format!("{ARN}&RoleSessionName=J%C3%BCrgen+X&WebIdentityToken=abcd"),
                r"1 validation error detected: Value 'Jürgen X' at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\w+=,.@-]*",
            ),
            (
                format!("{ARN}&RoleSessionName=ab&WebIdentityToken=abcd&DurationSeconds=899"),
                "1 validation error detected: Value '899' at 'durationSeconds' failed to satisfy constraint: Member must have value greater than or equal to 900",
            ),
            (
                format!("{ARN}&RoleSessionName=ab&WebIdentityToken=abcd&DurationSeconds=43201"),
                "1 validation error detected: Value '43201' at 'durationSeconds' failed to satisfy constraint: Member must have value less than or equal to 43200",
            ),
            (
                format!("{ARN}&RoleSessionName=a&WebIdentityToken=abc"),
                "2 validation errors detected: Value 'a' at 'roleSessionName' failed to satisfy constraint: Member must have length greater than or equal to 2; Value at 'webIdentityToken' failed to satisfy constraint: Member must have length greater than or equal to 4",
            ),
        ];
        for (form, expected) in cases {
            assert_eq!(message(&form), expected);
        }
    }

    #[test]
    fn the_limits_themselves_are_accepted() {
        let name = "n".repeat(64);
        for duration in ["900", "43200"] {
            let form =
                format!("{ARN}&RoleSessionName={name}&WebIdentityToken=abcd&DurationSeconds={duration}");
            assert_eq!(message(&form), "");
        }
        assert_eq!(message(&format!("{ARN}&RoleSessionName=ab&WebIdentityToken={}", "t".repeat(20000))), "");
        assert_ne!(message(&format!("{ARN}&RoleSessionName=ab&WebIdentityToken={}", "t".repeat(20001))), "");
    }
}
