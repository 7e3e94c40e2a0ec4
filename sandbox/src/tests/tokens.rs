//! The token endpoint, refresh, userinfo, and faulty tokens.

use chrono::TimeDelta;
use serde_json::json;

use super::{ALICE, Browser, DEVELOPER, READONLY, REDIRECT, sandbox, signed_in};
use crate::{CallKind, IdTokenFault, TokenCors};

#[tokio::test]
async fn using_a_code_twice_revokes_its_tokens() {
    let sandbox = sandbox().await;
    let browser = Browser::new(&sandbox);
    let code = browser.sign_in(ALICE).await.redirect("code");
    let first = browser.token(&[("code", &code)]).await.json();
    let access = first["access_token"].as_str().unwrap();
    let userinfo =
        || browser.send(browser.http.get(format!("{}/userinfo", browser.issuer)).bearer_auth(access));
    assert_eq!(userinfo().await.json()["email"], "alice@example.com");
    assert_eq!(browser.token(&[("code", &code)]).await.oauth_error(), (400, "invalid_grant".to_owned()));
    let refreshed = browser.refresh(first["refresh_token"].as_str().unwrap()).await;
    assert_eq!(refreshed.oauth_error(), (400, "invalid_grant".to_owned()));
    assert_eq!(userinfo().await.status, 401);
}

#[tokio::test]
async fn a_code_is_valid_for_a_minute_and_its_own_request_only() {
    let sandbox = sandbox().await;
    let browser = Browser::new(&sandbox);
    let cases: [(&[(&str, &str)], &str); 6] = [
        (&[("code_verifier", "another-verifier-of-a-plausible-length-0123456789")], "invalid_grant"),
        (&[("code_verifier", "")], "invalid_request"),
        (&[("redirect_uri", "https://other.chromiumapp.org/")], "invalid_grant"),
        (&[("redirect_uri", "")], "invalid_grant"),
        (&[("grant_type", "password")], "unsupported_grant_type"),
        (&[("grant_type", "")], "invalid_request"),
    ];
    for (changes, error) in cases {
        let code = browser.authorize_again().await;
        let answer = browser.token(&[&[("code", code.as_str())], changes].concat()).await;
        assert_eq!(answer.oauth_error(), (400, error.to_owned()), "{changes:?}");
        assert_eq!(answer.header("cache-control"), Some("no-store"));
    }
    let code = browser.authorize_again().await;
    let answer = browser.token(&[("code", &code), ("client_id", "somebody")]).await;
    assert_eq!(answer.oauth_error(), (401, "invalid_client".to_owned()));
    sandbox.clock().advance(TimeDelta::seconds(60));
    assert_eq!(browser.token(&[("code", &code)]).await.oauth_error(), (400, "invalid_grant".to_owned()));
}

#[tokio::test]
async fn a_refresh_token_works_once_and_its_reuse_revokes_its_successor() {
    let (sandbox, tokens) = signed_in(ALICE).await;
    let browser = Browser::new(&sandbox);
    let second = super::Tokens(browser.refresh(tokens.refresh_token()).await.json());
    assert_eq!(second.claims()["sub"], ALICE);
    assert_eq!(second.claims()["auth_time"], tokens.claims()["auth_time"]);
    assert_eq!(second.claims().get("nonce"), None);
    assert_eq!(
        browser.refresh(tokens.refresh_token()).await.oauth_error(),
        (400, "invalid_grant".to_owned())
    );
    assert_eq!(
        browser.refresh(second.refresh_token()).await.oauth_error(),
        (400, "invalid_grant".to_owned())
    );
}

#[tokio::test]
async fn a_revoked_refresh_token_is_refused_and_only_its_client_can_revoke_it() {
    let sandbox = sandbox().await;
    let browser = Browser::new(&sandbox);
    let tokens = browser.tokens(ALICE).await;
    let client = sandbox.config().provider.clients[0].id.clone();
    assert_eq!(browser.revoke("nobody", tokens.refresh_token()).await.oauth_error().1, "invalid_client");
    let tokens = super::Tokens(browser.refresh(tokens.refresh_token()).await.json());
    assert_eq!(browser.revoke(&client, "unknown").await.status, 200);
    assert_eq!(browser.revoke(&client, tokens.refresh_token()).await.status, 200);
    assert_eq!(
        browser.refresh(tokens.refresh_token()).await.oauth_error(),
        (400, "invalid_grant".to_owned())
    );
}

#[tokio::test]
async fn the_scope_decides_about_refresh_tokens_and_personal_claims() {
    let sandbox = sandbox().await;
    let browser = Browser::new(&sandbox);
    browser.sign_in(ALICE).await;
    let code = browser.authorize(&[("scope", "openid")]).await.redirect("code");
    let tokens = super::Tokens(browser.token(&[("code", &code)]).await.json());
    assert_eq!(tokens.0.get("refresh_token"), None);
    assert_eq!(tokens.claims().get("email"), None);
    assert_eq!(tokens.claims()["amr"], json!(["dev", "admin"]));
}

#[tokio::test]
async fn a_provider_that_refuses_origins_leaves_the_code_for_a_request_without_one() {
    let sandbox = sandbox().await;
    sandbox.change(|config| {
        config.provider.token_cors = TokenCors::RefuseOrigins;
        config.provider.clients[0].origins = vec!["https://app.example".to_owned()];
    });
    let browser = Browser::new(&sandbox);
    let code = browser.sign_in(ALICE).await.redirect("code");
    let refused = browser.token_from(Some("chrome-extension://abcdef"), &[("code", &code)]).await;
    assert_eq!(refused.oauth_error(), (400, "invalid_request".to_owned()));
    assert_eq!(refused.header("access-control-allow-origin"), None);
    assert_eq!(browser.token(&[("code", &code)]).await.status, 200);
    let code = browser.authorize_again().await;
    let known = browser.token_from(Some("https://app.example"), &[("code", &code)]).await;
    assert_eq!(
        (known.status, known.header("access-control-allow-origin")),
        (200, Some("https://app.example"))
    );
    let calls = sandbox.calls_of(CallKind::Token);
    assert_eq!(calls.iter().map(crate::Call::has_origin).collect::<Vec<_>>(), [true, false, true]);
    assert_eq!(calls[0].error.as_deref(), Some("invalid_request"));
}

#[tokio::test]
async fn a_provider_without_cors_uses_up_the_code_and_hides_the_response() {
    let sandbox = sandbox().await;
    let browser = Browser::new(&sandbox);
    let origin = Some("chrome-extension://abcdef");
    let code = browser.sign_in(ALICE).await.redirect("code");
    let open = browser.token_from(origin, &[("code", &code)]).await;
    assert_eq!((open.status, open.header("access-control-allow-origin")), (200, Some("*")));
    sandbox.change(|config| config.provider.token_cors = TokenCors::NoHeaders);
    let code = browser.authorize_again().await;
    let hidden = browser.token_from(origin, &[("code", &code)]).await;
    assert_eq!((hidden.status, hidden.header("access-control-allow-origin")), (200, None));
    assert_eq!(browser.token(&[("code", &code)]).await.status, 400);
}

#[tokio::test]
async fn the_sts_refuses_every_token_with_a_fault_it_can_detect() {
    let sandbox = sandbox().await;
    let browser = Browser::new(&sandbox);
    browser.sign_in(ALICE).await;
    let missing = |name: &str| IdTokenFault::MissingClaim(name.to_owned());
    let cases = [
        (IdTokenFault::ForeignKey, "InvalidIdentityToken"),
        (IdTokenFault::UnknownKid, "InvalidIdentityToken"),
        (IdTokenFault::BrokenSignature, "InvalidIdentityToken"),
        (IdTokenFault::AlgorithmNone, "InvalidIdentityToken"),
        (IdTokenFault::HmacWithPublicKey, "InvalidIdentityToken"),
        (IdTokenFault::WrongIssuer, "InvalidIdentityToken"),
        (IdTokenFault::WrongAudience, "InvalidIdentityToken"),
        (IdTokenFault::NotYetValid, "InvalidIdentityToken"),
        (IdTokenFault::Expired, "ExpiredTokenException"),
        (IdTokenFault::IssuedYesterday, "ExpiredTokenException"),
        (missing("iss"), "InvalidIdentityToken"),
        (missing("aud"), "InvalidIdentityToken"),
        (missing("sub"), "InvalidIdentityToken"),
        (missing("exp"), "InvalidIdentityToken"),
        (missing("iat"), "InvalidIdentityToken"),
        (IdTokenFault::Claim("iat".to_owned(), json!(1_700_000_000.5)), "InvalidIdentityToken"),
        (IdTokenFault::Claim("amr".to_owned(), json!(["mfa"])), "AccessDenied"),
        (IdTokenFault::Claim("amr".to_owned(), json!("dev")), "AccessDenied"),
    ];
    for (fault, code) in cases {
        sandbox.change(|config| config.provider.id_token_fault = Some(fault.clone()));
        let tokens = super::Tokens(browser.token(&[("code", &browser.authorize_again().await)]).await.json());
        let answer = browser.assume(DEVELOPER, tokens.id_token(), &[]).await;
        assert_eq!(answer.element("Code"), code, "{fault:?}: {}", answer.body);
    }
}

#[tokio::test]
async fn faults_that_only_the_client_can_detect_are_accepted_by_the_sts() {
    let sandbox = sandbox().await;
    let browser = Browser::new(&sandbox);
    browser.sign_in(ALICE).await;
    let token = async |fault: IdTokenFault| {
        sandbox.change(|config| config.provider.id_token_fault = Some(fault));
        super::Tokens(browser.token(&[("code", &browser.authorize_again().await)]).await.json())
    };
    let wrong = token(IdTokenFault::WrongNonce).await;
    assert_eq!(wrong.claims()["nonce"], "somebody-elses-nonce");
    let missing = token(IdTokenFault::MissingClaim("nonce".to_owned())).await;
    assert_eq!(missing.claims().get("nonce"), None);
    let twice = token(IdTokenFault::DuplicateClaim("nonce".to_owned())).await;
    let payload = twice.id_token().split('.').nth(1).unwrap().to_owned();
    let payload = base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, payload).unwrap();
    assert_eq!(String::from_utf8(payload).unwrap().matches("\"nonce\":").count(), 2);
    for tokens in [wrong, missing, twice] {
        assert_eq!(browser.assume(READONLY, tokens.id_token(), &[]).await.status, 200);
    }
}

impl Browser {
    /// A code for the existing session, or for a new one.
    async fn authorize_again(&self) -> String {
        let answer = self.authorize(&[]).await;
        let answer = if answer.status == 200 { self.submit(&answer, "user", ALICE).await } else { answer };
        assert_eq!(answer.header("location").map(|location| location.starts_with(REDIRECT)), Some(true));
        answer.redirect("code")
    }
}
