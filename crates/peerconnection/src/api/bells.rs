//! Which of many sockets or streams have something to be looked at for: only those are looked at, however
//! many there are.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

/// The queue of those whose bells have been rung. `I` names one.
pub(super) struct Bells<I> {
    queue: Arc<Mutex<Queue<I>>>,
}

struct Queue<I> {
    rung: VecDeque<Arc<Bell<I>>>,
    /// Of the driver, while it waits.
    driver: Option<Waker>,
}

/// Puts its owner into the queue, once.
pub(super) struct Bell<I> {
    id: I,
    is_queued: AtomicBool,
    /// Which holds the bells that have been rung.
    queue: Weak<Mutex<Queue<I>>>,
}

impl<I: Copy + Send + Sync + 'static> Bells<I> {
    /// A bell that has been rung: the first look registers with the runtime.
    pub(super) fn rung(&self, id: I) -> Arc<Bell<I>> {
        let bell = Arc::new(Bell {
            id,
            is_queued: AtomicBool::new(false),
            queue: Arc::downgrade(&self.queue),
        });
        bell.ring();
        bell
    }

    /// The next one that has been rung. From now on its bell can be rung again.
    pub(super) fn poll(&self, cx: &mut Context<'_>) -> Poll<I> {
        let mut queue = lock(&self.queue);
        let Some(bell) = queue.rung.pop_front() else {
            queue.driver = Some(cx.waker().clone());
            return Poll::Pending;
        };
        bell.is_queued.store(false, Ordering::Release);
        Poll::Ready(bell.id)
    }
}

#[cfg(test)]
impl<I: Copy> Bells<I> {
    /// Those that are to be looked at.
    pub(super) fn queued(&self) -> Vec<I> {
        lock(&self.queue).rung.iter().map(|bell| bell.id).collect()
    }
}

impl<I> Default for Bells<I> {
    fn default() -> Self {
        let queue = Queue {
            rung: VecDeque::new(),
            driver: None,
        };
        Self {
            queue: Arc::new(Mutex::new(queue)),
        }
    }
}

impl<I: Send + Sync + 'static> Bell<I> {
    pub(super) fn ring(self: &Arc<Self>) {
        if self.is_queued.swap(true, Ordering::AcqRel) {
            return;
        }
        let Some(queue) = self.queue.upgrade() else {
            return;
        };
        let mut queue = lock(&queue);
        queue.rung.push_back(self.clone());
        if let Some(driver) = queue.driver.take() {
            drop(queue);
            driver.wake();
        }
    }

    /// Rings this bell when it is woken.
    pub(super) fn waker(self: &Arc<Self>) -> Waker {
        Waker::from(self.clone())
    }
}

impl<I: Send + Sync + 'static> Wake for Bell<I> {
    fn wake(self: Arc<Self>) {
        self.ring();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
