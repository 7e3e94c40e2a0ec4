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
//! A host that needed the second way is remembered. A one-time code may have been used up by a request whose answer
//! the browser kept; `rolecall_core::sign_in` gets a new one then.

use std::rc::Rc;

use http::{HeaderName, HeaderValue, Method, StatusCode};
use js_sys::Uint8Array;
use rolecall_core::message::host::{HostRequest, HostResponse, HttpRelayRequest, HttpRelayResponse};
use rolecall_core::oidc::TokenError;
use rolecall_core::platform::{
    HttpRequest, HttpResponse, MAX_RESPONSE_BYTES, REQUEST_TIMEOUT_SECONDS, Route, TransportError, WithOrigin,
};
use rolecall_core::url::Url;
use rolecall_core::{Code, Problem};
use web_sys::{AbortSignal, RequestCache, RequestCredentials, RequestMode, RequestRedirect};

use crate::app::App;
use crate::{browser, store};

/// Sends one request by `route`.
pub(crate) async fn send(
    app: &Rc<App>,
    request: HttpRequest,
    route: Route,
) -> Result<HttpResponse, TransportError> {
    let target = Target::of(&request);
    match route {
        Route::Extension => fetch_or_ask(app, &target, &request).await,
        Route::Native => relay(app, &target, &request).await,
        Route::Auto => send_any_way(app, &target, &request).await,
        Route::Readable => send_readably(app, &target, &request).await,
    }
}

/// Sends it once, by a way on which the browser cannot keep the answer. A refusal that could be read may be about the
/// extension's origin, which AWS's sign-in host is not known to take, so it is asked again without one.
async fn send_readably(
    app: &Rc<App>,
    target: &Target,
    request: &HttpRequest,
) -> Result<HttpResponse, TransportError> {
    if browser::may_talk_to(&target.pattern).await {
        let response = fetch(target, request).await?;
        if response.status().is_success() || !app.host_is_connected() {
            return Ok(response);
        }
        return relay(app, target, request).await;
    }
    if app.host_is_connected() {
        return relay(app, target, request).await;
    }
    Err(target.not_allowed())
}

/// From the extension only. What looks like a server that is down may be a browser that keeps the answer.
async fn fetch_or_ask(
    app: &Rc<App>,
    target: &Target,
    request: &HttpRequest,
) -> Result<HttpResponse, TransportError> {
    match fetch(target, request).await {
        Ok(response) => {
            refuses_origin(app, target, &response);
            Ok(response)
        }
        Err(TransportError::Unreachable { .. }) if is_withheld(target).await => {
            let (host, pattern) = (target.host.clone(), target.pattern.clone());
            Err(app.known_refusal(target).unwrap_or(TransportError::Withheld { host, pattern }))
        }
        Err(error) => Err(error),
    }
}

/// Whether a request without an answer had one that the browser keeps from the extension.
async fn is_withheld(target: &Target) -> bool {
    !browser::may_talk_to(&target.pattern).await && answers_at_all(target).await
}

impl App {
    /// Why it is of no use to grant the host, if that was seen.
    fn known_refusal(&self, target: &Target) -> Option<TransportError> {
        let refuses = self.refusing.borrow().contains(&target.origin);
        refuses.then(|| TransportError::OriginRefused { host: target.host.clone() })
    }
}

async fn send_any_way(
    app: &Rc<App>,
    target: &Target,
    request: &HttpRequest,
) -> Result<HttpResponse, TransportError> {
    let relayed = app.routes.borrow().contains(&target.origin);
    if relayed && app.host_is_connected() {
        return relay(app, target, request).await;
    }
    let error = match fetch(target, request).await {
        Ok(response) if !refuses_origin(app, target, &response) || !app.host_is_connected() => {
            return Ok(response);
        }
        Ok(_) => None,
        Err(error @ TransportError::Unreachable { .. }) => Some(error),
        Err(error) => return Err(error),
    };
    // To a script, "the server did not answer CORS" and "the server is down" look the same.
    if app.host_is_connected() {
        let response = relay(app, target, request).await?;
        let routes = {
            let mut routes = app.routes.borrow_mut();
            routes.insert(target.origin.clone());
            routes.clone()
        };
        store::save_routes(&routes).await;
        return Ok(response);
    }
    if is_withheld(target).await {
        return Err(app.known_refusal(target).unwrap_or_else(|| target.not_allowed()));
    }
    Err(error.unwrap_or_else(|| target.unreachable("no answer")))
}

/// Where a request goes, as the different parties name it.
struct Target {
    url: String,
    /// Host and port, for people.
    host: String,
    /// `scheme://host:port`, for memory.
    origin: String,
    /// For the browser's permissions. Match patterns of Firefox have no port.
    pattern: String,
}

impl Target {
    fn of(request: &HttpRequest) -> Self {
        let url = request.uri().to_string();
        let parsed = Url::parse(&url).ok();
        let read = |part: fn(&Url) -> Option<String>| parsed.as_ref().and_then(part).unwrap_or_default();
        let name = read(|url| url.host_str().map(str::to_owned));
        let port = read(|url| url.port().map(|number| format!(":{number}")));
        let origin = read(|url| Some(url.origin().ascii_serialization()));
        let scheme = read(|url| Some(url.scheme().to_owned()));
        Self { pattern: format!("{scheme}://{name}/*"), host: format!("{name}{port}"), origin, url }
    }

    fn not_allowed(&self) -> TransportError {
        TransportError::NotAllowed { host: self.host.clone(), pattern: self.pattern.clone() }
    }

    fn unreachable(&self, reason: &str) -> TransportError {
        TransportError::Unreachable { host: self.host.clone(), reason: reason.to_owned() }
    }
}

/// `fetch` without cookies, cache or redirects.
async fn fetch(target: &Target, request: &HttpRequest) -> Result<HttpResponse, TransportError> {
    let builder = gloo_net::http::RequestBuilder::new(&target.url)
        .method(request.method().clone())
        .credentials(RequestCredentials::Omit)
        .cache(RequestCache::NoStore)
        .redirect(RequestRedirect::Error)
        .abort_signal(Some(&AbortSignal::timeout_with_u32(REQUEST_TIMEOUT_SECONDS.saturating_mul(1_000))));
    let builder = request.headers().iter().fold(builder, |builder, (name, value)| {
        builder.header(name.as_str(), value.to_str().unwrap_or_default())
    });
    let body = (request.method() != Method::GET).then(|| Uint8Array::from(request.body().as_slice()));
    let failed = |error: gloo_net::Error| target.fetch_failure(&error);
    let sent = match body {
        Some(body) => builder.body(body),
        None => builder.build(),
    };
    let received = sent.map_err(failed)?.send().await.map_err(failed)?;
    let headers: Vec<_> = received.headers().entries().collect();
    let body = received.binary().await.map_err(failed)?;
    let mut response = target.response(received.status(), headers, body)?;
    if request.method() != Method::GET {
        response.extensions_mut().insert(WithOrigin);
    }
    Ok(response)
}

/// The same request by the native host.
async fn relay(
    app: &Rc<App>,
    target: &Target,
    request: &HttpRequest,
) -> Result<HttpResponse, TransportError> {
    let url = target.url.parse().map_err(|_| target.unreachable("the address cannot be used"))?;
    let headers = request
        .headers()
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), value.to_str().unwrap_or_default().to_owned()));
    let relay = HttpRelayRequest {
        method: request.method().to_string(),
        url,
        headers: headers.collect(),
        body: request.body().clone().into(),
    };
    let deadline = REQUEST_TIMEOUT_SECONDS.saturating_add(5);
    match app.host.ask(HostRequest::SendHttp(relay), deadline).await {
        Ok(HostResponse::Http(HttpRelayResponse { status, headers, body })) => {
            target.response(status, headers, body.expose_secret().to_vec())
        }
        Ok(_) => Err(target.unreachable("the Rolecall host program answered something else")),
        Err(problem) => Err(target.relay_failure(&problem)),
    }
}

impl Target {
    fn response(
        &self,
        status: u16,
        headers: impl IntoIterator<Item = (String, String)>,
        body: Vec<u8>,
    ) -> Result<HttpResponse, TransportError> {
        if body.len() > MAX_RESPONSE_BYTES {
            return Err(TransportError::TooLarge { host: self.host.clone(), limit: MAX_RESPONSE_BYTES });
        }
        let mut response = http::Response::new(body);
        *response.status_mut() =
            StatusCode::from_u16(status).map_err(|_| self.unreachable("it has no HTTP status"))?;
        let headers = headers.into_iter().filter_map(|(name, value)| {
            Some((name.parse::<HeaderName>().ok()?, value.parse::<HeaderValue>().ok()?))
        });
        response.headers_mut().extend(headers);
        Ok(response)
    }

    fn fetch_failure(&self, error: &gloo_net::Error) -> TransportError {
        let timed_out = match error {
            gloo_net::Error::JsError(error) => error.name == "TimeoutError",
            gloo_net::Error::GlooError(_) => false,
        };
        if timed_out {
            return TransportError::TimedOut { host: self.host.clone(), seconds: REQUEST_TIMEOUT_SECONDS };
        }
        // The browser says no more than "Failed to fetch", on purpose.
        self.unreachable("there was no answer")
    }

    fn relay_failure(&self, problem: &Problem) -> TransportError {
        if problem.is(Code::RequestTimedOut) || problem.is(Code::HostTimedOut) {
            return TransportError::TimedOut { host: self.host.clone(), seconds: REQUEST_TIMEOUT_SECONDS };
        }
        match Code::from_text(&problem.code) {
            // It never came to the request.
            Some(Code::HostNotInstalled | Code::HostForbidden | Code::HostExited) => {
                TransportError::HostNeeded { host: self.host.clone() }
            }
            Some(Code::Unreachable) => {
                let reason = problem.message.split_once(" could not be reached: ").map(|(_, reason)| reason);
                self.unreachable(reason.unwrap_or("there was no answer").trim_end_matches('.'))
            }
            _ => TransportError::Relayed(Box::new(problem.clone())),
        }
    }
}

/// Whether the extension's origin was refused, which is remembered.
fn refuses_origin(app: &App, target: &Target, response: &HttpResponse) -> bool {
    let refuses = speaks_of_origin(response);
    if refuses {
        app.refusing.borrow_mut().insert(target.origin.clone());
    }
    refuses
}

fn speaks_of_origin(response: &HttpResponse) -> bool {
    response.status().is_client_error()
        && matches!(TokenError::read(response), TokenError::OriginRefused { .. })
}

/// Whether something answers there, which an opaque request tells without reading the answer.
async fn answers_at_all(target: &Target) -> bool {
    let request = gloo_net::http::RequestBuilder::new(&target.origin)
        .mode(RequestMode::NoCors)
        .credentials(RequestCredentials::Omit)
        .cache(RequestCache::NoStore)
        .send()
        .await;
    request.is_ok()
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    fn target(url: &str) -> Target {
        let mut request = HttpRequest::default();
        *request.uri_mut() = url.parse().unwrap();
        Target::of(&request)
    }

    #[test]
    fn a_host_is_named_to_each_party_in_its_own_way() {
        let port = target("http://127.0.0.1:8080/token?x=y");
        assert_eq!(port.host, "127.0.0.1:8080");
        assert_eq!(port.origin, "http://127.0.0.1:8080");
        assert_eq!(port.pattern, "http://127.0.0.1/*");
        let plain = target("https://idp.example/token");
        assert_eq!((plain.host.as_str(), plain.origin.as_str()), ("idp.example", "https://idp.example"));
        assert_eq!(plain.pattern, "https://idp.example/*");
    }

    #[test]
    fn only_a_refusal_that_speaks_of_the_origin_is_one_of_the_origin() {
        let answer = |status: u16, body: &str| {
            http::Response::builder().status(status).body(body.as_bytes().to_vec()).unwrap()
        };
        let refusal =
            r#"{"error":"invalid_request","error_description":"Cross-origin redemption is not permitted"}"#;
        assert!(speaks_of_origin(&answer(400, refusal)));
        assert!(!speaks_of_origin(&answer(200, refusal)));
        assert!(!speaks_of_origin(&answer(400, r#"{"error":"invalid_grant"}"#)));
        assert!(!speaks_of_origin(&answer(403, "<Error><Code>AccessDenied</Code></Error>")));
    }

    #[test]
    fn what_the_host_program_says_of_a_request_is_not_taken_for_a_host_program_that_is_missing() {
        let target = target("https://idp.example/token");
        let untrusted = Problem::new(Code::CertificateUntrusted, "The certificate is not trusted.");
        let newer = Problem { code: "of-a-newer-version".to_owned(), ..untrusted.clone() };
        for told in [untrusted, newer] {
            assert_eq!(target.relay_failure(&told), TransportError::Relayed(Box::new(told)));
        }
        let missing = Problem::new(Code::HostExited, "It ended.");
        assert_eq!(target.relay_failure(&missing).code(), Code::HostNotInstalled);
        let down = Problem::new(Code::Unreachable, "idp.example could not be reached: connection refused.");
        assert_eq!(target.relay_failure(&down), target.unreachable("connection refused"));
    }
}
