//! `GetCallerIdentity` (STS API reference), signed with Signature Version 4.

use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use http::header::CONTENT_TYPE;
use http::{Request, Response};
use rolecall_core::aws::{Partition, Region};
use rolecall_core::secret::SecretBytes;
use rolecall_core::settings::Endpoint;
use rolecall_core::sts::Document;
use rolecall_core::{Code, Problem};
use secrecy::ExposeSecret;
use serde::Serialize;

use crate::http_client;
use crate::sdk_profile::Keys;

/// The identity that credentials belong to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CallerIdentity {
    pub(crate) account: String,
    /// The identity, such as `arn:aws:sts::123456789012:assumed-role/developer/someone@example.com`.
    pub(crate) arn: String,
    /// The unique id of the identity.
    pub(crate) user_id: String,
}

/// Asks STS at `endpoint` for the identity of the keys.
pub(crate) fn ask(endpoint: &Endpoint, region: &Region, keys: &Keys) -> Result<CallerIdentity, Problem> {
    let request = signed_request(endpoint, region, keys)?;
    let response =
        http_client::send(request).map_err(|error| Problem::new(error.code(), error.to_string()))?;
    read(&response)
}

/// The STS of a region.
pub(crate) fn sts_of(region: &Region) -> Option<Endpoint> {
    format!("https://{}/", partition(region).sts_host(region)).parse().ok()
}

/// A region's partition, by the region's prefix (`us-gov` of `us-gov-west-1`).
fn partition(region: &Region) -> Partition {
    let area = |region: &str| region.rsplitn(3, '-').last().map(str::to_owned);
    let area_of_region = area(region.as_str());
    let same = |partition: &Partition| area(partition.default_region().as_str()) == area_of_region;
    Partition::ALL.into_iter().find(same).unwrap_or(Partition::Aws)
}

fn signed_request(
    endpoint: &Endpoint,
    region: &Region,
    keys: &Keys,
) -> Result<Request<SecretBytes>, Problem> {
    let refuse =
        |what: &str| Problem::new(Code::Internal, format!("The request to STS could not be signed: {what}."));
    let credentials = Credentials::new(
        &keys.access_key_id,
        keys.secret_access_key.expose_secret(),
        keys.session_token.as_ref().map(|token| token.expose_secret().to_owned()),
        None,
        "rolecall",
    );
    let identity = credentials.into();
    let parameters = v4::SigningParams::builder()
        .identity(&identity)
        .region(region.as_str())
        .name("sts")
        .time(SystemTime::now())
        .settings(SigningSettings::default())
        .build()
        .map_err(|_| refuse("a parameter is missing"))?
        .into();
    let mut request = Request::post(http_client::uri(endpoint.url().as_str()))
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded; charset=utf-8")
        .body(BODY.to_owned().into())
        .map_err(|_| refuse("the request is invalid"))?;
    let uri = request.uri().to_string();
    let headers =
        request.headers().iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
    let signable = SignableRequest::new("POST", &uri, headers, SignableBody::Bytes(BODY.as_bytes()))
        .map_err(|_| refuse("the address is invalid"))?;
    let (instructions, _) =
        sign(signable, &parameters).map_err(|_| refuse("the signer failed"))?.into_parts();
    instructions.apply_to_request_http1x(&mut request);
    Ok(request)
}

fn read(response: &Response<SecretBytes>) -> Result<CallerIdentity, Problem> {
    let document = Document::read(response.body().expose_secret());
    let identity = document.as_ref().and_then(|document| {
        let text = |name: &str| document.text("GetCallerIdentityResult", name).map(str::to_owned);
        Some(CallerIdentity { account: text("Account")?, arn: text("Arn")?, user_id: text("UserId")? })
    });
    if let Some(identity) = identity.filter(|_| response.status().is_success()) {
        return Ok(identity);
    }
    let status = response.status().as_u16();
    match document.as_ref().and_then(Document::error) {
        Some((code, _)) if NOT_OFFERED.contains(&code) => Err(not_offered()),
        Some((code, message)) => {
            let words: Vec<_> = [code, message].into_iter().filter(|text| !text.is_empty()).collect();
            let message = format!("STS refused the credentials ({}).", words.join(": "));
            Err(Problem::new(Code::CredentialsRefused, message))
        }
        None if matches!(status, 200..=299 | 404 | 405 | 501) => Err(not_offered()),
        None => Err(Problem::new(
            Code::StsResponseInvalid,
            format!("STS responded with the HTTP status {status} and an unreadable document."),
        )),
    }
}

fn not_offered() -> Problem {
    Problem::new(Code::IdentityNotOffered, "This service does not support GetCallerIdentity.")
}

const BODY: &str = "Action=GetCallerIdentity&Version=2011-06-15";

/// The error codes of services without the operation.
const NOT_OFFERED: [&str; 4] =
    ["InvalidAction", "MethodNotAllowed", "NotImplemented", "UnknownOperationException"];

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Result<CallerIdentity, Problem> {
        read(&Response::builder().status(status).body(body.to_owned().into()).unwrap())
    }

    #[test]
    fn the_documented_response_is_read() {
        // STS API reference, GetCallerIdentity, example 1.
        let identity = answer(
            200,
            r#"<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
                 <GetCallerIdentityResult>
                  <Arn>arn:aws:iam::123456789012:user/Alice</Arn>
                  <UserId>AIDACKCEVSQ6C2EXAMPLE</UserId>
                  <Account>123456789012</Account>
                 </GetCallerIdentityResult>
                 <ResponseMetadata><RequestId>01234567-89ab-cdef-0123-456789abcdef</RequestId></ResponseMetadata>
               </GetCallerIdentityResponse>"#,
        )
        .unwrap();
        assert_eq!(identity.account, "123456789012");
        assert_eq!(identity.arn, "arn:aws:iam::123456789012:user/Alice");
        assert_eq!(identity.user_id, "AIDACKCEVSQ6C2EXAMPLE");
    }

    #[test]
    fn every_recorded_response_is_read() {
        for row in include_str!("../../tests/recorded/caller-identity.jsonl").lines() {
            let row: serde_json::Value = serde_json::from_str(row).unwrap();
            let status = u16::try_from(row["status"].as_u64().unwrap()).unwrap();
            match answer(status, row["body"].as_str().unwrap()) {
                Ok(identity) => {
                    assert_eq!(row.get("code"), None, "{row}");
                    assert_eq!(identity.account, "123456789012", "{row}");
                }
                Err(problem) => assert_eq!(row["code"], problem.code, "{row}"),
            }
        }
    }

    #[test]
    fn a_response_in_json_is_read_as_well() {
        let body = r#"{"GetCallerIdentityResponse":{"GetCallerIdentityResult":{"Account":"123456789012",
            "Arn":"arn:aws:iam::123456789012:user/Alice","UserId":"AIDA"},"ResponseMetadata":{"RequestId":"r"}}}"#;
        assert_eq!(answer(200, body).unwrap().user_id, "AIDA");
        let body =
            r#"{"Error":{"Code":"ExpiredToken","Message":"It expired","Type":"Sender"},"RequestId":"r"}"#;
        assert!(answer(403, body).unwrap_err().message.contains("ExpiredToken: It expired"));
    }

    #[test]
    fn refusals_of_aws_and_of_s3_compatible_services_are_reported() {
        let body = "<ErrorResponse><Error><Type>Sender</Type><Code>ExpiredToken</Code><Message>It expired</Message></Error></ErrorResponse>";
        let problem = answer(403, body).unwrap_err();
        assert!(problem.is(Code::CredentialsRefused));
        assert_eq!(problem.message, "STS refused the credentials (ExpiredToken: It expired).");
        let problem = answer(403, "<Error><Code>AccessDenied</Code><Message></Message></Error>").unwrap_err();
        assert_eq!(problem.message, "STS refused the credentials (AccessDenied).");
    }

    #[test]
    fn a_service_without_the_operation_is_told_apart_from_a_refusal() {
        for (status, body) in [
            (405, "<Error><Code>MethodNotAllowed</Code></Error>"),
            (404, ""),
            (200, "<ListAllMyBucketsResult></ListAllMyBucketsResult>"),
        ] {
            assert!(answer(status, body).unwrap_err().is(Code::IdentityNotOffered), "{status} {body}");
        }
    }

    #[test]
    fn each_partition_has_its_own_sts_domain() {
        for (region, host) in [
            ("eu-west-1", "sts.eu-west-1.amazonaws.com"),
            ("us-east-2", "sts.us-east-2.amazonaws.com"),
            ("cn-northwest-1", "sts.cn-northwest-1.amazonaws.com.cn"),
            ("us-gov-east-1", "sts.us-gov-east-1.amazonaws.com"),
            ("us-isob-east-1", "sts.us-isob-east-1.sc2s.sgov.gov"),
            ("eu-isoe-west-1", "sts.eu-isoe-west-1.cloud.adc-e.uk"),
        ] {
            let endpoint = sts_of(&region.parse().unwrap()).unwrap();
            assert_eq!(endpoint.url().host_str(), Some(host));
        }
    }
}
