use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use pc_datachannel::{ChannelId, Message as Outgoing};
use tokio::sync::Notify;

use super::{
    DataChannelEvent, Message,
    shared::{Inner, Shared},
    slots::Next,
};
use crate::{Error, engine, state::DataChannelState};

/// [`RTCDataChannel`](https://www.w3.org/TR/webrtc/#rtcdatachannel): a cheap, cloneable handle.
///
/// ```no_run
/// # async fn chat(channel: peerconnection::DataChannel) -> Result<(), peerconnection::Error> {
/// use peerconnection::{DataChannelEvent, Message};
/// while let Some(event) = channel.next().await {
///     match event {
///         DataChannelEvent::Open => channel.send_text("hello")?,
///         DataChannelEvent::Message(Message::Text(text)) => println!("{text}"),
///         _ => {}
///     }
/// }
/// # Ok(()) }
/// ```
///
/// Messages wait in the connection until they are taken with [`next`](Self::next); when too many
/// wait, the peer's sending window closes. Nothing is dropped. When the last handle of a channel is
/// dropped the channel closes, since nobody could read it. A channel does not keep its connection
/// alive: the [`PeerConnection`](crate::PeerConnection)'s handles do.
#[derive(Clone)]
pub struct DataChannel {
    handle: Arc<Handle>,
}

struct Handle {
    shared: Arc<Shared>,
    id: ChannelId,
    properties: Properties,
    changed: Arc<Notify>,
    /// Whether the drop of this handle is to close the channel.
    armed: AtomicBool,
}

/// What never changes in a channel's life.
#[derive(Clone)]
struct Properties {
    label: String,
    protocol: String,
    ordered: bool,
    max_packet_life_time: Option<u16>,
    max_retransmits: Option<u16>,
    negotiated: bool,
}

impl DataChannel {
    pub(crate) fn new(
        shared: Arc<Shared>,
        id: ChannelId,
        channel: &engine::ChannelView<'_>,
        changed: Arc<Notify>,
    ) -> Self {
        let properties = Properties {
            label: channel.label.to_owned(),
            protocol: channel.protocol.to_owned(),
            ordered: channel.ordered,
            max_packet_life_time: channel.max_packet_life_time,
            max_retransmits: channel.max_retransmits,
            negotiated: channel.negotiated,
        };
        let armed = AtomicBool::new(true);
        Self {
            handle: Arc::new(Handle {
                shared,
                id,
                properties,
                changed,
                armed,
            }),
        }
    }

    /// The name its creator gave it.
    pub fn label(&self) -> &str {
        &self.handle.properties.label
    }

    /// The subprotocol its creator named.
    pub fn protocol(&self) -> &str {
        &self.handle.properties.protocol
    }

    /// Whether messages arrive in order.
    pub fn ordered(&self) -> bool {
        self.handle.properties.ordered
    }

    /// For how many milliseconds a message is retransmitted, if that is limited.
    pub fn max_packet_life_time(&self) -> Option<u16> {
        self.handle.properties.max_packet_life_time
    }

    /// How often a message is retransmitted, if that is limited.
    pub fn max_retransmits(&self) -> Option<u16> {
        self.handle.properties.max_retransmits
    }

    /// Whether both sides created the channel themselves.
    pub fn negotiated(&self) -> bool {
        self.handle.properties.negotiated
    }

    /// The stream id; `None` until the DTLS role decides it.
    pub fn id(&self) -> Option<u16> {
        self.handle.shared.lock().engine.channel(self.handle.id)?.id
    }

    /// Where the channel is in its life.
    pub fn ready_state(&self) -> DataChannelState {
        let inner = self.handle.shared.lock();
        inner
            .engine
            .channel(self.handle.id)
            .map_or(DataChannelState::Closed, |it| it.state)
    }

    /// How many bytes of messages wait to be sent.
    pub fn buffered_amount(&self) -> usize {
        let inner = self.handle.shared.lock();
        inner
            .engine
            .channel(self.handle.id)
            .map_or(0, |it| it.buffered_amount)
    }

    /// At how many waiting bytes [`DataChannelEvent::BufferedAmountLow`] comes. 0 at first.
    pub fn buffered_amount_low_threshold(&self) -> usize {
        let inner = self.handle.shared.lock();
        inner
            .engine
            .channel(self.handle.id)
            .map_or(0, |it| it.buffered_amount_low_threshold)
    }

    /// Sets [`buffered_amount_low_threshold`](Self::buffered_amount_low_threshold), in bytes.
    pub fn set_buffered_amount_low_threshold(&self, bytes: usize) {
        let mut inner = self.handle.shared.lock();
        inner
            .engine
            .set_buffered_amount_low_threshold(self.handle.id, bytes);
    }

    /// Queues a text message.
    ///
    /// # Errors
    ///
    /// - `InvalidStateError`: the channel is not open.
    /// - `TypeError`: the message is longer than the peer takes.
    /// - `OperationError`: 16 MiB wait already. [`ready`](Self::ready) waits until there is room.
    pub fn send_text(&self, text: &str) -> Result<(), Error> {
        self.send_outgoing(Outgoing::Text(text))
    }

    /// Queues a binary message; errors as for [`send_text`](Self::send_text).
    pub fn send(&self, bytes: &[u8]) -> Result<(), Error> {
        self.send_outgoing(Outgoing::Binary(bytes))
    }

    /// Queues a message of either kind; errors as for [`send_text`](Self::send_text).
    pub fn send_message(&self, message: &Message) -> Result<(), Error> {
        self.send_outgoing(match message {
            Message::Text(text) => Outgoing::Text(text),
            Message::Binary(bytes) => Outgoing::Binary(bytes),
        })
    }

    fn send_outgoing(&self, message: Outgoing<'_>) -> Result<(), Error> {
        let mut inner = self.handle.shared.lock();
        inner
            .engine
            .send(crate::clock::now(), self.handle.id, message)?;
        drop(inner);
        self.handle.shared.wake_driver();
        Ok(())
    }

    /// Waits until the channel is open and has room for more: back-pressure for a sender.
    ///
    /// There is room while at most [`SEND_HIGH_WATER`](engine::SEND_HIGH_WATER) bytes wait.
    ///
    /// # Errors
    ///
    /// `InvalidStateError` once the channel is closing or closed.
    pub async fn ready(&self) -> Result<(), Error> {
        loop {
            let changed = self.handle.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            {
                let mut inner = self.handle.shared.lock();
                let state = inner
                    .engine
                    .channel(self.handle.id)
                    .map(|channel| channel.state);
                match state {
                    Some(DataChannelState::Connecting) => {}
                    Some(DataChannelState::Open) if inner.engine.has_room(self.handle.id) => {
                        return Ok(());
                    }
                    Some(DataChannelState::Open) => {
                        inner.slots.wait_for_room(self.handle.id);
                    }
                    _ => return Err(Error::InvalidState("the data channel is closed".into())),
                }
            }
            changed.await;
        }
    }

    /// The channel's next event; `None` after [`DataChannelEvent::Close`], and once the connection
    /// is closed on this side, which fires no events.
    ///
    /// Cancel safe: an event is only taken when this returns it.
    pub async fn next(&self) -> Option<DataChannelEvent> {
        loop {
            let changed = self.handle.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            match self.take_next() {
                Next::Event(event) => return Some(event),
                Next::Message(message) => return Some(DataChannelEvent::Message(message)),
                Next::Ended => return None,
                Next::Nothing => changed.await,
            }
        }
    }

    /// The channel's next event if there is one already.
    pub fn try_next(&self) -> Option<DataChannelEvent> {
        match self.take_next() {
            Next::Event(event) => Some(event),
            Next::Message(message) => Some(DataChannelEvent::Message(message)),
            Next::Ended | Next::Nothing => None,
        }
    }

    fn take_next(&self) -> Next {
        let (shared, id) = (&self.handle.shared, self.handle.id);
        let mut inner = shared.lock();
        let Inner { engine, slots, .. } = &mut *inner;
        let mut next = slots.next(engine, id);
        // What should have been a message may have been none, and ended the channel.
        let failed = matches!(next, Next::Nothing) && shared.publish(&mut inner);
        if failed {
            let Inner { engine, slots, .. } = &mut *inner;
            next = slots.next(engine, id);
        }
        drop(inner);
        if failed || matches!(next, Next::Message(_)) {
            // Reading opens the window; the peer has to be told.
            shared.wake_driver();
        }
        next
    }

    /// Closes the channel; what is queued is still delivered. [`DataChannelEvent::Close`] follows.
    pub fn close(&self) {
        self.handle.close();
    }

    /// What this handle weighs among events that wait, in bytes.
    pub(crate) fn weight(&self) -> usize {
        64 + self.label().len() + self.protocol().len()
    }

    /// The event that carried this handle has been taken.
    pub(crate) fn heard(&self) {
        self.handle.shared.heard(self);
    }

    /// The event that would have carried this handle has no taker, and the lock is held.
    pub(crate) fn close_unheard(self, inner: &mut Inner) {
        self.handle.armed.store(false, Ordering::Relaxed);
        inner.forget(self.handle.id);
    }
}

impl Handle {
    fn close(&self) {
        let mut inner = self.shared.lock();
        inner.engine.close_channel(crate::clock::now(), self.id);
        self.shared.publish(&mut inner);
        // No event tells of "closing" here, but whoever waits to send is to know.
        inner.slots.notify(self.id);
        drop(inner);
        self.shared.wake_driver();
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        if self.armed.load(Ordering::Relaxed) {
            self.shared.lock().forget(self.id);
            self.shared.wake_driver();
        }
    }
}

impl fmt::Debug for DataChannel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DataChannel")
            .field("label", &self.label())
            .field("channel", &self.handle.id)
            .finish_non_exhaustive()
    }
}
