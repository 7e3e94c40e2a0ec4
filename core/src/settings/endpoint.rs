//! Addresses this product talks to: `https`, or `http` to the machine itself.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

use crate::json::as_text;
use crate::url::Url;

/// An address that may be talked to.
///
/// Cleartext is allowed to loopback alone, where a sandbox or a tunnel's end listens. User names, passwords and
/// fragments have no place in an endpoint and are refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(into = "String")]
pub struct Endpoint(Url);

impl Endpoint {
    /// The address.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.0
    }

    /// The address as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Whether it leads to this machine itself, whatever the scheme.
    #[must_use]
    pub fn is_this_machine(&self) -> bool {
        let host = self.0.host_str().unwrap_or_default();
        // An unspecified address leads there as well, and so does an IPv4 address in IPv6's form.
        is_loopback(&self.0)
            || ["0.0.0.0", "[::]", "[::ffff:0:0]", "localhost."].contains(&host)
            || host.ends_with(".localhost.")
            || host.starts_with("[::ffff:7f")
    }

    /// An `https` address from parts that are known to be valid.
    pub(crate) fn https(host: &str, path: &str) -> Self {
        // Hosts of partitions and regions are DNS names by construction.
        let url = Url::parse(&format!("https://{host}{path}")).unwrap_or_else(|_| unreachable!());
        Self(url)
    }
}

as_text!(Endpoint);

impl FromStr for Endpoint {
    type Err = EndpointError;

    fn from_str(text: &str) -> Result<Self, EndpointError> {
        let refuse = |reason| EndpointError { text: text.chars().take(200).collect(), reason };
        let url = Url::parse(text).map_err(|_| refuse("it is not an absolute URL"))?;
        match url.scheme() {
            "https" => {}
            "http" if is_loopback(&url) => {}
            "http" => return Err(refuse("only https is allowed, except on this machine")),
            _ => return Err(refuse("it must start with https://")),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(refuse("it must not hold a user name or password"));
        }
        if url.fragment().is_some() {
            return Err(refuse("it must not hold a fragment (#)"));
        }
        Ok(Self(url))
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl TryFrom<String> for Endpoint {
    type Error = EndpointError;

    fn try_from(text: String) -> Result<Self, EndpointError> {
        text.parse()
    }
}

impl From<Endpoint> for String {
    fn from(endpoint: Endpoint) -> Self {
        endpoint.0.into()
    }
}

/// Text that is not an address this product talks to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the address \"{text}\" cannot be used: {reason}")]
pub struct EndpointError {
    text: String,
    reason: &'static str,
}

fn is_loopback(url: &Url) -> bool {
    // A URL's host is normalised: what ends in a number is an IPv4 address of four decimal numbers.
    let is_ipv4 = |host: &str| host.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    url.host_str().is_some_and(|host| {
        // RFC 6761 section 6.3: localhost is loopback.
        host == "[::1]"
            || host == "localhost"
            || host.ends_with(".localhost")
            || (host.starts_with("127.") && is_ipv4(host))
    })
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn every_spelling_of_this_machine_is_known() {
        let is_this_machine = |text: &str| text.parse::<Endpoint>().unwrap().is_this_machine();
        for text in [
            "http://127.0.0.1:2375/",
            "https://127.1/",
            "https://2130706433/",
            "https://0x7f.0.0.1/",
            "https://[::1]/",
            "https://[::ffff:127.0.0.1]/",
            "https://0/",
            "https://[::]/",
            "https://[::ffff:0.0.0.0]/",
            "https://LOCALHOST/",
            "https://a.localhost/",
            "https://localhost./",
        ] {
            assert!(is_this_machine(text), "{text}");
        }
        for text in [
            "https://a.example/",
            "https://10.0.0.1/",
            "https://localhost.example/",
            "https://[2001:db8::7f]/",
        ] {
            assert!(!is_this_machine(text), "{text}");
        }
    }

    #[test]
    fn cleartext_never_leaves_the_machine() {
        for text in ["https://a.example/x?y=z", "http://127.0.0.1:1/", "http://[::1]:1/", "http://localhost/"]
        {
            assert!(text.parse::<Endpoint>().is_ok(), "{text}");
        }
        for text in [
            "http://a.example/",
            "http://127.0.0.1.example/",
            "http://localhost.example/",
            "ftp://a.example/",
            "https://user@a.example/",
            "https://a.example/#x",
            "/relative",
            "",
        ] {
            assert!(text.parse::<Endpoint>().is_err(), "{text}");
        }
    }
}
