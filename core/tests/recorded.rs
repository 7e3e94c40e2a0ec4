//! What the product reads, beside what the real ones are on record to have said (`tests/recorded`).
#![cfg(not(target_arch = "wasm32"))]

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};
    use std::time::Duration;

    use base64::Engine as _;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
    use chrono::{DateTime, Utc};
    use rolecall_core::aws::Credentials;
    use rolecall_core::console::Console;
    use rolecall_core::json;
    use rolecall_core::oidc::{ExpectedRedirect, KeySet, Metadata, read_redirect, read_tokens};
    use rolecall_core::platform::{
        AuthorizeError, HttpRequest, HttpResponse, Interaction, Platform, RandomnessError, Route, Step,
        TransportError,
    };
    use rolecall_core::settings::{Provider, Role};
    use rolecall_core::sts::{self, StsError, read_credentials};
    use rolecall_core::url::Url;
    use secrecy::ExposeSecret;
    use serde_json::{Map, Value, json};

    fn answer(status: &Value, body: &str) -> HttpResponse {
        HttpResponse::new(u16::try_from(status.as_u64().unwrap()).unwrap(), body.to_owned().into())
    }

    #[test]
    fn every_answer_of_sts_on_record_is_read_as_what_it_is() {
        let rows = rows(include_str!("../../tests/recorded/sts-answers.jsonl"));
        let role = "arn:aws:iam::123456789012:role/example".parse().unwrap();
        let now = "2018-01-02T02:04:05Z".parse().unwrap();
        let mut differences = Vec::new();
        for row in &rows {
            let response = answer(&row["status"], row["body"].as_str().unwrap());
            let read = match read_credentials(&response, &role, now) {
                Ok(credentials) => {
                    assert_eq!(credentials.access_key_id, "ASIAEXAMPLE", "{row}");
                    assert_eq!(credentials.secret_access_key.expose_secret(), "secret/Key+", "{row}");
                    assert_eq!(credentials.session_token.expose_secret(), "token/with+signs=", "{row}");
                    assert_eq!(credentials.expiration.timestamp(), 1_514_862_245, "{row}");
                    Value::Null
                }
                Err(error) => json!(error.code().as_str()),
            };
            compare(row, &read, &mut differences);
        }
        assert!(rows.len() > 40, "{}", rows.len());
        assert!(differences.is_empty(), "{}", differences.join("\n"));
    }

    #[test]
    fn every_refusal_of_the_real_sts_is_read_as_what_it_is_in_both_encodings() {
        let rows = rows(include_str!("../../tests/recorded/sts-web-identity.jsonl"));
        let role = "arn:aws:iam::123456789012:role/example".parse().unwrap();
        let refusals = rows.iter().filter(|row| row["code"].is_string());
        for row in refusals.clone() {
            let (code, message) = (row["code"].as_str().unwrap(), row["message"].as_str().unwrap_or("x"));
            let expected = match code {
                "InvalidIdentityToken" if message.contains("verification key") => "sts-provider-unreachable",
                "InvalidIdentityToken" => "sts-invalid-identity-token",
                "ExpiredTokenException" => "sts-expired-token",
                "AccessDenied" => "sts-access-denied",
                "IDPRejectedClaim" => "sts-claim-rejected",
                "InternalFailure" => "sts-unavailable",
                _ => panic!("a code that is not known here: {row}"),
            };
            let error = json!({ "Type": "Sender", "Code": code, "Message": message });
            let xml = format!(
                "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type>\
                 <Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>"
            );
            for body in [xml, json!({ "Error": error, "RequestId": "r" }).to_string()] {
                let response = answer(&row["status"], &body);
                let error = read_credentials(&response, &role, DateTime::UNIX_EPOCH).unwrap_err();
                assert_eq!(error.code().as_str(), expected, "{row}");
            }
        }
        assert!(refusals.count() > 50);
    }

    #[test]
    fn every_key_set_that_the_real_sts_refused_is_named_as_the_reason() {
        let rows = rows(include_str!("../../tests/recorded/sts-web-identity.jsonl"));
        let role = "arn:aws:iam::123456789012:role/example".parse().unwrap();
        let refused = rows.iter().filter(|row| row["keys"].is_array() && row["code"].is_string());
        for row in refused.clone() {
            let keys = key_set(&row["keys"]);
            let kid = row.pointer("/header/kid").is_none().then_some("key-1");
            let token = json::from_str(&json!({
                "text": "e.e.e", "expiresAt": 1_893_456_000, "issuer": "https://idp.example",
                "audience": "abc", "kid": kid, "person": { "sub": "s" }, "amr": [], "hasSessionTags": false, "roles": [],
            }).to_string())
            .unwrap();
            let refusal = StsError::from_wire(400, "InvalidIdentityToken", row["message"].as_str().unwrap());
            let told = refusal
                .explained(sts::Context { role: &role, token: &token, keys: &keys, amr_held_groups: false })
                .to_string();
            let findings = keys.what_aws_refuses();
            assert!(!findings.is_empty(), "the provider check says nothing: {row}");
            let is_told = findings.iter().any(|finding| told.contains(&finding.to_string()));
            assert!(is_told || told.contains("for another use"), "{told}: {row}");
        }
        assert!(refused.count() > 6);
    }

    /// The key set of a row: changes of one key, as the README of the records has it.
    fn key_set(changes: &Value) -> KeySet {
        let certificate: String = CERTIFICATE.lines().filter(|line| !line.starts_with('-')).collect();
        let bytes = STANDARD.decode(&certificate).unwrap();
        // DER: an INTEGER of 257 bytes, of which the first is zero.
        let at = bytes.windows(5).position(|part| part == [2, 0x82, 1, 1, 0]).unwrap() + 5;
        let modulus = URL_SAFE_NO_PAD.encode(&bytes[at..at + 256]);
        let another = format!("{}AAAA", &modulus[..modulus.len() - 4]);
        let mut keys = Vec::new();
        for change in changes.as_array().unwrap() {
            let mut key = json!({
                "kty": "RSA", "kid": "key-1", "alg": "RS256", "use": "sig", "n": modulus, "e": "AQAB",
            });
            let text =
                change.to_string().replace("{another}", &another).replace("{certificate}", &certificate);
            let members = key.as_object_mut().unwrap();
            members.extend(serde_json::from_str::<Map<String, Value>>(&text).unwrap());
            let copies = members.remove("copies").and_then(|copies| copies.as_u64());
            members.retain(|_, value| !value.is_null());
            match copies {
                None => keys.push(key),
                Some(copies) => keys.extend((0..copies).map(|number| {
                    key["kid"] = json!(format!("extra{number}"));
                    key.clone()
                })),
            }
        }
        json::from_str(&json!({ "keys": keys }).to_string()).unwrap()
    }

    const CERTIFICATE: &str = include_str!("../../sandbox/src/keys/rsa-1.crt.pem");

    #[test]
    fn every_refusal_of_a_token_endpoint_on_record_is_read_as_what_it_is() {
        let rows = rows(include_str!("../../tests/recorded/token-errors.jsonl"));
        let mut differences = Vec::new();
        for row in &rows {
            let body = json!({ "error": row["error"], "error_description": row["error_description"] });
            let had_origin = row["had_origin"] == json!(true);
            let response = HttpResponse { had_origin, ..answer(&row["status"], &body.to_string()) };
            let mut provider = provider(&json!("https://idp.example/.well-known/openid-configuration"));
            if row["sent_secret"] == json!(true) {
                provider.client_secret = Some("secret".to_owned().try_into().unwrap());
            }
            let read = json!(read_tokens(&provider, &response).unwrap_err().code().as_str());
            compare(row, &read, &mut differences);
        }
        assert!(!rows.is_empty());
        assert!(differences.is_empty(), "{}", differences.join("\n"));
    }

    #[test]
    fn every_redirect_on_record_is_read_as_what_it_is() {
        let rows = rows(include_str!("../../tests/recorded/redirects.jsonl"));
        let well_known = json!("https://idp.example/.well-known/openid-configuration");
        let document = json!({
            "issuer": "https://idp.example", "authorization_endpoint": "https://idp.example/authorize",
            "token_endpoint": "https://idp.example/token", "jwks_uri": "https://idp.example/jwks",
        });
        let response = answer(&json!(200), &document.to_string());
        let metadata = Metadata::read(&provider(&well_known), &response).unwrap();
        let redirect_uri = "https://abc.chromiumapp.org/".parse().unwrap();
        let mut differences = Vec::new();
        for row in &rows {
            let url = format!("{redirect_uri}?{}", row["query"].as_str().unwrap()).parse().unwrap();
            let expected = ExpectedRedirect { redirect_uri: &redirect_uri, state: "s", metadata: &metadata };
            let read = match read_redirect(&url, expected) {
                Ok(_) => Value::Null,
                Err(error) => json!(error.code().as_str()),
            };
            compare(row, &read, &mut differences);
        }
        assert!(!rows.is_empty());
        assert!(differences.is_empty(), "{}", differences.join("\n"));
    }

    fn rows(lines: &str) -> Vec<Value> {
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    fn compare(row: &Value, read: &Value, differences: &mut Vec<String>) {
        let expected = &row["code"];
        if read != expected {
            differences.push(format!("{}: {read}, expected {expected}", row["name"]));
        }
    }

    fn provider(well_known_url: &Value) -> Provider {
        json::from_str(
            &json!({ "id": "corp", "client_id": "abc", "well_known_url": well_known_url }).to_string(),
        )
        .unwrap()
    }

    #[test]
    fn every_configuration_of_a_provider_on_record_is_read_as_what_it_is() {
        let rows = rows(include_str!("../../tests/recorded/discovery.jsonl"));
        let mut differences = Vec::new();
        for row in &rows {
            let response = answer(&json!(200), &row["document"].to_string());
            let read = match Metadata::read(&provider(&row["well_known_url"]), &response) {
                Ok(metadata) => {
                    assert_eq!(row["document"]["issuer"], json!(metadata.issuer), "{row}");
                    Value::Null
                }
                Err(error) => json!(error.code().as_str()),
            };
            compare(row, &read, &mut differences);
        }
        assert!(!rows.is_empty());
        assert!(differences.is_empty(), "{}", differences.join("\n"));
    }

    #[test]
    fn every_answer_of_the_sign_in_host_on_record_is_read_as_what_it_is() {
        let rows = rows(include_str!("../../tests/recorded/federation.jsonl"));
        let mut differences = Vec::new();
        for row in &rows {
            let sign_in_host = SignInHost(row, Cell::new(0));
            let role: Role = json::from_str(&json!({ "provider": "corp", "arn": "arn:aws:iam::123456789012:role/example", "region": "eu-west-1" }).to_string())
            .unwrap();
            let credentials = Credentials {
                access_key_id: "ASIAEXAMPLE".into(),
                secret_access_key: "secret".into(),
                session_token: "token".into(),
                expiration: DateTime::UNIX_EPOCH,
            };
            let provider = provider(&json!("https://idp.example/.well-known/openid-configuration"));
            let console = Console::of(&provider, &role, None).unwrap();
            let url = now(console.login_url(&sign_in_host, &credentials));
            let read = match url {
                Ok(url) => {
                    let url = url.expose_secret();
                    assert!(
                        url.starts_with("https://eu-west-1.signin.aws.amazon.com/federation?Action=login&"),
                        "{url}"
                    );
                    Value::Null
                }
                Err(error) => json!(error.code().as_str()),
            };
            // GET only where POST is refused.
            assert_eq!(sign_in_host.1.get(), if row["status"] == 405 { 2 } else { 1 }, "{row}");
            compare(row, &read, &mut differences);
        }
        assert!(!rows.is_empty());
        assert!(differences.is_empty(), "{}", differences.join("\n"));
    }

    /// Answers as a row says, whatever it is asked, and counts.
    struct SignInHost<'row>(&'row Value, Cell<u32>);

    impl Platform for SignInHost<'_> {
        fn redirect_uri(&self, _: bool) -> Url {
            unreachable!()
        }

        async fn authorize(&self, _: &Url, _: Interaction) -> Result<Url, AuthorizeError> {
            unreachable!()
        }

        async fn send(&self, _: HttpRequest, route: Route) -> Result<HttpResponse, TransportError> {
            assert_eq!(
                route,
                Route::Readable,
                "credentials are never sent by a way that may keep the answer"
            );
            self.1.set(self.1.get() + 1);
            Ok(answer(&self.0["status"], self.0["body"].as_str().unwrap()))
        }

        async fn wait(&self, _: Duration) {}

        fn now(&self) -> DateTime<Utc> {
            DateTime::UNIX_EPOCH
        }

        fn random(&self, _: &mut [u8]) -> Result<(), RandomnessError> {
            Ok(())
        }

        fn progress(&self, _: Step) {}
    }

    /// Nothing here waits, so one poll is enough.
    fn now<T>(future: impl Future<Output = T>) -> T {
        match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(value) => value,
            Poll::Pending => panic!("something waits"),
        }
    }
}
