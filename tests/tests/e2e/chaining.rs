//! Roles that are assumed through other roles.

use anyhow::Result;
use chrono::{DateTime, TimeDelta, Utc};
use rolecall_sandbox::{CallKind, Config, Role};
use rolecall_tests::{Kind, Scene, Sdk, entries};
use serde_json::{Value, json};

use crate::{DEVELOPER, ROLES, on_any_port};

crate::stories![
    a_chain_of_roles_leads_to_the_console_and_to_credentials,
    a_chained_role_is_signed_in_to_without_the_extension,
    a_chained_role_with_a_wrong_external_id_is_refused_with_both_roles_named,
];

const HUB: &str = "arn:aws:iam::111111111111:role/developer";
const BETWEEN: &str = "arn:aws:iam::222222222222:role/between";
const TARGET: &str = "arn:aws:iam::222222222222:role/target";
const TARGET_NAME: &str = "example-prod / target";

/// A role that another one may assume.
fn chained(arn: &str, source: &str, actions: &[&str], external_id: &str) -> Role {
    let trust_policy = json!({ "Statement": [{
        "Effect": "Allow",
        "Principal": { "AWS": source },
        "Action": actions,
        "Condition": { "StringEquals": { "sts:ExternalId": external_id } },
    }] });
    let settings = [("source_role", source), ("external_id", external_id)];
    let settings = settings.map(|(key, value)| (key.to_owned(), value.into()));
    let settings = toml::Table::from_iter(settings);
    Role { settings, region: Some("eu-west-1".to_owned()), ..Role::new(arn, &trust_policy.to_string()) }
}

/// A sandbox in which the developer may assume a role, and that one another.
fn config() -> Config {
    let mut config = Config::default();
    for client in &mut config.provider.clients {
        client.redirect_uris.push("http://localhost:*/redirect_uri".to_owned());
    }
    config.sts.roles.push(chained(BETWEEN, HUB, &["sts:AssumeRole"], "corp"));
    let actions = ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"];
    let mut target = chained(TARGET, BETWEEN, &actions, "corp/target");
    target.settings.insert("source_identity".to_owned(), true.into());
    let tags = toml::Table::from_iter([("cost center".to_owned(), "7".into())]);
    target.settings.insert("session_tags".to_owned(), tags.into());
    config.sts.roles.push(target);
    config
}

fn role_names() -> Vec<&'static str> {
    let mut names = Vec::from(ROLES);
    names.extend(["example-prod / between", TARGET_NAME]);
    names.sort_unstable();
    names
}

async fn a_chain_of_roles_leads_to_the_console_and_to_credentials(kind: Kind) -> Result<()> {
    let scene = Scene::installed_with(kind, config()).await?;
    let browser = scene.browser().await?;
    let popup = browser.popup().await?;
    popup.lists(&role_names()).await?;
    popup.select(TARGET_NAME).await?;
    popup.press("Open console").await?;
    browser.sign_in_window().await?.choose("Alice Adams").await?;
    let console = browser.console().await?;
    assert!(console.contains("Signed in as target"), "{console}");
    assert_eq!(scene.sandbox.count(CallKind::AssumeRole), 1);
    assert_eq!(scene.sandbox.count(CallKind::AssumeRoleWithRole), 2);

    popup.enter().await?;
    popup.press("Write profile").await?;
    popup.status("Wrote the profile example-prod-target").await?;
    let identity =
        scene.terminal().rolecall(["whoami", "--profile", "example-prod-target"]).await?.succeeded()?;
    assert!(identity.contains("assumed-role/target/alice@example.com"), "{identity}");
    // Tools get them as well: under `exec`, and by the command of the profile.
    let exec = ["exec", TARGET, "--"].map(Into::into);
    let mut boto3 = scene.terminal().start_rolecall(exec.into_iter().chain(Sdk::Boto3.caller(&scene)?))?;
    assert_eq!(
        boto3.ask("Who are you?").await?,
        "arn:aws:sts::222222222222:assumed-role/target/alice@example.com"
    );
    boto3.finish().await?.succeeded()?;
    let process = ["credential-process", "--profile", "example-prod-target", "--role-arn", TARGET];
    let answer: Value = serde_json::from_str(&scene.terminal().rolecall(process).await?.succeeded()?)?;
    assert_eq!((&answer["Version"], &answer["AccountId"]), (&1.into(), &"222222222222".into()));
    let expiration: DateTime<Utc> = answer["Expiration"].as_str().unwrap_or_default().parse()?;
    assert!(expiration - scene.sandbox.clock().now() <= TimeDelta::hours(1), "AWS's limit: {expiration}");
    // The terminal got what the console had made.
    assert_eq!(scene.sandbox.count(CallKind::AssumeRoleWithRole), 2);
    // The sources are roles as well, and are held.
    scene.terminal().rolecall(["env", HUB]).await?.succeeded()?;
    assert_eq!(scene.sandbox.count(CallKind::AssumeRole), 1);
    Ok(())
}

async fn a_chained_role_is_signed_in_to_without_the_extension(kind: Kind) -> Result<()> {
    let scene = Scene::bare(kind, config()).await?;
    scene.write_settings(on_any_port)?;
    let browser = scene.browser().await?;
    let login = scene.terminal().start_rolecall(["login", TARGET, "--method", "loopback"])?;
    browser.driver().goto(scene.opened().await?).await?;
    browser.sign_in_window().await?.answer("Alice Adams").await?;
    let login = login.finish().await?;
    assert!(login.stderr.contains("example-prod / target"), "{login:?}");
    login.succeeded()?;
    assert_eq!(scene.sandbox.count(CallKind::AssumeRoleWithRole), 2);
    Ok(())
}

async fn a_chained_role_with_a_wrong_external_id_is_refused_with_both_roles_named(kind: Kind) -> Result<()> {
    let scene = Scene::installed_with(kind, config()).await?;
    scene.write_settings(|settings| {
        for role in entries(settings, "role").filter(|role| role["arn"].as_str() == Some(TARGET)) {
            role.insert("external_id".into(), "guessed".into());
            role.insert("duration".into(), 7200.into());
        }
    })?;
    let browser = scene.browser().await?;
    let popup = browser.popup().await?;
    popup.lists(&role_names()).await?;
    // AWS's limit is told before it matters.
    popup.says("1 problem with the settings").await?;
    popup.select(TARGET_NAME).await?;
    popup.press("Sign in").await?;
    browser.sign_in_window().await?.choose("Alice Adams").await?;
    let alert = popup.alert("sts-chain-denied").await?;
    assert!(alert.contains("does not let the role between assume the role target"), "{alert}");
    assert!(alert.contains("external_id"), "{alert}");
    // The role before it is fine.
    popup.select(DEVELOPER).await?;
    popup.press("Sign in").await?;
    popup.status(&format!("Signed in to {DEVELOPER}.")).await?;
    Ok(())
}
