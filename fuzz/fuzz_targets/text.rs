//! Text from outside: what is shown can be shown, and stays as it is when it is shown again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rolecall_core::text;

fuzz_target!(|text: &str| {
    let line = text::on_one_line(text, text::LABEL_MAX);
    assert!(!line.contains(char::is_control) && line.chars().count() <= text::LABEL_MAX + 1);
    assert_eq!(text::on_one_line(&line, usize::MAX), line);
    let lines = text::on_lines(text);
    assert_eq!(text::on_lines(&lines), lines);
});
