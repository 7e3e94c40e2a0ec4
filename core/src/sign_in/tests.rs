//! The whole sign-in against a scripted outside world: which requests are made, in which order, and what becomes
//! of each failure. The provider of these tests really signs, with ES256.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::pin;
use std::result::Result;
use std::task::{Context, Poll, Waker};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use jwt_compact::Algorithm;
use jwt_compact::alg::Es256;
use jwt_compact::jwk::JsonWebKey;
use p256::ecdsa::SigningKey;
use secrecy::ExposeSecret;
use serde_json::json;
use url::Url;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;
use crate::error::Code;
use crate::platform::{RandomnessError, Route};
use crate::settings::fixture;

/// A provider and an STS that follow a script, and a log of what was asked of them.
struct World {
    key: SigningKey,
    kid: RefCell<String>,
    published_kid: RefCell<String>,
    now: Cell<i64>,
    session: Cell<bool>,
    sub: RefCell<String>,
    grants_refresh: Cell<bool>,
    refresh_works: Cell<bool>,
    codes_work_from: Cell<u32>,
    codes: Cell<u32>,
    max_duration: Cell<u32>,
    sts_errors: RefCell<Vec<(u16, &'static str, &'static str)>>,
    window: RefCell<Result<(), AuthorizeError>>,
    nonce: RefCell<String>,
    log: RefCell<Vec<String>>,
}

impl World {
    fn new() -> Self {
        Self {
            key: SigningKey::random(&mut rand_core::OsRng),
            kid: RefCell::new("k1".into()),
            published_kid: RefCell::new("k1".into()),
            now: Cell::new(1_900_000_000),
            session: Cell::new(true),
            sub: RefCell::new("alice".into()),
            grants_refresh: Cell::new(false),
            refresh_works: Cell::new(true),
            codes_work_from: Cell::new(0),
            codes: Cell::new(0),
            max_duration: Cell::new(43_200),
            sts_errors: RefCell::default(),
            window: RefCell::new(Ok(())),
            nonce: RefCell::default(),
            log: RefCell::default(),
        }
    }

    fn id_token(&self, nonce: Option<&str>) -> String {
        let header = json!({ "alg": "ES256", "kid": *self.kid.borrow() });
        let mut claims = json!({
            "iss": "https://idp.example", "aud": "abcdef", "sub": *self.sub.borrow(),
            "email": format!("{}@example.com", self.sub.borrow()),
            "roles": ["arn:aws:iam::123456789012:role/listed", "no role"],
            "iat": self.now.get(), "exp": self.now.get() + 3_600,
        });
        if let Some(nonce) = nonce {
            claims["nonce"] = nonce.into();
        }
        let message = format!("{}.{}", BASE64.encode(header.to_string()), BASE64.encode(claims.to_string()));
        let signature = Es256.sign(&self.key, message.as_bytes()).to_bytes();
        format!("{message}.{}", BASE64.encode(signature))
    }

    fn tokens(&self, nonce: Option<&str>) -> HttpResponse {
        let mut tokens =
            json!({ "token_type": "Bearer", "access_token": "x", "id_token": self.id_token(nonce) });
        if self.grants_refresh.get() {
            tokens["refresh_token"] = "refresh".into();
        }
        answer(200, &tokens.to_string())
    }

    fn take_log(&self) -> Vec<String> {
        std::mem::take(&mut self.log.borrow_mut())
    }

    fn sts(&self, form: &BTreeMap<String, String>) -> HttpResponse {
        let error = |status, code: &str, message: &str| {
            answer(
                status,
                &format!(
                    "<ErrorResponse><Error><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>"
                ),
            )
        };
        if let Some((status, code, message)) = self.sts_errors.borrow_mut().pop() {
            return error(status, code, message);
        }
        let seconds: u32 = form["DurationSeconds"].parse().unwrap();
        if seconds > self.max_duration.get() {
            return error(
                400,
                "ValidationError",
                "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
            );
        }
        let expiration =
            DateTime::from_timestamp(self.now.get() + i64::from(seconds), 0).unwrap().to_rfc3339();
        answer(
            200,
            &format!(
                "<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>ASIA{}</AccessKeyId>\
                 <SecretAccessKey>secret</SecretAccessKey><SessionToken>token</SessionToken><Expiration>{expiration}</Expiration>\
                 </Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>",
                form["RoleSessionName"]
            ),
        )
    }
}

impl Platform for World {
    fn redirect_uri(&self) -> Url {
        "https://abc.chromiumapp.org/".parse().unwrap()
    }

    async fn authorize(&self, url: &Url, interaction: Interaction) -> Result<Url, AuthorizeError> {
        let query: BTreeMap<String, String> = url.query_pairs().into_owned().collect();
        assert_eq!(query["code_challenge_method"], "S256");
        assert_eq!(
            query.get("prompt").is_some_and(|prompt| prompt == "none"),
            interaction == Interaction::Silent
        );
        self.log.borrow_mut().push(format!("{interaction:?}"));
        if interaction == Interaction::Window {
            self.window.borrow().clone()?;
            self.session.set(true);
        }
        let mut redirect = self.redirect_uri();
        let state = &query["state"];
        if self.session.get() {
            self.nonce.replace(query["nonce"].clone());
            self.codes.set(self.codes.get() + 1);
            redirect.query_pairs_mut().append_pair("code", "c").append_pair("state", state);
        } else {
            redirect.query_pairs_mut().append_pair("error", "login_required").append_pair("state", state);
        }
        Ok(redirect)
    }

    async fn send(&self, request: HttpRequest, _: Route) -> Result<HttpResponse, TransportError> {
        let form: BTreeMap<String, String> =
            url::form_urlencoded::parse(request.body()).into_owned().collect();
        let uri = request.uri().to_string();
        let (what, response) = match uri.as_str() {
            "https://idp.example/.well-known/openid-configuration" => (
                "discovery".to_owned(),
                answer(
                    200,
                    &json!({
                        "issuer": "https://idp.example",
                        "authorization_endpoint": "https://idp.example/authorize",
                        "token_endpoint": "https://idp.example/token",
                        "jwks_uri": "https://idp.example/jwks",
                        "revocation_endpoint": "https://idp.example/revoke",
                        "end_session_endpoint": "https://idp.example/logout",
                    })
                    .to_string(),
                ),
            ),
            "https://idp.example/jwks" => {
                let mut key = serde_json::to_value(JsonWebKey::from(self.key.verifying_key())).unwrap();
                key["kid"] = self.published_kid.borrow().clone().into();
                ("keys".to_owned(), answer(200, &json!({ "keys": [key] }).to_string()))
            }
            "https://idp.example/token" if form["grant_type"] == "refresh_token" => (
                "refresh".to_owned(),
                if self.refresh_works.get() {
                    self.tokens(None)
                } else {
                    answer(400, r#"{"error":"invalid_grant"}"#)
                },
            ),
            "https://idp.example/revoke" => (format!("revoke {}", form["token"]), answer(200, "")),
            "https://idp.example/token" => (
                "code".to_owned(),
                if self.codes.get() > self.codes_work_from.get() {
                    self.tokens(Some(&self.nonce.borrow()))
                } else {
                    answer(400, r#"{"error":"invalid_grant"}"#)
                },
            ),
            "https://sts.eu-west-1.amazonaws.com/" => {
                assert_eq!(request.method(), http::Method::POST);
                (format!("sts {}", form["DurationSeconds"]), self.sts(&form))
            }
            other => panic!("nobody should ask {other}"),
        };
        self.log.borrow_mut().push(what);
        Ok(response)
    }

    fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp(self.now.get(), 0).unwrap()
    }

    fn random(&self, bytes: &mut [u8]) -> Result<(), RandomnessError> {
        rand_core::RngCore::fill_bytes(&mut rand_core::OsRng, bytes);
        Ok(())
    }

    fn progress(&self, _: Step) {}
}

fn answer(status: u16, body: &str) -> HttpResponse {
    http::Response::builder().status(status).body(body.as_bytes().to_vec()).unwrap()
}

/// Nothing in these tests waits, so one poll is enough.
fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("something waits"),
    }
}

fn sign_in_as(world: &World, presence: Presence, memory: &mut Memory) -> crate::Result<Credentials> {
    now(sign_in(world, &fixture::provider(), &fixture::role(), presence, TimeDelta::minutes(15), memory))
}

#[test]
fn somebody_with_a_session_at_the_provider_signs_in_without_a_window() {
    let (world, mut memory) = (World::new(), Memory::default());
    let credentials = sign_in_as(&world, Presence::Person, &mut memory).unwrap();
    assert_eq!(credentials.access_key_id, "ASIAalice@example.com");
    assert_eq!(world.take_log(), ["discovery", "keys", "Silent", "code", "sts 43200"]);
    assert_eq!(memory.person().unwrap().label(), "alice@example.com");
}

#[test]
fn without_a_session_a_person_gets_a_window_and_a_timer_does_not() {
    let (world, mut memory) = (World::new(), Memory::default());
    world.session.set(false);
    let error = sign_in_as(&world, Presence::Nobody, &mut memory).unwrap_err();
    assert_eq!(error.code(), Code::SignInNeeded);
    assert_eq!(world.take_log(), ["discovery", "keys", "Silent"]);
    assert!(sign_in_as(&world, Presence::Person, &mut memory).is_ok());
    assert_eq!(world.take_log(), ["Silent", "Window", "code", "sts 43200"]);
}

#[test]
fn sources_are_tried_cheapest_first() {
    let (world, mut memory) = (World::new(), Memory::default());
    world.grants_refresh.set(true);
    world.max_duration.set(3_600);
    sign_in_as(&world, Presence::Person, &mut memory).unwrap();
    world.take_log();
    // Credentials in memory.
    sign_in_as(&world, Presence::Nobody, &mut memory).unwrap();
    assert_eq!(world.take_log(), [""; 0]);
    // The ID token, once credentials are about to run out.
    world.now.set(world.now.get() + 3_000);
    sign_in_as(&world, Presence::Nobody, &mut memory).unwrap();
    assert_eq!(world.take_log(), ["sts 3600"]);
    // The refresh token, once the ID token has run out.
    world.now.set(world.now.get() + 3_000);
    sign_in_as(&world, Presence::Nobody, &mut memory).unwrap();
    assert_eq!(world.take_log(), ["discovery", "keys", "refresh", "sts 3600"]);
    // A silent redirect, once the refresh token is refused.
    world.refresh_works.set(false);
    world.now.set(world.now.get() + 3_600);
    sign_in_as(&world, Presence::Nobody, &mut memory).unwrap();
    assert_eq!(world.take_log(), ["discovery", "keys", "refresh", "Silent", "code", "sts 3600"]);
}

#[test]
fn a_roles_shorter_maximum_is_found_once_and_remembered() {
    let (world, mut memory) = (World::new(), Memory::default());
    world.max_duration.set(3_600);
    sign_in_as(&world, Presence::Person, &mut memory).unwrap();
    assert_eq!(world.take_log()[4..], ["sts 43200", "sts 3600"]);
    memory.forget_role(&fixture::role().arn);
    sign_in_as(&world, Presence::Person, &mut memory).unwrap();
    assert_eq!(world.take_log(), ["sts 3600"]);
}

#[test]
fn an_outage_behind_sts_is_tried_once_more_and_no_more() {
    let outage =
        (400, "InvalidIdentityToken", "Couldn't retrieve verification key from your identity provider");
    for (failures, code) in [(1, None), (2, Some(Code::StsProviderUnreachable))] {
        let (world, mut memory) = (World::new(), Memory::default());
        world.sts_errors.replace(vec![outage; failures]);
        let result = sign_in_as(&world, Presence::Person, &mut memory);
        assert_eq!(result.err().map(|error| error.code()), code);
        assert_eq!(world.take_log()[4..], ["sts 43200", "sts 43200"]);
    }
}

#[test]
fn a_token_that_sts_finds_expired_is_replaced_silently() {
    let (world, mut memory) = (World::new(), Memory::default());
    sign_in_as(&world, Presence::Person, &mut memory).unwrap();
    world.take_log();
    memory.forget_role(&fixture::role().arn);
    world.sts_errors.replace(vec![(400, "ExpiredTokenException", "Token expired")]);
    sign_in_as(&world, Presence::Nobody, &mut memory).unwrap();
    assert_eq!(world.take_log(), ["sts 43200", "Silent", "code", "sts 43200"]);
}

#[test]
fn a_refusal_is_believed_only_of_a_new_token() {
    let denied = (403, "AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity");
    for (refusals, code) in [(1, None), (2, Some(Code::StsAccessDenied))] {
        let (world, mut memory) = (World::new(), Memory::default());
        sign_in_as(&world, Presence::Person, &mut memory).unwrap();
        world.take_log();
        memory.forget_role(&fixture::role().arn);
        world.sts_errors.replace(vec![denied; refusals]);
        let result = sign_in_as(&world, Presence::Person, &mut memory);
        assert_eq!(result.err().map(|error| error.code()), code);
        assert_eq!(world.take_log(), ["sts 43200", "Silent", "code", "sts 43200"]);
    }
}

#[test]
fn nothing_of_one_client_is_served_to_another_of_the_same_name() {
    let (world, mut memory) = (World::new(), Memory::default());
    sign_in_as(&world, Presence::Person, &mut memory).unwrap();
    world.session.set(false);
    let other = Provider { client_id: "other".into(), ..fixture::provider() };
    let role = fixture::role();
    let result = now(sign_in(&world, &other, &role, Presence::Nobody, TimeDelta::minutes(15), &mut memory));
    assert_eq!(result.unwrap_err().code(), Code::SignInNeeded);
    assert!(memory.person().is_none());
}

#[test]
fn credentials_of_15_minutes_are_used_for_half_of_them() {
    let (world, mut memory) = (World::new(), Memory::default());
    world.max_duration.set(900);
    sign_in_as(&world, Presence::Person, &mut memory).unwrap();
    world.take_log();
    world.now.set(world.now.get() + 449);
    sign_in_as(&world, Presence::Person, &mut memory).unwrap();
    assert_eq!(world.take_log(), [""; 0]);
    world.now.set(world.now.get() + 1);
    sign_in_as(&world, Presence::Person, &mut memory).unwrap();
    assert_eq!(world.take_log(), ["sts 900"]);
}

#[test]
fn a_code_that_was_used_up_on_the_way_is_replaced_once() {
    let (world, mut memory) = (World::new(), Memory::default());
    world.codes_work_from.set(1);
    assert!(sign_in_as(&world, Presence::Person, &mut memory).is_ok());
    assert_eq!(world.take_log(), ["discovery", "keys", "Silent", "code", "Silent", "code", "sts 43200"]);

    let (world, mut memory) = (World::new(), Memory::default());
    world.codes_work_from.set(u32::MAX);
    assert_eq!(sign_in_as(&world, Presence::Person, &mut memory).unwrap_err().code(), Code::TokenRefused);
    assert_eq!(world.take_log(), ["discovery", "keys", "Silent", "code", "Silent", "code"]);
}

#[test]
fn a_rotated_key_is_fetched_once() {
    let (world, mut memory) = (World::new(), Memory::default());
    sign_in_as(&world, Presence::Person, &mut memory).unwrap();
    world.take_log();
    now(sign_out(&world, &fixture::provider(), &mut memory));
    world.kid.replace("k2".into());
    world.published_kid.replace("k2".into());
    sign_in_as(&world, Presence::Person, &mut memory).unwrap();
    assert_eq!(world.take_log(), ["Silent", "code", "keys", "sts 43200"]);
    // A key that is never published is not looked for again and again.
    now(sign_out(&world, &fixture::provider(), &mut memory));
    world.kid.replace("k3".into());
    assert_eq!(sign_in_as(&world, Presence::Person, &mut memory).unwrap_err().code(), Code::TokenKeyUnknown);
    assert_eq!(world.take_log(), ["Silent", "code", "keys"]);
}

#[test]
fn a_closed_window_is_said_to_be_closed() {
    let (world, mut memory) = (World::new(), Memory::default());
    world.session.set(false);
    *world.window.borrow_mut() = Err(AuthorizeError::Cancelled);
    assert_eq!(sign_in_as(&world, Presence::Person, &mut memory).unwrap_err().code(), Code::SignInCancelled);
}

#[test]
fn another_person_at_the_provider_gets_nothing_of_the_one_before() {
    let (world, mut memory) = (World::new(), Memory::default());
    sign_in_as(&world, Presence::Person, &mut memory).unwrap();
    world.sub.replace("mallory".into());
    now(authenticate(&world, &fixture::provider(), Presence::Person, &mut memory)).unwrap();
    assert_eq!(memory.expirations().count(), 0);
    assert_eq!(memory.person().unwrap().sub, "mallory");
}

#[test]
fn a_refreshed_token_of_another_person_is_refused() {
    let (world, mut memory) = (World::new(), Memory::default());
    world.grants_refresh.set(true);
    sign_in_as(&world, Presence::Person, &mut memory).unwrap();
    world.take_log();
    world.sub.replace("mallory".into());
    world.session.set(false);
    let error = now(authenticate(&world, &fixture::provider(), Presence::Nobody, &mut memory)).unwrap_err();
    assert_eq!(error.code(), Code::SignInNeeded);
    assert_eq!(world.take_log(), ["refresh", "Silent"]);
}

#[test]
fn the_roles_that_a_provider_lists_are_known_while_the_person_is_signed_in() {
    let (world, mut memory) = (World::new(), Memory::default());
    let provider = Provider { roles_claim: Some("roles".into()), ..fixture::provider() };
    now(authenticate(&world, &provider, Presence::Person, &mut memory)).unwrap();
    assert_eq!(memory.listed_roles().iter().map(RoleArn::name).collect::<Vec<_>>(), ["listed"]);
    now(sign_out(&world, &fixture::provider(), &mut memory));
    assert!(memory.listed_roles().is_empty());
}

#[test]
fn signing_out_revokes_the_refresh_token_and_tells_where_the_session_ends() {
    let (world, mut memory) = (World::new(), Memory::default());
    world.grants_refresh.set(true);
    assert_eq!(now(sign_out(&world, &fixture::provider(), &mut memory)), None, "nobody was signed in");
    assert_eq!(world.take_log(), [""; 0]);
    sign_in_as(&world, Presence::Person, &mut memory).unwrap();
    world.take_log();
    let page = now(sign_out(&world, &fixture::provider(), &mut memory)).unwrap();
    assert_eq!(page.as_str(), "https://idp.example/logout?client_id=abcdef");
    assert_eq!(world.take_log(), ["revoke refresh"]);
    assert!(memory.person().is_none());
    assert_eq!(memory.expirations().count(), 0);
}

#[test]
fn memory_survives_its_way_through_storage() {
    let (world, mut memory) = (World::new(), Memory::default());
    world.grants_refresh.set(true);
    let before = sign_in_as(&world, Presence::Person, &mut memory).unwrap();
    let text = serde_json::to_string(&memory).unwrap();
    let mut memory: Memory = serde_json::from_str(&text).unwrap();
    world.take_log();
    let after = sign_in_as(&world, Presence::Nobody, &mut memory).unwrap();
    assert_eq!(after.session_token.expose_secret(), before.session_token.expose_secret());
    assert_eq!(world.take_log(), [""; 0]);
}

#[test]
fn groups_that_a_second_factor_replaced_are_named_as_the_cause() {
    let token = |amr: &[&str]| IdToken {
        text: "x".into(),
        expires_at: DateTime::UNIX_EPOCH,
        person: Person { sub: "s".into(), email: None, name: None },
        amr: amr.iter().map(|&value| value.to_owned()).collect(),
        roles: vec![],
    };
    let denied = || StsError::AccessDenied { role: None, message: String::new() };
    let role = fixture::role().arn;
    assert_eq!(denied().explained(&role, &token(&["mfa"])).code(), Code::StsGroupsReplaced);
    assert_eq!(denied().explained(&role, &token(&["pwd", "mfa"])).code(), Code::StsGroupsReplaced);
    assert_eq!(denied().explained(&role, &token(&["dev", "mfa"])).code(), Code::StsAccessDenied);
    assert_eq!(denied().explained(&role, &token(&[])).code(), Code::StsAccessDenied);
}
