//! `cargo xtask demo`: shows the product with a sandbox. A newcomer needs no provider, AWS account or settings, and
//! none of their files are touched: home folder, browser profile and settings are temporary.
//!
//! With a display, the demo tells the person what to click; without one, or with `--headless`, it clicks by itself.
//! It succeeds only if AWS's `GetCallerIdentity` names the role that was assumed.

mod person;
mod robot;
mod show;

use std::env;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use clap::Parser;
use rolecall_core::aws::RoleArn;
use rolecall_sandbox::Config;
use rolecall_tests::{Kind, Options, Scene};
use tokio::signal::unix::{SignalKind, signal};

/// Sign in to AWS through the extension in a real browser, against a sandbox on this machine.
#[derive(Parser)]
struct Arguments {
    /// Open no window and click by itself; the default without a display
    #[arg(long)]
    headless: bool,
    /// The browser to show it in
    #[arg(long, value_enum, default_value = "chromium")]
    browser: Kind,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let has_display = ["DISPLAY", "WAYLAND_DISPLAY"].iter().any(|name| env::var_os(name).is_some());
    let hands = if arguments.headless || !has_display { Hands::Robot } else { Hands::Person };
    // The scene, with all its processes and files, is dropped before the exit, however this ends.
    let outcome = tokio::select! {
        outcome = play(hands, arguments.browser) => outcome,
        stopped = stop() => stopped,
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            show::failure(&error);
            ExitCode::FAILURE
        }
    }
}

/// Waits for Ctrl-C or SIGTERM.
async fn stop() -> Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for signals")?;
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
    anyhow::bail!("stopped; everything was cleaned up")
}

async fn play(hands: Hands, kind: Kind) -> Result<()> {
    let started = Instant::now();
    show::title("Rolecall demo", INTRODUCTION);
    let scene = show::step(
        "An identity provider, an STS and a console, on loopback",
        Scene::bare(kind, Config::default()),
    )
    .await?;
    show::step("The host program, registered for one fresh browser profile", scene.install_host()).await?;
    let options = Options { headless: hands == Hands::Robot, size: (460, 720), ..Options::default() };
    let browser =
        show::step(&format!("{kind}, with the extension in it"), scene.browser_with(options)).await?;
    let popup = show::step("The popup: the page behind the toolbar button", browser.popup()).await?;

    let made = match hands {
        Hands::Robot => robot::sign_in(&scene, &browser, &popup).await?,
        Hands::Person => person::sign_in(&scene, &browser).await?,
    };
    let config = std::fs::read_to_string(scene.aws_config()).context("the profile was not written")?;
    show::block("~/.aws/config", &masked(&config));

    let command = ["whoami", "--profile", &made.profile];
    let whoami = async { scene.terminal().rolecall(command).await?.succeeded() };
    let identity = show::step(&format!("rolecall {}", command.join(" ")), whoami).await?;
    show::block("GetCallerIdentity says", &identity);
    ensure!(identity.contains(&assumed(&made.role)), "the identity is not the role {}", made.role);

    if hands == Hands::Robot {
        let console = async {
            popup.press("Open console").await?;
            browser.console().await
        };
        let console = show::step("The console, opened as the role", console).await?;
        show::block("The console says", console.lines().nth(1).unwrap_or_default());
    } else {
        show::aside(&format!(
            "Try the other roles, “Open console”, or the real AWS command line in another terminal:\n  \
             {} \\\n    aws sts get-caller-identity --profile {}\n\
             Close the browser's window to end the demo.",
            scene.variables(),
            made.profile
        ));
        person::closes(&browser).await;
    }
    show::end(
        "That is the assumed role: a sign-in in the browser became an AWS profile.",
        NEXT_STEPS,
        started,
    );
    Ok(())
}

/// Who clicks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hands {
    /// The person at the display.
    Person,
    /// The demo.
    Robot,
}

/// The result of the sign-in.
struct Made {
    role: RoleArn,
    profile: String,
}

/// The beginning of an assumed role's ARN, up to the session's name.
fn assumed(role: &RoleArn) -> String {
    format!("arn:{}:sts::{}:assumed-role/{}/", role.partition().id(), role.account(), role.name())
}

/// An AWS file with its secrets masked.
fn masked(text: &str) -> String {
    let line = |line: &str| match line.split_once('=') {
        Some((name, _)) if SECRETS.contains(&name.trim()) => format!("{name}= ****"),
        _ => line.to_owned(),
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

const INTRODUCTION: &str = "Everything runs on this machine and in scratch folders. Your own ~/.aws, browser and \
    settings are not touched.";

const NEXT_STEPS: &str = "Use it with your own provider: README.md, “Use it”, in five steps.\n\
    What to register at the provider and in AWS: docs/provider-and-aws.md";

const SECRETS: [&str; 3] = ["aws_access_key_id", "aws_secret_access_key", "aws_session_token"];

#[cfg(test)]
mod unit_tests {
    use super::*;

    #[test]
    fn secrets_of_an_aws_file_are_not_shown() {
        let file =
            "[profile a]\nregion = eu-west-1\naws_secret_access_key = wJalr/bPx+=\naws_session_token=Fwo=";
        let shown = masked(file);
        assert_eq!(
            shown,
            "[profile a]\nregion = eu-west-1\naws_secret_access_key = ****\naws_session_token= ****"
        );
    }

    #[test]
    fn the_identity_of_a_role_is_recognised_with_its_path_left_out() {
        let role: RoleArn = "arn:aws:iam::111111111111:role/teams/developer".parse().unwrap();
        assert_eq!(assumed(&role), "arn:aws:sts::111111111111:assumed-role/developer/");
    }
}
