//! Signing in without the extension: the system's browser, and a redirect to a port of this machine (RFC 8252).
//!
//! The steps of a sign-in are core's; this is only the [`Platform`] it runs on.

pub(crate) mod server;

use std::io::{self, IsTerminal};
use std::sync::Mutex;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::Duration;

use chrono::{DateTime, Utc};
use rolecall_core::platform::{
    AuthorizeError, HttpRequest, HttpResponse, Interaction, Platform, RandomnessError, Route, Step,
    TransportError,
};
use rolecall_core::{Code, Problem};
use url::Url;

use crate::settings_files::Loopback as Settings;
use crate::{http_client, output, platform};
use server::{Request, Response, Server, Then};

/// How the person gets to the provider's page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// The system's browser is opened.
    Browser,
    /// The address is shown, and the one the browser ends at can be pasted: for shells on another machine.
    Paste,
}

/// The command line as a [`Platform`].
pub(crate) struct Loopback {
    redirect_uri: Url,
    arrivals: Mutex<Receiver<Url>>,
    arrive: Sender<Url>,
    way: Way,
    patience: Duration,
}

impl Loopback {
    /// Listens for the redirect. Nobody is waited for longer than `patience`.
    pub(crate) fn open(settings: &Settings, way: Way, patience: Duration) -> Result<Self, Problem> {
        let server = Server::bind(&settings.ports).map_err(|error| {
            let ports: Vec<_> = settings.ports.iter().map(u16::to_string).collect();
            Problem::new(
                Code::LoopbackPortsTaken,
                format!("None of the ports {} can be used: {error}.", ports.join(", ")),
            )
        })?;
        let redirect_uri = settings.redirect_uri(server.port())?;
        let (arrive, arrivals) = mpsc::channel();
        let (expected, sender) = (redirect_uri.clone(), arrive.clone());
        let port = server.port();
        server.serve(move |request| answer(request, port, &expected, &sender)).map_err(|error| {
            Problem::new(Code::Internal, format!("The redirect cannot be listened for: {error}."))
        })?;
        Ok(Self { redirect_uri, arrivals: Mutex::new(arrivals), arrive, way, patience })
    }

    fn show(&self, url: &Url, stop: platform::Stop) -> Result<(), AuthorizeError> {
        match self.way {
            Way::Browser => {
                let opened = webbrowser::open(url.as_str());
                opened.map_err(|error| AuthorizeError::NoBrowser { reason: error.to_string() })
            }
            Way::Paste => {
                output::note(format_args!(
                    "Open this address in a browser, on any machine, and sign in:\n\n  {url}\n"
                ));
                if io::stdin().is_terminal() {
                    output::note(
                        "Then paste the address that the browser ends at, even if its page cannot be shown:",
                    );
                }
                let arrive = self.arrive.clone();
                thread::spawn(move || {
                    platform::read_lines(&stop, |line| {
                        if let Ok(url) = line.trim().parse() {
                            let _ = arrive.send(url);
                            return false;
                        }
                        if !line.trim().is_empty() {
                            output::note(
                                "That is not an address: it begins with http:// and is in the browser's address bar.",
                            );
                        }
                        true
                    });
                });
                Ok(())
            }
        }
    }
}

impl Platform for Loopback {
    fn redirect_uri(&self) -> Url {
        self.redirect_uri.clone()
    }

    async fn authorize(&self, url: &Url, interaction: Interaction) -> Result<Url, AuthorizeError> {
        // Whatever is opened in the system's browser is seen.
        if interaction == Interaction::Silent {
            return Err(AuthorizeError::InteractionRequired);
        }
        let arrivals = self.arrivals.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        // What came after an earlier attempt was given up belongs to that one.
        while arrivals.try_recv().is_ok() {}
        // Whatever is typed after the answer is for whom this program runs next: reading ends when this is dropped.
        let (_reading, stop) =
            platform::stopper().map_err(|error| AuthorizeError::NoBrowser { reason: error.to_string() })?;
        self.show(url, stop)?;
        let seconds = u32::try_from(self.patience.as_secs()).unwrap_or(u32::MAX);
        arrivals.recv_timeout(self.patience).map_err(|_| AuthorizeError::TimedOut { seconds })
    }

    async fn send(&self, request: HttpRequest, _: Route) -> Result<HttpResponse, TransportError> {
        http_client::send(request)
    }

    async fn wait(&self, duration: Duration) {
        thread::sleep(duration);
    }

    fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }

    fn random(&self, bytes: &mut [u8]) -> Result<(), RandomnessError> {
        getrandom::fill(bytes).map_err(|error| RandomnessError(error.to_string()))
    }

    fn progress(&self, step: Step) {
        tracing::info!(?step, "signing in");
        if step == Step::WaitingForPerson && self.way == Way::Browser {
            output::note("Waiting for you to sign in, in the browser…");
        }
        if step == Step::AssumingRoleInMainRegion {
            output::warn(
                "AWS STS is not enabled in the role's region for this account; the partition's main region is asked.",
            );
        }
    }
}

fn answer(request: &Request, port: u16, expected: &Url, arrive: &Sender<Url>) -> Response {
    let arrival = expected.join(&request.target).ok().filter(|url| url.path() == expected.path());
    match arrival {
        // A page of another site can have a browser ask here too; `state` tells the sign-in's own answer from that.
        Some(url) if request.method == "GET" && request.is_for(port) => {
            let arrive = arrive.clone();
            // The page first: the program may end as soon as it has its answer.
            let then = Then(Box::new(move || drop(arrive.send(url))));
            page("200 OK", "text/html; charset=utf-8", PAGE, Some(then))
        }
        _ => page("404 Not Found", "text/plain", "Not here.", None),
    }
}

fn page(status: &'static str, content_type: &'static str, body: &str, then: Option<Then>) -> Response {
    Response { status, content_type, body: body.to_owned().into(), then }
}

const PAGE: &str = include_str!("page.html");
