//! The complete sign-in, from the form to the console.

use super::signing::{Keys, caller_identity};
use super::{ALICE, Browser, CLIENT, DEVELOPER, sandbox};
use crate::CallKind;

#[tokio::test]
async fn a_sign_in_becomes_a_role_an_identity_and_a_console_session() {
    let sandbox = sandbox().await;
    let browser = Browser::new(&sandbox);

    let form = browser.authorize(&[("login_hint", "bob@example.com")]).await;
    assert_eq!(form.status, 200);
    let hinted = form.body.find("Bob Brown").unwrap();
    assert!(hinted < form.body.find("Alice Adams").unwrap(), "the hinted user comes first");
    let back = browser.submit(&form, "user", ALICE).await;
    assert_eq!(back.redirect("state"), "the-state");
    assert_eq!(back.redirect("iss"), sandbox.issuer());

    let answer = browser.token(&[("code", &back.redirect("code"))]).await;
    assert_eq!((answer.status, answer.header("cache-control")), (200, Some("no-store")));
    let tokens = super::Tokens(answer.json());
    let claims = tokens.claims();
    assert_eq!((&claims["iss"], &claims["aud"]), (&sandbox.issuer().into(), &CLIENT.into()));
    assert_eq!((&claims["sub"], &claims["nonce"]), (&ALICE.into(), &"the-nonce".into()));
    assert_eq!(claims["amr"], serde_json::json!(["dev", "admin"]));
    assert_eq!(claims["name"], "Alice Adams");

    let assumed = browser.assume(DEVELOPER, tokens.id_token(), &[("DurationSeconds", "43200")]).await;
    assert_eq!(assumed.status, 200, "{}", assumed.body);
    assert_eq!(assumed.header("access-control-allow-origin"), Some("*"));
    assert_eq!(assumed.element("SubjectFromWebIdentityToken"), ALICE);
    let keys = Keys::of(&assumed);
    assert_eq!((keys.id.len(), &keys.id[..4], keys.secret.len()), (20, "ASIA", 40));

    let caller = caller_identity(&browser, &keys, sandbox.clock().now()).await;
    assert_eq!(caller.status, 200, "{}", caller.body);
    assert_eq!(caller.element("Account"), "111111111111");
    assert_eq!(caller.element("Arn"), "arn:aws:sts::111111111111:assumed-role/developer/alice@example.com");

    let form = [("Action", "getSigninToken"), ("Session", &keys.session())];
    let answer = browser.send(browser.http.post(&browser.federation).form(&form)).await;
    assert_eq!((answer.status, answer.header("access-control-allow-origin")), (200, None));
    let token = answer.json()["SigninToken"].as_str().unwrap().to_owned();
    let destination = format!("{}ec2/home?region=eu-west-1", browser.console);
    let query = [
        ("Action", "login"),
        ("Issuer", "https://rolecall.example"),
        ("Destination", &destination),
        ("SigninToken", &token),
    ];
    let login = browser.send(browser.http.get(&browser.federation).query(&query)).await;
    assert_eq!((login.status, login.header("location")), (303, Some(destination.as_str())));
    let page = browser.get(&destination).await;
    assert_eq!(
        (page.by_id("account-alias"), page.by_id("role")),
        ("example-dev".to_owned(), "developer".to_owned())
    );
    assert_eq!((page.by_id("service"), page.by_id("region")), ("ec2".to_owned(), "eu-west-1".to_owned()));

    let assume = &sandbox.calls_of(CallKind::AssumeRole)[0];
    assert_eq!((assume.role(), assume.status(), assume.has_origin()), (Some(DEVELOPER), Some(200), false));
}
