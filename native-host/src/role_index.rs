//! The roles of the settings as a list that can be read at once.
//!
//! An organisation may have ten thousand roles, and parsing their settings takes longer than a person who has pressed Tab
//! notices. So the list is kept in the user's state folder, together with what tells the files apart that it was made of. It
//! counts as long as none of them has changed, and is only a faster way to the same list.

use std::fmt::Write as _;
use std::fs::{self, Metadata};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rolecall_core::catalogue::MAX_AGE;
use rolecall_core::settings::Effective;

use crate::catalogues::Refresh;
use crate::roles::KnownRole;
use crate::{catalogues, platform, settings_files};

/// The files that the list of roles is made of, as they are now.
#[derive(Debug)]
pub(crate) struct Sources {
    /// Changes with each of them.
    stamp: String,
    /// When the last one changed.
    changed_at: Option<SystemTime>,
    /// Whether a catalogue may have changed at its server.
    is_old: bool,
}

impl Sources {
    /// Looks at the files, without reading them.
    pub(crate) fn look() -> Option<Self> {
        let mut sources = Self { stamp: format!("{VERSION}\n"), changed_at: None, is_old: false };
        for path in settings_files::paths() {
            sources.add(&path, fs::metadata(&path).ok().as_ref());
        }
        let now = SystemTime::now();
        for path in catalogues::files()? {
            let metadata = fs::metadata(&path).ok();
            let read_at = metadata.as_ref().and_then(|metadata| metadata.modified().ok());
            let age = read_at.and_then(|read_at| now.duration_since(read_at).ok());
            sources.is_old |= age.is_none_or(|age| MAX_AGE.to_std().is_ok_and(|limit| age >= limit));
            sources.add(&path, metadata.as_ref());
        }
        Some(sources)
    }

    fn add(&mut self, path: &Path, metadata: Option<&Metadata>) {
        let identity = metadata.map(platform::file_identity);
        // Writing to a string cannot fail.
        let _ = writeln!(self.stamp, "{:?} {identity:?}", path.display().to_string());
        self.changed_at = self.changed_at.max(metadata.and_then(|metadata| metadata.modified().ok()));
    }
}

/// The list, if it is of these files, and no catalogue has to be read first.
pub(crate) fn kept(sources: &Sources, refresh: Option<Refresh>) -> Option<Vec<KnownRole>> {
    if refresh == Some(Refresh::Always) || (refresh.is_some() && sources.is_old) {
        return None;
    }
    let file = platform::open_private_file(&path()?).ok()?;
    let text = io::read_to_string(file.take(MAX_BYTES)).ok()?;
    text.strip_prefix(&sources.stamp)?.lines().map(known).collect()
}

/// Keeps the list of these settings, which were read after `sources` was. Settings with problems are not kept: they are told each
/// time.
pub(crate) fn keep(sources: &Sources, effective: &Effective) {
    let is_sound = effective.problems.is_empty() && effective.left_out().next().is_none();
    if effective.roles().len() < MIN_ROLES || !is_sound || !catalogues::are_kept(effective) {
        return;
    }
    // A file that changes twice within its clock's resolution looks the same.
    let is_settled = sources
        .changed_at
        .and_then(|changed_at| SystemTime::now().duration_since(changed_at).ok())
        .is_some_and(|age| age >= SETTLED);
    if !is_settled {
        return;
    }
    let mut text = sources.stamp.clone();
    for role in effective.roles().map(|role| &role.value) {
        let account = effective.account_label(role.arn.account());
        let profile = effective.profile_name(role);
        let environment = effective.environment(role).unwrap_or_default();
        let about = effective.about(role);
        let fields =
            [role.provider.as_str(), role.arn.as_str(), profile.as_str(), account, environment, &about];
        // No field has a control character, but a list must be read as it was written.
        if fields.iter().any(|field| field.contains(char::is_control)) {
            return;
        }
        for field in fields {
            text.push_str(field);
            text.push(SEPARATOR);
        }
        text.push('\n');
    }
    if let Err(error) = write(&text) {
        tracing::warn!(%error, "the list of roles is not kept");
    }
}

fn known(line: &str) -> Option<KnownRole> {
    let mut fields = line.split(SEPARATOR);
    let mut field = || fields.next();
    Some(KnownRole {
        provider: field()?.parse().ok()?,
        arn: field()?.parse().ok()?,
        profile: field()?.parse().ok()?,
        account: field()?.to_owned(),
        environment: field()?.to_owned(),
        about: field()?.to_owned(),
        expiration: None,
    })
}

fn write(text: &str) -> io::Result<()> {
    let path = path().ok_or(io::ErrorKind::NotFound)?;
    let folder = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
    platform::make_private_folder(folder)?;
    // For its owner alone from the start.
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.persist(path)?;
    Ok(())
}

fn path() -> Option<PathBuf> {
    Some(platform::state_home()?.join("rolecall").join("roles.index"))
}

/// Another program may put the list together in another way.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Between the fields of a role.
const SEPARATOR: char = '\t';

/// Below this, reading the settings takes no time.
const MIN_ROLES: usize = 200;

/// How long files must have been left alone.
const SETTLED: Duration = Duration::from_secs(2);

/// How long the list may be, in bytes.
const MAX_BYTES: u64 = 64 * 1024 * 1024;
