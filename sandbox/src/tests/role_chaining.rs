//! `AssumeRole` with the credentials of another role.

use serde_json::json;

use super::signing::{Keys, caller_identity, signed};
use super::{ALICE, Browser, DEVELOPER, READONLY};
use crate::{Config, Role, Sandbox};

const TARGET: &str = "arn:aws:iam::222222222222:role/target";

/// A sandbox with a role that the developer may assume with an external id, and the developer's keys.
async fn signed_in() -> (Sandbox, Keys, Keys) {
    let trust_policy = json!({ "Statement": [{
        "Effect": "Allow",
        "Principal": { "AWS": DEVELOPER },
        "Action": ["sts:AssumeRole", "sts:SetSourceIdentity"],
        "Condition": { "StringEquals": { "sts:ExternalId": "corp" } },
    }] });
    let mut config = Config::default();
    config.sts.roles.push(Role::new(TARGET, &trust_policy.to_string()));
    let sandbox = Sandbox::start(config).await.unwrap();
    let browser = Browser::new(&sandbox);
    let tokens = browser.tokens(ALICE).await;
    let developer = Keys::of(&browser.assume(DEVELOPER, tokens.id_token(), &[]).await);
    let readonly = Keys::of(&browser.assume(READONLY, tokens.id_token(), &[]).await);
    (sandbox, developer, readonly)
}

fn call(parameters: &[(&str, &str)]) -> String {
    let mut call = url::form_urlencoded::Serializer::new(String::new());
    call.append_pair("Action", "AssumeRole").append_pair("Version", "2011-06-15");
    call.append_pair("RoleArn", TARGET).append_pair("RoleSessionName", "alice@example.com");
    call.extend_pairs(parameters).finish()
}

#[tokio::test]
async fn a_role_is_assumed_by_a_role_that_its_trust_policy_names() {
    let (sandbox, developer, readonly) = signed_in().await;
    let browser = Browser::new(&sandbox);
    let now = sandbox.clock().now();
    let right = [("ExternalId", "corp"), ("SourceIdentity", "alice@example.com")];
    let assumed = signed(&browser, &developer, now, &call(&right)).await;
    assert_eq!(assumed.element("SourceIdentity"), "alice@example.com");
    let caller = caller_identity(&browser, &Keys::of(&assumed), now).await;
    assert_eq!(caller.element("Arn"), "arn:aws:sts::222222222222:assumed-role/target/alice@example.com");

    let denied = (403, "AccessDenied".to_owned());
    let tagged = [("ExternalId", "corp"), ("Tags.member.1.Key", "team"), ("Tags.member.1.Value", "data")];
    for (keys, parameters) in [
        (&readonly, &right[..]),
        (&developer, &[]),
        (&developer, &[("ExternalId", "other")]),
        (&developer, &tagged),
    ] {
        assert_eq!(
            signed(&browser, keys, now, &call(parameters)).await.aws_error(),
            denied,
            "{parameters:?}"
        );
    }
}

#[tokio::test]
async fn every_limit_of_a_chained_request_has_awss_answer() {
    let (sandbox, developer, _) = signed_in().await;
    sandbox.change(|config| config.sts.roles.last_mut().unwrap().max_session_duration = 43_200);
    let browser = Browser::new(&sandbox);
    let now = sandbox.clock().now();
    let long = "x".repeat(2_049);
    let tag = [("Tags.member.1.Key", "team"), ("Tags.member.1.Value", "data")];
    let with_tag = |more: &[(&'static str, &'static str)]| [&tag, more].concat();
    for (parameters, code, message) in [
        (vec![("DurationSeconds", "899")], "ValidationError", "greater than or equal to 900"),
        (vec![("DurationSeconds", "43201")], "ValidationError", "less than or equal to 43200"),
        (
            vec![("DurationSeconds", "3601")],
            "ValidationError",
            "1 hour session limit for roles assumed by role chaining.",
        ),
        (vec![("DurationSeconds", "1h")], "MalformedInput", ""),
        (vec![("Policy", long.as_str())], "ValidationError", "length less than or equal to 2048"),
        (vec![("Policy", "{")], "MalformedPolicyDocument", ""),
        (vec![("ExternalId", "a b")], "ValidationError", r"pattern: [\w+=,.@:\/-]*"),
        (vec![("SourceIdentity", "a")], "ValidationError", "length greater than or equal to 2"),
        (
            vec![("TransitiveTagKeys.member.1", "team")],
            "InvalidParameterValue",
            "must be included in the requested tags",
        ),
        (
            with_tag(&[("TransitiveTagKeys.member.1", "cost")]),
            "InvalidParameterValue",
            "must be included in the requested tags",
        ),
        (
            with_tag(&[("Tags.member.2.Key", "Team"), ("Tags.member.2.Value", "x")]),
            "InvalidParameterValue",
            "Duplicate tag keys",
        ),
        (
            vec![("Tags.member.1.Key", long.as_str()), ("Tags.member.1.Value", "x")],
            "ValidationError",
            "'tags.1.member.key'",
        ),
    ] {
        let right = [("ExternalId", "corp")];
        let rest = right.iter().filter(|(name, _)| parameters.iter().all(|(other, _)| other != name));
        let all: Vec<_> = parameters.iter().chain(rest).copied().collect();
        let refused = signed(&browser, &developer, now, &call(&all)).await;
        assert_eq!(refused.aws_error(), (400, code.to_owned()), "{parameters:?}");
        assert!(refused.element("Message").contains(message), "{}", refused.element("Message"));
    }
    // The role's own limit comes first.
    sandbox.change(|config| config.sts.roles.last_mut().unwrap().max_session_duration = 3_600);
    let call = call(&[("ExternalId", "corp"), ("DurationSeconds", "3601")]);
    let refused = signed(&browser, &developer, now, &call).await;
    assert!(refused.element("Message").contains("MaxSessionDuration"), "{}", refused.element("Message"));
}

#[tokio::test]
async fn a_chain_keeps_its_source_identity_and_its_transitive_tags() {
    let trust = |principal: &str| {
        json!({ "Statement": [{
            "Effect": "Allow",
            "Principal": { "AWS": principal },
            "Action": ["sts:AssumeRole", "sts:SetSourceIdentity", "sts:TagSession"],
        }] })
        .to_string()
    };
    let far = "arn:aws:iam::222222222222:role/far";
    let mut config = Config::default();
    config.sts.roles.extend([Role::new(TARGET, &trust(DEVELOPER)), Role::new(far, &trust(TARGET))]);
    let sandbox = Sandbox::start(config).await.unwrap();
    let browser = Browser::new(&sandbox);
    let tokens = browser.tokens(ALICE).await;
    let developer = Keys::of(&browser.assume(DEVELOPER, tokens.id_token(), &[]).await);
    let now = sandbox.clock().now();
    let plain = signed(&browser, &developer, now, &call(&[])).await;
    assert!(!plain.body.contains("PackedPolicySize"), "{}", plain.body);
    let first = signed(
        &browser,
        &developer,
        now,
        &call(&[
            ("SourceIdentity", "alice"),
            ("Tags.member.1.Key", "Team"),
            ("Tags.member.1.Value", "data"),
            ("TransitiveTagKeys.member.1", "team"),
        ]),
    )
    .await;
    assert!(!first.element("PackedPolicySize").is_empty(), "{}", first.body);
    let target = Keys::of(&first);
    let far_call = |parameters: &[(&str, &str)]| call(parameters).replace("role%2Ftarget", "role%2Ffar");
    let second = signed(&browser, &target, now, &far_call(&[])).await;
    assert_eq!(second.element("SourceIdentity"), "alice");
    for (parameters, code) in [
        (vec![("SourceIdentity", "bob")], "ValidationError"),
        (vec![("Tags.member.1.Key", "TEAM"), ("Tags.member.1.Value", "other")], "InvalidParameterValue"),
    ] {
        let refused = signed(&browser, &target, now, &far_call(&parameters)).await;
        assert_eq!(refused.aws_error(), (400, code.to_owned()), "{parameters:?}");
    }
}
