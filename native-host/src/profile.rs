//! An AWS profile for a role: its settings, and how a `credential_process` line names the role.
//!
//! The command line contains the role's provider and ARN. So a profile keeps working when it is renamed or copied, when
//! the settings change, and when only this line is left; and the command reads no file before it responds.

use std::path::{Path, PathBuf};

use rolecall_core::aws::{Credentials, Region, RoleArn};
use rolecall_core::settings::{CredentialsMode, Endpoint, ProfileName, ProviderId, RoleKey};
use rolecall_core::{Code, Problem};

use crate::aws_files::{self, ManagedProfile, Mode, NewProfile, Source, StaticCredentials};
use crate::{platform, shell};

/// The parts of a role's profile.
#[derive(Debug)]
pub(crate) struct RoleProfile<'a> {
    pub(crate) name: &'a ProfileName,
    pub(crate) role: &'a RoleArn,
    /// The role's provider. Without it, the command looks it up each time.
    pub(crate) provider: Option<&'a ProviderId>,
    pub(crate) region: Option<&'a Region>,
    pub(crate) endpoint_url: Option<&'a Endpoint>,
    pub(crate) mode: CredentialsMode,
    /// Needed in `file` mode.
    pub(crate) credentials: Option<&'a Credentials>,
}

impl RoleProfile<'_> {
    /// Converts it for the AWS files.
    pub(crate) fn to_new_profile(&self) -> Result<NewProfile, Problem> {
        let source = match (self.mode, self.credentials) {
            (CredentialsMode::Process, _) => {
                let command = process_line(&own_path()?, self.name.as_str(), self.provider, self.role)?;
                Source::Process { command }
            }
            (CredentialsMode::File, Some(credentials)) => Source::File(StaticCredentials {
                access_key_id: credentials.access_key_id.clone(),
                secret_access_key: credentials.secret_access_key.clone(),
                session_token: credentials.session_token.clone(),
                expires: Some(credentials.expiration),
            }),
            (CredentialsMode::File, None) => {
                return Err(Problem::new(Code::Internal, "A profile with keys was requested without keys."));
            }
            (CredentialsMode::None, _) => {
                return Err(Problem::new(
                    Code::ProfileInvalid,
                    "The settings turn off the profile for this role.",
                ));
            }
        };
        let region = self.region.map(|region| ("region", region.to_string()));
        let endpoint_url = self.endpoint_url.map(|url| ("endpoint_url", url.to_string()));
        NewProfile::new(self.name.clone(), source, region.into_iter().chain(endpoint_url))
            .map_err(|error| Problem::from(&error))
    }
}

/// This user's AWS files.
pub(crate) fn files() -> Result<aws_files::AwsFiles, Problem> {
    aws_files::AwsFiles::locate(|name| std::env::var_os(name)).map_err(|error| Problem::from(&error))
}

/// The command line that prints a role's credentials.
pub(crate) fn process_line(
    program: &Path,
    profile: &str,
    provider: Option<&ProviderId>,
    role: &RoleArn,
) -> Result<String, Problem> {
    let refuse = || {
        let message = format!(
            "The path of the rolecall program, {}, cannot be written to an AWS profile.",
            program.display()
        );
        Problem::new(Code::ProgramPathUnfit, message)
    };
    let word = platform::program_word(program).ok_or_else(refuse)?;
    let provider = provider.map(|provider| [PROVIDER, provider.as_str()]);
    let mut words = vec![word.as_str(), COMMAND, PROFILE, profile];
    words.extend(provider.iter().flatten());
    words.extend([ROLE, role.as_str()]);
    shell::process_line(&words).ok_or_else(refuse)
}

/// The command line that prints a role's credentials for a program that `exec` has started.
pub(crate) fn served_process_line(program: &Path, profile: &str, role: &RoleKey) -> Result<String, Problem> {
    Ok(format!("{} {SERVED}", process_line(program, profile, Some(&role.provider), &role.arn)?))
}

/// The role that one of our `credential_process` lines names, and its provider if it has one.
pub(crate) fn role_of_line(line: &str) -> Option<(RoleArn, Option<ProviderId>)> {
    let words = shell::process_words(line)?;
    let arguments: Vec<_> = words.iter().skip_while(|word| *word != COMMAND).collect();
    let option = |name: &str| {
        let position = arguments.iter().position(|word| *word == name)?;
        arguments.get(position + 1)
    };
    let provider = option(PROVIDER).map(|provider| provider.parse()).transpose().ok()?;
    Some((option(ROLE)?.parse().ok()?, provider))
}

/// Whether a profile that was written may be this role's. One with keys does not say whose they are.
pub(crate) fn may_be_of(written: &ManagedProfile, role: &RoleKey) -> bool {
    let line = written.settings.iter().find(|(key, _)| key == "credential_process");
    let Some((_, line)) = line else { return written.mode == Mode::File };
    role_of_line(line).is_some_and(|(arn, provider)| {
        arn == role.arn && provider.is_none_or(|provider| provider == role.provider)
    })
}

/// The path of this program, for a command line or manifest.
pub(crate) fn own_path() -> Result<PathBuf, Problem> {
    let path = std::env::current_exe().map_err(|error| {
        Problem::new(Code::Internal, format!("The path of the rolecall program is unknown: {error}."))
    })?;
    // On Linux, for a program that was updated while it runs: the new one has the old path.
    match path.to_str().and_then(|path| path.strip_suffix(" (deleted)")) {
        Some(path) => Ok(PathBuf::from(path)),
        None => Ok(platform::simplified(path)),
    }
}

/// The command in a profile's line.
pub(crate) const COMMAND: &str = "credential-process";
/// Its option for the profile's name, for people only: the role decides.
pub(crate) const PROFILE: &str = "--profile";
/// Its option for the role's provider.
pub(crate) const PROVIDER: &str = "--provider";
/// Its option for the role.
pub(crate) const ROLE: &str = "--role-arn";
/// Its option for the credentials that the environment names the address of.
pub(crate) const SERVED: &str = "--served";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_role_of_a_line_is_read_back_for_any_path() {
        let role: RoleArn = "arn:aws:iam::123456789012:role/te'am/Dev+1=x".parse().unwrap();
        let awkward: &[&str] =
            if cfg!(unix) { &["/home/a b/it's $HOME/`x`/rolecall", "/--role-arn/rolecall"] } else { &[] };
        for path in ["/usr/bin/rolecall", "C:/it's/rolecall"].iter().chain(awkward) {
            for provider in [None, Some("corp".parse().unwrap())] {
                let line = process_line(Path::new(path), "example-dev", provider.as_ref(), &role).unwrap();
                assert_eq!(role_of_line(&line), Some((role.clone(), provider)), "{line}");
            }
        }
        let plain = process_line(
            Path::new("/usr/bin/rolecall"),
            "p",
            Some(&"corp".parse().unwrap()),
            &"arn:aws:iam::123456789012:role/dev".parse().unwrap(),
        );
        assert_eq!(
            plain.unwrap(),
            "/usr/bin/rolecall credential-process --profile p --provider corp --role-arn arn:aws:iam::123456789012:role/dev"
        );
        assert_eq!(role_of_line("aws-vault exec dev --json"), None);
    }
}
