//! Facts that `manifest/` repeats from core, because browsers read them there, are the same as in core.

#![expect(clippy::unwrap_used, reason = "a test that cannot read its data has failed")]

use std::fmt;
use std::path::Path;

use rolecall_core::identity;
use rolecall_core::settings::Reading;
use serde_json::{Value, json};

fn manifest(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../manifest").join(name);
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

#[test]
fn the_ids_of_the_extension_and_the_host_are_the_same_in_core() {
    let ids = manifest("ids.json");
    assert_eq!(ids["chromium_extension_id"], identity::CHROMIUM_EXTENSION_ID);
    assert_eq!(ids["firefox_extension_id"], identity::FIREFOX_EXTENSION_ID);
    assert_eq!(ids["native_host_name"], identity::HOST_NAME);
}

#[test]
fn the_policy_schema_has_exactly_the_settings_keys() {
    let schema = manifest("managed-schema.json");
    let document = json!({
        "provider": [{
            "id": "corp", "client_id": "abcdef",
            "well_known_url": "https://idp.example/.well-known/openid-configuration",
        }],
        "role": [{ "provider": "corp", "arn": "arn:aws:iam::123456789012:role/developer" }],
        "account": [{ "id": "123456789012", "alias": "example" }],
    });
    let settings = Reading::from_json(&document.to_string()).settings;
    // The keys outside the tables are read into a struct of their own.
    let mut keys = fields(&settings);
    keys.retain(|key| key != "preferences");
    keys.extend(fields(&settings.preferences));
    keys.sort();
    assert_eq!(properties(&schema), keys);
    // The host program reads this key, from files only.
    let mut provider = fields(&settings.provider[0]);
    provider.push("loopback".to_owned());
    provider.sort();
    for (section, known) in [
        ("provider", provider),
        ("role", fields(&settings.role[0])),
        ("account", fields(&settings.account[0])),
    ] {
        assert_eq!(properties(&schema["properties"][section]["items"]), known, "{section}");
    }
}

fn properties(schema: &Value) -> Vec<String> {
    let mut names: Vec<_> = schema["properties"].as_object().unwrap().keys().cloned().collect();
    names.sort();
    names
}

/// The names of a struct's fields, as its `Debug` lists them.
fn fields(of: &impl fmt::Debug) -> Vec<String> {
    let text = format!("{of:#?}");
    let lines = text.lines().filter_map(|line| line.strip_prefix("    ")?.split_once(": "));
    let own = lines.filter(|(name, _)| !name.starts_with(' '));
    let mut names: Vec<_> = own.map(|(name, _)| name.to_owned()).collect();
    names.sort();
    names
}
