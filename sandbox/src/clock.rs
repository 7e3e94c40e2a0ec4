//! The clock that all services of a sandbox share. The `Date` header of every response shows it.

use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use chrono::{DateTime, TimeDelta, Utc};

/// The sandbox's time: the system's, until a test changes it.
#[derive(Debug)]
pub struct Clock(Mutex<Reading>);

impl Clock {
    pub(crate) fn system() -> Self {
        Self(Mutex::new(Reading::Ticking { ahead: TimeDelta::zero() }))
    }

    /// The time now.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        match *self.reading() {
            Reading::Ticking { ahead } => system_now() + ahead,
            Reading::Frozen { at } => at,
        }
    }

    /// Sets the time; the clock goes on from there.
    pub fn set(&self, time: DateTime<Utc>) {
        *self.reading() = Reading::Ticking { ahead: time - system_now() };
    }

    /// Sets the time and stops the clock.
    pub fn freeze(&self, time: DateTime<Utc>) {
        *self.reading() = Reading::Frozen { at: time };
    }

    /// Moves the clock by `step` (backwards if negative); a frozen clock stays frozen.
    pub fn advance(&self, step: TimeDelta) {
        match &mut *self.reading() {
            Reading::Ticking { ahead } => *ahead += step,
            Reading::Frozen { at } => *at += step,
        }
    }

    /// Returns to the system's time.
    pub fn reset(&self) {
        *self.reading() = Reading::Ticking { ahead: TimeDelta::zero() };
    }

    fn reading(&self) -> std::sync::MutexGuard<'_, Reading> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug)]
enum Reading {
    Ticking { ahead: TimeDelta },
    Frozen { at: DateTime<Utc> },
}

fn system_now() -> DateTime<Utc> {
    DateTime::from(SystemTime::now())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frozen_clock_moves_only_when_advanced() {
        let clock = Clock::system();
        let noon = DateTime::from_timestamp(1_700_000_000, 0).unwrap();
        clock.freeze(noon);
        assert_eq!(clock.now(), noon);
        clock.advance(TimeDelta::seconds(-90));
        assert_eq!(clock.now(), noon - TimeDelta::seconds(90));
    }

    #[test]
    fn a_set_clock_keeps_ticking_and_reset_returns_to_the_system_time() {
        let clock = Clock::system();
        clock.set(system_now() + TimeDelta::days(400));
        assert!(clock.now() - system_now() > TimeDelta::days(399));
        clock.reset();
        assert!(clock.now() - system_now() < TimeDelta::days(1));
    }
}
