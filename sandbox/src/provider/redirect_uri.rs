//! The redirect URIs that a client may use: exact ones (RFC 9700 section 2.1), but for the port of a loopback address, which
//! may be any where it is registered as `*` (RFC 8252 section 7.3).

use url::Url;

/// Whether `uri` is one of `registered`.
pub(crate) fn is_registered(uri: &str, registered: &[String]) -> bool {
    registered.iter().any(|known| known == uri || is_at_any_port(uri, known))
}

fn is_at_any_port(uri: &str, registered: &str) -> bool {
    let Some((host, path)) = registered.strip_prefix("http://").and_then(|rest| rest.split_once(":*")) else {
        return false;
    };
    let Some(port) = Url::parse(uri).ok().and_then(|uri| uri.port()) else { return false };
    ["127.0.0.1", "[::1]", "localhost"].contains(&host) && uri == format!("http://{host}:{port}{path}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registration_matches_only_itself() {
        let registered = ["https://app.example/cb?x=1".to_owned(), "https://a.chromiumapp.org/".to_owned()];
        assert!(registered.iter().all(|uri| is_registered(uri, &registered)));
        for other in [
            "https://app.example/cb?x=2",
            "https://app.example/cb",
            "https://a.chromiumapp.org",
            "https://a.chromiumapp.org/provider-corp",
            "https://a.chromiumapp.org:443/",
            "https://A.chromiumapp.org/",
            "https://user@a.chromiumapp.org/",
            "https://a.chromiumapp.org/#x",
            "http://a.chromiumapp.org/",
        ] {
            assert!(!is_registered(other, &registered), "{other}");
        }
    }

    #[test]
    fn a_loopback_address_may_have_any_port_where_that_is_registered() {
        for (registered, uri, expected) in [
            ("http://127.0.0.1:*/", "http://127.0.0.1:10800/", true),
            ("http://localhost:*/cb", "http://localhost:1/cb", true),
            ("http://127.0.0.1:*/", "http://127.0.0.1/", false),
            ("http://127.0.0.1:*/", "http://127.0.0.1:10800/other", false),
            ("http://127.0.0.1:*/", "http://127.0.0.1:10800/?x", false),
            ("http://127.0.0.1:*/", "http://127.0.0.1.evil.example:10800/", false),
            ("http://127.0.0.1:1/", "http://127.0.0.1:2/", false),
            ("http://app.example:*/", "http://app.example:1/", false),
        ] {
            assert_eq!(is_registered(uri, &[registered.to_owned()]), expected, "{registered} {uri}");
        }
    }
}
