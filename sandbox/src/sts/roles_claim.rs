//! The claim that lists the roles a token is valid for: a list, or a string separated by `;`.

use serde_json::{Map, Value};

use super::error::AwsError;
use super::identity::invalid;
use super::issued::RoleArn;

/// Returns whether the token lists roles, including `role_arn`; an error if it lists only others. ARNs are compared
/// literally, not as patterns.
pub(super) fn check(claims: &Map<String, Value>, role_arn: &str) -> Result<bool, AwsError> {
    let listed: Vec<&str> = match claims.get(ROLES) {
        None | Some(Value::Null) => return Ok(false),
        Some(Value::String(text)) => text.split(';').collect(),
        Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).collect(),
        Some(_) => return Err(invalid("The roles claim is not in a supported format")),
    };
    let is_one = |arn: &str| arn.matches(':').count() == 5 && !arn.contains(['*', '?']);
    let is_role = |arn: &&str| RoleArn::parse(arn).is_some() && is_one(arn);
    let roles: Vec<_> = listed.into_iter().map(str::trim).filter(is_role).collect();
    if roles.is_empty() {
        return Err(invalid("The roles claim contains no valid role ARNs"));
    }
    if roles.contains(&role_arn) {
        Ok(true)
    } else {
        Err(invalid("The target role ARN is not present in the roles claim of the identity token"))
    }
}

const ROLES: &str = "https://aws.amazon.com/roles";
