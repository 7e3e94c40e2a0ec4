//! The host's responses to the worker's requests.

use http::header::AUTHORIZATION;
use http::{HeaderName, HeaderValue, Method, Request};
use rolecall_core::message::host::{HostResponse, HttpRelayRequest, HttpRelayResponse, ProfileSpec};
use rolecall_core::message::page::{PageRequest, SettingsPage};
use rolecall_core::secret::SecretBytes;
use rolecall_core::settings::{CredentialsMode, ProfileName, RoleKey};
use rolecall_core::{Code, Problem};

use crate::aws_files::{ManagedProfile, Operation, Options};
use crate::http_client::{self, Network};
use crate::profile::{self, RoleProfile};
use crate::settings_files::{self, Machine};

/// Removes a profile that was written for a role. One of another role stays.
pub(super) fn remove_profile(profile: ProfileName, role: &RoleKey) -> Result<HostResponse, Problem> {
    let files = profile::files()?;
    let is_meant = |written: &ManagedProfile| written.name == profile && profile::may_be_of(written, role);
    let removed = files.list().map_err(|error| Problem::from(&error))?.iter().any(is_meant);
    if removed {
        let remove = Operation::Remove(profile);
        files.apply(&remove, &Options::default()).map_err(|error| Problem::from(&error))?;
    }
    Ok(HostResponse::ProfileRemoved { removed })
}

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

/// Sends a request of a sign-in that the browser would add an `Origin` or a cookie to. Nothing else is sent: this program is
/// no way for others into the networks of this machine.
pub(super) fn send_http(relay: HttpRelayRequest) -> Result<HostResponse, Problem> {
    let refuse = |what: &str| Problem::new(Code::HostProtocol, format!("The request has {what}."));
    let is_form = relay.headers.contains(&("content-type".to_owned(), FORM.to_owned()));
    let method = match relay.method.as_str() {
        "GET" if relay.body.is_empty() => Method::GET,
        "POST" if is_form => Method::POST,
        "GET" | "POST" => return Err(refuse("a body other than a form")),
        _ => return Err(refuse("a method other than GET and POST")),
    };
    // STS alone is sent signed requests, and they are forms.
    let signature = if method == Method::POST { &SIGNATURE[..] } else { &[] };
    let mut request = Request::new(relay.body);
    *request.method_mut() = method;
    *request.uri_mut() = http_client::uri(relay.url.url().as_str());
    let headers = relay.headers.into_iter();
    let headers = headers.map(|(name, value)| (&SENT[..], name, SecretBytes::from(value)));
    let signed = relay.signature.into_iter().map(|(name, value)| (signature, name, value));
    for (known, name, value) in headers.chain(signed) {
        let name: HeaderName = name.parse().map_err(|_| refuse("a header that HTTP does not allow"))?;
        if !known.contains(&name.as_str()) {
            return Err(refuse("a header that no sign-in needs"));
        }
        if name == AUTHORIZATION && !value.expose_secret().starts_with(SIGNED_BY) {
            return Err(refuse("an authorization other than a signature"));
        }
        let value: Result<HeaderValue, _> = HeaderValue::from_bytes(value.expose_secret());
        let value = value.map_err(|_| refuse("a header that HTTP does not allow"))?;
        request.headers_mut().append(name, value);
    }
    let network = if relay.public_only { Network::Public } else { Network::Any };
    let response = match http_client::send_to(network, request) {
        Ok(response) => response,
        Err(error) => return Ok(HostResponse::HttpFailed(error.into())),
    };
    let headers = response.headers().iter();
    let headers = headers.filter(|(name, _)| PASSED_ON.contains(&name.as_str()));
    let headers = headers.map(|(name, value)| (name.to_string(), http_client::text(value))).collect();
    let status = response.status().as_u16();
    Ok(HostResponse::Http(HttpRelayResponse { status, headers, body: response.into_body() }))
}

/// The machine's settings as read for the first page; further pages come from the same copy.
#[derive(Debug, Default)]
pub(super) struct SettingsSnapshot {
    machine: Machine,
    revision: u32,
}

impl SettingsSnapshot {
    /// A page of the settings. The first page reads the files again: a person may have corrected them.
    pub(super) fn page(&mut self, request: PageRequest) -> SettingsPage {
        if request.revision != Some(self.revision) && !self.machine.is_current() {
            self.read();
        }
        SettingsPage::cut(&self.machine.reading, self.revision, request.start(self.revision))
    }

    /// Which revision the files are of. They are only parsed again if they say something else than before.
    pub(super) fn revision(&mut self) -> u32 {
        if !self.machine.is_current() {
            self.read();
        }
        self.revision
    }

    fn read(&mut self) {
        self.machine = settings_files::load_and_remember();
        self.revision = self.revision.wrapping_add(1);
    }
}

/// The headers of a sign-in's requests.
const SENT: [&str; 2] = ["accept", "content-type"];

/// The headers of a signature, and what its `authorization` begins with (Signature Version 4).
const SIGNATURE: [&str; 3] = ["authorization", "x-amz-date", "x-amz-security-token"];
const SIGNED_BY: &[u8] = b"AWS4-HMAC-SHA256 ";

/// What is read of a response's headers.
const PASSED_ON: [&str; 3] = ["content-type", "date", "retry-after"];

const FORM: &str = "application/x-www-form-urlencoded";
