//! Where the files are, and what else may be in their place.

use std::ffi::OsString;
use std::fs;
use std::time::Duration;

use rolecall_host::aws_files::{AwsFiles, Error, Options};

use crate::home::{Home, process};

#[test]
fn the_variables_of_the_aws_tools_move_the_files() {
    let locate = |variables: &[(&str, &str)]| {
        let lookup = |name: &str| {
            variables.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value))
        };
        AwsFiles::locate(lookup).map(|files| (files.config().to_owned(), files.credentials().to_owned()))
    };
    let home = ("HOME", "/home/me");
    assert_eq!(locate(&[home]).unwrap(), ("/home/me/.aws/config".into(), "/home/me/.aws/credentials".into()));
    assert_eq!(
        locate(&[home, ("AWS_CONFIG_FILE", "~/c"), ("AWS_SHARED_CREDENTIALS_FILE", "/s")]).unwrap(),
        ("/home/me/c".into(), "/s".into())
    );
    assert_eq!(
        locate(&[("AWS_CONFIG_FILE", "/c"), ("AWS_SHARED_CREDENTIALS_FILE", "/s")]).unwrap(),
        ("/c".into(), "/s".into())
    );
    for missing in [&[][..], &[("HOME", "")], &[("AWS_CONFIG_FILE", "/c")], &[("AWS_CONFIG_FILE", "~/c")]] {
        assert!(matches!(locate(missing), Err(Error::HomeMissing)), "{missing:?}");
    }
}

#[test]
fn todays_first_change_makes_a_backup_and_the_second_does_not() {
    let home = Home::with("[default]\nregion = x\n", "");
    let applied = home.apply(&process("one")).unwrap();
    assert_eq!(applied.backups.len(), 1);
    assert_eq!(fs::read(&applied.backups[0]).unwrap(), b"[default]\nregion = x\n");
    assert!(home.apply(&process("two")).unwrap().backups.is_empty());
    assert_eq!(home.names().len(), 3, "{:?}", home.names());
}

#[test]
fn taking_over_makes_a_backup_even_if_today_has_one() {
    let home = Home::with("[profile dev]\nrole_arn = x\n", "");
    home.apply(&process("one")).unwrap();
    let before = home.read_config().unwrap();
    let applied = home.force(&process("dev")).unwrap();
    assert_eq!(fs::read(&applied.backups[0]).unwrap(), before);
    assert!(applied.backups[0].to_str().unwrap().ends_with(".2"));
}

#[test]
fn only_a_few_backups_are_kept() {
    let home = Home::with("[default]\n", "");
    for day in 10..30 {
        fs::write(home.path().join(format!("config.rolecall-backup-2020-01-{day}")), "").unwrap();
    }
    fs::write(home.path().join("config.rolecall-backup-mine"), "").unwrap();
    let backup = home.apply(&process("dev")).unwrap().backups.remove(0);
    let names = home.names();
    assert_eq!(names.iter().filter(|name| name.contains("backup-20")).count(), 7, "{names:?}");
    assert!(names.contains(&"config.rolecall-backup-mine".to_owned()));
    assert!(names.contains(&"config.rolecall-backup-2020-01-29".to_owned()) && backup.exists());
}

#[test]
fn what_a_killed_writer_left_is_cleared_away() {
    let home = Home::with("[default]\n", "");
    fs::write(home.path().join(".config.rolecall-Abc123.tmp"), "half").unwrap();
    fs::write(home.path().join(".config.rolecall-lock"), "").unwrap();
    home.apply(&process("dev")).unwrap();
    assert!(home.names().iter().all(|name| !name.starts_with('.')), "{:?}", home.names());
}

#[test]
fn a_lock_that_is_not_let_go_is_an_error_at_the_deadline() {
    let home = Home::with("[default]\n", "");
    let held = fs::File::create(home.path().join(".config.rolecall-lock")).unwrap();
    held.lock().unwrap();
    let impatient = Options { lock_deadline: Duration::ZERO, ..Options::default() };
    let refused = home.files().apply(&process("dev"), &impatient).unwrap_err();
    assert_eq!(refused.code().as_str(), "aws-files-locked");
    assert_eq!(home.read_config().unwrap(), b"[default]\n");
    drop(held);
    home.files().apply(&process("dev"), &impatient).unwrap();
}

#[test]
fn a_folder_in_a_files_place_is_refused() {
    let home = Home::new();
    fs::create_dir(home.config()).unwrap();
    let refused = home.apply(&process("dev")).unwrap_err();
    assert_eq!(refused.to_string(), format!("{} is a folder, not a file.", home.config().display()));
}

#[test]
fn binary_and_utf_16_files_are_refused_untouched() {
    for bytes in [&b"\xff\xfe[\0d\0"[..], b"[a]\0\n", b"\xfe\xff\0["] {
        let home = Home::with(bytes, "");
        assert_eq!(home.apply(&process("dev")).unwrap_err().code().as_str(), "aws-files-not-text");
        assert_eq!(home.read_config().unwrap(), bytes);
        assert_eq!(home.names(), ["config", "credentials"]);
    }
}

#[cfg(unix)]
mod unix {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
    use std::path::Path;

    use super::*;
    use crate::home::{file, names, remove};

    #[test]
    fn new_files_and_folders_are_their_owners_alone() {
        let home = Home::new();
        let folder = home.path().join(".aws");
        let files = AwsFiles::at(folder.join("config"), folder.join("credentials"));
        files.apply(&process("a"), &Options::default()).unwrap();
        files.apply(&file("b"), &Options::default()).unwrap();
        assert_eq!([mode(&folder), mode(files.config()), mode(files.credentials())], [0o700, 0o600, 0o600]);
    }

    #[test]
    fn mode_and_owner_are_kept_by_file_and_backup() {
        let home = Home::with("[default]\n", "");
        fs::set_permissions(home.config(), fs::Permissions::from_mode(0o640)).unwrap();
        // Only root may give a file away; for everybody else this says that the file stays theirs.
        let _ = std::os::unix::fs::chown(home.config(), Some(12345), Some(54321));
        let owner =
            |path: &Path| fs::metadata(path).map(|metadata| (metadata.uid(), metadata.gid())).unwrap();
        let before = owner(&home.config());
        let applied = home.apply(&process("dev")).unwrap();
        for path in [home.config(), applied.backups[0].clone()] {
            assert_eq!((mode(&path), owner(&path)), (0o640, before), "{}", path.display());
        }
    }

    #[test]
    fn the_credentials_file_and_its_backup_become_their_owners_alone() {
        let home = Home::with("", "[default]\naws_access_key_id = AKIA\n");
        fs::set_permissions(home.credentials(), fs::Permissions::from_mode(0o644)).unwrap();
        let applied = home.apply(&file("dev")).unwrap();
        assert!(applied.made_private);
        assert_eq!([mode(&home.credentials()), mode(&applied.backups[0])], [0o600, 0o600]);
        assert!(!home.apply(&file("other")).unwrap().made_private);
    }

    #[test]
    fn a_backup_has_no_keys_that_rolecall_wrote() {
        let home = Home::with("", "[default]\naws_access_key_id = AKIA\n");
        let before = home.read_credentials().unwrap();
        let backup = home.apply(&file("dev")).unwrap().backups.remove(0);
        // On another day.
        fs::remove_file(&backup).unwrap();
        home.apply(&remove("dev")).unwrap();
        assert_eq!(fs::read(&backup).unwrap(), before);
    }

    #[test]
    fn links_stay_links_and_their_target_is_written() {
        let home = Home::new();
        let dotfiles = home.path().join("dotfiles");
        fs::create_dir(&dotfiles).unwrap();
        fs::write(dotfiles.join("aws-config"), "[default]\n").unwrap();
        symlink("dotfiles/aws-config", home.path().join("between")).unwrap();
        symlink("between", home.config()).unwrap();
        symlink(dotfiles.join("not-yet"), home.credentials()).unwrap();
        home.apply(&process("dev")).unwrap();
        home.apply(&file("other")).unwrap();
        for link in [home.config(), home.credentials(), home.path().join("between")] {
            assert!(link.is_symlink(), "{}", link.display());
        }
        assert!(fs::read_to_string(dotfiles.join("aws-config")).unwrap().contains("[profile dev]"));
        assert!(fs::read_to_string(dotfiles.join("not-yet")).unwrap().contains("[other]"));
        home.apply(&remove("other")).unwrap();
        assert!(home.credentials().is_symlink() && !home.credentials().exists());
        assert!(names(&dotfiles).iter().all(|name| !name.starts_with('.')));
    }

    #[test]
    fn links_that_lead_nowhere_are_refused() {
        let home = Home::new();
        symlink("config", home.config()).unwrap();
        assert_eq!(home.apply(&process("dev")).unwrap_err().code().as_str(), "aws-files-link-loop");
        let home = Home::new();
        symlink("not/mounted/config", home.config()).unwrap();
        assert_eq!(home.apply(&process("dev")).unwrap_err().code().as_str(), "aws-files-link-into-nowhere");
        assert_eq!(home.names(), ["config"]);
    }

    #[test]
    fn a_pipe_or_a_device_is_refused_at_once() {
        let home = Home::new();
        assert!(std::process::Command::new("mkfifo").arg(home.config()).status().unwrap().success());
        assert!(
            home.apply(&process("dev")).unwrap_err().to_string().ends_with("is a named pipe, not a file.")
        );
        assert_eq!(home.names(), ["config"]);
        let files = AwsFiles::at("/dev/null".into(), home.credentials());
        assert_eq!(
            files.apply(&process("dev"), &Options::default()).unwrap_err().code().as_str(),
            "aws-files-not-a-file"
        );
        // Turned off like this, the config file holds nothing, and the credentials can still be written.
        files.apply(&file("dev"), &Options::default()).unwrap();
        assert!(!Path::new("/dev/.null.rolecall-lock").exists());
    }

    #[test]
    fn a_read_only_file_is_refused_even_where_a_rename_would_do() {
        let home = Home::with("[default]\n", "");
        fs::set_permissions(home.config(), fs::Permissions::from_mode(0o444)).unwrap();
        assert_eq!(home.apply(&process("dev")).unwrap_err().code().as_str(), "aws-files-read-only-file");
        assert_eq!(home.names(), ["config", "credentials"]);
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }
}
