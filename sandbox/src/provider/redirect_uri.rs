//! The redirect URIs that a client may use: exact ones, and the patterns that browsers' identity redirects and loopback
//! listeners need (RFC 8252 section 7.3).

use url::{Host, Url};

/// Whether `uri` is one of `registered`.
pub(crate) fn is_registered(uri: &str, registered: &[String]) -> bool {
    registered.iter().any(|pattern| pattern == uri || matches(uri, pattern))
}

/// A pattern is `scheme://host/path` where the host may begin with `*.` (one label), the port may be `*` (any, but
/// one must be given), and the path may end in `/*`.
fn matches(uri: &str, pattern: &str) -> bool {
    let (Ok(uri), Some(pattern)) = (Url::parse(uri), Pattern::parse(pattern)) else {
        return false;
    };
    let plain = uri.username().is_empty()
        && uri.password().is_none()
        && uri.query().is_none()
        && uri.fragment().is_none();
    plain && uri.scheme() == pattern.scheme && pattern.takes_host(&uri) && pattern.takes_port(&uri) && {
        match pattern.path.strip_suffix('*') {
            Some(start) => uri.path().starts_with(start),
            None => uri.path() == pattern.path,
        }
    }
}

struct Pattern<'a> {
    scheme: &'a str,
    host: &'a str,
    port: Option<&'a str>,
    path: &'a str,
}

impl<'a> Pattern<'a> {
    fn parse(pattern: &'a str) -> Option<Self> {
        let (scheme, rest) = pattern.split_once("://")?;
        let (authority, path) = rest.split_at(rest.find('/')?);
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        };
        Some(Self { scheme, host, port, path })
    }

    fn takes_host(&self, uri: &Url) -> bool {
        match (self.host.strip_prefix("*."), uri.host()) {
            (Some(domain), Some(Host::Domain(host))) => {
                host.split_once('.').is_some_and(|(label, rest)| !label.is_empty() && rest == domain)
            }
            (None, _) => uri.host_str() == Some(self.host),
            _ => false,
        }
    }

    fn takes_port(&self, uri: &Url) -> bool {
        match self.port {
            Some("*") => uri.port().is_some(),
            port => uri.port().map(|port| port.to_string()).as_deref() == port,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_the_intended_uris_and_no_others() {
        let cases = [
            ("https://*.chromiumapp.org/*", "https://abcdefghijklmnop.chromiumapp.org/", true),
            ("https://*.chromiumapp.org/*", "https://abcdefghijklmnop.chromiumapp.org/cb", true),
            ("https://*.chromiumapp.org/*", "https://a.b.chromiumapp.org/", false),
            ("https://*.chromiumapp.org/*", "https://chromiumapp.org/", false),
            ("https://*.chromiumapp.org/*", "https://a.chromiumapp.org.evil.example/", false),
            ("https://*.chromiumapp.org/*", "http://a.chromiumapp.org/", false),
            ("https://*.chromiumapp.org/*", "https://a.chromiumapp.org:8443/", false),
            ("https://*.chromiumapp.org/*", "https://user@a.chromiumapp.org/", false),
            ("https://*.chromiumapp.org/*", "https://a.chromiumapp.org/#fragment", false),
            ("http://127.0.0.1/mozoauth2/*", "http://127.0.0.1/mozoauth2/0123abcd", true),
            ("http://127.0.0.1/mozoauth2/*", "http://127.0.0.1:80/mozoauth2/0123abcd", true),
            ("http://127.0.0.1/mozoauth2/*", "http://127.0.0.1/other", false),
            ("http://127.0.0.1:*/", "http://127.0.0.1:10800/", true),
            ("http://127.0.0.1:*/", "http://127.0.0.1/", false),
            ("http://127.0.0.1:*/", "http://127.0.0.1:10800/other", false),
            ("http://127.0.0.1:*/", "http://127.0.0.1.evil.example:10800/", false),
            ("http://localhost:*/", "http://localhost:1/", true),
        ];
        for (pattern, uri, expected) in cases {
            assert_eq!(is_registered(uri, &[pattern.to_owned()]), expected, "{pattern} {uri}");
        }
    }

    #[test]
    fn an_exact_registration_matches_only_itself() {
        let registered = ["https://app.example/cb?x=1".to_owned()];
        assert!(is_registered("https://app.example/cb?x=1", &registered));
        assert!(!is_registered("https://app.example/cb?x=2", &registered));
        assert!(!is_registered("https://app.example/cb", &registered));
    }
}
