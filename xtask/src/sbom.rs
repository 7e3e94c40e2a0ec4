//! The bill of materials of a program: the crates that are linked into it and which of them needs which, in the JSON of
//! `CycloneDX` (<https://cyclonedx.org/docs/1.6/json/>). Like the notices it is made for exactly these crates; it has no time
//! and no random number, so that the same sources give the same bytes.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::process::Command;

use anyhow::{Context as _, Result};
use serde::Deserialize;
use serde_json::{Value, json};
use spdx::Expression;

use crate::crates::{self, Crate};
use crate::repo;

/// The bill for the program `name` that `compiler` makes of `package` for `target`.
pub(crate) fn of(name: &str, package: &str, target: &str, compiler: &OsStr) -> Result<String> {
    let linked = crates::linked(package, target)?;
    let mut parts = crates::all(&[target])?;
    parts.retain(|part| linked.iter().any(|(name, version)| (name, version) == (&part.name, &part.version)));
    parts.sort_by(|one, other| (&one.name, &one.version).cmp(&(&other.name, &other.version)));
    let checksums = checksums()?;
    let mut components = vec![standard_library(compiler)?];
    for part in &parts {
        components.push(component(part, &checksums)?);
    }

    let names: BTreeMap<&str, String> =
        parts.iter().map(|part| (part.id.as_str(), reference(part))).collect();
    let needed = crates::needed(target)?;
    let own = parts.iter().filter(|part| part.name == package).map(reference);
    let mut dependencies = vec![json!({ "ref": name, "dependsOn": own.collect::<Vec<_>>() })];
    for (id, reference) in &names {
        let needed = needed.get(*id).into_iter().flatten();
        let mut needed: Vec<_> = needed.filter_map(|needed| names.get(needed.as_str())).collect();
        needed.sort();
        dependencies.push(json!({ "ref": reference, "dependsOn": needed }));
    }
    let bill = json!({
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": { "component": {
            "type": "application",
            "bom-ref": name,
            "name": name,
            "version": env!("CARGO_PKG_VERSION"),
            "licenses": [{ "expression": "MIT OR Apache-2.0" }],
        } },
        "components": components,
        "dependencies": dependencies,
    });
    Ok(format!("{}\n", serde_json::to_string_pretty(&bill)?))
}

/// It is in every program, but in no lock file.
fn standard_library(compiler: &OsStr) -> Result<Value> {
    let about = Command::new(compiler).arg("-vV").output().context("cannot run the compiler")?;
    let about = String::from_utf8(about.stdout)?;
    let version = about.lines().find_map(|line| line.strip_prefix("release: "));
    Ok(json!({
        "type": "library",
        "bom-ref": "rust-std",
        "name": "rust-std",
        "version": version.context("the compiler does not report its version")?,
        "description": "The Rust standard library",
        "licenses": [{ "expression": "MIT OR Apache-2.0" }],
    }))
}

fn component(part: &Crate, checksums: &BTreeMap<(String, String), String>) -> Result<Value> {
    let mut component = json!({
        "type": "library",
        "bom-ref": reference(part),
        "name": part.name,
        "version": part.version,
    });
    if let Some(licence) = &part.license {
        // Cargo also takes a slash for "or".
        let expression = Expression::canonicalize(licence)?.unwrap_or_else(|| licence.clone());
        component["licenses"] = json!([{ "expression": expression }]);
    }
    if part.source.is_some() {
        component["purl"] = reference(part).into();
        let checksum = checksums.get(&(part.name.clone(), part.version.clone()));
        let checksum = checksum.with_context(|| format!("Cargo.lock has no checksum of {}", part.name))?;
        component["hashes"] = json!([{ "alg": "SHA-256", "content": checksum }]);
    }
    if let Some(repository) = &part.repository {
        component["externalReferences"] = json!([{ "type": "vcs", "url": repository }]);
    }
    Ok(component)
}

/// A third-party crate by its package URL, one of this repository by its name.
fn reference(part: &Crate) -> String {
    let prefix = if part.source.is_some() { "pkg:cargo/" } else { "" };
    format!("{prefix}{}@{}", part.name, part.version)
}

/// The checksums in the lock file, by name and version.
fn checksums() -> Result<BTreeMap<(String, String), String>> {
    #[derive(Deserialize)]
    struct Lock {
        package: Vec<Locked>,
    }
    #[derive(Deserialize)]
    struct Locked {
        name: String,
        version: String,
        checksum: Option<String>,
    }
    let lock: Lock = toml::from_str(&String::from_utf8(repo::read(&repo::path("Cargo.lock"))?)?)?;
    let packages = lock.package.into_iter();
    Ok(packages.filter_map(|one| Some(((one.name, one.version), one.checksum?))).collect())
}

/// The name of the bill in packages.
pub(crate) const FILE: &str = "sbom.cdx.json";

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::process::Stdio;

    use super::*;

    fn extension() -> Value {
        let text = of("rolecall-extension", "rolecall-extension", "wasm32-unknown-unknown", "rustc".as_ref())
            .unwrap();
        serde_json::from_str(&text).unwrap()
    }

    fn named<'a>(bill: &'a Value, name: &str) -> Vec<&'a Value> {
        bill["components"].as_array().unwrap().iter().filter(|part| part["name"] == name).collect()
    }

    #[test]
    fn every_linked_crate_is_listed_with_its_checksum_and_no_tool_is() {
        let bill = extension();
        let serde = named(&bill, "serde")[0];
        assert_eq!(serde["purl"], serde["bom-ref"]);
        assert_eq!(serde["licenses"][0]["expression"], "MIT OR Apache-2.0");
        assert_eq!(serde["hashes"][0]["content"].as_str().unwrap().len(), 64);
        assert_eq!(named(&bill, "rolecall-core").len(), 1);
        assert_eq!(named(&bill, "rust-std").len(), 1);
        assert!(named(&bill, "serde_derive").is_empty(), "it runs on the compiling machine only");
        assert!(named(&bill, "clap").is_empty(), "the host's crates are not in the extension");
    }

    #[test]
    fn every_part_is_needed_by_another_one() {
        let bill = extension();
        let dependencies = bill["dependencies"].as_array().unwrap();
        let needed: Vec<_> =
            dependencies.iter().flat_map(|one| one["dependsOn"].as_array().unwrap()).collect();
        for part in bill["components"].as_array().unwrap() {
            assert!(part["name"] == "rust-std" || needed.contains(&&part["bom-ref"]), "{part}");
        }
    }

    #[test]
    fn it_is_valid_by_the_schema() {
        // `cargo xtask test` names a Python with the schema.
        let Some(python) = std::env::var_os("ROLECALL_TEST_PYTHON") else { return };
        let validate = "import sys\n\
            from cyclonedx.schema import SchemaVersion\n\
            from cyclonedx.validation.json import JsonStrictValidator\n\
            error = JsonStrictValidator(SchemaVersion.V1_6).validate_str(sys.stdin.read())\n\
            sys.exit(str(error) if error else 0)";
        let valid = |bill: &Value| {
            let mut command = Command::new(&python);
            command.args(["-c", validate]).stdin(Stdio::piped()).stderr(Stdio::piped());
            let mut child = command.spawn().unwrap();
            child.stdin.take().unwrap().write_all(bill.to_string().as_bytes()).unwrap();
            let output = child.wait_with_output().unwrap();
            (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
        };
        let mut bill = extension();
        let (is_valid, error) = valid(&bill);
        assert!(is_valid, "{error}");
        bill["components"][0]["type"] = "nothing".into();
        let (is_valid, error) = valid(&bill);
        assert!(!is_valid && error.contains("nothing"), "{error}");
    }
}
