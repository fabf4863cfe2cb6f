use crate::{SignalingState, TransceiverId};

/// What a change of descriptions leads to, in the order of [WebRTC §4.4.1.5].
///
/// [WebRTC §4.4.1.5]: https://www.w3.org/TR/webrtc/#set-the-session-description
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// An exchange of descriptions is needed.
    NegotiationNeeded,
    /// The signaling state has changed.
    SignalingStateChange(SignalingState),
    /// The transceiver was stopped by the peer: its receiver's track has ended.
    TrackEnded(TransceiverId),
    /// The peer does not send any more: the receiver's track is to be muted, if it is not.
    TrackMuted(TransceiverId),
    /// The receiver's track leaves this stream of the peer's.
    TrackRemoved {
        /// Whose track.
        transceiver: TransceiverId,
        /// The stream's id.
        stream: String,
    },
    /// The receiver's track joins this stream of the peer's.
    TrackAdded {
        /// Whose track.
        transceiver: TransceiverId,
        /// The stream's id.
        stream: String,
    },
    /// The peer sends: `track`.
    Track {
        /// Whose track.
        transceiver: TransceiverId,
        /// The ids of the streams it is in.
        streams: Vec<String>,
    },
}

const _: () = assert!(size_of::<Event>() <= 80);
