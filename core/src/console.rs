//! Opening the AWS console: `getSigninToken`, then `login` (IAM User Guide, "Enabling custom identity
//! broker access to the AWS console").
//!
//! The login address works for 15 minutes and for anyone who has it. It is a secret, opened and never logged.

mod page;
mod place;
mod resource;
mod services;

use secrecy::{ExposeSecret, SecretString};

pub use self::page::ConsolePage;
pub use self::place::{Place, is_page, role_and_page};
pub use self::resource::{ResourceArn, escaped};
pub use self::services::Service;
use crate::aws::{AccountId, Credentials, Partition, is_session_label};
use crate::code::Code;
use crate::identity::PRODUCT;
use crate::json::{self, ReadJson, WriteJson};
use crate::oidc::post_form;
use crate::platform::{HttpRequest, HttpResponse, Method, Platform, Route, Step, TransportError};
use crate::secret::SecretBytes;
use crate::settings::{Duration, Endpoint, Provider, Role};
use crate::time::{DateTime, TimeDelta, Utc};
use crate::url::Url;

/// A page of the console, to be opened as a role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Console {
    federation: Endpoint,
    destination: Url,
    /// How long the session lasts; as long as the credentials without one.
    duration: Option<Duration>,
    /// Whether it is AWS's own.
    is_aws: bool,
}

impl Console {
    /// The page of the role's console; its home page without one.
    pub fn of(provider: &Provider, role: &Role, page: Option<&ConsolePage>) -> Result<Self, ConsoleError> {
        let partition = role.arn.partition();
        let region = role.region();
        let federation = match (&provider.console_endpoint, &provider.sts_endpoint) {
            (Some(federation), _) => federation.clone(),
            // Credentials that another service has issued are none of AWS's business.
            (None, Some(sts)) if !partition.is_sts_host(host(sts)) => {
                return Err(ConsoleError::NotAws { host: host(sts).to_owned() });
            }
            (None, _) => Endpoint::https(&partition.sign_in_host(&region), "/federation"),
        };
        let aws = partition.is_sign_in_host(host(&federation)).then_some(partition);
        let mut home = match &provider.console_destination {
            Some(console) => console.url().clone(),
            None if aws.is_some() => {
                let host = partition.console_host(&region);
                let host = host.ok_or(ConsoleError::NotOffered { partition: partition.id() })?;
                Endpoint::https(&host, "/").url().clone()
            }
            // A console of somebody else's, which has one host for both.
            None => federation.url().clone(),
        };
        let destination = if let Some(page) = page {
            page.below(&home, aws).ok_or_else(|| ConsoleError::NotThere {
                page: page.to_string(),
                home: home.origin().ascii_serialization(),
            })?
        } else {
            home.set_path("/console/home");
            home.set_query(None);
            home.query_pairs_mut().append_pair("region", region.as_str());
            home
        };
        Ok(Self { federation, destination, duration: role.console_session_duration, is_aws: aws.is_some() })
    }

    /// Asks AWS for an address that opens the page signed in with these credentials.
    pub async fn login_url(
        &self,
        platform: &impl Platform,
        credentials: &Credentials,
    ) -> Result<SecretString, ConsoleError> {
        platform.progress(Step::OpeningConsole);
        let mut response =
            platform.send(self.sign_in_token_request(credentials, Method::Post), Route::Readable).await?;
        // POST keeps the keys out of an address, where proxies would log them. Only a server that refuses it is asked
        // again with GET, once, which is what AWS documents. A success that cannot be read is no refusal.
        if refuses_post(&response) {
            let request = self.sign_in_token_request(credentials, Method::Get);
            response = platform.send(request, Route::Readable).await?;
        }
        let token = read_sign_in_token(&response, self.duration)?;
        let mut url = self.federation.url().clone();
        url.query_pairs_mut()
            .append_pair("Action", "login")
            .append_pair("Issuer", PRODUCT)
            .append_pair("Destination", self.destination.as_str())
            .append_pair("SigninToken", token.expose_secret());
        Ok(String::from(url).into())
    }

    /// An address that ends the browser's session and then opens the login address, as AWS's own page does. It works only
    /// on the host of the login address. A console of somebody else's that cannot end sessions in this way only gets the login
    /// address.
    pub async fn after_log_out(&self, platform: &impl Platform, login_url: SecretString) -> SecretString {
        let mut url = self.federation.url().clone();
        url.set_path("/oauth");
        url.set_query(None);
        if !self.is_aws {
            let response = platform.send(get(url.clone()), Route::Auto).await;
            if response.is_ok_and(|response| is_unknown_there(response.status)) {
                return login_url;
            }
        }
        url.query_pairs_mut()
            .append_pair("Action", "logout")
            .append_pair("redirect_uri", login_url.expose_secret());
        String::from(url).into()
    }

    /// The page that an address shows. Where a person is asked to sign in first, the page that this leads to, and the address
    /// that asks, of which [`Self::signs_in_at`] says whether it is the console's.
    #[must_use]
    pub fn page_at(address: &str) -> Option<(ConsolePage, Option<Url>)> {
        let url = Url::parse(address).ok()?;
        let behind = url.query_pairs().find(|(name, _)| name == "redirect_uri" && url.path() == "/oauth");
        let Some((_, behind)) = behind else { return Some((address.parse().ok()?, None)) };
        let page = behind.parse().ok().filter(|_| is_page(&behind))?;
        Some((page, Some(url)))
    }

    /// Whether a person signs in to this console at an address.
    #[must_use]
    pub fn signs_in_at(&self, url: &Url, partition: Partition) -> bool {
        let is_awss =
            || url.scheme() == "https" && partition.is_sign_in_host(url.host_str().unwrap_or_default());
        url.origin() == self.federation.url().origin() || self.is_aws && is_awss()
    }

    /// The account that the address of a page of one session of several names.
    #[must_use]
    pub fn account_at(address: &str) -> Option<&str> {
        session_label(address)?.split('-').next()
    }

    /// The page's address for a browser in which the session is open, in the session of the page that is `there`.
    #[must_use]
    pub fn address_beside(&self, there: Option<&ConsolePage>) -> String {
        let address = self.destination.as_str();
        let label = there.and_then(|page| session_label(page.as_str()));
        match (label, address.split_once("://")) {
            (Some(label), Some((scheme, rest))) => format!("{scheme}://{label}.{rest}"),
            _ => address.to_owned(),
        }
    }

    /// Whether the address of a console's page is that of one session of several.
    #[must_use]
    pub fn is_one_of_several(address: &str) -> bool {
        session_label(address).is_some()
    }

    /// Whether the address of a console's page is that of another account's session.
    #[must_use]
    pub fn is_of_another_account(address: &str, account: &AccountId) -> bool {
        Self::account_at(address).is_some_and(|other| other != account.as_str())
    }

    /// Where people are signed in to this console: sessions of other hosts have nothing to do with it.
    #[must_use]
    pub fn sign_in_host(&self) -> &str {
        self.federation.url().host_str().unwrap_or_default()
    }

    /// The match pattern of the console's addresses.
    #[must_use]
    pub fn pattern(&self) -> String {
        let host = self.destination.host_str().unwrap_or_default();
        let of_sessions = host.split_once('.').filter(|(_, rest)| rest.starts_with("console."));
        match of_sessions {
            Some((_, rest)) => format!("https://*.{rest}/*"),
            None if host.starts_with("console.") => format!("https://*.{host}/*"),
            None => format!("{}://{host}/*", self.destination.scheme()),
        }
    }

    /// When a session ends that is opened now with these credentials.
    #[must_use]
    pub fn session_end(&self, now: DateTime<Utc>, credentials: &Credentials) -> DateTime<Utc> {
        match self.duration {
            Some(duration) => now + TimeDelta::seconds(duration.seconds().into()),
            None => credentials.expiration,
        }
    }

    fn sign_in_token_request(&self, credentials: &Credentials, method: Method) -> HttpRequest {
        #[derive(WriteJson)]
        struct Session<'a> {
            #[json(name = "sessionId")]
            id: &'a str,
            #[json(name = "sessionKey")]
            key: &'a str,
            #[json(name = "sessionToken")]
            token: &'a str,
        }
        let session = Session {
            id: &credentials.access_key_id,
            key: credentials.secret_access_key.expose_secret(),
            token: credentials.session_token.expose_secret(),
        };
        let session = json::to_string(&session);
        let seconds = self.duration.map(|duration| duration.seconds().to_string()).unwrap_or_default();
        let parameters =
            [("Action", "getSigninToken"), ("Session", session.as_str()), ("SessionDuration", &seconds)];
        // AWS documents no duration as "as long as the credentials", not an empty one.
        let parameters = &parameters[..if seconds.is_empty() { 2 } else { 3 }];
        if method == Method::Post {
            return post_form(&self.federation, parameters);
        }
        let mut url = self.federation.url().clone();
        url.query_pairs_mut().extend_pairs(parameters);
        get(url)
    }
}

/// Why the console cannot be opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConsoleError {
    /// The AWS sign-in did not respond.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// No console is known for the partition.
    #[error("No AWS console is known for the partition {partition}.")]
    NotOffered {
        /// The role's partition.
        partition: &'static str,
    },
    /// The credentials are not AWS's.
    #[error("The credentials come from {host}, which is not AWS, so they are not sent to the AWS console.")]
    NotAws {
        /// The host of `sts_endpoint`.
        host: String,
    },
    /// The page is not one of the role's console.
    #[error("\"{page}\" is not a page of the role's console, {home}.")]
    NotThere {
        /// The page.
        page: String,
        /// Where the console is.
        home: String,
    },
    /// The credentials were refused.
    #[error("The AWS sign-in refused the role's credentials (HTTP status {status}).")]
    Refused {
        /// The status.
        status: u16,
    },
    /// The credentials were refused together with a duration.
    #[error(
        "The AWS sign-in refused the role's credentials for a session of {seconds} seconds (HTTP status {status}). \
         It takes console_session_duration up to 12 hours, and for chained roles none."
    )]
    RefusedDuration {
        /// The status.
        status: u16,
        /// The duration.
        seconds: u32,
    },
    /// No sign-in token in the answer.
    #[error("The AWS sign-in did not return a sign-in token.")]
    Malformed,
}

impl ConsoleError {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Transport(error) => error.code(),
            Self::NotOffered { .. } | Self::NotAws { .. } => Code::ConsoleNotOffered,
            Self::NotThere { .. } => Code::ConsolePageInvalid,
            Self::Refused { .. } | Self::RefusedDuration { .. } => Code::ConsoleRefused,
            Self::Malformed => Code::ConsoleResponseInvalid,
        }
    }
}

fn get(url: Url) -> HttpRequest {
    HttpRequest {
        method: Method::Get,
        url,
        headers: Vec::new(),
        signature: Vec::new(),
        body: SecretBytes::default(),
        public_only: false,
    }
}

/// Whether a server says that it has nothing of the kind.
fn is_unknown_there(status: u16) -> bool {
    matches!(status, 404 | 405 | 501)
}

fn session_label(address: &str) -> Option<&str> {
    let host = address.split_once("://")?.1;
    let label = &host[..host.find(['.', '/'])?];
    is_session_label(label).then_some(label)
}

fn host(endpoint: &Endpoint) -> &str {
    endpoint.url().host_str().unwrap_or_default()
}

/// Whether the method was refused, or may have been for the `Origin` that browsers send along with POST and not with GET.
fn refuses_post(response: &HttpResponse) -> bool {
    match response.status {
        400 | 403 => response.had_origin,
        status => is_unknown_there(status),
    }
}

fn read_sign_in_token(
    response: &HttpResponse,
    duration: Option<Duration>,
) -> Result<SecretString, ConsoleError> {
    #[derive(ReadJson)]
    #[json(rename_all = "PascalCase")]
    struct Answer {
        signin_token: SecretString,
    }
    let status = response.status;
    if status != 200 {
        return Err(match duration {
            Some(duration) => ConsoleError::RefusedDuration { status, seconds: duration.seconds() },
            None => ConsoleError::Refused { status },
        });
    }
    let answer: Answer =
        json::from_slice(response.body.expose_secret()).map_err(|_| ConsoleError::Malformed)?;
    Ok(answer.signin_token)
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;
    use crate::settings::fixture;

    fn answer(status: u16, had_origin: bool) -> HttpResponse {
        HttpResponse { had_origin, ..HttpResponse::new(status, SecretBytes::default()) }
    }

    #[test]
    fn keys_go_into_an_address_only_where_post_is_refused() {
        for status in [404, 405, 501] {
            assert!(refuses_post(&answer(status, false)), "{status}");
        }
        // Of a request that named no origin, these are about the keys themselves.
        for status in [400, 403] {
            assert!(!refuses_post(&answer(status, false)), "{status}");
            assert!(refuses_post(&answer(status, true)), "{status}");
        }
        // What succeeded is over, whether or not its answer can be read.
        for status in [200, 204, 302, 500, 503] {
            assert!(!refuses_post(&answer(status, true)), "{status}");
        }
    }

    fn endpoints(role: &str, change: impl FnOnce(&mut Provider)) -> Result<(String, String), ConsoleError> {
        let mut provider = fixture::provider();
        change(&mut provider);
        let role = Role { arn: role.parse().unwrap(), region: None, ..fixture::role() };
        let console = Console::of(&provider, &role, None)?;
        let mut home = console.destination;
        home.set_query(None);
        Ok((console.federation.url().to_string(), home.to_string()))
    }

    const ROLE: &str = "arn:aws:iam::123456789012:role/example";

    fn at(address: &str) -> Endpoint {
        address.parse().unwrap()
    }

    #[test]
    fn credentials_that_are_not_awss_are_never_shown_to_aws() {
        for sts in ["https://sts.example.com/", "http://127.0.0.1:8080/", "https://amazonaws.com.example/"] {
            let error = endpoints(ROLE, |provider| provider.sts_endpoint = Some(at(sts))).unwrap_err();
            assert_eq!(error.code(), Code::ConsoleNotOffered, "{sts}");
            assert!(error.to_string().contains("is not AWS"), "{error}");
        }
        for sts in ["https://sts-fips.us-east-1.amazonaws.com/", "https://sts.us-east-1.api.aws/"] {
            let (federation, _) = endpoints(ROLE, |provider| provider.sts_endpoint = Some(at(sts))).unwrap();
            assert_eq!(federation, "https://us-east-1.signin.aws.amazon.com/federation", "{sts}");
        }
    }

    #[test]
    fn another_sign_in_host_of_awss_leads_to_the_same_console_and_somebody_elses_to_its_own() {
        for (endpoint, destination) in [
            (
                "https://signin.aws.amazon.com/federation",
                "https://us-east-1.console.aws.amazon.com/console/home",
            ),
            ("https://console.example/federation", "https://console.example/console/home"),
        ] {
            let (federation, console) =
                endpoints(ROLE, |provider| provider.console_endpoint = Some(at(endpoint))).unwrap();
            assert_eq!((federation.as_str(), console.as_str()), (endpoint, destination));
        }
    }

    #[test]
    fn a_partition_without_a_known_console_takes_its_address_from_the_settings() {
        for (role, sign_in) in [
            ("arn:aws-iso:iam::123456789012:role/example", "us-iso-east-1.signin.c2shome.ic.gov"),
            ("arn:aws-iso-b:iam::123456789012:role/example", "us-isob-east-1.signin.sc2shome.sgov.gov"),
            ("arn:aws-iso-e:iam::123456789012:role/example", "eu-isoe-west-1.signin.csphome.adc-e.uk"),
            ("arn:aws-iso-f:iam::123456789012:role/example", "us-isof-south-1.signin.csphome.hci.ic.gov"),
        ] {
            assert_eq!(endpoints(role, |_| {}).unwrap_err().code(), Code::ConsoleNotOffered);
            let known = endpoints(role, |provider| {
                provider.console_destination = Some(at("https://console.iso.example/"));
            });
            let home = "https://console.iso.example/console/home".to_owned();
            assert_eq!(known.unwrap(), (format!("https://{sign_in}/federation"), home));
        }
    }

    #[test]
    fn every_partition_has_the_hosts_that_the_vendors_own_data_name() {
        for (role, federation, home) in [
            (ROLE, "us-east-1.signin.aws.amazon.com", "us-east-1.console.aws.amazon.com"),
            ("arn:aws-cn:iam::123456789012:role/example", "signin.amazonaws.cn", "console.amazonaws.cn"),
            (
                "arn:aws-us-gov:iam::123456789012:role/example",
                "signin.amazonaws-us-gov.com",
                "console.amazonaws-us-gov.com",
            ),
            (
                "arn:aws-eusc:iam::123456789012:role/example",
                "eusc-de-east-1.signin.amazonaws-eusc.eu",
                "console.amazonaws-eusc.eu",
            ),
        ] {
            let expected =
                (format!("https://{federation}/federation"), format!("https://{home}/console/home"));
            assert_eq!(endpoints(role, |_| {}).unwrap(), expected);
        }
    }

    #[test]
    fn a_tab_shows_a_page_or_the_sign_in_that_leads_to_it() {
        let page = |address: &str| Console::page_at(address).map(|(page, _)| page.to_string());
        let there =
            "https://123456789012-a1b2c3d4.eu-west-1.console.aws.amazon.com/s3/home?region=eu-west-1#x";
        assert_eq!(page(there).as_deref(), Some(there));
        assert_eq!(Console::account_at(there), Some("123456789012"));
        let sign_in = "https://eu-west-1.signin.aws.amazon.com/oauth?client_id=arn%3Aaws%3Asignin%3A%3A%3Aconsole&\
                       redirect_uri=https%3A%2F%2Feu-west-1.console.aws.amazon.com%2Fs3%2Fhome%3Fregion%3Deu-west-1";
        let behind = "https://eu-west-1.console.aws.amazon.com/s3/home?region=eu-west-1";
        assert_eq!(page(sign_in).as_deref(), Some(behind));
        assert_eq!(Console::account_at(behind), None);
        assert_eq!(page("about:blank"), None);
        assert_eq!(page("https://eu-west-1.signin.aws.amazon.com/oauth?redirect_uri=%2Fs3%2Fhome"), None);
    }

    #[test]
    fn only_the_consoles_own_sign_in_leads_to_a_page() {
        let console = Console::of(&fixture::provider(), &fixture::role(), None).unwrap();
        for (address, expected) in [
            ("https://eu-west-1.signin.aws.amazon.com/oauth", true),
            ("https://signin.aws.amazon.com/oauth", true),
            ("http://signin.aws.amazon.com/oauth", false),
            ("https://signin.amazonaws.cn/oauth", false),
            ("https://evil.example/oauth", false),
            ("https://signin.aws.amazon.com.evil.example/oauth", false),
        ] {
            let url = Url::parse(address).unwrap();
            assert_eq!(console.signs_in_at(&url, Partition::Aws), expected, "{address}");
        }
    }

    #[test]
    fn a_session_is_as_long_as_the_settings_say_and_as_the_credentials_otherwise() {
        let credentials = Credentials {
            access_key_id: "ASIAEXAMPLE".into(),
            secret_access_key: "secret".into(),
            session_token: "token".into(),
            expiration: DateTime::UNIX_EPOCH,
        };
        let body = |duration: Option<u32>| {
            let duration = duration.map(|seconds| seconds.try_into().unwrap());
            let role = Role { console_session_duration: duration, ..fixture::role() };
            let console = Console::of(&fixture::provider(), &role, None).unwrap();
            let request = console.sign_in_token_request(&credentials, Method::Post);
            String::from_utf8(request.body.expose_secret().to_vec()).unwrap()
        };
        assert!(body(Some(43_200)).ends_with("&SessionDuration=43200"));
        assert!(!body(None).contains("SessionDuration"));
    }
}
