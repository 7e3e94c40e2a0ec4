//! Waiting for what takes a moment: a condition is asked again and again until it holds or patience ends.

use std::fmt::{Debug, Display};
use std::time::Duration;

use anyhow::{Result, bail};
use tokio::time::{Instant, MissedTickBehavior, interval};

/// Waits until `look` finds something, which it says by `Ok(Some(..))`. `Ok(None)` and errors mean "not yet": a page
/// that is being replaced answers with errors. What was seen last is part of the failure.
pub async fn until<T, F>(what: impl Display, mut look: F) -> Result<T>
where
    F: AsyncFnMut() -> Result<Option<T>>,
{
    let deadline = Instant::now() + PATIENCE;
    let mut pulse = interval(PULSE);
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
            Some(error) => return Err(error.context(format!("waited {PATIENCE:?} in vain for {what}"))),
            None => bail!("waited {PATIENCE:?} in vain for {what}"),
        }
    }
}

/// Waits until `look` sees what `wanted` accepts; what it saw last is told when that does not happen.
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

/// How long anything in a test may take. Generous: it is spent only by a test that fails.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Not shorter: a browser that is asked without a pause never gets to what it does when idle, reading policies among it.
const PULSE: Duration = Duration::from_millis(100);
