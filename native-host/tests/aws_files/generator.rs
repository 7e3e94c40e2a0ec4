//! Files as people have them, and stranger ones, made from a number.

use rolecall_host::aws_files::Operation;

use crate::home::{file, process, remove};

/// A small generator of numbers: the same seed gives the same files everywhere.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5851_f42d_4c95_7f2d)
    }

    /// A number below `sides`.
    pub(crate) fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 11).unwrap() % sides
    }

    /// True once in `sides` throws.
    pub(crate) fn once_in(&mut self, sides: usize) -> bool {
        self.roll(sides) == 0
    }

    pub(crate) fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.roll(from.len())]
    }
}

/// A pair of files; one in four pairs has something in it that some reader refuses.
pub(crate) fn files(dice: &mut Dice) -> (Vec<u8>, Vec<u8>) {
    let is_odd = dice.once_in(4);
    (one(dice, true, is_odd), one(dice, false, is_odd))
}

/// Something to do to them.
pub(crate) fn operation(dice: &mut Dice) -> Operation {
    let profile = dice.pick(&["new", "new", "new/er@x", "default", "dev", "prod", "team.a"]);
    match dice.roll(5) {
        0 | 1 => process(profile),
        2 | 3 => file(profile),
        _ => remove(profile),
    }
}

fn one(dice: &mut Dice, is_config: bool, is_odd: bool) -> Vec<u8> {
    let newline = if dice.once_in(4) { "\r\n" } else { "\n" };
    let mut lines: Vec<String> = Vec::new();
    let mut names = vec!["default", "dev", "prod", "team.a", "a/b", "x@y", "with space"];
    let mut repeated = Vec::new();
    if dice.once_in(12) {
        return Vec::new();
    }
    filler(dice, &mut lines, is_odd, false);
    for _ in 0..dice.roll(5) {
        let name = names.remove(dice.roll(names.len()));
        if is_odd && dice.once_in(4) {
            names.push(name);
            repeated.push(name);
        }
        // Of a name spelled in two ways the SDK keeps now this value, now that one: its sections are in a hash map.
        lines.push(header(dice, name, is_config, is_odd && !repeated.contains(&name)));
        filler(dice, &mut lines, is_odd, false);
        section(dice, &mut lines, is_odd);
    }
    let mut text = lines.join(newline);
    if dice.roll(4) > 0 {
        text.push_str(newline);
    }
    let mut bytes = text.into_bytes();
    if is_odd && dice.once_in(12) {
        bytes.splice(0..0, *b"\xef\xbb\xbf");
    }
    if is_odd && dice.once_in(12) {
        bytes.extend_from_slice(b"# caf\xe9");
    }
    bytes
}

fn header(dice: &mut Dice, name: &str, is_config: bool, is_odd: bool) -> String {
    let header = match (is_config, name) {
        (false, _) | (true, "default") => name.to_owned(),
        (true, "with space") => "profile \"with space\"".to_owned(),
        (true, _) if is_odd && dice.once_in(4) => format!("profile \t{name} "),
        (true, _) if is_odd && dice.once_in(6) => format!("profile '{name}'"),
        (true, _) if dice.once_in(8) => format!("sso-session {name}"),
        (true, _) => format!("profile {name}"),
    };
    let after =
        if dice.once_in(8) { dice.pick(&[" # mine", " ; mine", " ", "; see [docs]", "# x"]) } else { "" };
    if is_odd && dice.once_in(10) {
        return dice.pick(&["[profile broken", "[]", " [indented]", "[x]y"]).to_owned();
    }
    format!("[{header}]{after}")
}

fn section(dice: &mut Dice, lines: &mut Vec<String>, is_odd: bool) {
    let mut keys = vec![
        "region",
        "output",
        "aws_access_key_id",
        "aws_secret_access_key",
        "role_arn",
        "source_profile",
        "s3",
        "credential_process",
        "cli_pager",
        "Mixed_Case",
        "sso_session",
    ];
    for _ in 0..dice.roll(5) {
        let key = keys.remove(dice.roll(keys.len()));
        if is_odd && dice.once_in(6) {
            keys.push(key);
        }
        let equals = dice.pick(&[" = ", "=", " =", "= ", "\t=\t"]);
        let equals = if is_odd && dice.once_in(12) { dice.pick(&[": ", " ", " := "]) } else { equals };
        let indent = if is_odd && dice.once_in(12) { "  " } else { "" };
        if key == "s3" {
            lines.push(format!("{indent}s3{}", equals.trim_end()));
            for nested in ["addressing_style = path", "max_concurrent_requests=20"] {
                lines.push(format!("{}{nested}", dice.pick(&["  ", "\t", "    "])));
                filler(dice, lines, is_odd, true);
            }
            if is_odd && dice.once_in(6) {
                lines.push("   no equals sign".to_owned());
            }
        } else {
            let value = dice.pick(&[
                "eu-west-1",
                "json",
                "",
                "a=b=c",
                "value # kept or cut",
                "a;b",
                "caf\u{e9} \u{1f600}",
                "[not a header]",
                "%(x)s",
                "\"quoted\"",
                "one two",
                "ends in \\",
            ]);
            lines.push(format!("{indent}{key}{equals}{value}"));
            if !value.is_empty() && dice.once_in(8) {
                lines.push("   continued".to_owned());
            }
        }
        filler(dice, lines, is_odd, true);
    }
}

fn filler(dice: &mut Dice, lines: &mut Vec<String>, is_odd: bool, below_key: bool) {
    while dice.once_in(4) {
        let plain =
            ["", "", "# a note", "; another", "#", "# [profile old]", "# aws_secret_access_key = old", "  "];
        lines.push(match dice.roll(10) {
            0 if below_key => "  # indented note".to_owned(),
            1 if is_odd => {
                dice.pick(&["\u{b}", "\u{a0}", " \u{c}", "  # odd", "stray", "\u{1c}# x"]).to_owned()
            }
            _ => dice.pick(&plain).to_owned(),
        });
    }
}
