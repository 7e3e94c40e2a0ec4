//! This product's requests to STS, compared with those of AWS's own SDKs for the same call, which STS is known to
//! answer. And in the other direction: how each SDK reads this product's responses.

use std::fs;

use anyhow::{Context as _, Result, ensure};
use rolecall_sandbox::Config;
use rolecall_tests::{Kind, Recorded, Recorder, Scene, Sdk, Terminal, entries};
use serde_json::{Map, Value, json};

use crate::terminal::QUESTION;
use crate::{DEVELOPER, browser_in_the_background, on_any_port, popup_with_roles, sign_in_as_alice};

crate::stories![
    the_extension_asks_sts_for_a_role_as_the_sdks_do,
    the_command_line_asks_sts_for_a_role_as_the_sdks_do
        only in Chromium because "the request is the command line's own",
    the_command_line_asks_sts_for_the_caller_identity_as_the_sdks_do
        only in Chromium because "no browser is involved",
    every_sdk_reads_all_of_a_profiles_and_a_served_roles_credentials
        only in Chromium because "no SDK uses the browser",
];

async fn the_extension_asks_sts_for_a_role_as_the_sdks_do(kind: Kind) -> Result<()> {
    let scene = Scene::installed(kind).await?;
    let sts = Recorder::start().await?;
    use_as_sts(&scene, &sts)?;
    let browser = scene.browser().await?;
    let popup = popup_with_roles(&browser).await?;
    sign_in_as_alice(&browser, &popup, DEVELOPER).await?;

    let ours = sts.the_only(ASSUME_ROLE)?;
    for theirs in the_same_of_each_sdk(&scene, &sts, &ours).await? {
        compare(&ours, &theirs.assume_role, &[ANY_CLIENT, FETCH].concat())?;
    }
    Ok(())
}

async fn the_command_line_asks_sts_for_a_role_as_the_sdks_do(kind: Kind) -> Result<()> {
    let mut config = Config::default();
    config.provider.clients[0].redirect_uris.push("http://localhost:*/redirect_uri".to_owned());
    let scene = Scene::bare(kind, config).await?;
    let sts = Recorder::start().await?;
    use_as_sts(&scene, &sts)?;
    let browser = scene.browser().await?;
    let login = scene.terminal().start_rolecall(["login", "developer", "--method", "loopback"])?;
    browser.driver().goto(scene.opened().await?).await?;
    browser.sign_in_window().await?.answer("Alice Adams").await?;
    login.finish().await?.succeeded()?;

    let ours = sts.the_only(ASSUME_ROLE)?;
    for theirs in the_same_of_each_sdk(&scene, &sts, &ours).await? {
        compare(&ours, &theirs.assume_role, ANY_CLIENT)?;
    }
    Ok(())
}

async fn the_command_line_asks_sts_for_the_caller_identity_as_the_sdks_do(kind: Kind) -> Result<()> {
    let scene = Scene::bare(kind, Config::default()).await?;
    let sts = Recorder::start().await?;
    fs::create_dir_all(scene.aws_folder())?;
    fs::write(scene.aws_folder().join("credentials"), KEYS)?;
    let terminal = scene.terminal().with("AWS_ENDPOINT_URL_STS", sts.address());
    terminal.rolecall(["whoami", "--profile", "keys"]).await?.succeeded()?;

    let ours = sts.the_only(CALLER_IDENTITY)?;
    let any_role = json!({
        "RoleArn": "arn:aws:iam::111111111111:role/developer",
        "RoleSessionName": "anybody",
        "WebIdentityToken": "any-token",
    });
    for theirs in calls_of_each_sdk(&scene, &sts, &any_role).await? {
        compare(&ours, &theirs.caller_identity, ANY_CLIENT)?;
        // Signature Version 4: everything that is signed is verified, so the signed headers matter.
        let algorithm = |request: &Recorded| {
            request.headers.get("authorization").and_then(|text| Some(text.split_once(' ')?.0.to_owned()))
        };
        assert_eq!(algorithm(&ours), algorithm(&theirs.caller_identity));
    }
    Ok(())
}

async fn every_sdk_reads_all_of_a_profiles_and_a_served_roles_credentials(kind: Kind) -> Result<()> {
    let scene = Scene::installed(kind).await?;
    let browser = browser_in_the_background(&scene).await?;
    let first = scene.terminal().start_rolecall(QUESTION)?;
    browser.sign_in_window().await?.choose("Alice Adams").await?;
    let document: Map<String, Value> = serde_json::from_str(&first.finish().await?.succeeded()?)?;
    assert_eq!(document.get("Version"), Some(&json!(1)));

    let role = "arn:aws:iam::111111111111:role/developer";
    let write = ["profile", "write", "dev", "--role-arn", role, "--region", "eu-west-1"];
    scene.terminal().rolecall(write).await?.succeeded()?;
    let with_profile = scene.terminal().with("AWS_PROFILE", "dev");
    each_sdk_holds(&scene, &with_profile, &document, &NAMES).await?;

    let mut serve = scene.terminal().start_rolecall(["serve", "developer", "--shell", "json"])?;
    let variables: Map<String, Value> = serde_json::from_str(&serve.next().await?)?;
    let mut container = scene.terminal();
    for (name, value) in &variables {
        container = container.with(name, value.as_str().context("a variable without a text")?);
    }
    // A container's document has no account; SDKs that report one take it from elsewhere.
    each_sdk_holds(&scene, &container, &document, &NAMES[..4]).await?;
    assert!(serve.interrupt().await?.success());
    Ok(())
}

/// Asks each SDK for the credentials of its default chain, and compares them with what `credential-process` printed.
async fn each_sdk_holds(
    scene: &Scene,
    terminal: &Terminal,
    document: &Map<String, Value>,
    names: &[&str],
) -> Result<()> {
    for sdk in Sdk::ALL {
        let mut program = terminal.start(&sdk.caller(scene)?)?;
        let held: Map<String, Value> = serde_json::from_str(&program.ask("What do you hold?").await?)?;
        for name in names {
            let (held, printed) = (held.get(*name), document.get(*name));
            ensure!(held == printed, "{sdk:?} holds another {name}: {held:?}, where {printed:?} was given");
        }
        program.finish().await?.succeeded()?;
    }
    Ok(())
}

/// Sets the recorder as the provider's STS in the settings.
fn use_as_sts(scene: &Scene, sts: &Recorder) -> Result<()> {
    scene.write_settings(|settings| {
        on_any_port(settings);
        for provider in entries(settings, "provider") {
            provider.insert("sts_endpoint".into(), sts.address().into());
        }
    })
}

/// The calls of one SDK.
struct Calls {
    assume_role: Recorded,
    caller_identity: Recorded,
}

/// Sends the same request with each SDK as `ours`.
async fn the_same_of_each_sdk(scene: &Scene, sts: &Recorder, ours: &Recorded) -> Result<Vec<Calls>> {
    let text = |name: &str| ours.form.get(name).with_context(|| format!("{name} was not asked"));
    let parameters = json!({
        "RoleArn": text("RoleArn")?,
        "RoleSessionName": text("RoleSessionName")?,
        "WebIdentityToken": text("WebIdentityToken")?,
        "DurationSeconds": text("DurationSeconds")?.parse::<u32>()?,
    });
    calls_of_each_sdk(scene, sts, &parameters).await
}

async fn calls_of_each_sdk(scene: &Scene, sts: &Recorder, parameters: &Value) -> Result<Vec<Calls>> {
    let mut calls = Vec::new();
    for sdk in [Sdk::Boto3, Sdk::JavaScript] {
        let mut program = scene.terminal().start(&sdk.sts_calls(scene, sts.address())?)?;
        assert_eq!(program.ask(&parameters.to_string()).await?, "done");
        program.finish().await?.succeeded()?;
        let assume_role = sts.the_only(ASSUME_ROLE)?;
        calls.push(Calls { assume_role, caller_identity: sts.the_only(CALLER_IDENTITY)? });
    }
    Ok(calls)
}

/// Compares method, path and parameters, and allows no header that the SDK does not send, except those with a reason.
fn compare(ours: &Recorded, theirs: &Recorded, exceptions: &[Exception]) -> Result<()> {
    assert_eq!(ours.method, theirs.method);
    assert_eq!(ours.target, theirs.target);
    assert_eq!(ours.form, theirs.form);
    for (name, value) in &ours.headers {
        if PER_REQUEST.contains(&name.as_str()) {
            ensure!(theirs.headers.contains_key(name), "no SDK sends {name}");
            continue;
        }
        let exception = exceptions.iter().find(|exception| exception.name == name);
        match (theirs.headers.get(name), exception) {
            (Some(other), _) if essence(other) == essence(value) => {}
            (_, Some(Exception { value: None, .. })) => {}
            (_, Some(Exception { value: Some(allowed), .. })) if allowed == value => {}
            (other, _) => anyhow::bail!("{name}: {value:?} is sent, where the SDK sends {other:?}"),
        }
    }
    Ok(())
}

/// A media type without its parameters.
fn essence(value: &str) -> &str {
    value.split(';').next().unwrap_or(value).trim()
}

/// A header that an SDK does not send, or sends with another value.
#[derive(Clone, Copy)]
struct Exception {
    name: &'static str,
    /// The only value it may have.
    value: Option<&'static str>,
    #[expect(dead_code, reason = "for whoever reads the table")]
    reason: &'static str,
}

const fn exception(name: &'static str, value: Option<&'static str>, reason: &'static str) -> Exception {
    Exception { name, value, reason }
}

/// Headers that differ for each request or client: both send them, with different values.
const PER_REQUEST: [&str; 6] =
    ["authorization", "content-length", "host", "user-agent", "x-amz-date", "x-amz-security-token"];

const ANY_CLIENT: &[Exception] = &[
    exception("accept", Some("*/*"), "what HTTP clients send by themselves; STS answers it with XML"),
    exception(
        "connection",
        Some("keep-alive"),
        "it concerns the connection, not the request (RFC 9110 section 7.6.1)",
    ),
    exception("accept-encoding", None, "what the client can unpack; it is the client's own matter"),
];

/// The SDK for JavaScript sends the same in a page, with the same fetch.
const FETCH: &[Exception] = &[
    exception("accept-language", None, "the browser sends it with every request"),
    exception(
        "cache-control",
        Some("no-cache"),
        "fetch's way to say that answers with secrets are not stored",
    ),
    exception("origin", None, "the browser sends it with every POST of an extension"),
    exception("pragma", Some("no-cache"), "as cache-control"),
    exception("priority", None, "the browser sends it with every request"),
    exception("sec-ch-ua", None, "the browser sends it with every request"),
    exception("sec-ch-ua-mobile", None, "as sec-ch-ua"),
    exception("sec-ch-ua-platform", None, "as sec-ch-ua"),
    exception("sec-fetch-dest", Some("empty"), "the browser sends it with every request"),
    exception("sec-fetch-mode", Some("cors"), "as sec-fetch-dest"),
    exception("sec-fetch-site", None, "as sec-fetch-dest"),
    exception("sec-fetch-storage-access", None, "as sec-fetch-dest"),
];

const ASSUME_ROLE: &str = "AssumeRoleWithWebIdentity";
const CALLER_IDENTITY: &str = "GetCallerIdentity";

/// The members of `credential-process`'s document that an SDK can report.
const NAMES: [&str; 5] = ["AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration", "AccountId"];

const KEYS: &str = "[keys]
aws_access_key_id = ASIAIOSFODNN7EXAMPLE
aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYzEXAMPLEKEY
aws_session_token = AQoDYXdzEE0a8ANXXXXXXXXNO1ewxE5TijQyp+IEXAMPLE==
region = us-east-1
";
