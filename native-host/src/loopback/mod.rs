//! Signing in without the extension: the system's browser, and a redirect to a port on this machine (RFC 8252).
//!
//! The steps of a sign-in are in core; this is the [`Platform`] they run on.

mod once;
pub(crate) mod server;

use std::io::{self, IsTerminal};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use rolecall_core::oidc::own_redirect_uri;
use rolecall_core::platform::{
    AuthorizeError, HttpRequest, HttpResponse, Interaction, Platform, RandomnessError, Route, Step,
    TransportError,
};
use rolecall_core::settings::ProviderId;
use rolecall_core::{Code, Problem};
use url::Url;
use zeroize::Zeroizing;

use crate::agent::CHECK_INTERVAL;
use crate::host_settings::LoopbackSettings;
use crate::{http_client, output, platform, system_browser};
pub(crate) use once::open_once;
use server::{After, Request, Response, Server, Serving};

/// How the person opens the provider's page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BrowserMode {
    /// The system's browser opens it.
    Open,
    /// The address is printed, and the address of the redirect can be pasted: for shells on another machine.
    Paste,
}

/// Listens for redirects at a registered port, until dropped. One sign-in uses it at a time.
pub(crate) struct RedirectListener {
    redirect_uri: Url,
    arrivals: Mutex<Receiver<Arrival>>,
    arrive: Sender<Arrival>,
    expected: Arc<Mutex<ExpectedRequests>>,
    _serving: Serving,
}

/// The command line's [`Platform`], for one sign-in.
pub(crate) struct Loopback<'a> {
    listener: &'a RedirectListener,
    /// The provider, if it does not share a redirect URI with others.
    own_redirect: Option<ProviderId>,
    mode: BrowserMode,
    timeout: Duration,
    is_wanted: &'a dyn Fn() -> bool,
}

/// The redirect's address, or why there is none.
type Arrival = Result<Url, AuthorizeError>;

/// What the listener accepts during a sign-in.
#[derive(Debug, Default)]
struct ExpectedRequests {
    /// The `redirect_uri` and the `state` of the authorization request: only a redirect to there with this state ends the
    /// sign-in.
    redirect: Option<(Url, String)>,
    /// A short path that redirects to the provider's page, for openers that cannot take long addresses.
    start: Option<(String, Url)>,
}

impl RedirectListener {
    /// Listens on the first registered port that is free.
    pub(crate) fn open(settings: &LoopbackSettings) -> Result<Self, Problem> {
        let server = Server::bind(&settings.ports).map_err(|error| {
            let ports: Vec<_> = settings.ports.iter().map(u16::to_string).collect();
            Problem::new(
                Code::LoopbackPortsTaken,
                format!("None of the ports {} is free: {error}.", ports.join(", ")),
            )
        })?;
        let redirect_uri = settings.redirect_uri(server.port())?;
        let (arrive, arrivals) = mpsc::channel();
        let expected = Arc::new(Mutex::new(ExpectedRequests::default()));
        let answer = Answer {
            redirect_uri: redirect_uri.clone(),
            port: server.port(),
            expected: Arc::clone(&expected),
            arrive: arrive.clone(),
        };
        let serving = server.serve(move |request| answer.to(request)).map_err(|error| {
            Problem::new(Code::Internal, format!("Could not listen for the redirect: {error}."))
        })?;
        let arrivals = Mutex::new(arrivals);
        Ok(Self { redirect_uri, arrivals, arrive, expected, _serving: serving })
    }
}

impl<'a> Loopback<'a> {
    /// A person may take `timeout` to sign in, and the sign-in ends when `is_wanted` turns false.
    pub(crate) fn new(
        listener: &'a RedirectListener,
        own_redirect: Option<ProviderId>,
        mode: BrowserMode,
        timeout: Duration,
        is_wanted: &'a dyn Fn() -> bool,
    ) -> Self {
        Self { listener, own_redirect, mode, timeout, is_wanted }
    }

    fn wait_for_arrival(&self, arrivals: &Receiver<Arrival>) -> Arrival {
        let deadline = Instant::now() + self.timeout;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match arrivals.recv_timeout(left.min(CHECK_INTERVAL)) {
                Ok(arrival) => return arrival,
                Err(_) if left.is_zero() => {
                    let seconds = u32::try_from(self.timeout.as_secs()).unwrap_or(u32::MAX);
                    return Err(AuthorizeError::TimedOut { seconds });
                }
                Err(_) if !(self.is_wanted)() => return Err(AuthorizeError::Cancelled),
                Err(_) => {}
            }
        }
    }

    /// Opens or prints the address of the provider's page.
    fn show(&self, url: &Url, stop: platform::Stop) {
        // Without a terminal there is nowhere to print an address or to paste one.
        let is_seen = output::is_seen();
        let help = Help {
            url: url.clone(),
            expected: Arc::clone(&self.listener.expected),
            arrive: self.listener.arrive.clone(),
            stop,
        };
        if self.mode == BrowserMode::Paste {
            return help.show(None);
        }
        let failed = move |help: Help, reason: String| {
            if is_seen || io::stdin().is_terminal() {
                help.show(Some(&reason));
            } else {
                let _ = help.arrive.send(Err(AuthorizeError::NoBrowser { reason }));
            }
        };
        // Either attempt may fail first; the help is shown once.
        let help = Arc::new(Mutex::new(Some(help)));
        let later = Arc::clone(&help);
        let take = |help: &Mutex<Option<Help>>| help.lock().unwrap_or_else(PoisonError::into_inner).take();
        let opened = system_browser::open(&self.address_to_open(url), move |reason| {
            if let Some(help) = take(&later) {
                failed(help, reason);
            }
        });
        match opened {
            Ok(()) if is_seen => {
                output::note(format_args!("If no browser opens, open this address in one:\n\n  {url}\n"));
            }
            Ok(()) => {}
            Err(reason) => {
                if let Some(help) = take(&help) {
                    failed(help, reason);
                }
            }
        }
    }

    /// The address itself, or a short one that redirects to it: Windows truncates long ones.
    fn address_to_open(&self, url: &Url) -> Url {
        if !cfg!(windows) && url.as_str().len() <= LONGEST_ADDRESS {
            return url.clone();
        }
        let mut random = [0; 16];
        let short = self.listener.redirect_uri.clone();
        if getrandom::fill(&mut random).is_err() {
            return url.clone();
        }
        let path = format!("/start/{}", URL_SAFE_NO_PAD.encode(random));
        let Ok(short) = short.join(&path) else { return url.clone() };
        lock(&self.listener.expected).start = Some((path, url.clone()));
        short
    }
}

/// Help for a person whose browser was not opened: the address to open, and a prompt for the redirect's address.
struct Help {
    url: Url,
    expected: Arc<Mutex<ExpectedRequests>>,
    arrive: Sender<Arrival>,
    stop: platform::Stop,
}

impl Help {
    fn show(self, reason: Option<&str>) {
        if let Some(reason) = reason {
            output::warn(format_args!("No browser could be opened: {reason}."));
        }
        let url = &self.url;
        output::note(format_args!(
            "Open this address in a browser, on any machine, and sign in:\n\n  {url}\n"
        ));
        let is_terminal = io::stdin().is_terminal();
        if is_terminal {
            output::note(
                "Then paste the address of the page where the sign-in ends, even if the browser cannot load it:",
            );
        }
        // Piped input is read only if the command line asks for it.
        if is_terminal || reason.is_none() {
            thread::spawn(move || self.read());
        }
    }

    fn read(self) {
        platform::read_lines(&self.stop, |line| {
            let line = line.trim();
            if line.is_empty() {
                return true;
            }
            match self.check(line) {
                Ok(url) => {
                    let _ = self.arrive.send(Ok(url));
                    false
                }
                Err(explanation) => {
                    output::note(format_args!("{explanation} Paste it again:"));
                    true
                }
            }
        });
    }

    /// Checks a pasted address, and returns what is wrong with it.
    fn check(&self, text: &str) -> Result<Url, String> {
        let Some((begins, state)) = lock(&self.expected).redirect.clone() else {
            return Err("The sign-in is over.".to_owned());
        };
        let Ok(url) = text.parse::<Url>() else {
            return Err(format!(
                "That is not the address. It begins with {begins}; copy it from the browser's address bar."
            ));
        };
        if url.origin() == self.url.origin() && url.path() == self.url.path() {
            return Err(format!(
                "That is the address to sign in at. Paste the address where the sign-in ends, which begins with {begins}."
            ));
        }
        if url.origin() != begins.origin() || url.path() != begins.path() {
            return Err(format!(
                "That is not the address where the sign-in ends, which begins with {begins}."
            ));
        }
        match parameter(&url, "state") {
            None => {
                Err("That address is incomplete: copy all of it from the browser's address bar.".to_owned())
            }
            Some(pasted) if pasted == state => Ok(url),
            Some(_) => {
                Err("That address belongs to another sign-in: sign in with the address printed here."
                    .to_owned())
            }
        }
    }
}

fn parameter(url: &Url, name: &str) -> Option<String> {
    url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

fn lock(expected: &Mutex<ExpectedRequests>) -> std::sync::MutexGuard<'_, ExpectedRequests> {
    expected.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Platform for Loopback<'_> {
    fn redirect_uri(&self, names_issuer: bool) -> Url {
        let shared = &self.listener.redirect_uri;
        match &self.own_redirect {
            Some(provider) if !names_issuer => own_redirect_uri(shared, provider),
            _ => shared.clone(),
        }
    }

    async fn authorize(&self, url: &Url, interaction: Interaction) -> Result<Url, AuthorizeError> {
        // The system's browser cannot work in the background.
        if interaction == Interaction::Silent {
            return Err(AuthorizeError::InteractionRequired);
        }
        let arrivals = self.listener.arrivals.lock().unwrap_or_else(PoisonError::into_inner);
        // Redirects after an earlier, abandoned attempt belong to that attempt.
        while arrivals.try_recv().is_ok() {}
        // Later input is for the program that runs next, so reading stops when this is dropped.
        let (_reading, stop) =
            platform::stopper().map_err(|error| AuthorizeError::NoBrowser { reason: error.to_string() })?;
        let redirect_uri = parameter(url, "redirect_uri").and_then(|text| text.parse().ok());
        lock(&self.listener.expected).redirect = redirect_uri.zip(parameter(url, "state"));
        self.show(url, stop);
        let arrival = self.wait_for_arrival(&arrivals);
        *lock(&self.listener.expected) = ExpectedRequests::default();
        arrival
    }

    async fn send(&self, request: HttpRequest, _: Route) -> Result<HttpResponse, TransportError> {
        http_client::exchange(request)
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
        if step == Step::WaitingForPerson && self.mode == BrowserMode::Open {
            output::note("Waiting for you to sign in, in the browser…");
        }
        if step == Step::AssumingRoleInMainRegion {
            output::warn(
                "AWS STS is not enabled in the role's region for this account; trying the partition's main region.",
            );
        }
    }
}

/// The response to a request at the redirect's port.
struct Answer {
    redirect_uri: Url,
    port: u16,
    expected: Arc<Mutex<ExpectedRequests>>,
    arrive: Sender<Arrival>,
}

impl Answer {
    fn to(&self, request: &Request) -> Response {
        let arrival = self.redirect_uri.join(&request.target).ok();
        let Some(url) = arrival.filter(|_| request.method == "GET" && request.is_for(self.port)) else {
            return page("404 Not Found", "Not found.");
        };
        let mut expected = lock(&self.expected);
        // Only once: it is for the browser that was just opened.
        if let Some((_, url)) = expected.start.take_if(|(path, _)| url.path() == path) {
            let location = Some(Zeroizing::new(url.into()));
            return Response { location, ..page("302 Found", "") };
        }
        // Another site's page can cause requests here; `state` identifies the sign-in's own redirect.
        let is_expected = expected.redirect.as_ref().is_some_and(|(redirect_uri, state)| {
            url.path() == redirect_uri.path() && parameter(&url, "state").as_ref() == Some(state)
        });
        if !is_expected && !url.path().starts_with(self.redirect_uri.path()) {
            return page("404 Not Found", "Not found.");
        }
        if !is_expected {
            return page(
                "400 Bad Request",
                "This does not belong to the current sign-in. Nothing was changed.",
            );
        }
        let arrive = self.arrive.clone();
        // Respond first: the program may exit as soon as it has the redirect.
        let after = After(Box::new(move || drop(arrive.send(Ok(url)))));
        Response { content_type: "text/html; charset=utf-8", after: Some(after), ..page("200 OK", PAGE) }
    }
}

fn page(status: &'static str, body: &str) -> Response {
    Response { status, content_type: "text/plain", location: None, body: body.to_owned().into(), after: None }
}

/// The longest address, in bytes, that every opener takes.
const LONGEST_ADDRESS: usize = 2_000;

const PAGE: &str = include_str!("page.html");
