//! Values of the schema that are checked when they are parsed: names and durations.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

use crate::json::{Malformed, ReadJson, Value, WriteJson, Writer, as_text};

macro_rules! checked_text {
    ($(#[$doc:meta])* $name:ident, $allowed:expr, $max:expr, $rule:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(into = "String")]
        pub struct $name(String);

        impl $name {
            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, String> {
                let allowed: fn(u8) -> bool = $allowed;
                if (1..=$max).contains(&text.len()) && text.bytes().all(allowed) {
                    Ok(Self(text.to_owned()))
                } else {
                    let shown = crate::text::on_one_line(text, crate::text::LABEL_MAX);
                    Err(format!(concat!("\"{}\" must be ", $rule), shown))
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }

        impl TryFrom<String> for $name {
            type Error = String;

            fn try_from(text: String) -> Result<Self, String> {
                text.parse()
            }
        }

        as_text!($name);

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0
            }
        }
    };
}

checked_text!(
    /// What roles refer to a provider by.
    ProviderId,
    |byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte),
    64,
    "1 to 64 letters, digits and _.-"
);

/// A client secret. Every copy of the settings contains it, so it proves nothing (RFC 8252 section 8.5). It is kept out
/// of logs, errors and pages all the same.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(into = "String")]
pub struct ClientSecret(String);

impl ClientSecret {
    /// What stands for a secret where settings are shown.
    pub const HIDDEN: &str = "(hidden)";

    /// The text, for a request to the provider.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What is shown instead of it.
    #[must_use]
    pub fn hidden() -> Self {
        Self(Self::HIDDEN.to_owned())
    }
}

impl fmt::Debug for ClientSecret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ClientSecret([REDACTED])")
    }
}

impl TryFrom<String> for ClientSecret {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        match text.as_str() {
            "" => Err("it is empty"),
            Self::HIDDEN => Err("rolecall settings show has hidden it; enter the secret itself"),
            _ => Ok(Self(text)),
        }
    }
}

impl WriteJson for ClientSecret {
    fn write(&self, writer: &mut Writer) {
        writer.string(&self.0);
    }
}

impl From<ClientSecret> for String {
    fn from(secret: ClientSecret) -> Self {
        secret.0
    }
}

checked_text!(
    /// An AWS profile's name, of the characters that botocore and the SDKs read the same way.
    ProfileName,
    is_profile_name_byte,
    ProfileName::MAX_BYTES,
    "1 to 200 letters, digits and _./%@:+-"
);

fn is_profile_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_./%@:+-".contains(&byte)
}

impl ProfileName {
    /// How long a name may be.
    pub const MAX_BYTES: usize = 200;

    /// `account-role`, with what a name cannot hold replaced and what is too long cut off.
    pub(super) fn from_parts(account: &str, role: &str) -> Self {
        let allowed = |c: char| u8::try_from(c).is_ok_and(is_profile_name_byte);
        let name = account.chars().chain(['-']).chain(role.chars());
        Self(name.map(|c| if allowed(c) { c } else { '-' }).take(Self::MAX_BYTES).collect())
    }
}

/// A session duration in seconds: 900 to 43200 (STS API reference, `DurationSeconds`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(into = "u32")]
pub struct Duration(u32);

impl Duration {
    /// The longest that any role allows: 12 hours.
    pub const MAX: Self = Self(43_200);
    /// What a role allows unless its owner changed it: 1 hour.
    pub const DEFAULT: Self = Self(3_600);
    /// The shortest that STS gives: 15 minutes.
    pub const MIN: Self = Self(900);

    pub(super) fn refusal(seconds: i64) -> String {
        format!("duration must be 900 to 43200 seconds, not {seconds}")
    }

    /// In seconds.
    #[must_use]
    pub fn seconds(self) -> u32 {
        self.0
    }
}

impl TryFrom<u32> for Duration {
    type Error = String;

    fn try_from(seconds: u32) -> Result<Self, String> {
        if (Self::MIN.0..=Self::MAX.0).contains(&seconds) {
            Ok(Self(seconds))
        } else {
            Err(Self::refusal(seconds.into()))
        }
    }
}

impl WriteJson for Duration {
    fn write(&self, writer: &mut Writer) {
        self.0.write(writer);
    }
}

impl ReadJson for Duration {
    fn read(value: Value<'_>) -> Result<Self, Malformed> {
        u32::read(value)?.try_into().map_err(|reason: String| Malformed::new(reason))
    }
}

impl From<Duration> for u32 {
    fn from(duration: Duration) -> Self {
        duration.0
    }
}
