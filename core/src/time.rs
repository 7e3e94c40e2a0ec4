//! Times, and dates as others write them.
//!
//! Natively both come from `chrono`. In a browser, `DateTime` and `TimeDelta` have the same names and count milliseconds, and the
//! browser's `Date` reads and writes dates.

#[cfg(not(target_arch = "wasm32"))]
pub use chrono::{DateTime, TimeDelta, Utc};

#[cfg(target_arch = "wasm32")]
pub use self::browser::{DateTime, TimeDelta, Utc};

#[cfg(test)]
pub(crate) use self::calendar::to_http_date;

#[cfg(target_arch = "wasm32")]
mod browser;

/// A date of HTTP, such as `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110 section 5.6.7).
pub(crate) fn http_date(text: &str) -> Option<DateTime<Utc>> {
    text.ends_with(" GMT").then(|| calendar::http_date(text)).flatten()
}

/// A date of RFC 3339, such as `1994-11-06T08:49:37.5Z`.
pub(crate) fn rfc3339(text: &str) -> Option<DateTime<Utc>> {
    // What every form of it has in its place.
    let has = |at: usize, mark: u8| text.as_bytes().get(at) == Some(&mark);
    let is_whole = has(4, b'-') && has(7, b'-') && has(10, b'T') && has(13, b':') && has(16, b':');
    let has_offset = text.ends_with('Z') || text.get(19..).is_some_and(|rest| rest.contains(['+', '-']));
    // Browsers read names of zones and comments as well.
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit() || b"-T:.+Z".contains(&byte));
    (is_whole && has_offset && is_plain).then(|| calendar::rfc3339(text)).flatten()
}

/// A time as AWS's signatures have it, such as `19941106T084937Z`.
pub(crate) fn compact(time: DateTime<Utc>) -> String {
    to_rfc3339(time).chars().filter(|mark| !matches!(mark, '-' | ':')).collect()
}

/// A time to the minute, such as `1994-11-06 08:49`.
pub(crate) fn minute(time: DateTime<Utc>) -> String {
    to_rfc3339(time).chars().take(16).map(|mark| if mark == 'T' { ' ' } else { mark }).collect()
}

/// A time to the second, such as `1994-11-06T08:49:37Z`.
pub(crate) fn to_rfc3339(time: DateTime<Utc>) -> String {
    calendar::to_rfc3339(time)
}

#[cfg(not(target_arch = "wasm32"))]
mod calendar {
    use super::{DateTime, Utc};

    pub(super) fn http_date(text: &str) -> Option<DateTime<Utc>> {
        DateTime::parse_from_rfc2822(text).ok().map(|date| date.to_utc())
    }

    pub(super) fn to_rfc3339(time: DateTime<Utc>) -> String {
        time.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
    }

    #[cfg(test)]
    pub(crate) fn to_http_date(time: DateTime<Utc>) -> String {
        time.format("%a, %d %b %Y %H:%M:%S GMT").to_string()
    }

    pub(super) fn rfc3339(text: &str) -> Option<DateTime<Utc>> {
        DateTime::parse_from_rfc3339(text).ok().map(|date| date.to_utc())
    }
}

#[cfg(target_arch = "wasm32")]
mod calendar {
    use super::{DateTime, Utc};

    pub(super) use {date as http_date, date as rfc3339};

    /// ECMAScript has both forms in its standard ("Date Time String Format" and `Date.prototype.toUTCString`).
    pub(super) fn date(text: &str) -> Option<DateTime<Utc>> {
        let milliseconds = js_sys::Date::parse(text);
        (!milliseconds.is_nan()).then(|| DateTime::of(milliseconds))
    }

    pub(super) fn to_rfc3339(time: DateTime<Utc>) -> String {
        let text = String::from(time.to_date().to_iso_string());
        text.split_once('.').map(|(seconds, _)| [seconds, "Z"].concat()).unwrap_or_default()
    }

    #[cfg(test)]
    pub(crate) fn to_http_date(time: DateTime<Utc>) -> String {
        time.to_date().to_utc_string().into()
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn both_forms_of_a_date_are_the_same_time() {
        for (http, rfc3339_text, seconds) in [
            ("Sun, 06 Nov 1994 08:49:37 GMT", "1994-11-06T08:49:37Z", 784_111_777),
            ("Thu, 24 Oct 2030 23:00:23 GMT", "2030-10-24T23:00:23.678Z", 1_919_113_223),
            ("Thu, 01 Jan 1970 00:00:00 GMT", "1970-01-01T02:00:00+02:00", 0),
            ("Tue, 29 Feb 2028 12:00:00 GMT", "2028-02-29T07:30:00-04:30", 1_835_438_400),
        ] {
            let time = DateTime::from_timestamp(seconds, 0).unwrap();
            assert_eq!(to_http_date(time), http);
            assert_eq!(http_date(http).map(|date| date.timestamp()), Some(seconds), "{http}");
            assert_eq!(rfc3339(rfc3339_text).map(|date| date.timestamp()), Some(seconds), "{rfc3339_text}");
        }
    }

    #[test]
    fn a_time_is_written_as_whoever_reads_it_has_it() {
        let time = http_date("Tue, 29 Feb 2028 12:05:09 GMT").unwrap();
        assert_eq!(to_rfc3339(time), "2028-02-29T12:05:09Z");
        assert_eq!(compact(time), "20280229T120509Z");
        assert_eq!(minute(time), "2028-02-29 12:05");
    }

    #[test]
    fn times_and_differences_are_the_same_in_a_browser_and_elsewhere() {
        let time = DateTime::from_timestamp(1_000, 999_000_000).unwrap();
        assert_eq!((time.timestamp(), time.timestamp_millis()), (1_000, 1_000_999));
        let before = DateTime::from_timestamp_millis(-1).unwrap();
        assert_eq!((before.timestamp(), before < DateTime::UNIX_EPOCH), (-1, true));
        assert_eq!(
            time - TimeDelta::milliseconds(999) + TimeDelta::minutes(1) - DateTime::UNIX_EPOCH,
            TimeDelta::seconds(1_060)
        );
        assert_eq!(TimeDelta::weeks(1), TimeDelta::days(7));
        assert_eq!(TimeDelta::days(1), TimeDelta::hours(24));
        // Whole ones, towards zero.
        for sign in [1, -1] {
            let delta = TimeDelta::milliseconds(sign * (7 * 24 * 3_600_000 - 1));
            assert_eq!(
                (delta.num_weeks(), delta.num_minutes(), delta.num_seconds()),
                (0, sign * 10_079, sign * 604_799)
            );
            assert_eq!(delta.abs(), TimeDelta::milliseconds(7 * 24 * 3_600_000 - 1));
        }
        assert_eq!(TimeDelta::seconds(7) / 2, TimeDelta::milliseconds(3_500));
        assert_eq!(TimeDelta::milliseconds(1_500).to_std().unwrap(), std::time::Duration::from_millis(1_500));
        assert!(TimeDelta::milliseconds(-1).to_std().is_err());
        #[cfg(target_arch = "wasm32")]
        {
            let last = DateTime::from_timestamp(8_640_000_000_000, 0).unwrap();
            assert_eq!(last + TimeDelta::milliseconds(1), last);
            assert_eq!(to_rfc3339(last), "+275760-09-13T00:00:00Z");
            assert!(DateTime::from_timestamp_millis(last.timestamp_millis() + 1).is_none());
        }
        assert!(DateTime::from_timestamp(i64::MAX, 0).is_none());
        assert!(DateTime::from_timestamp_millis(i64::MIN).is_none());
    }

    #[test]
    fn what_is_no_date_is_not_read_as_one() {
        for text in [
            "",
            "soon",
            "GMT",
            " GMT",
            "7",
            "2030",
            "2030-10-24",
            "2030-10-24T23:00:23",
            "24 Oct 2030",
            "2030-13-24T23:00:23Z",
            "2030-10-24T23:00:23 (x) Z",
            "2030-10-24T23:00:23 GMT+0900 Z",
        ] {
            assert_eq!((http_date(text), rfc3339(text)), (None, None), "{text}");
        }
    }
}
