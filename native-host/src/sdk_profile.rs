//! A profile as the AWS tools resolve it, for the two kinds that Rolecall writes: keys in the credentials file, and
//! `credential_process` in the config file. The first shadows the second, as it does in botocore and the SDKs.
//!
//! Other kinds (SSO, `source_profile`, …) are not resolved here; that is what the AWS tools are for.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use rolecall_core::{Code, Problem};
use secrecy::SecretString;
use serde::Deserialize;

use crate::aws_files::AwsFiles;
use crate::platform;

/// Keys of a profile, from both files.
pub(crate) struct SdkProfile {
    name: String,
    config: Option<BTreeMap<String, SecretString>>,
    credentials: Option<BTreeMap<String, SecretString>>,
    files: [PathBuf; 2],
}

/// Credentials as the AWS tools would send them.
#[derive(Debug)]
pub(crate) struct Keys {
    pub(crate) access_key_id: String,
    pub(crate) secret_access_key: SecretString,
    pub(crate) session_token: Option<SecretString>,
}

impl SdkProfile {
    /// Reads a profile from the user's files.
    pub(crate) fn read(files: &AwsFiles, name: &str) -> Result<Self, Problem> {
        let config = section(files.config(), |header| match header.strip_prefix("profile") {
            Some(rest) if rest.starts_with([' ', '\t']) => rest.trim() == name,
            _ => name == "default" && header == "default",
        })?;
        let credentials = section(files.credentials(), |header| header == name)?;
        if config.is_none() && credentials.is_none() {
            let message = format!("There is no profile \"{name}\" in the AWS files.");
            return Err(Problem::new(Code::ProfileUnknown, message));
        }
        let files = [files.config().to_owned(), files.credentials().to_owned()];
        Ok(Self { name: name.to_owned(), config, credentials, files })
    }

    /// A setting that is no secret, such as `region`.
    pub(crate) fn setting(&self, key: &str) -> Option<&str> {
        use secrecy::ExposeSecret;
        // Tools look for settings in both files; the config file is asked first.
        let sections = [&self.config, &self.credentials];
        sections.into_iter().flatten().find_map(|section| section.get(key)).map(ExposeSecret::expose_secret)
    }

    /// Which keys shadow a `credential_process` of the same profile, as a sentence.
    pub(crate) fn shadowing(&self) -> Option<String> {
        let has = |section: &Option<BTreeMap<_, _>>, key| {
            section.as_ref().is_some_and(|keys| keys.contains_key(key))
        };
        (has(&self.credentials, "aws_access_key_id") && has(&self.config, "credential_process")).then(|| {
            format!(
                "the keys of {} in {} shadow its credential_process in {}",
                self.name,
                crate::output::short_path(&self.files[1]),
                crate::output::short_path(&self.files[0]),
            )
        })
    }

    /// The credentials the AWS tools would use.
    pub(crate) fn keys(&self) -> Result<Keys, Problem> {
        if let Some(keys) = self.credentials.as_ref().and_then(keys) {
            return Ok(keys);
        }
        if let Some(line) = self.setting("credential_process") {
            return run(line);
        }
        if let Some(keys) = self.config.as_ref().and_then(keys) {
            return Ok(keys);
        }
        let message = format!("The profile \"{}\" has neither keys nor a credential_process.", self.name);
        Err(Problem::new(Code::ProfileUnknown, message))
    }
}

fn keys(section: &BTreeMap<String, SecretString>) -> Option<Keys> {
    use secrecy::ExposeSecret;
    Some(Keys {
        access_key_id: section.get("aws_access_key_id")?.expose_secret().to_owned(),
        secret_access_key: section.get("aws_secret_access_key")?.clone(),
        session_token: section.get("aws_session_token").cloned(),
    })
}

/// Runs a `credential_process` as the SDKs do; what it says on standard error is shown.
fn run(line: &str) -> Result<Keys, Problem> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Document {
        version: u32,
        access_key_id: String,
        secret_access_key: SecretString,
        session_token: Option<SecretString>,
    }
    let refuse = |what: String| {
        Problem::new(Code::CredentialProcessFailed, format!("The profile's credential_process {what}."))
    };
    let output = platform::shell(line)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| refuse(format!("could not be run: {error}")))?;
    let document = zeroize::Zeroizing::new(output.stdout);
    if !output.status.success() {
        return Err(refuse(format!("ended with {}", output.status)));
    }
    match serde_json::from_slice(&document) {
        Ok(Document { version: 1, access_key_id, secret_access_key, session_token }) => {
            Ok(Keys { access_key_id, secret_access_key, session_token })
        }
        _ => Err(refuse("printed something that is not a credentials document of version 1".to_owned())),
    }
}

/// The keys of the section whose header is wanted. Several sections of one name count as one, as the SDKs read them.
fn section(
    path: &Path,
    wanted: impl Fn(&str) -> bool,
) -> Result<Option<BTreeMap<String, SecretString>>, Problem> {
    let text = match fs::read_to_string(path) {
        Ok(text) => zeroize::Zeroizing::new(text),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            return Err(Problem::new(
                Code::FileFailed,
                format!("Could not read {}: {error}.", path.display()),
            ));
        }
    };
    let mut keys: Option<BTreeMap<String, SecretString>> = None;
    let mut inside = false;
    for line in text.lines() {
        // Indented lines belong to the setting above them; comments begin at the margin.
        if line.starts_with(['#', ';', ' ', '\t']) || line.trim().is_empty() {
            continue;
        }
        if let Some(header) = line.strip_prefix('[') {
            inside = header.split_once(']').is_some_and(|(header, _)| wanted(header.trim()));
            if inside {
                keys.get_or_insert_default();
            }
        } else if let (true, Some(keys), Some((key, value))) = (inside, &mut keys, line.split_once('=')) {
            keys.insert(key.trim().to_lowercase(), uncommented(value).trim().to_owned().into());
        }
    }
    Ok(keys)
}

/// The SDKs cut a value at a comment sign that follows a space.
fn uncommented(value: &str) -> &str {
    [" #", " ;", "\t#", "\t;"]
        .iter()
        .filter_map(|sign| value.find(sign))
        .min()
        .map_or(value, |end| &value[..end])
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    fn profile(config: &str, credentials: &str, name: &str) -> Result<SdkProfile, Problem> {
        let folder = tempfile::tempdir().unwrap();
        let files = AwsFiles::at(folder.path().join("config"), folder.path().join("credentials"));
        fs::write(files.config(), config).unwrap();
        fs::write(files.credentials(), credentials).unwrap();
        SdkProfile::read(&files, name)
    }

    #[test]
    fn keys_shadow_a_process_and_that_is_told() {
        let profile = profile(
            "[profile dev]\ncredential_process = false\nregion = eu-west-1 # near\n",
            "[other]\naws_access_key_id = O\n[dev]\naws_access_key_id=A\naws_secret_access_key=S\naws_session_token=T\n",
            "dev",
        )
        .unwrap();
        let keys = profile.keys().unwrap();
        assert_eq!((keys.access_key_id.as_str(), keys.secret_access_key.expose_secret()), ("A", "S"));
        assert_eq!(profile.setting("region"), Some("eu-west-1"));
        assert!(profile.shadowing().is_some());
    }

    #[cfg(unix)]
    #[test]
    fn a_process_is_run_by_a_shell() {
        let line = r#"printf '%s' '{"Version":1,"AccessKeyId":"A","SecretAccessKey":"S"}'"#;
        let profile = profile(&format!("[profile dev]\ncredential_process = {line}\n"), "", "dev").unwrap();
        let keys = profile.keys().unwrap();
        assert_eq!(keys.access_key_id, "A");
        assert!(keys.session_token.is_none());
        assert_eq!(profile.shadowing(), None);
    }

    #[cfg(unix)]
    #[test]
    fn a_process_that_fails_is_told_without_what_it_printed() {
        for line in ["echo secret; exit 3", "echo secret"] {
            let profile =
                profile(&format!("[default]\ncredential_process = {line}\n"), "", "default").unwrap();
            let problem = profile.keys().unwrap_err();
            assert!(problem.is(Code::CredentialProcessFailed));
            assert!(!problem.message.contains("secret"), "{problem}");
        }
    }

    #[test]
    fn a_name_without_a_section_is_unknown() {
        let Err(problem) = profile("[profile development]\n[dev]\n", "[dev2]\n", "dev") else {
            panic!("found")
        };
        assert!(problem.is(Code::ProfileUnknown));
    }
}
