//! `rolecall doctor --aws`: whether AWS still answers as documented.
//!
//! It needs no rights and tells AWS nothing: tokens and keys are made up, and each request is one that AWS refuses. What
//! comes back is reduced to its shape (status, type, names, the kind of error) before it is compared, shown or reported:
//! no account, no name of a role, no host of anybody's provider.

mod expected;
mod questions;
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
use questions::Question;
use shape::Shape;
use target::{Service, Target};

/// Asks the targets that the settings' roles lead to, or AWS in its main region where there are none.
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
            "The report is in {}; it holds nothing about you or your organisation.",
            output::short_path(path)
        ));
    }
    Ok(if report_of.is_as_recorded() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The targets of roles and their providers, each once.
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
        add(Target::new(Service::Sts, partition, Some(partition.sts_host(&region)), sts));
        // Where the STS is somebody else's, so is the console, if there is one.
        let host = |endpoint: &Endpoint| endpoint.url().host_str().unwrap_or_default().to_owned();
        if console.is_some() || sts.is_none_or(|sts| partition.is_sts_host(&host(sts))) {
            add(Target::new(Service::SignIn, partition, partition.sign_in_host(&region), console));
        }
    }
    if !any {
        let partition = Partition::Aws;
        let region = region.cloned().unwrap_or_else(|| partition.default_region());
        add(Target::new(Service::Sts, partition, Some(partition.sts_host(&region)), None));
        add(Target::new(Service::SignIn, partition, partition.sign_in_host(&region), None));
    }
    targets
}

/// Says what is about to leave the machine, before it does.
fn announce(targets: &[Target]) {
    output::note(
        "These requests leave this machine now. Their tokens and keys are made up, nothing in them is yours:",
    );
    for target in targets {
        let what = match target.service {
            Service::Sts => "AssumeRoleWithWebIdentity with false tokens, and preflights",
            Service::SignIn => "getSigninToken with false keys, and preflights",
        };
        output::note(format_args!("  {}  {DIM}{what}{DIM:#}", target.address()));
    }
}

fn ask(target: &Target) -> Asked {
    let mut answers: Vec<Answered> = Vec::new();
    for Question { name, request, expected } in questions::of(target) {
        let (verdict, shape) = match http_client::send(request) {
            Ok(response) => {
                let shape = Shape::of(&response);
                (Verdict::of(target.service, expected, &shape), Some(shape))
            }
            Err(error) => (Verdict::NotReachable { why: why(&error) }, None),
        };
        let gone = matches!(verdict, Verdict::NotReachable { .. });
        answers.push(Answered { question: name, verdict, shape, record: expected.record });
        if gone {
            // Whoever cannot be reached once is not waited for ten times.
            break;
        }
    }
    Asked {
        service: target.service,
        partition: target.partition.id(),
        host: target.host.clone().unwrap_or_else(|| "an address of the settings".to_owned()),
        address: target.address().to_owned(),
        answers,
    }
}

/// Why nobody answered, in words that name no host.
fn why(error: &TransportError) -> Why {
    match error {
        TransportError::TimedOut { .. } => Why::TimedOut,
        TransportError::TooLarge { .. } => Why::TooLarge,
        TransportError::CertificateUntrusted { .. } => Why::Certificate,
        // As the client says it: "CONNECT proxy failed".
        TransportError::Unreachable { reason, .. } if reason.contains("proxy") => Why::Proxy,
        _ => Why::Unreachable,
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Why {
    Unreachable,
    TimedOut,
    TooLarge,
    Certificate,
    Proxy,
}

impl Why {
    fn sentence(self) -> &'static str {
        match self {
            Self::Unreachable => {
                "nobody answers; check the network connection, and HTTPS_PROXY where one is needed"
            }
            Self::TimedOut => "nobody answers in time; check the network connection",
            Self::TooLarge => "the answer is larger than any of AWS's",
            Self::Certificate => {
                "the certificate is not trusted: something between here and AWS shows one of its own, whose authority \
                 this system does not know"
            }
            Self::Proxy => "the proxy that HTTPS_PROXY names does not lead there",
        }
    }
}

/// How an answer compares with the record.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
enum Verdict {
    Ok,
    Differs {
        differences: Vec<String>,
    },
    /// An answer, but of something in between.
    SomebodyElse,
    NotReachable {
        why: Why,
    },
}

impl Verdict {
    fn of(service: Service, expected: &Expected, shape: &Shape) -> Self {
        if shape.is_of_a_proxy(service == Service::Sts) {
            return Self::SomebodyElse;
        }
        let differences = expected.differences(shape);
        if differences.is_empty() { Self::Ok } else { Self::Differs { differences } }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Asked {
    service: Service,
    partition: &'static str,
    host: String,
    /// For the terminal only.
    #[serde(skip)]
    address: String,
    answers: Vec<Answered>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Answered {
    question: &'static str,
    #[serde(flatten)]
    verdict: Verdict,
    #[serde(skip_serializing_if = "Option::is_none")]
    shape: Option<Shape>,
    record: &'static str,
}

impl Asked {
    fn print(&self) -> Result<(), Failure> {
        output::data(format_args!("{}  {DIM}{}{DIM:#}", self.service.label(), self.address))?;
        let width = self.answers.iter().map(|answer| answer.question.len()).max().unwrap_or_default();
        for Answered { question, verdict, shape, record } in &self.answers {
            let (style, word) = match verdict {
                Verdict::Ok => (GOOD, "ok"),
                Verdict::Differs { .. } => (WARN, "differs"),
                Verdict::SomebodyElse => (BAD, "not AWS"),
                Verdict::NotReachable { .. } => (BAD, "not reachable"),
            };
            let told = match verdict {
                Verdict::NotReachable { why } => why.sentence().to_owned(),
                _ => shape.as_ref().map(ToString::to_string).unwrap_or_default(),
            };
            output::data(format_args!("  {style}{word:WORD$}{style:#}  {question:width$}  {told}"))?;
            match verdict {
                Verdict::Differs { differences } => {
                    for difference in differences {
                        output::data(format_args!("{INDENT}{difference}"))?;
                    }
                    output::data(format_args!("{INDENT}{DIM}on record: {record}{DIM:#}"))?;
                }
                Verdict::SomebodyElse => output::data(format_args!(
                    "{INDENT}{DIM}A proxy or a network's sign-in page answers in AWS's place.{DIM:#}"
                ))?,
                Verdict::Ok | Verdict::NotReachable { .. } => {}
            }
        }
        Ok(())
    }
}

/// What can be pasted into an issue.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    rolecall: &'static str,
    system: String,
    architecture: &'static str,
    day: String,
    /// Whether the environment names a proxy.
    proxy: bool,
    targets: Vec<Asked>,
}

impl Report {
    fn new(targets: Vec<Asked>) -> Self {
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
        self.targets.iter().flat_map(|target| &target.answers).map(|answer| &answer.verdict)
    }

    fn is_as_recorded(&self) -> bool {
        self.verdicts().all(|verdict| *verdict == Verdict::Ok)
    }

    fn summary(&self) -> String {
        let count = |wanted: fn(&Verdict) -> bool| self.verdicts().filter(|verdict| wanted(verdict)).count();
        let differs = count(|verdict| matches!(verdict, Verdict::Differs { .. }));
        let missing =
            count(|verdict| matches!(verdict, Verdict::SomebodyElse | Verdict::NotReachable { .. }));
        match (differs, missing) {
            (0, 0) => "AWS answers as documented.".to_owned(),
            (0, _) => "AWS could not be reached everywhere.".to_owned(),
            _ => format!(
                "Answers that differ from the record: {differs}. Please report them: rolecall doctor --aws --report FILE \
                 writes what to paste."
            ),
        }
    }
}

/// The width of the longest word for a verdict.
const WORD: usize = 13;
const INDENT: &str = "                 ";

/// As curl and the AWS tools name them.
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
    fn each_place_that_the_roles_lead_to_is_asked_once() {
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
    fn addresses_of_the_settings_are_asked_and_not_reported() {
        let endpoints = "sts_endpoint = \"https://rgw.corp.example/\"";
        assert_eq!(addresses(endpoints), ["https://rgw.corp.example/"], "nothing goes to AWS");
        assert_eq!(targets_with(endpoints)[0].host, None);
        let fips = "sts_endpoint = \"https://sts-fips.us-east-1.amazonaws.com/\"";
        assert!(addresses(fips).contains(&"https://eu-west-1.signin.aws.amazon.com/federation".to_owned()));
        let usual = "sts_endpoint = \"https://sts.eu-west-1.amazonaws.com/\"";
        assert_eq!(targets_with(usual)[0].host.as_deref(), Some("sts.eu-west-1.amazonaws.com"));
    }

    #[test]
    fn a_proxy_is_told_from_silence() {
        let of = |reason: &str| {
            why(&TransportError::Unreachable { host: "proxy.example".into(), reason: reason.into() })
        };
        assert_eq!(of("CONNECT proxy failed: proxy server responded 407"), Why::Proxy);
        assert_eq!(of("Connection refused (os error 111)"), Why::Unreachable);
    }
}
