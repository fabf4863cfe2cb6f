use pc_proto::ParseError;
use pc_rtp::{PayloadType, Ssrc, payload::PacketizeError};

/// Why a datagram was dropped, without any effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Rejected {
    /// It is neither RTP nor RTCP, or malformed.
    #[error("malformed packet: {0}")]
    Malformed(#[from] ParseError),
    /// No receiver takes it: neither MID, SSRC nor payload type tell whose it is (RFC 9143 §9.2).
    #[error("no receiver takes {0:?}")]
    UnknownSsrc(Ssrc),
    /// Its payload type was not negotiated for the receiver it is for.
    #[error("{0:?} was not negotiated")]
    UnknownPayloadType(PayloadType),
    /// There are too many SSRCs already.
    #[error("too many SSRCs")]
    TooManySsrcs,
    /// The packet has come before.
    #[error("duplicate")]
    Duplicate,
    /// It is too far from what the stream's packets are numbered now (RFC 3550 appendix A.1), or
    /// comes too late to be of use.
    #[error("outside of the stream's window")]
    OutOfWindow,
    /// It has the SSRC of a stream that this side sends: a loop (RFC 3550 §8.2).
    #[error("this side's own {0:?}")]
    Looped(Ssrc),
}

/// Why a frame or packet is not sent. Nothing of it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// There is no such sender.
    #[error("unknown sender")]
    UnknownSender,
    /// The sender has no encoding of this index.
    #[error("unknown encoding")]
    UnknownEncoding,
    /// The encoding is not active.
    #[error("the encoding is not active")]
    Inactive,
    /// The payload type is none of the sender's codecs.
    #[error("{0:?} was not negotiated")]
    UnknownPayloadType(PayloadType),
    /// The frame cannot be cut into payloads.
    #[error(transparent)]
    Packetize(#[from] PacketizeError),
    /// More waits to leave than the network carries: encode less, then begin with a key frame.
    #[error("too much waits to be sent")]
    QueueFull,
    /// The packet is longer than the session's packets may be.
    #[error("a packet of {len} bytes, where {max} are allowed")]
    TooLong {
        /// How long it would be.
        len: usize,
        /// How long it may be.
        max: usize,
    },
    /// A packet with this number was forwarded before, or so many later ones were that it is
    /// of no use.
    #[error("sent before, or too late")]
    Late,
}
