//! The whole sign-in against a scripted outside world: which requests are made, in which order, and what becomes
//! of each failure. The provider of these tests really signs, with ES256.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::Future;
use std::result::Result;
use std::task::{Context, Poll, Waker};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
#[cfg(not(target_arch = "wasm32"))]
use futures_test::test as async_test;
use jwt_compact::Algorithm;
use jwt_compact::alg::Es256;
use jwt_compact::jwk::JsonWebKey;
use p256::ecdsa::SigningKey;
use secrecy::ExposeSecret;
use serde_json::json;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::{wasm_bindgen_test as async_test, wasm_bindgen_test as test};

use super::*;
use crate::code::Code;
use crate::oidc::Person;
use crate::platform::{Method, RandomnessError, Route};
use crate::settings::fixture;
use crate::time::{DateTime, Utc};

mod chaining;

/// A provider and an STS that follow a script, and a log of what was asked of them.
struct World {
    key: RefCell<SigningKey>,
    /// What the provider publishes, if it is not the key that it signs with.
    old_key: RefCell<Option<SigningKey>>,
    kid: RefCell<String>,
    published_kid: RefCell<String>,
    now: Cell<i64>,
    session: Cell<bool>,
    answers_silently: Cell<bool>,
    id_token_lifetime: Cell<i64>,
    sub: RefCell<String>,
    grants_refresh: Cell<bool>,
    /// The answers of the token endpoint to a refresh, the last one first; none is a success.
    refusals: RefCell<Vec<HttpResponse>>,
    codes_work_from: Cell<u32>,
    codes: Cell<u32>,
    max_duration: Cell<u32>,
    sts_errors: RefCell<Vec<(u16, &'static str, &'static str)>>,
    /// Of `AssumeRole`.
    chained_errors: RefCell<Vec<(u16, &'static str, &'static str)>>,
    /// How far the clock of STS is ahead of this computer's, in seconds.
    clock_error: Cell<i64>,
    lost_connections: Cell<u32>,
    prompts: RefCell<Vec<String>>,
    prompt_values: RefCell<serde_json::Value>,
    refuses_select_account: Cell<bool>,
    window: RefCell<Result<(), AuthorizeError>>,
    nonce: RefCell<String>,
    log: RefCell<Vec<String>>,
    /// How much longer the ID token is than it has to be.
    padding: Cell<usize>,
}

impl World {
    fn new() -> Self {
        Self {
            key: RefCell::new(SigningKey::random(&mut rand_core::OsRng)),
            old_key: RefCell::default(),
            padding: Cell::default(),
            kid: RefCell::new("k1".into()),
            published_kid: RefCell::new("k1".into()),
            now: Cell::new(1_900_000_000),
            session: Cell::new(true),
            answers_silently: Cell::new(true),
            id_token_lifetime: Cell::new(3_600),
            sub: RefCell::new("alice".into()),
            grants_refresh: Cell::new(false),
            refusals: RefCell::default(),
            codes_work_from: Cell::new(0),
            codes: Cell::new(0),
            max_duration: Cell::new(43_200),
            sts_errors: RefCell::default(),
            chained_errors: RefCell::default(),
            clock_error: Cell::new(0),
            lost_connections: Cell::new(0),
            prompts: RefCell::default(),
            prompt_values: RefCell::default(),
            refuses_select_account: Cell::new(false),
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
            "iat": self.now.get(), "exp": self.now.get() + self.id_token_lifetime.get(),
        });
        if let Some(nonce) = nonce {
            claims["nonce"] = nonce.into();
        }
        claims["groups"] = "x".repeat(self.padding.get()).into();
        let message = format!("{}.{}", BASE64.encode(header.to_string()), BASE64.encode(claims.to_string()));
        let signature = Es256.sign(&self.key.borrow(), message.as_bytes()).to_bytes();
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
        let is_chained = form["Action"] == "AssumeRole";
        let errors = if is_chained { &self.chained_errors } else { &self.sts_errors };
        if let Some((status, code, message)) = errors.borrow_mut().pop() {
            return error(status, code, message);
        }
        self.sts_in_main_region(form)
    }

    fn sts_in_main_region(&self, form: &BTreeMap<String, String>) -> HttpResponse {
        let seconds: u32 = form["DurationSeconds"].parse().unwrap();
        if seconds > self.max_duration.get() {
            return error(
                400,
                "ValidationError",
                "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
            );
        }
        let expiration = DateTime::from_timestamp(self.now.get() + i64::from(seconds), 0).unwrap();
        let expiration = crate::time::to_rfc3339(expiration);
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
    fn redirect_uri(&self, _: bool) -> Url {
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
        let prompt = query.get("prompt").cloned().unwrap_or_default();
        self.prompts.borrow_mut().push(prompt.clone());
        if prompt == "select_account" && self.refuses_select_account.get() {
            let mut redirect = self.redirect_uri(false);
            redirect
                .query_pairs_mut()
                .append_pair("error", "invalid_request")
                .append_pair("state", &query["state"]);
            return Ok(redirect);
        }
        if interaction == Interaction::Window {
            self.window.borrow().clone()?;
            self.session.set(true);
        }
        let mut redirect = self.redirect_uri(false);
        let state = &query["state"];
        if self.session.get() && (interaction == Interaction::Window || self.answers_silently.get()) {
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
            form_urlencoded::parse(request.body.expose_secret()).into_owned().collect();
        let uri = request.url.to_string();
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
                        "prompt_values_supported": *self.prompt_values.borrow(),
                    })
                    .to_string(),
                ),
            ),
            "https://idp.example/jwks" => {
                let published = self.old_key.borrow().clone().unwrap_or_else(|| self.key.borrow().clone());
                let mut key = serde_json::to_value(JsonWebKey::from(published.verifying_key())).unwrap();
                key["kid"] = self.published_kid.borrow().clone().into();
                ("keys".to_owned(), answer(200, &json!({ "keys": [key] }).to_string()))
            }
            "https://idp.example/token" if form["grant_type"] == "refresh_token" => {
                ("refresh".to_owned(), self.refusals.borrow_mut().pop().unwrap_or_else(|| self.tokens(None)))
            }
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
                assert_eq!(request.method, Method::Post);
                assert!(
                    request.headers.iter().all(|(name, _)| *name != "accept"),
                    "STS answers JSON to who accepts it"
                );
                if self.lost_connections.get() > 0 {
                    self.lost_connections.set(self.lost_connections.get() - 1);
                    self.log.borrow_mut().push("lost".to_owned());
                    return Err(TransportError::Unreachable { host: "sts".into(), reason: "reset".into() });
                }
                let call = match form["Action"].as_str() {
                    "AssumeRole" => format!("chained {}", form["RoleArn"].rsplit('/').next().unwrap()),
                    _ => format!("sts {}", form["DurationSeconds"]),
                };
                let now = DateTime::from_timestamp(self.now.get() + self.clock_error.get(), 0).unwrap();
                let date = request.signature.iter().find(|(name, _)| *name == "x-amz-date");
                let is_late = date
                    .is_some_and(|(_, date)| date.expose_secret() != crate::time::compact(now).as_bytes());
                let mut response = if is_late {
                    error(403, "SignatureDoesNotMatch", "Signature expired")
                } else {
                    self.sts(&form)
                };
                let date = crate::time::to_http_date(now);
                response.headers.push(("date".to_owned(), date));
                (call, response)
            }
            "https://sts.us-east-1.amazonaws.com/" => {
                (format!("main {}", form["DurationSeconds"]), self.sts_in_main_region(&form))
            }
            other => panic!("nobody should ask {other}"),
        };
        self.log.borrow_mut().push(what);
        Ok(response)
    }

    async fn wait(&self, duration: std::time::Duration) {
        assert!(duration < std::time::Duration::from_secs(3));
        self.log.borrow_mut().push("wait".to_owned());
    }

    fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp(self.now.get(), 0).unwrap()
    }

    fn random(&self, bytes: &mut [u8]) -> Result<(), RandomnessError> {
        rand_core::RngCore::fill_bytes(&mut rand_core::OsRng, bytes);
        Ok(())
    }

    fn progress(&self, step: Step) {
        if step == Step::AssumingRoleInMainRegion {
            self.log.borrow_mut().push("told".to_owned());
        }
    }
}

fn error(status: u16, code: &str, message: &str) -> HttpResponse {
    let error = format!("<Error><Code>{code}</Code><Message>{message}</Message></Error>");
    answer(status, &format!("<ErrorResponse>{error}</ErrorResponse>"))
}

fn answer(status: u16, body: &str) -> HttpResponse {
    HttpResponse::new(status, body.to_owned().into())
}

/// A session as a driver holds it, and what it was told.
#[derive(Default)]
struct Shared {
    session: RefCell<ProviderSession>,
    login: Cell<u32>,
    changes: RefCell<Vec<(String, Option<String>)>>,
}

/// Nobody else may get an ID token before it is dropped.
struct Locked<'a>(&'a Cell<u32>);

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

impl SharedSession for Shared {
    type LoginLock<'a> = Locked<'a>;

    fn read<T>(&self, look: impl FnOnce(&ProviderSession) -> T) -> T {
        look(&self.session.borrow())
    }

    fn change<T>(&self, change: impl FnOnce(&mut ProviderSession) -> T) -> T {
        change(&mut self.session.borrow_mut())
    }

    async fn lock_login(&self) -> Result<Locked<'_>, AuthorizeError> {
        std::future::poll_fn(|_| if self.login.get() == 0 { Poll::Ready(()) } else { Poll::Pending }).await;
        self.login.set(1);
        Ok(Locked(&self.login))
    }

    fn person_changed(&self, changed: &PersonChanged) {
        let now = changed.now.as_ref().map(|person| person.sub.clone());
        self.changes.borrow_mut().push((changed.before.sub.clone(), now));
    }
}

impl Shared {
    fn sub(&self) -> Option<String> {
        self.read(|session| session.person().map(|person| person.sub.clone()))
    }

    /// How many roles there are credentials for.
    fn held(&self) -> usize {
        self.read(|session| session.lifetimes().count())
    }

    fn forget_role(&self) {
        self.change(|session| session.forget_role(&fixture::role().arn));
    }

    fn take_changes(&self) -> Vec<(String, Option<String>)> {
        std::mem::take(&mut self.changes.borrow_mut())
    }
}

/// A new ID token, whatever there was.
async fn authenticate(
    world: &World,
    provider: &Provider,
    presence: Presence,
    session: &Shared,
) -> crate::Result<IdToken> {
    let refused = session.read(|session| session.id_token(world.now()).cloned());
    id_token(world, provider, presence, refused.as_ref(), session).await
}

async fn sign_in_as(world: &World, presence: Presence, session: &Shared) -> crate::Result<Credentials> {
    sign_in(world, &fixture::provider(), (&fixture::role(), &[]), presence, TimeDelta::minutes(15), session)
        .await
}

#[async_test]
async fn somebody_with_a_session_at_the_provider_signs_in_without_a_window() {
    let (world, session) = (World::new(), Shared::default());
    let credentials = sign_in_as(&world, Presence::Person, &session).await.unwrap();
    assert_eq!(credentials.access_key_id, "ASIAalice@example.com");
    assert_eq!(world.take_log(), ["discovery", "keys", "Silent", "code", "sts 43200"]);
    assert_eq!(session.read(|session| session.person().unwrap().label()), "alice@example.com");
}

#[async_test]
async fn an_id_token_of_two_minutes_serves_all_roles_of_that_time_and_the_next_one_needs_no_window() {
    let (world, session) = (World::new(), Shared::default());
    world.id_token_lifetime.set(120);
    sign_in_as(&world, Presence::Person, &session).await.unwrap();
    world.take_log();
    for (seconds, log) in [(60, &["sts 43200"][..]), (60, &["Silent", "code", "sts 43200"])] {
        world.now.set(world.now.get() + seconds);
        session.forget_role();
        sign_in_as(&world, Presence::Nobody, &session).await.unwrap();
        assert_eq!(world.take_log(), log);
    }
}

#[async_test]
async fn without_a_session_a_person_gets_a_window_and_a_timer_does_not() {
    let (world, session) = (World::new(), Shared::default());
    world.session.set(false);
    let error = sign_in_as(&world, Presence::Nobody, &session).await.unwrap_err();
    assert_eq!(error.code(), Code::SignInNeeded);
    assert_eq!(world.take_log(), ["discovery", "keys", "Silent"]);
    assert!(sign_in_as(&world, Presence::Person, &session).await.is_ok());
    assert_eq!(world.take_log(), ["Silent", "Window", "code", "sts 43200"]);
}

#[async_test]
async fn a_window_is_shown_at_once_with_the_prompt_of_the_settings_where_nothing_is_to_be_tried_silently() {
    let (world, session) = (World::new(), Shared::default());
    let mut provider = fixture::provider();
    provider.silent = false;
    provider.prompt = Some("select_account consent".to_owned());
    let role = fixture::role();
    let sign_in =
        |presence| sign_in(&world, &provider, (&role, &[]), presence, TimeDelta::minutes(15), &session);
    assert_eq!(sign_in(Presence::Nobody).await.unwrap_err().code(), Code::SignInNeeded);
    sign_in(Presence::Person).await.unwrap();
    assert_eq!(world.take_log(), ["discovery", "keys", "Window", "code", "sts 43200"]);
    assert_eq!(world.prompts.take(), ["select_account consent"]);
    choose_account(&world, &provider, &session).await.unwrap();
    assert_eq!(world.prompts.take(), ["select_account consent"]);
}

#[async_test]
async fn a_code_that_was_used_up_is_replaced_in_a_window_where_the_provider_does_not_answer_silently() {
    let (world, session) = (World::new(), Shared::default());
    world.answers_silently.set(false);
    world.codes_work_from.set(1);
    sign_in_as(&world, Presence::Person, &session).await.unwrap();
    let log = world.take_log();
    assert_eq!(log[2..], ["Silent", "Window", "code", "Silent", "Window", "code", "sts 43200"]);
}

#[async_test]
async fn sources_are_tried_cheapest_first() {
    let (world, session) = (World::new(), Shared::default());
    world.grants_refresh.set(true);
    world.max_duration.set(3_600);
    sign_in_as(&world, Presence::Person, &session).await.unwrap();
    world.take_log();
    // Credentials in session.
    sign_in_as(&world, Presence::Nobody, &session).await.unwrap();
    assert_eq!(world.take_log(), [""; 0]);
    // The ID token, once credentials are about to run out.
    world.now.set(world.now.get() + 3_000);
    sign_in_as(&world, Presence::Nobody, &session).await.unwrap();
    assert_eq!(world.take_log(), ["sts 3600"]);
    // The refresh token, once the ID token has run out.
    world.now.set(world.now.get() + 3_000);
    sign_in_as(&world, Presence::Nobody, &session).await.unwrap();
    assert_eq!(world.take_log(), ["discovery", "keys", "refresh", "sts 3600"]);
    // A silent redirect, once the refresh token is refused.
    world.refusals.replace(vec![answer(400, r#"{"error":"invalid_grant"}"#)]);
    world.now.set(world.now.get() + 3_600);
    sign_in_as(&world, Presence::Nobody, &session).await.unwrap();
    assert_eq!(world.take_log(), ["discovery", "keys", "refresh", "Silent", "code", "sts 3600"]);
}

#[async_test]
async fn a_roles_shorter_maximum_is_found_once_and_remembered() {
    let (world, session) = (World::new(), Shared::default());
    world.max_duration.set(3_600);
    sign_in_as(&world, Presence::Person, &session).await.unwrap();
    assert_eq!(world.take_log()[4..], ["sts 43200", "sts 3600"]);
    session.forget_role();
    sign_in_as(&world, Presence::Person, &session).await.unwrap();
    assert_eq!(world.take_log(), ["sts 3600"]);
}

#[async_test]
async fn transient_failures_are_retried_twice() {
    let keys = "Couldn't retrieve verification key from your identity provider";
    let unknown = "The web identity token provided could not be validated. See the documentation.";
    for (refusal, code) in [
        ((400, "InvalidIdentityToken", keys), Code::StsProviderUnreachable),
        ((400, "IDPCommunicationError", ""), Code::StsProviderUnreachable),
        ((400, "InvalidIdentityToken", unknown), Code::StsInvalidIdentityToken),
        // What was said of a provider that is new, until 2026.
        ((400, "InvalidIdentityToken", "No OpenIDConnect provider found"), Code::StsInvalidIdentityToken),
        // A throttled call is a 400.
        ((400, "Throttling", "Rate exceeded"), Code::StsThrottled),
        ((503, "ServiceUnavailable", ""), Code::StsUnavailable),
    ] {
        for (failures, code) in [(2, None), (3, Some(code))] {
            let (world, session) = (World::new(), Shared::default());
            world.sts_errors.replace(vec![refusal; failures]);
            let result = sign_in_as(&world, Presence::Person, &session).await;
            assert_eq!(result.err().map(|error| error.code()), code);
            assert_eq!(world.take_log()[4..], ["sts 43200", "wait", "sts 43200", "wait", "sts 43200"]);
        }
    }
}

#[async_test]
async fn a_lost_connection_is_tried_again() {
    let (world, session) = (World::new(), Shared::default());
    world.lost_connections.set(2);
    sign_in_as(&world, Presence::Person, &session).await.unwrap();
    assert_eq!(world.take_log()[4..], ["lost", "wait", "lost", "wait", "sts 43200"]);
}

#[async_test]
async fn a_permanent_refusal_is_not_retried() {
    for (refusal, code) in [
        ((403, "AccessDenied", "Not authorized"), Code::StsAccessDenied),
        ((403, "IDPRejectedClaim", ""), Code::StsClaimRejected),
        ((400, "PackedPolicyTooLarge", ""), Code::StsPolicyTooLarge),
    ] {
        let (world, session) = (World::new(), Shared::default());
        world.sts_errors.replace(vec![refusal]);
        assert_eq!(sign_in_as(&world, Presence::Person, &session).await.unwrap_err().code(), code);
        assert_eq!(world.take_log()[4..], ["sts 43200"]);
    }
}

#[async_test]
async fn where_sts_is_switched_off_the_main_region_is_asked_and_the_person_told_once() {
    let (world, session) = (World::new(), Shared::default());
    let disabled =
        (403, "RegionDisabledException", "STS is not activated in this region for account:123456789012.");
    world.sts_errors.replace(vec![disabled]);
    sign_in_as(&world, Presence::Person, &session).await.unwrap();
    assert_eq!(world.take_log()[4..], ["sts 43200", "told", "main 43200"]);
    assert!(session.read(|session| session.uses_main_region(&fixture::role())));
    session.forget_role();
    sign_in_as(&world, Presence::Person, &session).await.unwrap();
    assert_eq!(world.take_log(), ["main 43200"]);

    // Somebody's own STS has no other region.
    let (world, session) = (World::new(), Shared::default());
    world.sts_errors.replace(vec![disabled]);
    let own = "https://sts.eu-west-1.amazonaws.com/".parse().unwrap();
    let provider = Provider { sts_endpoint: Some(own), ..fixture::provider() };
    let role = fixture::role();
    let result =
        sign_in(&world, &provider, (&role, &[]), Presence::Person, TimeDelta::minutes(15), &session).await;
    assert_eq!(result.unwrap_err().code(), Code::StsRegionDisabled);
}

#[async_test]
async fn an_argument_that_an_s3_compatible_service_refuses_may_be_the_duration() {
    let invalid = (400, "InvalidArgument", "");
    let (world, session) = (World::new(), Shared::default());
    world.sts_errors.replace(vec![invalid]);
    sign_in_as(&world, Presence::Person, &session).await.unwrap();
    assert_eq!(world.take_log()[4..], ["sts 43200", "sts 3600"]);

    let (world, session) = (World::new(), Shared::default());
    world.sts_errors.replace(vec![invalid; 3]);
    let error = sign_in_as(&world, Presence::Person, &session).await.unwrap_err();
    assert_eq!(error.code(), Code::StsValidation);
    assert!(error.to_string().contains("InvalidArgument"), "{error}");
}

#[async_test]
async fn a_token_that_sts_finds_expired_is_replaced_silently() {
    let (world, session) = (World::new(), Shared::default());
    sign_in_as(&world, Presence::Person, &session).await.unwrap();
    world.take_log();
    session.forget_role();
    world.sts_errors.replace(vec![(400, "ExpiredTokenException", "Token expired")]);
    sign_in_as(&world, Presence::Nobody, &session).await.unwrap();
    assert_eq!(world.take_log(), ["sts 43200", "Silent", "code", "sts 43200"]);
}

#[async_test]
async fn a_refusal_is_believed_only_of_a_new_token() {
    let denied = (403, "AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity");
    for (refusals, code) in [(1, None), (2, Some(Code::StsAccessDenied))] {
        let (world, session) = (World::new(), Shared::default());
        sign_in_as(&world, Presence::Person, &session).await.unwrap();
        world.take_log();
        session.forget_role();
        world.sts_errors.replace(vec![denied; refusals]);
        let result = sign_in_as(&world, Presence::Person, &session).await;
        assert_eq!(result.err().map(|error| error.code()), code);
        assert_eq!(world.take_log(), ["sts 43200", "Silent", "code", "sts 43200"]);
    }
}

#[async_test]
async fn nothing_of_one_client_is_served_to_another_of_the_same_name() {
    let (world, session) = (World::new(), Shared::default());
    sign_in_as(&world, Presence::Person, &session).await.unwrap();
    world.session.set(false);
    let other = Provider { client_id: "other".into(), ..fixture::provider() };
    let role = fixture::role();
    let result =
        sign_in(&world, &other, (&role, &[]), Presence::Nobody, TimeDelta::minutes(15), &session).await;
    assert_eq!(result.unwrap_err().code(), Code::SignInNeeded);
    assert!(session.sub().is_none());
}

#[async_test]
async fn credentials_of_15_minutes_are_used_for_half_of_them() {
    let (world, session) = (World::new(), Shared::default());
    world.max_duration.set(900);
    sign_in_as(&world, Presence::Person, &session).await.unwrap();
    world.take_log();
    world.now.set(world.now.get() + 449);
    sign_in_as(&world, Presence::Person, &session).await.unwrap();
    assert_eq!(world.take_log(), [""; 0]);
    world.now.set(world.now.get() + 1);
    sign_in_as(&world, Presence::Person, &session).await.unwrap();
    assert_eq!(world.take_log(), ["sts 900"]);
}

#[async_test]
async fn a_code_used_up_by_a_lost_response_is_replaced_once() {
    let (world, session) = (World::new(), Shared::default());
    world.codes_work_from.set(1);
    assert!(sign_in_as(&world, Presence::Person, &session).await.is_ok());
    assert_eq!(world.take_log(), ["discovery", "keys", "Silent", "code", "Silent", "code", "sts 43200"]);

    let (world, session) = (World::new(), Shared::default());
    world.codes_work_from.set(u32::MAX);
    assert_eq!(sign_in_as(&world, Presence::Person, &session).await.unwrap_err().code(), Code::TokenRefused);
    assert_eq!(world.take_log(), ["discovery", "keys", "Silent", "code", "Silent", "code"]);
}

#[async_test]
async fn keys_are_read_again_for_a_signature_that_does_not_match_but_not_again_and_again() {
    let (world, session) = (World::new(), Shared::default());
    sign_in_as(&world, Presence::Person, &session).await.unwrap();
    world.take_log();
    // The provider signs with a new key of the old name, and publishes it.
    let old = world.key.replace(SigningKey::random(&mut rand_core::OsRng));
    sign_out(&world, &fixture::provider(), &session).await;
    world.now.set(world.now.get() + 61);
    sign_in_as(&world, Presence::Person, &session).await.unwrap();
    assert_eq!(world.take_log(), ["Window", "code", "keys", "sts 43200"]);

    // It publishes another key than it signs with.
    world.old_key.replace(Some(old));
    world.key.replace(SigningKey::random(&mut rand_core::OsRng));
    sign_out(&world, &fixture::provider(), &session).await;
    for (seconds, log) in [(61, &["Window", "code", "keys"][..]), (59, &["Window", "code"])] {
        world.now.set(world.now.get() + seconds);
        let error = sign_in_as(&world, Presence::Person, &session).await.unwrap_err();
        assert_eq!(error.code(), Code::TokenSignatureInvalid);
        assert_eq!(world.take_log(), log);
    }
}

#[async_test]
async fn a_token_that_is_too_long_for_sts_is_not_sent_there() {
    let (world, session) = (World::new(), Shared::default());
    world.padding.set(15_000);
    let error = sign_in_as(&world, Presence::Person, &session).await.unwrap_err();
    assert_eq!(error.code(), Code::StsPolicyTooLarge);
    assert!(error.to_string().contains("at most 20,000"), "{error}");
    assert!(!world.take_log().iter().any(|line| line.starts_with("sts")));
}

#[async_test]
async fn a_rotated_key_is_fetched_once() {
    let (world, session) = (World::new(), Shared::default());
    sign_in_as(&world, Presence::Person, &session).await.unwrap();
    world.take_log();
    sign_out(&world, &fixture::provider(), &session).await;
    world.kid.replace("k2".into());
    world.published_kid.replace("k2".into());
    sign_in_as(&world, Presence::Person, &session).await.unwrap();
    assert_eq!(world.take_log(), ["Window", "code", "keys", "sts 43200"]);
    // A key that is never published is not looked for again and again.
    sign_out(&world, &fixture::provider(), &session).await;
    world.kid.replace("k3".into());
    assert_eq!(
        sign_in_as(&world, Presence::Person, &session).await.unwrap_err().code(),
        Code::TokenKeyUnknown
    );
    assert_eq!(world.take_log(), ["Window", "code", "keys"]);
}

#[async_test]
async fn a_closed_window_is_said_to_be_closed() {
    let (world, session) = (World::new(), Shared::default());
    world.session.set(false);
    *world.window.borrow_mut() = Err(AuthorizeError::Cancelled);
    assert_eq!(
        sign_in_as(&world, Presence::Person, &session).await.unwrap_err().code(),
        Code::SignInCancelled
    );
}

#[async_test]
async fn another_person_at_the_provider_gets_nothing_of_the_one_before() {
    let (world, session) = (World::new(), Shared::default());
    sign_in_as(&world, Presence::Person, &session).await.unwrap();
    world.sub.replace("mallory".into());
    authenticate(&world, &fixture::provider(), Presence::Person, &session).await.unwrap();
    assert_eq!(session.held(), 0);
    assert_eq!(session.sub().as_deref(), Some("mallory"));
    assert_eq!(session.take_changes(), [("alice".to_owned(), Some("mallory".to_owned()))]);
}

#[async_test]
async fn a_refreshed_token_of_another_person_is_refused_and_told() {
    let (world, session) = (World::new(), Shared::default());
    world.grants_refresh.set(true);
    sign_in_as(&world, Presence::Person, &session).await.unwrap();
    world.take_log();
    world.sub.replace("mallory".into());
    let error = authenticate(&world, &fixture::provider(), Presence::Nobody, &session).await.unwrap_err();
    assert_eq!((error.code(), world.take_log()), (Code::TokenSubjectChanged, vec!["refresh".to_owned()]));
    assert_eq!(session.sub().as_deref(), Some("alice"));
    // "Sign in again" is what a person is told then.
    authenticate(&world, &fixture::provider(), Presence::Person, &session).await.unwrap();
    assert_eq!(world.take_log(), ["Silent", "code"]);
    assert_eq!(session.take_changes(), [("alice".to_owned(), Some("mallory".to_owned()))]);
}

/// A person with a refresh token, who needs a new ID token.
async fn with_refresh_token() -> (World, Shared) {
    let (world, session) = (World::new(), Shared::default());
    world.grants_refresh.set(true);
    sign_in_as(&world, Presence::Person, &session).await.unwrap();
    session.forget_role();
    world.now.set(world.now.get() + 3_600);
    world.take_log();
    (world, session)
}

#[async_test]
async fn a_busy_token_endpoint_is_retried_and_does_not_prevent_the_sign_in() {
    for status in [429, 500, 503] {
        let (world, session) = with_refresh_token().await;
        world.refusals.replace(vec![answer(status, "busy"), answer(status, "busy")]);
        sign_in_as(&world, Presence::Nobody, &session).await.unwrap();
        let asked = ["discovery", "keys", "refresh", "wait", "refresh", "wait", "refresh", "sts 43200"];
        assert_eq!(world.take_log(), asked, "{status}");
    }
}

#[async_test]
async fn only_a_refused_grant_loses_the_refresh_token() {
    let busy = r#"{"error":"temporarily_unavailable"}"#;
    for (status, body, is_kept) in [
        (400, r#"{"error":"invalid_grant"}"#, false),
        (429, "slow down", true),
        (503, busy, true),
        (400, r#"{"error":"invalid_client"}"#, true),
        (200, "<html>", true),
        (200, "{}", true),
    ] {
        let (world, session) = with_refresh_token().await;
        world.grants_refresh.set(false);
        world.refusals.replace((0..3).map(|_| answer(status, body)).collect());
        sign_in_as(&world, Presence::Nobody, &session).await.unwrap();
        assert!(world.take_log().ends_with(&["Silent", "code", "sts 43200"].map(str::to_owned)), "{body}");
        world.refusals.take();
        session.forget_role();
        world.now.set(world.now.get() + 3_600);
        sign_in_as(&world, Presence::Nobody, &session).await.unwrap();
        assert_eq!(world.take_log().contains(&"refresh".to_owned()), is_kept, "{status} {body}");
    }
}

#[async_test]
async fn retry_after_of_the_token_endpoint_is_respected() {
    let (world, session) = with_refresh_token().await;
    world.grants_refresh.set(false);
    let mut busy = answer(429, "");
    busy.headers.push(("retry-after".to_owned(), "1800".to_owned()));
    world.refusals.replace(vec![busy]);
    sign_in_as(&world, Presence::Nobody, &session).await.unwrap();
    assert_eq!(world.take_log(), ["discovery", "keys", "refresh", "Silent", "code", "sts 43200"]);
    for (seconds, first) in [(1_799, "Silent"), (1, "refresh")] {
        world.now.set(world.now.get() + seconds);
        authenticate(&world, &fixture::provider(), Presence::Nobody, &session).await.unwrap();
        assert_eq!(world.take_log()[0], first);
    }
}

#[async_test]
async fn a_silent_redirect_to_somebody_else_drops_and_tells_of_the_one_before() {
    let (world, session) = (World::new(), Shared::default());
    sign_in_as(&world, Presence::Person, &session).await.unwrap();
    world.sub.replace("bob".into());
    world.now.set(world.now.get() + 43_200);
    sign_in_as(&world, Presence::Nobody, &session).await.unwrap();
    assert_eq!(session.take_changes(), [("alice".to_owned(), Some("bob".to_owned()))]);
    assert_eq!((session.sub().as_deref(), session.held()), (Some("bob"), 1));
}

#[async_test]
async fn fresh_credentials_are_served_while_somebody_else_signs_in() {
    let (world, session) = (World::new(), Shared::default());
    sign_in_as(&world, Presence::Person, &session).await.unwrap();
    let _window = session.lock_login().await.unwrap();
    world.take_log();
    sign_in_as(&world, Presence::Person, &session).await.unwrap();
    assert_eq!(world.take_log(), [""; 0]);
}

#[async_test]
async fn a_role_that_needs_no_new_id_token_does_not_wait_for_somebody_elses_sign_in() {
    let (world, session) = (World::new(), Shared::default());
    sign_in_as(&world, Presence::Person, &session).await.unwrap();
    session.forget_role();
    let _window = session.lock_login().await.unwrap();
    world.take_log();
    sign_in_as(&world, Presence::Person, &session).await.unwrap();
    assert_eq!(world.take_log(), ["sts 43200"]);
}

#[async_test]
async fn many_roles_at_once_cause_one_sign_in() {
    let (world, session) = (World::new(), Shared::default());
    let (provider, role) = (fixture::provider(), fixture::role());
    let lock = session.lock_login().await.unwrap();
    let mut waiting: Vec<_> = (0..20)
        .map(|number| {
            let arn = format!("arn:aws:iam::123456789012:role/r{number}").parse().unwrap();
            let role = Role { arn, ..role.clone() };
            let (world, provider, session) = (&world, &provider, &session);
            Box::pin(async move {
                sign_in(world, provider, (&role, &[]), Presence::Nobody, TimeDelta::minutes(15), session)
                    .await
            })
        })
        .collect();
    let mut context = Context::from_waker(Waker::noop());
    assert!(waiting.iter_mut().all(|one| one.as_mut().poll(&mut context).is_pending()));
    drop(lock);
    for one in waiting {
        one.await.unwrap();
    }
    let log = world.take_log();
    let count = |what: &str| log.iter().filter(|entry| *entry == what).count();
    assert_eq!((count("Silent"), count("code"), session.held()), (1, 1, 20));
}

#[async_test]
async fn signing_out_ends_a_sign_in_in_progress() {
    let (world, session) = (World::new(), Shared::default());
    sign_in_as(&world, Presence::Person, &session).await.unwrap();
    session.forget_role();
    let provider = fixture::provider();
    let token = session.read(|session| session.id_token(world.now()).cloned()).unwrap();
    let platform = Overtaken { world: &world, session: &session };
    let role = fixture::role();
    let error = assume_role(&platform, &provider, &role, &token, &session).await.unwrap_err();
    assert_eq!(error, Error::Authorize(AuthorizeError::SignedOut));
    assert_eq!((session.sub(), session.held()), (None, 0));
    assert_eq!(session.take_changes(), [("alice".to_owned(), None)]);
}

/// The world, where somebody signs out while STS is being asked.
struct Overtaken<'a> {
    world: &'a World,
    session: &'a Shared,
}

impl Platform for Overtaken<'_> {
    fn redirect_uri(&self, _: bool) -> Url {
        self.world.redirect_uri(false)
    }

    async fn authorize(&self, url: &Url, interaction: Interaction) -> Result<Url, AuthorizeError> {
        self.world.authorize(url, interaction).await
    }

    async fn send(&self, request: HttpRequest, route: Route) -> Result<HttpResponse, TransportError> {
        sign_out(self.world, &fixture::provider(), self.session).await;
        self.world.send(request, route).await
    }

    async fn wait(&self, duration: std::time::Duration) {
        self.world.wait(duration).await;
    }

    fn now(&self) -> DateTime<Utc> {
        self.world.now()
    }

    fn random(&self, bytes: &mut [u8]) -> Result<(), RandomnessError> {
        self.world.random(bytes)
    }

    fn progress(&self, step: Step) {
        self.world.progress(step);
    }
}

#[async_test]
async fn the_roles_that_a_provider_lists_are_known_while_the_person_is_signed_in() {
    let (world, session) = (World::new(), Shared::default());
    let provider = Provider { roles_claim: Some("roles".into()), ..fixture::provider() };
    authenticate(&world, &provider, Presence::Person, &session).await.unwrap();
    assert_eq!(
        session.read(|session| {
            let listed = session.listed();
            listed.roles.iter().map(|role| role.name().to_owned()).collect::<Vec<_>>()
        }),
        ["listed"]
    );
    sign_out(&world, &fixture::provider(), &session).await;
    assert!(session.read(|session| session.listed().roles.is_empty()));
}

#[async_test]
async fn signing_out_revokes_the_refresh_token_and_tells_where_the_session_ends() {
    let (world, session) = (World::new(), Shared::default());
    world.grants_refresh.set(true);
    assert_eq!(sign_out(&world, &fixture::provider(), &session).await, None, "nobody was signed in");
    assert_eq!(world.take_log(), [""; 0]);
    sign_in_as(&world, Presence::Person, &session).await.unwrap();
    world.take_log();
    let page = sign_out(&world, &fixture::provider(), &session).await.unwrap();
    assert_eq!(page.as_str(), "https://idp.example/logout?client_id=abcdef");
    assert_eq!(world.take_log(), ["revoke refresh"]);
    assert!(session.sub().is_none());
    assert_eq!(session.held(), 0);
}

#[async_test]
async fn after_signing_out_the_person_chooses_an_account() {
    let (world, session) = (World::new(), Shared::default());
    sign_in_as(&world, Presence::Person, &session).await.unwrap();
    sign_out(&world, &fixture::provider(), &session).await;
    world.take_log();
    // The provider still knows them, and nobody is there to choose.
    assert_eq!(sign_in_as(&world, Presence::Nobody, &session).await.unwrap_err().code(), Code::SignInNeeded);
    assert_eq!(world.take_log(), [""; 0]);
    sign_in_as(&world, Presence::Person, &session).await.unwrap();
    assert_eq!(world.take_log(), ["Window", "code", "sts 43200"]);
    assert_eq!(world.prompts.borrow().last().unwrap(), "select_account");
    // From then on all is as before.
    session.forget_role();
    world.now.set(world.now.get() + 3_600);
    sign_in_as(&world, Presence::Nobody, &session).await.unwrap();
    assert_eq!(world.take_log(), ["discovery", "keys", "Silent", "code", "sts 43200"]);
}

#[async_test]
async fn a_provider_that_has_no_accounts_to_choose_from_signs_the_person_in_anew() {
    for knows in ["[\"none\", \"login\"]", "null"] {
        let (world, session) = (World::new(), Shared::default());
        world.prompt_values.replace(serde_json::from_str(knows).unwrap());
        world.refuses_select_account.set(knows == "null");
        choose_account(&world, &fixture::provider(), &session).await.unwrap();
        assert_eq!(world.prompts.borrow().last().unwrap(), "login", "{knows}");
    }
}

#[async_test]
async fn choosing_another_account_removes_the_previous_ones_credentials_but_cancelling_keeps_them() {
    let (world, session) = (World::new(), Shared::default());
    sign_in_as(&world, Presence::Person, &session).await.unwrap();
    *world.window.borrow_mut() = Err(AuthorizeError::Cancelled);
    choose_account(&world, &fixture::provider(), &session).await.unwrap_err();
    assert_eq!((session.sub().as_deref(), session.held()), (Some("alice"), 1));
    *world.window.borrow_mut() = Ok(());
    world.sub.replace("bob".into());
    choose_account(&world, &fixture::provider(), &session).await.unwrap();
    assert_eq!((session.sub().as_deref(), session.held()), (Some("bob"), 0));
    assert_eq!(session.take_changes(), [("alice".to_owned(), Some("bob".to_owned()))]);
}

#[async_test]
async fn a_session_is_read_back_from_storage() {
    let (world, session) = (World::new(), Shared::default());
    world.grants_refresh.set(true);
    let before = sign_in_as(&world, Presence::Person, &session).await.unwrap();
    let text = session.read(|session| crate::json::to_string(session));
    let session =
        Shared { session: RefCell::new(crate::json::from_str(&text).unwrap()), ..Shared::default() };
    world.take_log();
    let after = sign_in_as(&world, Presence::Nobody, &session).await.unwrap();
    assert_eq!(after.session_token.expose_secret(), before.session_token.expose_secret());
    assert_eq!(world.take_log(), [""; 0]);
}

fn token_of(amr: &[&str]) -> IdToken {
    IdToken {
        text: "x".into(),
        expires_at: DateTime::UNIX_EPOCH,
        issuer: "https://idp.example/tenant".into(),
        audience: "abcdef".into(),
        kid: Some("k1".into()),
        person: Person { sub: "s".into(), email: None, name: None, username: None, login_hint: None },
        amr: amr.iter().map(|&value| value.to_owned()).collect(),
        has_session_tags: false,
        roles: vec![],
        groups: None,
    }
}

fn explained(error: StsError, token: &IdToken, keys: &serde_json::Value) -> StsError {
    let keys: KeySet = crate::json::from_str(&json!({ "keys": keys }).to_string()).unwrap();
    error.explained(sts::Context { role: &fixture::role().arn, token, keys: &keys, amr_held_groups: false })
}

#[test]
fn groups_that_a_second_factor_replaced_are_named_as_the_cause() {
    let keys = KeySet::default();
    let error = |amr: &[&str], amr_held_groups| {
        let denied = StsError::AccessDenied { role: None, message: String::new(), amr: None };
        let (role, token) = (fixture::role().arn, token_of(amr));
        denied.explained(sts::Context { role: &role, token: &token, keys: &keys, amr_held_groups })
    };
    let code = |amr: &[&str], amr_held_groups| error(amr, amr_held_groups).code();
    assert_eq!(code(&["mfa"], true), Code::StsGroupsReplaced);
    assert_eq!(code(&["pwd", "mfa"], true), Code::StsGroupsReplaced);
    assert_eq!(code(&["", "mfa"], false), Code::StsGroupsReplaced);
    // At most providers there are never groups in it.
    assert_eq!(code(&["pwd", "mfa"], false), Code::StsAccessDenied);
    assert!(error(&["pwd", "mfa"], false).to_string().contains("has [pwd, mfa]"));
    assert_eq!(code(&["dev", "mfa"], true), Code::StsAccessDenied);
    assert_eq!(code(&[], true), Code::StsAccessDenied);
}

#[test]
fn a_denied_token_with_session_tags_names_what_the_trust_policy_needs() {
    let denied = StsError::AccessDenied { role: None, message: String::new(), amr: None };
    let token = IdToken { has_session_tags: true, ..token_of(&["dev"]) };
    let error = explained(denied, &token, &json!([]));
    assert_eq!(error.code(), Code::StsTagsDenied);
    assert!(error.to_string().contains("sts:TagSession"), "{error}");
}

#[test]
fn a_refused_token_is_explained_from_token_keys_and_role() {
    let good = json!([{ "kid": "k1", "n": "x" }]);
    for (message, keys, explanation) in [
        (
            "The web identity token provided could not be validated. See the documentation.",
            good.clone(),
            "In IAM of the account 123456789012 there must be an identity provider idp.example/tenant, exactly as written, \
             with the audience abcdef.",
        ),
        (
            "The web identity token provided could not be validated. See the documentation.",
            json!([{ "kid": "k1", "n": "x", "key_ops": ["verify"] }]),
            "The provider's key set has a key with key_ops (\"k1\").",
        ),
        ("Incorrect token audience", good.clone(), "needs the audience abcdef."),
        (
            "No OpenIDConnect provider found in your account for https://idp.example/tenant",
            good.clone(),
            "IAM of the account 123456789012 needs an identity provider idp.example/tenant",
        ),
        (
            "The target role ARN is not present in the roles claim of the identity token",
            good.clone(),
            "does not list arn:aws:iam::123456789012:role/",
        ),
    ] {
        let error = StsError::from_wire(400, "InvalidIdentityToken", message);
        let text = explained(error, &token_of(&[]), &keys).to_string();
        assert!(text.contains(explanation), "{text} lacks {explanation}");
        assert!(!text.contains(".."), "{text}");
    }
    for (kid, explanation) in [
        (None, "the token names no key (kid)"),
        (Some("k9"), "the provider's key set has no key \"k9\""),
        (Some("k1"), "found none for this ID token."),
    ] {
        let error = StsError::from_wire(400, "InvalidIdentityToken", "Couldn't retrieve verification key");
        let token = IdToken { kid: kid.map(str::to_owned), ..token_of(&[]) };
        let text = explained(error, &token, &json!([{ "kid": "k1" }, { "kid": "k2" }])).to_string();
        assert!(text.contains(explanation), "{text} lacks {explanation}");
    }
}
