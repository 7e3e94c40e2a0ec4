//! How long to wait before a refused request is sent again, as the AWS SDKs do it: a few tries, each after a longer wait,
//! and never all clients at once.

use std::time::Duration;

/// The waits before each further try. `random` is any byte for each of them.
///
/// In all about 2 s, so that whoever waits for a tool's credentials still gets an answer: AWS SDKs, "Retry behavior", have
/// three tries too.
#[must_use]
pub fn delays(random: [u8; 2]) -> [Duration; 2] {
    let jittered = |milliseconds: u64, random: u8| {
        let half = milliseconds / 2;
        Duration::from_millis(half + milliseconds * u64::from(random) / u64::from(u8::MAX))
    };
    [jittered(FIRST_MILLISECONDS, random[0]), jittered(SECOND_MILLISECONDS, random[1])]
}

const FIRST_MILLISECONDS: u64 = 500;
const SECOND_MILLISECONDS: u64 = 1_500;

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn each_wait_is_longer_than_the_one_before_and_none_is_the_same_for_everybody() {
        let milliseconds = |random| delays(random).map(|delay| delay.as_millis());
        assert_eq!(milliseconds([0, 0]), [250, 750]);
        assert_eq!(milliseconds([255, 255]), [750, 2_250]);
        assert!(milliseconds([100, 100]) != milliseconds([101, 101]));
    }
}
