//! The release of the native host: the program with its manual, its completions and the manifests for the browsers of a
//! machine, laid out for a user's own folder or for Debian.

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use chrono::DateTime;
use serde_json::Value;

use super::archive::{self, Tree, gzip};
use super::deb::{Control, MAINTAINER};
use crate::notices::{self, Notices, paragraph};
use crate::{extension, remap, repo, sbom, step};

/// The program and its generated files.
pub(super) struct Host {
    program: Vec<u8>,
    /// Pages by name, "rolecall.1".
    manual: BTreeMap<String, Vec<u8>>,
    /// Completion scripts by shell.
    completions: BTreeMap<&'static str, String>,
    /// The licences of its crates.
    notices: Notices,
    /// The list of its crates.
    bill: String,
}

/// Compiles the program for this machine, with a profile of `Cargo.toml`.
pub(super) fn compile(profile: &str) -> Result<PathBuf> {
    let rustc = rustc();
    let triple = triple(&rustc)?;
    let mut cargo = repo::cargo();
    // With a named target, the flags do not apply to build scripts, which need not be reproducible.
    cargo.args(["build", "--locked", "--package", "rolecall", "--target", &triple, "--profile", profile]);
    cargo.env(remap::VARIABLE, remap::flags(&rustc)?);
    step::run("compile the host", &mut cargo)?;
    Ok(repo::target(&triple).join(profile).join("rolecall").with_extension(env::consts::EXE_EXTENSION))
}

impl Host {
    /// Builds it for this machine, with a profile of `Cargo.toml`.
    pub(super) fn build(profile: &str) -> Result<Self> {
        let path = compile(profile)?;
        let pages = repo::target("packaging/man");
        repo::remove_dir(&pages)?;
        ask(Command::new(&path).args(["man", "--dir"]).arg(&pages))?;
        let mut files = BTreeMap::new();
        extension::collect(&pages, Path::new(""), &mut files)?;
        let manual =
            files.into_iter().map(|(name, page)| Ok((archive::name(&name)?, page))).collect::<Result<_>>()?;
        let mut completions = BTreeMap::new();
        for shell in ["bash", "fish", "zsh"] {
            let script = ask(Command::new(&path).args(["completions", shell]))?;
            completions.insert(shell, portable(&script, &path)?);
        }
        let triple = triple(&rustc())?;
        let notices = Notices::of("rolecall", &triple)?;
        let bill = sbom::of("rolecall-program", "rolecall", &triple, &rustc())?;
        Ok(Self { program: repo::read(&path)?, manual, completions, notices, bill })
    }

    /// Laid out for a prefix such as `/usr/local`, with installation instructions.
    pub(super) fn tree(&self) -> Result<Tree> {
        let mut tree = Tree::default();
        tree.add_program("bin/rolecall", self.program.as_slice());
        for (name, page) in &self.manual {
            tree.add(format!("share/man/man1/{name}"), page.as_slice());
        }
        tree.add("share/bash-completion/completions/rolecall", self.completion("bash"));
        tree.add("share/fish/vendor_completions.d/rolecall.fish", self.completion("fish"));
        tree.add("share/zsh/site-functions/_rolecall", self.completion("zsh"));
        for (name, path) in DOCUMENTS {
            tree.add(format!("share/doc/rolecall/{name}"), repo::read(&repo::path(path))?);
        }
        tree.add(format!("share/doc/rolecall/{}", notices::FILE), self.notices.text()?);
        tree.add(format!("share/doc/rolecall/{}", sbom::FILE), self.bill.as_str());
        tree.add("INSTALL", INSTALL);
        Ok(tree)
    }

    /// Laid out for Debian, with manifests for all users of the machine; `time` is the release's, in seconds since
    /// 1970.
    pub(super) fn debian_tree(&self, time: u64) -> Result<Tree> {
        let mut tree = Tree::default();
        tree.add_program("usr/bin/rolecall", self.program.as_slice());
        for (name, page) in &self.manual {
            // Debian Policy 12.1.
            tree.add(format!("usr/share/man/man1/{name}.gz"), gzip(page)?);
        }
        tree.add("usr/share/bash-completion/completions/rolecall", self.completion("bash"));
        tree.add("usr/share/fish/vendor_completions.d/rolecall.fish", self.completion("fish"));
        tree.add("usr/share/zsh/vendor-completions/_rolecall", self.completion("zsh"));
        tree.add("usr/share/doc/rolecall/CHANGELOG.md.gz", gzip(&repo::read(&repo::path("CHANGELOG.md"))?)?);
        tree.add("usr/share/doc/rolecall/changelog.gz", gzip(changelog(time)?.as_bytes())?);
        tree.add("usr/share/lintian/overrides/rolecall", LINTIAN);
        let licence = String::from_utf8(repo::read(&repo::path("LICENSE-MIT"))?)?;
        tree.add("usr/share/doc/rolecall/copyright", copyright(&licence, &self.notices)?);
        tree.add(format!("usr/share/doc/rolecall/{}", sbom::FILE), self.bill.as_str());
        let example = repo::read(&repo::path("docs/example-config.toml"))?;
        tree.add("usr/share/doc/rolecall/examples/config.toml", example);
        let ids: Value = serde_json::from_slice(&repo::read(&repo::path("manifest/ids.json"))?)?;
        for (folder, family) in SYSTEM_WIDE {
            let template = repo::path("manifest").join(format!("native-host.{family}.json.in"));
            let manifest = manifest(&String::from_utf8(repo::read(&template)?)?, &ids)?;
            tree.add(format!("{folder}/{}.json", id(&ids, "native_host_name")?), manifest);
        }
        Ok(tree)
    }

    /// Debian's control information; `None` if Debian has no name for this processor.
    pub(super) fn control(&self) -> Option<Control> {
        let architecture = match env::consts::ARCH {
            "x86_64" => "amd64",
            "aarch64" => "arm64",
            _ => return None,
        };
        let libc = libc_version(&self.program)
            .map_or("libc6".into(), |(major, minor)| format!("libc6 (>= {major}.{minor})"));
        Some(Control {
            package: "rolecall",
            version: env!("CARGO_PKG_VERSION"),
            architecture,
            relations: vec![
                ("Depends", format!("{libc}, libgcc-s1 (>= 4.2)")),
                // The root certificates for connections to providers and AWS.
                ("Recommends", "ca-certificates".into()),
                (
                    "Suggests",
                    "awscli, chromium | firefox-esr | firefox | google-chrome-stable, xdg-utils".into(),
                ),
                (
                    "Enhances",
                    "chromium, firefox, firefox-esr, google-chrome-stable, microsoft-edge-stable".into(),
                ),
            ],
            description: (DESCRIPTION, &PARAGRAPHS),
        })
    }

    fn completion(&self, shell: &str) -> &str {
        self.completions.get(shell).map_or("", String::as_str)
    }
}

fn rustc() -> OsString {
    env::var_os("RUSTC").unwrap_or_else(|| "rustc".into())
}

/// The compiler's target triple for this machine.
fn triple(rustc: &OsString) -> Result<String> {
    let about = ask(Command::new(rustc).arg("-vV"))?;
    let triple = about.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(triple.context("rustc does not report its target")?.to_owned())
}

fn ask(command: &mut Command) -> Result<String> {
    let output = command.output().with_context(|| format!("cannot run {command:?}"))?;
    if !output.status.success() {
        bail!("{command:?} failed: {}", String::from_utf8_lossy(&output.stderr).trim_end());
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// The script with the program found on the PATH instead of at its build path.
fn portable(script: &str, built: &Path) -> Result<String> {
    let built = built.to_str().context("the program's path is not UTF-8")?;
    // A path with a space is in quotes.
    let portable = script.replace(&format!("'{built}'"), "rolecall").replace(built, "rolecall");
    if portable == script {
        bail!("the completion script does not contain {built}");
    }
    Ok(portable)
}

fn manifest(template: &str, ids: &Value) -> Result<String> {
    let mut text = template.replace("@HOST_PATH@", "/usr/bin/rolecall");
    for (place, name) in [
        ("@NATIVE_HOST_NAME@", "native_host_name"),
        ("@CHROMIUM_EXTENSION_ID@", "chromium_extension_id"),
        ("@FIREFOX_EXTENSION_ID@", "firefox_extension_id"),
    ] {
        text = text.replace(place, id(ids, name)?);
    }
    Ok(text)
}

fn id<'ids>(ids: &'ids Value, name: &str) -> Result<&'ids str> {
    ids.get(name).and_then(Value::as_str).with_context(|| format!("manifest/ids.json has no {name}"))
}

/// In the machine-readable form, <https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/>.
fn copyright(mit: &str, notices: &Notices) -> Result<String> {
    let (holder, terms) =
        mit.split_once("\n\n").context("LICENSE-MIT does not begin with the copyright holder")?;
    let holder = holder.trim_start_matches("Copyright (c) ");
    Ok(format!(
        "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\nUpstream-Name: Rolecall\n\
         Comment: Paragraphs about files below NAME-VERSION are about crates of that name and version,\n which are \
         compiled into the program. Their sources are at https://crates.io/crates/NAME.\n\n\
         Files: *\nCopyright: {holder}\nLicense: MIT or Apache-2.0\n\n{}\nLicense: MIT\n{}\nLicense: Apache-2.0\n \
         The full text is in /usr/share/common-licenses/Apache-2.0.\n",
        notices.debian(),
        paragraph(terms)
    ))
}

/// The changelog that Debian Policy 4.4 requires; it refers to the complete one.
fn changelog(time: u64) -> Result<String> {
    let time =
        DateTime::from_timestamp(i64::try_from(time)?, 0).context("the time of these sources is too late")?;
    Ok(format!(
        "rolecall ({}) unstable; urgency=medium\n\n  * See CHANGELOG.md.gz in this folder.\n\n -- {MAINTAINER}  {}\n",
        env!("CARGO_PKG_VERSION"),
        time.format("%a, %d %b %Y %H:%M:%S +0000")
    ))
}

/// The newest version of the C library that the program's symbols require, by their names in it: `GLIBC_2.34`.
fn libc_version(program: &[u8]) -> Option<(u32, u32)> {
    const MARK: &[u8] = b"GLIBC_";
    let named = program.windows(MARK.len()).enumerate().filter(|(_, window)| *window == MARK);
    named
        .filter_map(|(at, _)| {
            let version: String = program
                .get(at + MARK.len()..)?
                .iter()
                .map(|byte| char::from(*byte))
                .take_while(|c| c.is_ascii_digit() || *c == '.')
                .collect();
            let mut numbers = version.split('.');
            Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
        })
        .max()
}

/// The manifest folders of browsers on a Linux machine, and their kind of manifest.
const SYSTEM_WIDE: [(&str, &str); 4] = [
    ("etc/chromium/native-messaging-hosts", "chromium"),
    ("etc/opt/chrome/native-messaging-hosts", "chromium"),
    ("etc/opt/edge/native-messaging-hosts", "chromium"),
    ("usr/lib/mozilla/native-messaging-hosts", "firefox"),
];

const DOCUMENTS: [(&str, &str); 5] = [
    ("CHANGELOG.md", "CHANGELOG.md"),
    ("LICENSE-APACHE", "LICENSE-APACHE"),
    ("LICENSE-MIT", "LICENSE-MIT"),
    ("README.md", "README.md"),
    ("examples/config.toml", "docs/example-config.toml"),
];

const LINTIAN: &str = "\
# Chrome and Edge read the manifests of host programs in these folders and in no others.
rolecall: dir-or-file-in-etc-opt [etc/opt/*]
# It is part of a crate's terms, which are included as written.
rolecall: copyright-file-contains-full-apache-2-license
";

const INSTALL: &str = "\
The Rolecall host program and command line. To install them for one user:

    mkdir -p ~/.local
    cp -r bin share ~/.local/
    ~/.local/bin/rolecall install

The last command registers the program with the browsers that it finds. `rolecall doctor` then checks the installation,
and `rolecall uninstall` removes the registration.
";

const DESCRIPTION: &str = "federated sign-in to AWS from the browser: host program and command line";
const PARAGRAPHS: [&str; 2] = [
    "Passes the credentials that the Rolecall browser extension gets through the\n\
     company's own sign-in to AWS tools: profiles in ~/.aws, credential_process,\n\
     shells. A terminal can request new credentials from the browser.\n\
     There is no long-lived key anywhere and no listening port.",
    "This package registers the program with Chrome, Chromium, Edge and Firefox,\n\
     for all users of the machine.",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_package_depends_on_the_newest_c_library_that_the_program_needs() {
        assert_eq!(libc_version(b"\0GLIBC_2.9\0GLIBC_2.34\0GLIBC_2.2.5\0GLIBC_PRIVATE\0"), Some((2, 34)));
        assert_eq!(libc_version(b"static"), None);
    }

    #[test]
    fn the_changelog_has_a_date_in_debians_format() {
        let text = changelog(1_700_000_000).unwrap();
        assert!(text.ends_with(">  Tue, 14 Nov 2023 22:13:20 +0000\n"), "{text}");
    }

    #[test]
    fn completions_find_the_program_on_the_path() {
        let built = Path::new("/src/target/release/rolecall");
        for name in ["/src/target/release/rolecall", "'/src/target/release/rolecall'"] {
            let script = portable(&format!("complete -C {name} rolecall"), built).unwrap();
            assert_eq!(script, "complete -C rolecall rolecall");
        }
        assert!(portable("complete -C elsewhere", built).is_err());
    }

    #[test]
    fn a_host_manifest_names_the_program_and_the_allowed_extensions() {
        let ids: Value =
            serde_json::from_slice(&repo::read(&repo::path("manifest/ids.json")).unwrap()).unwrap();
        for (_, family) in SYSTEM_WIDE {
            let template = repo::path("manifest").join(format!("native-host.{family}.json.in"));
            let text = String::from_utf8(repo::read(&template).unwrap()).unwrap();
            let manifest: Value = serde_json::from_str(&manifest(&text, &ids).unwrap()).unwrap();
            assert_eq!(manifest["path"], "/usr/bin/rolecall");
            assert_eq!(manifest["name"], ids["native_host_name"]);
            assert!(!manifest.to_string().contains('@') || family == "firefox", "{manifest}");
            if family == "firefox" {
                assert_eq!(manifest["allowed_extensions"][0], ids["firefox_extension_id"]);
            } else {
                let origin =
                    format!("chrome-extension://{}/", ids["chromium_extension_id"].as_str().unwrap());
                assert_eq!(manifest["allowed_origins"][0], origin);
            }
        }
    }

    #[test]
    fn the_copyright_file_contains_the_terms_in_debians_format() {
        let notices = Notices::of("rolecall", "x86_64-unknown-linux-gnu").unwrap();
        let mit = "Copyright (c) 2026 Someone\n\nPermission is hereby\n\ngranted.\n";
        let text = copyright(mit, &notices).unwrap();
        assert!(text.contains("\nLicense: MIT\n Permission is hereby\n .\n granted.\n\n"), "{text}");
        assert!(text.contains("Copyright: 2026 Someone\n"), "{text}");
        assert!(text.contains("\nFiles: bytes-1."), "{text}");
    }
}
