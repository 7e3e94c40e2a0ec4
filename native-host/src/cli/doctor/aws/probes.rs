//! The requests, all of which AWS refuses, and the documented responses.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::Utc;
use http::{Method, Request, header};
use rolecall_core::aws::Partition;
use rolecall_core::identity::CHROMIUM_EXTENSION_ID;
use rolecall_core::secret::SecretBytes;
use serde_json::json;
use url::form_urlencoded;

use super::expected::{self, Expected};
use super::target::{Service, Target};
use crate::http_client;

/// One request and its expected response.
pub(super) struct Probe {
    pub(super) name: &'static str,
    pub(super) request: Request<SecretBytes>,
    pub(super) expected: &'static Expected,
}

/// The requests to a target.
pub(super) fn of(target: &Target) -> Vec<Probe> {
    match target.service {
        Service::Sts => of_sts(target),
        Service::SignIn => of_sign_in(target),
    }
}

fn of_sts(target: &Target) -> Vec<Probe> {
    let chromium = chromium();
    let token = |token: &str| form(target, &assume_role(target.partition, token));
    let json = |mut request: Request<SecretBytes>| {
        request.headers_mut().insert(header::ACCEPT, header::HeaderValue::from_static("application/json"));
        request
    };
    vec![
        Probe { name: "not a JWT", request: token(NO_JWT), expected: &expected::NO_JWT },
        Probe {
            name: "not a JWT, JSON accepted",
            request: json(token(NO_JWT)),
            expected: &expected::NO_JWT_JSON,
        },
        Probe { name: "an invalid JWT", request: token(&false_jwt()), expected: &expected::FALSE_JWT },
        Probe {
            name: "an invalid JWT, JSON accepted",
            request: json(token(&false_jwt())),
            expected: &expected::FALSE_JWT_JSON,
        },
        Probe {
            name: "from Chromium's extension",
            request: with_origin(token(NO_JWT), &chromium),
            expected: &expected::NO_JWT_FROM_A_PAGE,
        },
        Probe {
            name: "from Firefox's extension",
            request: with_origin(token(NO_JWT), FIREFOX),
            expected: &expected::NO_JWT_FROM_A_PAGE,
        },
        Probe {
            name: "preflight from Chromium",
            request: preflight(target, &chromium),
            expected: &expected::STS_PREFLIGHT,
        },
        Probe {
            name: "preflight from Firefox",
            request: preflight(target, FIREFOX),
            expected: &expected::STS_PREFLIGHT,
        },
    ]
}

fn of_sign_in(target: &Target) -> Vec<Probe> {
    let chromium = chromium();
    let post = || form(target, &sign_in_token());
    let get = || {
        let mut address = target.endpoint.url().clone();
        address.set_query(Some(&sign_in_token()));
        let mut request = Request::new(SecretBytes::default());
        if let Ok(address) = address.as_str().parse() {
            *request.uri_mut() = address;
        }
        request
    };
    vec![
        Probe { name: "invalid keys, POST", request: post(), expected: &expected::FALSE_KEYS },
        Probe { name: "invalid keys, GET", request: get(), expected: &expected::FALSE_KEYS },
        Probe {
            name: "POST from Chromium's extension",
            request: with_origin(post(), &chromium),
            expected: &expected::FALSE_KEYS_FROM_A_PAGE,
        },
        Probe {
            name: "POST from Firefox's extension",
            request: with_origin(post(), FIREFOX),
            expected: &expected::FALSE_KEYS_FROM_A_PAGE,
        },
        Probe {
            name: "GET from Chromium's extension",
            request: with_origin(get(), &chromium),
            expected: &expected::FALSE_KEYS_FROM_A_PAGE,
        },
        Probe {
            name: "GET from Firefox's extension",
            request: with_origin(get(), FIREFOX),
            expected: &expected::FALSE_KEYS_FROM_A_PAGE,
        },
        Probe {
            name: "preflight from Chromium",
            request: preflight(target, &chromium),
            expected: &expected::SIGN_IN_PREFLIGHT,
        },
        Probe {
            name: "preflight from Firefox",
            request: preflight(target, FIREFOX),
            expected: &expected::SIGN_IN_PREFLIGHT,
        },
    ]
}

/// An `AssumeRoleWithWebIdentity` body for a role of AWS's example account.
fn assume_role(partition: Partition, token: &str) -> String {
    let role = format!("arn:{}:iam::123456789012:role/rolecall-doctor", partition.id());
    encoded(&[
        ("Action", "AssumeRoleWithWebIdentity"),
        ("Version", "2011-06-15"),
        ("RoleArn", &role),
        ("RoleSessionName", "rolecall-doctor"),
        ("DurationSeconds", "900"),
        ("WebIdentityToken", token),
    ])
}

/// A well-formed JWT with an invalid signature and an issuer that does not exist (RFC 6761 section 6.4).
fn false_jwt() -> String {
    let now = Utc::now().timestamp();
    let head = json!({ "alg": "RS256", "kid": "rolecall-doctor", "typ": "JWT" });
    let claims = json!({
        "iss": "https://rolecall-doctor.invalid",
        "aud": "rolecall-doctor",
        "sub": "nobody",
        "iat": now,
        "exp": now + 300,
    });
    let part = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    // As long as an RS256 signature with a 2048-bit key.
    let signature = part(&[0; 256]);
    format!("{}.{}.{signature}", part(head.to_string().as_bytes()), part(claims.to_string().as_bytes()))
}

fn sign_in_token() -> String {
    let session = json!({
        "sessionId": "NOT-AN-ACCESS-KEY-ID",
        "sessionKey": "NOT-A-SECRET-ACCESS-KEY",
        "sessionToken": "NOT-A-SESSION-TOKEN",
    });
    encoded(&[("Action", "getSigninToken"), ("Session", &session.to_string())])
}

fn encoded(parameters: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish()
}

fn form(target: &Target, body: &str) -> Request<SecretBytes> {
    let mut request = Request::new(body.to_owned().into());
    *request.method_mut() = Method::POST;
    *request.uri_mut() = http_client::uri(target.endpoint.url().as_str());
    let form = header::HeaderValue::from_static("application/x-www-form-urlencoded");
    request.headers_mut().insert(header::CONTENT_TYPE, form);
    request
}

/// A browser's preflight for a request that is not a plain form (the Fetch standard, "CORS-preflight fetch").
fn preflight(target: &Target, origin: &str) -> Request<SecretBytes> {
    let mut request = Request::new(SecretBytes::default());
    *request.method_mut() = Method::OPTIONS;
    *request.uri_mut() = http_client::uri(target.endpoint.url().as_str());
    let headers = request.headers_mut();
    headers.insert(header::ACCESS_CONTROL_REQUEST_METHOD, header::HeaderValue::from_static("POST"));
    headers.insert(header::ACCESS_CONTROL_REQUEST_HEADERS, header::HeaderValue::from_static("content-type"));
    with_origin(request, origin)
}

fn with_origin(mut request: Request<SecretBytes>, origin: &str) -> Request<SecretBytes> {
    if let Ok(origin) = origin.parse() {
        request.headers_mut().insert(header::ORIGIN, origin);
    }
    request
}

fn chromium() -> String {
    format!("chrome-extension://{CHROMIUM_EXTENSION_ID}")
}

const NO_JWT: &str = "rolecall-doctor";

/// An add-on's origin differs in every installation: this one belongs to none.
const FIREFOX: &str = "moz-extension://00000000-0000-4000-8000-000000000000";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_requests_contain_nothing_personal() {
        let target =
            |service| Target::new(service, Partition::AwsUsGov, "host.example".to_owned(), None).unwrap();
        for service in [Service::Sts, Service::SignIn] {
            let probes = of(&target(service));
            assert_eq!(probes.len(), 8);
            for Probe { request, .. } in probes {
                let text = format!(
                    "{} {:?} {}",
                    request.uri(),
                    request.headers(),
                    String::from_utf8_lossy(request.body().expose_secret())
                );
                assert!(!text.to_lowercase().contains("authorization") && !text.contains("ASIA"), "{text}");
                assert_eq!(request.uri().host(), Some("host.example"));
            }
        }
        let sent = assume_role(Partition::AwsUsGov, "x");
        assert!(sent.contains("arn%3Aaws-us-gov%3Aiam%3A%3A123456789012%3A"), "{sent}");
    }

    #[test]
    fn the_invalid_token_has_the_form_of_a_real_one() {
        let token = false_jwt();
        let parts: Vec<_> = token.split('.').collect();
        let [head, claims, signature] = parts[..] else { panic!("{token}") };
        let read = |part: &str| {
            serde_json::from_slice::<serde_json::Value>(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
        };
        assert_eq!(read(head)["alg"], "RS256");
        assert_eq!(read(claims)["iss"], "https://rolecall-doctor.invalid");
        assert_eq!(URL_SAFE_NO_PAD.decode(signature).unwrap().len(), 256);
        assert!((4..=20000).contains(&token.len()));
    }
}
