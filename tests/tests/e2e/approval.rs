//! A person approves the programs that get credentials, if the settings require it.

use anyhow::{Result, ensure};
use rolecall_sandbox::CallKind;
use rolecall_tests::{Kind, Output, Scene, Terminal, entries};

use crate::terminal::{QUESTION, ask};
use crate::{browser_in_the_background, nothing_was_issued};

crate::stories![
    a_program_gets_credentials_each_time_a_person_allows_it,
    an_approval_for_some_time_holds_for_that_program_only,
    closing_the_window_refuses,
    a_console_address_needs_approval_like_credentials,
    a_batch_job_asks_no_one,
];

/// A machine whose provider requires approval.
async fn scene_with(kind: Kind, approve: &str) -> Result<Scene> {
    let scene = Scene::installed(kind).await?;
    scene.write_settings(|settings| {
        for provider in entries(settings, "provider") {
            provider.insert("approve".into(), approve.into());
        }
    })?;
    Ok(scene)
}

/// Requests credentials from another program: a shell that goes on afterwards.
async fn ask_from_a_shell(terminal: &Terminal) -> Result<Output> {
    let line = format!("\"$0\" {}; exit $?", QUESTION.join(" "));
    terminal.bash(&line).await
}

async fn a_program_gets_credentials_each_time_a_person_allows_it(kind: Kind) -> Result<()> {
    let scene = scene_with(kind, "always").await?;
    let browser = browser_in_the_background(&scene).await?;
    let person = async {
        let question = browser.question().await?;
        let (name, text) = question.text().await?;
        assert_eq!(name, "May this program use the role?");
        let own = std::env::current_exe()?.display().to_string();
        for words in ["example-dev / developer", "arn:aws:iam::111111111111:role/developer", &own] {
            ensure!(text.contains(words), "{words} is not in: {text}");
        }
        assert_eq!(question.buttons().await?, ["Allow once", "Refuse"]);
        question.answer("Allow once").await?;
        browser.sign_in_window().await?.choose("Alice Adams").await
    };
    let (answer, signed_in) = tokio::join!(ask(&scene), person);
    signed_in?;
    answer?.succeeded()?;

    let person = async { browser.question().await?.answer("Refuse").await };
    let (answer, refused) = tokio::join!(ask(&scene), person);
    refused?;
    let answer = answer?;
    assert_eq!((answer.code, answer.stdout.as_str()), (Some(3), ""));
    ensure!(answer.stderr.contains("error[approval-refused]"), "{}", answer.stderr);

    let person = async { browser.question().await?.answer("Allow once").await };
    let (answer, allowed) = tokio::join!(ask(&scene), person);
    allowed?;
    answer?.succeeded()?;
    assert_eq!(scene.sandbox.count(CallKind::AssumeRole), 1);
    Ok(())
}

async fn an_approval_for_some_time_holds_for_that_program_only(kind: Kind) -> Result<()> {
    let scene = scene_with(kind, "first").await?;
    let browser = browser_in_the_background(&scene).await?;
    let person = async {
        browser.question().await?.answer("Allow for 8 hours").await?;
        browser.sign_in_window().await?.choose("Alice Adams").await
    };
    let (answer, signed_in) = tokio::join!(ask(&scene), person);
    signed_in?;
    answer?.succeeded()?;
    // No one answers the window, so this fails if approval is requested.
    ask(&scene).await?.succeeded()?;

    let terminal = scene.terminal();
    let person = async {
        let question = browser.question().await?;
        let (_, text) = question.text().await?;
        ensure!(text.contains("/bash"), "it does not name the shell: {text}");
        question.answer("Refuse").await
    };
    let (answer, refused) = tokio::join!(ask_from_a_shell(&terminal), person);
    refused?;
    ensure!(answer?.failed()?.contains("error[approval-refused]"));
    ask(&scene).await?.succeeded()?;

    // Signing out withdraws the approval.
    terminal.rolecall(["logout", "--all", "--keep-session"]).await?.succeeded()?;
    let person = async { browser.question().await?.answer("Refuse").await };
    let (answer, refused) = tokio::join!(ask(&scene), person);
    refused?;
    ensure!(answer?.failed()?.contains("error[approval-refused]"));
    Ok(())
}

async fn closing_the_window_refuses(kind: Kind) -> Result<()> {
    let scene = scene_with(kind, "first").await?;
    let browser = browser_in_the_background(&scene).await?;
    let person = async { browser.question().await?.close().await };
    let (answer, closed) = tokio::join!(ask(&scene), person);
    closed?;
    ensure!(answer?.failed()?.contains("error[approval-refused]"));
    nothing_was_issued(&scene)
}

async fn a_console_address_needs_approval_like_credentials(kind: Kind) -> Result<()> {
    let scene = scene_with(kind, "first").await?;
    let browser = browser_in_the_background(&scene).await?;
    let person = async {
        let question = browser.question().await?;
        assert_eq!(question.text().await?.0, "May this program open the AWS console as the role?");
        question.answer("Refuse").await
    };
    let terminal = scene.terminal();
    let console = terminal.rolecall(["console", "developer", "--print-url"]);
    let (answer, refused) = tokio::join!(console, person);
    refused?;
    ensure!(answer?.failed()?.contains("error[approval-refused]"));
    nothing_was_issued(&scene)
}

async fn a_batch_job_asks_no_one(kind: Kind) -> Result<()> {
    let scene = scene_with(kind, "first").await?;
    let browser = browser_in_the_background(&scene).await?;
    let answer = scene.terminal().with("ROLECALL_BATCH", "1").rolecall(QUESTION).await?;
    ensure!(answer.failed()?.contains("error[approval-needed]"));
    let console = ["console", "developer", "--print-url", "--batch"];
    let answer = scene.terminal().rolecall(console).await?;
    ensure!(answer.failed()?.contains("error[approval-needed]"));
    assert_eq!(browser.questions().await?, 0);
    nothing_was_issued(&scene)
}
