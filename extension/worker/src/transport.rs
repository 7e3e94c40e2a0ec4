//! By which way a request leaves the extension: the least powerful one that works.
//!
//! 1. `fetch`, as any page could: it works wherever the server answers CORS, or where the person granted the host.
//! 2. Through the native host, whose requests have no `Origin`: where the browser keeps the answer from the
//!    extension, or the server refuses the extension's origin.
//! 3. Without a native host, the person is asked to grant the host.
//!
//! What must not be sent twice ([`Route::Readable`]) goes by the first way only where the person granted the host. What is
//! for the extension only ([`Route::Extension`]) never goes by the second.
//!
//! Nobody is asked to grant a host that is known to refuse the extension's origin: it would go on refusing.
//!
//! A browser keeps six connections to a server and lets further requests wait. While a native host is there, the seventh
//! goes by the second way as well: programs that want many roles at once wait for one another at AWS no longer than for one.
//!
//! Which way the requests of a provider's client to a server take is remembered, once the server was seen to be up: its
//! answers could be read, or it refused the extension's origin, or the browser kept its answer. It is forgotten when the
//! server turns out to want an origin. Providers treat their clients differently, so another client says nothing of this
//! one.
//!
//! A one-time code is used up even by a request whose answer the browser keeps. So the way to a token endpoint is found out
//! before, once, by a request without a code.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use rolecall_core::map::{Map, Set};
use rolecall_core::message::host::{
    HostRequest, HostResponse, HttpFailure, HttpFailureKind, HttpRelayRequest, HttpRelayResponse,
};
use rolecall_core::oidc::TokenError;
use rolecall_core::platform::{
    HttpRequest, HttpResponse, MAX_RESPONSE_BYTES, Method, REQUEST_TIMEOUT_SECONDS, Route, TransportError,
};
use rolecall_core::url::Url;
use rolecall_core::{Code, Problem, catalogue};

use crate::browser::{Browser, FetchError, StorageArea};
use crate::host::Host;
use crate::storage::{Storage, Stored};

/// How requests leave.
pub(crate) struct Transport {
    browser: Rc<dyn Browser>,
    storage: Storage,
    host: Rc<Host>,
    /// Whether a client's requests to a server go through the native host, by [`Target::route`].
    relayed: RefCell<Map<String, bool>>,
    /// The same of those that were seen to refuse the extension's origin.
    refusing: RefCell<Set<String>>,
    /// The origin of each request that the browser is sending.
    fetching: RefCell<Vec<String>>,
}

impl Transport {
    /// Knows which way worked for the background before.
    pub(crate) fn new(
        browser: &Rc<dyn Browser>,
        storage: &Storage,
        host: &Rc<Host>,
        stored: &mut Stored,
    ) -> Rc<Self> {
        Rc::new(Self {
            browser: Rc::clone(browser),
            storage: storage.clone(),
            host: Rc::clone(host),
            relayed: RefCell::new(stored.take(StorageArea::Local, RELAYED).unwrap_or_default()),
            refusing: RefCell::default(),
            fetching: RefCell::default(),
        })
    }

    /// Sends one request of a provider's client by `route`.
    pub(crate) async fn send(
        &self,
        request: HttpRequest,
        route: Route,
        client: &str,
    ) -> Result<HttpResponse, TransportError> {
        let target = Target::of(&request.url, client);
        match route {
            Route::Extension => self.fetch_only(&target, &request).await,
            Route::Native => self.relay(&target, &request).await,
            Route::Auto => self.send_any_way(&target, &request).await,
            Route::Readable => self.send_readably(&target, &request).await,
        }
    }

    /// Reads a public document, which may be large, from the extension only. The browser asks whether what it has kept of it
    /// is current.
    pub(crate) async fn document(&self, url: &Url) -> Result<HttpResponse, TransportError> {
        let target = Target::of(url, "");
        match self.browser.fetch_document(url).await {
            Ok(response) => Ok(response),
            Err(FetchError::NoAnswer) if self.is_withheld(&target).await => Err(target.not_allowed()),
            Err(FetchError::TooLarge) => {
                Err(TransportError::TooLarge { host: target.host, limit: catalogue::MAX_BYTES })
            }
            Err(error) => Err(target.fetch_failure(error)),
        }
    }

    /// Finds out whether answers to requests like this one can be read, unless that is known.
    pub(crate) async fn find_route(&self, probe: &HttpRequest, client: &str) {
        let target = Target::of(&probe.url, client);
        let is_known = self.relayed.borrow().contains_key(&target.route);
        if is_known || self.browser.has_permission(&target.pattern).await {
            return;
        }
        match self.fetch(&target, probe).await {
            Ok(response) => self.remember(&target, self.refuses_origin(&target, &response)),
            Err(TransportError::Unreachable { .. }) if self.is_withheld(&target).await => {
                self.remember(&target, true);
            }
            Err(_) => {}
        }
    }

    /// A permission was granted or revoked: which way works is found out anew.
    pub(crate) fn forget_routes(&self) {
        self.relayed.borrow_mut().clear();
        self.storage.remove(StorageArea::Local, RELAYED);
    }

    /// Sends it once, by a way on which the browser cannot keep the answer. A refusal that could be read may be about the
    /// extension's origin, which AWS's sign-in host is not known to take, so it is asked again without one.
    async fn send_readably(
        &self,
        target: &Target,
        request: &HttpRequest,
    ) -> Result<HttpResponse, TransportError> {
        if self.browser.has_permission(&target.pattern).await {
            let response = self.fetch(target, request).await?;
            if response.is_success() || !self.host.is_connected() {
                return Ok(response);
            }
            return self.relay(target, request).await;
        }
        if self.host.is_connected() {
            return self.relay(target, request).await;
        }
        Err(target.not_allowed())
    }

    /// From the extension only. What looks like a server that is down may be a browser that keeps the answer.
    async fn fetch_only(
        &self,
        target: &Target,
        request: &HttpRequest,
    ) -> Result<HttpResponse, TransportError> {
        match self.fetch(target, request).await {
            Ok(response) => {
                self.refuses_origin(target, &response);
                Ok(response)
            }
            Err(TransportError::Unreachable { .. }) if self.is_withheld(target).await => {
                let (host, pattern) = (target.host.clone(), target.pattern.clone());
                Err(self.known_refusal(target).unwrap_or(TransportError::Withheld { host, pattern }))
            }
            Err(error) => Err(error),
        }
    }

    async fn send_any_way(
        &self,
        target: &Target,
        request: &HttpRequest,
    ) -> Result<HttpResponse, TransportError> {
        let is_relayed = self.relayed.borrow().get(&target.route).copied().unwrap_or_default();
        if (is_relayed || self.would_wait(target)) && self.host.is_connected() {
            let response = self.relay(target, request).await?;
            if !wants_origin(&response) {
                return Ok(response);
            }
            self.forget(target);
            return self.fetch_only(target, request).await;
        }
        if is_relayed && request.method == Method::Post {
            // A code would be used up by a request whose answer the browser keeps.
            self.forget(target);
            return Err(self.known_refusal(target).unwrap_or_else(|| target.not_allowed()));
        }
        let error = match self.fetch(target, request).await {
            Ok(response) if !self.refuses_origin(target, &response) => return Ok(response),
            Ok(response) if !self.host.is_connected() => return Ok(response),
            Ok(_) => None,
            Err(error @ TransportError::Unreachable { .. }) => Some(error),
            Err(error) => return Err(error),
        };
        // To a script, "the server did not answer CORS" and "the server is down" look the same.
        let is_withheld = error.is_some() && self.is_withheld(target).await;
        if self.host.is_connected() {
            let response = self.relay(target, request).await?;
            // It was down for a moment, and is up again.
            if error.is_some() && wants_origin(&response) {
                return self.fetch_only(target, request).await;
            }
            if error.is_none() || is_withheld {
                self.remember(target, true);
            }
            return Ok(response);
        }
        if is_withheld {
            return Err(self.known_refusal(target).unwrap_or_else(|| target.not_allowed()));
        }
        Err(error.unwrap_or_else(|| target.unreachable("no answer")))
    }

    fn remember(&self, target: &Target, is_relayed: bool) {
        let mut relayed = self.relayed.borrow_mut();
        if relayed.insert(target.route.clone(), is_relayed) != Some(is_relayed) {
            self.storage.save(StorageArea::Local, RELAYED, &*relayed);
        }
    }

    fn forget(&self, target: &Target) {
        let mut relayed = self.relayed.borrow_mut();
        if relayed.remove(&target.route).is_some() {
            self.storage.save(StorageArea::Local, RELAYED, &*relayed);
        }
    }

    /// Whether a request without an answer had one that the browser keeps from the extension.
    async fn is_withheld(&self, target: &Target) -> bool {
        !self.browser.has_permission(&target.pattern).await && self.browser.is_reachable(&target.origin).await
    }

    /// Why it is of no use to grant the host, if that was seen.
    fn known_refusal(&self, target: &Target) -> Option<TransportError> {
        let refuses = self.refusing.borrow().contains(&target.route);
        refuses.then(|| TransportError::OriginRefused { host: target.host.clone() })
    }

    /// Whether the extension's origin was refused, which is remembered.
    fn refuses_origin(&self, target: &Target, response: &HttpResponse) -> bool {
        let refuses = is_about_origin(response);
        if refuses {
            self.refusing.borrow_mut().insert(target.route.clone());
        }
        refuses
    }

    /// Whether the browser has as many requests under way to the server as it sends at once.
    fn would_wait(&self, target: &Target) -> bool {
        self.fetching.borrow().iter().filter(|origin| **origin == target.origin).count() >= CONNECTIONS
    }

    async fn fetch(&self, target: &Target, request: &HttpRequest) -> Result<HttpResponse, TransportError> {
        let _fetching = Fetching::new(&self.fetching, &target.origin);
        let had_origin = request.method != Method::Get;
        let fetched = self.browser.fetch(request.clone()).await;
        let response = fetched.map_err(|error| target.fetch_failure(error))?;
        Ok(HttpResponse { had_origin, ..response })
    }

    /// The same request by the native host.
    async fn relay(&self, target: &Target, request: &HttpRequest) -> Result<HttpResponse, TransportError> {
        let url = target.url.parse().map_err(|_| target.unreachable("the address cannot be used"))?;
        let headers = request.headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let relay = HttpRelayRequest {
            method: request.method.as_str().to_owned(),
            url,
            headers: headers.collect(),
            signature: request
                .signature
                .iter()
                .map(|(name, value)| ((*name).to_owned(), value.clone()))
                .collect(),
            body: request.body.clone(),
            public_only: request.public_only,
        };
        match self.host.request(HostRequest::SendHttp(relay), RELAY_LIMIT).await {
            Ok(HostResponse::Http(response)) => target.response(response),
            Ok(HostResponse::HttpFailed(failure)) => Err(target.http_failure(failure)),
            Ok(_) => Err(target.unreachable("the Rolecall host program answered something else")),
            Err(problem) => Err(target.relay_failure(&problem)),
        }
    }
}

/// A request that the browser is sending, until it is dropped.
struct Fetching<'a> {
    all: &'a RefCell<Vec<String>>,
    origin: &'a str,
}

impl<'a> Fetching<'a> {
    fn new(all: &'a RefCell<Vec<String>>, origin: &'a str) -> Self {
        all.borrow_mut().push(origin.to_owned());
        Self { all, origin }
    }
}

impl Drop for Fetching<'_> {
    fn drop(&mut self) {
        let mut all = self.all.borrow_mut();
        if let Some(position) = all.iter().position(|origin| origin == self.origin) {
            all.swap_remove(position);
        }
    }
}

/// Where a request goes, as the different parties name it.
struct Target {
    url: String,
    /// Host and port, for people.
    host: String,
    /// `scheme://host:port`.
    origin: String,
    /// Whose request it is and where it goes, to remember by.
    route: String,
    /// For the browser's permissions. Match patterns of Firefox have no port.
    pattern: String,
}

impl Target {
    fn of(url: &Url, client: &str) -> Self {
        let name = url.host_str().unwrap_or_default();
        let port = url.port().map(|number| format!(":{number}")).unwrap_or_default();
        let origin = url.origin().ascii_serialization();
        Self {
            url: url.to_string(),
            host: format!("{name}{port}"),
            route: format!("{client} {origin}"),
            origin,
            pattern: format!("{}://{name}/*", url.scheme()),
        }
    }

    fn not_allowed(&self) -> TransportError {
        TransportError::NotAllowed { host: self.host.clone(), pattern: self.pattern.clone() }
    }

    fn unreachable(&self, reason: &str) -> TransportError {
        TransportError::Unreachable { host: self.host.clone(), reason: reason.to_owned() }
    }

    fn timed_out(&self) -> TransportError {
        TransportError::TimedOut { host: self.host.clone(), seconds: REQUEST_TIMEOUT_SECONDS }
    }

    fn too_large(&self) -> TransportError {
        TransportError::TooLarge { host: self.host.clone(), limit: MAX_RESPONSE_BYTES }
    }

    fn fetch_failure(&self, error: FetchError) -> TransportError {
        match error {
            FetchError::NoAnswer => self.unreachable("there was no answer"),
            FetchError::TimedOut => self.timed_out(),
            FetchError::TooLarge => self.too_large(),
        }
    }

    fn http_failure(&self, failure: HttpFailure) -> TransportError {
        let HttpFailure { kind, reason } = failure;
        match kind {
            HttpFailureKind::Unreachable => self.unreachable(&reason),
            HttpFailureKind::TimedOut => self.timed_out(),
            HttpFailureKind::PrivateNetwork => TransportError::PrivateNetwork { host: self.host.clone() },
            HttpFailureKind::TooLarge => self.too_large(),
            HttpFailureKind::CertificateUntrusted => {
                TransportError::CertificateUntrusted { host: self.host.clone(), reason }
            }
        }
    }

    fn response(&self, relayed: HttpRelayResponse) -> Result<HttpResponse, TransportError> {
        if relayed.body.len() > MAX_RESPONSE_BYTES {
            return Err(self.too_large());
        }
        let HttpRelayResponse { status, headers, body } = relayed;
        Ok(HttpResponse { headers, ..HttpResponse::new(status, body) })
    }

    fn relay_failure(&self, problem: &Problem) -> TransportError {
        match Code::from_text(&problem.code) {
            Some(Code::HostTimedOut) => self.timed_out(),
            // It never came to the request.
            Some(Code::HostNotInstalled | Code::HostForbidden | Code::HostExited) => {
                TransportError::HostNeeded { host: self.host.clone() }
            }
            _ => TransportError::Relayed(problem.clone()),
        }
    }
}

fn is_about_origin(response: &HttpResponse) -> bool {
    matches!(refusal(response), Some(TokenError::OriginRefused { .. }))
}

fn wants_origin(response: &HttpResponse) -> bool {
    matches!(refusal(response), Some(TokenError::OriginRequired { .. }))
}

fn refusal(response: &HttpResponse) -> Option<TokenError> {
    (400..500).contains(&response.status).then(|| TokenError::read(response, None))
}

/// How long a relayed request may take: as long as a request, and the way to the native host and back.
const RELAY_LIMIT: Duration = Duration::from_secs(25);

/// How many connections browsers keep to one server of HTTP/1.1, which STS is.
const CONNECTIONS: usize = 6;

const RELAYED: &str = "relayed";

#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))]
mod tests;
