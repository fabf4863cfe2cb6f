//! What handles tell the driver.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use pc_proto::FiveTuple;
use tokio::sync::Notify;

use super::shared::Shared;

/// Names a connection within its endpoint; never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Key(u64);

pub(crate) enum Command {
    /// Drive this connection from now on.
    Attach(Arc<Shared>),
    /// Look at this connection: it may have something to do.
    Wake(Key),
    /// Datagrams of this path belong to this connection.
    Learn(Key, FiveTuple),
    /// They do no longer.
    Unlearn(Key, FiveTuple),
}

/// Commands for the driver, and the driver's alarm clock.
#[derive(Default)]
pub(crate) struct Inbox {
    commands: Mutex<Vec<Command>>,
    alarm: Notify,
    next_key: AtomicU64,
}

impl Inbox {
    pub(crate) fn new_key(&self) -> Key {
        Key(self.next_key.fetch_add(1, Ordering::Relaxed))
    }

    pub(crate) fn attach(&self, shared: Arc<Shared>) {
        self.push(Command::Attach(shared));
    }

    pub(crate) fn wake(&self, key: Key) {
        self.push(Command::Wake(key));
    }

    pub(crate) fn learn(&self, key: Key, tuple: FiveTuple) {
        self.push(Command::Learn(key, tuple));
    }

    pub(crate) fn unlearn(&self, key: Key, tuple: FiveTuple) {
        self.push(Command::Unlearn(key, tuple));
    }

    fn push(&self, command: Command) {
        self.commands
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(command);
        self.ring();
    }

    /// Wakes the driver without a command: the endpoint's last handle is gone.
    pub(crate) fn ring(&self) {
        self.alarm.notify_one();
    }

    /// Moves all commands into `commands`, which is empty.
    pub(crate) fn take(&self, commands: &mut Vec<Command>) {
        std::mem::swap(
            commands,
            &mut self.commands.lock().unwrap_or_else(PoisonError::into_inner),
        );
    }

    pub(crate) async fn rung(&self) {
        self.alarm.notified().await;
    }
}
