//! Which roles fit what was typed, how well, and at which letters.
//!
//! Each word typed must occur in a role's label as a subsequence ("prdadm" finds "prod / Administrator") or, whole, in
//! one of the role's other names. The best placement of the letters counts: runs and beginnings of words score, gaps
//! cost.
//!
//! A key must be painted within a frame however many roles there are: their texts are folded to lower case once, a longer
//! query is only compared with what fitted the shorter one, which is found again when letters are deleted, a letter is only
//! tried between the first and the last place where it can stand, and no role needs memory of its own.

use std::ops::Range;

use crate::map::Map;
use crate::message::role_table::{RoleRow, RoleTable};
use crate::settings::{GroupBy, RoleKey};
use crate::text;

/// The roles of a table that fit a query.
#[derive(Debug, Default)]
pub struct Search {
    /// How many roles there are.
    count: usize,
    /// The names of the roles that have been read, in lower case: of each the label, and behind an [`END`] each, the account's digits,
    /// the profile, and what else is known of it.
    text: String,
    /// The characters of their labels, in lower case.
    letters: Vec<char>,
    /// Of the first roles, which have been read.
    labels: Vec<Label>,
    /// What fits an empty query, and then each longer one, up to what was typed last.
    steps: Vec<Step>,
    board: Board,
}

/// What fits a query.
#[derive(Debug, Default)]
struct Step {
    /// In lower case.
    query: String,
    word_count: usize,
    /// In the order of an empty query.
    matches: Vec<Match>,
    /// Best first.
    found: Vec<usize>,
}

/// The names of a role.
#[derive(Debug)]
struct Label {
    letters: Range<usize>,
    /// Which of its first 64 characters start a word.
    word_starts: u64,
    /// The other names, in the text.
    others: Range<usize>,
}

/// A role that fits.
#[derive(Debug)]
struct Match {
    row: usize,
    /// The score of all words but the last, at which people type.
    settled: usize,
}

impl Search {
    /// Searches in these roles from now on. Their names are read when they are needed, or before by [`Self::prepare`].
    pub fn set_roles(&mut self, roles: &RoleTable) {
        self.count = roles.len();
        self.text.clear();
        self.letters.clear();
        self.labels.clear();
        self.begin(roles, (0..self.count).collect());
    }

    /// Reads the names of so many further roles, which takes a while if there are thousands. Nothing has to be typed for that. Says
    /// whether some are left.
    pub fn prepare(&mut self, roles: &RoleTable, count: usize) -> bool {
        let first = self.labels.len();
        for row in first..self.count.min(first.saturating_add(count)) {
            let Some(role) = roles.get(row) else { break };
            let label = self.read(role);
            self.labels.push(label);
        }
        self.labels.len() < self.count
    }

    fn read(&mut self, role: RoleRow<'_>) -> Label {
        let start = self.text.len();
        for part in label(role) {
            self.text.push_str(part);
        }
        let mut label_end = self.text.len();
        let first = self.letters.len();
        self.letters.extend(self.text[start..].chars());
        for name in [role.account_id(), role.profile, role.about, role.environment] {
            self.text.push_str(END);
            self.text.push_str(name);
        }
        if self.text[start..].is_ascii() {
            self.text[start..].make_ascii_lowercase();
        } else {
            let names = folded(self.text.split_off(start));
            label_end = start + text::find(&names, END).unwrap_or(names.len());
            self.text.push_str(&names);
        }
        Label {
            word_starts: fold(&mut self.letters[first..], &self.text[start..label_end]),
            letters: first..self.letters.len(),
            others: label_end..self.text.len(),
        }
    }

    /// Puts the pinned roles of the table before all others from now on, and behind them those that were used. The others are in
    /// groups. Gives where each group begins, while nothing is typed.
    pub fn put_first(
        &mut self,
        roles: &RoleTable,
        pinned: &[RoleKey],
        recent: &[RoleKey],
        group_by: GroupBy,
    ) -> Vec<usize> {
        let keys: Vec<_> = pinned.iter().chain(recent.iter().filter(|key| !pinned.contains(key))).collect();
        let mut rows = vec![None; keys.len()];
        if !keys.is_empty() {
            for (row, role) in roles.rows().enumerate() {
                if let Some(place) = keys.iter().position(|key| role.is(key)) {
                    rows[place] = Some(row);
                }
            }
        }
        let rows: Vec<_> = rows.into_iter().flatten().collect();
        let group = |row: usize| roles.get(row).map_or("", |role| role.group(group_by));
        let mut others: Vec<_> = (0..self.count).filter(|row| !rows.contains(row)).collect();
        // The table is in the order of the accounts.
        if group_by == GroupBy::Environment {
            let mut groups = Map::new();
            for row in others.drain(..) {
                // Those without a name come last.
                let key = (group(row).is_empty(), group(row));
                groups.get_or_insert_with(key, Vec::new).push(row);
            }
            for rows in groups.values() {
                others.extend(rows);
            }
        }
        let (mut found, mut starts) = (rows, Vec::new());
        if group_by != GroupBy::None {
            starts.extend((!found.is_empty()).then_some(0));
            let begins = |at: &usize| {
                at.checked_sub(1).is_none_or(|before| group(others[before]) != group(others[*at]))
            };
            starts.extend((0..others.len()).filter(begins).map(|at| found.len() + at));
        }
        found.extend(others);
        self.begin(roles, found);
        starts
    }

    /// Begins anew, with the rows in this order.
    fn begin(&mut self, roles: &RoleTable, found: Vec<usize>) {
        let query = self.steps.pop().unwrap_or_default().query;
        let matches = found.iter().map(|row| Match { row: *row, settled: 0 }).collect();
        self.steps = vec![Step { matches, found, ..Step::default() }];
        self.find(roles, query);
    }

    /// Searches for this from now on. `roles` are those that were set.
    pub fn set_query(&mut self, roles: &RoleTable, query: &str) {
        self.find(roles, folded(query.to_owned()));
    }

    /// The rows of the roles that fit, best first; of equals, and if nothing was typed, those first that were put first, and
    /// the others in the order of the table.
    #[must_use]
    pub fn found(&self) -> &[usize] {
        self.steps.last().map_or(&[], |step| &step.found)
    }

    /// The rows of all roles, in the order in which they are listed while nothing is typed.
    #[must_use]
    pub fn order(&self) -> &[usize] {
        self.steps.first().map_or(&[], |step| &step.found)
    }

    /// Which characters of a role's label fit the query. The list may end before the label does.
    #[must_use]
    pub fn hits(&self, row: usize) -> Vec<bool> {
        let mut hits = Vec::new();
        let query = self.steps.last().map_or("", |step| &step.query);
        self.score(row, &words(query), &mut Board::default(), Some(&mut hits));
        hits
    }

    /// Finds what fits the query. Whatever fits it fits every query that it starts with.
    fn find(&mut self, roles: &RoleTable, query: String) {
        while self.steps.len() > 1 && self.steps.last().is_some_and(|step| !query.starts_with(&step.query)) {
            self.steps.pop();
        }
        let words = words(&query);
        if !words.is_empty() {
            self.prepare(roles, usize::MAX);
        }
        let (Some(before), Some((last, others))) = (self.steps.last(), words.split_last()) else {
            // There are no roles yet, or nothing was typed but blanks.
            self.steps.truncate(1);
            if self.count == 0 {
                self.steps = vec![Step { query, ..Step::default() }];
            }
            return;
        };
        if before.query == query {
            return;
        }
        let is_settled = before.word_count == words.len();
        let mut board = std::mem::take(&mut self.board);
        let (mut matches, mut scores) = (Vec::new(), Vec::new());
        for Match { row, settled } in &before.matches {
            let settled =
                if is_settled { Some(*settled) } else { self.score(*row, others, &mut board, None) };
            let Some(settled) = settled else { continue };
            if let Some(score) = self.score(*row, std::slice::from_ref(last), &mut board, None) {
                matches.push(Match { row: *row, settled });
                scores.push(settled + score);
            }
        }
        self.board = board;
        let found = best_first(&matches, &scores);
        self.steps.push(Step { query, word_count: words.len(), matches, found });
    }

    /// How well a role fits. `None` if some word does not.
    fn score(
        &self,
        row: usize,
        words: &[Word],
        board: &mut Board,
        mut hits: Option<&mut Vec<bool>>,
    ) -> Option<usize> {
        let label = self.labels.get(row)?;
        let letters = &self.letters[label.letters.clone()];
        let mut score = 0;
        for word in words {
            if let Some(placed) = board.place(&word.letters, letters, label.word_starts) {
                score += placed.score;
                if let Some(hits) = &mut hits {
                    hits.resize(letters.len(), false);
                    board.mark(word.letters.len(), placed.at, hits);
                }
            } else if text::contains(&self.text[label.others.clone()], &word.text) {
                score += OTHER_NAME;
            } else {
                return None;
            }
        }
        usize::try_from(score.max(0)).ok()
    }
}

/// A word that was typed.
struct Word {
    text: String,
    letters: Vec<char>,
}

fn words(query: &str) -> Vec<Word> {
    let word = |text: &str| Word { text: text.to_owned(), letters: text.chars().collect() };
    query.split_whitespace().map(word).collect()
}

/// Places the letters of a word in a label, as a subsequence. Used for one role after the other.
#[derive(Debug, Default)]
struct Board {
    /// For each letter of the word, the first and the last place where it can stand.
    ranges: Vec<(usize, usize)>,
    /// For each letter of the word a row, and in it for each place in the letter's range, the best placement that ends there.
    cells: Vec<Option<Cell>>,
}

#[derive(Debug, Clone, Copy)]
struct Cell {
    score: i32,
    /// Where the letter before stands.
    before: usize,
}

/// A placement of a word.
struct Placed {
    score: i32,
    /// Where its last letter stands.
    at: usize,
}

impl Board {
    /// The best placement.
    fn place(&mut self, word: &[char], label: &[char], word_starts: u64) -> Option<Placed> {
        self.ranges.clear();
        let mut start = 0;
        for letter in word {
            start += label[start..].iter().position(|here| here == letter)?;
            self.ranges.push((start, start));
            start += 1;
        }
        let mut end = label.len();
        for (range, letter) in self.ranges.iter_mut().zip(word).rev() {
            end = label[..end].iter().rposition(|here| here == letter)?;
            range.1 = end;
        }

        // Puts a letter at a place, if it is the one that stands there, behind a placement of those before it.
        let put = |at: usize, letter: char, reached: Option<(i32, usize)>| {
            let (score, before) = reached.filter(|_| label[at] == letter)?;
            let start = if at < 64 && word_starts >> at & 1 == 1 { WORD_START } else { 0 };
            Some(Cell { score: score + HIT + start, before })
        };
        let width = label.len();
        if self.cells.len() < width * word.len() {
            self.cells.resize(width * word.len(), None);
        }
        let mut row = 0;
        for (index, letter) in word.iter().enumerate() {
            let (first, last) = self.ranges[index];
            match index.checked_sub(1).map(|previous| self.ranges[previous]) {
                None => {
                    for at in first..=last {
                        self.cells[at] = put(at, *letter, Some((0, at)));
                    }
                }
                Some((previous_first, previous_last)) => {
                    let above = row - width;
                    let mut before_gap: Option<(i32, usize)> = None;
                    for at in previous_first + 1..=last {
                        let ends_at = |place: usize, bonus: i32| {
                            let cell = self.cells[above + place].filter(|_| place <= previous_last)?;
                            Some((cell.score + bonus, place))
                        };
                        // What was best up to two places back has moved one further away.
                        let newcomer = at.checked_sub(2).filter(|place| *place >= previous_first);
                        let newcomer = newcomer.and_then(|place| ends_at(place, 0));
                        before_gap = newcomer.max(before_gap).map(|(score, place)| (score - GAP, place));
                        let reached = ends_at(at - 1, RUN).max(before_gap);
                        self.cells[row + at] = put(at, *letter, reached);
                    }
                }
            }
            row += width;
        }
        let (first, last) = *self.ranges.last()?;
        let ends = &self.cells[row - width..];
        let ends = (first..=last).rev().filter_map(|at| Some(Placed { score: ends[at]?.score, at }));
        ends.max_by_key(|placed| placed.score)
    }

    /// Marks the letters of the placement that ends here, in a list as long as the label.
    fn mark(&self, count: usize, mut at: usize, hits: &mut [bool]) {
        for row in (0..count).rev() {
            hits[at] = true;
            at = self.cells[row * hits.len() + at].map_or(0, |cell| cell.before);
        }
    }
}

/// The rows in the order of their scores. More than [`MAX_SCORE`] is not told apart, so they need not be compared.
fn best_first(matches: &[Match], scores: &[usize]) -> Vec<usize> {
    let place_of = |score: &usize| MAX_SCORE - MAX_SCORE.min(*score);
    // First how many there are of each score, then where the next one goes.
    let mut places = vec![0; MAX_SCORE + 1];
    for score in scores {
        places[place_of(score)] += 1;
    }
    let mut next = 0;
    for place in &mut places {
        next += std::mem::replace(place, next);
    }
    let mut order = vec![0; matches.len()];
    for (found, score) in matches.iter().zip(scores) {
        let place = &mut places[place_of(score)];
        order[*place] = found.row;
        *place += 1;
    }
    order
}

/// The pieces of a role's name in the list.
fn label(role: RoleRow<'_>) -> [&str; 3] {
    [role.account, SEPARATOR, role.name()]
}

/// Turns the letters of a label to lower case, and gives which of them start a word. `folded` is the label in lower case.
fn fold(letters: &mut [char], folded: &str) -> u64 {
    let mut starts = 0;
    let (mut before, mut before_is_small) = (' ', false);
    for (at, (letter, small)) in letters.iter_mut().zip(folded.chars()).enumerate() {
        let is_small = *letter == small;
        let follows_small = before_is_small && !before.is_ascii_digit();
        if at < 64 && (!is_of_word(before) || (follows_small && !is_small)) {
            starts |= 1 << at;
        }
        (before, before_is_small) = (*letter, is_small);
        *letter = small;
    }
    starts
}

/// Whether words contain it. Beyond ASCII, that is all but the blanks and signs of a few blocks: the tables of Unicode that tell
/// letters from others weigh 3 KB.
fn is_of_word(letter: char) -> bool {
    match letter {
        '\0'..='\x7f' => letter.is_ascii_alphanumeric(),
        '\u{80}'..='\u{bf}' | '×' | '÷' | '\u{2000}'..='\u{2bff}' | '\u{3000}'..='\u{303f}' => false,
        _ => true,
    }
}

/// The text in lower case, in which each character has its place.
fn folded(mut text: String) -> String {
    if text.is_ascii() {
        text.make_ascii_lowercase();
        return text;
    }
    // The only letter that becomes two.
    let text: String = text.chars().map(|letter| if letter == 'İ' { 'I' } else { letter }).collect();
    lowercase(&text)
}

#[cfg(not(target_arch = "wasm32"))]
fn lowercase(text: &str) -> String {
    text.to_lowercase()
}

/// The browser has the tables for it, which are 13 KB.
#[cfg(target_arch = "wasm32")]
fn lowercase(text: &str) -> String {
    js_sys::JsString::from(text).to_lower_case().into()
}

/// Between an account and a role.
pub const SEPARATOR: &str = " / ";

/// Between the names of a role. No field has it.
const END: &str = "\x7f";

/// A letter was found.
const HIT: i32 = 16;
/// It starts a word.
const WORD_START: i32 = 8;
/// It follows the letter before it without a gap.
const RUN: i32 = 10;
/// What each letter in between costs.
const GAP: i32 = 1;
/// The word is part of a name that is not shown large.
const OTHER_NAME: i32 = 8;
/// The highest score that counts.
const MAX_SCORE: usize = 4095;

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use crate::settings::CredentialsMode;
    use proptest::prelude::*;

    use super::*;

    /// Roles of these labels.
    fn table(labels: &[&str]) -> RoleTable {
        let mut table = RoleTable::default();
        for label in labels {
            let Some((account, name)) = label.split_once(SEPARATOR) else { panic!("{label} is no label") };
            table.push(RoleRow {
                provider: "corp",
                arn: &format!("arn:aws:iam::921098765432:role/{name}"),
                account,
                profile: "production",
                color: "",
                environment: "",
                about: "Look around · on-call",
                credentials: CredentialsMode::Process,
                is_for_others: false,
            });
        }
        table
    }

    fn search(labels: &[&str], query: &str) -> Search {
        let mut search = Search::default();
        let roles = table(labels);
        search.set_roles(&roles);
        search.set_query(&roles, query);
        search
    }

    /// The labels that fit, best first.
    fn ranking<'a>(query: &str, labels: &[&'a str]) -> Vec<&'a str> {
        search(labels, query).found().iter().map(|row| labels[*row]).collect()
    }

    fn fits(query: &str, label: &str) -> bool {
        !ranking(query, &[label]).is_empty()
    }

    fn hits(query: &str, label: &str) -> String {
        let hits = search(&[label], query).hits(0);
        let shown = |(at, c)| if hits.get(at) == Some(&true) { c } else { '.' };
        label.chars().enumerate().map(shown).collect()
    }

    #[test]
    fn letters_in_order_find_a_role_and_letters_out_of_order_do_not() {
        assert!(fits("prdadm", "prod / Administrator"));
        assert!(!fits("admprd", "prod / Administrator"));
    }

    #[test]
    fn every_word_must_fit_and_words_may_come_in_any_order() {
        assert!(fits("admin prod", "prod / Administrator"));
        assert!(fits("prod / admin", "prod / Administrator"));
        assert!(!fits("admin stage", "prod / Administrator"));
    }

    #[test]
    fn an_empty_query_fits_everything_in_the_order_of_the_table() {
        for query in ["", "  "] {
            assert_eq!(ranking(query, &["prod / B", "prod / A"]), ["prod / B", "prod / A"]);
            assert_eq!(hits(query, "prod / A"), "........");
        }
    }

    #[test]
    fn case_does_not_matter() {
        assert!(fits("ADMIN", "prod / administrator"));
        assert!(fits("straße", "STRAßE / x"));
        assert!(fits("日本", "日本支社 / x"));
        assert_eq!(hits("pro", "İstanbul-PROD / x"), ".........PRO.....");
    }

    #[test]
    fn a_letter_is_never_found_in_parts_of_others() {
        // The bytes of 日 (E6 97 A5) are in 旗 (E6 97 97) and 饥 (E9 A5 A5).
        assert!(!fits("日", "旗饥 / x"));
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
    fn letters_of_all_scripts_make_words_and_their_signs_part_them() {
        for [together, parted] in
            [["dev / Würx", "dev / Wü–rx"], ["dev / 東京rx", "dev / 東京、rx"], ["dev / ürx", "dev / →rx"]]
        {
            assert_eq!(ranking("rx", &[together, parted]), [parted, together]);
        }
    }

    #[test]
    fn the_letters_of_the_best_placement_are_marked() {
        assert_eq!(hits("admin", "data-dev / Administrator"), "...........Admin........");
        assert_eq!(hits("ro", "prod / ReadOnly"), ".......R...O...");
        assert_eq!(hits("prod ro", "prod / ReadOnly"), "prod...R...O...");
    }

    #[test]
    fn an_account_number_and_a_profile_find_a_role_shown_by_its_alias() {
        assert_eq!(hits("210987", "prod / Admin"), "............");
        assert!(fits("210987", "prod / Admin") && fits("duction", "prod / Admin"));
        assert!(!fits("210988", "prod / Admin"));
        assert_eq!(ranking("duction", &["prod / Admin", "induction / x"])[0], "induction / x");
    }

    #[test]
    fn other_roles_are_searched_for_the_same() {
        let mut search = search(&["prod / Admin"], "aud");
        search.set_roles(&table(&["prod / Admin", "prod / Auditor"]));
        assert_eq!(search.found(), [1]);
    }

    #[test]
    fn a_search_that_is_half_prepared_finds_the_same() {
        let labels = ["prod / Admin", "prod / Auditor", "日本 / Auditor"];
        let roles = table(&labels);
        for steps in 1..=4 {
            let mut search = Search::default();
            search.set_roles(&roles);
            let left: Vec<_> = (0..steps).map(|_| search.prepare(&roles, 1)).collect();
            assert_eq!(left, [true, true, false, false][..steps]);
            search.set_query(&roles, "aud");
            assert_eq!(search.found(), [1, 2]);
        }
    }

    #[test]
    fn what_was_deleted_before_the_roles_came_is_not_searched_for() {
        let mut search = Search::default();
        for query in ["aud", ""] {
            search.set_query(&RoleTable::default(), query);
        }
        search.set_roles(&table(&["prod / Admin", "prod / Auditor"]));
        assert_eq!(search.found(), [0, 1]);
        search = Search::default();
        search.set_query(&RoleTable::default(), "aud");
        search.set_roles(&table(&["prod / Admin", "prod / Auditor"]));
        assert_eq!(search.found(), [1]);
    }

    proptest! {
        #[test]
        fn typing_and_deleting_letter_by_letter_finds_what_typing_at_once_finds(
            labels in prop::collection::vec("[a-cA-C-]{0,6} / [a-cA-C-]{1,6}", 0..12),
            queries in prop::collection::vec("[abc ]{0,5}", 1..4),
        ) {
            let labels: Vec<_> = labels.iter().map(String::as_str).collect();
            let roles = table(&labels);
            let mut typing = search(&labels, "");
            for query in queries {
                for end in (0..=query.len()).chain((0..query.len()).rev()) {
                    typing.set_query(&roles, &query[..end]);
                    let at_once = search(&labels, &query[..end]);
                    prop_assert_eq!(typing.found(), at_once.found());
                }
            }
        }

        #[test]
        fn the_best_placement_is_the_best_of_all(label in "[ab-]{1,7}", word in "[ab]{1,4}") {
            let name = format!("{label} / x");
            let mut search = search(&[&name], "");
            search.prepare(&table(&[&name]), 1);
            let mut board = Board::default();
            let word_starts = search.labels[0].word_starts;
            let letters: Vec<char> = word.chars().collect();
            let all = placements(&search.letters, &letters, 0);
            let best = all.iter().map(|places| score(places, word_starts)).max();
            let placed = board.place(&letters, &search.letters, word_starts);
            prop_assert_eq!(placed.as_ref().map(|placed| placed.score), best);
            if let Some(placed) = placed {
                let mut hits = vec![false; search.letters.len()];
                board.mark(letters.len(), placed.at, &mut hits);
                let places: Vec<_> = (0..hits.len()).filter(|at| hits[*at]).collect();
                prop_assert_eq!(Some(score(&places, word_starts)), best);
                prop_assert!(all.contains(&places));
            }
        }
    }

    /// Every way to place a word.
    fn placements(label: &[char], word: &[char], from: usize) -> Vec<Vec<usize>> {
        let Some((letter, rest)) = word.split_first() else { return vec![Vec::new()] };
        (from..label.len())
            .filter(|at| label[*at] == *letter)
            .flat_map(|at| {
                let behind = placements(label, rest, at + 1);
                behind.into_iter().map(move |places| [vec![at], places].concat())
            })
            .collect()
    }

    fn score(places: &[usize], word_starts: u64) -> i32 {
        let letters = places.iter().map(|at| HIT + if word_starts >> at & 1 == 1 { WORD_START } else { 0 });
        let steps = places.windows(2).map(|step| match step[1] - step[0] - 1 {
            0 => RUN,
            gap => std::iter::repeat_n(-GAP, gap).sum(),
        });
        letters.chain(steps).sum()
    }
}
