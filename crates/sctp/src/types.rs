use std::{fmt, time::Duration};

use crate::Error;

/// A stream identifier, RFC 9260 §3.3.1. The same number names both directions of a data channel
/// (RFC 8831 §6.4); 65,535 is not used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StreamId(pub u16);

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A payload protocol identifier, RFC 9260 §3.3.1: what kind of message it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ppid(pub u32);

impl Ppid {
    /// WebRTC DCEP, RFC 8832.
    pub const DCEP: Self = Self(50);
    /// WebRTC String, RFC 8831 §8.
    pub const STRING: Self = Self(51);
    /// WebRTC Binary, RFC 8831 §8.
    pub const BINARY: Self = Self(53);
    /// WebRTC String Empty, RFC 8831 §8: one byte that is ignored.
    pub const STRING_EMPTY: Self = Self(56);
    /// WebRTC Binary Empty, RFC 8831 §8: one byte that is ignored.
    pub const BINARY_EMPTY: Self = Self(57);
    /// Stands for any other PPID in a received message, the deprecated 52 and 54 of RFC 8831 §8
    /// among them: the number itself is not kept.
    pub const OTHER: Self = Self(0);
}

/// How hard the association tries to deliver a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Reliability {
    /// Whether it arrives after everything ordered that was sent before it on the stream.
    pub ordered: bool,
    /// When it is given up.
    pub limit: Limit,
}

impl Reliability {
    /// Ordered and reliable.
    pub const ORDERED: Self = Self {
        ordered: true,
        limit: Limit::None,
    };
}

/// When a message is given up, RFC 3758 and RFC 7496.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Limit {
    /// Never.
    None,
    /// After so many retransmissions of one of its fragments.
    Retransmits(u16),
    /// So long after it was sent. A lifetime of zero means one attempt.
    Lifetime(Duration),
}

/// How far the association is.
///
/// ```text
///  New --connect--> Connecting --[COOKIE ECHO or COOKIE ACK]--> Connected
///   |                                                              |
///   +--[COOKIE ECHO]---------------------------------------------> |
///                                                                  | shutdown, [SHUTDOWN]
///                                                                  v
///  any --abort--> Closed <--[SHUTDOWN ACK or COMPLETE]-- ShuttingDown
///  any --[ABORT, violation]--> Failed
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// [`connect`](crate::Association::connect) was not called. A peer that connects is answered.
    New,
    /// The handshake is under way.
    Connecting,
    /// Messages flow.
    Connected,
    /// What was sent is still delivered; nothing more can be.
    ShuttingDown,
    /// Over, as one of the two wanted.
    Closed,
    /// Over, and [`Event::Failed`] says why.
    Failed,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// The association stands.
    Connected,
    /// There is something to read; comes once, until everything has been read.
    Readable(StreamId),
    /// The peer has reset its side of the stream (RFC 6525 §5.2.2); ours follows when its queue is
    /// empty. What came before can still be read.
    StreamReset(StreamId),
    /// Both sides are reset: the stream can be used anew, after
    /// [`release`](crate::Association::release).
    ResetDone(StreamId),
    /// The peer refused to reset the stream; it stays unusable.
    ResetFailed(StreamId),
    /// The stream's buffered amount fell to its threshold from above.
    BufferedAmountLow(StreamId),
    /// The association is over, as one of the two wanted. The last event.
    Closed,
    /// The association is over. The last event.
    Failed(Error),
}

const _: () = assert!(size_of::<Event>() <= 80);
