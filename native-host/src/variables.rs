//! The environment variables that stand for a role, and how each shell writes them.

use rolecall_core::aws::{Credentials, Region};
use rolecall_core::settings::{Endpoint, RoleKey};
use secrecy::{ExposeSecret, SecretString};

/// Ways to write variables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// export NAME='value'
    Bash,
    /// The same as bash.
    Zsh,
    /// set -gx NAME 'value'
    Fish,
    /// $Env:NAME = 'value'
    Powershell,
    /// set "NAME=value"
    Cmd,
    /// One object.
    Json,
    /// NAME="value"
    Dotenv,
}

/// Names and values, in the order in which they are written.
pub(crate) type Variables = Vec<(&'static str, SecretString)>;

/// What stands for a role with its keys.
pub(crate) fn of_keys(credentials: &Credentials, place: &Place) -> Variables {
    let expiration = credentials.expiration.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    let mut variables: Variables = vec![
        ("AWS_ACCESS_KEY_ID", credentials.access_key_id.clone().into()),
        ("AWS_SECRET_ACCESS_KEY", credentials.secret_access_key.clone()),
        ("AWS_SESSION_TOKEN", credentials.session_token.clone()),
        // What SDKs read (botocore, JavaScript), and what prompts do.
        ("AWS_CREDENTIAL_EXPIRATION", expiration.clone().into()),
        ("AWS_SESSION_EXPIRATION", expiration.into()),
        // In seconds since 1970, so that a prompt can count without starting a process.
        ("ROLECALL_EXPIRATION", credentials.expiration.timestamp().to_string().into()),
    ];
    variables.extend(of_place(place));
    variables
}

/// What says which role it is and where it lives, without a secret.
pub(crate) fn of_place(place: &Place) -> Variables {
    let mut variables: Variables = vec![
        ("AWS_REGION", place.region.to_string().into()),
        ("AWS_DEFAULT_REGION", place.region.to_string().into()),
    ];
    if let Some(endpoint) = &place.endpoint_url {
        variables.push(("AWS_ENDPOINT_URL", endpoint.to_string().into()));
    }
    variables.push(("ROLECALL_ROLE", place.role.arn.to_string().into()));
    variables.push(("ROLECALL_PROFILE", place.profile.clone().into()));
    variables
}

/// Which role it is, and where it lives.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) role: RoleKey,
    pub(crate) profile: String,
    pub(crate) region: Region,
    pub(crate) endpoint_url: Option<Endpoint>,
}

/// Variables that would outrank a role's own in tools that look at several, or say something of another identity: profiles,
/// keys under their old names too (Go), web identity, and the container endpoints that ECS, EKS and `CloudShell` set.
pub(crate) const OUTRANKING: [&str; 18] = [
    "AWS_ACCESS_KEY",
    "AWS_SECRET_KEY",
    "AWS_CREDENTIAL_EXPIRATION",
    "AWS_ACCOUNT_ID",
    "AWS_CREDENTIAL_SCOPE",
    "AWS_ROLE_SESSION_NAME",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_SECURITY_TOKEN",
    "AWS_ROLE_ARN",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
];

/// Every variable that this program sets.
pub(crate) const ALL: [&str; 11] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_CREDENTIAL_EXPIRATION",
    "AWS_SESSION_EXPIRATION",
    "ROLECALL_EXPIRATION",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_ENDPOINT_URL",
    "ROLECALL_ROLE",
    "ROLECALL_PROFILE",
];

impl Format {
    /// The format of the shell that a person seems to be in.
    pub(crate) fn of_this_shell() -> Self {
        let shell = std::env::var("SHELL").unwrap_or_default();
        match shell.rsplit('/').next() {
            Some("fish") => Self::Fish,
            Some("zsh") => Self::Zsh,
            Some("pwsh") => Self::Powershell,
            _ if cfg!(windows) => Self::Powershell,
            _ => Self::Bash,
        }
    }

    /// The text that sets the variables, and clears those in `clear` that it does not set.
    pub(crate) fn set(self, variables: &Variables, clear: &[&str]) -> SecretString {
        if self == Self::Json {
            let pairs =
                variables.iter().map(|(name, value)| ((*name).to_owned(), value.expose_secret().into()));
            return serde_json::Value::Object(pairs.collect()).to_string().into();
        }
        let set = variables.iter().map(|(name, value)| self.assignment(name, value.expose_secret()));
        let unset = clear.iter().filter(|name| variables.iter().all(|(set, _)| set != *name));
        let unset = unset.filter_map(|name| self.removal(name));
        unset.chain(set).collect::<Vec<_>>().join("\n").into()
    }

    /// The text that clears the variables.
    pub(crate) fn unset(self, names: &[&str]) -> String {
        if self == Self::Json {
            let pairs = names.iter().map(|name| ((*name).to_owned(), serde_json::Value::Null));
            return serde_json::Value::Object(pairs.collect()).to_string();
        }
        names.iter().filter_map(|name| self.removal(name)).collect::<Vec<_>>().join("\n")
    }

    fn assignment(self, name: &str, value: &str) -> String {
        match self {
            Self::Bash | Self::Zsh => format!("export {name}='{}'", value.replace('\'', r"'\''")),
            Self::Fish => format!("set -gx {name} '{}'", value.replace('\\', r"\\").replace('\'', r"\'")),
            Self::Powershell => format!("$Env:{name} = '{}'", value.replace('\'', "''")),
            Self::Cmd => format!("set \"{name}={}\"", value.replace('%', "%%")),
            Self::Json | Self::Dotenv => {
                let value =
                    value.replace('\\', r"\\").replace('"', "\\\"").replace('$', r"\$").replace('\n', r"\n");
                format!("{name}=\"{value}\"")
            }
        }
    }

    fn removal(self, name: &str) -> Option<String> {
        match self {
            Self::Bash | Self::Zsh => Some(format!("unset {name}")),
            Self::Fish => Some(format!("set -e {name}")),
            Self::Powershell => Some(format!("Remove-Item -ErrorAction SilentlyContinue Env:{name}")),
            Self::Cmd => Some(format!("set \"{name}=\"")),
            Self::Json | Self::Dotenv => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRICKY: &str = r#"it's "a" $HOME `x` \ %PATH% ! # é"#;

    #[test]
    fn every_shell_gets_its_own_quotes() {
        let variables: Variables = vec![("A", TRICKY.to_owned().into())];
        let set = |format: Format| format.set(&variables, &["A", "B"]).expose_secret().to_owned();
        assert_eq!(set(Format::Bash), "unset B\nexport A='it'\\''s \"a\" $HOME `x` \\ %PATH% ! # é'");
        assert_eq!(set(Format::Fish), "set -e B\nset -gx A 'it\\'s \"a\" $HOME `x` \\\\ %PATH% ! # é'");
        assert!(set(Format::Powershell).ends_with("$Env:A = 'it''s \"a\" $HOME `x` \\ %PATH% ! # é'"));
        assert_eq!(set(Format::Dotenv), r#"A="it's \"a\" \$HOME `x` \\ %PATH% ! # é""#);
        assert_eq!(serde_json::from_str::<serde_json::Value>(&set(Format::Json)).unwrap()["A"], TRICKY);
    }

    #[cfg(unix)]
    #[test]
    fn real_shells_read_back_what_was_written() {
        let variables: Variables = vec![("A", TRICKY.to_owned().into())];
        for (shell, format) in
            [("sh", Format::Bash), ("bash", Format::Bash), ("zsh", Format::Zsh), ("fish", Format::Fish)]
        {
            let script = format!("{}\nprintf %s \"$A\"", format.set(&variables, &[]).expose_secret());
            // What this machine lacks is covered by the exact texts above.
            let Ok(output) = std::process::Command::new(shell).arg("-c").arg(&script).output() else {
                continue;
            };
            assert_eq!(String::from_utf8(output.stdout).unwrap(), TRICKY, "{shell}");
        }
    }

    #[test]
    fn everything_that_is_set_can_be_cleared() {
        let credentials = Credentials {
            access_key_id: "A".into(),
            secret_access_key: "S".into(),
            session_token: "T".into(),
            expiration: chrono::DateTime::UNIX_EPOCH,
        };
        let place = Place {
            role: RoleKey {
                provider: "corp".parse().unwrap(),
                arn: "arn:aws:iam::123456789012:role/example".parse().unwrap(),
            },
            profile: "example".into(),
            region: "eu-west-1".parse().unwrap(),
            endpoint_url: Some("http://127.0.0.1:1/".parse().unwrap()),
        };
        let names: Vec<_> = of_keys(&credentials, &place).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ALL);
        assert!(Format::Zsh.unset(&ALL).starts_with("unset AWS_ACCESS_KEY_ID\nunset "));
    }
}
