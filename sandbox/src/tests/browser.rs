//! An HTTP client like a browser: it keeps cookies and follows no redirect.

use std::collections::BTreeMap;
use std::sync::Mutex;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder, Response, header};
use serde_json::Value;
use url::Url;

use super::{CHALLENGE, CLIENT, REDIRECT, VERIFIER};
use crate::Sandbox;

pub(super) struct Browser {
    pub(super) http: Client,
    pub(super) issuer: String,
    pub(super) sts: String,
    pub(super) federation: String,
    pub(super) console: String,
    cookies: Mutex<BTreeMap<String, String>>,
}

/// The response of the token endpoint.
pub(super) struct Tokens(pub(super) Value);

/// A complete response.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: header::HeaderMap,
    pub(super) body: String,
}

impl Browser {
    pub(super) fn new(sandbox: &Sandbox) -> Self {
        Self {
            http: Client::builder().redirect(Policy::none()).no_proxy().build().unwrap(),
            issuer: sandbox.provider_origin().to_owned(),
            sts: sandbox.sts_endpoint().to_owned(),
            federation: sandbox.console_endpoint().to_owned(),
            console: sandbox.console_url().to_owned(),
            cookies: Mutex::default(),
        }
    }

    pub(super) async fn send(&self, request: RequestBuilder) -> Answer {
        let cookies: Vec<String> =
            self.cookies.lock().unwrap().iter().map(|(name, value)| format!("{name}={value}")).collect();
        let response = request.header(header::COOKIE, cookies.join("; ")).send().await.unwrap();
        self.keep_cookies(&response);
        Answer {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            body: response.text().await.unwrap(),
        }
    }

    fn keep_cookies(&self, response: &Response) {
        let mut cookies = self.cookies.lock().unwrap();
        for cookie in response.headers().get_all(header::SET_COOKIE) {
            let (pair, attributes) = cookie.to_str().unwrap().split_once(';').unwrap();
            assert!(attributes.contains("HttpOnly") && attributes.contains("SameSite=Lax"), "{attributes}");
            let (name, value) = pair.split_once('=').unwrap();
            if attributes.contains("Max-Age=0") {
                cookies.remove(name);
            } else {
                cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }

    pub(super) async fn get(&self, url: &str) -> Answer {
        self.send(self.http.get(url)).await
    }

    /// The authorization endpoint, with parameters replaced, added, or (if empty) left out.
    pub(super) async fn authorize(&self, changes: &[(&str, &str)]) -> Answer {
        let mut parameters = BTreeMap::from([
            ("client_id", CLIENT),
            ("redirect_uri", REDIRECT),
            ("response_type", "code"),
            ("scope", "openid email profile offline_access"),
            ("state", "the-state"),
            ("nonce", "the-nonce"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ]);
        parameters.extend(changes.iter().copied());
        parameters.retain(|_, value| !value.is_empty());
        let url = Url::parse_with_params(&format!("{}/authorize", self.issuer), parameters).unwrap();
        self.get(url.as_str()).await
    }

    /// Submits the sign-in form of a page.
    pub(super) async fn submit(&self, form: &Answer, field: &str, value: &str) -> Answer {
        let id = form.hidden("request");
        let url = format!("{}/sign-in", self.issuer);
        self.send(self.http.post(url).form(&[("request", id.as_str()), (field, value)])).await
    }

    /// Signs in with the form and returns the redirect back to the client.
    pub(super) async fn sign_in(&self, user: &str) -> Answer {
        let form = self.authorize(&[]).await;
        assert_eq!(form.status, 200, "{}", form.body);
        self.submit(&form, "user", user).await
    }

    /// The token endpoint, with parameters replaced, added, or (if empty) left out.
    pub(super) async fn token(&self, changes: &[(&str, &str)]) -> Answer {
        self.token_from(None, changes).await
    }

    pub(super) async fn token_from(&self, origin: Option<&str>, changes: &[(&str, &str)]) -> Answer {
        let mut form = BTreeMap::from([
            ("grant_type", "authorization_code"),
            ("client_id", CLIENT),
            ("redirect_uri", REDIRECT),
            ("code_verifier", VERIFIER),
        ]);
        form.extend(changes.iter().copied());
        form.retain(|_, value| !value.is_empty());
        let mut request = self.http.post(format!("{}/token", self.issuer)).form(&form);
        if let Some(origin) = origin {
            request = request.header(header::ORIGIN, origin);
        }
        self.send(request).await
    }

    /// Signs in and exchanges the code for tokens.
    pub(super) async fn tokens(&self, user: &str) -> Tokens {
        let code = self.sign_in(user).await.redirect("code");
        let answer = self.token(&[("code", &code)]).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        Tokens(answer.json())
    }

    pub(super) async fn refresh(&self, refresh_token: &str) -> Answer {
        let changes = [("grant_type", "refresh_token"), ("refresh_token", refresh_token)];
        self.token(&[&changes[..], &[("redirect_uri", ""), ("code_verifier", "")]].concat()).await
    }

    /// Revokes a token as the client with this id.
    pub(super) async fn revoke(&self, client_id: &str, token: &str) -> Answer {
        let form = [("token", token), ("client_id", client_id)];
        self.send(self.http.post(format!("{}/revoke", self.issuer)).form(&form)).await
    }

    /// `AssumeRoleWithWebIdentity`, with parameters replaced, added, or (if empty) left out.
    pub(super) async fn assume(&self, role: &str, token: &str, changes: &[(&str, &str)]) -> Answer {
        let mut form = BTreeMap::from([
            ("Action", "AssumeRoleWithWebIdentity"),
            ("Version", "2011-06-15"),
            ("RoleArn", role),
            ("RoleSessionName", "alice@example.com"),
            ("WebIdentityToken", token),
        ]);
        form.extend(changes.iter().copied());
        form.retain(|_, value| !value.is_empty());
        self.send(self.http.post(&self.sts).form(&form)).await
    }
}

impl Tokens {
    pub(super) fn id_token(&self) -> &str {
        self.0["id_token"].as_str().unwrap()
    }

    pub(super) fn refresh_token(&self) -> &str {
        self.0["refresh_token"].as_str().unwrap()
    }

    pub(super) fn claims(&self) -> Value {
        let payload = self.id_token().split('.').nth(1).unwrap();
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
    }

    pub(super) fn header(&self) -> Value {
        let header = self.id_token().split('.').next().unwrap();
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).unwrap()).unwrap()
    }
}

impl Answer {
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error} in {}", self.body))
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// A parameter of the redirect; empty if it is missing.
    pub(super) fn redirect(&self, parameter: &str) -> String {
        assert_eq!(self.status, 303, "{}", self.body);
        let location = Url::parse(self.header("location").unwrap()).unwrap();
        assert_eq!(location.as_str().split('?').next(), Some(REDIRECT));
        let found =
            location.query_pairs().find(|(name, _)| name == parameter).map(|(_, value)| value.into_owned());
        found.unwrap_or_default()
    }

    /// The value of a hidden field.
    pub(super) fn hidden(&self, name: &str) -> String {
        let start = format!("name=\"{name}\" value=\"");
        let rest =
            self.body.split(&start).nth(1).unwrap_or_else(|| panic!("no field {name} in {}", self.body));
        rest.split('"').next().unwrap().to_owned()
    }

    /// The text of an XML or HTML element.
    pub(super) fn element(&self, name: &str) -> String {
        let rest = self.body.split(&format!("<{name}>")).nth(1);
        let text = rest.and_then(|rest| rest.split(&format!("</{name}>")).next()).unwrap_or_default();
        quick_xml::escape::unescape(text).unwrap().into_owned()
    }

    /// The text of the element with this id.
    pub(super) fn by_id(&self, id: &str) -> String {
        let rest = self.body.split(&format!("id=\"{id}\"")).nth(1).unwrap_or_default();
        let text = rest.split_once('>').map_or("", |(_, text)| text).split('<').next().unwrap_or_default();
        text.to_owned()
    }

    /// Status and AWS error code.
    pub(super) fn aws_error(&self) -> (u16, String) {
        (self.status, self.element("Code"))
    }

    /// Status and OAuth error code.
    pub(super) fn oauth_error(&self) -> (u16, String) {
        (self.status, self.json()["error"].as_str().unwrap_or_default().to_owned())
    }
}
