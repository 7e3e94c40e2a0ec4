//! A page of the console, and whether it is one.

use std::fmt;
use std::str::FromStr;

use crate::aws::{Partition, is_session_label};
use crate::json::as_text;
use crate::url::Url;

/// A page of the console: a path with its query and fragment, or the whole address.
///
/// Its characters are checked here, and where an address leads in [`ConsolePage::below`], which needs the role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsolePage(pub(super) String);

as_text!(ConsolePage);

impl ConsolePage {
    /// The page as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The page's address in the console that has this `home`. `None` for an address of any other host, except another
    /// host of the same AWS console if `aws` names its partition.
    #[must_use]
    pub(super) fn below(&self, home: &Url, aws: Option<Partition>) -> Option<Url> {
        let origin = home.origin().ascii_serialization();
        if self.0.starts_with('/') {
            let url = Url::parse(&format!("{origin}{}", self.0)).ok()?;
            return (url.origin() == home.origin()).then_some(url);
        }
        let url = Url::parse(&self.0).ok()?;
        // Anything but the plain name of a host is refused: a user, a port that is the scheme's own, an escaped or
        // foreign letter. What a person reads there is then where it leads.
        let (start, rest) = self.0.split_at(origin_len(&self.0)?);
        let spelled = url.origin().ascii_serialization();
        if !start.eq_ignore_ascii_case(&spelled) {
            return None;
        }
        if spelled == origin {
            return Some(url);
        }
        let host = spelled.strip_prefix("https://")?;
        if !aws?.is_console_host(host) {
            return None;
        }
        // AWS refuses to sign in to a page of one of several sessions.
        match host.split_once('.').filter(|(label, _)| is_session_label(label)) {
            Some((_, host)) => Url::parse(&format!("https://{host}{rest}")).ok(),
            None => Some(url),
        }
    }
}

impl FromStr for ConsolePage {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.len() > MAX {
            return Err("it is too long");
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\') {
            return Err("it has characters that no address has");
        }
        if !text.starts_with('/') && origin_len(text).is_none() {
            return Err("it is neither a path nor an address");
        }
        Ok(Self(text.to_owned()))
    }
}

impl TryFrom<String> for ConsolePage {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl fmt::Display for ConsolePage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// How much of an address scheme and host take.
fn origin_len(text: &str) -> Option<usize> {
    let host = text.find("://")? + 3;
    Some(text[host..].find(['/', '?', '#']).map_or(text.len(), |end| host + end))
}

/// Longer than any address that browsers show.
const MAX: usize = 4_096;

#[cfg(test)]
mod tests;
