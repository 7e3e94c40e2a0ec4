//! The response, by a real XML parser, in AWS's dialect and in that of S3-compatible services.

use chrono::{DateTime, Utc};
use secrecy::SecretString;
use serde::Deserialize;

use super::StsError;
use crate::aws::Credentials;
use crate::platform::HttpResponse;

/// Reads credentials or the reason why there are none.
///
/// The root element decides, not the status alone: some services answer 200 with an unrelated document.
pub fn read_credentials(response: &HttpResponse) -> Result<Credentials, StsError> {
    let status = response.status().as_u16();
    let text = std::str::from_utf8(response.body()).unwrap_or_default();
    let document = quick_xml::de::from_str::<Document>(text);
    match (document, response.status().is_success()) {
        (Ok(Document::Success { result }), true) => Ok(result.credentials.into()),
        (
            Ok(Document::ErrorResponse { error } | Document::ErrorList { error } | Document::Error(error)),
            _,
        ) => Err(StsError::from_wire(status, &error.code, &error.message)),
        (_, false) if status >= 500 => Err(StsError::Unavailable { status }),
        _ => Err(StsError::Malformed { status }),
    }
}

/// What STS says, told apart by its root element.
#[derive(Deserialize)]
enum Document {
    #[serde(rename = "AssumeRoleWithWebIdentityResponse")]
    Success {
        #[serde(rename = "AssumeRoleWithWebIdentityResult")]
        result: Success,
    },
    #[serde(rename_all = "PascalCase")]
    ErrorResponse { error: Failure },
    /// A gateway's answer in S3's dialect.
    Error(Failure),
    /// EC2's dialect, which some services answer with.
    #[serde(rename = "Response", rename_all = "PascalCase")]
    ErrorList { error: Failure },
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Success {
    credentials: WireCredentials,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireCredentials {
    access_key_id: String,
    secret_access_key: SecretString,
    session_token: SecretString,
    /// RFC 3339, with or without fractional seconds.
    expiration: DateTime<Utc>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Failure {
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: String,
}

impl From<WireCredentials> for Credentials {
    fn from(wire: WireCredentials) -> Self {
        Self {
            access_key_id: wire.access_key_id,
            secret_access_key: wire.secret_access_key,
            session_token: wire.session_token,
            expiration: wire.expiration,
        }
    }
}

#[cfg(test)]
mod tests {
    #[cfg(not(target_arch = "wasm32"))]
    use proptest::prelude::*;
    use secrecy::ExposeSecret;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;
    use crate::error::Code;

    fn read(status: u16, body: &str) -> Result<Credentials, StsError> {
        read_credentials(&http::Response::builder().status(status).body(body.as_bytes().to_vec()).unwrap())
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

    #[test]
    fn the_document_of_the_api_reference_is_read() {
        let credentials = read(200, AWS).unwrap();
        assert_eq!(credentials.access_key_id, "ASgeIAIOSFODNN7EXAMPLE");
        assert_eq!(credentials.session_token.expose_secret(), "tok/en+with==&amp");
        assert_eq!(credentials.expiration.to_rfc3339(), "2030-10-24T23:00:23+00:00");
    }

    #[test]
    fn the_document_of_an_s3_compatible_service_is_read() {
        let body = "<?xml version=\"1.0\"?><AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials>\
            <AccessKeyId>K</AccessKeyId><SecretAccessKey>S</SecretAccessKey><SessionToken>T</SessionToken>\
            <Expiration>2030-10-24T23:00:23.123456789Z</Expiration></Credentials></AssumeRoleWithWebIdentityResult>\
            </AssumeRoleWithWebIdentityResponse>";
        assert_eq!(read(200, body).unwrap().access_key_id, "K");
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
    fn every_documented_error_has_its_own_code() {
        for (status, wire, message, code) in [
            (400, "MalformedPolicyDocument", "x", Code::StsMalformedPolicy),
            (400, "PackedPolicyTooLarge", "x", Code::StsPolicyTooLarge),
            (403, "IDPRejectedClaim", "x", Code::StsClaimRejected),
            (400, "IDPCommunicationError", "x", Code::StsProviderUnreachable),
            (400, "InvalidIdentityToken", "No OpenIDConnect provider found", Code::StsInvalidIdentityToken),
            (
                400,
                "InvalidIdentityToken",
                "Couldn't retrieve verification key from your identity provider",
                Code::StsProviderUnreachable,
            ),
            (400, "ExpiredTokenException", "Token expired", Code::StsExpiredToken),
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
            (500, "InternalFailure", "", Code::StsUnavailable),
            (400, "SomethingNew", "x", Code::StsValidation),
        ] {
            let aws = format!(
                r#"<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>{wire}</Code><Message>{message}</Message></Error><RequestId>r</RequestId></ErrorResponse>"#
            );
            assert_eq!(read(status, &aws).unwrap_err().code(), code, "{wire}");
            let s3 = format!(
                "<Error><Code>{wire}</Code><Message>{message}</Message><Resource>/</Resource></Error>"
            );
            assert_eq!(read(status, &s3).unwrap_err().code(), code, "{wire}");
        }
        assert_eq!(read(503, "Service Unavailable").unwrap_err().code(), Code::StsUnavailable);
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
