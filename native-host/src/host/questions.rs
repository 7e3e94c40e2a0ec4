//! What the host answers the worker.

use http::{HeaderName, HeaderValue, Method};
use rolecall_core::message::host::{HostAnswer, HttpRelay, HttpRelayed, ProfileRequest};
use rolecall_core::platform::HttpRequest;
use rolecall_core::settings::CredentialsMode;
use rolecall_core::{Code, Problem};
use secrecy::ExposeSecret;

use crate::aws_files::{Operation, Options};
use crate::profile::{self, Wanted};
use crate::{http_client, settings_files};

/// Writes a profile into the AWS files.
pub(super) fn write_profile(request: &ProfileRequest) -> Result<HostAnswer, Problem> {
    let wanted = Wanted {
        name: &request.profile,
        role: &request.role,
        region: Some(&request.region),
        endpoint_url: request.endpoint_url.as_ref(),
        mode: request.mode,
        credentials: request.credentials.as_ref(),
    };
    let files = profile::files()?;
    let new = wanted.to_new_profile()?;
    let applied =
        files.apply(&Operation::Set(new), &Options::default()).map_err(|error| profile::problem(&error))?;
    let path = if request.mode == CredentialsMode::File { files.credentials() } else { files.config() };
    Ok(HostAnswer::ProfileWritten {
        profile: request.profile.clone(),
        file: crate::output::short_path(path),
        changed: !applied.plan.is_empty(),
    })
}

/// Sends a request that the browser would spoil.
pub(super) fn send_http(relay: &HttpRelay) -> Result<HostAnswer, Problem> {
    let refuse = |what: &str| Problem::new(Code::HostProtocol, format!("The request to be sent has {what}."));
    let method = match relay.method.as_str() {
        "GET" => Method::GET,
        "POST" => Method::POST,
        _ => return Err(refuse("a method other than GET and POST")),
    };
    let mut request = HttpRequest::new(relay.body.expose_secret().as_bytes().to_vec());
    *request.method_mut() = method;
    *request.uri_mut() = relay.url.uri();
    for (name, value) in &relay.headers {
        let name: HeaderName = name.parse().map_err(|_| refuse("a header that HTTP does not allow"))?;
        // What a browser would add on its own, and what this program decides by itself.
        if DROPPED.contains(&name.as_str()) {
            continue;
        }
        let value: HeaderValue = value.parse().map_err(|_| refuse("a header that HTTP does not allow"))?;
        request.headers_mut().append(name, value);
    }
    let response =
        http_client::send(request).map_err(|error| Problem::new(error.code(), error.to_string()))?;
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers = response.headers().iter();
    let headers = headers.filter(|(name, _)| *name != http::header::SET_COOKIE);
    let headers = headers.map(|(name, value)| (name.to_string(), text(value))).collect();
    let status = response.status().as_u16();
    let body = String::from_utf8(response.into_body()).map_err(|_| {
        Problem::new(
            Code::AnswerTooLarge,
            format!(
                "{} answered with something that is not text.",
                relay.url.url().host_str().unwrap_or_default()
            ),
        )
    })?;
    Ok(HostAnswer::Http(HttpRelayed { status, headers, body: body.into() }))
}

/// Who the host is, and what the machine's settings say.
pub(super) fn hello(machine: settings_files::Machine) -> HostAnswer {
    HostAnswer::Hello {
        protocol: rolecall_core::message::host::ProtocolRange::CURRENT,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        capabilities: Vec::new(),
        settings: Box::new(machine.reading.settings),
        settings_faults: machine.reading.faults,
    }
}

/// Headers that are never passed on.
const DROPPED: [&str; 8] = [
    "origin",
    "referer",
    "cookie",
    "host",
    "content-length",
    "connection",
    "transfer-encoding",
    "accept-encoding",
];
