//! What the background does with the settings of a large organisation, optimised like the background and run in a
//! browser's worker: `core/benches/settings.rs`.

use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::{Measure, micros};
use crate::extension::Browser;
use crate::step::{self, Step};
use crate::tools::wasm_target;
use crate::{repo, test};

/// Measures it in one browser.
pub(super) fn measure(browser: Browser) -> Result<[Measure; 4]> {
    let mut cargo = wasm_target::ready()?.cargo("bench");
    test::in_browser(browser, &mut cargo)?;
    cargo.args(["--profile", "wasm", "--package", "rolecall-core", "--bench", "settings"]);
    // Otherwise it is kept beside the crate.
    let kept = repo::target("bench/settings.json");
    repo::create_parent(&kept)?;
    cargo.env("WASM_BINDGEN_BENCH_RESULT", kept);
    let name = format!("measure the settings in {}", browser.name());
    let step = Step::start(&name);
    let finished = step::observed(&name, &mut cargo)?;
    if !finished.success {
        bail!("{}", finished.explain(&name));
    }
    step.ok("");
    let time = |of| time(&finished.output, of).with_context(|| format!("the output has no {of:?}"));
    let few = time("look up in few")?;
    let measure = |name, value, limit, aside| Measure {
        name: format!("{}: {name}", browser.name()),
        value: micros(value),
        limit: micros(limit),
        unit: "µs".into(),
        aside,
    };
    Ok([
        measure(
            "settings of 10000 roles in 1000 accounts combined",
            time("recompute")?,
            RECOMPUTE_LIMIT,
            "optimised like the background".into(),
        ),
        measure(
            "1000 of 10000 roles looked up",
            time("look up in many")?,
            few * LOOK_UP_RATIO,
            format!("1000 times of 100 roles: {} µs; the limit is {LOOK_UP_RATIO} times that", micros(few)),
        ),
        measure(
            "catalogue of 10000 roles read and combined",
            time("read a catalogue")?,
            CATALOGUE_LIMIT,
            "optimised like the background".into(),
        ),
        measure(
            "the same catalogue recognised",
            time("compare a catalogue")?,
            UNCHANGED_LIMIT,
            String::new(),
        ),
    ])
}

/// Finds "NAME   time:   [1.0 ms 2.0 ms 3.0 ms]", in which the second time is the best estimate.
fn time(output: &str, name: &str) -> Option<Duration> {
    let line = output.lines().map(plain).find(|line| line.starts_with(name) && line.contains(" time: "))?;
    let (_, times) = line.split_once('[')?;
    let mut words = times.split_whitespace().skip(2);
    let number: f64 = words.next()?.parse().ok()?;
    let seconds = match words.next()? {
        "ns" => 1e-9,
        "µs" => 1e-6,
        "ms" => 1e-3,
        "s" => 1.0,
        _ => return None,
    };
    Duration::try_from_secs_f64(number * seconds).ok()
}

/// A line without colour codes.
fn plain(line: &str) -> String {
    let mut parts = line.split("\x1b[");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + part.split_once('m').map_or("", |(_, rest)| rest))
}

const RECOMPUTE_LIMIT: Duration = Duration::from_millis(50);

const CATALOGUE_LIMIT: Duration = Duration::from_millis(300);

const UNCHANGED_LIMIT: Duration = Duration::from_millis(10);

/// A hundred times as many roles may cost this much more: longer keys are compared, and fewer are in the processor's
/// cache.
const LOOK_UP_RATIO: u32 = 3;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_estimate_is_read_in_its_unit() {
        let output = "Warming up for 3.0000 s\n\
            \x1b[32mrecompute\x1b[0m               time:   [\x1b[2m8.1000 ms\x1b[0m \x1b[1m8.2500 ms\x1b[0m \x1b[2m8.4000 ms\x1b[0m]\n\
            look up in few          time:   [71.000 µs 72.000 µs 73.000 µs]\n";
        assert_eq!(time(output, "recompute"), Some(Duration::from_micros(8_250)));
        assert_eq!(time(output, "look up in few"), Some(Duration::from_micros(72)));
        assert_eq!(time(output, "look up in many"), None);
    }
}
