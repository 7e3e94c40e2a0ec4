//! AWS's published test suite (the cases `get-vanilla-query-order-key-case`, `post-x-www-form-urlencoded` and
//! `post-sts-header-before`), and what a verifier must refuse.

use axum::http::{HeaderName, HeaderValue};

use super::*;

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const TOKEN: &str = "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA==";
const STS_SIGNATURE: &str = "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead";

struct Case {
    method: &'static str,
    query: &'static str,
    headers: HeaderMap,
    body: &'static str,
}

impl Case {
    fn new(method: &'static str, query: &'static str, body: &'static str, headers: &[(&str, &str)]) -> Self {
        let common = [("host", "example.amazonaws.com"), ("x-amz-date", "20150830T123600Z")];
        let headers = common.iter().chain(headers).map(|(name, value)| {
            (HeaderName::try_from(*name).unwrap(), HeaderValue::try_from(*value).unwrap())
        });
        Self { method, query, headers: headers.collect(), body }
    }

    fn signed(mut self, headers: &str, signature: &str) -> Self {
        let value = format!(
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
             SignedHeaders={headers}, Signature={signature}"
        );
        self.set("authorization", &value);
        self
    }

    fn set(&mut self, name: &'static str, value: &str) {
        self.headers.insert(name, HeaderValue::try_from(value).unwrap());
    }

    fn request(&self) -> Request<'_> {
        Request {
            method: self.method,
            path: "/",
            query: self.query,
            headers: &self.headers,
            body: self.body.as_bytes(),
        }
    }

    fn is_by(&self, secret: &str) -> bool {
        Authorization::parse(&self.request(), "service").unwrap().is_by(secret, &self.request())
    }

    fn error(&self, service: &str, now: &str) -> AwsError {
        let credentials = Credentials {
            access_key_id: "AKIDEXAMPLE".to_owned(),
            secret_access_key: SECRET.to_owned(),
            session_token: TOKEN.to_owned(),
            expires: "2015-08-30T13:00:00Z".parse().unwrap(),
        };
        let caller = Caller {
            account: String::new(),
            role: String::new(),
            session_name: String::new(),
            arn: String::new(),
            user_id: String::new(),
            is_chained: false,
            source_identity: None,
            transitive_keys: Vec::new(),
        };
        let request = self.request();
        Authorization::parse(&request, service)
            .and_then(|signed| verify(&request, &signed, Some((credentials, caller)), now.parse().unwrap()))
            .map(drop)
            .unwrap_err()
    }
}

/// `post-sts-header-before`: a POST with temporary credentials.
fn sts_case() -> Case {
    Case::new("POST", "", "", &[("x-amz-security-token", TOKEN)])
        .signed("host;x-amz-date;x-amz-security-token", STS_SIGNATURE)
}

#[test]
fn the_published_signatures_verify_with_the_published_secret() {
    let query = Case::new("GET", "Param2=value2&Param1=value1", "", &[])
        .signed("host;x-amz-date", "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500");
    let form = Case::new(
        "POST",
        "",
        "Param1=value1",
        &[
            ("content-type", "application/x-www-form-urlencoded"),
            ("content-length", "13"),
            ("x-amz-content-sha256", "9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e"),
        ],
    )
    .signed(
        "content-length;content-type;host;x-amz-content-sha256;x-amz-date",
        "d3875051da38690788ef43de4db0d8f280229d82040bfac253562e56c3f20e0b",
    );
    for case in [query, form, sts_case()] {
        assert!(case.is_by(SECRET), "{} {}", case.method, case.query);
        assert!(!case.is_by("another secret"));
    }
}

#[test]
fn a_change_to_anything_signed_breaks_the_signature() {
    let mut other_body = sts_case();
    other_body.body = "Action=GetCallerIdentity";
    let mut other_query = sts_case();
    other_query.query = "a=b";
    let mut other_host = sts_case();
    other_host.set("host", "sts.amazonaws.com");
    for case in [other_body, other_query, other_host] {
        assert!(!case.is_by(SECRET));
    }
}

#[test]
fn errors_of_signed_requests_have_awss_messages() {
    use AwsErrorCode::*;
    let in_time = "2015-08-30T12:40:00Z";
    let mut other_token = sts_case();
    other_token.set("x-amz-security-token", "AQoDYXdz");
    let mut no_token = sts_case();
    no_token.headers.remove("x-amz-security-token");
    let mut unsigned = sts_case();
    unsigned.headers.remove("authorization");
    let mut old_scheme = sts_case();
    old_scheme.set("authorization", "AWS AKIDEXAMPLE:c2lnbmF0dXJl");
    let mut odd_region = sts_case();
    let header = odd_region.headers["authorization"].to_str().unwrap().replace("us-east-1", "nowhere");
    odd_region.set("authorization", &header);
    let mut other_day = sts_case();
    other_day.set("x-amz-date", "20150831T123600Z");
    let mut wrong = sts_case();
    let header = wrong.headers["authorization"].to_str().unwrap().replace("85d968", "85d969");
    wrong.set("authorization", &header);

    let cases = [
        (
            sts_case().error("service", "2015-08-30T12:52:00Z"),
            SignatureDoesNotMatch,
            "Signature expired: 20150830T123600Z is now earlier than 20150830T123700Z (20150830T125200Z - 15 min.)",
        ),
        (
            sts_case().error("service", "2015-08-30T12:20:00Z"),
            SignatureDoesNotMatch,
            "Signature not yet current: 20150830T123600Z is still later than 20150830T123500Z (20150830T122000Z + 15 min.)",
        ),
        (
            sts_case().error("sts", in_time),
            SignatureDoesNotMatch,
            "Credential should be scoped to correct service: 'sts'. ",
        ),
        (
            odd_region.error("service", in_time),
            SignatureDoesNotMatch,
            "Credential should be scoped to a valid region, not 'nowhere'. ",
        ),
        (
            other_day.error("service", in_time),
            SignatureDoesNotMatch,
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP.",
        ),
        (
            other_token.error("service", in_time),
            InvalidClientTokenId,
            "The security token included in the request is invalid.",
        ),
        (
            no_token.error("service", in_time),
            InvalidClientTokenId,
            "The security token included in the request is invalid.",
        ),
        (
            unsigned.error("service", in_time),
            MissingAuthenticationToken,
            "Request is missing Authentication Token",
        ),
        (old_scheme.error("service", in_time), IncompleteSignature, "Unsupported algorithm."),
    ];
    for (error, code, message) in cases {
        assert_eq!(error, AwsError::new(code, message));
    }
    assert_eq!(wrong.error("service", in_time).code, SignatureDoesNotMatch);
}
