//! What the files contain: Rolecall's profiles, and the sections of one profile.

use std::path::PathBuf;

use rolecall_core::settings::ProfileName;

use super::document::Document;
use super::error::{Error, Finding};
use super::files::{AwsFiles, Which};
use super::names;
use super::plan::Note;
use super::planner::View;
use super::profile::decides_credentials;
use super::secret;
use super::section::Found;
use super::store;

/// Where a profile's credentials come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// A command in the config file.
    Process,
    /// Keys in the credentials file.
    File,
}

/// A profile that Rolecall wrote.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct ManagedProfile {
    /// Its name.
    pub name: ProfileName,
    /// Its source of credentials.
    pub mode: Mode,
    /// The file that contains it.
    pub file: PathBuf,
    /// The line of its header, counted from one.
    pub line: usize,
    /// Its keys and values that hold no secret, in the file's order (`credential_process`, `region`, …).
    pub settings: Vec<(String, String)>,
    /// `x_security_token_expires` as written, in file mode.
    pub expires: Option<String>,
}

/// Who wrote a section.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Owner {
    /// Rolecall.
    Rolecall,
    /// Someone else.
    Other,
}

/// One section that some reader takes for the profile.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct SectionReport {
    /// The file.
    pub file: PathBuf,
    /// The line of the header, counted from one.
    pub line: usize,
    /// Who wrote it.
    pub owner: Owner,
    /// Its keys, in the file's order.
    pub keys: Vec<String>,
}

/// What the files contain for one profile name.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Inspection {
    /// The sections, config file first; none if there is no such profile.
    pub sections: Vec<SectionReport>,
    /// Keys that Rolecall did not write and that decide the credentials in its place, or would: such as static keys,
    /// which take precedence over `credential_process`. A forced `Set` replaces them.
    pub shadowing: Vec<Finding>,
}

impl AwsFiles {
    /// Rolecall's own profiles, config file first, each in the file's order.
    pub fn list(&self) -> Result<Vec<ManagedProfile>, Error> {
        let mut profiles = Vec::new();
        for which in [Which::Config, Which::Credentials] {
            let snapshot = store::read(self.path(which))?;
            let document = Document::new(snapshot.bytes().unwrap_or_default());
            for section in &document.sections {
                let header = document.content(section.header);
                let Some(name) =
                    names::profile(header, which).and_then(|name| name.parse::<ProfileName>().ok())
                else {
                    continue;
                };
                let seen = names::seen(header, which, name.as_str());
                let found = Found::new(&document, *section, seen, name.as_str());
                if found.owned.is_some() {
                    profiles.push(self.managed(which, &document, &found, name));
                }
            }
        }
        Ok(profiles)
    }

    /// The sections of one profile, and who wrote them.
    pub fn inspect(&self, profile: &ProfileName) -> Result<Inspection, Error> {
        let (config, credentials) = (store::read(self.config())?, store::read(self.credentials())?);
        let views = [
            View::new(Which::Config, self.config(), config.contents(), profile.as_str())?,
            View::new(Which::Credentials, self.credentials(), credentials.contents(), profile.as_str())?,
        ];
        let all = || views.iter().flat_map(|view| view.found.iter().map(move |found| (view, found)));
        let sections = all().map(|(view, found)| SectionReport {
            file: view.path.to_owned(),
            line: found.section.header + 1,
            owner: if found.owned.is_some() { Owner::Rolecall } else { Owner::Other },
            keys: keys(view, found),
        });
        let shadowing = all().flat_map(|(view, found)| view.shadowing(found, decides_credentials));
        Ok(Inspection { sections: sections.collect(), shadowing: shadowing.collect() })
    }

    /// The faults in the files: which tools cannot read them, and where.
    pub fn check(&self) -> Result<Vec<Note>, Error> {
        let mut notes = Vec::new();
        for which in [Which::Config, Which::Credentials] {
            let snapshot = store::read(self.path(which))?;
            notes.extend(View::new(which, self.path(which), snapshot.contents(), "")?.notes());
        }
        Ok(notes)
    }

    fn managed(
        &self,
        which: Which,
        document: &Document<'_>,
        found: &Found,
        name: ProfileName,
    ) -> ManagedProfile {
        let values: Vec<_> = document
            .properties(&found.section)
            .iter()
            .map(|property| {
                (document.key(property), String::from_utf8_lossy(document.value(property)).into_owned())
            })
            .collect();
        let expires =
            values.iter().find(|(key, _)| key == "x_security_token_expires").map(|(_, value)| value.clone());
        ManagedProfile {
            name,
            mode: if which == Which::Config { Mode::Process } else { Mode::File },
            file: self.path(which).to_owned(),
            line: found.section.header + 1,
            settings: values
                .into_iter()
                .filter(|(key, _)| secret::shown_key(key) == key && !secret::is_secret(key))
                .collect(),
            expires,
        }
    }
}

fn keys(view: &View<'_>, found: &Found) -> Vec<String> {
    let properties = view.document.properties(&found.section);
    properties.iter().map(|property| secret::shown_key(&view.document.key(property)).to_owned()).collect()
}
