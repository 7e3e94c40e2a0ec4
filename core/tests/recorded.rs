//! What the product reads, beside what the real ones are on record to have said (`tests/recorded`).
#![cfg(not(target_arch = "wasm32"))]

#[cfg(test)]
mod tests {
    use http::Response;
    use rolecall_core::oidc::read_tokens;
    use rolecall_core::sts::read_credentials;
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

    /// Where the product is known to read another code, it has to be that one.
    fn compare(row: &Value, read: &Value, differences: &mut Vec<String>) {
        let expected = row.get("today").unwrap_or(&row["code"]);
        if row.get("today").is_some() {
            println!("known to differ: {}: {read}, on record {}", row["name"], row["code"]);
        }
        if read != expected {
            differences.push(format!("{}: {read}, expected {expected}", row["name"]));
        }
    }
}
