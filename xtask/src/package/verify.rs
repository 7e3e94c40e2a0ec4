//! Verifies that a release is reproducible: it is built a second time from a clone of its commit in another folder,
//! from nothing, and every checksum is compared.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, Result, bail};

use super::source::{self, Source};
use crate::{repo, step};

/// Refuses sources that a clone cannot contain.
pub(super) fn can_be_cloned(source: &Source) -> Result<&str> {
    let Some(commit) = &source.commit else { bail!("--verify needs a git repository to clone") };
    let changes = source::changes()?;
    if !changes.is_empty() {
        bail!("--verify builds from the last commit, but there are uncommitted changes:\n{changes}");
    }
    Ok(commit)
}

/// Builds `commit` again and compares with the checksums in `sums`.
pub(super) fn run(commit: &str, sums: &str) -> Result<()> {
    let clone = repo::target("verify/another-folder");
    repo::remove_dir(&clone)?;
    let folder = clone.to_str().context("the target folder's path is not UTF-8")?;
    let root = repo::root().to_str().context("the repository's path is not UTF-8")?;
    source::git(&["clone", "--quiet", "--no-checkout", root, folder])?;
    source::git(&["-C", folder, "checkout", "--quiet", "--detach", commit])?;

    let mut cargo = repo::cargo();
    cargo.args(["run", "--locked", "--package", "xtask", "--", "package"]);
    cargo.current_dir(&clone).env("CARGO_TARGET_DIR", clone.join("target"));
    step::run("build everything again in another folder", &mut cargo)?;

    let again = repo::read(&clone.join("target/package").join(super::SUMS))?;
    let folder = Path::new("target/verify/another-folder/target/package");
    compare(sums, &String::from_utf8(again)?, folder)?;
    repo::remove_dir(&clone)?;
    step::note("the second build gave the same bytes");
    Ok(())
}

/// Compares two lists of checksums; the packages of the second one are in `folder`.
pub(super) fn compare(first: &str, second: &str, folder: &Path) -> Result<()> {
    let (first, second) = (by_name(first), by_name(second));
    let names = first.keys().chain(second.keys()).collect::<BTreeSet<_>>();
    let different: Vec<_> =
        names.into_iter().filter(|name| first.get(*name) != second.get(*name)).copied().collect();
    if !different.is_empty() {
        bail!("the second build differs in {}. It is in {}", different.join(", "), folder.display());
    }
    Ok(())
}

fn by_name(sums: &str) -> BTreeMap<&str, &str> {
    sums.lines().filter_map(|line| line.split_once("  ")).map(|(sum, name)| (name, sum)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compare(first: &str, second: &str) -> Result<()> {
        super::compare(first, second, Path::new("elsewhere"))
    }

    #[test]
    fn a_difference_is_named() {
        let error = compare("1  a.zip\n2  b.deb\n", "1  a.zip\n3  b.deb\n").unwrap_err();
        assert!(error.to_string().starts_with("the second build differs in b.deb. "), "{error}");
    }

    #[test]
    fn a_package_that_only_one_build_made_is_a_difference() {
        assert!(compare("1  a.zip\n", "1  a.zip\n2  b.deb\n").is_err());
        assert!(compare("1  a.zip\n2  b.deb\n", "1  a.zip\n").is_err());
        assert!(compare("1  a.zip\n", "1  a.zip\n").is_ok());
    }
}
