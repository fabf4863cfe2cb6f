/// Why a channel could not be created.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CreateError {
    /// The label is longer than 65,535 bytes of UTF-8 (RFC 8832 §5.1).
    #[error("the label is longer than 65,535 bytes")]
    LabelTooLong,
    /// The protocol is longer than 65,535 bytes of UTF-8 (RFC 8832 §5.1).
    #[error("the protocol is longer than 65,535 bytes")]
    ProtocolTooLong,
    /// Both limits were given, `maxRetransmits` and `maxPacketLifeTime`.
    #[error("both a limit of retransmissions and of time")]
    TwoLimits,
    /// The negotiated id is 65,535 (RFC 8831 §6.5), or more than the association allows.
    #[error("the id {0} cannot be used")]
    InvalidId(u16),
    /// The negotiated id belongs to a channel already.
    #[error("the id {0} is in use")]
    IdInUse(u16),
    /// No id is free, or there are as many channels as there may be.
    #[error("no more channels can be created")]
    NoFreeId,
    /// The session is over.
    #[error("the session is closed")]
    Closed,
}

/// Why a message was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// The channel is not open: not yet, or not any more.
    #[error("the channel is not open")]
    NotOpen,
    /// The message is longer than the peer takes.
    #[error("the message is longer than {limit} bytes")]
    TooLarge {
        /// The peer's limit in bytes.
        limit: usize,
    },
    /// The channel holds as many unsent bytes as it may
    /// ([`pc_sctp::Config::max_buffered`]); wait for
    /// [`Event::BufferedAmountLow`](crate::Event::BufferedAmountLow).
    #[error("the send buffer is full")]
    BufferFull,
}

/// Why a channel ended otherwise than by being closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChannelError {
    /// The association beneath is gone; `cause` is the code of the peer's ABORT, if there was one.
    #[error("the association was lost")]
    AssociationLost {
        /// The first error cause code, RFC 9260 §3.3.10.
        cause: Option<u16>,
    },
    /// There was no id left when the DTLS role became known, or the peer allows too few.
    #[error("no id is free")]
    NoFreeId,
    /// A text message was not UTF-8 (RFC 8831 §6.6).
    #[error("a text message that is not UTF-8")]
    InvalidText,
    /// A message had a PPID that is none of RFC 8831 §8, or a deprecated one (RFC 8831 §6.6).
    #[error("a message of an unknown kind")]
    UnknownPpid,
    /// A DCEP message that cannot be read, or an OPEN on a stream in use (RFC 8832 §6).
    #[error("an invalid or unexpected DCEP message")]
    Dcep,
    /// The peer refused to reset the stream; its id is not used again.
    #[error("the peer does not reset streams")]
    ResetFailed,
}

/// Why a stream on which the peer sent something was reset, without there being a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Refusal {
    /// An OPEN that cannot be read, or an ACK of nothing.
    Dcep,
    /// An OPEN with an id of our parity (RFC 8832 §6).
    Parity,
    /// There are as many channels, or as long labels, as there may be.
    TooManyChannels,
    /// Too much came for channels that do not exist.
    TooMuchData,
    /// The peer closed the stream before a channel was created here; what it had sent is dropped.
    Closed,
}
