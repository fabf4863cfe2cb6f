use crate::{ReceiverId, SenderId};
use pc_rtp::Ssrc;

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// The peer needs a key frame of this encoding (PLI or FIR): at most two a second are told.
    KeyFrameRequested {
        /// Whose.
        sender: SenderId,
        /// Which of its encodings, by index.
        encoding: usize,
    },
    /// What the network is believed to carry for this sender has changed.
    TargetBitrate {
        /// For whom.
        sender: SenderId,
        /// In bits a second, all its encodings and retransmissions together.
        bits_per_second: u64,
    },
    /// The first packet for this receiver has come, or the first since all its streams said
    /// [`Bye`](Self::Bye): its track unmutes (webrtc-pc §5.3).
    FirstPacket(ReceiverId),
    /// A frame may be due: poll frames until there is none.
    FrameReady(ReceiverId),
    /// The peer ended a stream with BYE (RFC 3550 §6.6).
    Bye(ReceiverId, Ssrc),
    /// A receiver's stream goes on under another SSRC.
    SsrcChanged {
        /// Whose.
        receiver: ReceiverId,
        /// The SSRC that its packets have now.
        ssrc: Ssrc,
    },
}

const _: () = assert!(size_of::<Event>() <= 80);
