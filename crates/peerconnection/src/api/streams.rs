//! The streams to servers.

use std::{
    task::{Context, Poll},
    time::Duration,
};

use pc_net::{Stream, StreamError};
use pc_proto::{Batch, FiveTuple, Transport};

use super::inbox::Key;

/// What the last words on a stream may take.
const FAREWELL: Duration = Duration::from_secs(2);

/// The streams of a driver's connections.
#[derive(Default)]
pub(super) struct Streams(Vec<Open>);

pub(super) struct Open {
    pub(super) key: Key,
    pub(super) stream: Stream,
}

impl Open {
    pub(super) fn path(&self) -> FiveTuple {
        FiveTuple {
            transport: Transport::Tcp,
            local: self.stream.local_addr(),
            remote: self.stream.remote_addr(),
        }
    }
}

impl Streams {
    /// Takes a stream in; its path.
    pub(super) fn add(&mut self, key: Key, stream: Stream) -> FiveTuple {
        let open = Open { key, stream };
        let path = open.path();
        self.0.push(open);
        path
    }

    pub(super) fn get_mut(&mut self, index: usize) -> Option<&mut Open> {
        self.0.get_mut(index)
    }

    /// Queues a batch; what does not fit is lost, as on a network.
    pub(super) fn send(&mut self, route: FiveTuple, batch: &Batch) {
        if let Some(open) = self.0.iter_mut().find(|open| open.path() == route) {
            open.stream.send(batch);
        }
    }

    /// The next stream that has datagrams, or has ended. Writes what is queued meanwhile.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<(usize, Result<(), StreamError>)> {
        for (index, open) in self.0.iter_mut().enumerate() {
            if open.stream.queued() > 0
                && let Poll::Ready(Err(error)) = open.stream.poll_flush(cx)
            {
                return Poll::Ready((index, Err(error)));
            }
            if let Poll::Ready(result) = open.stream.poll_recv(cx) {
                return Poll::Ready((index, result));
            }
        }
        Poll::Pending
    }

    /// Lets go of one that has ended.
    pub(super) fn remove(&mut self, index: usize) -> Option<Open> {
        (index < self.0.len()).then(|| self.0.remove(index))
    }

    /// Closes those of a connection that it has no use for, after what they still have to say.
    pub(super) fn close(&mut self, key: Key, is_needed: impl Fn(FiveTuple) -> bool) {
        let gone = |open: &mut Open| open.key == key && !is_needed(open.path());
        for open in self.0.extract_if(.., gone) {
            tokio::spawn(async move {
                let _ = tokio::time::timeout(FAREWELL, open.stream.close()).await;
            });
        }
    }
}
