//! The AWS profile of one command that runs as a role.
//!
//! SDKs differ in what they look at first, but all of them prefer the profile that `AWS_PROFILE` names to a container
//! endpoint, and to whatever `[default]` has. So the command gets a config file of its own: the user's, and behind it a
//! profile whose `credential_process` is this program. The role's credentials are in no file.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use rolecall_core::{Code, Problem};
use zeroize::Zeroizing;

use crate::aws_files::decides_credentials;
use crate::output::short_path;
use crate::platform;
use crate::profile;
use crate::variables::{Target, Variables};

/// A config file with the command's profile. It is removed when it is dropped.
#[derive(Debug)]
pub(crate) struct CommandProfile {
    name: String,
    path: PathBuf,
    text: Zeroizing<Vec<u8>>,
}

impl CommandProfile {
    /// Writes the file.
    pub(crate) fn create(target: &Target) -> Result<Self, Problem> {
        let user = profile::files()?;
        let config = match fs::read(user.config()) {
            Ok(config) => Zeroizing::new(config),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Zeroizing::default(),
            Err(error) => return Err(failed("read", user.config(), &error)),
        };
        let folder = platform::create_runtime_folder()
            .map_err(|error| failed("use", Path::new("the runtime folder"), &error))?;
        remove_left_over(&folder);
        let id = std::process::id();
        let name = format!("{PREFIX}{id}");
        let process = profile::served_process_line(&profile::own_path()?, &name, &target.role)?;
        let text = document(&config, &name, &process, target);
        let path = folder.join(format!("{name}.{EXTENSION}"));
        // Of an earlier process of this number.
        let _ = fs::remove_file(&path);
        let written = platform::create_private_file(&path).and_then(|mut file| file.write_all(&text));
        written.map_err(|error| failed("write", &path, &error))?;
        Ok(Self { name, path, text })
    }

    /// The variables by which AWS tools find the profile.
    pub(crate) fn variables(&self) -> Variables {
        vec![
            ("AWS_PROFILE", self.name.clone().into()),
            ("AWS_CONFIG_FILE", self.path.display().to_string().into()),
            // The SDKs for Go and JavaScript of the generations before read the config file only with this.
            ("AWS_SDK_LOAD_CONFIG", "1".to_owned().into()),
        ]
    }

    /// The file, if the command has changed it: it is kept then, since the changes were meant for the user's own.
    pub(crate) fn changed(mut self) -> Option<PathBuf> {
        let is_changed = fs::read(&self.path).is_ok_and(|text| text != *self.text);
        is_changed.then(|| std::mem::take(&mut self.path))
    }
}

impl Drop for CommandProfile {
    fn drop(&mut self) {
        if !self.path.as_os_str().is_empty() {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Removes files of commands whose process was killed.
fn remove_left_over(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let of_process = || {
            let name = path.file_name()?.to_str()?.strip_prefix(PREFIX)?;
            name.strip_suffix(EXTENSION)?.strip_suffix('.')?.parse().ok()
        };
        if of_process().is_some_and(|id| platform::process(id).is_none()) {
            let _ = fs::remove_file(&path);
        }
    }
}

/// The user's config, and behind it the command's profile. It has the settings of the role's own profile, or else of the
/// default one, but for those that say where credentials come from.
fn document(config: &[u8], name: &str, process: &str, target: &Target) -> Zeroizing<Vec<u8>> {
    let own = settings(config, |header| {
        let name = header.split_once([' ', '\t']).filter(|(kind, _)| *kind == "profile");
        name.is_some_and(|(_, name)| name.trim() == target.profile)
    });
    let default = || settings(config, |header| matches!(header, "default" | "profile default"));
    let mut text = without_credentials_of_all(config);
    text.extend_from_slice(format!("\n[profile {name}]\ncredential_process = {process}\n").as_bytes());
    text.extend_from_slice(format!("region = {}\n", target.region).as_bytes());
    if let Some(endpoint) = &target.endpoint_url {
        text.extend_from_slice(format!("endpoint_url = {endpoint}\n").as_bytes());
    }
    text.extend_from_slice(&own.or_else(default).unwrap_or_default());
    text
}

/// The config without those settings of `[DEFAULT]` that choose credentials: in botocore, whatever that section has holds
/// for every profile, the command's own too. Its other settings are kept.
fn without_credentials_of_all(config: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut text = Zeroizing::new(Vec::with_capacity(config.len()));
    let (mut is_inside, mut is_kept, mut has_setting) = (false, true, false);
    for line in lines(config) {
        let trimmed = line.trim_ascii();
        let is_indented = line.starts_with(b" ") || line.starts_with(b"\t");
        if trimmed.is_empty() {
            // It ends no setting.
        } else if let Some(header) = trimmed.strip_prefix(b"[").filter(|_| !(is_indented && has_setting)) {
            has_setting = false;
            // Whatever follows the bracket that ends it, botocore ignores.
            is_inside = header.starts_with(b"DEFAULT]");
            is_kept = true;
        } else if !is_indented {
            has_setting = true;
            is_kept = !is_inside
                || key(&String::from_utf8_lossy(line)).is_none_or(|key| !decides_credentials(&key));
        } else if is_inside
            && key(&String::from_utf8_lossy(trimmed)).is_some_and(|key| decides_credentials(&key))
        {
            // botocore reads an indented line as a setting if none stands above it.
            continue;
        }
        if is_kept {
            text.extend_from_slice(line);
        }
    }
    text
}

/// The lines as botocore sees them: it also ends one at a lone carriage return.
fn lines(config: &[u8]) -> impl Iterator<Item = &[u8]> {
    config.split_inclusive(|byte| matches!(byte, b'\n' | b'\r'))
}

/// The key of a setting. botocore also takes a colon for the sign behind it.
fn key(line: &str) -> Option<String> {
    line.split_once(['=', ':']).map(|(key, _)| key.trim().to_lowercase())
}

/// The settings of a section, apart from those that are written anyway and those that choose credentials.
fn settings(config: &[u8], is_wanted: impl Fn(&str) -> bool) -> Option<Zeroizing<Vec<u8>>> {
    let mut found: Option<Zeroizing<Vec<u8>>> = None;
    let mut is_inside = false;
    let mut is_copied = false;
    for line in lines(config) {
        let text = String::from_utf8_lossy(line);
        if text.trim().is_empty() {
            continue;
        }
        if let Some(header) = text.strip_prefix('[') {
            is_inside = header.split_once(']').is_some_and(|(header, _)| is_wanted(header.trim()));
            if is_inside {
                found.get_or_insert_default();
            }
            is_copied = false;
        } else if !text.starts_with([' ', '\t']) {
            // A line at the margin begins a setting; indented lines belong to the one above them.
            let is_left_out = |key: &str| decides_credentials(key) || LEFT_OUT.contains(&key);
            is_copied = is_inside && key(&text).is_some_and(|key| !is_left_out(&key));
        }
        if is_copied && let Some(found) = &mut found {
            found.extend_from_slice(text.trim_end().as_bytes());
            found.push(b'\n');
        }
    }
    found
}

fn failed(what: &str, path: &Path, error: &io::Error) -> Problem {
    Problem::new(Code::FileFailed, format!("Could not {what} {}: {error}.", short_path(path)))
}

const PREFIX: &str = "rolecall-exec-";
const EXTENSION: &str = "config";

/// Settings that the role has itself, and one that says whose the credentials are.
const LEFT_OUT: [&str; 4] = ["aws_account_id", "endpoint_url", "region", "services"];

#[cfg(test)]
mod tests {
    use super::*;

    fn target(profile: &str) -> Target {
        Target {
            role: "corp arn:aws:iam::123456789012:role/dev"
                .split_once(' ')
                .map(|(provider, arn)| {
                    rolecall_core::settings::RoleKey::new(provider.parse().unwrap(), arn.parse().unwrap())
                })
                .unwrap(),
            profile: profile.to_owned(),
            region: "eu-west-1".parse().unwrap(),
            endpoint_url: None,
        }
    }

    fn behind(config: &str, profile: &str) -> String {
        let text = document(config.as_bytes(), "p", "rolecall", &target(profile));
        let text = String::from_utf8(text.to_vec()).unwrap();
        let behind = text.strip_prefix(config).unwrap();
        behind
            .strip_prefix("\n[profile p]\ncredential_process = rolecall\nregion = eu-west-1\n")
            .unwrap()
            .to_owned()
    }

    #[test]
    fn the_profile_takes_over_what_does_not_choose_credentials() {
        let config = "[default]\noutput = json\naws_access_key_id = A\naws_secret_access_key=S\nregion = us-east-1\n\
            s3 =\n  max_concurrent_requests = 20\ncredential_process = other\nsso_session = x\n# a = b\n\n\
            [profile dev]\nCredential_Process = rolecall\ncli_pager =\n[profile other]\noutput = text";
        assert_eq!(behind(config, "none"), "output = json\ns3 =\n  max_concurrent_requests = 20\n# a = b\n");
        assert_eq!(behind(config, "dev"), "cli_pager =\n");
        assert_eq!(behind(config, "other"), "output = text\n");
        assert_eq!(behind("", "dev"), "");
    }

    #[test]
    fn what_botocore_takes_for_every_profile_chooses_no_credentials() {
        let config = "[DEFAULT]\n  role_arn = arn\nregion = a\nsource_profile: other\n  more\noutput = json\n\
            [profile other]\nrole_arn = arn\n";
        let text = document(config.as_bytes(), "p", "rolecall", &target("none"));
        let expected =
            "[DEFAULT]\nregion = a\noutput = json\n[profile other]\nrole_arn = arn\n\n[profile p]\n";
        assert!(text.starts_with(expected.as_bytes()), "{}", String::from_utf8_lossy(&text));
    }

    #[test]
    fn a_line_that_only_botocore_ends_hides_no_setting() {
        let config =
            "[default]\noutput = json\rrole_arn = arn\r\ncli_pager =\r\n[x]\r[DEFAULT]\rsso_session = s\r";
        let text = String::from_utf8(document(config.as_bytes(), "p", "rolecall", &target("none")).to_vec())
            .unwrap();
        assert!(!text.contains("sso_session"), "{text:?}");
        let (_, own) = text.split_once("region = eu-west-1\n").unwrap();
        assert_eq!(own, "output = json\ncli_pager =\n");
    }
}
