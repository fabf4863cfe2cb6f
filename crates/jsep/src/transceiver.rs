//! `RTCRtpTransceiver`, its sender and its receiver, as far as negotiation goes.

use crate::{
    Codec, CodecParameters, HeaderExtension, HeaderExtensionCapability, MediaKind,
    TransceiverDirection, TransceiverId,
    description::Sources,
    encoding::{RidAlternatives, RidRestrictions, SendEncodings},
};

/// A transceiver ([WebRTC §5.4](https://www.w3.org/TR/webrtc/#rtcrtptransceiver-interface)). The
/// fields are the specification's internal slots.
#[derive(Debug, Clone)]
pub(crate) struct Transceiver {
    pub(crate) id: TransceiverId,
    pub(crate) kind: MediaKind,
    /// `[[Mid]]`: the m-section it belongs to.
    pub(crate) mid: Option<String>,
    /// `[[Direction]]`: what the application wants.
    pub(crate) direction: TransceiverDirection,
    /// `[[CurrentDirection]]`: what the last answer has decided.
    pub(crate) current_direction: Option<TransceiverDirection>,
    /// `[[FiredDirection]]`: what the application has been told of the peer's track.
    pub(crate) fired_direction: Option<TransceiverDirection>,
    pub(crate) life: Life,
    /// Made by `addTrack`, so that an m-section of the peer's may take it (RFC 9429 §5.10).
    pub(crate) by_add_track: bool,
    /// Made by an offer of the peer's.
    pub(crate) by_peer: bool,
    /// `setCodecPreferences`.
    pub(crate) preferences: Option<Vec<Codec>>,
    /// `setHeaderExtensionsToNegotiate`.
    pub(crate) extensions: Vec<HeaderExtensionCapability>,
    pub(crate) sender: Sender,
    pub(crate) receiver: Receiver,
    /// What the last exchange of descriptions has agreed on.
    pub(crate) negotiated: Negotiated,
}

/// ```text
///   Running ──stop()──▶ Stopping ──m-section rejected──▶ Stopped
///      └───────────── the peer rejects it ──────────────▶
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Life {
    Running,
    /// The application has stopped it; the peer has not been told.
    Stopping,
    Stopped,
}

#[derive(Debug, Clone)]
pub(crate) struct Sender {
    /// The id of `[[SenderTrack]]`.
    pub(crate) track: Option<String>,
    /// `[[AssociatedMediaStreamIds]]`.
    pub(crate) streams: Vec<String>,
    /// The second part of `a=msid`, which stays when the track is replaced (RFC 9429 §5.2.1).
    pub(crate) msid: String,
    pub(crate) encodings: SendEncodings,
    /// It was negotiated to send, so `addTrack` must not take it for another track.
    pub(crate) has_sent: bool,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Receiver {
    /// The streams of simulcast that an offer asks for, beyond what the W3C has.
    pub(crate) wanted: Vec<RidAlternatives>,
    /// `[[AssociatedRemoteMediaStreams]]`.
    pub(crate) streams: Vec<String>,
}

/// The outcome of the last exchange for one transceiver.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Negotiated {
    /// What may be sent, with the peer's payload types.
    pub(crate) send: Vec<CodecParameters>,
    /// What may come, with our payload types.
    pub(crate) receive: Vec<CodecParameters>,
    pub(crate) extensions: Vec<HeaderExtension>,
    /// Reduced-size RTCP (RFC 5506).
    pub(crate) rtcp_rsize: bool,
    /// What the peer says that it sends with.
    pub(crate) sources: Sources,
    /// The streams of simulcast that we receive.
    pub(crate) receive_rids: Vec<String>,
    /// What the peer takes of the streams of simulcast that we send.
    pub(crate) send_restrictions: Vec<(String, RidRestrictions)>,
}

impl Transceiver {
    pub(crate) fn is_stopping(&self) -> bool {
        self.life != Life::Running
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.life == Life::Stopped
    }

    /// Whether `addTrack` may put its track here ([WebRTC §5.1], addTrack step 7).
    ///
    /// [WebRTC §5.1]: https://www.w3.org/TR/webrtc/#dom-rtcpeerconnection-addtrack
    pub(crate) fn can_take_track(&self, kind: MediaKind) -> bool {
        self.kind == kind
            && self.life == Life::Running
            && self.sender.track.is_none()
            && !self.sender.has_sent
    }

    /// Has it send, or not, and receive as before.
    pub(crate) fn set_sending(&mut self, sends: bool) {
        if self.life == Life::Running {
            self.direction = TransceiverDirection::new(sends, self.direction.receives());
        }
    }

    /// Ends it: its m-section is rejected ([WebRTC §5.4.1], "stop the RTCRtpTransceiver").
    ///
    /// [WebRTC §5.4.1]: https://www.w3.org/TR/webrtc/#dfn-stop-the-rtcrtptransceiver
    pub(crate) fn become_stopped(&mut self) {
        self.life = Life::Stopped;
        self.direction = TransceiverDirection::Stopped;
        self.current_direction = Some(TransceiverDirection::Stopped);
        self.mid = None;
        self.negotiated = Negotiated::default();
    }
}

/// What a rollback brings back of a transceiver; all else is the application's.
#[derive(Debug, Clone)]
pub(crate) struct StableState {
    pub(crate) id: TransceiverId,
    mid: Option<String>,
    pub(crate) fired_direction: Option<TransceiverDirection>,
    pub(crate) streams: Vec<String>,
    encodings: SendEncodings,
}

impl StableState {
    pub(crate) fn of(transceiver: &Transceiver) -> Self {
        Self {
            id: transceiver.id,
            mid: transceiver.mid.clone(),
            fired_direction: transceiver.fired_direction,
            streams: transceiver.receiver.streams.clone(),
            encodings: transceiver.sender.encodings.clone(),
        }
    }

    /// Everything but the streams, of whose change the application is told.
    pub(crate) fn restore(&self, transceiver: &mut Transceiver) {
        if !transceiver.is_stopped() {
            transceiver.mid.clone_from(&self.mid);
            transceiver.sender.encodings.roll_back(&self.encodings);
        }
    }
}
