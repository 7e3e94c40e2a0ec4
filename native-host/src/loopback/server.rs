//! A minimal HTTP server on the loopback address: one short GET request and one response per connection.
//!
//! It does not know sign-ins or credentials.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use zeroize::Zeroizing;

use crate::connections::{Slots, UntilDeadline, accept_each};

/// A listener on 127.0.0.1, and on `::1` if there is one: `localhost` may be either.
#[derive(Debug)]
pub(crate) struct Server {
    listeners: Vec<TcpListener>,
    port: u16,
}

/// A request.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// Path and query, which may contain an authorization code.
    pub(crate) target: Zeroizing<String>,
    headers: Vec<(String, Zeroizing<String>)>,
}

/// A response.
#[derive(Debug)]
pub(crate) struct Response {
    /// The status code and reason phrase.
    pub(crate) status: &'static str,
    /// The content's type.
    pub(crate) content_type: &'static str,
    /// The target of a redirect.
    pub(crate) location: Option<Zeroizing<String>>,
    /// The content.
    pub(crate) body: Zeroizing<String>,
    /// Called once the response is written: the process may exit then.
    pub(crate) after: Option<After>,
}

/// See [`Response::after`].
pub(crate) struct After(pub(crate) Box<dyn FnOnce()>);

impl std::fmt::Debug for After {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("After")
    }
}

/// A running server. Dropping it frees the port.
#[derive(Debug)]
pub(crate) struct Serving {
    is_over: Arc<AtomicBool>,
    threads: Vec<(SocketAddr, JoinHandle<()>)>,
}

impl Server {
    /// Listens on the first free port of these; 0 is any free port.
    pub(crate) fn bind(ports: &[u16]) -> io::Result<Self> {
        let mut refusal = io::Error::new(io::ErrorKind::InvalidInput, "no ports are given");
        for port in ports {
            match TcpListener::bind((Ipv4Addr::LOCALHOST, *port)) {
                Ok(listener) => {
                    let port = listener.local_addr()?.port();
                    let mut listeners = vec![listener];
                    // Another program on ::1 would get the requests of a browser that prefers it.
                    match TcpListener::bind((Ipv6Addr::LOCALHOST, port)) {
                        Ok(listener) => listeners.push(listener),
                        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                            refusal = error;
                            continue;
                        }
                        Err(_) => {}
                    }
                    return Ok(Self { listeners, port });
                }
                Err(error) => refusal = error,
            }
        }
        Err(refusal)
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Responds to requests on separate threads, until the returned value is dropped.
    pub(crate) fn serve(
        self,
        answer: impl Fn(&Request) -> Response + Send + Sync + 'static,
    ) -> io::Result<Serving> {
        let answer: Arc<dyn Fn(&Request) -> Response + Send + Sync> = Arc::new(answer);
        let is_over = Arc::new(AtomicBool::new(false));
        let mut serving = Serving { is_over: Arc::clone(&is_over), threads: Vec::new() };
        for listener in self.listeners {
            let address = listener.local_addr()?;
            let (answer, is_over, slots) = (Arc::clone(&answer), Arc::clone(&is_over), Slots::default());
            let serve = move |(stream, _)| {
                if is_over.load(Ordering::SeqCst) {
                    return ControlFlow::Break(());
                }
                if let Some(slot) = slots.take() {
                    let answer = Arc::clone(&answer);
                    thread::spawn(move || {
                        converse(stream, &*answer);
                        drop(slot);
                    });
                }
                ControlFlow::Continue(())
            };
            let accept = move || accept_each(|| listener.accept(), thread::sleep, serve);
            serving.threads.push((address, thread::Builder::new().name("http".to_owned()).spawn(accept)?));
        }
        Ok(serving)
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::SeqCst);
        for (address, thread) in self.threads.drain(..) {
            // Connecting wakes the thread, which then closes the port.
            if TcpStream::connect_timeout(&address, WAKE_TIMEOUT).is_ok() {
                let _ = thread.join();
            }
        }
    }
}

impl Request {
    /// A header's value; its name in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Whether the `Host` header names this machine and `port`. Another site's page may have pointed its own name here.
    pub(crate) fn is_for(&self, port: u16) -> bool {
        let names = ["localhost", "127.0.0.1", "[::1]"];
        self.header("host").is_some_and(|host| names.iter().any(|name| host == format!("{name}:{port}")))
    }
}

fn converse(mut stream: TcpStream, answer: &(dyn Fn(&Request) -> Response + Send + Sync)) {
    let _ = stream.set_write_timeout(Some(TIMEOUT));
    let limit = |left| stream.set_read_timeout(Some(left));
    let response = match read(&mut UntilDeadline::new(&stream, TIMEOUT, limit)) {
        Some(request) => answer(&request),
        None => Response {
            status: "400 Bad Request",
            content_type: "text/plain",
            location: None,
            body: Zeroizing::default(),
            after: None,
        },
    };
    let location = response.location.as_ref().map(|to| Zeroizing::new(format!("Location: {}\r\n", **to)));
    let head = format!(
        "HTTP/1.1 {}\r\n{}Content-Type: {}\r\nContent-Length: {}\r\nCache-Control: no-store\r\nReferrer-Policy: no-referrer\r\n\
         X-Content-Type-Options: nosniff\r\nContent-Security-Policy: default-src 'none'; style-src 'unsafe-inline'\r\n\
         Connection: close\r\n\r\n",
        response.status,
        location.as_deref().map_or("", String::as_str),
        response.content_type,
        response.body.len()
    );
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(response.body.as_bytes()));
    let _ = stream.shutdown(std::net::Shutdown::Write);
    if let Some(After(after)) = response.after {
        after();
    }
}

fn read(stream: &mut impl Read) -> Option<Request> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(HEAD_MAX));
    let mut buffer = Zeroizing::new([0; 1024]);
    loop {
        let mut headers = [httparse::EMPTY_HEADER; 64];
        let mut request = httparse::Request::new(&mut headers);
        if request.parse(&bytes).ok()?.is_complete() {
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            return Some(Request {
                method: request.method?.to_owned(),
                target: request.path?.to_owned().into(),
                headers: request
                    .headers
                    .iter()
                    .map(|header| (header.name.to_ascii_lowercase(), text(header.value).into()))
                    .collect(),
            });
        }
        let read = stream.read(&mut *buffer).ok().filter(|read| *read > 0)?;
        if bytes.len() + read > HEAD_MAX {
            return None;
        }
        bytes.extend_from_slice(&buffer[..read]);
    }
}

/// The largest accepted request: an authorization response with a long code, and a browser's cookies for `localhost`.
const HEAD_MAX: usize = 64 * 1024;

/// How long a request may take to arrive, and a response to be sent.
const TIMEOUT: Duration = Duration::from_secs(10);

/// How long the connection that wakes a server at its end may take.
const WAKE_TIMEOUT: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(port: u16, request: &str) -> String {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer);
        answer
    }

    #[test]
    fn the_first_free_port_is_used() {
        let taken = Server::bind(&[0]).unwrap();
        let server = Server::bind(&[taken.port(), 0]).unwrap();
        assert_ne!(server.port(), taken.port());
        assert!(Server::bind(&[taken.port()]).is_err());
        assert!(Server::bind(&[]).is_err());
    }

    #[test]
    fn requests_are_answered_and_those_for_another_host_are_recognised() {
        let server = Server::bind(&[0]).unwrap();
        let port = server.port();
        let answer = move |request: &Request| Response {
            status: "200 OK",
            content_type: "text/plain",
            location: None,
            body: format!("{} {} {}", request.method, *request.target, request.is_for(port)).into(),
            after: None,
        };
        let _serving = server.serve(answer).unwrap();
        let reply = ask(port, &format!("GET /a?b=c HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n"));
        assert!(
            reply.starts_with("HTTP/1.1 200 OK\r\n") && reply.ends_with("\r\n\r\nGET /a?b=c true"),
            "{reply}"
        );
        let reply = ask(port, &format!("GET / HTTP/1.1\r\nHost: evil.example:{port}\r\n\r\n"));
        assert!(reply.ends_with("GET / false"), "{reply}");
        assert!(ask(port, "nonsense\r\n\r\n").starts_with("HTTP/1.1 400 "));
        assert!(ask(port, &"x".repeat(HEAD_MAX + 1)).starts_with("HTTP/1.1 400 "));
    }

    #[test]
    fn dropping_a_server_frees_its_port() {
        let server = Server::bind(&[0]).unwrap();
        let port = server.port();
        let serving = server.serve(|_| unreachable!()).unwrap();
        assert!(Server::bind(&[port]).is_err());
        drop(serving);
        assert_eq!(Server::bind(&[port]).unwrap().port(), port);
    }
}
