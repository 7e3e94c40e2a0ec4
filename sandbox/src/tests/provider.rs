//! The authorization endpoint, the form, the single sign-on session and logout.

use chrono::TimeDelta;

use super::{ALICE, BOB, Browser, REDIRECT, VERIFIER, sandbox};
use crate::RedirectFault;

#[tokio::test]
async fn an_unknown_client_or_redirect_uri_gets_a_page_and_no_redirect() {
    let sandbox = sandbox().await;
    let browser = Browser::new(&sandbox);
    for change in [
        ("client_id", "somebody"),
        ("client_id", ""),
        ("redirect_uri", "https://evil.example/"),
        ("redirect_uri", ""),
    ] {
        let answer = browser.authorize(&[change]).await;
        assert_eq!((answer.status, answer.header("location")), (400, None), "{change:?}");
        assert!(answer.body.contains("role=\"alert\""));
    }
}

#[tokio::test]
async fn every_other_error_goes_back_to_the_client_with_its_state() {
    let sandbox = sandbox().await;
    let browser = Browser::new(&sandbox);
    let cases: [(&[(&str, &str)], &str); 9] = [
        (&[("response_type", "token")], "unsupported_response_type"),
        (&[("response_type", "")], "invalid_request"),
        (&[("scope", "email")], "invalid_scope"),
        (&[("code_challenge", "")], "invalid_request"),
        (&[("code_challenge_method", "")], "invalid_request"),
        (&[("code_challenge_method", "plain"), ("code_challenge", VERIFIER)], "invalid_request"),
        (&[("prompt", "none")], "login_required"),
        (&[("prompt", "none login")], "invalid_request"),
        (&[("request", "eyJ")], "request_not_supported"),
    ];
    for (changes, error) in cases {
        let answer = browser.authorize(changes).await;
        assert_eq!(answer.redirect("error"), error, "{changes:?}");
        assert!(!answer.redirect("error_description").is_empty());
        assert_eq!(answer.redirect("state"), "the-state");
        assert_eq!(answer.redirect("code"), "");
    }
}

#[tokio::test]
async fn a_session_signs_in_silently_until_it_expires() {
    let sandbox = sandbox().await;
    let browser = Browser::new(&sandbox);
    browser.sign_in(ALICE).await;
    assert_ne!(browser.authorize(&[("prompt", "none")]).await.redirect("code"), "");
    assert_ne!(browser.authorize(&[]).await.redirect("code"), "");
    sandbox.clock().advance(TimeDelta::hours(8));
    assert_eq!(browser.authorize(&[("prompt", "none")]).await.redirect("error"), "login_required");
}

#[tokio::test]
async fn prompts_and_max_age_show_the_form_despite_a_session() {
    let sandbox = sandbox().await;
    let browser = Browser::new(&sandbox);
    browser.sign_in(ALICE).await;
    sandbox.clock().advance(TimeDelta::minutes(10));
    assert_eq!(browser.authorize(&[("prompt", "login")]).await.status, 200);
    assert_eq!(browser.authorize(&[("prompt", "select_account")]).await.status, 200);
    assert_eq!(browser.authorize(&[("max_age", "60")]).await.status, 200);
    assert_eq!(browser.authorize(&[("max_age", "3600")]).await.status, 303);
    let silent = browser.authorize(&[("max_age", "60"), ("prompt", "none")]).await;
    assert_eq!(silent.redirect("error"), "login_required");
}

#[tokio::test]
async fn denying_sends_access_denied_back() {
    let sandbox = sandbox().await;
    let browser = Browser::new(&sandbox);
    let form = browser.authorize(&[]).await;
    let back = browser.submit(&form, "decision", "deny").await;
    assert_eq!(
        (back.redirect("error").as_str(), back.redirect("state").as_str()),
        ("access_denied", "the-state")
    );
    assert_eq!(browser.submit(&form, "user", ALICE).await.status, 400, "a form works once");
}

#[tokio::test]
async fn a_form_with_an_unknown_user_signs_no_one_in() {
    let sandbox = sandbox().await;
    let browser = Browser::new(&sandbox);
    let form = browser.authorize(&[]).await;
    assert_eq!(browser.submit(&form, "user", "mallory").await.status, 400);
    assert_eq!(browser.authorize(&[("prompt", "none")]).await.redirect("error"), "login_required");
}

#[tokio::test]
async fn logging_out_ends_the_session_and_returns_only_to_registered_uris() {
    let sandbox = sandbox().await;
    let browser = Browser::new(&sandbox);
    let logout =
        |target: &str| format!("{}/logout?state=s&post_logout_redirect_uri={target}", sandbox.issuer());
    browser.sign_in(BOB).await;
    let answer = browser.get(&logout("https://evil.example/")).await;
    assert_eq!((answer.status, answer.header("location")), (200, None));
    assert_eq!(browser.authorize(&[("prompt", "none")]).await.redirect("error"), "login_required");
    assert_eq!(browser.get(&logout(REDIRECT)).await.redirect("state"), "s");
}

#[tokio::test]
async fn a_faulty_redirect_has_only_the_configured_fault() {
    let sandbox = sandbox().await;
    let browser = Browser::new(&sandbox);
    browser.sign_in(ALICE).await;
    let issuer = sandbox.provider_origin();
    let refused = RedirectFault::Error { error: "server_error".to_owned(), description: "down".to_owned() };
    let cases = [
        (RedirectFault::WrongState, "somebody-elses-state", issuer, true),
        (RedirectFault::MissingState, "", issuer, true),
        (RedirectFault::WrongIssuer, "the-state", "https://somebody-else.example", true),
        (RedirectFault::MissingIssuer, "the-state", "", true),
        (RedirectFault::MissingCode, "the-state", issuer, false),
        (refused, "the-state", issuer, false),
    ];
    for (fault, state, iss, has_code) in cases {
        sandbox.change(|config| config.provider.redirect_fault = Some(fault.clone()));
        let answer = browser.authorize(&[]).await;
        assert_eq!(answer.redirect("state"), state, "{fault:?}");
        assert_eq!(answer.redirect("iss"), iss, "{fault:?}");
        assert_eq!(!answer.redirect("code").is_empty(), has_code, "{fault:?}");
    }
}

#[tokio::test]
async fn a_users_name_is_escaped_in_the_form() {
    let sandbox = sandbox().await;
    sandbox.change(|config| config.provider.users[0].name = "<script>\"&".to_owned());
    let form = Browser::new(&sandbox).authorize(&[]).await;
    assert!(form.body.contains("&lt;script&gt;&quot;&amp;"), "{}", form.body);
    assert!(!form.body.contains("<script>"));
}
