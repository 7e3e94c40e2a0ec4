//! Long lists travel in pages, so that no message grows with the settings.
//!
//! Whoever asks names where the page shall begin and which revision of the list it wants. A list that has changed
//! meanwhile is answered with the first page of its new revision, and whoever asks starts over with that.

use super::frame;
use crate::json::{ReadJson, WriteJson};
use crate::settings::{Fault, Reading, Settings};
use crate::{Code, Problem};

/// Which page is asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ReadJson, WriteJson)]
pub struct PageRequest {
    /// How many entries come before the page.
    pub from: u32,
    /// Of which revision. Of the present one without.
    pub revision: Option<u32>,
}

impl PageRequest {
    /// Where the page begins that answers this: at the start, if the list is of another revision than asked for.
    #[must_use]
    pub fn start(self, revision: u32) -> u32 {
        if self.revision.is_none_or(|wanted| wanted == revision) { self.from } else { 0 }
    }
}

/// A part of a long list.
pub trait Page {
    /// Which revision of the list it is a part of.
    fn revision(&self) -> u32;

    /// Where the next page begins. `None` after the last one.
    fn next(&self) -> Option<u32>;

    /// Adds the page that comes next.
    fn append(&mut self, next: Self);
}

/// Pages that are put together.
#[derive(Debug)]
pub struct Pages<P> {
    whole: Option<P>,
    count: u32,
}

impl<P> Default for Pages<P> {
    fn default() -> Self {
        Self { whole: None, count: 0 }
    }
}

impl<P: Page> Pages<P> {
    /// What to ask for now.
    #[must_use]
    pub fn request(&self) -> PageRequest {
        match &self.whole {
            Some(whole) => {
                PageRequest { from: whole.next().unwrap_or_default(), revision: Some(whole.revision()) }
            }
            None => PageRequest::default(),
        }
    }

    /// Takes the answer, and gives the whole list after the last page.
    ///
    /// # Errors
    /// `host-protocol` for a list that does not come to an end.
    pub fn add(&mut self, page: P) -> Result<Option<P>, Problem> {
        self.count += 1;
        if self.count > MAX_PAGES {
            return Err(Problem::new(Code::HostProtocol, "The list has too many pages."));
        }
        let is_last = page.next().is_none();
        match &mut self.whole {
            Some(whole) if whole.revision() == page.revision() => whole.append(page),
            whole => *whole = Some(page),
        }
        Ok(if is_last { self.whole.take() } else { None })
    }
}

/// A part of the machine's settings.
#[derive(Debug, Clone, Default, PartialEq, Eq, ReadJson, WriteJson)]
#[json(rename_all = "camelCase")]
pub struct SettingsPage {
    /// Entries that can be used.
    pub part: Settings,
    /// What is wrong with others. Nothing weaker may take the place of what was lost.
    pub faults: Vec<Fault>,
    /// Grows with each change.
    pub revision: u32,
    /// Where the next page begins.
    pub next: Option<u32>,
}

impl SettingsPage {
    /// The page of these settings that begins after `from` entries.
    #[must_use]
    pub fn cut(reading: &Reading, revision: u32, from: u32) -> Self {
        let mut page = Self { revision, ..Self::default() };
        let mut cutter = Cutter::new(from);
        cutter.take(reading.settings.provider.iter(), Clone::clone, &mut page.part.provider);
        cutter.take(reading.settings.account.iter(), Clone::clone, &mut page.part.account);
        cutter.take(reading.settings.role.iter(), Clone::clone, &mut page.part.role);
        cutter.take(reading.faults.iter(), Clone::clone, &mut page.faults);
        page.part.preferences = reading.settings.preferences;
        page.next = cutter.next();
        page
    }
}

impl Page for SettingsPage {
    fn revision(&self) -> u32 {
        self.revision
    }

    fn next(&self) -> Option<u32> {
        self.next
    }

    fn append(&mut self, next: Self) {
        self.part.provider.extend(next.part.provider);
        self.part.account.extend(next.part.account);
        self.part.role.extend(next.part.role);
        self.faults.extend(next.faults);
        self.next = next.next;
    }
}

impl From<SettingsPage> for Reading {
    fn from(page: SettingsPage) -> Self {
        Self { faults: page.faults, ..page.part.into() }
    }
}

/// Cuts a page out of several lists that count as one.
#[derive(Debug)]
pub struct Cutter {
    from: u32,
    skip: usize,
    taken: u32,
    bytes_left: usize,
    is_full: bool,
}

impl Cutter {
    /// A page that begins after `from` entries.
    #[must_use]
    pub fn new(from: u32) -> Self {
        let skip = usize::try_from(from).unwrap_or(usize::MAX);
        Self { from, skip, taken: 0, bytes_left: BUDGET_BYTES, is_full: false }
    }

    /// Puts as many entries of the next list into the page as fit, but one at least.
    pub fn take<S, T: WriteJson>(
        &mut self,
        list: impl ExactSizeIterator<Item = S>,
        entry: impl Fn(S) -> T,
        page: &mut Vec<T>,
    ) {
        let count = list.len();
        if self.is_full || self.skip >= count {
            self.skip -= self.skip.min(count);
            return;
        }
        for item in list.skip(std::mem::take(&mut self.skip)) {
            let item = entry(item);
            let size = frame::json_size(&item) + 1;
            if size > self.bytes_left && self.taken > 0 {
                self.is_full = true;
                return;
            }
            self.bytes_left = self.bytes_left.saturating_sub(size);
            self.taken += 1;
            page.push(item);
        }
    }

    /// Where the next page begins.
    #[must_use]
    pub fn next(&self) -> Option<u32> {
        self.is_full.then(|| self.from.saturating_add(self.taken))
    }
}

/// How large a page may become, in bytes of JSON. Well below the largest message, and large enough for 1,000 roles.
pub const BUDGET_BYTES: usize = 256 * 1024;

/// How many pages are read of one list.
const MAX_PAGES: u32 = 4096;

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;
    use crate::settings::{SettingsError, fixture};

    fn many(count: usize) -> Reading {
        let mut settings = fixture::settings();
        settings.preferences.default_action = Some(crate::settings::DefaultAction::Credentials);
        settings.preferences.badge = Some(crate::settings::Badge::Sessions);
        let role = settings.role.remove(0);
        settings.role = (0..count)
            .map(|number| {
                let arn =
                    format!("arn:aws:iam::{number:012}:role/example/team-{number}/developer-role-{number}");
                crate::settings::Role { arn: arn.parse().unwrap(), ..role.clone() }
            })
            .collect();
        let lost = Reading::lost(SettingsError::NotADocument);
        Reading { faults: lost.faults, ..settings.into() }
    }

    fn together(mut answer: impl FnMut(PageRequest) -> SettingsPage) -> SettingsPage {
        let mut pages = Pages::default();
        loop {
            if let Some(whole) = pages.add(answer(pages.request())).unwrap() {
                return whole;
            }
        }
    }

    #[test]
    fn ten_thousand_roles_arrive_whole_in_messages_far_below_the_limit() {
        let reading = many(10_000);
        let mut sizes = Vec::new();
        let whole = together(|request| {
            let page = SettingsPage::cut(&reading, 7, request.start(7));
            sizes.push(frame::json_size(&page));
            page
        });
        assert_eq!(Reading::from(whole), reading);
        assert!(sizes.len() > 1 && sizes.iter().all(|size| *size < 2 * BUDGET_BYTES), "{sizes:?}");
    }

    #[test]
    fn a_list_that_changes_meanwhile_is_read_anew_from_its_first_page() {
        let (before, after) = (many(5_000), many(4_000));
        let mut count = 0;
        let whole = together(|request| {
            count += 1;
            let (reading, revision) = if count < 3 { (&before, 1) } else { (&after, 2) };
            SettingsPage::cut(reading, revision, request.start(revision))
        });
        assert_eq!(Reading::from(whole), after);
    }

    #[test]
    fn a_list_without_an_end_is_given_up() {
        let mut pages = Pages::default();
        let endless = |revision| SettingsPage { revision, next: Some(1), ..SettingsPage::default() };
        let failed = (0..=MAX_PAGES).find_map(|revision| pages.add(endless(revision)).err());
        assert!(failed.unwrap().is(Code::HostProtocol));
    }

    #[test]
    fn an_entry_that_is_larger_than_a_page_has_a_page_of_its_own() {
        let mut reading = many(2);
        reading.settings.provider[0].name = Some("x".repeat(2 * BUDGET_BYTES));
        let page = SettingsPage::cut(&reading, 1, 0);
        assert_eq!((page.part.provider.len(), page.part.role.len(), page.next), (1, 0, Some(1)));
    }
}
