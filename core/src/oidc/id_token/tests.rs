//! ID tokens good and bad. Keys are made here, with the crates that `jwt-compact` signs with; the vectors of the
//! standards stand at the end.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
#[cfg(not(target_arch = "wasm32"))]
use futures_executor::block_on;
#[cfg(not(target_arch = "wasm32"))]
use futures_test::test as async_test;
use jwt_compact::alg::{Es256, Hs256, Hs256Key, Rsa, RsaPrivateKey, RsaPublicKey};
use jwt_compact::jwk::JsonWebKey;
use jwt_compact::{Algorithm as _, AlgorithmExt, Claims as JwtClaims, Header};
#[cfg(not(target_arch = "wasm32"))]
use proptest::prelude::*;
use serde_json::{Value, json};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as async_test;

use super::*;

const NOW: i64 = 1_900_000_000;

/// An RSA key of 2048 bits, made once: it takes a while.
static RSA: LazyLock<RsaPrivateKey> = LazyLock::new(|| {
    Rsa::generate(&mut rand_core::OsRng, jwt_compact::alg::ModulusBits::TwoKibibytes).unwrap().0.into_inner()
});

static P256: LazyLock<p256::ecdsa::SigningKey> =
    LazyLock::new(|| p256::ecdsa::SigningKey::random(&mut rand_core::OsRng));

fn rsa_jwk(kid: &str) -> Value {
    let mut jwk = serde_json::to_value(JsonWebKey::from(&RsaPublicKey::from(&*RSA))).unwrap();
    jwk["kid"] = kid.into();
    jwk
}

fn p256_jwk(kid: &str) -> Value {
    let mut jwk = serde_json::to_value(JsonWebKey::from(P256.verifying_key())).unwrap();
    jwk["kid"] = kid.into();
    jwk
}

fn key_set(keys: &[Value]) -> KeySet {
    crate::json::from_str(&json!({ "keys": keys }).to_string()).unwrap()
}

fn claims() -> Value {
    json!({
        "iss": "https://idp.example", "aud": "client", "sub": "alice", "exp": NOW + 600, "iat": NOW - 10,
        "nonce": "n", "email": "alice@example.com", "amr": ["dev", "admin"], "roles": ["a", "b"],
    })
}

fn with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    claims[name] = value;
    claims
}

fn without(name: &str) -> Value {
    let mut claims = claims();
    claims.as_object_mut().unwrap().remove(name);
    claims
}

/// Signs any JSON text as a payload, also what a library would refuse to make.
fn sign_text(header: &Value, payload: &str) -> String {
    let message = format!("{}.{}", BASE64.encode(header.to_string()), BASE64.encode(payload));
    let signature = match header["alg"].as_str().unwrap_or_default() {
        "ES256" => Es256.sign(&P256, message.as_bytes()).to_bytes().to_vec(),
        alg @ ("RS256" | "RS384" | "RS512") => {
            use jwt_compact::AlgorithmSignature;
            Rsa::with_name(alg).sign(&RSA, message.as_bytes()).as_bytes().to_vec()
        }
        _ => Vec::new(),
    };
    format!("{message}.{}", BASE64.encode(signature))
}

fn sign(alg: &str, claims: &Value) -> String {
    sign_text(&json!({ "alg": alg, "kid": "k1" }), &claims.to_string())
}

fn expectations() -> ExpectedToken<'static> {
    ExpectedToken {
        username_claim: None,
        issuer: "https://idp.example",
        client_id: "client",
        nonce: Some("n"),
        roles_claim: Some("roles"),
        groups_claim: Some("groups"),
        clocks: (DateTime::from_timestamp(NOW, 0).unwrap(), None),
    }
}

async fn verify_with(
    token: String,
    keys: &[Value],
    expected: ExpectedToken<'_>,
) -> Result<IdToken, IdTokenError> {
    verify(token.into(), &key_set(keys), expected).await
}

async fn verify_rs256(claims: &Value) -> Result<IdToken, IdTokenError> {
    verify_with(sign("RS256", claims), &[rsa_jwk("k1")], expectations()).await
}

#[async_test]
async fn a_person_is_known_to_the_provider_by_the_surest_claim_or_by_the_one_that_the_settings_name() {
    let mut claims = claims();
    for (name, value, hint) in [
        ("sub", json!("00u1"), "alice@example.com"),
        ("upn", json!("alice@corp.example"), "alice@corp.example"),
        ("preferred_username", json!("aadams"), "aadams"),
        ("login_hint", json!(""), "aadams"),
        ("login_hint", json!(7), "aadams"),
        ("login_hint", json!("O.CiRh"), "O.CiRh"),
    ] {
        claims[name] = value;
        let person = verify_rs256(&claims).await.unwrap().person;
        assert_eq!((person.login_hint.as_deref(), person.username), (Some(hint), None), "{name}");
    }
    let named = ExpectedToken { username_claim: Some("upn"), ..expectations() };
    let person = verify_with(sign("RS256", &claims), &[rsa_jwk("k1")], named).await.unwrap().person;
    assert_eq!(person.login_hint, person.username);
    assert_eq!(person.label(), "alice@corp.example");
}

#[async_test]
async fn only_an_id_token_is_one() {
    for (name, value, is_taken) in [
        ("typ", json!("JWT"), true),
        ("typ", json!("jwt"), true),
        ("typ", json!("at+jwt"), false),
        ("typ", json!("application/at+JWT"), false),
        ("typ", json!("logout+jwt"), false),
        ("typ", json!("secevent+jwt"), false),
        ("typ", json!(7), false),
        ("kid", Value::Null, false),
        ("kid", json!(1), false),
    ] {
        let mut header = json!({ "alg": "ES256", "kid": "k1" });
        header[name] = value;
        let token = sign_text(&header, &claims().to_string());
        let verified = verify_with(token, &[p256_jwk("k1")], expectations()).await;
        let code = verified.map_or_else(|error| Some(error.code()), |_| None);
        assert_eq!(code, (!is_taken).then_some(Code::TokenMalformed), "{header}");
    }
    let events = json!({ "http://schemas.openid.net/event/backchannel-logout": {} });
    let error = verify_rs256(&with("events", events)).await.unwrap_err();
    assert_eq!(error.code(), Code::TokenMalformed);
}

#[async_test]
async fn a_good_token_tells_who_it_is_about() {
    let token = verify_rs256(&claims()).await.unwrap();
    assert_eq!(token.person.label(), "alice@example.com");
    assert_eq!(token.amr, ["dev", "admin"]);
    assert_eq!(token.roles, ["a", "b"]);
    assert_eq!(token.expires_at.timestamp(), NOW + 600);
}

#[async_test]
async fn every_offered_algorithm_verifies_with_its_own_kind_of_key_and_no_other() {
    for alg in ["RS256", "RS384", "RS512", "ES256"] {
        let (right, wrong) =
            if alg == "ES256" { (p256_jwk("k1"), rsa_jwk("k1")) } else { (rsa_jwk("k1"), p256_jwk("k1")) };
        assert!(verify_with(sign(alg, &claims()), &[right], expectations()).await.is_ok(), "{alg}");
        let error = verify_with(sign(alg, &claims()), &[wrong], expectations()).await.unwrap_err();
        assert_eq!(error, IdTokenError::KeyUnfit { alg: alg.to_owned() });
    }
}

#[async_test]
async fn a_token_that_is_not_signed_is_refused() {
    for alg in ["none", "None", "HS256", "HS512", "ES384", "PS256", "EdDSA", ""] {
        let error = verify_with(sign(alg, &claims()), &[rsa_jwk("k1")], expectations()).await.unwrap_err();
        assert_eq!(error.code(), Code::TokenAlgorithmRefused, "{alg}");
    }
}

#[async_test]
async fn a_public_key_is_never_taken_for_a_macs_secret() {
    let public = serde_json::to_string(&rsa_jwk("k1")).unwrap();
    let header = Header::empty().with_key_id("k1");
    let token = Hs256.token(&header, &JwtClaims::new(claims()), &Hs256Key::new(public.as_bytes())).unwrap();
    let error = verify_with(token, &[rsa_jwk("k1")], expectations()).await.unwrap_err();
    assert_eq!(error, IdTokenError::Algorithm { alg: "HS256".to_owned() });
}

#[async_test]
async fn a_key_is_used_for_what_it_is_published_for() {
    let with = |name: &str, value: Value| {
        let mut key = rsa_jwk("k1");
        key[name] = value;
        key
    };
    for (key, fits) in [
        (with("use", json!("sig")), true),
        (with("use", json!("enc")), false),
        (with("key_ops", json!(["verify"])), true),
        (with("key_ops", json!(["sign", "verify"])), true),
        (with("key_ops", json!(["encrypt"])), false),
        (with("key_ops", json!([])), false),
    ] {
        let result = verify_with(sign("RS256", &claims()), std::slice::from_ref(&key), expectations()).await;
        assert_eq!(result.is_ok(), fits, "{key}");
    }
}

#[async_test]
async fn session_tags_are_noticed_in_both_of_their_forms() {
    for (name, noticed) in [
        ("https://aws.amazon.com/tags", true),
        ("https://aws.amazon.com/tags/principal_tags/Team", true),
        ("https://aws.amazon.com/tagsonomy", false),
    ] {
        assert_eq!(verify_rs256(&with(name, json!({}))).await.unwrap().has_session_tags, noticed, "{name}");
    }
}

#[async_test]
async fn the_key_must_be_the_one_the_token_names() {
    let token = || sign("RS256", &claims());
    let mut stranger = p256_jwk("k2");
    for (keys, code) in [
        (vec![], Some(Code::TokenKeyUnknown)),
        (vec![rsa_jwk("k2")], Some(Code::TokenKeyUnknown)),
        (vec![rsa_jwk("k2"), rsa_jwk("k1")], None),
        (vec![json!({"kty": "moon", "kid": "k9"}), rsa_jwk("k1")], None),
    ] {
        assert_eq!(
            verify_with(token(), &keys, expectations()).await.err().map(|error| error.code()),
            code,
            "{keys:?}"
        );
    }
    // Another key under the right name.
    let foreign =
        Rsa::generate(&mut rand_core::OsRng, jwt_compact::alg::ModulusBits::TwoKibibytes).unwrap().1;
    let mut foreign = serde_json::to_value(JsonWebKey::from(&foreign.into_inner())).unwrap();
    foreign["kid"] = "k1".into();
    assert_eq!(verify_with(token(), &[foreign], expectations()).await.unwrap_err(), IdTokenError::Signature);
    // A key that is published for another use, or another algorithm.
    for (name, value) in [("use", "enc"), ("alg", "RS512")] {
        let mut key = rsa_jwk("k1");
        key[name] = value.into();
        assert_eq!(
            verify_with(token(), &[key], expectations()).await.unwrap_err().code(),
            Code::TokenKeyUnknown
        );
    }
    // Without a name, only a sole candidate will do.
    let nameless = || sign_text(&json!({ "alg": "RS256" }), &claims().to_string());
    assert!(verify_with(nameless(), &[rsa_jwk("k1"), stranger.take()], expectations()).await.is_ok());
    assert!(verify_with(nameless(), &[rsa_jwk("k1"), rsa_jwk("k2")], expectations()).await.is_err());
}

#[async_test]
async fn a_short_rsa_key_is_refused() {
    let weak = json!({ "kty": "RSA", "kid": "k1", "n": BASE64.encode([0xff_u8; 128]), "e": "AQAB" });
    assert_eq!(
        verify_with(sign("RS256", &claims()), &[weak], expectations()).await.unwrap_err(),
        IdTokenError::KeyWeak
    );
}

#[async_test]
async fn each_wrong_claim_has_its_own_error() {
    for (claims, code) in [
        (with("iss", json!("https://evil.example")), Code::TokenIssuerMismatch),
        (with("iss", json!("https://idp.example/")), Code::TokenIssuerMismatch),
        (with("aud", json!("other")), Code::TokenAudienceMismatch),
        (with("aud", json!(["other"])), Code::TokenAudienceMismatch),
        (with("aud", json!([])), Code::TokenAudienceMismatch),
        (with("aud", json!(["client", "other"])), Code::TokenClaimMissing),
        (with("azp", json!("other")), Code::TokenAudienceMismatch),
        (with("nonce", json!("m")), Code::TokenNonceMismatch),
        (with("exp", json!(NOW - 300)), Code::TokenExpired),
        (with("iat", json!(NOW + 301)), Code::TokenNotYetValid),
        (with("nbf", json!(NOW + 301)), Code::TokenNotYetValid),
        (with("exp", json!("1900000600")), Code::TokenClaimInvalid),
        (with("exp", json!(1_900_000_600.5)), Code::TokenClaimInvalid),
        (with("aud", json!(7)), Code::TokenClaimInvalid),
        (with("sub", json!("")), Code::TokenClaimMissing),
        (without("iss"), Code::TokenClaimMissing),
        (without("aud"), Code::TokenClaimMissing),
        (without("sub"), Code::TokenClaimMissing),
        (without("exp"), Code::TokenClaimMissing),
        (without("iat"), Code::TokenClaimMissing),
        (without("nonce"), Code::TokenClaimMissing),
    ] {
        assert_eq!(verify_rs256(&claims).await.unwrap_err().code(), code, "{claims}");
    }
}

#[async_test]
async fn what_the_standard_allows_is_accepted() {
    let mut several = with("aud", json!(["other", "client"]));
    several["azp"] = json!("client");
    for claims in [
        several,
        with("exp", json!(NOW - 299)),
        with("iat", json!(NOW + 300)),
        with("nbf", json!(NOW + 300)),
        with("amr", json!("mfa")),
        with("email", Value::Null),
        without("email"),
        // What is shown to people decides nothing.
        with("email", json!(["a"])),
        with("name", json!(7)),
        with("amr", json!([1])),
        without("amr"),
    ] {
        assert!(verify_rs256(&claims).await.is_ok(), "{claims}");
    }
}

#[async_test]
async fn every_token_of_a_provider_on_record_is_read_as_what_it_is() {
    for row in include_str!("../../../../tests/recorded/id-tokens.jsonl").lines() {
        let row: Value = serde_json::from_str(row).unwrap();
        let mut claims = claims();
        let members = claims.as_object_mut().unwrap();
        members.extend(row["claims"].as_object().unwrap().clone());
        if let Some(lifetime) = members.remove("lifetime") {
            members.insert("exp".to_owned(), json!(NOW - 10 + lifetime.as_i64().unwrap()));
        }
        members.retain(|_, value| !value.is_null());
        let mut text = claims.to_string();
        if let Some(again) = row.get("again") {
            text = format!("{},{}", text.trim_end_matches('}'), again.to_string().trim_start_matches('{'));
        }
        let token = sign_text(&json!({ "alg": "RS256", "kid": "k1" }), &text);
        match verify_with(token, &[rsa_jwk("k1")], expectations()).await {
            Ok(token) => {
                assert_eq!(row["code"], Value::Null, "{row}");
                assert_eq!(json!(token.amr), claims.get("amr").cloned().unwrap_or(json!([])), "{row}");
                assert_eq!(token.has_session_tags, row["session_tags"] == true, "{row}");
            }
            Err(error) => assert_eq!(row["code"], error.code().as_str(), "{row}"),
        }
    }
}

#[async_test]
async fn a_wrong_local_clock_does_not_lock_a_person_out() {
    let an_hour = TimeDelta::hours(1);
    let right = DateTime::from_timestamp(NOW, 0).unwrap();
    for local in [right - an_hour, right + an_hour] {
        let alone = ExpectedToken { clocks: (local, None), ..expectations() };
        assert!(verify_with(sign("RS256", &claims()), &[rsa_jwk("k1")], alone).await.is_err());
        let told = ExpectedToken { clocks: (local, Some(right)), ..expectations() };
        assert!(verify_with(sign("RS256", &claims()), &[rsa_jwk("k1")], told).await.is_ok());
    }
}

#[async_test]
async fn duplicate_names_are_refused_in_claims_and_header() {
    let text = claims().to_string();
    for name in ["iss", "sub", "exp", "nonce", "anything"] {
        let first =
            if name == "anything" { format!("{{\"anything\":1,{}", &text[1..]) } else { text.clone() };
        let payload = format!("{{\"{name}\":\"x\",{}", &first[1..]);
        let token = sign_text(&json!({ "alg": "RS256", "kid": "k1" }), &payload);
        let error = verify_with(token, &[rsa_jwk("k1")], expectations()).await.unwrap_err();
        assert_eq!(error, IdTokenError::Duplicate(name.to_owned()));
    }
    let header = BASE64.encode(r#"{"alg":"none","alg":"RS256","kid":"k1"}"#);
    let token = sign("RS256", &claims());
    let token = format!("{header}{}", &token[token.find('.').unwrap()..]);
    assert_eq!(
        verify_with(token, &[rsa_jwk("k1")], expectations()).await.unwrap_err(),
        IdTokenError::Duplicate("alg".into())
    );
}

#[async_test]
async fn an_unknown_critical_header_is_refused() {
    let header = json!({ "alg": "RS256", "kid": "k1", "crit": ["b64"], "b64": false });
    let token = sign_text(&header, &claims().to_string());
    assert_eq!(
        verify_with(token, &[rsa_jwk("k1")], expectations()).await.unwrap_err(),
        IdTokenError::Malformed
    );
}

#[async_test]
async fn every_changed_byte_of_a_token_breaks_it() {
    let token = sign("ES256", &claims());
    for index in (0..token.len()).step_by(7) {
        let mut bytes = token.clone().into_bytes();
        bytes[index] = if bytes[index] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(bytes).unwrap();
        // The last character of each part has bits that mean nothing; base64 refuses them.
        assert!(verify_with(changed, &[p256_jwk("k1")], expectations()).await.is_err(), "byte {index}");
    }
}

#[cfg(not(target_arch = "wasm32"))]

proptest! {
    #[test]
    fn no_text_is_a_token(text in "\\PC{0,100}") {
        prop_assert!(block_on(verify_with(text, &[], expectations())).is_err());
    }

    #[test]
    fn no_three_json_parts_are_a_token_without_a_key(a in "\\PC{0,20}", b in "\\PC{0,20}") {
        let token = format!("{}.{}.{}", BASE64.encode(a), BASE64.encode(b), BASE64.encode("x"));
        prop_assert!(block_on(verify_with(token, &[rsa_jwk("k1")], expectations())).is_err());
    }
}

/// RFC 7515 appendix A.2 (RS256) and A.3 (ES256): the signatures of the standard verify with the keys of the
/// standard. Their payload is no ID token (it lacks claims), which is found out only after the signature.
#[async_test]
async fn the_signatures_of_rfc_7515_verify() {
    let payload =
        "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
    let rsa_key = json!({
        "kty": "RSA",
        "n": "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ",
        "e": "AQAB",
    });
    let rsa_token = format!(
        "eyJhbGciOiJSUzI1NiJ9.{payload}.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"
    );
    let ec_key = json!({
        "kty": "EC", "crv": "P-256",
        "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    });
    let ec_token = format!(
        "eyJhbGciOiJFUzI1NiJ9.{payload}.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
    );
    for (token, key) in [(rsa_token, rsa_key), (ec_token, ec_key)] {
        let tampered = token.replacen("pc19yb290", "pc19yb291", 1);
        assert_ne!(tampered, token);
        let error = verify_with(token, std::slice::from_ref(&key), expectations()).await.unwrap_err();
        assert_eq!(error.code(), Code::TokenIssuerMismatch, "the signature is good");
        let error = verify_with(tampered, &[key], expectations()).await.unwrap_err();
        assert_eq!(error, IdTokenError::Signature);
    }
}

/// RFC 7517 appendix A.1: the public keys of the standard are read; each is bound to its own use.
#[async_test]
async fn the_key_set_of_rfc_7517_is_read() {
    let keys = key_set(&[
        json!({"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM","use":"enc","kid":"1"}),
        json!({"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw","e":"AQAB","alg":"RS256","kid":"2011-04-29"}),
    ]);
    assert!(keys.select(Some("2011-04-29"), "RS256").is_ok());
    assert_eq!(
        keys.select(Some("2011-04-29"), "RS512").err(),
        Some(IdTokenError::KeyUnfit { alg: "RS512".into() })
    );
    assert_eq!(keys.select(Some("1"), "ES256").err(), Some(IdTokenError::KeyUnfit { alg: "ES256".into() }));
}
