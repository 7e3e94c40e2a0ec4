//! `cargo xtask bench`: what the project promises to keep small, measured against its limits.

use std::io::Write;

use anyhow::{Result, bail};
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::extension::Browser;
use crate::{build, repo};

/// One measured value and the most it may be.
struct Measure {
    name: String,
    value: u64,
    limit: u64,
    unit: &'static str,
    /// What else is worth knowing about it.
    aside: String,
}

/// Runs the word.
pub(crate) fn run() -> Result<()> {
    build::extension(&Browser::ALL)?;
    let measures = module_sizes()?;
    for measure in &measures {
        println!("{}", line(measure));
    }
    let over = measures.iter().filter(|measure| measure.value > measure.limit).count();
    if over > 0 {
        bail!("{over} of {} measures are over their limits", measures.len());
    }
    Ok(())
}

fn module_sizes() -> Result<Vec<Measure>> {
    let measure = |module: &&str| {
        let bytes = repo::read(&build::modules().join(format!("{module}_bg.wasm")))?;
        let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
        gzip.write_all(&bytes)?;
        Ok(Measure {
            name: format!("size of {module}"),
            value: u64::try_from(bytes.len())?,
            limit: MODULE_LIMIT,
            unit: "bytes",
            aside: format!("{} gzipped", gzip.finish()?.len()),
        })
    };
    build::MODULES.iter().map(measure).collect()
}

fn line(measure: &Measure) -> String {
    let Measure { name, value, limit, unit, aside } = measure;
    let percent = value.saturating_mul(100).div_ceil(*limit);
    let verdict = if value > limit { "OVER" } else { "ok" };
    format!("{verdict:<4} {name}: {value} {unit} of {limit} ({percent} %), {aside}")
}

/// A module is read and compiled each time the background wakes up.
const MODULE_LIMIT: u64 = 1_500_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_over_its_limit_is_called_out() {
        let measure = |value| Measure {
            name: "size".into(),
            value,
            limit: 10,
            unit: "bytes",
            aside: "3 gzipped".into(),
        };
        assert_eq!(line(&measure(10)), "ok   size: 10 bytes of 10 (100 %), 3 gzipped");
        assert_eq!(line(&measure(11)), "OVER size: 11 bytes of 10 (110 %), 3 gzipped");
    }
}
