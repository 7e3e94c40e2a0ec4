//! Sends one HTTP request: no redirects, no cookies, no `Origin`, bounded in time and size.

use std::net::IpAddr;
use std::sync::LazyLock;
use std::time::Duration;

use http::{HeaderName, HeaderValue, Request, Response, Uri};
use rolecall_core::platform::{
    HttpRequest, HttpResponse, MAX_RESPONSE_BYTES, Method, REQUEST_TIMEOUT_SECONDS, TransportError,
};
use rolecall_core::secret::SecretBytes;
use rolecall_core::settings::Endpoint;
use ureq::tls::{RootCerts, TlsConfig};
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};
use ureq::{Agent, Body};

use crate::certificate;

/// Sends a request of a sign-in.
pub(crate) fn exchange(request: HttpRequest) -> Result<HttpResponse, TransportError> {
    let headers = request.all_headers().filter_map(|(name, value)| {
        Some((HeaderName::from_static(name), HeaderValue::from_str(value).ok()?))
    });
    let headers = headers.collect();
    let mut sent = Request::new(request.body);
    *sent.headers_mut() = headers;
    *sent.method_mut() = match request.method {
        Method::Get => http::Method::GET,
        Method::Post => http::Method::POST,
    };
    *sent.uri_mut() = uri(request.url.as_str());
    let network = if request.public_only { Network::Public } else { Network::Any };
    let (parts, body) = send_to(network, sent)?.into_parts();
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

/// Where a request may go to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Network {
    /// To any address: the settings name the host.
    Any,
    /// To public addresses only.
    Public,
}

/// Sends a request to an `https` or loopback address.
pub(crate) fn send(request: Request<SecretBytes>) -> Result<Response<SecretBytes>, TransportError> {
    send_to(Network::Any, request)
}

/// Sends a request to an `https` or loopback address in this network.
pub(crate) fn send_to(
    network: Network,
    request: Request<SecretBytes>,
) -> Result<Response<SecretBytes>, TransportError> {
    let host = host(request.uri());
    let unreachable = |reason: String| TransportError::Unreachable { host: host.clone(), reason };
    // The endpoint type decides which addresses are allowed.
    let endpoint: Endpoint = match request.uri().to_string().parse() {
        Ok(endpoint) => endpoint,
        // The error quotes the address, which may contain a secret.
        Err(_) => return Err(unreachable("only https is allowed, except on this machine".to_owned())),
    };
    let client: &Agent = match network {
        Network::Public => &PUBLIC,
        Network::Any if is_loopback(&endpoint) => &LOOPBACK,
        Network::Any => &CLIENT,
    };
    run_and_read(client, request, host, MAX_RESPONSE_BYTES)
}

/// Reads a public document of up to `limit` bytes, unless it is the one that the server calls `etag`.
pub(crate) fn document(
    endpoint: &Endpoint,
    etag: Option<&str>,
    timeout: Duration,
    limit: usize,
) -> Result<Response<SecretBytes>, TransportError> {
    let mut request = Request::new(SecretBytes::default());
    *request.uri_mut() = uri(endpoint.as_str());
    if let Some(etag) = etag.and_then(|etag| HeaderValue::from_str(etag).ok()) {
        request.headers_mut().insert(http::header::IF_NONE_MATCH, etag);
    }
    let config = config().timeout_global(Some(timeout));
    let config = if is_loopback(endpoint) { config.proxy(None) } else { config };
    let host = host(request.uri());
    run_and_read(&config.build().new_agent(), request, host, limit)
}

fn run_and_read(
    client: &Agent,
    request: Request<SecretBytes>,
    host: String,
    limit: usize,
) -> Result<Response<SecretBytes>, TransportError> {
    let authority = request.uri().authority().cloned();
    let response = run(client, request).map_err(|error| {
        let reason = authority.as_ref().and_then(|authority| certificate::reason(&error, authority));
        match reason {
            Some(reason) => TransportError::CertificateUntrusted { host: host.clone(), reason },
            None => explain(&error, &host),
        }
    })?;
    let (parts, mut body) = response.into_parts();
    // One byte more than the limit shows that the response is too large.
    let enough = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    let body = body.with_config().limit(enough).read_to_vec().map_err(|error| explain(&error, &host))?;
    if body.len() > limit {
        return Err(TransportError::TooLarge { host, limit });
    }
    Ok(Response::from_parts(parts, body.into()))
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
        ureq::Error::Other(cause) if cause.is::<NotPublic>() => TransportError::PrivateNetwork { host },
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

/// The same, without what is in a private network. Through a proxy, the proxy decides.
static PUBLIC: LazyLock<Agent> = LazyLock::new(|| {
    Agent::with_parts(config().build(), DefaultConnector::default(), PublicResolver::default())
});

/// Finds public addresses only. Whoever checks the address before the request could be told another one for the request.
#[derive(Debug, Default)]
struct PublicResolver(DefaultResolver);

impl Resolver for PublicResolver {
    fn resolve(
        &self,
        uri: &Uri,
        config: &ureq::config::Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let addresses = self.0.resolve(uri, config, timeout)?;
        let is_proxy = config.proxy().is_some_and(|proxy| proxy.uri() == uri);
        if is_proxy || addresses.iter().all(|address| is_public(address.ip())) {
            return Ok(addresses);
        }
        Err(ureq::Error::Other(Box::new(NotPublic)))
    }
}

/// An address is not public.
#[derive(Debug, thiserror::Error)]
#[error("the address is not public")]
struct NotPublic;

/// Whether an address is globally reachable, by the IANA registries of special-purpose addresses (RFC 6890).
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            let [first, second, third, _] = address.octets();
            !(address.is_private()
                || address.is_loopback()
                || address.is_link_local()
                || address.is_unspecified()
                || address.is_broadcast()
                || address.is_multicast()
                || address.is_documentation()
                || first == 0
                || first >= 240
                // Shared address space (RFC 6598), protocol assignments, benchmarking (RFC 2544).
                || (first == 100 && (64..128).contains(&second))
                || (first, second, third) == (192, 0, 0)
                || (first == 198 && (18..20).contains(&second)))
        }
        IpAddr::V6(address) => match (address.to_ipv4_mapped(), address.segments()) {
            (Some(address), _) => is_public(address.into()),
            // IPv4 addresses behind a translator (RFC 6052) and 6to4 (RFC 3056).
            (None, [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..]) => {
                let [first, second] = high.to_be_bytes();
                let [third, fourth] = low.to_be_bytes();
                is_public(IpAddr::from([first, second, third, fourth]))
            }
            // Everything global is in 2000::/3, apart from documentation (RFC 3849) and protocol assignments (RFC 2928).
            (None, segments) => {
                segments[0] & 0xe000 == 0x2000
                    && (segments[0], segments[1]) != (0x2001, 0xdb8)
                    && !(segments[0] == 0x2001 && segments[1] < 0x200)
            }
        },
    }
}

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
    fn only_a_public_address_is_asked_where_the_settings_do_not_name_the_host() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port();
        // Names that resolve to this machine do as addresses do.
        for host in ["127.0.0.1", "localhost", "[::1]"] {
            let error = send_to(Network::Public, get(&format!("https://{host}:{port}/"))).unwrap_err();
            assert_eq!(error, TransportError::PrivateNetwork { host: format!("{host}:{port}") });
        }
        assert!(listener.accept().is_err(), "somebody connected");
    }

    #[test]
    fn addresses_of_private_networks_and_special_purposes_are_not_public() {
        for address in [
            "10.0.0.1",
            "172.16.0.1",
            "192.168.1.1",
            "127.0.0.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "192.0.0.1",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "::1",
            "::",
            "fe80::1",
            "fd00::1",
            "::ffff:10.0.0.1",
            "64:ff9b::a00:1",
            "2002:a00:1::",
            "2001:db8::1",
            "ff02::1",
            "fec0::1",
        ] {
            assert!(!is_public(address.parse().unwrap()), "{address}");
        }
        for address in
            ["1.1.1.1", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "64:ff9b::101:101", "2001:4860::1"]
        {
            assert!(is_public(address.parse().unwrap()), "{address}");
        }
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
