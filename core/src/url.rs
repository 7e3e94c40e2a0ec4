//! URLs, as the WHATWG's URL Standard has them.
//!
//! Natively the `url` crate reads them. In a browser the browser's own reader does, under the crate's names: the crate
//! brings tables for the domain names of all scripts, which would be a fifth of the extension.

#[cfg(target_arch = "wasm32")]
pub use self::browser::{ParseError, Url};
#[cfg(not(target_arch = "wasm32"))]
pub use ::url::{ParseError, Url};

/// `url::Url`, as far as this product uses it.
#[cfg(target_arch = "wasm32")]
mod browser {
    use std::fmt;
    use std::str::FromStr;

    use form_urlencoded::{Parse, Serializer};

    /// A URL. Its text is what the browser has normalised, so that its parts are found by the characters between them.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct Url(String);

    /// Text that is not an absolute URL.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
    #[error("not an absolute URL")]
    pub struct ParseError;

    /// Scheme, host and port.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct Origin(String);

    impl Origin {
        /// `scheme://host:port`, without a port that is the scheme's own.
        #[must_use]
        pub fn ascii_serialization(&self) -> String {
            self.0.clone()
        }
    }

    impl Url {
        /// Reads an absolute URL.
        pub fn parse(text: &str) -> Result<Self, ParseError> {
            let url = web_sys::Url::new(text).map(|url| Self(url.href())).map_err(|_| ParseError)?;
            // Chromium escapes what the URL Standard forbids in a domain, such as a space.
            if url.host_str().is_some_and(|host| host.contains('%')) {
                return Err(ParseError);
            }
            Ok(url)
        }

        /// The whole URL.
        #[must_use]
        pub fn as_str(&self) -> &str {
            &self.0
        }

        /// What stands before the colon.
        #[must_use]
        pub fn scheme(&self) -> &str {
            self.split_scheme().0
        }

        /// Scheme, host and port.
        #[must_use]
        pub fn origin(&self) -> Origin {
            let host = self.host_and_port();
            Origin(format!("{}://{host}", self.scheme()))
        }

        /// The user's name, percent-encoded; empty without one.
        #[must_use]
        pub fn username(&self) -> &str {
            let user = self.user_info();
            user.split_once(':').map_or(user, |(name, _)| name)
        }

        /// The password, percent-encoded.
        #[must_use]
        pub fn password(&self) -> Option<&str> {
            self.user_info().split_once(':').map(|(_, password)| password)
        }

        /// The host: a domain name in ASCII, an IPv4 address, or an IPv6 address in brackets.
        #[must_use]
        pub fn host_str(&self) -> Option<&str> {
            let host = self.host_and_port();
            let port = host.rfind(':').filter(|_| !host.ends_with(']'));
            Some(port.map_or(host, |port| &host[..port])).filter(|host| !host.is_empty())
        }

        /// The port, unless it is the scheme's own.
        #[must_use]
        pub fn port(&self) -> Option<u16> {
            self.host_and_port().rsplit_once(':')?.1.parse().ok()
        }

        /// The path, percent-encoded.
        #[must_use]
        pub fn path(&self) -> &str {
            let rest = self.split_authority().1;
            rest.find(['?', '#']).map_or(rest, |end| &rest[..end])
        }

        /// The query, percent-encoded.
        #[must_use]
        pub fn query(&self) -> Option<&str> {
            self.split_fragment().0.split_once('?').map(|(_, query)| query)
        }

        /// The fragment, percent-encoded.
        #[must_use]
        pub fn fragment(&self) -> Option<&str> {
            self.split_fragment().1
        }

        /// The query's parameters.
        #[must_use]
        pub fn query_pairs(&self) -> Parse<'_> {
            form_urlencoded::parse(self.query().unwrap_or_default().as_bytes())
        }

        /// Adds parameters to the query, and takes the fragment away.
        pub fn query_pairs_mut(&mut self) -> Serializer<'_, &mut String> {
            self.set_fragment(None);
            let start = self.0.find('?').unwrap_or_else(|| {
                self.0.push('?');
                self.0.len() - 1
            });
            Serializer::for_suffix(&mut self.0, start + 1)
        }

        /// Replaces the path.
        pub fn set_path(&mut self, path: &str) {
            self.change(|url| url.set_pathname(path));
        }

        /// Replaces the query.
        pub fn set_query(&mut self, query: Option<&str>) {
            self.change(|url| url.set_search(query.unwrap_or_default()));
        }

        /// Replaces the fragment.
        pub fn set_fragment(&mut self, fragment: Option<&str>) {
            self.change(|url| url.set_hash(fragment.unwrap_or_default()));
        }

        fn change(&mut self, change: impl FnOnce(&web_sys::Url)) {
            // What the browser has written it reads.
            if let Ok(url) = web_sys::Url::new(&self.0) {
                change(&url);
                self.0 = url.href();
            }
        }

        fn split_scheme(&self) -> (&str, &str) {
            self.0.split_once(':').unwrap_or_default()
        }

        /// User, host and port; and what comes after them.
        fn split_authority(&self) -> (&str, &str) {
            let rest = self.split_scheme().1;
            let Some(rest) = rest.strip_prefix("//") else { return ("", rest) };
            rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()))
        }

        fn user_info(&self) -> &str {
            self.split_authority().0.rsplit_once('@').map_or("", |(user, _)| user)
        }

        fn host_and_port(&self) -> &str {
            let authority = self.split_authority().0;
            authority.rsplit_once('@').map_or(authority, |(_, host)| host)
        }

        fn split_fragment(&self) -> (&str, Option<&str>) {
            self.0.split_once('#').map_or((&self.0, None), |(rest, fragment)| (rest, Some(fragment)))
        }
    }

    impl FromStr for Url {
        type Err = ParseError;

        fn from_str(text: &str) -> Result<Self, ParseError> {
            Self::parse(text)
        }
    }

    impl fmt::Display for Url {
        fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str(&self.0)
        }
    }

    impl From<Url> for String {
        fn from(url: Url) -> Self {
            url.0
        }
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    fn url(text: &str) -> Url {
        text.parse().unwrap()
    }

    #[test]
    fn a_url_is_normalised_and_taken_apart() {
        let parts = url("HTTPS://User:pass@IDP.Example:8443/a/../b c?q=1#top");
        assert_eq!(parts.as_str(), "https://User:pass@idp.example:8443/b%20c?q=1#top");
        assert_eq!(
            (parts.scheme(), parts.host_str(), parts.port()),
            ("https", Some("idp.example"), Some(8443))
        );
        assert_eq!((parts.username(), parts.password()), ("User", Some("pass")));
        assert_eq!((parts.path(), parts.query(), parts.fragment()), ("/b%20c", Some("q=1"), Some("top")));
        assert_eq!(parts.origin().ascii_serialization(), "https://idp.example:8443");
        let plain = url("https://idp.example:443");
        assert_eq!((plain.as_str(), plain.port(), plain.path()), ("https://idp.example/", None, "/"));
        assert_eq!((plain.username(), plain.password(), plain.query()), ("", None, None));
        assert_eq!(plain.origin(), url("https://IDP.example/x?y").origin());
    }

    #[test]
    fn every_form_of_a_host_has_one_spelling() {
        for (text, host) in [
            ("https://bücher.example/", "xn--bcher-kva.example"),
            ("https://xn--bcher-kva.example/", "xn--bcher-kva.example"),
            ("http://127.1:80/", "127.0.0.1"),
            ("http://[0:0::1]:8080/", "[::1]"),
        ] {
            assert_eq!(url(text).host_str(), Some(host), "{text}");
        }
        assert_eq!(url("mailto:a@b.example").host_str(), None);
        assert_eq!(url("mailto:a@b.example").scheme(), "mailto");
    }

    #[test]
    fn what_is_no_absolute_url_is_refused() {
        for text in [
            "",
            "/relative",
            "idp.example",
            "https://",
            "https://a b/",
            "https://a.example:x/",
            "http://1.2.3.4.5/",
        ] {
            assert!(Url::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn parameters_are_added_and_read_back() {
        let mut url = url("https://idp.example/authorize?tenant=1#top");
        url.set_fragment(None);
        url.query_pairs_mut().append_pair("q", "a b&c=ü").append_pair("r", "");
        assert_eq!(url.as_str(), "https://idp.example/authorize?tenant=1&q=a+b%26c%3D%C3%BC&r=");
        let pairs: Vec<_> = url.query_pairs().into_owned().collect();
        assert_eq!(pairs[1..], [("q".to_owned(), "a b&c=ü".to_owned()), ("r".to_owned(), String::new())]);
        let mut bare: Url = "https://idp.example".parse().unwrap();
        bare.query_pairs_mut().append_pair("a", "b");
        assert_eq!(bare.as_str(), "https://idp.example/?a=b");
    }

    #[test]
    fn path_and_query_are_replaced_without_touching_each_other() {
        let mut url = url("https://idp.example/a?b=c");
        url.set_path("/x?y/home");
        assert_eq!(url.as_str(), "https://idp.example/x%3Fy/home?b=c");
        url.set_query(None);
        assert_eq!(url.as_str(), "https://idp.example/x%3Fy/home");
    }
}
