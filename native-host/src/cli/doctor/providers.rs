//! The providers of the settings: whether they answer, and whether AWS can take what they publish.

use std::thread;

use rolecall_core::Problem;
use rolecall_core::aws::Partition;
use rolecall_core::oidc::{KeySet, Metadata, keys_request, metadata_request};
use rolecall_core::settings::{Endpoint, Provider};
use rolecall_core::{Code, Error};
use serde_json::Value;
use url::Url;

use super::Finding;
use crate::{http_client, roles};

/// Asks every provider, all at once: one that does not answer takes its time.
pub(super) fn check(findings: &mut Vec<Finding>) {
    let settings = roles::settings();
    let providers: Vec<_> = settings.providers().map(|provider| &provider.value).collect();
    let answers: Vec<Vec<Finding>> = thread::scope(|scope| {
        let asked: Vec<_> =
            providers.iter().map(|provider| scope.spawn(move || check_one(provider))).collect();
        asked.into_iter().filter_map(|asked| asked.join().ok()).collect()
    });
    findings.extend(answers.into_iter().flatten());
}

fn check_one(provider: &Provider) -> Vec<Finding> {
    match read(provider) {
        Ok((metadata, keys)) => {
            let name = provider.label();
            let Some(issuer) = asked_by_aws(provider).then_some(metadata.issuer.as_str()) else {
                return vec![Finding::ok(format!("{name}: the provider answers."))];
            };
            let traps = issuer_traps(issuer);
            let mut findings = Vec::new();
            if traps.is_empty() {
                findings.push(Finding::ok(match issuer.strip_suffix('/') {
                    Some(_) => format!(
                        "{name}: the provider answers. In IAM its address is {issuer}, with the slash at the end."
                    ),
                    None => format!("{name}: the provider answers. In IAM its address is {issuer}."),
                }));
            }
            let warn = |what: String, mend: &'static str| Finding::warn(format!("{name}: {what}"), mend);
            findings.extend(traps.into_iter().map(|trap| {
                warn(trap, "Have the provider speak for an issuer https://HOST/PATH that AWS can reach.")
            }));
            findings.extend(key_traps(&keys).into_iter().map(|trap| {
                warn(
                    trap,
                    "Tell whoever runs the provider: AWS may refuse its tokens with InvalidIdentityToken.",
                )
            }));
            findings
        }
        Err(problem) => {
            let what = format!("{}: {}", provider.label(), problem.message);
            // A network that is away is not a set-up that is wrong.
            let is_away = [Code::Unreachable, Code::RequestTimedOut].iter().any(|code| problem.is(*code));
            let finding = if is_away { Finding::warn } else { Finding::fail };
            vec![finding(what, problem.next_step)]
        }
    }
}

/// The provider's configuration, and its keys as they are published.
fn read(provider: &Provider) -> Result<(Metadata, Vec<Value>), Problem> {
    let ask = |request| http_client::send(request).map_err(Error::from);
    let metadata = Metadata::read(provider, &ask(metadata_request(provider))?).map_err(Error::from)?;
    let answer = ask(keys_request(&metadata))?;
    KeySet::read(&metadata, &answer).map_err(Error::from)?;
    let mut document: Value = serde_json::from_slice(answer.body()).unwrap_or_default();
    let keys = document["keys"].as_array_mut().map(std::mem::take).unwrap_or_default();
    Ok((metadata, keys))
}

/// Whether it is AWS that reads what the provider publishes, and not somebody else's STS.
fn asked_by_aws(provider: &Provider) -> bool {
    provider.sts_endpoint.as_ref().is_none_or(is_aws)
}

fn is_aws(endpoint: &Endpoint) -> bool {
    let host = endpoint.url().host_str().unwrap_or_default();
    Partition::ALL.into_iter().any(|partition| {
        let region = partition.default_region();
        let sts = partition.sts_host(&region);
        sts.split_once(region.as_str()).is_some_and(|(_, suffix)| host.ends_with(suffix))
    })
}

/// What AWS does not take as the address of a provider (IAM User Guide, "Create an OpenID Connect identity provider").
fn issuer_traps(issuer: &str) -> Vec<String> {
    let Ok(url) = Url::parse(issuer) else {
        return vec![format!("its issuer \"{}\" is not an address.", issuer.escape_debug())];
    };
    let mut traps = Vec::new();
    if url.scheme() != "https" {
        traps.push(format!("its issuer {issuer} is not https, which AWS does not take."));
    }
    if url.port().is_some() {
        traps.push(format!("its issuer {issuer} has a port, which AWS does not take."));
    }
    if url.query().is_some() || url.fragment().is_some() {
        traps.push(format!("its issuer {issuer} has a query, which AWS does not take."));
    }
    if issuer.len() > ISSUER_MAX {
        traps.push(format!("its issuer has more than {ISSUER_MAX} characters, which AWS does not take."));
    }
    traps
}

/// Keys for signatures that AWS does not find or does not take (answers of STS recorded in September 2026 by
/// radkawar/stackd).
fn key_traps(keys: &[Value]) -> Vec<String> {
    let signs = |key: &&Value| key["use"].as_str().is_none_or(|purpose| purpose == "sig");
    let keys: Vec<&Value> = keys.iter().filter(signs).collect();
    let count = |trap: &dyn Fn(&Value) -> bool| keys.iter().filter(|key| trap(key)).count();
    let has = |key: &Value, name: &str| !key[name].is_null();
    let kids: Vec<&str> = keys.iter().filter_map(|key| key["kid"].as_str()).collect();
    let repeated = kids.iter().enumerate().filter(|(at, kid)| kids[..*at].contains(kid)).count();
    let rsa = count(&|key| key["kty"] == "RSA");
    if keys.is_empty() {
        return vec!["its key set has no key for signatures.".to_owned()];
    }
    let mut traps = Vec::new();
    let mut told = |number: usize, what: &str| {
        if number > 0 {
            traps.push(format!("{what}: {number}."));
        }
    };
    told(count(&|key| !has(key, "kid")), "keys in its set without \"kid\", which AWS does not find");
    told(count(&|key| has(key, "key_ops")), "keys in its set with \"key_ops\", which AWS does not take");
    told(repeated, "keys in its set whose \"kid\" is another's as well, of which AWS takes one");
    let is_bare = |key: &Value| has(key, "x5c") && !has(key, "n") && !has(key, "x");
    told(count(&is_bare), "keys in its set that are certificates only, which AWS does not read");
    if rsa > RSA_KEYS_MAX {
        traps.push(format!("its key set has {rsa} RSA keys; AWS takes {RSA_KEYS_MAX}."));
    }
    traps
}

/// As many RSA keys as AWS takes.
const RSA_KEYS_MAX: usize = 100;

/// IAM's limit.
const ISSUER_MAX: usize = 255;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn addresses_that_aws_does_not_take_are_named() {
        assert_eq!(issuer_traps("https://idp.example/realms/x/"), [""; 0]);
        assert_eq!(
            issuer_traps("http://idp.example:8080"),
            [
                "its issuer http://idp.example:8080 is not https, which AWS does not take.",
                "its issuer http://idp.example:8080 has a port, which AWS does not take.",
            ]
        );
        assert_eq!(issuer_traps("https://idp.example/?x=1").len(), 1);
        assert_eq!(issuer_traps("corp").len(), 1);
    }

    #[test]
    fn keys_that_aws_does_not_take_are_counted() {
        let traps = |keys: Value| key_traps(keys.as_array().unwrap());
        let good =
            json!({ "kty": "RSA", "kid": "1", "use": "sig", "n": "AQAB", "e": "AQAB", "x5c": ["MII"] });
        let encrypts = json!({ "kty": "RSA", "use": "enc", "n": "AQAB", "e": "AQAB" });
        assert_eq!(traps(json!([good, encrypts])), [""; 0], "what is not for signatures is not looked at");
        assert_eq!(traps(json!([encrypts])), ["its key set has no key for signatures."]);
        let odd = json!([
            good,
            { "kty": "RSA", "kid": "1", "n": "AQAB", "e": "AQAB" },
            { "kty": "EC", "x": "AQAB", "key_ops": ["verify"] },
            { "kty": "RSA", "kid": "2", "x5c": ["MII"] },
        ]);
        let found = traps(odd).join(" ");
        for what in ["without \"kid\"", "with \"key_ops\"", "is another's as well", "certificates only"] {
            assert_eq!(found.matches(what).count(), 1, "{what}: {found}");
        }
        assert_eq!(
            traps(Value::Array(vec![good; 101])).last().unwrap(),
            "its key set has 101 RSA keys; AWS takes 100."
        );
    }

    #[test]
    fn the_rules_are_those_of_aws_wherever_aws_is_asked() {
        let endpoint = |text: &str| text.parse::<Endpoint>().unwrap();
        assert!(is_aws(&endpoint("https://sts-fips.us-east-1.amazonaws.com/")));
        assert!(is_aws(&endpoint("https://sts.cn-north-1.amazonaws.com.cn/")));
        assert!(!is_aws(&endpoint("https://rgw.example/")));
        assert!(!is_aws(&endpoint("http://127.0.0.1:9000/")));
    }
}
