//! One answer for everybody who asks the same at the same time.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// The questions under way.
#[derive(Debug)]
pub(super) struct Flights<K, V> {
    running: Mutex<HashMap<K, Arc<Flight<V>>>>,
}

#[derive(Debug)]
struct Flight<V> {
    answer: Mutex<Option<V>>,
    landed: Condvar,
}

impl<K, V> Default for Flights<K, V> {
    fn default() -> Self {
        Self { running: Mutex::default() }
    }
}

impl<K: Clone + Eq + Hash, V: Clone> Flights<K, V> {
    /// Answers with `ask` if nobody else is asking this, and with the other's answer otherwise.
    ///
    /// Everybody waits as long as `ask` takes: it must end by itself. Should it panic, the others get `lost`.
    pub(super) fn join(&self, key: &K, lost: V, ask: impl FnOnce() -> V) -> V {
        let flight = {
            let mut running = lock(&self.running);
            if let Some(flight) = running.get(key) {
                let flight = Arc::clone(flight);
                drop(running);
                return flight.wait();
            }
            let flight = Arc::new(Flight { answer: Mutex::new(None), landed: Condvar::new() });
            running.insert(key.clone(), Arc::clone(&flight));
            flight
        };
        let mut landing = Landing { flights: self, key, flight: &flight, answer: lost };
        let answer = ask();
        landing.answer = answer.clone();
        answer
    }
}

impl<V: Clone> Flight<V> {
    fn wait(&self) -> V {
        let mut answer = lock(&self.answer);
        loop {
            if let Some(answer) = &*answer {
                return answer.clone();
            }
            answer = self.landed.wait(answer).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// Tells the waiting when the question is answered, however that ends.
struct Landing<'a, K: Eq + Hash, V: Clone> {
    flights: &'a Flights<K, V>,
    key: &'a K,
    flight: &'a Flight<V>,
    answer: V,
}

impl<K: Eq + Hash, V: Clone> Drop for Landing<'_, K, V> {
    fn drop(&mut self) {
        lock(&self.flights.running).remove(self.key);
        *lock(&self.flight.answer) = Some(self.answer.clone());
        self.flight.landed.notify_all();
    }
}

/// A poisoned lock guards data that is whole: nothing here panics half-way through a change.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::thread;

    use super::*;

    #[test]
    fn a_hundred_who_ask_the_same_at_once_cause_one_question() {
        let flights = Flights::<&str, u32>::default();
        let asked = AtomicU32::new(0);
        let start = Barrier::new(100);
        let ask = || {
            // Lands only when everybody else has had the chance to come aboard.
            while Arc::strong_count(&lock(&flights.running)["role"]) < 101 {
                thread::yield_now();
            }
            asked.fetch_add(1, Ordering::SeqCst);
            7
        };
        let answers: Vec<u32> = thread::scope(|scope| {
            let join = || {
                start.wait();
                flights.join(&"role", 0, ask)
            };
            let askers: Vec<_> = (0..100).map(|_| scope.spawn(join)).collect();
            askers.into_iter().map(|asker| asker.join().unwrap()).collect()
        });
        assert_eq!(answers, vec![7; 100]);
        assert_eq!(asked.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn those_who_wait_for_one_that_crashed_are_told() {
        let flights = Flights::<&str, &str>::default();
        thread::scope(|scope| {
            let (started, start) = std::sync::mpsc::channel();
            let flights = &flights;
            let leader = scope.spawn(move || {
                flights.join(&"role", "lost", || {
                    started.send(()).unwrap();
                    while Arc::strong_count(&lock(&flights.running)["role"]) < 3 {
                        thread::yield_now();
                    }
                    panic!("the crash this test is about")
                })
            });
            start.recv().unwrap();
            assert_eq!(flights.join(&"role", "own", || "never asked"), "lost");
            assert!(leader.join().is_err());
        });
        assert_eq!(flights.join(&"role", "lost", || "asked again"), "asked again");
    }
}
