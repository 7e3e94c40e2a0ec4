//! The recorded requests to AWS STS, repeated against the sandbox: the responses must be the same.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta};
use jsonwebtoken::{Algorithm, EncodingKey, crypto};
use p521::ecdsa::signature::Signer as _;
use p521::pkcs8::DecodePrivateKey as _;
use reqwest::header::ACCEPT;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::Browser;
use crate::{Config, Role, Sandbox};

/// A line of `tests/recorded/sts-web-identity.jsonl`; its README describes each member.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Exchange {
    record: String,
    name: String,
    algorithm: Option<String>,
    #[serde(default)]
    header: Map<String, Value>,
    #[serde(default)]
    claims: Map<String, Value>,
    #[serde(default)]
    without: Vec<String>,
    #[serde(default)]
    again: Map<String, Value>,
    #[serde(default)]
    parameters: Map<String, Value>,
    keys: Option<Vec<Map<String, Value>>>,
    #[serde(default)]
    condition: Map<String, Value>,
    principal: Option<Value>,
    status: u16,
    code: Option<String>,
    message: Option<String>,
    #[serde(default)]
    fields: Map<String, Value>,
    lasts: Option<i64>,
}

#[tokio::test]
async fn every_recorded_request_gets_the_recorded_response() {
    let sandbox = probe().await;
    let browser = Browser::new(&sandbox);
    let own_keys = browser.get(&format!("{}/jwks", sandbox.issuer())).await.json();
    let mut differences = Vec::new();
    let mut held = 0;
    for line in RECORDED.lines() {
        let exchange: Exchange = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        sandbox.change(|config| {
            config.provider.published_keys = exchange.key_set(&own_keys);
            config.sts.roles[0].trust_policy = exchange.trust_policy();
        });
        for accept in ["*/*", "application/json"] {
            let differs = exchange.differences(&sandbox, &browser, accept).await;
            differences.extend(
                differs.into_iter().map(|text| format!("{} of {}: {text}", exchange.name, exchange.record)),
            );
        }
        held += 1;
    }
    assert!(held > 100, "{held}");
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

impl Exchange {
    async fn differences(&self, sandbox: &Sandbox, browser: &Browser, accept: &str) -> Vec<String> {
        let token = self.token(sandbox);
        let mut form = json!({
            "Action": "AssumeRoleWithWebIdentity",
            "Version": "2011-06-15",
            "RoleArn": ROLE,
            "RoleSessionName": "oidc-probe",
            "WebIdentityToken": token,
        });
        for (name, value) in &self.parameters {
            form[name] = filled(value);
        }
        let answer = browser.send(browser.http.post(&browser.sts).header(ACCEPT, accept).form(&form)).await;
        let is_json = accept == "application/json";
        let document = if is_json { answer.json() } else { Value::Null };
        let read = |xml: &str, pointer: &str| {
            if !is_json {
                return answer.element(xml);
            }
            match document.pointer(pointer) {
                Some(Value::String(text)) => text.clone(),
                Some(other) => other.to_string(),
                None => String::new(),
            }
        };
        let result = |name: &str| {
            read(name, &format!("/AssumeRoleWithWebIdentityResponse/AssumeRoleWithWebIdentityResult/{name}"))
        };
        let mut differences = Vec::new();
        let mut same = |what: &str, here: String, recorded: String| {
            if here != recorded {
                differences.push(format!("{what} ({accept}): {here:?}, recorded {recorded:?}"));
            }
        };
        same("status", answer.status.to_string(), self.status.to_string());
        same(
            "content type",
            answer.header("content-type").unwrap_or_default().to_owned(),
            if is_json { "application/json" } else { "text/xml" }.to_owned(),
        );
        let id = answer.header("x-amzn-requestid").unwrap_or("none").to_owned();
        if self.status == 200 {
            let in_metadata = "/AssumeRoleWithWebIdentityResponse/ResponseMetadata/RequestId";
            same("request id", read("RequestId", in_metadata), id);
            same("packed size given", (!result("PackedPolicySize").is_empty()).to_string(), true.to_string());
            let mut fields = Map::from_iter([
                ("SubjectFromWebIdentityToken".to_owned(), json!("subject-probe")),
                ("Audience".to_owned(), json!("client-a")),
                ("SourceIdentity".to_owned(), json!("")),
            ]);
            fields.extend(self.fields.clone());
            for (name, value) in fields {
                same(&name, result(&name), value.as_str().unwrap().to_owned());
            }
            let key = read(
                "AccessKeyId",
                "/AssumeRoleWithWebIdentityResponse/AssumeRoleWithWebIdentityResult/Credentials/AccessKeyId",
            );
            same("prefix of the key", key.chars().take(4).collect(), "ASIA".to_owned());
            if let (Some(seconds), false) = (self.lasts, is_json) {
                let ends = sandbox.clock().now() + TimeDelta::seconds(seconds);
                let expiration: DateTime<chrono::Utc> = result("Expiration").parse().unwrap();
                same("end of the session", expiration.to_string(), ends.to_string());
            }
        } else {
            same("request id", read("RequestId", "/RequestId"), id);
            same("code", read("Code", "/Error/Code"), self.code.clone().unwrap());
            if let Some(message) = &self.message {
                same("message", without_times(&read("Message", "/Error/Message")), without_times(message));
            }
            let blame = if self.status < 500 { "Sender" } else { "Receiver" };
            same("type", read("Type", "/Error/Type"), blame.to_owned());
        }
        differences
    }

    /// The provider's published key set, if the record has an unusual one.
    fn key_set(&self, own: &Value) -> Option<Vec<Value>> {
        let own_of =
            |kty: &str| own["keys"].as_array().unwrap().iter().find(|key| key["kty"] == kty).unwrap().clone();
        let mut keys = Vec::new();
        for change in self.keys.as_ref()? {
            let mut key = own_of(change.get("kty").and_then(Value::as_str).unwrap_or("RSA"));
            let another = key["n"].as_str().map(|own| format!("{}AAAA", &own[..own.len() - 4]));
            let certificate: String = CERTIFICATE.lines().filter(|line| !line.starts_with('-')).collect();
            let changed = Value::Object(change.clone()).to_string();
            let changed = changed
                .replace("{another}", &another.unwrap_or_default())
                .replace("{certificate}", &certificate);
            let mut changed: Map<String, Value> = serde_json::from_str(&changed).unwrap();
            let copies = changed.remove("copies").and_then(|copies| copies.as_u64());
            let members = key.as_object_mut().unwrap();
            members.extend(changed);
            members.retain(|_, value| !value.is_null());
            match copies {
                None => keys.push(key),
                Some(copies) => keys.extend((0..copies).map(|number| {
                    key["kid"] = json!(format!("extra{number}"));
                    key.clone()
                })),
            }
        }
        Some(keys)
    }

    /// The role's trust policy, in an account with the provider.
    fn trust_policy(&self) -> String {
        let principal = self.principal.clone().unwrap_or_else(|| json!({ "Federated": PROVIDER }));
        let mut statement = json!({
            "Effect": "Allow",
            "Principal": principal,
            "Action": ["sts:AssumeRoleWithWebIdentity", "sts:TagSession", "sts:SetSourceIdentity"],
        });
        if !self.condition.is_empty() {
            // The sandbox inserts its provider's host at the placeholder.
            let condition = Value::Object(self.condition.clone()).to_string();
            let condition = condition.replace("{provider}", PROVIDER).replace("{account}", ACCOUNT);
            statement["Condition"] = serde_json::from_str(&condition).unwrap();
        }
        json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string()
    }

    fn token(&self, sandbox: &Sandbox) -> String {
        let now = sandbox.clock().now().timestamp();
        let name = self.algorithm.as_deref().unwrap_or("RS256");
        let kid = match name {
            "ES256" => "sandbox-p256-1",
            "ES384" => "sandbox-p384-1",
            "ES512" => "sandbox-p521-1",
            _ => "sandbox-rsa-1",
        };
        let mut header = Map::from_iter([
            ("alg".to_owned(), json!(name)),
            ("kid".to_owned(), json!(kid)),
            ("typ".to_owned(), json!("JWT")),
        ]);
        header.extend(self.header.clone());
        header.retain(|_, value| !value.is_null());
        let mut claims = Map::from_iter([
            ("iss".to_owned(), json!(sandbox.issuer())),
            ("aud".to_owned(), json!("client-a")),
            ("sub".to_owned(), json!("subject-probe")),
            ("iat".to_owned(), json!(now - 10)),
            ("exp".to_owned(), json!(now + 900)),
        ]);
        claims.extend(self.claims.iter().map(|(name, value)| (name.clone(), timed(&filled(value), now))));
        claims.retain(|name, _| !self.without.contains(name));
        let mut members: Vec<_> =
            claims.iter().map(|(name, value)| format!("{}:{value}", json!(name))).collect();
        members.extend(self.again.iter().map(|(name, value)| format!("{}:{value}", json!(name))));
        let message = format!(
            "{}.{}",
            URL_SAFE_NO_PAD.encode(Value::Object(header).to_string()),
            URL_SAFE_NO_PAD.encode(format!("{{{}}}", members.join(",")))
        );
        format!("{message}.{}", signature(name, &message))
    }
}

fn signature(algorithm: &str, message: &str) -> String {
    let ec = |pem: &str| EncodingKey::from_ec_pem(pem.as_bytes()).unwrap();
    let key = match algorithm {
        "ES256" => ec(include_str!("../keys/p256-1.pem")),
        "ES384" => ec(include_str!("../keys/p384-1.pem")),
        "ES512" => {
            let key = p521::SecretKey::from_pkcs8_pem(include_str!("../keys/p521-1.pem")).unwrap();
            let key = p521::ecdsa::SigningKey::from_bytes(&key.to_bytes()).unwrap();
            let signature: p521::ecdsa::Signature = key.sign(message.as_bytes());
            return URL_SAFE_NO_PAD.encode(signature.to_bytes());
        }
        _ => EncodingKey::from_rsa_pem(include_bytes!("../keys/rsa-1.pem")).unwrap(),
    };
    let algorithm: Algorithm = algorithm.parse().unwrap();
    crypto::sign(message.as_bytes(), &key, algorithm).unwrap()
}

/// The account of the record: a provider with two clients, and a role that trusts it for two hours.
async fn probe() -> Sandbox {
    let mut config = Config::default();
    config.sts.accounts[0].audiences = Some(vec!["client-a".to_owned(), "client-b".to_owned()]);
    // Each exchange sets the role's trust policy.
    config.sts.roles = vec![Role { max_session_duration: 7200, ..Role::new(ROLE, r#"{"Statement": []}"#) }];
    let sandbox = Sandbox::start(config).await.unwrap();
    sandbox.clock().freeze("2026-09-11T10:46:52Z".parse().unwrap());
    sandbox
}

/// A value with the ARNs filled in.
fn filled(value: &Value) -> Value {
    let text = value.to_string().replace("{role}", ROLE).replace("{other}", OTHER);
    serde_json::from_str(&text).unwrap()
}

/// A claim's value, with times relative to the request.
fn timed(value: &Value, now: i64) -> Value {
    if let Some(text) = value.get("now_as_text") {
        return json!((now + text.as_i64().unwrap()).to_string());
    }
    match value.get("now") {
        Some(Value::Number(seconds)) => match seconds.as_i64() {
            Some(whole) => json!(now + whole),
            None => serde_json::from_str(&format!("{now}.5")).unwrap(),
        },
        _ => value.clone(),
    }
}

/// A text with its times removed.
fn without_times(text: &str) -> String {
    let word = |word: &str| {
        let is_time = word.len() == 10 && word.bytes().all(|byte| byte.is_ascii_digit());
        if is_time { "TIME".to_owned() } else { word.to_owned() }
    };
    text.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

const RECORDED: &str = include_str!("../../../tests/recorded/sts-web-identity.jsonl");
const CERTIFICATE: &str = include_str!("../keys/rsa-1.crt.pem");
const ACCOUNT: &str = "111111111111";
const PROVIDER: &str = "arn:aws:iam::111111111111:oidc-provider/{provider}";
const ROLE: &str = "arn:aws:iam::111111111111:role/probe";
const OTHER: &str = "arn:aws:iam::111111111111:role/another";
