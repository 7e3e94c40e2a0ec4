//! Third-party programs use the credentials: AWS's SDKs for Python, JavaScript and Rust, each with its default chain.
//!
//! They only use files, processes and addresses, so testing them with one browser is enough.

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use chrono::{DateTime, TimeDelta, Utc};
use rolecall_sandbox::{CallKind, Config};
use rolecall_tests::{Fixtures, Kind, Program, Scene, Sdk, TIMEOUT, Terminal, entries, until};
use serde_json::{Map, Value};

use crate::{DEVELOPER, browser_in_the_background, popup_with_roles, sign_in_as_alice};

crate::stories![
    every_sdk_assumes_the_role_through_the_written_profile only in Chromium because "no SDK uses the browser",
    every_sdk_reads_a_role_that_is_served_and_its_renewed_credentials
        only in Chromium because "no SDK uses the browser",
    a_command_is_the_role_whatever_the_files_and_the_environment_say
        only in Chromium because "no SDK uses the browser",
    a_command_that_outlives_its_first_credentials_goes_on_with_new_ones
        only in Chromium because "no SDK uses the browser",
];

/// Starts each SDK's program in a terminal.
fn callers(scene: &Scene, terminal: &Terminal) -> Result<Vec<Program>> {
    Sdk::ALL.iter().map(|sdk| terminal.start(&sdk.caller(scene)?)).collect()
}

/// Asks each program once for its identity, and ends it.
async fn all_are_alice(programs: Vec<Program>) -> Result<()> {
    let asked = programs.into_iter().map(async |mut program| {
        is_alice(&mut program).await?;
        program.finish().await?.succeeded()
    });
    futures_util::future::try_join_all(asked).await.map(drop)
}

async fn is_alice(program: &mut Program) -> Result<()> {
    let arn = program.ask("Who are you?").await?;
    ensure!(arn == "arn:aws:sts::111111111111:assumed-role/developer/alice@example.com", "it is {arn}");
    Ok(())
}

async fn every_sdk_assumes_the_role_through_the_written_profile(kind: Kind) -> Result<()> {
    let scene = Scene::installed(kind).await?;
    let browser = scene.browser().await?;
    let popup = popup_with_roles(&browser).await?;
    sign_in_as_alice(&browser, &popup, DEVELOPER).await?;
    popup.press("Write profile").await?;
    popup.status("Wrote the profile example-dev-developer").await?;

    let terminal = scene.terminal().with("AWS_PROFILE", "example-dev-developer");
    all_are_alice(callers(&scene, &terminal)?).await?;
    assert_eq!(scene.sandbox.count(CallKind::AssumeRole), 1);
    Ok(())
}

async fn every_sdk_reads_a_role_that_is_served_and_its_renewed_credentials(kind: Kind) -> Result<()> {
    let scene = with_hourly_roles(kind).await?;
    let browser = browser_in_the_background(&scene).await?;
    let behind = AwsBehind::of(&scene);
    write_others_credentials(&scene)?;
    let mut serve = scene.terminal().start_rolecall(["serve", "developer", "--shell", "json"])?;
    browser.sign_in_window().await?.choose("Alice Adams").await?;
    let printed: Map<String, Value> = serde_json::from_str(&serve.next().await?)?;
    let end = behind.catches_up();

    // A container gets the token as a file.
    let mut terminal = scene.terminal();
    for (name, value) in &printed {
        let value = value.as_str().context("a variable without a text")?;
        terminal = if name == "AWS_CONTAINER_AUTHORIZATION_TOKEN" {
            terminal.with("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", scene.file("token", value)?)
        } else {
            terminal.with(name, value)
        };
    }
    outlive(&scene, end, callers(&scene, &terminal)?).await?;
    assert!(serve.interrupt().await?.success());
    Ok(())
}

async fn a_command_is_the_role_whatever_the_files_and_the_environment_say(kind: Kind) -> Result<()> {
    let scene = Scene::installed(kind).await?;
    let browser = scene.browser().await?;
    let popup = popup_with_roles(&browser).await?;
    sign_in_as_alice(&browser, &popup, DEVELOPER).await?;
    write_others_credentials(&scene)?;
    let mut terminal = scene.terminal();
    for (name, value) in [
        ("AWS_ACCESS_KEY_ID", "AKIAOTHER"),
        ("AWS_SECRET_ACCESS_KEY", "other"),
        ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/other"),
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "/nowhere/token"),
        ("AWS_WEB_IDENTITY_TOKEN_FILE", "/nowhere/token"),
        ("AWS_ROLE_ARN", "arn:aws:iam::111111111111:role/other"),
        ("AWS_PROFILE", "other"),
        ("AWS_BEARER_TOKEN_BEDROCK", "other"),
    ] {
        terminal = terminal.with(name, value);
    }
    let exec =
        |command: Vec<OsString>| ["exec", "developer", "--"].map(OsString::from).into_iter().chain(command);
    let callers = Sdk::ALL.iter().map(|sdk| terminal.start_rolecall(exec(sdk.caller(&scene)?)));
    all_are_alice(callers.collect::<Result<_>>()?).await?;

    let command_line = |arguments: &[&str]| -> Result<Vec<OsString>> {
        let program = [Fixtures::python()?.into(), "-m".into(), "awscli".into()];
        Ok(program.into_iter().chain(arguments.iter().map(Into::into)).collect())
    };
    let who = command_line(&["sts", "get-caller-identity", "--output", "text", "--query", "Arn"])?;
    let who = terminal.rolecall(exec(who)).await?.succeeded()?;
    assert_eq!(who.trim(), "arn:aws:sts::111111111111:assumed-role/developer/alice@example.com");
    let other = command_line(&["configure", "get", "aws_access_key_id", "--profile", "other"])?;
    assert_eq!(terminal.rolecall(exec(other)).await?.succeeded()?.trim(), "AKIAOTHER");

    let token = ["sh", "-c", "echo \"${AWS_BEARER_TOKEN_BEDROCK-none}\""].map(OsString::from);
    assert_eq!(terminal.rolecall(exec(token.into())).await?.succeeded()?.trim(), "none");

    let show = ["sh", "-c", "echo \"$AWS_CONFIG_FILE\"; cat \"$AWS_CONFIG_FILE\""].map(OsString::from);
    let shown = terminal.rolecall(exec(show.into())).await?.succeeded()?;
    let (path, config) = shown.split_once('\n').context("no file")?;
    assert!(config.contains("credential_process") && !config.contains("ASIA"), "{config}");
    assert!(!Path::new(path).exists(), "{path} is left");
    Ok(())
}

/// Gives the machine's person credentials of somebody else, as the default, by name, and for every profile that botocore reads.
fn write_others_credentials(scene: &Scene) -> Result<()> {
    let keys = "aws_access_key_id = AKIAOTHER\naws_secret_access_key = other\n";
    let process = "credential_process = echo '{\"Version\":1,\"AccessKeyId\":\"AKIAOTHER\",\"SecretAccessKey\":\"other\"}'";
    fs::create_dir_all(scene.aws_folder())?;
    let for_all = "role_arn = arn:aws:iam::111111111111:role/other\nsource_profile = other\n";
    let config = format!("[DEFAULT]\n{for_all}[default]\n{process}\n[profile other]\n{keys}");
    fs::write(scene.aws_config(), config)?;
    fs::write(scene.aws_folder().join("credentials"), format!("[default]\n{keys}"))?;
    Ok(())
}

async fn a_command_that_outlives_its_first_credentials_goes_on_with_new_ones(kind: Kind) -> Result<()> {
    let scene = with_hourly_roles(kind).await?;
    let browser = browser_in_the_background(&scene).await?;
    let behind = AwsBehind::of(&scene);
    write_others_credentials(&scene)?;
    let exec = ["exec", "developer", "--"].map(Into::into);
    let boto3 = Sdk::Boto3.caller(&scene)?;
    let program = scene.terminal().start_rolecall(exec.into_iter().chain(boto3))?;
    browser.sign_in_window().await?.choose("Alice Adams").await?;
    tokio::time::timeout(TIMEOUT, scene.sandbox.ended(CallKind::AssumeRole, 1)).await?;
    let end = behind.catches_up();
    outlive(&scene, end, vec![program]).await
}

/// A machine whose role sessions last an hour.
async fn with_hourly_roles(kind: Kind) -> Result<Scene> {
    let mut config = Config::default();
    // So that the tokens do not end first.
    config.provider.id_token_lifetime = Duration::from_hours(2);
    let scene = Scene::installed_with(kind, config).await?;
    scene.write_settings(|settings| {
        for role in entries(settings, "role") {
            role.insert("duration".into(), ISSUED_FOR.num_seconds().into());
        }
    })?;
    Ok(scene)
}

/// AWS's clock is behind by nearly the whole lifetime of its credentials.
struct AwsBehind<'scene>(&'scene Scene);

impl<'scene> AwsBehind<'scene> {
    fn of(scene: &'scene Scene) -> Self {
        scene.sandbox.clock().advance(LIFETIME - ISSUED_FOR);
        Self(scene)
    }

    /// Moves the clock forward: the credentials end in a moment, which is returned.
    fn catches_up(self) -> DateTime<Utc> {
        let clock = self.0.sandbox.clock();
        clock.reset();
        clock.now() + LIFETIME
    }
}

/// Lets programs ask continuously, without a failure, until the first credentials have expired.
async fn outlive(scene: &Scene, end: DateTime<Utc>, mut programs: Vec<Program>) -> Result<()> {
    let outlived = until("the first credentials to end", async || {
        for program in &mut programs {
            if let Err(error) = is_alice(program).await {
                return Ok(Some(Err(error)));
            }
        }
        Ok((scene.sandbox.clock().now() > end).then_some(Ok(())))
    });
    outlived.await??;
    all_are_alice(programs).await?;
    assert_eq!(scene.sandbox.count(CallKind::AssumeRole), 2, "one renewal was enough");
    assert_eq!(scene.sandbox.count(CallKind::SignIn), 1, "no one had to sign in again");
    Ok(())
}

/// The duration of roles in these stories.
const ISSUED_FOR: TimeDelta = TimeDelta::hours(1);

/// The remaining lifetime of the first credentials. The SDK for Rust asks again when ten seconds are left, the others
/// much earlier.
const LIFETIME: TimeDelta = TimeDelta::seconds(10);
