//! What outlives the background: everything that holds a secret in `storage.session` (memory only), the rest in
//! `storage.local`. Each item is written by one owner and never read again until the next background starts.

use std::rc::Rc;

use futures_util::future::join;
use rolecall_core::json::{self, ReadJson, WriteJson};

use crate::browser::{Browser, JsonText, StorageArea};

/// The storage areas.
#[derive(Clone)]
pub(crate) struct Storage(Rc<dyn Browser>);

impl Storage {
    /// The storage of this browser.
    pub(crate) fn new(browser: &Rc<dyn Browser>) -> Self {
        Self(Rc::clone(browser))
    }

    /// Reads everything, once.
    pub(crate) async fn load(&self) -> Stored {
        let (session, local) = (self.0.load(StorageArea::Session), self.0.load(StorageArea::Local));
        let (session, local) = join(session, local).await;
        Stored { storage: self.clone(), session, local }
    }

    /// Stores an item.
    pub(crate) fn save(&self, area: StorageArea, key: &str, value: &dyn WriteJson) {
        self.save_text(area, key, &json::to_string(value));
    }

    /// Stores an item that is JSON text already.
    pub(crate) fn save_text(&self, area: StorageArea, key: &str, text: &str) {
        self.0.store(area, key, text);
    }

    /// Removes an item.
    pub(crate) fn remove(&self, area: StorageArea, key: &str) {
        self.0.remove(area, key);
    }
}

/// What the background before left.
pub(crate) struct Stored {
    storage: Storage,
    session: Vec<(String, JsonText)>,
    local: Vec<(String, JsonText)>,
}

impl Stored {
    /// One item. One that cannot be read is removed; what is wrong with it is not told, for it could be a secret.
    pub(crate) fn take<T: ReadJson>(&mut self, area: StorageArea, key: &str) -> Option<T> {
        let items = match area {
            StorageArea::Session => &mut self.session,
            StorageArea::Local => &mut self.local,
        };
        let found = items.iter().position(|(name, _)| name == key)?;
        let value = json::from_str(&items.swap_remove(found).1).ok();
        if value.is_none() {
            self.storage.remove(area, key);
        }
        value
    }

    /// The items whose keys start like this, by the rest of the key. Those that cannot be read are removed; the others are
    /// not affected.
    pub(crate) fn take_all<T: ReadJson>(&mut self, area: StorageArea, prefix: &str) -> Vec<(String, T)> {
        let items = match area {
            StorageArea::Session => &self.session,
            StorageArea::Local => &self.local,
        };
        let keys = items.iter().map(|(key, _)| key);
        let keys: Vec<_> = keys.filter(|key| key.starts_with(prefix)).cloned().collect();
        let item = |key: String| Some((key[prefix.len()..].to_owned(), self.take(area, &key)?));
        keys.into_iter().filter_map(item).collect()
    }
}
