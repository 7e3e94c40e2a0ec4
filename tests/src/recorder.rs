//! A server that records requests byte for byte and responds as AWS STS is documented to, so that this product's
//! requests can be compared with those of AWS's own SDKs for the same call.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, Result};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use chrono::{SecondsFormat, TimeDelta, Utc};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A recorded request.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// Such as `POST`.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// Header fields by their names in lower case.
    pub headers: BTreeMap<String, String>,
    /// The parameters of the form in the body.
    pub form: BTreeMap<String, String>,
}

/// A running recorder. Dropping it stops it.
#[derive(Debug)]
pub struct Recorder {
    address: String,
    requests: Requests,
    server: JoinHandle<()>,
}

type Requests = Arc<Mutex<Vec<Recorded>>>;

impl Recorder {
    /// Starts it on a free port of this machine.
    pub async fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.context("no port for the recorder")?;
        let address = format!("http://{}/", listener.local_addr()?);
        let requests = Requests::default();
        let router = Router::new().fallback(answer).with_state(Arc::clone(&requests));
        let server = tokio::spawn(async move {
            // It runs until it is aborted; later requests are refused.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { address, requests, server })
    }

    /// Its address.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The request with this `Action` since the last call, which must be exactly one.
    pub fn the_only(&self, action: &str) -> Result<Recorded> {
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        let asked: Vec<_> = requests
            .extract_if(.., |request| request.form.get("Action").is_some_and(|own| own == action))
            .collect();
        let [request] = asked.as_slice() else {
            anyhow::bail!("{action} was asked {} times: {asked:#?}", asked.len())
        };
        Ok(request.clone())
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn answer(
    State(requests): State<Requests>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let form: BTreeMap<_, _> = url::form_urlencoded::parse(&body).into_owned().collect();
    let text = match form.get("Action").map(String::as_str) {
        Some("AssumeRoleWithWebIdentity") => {
            assume_role_with_web_identity(form.get("RoleArn").map_or("", String::as_str))
        }
        Some("GetCallerIdentity") => GET_CALLER_IDENTITY.to_owned(),
        _ => String::new(),
    };
    let headers = headers.iter().map(|(name, value)| {
        (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
    });
    let request =
        Recorded { method: method.to_string(), target: uri.to_string(), headers: headers.collect(), form };
    requests.lock().unwrap_or_else(PoisonError::into_inner).push(request);
    let status = if text.is_empty() { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    let headers = [(header::CONTENT_TYPE, "text/xml"), (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*")];
    (status, headers, text).into_response()
}

/// The STS API reference's example response, for any role.
fn assume_role_with_web_identity(role: &str) -> String {
    let (account, name) =
        role.strip_prefix("arn:aws:iam::").and_then(|rest| rest.split_once(":role/")).unwrap_or_default();
    let expiration = (Utc::now() + TimeDelta::hours(12)).to_rfc3339_opts(SecondsFormat::Secs, true);
    format!(
        r#"<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <AssumeRoleWithWebIdentityResult>
    <AssumedRoleUser>
      <Arn>arn:aws:sts::{account}:assumed-role/{name}/alice@example.com</Arn>
      <AssumedRoleId>AROACLKWSDQRAOEXAMPLE:alice@example.com</AssumedRoleId>
    </AssumedRoleUser>
    <Credentials>
      <SessionToken>AQoDYXdzEE0a8ANXXXXXXXXNO1ewxE5TijQyp+IEXAMPLE==</SessionToken>
      <SecretAccessKey>wJalrXUtnFEMI/K7MDENG/bPxRfiCYzEXAMPLEKEY</SecretAccessKey>
      <Expiration>{expiration}</Expiration>
      <AccessKeyId>ASIAIOSFODNN7EXAMPLE</AccessKeyId>
    </Credentials>
  </AssumeRoleWithWebIdentityResult>
  <ResponseMetadata><RequestId>ad4156e9-bce1-11e2-82e6-6b6efEXAMPLE</RequestId></ResponseMetadata>
</AssumeRoleWithWebIdentityResponse>"#
    )
}

const GET_CALLER_IDENTITY: &str = r#"<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <GetCallerIdentityResult>
    <Arn>arn:aws:sts::111111111111:assumed-role/developer/alice@example.com</Arn>
    <UserId>AROACLKWSDQRAOEXAMPLE:alice@example.com</UserId>
    <Account>111111111111</Account>
  </GetCallerIdentityResult>
  <ResponseMetadata><RequestId>01234567-89ab-cdef-0123-456789abcdef</RequestId></ResponseMetadata>
</GetCallerIdentityResponse>"#;
