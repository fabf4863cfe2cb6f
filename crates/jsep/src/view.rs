//! What there is to read of transceivers ([WebRTC §5](https://www.w3.org/TR/webrtc/#rtp-media-api)).

use pc_sdp::Ssrc;

use crate::{
    CodecParameters, EncodingParameters, HeaderExtension, HeaderExtensionCapability, MediaKind,
    RidRestrictions, Session, TransceiverDirection, TransceiverId, TransportId,
    transceiver::Transceiver,
};

impl Session {
    /// A transceiver; `None` once it has stopped and been forgotten.
    pub fn transceiver(&self, id: TransceiverId) -> Option<TransceiverView<'_>> {
        let transceiver = self.transceiver_ref(id)?;
        Some(TransceiverView {
            session: self,
            transceiver,
        })
    }

    /// `getTransceivers()`: in the order they were made.
    pub fn transceivers(&self) -> impl Iterator<Item = TransceiverView<'_>> {
        self.transceivers.iter().map(|transceiver| TransceiverView {
            session: self,
            transceiver,
        })
    }
}

/// What a transceiver is now: the attributes of `RTCRtpTransceiver` and its two halves.
#[derive(Debug, Clone, Copy)]
pub struct TransceiverView<'a> {
    session: &'a Session,
    transceiver: &'a Transceiver,
}

impl<'a> TransceiverView<'a> {
    /// Its name here.
    pub fn id(&self) -> TransceiverId {
        self.transceiver.id
    }

    /// Audio or video.
    pub fn kind(&self) -> MediaKind {
        self.transceiver.kind
    }

    /// `mid`: the m-section it belongs to.
    pub fn mid(&self) -> Option<&'a str> {
        self.transceiver.mid.as_deref()
    }

    /// `direction`: what the application wants.
    pub fn direction(&self) -> TransceiverDirection {
        self.transceiver.direction
    }

    /// `currentDirection`: what the last exchange has decided.
    pub fn current_direction(&self) -> Option<TransceiverDirection> {
        self.transceiver.current_direction
    }

    /// `stopped`, deprecated by the W3C: its m-section is rejected.
    pub fn is_stopped(&self) -> bool {
        self.transceiver.is_stopped()
    }

    /// `[[Stopping]]`: stopped by the application, or altogether.
    pub fn is_stopping(&self) -> bool {
        self.transceiver.is_stopping()
    }

    /// The transport of both halves, once a description says which it is.
    pub fn transport(&self) -> Option<TransportId> {
        let agreement = &self.session.agreement;
        let (_, section) = agreement.section_of(self.mid()?)?;
        let id = section.transport?;
        agreement.plan(id).map(|plan| plan.id)
    }

    /// The id of the sender's track.
    pub fn sender_track(&self) -> Option<&'a str> {
        self.transceiver.sender.track.as_deref()
    }

    /// The streams that the sender's track is to be in.
    pub fn sender_streams(&self) -> &'a [String] {
        &self.transceiver.sender.streams
    }

    /// What is sent.
    pub fn send_encodings(&self) -> &'a [EncodingParameters] {
        self.transceiver.sender.encodings.encodings()
    }

    /// The streams that the receiver's track is in.
    pub fn receiver_streams(&self) -> &'a [String] {
        &self.transceiver.receiver.streams
    }

    /// What may be sent, with the peer's payload types, what the peer wants most first.
    pub fn send_codecs(&self) -> &'a [CodecParameters] {
        &self.transceiver.negotiated.send
    }

    /// What may come, with our payload types.
    pub fn receive_codecs(&self) -> &'a [CodecParameters] {
        &self.transceiver.negotiated.receive
    }

    /// The header extensions that both sides use.
    pub fn header_extensions(&self) -> &'a [HeaderExtension] {
        &self.transceiver.negotiated.extensions
    }

    /// Whether both sides take RTCP in reduced size (RFC 5506).
    pub fn rtcp_reduced_size(&self) -> bool {
        self.transceiver.negotiated.rtcp_rsize
    }

    /// The streams of simulcast that the peer sends and we receive, by their rids in the order that was
    /// agreed on (RFC 8853 §5.2); none without simulcast.
    pub fn receive_rids(&self) -> &'a [String] {
        &self.transceiver.negotiated.receive_rids
    }

    /// What the peer takes of the stream of this rid that we send, if it restricts it (RFC 8851 §5).
    pub fn send_restrictions(&self, rid: &str) -> Option<&'a RidRestrictions> {
        let mut all = self.transceiver.negotiated.send_restrictions.iter();
        all.find(|(own, _)| own == rid).map(|(_, it)| it)
    }

    /// The synchronization sources that the peer's section names (RFC 5576); most name none.
    pub fn peer_ssrcs(&self) -> &'a [Ssrc] {
        &self.transceiver.negotiated.sources.ssrcs
    }

    /// Of these, each stream with what retransmits it (`FID`).
    pub fn peer_ssrc_pairs(&self) -> &'a [(Ssrc, Ssrc)] {
        &self.transceiver.negotiated.sources.retransmitted
    }

    /// `getHeaderExtensionsToNegotiate()`.
    pub fn header_extensions_to_negotiate(&self) -> &'a [HeaderExtensionCapability] {
        &self.transceiver.extensions
    }
}
