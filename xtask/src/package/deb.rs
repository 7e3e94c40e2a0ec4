//! A Debian package, as deb(5) describes it: an `ar` archive of a version, a tar of control files, and a tar of the
//! files. It is written here instead of with dpkg-deb, so that any system can build it with the same bytes.

use anyhow::Result;
use md5::{Digest, Md5};

use super::archive::{Tree, gzip};

/// The control information of a package.
pub(super) struct Control {
    pub(super) package: &'static str,
    pub(super) version: &'static str,
    /// Debian's name for the processor architecture.
    pub(super) architecture: &'static str,
    /// Relations to other packages: field and value, as in `control`.
    pub(super) relations: Vec<(&'static str, String)>,
    /// A one-line summary, and further paragraphs.
    pub(super) description: (&'static str, &'static [&'static str]),
}

/// The package, with `time` (seconds since 1970) for all its files.
pub(super) fn deb(control: &Control, files: &Tree, time: u64) -> Result<Vec<u8>> {
    let members = [
        ("debian-binary", b"2.0\n".to_vec()),
        ("control.tar.gz", gzip(&control_files(control, files).tar("./", time)?)?),
        ("data.tar.gz", gzip(&files.tar("./", time)?)?),
    ];
    let mut archive = ar::Builder::new(Vec::new());
    for (name, content) in members {
        let mut header = ar::Header::new(name.into(), u64::try_from(content.len())?);
        header.set_mode(0o100_644);
        header.set_mtime(time);
        archive.append(&header, content.as_slice())?;
    }
    Ok(archive.into_inner()?)
}

fn control_files(control: &Control, files: &Tree) -> Tree {
    let mut sums = String::new();
    let mut settings = String::new();
    for (name, file) in files.iter() {
        sums.extend([&format!("{:x}", Md5::digest(&file.content)), "  ", name, "\n"]);
        // Debian Policy 10.7: administrators may change files below /etc, and their changes must be preserved.
        if name.starts_with("etc/") {
            settings.extend(["/", name, "\n"]);
        }
    }
    let mut tree = Tree::default();
    tree.add("control", fields(control, files));
    tree.add("md5sums", sums);
    if !settings.is_empty() {
        tree.add("conffiles", settings);
    }
    tree
}

fn fields(control: &Control, files: &Tree) -> String {
    let kilobytes: usize = files.iter().map(|(_, file)| file.content.len().div_ceil(1024)).sum();
    let mut text = format!(
        "Package: {}\nVersion: {}\nSection: utils\nPriority: optional\nArchitecture: {}\nMaintainer: {MAINTAINER}\n\
         Installed-Size: {kilobytes}\n",
        control.package, control.version, control.architecture
    );
    for (field, value) in &control.relations {
        text.extend([field, ": ", value, "\n"]);
    }
    let (line, paragraphs) = control.description;
    text.extend(["Description: ", line, "\n"]);
    let paragraphs: Vec<_> =
        paragraphs.iter().map(|paragraph| format!(" {}\n", paragraph.replace('\n', "\n "))).collect();
    text.push_str(&paragraphs.join(" .\n"));
    text
}

/// The package's maintainer.
pub(super) const MAINTAINER: &str = "The Rolecall authors <rolecall@rolecall.dev>";

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Read;
    use std::process::Command;

    use flate2::read::GzDecoder;

    use super::*;
    use crate::tools::find;

    fn example() -> Vec<u8> {
        let mut files = Tree::default();
        files.add_program("usr/bin/rolecall", vec![0; 1025]);
        files.add("etc/chromium/native-messaging-hosts/dev.rolecall.host.json", "{}");
        let control = Control {
            package: "rolecall",
            version: "0.1.0",
            architecture: "amd64",
            relations: vec![("Depends", "libc6 (>= 2.34)".into())],
            description: ("one line", &["First\nparagraph.", "Second."]),
        };
        deb(&control, &files, 1_700_000_000).unwrap()
    }

    /// The text of a control file.
    fn control_file(deb: &[u8], wanted: &str) -> String {
        let mut archive = ar::Archive::new(deb);
        while let Some(member) = archive.next_entry() {
            let member = member.unwrap();
            if member.header().identifier() != b"control.tar.gz" {
                continue;
            }
            for entry in tar::Archive::new(GzDecoder::new(member)).entries().unwrap() {
                let mut entry = entry.unwrap();
                if *entry.path_bytes() == *format!("./{wanted}").as_bytes() {
                    let mut text = String::new();
                    entry.read_to_string(&mut text).unwrap();
                    return text;
                }
            }
        }
        panic!("no {wanted}");
    }

    #[test]
    fn its_members_are_in_the_order_that_dpkg_requires() {
        let deb = example();
        let mut archive = ar::Archive::new(deb.as_slice());
        let mut names = Vec::new();
        while let Some(member) = archive.next_entry() {
            names.push(String::from_utf8(member.unwrap().header().identifier().to_vec()).unwrap());
        }
        assert_eq!(names, ["debian-binary", "control.tar.gz", "data.tar.gz"]);
    }

    #[test]
    fn its_control_file_has_the_description_and_the_size() {
        assert_eq!(
            control_file(&example(), "control"),
            "Package: rolecall\nVersion: 0.1.0\nSection: utils\nPriority: optional\nArchitecture: amd64\n\
             Maintainer: The Rolecall authors <rolecall@rolecall.dev>\nInstalled-Size: 3\nDepends: libc6 (>= 2.34)\n\
             Description: one line\n First\n paragraph.\n .\n Second.\n"
        );
    }

    #[test]
    fn files_below_etc_are_conffiles() {
        assert_eq!(
            control_file(&example(), "conffiles"),
            "/etc/chromium/native-messaging-hosts/dev.rolecall.host.json\n"
        );
    }

    #[test]
    fn building_it_twice_gives_the_same_bytes() {
        assert_eq!(example(), example());
    }

    /// Debian's own reader accepts it, if it is installed.
    #[test]
    fn dpkg_reads_it() {
        let Some(dpkg) = find(&["dpkg-deb"]) else { return };
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("example.deb");
        fs::write(&path, example()).unwrap();
        let ask = |what: &str| {
            let output = Command::new(&dpkg).arg(what).arg(&path).env("TZ", "UTC").output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            String::from_utf8(output.stdout).unwrap()
        };
        assert!(ask("--info").contains("Description: one line"));
        let contents = ask("--contents");
        let program = contents.lines().find(|line| line.ends_with(" ./usr/bin/rolecall")).unwrap();
        assert!(program.starts_with("-rwxr-xr-x root/root"), "{program}");
        assert!(program.contains("2023-11-14"), "{program}");
    }
}
