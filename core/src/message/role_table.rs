//! The roles on their way from the worker to a page: one text, since an organisation may have ten thousand, and a page shows ten.

use crate::json::{Malformed, ReadJson, Value, WriteJson, Writer};
use crate::settings::{CredentialsMode, GroupBy, RoleKey};

/// Roles, in the order in which a page lists them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RoleTable {
    /// The fields of all roles, each ended by [`END`].
    text: String,
    /// Where each field ends in the text.
    ends: Vec<usize>,
}

/// One role of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RoleRow<'a> {
    /// The provider's id.
    pub provider: &'a str,
    /// The role's ARN.
    pub arn: &'a str,
    /// The account's alias or digits.
    pub account: &'a str,
    /// The AWS profile's name.
    pub profile: &'a str,
    /// A CSS colour. Empty without one.
    pub color: &'a str,
    /// What the account is for, such as `production`. Empty if that is not known.
    pub environment: &'a str,
    /// What the role is for, and further words by which it is found. May be empty.
    pub about: &'a str,
    /// How tools get the credentials.
    pub credentials: CredentialsMode,
    /// Whether it is only for groups that the person is not in.
    pub is_for_others: bool,
}

impl RoleTable {
    /// How many roles there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len() / FIELDS
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The role in this row.
    #[must_use]
    pub fn get(&self, row: usize) -> Option<RoleRow<'_>> {
        let first = row.checked_mul(FIELDS)?;
        let ends = self.ends.get(first..first.checked_add(FIELDS)?)?;
        let mut start = first.checked_sub(1).map_or(0, |before| self.ends[before] + 1);
        let mut ends = ends.iter();
        let mut field = || {
            let end = *ends.next()?;
            self.text.get(std::mem::replace(&mut start, end + 1)..end)
        };
        let mut field = || field().unwrap_or_default();
        Some(RoleRow {
            provider: field(),
            arn: field(),
            account: field(),
            profile: field(),
            color: field(),
            environment: field(),
            about: field(),
            credentials: match field() {
                FILE => CredentialsMode::File,
                NONE => CredentialsMode::None,
                _ => CredentialsMode::Process,
            },
            is_for_others: !field().is_empty(),
        })
    }

    /// All roles.
    pub fn rows(&self) -> impl Iterator<Item = RoleRow<'_>> {
        (0..self.len()).filter_map(|row| self.get(row))
    }

    /// Adds a role.
    pub fn push(&mut self, role: RoleRow<'_>) {
        let credentials = match role.credentials {
            CredentialsMode::Process => "",
            CredentialsMode::File => FILE,
            CredentialsMode::None => NONE,
        };
        let others = if role.is_for_others { OTHERS } else { "" };
        let RoleRow { provider, arn, account, profile, color, environment, about, .. } = role;
        for field in [provider, arn, account, profile, color, environment, about, credentials, others] {
            // No page shows a control character.
            self.text.extend(field.split(END));
            self.ends.push(self.text.len());
            self.text.push(END);
        }
    }
}

impl<'a> RoleRow<'a> {
    /// The role's name.
    #[must_use]
    pub fn name(&self) -> &'a str {
        self.arn.rsplit('/').next().unwrap_or_default()
    }

    /// The account's digits.
    #[must_use]
    pub fn account_id(&self) -> &'a str {
        self.arn.split(':').nth(4).unwrap_or_default()
    }

    /// What it has in common with the other roles of its group.
    #[must_use]
    pub fn group(&self, by: GroupBy) -> &'a str {
        match by {
            GroupBy::None => "",
            GroupBy::Account => self.account,
            GroupBy::Environment => self.environment,
        }
    }

    /// What identifies the role.
    #[must_use]
    pub fn key(&self) -> Option<RoleKey> {
        Some(RoleKey::new(self.provider.parse().ok()?, self.arn.parse().ok()?))
    }

    /// Whether it is the role of this key.
    #[must_use]
    pub fn is(&self, key: &RoleKey) -> bool {
        self.arn == key.arn.as_str() && self.provider == key.provider.as_str()
    }
}

impl WriteJson for RoleTable {
    fn write(&self, writer: &mut Writer) {
        writer.string(&self.text);
    }
}

impl ReadJson for RoleTable {
    fn read(value: Value<'_>) -> Result<Self, Malformed> {
        let text = String::read(value)?;
        let mut ends = Vec::new();
        for (at, byte) in text.bytes().enumerate() {
            if byte == END_BYTE {
                ends.push(at);
            }
        }
        Ok(Self { text, ends })
    }
}

/// A control character that JSON, unlike others, does not escape: a text without escapes is read without a copy.
const END: char = '\x7f';
const END_BYTE: u8 = b'\x7f';

const FIELDS: usize = 9;

const FILE: &str = "f";
const NONE: &str = "n";

const OTHERS: &str = "o";

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;
    use crate::json;

    const ROLE: RoleRow<'_> = RoleRow {
        provider: "corp",
        arn: "arn:aws:iam::123456789012:role/team/Developer",
        account: "Größe \"dev\"",
        profile: "dev",
        color: "",
        environment: "test",
        about: "",
        credentials: CredentialsMode::Process,
        is_for_others: false,
    };

    fn table(roles: &[RoleRow<'_>]) -> RoleTable {
        let mut table = RoleTable::default();
        for role in roles {
            table.push(*role);
        }
        table
    }

    #[test]
    fn roles_arrive_as_they_were_sent() {
        let console = RoleRow { color: "teal", credentials: CredentialsMode::None, ..ROLE };
        let file = RoleRow { profile: "", credentials: CredentialsMode::File, is_for_others: true, ..ROLE };
        let roles = [ROLE, console, file];
        let arrived: RoleTable = json::from_str(&json::to_string(&table(&roles))).unwrap();
        assert_eq!(arrived, table(&roles));
        assert!(arrived.rows().eq(roles));
        assert_eq!((arrived.len(), arrived.get(3)), (3, None));
    }

    #[test]
    fn a_role_is_known_by_its_provider_and_its_arn() {
        assert_eq!((ROLE.name(), ROLE.account_id()), ("Developer", "123456789012"));
        let key = ROLE.key().unwrap();
        assert!(ROLE.is(&key));
        assert!(!RoleRow { provider: "other", ..ROLE }.is(&key));
    }

    #[test]
    fn what_ends_a_field_cannot_be_in_one() {
        let hostile = RoleRow { account: "a\x7fb\x7f\x7f\x7f\x7fc", ..ROLE };
        let roles = table(&[hostile, ROLE]);
        assert_eq!(roles.get(0).unwrap().account, "abc");
        assert_eq!(roles.get(1), Some(ROLE));
    }
}
