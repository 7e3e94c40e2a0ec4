//! Verifies AWS Signature Version 4 in the `Authorization` header (AWS General Reference, "Signing AWS API requests").
//! The published crates only sign.

use axum::http::HeaderMap;
use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use hmac::{Hmac, Mac as _};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use sha2::{Digest as _, Sha256};

use super::error::{AwsError, AwsErrorCode};
use super::issued::{Caller, Credentials};
use crate::random::hex;

/// A received request.
pub(super) struct Request<'a> {
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    pub(super) query: &'a str,
    pub(super) headers: &'a HeaderMap,
    pub(super) body: &'a [u8],
}

/// The `Authorization` header and its date, parsed but not verified.
pub(super) struct Authorization {
    pub(super) access_key_id: String,
    date: DateTime<Utc>,
    /// `20150830/us-east-1/sts/aws4_request`.
    scope: String,
    signed_headers: Vec<String>,
    signature: Vec<u8>,
}

impl Authorization {
    /// Reads the header; its scope must name `service`.
    pub(super) fn parse(request: &Request<'_>, service: &str) -> Result<Self, AwsError> {
        let header = header(request, "authorization").ok_or(AwsErrorCode::MissingAuthenticationToken)?;
        let parameters =
            header.strip_prefix(ALGORITHM).ok_or_else(|| incomplete("Unsupported algorithm."))?;
        let parameter = |name: &str| {
            let mut pairs = parameters.split(',').filter_map(|pair| pair.trim().split_once('='));
            pairs
                .find(|(key, _)| *key == name)
                .map(|(_, value)| value)
                .ok_or_else(|| incomplete(&format!("Authorization header requires '{name}' parameter.")))
        };
        let (access_key_id, scope) =
            parameter("Credential")?.split_once('/').ok_or_else(|| incomplete("Credential has no scope."))?;
        let date = header_date(request).ok_or_else(|| incomplete("X-Amz-Date is missing or malformed."))?;
        check_scope(scope, date, service)?;
        let signed_headers: Vec<String> = parameter("SignedHeaders")?.split(';').map(str::to_owned).collect();
        if !signed_headers.iter().any(|name| name == "host") {
            return Err(incomplete("'Host' must be a 'SignedHeader' in the AWS Authorization."));
        }
        Ok(Self {
            access_key_id: access_key_id.to_owned(),
            date,
            scope: scope.to_owned(),
            signed_headers,
            signature: unhex(parameter("Signature")?).ok_or(AwsErrorCode::SignatureDoesNotMatch)?,
        })
    }

    fn string_to_sign(&self, request: &Request<'_>) -> String {
        let canonical = canonical_request(request, &self.signed_headers);
        let date = self.date.format(DATE);
        format!("{ALGORITHM}\n{date}\n{}\n{}", self.scope, hex(&Sha256::digest(canonical)))
    }

    fn is_by(&self, secret: &str, request: &Request<'_>) -> bool {
        let key = self.scope.split('/').fold(format!("AWS4{secret}").into_bytes(), |key, part| {
            mac(&key, part.as_bytes()).finalize().into_bytes().to_vec()
        });
        mac(&key, self.string_to_sign(request).as_bytes()).verify_slice(&self.signature).is_ok()
    }
}

/// Verifies that `found`, the credentials of the access key id in the header, signed the request recently.
pub(super) fn verify(
    request: &Request<'_>,
    signed: &Authorization,
    found: Option<(Credentials, Caller)>,
    now: DateTime<Utc>,
) -> Result<(Credentials, Caller), AwsError> {
    let token = header(request, "x-amz-security-token");
    let known = found.filter(|(credentials, _)| token == Some(&credentials.session_token));
    let (credentials, caller) = known.ok_or(AwsErrorCode::InvalidClientTokenId)?;
    if !signed.is_by(&credentials.secret_access_key, request) {
        return Err(AwsErrorCode::SignatureDoesNotMatch.into());
    }
    check_skew(signed.date, now)?;
    if now >= credentials.expires {
        return Err(AwsErrorCode::ExpiredToken.into());
    }
    Ok((credentials, caller))
}

fn check_scope(scope: &str, date: DateTime<Utc>, service: &str) -> Result<(), AwsError> {
    let mismatch = |message: &str| Err(AwsError::new(AwsErrorCode::SignatureDoesNotMatch, message));
    let [day, region, named, terminator] = scope.split('/').collect::<Vec<_>>()[..] else {
        return Err(incomplete("Credential must have exactly 5 slash-delimited elements."));
    };
    if day != date.format("%Y%m%d").to_string() {
        return mismatch(
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP.",
        );
    }
    if !is_region(region) {
        return mismatch(&format!("Credential should be scoped to a valid region, not '{region}'. "));
    }
    if named != service {
        return mismatch(&format!("Credential should be scoped to correct service: '{service}'. "));
    }
    if terminator != "aws4_request" {
        return mismatch("Credential should be scoped with a valid terminator: 'aws4_request'.");
    }
    Ok(())
}

fn check_skew(signed: DateTime<Utc>, now: DateTime<Utc>) -> Result<(), AwsError> {
    let stamp = |time: DateTime<Utc>| time.format(DATE).to_string();
    let (earliest, latest) = (now - SKEW, now + SKEW);
    let message = if signed < earliest {
        let (signed, earliest, now) = (stamp(signed), stamp(earliest), stamp(now));
        format!("Signature expired: {signed} is now earlier than {earliest} ({now} - 15 min.)")
    } else if signed > latest {
        let (signed, latest, now) = (stamp(signed), stamp(latest), stamp(now));
        format!("Signature not yet current: {signed} is still later than {latest} ({now} + 15 min.)")
    } else {
        return Ok(());
    };
    Err(AwsError::new(AwsErrorCode::SignatureDoesNotMatch, &message))
}

/// `us-east-1`, `us-gov-west-1`: words and a digit. Any such region is accepted.
fn is_region(region: &str) -> bool {
    let mut parts = region.rsplit('-');
    let number =
        parts.next().is_some_and(|part| part.len() == 1 && part.bytes().all(|byte| byte.is_ascii_digit()));
    let words: Vec<&str> = parts.collect();
    number
        && words.len() >= 2
        && words.iter().all(|word| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase()))
}

fn canonical_request(request: &Request<'_>, signed_headers: &[String]) -> String {
    let mut query: Vec<(String, String)> = request
        .query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (recode(name), recode(value)))
        .collect();
    query.sort();
    let query: Vec<String> = query.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    let headers: Vec<String> = signed_headers
        .iter()
        .map(|name| {
            let values: Vec<String> = request
                .headers
                .get_all(name)
                .iter()
                .map(|value| {
                    String::from_utf8_lossy(value.as_bytes()).split_whitespace().collect::<Vec<_>>().join(" ")
                })
                .collect();
            format!("{name}:{}\n", values.join(","))
        })
        .collect();
    format!(
        "{}\n{}\n{}\n{}\n{}\n{}",
        request.method,
        request.path,
        query.join("&"),
        headers.concat(),
        signed_headers.join(";"),
        hex(&Sha256::digest(request.body))
    )
}

/// Converts the client's encoding to the canonical one: everything but unreserved characters as `%XX`.
fn recode(text: &str) -> String {
    let decoded = percent_decode_str(text).decode_utf8_lossy();
    utf8_percent_encode(&decoded, RESERVED).to_string()
}

fn header<'a>(request: &Request<'a>, name: &str) -> Option<&'a str> {
    request.headers.get(name).and_then(|value| value.to_str().ok())
}

fn header_date(request: &Request<'_>) -> Option<DateTime<Utc>> {
    let date = NaiveDateTime::parse_from_str(header(request, "x-amz-date")?, DATE).ok()?;
    Some(date.and_utc())
}

fn mac(key: &[u8], message: &[u8]) -> Hmac<Sha256> {
    let mut mac = match Hmac::<Sha256>::new_from_slice(key) {
        Ok(mac) => mac,
        Err(error) => panic!("HMAC takes keys of any length: {error}"),
    };
    mac.update(message);
    mac
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let pairs = text.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).ok());
    pairs
        .map(|pair| pair.filter(|pair| pair.len() == 2).and_then(|pair| u8::from_str_radix(pair, 16).ok()))
        .collect()
}

fn incomplete(message: &str) -> AwsError {
    AwsError::new(AwsErrorCode::IncompleteSignature, message)
}

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
const DATE: &str = "%Y%m%dT%H%M%SZ";
const SKEW: TimeDelta = TimeDelta::minutes(15);
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

#[cfg(test)]
mod tests;
