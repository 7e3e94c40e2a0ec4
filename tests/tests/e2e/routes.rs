//! How requests leave the extension if servers do not allow its origin.

use anyhow::Result;
use rolecall_sandbox::{CallKind, Config, Failure, TokenCors};
use rolecall_tests::{Browser, Kind, Options, Scene, entries};

use crate::{DEVELOPER, popup_with_roles, prompts, sign_in_as_alice, sign_out};

crate::stories![
    a_token_endpoint_that_refuses_the_extension_is_asked_by_the_host_program,
    no_code_is_used_up_by_a_token_endpoint_whose_responses_cannot_be_read,
    without_the_host_program_the_person_is_asked_to_allow_the_address,
    an_address_that_was_allowed_needs_neither_cors_nor_the_host_program,
    an_unreadable_response_is_not_reported_as_an_unreachable_server,
    a_sign_in_host_that_refuses_the_extension_is_asked_again_by_the_host_program,
    a_sign_in_host_that_refuses_the_extension_is_asked_again_without_an_origin,
    credentials_are_not_sent_again_because_an_answer_could_not_be_read,
    allowing_an_address_continues_at_once_and_revoking_it_is_noticed
        only in Firefox because "the permission prompt cannot be answered from outside",
    an_address_that_refuses_the_extension_is_not_offered_again
        only in Firefox because "the permission prompt cannot be answered from outside",
];

fn with_token_endpoint(token_cors: TokenCors) -> Config {
    let mut config = Config::default();
    config.provider.token_cors = token_cors;
    config
}

/// Whether each call to the token endpoint came from the browser, and its status.
fn token_calls(scene: &Scene) -> Vec<(bool, Option<u16>)> {
    let calls = scene.sandbox.calls_of(CallKind::Token);
    calls.iter().map(|call| (call.has_origin(), call.status())).collect()
}

async fn a_token_endpoint_that_refuses_the_extension_is_asked_by_the_host_program(kind: Kind) -> Result<()> {
    let scene = Scene::installed_with(kind, with_token_endpoint(TokenCors::RefuseOrigins)).await?;
    let browser = scene.browser().await?;
    let popup = popup_with_roles(&browser).await?;
    sign_in_as_alice(&browser, &popup, DEVELOPER).await?;
    assert_eq!(token_calls(&scene), [(true, Some(400)), (false, Some(200))]);
    assert_eq!(scene.sandbox.count(CallKind::SignIn), 1);
    Ok(())
}

async fn no_code_is_used_up_by_a_token_endpoint_whose_responses_cannot_be_read(kind: Kind) -> Result<()> {
    let scene = Scene::installed_with(kind, with_token_endpoint(TokenCors::NoHeaders)).await?;
    let browser = scene.browser().await?;
    let popup = popup_with_roles(&browser).await?;
    sign_in_as_alice(&browser, &popup, DEVELOPER).await?;
    // The browser hid the response to a request without a code.
    assert_eq!(token_calls(&scene), [(true, Some(400)), (false, Some(200))]);
    assert_eq!(prompts(&scene), ["none", ""]);
    assert_eq!(scene.sandbox.count(CallKind::SignIn), 1);

    // The route that worked is remembered.
    sign_out(&popup).await?;
    sign_in_as_alice(&browser, &popup, DEVELOPER).await?;
    assert_eq!(token_calls(&scene)[2..], [(false, Some(200))]);
    Ok(())
}

async fn without_the_host_program_the_person_is_asked_to_allow_the_address(kind: Kind) -> Result<()> {
    let scene = Scene::installed_with(kind, with_token_endpoint(TokenCors::NoHeaders)).await?;
    let browser = scene.browser().await?;
    let popup = popup_with_roles(&browser).await?;
    scene.remove_host()?;
    popup.says("Host program not installed").await?;
    popup.select(DEVELOPER).await?;
    popup.press("Sign in").await?;
    browser.sign_in_window().await?.choose("Alice Adams").await?;
    popup.alert("host-permission-needed").await?;
    popup.pressable("Allow access to 127.0.0.1").await?;
    Ok(())
}

async fn an_address_that_was_allowed_needs_neither_cors_nor_the_host_program(kind: Kind) -> Result<()> {
    let scene = Scene::installed_with(kind, with_token_endpoint(TokenCors::NoHeaders)).await?;
    let extension = Some(scene.extension_with_host("http://127.0.0.1/*")?);
    let browser = scene.browser_with(Options { extension, ..Options::default() }).await?;
    let popup = popup_with_roles(&browser).await?;
    scene.remove_host()?;
    popup.says("Host program not installed").await?;
    sign_in_as_alice(&browser, &popup, DEVELOPER).await?;
    assert_eq!(token_calls(&scene), [(true, Some(200))]);
    Ok(())
}

async fn an_unreadable_response_is_not_reported_as_an_unreachable_server(kind: Kind) -> Result<()> {
    let scene = Scene::installed_with(kind, with_token_endpoint(TokenCors::NoHeaders)).await?;
    scene.write_settings(|settings| {
        for provider in entries(settings, "provider") {
            provider.insert("token_exchange".into(), "extension".into());
        }
    })?;
    let browser = scene.browser().await?;
    let popup = popup_with_roles(&browser).await?;
    popup.select(DEVELOPER).await?;
    popup.press("Sign in").await?;
    browser.sign_in_window().await?.choose("Alice Adams").await?;
    popup.alert("answer-withheld").await?;
    popup.alert("set token_exchange to").await?;
    popup.pressable("Allow access to 127.0.0.1").await?;
    Ok(())
}

/// A browser whose extension has permission for the sandbox, so that it can read responses without CORS.
async fn browser_with_access(scene: &Scene) -> Result<Browser> {
    let extension = Some(scene.extension_with_host("http://127.0.0.1/*")?);
    scene.browser_with(Options { extension, ..Options::default() }).await
}

/// The requests for a sign-in token: method, whether it came from the browser, and the status.
fn console_calls(scene: &Scene) -> Vec<(String, bool, Option<u16>)> {
    let calls = scene.sandbox.calls_of(CallKind::SigninToken).into_iter();
    calls.map(|call| (call.method.clone(), call.has_origin(), call.status())).collect()
}

async fn a_sign_in_host_that_refuses_the_extension_is_asked_again_by_the_host_program(
    kind: Kind,
) -> Result<()> {
    let mut config = Config::default();
    config.console.origins_refused = true;
    let scene = Scene::installed_with(kind, config).await?;
    let browser = browser_with_access(&scene).await?;
    let popup = popup_with_roles(&browser).await?;
    popup.says("connected").await?;
    sign_in_as_alice(&browser, &popup, DEVELOPER).await?;
    popup.press("Open console").await?;
    browser.console().await?;
    let post = || "POST".to_owned();
    assert_eq!(console_calls(&scene), [(post(), true, Some(400)), (post(), false, Some(200))]);
    Ok(())
}

async fn a_sign_in_host_that_refuses_the_extension_is_asked_again_without_an_origin(
    kind: Kind,
) -> Result<()> {
    let mut config = Config::default();
    config.console.origins_refused = true;
    // As long as one of AWS may be, which has no documented limit.
    config.console.token_length = 4096;
    let scene = Scene::installed_with(kind, config).await?;
    let browser = browser_with_access(&scene).await?;
    let popup = popup_with_roles(&browser).await?;
    scene.remove_host()?;
    popup.says("Host program not installed").await?;
    sign_in_as_alice(&browser, &popup, DEVELOPER).await?;
    popup.press("Open console").await?;
    browser.console().await?;
    let expected = [("POST".to_owned(), true, Some(400)), ("GET".to_owned(), false, Some(200))];
    assert_eq!(console_calls(&scene), expected);
    Ok(())
}

async fn credentials_are_not_sent_again_because_an_answer_could_not_be_read(kind: Kind) -> Result<()> {
    let scene = Scene::installed(kind).await?;
    let browser = browser_with_access(&scene).await?;
    let popup = popup_with_roles(&browser).await?;
    popup.says("connected").await?;
    sign_in_as_alice(&browser, &popup, DEVELOPER).await?;
    let page =
        Failure::Status { status: 200, content_type: "text/html".to_owned(), body: "<html>".to_owned() };
    // The lost response comes first: on a reused connection, Chromium itself repeats the request.
    for (failure, code) in [(Failure::LoseAnswer, "unreachable"), (page, "console-response-invalid")] {
        let before = console_calls(&scene).len();
        scene.sandbox.fail_all(CallKind::SigninToken, failure);
        popup.press("Open console").await?;
        popup.alert(code).await?;
        assert_eq!(console_calls(&scene).len() - before, 1, "{code}");
        popup.dismiss().await?;
    }
    Ok(())
}

async fn an_address_that_refuses_the_extension_is_not_offered_again(kind: Kind) -> Result<()> {
    let scene = Scene::bare(kind, with_token_endpoint(TokenCors::RefuseOrigins)).await?;
    scene.write_policy()?;
    let browser = scene.browser().await?;
    let popup = popup_with_roles(&browser).await?;
    popup.select(DEVELOPER).await?;
    popup.press("Sign in").await?;
    browser.sign_in_window().await?.choose("Alice Adams").await?;
    // It is not known yet whether it refuses the extension or only has no CORS.
    popup.alert("host-permission-needed").await?;
    popup.press("Allow access to 127.0.0.1").await?;
    popup.alert("origin-refused").await?;

    browser.revoke("http://127.0.0.1/*").await?;
    popup.dismiss().await?;
    popup.press("Sign in").await?;
    popup.alert("origin-refused").await?;
    let text = popup.text().await?;
    anyhow::ensure!(!text.contains("Allow access to"), "{text}");
    Ok(())
}

async fn allowing_an_address_continues_at_once_and_revoking_it_is_noticed(kind: Kind) -> Result<()> {
    let scene = Scene::bare(kind, with_token_endpoint(TokenCors::NoHeaders)).await?;
    scene.write_policy()?;
    let browser = scene.browser().await?;
    let popup = popup_with_roles(&browser).await?;
    popup.select(DEVELOPER).await?;
    popup.press("Sign in").await?;
    browser.sign_in_window().await?.choose("Alice Adams").await?;
    popup.alert("host-permission-needed").await?;
    // No code was sent yet, and the one of the window is gone: the session at the provider issues another one.
    popup.press("Allow access to 127.0.0.1").await?;
    popup.status("Signed in to example-dev / developer.").await?;
    assert_eq!(scene.sandbox.count(CallKind::SignIn), 1);

    browser.revoke("http://127.0.0.1/*").await?;
    sign_out(&popup).await?;
    popup.press("Sign in").await?;
    browser.sign_in_window().await?.choose("Alice Adams").await?;
    popup.alert("host-permission-needed").await?;
    Ok(())
}
