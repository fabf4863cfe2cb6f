use std::fmt;

use pc_media::{MediaKind, MediaStreamTrack};

use super::{DtlsTransport, transceiver::Part};
use crate::rtp::{self, ReceiveParameters, RtpCapabilities};

/// [`RTCRtpReceiver`](https://www.w3.org/TR/webrtc/#rtcrtpreceiver-interface): what comes in a
/// transceiver's m-section. A cheap, cloneable handle.
#[derive(Clone)]
pub struct RtpReceiver {
    pub(crate) part: Part,
}

impl RtpReceiver {
    /// `track`: what comes. It is there from the beginning, muted while the peer sends nothing.
    pub fn track(&self) -> MediaStreamTrack {
        self.part.tracks.received().clone()
    }

    /// What comes, as the peer has encoded it: a track of encoded frames, to be recorded, or to be
    /// given to a sender of another connection, which forwards them. Nothing is decoded for it.
    pub fn encoded_track(&self) -> MediaStreamTrack {
        self.part.tracks.encoded().clone()
    }

    /// `transport`: what it receives over, once a description says so.
    pub fn transport(&self) -> Option<DtlsTransport> {
        DtlsTransport::of(&self.part)
    }

    /// `RTCRtpReceiver.getCapabilities()`: what this side can receive.
    pub fn capabilities(kind: MediaKind) -> RtpCapabilities {
        let all = rtp::built_in_capabilities();
        all.of(super::engine_kind(kind)).receive_capabilities()
    }

    /// `getParameters()`: what may come; `None` once the transceiver has stopped.
    pub fn parameters(&self) -> Option<ReceiveParameters> {
        self.part
            .shared
            .lock()
            .engine
            .receive_parameters(self.part.id)
    }
}

impl PartialEq for RtpReceiver {
    /// Whether both are handles of one receiver.
    fn eq(&self, other: &Self) -> bool {
        self.part.is_same(&other.part)
    }
}

impl Eq for RtpReceiver {}

impl fmt::Debug for RtpReceiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RtpReceiver")
            .field("track", &self.track())
            .finish_non_exhaustive()
    }
}
