//! The response documents, in both dialects and both encodings: STS responds with XML, or with JSON if the client
//! accepts it (read from its clients: Envoy's `webidentity_credentials_provider.cc` with recorded answers,
//! aws-iam-authenticator's `server.go`). In JSON times are numbers, and an error has no element around it.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, SecondsFormat, Utc};
use quick_xml::escape::escape;
use serde_json::{Map, Value};

use super::error::AwsError;
use super::issued::{Caller, Credentials};
use crate::answer::ErrorCode;
use crate::config::Dialect;
use crate::random;

/// The content of an `AssumeRoleWithWebIdentity` response.
pub(super) struct Assumed<'a> {
    pub(super) caller: &'a Caller,
    pub(super) credentials: &'a Credentials,
    pub(super) subject: &'a str,
    pub(super) audience: &'a str,
    pub(super) provider_arn: &'a str,
    pub(super) packed_policy_size: usize,
    pub(super) source_identity: Option<&'a str>,
}

/// The response to `AssumeRoleWithWebIdentity`.
pub(super) fn assumed_role(dialect: Dialect, assumed: &Assumed<'_>) -> Response {
    let Assumed { caller, credentials, .. } = assumed;
    let [user, credentials] = user_and_credentials(dialect, caller, credentials);
    let mut members = vec![
        text("SubjectFromWebIdentityToken", assumed.subject),
        text("Audience", assumed.audience),
        user,
        credentials,
        text("Provider", assumed.provider_arn),
        number("PackedPolicySize", assumed.packed_policy_size),
    ];
    members.extend(assumed.source_identity.map(|identity| text("SourceIdentity", identity)));
    let result = element("AssumeRoleWithWebIdentityResult", &members);
    success(dialect, "AssumeRoleWithWebIdentityResponse", result)
}

/// The response to `AssumeRole`.
pub(super) fn assumed_role_with_role(
    caller: &Caller,
    credentials: &Credentials,
    packed_policy_size: Option<usize>,
) -> Response {
    let mut members = Vec::from(user_and_credentials(Dialect::Aws, caller, credentials));
    members.extend(packed_policy_size.map(|percent| number("PackedPolicySize", percent)));
    members.extend(caller.source_identity.as_deref().map(|identity| text("SourceIdentity", identity)));
    success(Dialect::Aws, "AssumeRoleResponse", element("AssumeRoleResult", &members))
}

fn user_and_credentials(dialect: Dialect, caller: &Caller, credentials: &Credentials) -> [Element; 2] {
    let user =
        element("AssumedRoleUser", &[text("Arn", &caller.arn), text("AssumedRoleId", &caller.user_id)]);
    let credentials = element(
        "Credentials",
        &[
            text("AccessKeyId", &credentials.access_key_id),
            text("SecretAccessKey", &credentials.secret_access_key),
            text("SessionToken", &credentials.session_token),
            time("Expiration", dialect, credentials.expires),
        ],
    );
    [user, credentials]
}

/// The response to `GetCallerIdentity`.
pub(super) fn caller_identity(caller: &Caller) -> Response {
    let result = element(
        "GetCallerIdentityResult",
        &[text("Arn", &caller.arn), text("UserId", &caller.user_id), text("Account", &caller.account)],
    );
    success(Dialect::Aws, "GetCallerIdentityResponse", result)
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
            element("ErrorResponse", &[error, text("RequestId", &request_id)])
        }
        // One code and no message, whatever the reason.
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
    let mut response = answer(dialect, status, &document, &request_id);
    response.extensions_mut().insert(ErrorCode(code.to_owned()));
    response
}

/// The response of an S3-compatible store to any GET.
pub(super) fn bucket_list() -> Response {
    let document = element("ListAllMyBucketsResult", &[element("Buckets", &[])]);
    answer(Dialect::S3Compatible, StatusCode::OK, &document, &random::uuid())
}

/// The response of an S3-compatible store to an unknown action.
pub(super) fn not_offered() -> Response {
    let code = "MethodNotAllowed";
    let document = element("Error", &[text("Code", code), text("Message", "")]);
    let mut response =
        answer(Dialect::S3Compatible, StatusCode::METHOD_NOT_ALLOWED, &document, &random::uuid());
    response.extensions_mut().insert(ErrorCode(code.to_owned()));
    response
}

fn success(dialect: Dialect, name: &'static str, result: Element) -> Response {
    let request_id = random::uuid();
    let document = match dialect {
        Dialect::Aws => {
            let metadata = element("ResponseMetadata", &[text("RequestId", &request_id)]);
            element(name, &[result, metadata])
        }
        Dialect::S3Compatible => element(name, &[result]),
    };
    answer(dialect, StatusCode::OK, &document, &request_id)
}

fn answer(dialect: Dialect, status: StatusCode, document: &Element, request_id: &str) -> Response {
    let (content_type, namespace) = match dialect {
        Dialect::Aws => ("text/xml", Some(NAMESPACE)),
        Dialect::S3Compatible => ("application/xml", None),
    };
    let mut response =
        (status, [(header::CONTENT_TYPE, content_type)], document.to_xml(namespace)).into_response();
    if dialect == Dialect::Aws
        && let Ok(value) = HeaderValue::from_str(request_id)
    {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response.extensions_mut().insert(JsonTwin(document.to_json().to_string()));
    response
}

/// The same response in JSON.
#[derive(Clone)]
struct JsonTwin(String);

/// Replaces the response with the JSON form if the client accepts it.
pub(crate) fn negotiate(request: &HeaderMap, response: &mut Response) {
    let Some(JsonTwin(text)) = response.extensions_mut().remove() else { return };
    let accepts = |value: &HeaderValue| {
        value
            .to_str()
            .is_ok_and(|value| value.split(',').any(|range| range.trim().starts_with("application/json")))
    };
    if request.get_all(header::ACCEPT).iter().any(accepts) {
        *response.body_mut() = Body::from(text);
        response.headers_mut().remove(header::CONTENT_LENGTH);
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
}

/// A part of a document.
#[derive(Clone)]
struct Element {
    name: &'static str,
    content: Content,
}

#[derive(Clone)]
enum Content {
    Children(Vec<Element>),
    /// In XML's form and in JSON's form.
    Leaf(String, Value),
}

impl Element {
    fn to_xml(&self, namespace: Option<&str>) -> String {
        let Self { name, content } = self;
        let attributes = namespace.map(|namespace| format!(" xmlns=\"{namespace}\"")).unwrap_or_default();
        match content {
            Content::Children(children) => {
                let children: String = children.iter().map(|child| child.to_xml(None)).collect();
                format!("<{name}{attributes}>\n{children}</{name}>\n")
            }
            Content::Leaf(text, _) => format!("<{name}{attributes}>{}</{name}>\n", escape(text)),
        }
    }

    fn to_json(&self) -> Value {
        // An error has no element around it.
        if self.name == "ErrorResponse" {
            self.value()
        } else {
            [(self.name, self.value())].into_iter().collect()
        }
    }

    fn value(&self) -> Value {
        match &self.content {
            Content::Children(children) => {
                let members = children.iter().map(|child| (child.name.to_owned(), child.value()));
                Value::Object(members.collect::<Map<_, _>>())
            }
            Content::Leaf(_, value) => value.clone(),
        }
    }
}

fn element(name: &'static str, children: &[Element]) -> Element {
    Element { name, content: Content::Children(children.to_vec()) }
}

fn text(name: &'static str, value: &str) -> Element {
    Element { name, content: Content::Leaf(value.to_owned(), value.into()) }
}

fn number(name: &'static str, value: usize) -> Element {
    Element { name, content: Content::Leaf(value.to_string(), value.into()) }
}

fn time(name: &'static str, dialect: Dialect, time: DateTime<Utc>) -> Element {
    let precision = match dialect {
        Dialect::Aws => SecondsFormat::Secs,
        Dialect::S3Compatible => SecondsFormat::Nanos,
    };
    let text = time.to_rfc3339_opts(precision, true);
    Element { name, content: Content::Leaf(text, time.timestamp().into()) }
}

const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";
const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");
const S3_REFUSAL: &str = "AccessDenied";
