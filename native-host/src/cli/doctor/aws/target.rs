//! The AWS services to check.

use rolecall_core::aws::Partition;
use rolecall_core::settings::Endpoint;
use serde::Serialize;

/// A service of AWS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Service {
    Sts,
    SignIn,
}

impl Service {
    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Sts => "STS",
            Self::SignIn => "Console sign-in",
        }
    }
}

/// A server to check.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) service: Service,
    pub(super) partition: Partition,
    pub(super) endpoint: Endpoint,
    /// AWS's own host, which may be reported; an address from the settings may not.
    pub(super) host: Option<String>,
}

impl Target {
    pub(super) fn new(
        service: Service,
        partition: Partition,
        usual: String,
        chosen: Option<&Endpoint>,
    ) -> Option<Self> {
        let path = if service == Service::Sts { "/" } else { "/federation" };
        let endpoint = match chosen {
            Some(chosen) => chosen.clone(),
            None => format!("https://{usual}{path}").parse().ok()?,
        };
        let host = Some(usual).filter(|host| endpoint.url().host_str() == Some(host));
        Some(Self { service, partition, endpoint, host })
    }

    /// The address as shown at this terminal.
    pub(super) fn address(&self) -> &str {
        self.endpoint.url().as_str()
    }
}
