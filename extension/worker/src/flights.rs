//! Work that several parties want at once and that is done once.
//!
//! The work lives as long as somebody waits for it: when the last one stops waiting, it is dropped, and everything that it
//! holds (a lock, a window, an entry in a list) goes with it.

use std::cell::RefCell;

use futures_channel::oneshot;
use futures_util::FutureExt as _;
use futures_util::future::{Either, Shared, WeakShared, select};
use rolecall_core::map::Map;

use crate::browser::Task;

/// Work under way by key.
pub(crate) struct Flights<K, T: Clone>(RefCell<Map<K, Flight<T>>>);

struct Flight<T: Clone> {
    result: WeakShared<Task<T>>,
    end: oneshot::Sender<T>,
}

impl<K: Ord, T: Clone> Default for Flights<K, T> {
    fn default() -> Self {
        Self(RefCell::default())
    }
}

impl<K: Ord, T: Clone + 'static> Flights<K, T> {
    /// Waits for the work of this key, which is started unless it is under way.
    pub(crate) fn join(&self, key: K, start: impl FnOnce() -> Task<T>) -> Shared<Task<T>> {
        match self.under_way(&key) {
            Some(result) => result,
            None => self.begin(key, start()),
        }
    }

    /// The same, where the work may turn out not to be possible.
    pub(crate) fn try_join(
        &self,
        key: K,
        start: impl FnOnce() -> Option<Task<T>>,
    ) -> Option<Shared<Task<T>>> {
        self.under_way(&key).or_else(|| Some(self.begin(key, start()?)))
    }

    fn under_way(&self, key: &K) -> Option<Shared<Task<T>>> {
        self.0.borrow().get(key).and_then(Flight::result)
    }

    fn begin(&self, key: K, work: Task<T>) -> Shared<Task<T>> {
        let (end, ended) = oneshot::channel();
        let result = async move {
            match select(work, ended).await {
                Either::Left((result, _)) | Either::Right((Ok(result), _)) => result,
                // The table that holds the other end is gone, and with it everybody who could end the work.
                Either::Right((Err(_), work)) => work.await,
            }
        };
        let result = result.boxed_local().shared();
        let mut flights = self.0.borrow_mut();
        flights.retain(|_, flight| flight.result().is_some());
        if let Some(weak) = result.downgrade() {
            flights.insert(key, Flight { result: weak, end });
        }
        result
    }

    /// Ends the work of these keys: whoever waits for it gets `result`. Tells whether there was any.
    pub(crate) fn end(&self, which: impl Fn(&K) -> bool, result: &T) -> bool {
        let ended = self.0.borrow_mut().take_if(|key, _| which(key));
        let mut any = false;
        for (_, flight) in ended {
            any |= flight.result().is_some();
            // Nobody waits for it any more, or it has just been done.
            let _ = flight.end.send(result.clone());
        }
        any
    }
}

impl<T: Clone + 'static> Flight<T> {
    /// The work, if it is under way.
    fn result(&self) -> Option<Shared<Task<T>>> {
        self.result.upgrade().filter(|result| result.peek().is_none())
    }
}

#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))]
mod tests {
    use std::cell::Cell;
    use std::rc::Rc;

    use futures_executor::LocalPool;
    use futures_util::task::LocalSpawnExt as _;

    use super::*;

    /// Sets a flag when it is dropped.
    struct Guard(Rc<Cell<bool>>);

    impl Drop for Guard {
        fn drop(&mut self) {
            self.0.set(true);
        }
    }

    #[test]
    fn several_wait_for_the_same_work_and_all_get_its_result() {
        let flights = Flights::default();
        let (sender, receiver) = oneshot::channel::<u32>();
        let first = flights.join("key", || async { receiver.await.unwrap() }.boxed_local());
        let second = flights.join("key", || panic!("started twice"));
        let mut pool = LocalPool::new();
        pool.spawner().spawn_local(first.clone().map(drop)).unwrap();
        pool.run_until_stalled();
        sender.send(7).unwrap();
        assert_eq!((pool.run_until(first), pool.run_until(second)), (7, 7));
        // What is done is not handed out again.
        let third = flights.join("key", || async { 8 }.boxed_local());
        assert_eq!(pool.run_until(third), 8);
    }

    #[test]
    fn work_ends_with_the_last_one_who_waits_for_it() {
        let flights = Flights::<_, u32>::default();
        let dropped = Rc::new(Cell::new(false));
        let guard = Guard(Rc::clone(&dropped));
        let work = async move {
            let _guard = guard;
            std::future::pending().await
        };
        let first = flights.join("key", || work.boxed_local());
        let second = flights.join("key", || panic!("started twice"));
        let mut pool = LocalPool::new();
        let waiting = pool.spawner().spawn_local_with_handle(first).unwrap();
        pool.run_until_stalled();
        drop(waiting);
        pool.run_until_stalled();
        assert!(!dropped.get(), "somebody still waits");
        drop(second);
        assert!(dropped.get());
    }

    #[test]
    fn work_that_is_ended_gives_everybody_the_same_result() {
        let flights = Flights::default();
        let waiting = flights.join("key", || std::future::pending().boxed_local());
        assert!(!flights.end(|key| *key == "other", &1));
        assert!(flights.end(|key| *key == "key", &2));
        assert_eq!(LocalPool::new().run_until(waiting), 2);
        assert!(!flights.end(|key| *key == "key", &3));
    }
}
