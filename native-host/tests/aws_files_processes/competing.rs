//! Many writers at once.

use crate::home::{Home, process};
use crate::writer::command;

pub(crate) fn two_hundred_writers() {
    let home = Home::with("[default]\nregion = x\n", "");
    let writers: Vec<_> = (0..200)
        .map(|number| {
            let operation = if number % 2 == 0 { "process" } else { "file" };
            command(home.path(), operation, &format!("profile-{number}")).spawn().unwrap()
        })
        .collect();
    for mut writer in writers {
        assert!(writer.wait().unwrap().success());
    }
    let list = home.files().list().unwrap();
    let mut numbers: Vec<usize> = list
        .iter()
        .map(|profile| profile.name.as_str().strip_prefix("profile-").unwrap().parse().unwrap())
        .collect();
    numbers.sort_unstable();
    assert!(numbers.into_iter().eq(0..200));
    assert!(home.read_config().unwrap().starts_with(b"[default]\nregion = x\n\n[profile profile-"));
    assert!(home.names().iter().all(|name| !name.starts_with('.')), "{:?}", home.names());
}

pub(crate) fn one_profile_two_modes() {
    for _ in 0..20 {
        let home = Home::with("", "");
        let writers =
            ["process", "file"].map(|operation| command(home.path(), operation, "dev").spawn().unwrap());
        for mut writer in writers {
            assert!(writer.wait().unwrap().success());
        }
        assert_eq!(home.files().list().unwrap().len(), 1);
        home.apply(&process("dev")).unwrap();
        assert_eq!(home.read_credentials().unwrap(), b"");
    }
}
