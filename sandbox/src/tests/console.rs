//! The simulated console.

use chrono::TimeDelta;

use super::browser::Answer;
use super::signing::Keys;
use super::{ADMIN, ALICE, Browser, DEVELOPER, signed_in};
use crate::{CallKind, Sandbox};

async fn assumed(browser: &Browser, role: &str) -> Keys {
    let tokens = browser.tokens(ALICE).await;
    Keys::of(&browser.assume(role, tokens.id_token(), &[]).await)
}

async fn ask_token(browser: &Browser, session: &str, more: &[(&str, &str)]) -> Answer {
    let form = [&[("Action", "getSigninToken"), ("Session", session)], more].concat();
    browser.send(browser.http.post(&browser.federation).form(&form)).await
}

async fn token(browser: &Browser, keys: &Keys) -> String {
    ask_token(browser, &keys.session(), &[]).await.json()["SigninToken"].as_str().unwrap().to_owned()
}

async fn login(browser: &Browser, token: &str, destination: &str) -> Answer {
    let query =
        [("Action", "login"), ("Issuer", "test"), ("Destination", destination), ("SigninToken", token)];
    browser.send(browser.http.get(&browser.federation).query(&query)).await
}

/// The sign-in page that a page of the console leads to without a session.
async fn sign_in_page(browser: &Browser, page: &str) -> Answer {
    let answer = browser.get(page).await;
    assert_eq!(answer.status, 303);
    browser.get(answer.header("location").unwrap()).await
}

async fn start() -> (Sandbox, Browser) {
    let (sandbox, _) = signed_in(ALICE).await;
    let browser = Browser::new(&sandbox);
    (sandbox, browser)
}

#[tokio::test]
async fn only_valid_credentials_issued_by_the_sts_get_a_token() {
    let (sandbox, browser) = start().await;
    let keys = assumed(&browser, DEVELOPER).await;
    let forged = Keys { secret: "guessed".to_owned(), id: keys.id.clone(), token: keys.token.clone() };
    for session in [forged.session(), "{}".to_owned(), "not json".to_owned()] {
        let answer = ask_token(&browser, &session, &[]).await;
        assert_eq!((answer.status, answer.by_id("error").as_str()), (400, "Invalid credentials parameter"));
    }
    for duration in ["899", "43201", "long"] {
        assert_eq!(ask_token(&browser, &keys.session(), &[("SessionDuration", duration)]).await.status, 400);
    }
    assert_eq!(ask_token(&browser, &keys.session(), &[("SessionDuration", "43200")]).await.status, 200);
    sandbox.clock().advance(TimeDelta::hours(1));
    assert_eq!(ask_token(&browser, &keys.session(), &[]).await.status, 400);
}

#[tokio::test]
async fn sign_in_tokens_are_as_long_as_awss_and_need_no_encoding() {
    let (sandbox, browser) = start().await;
    let keys = assumed(&browser, DEVELOPER).await;
    for length in [1100, 4096] {
        sandbox.change(|config| config.console.token_length = length);
        let token = token(&browser, &keys).await;
        assert_eq!(token.len(), length);
        assert!(token.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte)), "{token}");
        assert_eq!(login(&Browser::new(&sandbox), &token, &browser.console).await.status, 303, "{length}");
    }
}

#[tokio::test]
async fn an_origin_is_refused_if_configured() {
    let (sandbox, browser) = start().await;
    let keys = assumed(&browser, DEVELOPER).await;
    sandbox.change(|config| config.console.origins_refused = true);
    let session = keys.session();
    let form = [("Action", "getSigninToken"), ("Session", session.as_str())];
    let post = || browser.http.post(&browser.federation).form(&form);
    assert_eq!(browser.send(post().header("origin", "chrome-extension://abc")).await.status, 400);
    assert_eq!(browser.send(post()).await.status, 200);
}

#[tokio::test]
async fn if_post_is_refused_the_get_form_works() {
    let (sandbox, browser) = start().await;
    let keys = assumed(&browser, DEVELOPER).await;
    sandbox.change(|config| config.console.post_refused = true);
    assert_eq!(ask_token(&browser, &keys.session(), &[]).await.status, 405);
    let query = [("Action", "getSigninToken"), ("Session", &keys.session())];
    let answer = browser.send(browser.http.get(&browser.federation).query(&query)).await;
    assert_eq!(answer.status, 200);
    let methods: Vec<String> =
        sandbox.calls_of(CallKind::SigninToken).into_iter().map(|call| call.method).collect();
    assert_eq!(methods, ["POST", "GET"]);
}

#[tokio::test]
async fn a_token_logs_in_once_within_fifteen_minutes_and_only_to_the_console() {
    let (sandbox, browser) = start().await;
    let keys = assumed(&browser, DEVELOPER).await;
    let first = token(&browser, &keys).await;
    assert_eq!(login(&browser, &first, "https://evil.example/").await.status, 400);
    assert_eq!(login(&browser, &first, &browser.sts).await.status, 400);
    assert_eq!(login(&browser, &first, &browser.console).await.status, 303);
    let elsewhere = Browser::new(&sandbox);
    assert_eq!(login(&elsewhere, &first, &browser.console).await.status, 400, "used before");
    let second = token(&browser, &keys).await;
    sandbox.clock().advance(TimeDelta::minutes(15));
    assert_eq!(login(&elsewhere, &second, &browser.console).await.status, 400, "too old");
    assert_eq!(sign_in_page(&elsewhere, &browser.console).await.by_id("signed-out"), "No one is signed in.");
}

#[tokio::test]
async fn whoever_has_no_session_is_asked_to_sign_in_and_unknown_pages_and_hosts_do_not_exist() {
    let (_sandbox, browser) = start().await;
    let page = |path: &str| browser.console.replace("/console/", path);
    let asked = sign_in_page(&browser, &page("/s3/home?region=eu-west-1")).await;
    assert_eq!((asked.status, asked.by_id("signed-out").as_str()), (200, "No one is signed in."));

    let keys = assumed(&browser, DEVELOPER).await;
    login(&browser, &token(&browser, &keys).await, &browser.console).await;
    assert_eq!(browser.get(&page("/s3/home?region=eu-west-1")).await.by_id("service"), "s3");
    assert_eq!(browser.get(&page("/s4/home")).await.status, 404);
    for (host, status) in [("evil.localhost", 404), ("123456789012-a1b2c3d4.localhost", 303)] {
        let request = browser.http.get(&browser.console).header("host", format!("{host}:1"));
        let answer = browser.send(request).await;
        assert_eq!(answer.status, status, "{host}");
        let address = "redirect_uri=http%3A%2F%2F123456789012-a1b2c3d4.localhost%3A1%2Fconsole%2F";
        assert_eq!(answer.header("location").is_some_and(|to| to.contains(address)), status == 303, "{host}");
    }
}

#[tokio::test]
async fn a_second_login_must_log_out_first_and_works_after_that() {
    let (sandbox, browser) = start().await;
    let developer = assumed(&browser, DEVELOPER).await;
    let admin = assumed(&Browser::new(&sandbox), ADMIN).await;
    login(&browser, &token(&browser, &developer).await, &browser.console).await;
    let second = token(&browser, &admin).await;
    let refused = login(&browser, &second, &browser.console).await;
    assert_eq!(
        (refused.status, refused.by_id("error").as_str()),
        (400, "You must first log out before logging into a different AWS account.")
    );
    assert_eq!(browser.get(&browser.console).await.by_id("role"), "developer");

    let logout = browser.console.replace("console/", "oauth");
    let elsewhere = [("Action", "logout"), ("redirect_uri", "https://evil.example/")];
    assert_eq!(browser.send(browser.http.get(&logout).query(&elsewhere)).await.status, 400);
    let query = [("Action", "logout"), ("redirect_uri", browser.console.as_str())];
    let answer = browser.send(browser.http.get(&logout).query(&query)).await;
    assert_eq!((answer.status, answer.header("location")), (303, Some(browser.console.as_str())));
    assert_eq!(login(&browser, &second, &browser.console).await.status, 303);
    assert_eq!(browser.get(&browser.console).await.by_id("account-alias"), "example-prod");
    assert_eq!(sandbox.count(CallKind::ConsoleLogout), 2);
}

#[tokio::test]
async fn with_multi_session_there_can_be_five_sessions_at_once() {
    let (sandbox, browser) = start().await;
    sandbox.change(|config| config.console.multi_session = true);
    let mut hosts = Vec::new();
    for role in [DEVELOPER, ADMIN, DEVELOPER, ADMIN, DEVELOPER] {
        let keys = assumed(&Browser::new(&sandbox), role).await;
        let answer = login(&browser, &token(&browser, &keys).await, &browser.console).await;
        assert_eq!(answer.status, 303);
        hosts.push(
            url::Url::parse(answer.header("location").unwrap()).unwrap().host_str().unwrap().to_owned(),
        );
    }
    // Each has its own host, at which it stays what it is.
    let request = browser.http.get(&browser.console).header("host", format!("{}:1", hosts[1]));
    let second = browser.send(request).await;
    assert_eq!((second.by_id("role").as_str(), second.by_id("account").as_str()), ("admin", "222222222222"));
    assert!(hosts[1].starts_with("222222222222-") && hosts[1].ends_with(".localhost"), "{hosts:?}");
    let page = browser.get(&browser.console).await;
    assert_eq!((page.by_id("role").as_str(), page.body.matches("<li>").count()), ("developer", 4));
    let keys = assumed(&Browser::new(&sandbox), ADMIN).await;
    assert_eq!(login(&browser, &token(&browser, &keys).await, &browser.console).await.status, 400);
}
