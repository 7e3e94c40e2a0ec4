//! `chrono::DateTime<Utc>` and `chrono::TimeDelta`, as far as this product uses them: in whole milliseconds, as a browser's
//! `Date` has them.

use std::marker::PhantomData;
use std::num::TryFromIntError;
use std::ops::{Add, Div, Sub};
use std::str::FromStr;
use std::time::Duration;

use js_sys::Date;
use serde::{Serialize, Serializer};

/// A time, in milliseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DateTime<Zone>(i64, PhantomData<Zone>);

/// The zone of all times.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Utc;

/// A difference between two times, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct TimeDelta(i64);

/// Text that is not a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParseError;

impl Utc {
    /// The computer's time.
    #[must_use]
    pub fn now() -> DateTime<Self> {
        DateTime::of(Date::now())
    }
}

impl DateTime<Utc> {
    /// The first moment of 1970.
    pub const UNIX_EPOCH: Self = Self::at(0);

    const fn at(milliseconds: i64) -> Self {
        Self(milliseconds, PhantomData)
    }

    /// The nearest time that ECMAScript has.
    fn nearest(milliseconds: i64) -> Self {
        Self::at(milliseconds.clamp(-LAST, LAST))
    }

    /// A time as ECMAScript has it, which is a whole number up to [`LAST`].
    #[expect(clippy::cast_possible_truncation, clippy::as_conversions, reason = "see above")]
    pub(super) fn of(milliseconds: f64) -> Self {
        Self::at(milliseconds as i64)
    }

    /// The time this many seconds and nanoseconds after 1970 began, unless ECMAScript has none.
    #[must_use]
    pub fn from_timestamp(seconds: i64, nanoseconds: u32) -> Option<Self> {
        Self::from_timestamp_millis(
            seconds.checked_mul(1_000)?.checked_add((nanoseconds / 1_000_000).into())?,
        )
    }

    /// The time this many milliseconds after 1970 began, unless ECMAScript has none.
    #[must_use]
    pub fn from_timestamp_millis(milliseconds: i64) -> Option<Self> {
        (-LAST..=LAST).contains(&milliseconds).then_some(Self::at(milliseconds))
    }

    /// In seconds since 1970.
    #[must_use]
    pub fn timestamp(self) -> i64 {
        self.0.div_euclid(1_000)
    }

    /// In milliseconds since 1970.
    #[must_use]
    pub fn timestamp_millis(self) -> i64 {
        self.0
    }

    /// The same for a `Date`.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        clippy::as_conversions,
        reason = "up to LAST a number has every integer"
    )]
    pub(super) fn to_date(self) -> Date {
        Date::new(&(self.0 as f64).into())
    }
}

/// As RFC 3339 has it.
impl FromStr for DateTime<Utc> {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        super::rfc3339(text).ok_or(ParseError)
    }
}

/// For types that are serialised by the host program only.
impl Serialize for DateTime<Utc> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&super::to_rfc3339(*self))
    }
}

impl Add<TimeDelta> for DateTime<Utc> {
    type Output = Self;

    fn add(self, delta: TimeDelta) -> Self {
        Self::nearest(self.0.saturating_add(delta.0))
    }
}

impl Sub<TimeDelta> for DateTime<Utc> {
    type Output = Self;

    fn sub(self, delta: TimeDelta) -> Self {
        Self::nearest(self.0.saturating_sub(delta.0))
    }
}

impl Sub for DateTime<Utc> {
    type Output = TimeDelta;

    fn sub(self, other: Self) -> TimeDelta {
        TimeDelta(self.0.saturating_sub(other.0))
    }
}

impl TimeDelta {
    /// This many milliseconds.
    #[must_use]
    pub const fn milliseconds(count: i64) -> Self {
        Self(count)
    }

    /// This many seconds.
    #[must_use]
    pub const fn seconds(count: i64) -> Self {
        Self(count.saturating_mul(1_000))
    }

    /// This many minutes.
    #[must_use]
    pub const fn minutes(count: i64) -> Self {
        Self(count.saturating_mul(60_000))
    }

    /// This many hours.
    #[must_use]
    pub const fn hours(count: i64) -> Self {
        Self(count.saturating_mul(3_600_000))
    }

    /// This many days.
    #[must_use]
    pub const fn days(count: i64) -> Self {
        Self(count.saturating_mul(24 * 3_600_000))
    }

    /// This many weeks.
    #[must_use]
    pub const fn weeks(count: i64) -> Self {
        Self(count.saturating_mul(7 * 24 * 3_600_000))
    }

    /// No time at all.
    #[must_use]
    pub const fn zero() -> Self {
        Self(0)
    }

    /// In whole seconds.
    #[must_use]
    pub const fn num_seconds(self) -> i64 {
        self.0 / 1_000
    }

    /// In whole minutes.
    #[must_use]
    pub const fn num_minutes(self) -> i64 {
        self.0 / 60_000
    }

    /// In whole weeks.
    #[must_use]
    pub const fn num_weeks(self) -> i64 {
        self.0 / (7 * 24 * 3_600_000)
    }

    /// The same without its sign.
    #[must_use]
    pub const fn abs(self) -> Self {
        Self(self.0.saturating_abs())
    }

    /// As a duration. It is an error if it is negative.
    pub fn to_std(self) -> Result<Duration, TryFromIntError> {
        self.0.try_into().map(Duration::from_millis)
    }

    /// From a duration. An error if its milliseconds do not fit into an `i64`.
    pub fn from_std(duration: Duration) -> Result<Self, TryFromIntError> {
        duration.as_millis().try_into().map(Self)
    }
}

impl Add for TimeDelta {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Sub for TimeDelta {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Div<i32> for TimeDelta {
    type Output = Self;

    fn div(self, divisor: i32) -> Self {
        Self(self.0 / i64::from(divisor))
    }
}

/// The last time that ECMAScript has ("Time Values and Time Range"), in the year 275760; the first is as long before 1970.
const LAST: i64 = 8_640_000_000_000_000;
