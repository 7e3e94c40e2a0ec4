//! Role ARNs: `arn:PARTITION:iam::ACCOUNT:role/PATH/NAME` (IAM User Guide, "IAM identifiers").

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::Serialize;

use super::Partition;
use crate::json::as_text;

/// The ARN of an IAM role, checked when it enters the product. It is shared, since it is copied often.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(into = "String")]
pub struct RoleArn(Arc<Parts>);

/// An ARN and what it is made of.
#[derive(PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Parts {
    text: String,
    partition: Partition,
    account: AccountId,
    name_start: usize,
}

impl RoleArn {
    /// The ARN as AWS writes it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0.text
    }

    /// The partition the role lives in.
    #[must_use]
    pub fn partition(&self) -> Partition {
        self.0.partition
    }

    /// The account the role lives in.
    #[must_use]
    pub fn account(&self) -> &AccountId {
        &self.0.account
    }

    /// The role's name, without its path.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.text[self.0.name_start..]
    }

    /// What all spellings of the role have in common: IAM's names are unique within an account, whatever their path, and not
    /// distinguished by case (IAM User Guide, "IAM and AWS STS quotas").
    pub(crate) fn identity(&self) -> String {
        self.account().as_str().to_owned() + &self.name().to_ascii_lowercase()
    }
}

as_text!(RoleArn, AccountId);

impl FromStr for RoleArn {
    type Err = ArnError;

    fn from_str(text: &str) -> Result<Self, ArnError> {
        let refuse = |reason| ArnError { text: text.chars().take(80).collect(), reason };
        // STS API reference, RoleArn: 20 to 2048 characters.
        if !(20..=2048).contains(&text.len()) {
            return Err(refuse("it must have 20 to 2048 characters"));
        }
        let mut parts = text.splitn(6, ':');
        let mut next = || parts.next().unwrap_or_default();
        if next() != "arn" {
            return Err(refuse("it must start with arn:"));
        }
        let partition = Partition::from_id(next()).ok_or_else(|| refuse("its partition is not known"))?;
        if next() != "iam" {
            return Err(refuse("it must name the service iam"));
        }
        if !next().is_empty() {
            return Err(refuse("an IAM ARN has no region"));
        }
        let account = next().parse().map_err(|()| refuse("its account must have 12 digits"))?;
        let path = next().strip_prefix("role/").ok_or_else(|| refuse("it must name a role"))?;
        // CreateRole: Path is printable ASCII between slashes, RoleName is [\w+=,.@-]{1,64}.
        let name = path.rsplit('/').next().unwrap_or_default();
        if !(1..=64).contains(&name.len()) || !name.bytes().all(is_name_byte) {
            return Err(refuse("its role name must have 1 to 64 characters of A-Z a-z 0-9 _+=,.@-"));
        }
        // With its slashes, of which the ARN leaves out the first.
        if path.len() - name.len() > MAX_PATH - 1 || !path.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(refuse("its path must have at most 512 characters of printable ASCII"));
        }
        let name_start = text.len() - name.len();
        Ok(Self(Arc::new(Parts { text: text.to_owned(), partition, account, name_start })))
    }
}

impl fmt::Display for RoleArn {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl fmt::Debug for RoleArn {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl TryFrom<String> for RoleArn {
    type Error = ArnError;

    fn try_from(text: String) -> Result<Self, ArnError> {
        text.parse()
    }
}

impl From<RoleArn> for String {
    fn from(arn: RoleArn) -> Self {
        arn.as_str().to_owned()
    }
}

/// A 12-digit account id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(into = "String")]
pub struct AccountId(String);

impl AccountId {
    /// The digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for AccountId {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let valid = text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
        if valid { Ok(Self(text.to_owned())) } else { Err(()) }
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl TryFrom<String> for AccountId {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse().map_err(|()| format!("the account id \"{text}\" must have 12 digits"))
    }
}

impl From<AccountId> for String {
    fn from(account: AccountId) -> Self {
        account.0
    }
}

/// Text that is not a role's ARN.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{text}\" is not the ARN of an IAM role: {reason}.")]
pub struct ArnError {
    text: String,
    reason: &'static str,
}

/// The longest path of a role (IAM API reference, `CreateRole`).
const MAX_PATH: usize = 512;

/// IAM names and STS session names: `[\w+=,.@-]`, ASCII.
pub(crate) fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte)
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn a_role_arn_gives_its_parts() {
        let arn: RoleArn = "arn:aws-cn:iam::123456789012:role/teams/data/Analyst+1".parse().unwrap();
        assert_eq!(arn.partition(), Partition::AwsCn);
        assert_eq!(arn.account().as_str(), "123456789012");
        assert_eq!(arn.name(), "Analyst+1");
        let longest = format!("arn:aws:iam::123456789012:role/{}/developer", "x".repeat(510));
        assert!(longest.parse::<RoleArn>().is_ok());
    }

    #[test]
    fn what_is_not_a_role_arn_is_refused_with_the_reason() {
        for (text, reason) in [
            ("arn:aws:iam::123456789012:user/somebody", "it must name a role"),
            ("arn:aws:iam::12345678901:role/developer", "its account must have 12 digits"),
            ("arn:aws:iam::123456789012:role/a b c d", "its role name must have"),
            ("arn:aws:iam::123456789012:role/path/", "its role name must have"),
            ("arn:aws:iam:eu-west-1:123456789012:role/x", "an IAM ARN has no region"),
            ("arn:aws-moon:iam::123456789012:role/x", "its partition is not known"),
            ("arn:aws:sts::123456789012:assumed-role/x", "it must name the service iam"),
            ("arn:aws:iam::1:role", "20 to 2048"),
            ("arn:aws:iam::123456789012:role/a b/developer", "its path must have"),
            ("arn:aws:iam::123456789012:role/a\u{7f}/developer", "its path must have"),
            ("arn:aws:iam::123456789012:role/a\u{2019}/developer", "its path must have"),
            ("arn:aws:iam::123456789012:role/dev\u{2019}eloper", "its role name must have"),
            (&format!("arn:aws:iam::123456789012:role/{}/developer", "x".repeat(511)), "its path must have"),
        ] {
            let error = text.parse::<RoleArn>().unwrap_err().to_string();
            assert!(error.contains(reason), "{error}");
        }
    }
}
