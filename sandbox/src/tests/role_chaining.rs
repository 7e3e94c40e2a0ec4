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
async fn a_chained_session_is_not_longer_than_an_hour() {
    let (sandbox, developer, _) = signed_in().await;
    let browser = Browser::new(&sandbox);
    let now = sandbox.clock().now();
    let long = call(&[("ExternalId", "corp"), ("DurationSeconds", "3601")]);
    let refused = signed(&browser, &developer, now, &long).await;
    assert_eq!(refused.aws_error(), (400, "ValidationError".to_owned()));
}
