//! The parameters of a call, from its query or its form, depending on the method (RFC 6749 section 3.1).

use axum::http::Method;
use url::form_urlencoded;

/// Decoded name–value pairs in their original order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Params(Vec<(String, String)>);

impl Params {
    /// A POST is read from its form, anything else from its query; parameters elsewhere are ignored.
    pub(crate) fn of(method: &Method, query: Option<&str>, body: &[u8]) -> Self {
        let encoded = if method == Method::POST { body } else { query.unwrap_or_default().as_bytes() };
        Self(form_urlencoded::parse(encoded).into_owned().collect())
    }

    /// The first value of `name`; a parameter without a value counts as omitted (RFC 6749 section 3.1).
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, value)| key == name && !value.is_empty()).map(|(_, value)| value.as_str())
    }

    /// A parameter that occurs more than once, which OAuth forbids.
    pub(crate) fn repeated(&self) -> Option<&str> {
        let names = || self.0.iter().map(|(name, _)| name.as_str());
        names()
            .enumerate()
            .find(|(at, name)| names().skip(at + 1).any(|later| later == *name))
            .map(|(_, name)| name)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_post_is_read_from_its_form_and_a_get_from_its_query() {
        let post = Params::of(&Method::POST, Some("a=query"), b"a=form+text&b=%2F");
        assert_eq!((post.get("a"), post.get("b")), (Some("form text"), Some("/")));
        let get = Params::of(&Method::GET, Some("a=query"), b"a=form");
        assert_eq!(get.get("a"), Some("query"));
    }

    #[test]
    fn an_empty_value_is_an_omitted_parameter_and_a_repeated_one_is_noticed() {
        let params = Params::of(&Method::GET, Some("a=&b=1&c=2&b=3"), b"");
        assert_eq!(params.get("a"), None);
        assert_eq!(params.repeated(), Some("b"));
    }
}
