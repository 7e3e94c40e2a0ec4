//! Tokens and answers of every malformed kind, each with the code that it must be refused with, and their valid
//! neighbours (`corpus/make.py` makes them and says what is in them).

#[cfg(test)]
mod tests {
    #[cfg(not(target_arch = "wasm32"))]
    use futures_test::test as async_test;
    use rolecall_core::Code;
    use rolecall_core::oidc::{
        ExpectedRedirect, ExpectedToken, IdTokenError, KeySet, Metadata, read_redirect, read_tokens, verify,
    };
    use rolecall_core::platform::HttpResponse;
    use rolecall_core::settings::{Provider, Settings};
    use rolecall_core::sts::read_credentials;
    use rolecall_core::url::Url;
    use serde_json::{Value, json};
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::{wasm_bindgen_test as async_test, wasm_bindgen_test as test};

    const NOW: i64 = 1_900_000_000;

    fn provider() -> Provider {
        let text = "[[provider]]\nid = \"corp\"\nclient_id = \"client\"\n\
                    well_known_url = \"https://idp.example/.well-known/openid-configuration\"\n";
        Settings::from_toml(text).unwrap().0.provider.remove(0)
    }

    fn metadata() -> Metadata {
        let document = json!({
            "issuer": "https://idp.example",
            "authorization_endpoint": "https://idp.example/authorize",
            "token_endpoint": "https://idp.example/token",
            "jwks_uri": "https://idp.example/jwks",
            "authorization_response_iss_parameter_supported": true,
        });
        Metadata::read(&provider(), &HttpResponse::new(200, document.to_string().into())).unwrap()
    }

    fn rows(text: &str) -> Vec<Value> {
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Compares what became of a row with what it expects: `ok`, a code, or one of several codes.
    fn compare(row: &Value, outcome: Result<(), Code>, differences: &mut Vec<String>) {
        let outcome = outcome.map_or_else(Code::as_str, |()| "ok");
        let is_expected = match &row["expect"] {
            Value::Array(codes) => codes.iter().any(|code| code == outcome),
            code => code == outcome,
        };
        if !is_expected {
            differences.push(format!("{}: {} became {outcome}", row["name"], row["expect"]));
        }
    }

    #[async_test]
    async fn every_token_of_the_corpus_is_taken_or_refused_with_its_code() {
        let rows = rows(include_str!("corpus/tokens.jsonl"));
        let (provider, metadata) = (provider(), metadata());
        let mut differences = Vec::new();
        for row in &rows {
            let response = HttpResponse::new(200, json!({ "keys": row["keys"] }).to_string().into());
            let keys = KeySet::read(&metadata, &response).unwrap();
            let expected = ExpectedToken {
                issuer: &metadata.issuer,
                client_id: &provider.client_id,
                nonce: row["nonce"].as_str(),
                username_claim: None,
                roles_claim: Some("roles"),
                groups_claim: Some("groups"),
                clocks: (rolecall_core::time::DateTime::from_timestamp(NOW, 0).unwrap(), None),
            };
            let verified = verify(row["token"].as_str().unwrap().to_owned().into(), &keys, expected).await;
            let outcome = verified.map_err(|error: IdTokenError| {
                // What is told of it can be shown.
                assert!(error.to_string().len() < 50_000, "{row}");
                error.code()
            });
            compare(row, outcome.map(drop), &mut differences);
        }
        assert!(rows.len() > 300, "{}", rows.len());
        assert!(differences.is_empty(), "{}", differences.join("\n"));
    }

    #[test]
    fn every_answer_of_the_corpus_is_taken_or_refused_with_its_code() {
        let rows = rows(include_str!("corpus/answers.jsonl"));
        let (provider, metadata) = (provider(), metadata());
        let role = "arn:aws:iam::123456789012:role/example".parse().unwrap();
        let now = rolecall_core::time::DateTime::from_timestamp(NOW, 0).unwrap();
        let redirect_uri: Url = "https://abc.chromiumapp.org/".parse().unwrap();
        let mut differences = Vec::new();
        for row in &rows {
            let text = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
            let status = u16::try_from(row["status"].as_u64().unwrap()).unwrap();
            let response = HttpResponse::new(status, text("body").into());
            let outcome = match &*text("kind") {
                "discovery" => Metadata::read(&provider, &response).map(drop).map_err(|error| error.code()),
                "keys" => KeySet::read(&metadata, &response).map(drop).map_err(|error| error.code()),
                "tokens" => read_tokens(&provider, &response).map(drop).map_err(|error| error.code()),
                "sts" => read_credentials(&response, &role, now).map(drop).map_err(|error| error.code()),
                "redirect" => {
                    let expected =
                        ExpectedRedirect { redirect_uri: &redirect_uri, state: "s-1", metadata: &metadata };
                    let url = text("url").parse().unwrap();
                    read_redirect(&url, expected).map(drop).map_err(|error| error.code())
                }
                other => panic!("{other}"),
            };
            compare(row, outcome, &mut differences);
        }
        assert!(rows.len() > 200, "{}", rows.len());
        assert!(differences.is_empty(), "{}", differences.join("\n"));
    }
}
