//! The host's responses to the worker's requests.

use http::{HeaderName, HeaderValue, Method, Request};
use rolecall_core::message::host::{HostResponse, HttpRelayRequest, HttpRelayResponse, ProfileSpec};
use rolecall_core::message::page::{PageRequest, SettingsPage};
use rolecall_core::settings::{CredentialsMode, Reading};
use rolecall_core::{Code, Problem};

use crate::aws_files::{Operation, Options};
use crate::profile::{self, RoleProfile};
use crate::{http_client, settings_files};

/// Writes a profile into the AWS files.
pub(super) fn write_profile(request: &ProfileSpec) -> Result<HostResponse, Problem> {
    let wanted = RoleProfile {
        name: &request.profile,
        role: &request.role.arn,
        provider: Some(&request.role.provider),
        region: Some(&request.region),
        endpoint_url: request.endpoint_url.as_ref(),
        mode: request.mode,
        credentials: request.credentials.as_ref(),
    };
    let files = profile::files()?;
    let new = wanted.to_new_profile()?;
    let applied =
        files.apply(&Operation::Set(new), &Options::default()).map_err(|error| Problem::from(&error))?;
    let path = if request.mode == CredentialsMode::File { files.credentials() } else { files.config() };
    Ok(HostResponse::ProfileWritten {
        profile: request.profile.clone(),
        file: crate::output::short_path(path),
        changed: !applied.plan.is_empty(),
    })
}

/// Sends a request that the browser would add an `Origin` or a cookie to.
pub(super) fn send_http(relay: HttpRelayRequest) -> Result<HostResponse, Problem> {
    let refuse = |what: &str| Problem::new(Code::HostProtocol, format!("The request has {what}."));
    let method = match relay.method.as_str() {
        "GET" => Method::GET,
        "POST" => Method::POST,
        _ => return Err(refuse("a method other than GET and POST")),
    };
    let mut request = Request::new(relay.body);
    *request.method_mut() = method;
    *request.uri_mut() = http_client::uri(relay.url.url().as_str());
    for (name, value) in relay.headers {
        let name: HeaderName = name.parse().map_err(|_| refuse("a header that HTTP does not allow"))?;
        // Headers that a browser would add, or that this program sets itself.
        if DROPPED.contains(&name.as_str()) {
            continue;
        }
        let value: HeaderValue = value.parse().map_err(|_| refuse("a header that HTTP does not allow"))?;
        request.headers_mut().append(name, value);
    }
    let response = match http_client::send(request) {
        Ok(response) => response,
        Err(error) => return Ok(HostResponse::HttpFailed(error.into())),
    };
    let headers = response.headers().iter();
    let headers = headers.filter(|(name, _)| *name != http::header::SET_COOKIE);
    let headers = headers.map(|(name, value)| (name.to_string(), http_client::text(value))).collect();
    let status = response.status().as_u16();
    Ok(HostResponse::Http(HttpRelayResponse { status, headers, body: response.into_body() }))
}

/// The machine's settings as read for the first page; further pages come from the same copy.
#[derive(Debug, Default)]
pub(super) struct SettingsSnapshot {
    reading: Reading,
    revision: u32,
}

impl SettingsSnapshot {
    /// A page of the settings. The first page reads the files again: a person may have corrected them.
    pub(super) fn page(&mut self, request: PageRequest) -> SettingsPage {
        if request.revision != Some(self.revision) {
            self.reading = settings_files::load_and_remember().reading;
            self.revision = self.revision.wrapping_add(1);
        }
        SettingsPage::cut(&self.reading, self.revision, request.start(self.revision))
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
