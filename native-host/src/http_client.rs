//! Sends one HTTP request: no redirects, no cookies, no `Origin`, bounded in time and size.

use std::sync::LazyLock;
use std::time::Duration;

use http::{HeaderName, HeaderValue, Request, Response, Uri};
use rolecall_core::platform::{
    HttpRequest, HttpResponse, MAX_RESPONSE_BYTES, Method, REQUEST_TIMEOUT_SECONDS, TransportError,
};
use rolecall_core::secret::SecretBytes;
use rolecall_core::settings::Endpoint;
use ureq::tls::{RootCerts, TlsConfig};
use ureq::{Agent, Body};

use crate::certificate;

/// Sends a request of a sign-in.
pub(crate) fn exchange(request: HttpRequest) -> Result<HttpResponse, TransportError> {
    let mut sent = Request::new(request.body);
    *sent.method_mut() = match request.method {
        Method::Get => http::Method::GET,
        Method::Post => http::Method::POST,
    };
    *sent.uri_mut() = uri(request.url.as_str());
    let headers = request.headers.iter();
    let headers =
        headers.map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
    sent.headers_mut().extend(headers);
    let (parts, body) = send(sent)?.into_parts();
    let headers = parts.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect();
    Ok(HttpResponse { headers, ..HttpResponse::new(parts.status.as_u16(), body) })
}

/// A header's value.
pub(crate) fn text(value: &HeaderValue) -> String {
    String::from_utf8_lossy(value.as_bytes()).into_owned()
}

/// A URL of http or https is always a URI: it percent-encodes what a URI may not hold.
pub(crate) fn uri(url: &str) -> Uri {
    url.parse().unwrap_or_default()
}

/// Sends a request to an `https` or loopback address.
pub(crate) fn send(request: Request<SecretBytes>) -> Result<Response<SecretBytes>, TransportError> {
    let host = host(request.uri());
    let authority = request.uri().authority().cloned();
    let unreachable = |reason: String| TransportError::Unreachable { host: host.clone(), reason };
    // The endpoint type decides which addresses are allowed.
    let endpoint: Endpoint = match request.uri().to_string().parse() {
        Ok(endpoint) => endpoint,
        // The error quotes the address, which may contain a secret.
        Err(_) => return Err(unreachable("only https is allowed, except on this machine".to_owned())),
    };
    let client = if is_loopback(&endpoint) { &LOOPBACK } else { &CLIENT };
    let response = run(client, request).map_err(|error| {
        let reason = authority.as_ref().and_then(|authority| certificate::reason(&error, authority));
        match reason {
            Some(reason) => TransportError::CertificateUntrusted { host: host.clone(), reason },
            None => explain(&error, &host),
        }
    })?;
    let (parts, mut body) = response.into_parts();
    // One byte more than the limit shows that the response is too large.
    let limit = u64::try_from(MAX_RESPONSE_BYTES).unwrap_or(u64::MAX);
    let body: SecretBytes =
        body.with_config().limit(limit + 1).read_to_vec().map_err(|error| explain(&error, &host))?.into();
    if body.len() > MAX_RESPONSE_BYTES {
        return Err(TransportError::TooLarge { host, limit: MAX_RESPONSE_BYTES });
    }
    Ok(Response::from_parts(parts, body))
}

/// Sends a request to this program's own server, which may wait for a person before it responds.
pub(crate) fn send_to_own(request: Request<SecretBytes>) -> Result<Response<SecretBytes>, TransportError> {
    let host = host(request.uri());
    let client = config().proxy(None).timeout_global(None).build().new_agent();
    let (parts, mut body) = run(&client, request).map_err(|error| explain(&error, &host))?.into_parts();
    let body = body.read_to_vec().map_err(|error| explain(&error, &host))?;
    Ok(Response::from_parts(parts, body.into()))
}

fn run(client: &Agent, request: Request<SecretBytes>) -> Result<Response<Body>, ureq::Error> {
    let (parts, body) = request.into_parts();
    if body.is_empty() && parts.method != http::Method::POST {
        return client.run(Request::from_parts(parts, ()));
    }
    client.run(Request::from_parts(parts, body.expose_secret()))
}

fn explain(error: &ureq::Error, host: &str) -> TransportError {
    let host = host.to_owned();
    match error {
        ureq::Error::Timeout(_) => TransportError::TimedOut { host, seconds: REQUEST_TIMEOUT_SECONDS },
        ureq::Error::BodyExceedsLimit(_) => TransportError::TooLarge { host, limit: MAX_RESPONSE_BYTES },
        ureq::Error::HostNotFound => {
            TransportError::Unreachable { host, reason: "there is no such host".to_owned() }
        }
        // The message of an I/O error is the system's; ureq's own never repeat headers or bodies.
        error => TransportError::Unreachable {
            host,
            reason: error.to_string().trim_start_matches("io: ").to_owned(),
        },
    }
}

fn is_loopback(endpoint: &Endpoint) -> bool {
    match endpoint.url().host() {
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    }
}

/// Host and port, without the rest of the address, which may contain a secret.
fn host(uri: &Uri) -> String {
    uri.authority().map_or_else(|| "the address".to_owned(), |authority| authority.as_str().to_owned())
}

fn config() -> ureq::config::ConfigBuilder<ureq::typestate::AgentScope> {
    Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .timeout_global(Some(Duration::from_secs(REQUEST_TIMEOUT_SECONDS.into())))
        .user_agent(concat!("rolecall/", env!("CARGO_PKG_VERSION")))
        .tls_config(TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build())
}

/// Uses the proxy in the environment, if there is one.
static CLIENT: LazyLock<Agent> = LazyLock::new(|| config().build().new_agent());

/// Requests to this machine never use a proxy.
static LOOPBACK: LazyLock<Agent> = LazyLock::new(|| config().proxy(None).build().new_agent());

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    /// A server that responds to one request with `answer` and returns the request.
    fn serve(answer: Vec<u8>) -> (String, thread::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}/path", listener.local_addr().unwrap());
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = Vec::new();
            let mut buffer = [0; 1024];
            while !request.ends_with(b"\r\n\r\n") && !request.ends_with(b"a=b") {
                let read = stream.read(&mut buffer).unwrap();
                if read == 0 {
                    break;
                }
                request.extend_from_slice(&buffer[..read]);
            }
            let _ = stream.write_all(&answer);
            String::from_utf8(request).unwrap()
        });
        (address, server)
    }

    fn get(address: &str) -> Request<SecretBytes> {
        Request::builder().uri(address).body(Vec::new().into()).unwrap()
    }

    #[test]
    fn a_form_goes_out_without_origin_or_cookies_and_any_status_comes_back() {
        let (address, server) =
            serve(b"HTTP/1.1 403 Forbidden\r\nset-cookie: a=b\r\ncontent-length: 2\r\n\r\nno".to_vec());
        let request = Request::post(&address)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(b"a=b".to_vec().into())
            .unwrap();
        let response = send(request).unwrap();
        assert_eq!(response.status(), 403);
        assert_eq!(response.body().expose_secret(), b"no");
        let sent = server.join().unwrap().to_lowercase();
        assert!(sent.starts_with("post /path http/1.1\r\n"), "{sent}");
        assert!(sent.contains("user-agent: rolecall/"), "{sent}");
        assert!(!sent.contains("origin:") && !sent.contains("cookie:"), "{sent}");
    }

    #[test]
    fn a_redirect_is_returned_and_not_followed() {
        let (address, server) = serve(
            b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n".to_vec(),
        );
        assert_eq!(send(get(&address)).unwrap().status(), 302);
        server.join().unwrap();
    }

    #[test]
    fn a_response_of_the_maximum_size_is_accepted_and_one_byte_more_is_not() {
        for (length, passes) in [(MAX_RESPONSE_BYTES, true), (MAX_RESPONSE_BYTES + 1, false)] {
            let mut answer = b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n".to_vec();
            answer.resize(answer.len() + length, b'x');
            let (address, server) = serve(answer);
            match send(get(&address)) {
                Ok(response) => assert!(passes && response.body().len() == length),
                Err(error) => assert!(!passes && matches!(error, TransportError::TooLarge { .. }), "{error}"),
            }
            server.join().unwrap();
        }
    }

    #[test]
    fn cleartext_to_another_machine_is_refused_without_connecting() {
        let error = send(get("http://a.example/secret?code=1")).unwrap_err();
        assert!(error.to_string().starts_with("a.example could not be reached"), "{error}");
    }

    #[test]
    fn a_refused_connection_is_reported_with_host_and_port() {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let error = send(get(&format!("http://127.0.0.1:{port}/x?code=secret"))).unwrap_err();
        assert!(
            error.to_string().starts_with(&format!("127.0.0.1:{port} could not be reached: ")),
            "{error}"
        );
        assert!(!error.to_string().contains("secret"), "{error}");
    }
}
