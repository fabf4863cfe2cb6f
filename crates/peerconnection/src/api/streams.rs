//! The streams to servers and peers, and those of peers of whom nobody knows whose they are.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use pc_net::{Stream, StreamError};
use pc_proto::{Batch, FiveTuple, Transport};

use super::{
    bells::{Bell, Bells},
    inbox::Key,
};

/// What the last words on a stream may take.
const FAREWELL: Duration = Duration::from_secs(2);

/// How long a peer that has connected may take to prove who it is: its checks go on for that long
/// before the answer has come that they wait for (RFC 8863 §4).
const PROBATION: Duration = Duration::from_secs(40);

/// How long one that has said nothing may take to name the connection that it is for.
const SILENCE: Duration = Duration::from_secs(10);

/// Streams that have said nothing yet; one more takes the place of the oldest.
const MAX_SILENT: usize = 256;

/// Streams of one connection, when another one is opened by a peer.
const MAX_OF_ONE: usize = 64;

/// The streams of a driver's connections. Only those that something has happened to are looked at,
/// however many there are.
#[derive(Default)]
pub(super) struct Streams {
    open: HashMap<StreamId, Open>,
    by_path: HashMap<FiveTuple, StreamId>,
    by_key: HashMap<Key, Vec<StreamId>>,
    /// Those that have said nothing, oldest first; some may have spoken since, or have ended.
    silent: VecDeque<StreamId>,
    next: u64,
    bells: Bells<StreamId>,
}

/// Names a stream of this driver; never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct StreamId(u64);

pub(super) struct Open {
    pub(super) stream: Stream,
    pub(super) owner: Owner,
    path: FiveTuple,
    bell: Arc<Bell<StreamId>>,
}

/// Whose a stream is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Owner {
    /// Of this connection, which has asked for it.
    Asked(Key),
    /// Of this connection, whose name a peer has said on it.
    Named(Key, Instant),
    /// A peer has opened it, and has said nothing.
    Unknown(Instant),
}

impl Owner {
    pub(super) fn key(self) -> Option<Key> {
        match self {
            Self::Asked(key) | Self::Named(key, _) => Some(key),
            Self::Unknown(_) => None,
        }
    }
}

impl Open {
    pub(super) fn path(&self) -> FiveTuple {
        self.path
    }

    fn poll(&mut self) -> Poll<Result<(), StreamError>> {
        let waker = self.bell.waker();
        let cx = &mut Context::from_waker(&waker);
        if self.stream.queued() > 0
            && let Poll::Ready(Err(error)) = self.stream.poll_flush(cx)
        {
            return Poll::Ready(Err(error));
        }
        self.stream.poll_recv(cx)
    }
}

impl Streams {
    /// Takes a stream in that a connection has asked for; its path.
    pub(super) fn add(&mut self, key: Key, stream: Stream) -> FiveTuple {
        self.insert(Owner::Asked(key), stream).1
    }

    /// Takes a stream in that a peer has opened.
    pub(super) fn accept(&mut self, now: Instant, stream: Stream) {
        let (id, _) = self.insert(Owner::Unknown(now), stream);
        self.silent.push_back(id);
        if self.silent.len() > MAX_SILENT
            && let Some(oldest) = self.silent.pop_front()
        {
            self.end_silent(oldest);
        }
    }

    fn insert(&mut self, owner: Owner, stream: Stream) -> (StreamId, FiveTuple) {
        let id = StreamId(self.next);
        self.next += 1;
        let path = FiveTuple {
            transport: Transport::Tcp,
            local: stream.local_addr(),
            remote: stream.remote_addr(),
        };
        let open = Open {
            stream,
            owner,
            path,
            bell: self.bells.rung(id),
        };
        self.open.insert(id, open);
        self.by_path.insert(path, id);
        if let Some(key) = owner.key() {
            self.by_key.entry(key).or_default().push(id);
        }
        (id, path)
    }

    /// A peer has named a connection on a stream of its own; whether there is room for it.
    pub(super) fn name(&mut self, id: StreamId, key: Key, now: Instant) -> bool {
        let Some(open) = self.open.get_mut(&id) else {
            return false;
        };
        let own = self.by_key.entry(key).or_default();
        if own.len() >= MAX_OF_ONE {
            return false;
        }
        open.owner = Owner::Named(key, now);
        own.push(id);
        self.silent.retain(|silent| *silent != id);
        true
    }

    pub(super) fn get_mut(&mut self, id: StreamId) -> Option<&mut Open> {
        self.open.get_mut(&id)
    }

    /// Queues a batch; what does not fit is lost, as on a network.
    pub(super) fn send(&mut self, route: FiveTuple, batch: &Batch) {
        let id = self.by_path.get(&route);
        if let Some(open) = id.and_then(|id| self.open.get_mut(id)) {
            open.stream.send(batch);
            open.bell.ring();
        }
    }

    /// The next stream that has datagrams, or has ended. Writes what is queued meanwhile.
    pub(super) fn poll(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<(StreamId, Result<(), StreamError>)> {
        loop {
            let Poll::Ready(id) = self.bells.poll(cx) else {
                return Poll::Pending;
            };
            let Some(open) = self.open.get_mut(&id) else {
                continue;
            };
            if let Poll::Ready(result) = open.poll() {
                // There may be more.
                open.bell.ring();
                return Poll::Ready((id, result));
            }
        }
    }

    /// Lets go of one that has ended.
    pub(super) fn remove(&mut self, id: StreamId) -> Option<Open> {
        let open = self.open.remove(&id)?;
        if self.by_path.get(&open.path) == Some(&id) {
            self.by_path.remove(&open.path);
        }
        if let Some(key) = open.owner.key()
            && let Some(own) = self.by_key.get_mut(&key)
        {
            own.retain(|other| *other != id);
            if own.is_empty() {
                self.by_key.remove(&key);
            }
        }
        Some(open)
    }

    /// Closes those of a connection that it has no use for, after what they still have to say. One that
    /// a peer has opened is given time.
    pub(super) fn close(&mut self, key: Key, now: Instant, is_needed: impl Fn(FiveTuple) -> bool) {
        let gone = |open: &Open| {
            let is_on_probation =
                matches!(open.owner, Owner::Named(_, since) if since + PROBATION > now);
            !is_on_probation && !is_needed(open.path)
        };
        self.end_where(key, gone);
    }

    /// Closes all of a connection's.
    pub(super) fn close_all(&mut self, key: Key) {
        self.end_where(key, |_| true);
    }

    fn end_where(&mut self, key: Key, gone: impl Fn(&Open) -> bool) {
        let Some(own) = self.by_key.get(&key) else {
            return;
        };
        let is_gone = |id: &&StreamId| self.open.get(id).is_some_and(&gone);
        let ended: Vec<_> = own.iter().filter(is_gone).copied().collect();
        for id in ended {
            if let Some(open) = self.remove(id) {
                tokio::spawn(async move {
                    let _ = tokio::time::timeout(FAREWELL, open.stream.close()).await;
                });
            }
        }
    }

    /// Ends those that have said nothing for too long.
    pub(super) fn end_silence(&mut self, now: Instant) {
        while let Some(until) = self.silence_ends()
            && until <= now
            && let Some(id) = self.silent.pop_front()
        {
            self.end_silent(id);
        }
    }

    /// When the next of them is to be ended.
    pub(super) fn silence_ends(&mut self) -> Option<Instant> {
        while let Some(id) = self.silent.front() {
            match self.open.get(id).map(|open| open.owner) {
                Some(Owner::Unknown(since)) => return Some(since + SILENCE),
                _ => self.silent.pop_front(),
            };
        }
        None
    }

    fn end_silent(&mut self, id: StreamId) {
        let owner = self.open.get(&id).map(|open| open.owner);
        if matches!(owner, Some(Owner::Unknown(_))) {
            self.remove(id);
        }
    }
}

#[cfg(test)]
mod tests;
