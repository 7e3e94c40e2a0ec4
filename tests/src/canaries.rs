//! Canaries: a search for the secrets of a scene's sandbox in files, in what is known of processes, and in pages.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::Result;
use rolecall_sandbox::SecretKind;

use crate::folder::processes_of;

/// A search for secrets. Each is found by parts of it that no encoding changes: letters and digits, as UTF-8 or
/// UTF-16.
#[derive(Debug)]
pub struct Canaries {
    needles: Vec<(SecretKind, Vec<u8>)>,
    /// Which pairs of bytes some needle starts with, since most bytes of a browser's profile are nothing like it.
    starts: Vec<bool>,
}

/// The secrets that were found, by place.
pub type Found = BTreeMap<PathBuf, BTreeSet<SecretKind>>;

impl Canaries {
    /// A search for these secrets.
    #[must_use]
    pub fn new(secrets: &[(SecretKind, String)]) -> Self {
        let mut needles = Vec::new();
        for (kind, secret) in secrets {
            for part in parts(secret) {
                let utf16: Vec<u8> = part.encode_utf16().flat_map(u16::to_le_bytes).collect();
                needles.push((*kind, part.as_bytes().to_vec()));
                needles.push((*kind, utf16));
            }
        }
        let mut starts = vec![false; 1 << 16];
        for (_, needle) in &needles {
            starts[pair(needle[0], needle[1])] = true;
        }
        Self { needles, starts }
    }

    /// The kinds of the secrets in `bytes`.
    #[must_use]
    pub fn within(&self, bytes: &[u8]) -> BTreeSet<SecretKind> {
        let mut found = BTreeSet::new();
        for (at, start) in bytes.windows(2).enumerate() {
            if self.starts[pair(start[0], start[1])] {
                let here = self.needles.iter().filter(|(_, needle)| bytes[at..].starts_with(needle));
                found.extend(here.map(|(kind, _)| *kind));
            }
        }
        found
    }

    /// The files below `folder` that contain a secret, by their path in it.
    pub fn files(&self, folder: &Path) -> Result<Found> {
        let mut found = Found::new();
        let mut folders = vec![folder.to_owned()];
        while let Some(next) = folders.pop() {
            // A running browser removes files and folders at any time.
            let Ok(entries) = fs::read_dir(&next) else { continue };
            for entry in entries.flatten() {
                let Ok(kind) = entry.file_type() else { continue };
                if kind.is_dir() {
                    folders.push(entry.path());
                } else if kind.is_file()
                    && let Ok(bytes) = fs::read(entry.path())
                {
                    add(&mut found, entry.path().strip_prefix(folder)?.to_owned(), self.within(&bytes));
                }
            }
        }
        Ok(found)
    }

    /// The programs that had a secret in their command line or environment while they were watched.
    #[must_use]
    pub fn processes(&self, watch: &Watch) -> Found {
        let mut found = Found::new();
        for (program, bytes) in &*lock(&watch.seen) {
            add(&mut found, program.clone(), self.within(bytes));
        }
        found
    }
}

fn add(found: &mut Found, place: PathBuf, kinds: BTreeSet<SecretKind>) {
    if !kinds.is_empty() {
        found.entry(place).or_default().extend(kinds);
    }
}

/// The parts of a secret that look the same in a URL, a form, JSON and XML. A JWT's header is no secret.
fn parts(secret: &str) -> Vec<&str> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let mut runs: Vec<&str> = secret.split(|c| !is_plain(c)).filter(|run| run.len() >= SHORTEST).collect();
    if secret.starts_with("eyJ") && !runs.is_empty() {
        runs.remove(0);
    }
    runs.sort_by_key(|run| std::cmp::Reverse(run.len()));
    runs.truncate(PARTS);
    // The beginning of a token's payload is the same in all of them.
    runs.into_iter().map(|run| &run[run.len().saturating_sub(LONGEST)..]).collect()
}

fn pair(first: u8, second: u8) -> usize {
    usize::from(u16::from_be_bytes([first, second]))
}

/// Programs, each with a command line or environment.
type Seen = BTreeSet<(PathBuf, Vec<u8>)>;

/// Notes the command lines and environments of a scene's processes until it is dropped.
#[derive(Debug)]
pub struct Watch {
    seen: Arc<Mutex<Seen>>,
    _stop: Sender<()>,
}

impl Watch {
    pub(crate) fn start(folder: PathBuf) -> Self {
        let (stop, stopped) = mpsc::channel();
        let seen = Arc::new(Mutex::new(Seen::new()));
        let noted = Arc::clone(&seen);
        thread::spawn(move || {
            while stopped.recv_timeout(PULSE) == Err(RecvTimeoutError::Timeout) {
                for process in processes_of(&folder) {
                    let process = PathBuf::from(format!("/proc/{}", process.as_raw_nonzero()));
                    let Ok(program) = fs::read_link(process.join("exe")) else { continue };
                    for file in ["cmdline", "environ"] {
                        let bytes = fs::read(process.join(file)).unwrap_or_default();
                        lock(&noted).insert((program.clone(), bytes));
                    }
                }
            }
        });
        Self { seen, _stop: stop }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Random text of this length is the same nowhere else.
const SHORTEST: usize = 8;
const LONGEST: usize = 24;
/// As many parts of a long secret are enough to notice a copy that was cut.
const PARTS: usize = 3;
const PULSE: Duration = Duration::from_millis(20);

#[cfg(test)]
mod unit_tests {
    use super::*;

    fn search() -> Canaries {
        Canaries::new(&[
            (SecretKind::SecretAccessKey, "abcd/EFGHijklMNOP+qrstUVWX0123456789yzAB".to_owned()),
            (
                SecretKind::IdToken,
                "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJlLW9mLWl0".to_owned(),
            ),
        ])
    }

    #[test]
    fn a_secret_is_found_in_every_encoding() {
        let secret = "abcd/EFGHijklMNOP+qrstUVWX0123456789yzAB";
        let utf16: Vec<u8> = format!("key={secret}").encode_utf16().flat_map(u16::to_le_bytes).collect();
        let in_url = format!("?key={}", secret.replace('/', "%2F").replace('+', "%2B"));
        let in_json = format!("{{\"key\":\"{}\"}}", secret.replace('/', "\\/"));
        for bytes in [secret.as_bytes(), in_url.as_bytes(), in_json.as_bytes(), &utf16] {
            assert_eq!(search().within(bytes), BTreeSet::from([SecretKind::SecretAccessKey]));
        }
    }

    #[test]
    fn a_part_of_a_token_is_found_and_its_header_alone_is_no_secret() {
        assert_eq!(search().within(b"...c2lnbmF0dXJlLW9mLWl0"), BTreeSet::from([SecretKind::IdToken]));
        assert!(search().within(b"eyJhbGciOiJSUzI1NiJ9.").is_empty());
    }
}
