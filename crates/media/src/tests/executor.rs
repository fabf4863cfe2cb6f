//! Just enough of an executor: one future on one thread, and wakers that can be counted.

use std::{
    future::Future,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
    thread::{self, Thread},
};

/// Runs `future` to its end, and lets the thread sleep while it waits.
pub(super) fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

/// How often a waker was woken.
#[derive(Default)]
pub(super) struct Count(AtomicUsize);

impl Count {
    pub(super) fn waker() -> (Arc<Self>, Waker) {
        let count = Arc::new(Self::default());
        (Arc::clone(&count), Waker::from(count))
    }

    pub(super) fn get(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// A waker that runs `action` when it is woken and again when it is dropped: code that does what
/// it must not find a lock held for.
pub(super) fn meddling(action: impl Fn() + Send + Sync + 'static) -> Waker {
    struct Meddler<F: Fn()>(F);
    impl<F: Fn() + Send + Sync> Wake for Meddler<F> {
        fn wake(self: Arc<Self>) {
            (self.0)();
        }
    }
    impl<F: Fn()> Drop for Meddler<F> {
        fn drop(&mut self) {
            (self.0)();
        }
    }
    Waker::from(Arc::new(Meddler(action)))
}
