//! `rolecall whoami`: the identity of a profile's credentials.

use std::process::ExitCode;

use rolecall_core::aws::Region;
use rolecall_core::settings::Endpoint;
use rolecall_core::{Code, Problem};

use crate::output::{self, Outcome};
use crate::sdk_profile::SdkProfile;
use crate::{caller_identity, profile};

/// Ask AWS which identity a profile's credentials belong to.
///
/// Resolves the profile as AWS tools do: keys in the credentials file first, then credential_process.
/// Honours AWS_ENDPOINT_URL_STS, AWS_ENDPOINT_URL and the profile's endpoint_url, in this order.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: rolecall whoami --profile example-dev")]
pub(crate) struct Whoami {
    /// The AWS profile.
    #[arg(long, env = "AWS_PROFILE", default_value = "default", hide_env_values = true)]
    profile: String,
    /// Print JSON instead of text.
    #[arg(long)]
    json: bool,
}

impl Whoami {
    pub(crate) fn run(self) -> Outcome {
        let profile = SdkProfile::read(&profile::files()?, &self.profile)?;
        if let Some(trap) = profile.shadowing() {
            output::warn(format_args!("{trap}. To fix it, run: rolecall doctor"));
        }
        let region = region(&profile)?;
        let endpoint = endpoint(&profile, &region)?;
        let identity = caller_identity::ask(&endpoint, &region, &profile.keys()?)?;
        if self.json {
            output::json(&identity)?;
        } else {
            output::data(format_args!("account  {}", identity.account))?;
            output::data(format_args!("arn      {}", identity.arn))?;
            output::data(format_args!("user id  {}", identity.user_id))?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn region(profile: &SdkProfile) -> Result<Region, Problem> {
    let variable = ["AWS_REGION", "AWS_DEFAULT_REGION"].iter().find_map(|name| variable(name));
    let text = variable.or_else(|| profile.setting("region").map(str::to_owned));
    // Every region's STS gives the same answer; the region only selects the endpoint.
    let text = text.unwrap_or_else(|| "us-east-1".to_owned());
    text.parse().map_err(|error| Problem::new(Code::RegionInvalid, format!("{error}")))
}

fn endpoint(profile: &SdkProfile, region: &Region) -> Result<Endpoint, Problem> {
    let variable = ["AWS_ENDPOINT_URL_STS", "AWS_ENDPOINT_URL"].iter().find_map(|name| variable(name));
    match variable.or_else(|| profile.setting("endpoint_url").map(str::to_owned)) {
        Some(text) => text.parse().map_err(|error| {
            Problem::new(Code::SettingsInvalid, format!("The STS endpoint is invalid: {error}."))
        }),
        None => caller_identity::sts_of(region).ok_or_else(|| {
            Problem::new(Code::RegionInvalid, format!("No STS endpoint is known for the region {region}."))
        }),
    }
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
