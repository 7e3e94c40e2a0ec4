//! The response to `AssumeRoleWithWebIdentity`, in AWS's dialect and in that of S3-compatible services.

use secrecy::SecretString;

use super::{Document, StsError};
use crate::aws::{Credentials, RoleArn};
use crate::platform::{HttpResponse, server_date};
use crate::time::{DateTime, TimeDelta, Utc, rfc3339};

/// Reads credentials or the reason why there are none.
///
/// The root element decides, not the status alone: some services answer 200 with an unrelated document. And what is
/// said to be credentials of `role` is not believed if it cannot be: if it is `now` past its end, if a part is missing,
/// or if it is somebody else's.
pub fn read_credentials(
    response: &HttpResponse,
    role: &RoleArn,
    now: DateTime<Utc>,
) -> Result<Credentials, StsError> {
    let status = response.status;
    let document = Document::read(response.body.expose_secret());
    if let Some((code, message)) = document.as_ref().and_then(Document::error) {
        return Err(StsError::from_wire(status, code, message));
    }
    let success = document.filter(|document| is_answer(document) && response.is_success());
    let Some(document) = success else {
        // Something in between may say these without a document.
        return Err(match status {
            429 => StsError::Throttled,
            500.. => StsError::Unavailable { status },
            _ => StsError::Malformed { status },
        });
    };

    let refuse = |reason: &str| StsError::Implausible { reason: reason.to_owned() };
    // None of them can hold white space; documents that were wrapped for reading do. Files, headers and shells that get them
    // take nothing but visible ASCII.
    let part = |name: &str| {
        let text: String = document.only_text("Credentials", name)?.split_ascii_whitespace().collect();
        (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())).then_some(text)
    };
    let expiration = part("Expiration").ok_or_else(|| refuse("do not say when they expire"))?;
    let credentials = Credentials {
        access_key_id: part("AccessKeyId").ok_or_else(|| refuse("have no access key id"))?,
        secret_access_key: SecretString::from(
            part("SecretAccessKey").ok_or_else(|| refuse("have no secret access key"))?,
        ),
        session_token: SecretString::from(
            part("SessionToken").ok_or_else(|| refuse("have no session token"))?,
        ),
        expiration: time(&expiration).ok_or_else(|| refuse("expire at a time that cannot be read"))?,
    };
    // The local clock may be wrong by any amount: the server's own decides with it.
    let expired = |now: DateTime<Utc>| credentials.expiration <= now;
    if expired(now) && server_date(response).is_none_or(expired) {
        return Err(refuse("have expired already"));
    }
    if credentials.expiration > now + LONGEST_LIFETIME
        && server_date(response).is_none_or(|now| credentials.expiration > now + LONGEST_LIFETIME)
    {
        return Err(refuse("expire in more than ten years"));
    }
    if let Some(arn) = document.text("AssumedRoleUser", "Arn")
        && !may_be_of(arn, role)
    {
        return Err(refuse("are of another role than the one that was asked for"));
    }
    Ok(credentials)
}

/// Whether the document is one of the call, or credentials without any element around them, which is JSON then.
fn is_answer(document: &Document) -> bool {
    ROOTS.contains(&document.root())
        || document.root().is_empty() && document.text("Credentials", "AccessKeyId").is_some()
}

/// RFC 3339, with or without fractions of a second; in JSON seconds since 1970.
fn time(text: &str) -> Option<DateTime<Utc>> {
    match text.parse() {
        Ok(seconds) if (0..YEAR_10_000).contains(&seconds) => DateTime::from_timestamp(seconds, 0),
        Ok(_) => None,
        Err(_) => rfc3339(text),
    }
}

/// Whether `arn:PARTITION:sts::ACCOUNT:assumed-role/NAME/SESSION` can be a session of the role.
///
/// S3-compatible services leave the ARN empty, write no account or one that is none, or keep the role's path: only what
/// is there in AWS's form is compared. IAM compares names without regard to case.
fn may_be_of(arn: &str, role: &RoleArn) -> bool {
    let mut parts = arn.splitn(6, ':').skip(4);
    let (Some(account), Some(resource)) = (parts.next(), parts.next()) else { return true };
    let is_account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    if is_account && account != role.account().as_str() {
        return false;
    }
    let Some((path, _session)) =
        resource.strip_prefix("assumed-role/").and_then(|resource| resource.rsplit_once('/'))
    else {
        return true;
    };
    path.rsplit('/').next().is_some_and(|name| name.eq_ignore_ascii_case(role.name()))
}

/// No service gives credentials for longer, and no clock is that wrong.
const LONGEST_LIFETIME: TimeDelta = TimeDelta::days(3_653);

/// In seconds since 1970.
const YEAR_10_000: i64 = 253_402_300_800;

const ROOTS: [&str; 2] = ["AssumeRoleWithWebIdentityResponse", "AssumeRoleResponse"];

#[cfg(test)]
mod tests {
    #[cfg(not(target_arch = "wasm32"))]
    use proptest::prelude::*;
    use secrecy::ExposeSecret;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;
    use crate::code::Code;

    const NOW: &str = "2029-10-24T23:00:23Z";

    fn read_at(now: &str, response: &HttpResponse) -> Result<Credentials, StsError> {
        let role = "arn:aws:iam::123456789012:role/teams/example".parse().unwrap();
        read_credentials(response, &role, now.parse().unwrap())
    }

    fn read(status: u16, body: &str) -> Result<Credentials, StsError> {
        read_at(NOW, &HttpResponse::new(status, body.to_owned().into()))
    }

    const AWS: &str = r#"<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <AssumeRoleWithWebIdentityResult>
    <Audience>client</Audience>
    <AssumedRoleUser>
      <AssumedRoleId>AROACLKWSDQRAOEXAMPLE:app1</AssumedRoleId>
      <Arn>arn:aws:sts::123456789012:assumed-role/example/app1</Arn>
    </AssumedRoleUser>
    <Credentials>
      <SessionToken>tok/en+with==&amp;amp</SessionToken>
      <SecretAccessKey>secret</SecretAccessKey>
      <Expiration>2030-10-24T23:00:23Z</Expiration>
      <AccessKeyId>ASgeIAIOSFODNN7EXAMPLE</AccessKeyId>
    </Credentials>
    <SubjectFromWebIdentityToken>sub</SubjectFromWebIdentityToken>
  </AssumeRoleWithWebIdentityResult>
  <ResponseMetadata><RequestId>ad4156e9-bce1-11e2-82e6-6b6efEXAMPLE</RequestId></ResponseMetadata>
</AssumeRoleWithWebIdentityResponse>"#;

    fn json(expiration: &str) -> String {
        format!(
            r#"{{"AssumeRoleWithWebIdentityResponse":{{"AssumeRoleWithWebIdentityResult":{{
                "AssumedRoleUser":{{"Arn":"arn:aws:sts::123456789012:assumed-role/example/app1"}},
                "Credentials":{{"AccessKeyId":"K","SecretAccessKey":"S","SessionToken":"T/+==","Expiration":{expiration}}}}},
                "ResponseMetadata":{{"RequestId":"r"}}}}}}"#
        )
    }

    #[test]
    fn the_document_of_the_api_reference_is_read() {
        let credentials = read(200, AWS).unwrap();
        assert_eq!(credentials.access_key_id, "ASgeIAIOSFODNN7EXAMPLE");
        assert_eq!(credentials.session_token.expose_secret(), "tok/en+with==&amp");
        assert_eq!(credentials.expiration.timestamp(), 1_919_113_223);
    }

    #[test]
    fn the_json_twin_is_read_however_it_writes_the_time() {
        for expiration in
            ["1917000000", "1.917E9", "1917000000.75", "\"2030-09-30T12:00:00Z\"", "\"1917000000\""]
        {
            let credentials = read(200, &json(expiration)).unwrap();
            assert_eq!(credentials.session_token.expose_secret(), "T/+==");
            assert_eq!(credentials.expiration.timestamp(), 1_917_000_000, "{expiration}");
        }
        for expiration in [
            "1e300",
            "-1",
            "253402300799",
            "253402300800",
            "9223372036854775807",
            "1e18",
            "\"9999-12-31T23:59:59Z\"",
            "\"+12345-01-01T00:00:00Z\"",
            "null",
            "\"soon\"",
            "[]",
            "\"\"",
        ] {
            assert_eq!(
                read(200, &json(expiration)).unwrap_err().code(),
                Code::StsResponseInvalid,
                "{expiration}"
            );
        }
    }

    #[test]
    fn the_json_twin_is_read_without_the_elements_around_it() {
        let whole: serde_json::Value = serde_json::from_str(&json("1917000000")).unwrap();
        let result = &whole["AssumeRoleWithWebIdentityResponse"];
        for body in [result, &result["AssumeRoleWithWebIdentityResult"]] {
            assert_eq!(read(200, &body.to_string()).unwrap().expiration.timestamp(), 1_917_000_000);
        }
    }

    #[test]
    fn the_document_of_an_s3_compatible_service_is_read() {
        let body = "<?xml version=\"1.0\"?><AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials>\
            <AccessKeyId>\n K\n</AccessKeyId><SecretAccessKey>S</SecretAccessKey><SessionToken>T\n  T</SessionToken>\
            <Expiration>2030-10-24T23:00:23.123456789Z</Expiration></Credentials></AssumeRoleWithWebIdentityResult>\
            </AssumeRoleWithWebIdentityResponse>";
        let credentials = read(200, body).unwrap();
        assert_eq!(credentials.access_key_id, "K");
        assert_eq!(credentials.session_token.expose_secret(), "TT");
    }

    #[test]
    fn an_unrelated_document_with_status_200_is_no_success() {
        for body in [
            "<ListAllMyBucketsResult/>",
            "<html><body>hello",
            "",
            "{}",
            "<AssumeRoleWithWebIdentityResponse/>",
        ] {
            assert_eq!(read(200, body).unwrap_err().code(), Code::StsResponseInvalid, "{body}");
        }
    }

    #[test]
    fn a_success_document_with_an_error_status_is_no_success() {
        assert!(read(403, AWS).is_err());
    }

    #[test]
    fn credentials_that_cannot_be_what_was_asked_for_are_refused_by_name() {
        for (from, to, reason) in [
            ("2030-10-24T23:00:23Z", NOW, "have expired already"),
            ("ASgeIAIOSFODNN7EXAMPLE", " ", "have no access key id"),
            (">secret<", "><", "have no secret access key"),
            ("tok/en+with==&amp;amp", "", "have no session token"),
            ("2030-10-24T23:00:23Z", "", "do not say when they expire"),
            ("2030-10-24T23:00:23Z", "tomorrow", "cannot be read"),
            ("sts::123456789012", "sts::999999999999", "are of another role"),
            ("assumed-role/example/", "assumed-role/admin/", "are of another role"),
        ] {
            let error = read(200, &AWS.replacen(from, to, 1)).unwrap_err();
            assert_eq!(error.code(), Code::StsResponseInvalid);
            assert!(error.to_string().contains(reason), "{error} lacks {reason}");
        }
    }

    #[test]
    fn the_assumed_role_is_read_as_other_services_write_it() {
        for arn in [
            "",
            "arn:aws:sts:::assumed-role/example/app1",
            "arn:aws:sts::tenant:assumed-role/teams/example/app1",
            "arn:aws:sts::123456789012:assumed-role/Example/app1",
            "arn:minio:sts:::user/x",
        ] {
            let body = AWS.replacen("arn:aws:sts::123456789012:assumed-role/example/app1", arn, 1);
            assert!(read(200, &body).is_ok(), "{arn}");
        }
    }

    #[test]
    fn a_local_clock_that_is_ahead_by_a_year_does_not_make_good_credentials_expired() {
        let headers = vec![("date".to_owned(), "Wed, 24 Oct 2029 23:00:00 GMT".to_owned())];
        let response = HttpResponse { headers, ..HttpResponse::new(200, AWS.to_owned().into()) };
        assert!(read_at("2031-01-01T00:00:00Z", &response).is_ok());
    }

    #[test]
    fn every_documented_error_has_its_own_code_in_every_dialect() {
        for (status, wire, message, code) in [
            (400, "MalformedPolicyDocument", "x", Code::StsMalformedPolicy),
            (400, "PackedPolicyTooLarge", "x", Code::StsPolicyTooLarge),
            (400, "PackedPolicyTooLargeException", "x", Code::StsPolicyTooLarge),
            (403, "IDPRejectedClaim", "x", Code::StsClaimRejected),
            (403, "IDPRejectedClaimException", "x", Code::StsClaimRejected),
            (400, "IDPCommunicationError", "x", Code::StsProviderUnreachable),
            (400, "InvalidIdentityToken", "No OpenIDConnect provider found", Code::StsInvalidIdentityToken),
            (
                400,
                "InvalidIdentityToken",
                "Couldn't retrieve verification key from your identity provider",
                Code::StsProviderUnreachable,
            ),
            (400, "ExpiredTokenException", "Token expired", Code::StsExpiredToken),
            (400, "ExpiredToken", "Token expired", Code::StsExpiredToken),
            (403, "RegionDisabledException", "x", Code::StsRegionDisabled),
            (403, "AccessDenied", "Not authorized", Code::StsAccessDenied),
            (
                400,
                "ValidationError",
                "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
                Code::StsDurationTooLong,
            ),
            (400, "ValidationError", "1 validation error detected", Code::StsValidation),
            (400, "Throttling", "Rate exceeded", Code::StsThrottled),
            (429, "TooManyRequestsException", "", Code::StsThrottled),
            (400, "RequestThrottledException", "", Code::StsThrottled),
            (400, "RequestTimeout", "", Code::StsUnavailable),
            (500, "InternalFailure", "", Code::StsUnavailable),
            (400, "SomethingNew", "x", Code::StsValidation),
        ] {
            for body in [
                format!(
                    r#"<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>{wire}</Code><Message>{message}</Message></Error><RequestId>r</RequestId></ErrorResponse>"#
                ),
                format!(
                    "<Error><Code>{wire}</Code><Message>{message}</Message><Resource>/</Resource></Error>"
                ),
                format!(
                    r#"{{"Error":{{"Code":"{wire}","Message":"{message}","Type":"Sender"}},"RequestId":"r"}}"#
                ),
            ] {
                assert_eq!(read(status, &body).unwrap_err().code(), code, "{body}");
            }
        }
        assert_eq!(read(503, "Service Unavailable").unwrap_err().code(), Code::StsUnavailable);
        assert_eq!(read(429, "").unwrap_err().code(), Code::StsThrottled);
        let silent = "<Error><Code>AccessDenied</Code><Message></Message></Error>";
        assert_eq!(read(403, silent).unwrap_err().code(), Code::StsAccessDenied);
    }

    #[cfg(not(target_arch = "wasm32"))]

    proptest! {
        #[test]
        fn no_text_is_taken_for_credentials_by_accident(body in "\\PC{0,200}") {
            prop_assert!(read(200, &body).is_err());
        }
    }
}
