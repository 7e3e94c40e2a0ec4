//! What the product reads, beside what the real ones are on record to have said (`tests/recorded`).
#![cfg(not(target_arch = "wasm32"))]

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};
    use std::time::Duration;

    use chrono::{DateTime, Utc};
    use http::Response;
    use rolecall_core::aws::Credentials;
    use rolecall_core::console::login_url;
    use rolecall_core::oidc::{Metadata, read_tokens};
    use rolecall_core::platform::{
        AuthorizeError, HttpRequest, HttpResponse, Interaction, Platform, RandomnessError, Route, Step,
        TransportError,
    };
    use rolecall_core::settings::{Provider, Role};
    use rolecall_core::sts::read_credentials;
    use rolecall_core::url::Url;
    use secrecy::ExposeSecret;
    use serde_json::{Value, json};

    #[test]
    fn every_answer_of_sts_on_record_is_read_as_what_it_is() {
        let rows = rows(include_str!("../../tests/recorded/sts-answers.jsonl"));
        let role = "arn:aws:iam::123456789012:role/example".parse().unwrap();
        let now = "2018-01-02T02:04:05Z".parse().unwrap();
        let mut differences = Vec::new();
        for row in &rows {
            let response = Response::builder()
                .status(u16::try_from(row["status"].as_u64().unwrap()).unwrap())
                .header("content-type", row["type"].as_str().unwrap())
                .body(row["body"].as_str().unwrap().as_bytes().to_vec())
                .unwrap();
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
    fn every_refusal_of_a_token_endpoint_on_record_is_read_as_what_it_is() {
        let rows = rows(include_str!("../../tests/recorded/token-errors.jsonl"));
        let mut differences = Vec::new();
        for row in &rows {
            let body = json!({ "error": row["error"], "error_description": row["error_description"] });
            let response = Response::builder()
                .status(u16::try_from(row["status"].as_u64().unwrap()).unwrap())
                .body(body.to_string().into_bytes())
                .unwrap();
            let read = json!(read_tokens(&response).unwrap_err().code().as_str());
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
        serde_json::from_value(json!({ "id": "corp", "client_id": "abc", "well_known_url": well_known_url }))
            .unwrap()
    }

    #[test]
    fn every_configuration_of_a_provider_on_record_is_read_as_what_it_is() {
        let rows = rows(include_str!("../../tests/recorded/discovery.jsonl"));
        let mut differences = Vec::new();
        for row in &rows {
            let response = Response::new(row["document"].to_string().into_bytes());
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
            let role: Role = serde_json::from_value(
                json!({ "provider": "corp", "arn": "arn:aws:iam::123456789012:role/example", "region": "eu-west-1" }),
            )
            .unwrap();
            let credentials = Credentials {
                access_key_id: "ASIAEXAMPLE".into(),
                secret_access_key: "secret".into(),
                session_token: "token".into(),
                expiration: DateTime::UNIX_EPOCH,
            };
            let provider = provider(&json!("https://idp.example/.well-known/openid-configuration"));
            let url = now(login_url(&sign_in_host, &provider, &role, &credentials, None));
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
        fn redirect_uri(&self) -> Url {
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
            Ok(Response::builder()
                .status(u16::try_from(self.0["status"].as_u64().unwrap()).unwrap())
                .header("content-type", self.0["content_type"].as_str().unwrap())
                .body(self.0["body"].as_str().unwrap().as_bytes().to_vec())
                .unwrap())
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
