use pc_proto::ParseError;

use crate::Ppid;

/// Why an association failed for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The peer sent an ABORT, RFC 9260 §3.3.7, with the code of its first error cause; 12 is a
    /// user-initiated abort.
    #[error("aborted by the peer (cause {cause:?})")]
    Aborted {
        /// The first error cause code, RFC 9260 §3.3.10.
        cause: Option<u16>,
    },
    /// The peer sent a message longer than
    /// [`max_receive_message_size`](crate::Config::max_receive_message_size).
    #[error("a message longer than {limit} bytes")]
    MessageTooLarge {
        /// The limit.
        limit: usize,
    },
    /// The peer began more messages at once than the receive buffer holds.
    #[error("the receive buffer is full of incomplete messages")]
    ReceiveBufferExhausted,
    /// The peer's INIT and ours do not go together.
    #[error("incompatible INIT")]
    Handshake,
}

/// Why a message was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// The association is closing or over.
    #[error("the association is closed")]
    Closed,
    /// The stream is being reset.
    #[error("the stream is being reset")]
    Resetting,
    /// SCTP has no empty messages (RFC 9260 §6.1); WebRTC sends one byte with a PPID that says so.
    #[error("an empty message")]
    Empty,
    /// The message is longer than the peer takes.
    #[error("the message is longer than {limit} bytes")]
    TooLarge {
        /// The peer's limit in bytes.
        limit: usize,
    },
    /// The stream holds [`max_buffered`](crate::Config::max_buffered) bytes already; wait for
    /// [`Event::BufferedAmountLow`](crate::Event::BufferedAmountLow).
    #[error("the send buffer is full")]
    BufferFull,
    /// Stream 65,535 is not usable (RFC 8831 §6.5 and this implementation).
    #[error("no such stream")]
    NoSuchStream,
    /// Only the PPIDs of RFC 8831 §8 that are not deprecated can be sent.
    #[error("{0:?} cannot be sent")]
    UnsupportedPpid(Ppid),
}

/// Why a packet was dropped; it changed nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Rejected {
    /// It is no SCTP packet, or its checksum is wrong.
    #[error("{0}")]
    Malformed(#[from] ParseError),
    /// It is for other ports.
    #[error("other SCTP ports")]
    Ports,
    /// Its verification tag is not this association's, RFC 9260 §8.5.
    #[error("verification tag")]
    VerificationTag,
    /// Nothing in it fits the state of the association: {0} was the first thing that did not.
    #[error("unexpected {0}")]
    Unexpected(&'static str),
    /// The association is over.
    #[error("the association is over")]
    Closed,
}
