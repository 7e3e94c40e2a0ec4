//! Small files that are replaced in one step.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use crate::platform;

/// Replaces a file in one step, creating its folder. `Ok(false)` if it is up to date.
pub(crate) fn write(path: &Path, text: &str) -> io::Result<bool> {
    if fs::read_to_string(path).is_ok_and(|old| old == text) {
        return Ok(false);
    }
    // A link means that the file is kept elsewhere: its target is replaced.
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let folder = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
    fs::create_dir_all(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(text.as_bytes())?;
    match fs::metadata(&path) {
        Ok(old) => fs::set_permissions(file.path(), old.permissions())?,
        Err(_) => platform::make_readable(file.path())?,
    }
    file.as_file().sync_all()?;
    file.persist(&path)?;
    Ok(true)
}
