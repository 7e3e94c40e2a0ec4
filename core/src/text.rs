//! Text from outside, made fit for a screen.
//!
//! Names, email addresses, error descriptions and whatever else a server, a token or another program says may contain
//! control sequences of terminals, controls of the writing direction ("Trojan Source", CVE-2021-42574) and characters
//! without a look of their own (Unicode TR36 section 2.5, UTS39 section 3.1). [`on_one_line`] is applied where such text
//! enters a sentence or a label, [`on_lines`] by whatever writes to a terminal or into a page.

use std::borrow::Cow;

/// Text as a part of a sentence or a label: one line of `max` characters at most, without what cannot be shown.
#[must_use]
pub fn on_one_line(text: &str, max: usize) -> String {
    let mut line = String::new();
    let mut writing = Writing::default();
    let (mut count, mut has_gap) = (0, false);
    for c in text.chars() {
        if c.is_whitespace() {
            has_gap = !line.is_empty();
            continue;
        }
        if count + 1 + usize::from(has_gap) > max {
            line.push('…');
            break;
        }
        if std::mem::take(&mut has_gap) {
            line.push(writing.shown(' '));
            count += 1;
        }
        line.push(writing.shown(c));
        count += 1;
    }
    line
}

/// Cuts a text at the first of these letters of ASCII. The second part is empty where there is none.
#[must_use]
#[inline(never)]
pub fn cut<'a>(text: &'a str, at: &[u8]) -> (&'a str, &'a str) {
    let found = text.bytes().position(|byte| at.contains(&byte));
    found.map_or((text, ""), |found| (&text[..found], &text[found + 1..]))
}

/// Whether `words` occur in `text`. `str::contains` weighs 4 KB of code.
#[must_use]
pub fn contains(text: &str, words: &str) -> bool {
    find(text, words).is_some()
}

/// `text` with `new` in place of `words`, which are not empty.
#[must_use]
pub fn replace(text: &str, words: &str, new: &str) -> String {
    let (mut rest, mut replaced) = (text, String::new());
    while let Some(at) = find(rest, words) {
        replaced.push_str(&rest[..at]);
        replaced.push_str(new);
        rest = &rest[at + words.len()..];
    }
    replaced + rest
}

/// Where `words` begin in `text`.
pub(crate) fn find(text: &str, words: &str) -> Option<usize> {
    let (text, words) = (text.as_bytes(), words.as_bytes());
    let Some((first, rest)) = words.split_first() else { return Some(0) };
    (0..text.len()).find(|at| text[*at] == *first && text[at + 1..].starts_with(rest))
}

/// Text of one or more lines, without what cannot be shown.
#[must_use]
pub fn on_lines(text: &str) -> Cow<'_, str> {
    let is_plain = |byte: &u8| matches!(byte, b'\n' | b'\t' | b' '..=b'~');
    // Without a branch for each byte, of which a list of roles has millions.
    if text.as_bytes().chunks(64).all(|chunk| chunk.iter().fold(true, |all, byte| all & is_plain(byte))) {
        return text.into();
    }
    let mut writing = Writing::default();
    text.chars().map(|c| writing.shown(c)).collect::<String>().into()
}

/// Text that is being shown, character by character.
#[derive(Debug, Default)]
pub struct Writing {
    /// What stands before the next character.
    before: char,
    /// How many marks are on the last character that is none.
    marks: usize,
}

impl Writing {
    /// The next character, or U+FFFD in its place, so that people see that something was there. Line breaks and tabs stay.
    pub fn shown(&mut self, c: char) -> char {
        // Many scripts and emoji need these; next to ASCII, they only make equal texts differ.
        let is_part_of_writing = matches!(c, '\u{200c}' | '\u{200d}' | '\u{fe0e}' | '\u{fe0f}')
            && !self.before.is_ascii()
            && !has_no_look(self.before);
        let is_mark = is_mark(c);
        if is_mark {
            self.marks += 1;
        } else if !is_part_of_writing {
            self.marks = 0;
        }
        let is_break = matches!(c, '\n' | '\t');
        let is_hidden = !is_part_of_writing && !is_break && (c.is_control() || has_no_look(c));
        let has_too_many_marks = is_mark && self.marks > MAX_MARKS;
        self.before = if is_hidden || has_too_many_marks { char::REPLACEMENT_CHARACTER } else { c };
        self.before
    }
}

/// Whether it is drawn above, below or through the character before it, in scripts in which it can be put there any number of
/// times. A name with hundreds of them would be drawn over everything near it.
fn is_mark(c: char) -> bool {
    let Ok(code) = u16::try_from(u32::from(c)) else { return false };
    MARKS.iter().any(|(first, last)| (*first..=*last).contains(&code))
}

/// Whether it changes how other characters look, or looks like nothing: controls of the writing direction and format
/// characters (`General_Category` Cf, but for the visible signs among them), `Default_Ignorable_Code_Point`, line and
/// paragraph separators, and blanks that are not spaces.
fn has_no_look(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{2800}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}'
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

/// No writing has more marks on one character (Unicode TS39 section 5.4).
const MAX_MARKS: usize = 4;

/// Combining marks: of Latin, Greek and Cyrillic, Hebrew, Arabic, Thai, Lao, Tibetan, and those of any script.
const MARKS: [(u16, u16); 18] = [
    (0x300, 0x36f),
    (0x483, 0x489),
    (0x591, 0x5bd),
    (0x610, 0x61a),
    (0x64b, 0x65f),
    (0x6d6, 0x6ed),
    (0xe31, 0xe31),
    (0xe34, 0xe3a),
    (0xe47, 0xe4e),
    (0xeb1, 0xeb1),
    (0xeb4, 0xebc),
    (0xec8, 0xece),
    (0xf71, 0xf87),
    (0x1ab0, 0x1aff),
    (0x1dc0, 0x1dff),
    (0x20d0, 0x20ff),
    (0x302a, 0x302f),
    (0xfe20, 0xfe2f),
];

/// The longest label: a person's name, an account's alias, an issuer.
pub const LABEL_MAX: usize = 200;

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    const HOSTILE: [&str; 8] = [
        "\u{1b}]52;c;ZWNobyBoaQ==\u{7}alice@example.com",
        "\u{9b}31mred",
        "\u{9d}52;c;eA==\u{9c}",
        "alice\u{202e}moc.elpmaxe@",
        "\u{2066}a\u{2069}",
        "al\u{200b}ice\u{feff}",
        "a\u{200d}b\u{fe0f}",
        "\u{8}\u{8}\u{7f}\0",
    ];

    #[test]
    fn nothing_that_moves_the_cursor_turns_the_text_or_hides_in_it_is_shown() {
        for text in HOSTILE {
            for shown in [on_one_line(text, LABEL_MAX), on_lines(text).into_owned()] {
                assert!(!shown.chars().any(|c| c.is_control() || has_no_look(c)), "{shown:?}");
                assert!(shown.contains('\u{fffd}'), "{shown:?}");
            }
        }
    }

    #[test]
    fn marks_do_not_pile_up_over_what_stands_near() {
        for (base, mark) in [
            ("Z", '\u{301}'),
            ("Z", '\u{489}'),
            ("\u{e2a}", '\u{e47}'),
            ("é", '\u{20dd}'),
            ("\u{628}", '\u{64b}'),
            ("", '\u{fe20}'),
            ("", '\u{1dff}'),
        ] {
            // A joiner between them is no character of its own.
            for mark in [mark.to_string(), format!("{mark}\u{200d}")] {
                let text = format!("{base}{}", mark.repeat(200));
                for shown in [on_one_line(&text, LABEL_MAX), on_lines(&text).into_owned()] {
                    assert!(
                        shown.matches(mark.chars().next().unwrap_or_default()).count() <= MAX_MARKS,
                        "{shown:?}"
                    );
                    assert!(shown.contains('\u{fffd}'), "{shown:?}");
                    assert_eq!(on_lines(&shown), shown);
                }
            }
        }
        // Any number of characters may have some.
        let vietnamese = "e\u{302}\u{301}".repeat(50);
        assert_eq!(on_one_line(&vietnamese, LABEL_MAX), vietnamese);
    }

    #[test]
    fn the_writing_of_people_stays_as_it_is() {
        for text in [
            "Zoë Müller-Łuczak",
            "Nguye\u{302}\u{303}n",
            "น้ำผึ้ง",
            "שָׁלוֹם",
            "اَلسَّلَامُ",
            "می\u{200c}خواهم",
            "👩\u{200d}🚀 ❤\u{fe0f}",
            "李 小龍",
            "O’Brien & Söhne <x>",
            "",
        ] {
            assert_eq!(on_one_line(text, LABEL_MAX), text);
            assert_eq!(on_lines(text), text);
        }
    }

    #[test]
    fn a_line_has_no_breaks_and_its_length_is_bounded() {
        assert_eq!(on_one_line(" Not\r\nthis \u{2028}\ttime. ", LABEL_MAX), "Not this time.");
        assert_eq!(on_one_line("abc def", 7), "abc def");
        assert_eq!(on_one_line("abc def", 5), "abc d…");
        assert_eq!(on_one_line("abc def", 4), "abc…");
        assert_eq!(on_one_line("\u{1b}".repeat(10_000).as_str(), 3).chars().count(), 4);
        assert_eq!(on_lines("two\nlines\tand a tab\r"), "two\nlines\tand a tab\u{fffd}");
    }

    #[test]
    fn words_are_found_and_replaced_as_the_standard_library_does() {
        for text in ["", "a", "aa", "aaa", "ab", "xaabaay", "größer aa"] {
            for words in ["a", "aa", "ab", "größer", "longer than the text"] {
                assert_eq!(contains(text, words), text.contains(words), "{words} in {text}");
                assert_eq!(replace(text, words, "<a>"), text.replace(words, "<a>"), "{words} in {text}");
            }
        }
    }
}
