//! For how long credentials are handed out, and when they are renewed: the one rule and all its times.
//!
//! AWS SDKs keep what they are given until 15 minutes before its end and then ask at every call. So whoever asks gets
//! credentials that last for longer than that; and roles that allow no more than that, at least half of what they allow.

use crate::aws::Credentials;
use crate::json::{ReadJson, WriteJson};
use crate::time::{DateTime, TimeDelta, Utc};

/// SDKs ask again once this much is left (botocore, measured).
pub const SDK_RENEWAL: TimeDelta = TimeDelta::minutes(15);

/// Credentials in use are renewed ahead of the SDKs, so that none of them waits.
pub const RENEWAL: TimeDelta = TimeDelta::minutes(20);

/// What a console session needs: it ends with its credentials.
pub const CONSOLE: TimeDelta = TimeDelta::hours(1);

/// What will do where nobody can sign in: enough for one request to be signed, sent and answered.
pub const LAST_RESORT: TimeDelta = TimeDelta::minutes(1);

/// When credentials end, and how long they were good for when they came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ReadJson, WriteJson)]
#[json(rename_all = "camelCase")]
pub struct Lifetime {
    /// When AWS stops accepting them.
    pub expiration: DateTime<Utc>,
    /// How long they were good for, in seconds.
    seconds: i64,
}

impl Lifetime {
    /// The lifetime of credentials that came at this moment.
    #[must_use]
    pub fn of(credentials: &Credentials, now: DateTime<Utc>) -> Self {
        Self { expiration: credentials.expiration, seconds: credentials.time_left(now).num_seconds() }
    }

    /// The same for credentials that came at the same time and end then.
    #[must_use]
    pub fn until(self, expiration: DateTime<Utc>) -> Self {
        Self { expiration, ..self }
    }

    /// Whether they last for longer than `time_left`, or than half of their life if that is less.
    #[must_use]
    pub fn is_fresh(self, now: DateTime<Utc>, time_left: TimeDelta) -> bool {
        self.fresh_for(now, time_left) > TimeDelta::zero()
    }

    /// For how long [`Self::is_fresh`] will hold. Negative once it does not.
    #[must_use]
    pub fn fresh_for(self, now: DateTime<Utc>, time_left: TimeDelta) -> TimeDelta {
        self.expiration - now - time_left.min(TimeDelta::seconds(self.seconds) / 2)
    }

    /// When to renew them ahead of the SDKs.
    #[must_use]
    pub fn renewal(self) -> DateTime<Utc> {
        self.expiration - RENEWAL.min(TimeDelta::seconds(self.seconds) / 2)
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    fn of_minutes(minutes: i64) -> Lifetime {
        Lifetime { expiration: DateTime::UNIX_EPOCH + TimeDelta::minutes(minutes), seconds: minutes * 60 }
    }

    fn is_fresh(minutes: i64, after: i64, time_left: TimeDelta) -> bool {
        of_minutes(minutes).is_fresh(DateTime::UNIX_EPOCH + TimeDelta::minutes(after), time_left)
    }

    #[test]
    fn credentials_are_fresh_while_more_is_left_than_asked_for_or_than_half_of_a_short_life() {
        for (minutes, time_left, last_fresh) in
            [(60, SDK_RENEWAL, 44), (15, SDK_RENEWAL, 7), (180, CONSOLE, 119), (60, CONSOLE, 29)]
        {
            assert!(is_fresh(minutes, 0, time_left) && is_fresh(minutes, last_fresh, time_left), "{minutes}");
            assert!(!is_fresh(minutes, last_fresh + 1, time_left), "{minutes}");
            assert!(!is_fresh(minutes, minutes + 1, time_left), "{minutes}");
        }
    }

    #[test]
    fn credentials_are_renewed_before_an_sdk_asks_and_short_ones_at_their_half() {
        for (minutes, renewal) in [(60, 40), (15, 7)] {
            let at = of_minutes(minutes).renewal() - DateTime::UNIX_EPOCH;
            assert_eq!(at.num_minutes(), renewal, "{minutes}");
        }
    }
}
