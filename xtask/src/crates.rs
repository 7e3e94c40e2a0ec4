//! The crates of the product, as reported by cargo: their metadata, and which of them are linked into a program.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::repo;

/// A crate of the lock file.
#[derive(Deserialize)]
pub(crate) struct Crate {
    /// What cargo calls it.
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) version: String,
    /// An SPDX expression.
    pub(crate) license: Option<String>,
    /// Its authors, if it names them.
    pub(crate) authors: Vec<String>,
    /// Its repository.
    pub(crate) repository: Option<String>,
    /// Its source; `None` for a crate of this repository.
    pub(crate) source: Option<String>,
    /// The path of its `Cargo.toml`.
    pub(crate) manifest_path: PathBuf,
    /// The native library that its build script builds.
    pub(crate) links: Option<String>,
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    kind: Option<String>,
}

impl Crate {
    /// Whether its build script runs a C compiler.
    pub(crate) fn compiles_c(&self) -> bool {
        self.dependencies.iter().any(|other| other.name == "cc" && other.kind.as_deref() == Some("build"))
    }
}

/// Every crate that the workspace uses on these targets, for any purpose.
pub(crate) fn all(targets: &[&str]) -> Result<Vec<Crate>> {
    #[derive(Deserialize)]
    struct Metadata {
        packages: Vec<Crate>,
    }
    let mut args = vec!["metadata", "--format-version", "1"];
    // Without this, crates of other systems would be fetched.
    args.extend(targets.iter().flat_map(|target| ["--filter-platform", target]));
    let metadata: Metadata =
        serde_json::from_slice(&cargo(&args)?).context("cannot read the output of `cargo metadata`")?;
    Ok(metadata.packages)
}

/// Which crates each crate needs when it runs, by their ids, on this target and with the features of the whole workspace.
pub(crate) fn needed(target: &str) -> Result<BTreeMap<String, Vec<String>>> {
    #[derive(Deserialize)]
    struct Metadata {
        resolve: Graph,
    }
    #[derive(Deserialize)]
    struct Graph {
        nodes: Vec<Node>,
    }
    #[derive(Deserialize)]
    struct Node {
        id: String,
        deps: Vec<Edge>,
    }
    #[derive(Deserialize)]
    struct Edge {
        pkg: String,
        dep_kinds: Vec<Use>,
    }
    #[derive(Deserialize)]
    struct Use {
        kind: Option<String>,
    }
    let metadata: Metadata =
        serde_json::from_slice(&cargo(&["metadata", "--format-version", "1", "--filter-platform", target])?)
            .context("cannot read the output of `cargo metadata`")?;
    let at_run_time = |edge: &Edge| edge.dep_kinds.iter().any(|how| how.kind.is_none());
    let nodes = metadata.resolve.nodes.into_iter();
    Ok(nodes
        .map(|node| (node.id, node.deps.into_iter().filter(at_run_time).map(|edge| edge.pkg).collect()))
        .collect())
}

/// The names of the workspace's integration tests.
pub(crate) fn integration_tests() -> Result<BTreeSet<String>> {
    #[derive(Deserialize)]
    struct Metadata {
        packages: Vec<Package>,
    }
    #[derive(Deserialize)]
    struct Package {
        targets: Vec<Target>,
    }
    #[derive(Deserialize)]
    struct Target {
        name: String,
        kind: Vec<String>,
    }
    let metadata: Metadata =
        serde_json::from_slice(&cargo(&["metadata", "--format-version", "1", "--no-deps"])?)
            .context("cannot read the output of `cargo metadata`")?;
    let targets = metadata.packages.into_iter().flat_map(|package| package.targets);
    Ok(targets.filter(|target| target.kind == ["test"]).map(|target| target.name).collect())
}

/// Name and version of the crates that are linked into `package` for `target`, including itself.
pub(crate) fn linked(package: &str, target: &str) -> Result<BTreeSet<(String, String)>> {
    // Procedural macros and build dependencies run on the compiling machine only.
    let args = ["tree", "--package", package, "--target", target, "--edges", "normal,no-proc-macro"];
    let format = ["--prefix", "none", "--format", "{p}", "--no-dedupe"];
    let tree = String::from_utf8(cargo(&[&args[..], &format[..]].concat())?)?;
    tree.lines().map(|line| named(line).with_context(|| format!("cargo tree says {line:?}"))).collect()
}

/// From "serde v1.0.228 (somewhere)".
fn named(line: &str) -> Option<(String, String)> {
    let mut words = line.split(' ');
    Some((words.next()?.to_owned(), words.next()?.strip_prefix('v')?.to_owned()))
}

fn cargo(args: &[&str]) -> Result<Vec<u8>> {
    let output = repo::cargo().args(args).output().context("cannot run cargo")?;
    if !output.status.success() {
        bail!("cargo {} failed: {}", args.join(" "), String::from_utf8_lossy(&output.stderr).trim_end());
    }
    Ok(output.stdout)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notices::satisfied;
    use crate::targets;

    #[test]
    fn build_tools_are_not_part_of_the_product() {
        let linked: BTreeSet<_> = linked("rolecall-extension", "wasm32-unknown-unknown")
            .unwrap()
            .into_iter()
            .map(|(name, _)| name)
            .collect();
        assert!(linked.contains("rolecall-core") && linked.contains("serde"), "{linked:?}");
        assert!(
            !linked.contains("serde_derive") && !linked.contains("wasm-bindgen-cli-support"),
            "{linked:?}"
        );
    }

    #[test]
    fn every_crate_comes_from_where_and_under_what_deny_toml_allows() {
        let rules = String::from_utf8(repo::read(&repo::path("deny.toml")).unwrap()).unwrap();
        let rules: toml::Table = rules.parse().unwrap();
        let licences = rules["licenses"]["allow"].as_array().unwrap();
        let licences: Vec<_> = licences.iter().map(|licence| licence.as_str().unwrap()).collect();
        let banned = rules["bans"]["deny"].as_array().unwrap();
        let banned: Vec<_> = banned.iter().map(|one| one["crate"].as_str().unwrap()).collect();
        let systems = ["x86_64-unknown-linux-gnu", "wasm32-unknown-unknown"];
        let crates = all(&[&systems[..], &targets::TARGETS].concat()).unwrap();
        let foreign: Vec<_> = crates.iter().filter(|one| one.source.is_some()).collect();
        assert!(foreign.len() > 300, "{}", foreign.len());
        for one in foreign {
            let label = format!("{} {}", one.name, one.version);
            let source = one.source.as_deref();
            assert_eq!(source, Some("registry+https://github.com/rust-lang/crates.io-index"), "{label}");
            assert!(satisfied(one, &licences).unwrap(), "{label}: {:?}", one.license);
            assert!(!banned.contains(&&*one.name), "{label} is banned");
        }
    }
}
