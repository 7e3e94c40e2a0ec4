//! The STS: AWS's refusals, limits, and the S3-compatible dialect.

use chrono::TimeDelta;
use serde_json::json;

use super::signing::{Keys, caller_identity};
use super::{ADMIN, ALICE, BOB, Browser, DEVELOPER, READONLY, signed_in};
use crate::{AwsErrorCode, CallKind, Dialect, Failure};

#[tokio::test]
async fn a_role_that_refuses_and_one_that_does_not_exist_look_the_same() {
    let (sandbox, tokens) = signed_in(BOB).await;
    let browser = Browser::new(&sandbox);
    for role in
        [ADMIN, "arn:aws:iam::222222222222:role/break-glass", "arn:aws:iam::222222222222:role/unheard-of"]
    {
        let answer = browser.assume(role, tokens.id_token(), &[]).await;
        assert_eq!(answer.aws_error(), (403, "AccessDenied".to_owned()), "{role}");
        assert_eq!(answer.element("Message"), "Not authorized to perform sts:AssumeRoleWithWebIdentity");
        assert_eq!(answer.element("Type"), "Sender");
        assert!(
            answer.body.starts_with("<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">")
        );
        assert_eq!(answer.header("x-amzn-requestid").unwrap(), answer.element("RequestId"));
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    }
    let alice = Browser::new(&sandbox).tokens(ALICE).await;
    assert_eq!(browser.assume(ADMIN, alice.id_token(), &[]).await.status, 200);
}

#[tokio::test]
async fn a_session_longer_than_the_role_allows_is_refused_with_awss_message() {
    let (sandbox, tokens) = signed_in(ALICE).await;
    let browser = Browser::new(&sandbox);
    let answer = browser.assume(READONLY, tokens.id_token(), &[("DurationSeconds", "43200")]).await;
    assert_eq!(answer.aws_error(), (400, "ValidationError".to_owned()));
    assert_eq!(
        answer.element("Message"),
        "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
    );
    sandbox.clock().freeze("2026-01-02T03:04:05Z".parse().unwrap());
    let tokens = browser.tokens(ALICE).await;
    let answer = browser.assume(READONLY, tokens.id_token(), &[("DurationSeconds", "3600")]).await;
    assert_eq!(answer.element("Expiration"), "2026-01-02T04:04:05Z");
    assert_eq!(answer.header("date"), Some("Fri, 02 Jan 2026 03:04:05 GMT"));
}

#[tokio::test]
async fn malformed_requests_are_refused_as_aws_refuses_them() {
    let (sandbox, tokens) = signed_in(ALICE).await;
    let browser = Browser::new(&sandbox);
    let long = "p".repeat(2049);
    let cases = [
        (("Action", ""), "MissingAction", "The request must contain the parameter Action"),
        (
            ("Action", "AssumeRoleWithSAML"),
            "InvalidAction",
            "Could not find operation AssumeRoleWithSAML for version 2011-06-15",
        ),
        (
            ("Version", ""),
            "InvalidAction",
            "Could not find operation AssumeRoleWithWebIdentity for version NO_VERSION_SPECIFIED",
        ),
        (("RoleArn", "arn:aws:s3:::bucket-of-mine"), "ValidationError", "Request ARN is invalid"),
        (
            ("RoleArn", "arn:aws:iam::333333333333:role/there"),
            "InvalidIdentityToken",
            "The web identity token provided could not be validated. See the AssumeRoleWithWebIdentity documentation \
             for requirements.",
        ),
        (
            ("WebIdentityToken", "opaque-access-token"),
            "InvalidIdentityToken",
            "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)",
        ),
        (("DurationSeconds", "9e2"), "MalformedInput", "The request is malformed."),
        (("DurationSeconds", " 900"), "MalformedInput", "The request is malformed."),
        (("Policy", "{"), "MalformedPolicyDocument", "The policy is not in the valid JSON format."),
        (
            ("Policy", long.as_str()),
            "ValidationError",
            "1 validation error detected: Value at 'policy' failed to satisfy constraint: Member must have length less than or equal to 2048",
        ),
    ];
    for (change, code, message) in cases {
        let answer = browser.assume(READONLY, tokens.id_token(), &[change]).await;
        assert_eq!(answer.aws_error(), (400, code.to_owned()), "{change:?}");
        assert_eq!(answer.element("Message"), message.replace("ISSUER", &sandbox.issuer()));
    }
    let stray = browser.get(&browser.sts).await;
    assert_eq!((stray.status, stray.header("location")), (302, Some("https://aws.amazon.com/iam")));
    let unsigned = browser.get(&format!("{}?Action=GetCallerIdentity&Version=2011-06-15", browser.sts)).await;
    assert_eq!(unsigned.aws_error(), (403, "MissingAuthenticationToken".to_owned()));
}

#[tokio::test]
async fn a_client_that_accepts_json_gets_json() {
    let (sandbox, _) = signed_in(ALICE).await;
    sandbox.clock().freeze("2026-01-02T03:04:05Z".parse().unwrap());
    let browser = Browser::new(&sandbox);
    let tokens = browser.tokens(ALICE).await;
    let ask = async |accept: &str, role: &str| {
        let form = [
            ("Action", "AssumeRoleWithWebIdentity"),
            ("Version", "2011-06-15"),
            ("RoleArn", role),
            ("RoleSessionName", "alice"),
            ("WebIdentityToken", tokens.id_token()),
        ];
        browser.send(browser.http.post(&browser.sts).header("accept", accept).form(&form)).await
    };
    for accept in ["application/json", "text/html, application/json;q=0.9"] {
        let answer = ask(accept, READONLY).await;
        assert_eq!(answer.header("content-type"), Some("application/json"));
        let result = &answer.json()["AssumeRoleWithWebIdentityResponse"]["AssumeRoleWithWebIdentityResult"];
        assert_eq!(result["Credentials"]["Expiration"], 1_767_326_645);
        assert_eq!(result["PackedPolicySize"], 29);
        let refused = ask(accept, "arn:aws:iam::222222222222:role/unheard-of").await;
        let refusal = refused.json();
        assert_eq!((refused.status, &refusal["Error"]["Code"]), (403, &json!("AccessDenied")));
        assert_eq!(refusal["Error"]["Type"], "Sender");
        assert_eq!(refused.header("x-amzn-requestid"), refusal["RequestId"].as_str());
        sandbox.fail_next(CallKind::AssumeRole, 1, &Failure::Aws(AwsErrorCode::Throttling.into()));
        let throttled = ask(accept, READONLY).await;
        assert_eq!((throttled.status, &throttled.json()["Error"]["Code"]), (400, &json!("Throttling")));
    }
    for accept in ["*/*", "application/xml", "text/xml"] {
        let answer = ask(accept, READONLY).await;
        assert_eq!(answer.header("content-type"), Some("text/xml"));
        assert_eq!(answer.element("Expiration"), "2026-01-02T04:04:05Z");
    }
}

#[tokio::test]
async fn an_expired_token_is_refused() {
    let (sandbox, tokens) = signed_in(ALICE).await;
    let browser = Browser::new(&sandbox);
    sandbox.clock().advance(TimeDelta::minutes(64));
    assert_eq!(browser.assume(READONLY, tokens.id_token(), &[]).await.status, 200, "300 s late is in time");
    sandbox.clock().advance(TimeDelta::minutes(65));
    let answer = browser.assume(READONLY, tokens.id_token(), &[]).await;
    assert_eq!(answer.aws_error(), (400, "ExpiredTokenException".to_owned()));
    assert!(answer.element("Message").starts_with("Token expired: current date/time "));
}

#[tokio::test]
async fn too_many_groups_or_tags_exceed_the_packed_size() {
    let (sandbox, _) = signed_in(ALICE).await;
    let groups =
        |count: usize| (0..count).map(|at| format!("group-{at}")).chain(["dev".to_owned()]).collect();
    let assume = async |amr: Vec<String>, tags: Option<serde_json::Value>| {
        sandbox.change(|config| {
            let alice = &mut config.provider.users[0];
            alice.amr = amr;
            alice.claims.clear();
            alice.claims.extend(tags.map(|tags| ("https://aws.amazon.com/tags".to_owned(), tags)));
        });
        let browser = Browser::new(&sandbox);
        let tokens = browser.tokens(ALICE).await;
        browser.assume(DEVELOPER, tokens.id_token(), &[]).await
    };
    let fits = assume(groups(29), None).await;
    assert_eq!((fits.status, fits.element("PackedPolicySize")), (200, "100".to_owned()));
    assert_eq!(assume(groups(30), None).await.aws_error(), (400, "PackedPolicyTooLarge".to_owned()));
    let tags = json!({ "principal_tags": { "team": ["x".repeat(5000)] } });
    assert_eq!(assume(groups(0), Some(tags)).await.aws_error(), (400, "PackedPolicyTooLarge".to_owned()));
}

#[tokio::test]
async fn session_tags_need_a_policy_that_allows_tagging() {
    let (sandbox, _) = signed_in(ALICE).await;
    sandbox.change(|config| {
        let tags = json!({ "principal_tags": { "team": ["blue"] } });
        config.provider.users[0].claims.insert("https://aws.amazon.com/tags".to_owned(), tags);
    });
    let browser = Browser::new(&sandbox);
    let tokens = browser.tokens(ALICE).await;
    assert_eq!(browser.assume(DEVELOPER, tokens.id_token(), &[]).await.status, 200);
    sandbox.change(|config| {
        let role = &mut config.sts.roles[0];
        role.trust_policy = role.trust_policy.replace("sts:TagSession", "sts:SetSourceIdentity");
    });
    let denied = browser.assume(DEVELOPER, tokens.id_token(), &[]).await;
    assert_eq!(denied.element("Message"), "Not authorized to perform sts:TagSession");
}

#[tokio::test]
async fn without_the_providers_keys_no_token_is_accepted() {
    let (sandbox, tokens) = signed_in(ALICE).await;
    let browser = Browser::new(&sandbox);
    sandbox.fail_all(CallKind::Jwks, Failure::status(503, ""));
    let answer = browser.assume(READONLY, tokens.id_token(), &[]).await;
    assert_eq!(answer.aws_error(), (400, "InvalidIdentityToken".to_owned()));
    assert!(answer.element("Message").starts_with("Couldn't retrieve verification key"));
    sandbox.heal(CallKind::Jwks);
    assert_eq!(browser.assume(READONLY, tokens.id_token(), &[]).await.status, 200);
}

#[tokio::test]
async fn a_caller_is_identified_by_its_signature_until_the_credentials_expire() {
    let (sandbox, tokens) = signed_in(ALICE).await;
    let browser = Browser::new(&sandbox);
    let keys = Keys::of(&browser.assume(READONLY, tokens.id_token(), &[]).await);
    let now = || sandbox.clock().now();
    let forged = Keys { id: keys.id.clone(), secret: "guessed".to_owned(), token: keys.token.clone() };
    let unknown = Keys {
        id: "ASIAAAAAAAAAAAAAAAAA".to_owned(),
        ..Keys::of(&browser.assume(READONLY, tokens.id_token(), &[]).await)
    };
    assert_eq!(caller_identity(&browser, &keys, now()).await.status, 200);
    let cases = [
        (&forged, now(), AwsErrorCode::SignatureDoesNotMatch),
        (&unknown, now(), AwsErrorCode::InvalidClientTokenId),
        (&keys, now() - TimeDelta::minutes(16), AwsErrorCode::SignatureDoesNotMatch),
    ];
    for (keys, time, code) in cases {
        assert_eq!(caller_identity(&browser, keys, time).await.aws_error(), (403, code.as_str().to_owned()));
    }
    sandbox.clock().advance(TimeDelta::hours(1));
    let late = caller_identity(&browser, &keys, now()).await;
    assert_eq!(late.aws_error(), (403, "ExpiredToken".to_owned()));
    let last = sandbox.calls_of(CallKind::CallerIdentity).pop().unwrap();
    assert_eq!(last.error.as_deref(), Some("ExpiredToken"));
}

#[tokio::test]
async fn the_s3_dialect_differs_as_such_stores_do() {
    let (sandbox, tokens) = signed_in(ALICE).await;
    sandbox.change(|config| config.sts.dialect = Dialect::S3Compatible);
    let browser = Browser::new(&sandbox);
    let answer = browser.assume(READONLY, tokens.id_token(), &[]).await;
    assert!(answer.body.starts_with("<AssumeRoleWithWebIdentityResponse>"), "{}", answer.body);
    assert!(!answer.body.contains("ResponseMetadata"));
    assert_eq!(answer.header("access-control-allow-origin"), None);
    let keys = Keys::of(&answer);
    assert_eq!((keys.id.len(), keys.secret.len()), (19, 39));
    assert!(answer.element("Expiration").contains('.'), "fractional seconds");

    let refused = browser.assume(READONLY, tokens.id_token(), &[("DurationSeconds", "43200")]).await;
    assert!(refused.body.starts_with("<Error>"));
    assert_eq!(
        (refused.aws_error(), refused.element("Message")),
        ((403, "AccessDenied".to_owned()), String::new())
    );
    let stray = browser.get(&format!("{}?Action=AssumeRoleWithWebIdentity", browser.sts)).await;
    assert!(stray.status == 200 && stray.body.contains("ListAllMyBucketsResult"));
    assert_eq!(caller_identity(&browser, &keys, sandbox.clock().now()).await.status, 405);
}
