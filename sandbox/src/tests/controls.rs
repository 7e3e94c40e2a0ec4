//! Failures, holds, the call log, starting and stopping.

use std::time::Duration;

use super::{ALICE, Browser, DEVELOPER, READONLY, sandbox, signed_in};
use crate::{AwsErrorCode, CallKind, Config, Failure, Outcome, Sandbox};

/// Enough for a slow machine; only a failing test waits this long.
const TIMEOUT: Duration = Duration::from_secs(30);

#[tokio::test]
async fn planned_failures_occur_in_order_and_then_end() {
    let (sandbox, tokens) = signed_in(ALICE).await;
    let browser = Browser::new(&sandbox);
    sandbox.fail_next(CallKind::AssumeRole, 2, &Failure::Aws(AwsErrorCode::Throttling.into()));
    sandbox.fail_next(CallKind::AssumeRole, 1, &Failure::status(503, "down"));
    let mut seen = Vec::new();
    for _ in 0..4 {
        let answer = browser.assume(READONLY, tokens.id_token(), &[]).await;
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"), "failures are readable too");
        seen.push(answer.aws_error());
    }
    let throttled = || (400, "Throttling".to_owned());
    assert_eq!(seen, [throttled(), throttled(), (503, String::new()), (200, String::new())]);
    let errors: Vec<_> = sandbox.calls_of(CallKind::AssumeRole).into_iter().map(|call| call.error).collect();
    assert_eq!(errors, [Some("Throttling".to_owned()), Some("Throttling".to_owned()), None, None]);
}

#[tokio::test]
async fn a_dropped_call_is_not_carried_out_but_one_with_a_lost_response_is() {
    let sandbox = sandbox().await;
    let browser = Browser::new(&sandbox);
    let code = browser.sign_in(ALICE).await.redirect("code");
    let exchange = || {
        let form = [
            ("grant_type", "authorization_code"),
            ("client_id", super::CLIENT),
            ("redirect_uri", super::REDIRECT),
            ("code_verifier", super::VERIFIER),
            ("code", &code),
        ];
        browser.http.post(format!("{}/token", browser.issuer)).form(&form).send()
    };
    sandbox.fail_next(CallKind::Token, 1, &Failure::Drop);
    assert!(exchange().await.is_err());
    sandbox.fail_next(CallKind::Token, 1, &Failure::LoseAnswer);
    assert!(exchange().await.is_err());
    assert_eq!(exchange().await.unwrap().status(), 400, "the code was used up");
    let outcomes: Vec<Outcome> =
        sandbox.calls_of(CallKind::Token).into_iter().map(|call| call.outcome).collect();
    assert_eq!(outcomes, [Outcome::Dropped, Outcome::Dropped, Outcome::Answered(400)]);
}

#[tokio::test]
async fn a_held_call_has_arrived_and_is_answered_after_its_release() {
    let sandbox = sandbox().await;
    let browser = Browser::new(&sandbox);
    let hold = sandbox.hold(CallKind::Discovery);
    let url = sandbox.well_known_url();
    let check = async {
        tokio::time::timeout(TIMEOUT, sandbox.arrived(CallKind::Discovery, 1)).await.unwrap();
        assert_eq!(sandbox.calls_of(CallKind::Discovery)[0].outcome, Outcome::Pending);
        hold.release();
    };
    let (answer, ()) = tokio::join!(browser.get(&url), check);
    assert_eq!(answer.status, 200);
    assert_eq!(sandbox.calls_of(CallKind::Discovery)[0].outcome, Outcome::Answered(200));
}

#[tokio::test]
async fn a_caller_that_closes_the_connection_is_recorded() {
    let sandbox = sandbox().await;
    let browser = Browser::new(&sandbox);
    let hold = sandbox.hold(CallKind::Jwks);
    let url = format!("{}/jwks", sandbox.issuer());
    tokio::select! {
        _ = browser.get(&url) => panic!("it is held"),
        () = sandbox.arrived(CallKind::Jwks, 1) => {}
    }
    drop(browser);
    tokio::time::timeout(TIMEOUT, sandbox.ended(CallKind::Jwks, 1)).await.unwrap();
    assert_eq!(sandbox.calls_of(CallKind::Jwks)[0].outcome, Outcome::Abandoned);
    drop(hold);
}

#[tokio::test]
async fn the_call_log_contains_no_secret() {
    let (sandbox, tokens) = signed_in(ALICE).await;
    let browser = Browser::new(&sandbox);
    let assumed = browser.assume(DEVELOPER, tokens.id_token(), &[]).await;
    browser.refresh(tokens.refresh_token()).await;
    let record = format!("{:?}", sandbox.calls());
    assert!(record.contains(DEVELOPER));
    let secrets = [
        tokens.id_token().to_owned(),
        tokens.refresh_token().to_owned(),
        super::VERIFIER.to_owned(),
        "the-state".to_owned(),
        assumed.element("SecretAccessKey"),
        assumed.element("SessionToken"),
    ];
    for secret in secrets {
        assert!(!secret.is_empty() && !record.contains(&secret), "{secret}");
    }
}

#[tokio::test]
async fn preflights_are_answered_if_the_endpoint_allows_other_origins() {
    let sandbox = sandbox().await;
    let browser = Browser::new(&sandbox);
    let preflight = async |url: &str| {
        let request = browser.http.request(reqwest::Method::OPTIONS, url);
        let request = request
            .header("origin", "chrome-extension://abc")
            .header("access-control-request-headers", "x-y");
        browser.send(request).await
    };
    let sts = preflight(&browser.sts).await;
    assert_eq!((sts.status, sts.header("access-control-allow-origin")), (200, Some("*")));
    assert_eq!(sts.header("access-control-allow-methods"), Some("POST"));
    assert_eq!(sts.header("access-control-max-age"), Some("172800"));
    assert_eq!(sts.header("access-control-allow-headers"), Some("x-y"));
    assert_eq!(preflight(&format!("{}/token", browser.issuer)).await.status, 204);
    assert_eq!(preflight(&browser.federation).await.status, 405);
    assert_eq!(preflight(&format!("{}/authorize", browser.issuer)).await.status, 405);
    assert_eq!(sandbox.count(CallKind::Preflight), 4);
}

#[test]
fn a_sandbox_in_its_own_thread_frees_its_ports_when_dropped() {
    let sandbox = Sandbox::start_in_thread(Config::default()).unwrap();
    let address = sandbox.issuer().strip_prefix("http://").unwrap().to_owned();
    assert!(std::net::TcpStream::connect(&address).is_ok());
    drop(sandbox);
    assert!(std::net::TcpStream::connect(&address).is_err());
}

#[tokio::test]
async fn a_sandbox_with_a_policy_it_cannot_evaluate_does_not_start() {
    let mut config = Config::default();
    config.sts.roles[0].trust_policy = "{}".to_owned();
    let error = Sandbox::start(config).await.unwrap_err();
    assert!(format!("{error:#}").contains(DEVELOPER), "{error:#}");
}

#[tokio::test]
async fn the_settings_document_names_the_sandboxs_own_endpoints() {
    let sandbox = sandbox().await;
    let document: toml::Table = sandbox.settings_toml().parse().unwrap();
    let provider = &document["provider"][0];
    assert_eq!(provider["well_known_url"].as_str(), Some(sandbox.well_known_url().as_str()));
    assert_eq!(provider["sts_endpoint"].as_str(), Some(sandbox.sts_endpoint()));
    assert_eq!(provider["console_endpoint"].as_str(), Some(sandbox.console_endpoint()));
    assert_eq!(document["role"].as_array().unwrap().len(), 5);
    assert_eq!(document["account"][1]["alias"].as_str(), Some("example-prod"));
}

#[tokio::test]
async fn a_cut_network_refuses_connections_until_it_is_restored() {
    let sandbox = sandbox().await;
    let browser = Browser::new(&sandbox);
    let metadata = || browser.http.get(sandbox.well_known_url()).send();
    let held = sandbox.hold(CallKind::Discovery);
    let pending = tokio::spawn(metadata());
    sandbox.arrived(CallKind::Discovery, 1).await;
    sandbox.cut_network().await;
    assert!(pending.await.unwrap().is_err(), "the connection is closed");
    held.release();
    assert!(metadata().await.unwrap_err().is_connect(), "the next one is refused");
    sandbox.restore_network().await;
    assert_eq!(metadata().await.unwrap().status(), 200);
    assert_eq!(sandbox.calls_of(CallKind::Discovery)[0].outcome, Outcome::Abandoned);
}
