use std::fmt;

use pc_media::{MediaKind, MediaStream, MediaStreamTrack};

use super::{DtlsTransport, DtmfSender, Operation, transceiver::Part};
use crate::{
    Error, clock,
    rtp::{
        self, Codec, DegradationPreference, EncodingParameters, RtpCapabilities, SendParameters,
    },
    stats::{Stats, StatsReport},
};

/// [`RTCRtpSender`](https://www.w3.org/TR/webrtc/#rtcrtpsender-interface): what is sent in a
/// transceiver's m-section. A cheap, cloneable handle.
#[derive(Clone)]
pub struct RtpSender {
    pub(crate) part: Part,
}

impl RtpSender {
    /// `track`: what it sends; `None`: nothing.
    pub fn track(&self) -> Option<MediaStreamTrack> {
        self.part.tracks.sent()
    }

    /// `transport`: what it sends over, once a description says so.
    pub fn transport(&self) -> Option<DtlsTransport> {
        DtlsTransport::of(&self.part)
    }

    /// `dtmf`: what presses keys in the sender's stead; of an audio sender alone.
    pub fn dtmf(&self) -> Option<DtmfSender> {
        DtmfSender::of(&self.part)
    }

    /// `RTCRtpSender.getCapabilities()`: what this side can send.
    pub fn capabilities(kind: MediaKind) -> RtpCapabilities {
        let all = rtp::built_in_capabilities();
        all.of(super::engine_kind(kind)).send_capabilities()
    }

    /// The scalability modes ([webrtc-svc](https://www.w3.org/TR/webrtc-svc/#scalabilitymodes*)) that
    /// this side can send a codec of [`capabilities`](Self::capabilities) in, as
    /// `MediaCapabilities.encodingInfo()` tells it one by one. Others are refused.
    pub fn scalability_modes(codec: &Codec) -> Vec<String> {
        let all = rtp::built_in_capabilities();
        let of_both = [all.audio, all.video].into_iter().flat_map(|it| it.codecs);
        let mut found = of_both.filter(|own| own.send && own.codec == *codec);
        found
            .next()
            .map_or_else(Vec::new, |own| own.scalability_modes)
    }

    /// `getStats()`: what is about the streams that it sends.
    pub fn stats(&self) -> StatsReport {
        let mid = self.part.view(|it| it.mid().map(str::to_owned)).flatten();
        let report = self.part.shared.stats();
        report.about(|stats| match stats {
            Stats::OutboundRtp(stream) => Some(&stream.mid) == mid.as_ref(),
            _ => false,
        })
    }

    /// `getParameters()`: what is sent, and how; `None` once the transceiver has stopped.
    ///
    /// They can be given to [`set_parameters`](Self::set_parameters) once, until a description is set.
    pub fn parameters(&self) -> Option<SendParameters> {
        let mut inner = self.part.shared.lock();
        inner.engine.send_parameters(self.part.id)
    }

    /// `setParameters()`: changes how encodings are sent; no exchange of descriptions is needed.
    ///
    /// # Errors
    ///
    /// - `InvalidStateError`: stopped, or the parameters are not those that were got last.
    /// - `InvalidModificationError`: a change of what is read-only, or of number or order of encodings.
    /// - `RangeError`, `TypeError`: a number out of its range.
    /// - `NotSupportedError`: a `network_priority`, for packets are not marked; a
    ///   `degradation_preference` that has pictures made smaller, which they never are.
    pub fn set_parameters(&self, parameters: SendParameters) -> Result<(), Error> {
        check_supported(&parameters.encodings)?;
        check_preference(parameters.degradation_preference)?;
        let now = clock::now();
        let mut inner = self.part.shared.lock();
        let engine = &mut inner.engine;
        engine.set_send_parameters(now, self.part.id, parameters)?;
        drop(inner);
        self.part.tracks.signals().change();
        Ok(())
    }

    /// `replaceTrack()`: sends another track, or none, without an exchange of descriptions.
    ///
    /// # Errors
    ///
    /// `TypeError`: of the other kind; `InvalidStateError`: stopped, or the connection is closed.
    pub fn replace_track(&self, track: impl Into<Option<MediaStreamTrack>>) -> Operation<()> {
        let track = track.into();
        let kind = self.part.kind;
        if track.as_ref().is_some_and(|track| track.kind() != kind) {
            let message = format!("the sender is of the kind \"{kind}\", the track is not");
            return Operation::failed(Error::Type(message.into()));
        }
        let id = self.part.id;
        let tracks = self.part.tracks.clone();
        self.part.shared.enqueue(
            move |engine| match engine.transceiver(id) {
                Some(transceiver) if !transceiver.is_stopping() => engine.check_open(),
                _ => Err(Error::InvalidState("the transceiver is stopped".into())),
            },
            move |engine, _| {
                engine.replace_track(id, track.as_ref().map(MediaStreamTrack::id))?;
                drop(tracks.send(track));
                Ok(())
            },
        )
    }

    /// `setStreams()`: the streams that the track is to be in at the peer's.
    ///
    /// # Errors
    ///
    /// `InvalidStateError`: the connection is closed.
    pub fn set_streams(&self, streams: &[&MediaStream]) -> Result<(), Error> {
        let ids: Vec<_> = streams.iter().map(|it| it.id().to_owned()).collect();
        let mut inner = self.part.shared.lock();
        inner.engine.set_streams(self.part.id, &ids)?;
        drop(inner);
        self.part.shared.wake_driver();
        Ok(())
    }
}

/// What packets cannot be sent with.
pub(super) fn check_supported(encodings: &[EncodingParameters]) -> Result<(), Error> {
    if encodings.iter().any(|it| it.network_priority.is_some()) {
        let message = "networkPriority is not supported: packets are not marked";
        return Err(Error::NotSupported(message.into()));
    }
    Ok(())
}

/// Encoders leave pictures out where bits do not suffice.
fn check_preference(preference: Option<DegradationPreference>) -> Result<(), Error> {
    use DegradationPreference::{Balanced, MaintainFramerate};
    if let Some(preference @ (Balanced | MaintainFramerate)) = preference {
        let message = format!("degradationPreference \"{preference}\" is not supported");
        return Err(Error::NotSupported(message.into()));
    }
    Ok(())
}

impl PartialEq for RtpSender {
    /// Whether both are handles of one sender.
    fn eq(&self, other: &Self) -> bool {
        self.part.is_same(&other.part)
    }
}

impl Eq for RtpSender {}

impl fmt::Debug for RtpSender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RtpSender")
            .field("track", &self.track())
            .finish_non_exhaustive()
    }
}
