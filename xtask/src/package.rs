//! `cargo xtask package`: builds the release packages, with the same bytes for the same source.
//!
//! It knows the contents of each package, but no stores, servers or signatures.

mod archive;
mod deb;
mod host;
mod proof;
mod source;
mod verify;

use std::collections::BTreeMap;
use std::env;
use std::path::{Path, PathBuf};
use std::thread;

use anyhow::Result;

use crate::extension::{self, Browser, Profile};
use crate::{build, join, repo, step};

use archive::Tree;
use host::Host;
pub(crate) use proof::{program, prove};
use source::Source;

/// What to package, and whether to verify it.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Compile the host with this profile of Cargo.toml, to target/package-NAME
    #[arg(long, value_name = "NAME", default_value = RELEASE, conflicts_with = "verify")]
    host_profile: String,
    /// Build everything a second time from a clone in another folder, and compare; doubles the time
    #[arg(long)]
    verify: bool,
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> Result<()> {
    let source = Source::here()?;
    let commit = if args.verify { Some(verify::can_be_cloned(&source)?) } else { None };
    let mut packages = pack(&source, &args.host_profile)?;
    if let Some(archive) = source.archive(&format!("rolecall-{VERSION}"))? {
        packages.insert(format!("rolecall-{VERSION}-source.tar.gz"), archive);
        if !args.verify && !source::changes()?.is_empty() {
            step::note("there are uncommitted changes, which the source archive does not contain");
        }
    } else {
        step::note("no git repository: no source archive");
    }

    let folder = folder(&args.host_profile);
    let sums = write(&folder, &packages)?;
    for name in packages.keys().map(String::as_str).chain([SUMS]) {
        println!("{}", folder.join(name).display());
    }
    if let Some(commit) = commit {
        verify::run(commit, &sums)?;
    }
    Ok(())
}

/// Builds and packages everything except the source.
fn pack(source: &Source, host_profile: &str) -> Result<BTreeMap<String, Vec<u8>>> {
    let host = thread::scope(|scope| {
        let is_packed = cfg!(target_os = "linux");
        let host = scope.spawn(move || is_packed.then(|| Host::build(host_profile)).transpose());
        build::extension(&Browser::ALL, Profile::Release)?;
        join(host)
    })?;
    let mut packages = BTreeMap::new();
    for browser in Browser::ALL {
        let ending = match browser {
            Browser::Chromium => "zip",
            Browser::Firefox => "xpi",
        };
        let mut files = BTreeMap::new();
        extension::collect(&browser.folder(Profile::Release), Path::new(""), &mut files)?;
        let mut tree = Tree::default();
        for (path, content) in files {
            tree.add(archive::name(&path)?, content);
        }
        packages.insert(format!("rolecall-{}-{VERSION}.{ending}", browser.name()), tree.zip()?);
    }
    if let Some(host) = host {
        pack_host(source, &host, &mut packages)?;
    } else {
        step::note("the native host's packages are made on Linux");
    }
    Ok(packages)
}

fn pack_host(source: &Source, host: &Host, packages: &mut BTreeMap<String, Vec<u8>>) -> Result<()> {
    let name = format!("rolecall-{VERSION}-linux-{}", env::consts::ARCH);
    let tar = host.tree()?.tar(&format!("{name}/"), source.time)?;
    packages.insert(format!("{name}.tar.gz"), archive::gzip(&tar)?);
    if let Some(control) = host.control() {
        let name = format!("rolecall_{VERSION}_{}.deb", control.architecture);
        packages.insert(name, deb::deb(&control, &host.debian_tree(source.time)?, source.time)?);
    }
    Ok(())
}

/// The folder of the packages.
fn folder(host_profile: &str) -> PathBuf {
    if host_profile == RELEASE {
        repo::target("package")
    } else {
        repo::target(&format!("package-{host_profile}"))
    }
}

/// Writes the packages and their checksums to a folder, and removes everything else in it.
fn write(folder: &Path, packages: &BTreeMap<String, Vec<u8>>) -> Result<String> {
    repo::remove_dir(folder)?;
    let mut sums = String::new();
    for (name, content) in packages {
        repo::write(&folder.join(name), content)?;
        sums.extend([&repo::sha256(content), "  ", name, "\n"]);
    }
    repo::write(&folder.join(SUMS), &sums)?;
    Ok(sums)
}

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The name of the checksum list, in the format of `sha256sum --check`.
const SUMS: &str = "SHA256SUMS";

/// The profile that is released.
const RELEASE: &str = "release";
