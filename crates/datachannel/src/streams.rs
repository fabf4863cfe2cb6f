//! What the streams of the association are used for.

use std::collections::{BTreeMap, BTreeSet};

use pc_sctp::StreamId;

use crate::ChannelId;

/// Streams, by who has them.
#[derive(Debug, Default)]
pub(crate) struct Streams {
    channels: BTreeMap<StreamId, ChannelId>,
    /// With something to read and no channel.
    orphans: BTreeSet<StreamId>,
    /// Being reset without a channel.
    refused: BTreeSet<StreamId>,
    /// Those that the peer would not reset: not used again.
    dead: BTreeSet<StreamId>,
    /// No id of our parity below it is free.
    first_free: u16,
}

impl Streams {
    /// Whose it is.
    pub(crate) fn channel(&self, stream: StreamId) -> Option<ChannelId> {
        self.channels.get(&stream).copied()
    }

    /// Whether a channel can have it.
    pub(crate) fn is_free(&self, stream: StreamId) -> bool {
        let taken = self.channels.contains_key(&stream) || self.dead.contains(&stream);
        !taken && !self.refused.contains(&stream)
    }

    /// RFC 8832 §6: the lowest free id of our parity.
    pub(crate) fn lowest_free(&mut self, parity: u16, max: u16) -> Option<StreamId> {
        let mut id = self.first_free & !1 | parity;
        while id <= max {
            if self.is_free(StreamId(id)) && !self.orphans.contains(&StreamId(id)) {
                self.first_free = id;
                return Some(StreamId(id));
            }
            id = id.checked_add(2)?;
        }
        None
    }

    /// A channel has it from now on. Whether there is something to read on it already.
    pub(crate) fn assign(&mut self, stream: StreamId, id: ChannelId) -> bool {
        self.channels.insert(stream, id);
        self.orphans.remove(&stream)
    }

    /// The channel that had it is closed.
    pub(crate) fn release(&mut self, stream: StreamId) {
        self.channels.remove(&stream);
        self.first_free = self.first_free.min(stream.0);
    }

    /// There is something to read on it, and nobody there to do so yet.
    pub(crate) fn keep_for_later(&mut self, stream: StreamId) {
        if !self.refused.contains(&stream) {
            self.orphans.insert(stream);
        }
    }

    /// Those that wait for a channel.
    pub(crate) fn orphans(&self) -> impl ExactSizeIterator<Item = StreamId> {
        self.orphans.iter().copied()
    }

    /// No channel can be made of it. Whether that is new.
    pub(crate) fn refuse(&mut self, stream: StreamId) -> bool {
        self.orphans.remove(&stream);
        self.refused.insert(stream)
    }

    /// Both of its sides are reset. Whether there was something to read that nobody has.
    pub(crate) fn reset(&mut self, stream: StreamId) -> bool {
        self.refused.remove(&stream);
        self.orphans.remove(&stream)
    }

    /// The peer does not reset it.
    pub(crate) fn give_up(&mut self, stream: StreamId) {
        self.dead.insert(stream);
    }
}
