//! How long to ask for. STS does not tell a role's maximum, so it is found by asking for less each time.

use crate::settings::Duration;

/// The durations to try in turn.
///
/// Starts with what the role accepted before, else with what the settings ask for, else with the longest that any
/// role allows; then falls back to what every role allows.
#[must_use]
pub fn durations(wanted: Option<Duration>, accepted: Option<Duration>) -> Vec<Duration> {
    let wanted = wanted.unwrap_or(Duration::MAX);
    let first = accepted.map_or(wanted, |accepted| accepted.min(wanted));
    let fallback = [Duration::DEFAULT, Duration::MIN].into_iter().filter(|duration| *duration < first);
    std::iter::once(first).chain(fallback).collect()
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    fn seconds(wanted: Option<u32>, accepted: Option<u32>) -> Vec<u32> {
        let duration = |seconds: u32| Duration::try_from(seconds).unwrap();
        durations(wanted.map(duration), accepted.map(duration)).into_iter().map(Duration::seconds).collect()
    }

    #[test]
    fn the_longest_is_tried_first_and_what_was_accepted_is_remembered() {
        assert_eq!(seconds(None, None), [43_200, 3_600, 900]);
        assert_eq!(seconds(None, Some(3_600)), [3_600, 900]);
        assert_eq!(seconds(Some(7_200), None), [7_200, 3_600, 900]);
        assert_eq!(seconds(Some(1_800), Some(43_200)), [1_800, 900]);
        assert_eq!(seconds(Some(900), None), [900]);
    }
}
