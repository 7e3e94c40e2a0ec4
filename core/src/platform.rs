//! The interface of a sign-in to the program that it runs in.
//!
//! Two drivers implement [`Platform`]: the extension's worker (identity redirect, fetch) and the command line
//! (loopback redirect, blocking client). Neither re-implements a step of the sign-in.

use std::time::Duration;

use crate::code::{Code, Problem};
use crate::crypto::DigestError;
use crate::json::{ReadJson, WriteJson};
use crate::secret::SecretBytes;
use crate::settings::TokenExchange;
use crate::time::{self, DateTime, TimeDelta, Utc};
use crate::url::Url;

/// An HTTP request that leaves the product. Bodies are small and whole, and hold codes, tokens and credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpRequest {
    /// What is done.
    pub method: Method,
    /// Where to.
    pub url: Url,
    /// Names in small letters, and values.
    pub headers: Vec<(&'static str, &'static str)>,
    /// The headers of a signature, which prove that the sender has credentials. Holds their session token.
    pub signature: Vec<(&'static str, SecretBytes)>,
    /// The body. There is none with GET.
    pub body: SecretBytes,
    /// Whether it may only go to a public address: the settings do not name the host, and do not allow another.
    pub public_only: bool,
}

impl HttpRequest {
    /// Every header, those of the signature among them.
    pub fn all_headers(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let signature = self.signature.iter();
        let signature = signature
            .map(|(name, value)| (*name, std::str::from_utf8(value.expose_secret()).unwrap_or_default()));
        self.headers.iter().copied().chain(signature)
    }
}

/// The methods in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Without a body.
    Get,
    /// With a form.
    Post,
}

impl Method {
    /// As HTTP names it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
        }
    }
}

/// What came back, whatever its status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpResponse {
    /// The status.
    pub status: u16,
    /// Names and values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: SecretBytes,
    /// Whether the request said which page or extension it comes from (`Origin`), so that a refusal may be of that.
    pub had_origin: bool,
}

impl HttpResponse {
    /// A response without headers.
    #[must_use]
    pub fn new(status: u16, body: SecretBytes) -> Self {
        Self { status, headers: Vec::new(), body, had_origin: false }
    }

    /// Whether the request has succeeded.
    #[must_use]
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The first header of this name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name))?;
        Some(&found.1)
    }
}

/// What a sign-in needs from the program that it runs in.
#[allow(async_fn_in_trait)] // Both drivers run it on one thread; nothing needs `Send`.
pub trait Platform {
    /// The redirect URI (RFC 6749 section 3.1.2). A provider whose responses do not name it (RFC 9207) shares it with no
    /// other ([`crate::oidc::own_redirect_uri`]).
    fn redirect_uri(&self, names_issuer: bool) -> Url;

    /// Sends the browser to `url` and waits for it to arrive at the redirect URI, whose full address comes back.
    ///
    /// With [`Interaction::Silent`] nothing may be shown to the person.
    async fn authorize(&self, url: &Url, interaction: Interaction) -> Result<Url, AuthorizeError>;

    /// Sends one request and returns the response, without following redirects.
    async fn send(&self, request: HttpRequest, route: Route) -> Result<HttpResponse, TransportError>;

    /// Finds out by which route the answers to such a request can be read, by one that costs nothing if they cannot. For
    /// platforms that have several routes.
    async fn find_route(&self, _probe: HttpRequest, _route: Route) {}

    /// Waits.
    async fn wait(&self, duration: Duration);

    /// The local clock.
    fn now(&self) -> DateTime<Utc>;

    /// Fills `bytes` from a cryptographically secure source.
    fn random(&self, bytes: &mut [u8]) -> Result<(), RandomnessError>;

    /// Tells the person what is being done now. Never called with a secret.
    fn progress(&self, step: Step);
}

/// Whether a window may be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interaction {
    /// Nothing is shown; the provider answers from its own session or refuses.
    Silent,
    /// The provider's pages are shown in a window.
    Window,
}

/// The route of a request. The command line has only one and ignores this.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// The least powerful route that works. If its response cannot be read, the next one is tried.
    Auto,
    /// From the extension only.
    Extension,
    /// Through the native host only.
    Native,
    /// By a way on which the answer can be read for certain, or not at all: what is sent must not be sent again because
    /// a browser has kept the answer.
    Readable,
}

impl From<TokenExchange> for Route {
    fn from(exchange: TokenExchange) -> Self {
        match exchange {
            TokenExchange::Auto => Self::Auto,
            TokenExchange::Extension => Self::Extension,
            TokenExchange::Native => Self::Native,
        }
    }
}

/// The steps a person is told about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ReadJson, WriteJson)]
#[json(rename_all = "kebab-case")]
pub enum Step {
    /// Reading the provider's configuration and keys.
    Discovering,
    /// Asking the provider whether the person is still signed in there.
    AskingSilently,
    /// A sign-in window is open.
    WaitingForPerson,
    /// Exchanging the code (or a refresh token) for an ID token.
    RedeemingCode,
    /// Checking the ID token.
    VerifyingIdToken,
    /// Asking AWS STS for the role's credentials.
    AssumingRole,
    /// Asking the STS of the partition's main region instead, since the account has no STS in the role's.
    AssumingRoleInMainRegion,
    /// Requesting an address for the console.
    OpeningConsole,
    /// Writing a profile through the native host.
    WritingProfile,
}

/// Why there was no redirect.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuthorizeError {
    /// The person closed the window.
    #[error("The sign-in window was closed before the sign-in was complete.")]
    Cancelled,
    /// The person signed out, or turned out to be somebody else, while it was under way.
    #[error("The account was signed out or changed before the sign-in was complete.")]
    SignedOut,
    /// A silent request could not be answered without the person.
    #[error("The provider requires you to sign in.")]
    InteractionRequired,
    /// The provider's page did not load.
    #[error("The provider's sign-in page could not be loaded: {reason}")]
    PageUnreachable {
        /// The browser's message.
        reason: String,
    },
    /// The person did not finish in time.
    #[error("The sign-in was not completed within {}.", in_words(*seconds))]
    TimedOut {
        /// How long was waited.
        seconds: u32,
    },
    /// No way to show a page here.
    #[error("No browser window could be opened: {reason}")]
    NoBrowser {
        /// The system's message.
        reason: String,
    },
}

impl AuthorizeError {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Cancelled | Self::SignedOut => Code::SignInCancelled,
            Self::InteractionRequired => Code::SignInNeeded,
            Self::PageUnreachable { .. } => Code::ProviderUnreachable,
            Self::TimedOut { .. } => Code::SignInTimedOut,
            Self::NoBrowser { .. } => Code::NoBrowser,
        }
    }
}

/// Why a request got no response.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// Nothing answered, or the answer broke off.
    #[error("{host} could not be reached: {reason}")]
    Unreachable {
        /// Host and port asked.
        host: String,
        /// The system's message.
        reason: String,
    },
    /// The answer took too long.
    #[error("{host} did not respond within {seconds} seconds.")]
    TimedOut {
        /// Host and port asked.
        host: String,
        /// How long was waited.
        seconds: u32,
    },
    /// The browser does not let the extension read answers of this host.
    #[error("The browser does not let Rolecall connect to {host}.")]
    NotAllowed {
        /// Host and port asked.
        host: String,
        /// What to ask the person to allow, as a match pattern for `permissions.request`.
        pattern: String,
    },
    /// The same, where the settings let nothing but the extension ask.
    #[error("The browser hides responses of {host} from Rolecall, and the settings allow no other route.")]
    Withheld {
        /// Host and port asked.
        host: String,
        /// As for [`Self::NotAllowed`].
        pattern: String,
    },
    /// The server is known to refuse the extension's origin: reading its answers would change nothing.
    #[error("{host} does not accept requests from a browser extension.")]
    OriginRefused {
        /// Host and port asked.
        host: String,
    },
    /// The request may only leave through the native host, which is not there.
    #[error("Requests to {host} need the Rolecall host program, which is not connected.")]
    HostNeeded {
        /// Host and port asked.
        host: String,
    },
    /// The server's certificate is not trusted.
    #[error("The certificate of {host} is not trusted: {reason}.")]
    CertificateUntrusted {
        /// Host and port asked.
        host: String,
        /// What is wrong with it, and who issued it.
        reason: String,
    },
    /// The native host did not send the request, and tells why.
    #[error("{}", .0.message)]
    Relayed(Problem),
    /// The host is in a private network, and the settings neither name it nor allow it.
    #[error("{host} is in a private network, where the provider's configuration may not send requests.")]
    PrivateNetwork {
        /// Host and port asked.
        host: String,
    },
    /// The answer is larger than anything this product reads.
    #[error("The response of {host} is larger than {limit} bytes.")]
    TooLarge {
        /// Host and port asked.
        host: String,
        /// The limit in bytes.
        limit: usize,
    },
}

impl TransportError {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Unreachable { .. } => Code::Unreachable,
            Self::TimedOut { .. } => Code::RequestTimedOut,
            Self::NotAllowed { .. } => Code::HostPermissionNeeded,
            Self::HostNeeded { .. } => Code::HostNotInstalled,
            Self::CertificateUntrusted { .. } => Code::CertificateUntrusted,
            Self::Withheld { .. } => Code::AnswerWithheld,
            Self::OriginRefused { .. } => Code::OriginRefused,
            Self::PrivateNetwork { .. } => Code::PrivateNetwork,
            // The host program has codes that are not known here, of its own or newer ones; its words stand all the same.
            Self::Relayed(problem) => Code::from_text(&problem.code).unwrap_or(Code::Unreachable),
            Self::TooLarge { .. } => Code::AnswerTooLarge,
        }
    }
}

/// A time as a sentence names it.
fn in_words(seconds: u32) -> String {
    match (seconds / 60, seconds % 60) {
        (1, 0) => "1 minute".to_owned(),
        (minutes, 0) if minutes > 0 => format!("{minutes} minutes"),
        _ => format!("{seconds} seconds"),
    }
}

/// The server's own clock: `Date`, such as `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110 section 6.6.1).
pub(crate) fn server_date(response: &HttpResponse) -> Option<DateTime<Utc>> {
    let date = response.header("date")?;
    time::http_date(date)
}

/// How long to wait before the next request: `Retry-After`, in seconds or as a date (RFC 9110 section 10.2.3).
pub(crate) fn retry_after(response: &HttpResponse, now: DateTime<Utc>) -> Option<TimeDelta> {
    let text = response.header("retry-after")?.trim();
    let wait = if let Ok(seconds) = text.parse::<u32>() {
        TimeDelta::seconds(seconds.into())
    } else {
        // By the server's own clock, if it tells what time that says.
        let until = time::http_date(text)?;
        until - server_date(response).unwrap_or(now)
    };
    Some(wait.max(TimeDelta::zero()))
}

/// The system returned no random bytes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("The system returned no random bytes: {0}")]
pub struct RandomnessError(pub String);

impl From<DigestError> for RandomnessError {
    fn from(_: DigestError) -> Self {
        Self("the browser has no Web Cryptography".to_owned())
    }
}

/// The largest answer any part of the product reads, in bytes. A JWKS of a large provider is about 20 KB.
pub const MAX_RESPONSE_BYTES: usize = 512 * 1024;

/// How long a request may take, in seconds.
pub const REQUEST_TIMEOUT_SECONDS: u32 = 20;

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn retry_after_is_read_in_seconds_or_by_the_servers_clock() {
        let now = time::http_date("Sun, 06 Nov 1994 08:00:00 GMT").unwrap();
        let wait = |retry: &str, date: &str| {
            let headers =
                [("Retry-After", retry), ("date", date)].map(|(name, value)| (name.into(), value.into()));
            let response =
                HttpResponse { headers: headers.into(), ..HttpResponse::new(503, SecretBytes::default()) };
            retry_after(&response, now).map(|wait| wait.num_seconds())
        };
        assert_eq!(wait("120", ""), Some(120));
        assert_eq!(wait("Sun, 06 Nov 1994 08:01:00 GMT", ""), Some(60));
        let (later, date) = ("Sun, 06 Nov 1994 09:01:00 GMT", "Sun, 06 Nov 1994 09:00:30 GMT");
        assert_eq!(wait(later, date), Some(30), "this computer's clock is an hour slow");
        assert_eq!(wait("Sun, 06 Nov 1994 07:00:00 GMT", ""), Some(0));
        assert_eq!(wait("soon", ""), None);
    }

    #[test]
    fn what_is_sent_and_what_comes_back_is_not_shown() {
        let request = HttpRequest {
            method: Method::Post,
            url: Url::parse("https://idp.example/token").unwrap(),
            headers: Vec::new(),
            signature: Vec::new(),
            body: "code=very-secret".to_owned().into(),
            public_only: false,
        };
        let response = HttpResponse::new(200, r#"{"id_token":"very-secret"}"#.to_owned().into());
        let shown = format!("{request:?} {response:?}");
        assert!(shown.contains("REDACTED") && !shown.contains("very-secret"), "{shown}");
    }

    #[test]
    fn a_time_is_told_in_the_unit_that_fits() {
        for (seconds, words) in [(50, "50 seconds"), (60, "1 minute"), (90, "90 seconds"), (300, "5 minutes")]
        {
            assert_eq!(in_words(seconds), words);
        }
    }
}
