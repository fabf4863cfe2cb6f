use std::{
    fmt,
    time::{Duration, Instant},
};

use pc_media::{MediaKind, MediaStreamTrack};

use super::{DtlsTransport, transceiver::Part};
use crate::{
    Error, clock,
    rtp::{self, ReceiveParameters, RtpCapabilities},
    stats::{Stats, StatsReport},
};

/// The most that `jitterBufferTarget` may be
/// ([webrtc-pc §5.3](https://www.w3.org/TR/webrtc/#dom-rtcrtpreceiver-jitterbuffertarget)).
const MAX_JITTER_BUFFER_TARGET: Duration = Duration::from_millis(4000);

/// [`RTCRtpContributingSource`](https://www.w3.org/TR/webrtc/#rtcrtpcontributingsource): who was heard
/// or seen lately.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RtpSource {
    /// When its last frame came.
    pub timestamp: Instant,
    /// The source.
    pub source: u32,
    /// How loud it was: 0 is silence, 1 the loudest there is; `None` if that is not told.
    pub audio_level: Option<f64>,
    /// The RTP timestamp of its last frame.
    pub rtp_timestamp: u32,
}

impl From<pc_rtp_session::Source> for RtpSource {
    fn from(source: pc_rtp_session::Source) -> Self {
        Self {
            timestamp: source.timestamp,
            source: source.ssrc.0,
            audio_level: source.audio_level,
            rtp_timestamp: source.rtp_timestamp.0,
        }
    }
}

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

    /// `getContributingSources()`: whose media a mixer has put into what was received in the last ten
    /// seconds, the latest first.
    pub fn contributing_sources(&self) -> Vec<RtpSource> {
        let inner = self.part.shared.lock();
        let sources = inner
            .engine
            .contributing_sources(clock::now(), self.part.id);
        sources.map(RtpSource::from).collect()
    }

    /// `getSynchronizationSources()`: who has sent what was received in the last ten seconds, the latest
    /// first.
    pub fn synchronization_sources(&self) -> Vec<RtpSource> {
        let inner = self.part.shared.lock();
        let sources = inner
            .engine
            .synchronization_sources(clock::now(), self.part.id);
        sources.map(RtpSource::from).collect()
    }

    /// `jitterBufferTarget`: how long media is to wait at least before it is played.
    pub fn jitter_buffer_target(&self) -> Option<Duration> {
        let inner = self.part.shared.lock();
        inner.engine.jitter_buffer_target(self.part.id)
    }

    /// Sets `jitterBufferTarget`; `None` leaves it to the network.
    ///
    /// # Errors
    ///
    /// `RangeError`: more than four seconds.
    pub fn set_jitter_buffer_target(&self, target: Option<Duration>) -> Result<(), Error> {
        if target.is_some_and(|target| target > MAX_JITTER_BUFFER_TARGET) {
            let message = "a jitter buffer holds no more than four seconds";
            return Err(Error::Range(message.into()));
        }
        let mut inner = self.part.shared.lock();
        inner.engine.set_jitter_buffer_target(self.part.id, target);
        Ok(())
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

    /// `getStats()`: what is about the streams that it receives.
    pub fn stats(&self) -> StatsReport {
        let mid = self.part.view(|it| it.mid().map(str::to_owned)).flatten();
        let report = self.part.shared.stats();
        report.about(|stats| match stats {
            Stats::InboundRtp(stream) => Some(&stream.mid) == mid.as_ref(),
            _ => false,
        })
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
