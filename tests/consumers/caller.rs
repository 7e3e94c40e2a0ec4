//! Says who it is to AWS, with the SDK for Rust: the ARN of the caller, for every line that it is given.

use anyhow::{Context as _, Result};
use aws_config::BehaviorVersion;
use aws_sdk_sts::Client;
use aws_smithy_http_client::Builder;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let http = Builder::new().build_http();
    let config = aws_config::defaults(BehaviorVersion::latest()).http_client(http).load().await;
    let sts = Client::new(&config);
    for line in std::io::stdin().lines() {
        line?;
        let identity = sts.get_caller_identity().send().await?;
        println!("{}", identity.arn().context("the answer names nobody")?);
    }
    Ok(())
}
