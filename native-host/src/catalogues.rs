//! Providers' role catalogues: read for people who want to see roles, and kept for everything else.
//!
//! They are kept in the user's state folder. A server that is slow or down costs a person a moment, and takes nothing away.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, SystemTime};

use chrono::{DateTime, Utc};
use http::StatusCode;
use rolecall_core::Problem;
use rolecall_core::catalogue::{CatalogueError, KeptCatalogue, MAX_AGE, MAX_BYTES};
use rolecall_core::json;
use rolecall_core::map::Map;
use rolecall_core::platform::HttpResponse;
use rolecall_core::settings::{Catalogue, Effective, Endpoint, Provider, ProviderId, Settings};

use crate::{http_client, output, platform};

/// Which catalogues are read again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refresh {
    /// Those that may have changed.
    IfOld,
    /// Every one.
    Always,
}

/// The catalogues of these providers, as they were read last.
pub(crate) fn kept(settings: &Settings) -> Map<ProviderId, Catalogue> {
    let with_catalogue = settings.provider.iter().filter_map(|provider| {
        let (kept, _) = find(&provider.id, provider.catalogue_url.as_ref()?)?;
        Some((provider.id.clone(), kept.read(&provider.id).ok()?))
    });
    with_catalogue.collect()
}

/// Whether each catalogue that the settings name is kept.
pub(crate) fn are_kept(effective: &Effective) -> bool {
    let mut providers = effective.providers().map(|provider| &provider.value);
    providers.all(|provider| match &provider.catalogue_url {
        Some(url) => find(&provider.id, url).is_some(),
        None => true,
    })
}

/// The files in which catalogues are kept.
pub(crate) fn files() -> Option<Vec<PathBuf>> {
    let Ok(folder) = platform::state_home()?.join("rolecall").read_dir() else { return Some(Vec::new()) };
    let is_catalogue = |path: &PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str());
        name.is_some_and(|name| name.starts_with(PREFIX) && name.ends_with(SUFFIX))
    };
    let mut files: Vec<_> =
        folder.filter_map(|entry| Some(entry.ok()?.path())).filter(is_catalogue).collect();
    files.sort();
    Some(files)
}

/// Reads catalogues, all at once, and tells of those that cannot be read.
pub(crate) fn refresh(settings: &Settings, which: Refresh) {
    thread::scope(|scope| {
        for provider in &settings.provider {
            if let Some(url) = &provider.catalogue_url {
                scope.spawn(move || refresh_one(provider, url, which));
            }
        }
    });
}

/// Deletes the catalogues that no provider names any more. One of them would be old for ever, and its accounts are nobody's business.
pub(crate) fn delete_unused(settings: &Settings) {
    let with_catalogue = settings.provider.iter().filter(|provider| provider.catalogue_url.is_some());
    let used: Vec<_> = with_catalogue.filter_map(|provider| path(&provider.id)).collect();
    for path in files().unwrap_or_default().iter().filter(|path| !used.contains(path)) {
        if let Err(error) = fs::remove_file(path) {
            tracing::warn!(%error, path = %path.display(), "the unused role catalogue is not deleted");
        }
    }
}

fn refresh_one(provider: &Provider, url: &Endpoint, which: Refresh) {
    let kept = find(&provider.id, url);
    let is_current = kept.as_ref().is_some_and(|(_, at)| (Utc::now() - at).abs() < MAX_AGE);
    if is_current && which == Refresh::IfOld {
        return;
    }
    // Whoever has roles already does not wait for long to see whether there are others.
    let timeout = if kept.is_some() && which == Refresh::IfOld { SHORT } else { LONG };
    match fetch(provider, url, kept.as_ref(), timeout) {
        Ok(new) => {
            if let Err(error) = keep(&provider.id, new.as_ref()) {
                tracing::warn!(%error, provider = %provider.id, "the role catalogue is not kept");
            }
        }
        Err(problem) => output::warn(problem),
    }
}

/// Reads a provider's catalogue, and says how many roles it has; nothing if the provider has none.
pub(crate) fn check(provider: &Provider) -> Option<Result<usize, Problem>> {
    let url = provider.catalogue_url.as_ref()?;
    let kept = find(&provider.id, url);
    let new = fetch(provider, url, kept.as_ref(), LONG);
    let current = new.map(|new| new.or(kept.map(|(kept, _)| kept)));
    let count = |current: Option<KeptCatalogue>| {
        let catalogue = current.and_then(|kept| kept.read(&provider.id).ok());
        catalogue.map_or(0, |catalogue| catalogue.reading.settings.role.len())
    };
    Some(current.map(count))
}

/// Reads a catalogue; nothing if the one that is kept is current.
fn fetch(
    provider: &Provider,
    url: &Endpoint,
    kept: Option<&(KeptCatalogue, DateTime<Utc>)>,
    timeout: Duration,
) -> Result<Option<KeptCatalogue>, Problem> {
    let etag = kept.and_then(|(kept, _)| kept.etag.as_deref());
    let read_at = kept.map(|(_, read_at)| *read_at);
    fetch_if_changed(provider, url, etag, timeout).map_err(|error| error.problem(provider, read_at))
}

fn fetch_if_changed(
    provider: &Provider,
    url: &Endpoint,
    etag: Option<&str>,
    timeout: Duration,
) -> Result<Option<KeptCatalogue>, CatalogueError> {
    let (parts, body) = http_client::document(url, etag, timeout, MAX_BYTES)?.into_parts();
    if parts.status == StatusCode::NOT_MODIFIED && etag.is_some() {
        return Ok(None);
    }
    let headers = parts.headers.iter().map(|(name, value)| (name.to_string(), http_client::text(value)));
    let response =
        HttpResponse { headers: headers.collect(), ..HttpResponse::new(parts.status.as_u16(), body) };
    let kept = KeptCatalogue::of_response(url, &response)?;
    kept.read(&provider.id)?;
    Ok(Some(kept))
}

/// The catalogue that is kept, and when it was last known to be current.
fn find(provider: &ProviderId, url: &Endpoint) -> Option<(KeptCatalogue, DateTime<Utc>)> {
    let file = platform::open_private_file(&path(provider)?).ok()?;
    let read_at = file.metadata().ok()?.modified().ok()?.into();
    // Quotation marks are longer in a string, and there are many in a catalogue.
    let limit = u64::try_from(MAX_BYTES).unwrap_or(u64::MAX).saturating_mul(2);
    let kept: KeptCatalogue = json::from_str(&io::read_to_string(file.take(limit)).ok()?).ok()?;
    (kept.url == *url).then_some((kept, read_at))
}

/// Keeps a new catalogue, or remembers that the one that is kept is current.
fn keep(provider: &ProviderId, new: Option<&KeptCatalogue>) -> io::Result<()> {
    let path = path(provider).ok_or(io::ErrorKind::NotFound)?;
    let Some(new) = new else {
        return File::options().append(true).open(path)?.set_modified(SystemTime::now());
    };
    let folder = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
    platform::make_private_folder(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(json::to_string(new).as_bytes())?;
    file.persist(path)?;
    Ok(())
}

fn path(provider: &ProviderId) -> Option<PathBuf> {
    Some(platform::state_home()?.join("rolecall").join(format!("{PREFIX}{provider}{SUFFIX}")))
}

/// What a file's name starts and ends with, around the provider's id.
const PREFIX: &str = "catalogue-";
const SUFFIX: &str = ".json";

/// How long a server may take when there are roles already.
const SHORT: Duration = Duration::from_secs(3);

/// How long it may take otherwise.
const LONG: Duration = Duration::from_secs(20);
