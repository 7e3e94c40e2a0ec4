use serde_json::json;

use super::*;

const PROVIDER: &str = "arn:aws:iam::111111111111:oidc-provider/idp.example";
const ACTION: &str = "sts:AssumeRoleWithWebIdentity";

fn keys(amr: &[&str]) -> Vec<Key> {
    vec![
        Key { name: "idp.example:aud".to_owned(), values: KeyValues::Single("client".to_owned()) },
        Key { name: "idp.example:sub".to_owned(), values: KeyValues::Single("alice".to_owned()) },
        Key { name: "idp.example:flag".to_owned(), values: KeyValues::Single("true".to_owned()) },
        Key {
            name: "idp.example:amr".to_owned(),
            values: KeyValues::Multi(amr.iter().map(|value| (*value).to_owned()).collect()),
        },
    ]
}

fn statement(effect: &str, condition: &Value) -> Value {
    json!({ "Effect": effect, "Principal": { "Federated": PROVIDER }, "Action": ACTION, "Condition": condition })
}

fn decide(document: &Value, amr: &[&str]) -> bool {
    let keys = keys(amr);
    allows(&document.to_string(), ACTION, &Context { principal: Principal::Federated(PROVIDER), keys: &keys })
        .unwrap()
}

fn condition_holds(condition: &Value, amr: &[&str]) -> bool {
    decide(&json!({ "Statement": [statement("Allow", condition)] }), amr)
}

#[test]
fn conditions_hold_as_iam_documents_them() {
    let cases = [
        (json!({}), true),
        (json!({ "StringEquals": { "idp.example:aud": "client" } }), true),
        (json!({ "StringEquals": { "IDP.example:AUD": "client" } }), true),
        (json!({ "StringEquals": { "idp.example:aud": "Client" } }), false),
        (json!({ "StringEquals": { "idp.example:aud": ["other", "client"] } }), true),
        (json!({ "StringEquals": { "idp.example:aud": "client", "idp.example:sub": "bob" } }), false),
        (json!({ "StringEqualsIgnoreCase": { "idp.example:aud": "CLIENT" } }), true),
        (json!({ "StringEquals": { "idp.example:sub": "al*" } }), false),
        (json!({ "StringLike": { "idp.example:sub": "al*" } }), true),
        (json!({ "StringLike": { "idp.example:sub": "al?ce" } }), true),
        (json!({ "StringLike": { "idp.example:sub": "al?" } }), false),
        (json!({ "StringNotEquals": { "idp.example:sub": "bob" } }), true),
        (json!({ "StringNotEquals": { "idp.example:sub": ["bob", "alice"] } }), false),
        (json!({ "StringNotLike": { "idp.example:sub": "a*" } }), false),
        (json!({ "StringEquals": { "elsewhere.example:sub": "alice" } }), false),
        (json!({ "StringNotEquals": { "elsewhere.example:sub": "alice" } }), true),
        (json!({ "StringEqualsIfExists": { "elsewhere.example:sub": "bob" } }), true),
        (json!({ "StringEqualsIfExists": { "idp.example:sub": "bob" } }), false),
        (json!({ "Null": { "idp.example:sub": "false" } }), true),
        (json!({ "Null": { "idp.example:sub": "true" } }), false),
        (json!({ "Null": { "elsewhere.example:sub": "true" } }), true),
        (json!({ "Bool": { "idp.example:flag": "true" } }), true),
        (json!({ "Bool": { "idp.example:flag": "false" } }), false),
    ];
    for (condition, expected) in cases {
        assert_eq!(condition_holds(&condition, &["dev"]), expected, "{condition}");
    }
}

#[test]
fn a_multi_valued_key_needs_a_set_operator_even_for_one_value() {
    let any = |operator: &str, value: &str| {
        let operator = format!("ForAnyValue:{operator}");
        json!({ operator: { "idp.example:amr": value } })
    };
    let cases = [
        (json!({ "StringLike": { "idp.example:amr": "dev" } }), vec!["dev"], false),
        (json!({ "StringEquals": { "idp.example:amr": "dev" } }), vec!["dev"], false),
        (json!({ "StringLike": { "idp.example:amr": "*" } }), vec!["dev", "ops"], false),
        (any("StringEquals", "dev"), vec!["dev"], true),
        (any("StringEquals", "dev"), vec!["ops", "dev"], true),
        (any("StringEquals", "dev"), vec!["ops"], false),
        (any("StringEquals", "de*"), vec!["dev"], false),
        (any("StringLike", "de*"), vec!["ops", "dev"], true),
        (any("StringLike", "*"), vec![], false),
        (json!({ "ForAllValues:StringEquals": { "idp.example:amr": ["dev", "ops"] } }), vec!["dev"], true),
        (
            json!({ "ForAllValues:StringEquals": { "idp.example:amr": ["dev", "ops"] } }),
            vec!["dev", "x"],
            false,
        ),
        (any("StringEquals", "dev"), vec!["mfa"], false),
    ];
    for (condition, amr, expected) in cases {
        assert_eq!(condition_holds(&condition, &amr), expected, "{condition} {amr:?}");
    }
}

#[test]
fn a_deny_statement_overrides_any_allow() {
    let document = json!({ "Statement": [
        statement("Allow", &json!({})),
        statement("Deny", &json!({ "ForAnyValue:StringEquals": { "idp.example:amr": "contractor" } })),
    ]});
    assert!(decide(&document, &["dev"]));
    assert!(!decide(&document, &["dev", "contractor"]));
}

#[test]
fn principal_and_action_must_be_the_requests_own() {
    let allow = |principal: Value, action: Value| json!({ "Statement": { "Effect": "Allow", "Principal": principal, "Action": action } });
    let provider = json!({ "Federated": PROVIDER });
    let cases = [
        (allow(provider.clone(), json!(ACTION)), true),
        (allow(json!({ "Federated": ["arn:aws:iam::1:oidc-provider/x", PROVIDER] }), json!(["sts:*"])), true),
        (allow(provider.clone(), json!("STS:assumerolewithwebidentity")), true),
        (allow(json!("*"), json!(ACTION)), true),
        (allow(provider, json!("sts:AssumeRole")), false),
        (
            allow(json!({ "Federated": "arn:aws:iam::111111111111:oidc-provider/other" }), json!(ACTION)),
            false,
        ),
        (allow(json!({ "AWS": "arn:aws:iam::111111111111:root" }), json!(ACTION)), false),
    ];
    for (document, expected) in cases {
        assert_eq!(decide(&document, &[]), expected, "{document}");
    }
}

#[test]
fn a_document_that_cannot_be_evaluated_is_refused_as_a_whole() {
    for condition in [json!({ "NumericEquals": { "k": "1" } }), json!({ "ForSome:StringLike": { "k": "1" } })]
    {
        let document = json!({ "Statement": [statement("Allow", &condition)] });
        assert!(check(&document.to_string()).is_err(), "{document}");
    }
    assert!(check("not json").is_err());
}
