//! What has happened on channels and has not been taken by their handles yet.

use std::{
    collections::{BTreeSet, HashMap, VecDeque},
    sync::Arc,
};

use pc_datachannel::ChannelId;
use tokio::sync::Notify;

use super::{DataChannelEvent, Message};
use crate::{clock, engine};

/// A slot for each channel that has a handle.
#[derive(Default)]
pub(crate) struct Slots {
    slots: HashMap<ChannelId, Slot>,
    /// Channels whose senders wait for room.
    wait_for_room: BTreeSet<ChannelId>,
}

/// A channel's events that its handles have not taken yet. Messages are not among them: they stay
/// in the engine until they are read, so that a slow reader closes the peer's window.
#[derive(Default)]
struct Slot {
    /// Before the messages: open and buffered amount low.
    early: VecDeque<DataChannelEvent>,
    /// After the last message: error, closing, close.
    late: VecDeque<DataChannelEvent>,
    changed: Arc<Notify>,
}

/// What [`Slots::next`] found.
pub(crate) enum Next {
    Event(DataChannelEvent),
    /// A message was read: the peer's window opens, which the driver must tell it.
    Message(Message),
    Nothing,
    /// The close event has been taken, or the connection is closed: nothing more will come.
    Ended,
}

impl Slots {
    /// Makes a slot; what is returned tells of changes.
    pub(super) fn add(&mut self, id: ChannelId) -> Arc<Notify> {
        let slot = Slot::default();
        let changed = slot.changed.clone();
        self.slots.insert(id, slot);
        changed
    }

    /// The channel's last handle is gone.
    pub(super) fn remove(&mut self, id: ChannelId) {
        self.slots.remove(&id);
    }

    /// The connection is closed: no event tells of it, but whoever waits is to know.
    pub(super) fn end(&mut self) {
        for (_, slot) in self.slots.drain() {
            slot.changed.notify_waiters();
        }
    }

    /// What happens to a channel waits with it.
    pub(super) fn take(&mut self, event: engine::Event) {
        use engine::Event as E;
        match event {
            E::ChannelReadable(id) => self.notify(id),
            E::ChannelOpen(id) => self.early(id, DataChannelEvent::Open),
            E::ChannelBufferedAmountLow(id) => self.early(id, DataChannelEvent::BufferedAmountLow),
            E::ChannelError(id, error) => self.late(id, DataChannelEvent::Error(*error)),
            E::ChannelClosing(id) => self.late(id, DataChannelEvent::Closing),
            E::ChannelClosed(id) => self.late(id, DataChannelEvent::Close),
            _ => {}
        }
    }

    pub(super) fn notify(&self, id: ChannelId) {
        if let Some(slot) = self.slots.get(&id) {
            slot.changed.notify_waiters();
        }
    }

    fn early(&mut self, id: ChannelId, event: DataChannelEvent) {
        if let Some(slot) = self.slots.get_mut(&id) {
            // A second "low" says no more than one that has not been taken yet; a sender may never
            // take any.
            if slot.early.back() != Some(&event) {
                slot.early.push_back(event);
            }
            slot.changed.notify_waiters();
        }
    }

    fn late(&mut self, id: ChannelId, event: DataChannelEvent) {
        if let Some(slot) = self.slots.get_mut(&id) {
            slot.late.push_back(event);
            slot.changed.notify_waiters();
        }
    }

    /// A sender is to be woken when this channel has room.
    pub(super) fn wait_for_room(&mut self, id: ChannelId) {
        self.wait_for_room.insert(id);
    }

    pub(super) fn wake_senders_with_room(&mut self, engine: &engine::Connection) {
        let slots = &self.slots;
        self.wait_for_room.retain(|id| {
            let Some(slot) = slots.get(id) else {
                return false;
            };
            let has_room = engine.has_room(*id);
            if has_room {
                slot.changed.notify_waiters();
            }
            !has_room
        });
    }

    /// The next thing that happened on a channel, if anything has.
    pub(super) fn next(&mut self, engine: &mut engine::Connection, id: ChannelId) -> Next {
        let Some(slot) = self.slots.get_mut(&id) else {
            return Next::Ended;
        };
        if let Some(event) = slot.early.pop_front() {
            return Next::Event(event);
        }
        if let Some(message) = engine.recv_message(clock::now(), id) {
            return Next::Message(message);
        }
        match slot.late.pop_front() {
            Some(event) => {
                if event == DataChannelEvent::Close {
                    slot.late.clear();
                    self.slots.remove(&id);
                }
                Next::Event(event)
            }
            None => Next::Nothing,
        }
    }
}
