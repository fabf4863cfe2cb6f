use crate::{ChannelError, ChannelId, Refusal};

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// The association is up. The events that open the waiting channels follow.
    Connected,
    /// The peer opened a channel. Its state is open; [`Event::Open`] follows, unless it is closed
    /// before that is polled.
    Incoming(ChannelId),
    /// The channel is open.
    Open(ChannelId),
    /// There is something to read: read until nothing is left.
    Readable(ChannelId),
    /// The buffered amount fell to its threshold from above.
    BufferedAmountLow(ChannelId),
    /// The peer is closing the channel. What it had sent before can still be read.
    Closing(ChannelId),
    /// What goes wrong with the channel; [`Event::Closed`] follows.
    ChannelError(ChannelId, ChannelError),
    /// The channel is closed and everything was read. With this event its id is forgotten.
    Closed(ChannelId),
    /// The peer sent something on a stream that no channel can be made of; the stream is reset and
    /// what came on it is dropped.
    Refused(u16, Refusal),
    /// The association is over, as one of the two wanted.
    SessionClosed,
    /// The association is over.
    Failed(pc_sctp::Error),
}

const _: () = assert!(size_of::<Event>() <= 80);

/// A message to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Message<'a> {
    /// Text.
    Text(&'a str),
    /// Bytes.
    Binary(&'a [u8]),
}

/// What a received message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MessageKind {
    /// Text: valid UTF-8.
    Text,
    /// Bytes.
    Binary,
}
