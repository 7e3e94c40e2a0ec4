//! Temporary credentials, as `AssumeRoleWithWebIdentity` gives them.

use secrecy::{ExposeSecret, SecretString};

use crate::json::{self, ReadJson, WriteJson};
use crate::secret;
use crate::time::{self, DateTime, TimeDelta, Utc};

/// A role's temporary credentials: zeroed on drop, redacted in `Debug`.
///
/// No pattern is demanded of the key id or the secret: S3-compatible services issue other shapes than AWS.
#[derive(Debug, Clone, ReadJson, WriteJson)]
#[json(rename_all = "camelCase")]
pub struct Credentials {
    /// Not secret by itself, but it identifies the session; shown masked.
    pub access_key_id: String,
    /// The signing key.
    #[json(write = secret::exposed)]
    pub secret_access_key: SecretString,
    /// The token that goes with every request.
    #[json(write = secret::exposed)]
    pub session_token: SecretString,
    /// When AWS stops accepting them.
    pub expiration: DateTime<Utc>,
}

impl Credentials {
    /// How long they still work. Negative once expired.
    #[must_use]
    pub fn time_left(&self, now: DateTime<Utc>) -> TimeDelta {
        self.expiration - now
    }

    /// The document a `credential_process` prints: version 1, RFC 3339 with `Z`, nothing else.
    ///
    /// Source: AWS SDKs and Tools Reference Guide, "Process credential provider".
    #[must_use]
    pub fn to_process_json(&self, account: &super::AccountId) -> SecretString {
        #[derive(WriteJson)]
        #[json(rename_all = "PascalCase")]
        struct Document<'a> {
            version: u8,
            access_key_id: &'a str,
            secret_access_key: &'a str,
            session_token: &'a str,
            expiration: String,
            account_id: &'a str,
        }
        let document = Document {
            version: 1,
            access_key_id: &self.access_key_id,
            secret_access_key: self.secret_access_key.expose_secret(),
            session_token: self.session_token.expose_secret(),
            expiration: time::to_rfc3339(self.expiration),
            account_id: account.as_str(),
        };
        json::to_string(&document).as_str().into()
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    fn credentials() -> Credentials {
        Credentials {
            access_key_id: "ASIAEXAMPLE".into(),
            secret_access_key: "very/secret+key".into(),
            session_token: "token==".into(),
            expiration: "2030-01-02T03:04:05.678Z".parse().unwrap(),
        }
    }

    #[test]
    fn debug_output_holds_no_secret() {
        let shown = format!("{:?}", credentials());
        assert!(!shown.contains("very/secret+key") && !shown.contains("token=="), "{shown}");
    }

    #[test]
    fn the_process_document_is_what_every_sdk_parses() {
        let json = credentials().to_process_json(&"123456789012".parse().unwrap());
        assert_eq!(
            json.expose_secret(),
            r#"{"Version":1,"AccessKeyId":"ASIAEXAMPLE","SecretAccessKey":"very/secret+key","SessionToken":"token==","Expiration":"2030-01-02T03:04:05Z","AccountId":"123456789012"}"#
        );
    }
}
