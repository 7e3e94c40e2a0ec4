//! Dates as others write them.
//!
//! Natively `chrono` reads them. In a browser the browser does: `chrono`'s parser reads every form that there is.

use chrono::{DateTime, Utc};

/// A date of HTTP, such as `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110 section 5.6.7).
pub(crate) fn http_date(text: &str) -> Option<DateTime<Utc>> {
    text.ends_with(" GMT").then(|| reader::http_date(text)).flatten()
}

/// A date of RFC 3339, such as `1994-11-06T08:49:37.5Z`.
pub(crate) fn rfc3339(text: &str) -> Option<DateTime<Utc>> {
    // What every form of it has in its place.
    let has = |at: usize, mark: u8| text.as_bytes().get(at) == Some(&mark);
    let is_whole = has(4, b'-') && has(7, b'-') && has(10, b'T') && has(13, b':') && has(16, b':');
    let has_offset = text.ends_with('Z') || text.get(19..).is_some_and(|rest| rest.contains(['+', '-']));
    // Browsers read names of zones and comments as well.
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit() || b"-T:.+Z".contains(&byte));
    (is_whole && has_offset && is_plain).then(|| reader::rfc3339(text)).flatten()
}

/// A time as AWS's signatures have it, such as `19941106T084937Z`.
pub(crate) fn compact(time: DateTime<Utc>) -> String {
    let text = reader::to_rfc3339(time);
    let whole = text.split('.').next().unwrap_or_default().bytes();
    let plain = whole.filter(|byte| byte.is_ascii_digit() || *byte == b'T').map(char::from);
    plain.chain(['Z']).collect()
}

#[cfg(not(target_arch = "wasm32"))]
mod reader {
    use chrono::{DateTime, Utc};

    pub(super) fn http_date(text: &str) -> Option<DateTime<Utc>> {
        DateTime::parse_from_rfc2822(text).ok().map(|date| date.to_utc())
    }

    pub(super) fn to_rfc3339(time: DateTime<Utc>) -> String {
        time.to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
    }

    pub(super) fn rfc3339(text: &str) -> Option<DateTime<Utc>> {
        DateTime::parse_from_rfc3339(text).ok().map(|date| date.to_utc())
    }
}

#[cfg(target_arch = "wasm32")]
mod reader {
    use chrono::{DateTime, Utc};

    pub(super) fn to_rfc3339(time: DateTime<Utc>) -> String {
        // Milliseconds since the epoch fit into a number for 285,000 years.
        #[expect(clippy::cast_precision_loss, clippy::as_conversions, reason = "see above")]
        let milliseconds = time.timestamp_millis() as f64;
        js_sys::Date::new(&milliseconds.into()).to_iso_string().into()
    }

    pub(super) fn http_date(text: &str) -> Option<DateTime<Utc>> {
        date(text)
    }

    pub(super) fn rfc3339(text: &str) -> Option<DateTime<Utc>> {
        date(text)
    }

    /// ECMAScript has both forms in its standard ("Date Time String Format" and `Date.prototype.toUTCString`).
    fn date(text: &str) -> Option<DateTime<Utc>> {
        let milliseconds = js_sys::Date::parse(text);
        // A date is within 8,640,000,000,000,000 ms of 1970; no date is no number.
        #[expect(clippy::cast_possible_truncation, clippy::as_conversions, reason = "see above")]
        let whole = (!milliseconds.is_nan()).then_some(milliseconds as i64)?;
        DateTime::from_timestamp_millis(whole)
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
            assert_eq!(http_date(http).map(|date| date.timestamp()), Some(seconds), "{http}");
            assert_eq!(rfc3339(rfc3339_text).map(|date| date.timestamp()), Some(seconds), "{rfc3339_text}");
        }
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
