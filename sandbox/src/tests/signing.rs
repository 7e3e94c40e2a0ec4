//! Signing with AWS's own Rust signer, which shares no code with the sandbox's verifier.

use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use chrono::{DateTime, Utc};

use super::Browser;
use super::browser::Answer;

pub(super) struct Keys {
    pub(super) id: String,
    pub(super) secret: String,
    pub(super) token: String,
}

impl Keys {
    pub(super) fn of(assumed: &Answer) -> Self {
        Self {
            id: assumed.element("AccessKeyId"),
            secret: assumed.element("SecretAccessKey"),
            token: assumed.element("SessionToken"),
        }
    }

    /// The console's `Session` parameter.
    pub(super) fn session(&self) -> String {
        serde_json::json!({ "sessionId": self.id, "sessionKey": self.secret, "sessionToken": self.token })
            .to_string()
    }
}

/// `GetCallerIdentity` signed with `keys` at `time`.
pub(super) async fn caller_identity(browser: &Browser, keys: &Keys, time: DateTime<Utc>) -> Answer {
    signed(browser, keys, time, "Action=GetCallerIdentity&Version=2011-06-15").await
}

/// A call signed with `keys` at `time`.
pub(super) async fn signed(browser: &Browser, keys: &Keys, time: DateTime<Utc>, body: &str) -> Answer {
    let content_type = "application/x-www-form-urlencoded; charset=utf-8";
    let identity = Credentials::new(&keys.id, &keys.secret, Some(keys.token.clone()), None, "test").into();
    let parameters = v4::SigningParams::builder()
        .identity(&identity)
        .region("eu-west-1")
        .name("sts")
        .time(SystemTime::from(time))
        .settings(SigningSettings::default())
        .build()
        .unwrap()
        .into();
    let headers = [("content-type", content_type)];
    let signable =
        SignableRequest::new("POST", &browser.sts, headers.into_iter(), SignableBody::Bytes(body.as_bytes()))
            .unwrap();
    let (instructions, _) = sign(signable, &parameters).unwrap().into_parts();
    let mut request =
        browser.http.post(&browser.sts).header("content-type", content_type).body(body.to_owned());
    for (name, value) in instructions.headers() {
        request = request.header(name, value);
    }
    browser.send(request).await
}
