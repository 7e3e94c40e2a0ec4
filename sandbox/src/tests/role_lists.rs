//! Where roles come from beside the settings.

use serde_json::{Value, json};

use super::{ALICE, Browser, sandbox, signed_in};
use crate::{CallKind, Catalogue};

#[tokio::test]
async fn a_catalogue_is_not_sent_again_to_whoever_has_it() {
    let sandbox = sandbox().await;
    let browser = Browser::new(&sandbox);
    let url = format!("{}/catalogue.json", sandbox.provider_origin());
    let ask = async |etag: &str| browser.http.get(&url).header("if-none-match", etag).send().await.unwrap();
    assert_eq!(ask("").await.status(), 404);
    sandbox.change(|config| {
        config.provider.catalogue = Some(Catalogue { document: "{}".to_owned(), cors: true });
    });
    let first = ask("\"other\"").await;
    let etag = first.headers()["etag"].to_str().unwrap().to_owned();
    assert_eq!(
        (first.status().as_u16(), first.headers()["access-control-allow-origin"].to_str().unwrap()),
        (200, "*")
    );
    assert_eq!(first.text().await.unwrap(), "{}");
    let again = ask(&etag).await;
    assert_eq!((again.status().as_u16(), again.text().await.unwrap()), (304, String::new()));
    sandbox.change(|config| {
        config.provider.catalogue = Some(Catalogue { document: "{ }".to_owned(), cors: false });
    });
    let changed = ask(&etag).await;
    assert_eq!(
        (changed.status().as_u16(), changed.headers().get("access-control-allow-origin")),
        (200, None)
    );
    assert_eq!(sandbox.count(CallKind::Catalogue), 4);
}

#[tokio::test]
async fn the_role_service_lists_roles_to_whoever_has_an_id_token() {
    let (sandbox, tokens) = signed_in(ALICE).await;
    sandbox.change(|config| {
        config.provider.served_roles = vec!["arn:aws:iam::111111111111:role/served".to_owned()];
    });
    let browser = Browser::new(&sandbox);
    let keys: Value =
        browser.http.get(format!("{}/jwks", browser.issuer)).send().await.unwrap().json().await.unwrap();
    let ask = async |token: &str, keys: &Value| -> Value {
        let body = json!({ "token": token, "key": keys });
        let answer = browser.http.post(format!("{}/roles", browser.issuer)).json(&body).send().await.unwrap();
        answer.json().await.unwrap()
    };
    let served = ask(tokens.id_token(), &keys).await;
    assert_eq!(served["roles"], json!(["arn:aws:iam::111111111111:role/served"]));
    assert_eq!(served["aliases"]["111111111111"], json!(["example-dev"]));
    let forged = format!("{}x", tokens.id_token());
    assert_eq!(ask(&forged, &keys).await, json!({ "error": "Invalid token" }));
    assert_eq!(ask(tokens.id_token(), &json!({ "keys": [] })).await, json!({ "error": "Invalid token" }));
}
