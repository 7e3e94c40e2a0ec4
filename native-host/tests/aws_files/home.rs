//! A home folder of its own for one test.

use std::fs;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use rolecall_core::settings::ProfileName;
use rolecall_host::aws_files::{
    Applied, AwsFiles, Error, NewProfile, Operation, Options, Source, StaticCredentials,
};
use tempfile::TempDir;

pub(crate) struct Home {
    pub(crate) dir: TempDir,
}

impl Home {
    /// In memory where the system offers it: a flush to disk per change would be most of a test's time.
    pub(crate) fn new() -> Self {
        let memory = Path::new("/dev/shm");
        let dir = if memory.is_dir() { TempDir::new_in(memory) } else { TempDir::new() };
        Self { dir: dir.unwrap() }
    }

    pub(crate) fn with(config: impl AsRef<[u8]>, credentials: impl AsRef<[u8]>) -> Self {
        let home = Self::new();
        fs::write(home.config(), config).unwrap();
        fs::write(home.credentials(), credentials).unwrap();
        home
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.path().join("config")
    }

    pub(crate) fn credentials(&self) -> PathBuf {
        self.path().join("credentials")
    }

    pub(crate) fn files(&self) -> AwsFiles {
        AwsFiles::at(self.config(), self.credentials())
    }

    pub(crate) fn read_config(&self) -> Option<Vec<u8>> {
        fs::read(self.config()).ok()
    }

    pub(crate) fn read_credentials(&self) -> Option<Vec<u8>> {
        fs::read(self.credentials()).ok()
    }

    pub(crate) fn apply(&self, operation: &Operation) -> Result<Applied, Error> {
        self.files().apply(operation, &Options::default())
    }

    pub(crate) fn force(&self, operation: &Operation) -> Result<Applied, Error> {
        self.files().apply(operation, &Options { force: true, ..Options::default() })
    }

    /// The names of everything in the folder, sorted.
    pub(crate) fn names(&self) -> Vec<String> {
        names(self.path())
    }
}

/// Without lock files on Windows, where they stay: what others have open cannot be deleted there.
pub(crate) fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| cfg!(unix) || !name.ends_with(".rolecall-lock"))
        .collect();
    names.sort();
    names
}

pub(crate) fn name(profile: &str) -> ProfileName {
    profile.parse().unwrap()
}

pub(crate) fn process(profile: &str) -> Operation {
    let command = format!("/usr/bin/rolecall credentials --profile {profile}");
    let settings = [("region", "eu-west-1")];
    Operation::Set(NewProfile::new(name(profile), Source::Process { command }, settings).unwrap())
}

pub(crate) fn file(profile: &str) -> Operation {
    let expires: DateTime<Utc> = "2031-05-17T12:00:00Z".parse().unwrap();
    let credentials = StaticCredentials {
        access_key_id: "ASIAEXAMPLE".to_owned(),
        secret_access_key: "very/Secret+Key".to_owned().into(),
        session_token: "VerySecretToken==".to_owned().into(),
        expires: Some(expires),
    };
    Operation::Set(
        NewProfile::new(name(profile), Source::File(credentials), [("region", "eu-west-1")]).unwrap(),
    )
}

pub(crate) fn remove(profile: &str) -> Operation {
    Operation::Remove(name(profile))
}
