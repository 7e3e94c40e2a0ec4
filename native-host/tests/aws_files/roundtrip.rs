//! Set, then remove: the original bytes, whatever they were.

use proptest::prelude::*;

use crate::generator::{Dice, files};
use crate::home::{Home, file, process, remove};

#[test]
#[cfg_attr(windows, ignore = "in Wine it takes minutes; the proof below runs there")]
fn set_then_remove_gives_the_original_bytes_of_files_as_people_have_them() {
    let home = Home::new();
    let mut written = 0;
    for seed in 0..800 {
        let mut dice = Dice::new(seed);
        let (config, credentials) = files(&mut dice);
        written += usize::from(comes_back(&home, Some(&config), Some(&credentials), &mut dice));
    }
    assert!(written > 500, "only {written} files could be written to");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn set_then_remove_gives_the_original_bytes_of_any_file(
        config in pieces(), credentials in pieces(), seed in any::<u64>(),
    ) {
        comes_back(&Home::new(), config.as_deref(), credentials.as_deref(), &mut Dice::new(seed));
    }
}

#[test]
#[cfg_attr(windows, ignore = "in Wine it takes minutes; the proof above runs there")]
fn set_then_remove_gives_the_original_bytes_at_every_edge() {
    let home = Home::new();
    let edges: [&[u8]; 22] = [
        b"",
        b"\n",
        b"\r\n",
        b"\n\n",
        b" ",
        b"  \n",
        b"#",
        b"# a\n# b",
        b"[default]",
        b"[default]\n",
        b"[default]\r\n",
        b"[default]\r\nregion = x",
        b"[default]\nregion = x\n\n\n",
        b"[default]\nregion = x\n  y",
        b"[default]\ns3 =\n a = b",
        b"[default]\nregion = x\n# end",
        b"[default]\nregion = x\n  # end",
        b"[default]\r",
        b"[default]\rregion = x\r",
        b"\r\r",
        b"[default]\nregion = x\r\r\n",
        b"[default]\na = 1\r\n[profile b]\na = 2\n\n[profile c]\r\n",
    ];
    for config in edges {
        for credentials in edges {
            let mut written = false;
            for seed in 0..2 {
                written |= comes_back(&home, Some(config), Some(credentials), &mut Dice::new(seed));
            }
            assert!(
                written,
                "{:?} {:?}",
                config.escape_ascii().to_string(),
                credentials.escape_ascii().to_string()
            );
        }
    }
}

#[test]
fn files_that_were_not_there_are_gone_again() {
    let home = Home::new();
    for seed in 0..8 {
        assert!(comes_back(&home, None, None, &mut Dice::new(seed)));
        assert_eq!(home.names(), [""; 0]);
    }
}

/// Sets up to three profiles, moves some to the other file, removes them in another order. False if refused.
fn comes_back(home: &Home, config: Option<&[u8]>, credentials: Option<&[u8]>, dice: &mut Dice) -> bool {
    for (path, bytes) in [(home.config(), config), (home.credentials(), credentials)] {
        match bytes {
            Some(bytes) => std::fs::write(path, bytes).unwrap(),
            None => drop(std::fs::remove_file(path)),
        }
    }
    let mut profiles = ["one", "two", "three"][..=dice.roll(3)].to_vec();
    for profile in &profiles {
        let first = if dice.once_in(2) { process(profile) } else { file(profile) };
        if home.apply(&first).is_err() {
            profiles.clear();
            break;
        }
        if dice.once_in(2) {
            // May be refused where only the other file cannot be read.
            let _ = home.apply(&if dice.once_in(2) { process(profile) } else { file(profile) });
        }
    }
    let written = !profiles.is_empty();
    while !profiles.is_empty() {
        let profile = profiles.remove(dice.roll(profiles.len()));
        home.apply(&remove(profile)).unwrap();
    }
    if written {
        let text = |bytes: Option<&[u8]>| bytes.map(|bytes| bytes.escape_ascii().to_string());
        assert_eq!(text(home.read_config().as_deref()), text(config));
        assert_eq!(text(home.read_credentials().as_deref()), text(credentials));
    }
    for backup in home.names().iter().filter(|name| name.contains("backup")) {
        std::fs::remove_file(home.path().join(backup)).unwrap();
    }
    written
}

fn pieces() -> impl Strategy<Value = Option<Vec<u8>>> {
    let piece = prop::sample::select(vec![
        "[profile a]",
        "[b]",
        "[default]",
        "\n",
        "\n",
        "\n",
        "\r\n",
        "\r",
        " ",
        "\t",
        "key = value",
        "s3 =",
        "  nested = 1",
        "# note",
        "  # note",
        "=",
        ":",
        "[",
        "]",
        "\u{a0}",
        "\u{feff}",
        "\u{c}",
        "caf\u{e9}",
    ]);
    let text = prop::collection::vec(piece, 0..14).prop_map(|pieces| pieces.concat().into_bytes());
    prop::option::weighted(0.9, text)
}
