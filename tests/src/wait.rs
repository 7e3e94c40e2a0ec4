//! Waiting by polling: a condition is checked until it holds or the time is up.

use std::fmt::{Debug, Display};
use std::time::Duration;

use anyhow::{Result, bail};
use tokio::time::{Instant, MissedTickBehavior, interval};

/// Waits until `look` finds something, which it returns as `Ok(Some(..))`. `Ok(None)` and errors mean "not yet": a page
/// that is being replaced causes errors. The last error is part of the failure.
pub async fn until<T, F>(what: impl Display, mut look: F) -> Result<T>
where
    F: AsyncFnMut() -> Result<Option<T>>,
{
    let deadline = Instant::now() + TIMEOUT;
    let mut pulse = interval(POLL_INTERVAL);
    pulse.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        pulse.tick().await;
        let last = match look().await {
            Ok(Some(found)) => return Ok(found),
            Ok(None) => None,
            Err(error) => Some(error),
        };
        if Instant::now() < deadline {
            continue;
        }
        match last {
            Some(error) => return Err(error.context(format!("waited {TIMEOUT:?} for {what}"))),
            None => bail!("waited {TIMEOUT:?} for {what}"),
        }
    }
}

/// Waits until `look` sees what `wanted` accepts; the failure contains what it saw last.
pub(crate) async fn until_seen<T, F>(
    what: impl Display,
    mut look: F,
    wanted: impl Fn(&T) -> bool,
) -> Result<T>
where
    T: Debug,
    F: AsyncFnMut() -> Result<T>,
{
    let mut last = None;
    let found = until(what, async || {
        let seen = look().await?;
        if wanted(&seen) {
            return Ok(Some(seen));
        }
        last = Some(seen);
        Ok(None)
    });
    let found = found.await;
    match last {
        Some(last) => found.map_err(|error| error.context(format!("saw last: {last:?}"))),
        None => found,
    }
}

/// The time limit of each wait. It is longer than any limit of the product, and generous on a busy computer: only a failing
/// test uses it up.
pub const TIMEOUT: Duration = Duration::from_mins(1);

/// Not shorter: a browser that is polled without a pause never runs its idle tasks, such as reading policies.
const POLL_INTERVAL: Duration = Duration::from_millis(100);
