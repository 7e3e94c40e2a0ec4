//! Signature Version 4 of requests to STS (AWS General Reference, "Signing AWS API requests").
//!
//! The maintained signer, `aws-sigv4`, is what the tests compare this one with.

use secrecy::ExposeSecret;
use zeroize::Zeroizing;

use crate::aws::{Credentials, Region};
use crate::crypto::{self, DigestError};
use crate::platform::HttpRequest;
use crate::time::{self, DateTime, Utc};

/// Signs a POST of a form with these credentials.
pub(super) async fn sign(
    request: &mut HttpRequest,
    credentials: &Credentials,
    region: &Region,
    now: DateTime<Utc>,
) -> Result<(), DigestError> {
    let date = time::compact(now);
    let day = date.get(..8).unwrap_or_default();
    let token = credentials.session_token.expose_secret();
    let content_type = request.headers.first().map_or("", |(_, value)| value);
    let mut host = request.url.host_str().unwrap_or_default().to_owned();
    if let Some(port) = request.url.port() {
        host = [&host, ":", &port.to_string()].concat();
    }
    let body = hex(&crypto::sha256(request.body.expose_secret()).await?);

    // 1. The canonical request.
    let canonical = Zeroizing::new(
        [
            "POST\n",
            request.url.path(),
            "\n\ncontent-type:",
            content_type,
            "\nhost:",
            &host,
            "\nx-amz-date:",
            &date,
            "\nx-amz-security-token:",
            token,
            "\n\n",
            SIGNED,
            "\n",
            &body,
        ]
        .concat(),
    );
    // 2. The string to sign.
    let scope = [day, "/", region.as_str(), "/sts/aws4_request"].concat();
    let digest = hex(&crypto::sha256(canonical.as_bytes()).await?);
    let string_to_sign = [ALGORITHM, "\n", &date, "\n", &scope, "\n", &digest].concat();
    // 3. The signing key is derived part by part, and signs the string in the same way.
    let mut key =
        Zeroizing::new(["AWS4", credentials.secret_access_key.expose_secret()].concat().into_bytes());
    for part in [day, region.as_str(), "sts", "aws4_request", &string_to_sign] {
        key = Zeroizing::new(crypto::hmac_sha256(&key, part.as_bytes()).await?);
    }
    // 4. The signature goes into the header.
    let authorization = [
        ALGORITHM,
        " Credential=",
        &credentials.access_key_id,
        "/",
        &scope,
        ", SignedHeaders=",
        SIGNED,
        ", Signature=",
        &hex(&key),
    ]
    .concat();
    request.signature = vec![
        ("authorization", authorization.into()),
        ("x-amz-date", date.clone().into()),
        ("x-amz-security-token", token.to_owned().into()),
    ];
    Ok(())
}

fn hex(bytes: &[u8]) -> String {
    let digit = |half: u8| char::from(if half < 10 { b'0' + half } else { b'a' + half - 10 });
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

const ALGORITHM: &str = "AWS4-HMAC-SHA256";

const SIGNED: &str = "content-type;host;x-amz-date;x-amz-security-token";
