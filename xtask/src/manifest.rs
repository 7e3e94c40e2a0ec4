//! Composes a browser's manifest from `manifest/base.jsonc` and the browser's own file.

use anyhow::{Context, Result};
use jsonc_parser::{ParseOptions, parse_to_serde_value};
use serde_json::Value;

use crate::extension::Browser;
use crate::repo;

/// The manifest that the browser reads, as text.
pub(crate) fn compose(browser: Browser) -> Result<String> {
    let mut manifest = read("base")?;
    merge(&mut manifest, read(browser.name())?);
    merge(&mut manifest, serde_json::json!({ "version": env!("CARGO_PKG_VERSION") }));
    Ok(serde_json::to_string_pretty(&manifest)? + "\n")
}

fn read(name: &str) -> Result<Value> {
    let path = repo::path("manifest").join(name).with_extension("jsonc");
    let text =
        String::from_utf8(repo::read(&path)?).with_context(|| format!("{} is not UTF-8", path.display()))?;
    parse_to_serde_value(&text, &ParseOptions::default())
        .with_context(|| format!("cannot read {}", path.display()))
}

/// Merges `over` into `base`: objects merge, lists are appended, everything else is replaced.
fn merge(base: &mut Value, over: Value) {
    match (base, over) {
        (Value::Object(base), Value::Object(over)) => {
            for (key, value) in over {
                merge(base.entry(key).or_insert(Value::Null), value);
            }
        }
        (Value::Array(base), Value::Array(over)) => base.extend(over),
        (base, over) => *base = over,
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    fn ids() -> Value {
        serde_json::from_slice(&repo::read(&repo::path("manifest/ids.json")).unwrap()).unwrap()
    }

    /// Chromium's rule: the first 16 bytes of the public key's SHA-256, with each hexadecimal digit moved to a–p.
    #[test]
    fn the_fixed_key_makes_the_published_chromium_id() {
        let manifest = read("chromium").unwrap();
        let key = STANDARD.decode(manifest["key"].as_str().unwrap()).unwrap();
        let id: String = repo::sha256(&key)[..32]
            .chars()
            .map(|digit| char::from(b'a' + u8::try_from(digit.to_digit(16).unwrap()).unwrap()))
            .collect();
        assert_eq!(ids()["chromium_extension_id"], id);
        assert_eq!(ids()["chromium_redirect_url"], format!("https://{id}.chromiumapp.org/"));
    }

    #[test]
    fn the_firefox_manifest_contains_the_published_id() {
        let manifest: Value = serde_json::from_str(&compose(Browser::Firefox).unwrap()).unwrap();
        assert_eq!(manifest["browser_specific_settings"]["gecko"]["id"], ids()["firefox_extension_id"]);
    }

    #[test]
    fn every_permission_has_its_reason_on_the_line_above_it() {
        for (file, lists) in [
            ("base", &["permissions"][..]),
            ("chromium", &["optional_permissions"]),
            ("firefox", &["permissions", "optional_permissions"]),
        ] {
            let path = repo::path("manifest").join(file).with_extension("jsonc");
            let text = String::from_utf8(repo::read(&path).unwrap()).unwrap();
            let manifest = read(file).unwrap();
            let lines: Vec<_> = text.lines().map(str::trim).collect();
            for permission in lists.iter().flat_map(|list| manifest[list].as_array().unwrap()) {
                let quoted = permission.to_string();
                let at = lines.iter().position(|line| line.trim_end_matches(',') == quoted);
                let above = lines[at.unwrap() - 1];
                assert!(above.starts_with("// "), "{permission} has no reason");
            }
        }
    }

    #[test]
    fn every_permission_is_explained_and_no_other_is_asked_for() {
        let text = String::from_utf8(repo::read(&repo::path("docs/threat-model.md")).unwrap()).unwrap();
        let table = text.split("## What the extension may do").nth(1).unwrap().split("\n## ").next().unwrap();
        for browser in Browser::ALL {
            // A row may be about one browser only.
            let of_another =
                format!("| {} only", if browser == Browser::Firefox { "Chromium" } else { "Firefox" });
            let rows = table.lines().filter(|line| !line.contains(&of_another));
            let mut explained: Vec<_> =
                rows.filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
            explained.sort_unstable();
            let manifest: Value = serde_json::from_str(&compose(browser).unwrap()).unwrap();
            let lists = ["permissions", "optional_permissions", "optional_host_permissions"]
                .map(|name| manifest[name].as_array());
            let asked = lists.into_iter().flatten().flatten();
            let mut asked: Vec<_> = asked.map(|one| one.as_str().unwrap()).collect();
            asked.extend(["commands", "omnibox"].iter().filter(|key| !manifest[**key].is_null()));
            asked.sort_unstable();
            assert_eq!(asked, explained);
            for more in ["host_permissions", "content_scripts", "web_accessible_resources"] {
                assert_eq!(manifest[more], Value::Null, "{more}");
            }
            let others = &manifest["externally_connectable"];
            let is_closed =
                others["ids"] == serde_json::json!([]) && others["matches"] == serde_json::json!([]);
            assert!(*others == Value::Null || is_closed, "{others}");
        }
    }

    #[test]
    fn only_packaged_scripts_and_webassembly_may_run() {
        for browser in Browser::ALL {
            let manifest: Value = serde_json::from_str(&compose(browser).unwrap()).unwrap();
            let policy = manifest["content_security_policy"]["extension_pages"].as_str().unwrap();
            assert!(
                policy.starts_with("script-src 'self' 'wasm-unsafe-eval'; object-src 'none'"),
                "{policy}"
            );
            assert_eq!(manifest["host_permissions"], Value::Null, "no host is granted at installation");
            assert_eq!(manifest["version"], env!("CARGO_PKG_VERSION"));
        }
    }

    #[test]
    fn a_browsers_file_adds_to_objects_and_lists() {
        let mut base = serde_json::json!({ "a": { "b": 1 }, "list": [1, 2] });
        merge(&mut base, serde_json::json!({ "a": { "c": 2 }, "list": [3] }));
        assert_eq!(base, serde_json::json!({ "a": { "b": 1, "c": 2 }, "list": [1, 2, 3] }));
    }
}
