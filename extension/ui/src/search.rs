//! Which role fits what was typed, how well, and at which letters.
//!
//! Each word typed must occur in the label as a subsequence ("prdadm" finds "prod / Administrator") or, whole, in one
//! of the role's other names. The best placement of the letters counts: runs and beginnings of words score, gaps cost.

use rolecall_core::map::Set;

/// How a label fits a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fit {
    /// The higher the better.
    pub(crate) score: i32,
    /// Which characters of the label were hit, in ascending order, counted in characters.
    pub(crate) hits: Vec<usize>,
}

/// How `label` or one of the `other` names fits `query`; nothing when some word of it does not. An empty query fits
/// everything alike.
pub(crate) fn fit(query: &str, label: &str, other: &[&str]) -> Option<Fit> {
    let characters: Vec<char> = label.chars().collect();
    let mut total = Fit { score: 0, hits: Vec::new() };
    for word in query.split_whitespace() {
        let word: Vec<char> = word.chars().map(fold).collect();
        if let Some(found) = place(&word, &characters) {
            total.score += found.score;
            total.hits.extend(found.hits);
        } else if other.iter().any(|name| contains(name, &word)) {
            total.score += OTHER_NAME;
        } else {
            return None;
        }
    }
    total.hits = total.hits.into_iter().collect::<Set<_>>().iter().copied().collect();
    Some(total)
}

/// The best placement of `word` as a subsequence of `label`.
fn place(word: &[char], label: &[char]) -> Option<Fit> {
    // For each letter of the word, a row: the best score of a placement that ends with that letter at a position, and
    // where the letter before it was then.
    let mut rows: Vec<Vec<Option<Placed>>> = Vec::with_capacity(word.len());
    for &letter in word {
        let row = match rows.last() {
            None => row(label, letter, |_| Some((0, None))),
            Some(previous) => {
                let mut before_gap: Option<(i32, usize)> = None;
                row(label, letter, |at| {
                    // What was best up to two positions back has moved one further away.
                    let newcomer = at.checked_sub(2).and_then(|k| Some((previous[k]?.score, k)));
                    before_gap = newcomer.max(before_gap).map(|(score, k)| (score - GAP, k));
                    let adjacent = at.checked_sub(1).and_then(|k| Some((previous[k]?.score + RUN, k)));
                    adjacent.max(before_gap).map(|(score, k)| (score, Some(k)))
                })
            }
        };
        rows.push(row);
    }

    let last = rows.last()?;
    let (score, end) = last
        .iter()
        .enumerate()
        .filter_map(|(at, placed)| Some((placed.as_ref()?.score, at)))
        .rev()
        .max_by_key(|(score, _)| *score)?;
    let mut hits = Vec::with_capacity(word.len());
    let mut at = Some(end);
    for row in rows.iter().rev() {
        let here = at?;
        hits.push(here);
        at = row[here]?.before;
    }
    hits.reverse();
    Some(Fit { score, hits })
}

#[derive(Clone, Copy)]
struct Placed {
    score: i32,
    before: Option<usize>,
}

/// `reach` gives the best that leads up to a position, and is asked for each in turn.
fn row(
    label: &[char],
    letter: char,
    mut reach: impl FnMut(usize) -> Option<(i32, Option<usize>)>,
) -> Vec<Option<Placed>> {
    let placed = |at: usize, (score, before)| {
        let start = if starts_word(label, at) { WORD_START } else { 0 };
        Placed { score: score + HIT + start, before }
    };
    (0..label.len())
        .map(|at| {
            let reached = reach(at);
            reached.filter(|_| fold(label[at]) == letter).map(|reached| placed(at, reached))
        })
        .collect()
}

fn starts_word(label: &[char], at: usize) -> bool {
    let Some(before) = at.checked_sub(1).map(|before| label[before]) else { return true };
    !before.is_alphanumeric() || (before.is_alphabetic() && !is_capital(before) && is_capital(label[at]))
}

fn contains(name: &str, word: &[char]) -> bool {
    let name: Vec<char> = name.chars().map(fold).collect();
    name.windows(word.len()).any(|window| window == word)
}

fn is_capital(letter: char) -> bool {
    fold(letter) != letter
}

fn fold(letter: char) -> char {
    if letter.is_ascii() { letter.to_ascii_lowercase() } else { lowercase(letter) }
}

#[cfg(not(target_arch = "wasm32"))]
fn lowercase(letter: char) -> char {
    letter.to_lowercase().next().unwrap_or(letter)
}

/// The browser has the tables for it, which are 13 KB.
#[cfg(target_arch = "wasm32")]
fn lowercase(letter: char) -> char {
    let text = js_sys::JsString::from(&*letter.encode_utf8(&mut [0; 4]));
    String::from(text.to_lower_case()).chars().next().unwrap_or(letter)
}

/// A letter was found.
const HIT: i32 = 16;
/// It begins a word.
const WORD_START: i32 = 8;
/// It follows the letter before it without a gap.
const RUN: i32 = 10;
/// What each letter in between costs.
const GAP: i32 = 1;
/// The word is part of a name that is not shown large.
const OTHER_NAME: i32 = 8;

#[cfg(test)]
mod tests {
    use super::*;

    /// The labels that fit, best first.
    fn ranking<'a>(query: &str, labels: &[&'a str]) -> Vec<&'a str> {
        let mut found: Vec<_> =
            labels.iter().filter_map(|label| Some((fit(query, label, &[])?.score, *label))).collect();
        found.sort_by_key(|(score, _)| -score);
        found.into_iter().map(|(_, label)| label).collect()
    }

    fn hits(query: &str, label: &str) -> String {
        let found = fit(query, label, &[]).unwrap();
        label.chars().enumerate().map(|(at, c)| if found.hits.contains(&at) { c } else { '.' }).collect()
    }

    #[test]
    fn letters_in_order_find_a_role_and_letters_out_of_order_do_not() {
        assert!(fit("prdadm", "prod / Administrator", &[]).is_some());
        assert_eq!(fit("admprd", "prod / Administrator", &[]), None);
    }

    #[test]
    fn every_word_must_fit_and_words_may_come_in_any_order() {
        assert!(fit("admin prod", "prod / Administrator", &[]).is_some());
        assert!(fit("prod / admin", "prod / Administrator", &[]).is_some());
        assert_eq!(fit("admin stage", "prod / Administrator", &[]), None);
    }

    #[test]
    fn an_empty_query_fits_everything_alike() {
        for query in ["", "  "] {
            assert_eq!(fit(query, "prod / Administrator", &[]), Some(Fit { score: 0, hits: vec![] }));
        }
    }

    #[test]
    fn case_does_not_matter() {
        assert!(fit("ADMIN", "prod / administrator", &[]).is_some());
        assert!(fit("straße", "STRAßE / x", &[]).is_some());
    }

    #[test]
    fn a_run_comes_before_scattered_letters() {
        let labels = ["a-dev / Manager-in", "dev / Admin", "archive / DomainMaintainer"];
        assert_eq!(ranking("admin", &labels)[0], "dev / Admin");
    }

    #[test]
    fn the_beginning_of_a_word_comes_before_its_middle() {
        assert_eq!(ranking("read", &["dev / Spreader", "dev / ReadOnly"])[0], "dev / ReadOnly");
        assert_eq!(ranking("ro", &["prod / Zero", "prod / ReadOnly"])[0], "prod / ReadOnly");
    }

    #[test]
    fn the_letters_of_the_best_placement_are_marked() {
        assert_eq!(hits("admin", "data-dev / Administrator"), "...........Admin........");
        assert_eq!(hits("ro", "prod / ReadOnly"), ".......R...O...");
        assert_eq!(hits("prod ro", "prod / ReadOnly"), "prod...R...O...");
    }

    #[test]
    fn an_account_number_finds_a_role_shown_by_its_alias() {
        let found = fit("210987", "prod / Admin", &["921098765432"]).unwrap();
        assert!(found.hits.is_empty());
        assert!(found.score < fit("p", "prod / Admin", &[]).unwrap().score);
        assert_eq!(fit("210988", "prod / Admin", &["921098765432"]), None);
    }
}
