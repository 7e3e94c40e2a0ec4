//! What `cargo xtask bench` measures through a real browser and real processes: the built product, seen from outside, on
//! the sandbox. Each measure is printed as a line of JSON, beside the most it may be.

mod many_roles;
mod waking;

use std::time::Duration;

use anyhow::Result;
use rolecall_tests::Kind;
use serde_json::json;

#[tokio::main]
async fn main() -> Result<()> {
    for kind in Kind::wanted() {
        many_roles::through_browser(kind).await?;
        waking::measure(kind).await?;
    }
    many_roles::by_loopback().await
}

/// Prints a time, the most it may be, and what else is worth knowing.
fn report(name: &str, time: Duration, limit: Duration, aside: &str) {
    let measure = json!({
        "name": name,
        "value": micros(time),
        "limit": micros(limit),
        "unit": "µs",
        "aside": aside,
    });
    println!("{measure}");
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort();
    times.get(times.len() / 2).copied().unwrap_or_default()
}
