//! The profile that a section header names, for botocore and for the SDKs.

use std::borrow::Cow;

use super::files::Which;
use super::text::{self, is_blank_char};

/// Which readers take a header for a given profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) by_botocore: bool,
    pub(super) by_sdks: bool,
}

impl Seen {
    pub(super) const fn by_anyone(self) -> bool {
        self.by_botocore || self.by_sdks
    }

    pub(super) const fn by_everyone(self) -> bool {
        self.by_botocore && self.by_sdks
    }
}

/// Whether the header line `content` opens the section of `profile`.
pub(super) fn seen(content: &[u8], which: Which, profile: &str) -> Seen {
    let text = String::from_utf8_lossy(content);
    Seen {
        by_botocore: botocore(&text, which).is_some_and(|name| name == profile),
        by_sdks: sdks(&text, which).is_some_and(|name| name == profile),
    }
}

/// The profile that a header line names for any reader, botocore first.
pub(super) fn profile(content: &[u8], which: Which) -> Option<String> {
    let text = String::from_utf8_lossy(content);
    botocore(&text, which).map(Cow::into_owned).or_else(|| sdks(&text, which).map(str::to_owned))
}

/// The header that every reader takes for `profile`.
pub(super) fn header(which: Which, profile: &str) -> String {
    match which {
        Which::Config if profile != "default" => format!("[profile {profile}]"),
        _ => format!("[{profile}]"),
    }
}

/// botocore takes everything up to the last bracket, then splits what begins with `profile` like a shell would
/// (`build_profile_map` in its configloader).
fn botocore(line: &str, which: Which) -> Option<Cow<'_, str>> {
    let line = text::strip_str(line).strip_prefix('[')?;
    let header = line.get(..line.rfind(']')?)?;
    match which {
        Which::Credentials => Some(header.into()),
        Which::Config if header == "default" => Some(header.into()),
        Which::Config if !header.starts_with("profile") => None,
        Which::Config if header.contains(['"', '\'', '\\']) => match shlex::split(header)?.as_mut_slice() {
            [_, name] => Some(std::mem::take(name).into()),
            _ => None,
        },
        Which::Config => {
            let mut words = header.split([' ', '\t', '\r', '\n']).filter(|word| !word.is_empty());
            let (_, name) = (words.next()?, words.next()?);
            words.next().is_none().then_some(name.into())
        }
    }
}

/// The SDKs cut comments, then brackets, then blanks; names that are no identifiers never match a [`rolecall_core::settings::ProfileName`].
fn sdks(line: &str, which: Which) -> Option<&str> {
    let line = line.split(['#', ';']).next()?.trim_matches(is_blank_char);
    let header = line.strip_prefix('[')?.strip_suffix(']')?.trim_matches(is_blank_char);
    match (which, header.split_once(is_blank_char)) {
        (Which::Config, Some(("profile", name))) => Some(name.trim()),
        (Which::Config, None) if header == "default" => Some(header),
        (Which::Credentials, None) => Some(header),
        _ => None,
    }
}
