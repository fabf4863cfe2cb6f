//! `RTCPeerConnection`'s part of the
//! [RTP media API](https://www.w3.org/TR/webrtc/#rtcpeerconnection-interface-extensions).

use std::sync::Arc;

use pc_jsep::{TransceiverId, TransceiverView};
use pc_media::{MediaKind, MediaStream, MediaStreamTrack};

use super::{
    PeerConnection, RtpReceiver, RtpSender, RtpTransceiver,
    sender::check_supported,
    shared::{Inner, Shared},
    transceiver::Part,
};
use crate::{Error, rtp::TransceiverInit};

/// What a new transceiver is for: a track, or a kind of media for which there is no track yet.
#[derive(Debug, Clone)]
pub enum TrackOrKind {
    /// This track is sent.
    Track(MediaStreamTrack),
    /// Nothing is sent, until [`RtpSender::replace_track`].
    Kind(MediaKind),
}

impl TrackOrKind {
    fn kind(&self) -> MediaKind {
        match self {
            Self::Track(track) => track.kind(),
            Self::Kind(kind) => *kind,
        }
    }

    fn into_track(self) -> Option<MediaStreamTrack> {
        match self {
            Self::Track(track) => Some(track),
            Self::Kind(_) => None,
        }
    }
}

impl From<MediaKind> for TrackOrKind {
    fn from(kind: MediaKind) -> Self {
        Self::Kind(kind)
    }
}

impl From<MediaStreamTrack> for TrackOrKind {
    fn from(track: MediaStreamTrack) -> Self {
        Self::Track(track)
    }
}

impl From<&MediaStreamTrack> for TrackOrKind {
    fn from(track: &MediaStreamTrack) -> Self {
        Self::Track(track.clone())
    }
}

impl PeerConnection {
    /// `addTrack()`: sends a track, in a transceiver that has never sent one, or in a new one.
    /// `streams` is how the peer groups it with others.
    ///
    /// # Errors
    ///
    /// `InvalidStateError`: the connection is closed; `InvalidAccessError`: the track has a sender
    /// already; `TypeError`: an id of the track or a stream that no description can carry.
    pub fn add_track(
        &self,
        track: &MediaStreamTrack,
        streams: &[&MediaStream],
    ) -> Result<RtpSender, Error> {
        let ids: Vec<_> = streams.iter().map(|it| it.id().to_owned()).collect();
        let kind = track.kind();
        let shared = self.shared();
        let mut inner = shared.lock();
        let engine = &mut inner.engine;
        let id = engine.add_track(engine_kind(kind), track.id(), &ids)?;
        let part = shared.part(&mut inner, id, kind);
        let before = part.tracks.send(Some(track.clone()));
        drop(inner);
        drop(before);
        shared.wake_driver();
        Ok(RtpSender { part })
    }

    /// `removeTrack()`: sends nothing any more; the sender stays and can be given another track.
    /// Nothing happens to one whose transceiver is stopped.
    ///
    /// # Errors
    ///
    /// `InvalidStateError`: the connection is closed; `InvalidAccessError`: a sender of another
    /// connection.
    pub fn remove_track(&self, sender: &RtpSender) -> Result<(), Error> {
        let shared = self.shared();
        let mut inner = shared.lock();
        inner.engine.check_open()?;
        if !Arc::ptr_eq(&sender.part.shared, shared) {
            let message = "the sender is of another connection";
            return Err(Error::InvalidAccess(message.into()));
        }
        let id = sender.part.id;
        inner.engine.remove_track(id)?;
        // One that is stopping, or gone, keeps its track.
        let now = inner.engine.transceiver(id);
        let is_removed = now.is_some_and(|own| own.sender_track().is_none());
        let removed = is_removed.then(|| sender.part.tracks.send(None));
        drop(inner);
        drop(removed);
        shared.wake_driver();
        Ok(())
    }

    /// `addTransceiver()`: a new transceiver, for a track or for a kind of media.
    ///
    /// # Errors
    ///
    /// - `InvalidStateError`: the connection is closed.
    /// - `TypeError`: the direction is "stopped", a rid is malformed, missing or there twice, or an id
    ///   cannot be carried by a description.
    /// - `RangeError`: a scale below 1, or a negative frame rate.
    /// - `OperationError`: a codec or a scalability mode that is not supported.
    /// - `NotSupportedError`: a `network_priority`, for packets are not marked.
    pub fn add_transceiver(
        &self,
        track_or_kind: impl Into<TrackOrKind>,
        init: TransceiverInit,
    ) -> Result<RtpTransceiver, Error> {
        check_supported(&init.send_encodings)?;
        let what = track_or_kind.into();
        let kind = what.kind();
        let track = what.into_track();
        let init = pc_jsep::TransceiverInit {
            direction: init.direction,
            streams: init.streams.iter().map(|it| it.id().to_owned()).collect(),
            send_encodings: init.send_encodings,
        };
        let shared = self.shared();
        let mut inner = shared.lock();
        let name = track.as_ref().map(MediaStreamTrack::id);
        let engine = &mut inner.engine;
        let id = engine.add_transceiver(engine_kind(kind), name, init)?;
        let part = shared.part(&mut inner, id, kind);
        let before = part.tracks.send(track);
        drop(inner);
        drop(before);
        shared.wake_driver();
        Ok(RtpTransceiver { part })
    }

    /// `getTransceivers()`: in the order they were made, without those that have stopped and been
    /// negotiated away.
    pub fn transceivers(&self) -> Vec<RtpTransceiver> {
        let parts = self.parts(|_| true).into_iter();
        parts.map(|part| RtpTransceiver { part }).collect()
    }

    /// `getSenders()`: those of transceivers that have not stopped.
    pub fn senders(&self) -> Vec<RtpSender> {
        let parts = self.parts(|own| !own.is_stopped()).into_iter();
        parts.map(|part| RtpSender { part }).collect()
    }

    /// `getReceivers()`: those of transceivers that have not stopped.
    pub fn receivers(&self) -> Vec<RtpReceiver> {
        let parts = self.parts(|own| !own.is_stopped()).into_iter();
        parts.map(|part| RtpReceiver { part }).collect()
    }

    fn parts(&self, is_wanted: impl Fn(&TransceiverView<'_>) -> bool) -> Vec<Part> {
        let shared = self.shared();
        let mut inner = shared.lock();
        let known: Vec<_> = inner
            .engine
            .transceivers()
            .filter(is_wanted)
            .map(|transceiver| (transceiver.id(), media_kind(transceiver.kind())))
            .collect();
        known
            .into_iter()
            .map(|(id, kind)| shared.part(&mut inner, id, kind))
            .collect()
    }
}

impl Shared {
    /// The handle of a transceiver, or of one of its halves.
    pub(crate) fn part(
        self: &Arc<Self>,
        inner: &mut Inner,
        id: TransceiverId,
        kind: MediaKind,
    ) -> Part {
        Part {
            shared: self.clone(),
            id,
            kind,
            tracks: inner.media.tracks(id, kind),
        }
    }
}

/// The kind as the application's tracks have it.
pub(crate) fn media_kind(kind: pc_jsep::MediaKind) -> MediaKind {
    match kind {
        pc_jsep::MediaKind::Audio => MediaKind::Audio,
        pc_jsep::MediaKind::Video => MediaKind::Video,
    }
}

/// The kind as the engine has it.
pub(crate) fn engine_kind(kind: MediaKind) -> pc_jsep::MediaKind {
    match kind {
        MediaKind::Audio => pc_jsep::MediaKind::Audio,
        MediaKind::Video => pc_jsep::MediaKind::Video,
    }
}
