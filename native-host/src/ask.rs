//! The options shared by all commands that need credentials.

// Clap shows these comments as help, so names have no markup.
#![allow(clippy::doc_markdown)]

use rolecall_core::sign_in::Presence;
use rolecall_core::{freshness, settings};

use crate::batch;
use crate::cache::Unlock;
use crate::loopback::BrowserMode;
use crate::source::{Method, Source};
use crate::terminal::SignInOptions;

/// How to get credentials.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Signing in")]
pub(crate) struct Ask {
    /// Which browser to sign in with: one with the extension, or the system's default browser (loopback). auto tries
    /// the first, then the cache, then the second.
    #[arg(long, value_enum, default_value_t = Method::Auto)]
    method: Method,
    /// Show the sign-in address instead of opening it, and read the address that the browser ends at from the terminal:
    /// for a shell on another machine.
    #[arg(long)]
    no_browser: bool,
    /// Never show a window or ask a question. The same as ROLECALL_BATCH=1.
    #[arg(long)]
    batch: bool,
    /// How long the credentials last, such as 1h, 90m or 3600, when signing in without the extension.
    #[arg(long, value_parser = duration)]
    duration: Option<settings::Duration>,
}

impl Ask {
    /// The source that the options describe.
    pub(crate) fn source(&self) -> Source {
        let browser_mode = if self.no_browser { BrowserMode::Paste } else { BrowserMode::Open };
        // --no-browser is for machines without a browser: an extension on this machine would show its window here.
        let method =
            if self.no_browser && self.method == Method::Auto { Method::Loopback } else { self.method };
        let presence = batch::presence(self.batch);
        Source {
            method,
            presence,
            sign_in: SignInOptions { browser_mode, duration: self.duration, ..SignInOptions::default() },
            time_left: freshness::SDK_RENEWAL,
            // An explicit browser or duration means a new sign-in.
            allow_cached: self.method == Method::Auto && self.duration.is_none(),
            unlock: if presence == Presence::Person { Unlock::Ask } else { Unlock::Never },
            outlives_asker: false,
        }
    }
}

fn duration(text: &str) -> Result<settings::Duration, String> {
    let (digits, unit) = text.split_at(text.trim_end_matches(|c: char| c.is_ascii_alphabetic()).len());
    let factor = match unit {
        "" | "s" => 1,
        "m" | "min" => 60,
        "h" => 3600,
        _ => return Err("use a form such as 1h, 90m or 3600".to_owned()),
    };
    let number: u32 = digits.parse().map_err(|_| "use a form such as 1h, 90m or 3600".to_owned())?;
    settings::Duration::try_from(number.saturating_mul(factor))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_a_unit_or_are_in_seconds() {
        for (text, seconds) in [("1h", 3600), ("90m", 5400), ("3600", 3600), ("900s", 900), ("12h", 43_200)] {
            assert_eq!(duration(text).unwrap().seconds(), seconds, "{text}");
        }
        for text in ["", "h", "1d", "-1h", "14m", "13h", "1h30m", "99999999999h"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }
}
