//! The small types that everything here speaks of.

use std::fmt;

use pc_sdp::Direction;

/// Names a transceiver within its session; never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TransceiverId(pub(crate) u32);

impl TransceiverId {
    /// A number for it, of its own within the session.
    pub const fn number(self) -> u32 {
        self.0
    }
}

/// Names a transport (ICE and DTLS) within its session; never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TransportId(pub(crate) u32);

impl TransportId {
    /// A name, for whoever makes a plan without a session: it must not name two transports.
    pub const fn new(number: u32) -> Self {
        Self(number)
    }

    /// A number for it, of its own within the session.
    pub const fn number(self) -> u32 {
        self.0
    }
}

macro_rules! words {
    ($($(#[$meta:meta])* $name:ident { $($(#[$vmeta:meta])* $variant:ident = $text:literal,)+ })+) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$vmeta])* $variant,)+ }

        impl $name {
            /// The W3C's spelling.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }

            /// What this spelling means, if anything.
            pub fn from_name(name: &str) -> Option<Self> {
                Some(match name { $($text => Self::$variant,)+ _ => return None })
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    )+};
}
pub(crate) use words;

words! {
    /// The kind of media of a transceiver.
    MediaKind {
        /// Audio.
        Audio = "audio",
        /// Video.
        Video = "video",
    }

    /// [`RTCSdpType`](https://www.w3.org/TR/webrtc/#rtcsdptype): what a description is in the exchange.
    SdpType {
        /// An offer.
        Offer = "offer",
        /// A provisional answer: more answers follow.
        Pranswer = "pranswer",
        /// The final answer.
        Answer = "answer",
        /// Takes back the offer that waits for its answer.
        Rollback = "rollback",
    }

    /// [`RTCSignalingState`](https://www.w3.org/TR/webrtc/#rtcsignalingstate-enum), RFC 9429 §3.2.
    ///
    /// ```text
    ///                        set_remote(offer)                set_local(offer)
    ///  HaveRemoteOffer ◀──────────────────────── Stable ────────────────────────▶ HaveLocalOffer
    ///    │    │       ─────────────────────────▶  ▲  ▲  ◀─────────────────────────    │    │
    ///    │    set_local(answer), either rollback  │  │   set_remote(answer), either rollback
    ///    │ set_local(pranswer)                    │  │                 set_remote(pranswer) │
    ///    ▼                     set_local(answer)  │  │  set_remote(answer)                  ▼
    ///  HaveLocalPranswer ─────────────────────────┘  └───────────────────── HaveRemotePranswer
    ///
    ///  any ──close──▶ Closed
    /// ```
    SignalingState {
        /// No exchange of descriptions is under way.
        Stable = "stable",
        /// A local offer waits for its answer.
        HaveLocalOffer = "have-local-offer",
        /// A remote offer waits for our answer.
        HaveRemoteOffer = "have-remote-offer",
        /// A remote offer has our provisional answer.
        HaveLocalPranswer = "have-local-pranswer",
        /// A local offer has a provisional answer.
        HaveRemotePranswer = "have-remote-pranswer",
        /// The connection is closed.
        Closed = "closed",
    }

    /// [`RTCRtpTransceiverDirection`](https://www.w3.org/TR/webrtc/#rtcrtptransceiverdirection).
    TransceiverDirection {
        /// Both ways.
        SendRecv = "sendrecv",
        /// To the peer.
        SendOnly = "sendonly",
        /// From the peer.
        RecvOnly = "recvonly",
        /// Neither way.
        Inactive = "inactive",
        /// Stopped for good.
        Stopped = "stopped",
    }

    /// [`RTCBundlePolicy`](https://www.w3.org/TR/webrtc/#rtcbundlepolicy-enum), RFC 9429 §4.1.1:
    /// how many transports to gather for, in case the peer cannot bundle.
    BundlePolicy {
        /// One for each kind of media.
        Balanced = "balanced",
        /// One for each m-section.
        MaxCompat = "max-compat",
        /// One in all; a peer that cannot bundle gets the first m-section alone.
        MaxBundle = "max-bundle",
    }
}

impl From<Direction> for TransceiverDirection {
    fn from(direction: Direction) -> Self {
        match direction {
            Direction::SendRecv => Self::SendRecv,
            Direction::SendOnly => Self::SendOnly,
            Direction::RecvOnly => Self::RecvOnly,
            Direction::Inactive => Self::Inactive,
        }
    }
}

impl TransceiverDirection {
    /// Whether this side sends.
    pub const fn sends(self) -> bool {
        matches!(self, Self::SendRecv | Self::SendOnly)
    }

    /// Whether this side receives.
    pub const fn receives(self) -> bool {
        matches!(self, Self::SendRecv | Self::RecvOnly)
    }

    /// The direction that sends and receives so.
    pub const fn new(sends: bool, receives: bool) -> Self {
        match (sends, receives) {
            (true, true) => Self::SendRecv,
            (true, false) => Self::SendOnly,
            (false, true) => Self::RecvOnly,
            (false, false) => Self::Inactive,
        }
    }

    /// Its form in SDP; a stopped one has none but "inactive".
    pub const fn to_sdp(self) -> Direction {
        match self {
            Self::SendRecv => Direction::SendRecv,
            Self::SendOnly => Direction::SendOnly,
            Self::RecvOnly => Direction::RecvOnly,
            Self::Inactive | Self::Stopped => Direction::Inactive,
        }
    }
}
