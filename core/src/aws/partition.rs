//! Partitions and regions: which domain answers for which region. The one place for endpoint facts.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

use crate::json::as_text;
use crate::text;

/// A partition: a group of regions with its own domains, accounts and ARNs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Partition {
    /// `aws`, commercial regions.
    Aws,
    /// `aws-cn`, China.
    AwsCn,
    /// `aws-us-gov`, the US government's regions.
    AwsUsGov,
    /// `aws-eusc`, the European Sovereign Cloud.
    AwsEusc,
    /// `aws-iso`.
    AwsIso,
    /// `aws-iso-b`.
    AwsIsoB,
    /// `aws-iso-e`.
    AwsIsoE,
    /// `aws-iso-f`.
    AwsIsoF,
}

impl Partition {
    /// Every partition.
    pub const ALL: [Self; 8] = [
        Self::Aws,
        Self::AwsCn,
        Self::AwsUsGov,
        Self::AwsEusc,
        Self::AwsIso,
        Self::AwsIsoB,
        Self::AwsIsoE,
        Self::AwsIsoF,
    ];

    /// The partition of an ARN's second field.
    #[must_use]
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|partition| partition.id() == id)
    }

    /// The partition as ARNs write it.
    #[must_use]
    pub fn id(self) -> &'static str {
        self.facts().id
    }

    /// The region asked when the settings name none. Other than in `aws`, every endpoint is regional.
    #[must_use]
    pub fn default_region(self) -> Region {
        Region(self.facts().default_region.to_owned())
    }

    /// The host of STS in a region, such as `sts.eu-west-1.amazonaws.com`.
    #[must_use]
    pub fn sts_host(self, region: &Region) -> String {
        self.host("sts", region)
    }

    /// The host of a service in a region.
    #[must_use]
    pub fn host(self, service: &str, region: &Region) -> String {
        format!("{service}.{region}.{}", self.facts().suffix)
    }

    /// The host of the console's federation endpoint.
    #[must_use]
    pub fn sign_in_host(self, region: &Region) -> String {
        text::replace(self.facts().sign_in, "{region}", region.as_str())
    }

    /// The host of the console itself, or `None` where none is known (the ISO partitions).
    #[must_use]
    pub fn console_host(self, region: &Region) -> Option<String> {
        self.facts().console.map(|host| text::replace(host, "{region}", region.as_str()))
    }

    /// The match pattern of all addresses of the partition's console, or `None` where none is known.
    #[must_use]
    pub fn console_pattern(self) -> Option<String> {
        let host = self.facts().console?;
        let host = host.strip_prefix("{region}.").unwrap_or(host);
        Some(["https://*.", host, "/*"].concat())
    }

    /// Whether a host is one of this partition's STS hosts, in whichever form: global, regional, FIPS, dual-stack or in a
    /// VPC. Another service's host may begin alike, such as that of a bucket.
    #[must_use]
    pub fn is_sts_host(self, host: &str) -> bool {
        self.region_of_sts_host(host).is_some()
    }

    /// The region of one of this partition's STS hosts.
    #[must_use]
    pub fn region_of_sts_host(self, host: &str) -> Option<Region> {
        let is_region = |label: &str| {
            let area = label.split_once('-').map(|(area, _)| area);
            area.is_some_and(|area| area.bytes().all(|byte| byte.is_ascii_lowercase()))
        };
        match self.labels_below(host).as_deref() {
            Some(["sts"]) => Some(self.default_region()),
            Some(["sts" | "sts-fips", region] | [_, "sts" | "sts-fips", region, "vpce"])
                if is_region(region) =>
            {
                region.parse().ok()
            }
            _ => None,
        }
    }

    /// Whether a host is one of this partition's sign-in hosts, where the console's sessions begin: `signin`, also
    /// regional and FIPS.
    #[must_use]
    pub fn is_sign_in_host(self, host: &str) -> bool {
        matches!(
            self.labels_below(host).as_deref(),
            Some(["signin" | "signin-fips"] | [_, "signin" | "signin-fips"])
        )
    }

    /// Whether a host is one of this partition's consoles: `console`, also of a region or of a service, and of one session
    /// of several, as in `123456789012-a1b2c3d4.eu-west-1.console.aws.amazon.com`.
    #[must_use]
    pub fn is_console_host(self, host: &str) -> bool {
        let [.., domain] = self.domains();
        let labels = host.strip_suffix(domain).and_then(|labels| labels.strip_suffix('.'));
        let is_label = |label: &str| label.parse::<Region>().is_ok();
        let labels = labels.filter(|_| self.facts().console.is_some());
        match labels.map(|labels| labels.split('.').collect::<Vec<_>>()).as_deref() {
            Some(["console"]) => true,
            Some([area, "console"]) => is_label(area),
            Some([session, area, "console"]) => is_session_label(session) && is_label(area),
            _ => false,
        }
    }

    /// What stands before the partition's domain in a host.
    fn labels_below(self, host: &str) -> Option<Vec<&str>> {
        let mut below =
            self.domains().into_iter().filter_map(|domain| host.strip_suffix(domain)?.strip_suffix('.'));
        below.next().map(|labels| labels.split('.').collect())
    }

    /// The domains of its services, of their dual-stack endpoints, and of its console. From botocore's `partitions.json` and
    /// its endpoint rules for sign-in.
    fn domains(self) -> [&'static str; 3] {
        match self {
            Self::Aws => ["amazonaws.com", "api.aws", "aws.amazon.com"],
            Self::AwsCn => ["amazonaws.com.cn", "api.amazonwebservices.com.cn", "amazonaws.cn"],
            Self::AwsUsGov => ["amazonaws.com", "api.aws", "amazonaws-us-gov.com"],
            Self::AwsEusc => ["amazonaws.eu", "api.amazonwebservices.eu", "amazonaws-eusc.eu"],
            Self::AwsIso => ["c2s.ic.gov", "api.aws.ic.gov", "c2shome.ic.gov"],
            Self::AwsIsoB => ["sc2s.sgov.gov", "api.aws.scloud", "sc2shome.sgov.gov"],
            Self::AwsIsoE => ["cloud.adc-e.uk", "api.cloud-aws.adc-e.uk", "csphome.adc-e.uk"],
            Self::AwsIsoF => ["csp.hci.ic.gov", "api.aws.hci.ic.gov", "csphome.hci.ic.gov"],
        }
    }

    fn facts(self) -> Facts {
        let facts = |id, suffix, default_region, sign_in, console| Facts {
            id,
            suffix,
            default_region,
            sign_in,
            console,
        };
        match self {
            Self::Aws => facts(
                "aws",
                "amazonaws.com",
                "us-east-1",
                "{region}.signin.aws.amazon.com",
                Some("{region}.console.aws.amazon.com"),
            ),
            Self::AwsCn => facts(
                "aws-cn",
                "amazonaws.com.cn",
                "cn-north-1",
                "signin.amazonaws.cn",
                Some("console.amazonaws.cn"),
            ),
            Self::AwsUsGov => facts(
                "aws-us-gov",
                "amazonaws.com",
                "us-gov-west-1",
                "signin.amazonaws-us-gov.com",
                Some("console.amazonaws-us-gov.com"),
            ),
            Self::AwsEusc => facts(
                "aws-eusc",
                "amazonaws.eu",
                "eusc-de-east-1",
                "{region}.signin.amazonaws-eusc.eu",
                Some("console.amazonaws-eusc.eu"),
            ),
            // The sign-in hosts are botocore's; no source tells the consoles' hosts.
            Self::AwsIso => {
                facts("aws-iso", "c2s.ic.gov", "us-iso-east-1", "{region}.signin.c2shome.ic.gov", None)
            }
            Self::AwsIsoB => facts(
                "aws-iso-b",
                "sc2s.sgov.gov",
                "us-isob-east-1",
                "{region}.signin.sc2shome.sgov.gov",
                None,
            ),
            Self::AwsIsoE => facts(
                "aws-iso-e",
                "cloud.adc-e.uk",
                "eu-isoe-west-1",
                "{region}.signin.csphome.adc-e.uk",
                None,
            ),
            Self::AwsIsoF => facts(
                "aws-iso-f",
                "csp.hci.ic.gov",
                "us-isof-south-1",
                "{region}.signin.csphome.hci.ic.gov",
                None,
            ),
        }
    }
}

struct Facts {
    id: &'static str,
    suffix: &'static str,
    default_region: &'static str,
    sign_in: &'static str,
    console: Option<&'static str>,
}

/// A region's name, such as `eu-west-1`: a single DNS label, so that it cannot change the host it becomes part of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(into = "String")]
pub struct Region(String);

impl Region {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

as_text!(Region);

impl FromStr for Region {
    type Err = RegionError;

    fn from_str(text: &str) -> Result<Self, RegionError> {
        let label = (1..=63).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
            && !text.starts_with('-')
            && !text.ends_with('-');
        if label { Ok(Self(text.to_owned())) } else { Err(RegionError(text.chars().take(80).collect())) }
    }
}

impl fmt::Display for Region {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl TryFrom<String> for Region {
    type Error = RegionError;

    fn try_from(text: String) -> Result<Self, RegionError> {
        text.parse()
    }
}

impl From<Region> for String {
    fn from(region: Region) -> Self {
        region.0
    }
}

/// Whether the first label of a console's host is that of one session of several: `ACCOUNT-` and 8 letters or digits.
#[must_use]
pub fn is_session_label(label: &str) -> bool {
    let is_account = |digits: &str| digits.len() == 12 && digits.bytes().all(|byte| byte.is_ascii_digit());
    let is_id =
        |id: &str| id.len() == 8 && id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    label.split_once('-').is_some_and(|(account, id)| is_account(account) && is_id(id))
}

/// Text that is not a region.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is not an AWS region.")]
pub struct RegionError(String);

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn every_partition_has_its_own_sts_host() {
        let hosts: Vec<_> = Partition::ALL.map(|p| p.sts_host(&p.default_region())).into();
        assert_eq!(
            hosts,
            [
                "sts.us-east-1.amazonaws.com",
                "sts.cn-north-1.amazonaws.com.cn",
                "sts.us-gov-west-1.amazonaws.com",
                "sts.eusc-de-east-1.amazonaws.eu",
                "sts.us-iso-east-1.c2s.ic.gov",
                "sts.us-isob-east-1.sc2s.sgov.gov",
                "sts.eu-isoe-west-1.cloud.adc-e.uk",
                "sts.us-isof-south-1.csp.hci.ic.gov",
            ]
        );
    }

    #[test]
    fn a_match_pattern_has_all_hosts_of_a_partitions_console() {
        let patterns: Vec<_> = Partition::ALL.into_iter().filter_map(Partition::console_pattern).collect();
        assert_eq!(
            patterns,
            [
                "https://*.console.aws.amazon.com/*",
                "https://*.console.amazonaws.cn/*",
                "https://*.console.amazonaws-us-gov.com/*",
                "https://*.console.amazonaws-eusc.eu/*",
            ]
        );
    }

    #[test]
    fn awss_own_hosts_are_told_from_others() {
        for (partition, host) in [
            (Partition::Aws, "sts.amazonaws.com"),
            (Partition::Aws, "sts-fips.us-east-1.amazonaws.com"),
            (Partition::Aws, "sts.eu-west-1.api.aws"),
            (Partition::Aws, "vpce-0a1b-2c3d.sts.us-east-1.vpce.amazonaws.com"),
            (Partition::AwsCn, "sts.cn-north-1.amazonaws.com.cn"),
            (Partition::AwsEusc, "sts.eusc-de-east-1.amazonaws.eu"),
        ] {
            assert!(partition.is_sts_host(host), "{host}");
        }
        for host in [
            "sts.example.com",
            "amazonaws.com",
            "sts.amazonaws.com.evil.example",
            "notamazonaws.com",
            "sts.cn-north-1.amazonaws.com.cn",
            "ec2.amazonaws.com",
            "127.0.0.1",
            "sts.evilamazonaws.com",
            // Buckets of that name, and other people's servers.
            "sts.s3.amazonaws.com",
            "sts.s3-eu-west-1.amazonaws.com",
            "sts.s3.eu-west-1.amazonaws.com",
            "sts.gateway.us-east-1.elb.amazonaws.com",
        ] {
            assert!(!Partition::Aws.is_sts_host(host), "{host}");
        }
        for (partition, host) in [
            (Partition::Aws, "us-east-1.signin.aws.amazon.com"),
            (Partition::Aws, "signin.aws.amazon.com"),
            (Partition::AwsUsGov, "signin-fips.amazonaws-us-gov.com"),
            (Partition::AwsIso, "us-iso-east-1.signin.c2shome.ic.gov"),
        ] {
            assert!(partition.is_sign_in_host(host), "{host}");
        }
        assert!(!Partition::Aws.is_sign_in_host("signin.example.com"));
    }

    #[test]
    fn hosts_of_the_console_are_told_from_others_and_from_other_partitions() {
        for (partition, hosts) in [
            (
                Partition::Aws,
                &[
                    "console.aws.amazon.com",
                    "eu-west-1.console.aws.amazon.com",
                    "s3.console.aws.amazon.com",
                    "123456789012-a1b2c3d4.eu-west-1.console.aws.amazon.com",
                ][..],
            ),
            (Partition::AwsCn, &["console.amazonaws.cn", "cn-north-1.console.amazonaws.cn"]),
            (
                Partition::AwsUsGov,
                &["console.amazonaws-us-gov.com", "us-gov-west-1.console.amazonaws-us-gov.com"],
            ),
            (Partition::AwsEusc, &["console.amazonaws-eusc.eu", "eusc-de-east-1.console.amazonaws-eusc.eu"]),
        ] {
            for host in hosts {
                for other in Partition::ALL {
                    assert_eq!(other.is_console_host(host), other == partition, "{host} in {other:?}");
                }
            }
        }
        for host in [
            "aws.amazon.com",
            "signin.aws.amazon.com",
            "console.aws.amazon.com.evil.example",
            "evilconsole.aws.amazon.com",
            "a.b.console.aws.amazon.com",
            ".console.aws.amazon.com",
            "console.amazonaws.com",
            "console.s3.amazonaws.com",
        ] {
            assert!(!Partition::Aws.is_console_host(host), "{host}");
        }
        assert!(!Partition::AwsIso.is_console_host("console.c2shome.ic.gov"), "no source tells it");
    }

    #[test]
    fn a_region_cannot_change_the_host() {
        for text in ["", "evil.example", "eu-west-1/", "-a", "a-", "EU-WEST-1", "a b", "a@b"] {
            assert!(text.parse::<Region>().is_err(), "{text}");
        }
    }
}
