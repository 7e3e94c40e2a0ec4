//! A map and a set in a sorted list.
//!
//! In the extension size counts, and each kind of the standard library's maps brings 5 to 10 KB of code. Here nothing but
//! the comparison of keys is compiled for each kind. Looking up takes the same number of steps; inserting moves what stands behind,
//! so whoever puts many together at once collects them.

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::collections::BinaryHeap;

use serde::{Serialize, Serializer};

use crate::json::{Malformed, Member, ReadJson, Value, WriteJson, Writer};

/// Values by key, in the order of the keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Map<K, V>(Vec<(K, V)>);

impl<K, V> Map<K, V> {
    /// Without any.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes everything out.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// The keys and their values.
    #[must_use]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&K, &V)> {
        self.0.iter().map(|(key, value)| (key, value))
    }

    /// The keys.
    #[must_use]
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &K> {
        self.0.iter().map(|(key, _)| key)
    }

    /// The values, in the order of their keys.
    #[must_use]
    pub fn values(&self) -> impl ExactSizeIterator<Item = &V> {
        self.0.iter().map(|(_, value)| value)
    }

    /// Keeps those of which this is true.
    pub fn retain(&mut self, mut is_kept: impl FnMut(&K, &V) -> bool) {
        self.0.retain(|(key, value)| is_kept(key, value));
    }

    /// Takes those out of which this is true.
    #[must_use]
    pub fn take_if(&mut self, mut is_taken: impl FnMut(&K, &V) -> bool) -> Vec<(K, V)> {
        self.0.extract_if(.., |(key, value)| is_taken(key, value)).collect()
    }
}

impl<K: Ord, V> Map<K, V> {
    fn position<Q: Ord + ?Sized>(&self, key: &Q) -> Result<usize, usize>
    where
        K: Borrow<Q>,
    {
        position(self.0.len(), &|at| self.0[at].0.borrow().cmp(key))
    }

    /// The value of this key.
    #[must_use]
    pub fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        let at = self.position(key).ok()?;
        Some(&self.0[at].1)
    }

    /// The value of this key, to be changed.
    #[must_use]
    pub fn get_mut<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        let at = self.position(key).ok()?;
        Some(&mut self.0[at].1)
    }

    /// Whether there is a value of this key.
    #[must_use]
    pub fn contains_key<Q: Ord + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.position(key).is_ok()
    }

    /// Puts a value in, and gives the one that it replaces.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        match self.position(&key) {
            Ok(at) => Some(std::mem::replace(&mut self.0[at].1, value)),
            Err(at) => {
                self.0.insert(at, (key, value));
                None
            }
        }
    }

    /// The value of this key, which is put in if there is none.
    pub fn get_or_insert_with(&mut self, key: K, value: impl FnOnce() -> V) -> &mut V {
        let at = match self.position(&key) {
            Ok(at) => at,
            Err(at) => {
                self.0.insert(at, (key, value()));
                at
            }
        };
        &mut self.0[at].1
    }

    /// Takes the value of this key out.
    pub fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        let at = self.position(key).ok()?;
        Some(self.0.remove(at).1)
    }
}

impl<K, V> Default for Map<K, V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K: Ord, V> FromIterator<(K, V)> for Map<K, V> {
    /// Of several values of one key the first one stays.
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        let mut entries: Vec<_> = entries.into_iter().map(Some).collect();
        let key = |at: usize| entries[at].as_ref().map(|(key, _)| key);
        let mut order = sorted(entries.len(), &|one, other| key(one).cmp(&key(other)));
        order.dedup_by(|later, first| key(*later) == key(*first));
        Self(order.into_iter().filter_map(|at| entries[at].take()).collect())
    }
}

impl<K, V> IntoIterator for Map<K, V> {
    type Item = (K, V);
    type IntoIter = std::vec::IntoIter<(K, V)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// An object. Its keys are what is written as texts.
impl<K: WriteJson, V: WriteJson> WriteJson for Map<K, V> {
    fn write(&self, writer: &mut Writer) {
        let members = self.iter().map(|(key, value)| -> Member<'_> { (key, value) });
        writer.members(&mut { members });
    }
}

impl<K: ReadJson + Ord, V: ReadJson> ReadJson for Map<K, V> {
    fn read(value: Value<'_>) -> Result<Self, Malformed> {
        let mut entries = Vec::new();
        for (key, value) in value.object()?.entries() {
            entries.push((K::read(key)?, V::read(value)?));
        }
        Ok(entries.into_iter().collect())
    }
}

impl<K: Serialize, V: Serialize> Serialize for Map<K, V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

/// Values, each once, in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Set<T>(Map<T, ()>);

impl<T> Set<T> {
    /// Without any.
    #[must_use]
    pub const fn new() -> Self {
        Self(Map::new())
    }

    /// The values.
    #[must_use]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &T> {
        self.0.keys()
    }

    /// Takes everything out.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}

impl<T: Ord> Set<T> {
    /// Whether the value is one of them.
    #[must_use]
    pub fn contains<Q: Ord + ?Sized>(&self, value: &Q) -> bool
    where
        T: Borrow<Q>,
    {
        self.0.contains_key(value)
    }

    /// Puts a value in. Whether it was not there before.
    pub fn insert(&mut self, value: T) -> bool {
        self.0.insert(value, ()).is_none()
    }

    /// Takes a value out.
    pub fn remove<Q: Ord + ?Sized>(&mut self, value: &Q)
    where
        T: Borrow<Q>,
    {
        self.0.remove(value);
    }
}

impl<T> Default for Set<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Ord> FromIterator<T> for Set<T> {
    fn from_iter<I: IntoIterator<Item = T>>(values: I) -> Self {
        Self(values.into_iter().map(|value| (value, ())).collect())
    }
}

impl<T: WriteJson> WriteJson for Set<T> {
    fn write(&self, writer: &mut Writer) {
        writer.list(&mut self.iter().map(|value| -> &dyn WriteJson { value }));
    }
}

impl<T: ReadJson + Ord> ReadJson for Set<T> {
    fn read(value: Value<'_>) -> Result<Self, Malformed> {
        Vec::read(value).map(Self::from_iter)
    }
}

/// The positions from 0 to `count` in the order of what stands there. Equals keep their order. Sorting is compiled once,
/// whatever is sorted, and by a heap, since a list's own way to sort is many times the code. What is in order already, as
/// long lists that a program writes often are, is only looked through.
#[must_use]
pub fn sorted(count: usize, compare: &dyn Fn(usize, usize) -> Ordering) -> Vec<usize> {
    if (1..count).all(|at| compare(at - 1, at) != Ordering::Greater) {
        return (0..count).collect();
    }
    let positions: BinaryHeap<_> = (0..count).map(|at| Position { at, compare }).collect();
    positions.into_sorted_vec().into_iter().map(|position| position.at).collect()
}

struct Position<'a> {
    at: usize,
    compare: &'a dyn Fn(usize, usize) -> Ordering,
}

impl Ord for Position<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.compare)(self.at, other.at).then(self.at.cmp(&other.at))
    }
}

impl PartialOrd for Position<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Position<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.at == other.at
    }
}

impl Eq for Position<'_> {}

/// Where it stands among so many that are sorted, or would stand.
fn position(count: usize, compare: &dyn Fn(usize) -> Ordering) -> Result<usize, usize> {
    let (mut start, mut end) = (0, count);
    while start < end {
        let middle = usize::midpoint(start, end);
        match compare(middle) {
            Ordering::Less => start = middle + 1,
            Ordering::Equal => return Ok(middle),
            Ordering::Greater => end = middle,
        }
    }
    Err(start)
}

#[cfg(test)]
mod tests {
    #[cfg(not(target_arch = "wasm32"))]
    use std::collections::{BTreeMap, BTreeSet};

    #[cfg(not(target_arch = "wasm32"))]
    use proptest::prelude::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;
    #[cfg(not(target_arch = "wasm32"))]
    use crate::json;

    #[test]
    fn of_several_values_of_one_key_the_first_one_is_collected() {
        let map: Map<_, _> = [(2, 'a'), (1, 'b'), (2, 'c')].into_iter().collect();
        assert!(map.iter().eq([(&1, &'b'), (&2, &'a')]));
    }

    #[test]
    fn a_value_is_put_in_once_and_changed_in_its_place() {
        let mut map = Map::new();
        *map.get_or_insert_with("a", || 1) += 1;
        *map.get_or_insert_with("a", || panic!("there is one")) += 1;
        *map.get_mut("a").unwrap() += 1;
        assert_eq!((map.get("a"), map.get("b"), map.len()), (Some(&4), None, 1));
    }

    #[test]
    fn what_is_taken_out_is_gone_and_the_rest_stays_in_order() {
        let mut map: Map<_, _> = (0..6).map(|key| (key, key * key)).collect();
        assert_eq!(map.take_if(|key, _| key % 2 == 0), [(0, 0), (2, 4), (4, 16)]);
        map.retain(|_, value| *value != 9);
        assert!(map.keys().eq(&[1, 5]) && map.values().eq(&[1, 25]));
        map.clear();
        assert!(map.is_empty());
    }

    #[cfg(not(target_arch = "wasm32"))]
    proptest! {
        #[test]
        fn it_holds_what_the_standard_librarys_map_holds(steps in prop::collection::vec((0_u8..20, any::<Option<u8>>()), 0..60)) {
            let (mut ours, mut theirs) = (Map::new(), BTreeMap::new());
            for (key, value) in steps {
                if let Some(value) = value {
                    prop_assert_eq!(ours.insert(key, value), theirs.insert(key, value));
                } else {
                    prop_assert_eq!(ours.remove(&key), theirs.remove(&key));
                }
                prop_assert_eq!(ours.get(&key), theirs.get(&key));
                prop_assert_eq!(ours.contains_key(&key), theirs.contains_key(&key));
            }
            prop_assert!(ours.iter().eq(theirs.iter()));
        }

        #[test]
        fn it_is_written_and_read_as_the_standard_librarys_map_and_set_are(entries in prop::collection::vec((".{0,4}", any::<u8>()), 0..20)) {
            let theirs: BTreeMap<_, _> = entries.into_iter().collect();
            let ours: Map<_, _> = theirs.clone().into_iter().collect();
            let text = json::to_string(&ours);
            prop_assert_eq!(&*text, &serde_json::to_string(&theirs).unwrap());
            prop_assert_eq!(json::from_str::<Map<String, u8>>(&text).unwrap(), ours);
            let theirs: BTreeSet<_> = theirs.into_keys().collect();
            let mut ours: Set<_> = theirs.iter().cloned().collect();
            let text = json::to_string(&ours);
            prop_assert_eq!(&*text, &serde_json::to_string(&theirs).unwrap());
            prop_assert_eq!(&json::from_str::<Set<String>>(&text).unwrap(), &ours);
            for value in &theirs {
                prop_assert!(ours.contains(value) && !ours.insert(value.clone()));
                ours.remove(value);
                prop_assert!(!ours.contains(value));
            }
        }
    }
}
