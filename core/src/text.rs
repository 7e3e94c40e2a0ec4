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
    let (mut count, mut before, mut has_gap) = (0, ' ', false);
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
            line.push(' ');
            count += 1;
            before = ' ';
        }
        before = shown(c, before);
        line.push(before);
        count += 1;
    }
    line
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
    let mut before = ' ';
    let shown = |c| {
        before = if matches!(c, '\n' | '\t') { c } else { shown(c, before) };
        before
    };
    text.chars().map(shown).collect::<String>().into()
}

/// The character, or U+FFFD in its place, so that people see that something was there.
#[must_use]
pub fn shown(c: char, before: char) -> char {
    // Many scripts and emoji need these; next to ASCII, they only make equal texts differ.
    let is_part_of_writing = matches!(c, '\u{200c}' | '\u{200d}' | '\u{fe0e}' | '\u{fe0f}')
        && !before.is_ascii()
        && !has_no_look(before);
    if !is_part_of_writing && (c.is_control() || has_no_look(c)) { char::REPLACEMENT_CHARACTER } else { c }
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
    fn the_writing_of_people_stays_as_it_is() {
        for text in [
            "Zoë Müller-Łuczak",
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
