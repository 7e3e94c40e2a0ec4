//! One request for all callers that ask the same at the same time.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::backend::CHECK_INTERVAL;

/// The requests in flight.
#[derive(Debug)]
pub(super) struct Flights<K, V> {
    running: Mutex<HashMap<K, Arc<Flight<V>>>>,
}

#[derive(Debug)]
struct Flight<V> {
    state: Mutex<State<V>>,
    landed: Condvar,
}

#[derive(Debug)]
struct State<V> {
    answer: Option<V>,
    /// How many callers wait besides the one that sends the request.
    followers: usize,
}

impl<K, V> Default for Flights<K, V> {
    fn default() -> Self {
        Self { running: Mutex::default() }
    }
}

impl<K: Clone + Eq + Hash, V: Clone> Flights<K, V> {
    /// Returns the result of `ask`, or the result of the same request already in flight. `is_wanted` says whether the
    /// caller still waits.
    ///
    /// `ask` gets a function that says whether any caller still waits. It must end by itself; if it panics, the waiting
    /// callers get `lost`, and so does a caller that stops waiting.
    pub(super) fn join(
        &self,
        key: &K,
        lost: V,
        is_wanted: &dyn Fn() -> bool,
        ask: impl FnOnce(&dyn Fn() -> bool) -> V,
    ) -> V {
        let flight = {
            let mut running = lock(&self.running);
            if let Some(flight) = running.get(key) {
                let flight = Arc::clone(flight);
                lock(&flight.state).followers += 1;
                drop(running);
                return flight.wait(is_wanted).unwrap_or(lost);
            }
            let state = Mutex::new(State { answer: None, followers: 0 });
            let flight = Arc::new(Flight { state, landed: Condvar::new() });
            running.insert(key.clone(), Arc::clone(&flight));
            flight
        };
        let mut landing = Landing { flights: self, key, flight: &flight, answer: lost };
        let answer = ask(&|| is_wanted() || !self.abandon(key, &flight));
        landing.answer = answer.clone();
        answer
    }

    /// Removes a flight that no caller waits for: the next caller starts a new one.
    fn abandon(&self, key: &K, flight: &Arc<Flight<V>>) -> bool {
        let mut running = lock(&self.running);
        if lock(&flight.state).followers > 0 {
            return false;
        }
        if running.get(key).is_some_and(|known| Arc::ptr_eq(known, flight)) {
            running.remove(key);
        }
        true
    }
}

impl<V: Clone> Flight<V> {
    /// The result, or `None` if the caller stops waiting first.
    fn wait(&self, is_wanted: &dyn Fn() -> bool) -> Option<V> {
        let mut state = lock(&self.state);
        loop {
            if let Some(answer) = &state.answer {
                return Some(answer.clone());
            }
            let waited = self.landed.wait_timeout(state, CHECK_INTERVAL);
            let (woken, waited) = waited.unwrap_or_else(PoisonError::into_inner);
            state = woken;
            if waited.timed_out() && !is_wanted() {
                state.followers -= 1;
                return None;
            }
        }
    }
}

/// Wakes the waiting callers when the request ends, even by a panic.
struct Landing<'a, K: Eq + Hash, V: Clone> {
    flights: &'a Flights<K, V>,
    key: &'a K,
    flight: &'a Arc<Flight<V>>,
    answer: V,
}

impl<K: Eq + Hash, V: Clone> Drop for Landing<'_, K, V> {
    fn drop(&mut self) {
        let mut running = lock(&self.flights.running);
        if running.get(self.key).is_some_and(|flight| Arc::ptr_eq(flight, self.flight)) {
            running.remove(self.key);
        }
        drop(running);
        lock(&self.flight.state).answer = Some(self.answer.clone());
        self.flight.landed.notify_all();
    }
}

/// A poisoned lock guards consistent data: nothing here panics half-way through a change.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
    use std::thread;

    use super::*;

    const STAYS: &dyn Fn() -> bool = &|| true;

    #[test]
    fn a_hundred_equal_requests_at_once_cause_one() {
        let flights = Flights::<&str, u32>::default();
        let asked = AtomicU32::new(0);
        let start = Barrier::new(100);
        let ask = |_: &dyn Fn() -> bool| {
            // Ends only when every other caller has joined.
            while Arc::strong_count(&lock(&flights.running)["role"]) < 101 {
                thread::yield_now();
            }
            asked.fetch_add(1, Ordering::SeqCst);
            7
        };
        let answers: Vec<u32> = thread::scope(|scope| {
            let join = || {
                start.wait();
                flights.join(&"role", 0, STAYS, ask)
            };
            let askers: Vec<_> = (0..100).map(|_| scope.spawn(join)).collect();
            askers.into_iter().map(|asker| asker.join().unwrap()).collect()
        });
        assert_eq!(answers, vec![7; 100]);
        assert_eq!(asked.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn callers_that_wait_for_a_request_that_panicked_get_an_error() {
        let flights = Flights::<&str, &str>::default();
        thread::scope(|scope| {
            let (started, start) = std::sync::mpsc::channel();
            let flights = &flights;
            let leader = scope.spawn(move || {
                flights.join(&"role", "lost", STAYS, |_| {
                    started.send(()).unwrap();
                    while lock(&lock(&flights.running)["role"].state).followers == 0 {
                        thread::yield_now();
                    }
                    panic!("the crash this test is about")
                })
            });
            start.recv().unwrap();
            assert_eq!(flights.join(&"role", "own", STAYS, |_| "never asked"), "lost");
            assert!(leader.join().is_err());
        });
        assert_eq!(flights.join(&"role", "lost", STAYS, |_| "asked again"), "asked again");
    }

    #[test]
    fn a_request_is_wanted_until_its_last_caller_has_gone() {
        let flights = Flights::<&str, &str>::default();
        let (started, start) = std::sync::mpsc::channel();
        let [leader_stays, follower_stays] = [true, true].map(AtomicBool::new);
        let wants = |stays: &AtomicBool| stays.load(Ordering::SeqCst);
        thread::scope(|scope| {
            let (flights, leader_stays, follower_stays) = (&flights, &leader_stays, &follower_stays);
            let leader = scope.spawn(move || {
                flights.join(&"role", "lost", &|| wants(leader_stays), |is_wanted| {
                    started.send(()).unwrap();
                    while is_wanted() {
                        thread::yield_now();
                    }
                    "given up"
                })
            });
            start.recv().unwrap();
            let follower = scope
                .spawn(move || flights.join(&"role", "gone", &|| wants(follower_stays), |_| "never asked"));
            while lock(&lock(&flights.running)["role"].state).followers == 0 {
                thread::yield_now();
            }
            leader_stays.store(false, Ordering::SeqCst);
            let flight = Arc::clone(&lock(&flights.running)["role"]);
            assert!(!flights.abandon(&"role", &flight));
            follower_stays.store(false, Ordering::SeqCst);
            assert_eq!(follower.join().unwrap(), "gone");
            assert_eq!(leader.join().unwrap(), "given up");
        });
        assert_eq!(flights.join(&"role", "lost", STAYS, |_| "asked again"), "asked again");
    }
}
