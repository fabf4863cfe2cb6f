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

/// Makes wakers that look, when they are woken and when they are dropped, whether a lock is held:
/// a waker is code of the caller's, which may use the same handles.
#[derive(Clone)]
pub(super) struct Watch(Arc<Look>);

struct Look {
    is_locked: Box<dyn Fn() -> bool + Send + Sync>,
    looks: AtomicUsize,
    locked: AtomicUsize,
}

impl Watch {
    pub(super) fn over(is_locked: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(Look {
            is_locked: Box::new(is_locked),
            looks: AtomicUsize::new(0),
            locked: AtomicUsize::new(0),
        }))
    }

    pub(super) fn waker(&self) -> Waker {
        Waker::from(Arc::new(Looking(Arc::clone(&self.0))))
    }

    /// Polls `future` once, which leaves a waker there that nobody else has.
    pub(super) fn park<F: Future + ?Sized>(&self, future: std::pin::Pin<&mut F>) {
        let waker = self.waker();
        assert!(future.poll(&mut Context::from_waker(&waker)).is_pending());
    }

    /// How often there was a look since the last call, and how often the lock was held then.
    pub(super) fn seen(&self) -> (usize, usize) {
        let take = |it: &AtomicUsize| it.swap(0, Ordering::SeqCst);
        (take(&self.0.looks), take(&self.0.locked))
    }
}

struct Looking(Arc<Look>);

impl Looking {
    fn look(&self) {
        self.0.looks.fetch_add(1, Ordering::SeqCst);
        let locked = usize::from((self.0.is_locked)());
        self.0.locked.fetch_add(locked, Ordering::SeqCst);
    }
}

impl Wake for Looking {
    fn wake(self: Arc<Self>) {
        self.look();
    }
}

impl Drop for Looking {
    fn drop(&mut self) {
        self.look();
    }
}
