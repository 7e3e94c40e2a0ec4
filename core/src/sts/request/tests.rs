use std::time::SystemTime;

use aws_credential_types::Credentials as AwsCredentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use futures_test::test as async_test;
use proptest::prelude::*;

use super::*;
use crate::settings::fixture;

fn person() -> Person {
    Person {
        sub: "00u1".to_owned(),
        email: Some("alice@example.com".to_owned()),
        name: None,
        username: None,
        login_hint: None,
    }
}

fn credentials(secret: &str, token: &str) -> Credentials {
    Credentials {
        access_key_id: "ASIAEXAMPLE".into(),
        secret_access_key: secret.into(),
        session_token: token.into(),
        expiration: DateTime::UNIX_EPOCH,
    }
}

/// The header that the maintained signer makes for the same request.
fn by_the_maintained_signer(
    request: &HttpRequest,
    source: &Credentials,
    region: &Region,
    now: DateTime<Utc>,
) -> String {
    let identity = AwsCredentials::new(
        &source.access_key_id,
        source.secret_access_key.expose_secret(),
        Some(source.session_token.expose_secret().to_owned()),
        None,
        "test",
    );
    let identity = identity.into();
    let parameters = v4::SigningParams::builder()
        .identity(&identity)
        .region(region.as_str())
        .name("sts")
        .time(SystemTime::from(now))
        .settings(SigningSettings::default())
        .build()
        .unwrap()
        .into();
    let body = SignableBody::Bytes(request.body.expose_secret());
    let headers = request.headers.iter().copied();
    let signable = SignableRequest::new("POST", request.url.as_str(), headers, body).unwrap();
    let (instructions, _) = sign(signable, &parameters).unwrap().into_parts();
    let mut headers = instructions.headers();
    headers.find(|(name, _)| *name == "authorization").unwrap().1.to_owned()
}

fn header(request: &HttpRequest, name: &str) -> String {
    request.all_headers().find(|(known, _)| *known == name).unwrap().1.to_owned()
}

fn form(request: &HttpRequest) -> Vec<(String, String)> {
    form_urlencoded::parse(request.body.expose_secret()).into_owned().collect()
}

async fn chained(endpoint: &str, role: &Role, source: &Credentials, now: DateTime<Utc>) -> HttpRequest {
    let region = role.region();
    let signed = (&region, now);
    chained_role_request(&endpoint.parse().unwrap(), role, &person(), source, signed).await.unwrap()
}

#[async_test]
async fn a_chained_role_is_asked_for_with_everything_that_the_settings_say() {
    let role = Role {
        duration: Some(Duration::MAX),
        external_id: Some("partner:42".into()),
        session_tags: [("team".to_owned(), "data".to_owned()), ("cost center".to_owned(), "7".to_owned())]
            .into_iter()
            .collect(),
        transitive_tags: vec!["team".to_owned()],
        source_identity: true,
        session_policy: Some("{}".into()),
        ..fixture::role()
    };
    let source = credentials("secret", "token");
    let now = "2030-01-02T03:04:05.678Z".parse().unwrap();
    let request = chained("https://sts.eu-west-1.amazonaws.com/", &role, &source, now).await;
    let expected = [
        ("Action", "AssumeRole"),
        ("Version", "2011-06-15"),
        ("RoleArn", "arn:aws:iam::123456789012:role/example-role"),
        ("RoleSessionName", "alice@example.com"),
        // AWS's limit, although the settings want more.
        ("DurationSeconds", "3600"),
        ("ExternalId", "partner:42"),
        ("Policy", "{}"),
        ("SourceIdentity", "alice@example.com"),
        ("Tags.member.1.Key", "cost center"),
        ("Tags.member.1.Value", "7"),
        ("Tags.member.2.Key", "team"),
        ("Tags.member.2.Value", "data"),
        ("TransitiveTagKeys.member.1", "team"),
    ];
    assert_eq!(form(&request), expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    assert_eq!(header(&request, "x-amz-date"), "20300102T030405Z");
    assert_eq!(header(&request, "x-amz-security-token"), "token");
    assert!(!format!("{request:?}").contains("\"token\""), "the session token is not printed");
}

#[async_test]
async fn what_the_settings_do_not_say_is_not_sent() {
    let now = DateTime::UNIX_EPOCH;
    let request =
        chained("https://sts.eu-west-1.amazonaws.com/", &fixture::role(), &credentials("s", "t"), now).await;
    let names: Vec<_> = form(&request).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["Action", "Version", "RoleArn", "RoleSessionName", "DurationSeconds"]);
}

proptest! {
    #[test]
    fn requests_are_signed_as_the_maintained_signer_signs_them(
        secret in "[A-Za-z0-9/+=]{1,60}",
        token in "[A-Za-z0-9/+=]{1,400}",
        host in prop::sample::select(vec!["sts.eu-west-1.amazonaws.com", "127.0.0.1:8080", "sts.example:8443"]),
        policy in prop::option::of("\\{[ -~]{0,200}\\}"),
        seconds in 0_i64..4_000_000_000,
    ) {
        let role = Role { session_policy: policy, ..fixture::role() };
        let source = credentials(&secret, &token);
        let now = DateTime::from_timestamp(seconds, 0).unwrap();
        let request = futures_executor::block_on(chained(&format!("https://{host}/"), &role, &source, now));
        let expected = by_the_maintained_signer(&request, &source, &role.region(), now);
        prop_assert_eq!(header(&request, "authorization"), expected);
    }
}
