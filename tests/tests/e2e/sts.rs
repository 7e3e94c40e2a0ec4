//! Refusals of STS.

use anyhow::Result;
use rolecall_sandbox::{AwsErrorCode, CallKind, Config, Failure};
use rolecall_tests::{Kind, Scene, entries};

use crate::{
    BREAK_GLASS, DEVELOPER, READONLY, asked, nothing_was_issued, nothing_was_written, popup_with_roles,
    refusing_port, sign_in_as_alice, sign_out,
};

crate::stories![
    a_role_that_does_not_trust_the_person_says_whom_to_ask,
    group_names_replaced_by_a_second_factor_are_recognised,
    too_many_groups_are_named_as_the_reason,
    an_unreachable_sts_is_named_and_tried_again_without_a_window,
    a_transient_failure_of_aws_is_retried_once_and_throttling_is_reported,
    a_duration_that_a_role_does_not_allow_is_shortened_and_remembered,
];

async fn a_role_that_does_not_trust_the_person_says_whom_to_ask(kind: Kind) -> Result<()> {
    let scene = Scene::installed(kind).await?;
    let browser = scene.browser().await?;
    let popup = popup_with_roles(&browser).await?;
    popup.select(BREAK_GLASS).await?;
    popup.press("Write profile").await?;
    browser.sign_in_window().await?.choose("Alice Adams").await?;
    let alert = popup.alert("sts-access-denied").await?;
    assert!(alert.contains("Ask your AWS administrator to check the role's trust policy"), "{alert}");
    nothing_was_issued(&scene)?;
    nothing_was_written(&scene)
}

async fn group_names_replaced_by_a_second_factor_are_recognised(kind: Kind) -> Result<()> {
    let mut config = Config::default();
    // The previous tool's rule puts an empty string before the groups, which the provider overwrites.
    config.provider.users[0].amr = vec![String::new(), "mfa".to_owned()];
    let scene = Scene::installed_with(kind, config).await?;
    let browser = scene.browser().await?;
    let popup = popup_with_roles(&browser).await?;
    popup.select(DEVELOPER).await?;
    popup.press("Sign in").await?;
    browser.sign_in_window().await?.choose("Alice Adams").await?;
    popup.alert("sts-groups-replaced").await?;
    nothing_was_issued(&scene)
}

async fn too_many_groups_are_named_as_the_reason(kind: Kind) -> Result<()> {
    let mut config = Config::default();
    config.provider.users[0].amr = (0..40).map(|number| format!("group-{number}")).collect();
    let scene = Scene::installed_with(kind, config).await?;
    let browser = scene.browser().await?;
    let popup = popup_with_roles(&browser).await?;
    popup.select(READONLY).await?;
    popup.press("Sign in").await?;
    browser.sign_in_window().await?.choose("Alice Adams").await?;
    popup.alert("sts-policy-too-large").await?;
    nothing_was_issued(&scene)?;
    nothing_was_written(&scene)
}

async fn an_unreachable_sts_is_named_and_tried_again_without_a_window(kind: Kind) -> Result<()> {
    let scene = Scene::installed(kind).await?;
    let reserved = refusing_port()?;
    let address = reserved.local_addr()?;
    scene.write_settings(|settings| {
        for provider in entries(settings, "provider") {
            provider.insert("sts_endpoint".into(), format!("http://{address}/").into());
        }
    })?;
    let browser = scene.browser().await?;
    let popup = popup_with_roles(&browser).await?;
    popup.select(DEVELOPER).await?;
    popup.press("Write profile").await?;
    browser.sign_in_window().await?.choose("Alice Adams").await?;
    let alert = popup.alert("sts-unreachable").await?;
    assert!(alert.contains(&address.to_string()), "{alert}");
    nothing_was_written(&scene)?;
    popup.press("Sign in").await?;
    popup.alert("sts-unreachable").await?;
    assert_eq!(browser.sign_in_windows().await?, 0);
    assert_eq!(scene.sandbox.count(CallKind::SignIn), 1);
    Ok(())
}

async fn a_transient_failure_of_aws_is_retried_once_and_throttling_is_reported(kind: Kind) -> Result<()> {
    let scene = Scene::installed(kind).await?;
    let browser = scene.browser().await?;
    let popup = popup_with_roles(&browser).await?;
    scene.sandbox.fail_next(
        CallKind::AssumeRole,
        1,
        &Failure::Aws(AwsErrorCode::IdpCommunicationError.into()),
    );
    sign_in_as_alice(&browser, &popup, DEVELOPER).await?;
    assert_eq!(scene.sandbox.count(CallKind::AssumeRole), 2);

    popup.select(READONLY).await?;
    scene.sandbox.fail_all(CallKind::AssumeRole, Failure::Aws(AwsErrorCode::Throttling.into()));
    popup.press("Sign in").await?;
    popup.alert("sts-throttled").await?;
    Ok(())
}

async fn a_duration_that_a_role_does_not_allow_is_shortened_and_remembered(kind: Kind) -> Result<()> {
    let scene = Scene::installed(kind).await?;
    let browser = scene.browser().await?;
    let popup = popup_with_roles(&browser).await?;
    sign_in_as_alice(&browser, &popup, READONLY).await?;
    let left = popup.description(READONLY).await?;
    assert!(left.contains("59 min") || left.contains("1 h"), "{left:?}");
    assert_eq!(asked(&scene, CallKind::AssumeRole, "DurationSeconds"), ["43200", "3600"]);

    sign_out(&popup).await?;
    sign_in_as_alice(&browser, &popup, READONLY).await?;
    assert_eq!(asked(&scene, CallKind::AssumeRole, "DurationSeconds"), ["43200", "3600", "3600"]);
    Ok(())
}
