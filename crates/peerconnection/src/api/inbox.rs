//! What handles tell the driver.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use pc_net::{Claim, TlsOptions};
use pc_proto::FiveTuple;
use tokio::sync::Notify;

use super::shared::Shared;
use crate::Error;

/// Names a connection within its endpoint; never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Key(u64);

pub(crate) enum Command {
    /// Drive this connection from now on; whose certificates it believes of servers.
    Attach(Arc<Shared>, Box<TlsOptions>),
    /// Look at this connection: it may have something to do.
    Wake(Key),
    /// Datagrams of this path belong to this connection.
    Learn(Key, FiveTuple, Claim),
    /// They do no longer.
    Unlearn(Key, FiveTuple),
    /// The network has changed, as a test has it: addresses have gone and come.
    #[cfg(test)]
    Network([Vec<std::net::IpAddr>; 2]),
}

#[derive(Default)]
struct Mail {
    commands: Vec<Command>,
    /// The driver has ended: nobody will read them.
    closed: bool,
}

/// Commands for the driver, and the driver's alarm clock.
#[derive(Default)]
pub(crate) struct Inbox {
    mail: Mutex<Mail>,
    alarm: Notify,
    next_key: AtomicU64,
}

impl Inbox {
    pub(crate) fn new_key(&self) -> Key {
        Key(self.next_key.fetch_add(1, Ordering::Relaxed))
    }

    /// # Errors
    ///
    /// `InvalidStateError`: the driver has ended, with its runtime.
    pub(crate) fn attach(&self, shared: Arc<Shared>, tls: TlsOptions) -> Result<(), Error> {
        if self.push(Command::Attach(shared, Box::new(tls))) {
            Ok(())
        } else {
            Err(Error::InvalidState(
                "the endpoint's runtime has ended".into(),
            ))
        }
    }

    pub(crate) fn wake(&self, key: Key) {
        self.push(Command::Wake(key));
    }

    pub(crate) fn learn(&self, key: Key, tuple: FiveTuple, claim: Claim) {
        self.push(Command::Learn(key, tuple, claim));
    }

    pub(crate) fn unlearn(&self, key: Key, tuple: FiveTuple) {
        self.push(Command::Unlearn(key, tuple));
    }

    #[cfg(test)]
    pub(crate) fn change_network(&self, gone: Vec<std::net::IpAddr>, come: Vec<std::net::IpAddr>) {
        self.push(Command::Network([gone, come]));
    }

    fn push(&self, command: Command) -> bool {
        let mut mail = self.lock();
        if mail.closed {
            return false;
        }
        mail.commands.push(command);
        drop(mail);
        self.ring();
        true
    }

    fn lock(&self) -> MutexGuard<'_, Mail> {
        self.mail.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes the driver without a command: the endpoint's last handle is gone.
    pub(crate) fn ring(&self) {
        self.alarm.notify_one();
    }

    /// Moves all commands into `commands`, which is empty.
    pub(crate) fn take(&self, commands: &mut Vec<Command>) {
        std::mem::swap(commands, &mut self.lock().commands);
    }

    /// Takes the last commands: the driver ends.
    pub(crate) fn close(&self) -> Vec<Command> {
        let mut mail = self.lock();
        mail.closed = true;
        std::mem::take(&mut mail.commands)
    }

    pub(crate) async fn rung(&self) {
        self.alarm.notified().await;
    }
}
