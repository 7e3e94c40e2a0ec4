//! The documents on the wire, in both dialects.

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, SecondsFormat, Utc};
use quick_xml::escape::escape;

use super::error::AwsError;
use super::issued::{Caller, Credentials};
use crate::answer::ErrorCode;
use crate::config::Dialect;
use crate::random;

/// What an `AssumeRoleWithWebIdentity` answer carries.
pub(super) struct Assumed<'a> {
    pub(super) caller: &'a Caller,
    pub(super) credentials: &'a Credentials,
    pub(super) subject: &'a str,
    pub(super) audience: &'a str,
    pub(super) provider_arn: &'a str,
    pub(super) packed_policy_size: usize,
}

/// The answer to `AssumeRoleWithWebIdentity`.
pub(super) fn assumed_role(dialect: Dialect, assumed: &Assumed<'_>) -> Response {
    let Assumed { caller, credentials, .. } = assumed;
    let result = element(
        "AssumeRoleWithWebIdentityResult",
        &[
            text("SubjectFromWebIdentityToken", assumed.subject),
            text("Audience", assumed.audience),
            element("AssumedRoleUser", &[text("Arn", &caller.arn), text("AssumedRoleId", &caller.user_id)]),
            element(
                "Credentials",
                &[
                    text("AccessKeyId", &credentials.access_key_id),
                    text("SecretAccessKey", &credentials.secret_access_key),
                    text("SessionToken", &credentials.session_token),
                    text("Expiration", &expiration(dialect, credentials.expires)),
                ],
            ),
            text("Provider", assumed.provider_arn),
            text("PackedPolicySize", &assumed.packed_policy_size.to_string()),
        ],
    );
    success(dialect, "AssumeRoleWithWebIdentityResponse", &result)
}

/// The answer to `GetCallerIdentity`.
pub(super) fn caller_identity(caller: &Caller) -> Response {
    let result = element(
        "GetCallerIdentityResult",
        &[text("Arn", &caller.arn), text("UserId", &caller.user_id), text("Account", &caller.account)],
    );
    success(Dialect::Aws, "GetCallerIdentityResponse", &result)
}

/// An error.
pub(super) fn error(dialect: Dialect, error: &AwsError) -> Response {
    let status = StatusCode::from_u16(error.code.status()).unwrap_or(StatusCode::BAD_REQUEST);
    let request_id = random::uuid();
    let document = match dialect {
        Dialect::Aws => {
            let error = element(
                "Error",
                &[
                    text("Type", error.code.blame()),
                    text("Code", error.code.as_str()),
                    text("Message", &error.message),
                ],
            );
            root("ErrorResponse", &[error, text("RequestId", &request_id)])
        }
        // One code and no message, whatever the reason was.
        Dialect::S3Compatible => element(
            "Error",
            &[
                text("Code", S3_REFUSAL),
                text("Message", ""),
                text("RequestId", &request_id),
                text("HostId", "sandbox"),
            ],
        ),
    };
    let (status, code) = match dialect {
        Dialect::Aws => (status, error.code.as_str()),
        Dialect::S3Compatible if status.is_server_error() => (status, S3_REFUSAL),
        Dialect::S3Compatible => (StatusCode::FORBIDDEN, S3_REFUSAL),
    };
    let mut response = xml(dialect, status, document, &request_id);
    response.extensions_mut().insert(ErrorCode(code.to_owned()));
    response
}

/// What an S3-compatible store answers to a GET, whatever was asked.
pub(super) fn bucket_list() -> Response {
    let document = element("ListAllMyBucketsResult", &[element("Buckets", &[])]);
    xml(Dialect::S3Compatible, StatusCode::OK, document, &random::uuid())
}

/// What an S3-compatible store answers to an action it does not have.
pub(super) fn not_offered() -> Response {
    let code = "MethodNotAllowed";
    let document = element("Error", &[text("Code", code), text("Message", "")]);
    let mut response = xml(Dialect::S3Compatible, StatusCode::METHOD_NOT_ALLOWED, document, &random::uuid());
    response.extensions_mut().insert(ErrorCode(code.to_owned()));
    response
}

fn success(dialect: Dialect, name: &str, result: &str) -> Response {
    let request_id = random::uuid();
    let document = match dialect {
        Dialect::Aws => {
            let metadata = element("ResponseMetadata", &[text("RequestId", &request_id)]);
            root(name, &[result.to_owned(), metadata])
        }
        Dialect::S3Compatible => element(name, &[result.to_owned()]),
    };
    xml(dialect, StatusCode::OK, document, &request_id)
}

fn xml(dialect: Dialect, status: StatusCode, document: String, request_id: &str) -> Response {
    let content_type = match dialect {
        Dialect::Aws => "text/xml",
        Dialect::S3Compatible => "application/xml",
    };
    let mut response = (status, [(header::CONTENT_TYPE, content_type)], document).into_response();
    if dialect == Dialect::Aws
        && let Ok(value) = HeaderValue::from_str(request_id)
    {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}

fn expiration(dialect: Dialect, time: DateTime<Utc>) -> String {
    let precision = match dialect {
        Dialect::Aws => SecondsFormat::Secs,
        Dialect::S3Compatible => SecondsFormat::Nanos,
    };
    time.to_rfc3339_opts(precision, true)
}

fn root(name: &str, children: &[String]) -> String {
    format!("<{name} xmlns=\"{NAMESPACE}\">\n{}</{name}>\n", children.concat())
}

fn element(name: &str, children: &[String]) -> String {
    format!("<{name}>\n{}</{name}>\n", children.concat())
}

fn text(name: &str, value: &str) -> String {
    format!("<{name}>{}</{name}>\n", escape(value))
}

const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";
const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");
const S3_REFUSAL: &str = "AccessDenied";
