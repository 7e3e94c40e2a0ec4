//! How long credentials are good for: in words, and when the words change.

use std::time::Duration;

use rolecall_core::time::{DateTime, TimeDelta, Utc};

/// What is left of a role's credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TimeLeft {
    /// More than enough.
    Plenty {
        /// Whole minutes.
        minutes: i64,
    },
    /// Few minutes.
    Little {
        /// Whole minutes.
        minutes: i64,
    },
    /// None.
    Expired,
}

impl TimeLeft {
    /// What is left at `now`.
    pub(crate) fn until(expiration: DateTime<Utc>, now: DateTime<Utc>) -> Self {
        let left = expiration - now;
        let minutes = left.num_minutes();
        if left <= TimeDelta::zero() {
            Self::Expired
        } else if minutes < LITTLE_MINUTES {
            Self::Little { minutes }
        } else {
            Self::Plenty { minutes }
        }
    }
}

/// How long it takes until the words for any of these expirations change: nothing when they never will.
pub(crate) fn until_next_change(
    expirations: impl Iterator<Item = DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Option<Duration> {
    expirations
        .filter_map(|expiration| (expiration - now).to_std().ok())
        .filter(|left| !left.is_zero())
        .map(|left| {
            // A whole minute is still shown at its very end; a moment later it isn't.
            let change = Duration::new(left.as_secs() % 60, left.subsec_nanos());
            if left >= MINUTE { change + MOMENT } else { change }
        })
        .min()
}

/// Below this, in minutes, a person is warned. The badge on the button warns at the same time.
const LITTLE_MINUTES: i64 = 10;

const MINUTE: Duration = Duration::from_mins(1);
const MOMENT: Duration = Duration::from_millis(1);

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        format!("2030-01-01T{text}Z").parse().unwrap()
    }

    #[test]
    fn started_minutes_do_not_count() {
        assert_eq!(TimeLeft::until(at("11:00:00"), at("10:16:20")), TimeLeft::Plenty { minutes: 43 });
        assert_eq!(TimeLeft::until(at("11:00:00"), at("10:50:01")), TimeLeft::Little { minutes: 9 });
        assert_eq!(TimeLeft::until(at("11:00:00"), at("10:50:00")), TimeLeft::Plenty { minutes: 10 });
        assert_eq!(TimeLeft::until(at("11:00:00"), at("10:59:59")), TimeLeft::Little { minutes: 0 });
    }

    #[test]
    fn credentials_expire_at_their_expiration_and_not_before() {
        assert_eq!(TimeLeft::until(at("11:00:00"), at("10:59:59.999")), TimeLeft::Little { minutes: 0 });
        assert_eq!(TimeLeft::until(at("11:00:00"), at("11:00:00")), TimeLeft::Expired);
        assert_eq!(TimeLeft::until(at("11:00:00"), at("12:00:00")), TimeLeft::Expired);
    }

    #[test]
    fn the_next_change_is_when_the_first_of_the_minutes_has_passed() {
        let now = at("10:00:00");
        let next = |expirations: &[&str]| until_next_change(expirations.iter().map(|text| at(text)), now);
        assert_eq!(next(&["10:43:20"]), Some(Duration::from_millis(20_001)));
        assert_eq!(next(&["10:43:20", "11:00:05"]), Some(Duration::from_millis(5_001)));
        assert_eq!(next(&["10:43:00"]), Some(Duration::from_millis(1)));
        assert_eq!(next(&["10:00:07"]), Some(Duration::from_secs(7)));
        assert_eq!(next(&["09:59:59", "10:00:00"]), None);
        assert_eq!(next(&[]), None);
    }

    #[test]
    fn the_words_are_others_after_the_next_change_and_the_same_just_before_it() {
        let expiration = at("10:43:20");
        let mut now = at("10:00:00");
        for _ in 0..60 {
            let Some(wait) = until_next_change([expiration].into_iter(), now) else { break };
            let wait = TimeDelta::from_std(wait).unwrap();
            let left = TimeLeft::until(expiration, now);
            assert_eq!(TimeLeft::until(expiration, now + wait - TimeDelta::milliseconds(1)), left);
            let later = now + wait;
            assert_ne!(TimeLeft::until(expiration, later), left);
            now = later;
        }
        assert_eq!(TimeLeft::until(expiration, now), TimeLeft::Expired);
    }
}
