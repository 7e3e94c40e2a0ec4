//! `rolecall doctor --aws`: whether AWS still responds as documented.
//!
//! It needs no permissions and discloses nothing to AWS: tokens and keys are made up, and AWS refuses each request. A
//! response is reduced to its shape (status, type, names, the kind of error) before it is compared, shown or reported:
//! no account, no role's name, no provider's host.

mod expected;
mod probes;
mod shape;
mod target;

use std::path::Path;
use std::process::ExitCode;

use chrono::Utc;
use rolecall_core::aws::{Partition, Region};
use rolecall_core::platform::TransportError;
use rolecall_core::settings::{Effective, Endpoint, Provider, Role};
use rolecall_core::{Code, Problem};
use serde::Serialize;

use crate::output::{self, BAD, DIM, Failure, GOOD, Outcome, WARN};
use crate::{http_client, platform, whole_file};
use expected::Expected;
use probes::Probe;
use shape::Shape;
use target::{Service, Target};

/// Checks the services that the settings' roles use, or AWS in its main region if there are none.
pub(super) fn run(
    settings: &Effective,
    region: Option<&Region>,
    report: Option<&Path>,
    json: bool,
) -> Outcome {
    let roles = settings.roles().map(|role| &role.value);
    let targets = targets(roles.filter_map(|role| Some((role, settings.provider(&role.provider)?))), region);
    announce(&targets);
    let mut asked = Vec::new();
    for target in &targets {
        let target = ask(target);
        if !json {
            target.print()?;
        }
        asked.push(target);
    }
    let report_of = Report::new(asked);
    if json {
        output::json(&report_of)?;
    } else {
        output::data(report_of.summary())?;
    }
    if let Some(path) = report {
        let failed = |error: std::io::Error| {
            Problem::new(Code::FileFailed, format!("Could not write {}: {error}.", path.display()))
        };
        let text = serde_json::to_string_pretty(&report_of).map_err(std::io::Error::other).map_err(failed)?;
        whole_file::write(path, &(text + "\n")).map_err(failed)?;
        output::note(format_args!(
            "Wrote the report to {}. It contains nothing about you or your organisation.",
            output::short_path(path)
        ));
    }
    Ok(if report_of.is_as_recorded() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The targets of roles and their providers, without duplicates.
fn targets<'a>(
    roles: impl IntoIterator<Item = (&'a Role, &'a Provider)>,
    region: Option<&Region>,
) -> Vec<Target> {
    let mut targets: Vec<Target> = Vec::new();
    let mut add = |target: Option<Target>| {
        if let Some(target) = target
            && !targets
                .iter()
                .any(|known| known.service == target.service && known.endpoint == target.endpoint)
        {
            targets.push(target);
        }
    };
    let mut any = false;
    for (role, provider) in roles {
        any = true;
        let partition = role.arn.partition();
        let region = region.cloned().unwrap_or_else(|| role.region());
        let (sts, console) = (provider.sts_endpoint.as_ref(), provider.console_endpoint.as_ref());
        add(Target::new(Service::Sts, partition, partition.sts_host(&region), sts));
        // With an STS that is not AWS's, the console is not AWS's either, if there is one.
        let host = |endpoint: &Endpoint| endpoint.url().host_str().unwrap_or_default().to_owned();
        if console.is_some() || sts.is_none_or(|sts| partition.is_sts_host(&host(sts))) {
            add(Target::new(Service::SignIn, partition, partition.sign_in_host(&region), console));
        }
    }
    if !any {
        let partition = Partition::Aws;
        let region = region.cloned().unwrap_or_else(|| partition.default_region());
        add(Target::new(Service::Sts, partition, partition.sts_host(&region), None));
        add(Target::new(Service::SignIn, partition, partition.sign_in_host(&region), None));
    }
    targets
}

/// Prints the addresses before anything is sent.
fn announce(targets: &[Target]) {
    output::note("Sending these requests. Their tokens and keys are made up; they contain nothing of yours:");
    for target in targets {
        let what = match target.service {
            Service::Sts => "AssumeRoleWithWebIdentity with invalid tokens, and preflights",
            Service::SignIn => "getSigninToken with invalid keys, and preflights",
        };
        output::note(format_args!("  {}  {DIM}{what}{DIM:#}", target.address()));
    }
}

fn ask(target: &Target) -> TargetReport {
    let mut probes: Vec<ProbeReport> = Vec::new();
    for Probe { name, request, expected } in probes::of(target) {
        let (verdict, shape) = match http_client::send(request) {
            Ok(response) => {
                let shape = Shape::of(&response);
                (Verdict::of(target.service, expected, &shape), Some(shape))
            }
            Err(error) => (Verdict::NotReachable { reason: reason_of(&error) }, None),
        };
        let gone = matches!(verdict, Verdict::NotReachable { .. });
        probes.push(ProbeReport { request: name, verdict, shape, source: expected.source });
        if gone {
            // A host that cannot be reached is not tried again for each request.
            break;
        }
    }
    TargetReport {
        service: target.service,
        partition: target.partition.id(),
        host: target.host.clone().unwrap_or_else(|| "an address from the settings".to_owned()),
        address: target.address().to_owned(),
        probes,
    }
}

/// Why there is no response, in words that name no host.
fn reason_of(error: &TransportError) -> Reason {
    match error {
        TransportError::TimedOut { .. } => Reason::TimedOut,
        TransportError::TooLarge { .. } => Reason::TooLarge,
        TransportError::CertificateUntrusted { .. } => Reason::Certificate,
        // The client's error is "CONNECT proxy failed".
        TransportError::Unreachable { reason, .. } if reason.contains("proxy") => Reason::Proxy,
        _ => Reason::Unreachable,
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Reason {
    Unreachable,
    TimedOut,
    TooLarge,
    Certificate,
    Proxy,
}

impl Reason {
    fn sentence(self) -> &'static str {
        match self {
            Self::Unreachable => {
                "no response; check the network connection, and HTTPS_PROXY if you need a proxy"
            }
            Self::TimedOut => "no response in time; check the network connection",
            Self::TooLarge => "the response is larger than any of AWS's",
            Self::Certificate => {
                "the certificate is not trusted: a proxy between here and AWS presents its own, whose authority \
                 this computer does not trust"
            }
            Self::Proxy => "the proxy in HTTPS_PROXY does not connect to it",
        }
    }
}

/// How a response compares with the documented one.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "result", rename_all = "kebab-case")]
enum Verdict {
    Ok,
    Differs {
        differences: Vec<String>,
    },
    /// Something between here and AWS responded.
    NotAws,
    NotReachable {
        reason: Reason,
    },
}

impl Verdict {
    fn of(service: Service, expected: &Expected, shape: &Shape) -> Self {
        if shape.is_of_a_proxy(service == Service::Sts) {
            return Self::NotAws;
        }
        let differences = expected.differences(shape);
        if differences.is_empty() { Self::Ok } else { Self::Differs { differences } }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct TargetReport {
    service: Service,
    partition: &'static str,
    host: String,
    /// For the terminal only.
    #[serde(skip)]
    address: String,
    probes: Vec<ProbeReport>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ProbeReport {
    request: &'static str,
    #[serde(flatten)]
    verdict: Verdict,
    #[serde(skip_serializing_if = "Option::is_none")]
    shape: Option<Shape>,
    source: &'static str,
}

impl TargetReport {
    fn print(&self) -> Result<(), Failure> {
        output::data(format_args!("{}  {DIM}{}{DIM:#}", self.service.label(), self.address))?;
        let width = self.probes.iter().map(|probe| probe.request.len()).max().unwrap_or_default();
        for ProbeReport { request, verdict, shape, source } in &self.probes {
            let (style, word) = match verdict {
                Verdict::Ok => (GOOD, "ok"),
                Verdict::Differs { .. } => (WARN, "differs"),
                Verdict::NotAws => (BAD, "not AWS"),
                Verdict::NotReachable { .. } => (BAD, "not reachable"),
            };
            let detail = match verdict {
                Verdict::NotReachable { reason } => reason.sentence().to_owned(),
                _ => shape.as_ref().map(ToString::to_string).unwrap_or_default(),
            };
            output::data(format_args!("  {style}{word:WORD$}{style:#}  {request:width$}  {detail}"))?;
            match verdict {
                Verdict::Differs { differences } => {
                    for difference in differences {
                        output::data(format_args!("{INDENT}{difference}"))?;
                    }
                    output::data(format_args!("{INDENT}{DIM}documented: {source}{DIM:#}"))?;
                }
                Verdict::NotAws => output::data(format_args!(
                    "{INDENT}{DIM}A proxy or a network's sign-in page responds in place of AWS.{DIM:#}"
                ))?,
                Verdict::Ok | Verdict::NotReachable { .. } => {}
            }
        }
        Ok(())
    }
}

/// The report for an issue.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    rolecall: &'static str,
    system: String,
    architecture: &'static str,
    day: String,
    /// Whether the environment names a proxy.
    proxy: bool,
    targets: Vec<TargetReport>,
}

impl Report {
    fn new(targets: Vec<TargetReport>) -> Self {
        let is_set = |name: &&str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        Self {
            rolecall: env!("CARGO_PKG_VERSION"),
            system: platform::system_name()
                .filter(|name| !name.is_empty())
                .unwrap_or_else(|| std::env::consts::OS.to_owned()),
            architecture: std::env::consts::ARCH,
            day: Utc::now().date_naive().to_string(),
            proxy: PROXY_VARIABLES.iter().any(is_set),
            targets,
        }
    }

    fn verdicts(&self) -> impl Iterator<Item = &Verdict> {
        self.targets.iter().flat_map(|target| &target.probes).map(|probe| &probe.verdict)
    }

    fn is_as_recorded(&self) -> bool {
        self.verdicts().all(|verdict| *verdict == Verdict::Ok)
    }

    fn summary(&self) -> String {
        let count = |wanted: fn(&Verdict) -> bool| self.verdicts().filter(|verdict| wanted(verdict)).count();
        let differs = count(|verdict| matches!(verdict, Verdict::Differs { .. }));
        let missing = count(|verdict| matches!(verdict, Verdict::NotAws | Verdict::NotReachable { .. }));
        match (differs, missing) {
            (0, 0) => "AWS responds as documented.".to_owned(),
            (0, _) => "AWS could not be reached at every address.".to_owned(),
            _ => format!(
                "Responses that differ: {differs}. Please report them: rolecall doctor --aws --report FILE \
                 writes the text to paste."
            ),
        }
    }
}

/// The width of the longest result.
const WORD: usize = 13;
const INDENT: &str = "                 ";

/// The same names as for curl and the AWS tools.
const PROXY_VARIABLES: [&str; 4] = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];

#[cfg(test)]
mod tests {
    use super::*;

    fn targets_with(endpoints: &str) -> Vec<Target> {
        let text = format!(
            r#"
            [[provider]]
            id = "corp"
            name = "Example Corp"
            well_known_url = "https://idp.example/.well-known/openid-configuration"
            client_id = "abcdef"
            {endpoints}
            [[role]]
            provider = "corp"
            arn = "arn:aws:iam::123456789012:role/one"
            region = "eu-west-1"
            [[role]]
            provider = "corp"
            arn = "arn:aws:iam::210987654321:role/two"
            region = "eu-west-1"
            [[role]]
            provider = "corp"
            arn = "arn:aws-cn:iam::123456789012:role/three"
            "#
        );
        let (settings, _) = rolecall_core::settings::Settings::from_toml(&text).unwrap();
        targets(settings.role.iter().map(|role| (role, &settings.provider[0])), None)
    }

    fn addresses(endpoints: &str) -> Vec<String> {
        targets_with(endpoints).iter().map(|target| target.address().to_owned()).collect()
    }

    #[test]
    fn each_service_that_the_roles_use_is_asked_once() {
        assert_eq!(
            addresses(""),
            [
                "https://sts.eu-west-1.amazonaws.com/",
                "https://eu-west-1.signin.aws.amazon.com/federation",
                "https://sts.cn-north-1.amazonaws.com.cn/",
                "https://signin.amazonaws.cn/federation",
            ]
        );
    }

    #[test]
    fn addresses_in_the_settings_are_asked_and_not_reported() {
        let endpoints = "sts_endpoint = \"https://rgw.corp.example/\"";
        assert_eq!(addresses(endpoints), ["https://rgw.corp.example/"], "nothing goes to AWS");
        assert_eq!(targets_with(endpoints)[0].host, None);
        let fips = "sts_endpoint = \"https://sts-fips.us-east-1.amazonaws.com/\"";
        assert!(addresses(fips).contains(&"https://eu-west-1.signin.aws.amazon.com/federation".to_owned()));
        let usual = "sts_endpoint = \"https://sts.eu-west-1.amazonaws.com/\"";
        assert_eq!(targets_with(usual)[0].host.as_deref(), Some("sts.eu-west-1.amazonaws.com"));
    }

    #[test]
    fn a_failing_proxy_is_told_apart_from_no_response() {
        let of = |reason: &str| {
            reason_of(&TransportError::Unreachable { host: "proxy.example".into(), reason: reason.into() })
        };
        assert_eq!(of("CONNECT proxy failed: proxy server responded 407"), Reason::Proxy);
        assert_eq!(of("Connection refused (os error 111)"), Reason::Unreachable);
    }
}
