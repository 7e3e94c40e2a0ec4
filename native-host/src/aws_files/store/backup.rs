//! The version before a day's first change, beside the file: `config.rolecall-backup-2031-05-17`.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use chrono::{DateTime, Utc};

use super::super::error::Error;
use super::replace::{Staged, flush_folder};
use super::{Place, folder, read};

/// Saves `bytes`, the contents of `target`, unless there is a backup of today. `always` makes another, numbered one,
/// for changes to what Rolecall did not write. Returns the path of the new backup.
pub(super) fn make(place: Place<'_>, bytes: &[u8], always: bool) -> Result<Option<PathBuf>, Error> {
    let Place { path, target, .. } = place;
    let today = DateTime::<Utc>::from(SystemTime::now()).date_naive();
    let mut number = 1_u32;
    let backup = loop {
        let mut name = prefix(target);
        name.push(today.to_string());
        if number > 1 {
            name.push(format!(".{number}"));
        }
        let candidate = folder(target).join(name);
        if !candidate.is_symlink() && !candidate.exists() {
            break candidate;
        }
        if !always {
            return Ok(None);
        }
        if read(&candidate).is_ok_and(|kept| kept.bytes() == Some(bytes)) {
            return Ok(Some(candidate));
        }
        number += 1;
    };
    Staged::new(place, Some(bytes))?.commit_new(&backup)?;
    flush_folder(path, target)?;
    prune(target);
    Ok(Some(backup))
}

/// Removes all but the newest backups.
fn prune(target: &Path) {
    let (prefix, Ok(entries)) = (prefix(target), fs::read_dir(folder(target))) else { return };
    let mut backups: Vec<_> = entries
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let dated = name.strip_prefix(prefix.to_str()?)?;
            let (date, number) = dated.split_once('.').unwrap_or((dated, "1"));
            Some((date.parse::<chrono::NaiveDate>().ok()?, number.parse::<u32>().ok()?, entry.path()))
        })
        .collect();
    backups.sort();
    let surplus = backups.len().saturating_sub(KEPT);
    for (_, _, old) in backups.iter().take(surplus) {
        let _ = fs::remove_file(old);
    }
}

fn prefix(target: &Path) -> OsString {
    let mut prefix = target.file_name().unwrap_or_default().to_owned();
    prefix.push(".rolecall-backup-");
    prefix
}

const KEPT: usize = 7;
