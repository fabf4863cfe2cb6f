//! What a connection's handles and its driver share: the engine behind one short lock.

use std::{
    collections::{HashMap, VecDeque},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use pc_datachannel::ChannelId;
use pc_proto::{Batch, FiveTuple, Protocol};
use tokio::sync::{Notify, mpsc};

use super::{
    DataChannel, DataChannelEvent, Event,
    inbox::{Inbox, Key},
};
use crate::engine;

/// Carries out an operation; what it returns reports the outcome, after the events.
pub(crate) type Step = Box<dyn FnOnce(&mut engine::Connection, Instant) -> Report + Send>;
pub(crate) type Report = Box<dyn FnOnce() + Send>;

pub(crate) struct Shared {
    pub(crate) key: Key,
    inbox: Arc<Inbox>,
    /// Whether the driver has been told to look here and has not yet done so.
    told: AtomicBool,
    inner: Mutex<Inner>,
}

pub(crate) struct Inner {
    pub(crate) engine: engine::Connection,
    pub(crate) operations: VecDeque<Step>,
    slots: HashMap<ChannelId, Slot>,
    events: Option<mpsc::UnboundedSender<Event>>,
}

/// A channel's events that its handles have not taken yet. Messages are not among them: they stay
/// in the engine until they are read, so that a slow reader closes the peer's window.
#[derive(Default)]
pub(crate) struct Slot {
    /// Before the messages: open and buffered amount low.
    early: VecDeque<DataChannelEvent>,
    /// After the last message: error, closing, close.
    late: VecDeque<DataChannelEvent>,
    pub(crate) changed: Arc<Notify>,
    /// A sender waits for room.
    pub(crate) wants_room: bool,
}

impl Shared {
    pub(crate) fn new(
        engine: engine::Connection,
        inbox: Arc<Inbox>,
    ) -> (Arc<Self>, mpsc::UnboundedReceiver<Event>) {
        let (sender, events) = mpsc::unbounded_channel();
        let shared = Self {
            key: inbox.new_key(),
            inbox,
            told: AtomicBool::new(false),
            inner: Mutex::new(Inner {
                engine,
                operations: VecDeque::new(),
                slots: HashMap::new(),
                events: Some(sender),
            }),
        };
        (Arc::new(shared), events)
    }

    /// The lock. A panic of another holder leaves the engine as usable as any other error does.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has the driver look here soon: something may be to be sent or to be said.
    pub(crate) fn wake_driver(&self) {
        if !self.told.swap(true, Ordering::AcqRel) {
            self.inbox.wake(self.key);
        }
    }

    /// The driver is about to look.
    pub(crate) fn being_looked_at(&self) {
        self.told.store(false, Ordering::Release);
    }

    /// Registers a channel and makes its handle.
    pub(crate) fn adopt(self: &Arc<Self>, inner: &mut Inner, id: ChannelId) -> Option<DataChannel> {
        let view = inner.engine.channel(id)?;
        let slot = Slot::default();
        let channel = DataChannel::new(self.clone(), id, &view, slot.changed.clone());
        inner.slots.insert(id, slot);
        Some(channel)
    }

    /// Lets the engine's events out, in their order.
    pub(crate) fn publish(self: &Arc<Self>, inner: &mut Inner) {
        while let Some(event) = inner.engine.poll_event() {
            self.publish_one(inner, event);
        }
        inner.wake_senders_with_room();
    }

    fn publish_one(self: &Arc<Self>, inner: &mut Inner, event: engine::Event) {
        use engine::Event as E;
        let event = match event {
            E::NegotiationNeeded => Event::NegotiationNeeded,
            E::SignalingStateChange(state) => Event::SignalingStateChange(state),
            E::IceGatheringStateChange(state) => Event::IceGatheringStateChange(state),
            E::IceCandidate(candidate) => Event::IceCandidate(candidate.map(|boxed| *boxed)),
            E::IceConnectionStateChange(state) => Event::IceConnectionStateChange(state),
            E::DtlsStateChange(state) => Event::DtlsStateChange(state),
            E::SctpStateChange(state) => Event::SctpStateChange(state),
            E::ConnectionStateChange(state) => Event::ConnectionStateChange(state),
            E::DtlsError(error) => Event::DtlsError(*error),
            E::DataChannel(id) => match self.adopt(inner, id) {
                Some(channel) => Event::DataChannel(channel),
                None => return,
            },
            E::PathAuthenticated(tuple) => return self.inbox.learn(self.key, tuple),
            E::PathForgotten(tuple) => return self.inbox.unlearn(self.key, tuple),
            E::ChannelReadable(id) => return inner.notify(id),
            E::ChannelOpen(id) => return inner.early(id, DataChannelEvent::Open),
            E::ChannelBufferedAmountLow(id) => {
                return inner.early(id, DataChannelEvent::BufferedAmountLow);
            }
            E::ChannelError(id, error) => return inner.late(id, DataChannelEvent::Error(*error)),
            E::ChannelClosing(id) => return inner.late(id, DataChannelEvent::Closing),
            E::ChannelClosed(id) => return inner.late(id, DataChannelEvent::Close),
        };
        inner.emit(event);
    }

    /// Takes the next batch that the engine wants sent.
    pub(crate) fn poll_transmit(
        self: &Arc<Self>,
        now: Instant,
        batch: &mut Batch,
    ) -> Option<FiveTuple> {
        let mut inner = self.lock();
        let mut out = batch.transmit_buf(super::driver::MTU, super::driver::BATCH);
        let route = inner.engine.poll_transmit(now, &mut out);
        self.publish(&mut inner);
        route
    }

    /// Closes the connection, as `close()` and the drop of the last handle do.
    pub(crate) fn close(self: &Arc<Self>) {
        let mut inner = self.lock();
        inner.engine.close(crate::clock::now());
        // What waits in the chain resolves to an error as its reply is dropped.
        inner.operations.clear();
        self.publish(&mut inner);
        // WebRTC §4.4.2, close(): channels are closed abruptly and fire no event.
        for (_, slot) in inner.slots.drain() {
            slot.changed.notify_waiters();
        }
        drop(inner);
        self.wake_driver();
    }
}

impl Inner {
    fn emit(&mut self, event: Event) {
        if let Some(events) = &self.events {
            // Nobody listens any more: that is the application's choice. A channel in the event
            // would take this lock when it is dropped, so it must outlive the borrow.
            if let Err(mpsc::error::SendError(event)) = events.send(event) {
                self.events = None;
                if let Event::DataChannel(channel) = event {
                    channel.close_unheard(self);
                }
            }
        } else if let Event::DataChannel(channel) = event {
            channel.close_unheard(self);
        }
    }

    /// No event will come any more.
    pub(crate) fn end_events(&mut self) {
        self.events = None;
    }

    fn notify(&mut self, id: ChannelId) {
        if let Some(slot) = self.slots.get(&id) {
            slot.changed.notify_waiters();
        }
    }

    fn early(&mut self, id: ChannelId, event: DataChannelEvent) {
        if let Some(slot) = self.slots.get_mut(&id) {
            slot.early.push_back(event);
            slot.changed.notify_waiters();
        }
    }

    fn late(&mut self, id: ChannelId, event: DataChannelEvent) {
        if let Some(slot) = self.slots.get_mut(&id) {
            slot.late.push_back(event);
            slot.changed.notify_waiters();
        }
    }

    fn wake_senders_with_room(&mut self) {
        for (id, slot) in self.slots.iter_mut().filter(|(_, slot)| slot.wants_room) {
            if self.engine.has_room(*id) {
                slot.wants_room = false;
                slot.changed.notify_waiters();
            }
        }
    }

    pub(crate) fn slot(&mut self, id: ChannelId) -> Option<&mut Slot> {
        self.slots.get_mut(&id)
    }

    /// The channel's last handle is gone.
    pub(crate) fn forget(&mut self, id: ChannelId) {
        self.slots.remove(&id);
        self.engine.close_channel(crate::clock::now(), id);
    }

    /// The next thing that happened on a channel, if anything has.
    pub(crate) fn next_channel_event(&mut self, id: ChannelId) -> Next {
        let Some(slot) = self.slots.get_mut(&id) else {
            return Next::Ended;
        };
        if let Some(event) = slot.early.pop_front() {
            return Next::Event(event);
        }
        if let Some(message) = self.engine.recv_message(crate::clock::now(), id) {
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

/// What [`Inner::next_channel_event`] found.
pub(crate) enum Next {
    Event(DataChannelEvent),
    /// A message was read: the peer's window opens, which the driver must tell it.
    Message(super::Message),
    Nothing,
    /// The close event has been taken, or the connection is closed: nothing more will come.
    Ended,
}
