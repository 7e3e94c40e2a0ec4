//! The environment variables of a role, and the formats in which they are printed.

use rolecall_core::aws::{Credentials, Region};
use rolecall_core::settings::{Endpoint, RoleKey};
use rolecall_core::{Code, Problem};
use secrecy::{ExposeSecret, SecretString};

use crate::shell::{self, Syntax};

/// Formats for variables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// export NAME=value
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
    /// NAME=value
    Dotenv,
}

/// Names and values, in the order of writing.
pub(crate) type Variables = Vec<(&'static str, SecretString)>;

/// The variables of a role with its keys.
pub(crate) fn of_keys(credentials: &Credentials, target: &Target) -> Variables {
    let expiration = credentials.expiration.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    let mut variables: Variables = vec![
        ("AWS_ACCESS_KEY_ID", credentials.access_key_id.clone().into()),
        ("AWS_SECRET_ACCESS_KEY", credentials.secret_access_key.clone()),
        ("AWS_SESSION_TOKEN", credentials.session_token.clone()),
        // The names that SDKs read (botocore, JavaScript), then those for prompts.
        ("AWS_CREDENTIAL_EXPIRATION", expiration.clone().into()),
        ("AWS_SESSION_EXPIRATION", expiration.into()),
        // In seconds since 1970, so that a prompt can compute the time left without starting a process.
        ("ROLECALL_EXPIRATION", credentials.expiration.timestamp().to_string().into()),
    ];
    variables.extend(of_target(target));
    variables
}

/// The variables of a role without its keys.
pub(crate) fn of_target(target: &Target) -> Variables {
    let mut variables: Variables = vec![
        ("AWS_REGION", target.region.to_string().into()),
        ("AWS_DEFAULT_REGION", target.region.to_string().into()),
    ];
    if let Some(endpoint) = &target.endpoint_url {
        variables.push(("AWS_ENDPOINT_URL", endpoint.to_string().into()));
    }
    variables.push((ROLE, target.role.arn.to_string().into()));
    variables.push(("ROLECALL_PROFILE", target.profile.clone().into()));
    variables
}

/// A role, with its region and endpoint.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) role: RoleKey,
    pub(crate) profile: String,
    pub(crate) region: Region,
    pub(crate) endpoint_url: Option<Endpoint>,
}

/// Variables that other tools would use instead, or that belong to another identity. Bearer tokens of single services
/// (`AWS_BEARER_TOKEN_BEDROCK`) are recognised in this process's environment, by their names.
pub(crate) fn shadowing() -> Vec<String> {
    let inherited = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    let tokens = inherited.filter(|name| is_bearer_token(name));
    SHADOWING.into_iter().map(str::to_owned).chain(tokens).collect()
}

/// SDKs prefer such a token to the credentials of whatever profile. The name is printed for shells to evaluate.
fn is_bearer_token(name: &str) -> bool {
    let service = name.strip_prefix("AWS_BEARER_TOKEN_");
    service.is_some_and(|service| service.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'))
}

/// Profiles, keys (also under Go's old names), their expiration, web identity, the container endpoints that ECS, EKS and
/// `CloudShell` set.
const SHADOWING: [&str; 20] = [
    "AWS_ACCESS_KEY",
    "AWS_SECRET_KEY",
    "AWS_CREDENTIAL_EXPIRATION",
    "AWS_SESSION_EXPIRATION",
    "ROLECALL_EXPIRATION",
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

/// The role's ARN.
pub(crate) const ROLE: &str = "ROLECALL_ROLE";

/// All variables that this program sets.
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
    ROLE,
    "ROLECALL_PROFILE",
];

impl Format {
    /// The format of the person's shell.
    pub(crate) fn of_this_terminal() -> Self {
        match Syntax::of_this_terminal() {
            Syntax::Posix => Self::Bash,
            Syntax::Fish => Self::Fish,
            Syntax::PowerShell => Self::Powershell,
            Syntax::Cmd => Self::Cmd,
        }
    }

    /// The text that sets the variables, and clears those in `clear` that it does not set.
    pub(crate) fn set(self, variables: &Variables, clear: &[String]) -> Result<SecretString, Problem> {
        if self == Self::Json {
            let pairs =
                variables.iter().map(|(name, value)| ((*name).to_owned(), value.expose_secret().into()));
            return Ok(serde_json::Value::Object(pairs.collect()).to_string().into());
        }
        let set = variables.iter().map(|(name, value)| self.assignment(name, value.expose_secret()));
        let unset = clear.iter().filter(|name| variables.iter().all(|(set, _)| set != name));
        let unset = unset.filter_map(|name| self.removal(name)).map(Ok);
        Ok(unset.chain(set).collect::<Result<Vec<_>, _>>()?.join("\n").into())
    }

    /// The text that clears the variables.
    pub(crate) fn unset(self, names: &[&str]) -> String {
        if self == Self::Json {
            let pairs = names.iter().map(|name| ((*name).to_owned(), serde_json::Value::Null));
            return serde_json::Value::Object(pairs.collect()).to_string();
        }
        names.iter().filter_map(|name| self.removal(name)).collect::<Vec<_>>().join("\n")
    }

    fn assignment(self, name: &str, value: &str) -> Result<String, Problem> {
        let assignment = match self.syntax() {
            Some(syntax) => syntax.assignment(name, value),
            None => shell::dotenv_assignment(name, value),
        };
        assignment.ok_or_else(|| {
            let message = format!("The value of {name} cannot be written in this format.");
            Problem::new(Code::Internal, message).with_next_step("Choose another format with --shell.")
        })
    }

    fn removal(self, name: &str) -> Option<String> {
        Some(self.syntax()?.removal(name))
    }

    /// The shell of the format, if it has one.
    fn syntax(self) -> Option<Syntax> {
        match self {
            Self::Bash | Self::Zsh => Some(Syntax::Posix),
            Self::Fish => Some(Syntax::Fish),
            Self::Powershell => Some(Syntax::PowerShell),
            Self::Cmd => Some(Syntax::Cmd),
            Self::Json | Self::Dotenv => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_that_is_set_is_not_cleared_first() {
        let variables: Variables = vec![("A", "it's".to_owned().into())];
        let set = |format: Format| {
            format.set(&variables, &["A".to_owned(), "B".to_owned()]).unwrap().expose_secret().to_owned()
        };
        assert_eq!(set(Format::Bash), "unset B\nexport A='it'\"'\"'s'");
        assert_eq!(set(Format::Fish), "set -e B\nset -gx A 'it\\'s'");
        assert!(set(Format::Powershell).ends_with("\n$Env:A = 'it''s'"));
        assert_eq!(set(Format::Cmd), "set \"B=\"\nset \"A=it's\"");
        assert!(Format::Dotenv.set(&variables, &[]).is_err());
        assert_eq!(set(Format::Json), "{\"A\":\"it's\"}");
    }

    #[test]
    fn a_bearer_token_of_a_service_is_recognised_by_its_name() {
        assert!(is_bearer_token("AWS_BEARER_TOKEN_BEDROCK") && is_bearer_token("AWS_BEARER_TOKEN_NEXT_ONE"));
        assert!(!is_bearer_token("AWS_BEARER") && !is_bearer_token("AWS_BEARER_TOKEN_X;echo"));
    }

    #[test]
    fn every_variable_that_is_set_can_be_cleared() {
        let credentials = Credentials {
            access_key_id: "A".into(),
            secret_access_key: "S".into(),
            session_token: "T".into(),
            expiration: chrono::DateTime::UNIX_EPOCH,
        };
        let target = Target {
            role: RoleKey {
                provider: "corp".parse().unwrap(),
                arn: "arn:aws:iam::123456789012:role/example".parse().unwrap(),
            },
            profile: "example".into(),
            region: "eu-west-1".parse().unwrap(),
            endpoint_url: Some("http://127.0.0.1:1/".parse().unwrap()),
        };
        let names: Vec<_> = of_keys(&credentials, &target).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ALL);
        assert!(Format::Zsh.unset(&ALL).starts_with("unset AWS_ACCESS_KEY_ID\nunset "));
    }
}
