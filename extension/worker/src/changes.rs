//! Tells that something changed which pages show. Whoever changes something knows this and nothing of pages.

use std::cell::RefCell;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};

/// A flag that is raised by many and waited for by one.
#[derive(Clone, Default)]
pub(crate) struct Changes(Rc<RefCell<Flag>>);

#[derive(Default)]
struct Flag {
    raised: bool,
    waker: Option<Waker>,
}

impl Changes {
    /// Something changed.
    pub(crate) fn notify(&self) {
        let mut flag = self.0.borrow_mut();
        flag.raised = true;
        let waker = flag.waker.take();
        drop(flag);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Waits for the next change. Several at once are one.
    pub(crate) async fn next(&self) {
        poll_fn(|context| {
            let mut flag = self.0.borrow_mut();
            if std::mem::take(&mut flag.raised) {
                return Poll::Ready(());
            }
            flag.waker = Some(context.waker().clone());
            Poll::Pending
        })
        .await;
    }
}
