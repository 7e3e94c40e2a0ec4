//! `cargo xtask package`: what is released, the same bytes for the same source.
//!
//! It knows what goes where in each package, and nothing of stores, servers or signatures.

mod archive;
mod deb;
mod host;
mod source;
mod verify;

use std::collections::BTreeMap;
use std::env;
use std::path::Path;

use anyhow::Result;

use crate::extension::{self, Browser};
use crate::{build, repo, step};

use archive::Tree;
use host::Host;
use source::Source;

/// What to pack, and whether to prove it.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Build everything a second time from a clone in another folder, and compare: takes as long as the first time
    #[arg(long)]
    verify: bool,
}

/// Runs the word.
pub(crate) fn run(args: &Args) -> Result<()> {
    let source = Source::here()?;
    let commit = if args.verify { Some(verify::can_be_cloned(&source)?) } else { None };
    build::extension(&Browser::ALL)?;

    let mut packages = BTreeMap::new();
    for browser in Browser::ALL {
        let ending = match browser {
            Browser::Chromium => "zip",
            Browser::Firefox => "xpi",
        };
        let mut files = BTreeMap::new();
        extension::collect(&browser.folder(), Path::new(""), &mut files)?;
        let mut tree = Tree::default();
        for (path, content) in files {
            tree.add(archive::name(&path)?, content);
        }
        packages.insert(format!("rolecall-{}-{VERSION}.{ending}", browser.name()), tree.zip()?);
    }
    if cfg!(target_os = "linux") {
        pack_host(&source, &mut packages)?;
    } else {
        step::note("the native host's packages are made on Linux");
    }
    if let Some(archive) = source.archive(&format!("rolecall-{VERSION}"))? {
        packages.insert(format!("rolecall-{VERSION}-source.tar.gz"), archive);
        if !args.verify && !source::changes()?.is_empty() {
            step::note("there are changes since the last commit: the source archive does not have them");
        }
    } else {
        step::note("no git repository: no source archive");
    }

    let sums = write(&packages)?;
    if let Some(commit) = commit {
        verify::run(commit, &sums)?;
    }
    Ok(())
}

fn pack_host(source: &Source, packages: &mut BTreeMap<String, Vec<u8>>) -> Result<()> {
    let host = Host::build()?;
    let name = format!("rolecall-{VERSION}-linux-{}", env::consts::ARCH);
    let tar = host.tree()?.tar(&format!("{name}/"), source.time)?;
    packages.insert(format!("{name}.tar.gz"), archive::gzip(&tar)?);
    if let Some(control) = host.control() {
        let name = format!("rolecall_{VERSION}_{}.deb", control.architecture);
        packages.insert(name, deb::deb(&control, &host.debian_tree()?, source.time)?);
    }
    Ok(())
}

/// Writes the packages and their checksums, and nothing else, to `target/package`.
fn write(packages: &BTreeMap<String, Vec<u8>>) -> Result<String> {
    let folder = repo::target("package");
    repo::remove_dir(&folder)?;
    let mut sums = String::new();
    for (name, content) in packages {
        let path = folder.join(name);
        repo::write(&path, content)?;
        println!("{}", path.display());
        sums.extend([&repo::sha256(content), "  ", name, "\n"]);
    }
    let path = folder.join(SUMS);
    repo::write(&path, &sums)?;
    println!("{}", path.display());
    Ok(sums)
}

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The name of the list of checksums, in the form that `sha256sum --check` reads.
const SUMS: &str = "SHA256SUMS";
