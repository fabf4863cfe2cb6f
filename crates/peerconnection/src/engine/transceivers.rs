//! Transceivers: the calls of the W3C's interface, by their ids.

use std::time::Instant;

use pc_jsep::{
    Codec, HeaderExtensionCapability, KindCapabilities, MediaKind, ReceiveParameters,
    SendParameters, TransceiverDirection, TransceiverId, TransceiverInit, TransceiverView,
};

use super::Connection;
use crate::Error;

impl Connection {
    /// `addTrack()`: the transceiver whose sender has the track now. `track` and `streams` are ids.
    ///
    /// # Errors
    ///
    /// `InvalidStateError`; `InvalidAccessError`: the track has a sender already.
    pub fn add_track(
        &mut self,
        kind: MediaKind,
        track: &str,
        streams: &[String],
    ) -> Result<TransceiverId, Error> {
        Ok(self.session.add_track(kind, track, streams)?)
    }

    /// `removeTrack()`, of the sender of this transceiver.
    ///
    /// # Errors
    ///
    /// `InvalidStateError`.
    pub fn remove_track(&mut self, id: TransceiverId) -> Result<(), Error> {
        Ok(self.session.remove_track(id)?)
    }

    /// `addTransceiver()`; `track` is the id of the track to send, if there is one already.
    ///
    /// # Errors
    ///
    /// `InvalidStateError`, `TypeError`, `RangeError`, `OperationError`: as the facade's
    /// [`add_transceiver`](crate::PeerConnection::add_transceiver).
    pub fn add_transceiver(
        &mut self,
        kind: MediaKind,
        track: Option<&str>,
        init: TransceiverInit,
    ) -> Result<TransceiverId, Error> {
        Ok(self.session.add_transceiver(kind, track, init)?)
    }

    /// `replaceTrack()`, as far as descriptions know of it.
    ///
    /// # Errors
    ///
    /// `InvalidStateError`: closed, or the transceiver is stopping.
    pub fn replace_track(&mut self, id: TransceiverId, track: Option<&str>) -> Result<(), Error> {
        Ok(self.session.replace_track(id, track)?)
    }

    /// `setStreams()`, by their ids.
    ///
    /// # Errors
    ///
    /// `InvalidStateError`: closed.
    pub fn set_streams(&mut self, id: TransceiverId, streams: &[String]) -> Result<(), Error> {
        Ok(self.session.set_streams(id, streams)?)
    }

    /// Sets `direction`.
    ///
    /// # Errors
    ///
    /// `InvalidStateError`: closed, or the transceiver is stopping; `TypeError`: to "stopped".
    pub fn set_direction(
        &mut self,
        id: TransceiverId,
        direction: TransceiverDirection,
    ) -> Result<(), Error> {
        Ok(self.session.set_direction(id, direction)?)
    }

    /// `stop()`.
    ///
    /// # Errors
    ///
    /// `InvalidStateError`: closed.
    pub fn stop_transceiver(&mut self, id: TransceiverId) -> Result<(), Error> {
        Ok(self.session.stop(id)?)
    }

    /// `setCodecPreferences()`.
    ///
    /// # Errors
    ///
    /// `InvalidModificationError`: one is not among the capabilities, or none carries media.
    pub fn set_codec_preferences(
        &mut self,
        id: TransceiverId,
        codecs: Vec<Codec>,
    ) -> Result<(), Error> {
        Ok(self.session.set_codec_preferences(id, codecs)?)
    }

    /// Has offers ask for these layers of simulcast.
    ///
    /// # Errors
    ///
    /// `TypeError`: what is no rid, or is there twice, or more than eight.
    pub fn set_layers_to_receive(
        &mut self,
        id: TransceiverId,
        rids: &[String],
    ) -> Result<(), Error> {
        Ok(self.session.set_layers_to_receive(id, rids)?)
    }

    /// `setHeaderExtensionsToNegotiate()`.
    ///
    /// # Errors
    ///
    /// `InvalidModificationError`: others than there are, or without the mid.
    pub fn set_header_extensions_to_negotiate(
        &mut self,
        id: TransceiverId,
        extensions: Vec<HeaderExtensionCapability>,
    ) -> Result<(), Error> {
        let session = &mut self.session;
        Ok(session.set_header_extensions_to_negotiate(id, extensions)?)
    }

    /// `sender.getParameters()`; `None` once the transceiver has stopped.
    pub fn send_parameters(&mut self, id: TransceiverId) -> Option<SendParameters> {
        self.session.send_parameters(id)
    }

    /// `sender.setParameters()`.
    ///
    /// # Errors
    ///
    /// `InvalidStateError`, `InvalidModificationError`, `RangeError`, `TypeError`: as the facade's
    /// [`set_parameters`](crate::RtpSender::set_parameters).
    pub fn set_send_parameters(
        &mut self,
        now: Instant,
        id: TransceiverId,
        parameters: SendParameters,
    ) -> Result<(), Error> {
        self.session.set_send_parameters(id, parameters)?;
        self.follow_media(now);
        Ok(())
    }

    /// Parameters that were got before cannot be set any more: what a binding to JavaScript calls when
    /// its event loop turns ([WebRTC §5.2](https://www.w3.org/TR/webrtc/#dom-rtcrtpsender-getparameters)).
    pub fn end_parameter_transactions(&mut self) {
        self.session.end_parameter_transactions();
    }

    /// `receiver.getParameters()`; `None` once the transceiver has stopped.
    pub fn receive_parameters(&self, id: TransceiverId) -> Option<ReceiveParameters> {
        self.session.receive_parameters(id)
    }

    /// A transceiver; `None` once it has stopped and been forgotten.
    pub fn transceiver(&self, id: TransceiverId) -> Option<TransceiverView<'_>> {
        self.session.transceiver(id)
    }

    /// `getTransceivers()`.
    pub fn transceivers(&self) -> impl Iterator<Item = TransceiverView<'_>> {
        self.session.transceivers()
    }

    /// The codecs and header extensions this side can use.
    pub fn capabilities(&self, kind: MediaKind) -> &KindCapabilities {
        self.session.capabilities(kind)
    }
}
