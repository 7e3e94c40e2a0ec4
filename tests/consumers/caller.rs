//! Prints the caller's ARN for each input line, with the SDK for Rust. For a line that contains "hold", it prints its
//! credentials in the format of a `credential_process`.

use anyhow::{Context as _, Result};
use aws_config::BehaviorVersion;
use aws_credential_types::attributes::AccountId;
use aws_credential_types::provider::ProvideCredentials as _;
use aws_sdk_sts::Client;
use aws_smithy_http_client::Builder;
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::json;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let http = Builder::new().build_http();
    let config = aws_config::defaults(BehaviorVersion::latest()).http_client(http).load().await;
    let sts = Client::new(&config);
    for line in std::io::stdin().lines() {
        if line?.contains("hold") {
            let provider = config.credentials_provider().context("no credentials")?;
            let held = provider.provide_credentials().await?;
            let expiration: Option<DateTime<Utc>> = held.expiry().map(Into::into);
            let document = json!({
                "AccessKeyId": held.access_key_id(),
                "SecretAccessKey": held.secret_access_key(),
                "SessionToken": held.session_token(),
                "Expiration": expiration.map(|time| time.to_rfc3339_opts(SecondsFormat::Secs, true)),
                "AccountId": held.account_id().map(AccountId::as_str),
            });
            println!("{document}");
        } else {
            let identity = sts.get_caller_identity().send().await?;
            println!("{}", identity.arn().context("the response has no ARN")?);
        }
    }
    Ok(())
}
