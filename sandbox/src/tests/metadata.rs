//! Discovery, keys and how they change.

use super::{ALICE, Browser, READONLY, sandbox};
use crate::{KeyRotation, SigningAlgorithm};

#[tokio::test]
async fn discovery_names_the_endpoints_under_the_issuer() {
    let sandbox = sandbox().await;
    let browser = Browser::new(&sandbox);
    let answer = browser.get(&sandbox.well_known_url()).await;
    let document = answer.json();
    assert_eq!(document["issuer"], sandbox.issuer());
    assert_eq!(document["token_endpoint"], format!("{}/token", sandbox.issuer()));
    assert_eq!(document["code_challenge_methods_supported"], serde_json::json!(["S256"]));
    assert_eq!(document["id_token_signing_alg_values_supported"], serde_json::json!(["RS256"]));
    assert_eq!(document["authorization_response_iss_parameter_supported"], true);
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));

    sandbox.change(|config| config.provider.metadata_cors = false);
    assert_eq!(browser.get(&sandbox.well_known_url()).await.header("access-control-allow-origin"), None);
}

#[tokio::test]
async fn the_jwks_carries_public_members_only() {
    let sandbox = sandbox().await;
    let jwks = Browser::new(&sandbox).get(&format!("{}/jwks", sandbox.issuer())).await.json();
    let keys = jwks["keys"].as_array().unwrap();
    assert_eq!(keys.len(), 4);
    for key in keys {
        for private in ["d", "p", "q", "dp", "dq", "qi"] {
            assert!(key.get(private).is_none(), "{key}");
        }
    }
}

#[tokio::test]
async fn the_sts_accepts_every_algorithm_the_provider_can_sign_with() {
    let sandbox = sandbox().await;
    for (signing, name) in [
        (SigningAlgorithm::Rs256, "RS256"),
        (SigningAlgorithm::Rs384, "RS384"),
        (SigningAlgorithm::Rs512, "RS512"),
        (SigningAlgorithm::Es256, "ES256"),
        (SigningAlgorithm::Es384, "ES384"),
        (SigningAlgorithm::Es512, "ES512"),
    ] {
        sandbox.change(|config| config.provider.signing = signing);
        let browser = Browser::new(&sandbox);
        let tokens = browser.tokens(ALICE).await;
        assert_eq!(tokens.header()["alg"], name);
        assert_eq!(browser.assume(READONLY, tokens.id_token(), &[]).await.status, 200, "{name}");
    }
}

#[tokio::test]
async fn a_key_published_late_fails_at_the_sts_until_it_is_published() {
    let sandbox = sandbox().await;
    let browser = Browser::new(&sandbox);
    let kid = sandbox.rotate_keys(KeyRotation { retire_old: false, publish_late: true }).unwrap();
    let tokens = browser.tokens(ALICE).await;
    assert_eq!(tokens.header()["kid"], kid);
    let early = browser.assume(READONLY, tokens.id_token(), &[]).await;
    assert_eq!(early.aws_error(), (400, "InvalidIdentityToken".to_owned()));
    sandbox.publish_keys();
    assert_eq!(browser.assume(READONLY, tokens.id_token(), &[]).await.status, 200);
}

#[tokio::test]
async fn tokens_of_a_retired_key_are_refused_and_those_of_a_kept_one_are_not() {
    let sandbox = sandbox().await;
    let browser = Browser::new(&sandbox);
    let first = browser.tokens(ALICE).await;
    sandbox.rotate_keys(KeyRotation::default()).unwrap();
    assert_eq!(browser.assume(READONLY, first.id_token(), &[]).await.status, 200);
    sandbox.rotate_keys(KeyRotation { retire_old: true, publish_late: false }).unwrap();
    assert_eq!(browser.assume(READONLY, first.id_token(), &[]).await.status, 400);
    let jwks = browser.get(&format!("{}/jwks", sandbox.issuer())).await.json();
    let kids: Vec<&str> =
        jwks["keys"].as_array().unwrap().iter().filter_map(|key| key["kid"].as_str()).collect();
    assert_eq!(kids, ["sandbox-p256-1", "sandbox-p384-1", "sandbox-p521-1", "sandbox-rsa-3"]);
}
