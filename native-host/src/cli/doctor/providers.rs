//! The providers in the settings: whether they respond, and whether AWS accepts what they publish.

use std::thread;

use rolecall_core::Problem;
use rolecall_core::aws::Partition;
use rolecall_core::oidc::{KeySet, Metadata, keys_request, metadata_request};
use rolecall_core::settings::Provider;
use rolecall_core::{Code, Error};
use url::Url;

use super::finding::Finding;
use crate::{catalogues, http_client, roles};

/// Checks all providers at once, because one that does not respond takes its time.
pub(super) fn check(findings: &mut Vec<Finding>) {
    let settings = roles::settings();
    let providers: Vec<_> = settings.providers().map(|provider| &provider.value).collect();
    let answers: Vec<Vec<Finding>> = thread::scope(|scope| {
        let asked: Vec<_> =
            providers.iter().map(|provider| scope.spawn(move || check_all_of(provider))).collect();
        asked.into_iter().filter_map(|asked| asked.join().ok()).collect()
    });
    findings.extend(answers.into_iter().flatten());
}

fn check_all_of(provider: &Provider) -> Vec<Finding> {
    let mut findings = check_one(provider);
    let name = provider.label();
    findings.extend(catalogues::check(provider).map(|read| match read {
        Ok(count) => Finding::ok(format!("{name}: the role catalogue can be read. Roles in it: {count}.")),
        Err(problem) => Finding::warn(problem.message.clone(), problem.next_line()),
    }));
    findings
}

fn check_one(provider: &Provider) -> Vec<Finding> {
    match read(provider) {
        Ok((metadata, keys)) => {
            let name = provider.label();
            let Some(issuer) = asked_by_aws(provider).then_some(metadata.issuer.as_str()) else {
                return vec![Finding::ok(format!("{name}: the provider responds."))];
            };
            let traps = issuer_traps(issuer);
            let mut findings = Vec::new();
            if traps.is_empty() {
                findings.push(Finding::ok(match issuer.strip_suffix('/') {
                    Some(_) => format!(
                        "{name}: the provider responds. Its provider URL in IAM is {issuer}, including the slash at the end."
                    ),
                    None => format!("{name}: the provider responds. Its provider URL in IAM is {issuer}."),
                }));
            }
            let warn = |what: String, fix: &'static str| Finding::warn(format!("{name}: {what}"), fix);
            findings.extend(traps.into_iter().map(|trap| {
                warn(
                    trap,
                    "Configure the provider with an issuer of the form https://HOST/PATH that AWS can reach.",
                )
            }));
            findings.extend(keys.what_aws_refuses().into_iter().map(|found| {
                warn(
                    format!("AWS does not accept all of its key set: {found}."),
                    "Tell your identity provider's administrator: AWS may refuse its tokens with InvalidIdentityToken.",
                )
            }));
            findings
        }
        Err(problem) => {
            let what = format!("{}: {}", provider.label(), problem.message);
            // Being offline is not a configuration error.
            let is_away = [Code::Unreachable, Code::RequestTimedOut].iter().any(|code| problem.is(*code));
            let finding = if is_away { Finding::warn } else { Finding::fail };
            vec![finding(what, problem.next_line())]
        }
    }
}

fn read(provider: &Provider) -> Result<(Metadata, KeySet), Problem> {
    let ask = |request| http_client::exchange(request).map_err(Error::from);
    let metadata = Metadata::read(provider, &ask(metadata_request(provider))?).map_err(Error::from)?;
    let keys = KeySet::read(&metadata, &ask(keys_request(provider, &metadata))?).map_err(Error::from)?;
    Ok((metadata, keys))
}

/// Whether AWS itself, rather than another STS, reads what the provider publishes.
fn asked_by_aws(provider: &Provider) -> bool {
    let Some(sts) = &provider.sts_endpoint else { return true };
    let host = sts.url().host_str().unwrap_or_default();
    Partition::ALL.into_iter().any(|partition| partition.is_sts_host(host))
}

/// Why AWS does not accept an issuer (IAM User Guide, "Create an OpenID Connect identity provider").
fn issuer_traps(issuer: &str) -> Vec<String> {
    let Ok(url) = Url::parse(issuer) else {
        return vec![format!("its issuer \"{issuer}\" is not a URL.")];
    };
    let mut traps = Vec::new();
    if url.scheme() != "https" {
        traps.push(format!("its issuer {issuer} is not https, which AWS does not accept."));
    }
    if url.port().is_some() {
        traps.push(format!("its issuer {issuer} has a port, which AWS does not accept."));
    }
    if url.query().is_some() || url.fragment().is_some() {
        traps.push(format!("its issuer {issuer} has a query, which AWS does not accept."));
    }
    if issuer.len() > ISSUER_MAX {
        traps.push(format!("its issuer has more than {ISSUER_MAX} characters, which AWS does not accept."));
    }
    traps
}

/// IAM's limit for a provider URL.
const ISSUER_MAX: usize = 255;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn issuers_that_aws_does_not_accept_are_named() {
        assert_eq!(issuer_traps("https://idp.example/realms/x/"), [""; 0]);
        assert_eq!(
            issuer_traps("http://idp.example:8080"),
            [
                "its issuer http://idp.example:8080 is not https, which AWS does not accept.",
                "its issuer http://idp.example:8080 has a port, which AWS does not accept.",
            ]
        );
        assert_eq!(issuer_traps("https://idp.example/?x=1").len(), 1);
        assert_eq!(issuer_traps("corp").len(), 1);
    }
}
