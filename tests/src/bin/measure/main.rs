//! The measurements of `cargo xtask bench` with a real browser and real processes: the built product, used from
//! outside, with the sandbox. Each measurement is printed as a line of JSON, with its limit. An argument names the one
//! group of them to take.

mod many_roles;
mod popup;
mod waking;

use std::time::Duration;

use anyhow::{Result, bail};
use rolecall_tests::Kind;
use serde_json::json;

#[tokio::main]
async fn main() -> Result<()> {
    let only = std::env::args().nth(1);
    if let Some(only) = only.as_deref().filter(|only| !GROUPS.contains(only)) {
        bail!("there is no group {only}");
    }
    let is_wanted = |group| only.as_ref().is_none_or(|only| only == group);
    for kind in Kind::wanted() {
        if is_wanted(MANY_ROLES) {
            many_roles::through_browser(kind).await?;
        }
        if is_wanted(WAKING) {
            waking::measure(kind).await?;
        }
        if is_wanted(POPUP) {
            popup::measure(kind).await?;
        }
    }
    if is_wanted(MANY_ROLES) {
        many_roles::by_loopback().await?;
    }
    Ok(())
}

const MANY_ROLES: &str = "many-roles";
const WAKING: &str = "waking";
const POPUP: &str = "popup";
const GROUPS: [&str; 3] = [MANY_ROLES, WAKING, POPUP];

/// Prints a time, its limit, and a remark.
fn report(name: &str, time: Duration, limit: Duration, aside: &str) {
    print(name, micros(time), micros(limit), "µs", aside);
}

fn print(name: &str, value: u64, limit: u64, unit: &str, aside: &str) {
    println!("{}", json!({ "name": name, "value": value, "limit": limit, "unit": unit, "aside": aside }));
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort();
    times.get(times.len() / 2).copied().unwrap_or_default()
}
