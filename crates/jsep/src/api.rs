//! What the application does with transceivers ([WebRTC §5.1](https://www.w3.org/TR/webrtc/#rtcpeerconnection-interface-extensions)).

use crate::{
    Codec, EncodingParameters, Error, HeaderExtensionCapability, KindCapabilities, MediaKind,
    ReceiveParameters, RtcpParameters, SendParameters, Session, TransceiverDirection,
    TransceiverId,
    codec::check_preferences,
    description::MAX_STREAMS,
    encoding::{SendEncodings, is_same, wanted_streams},
    extension::check_extensions_to_negotiate,
    transceiver::{Life, Negotiated, Receiver, Sender, Transceiver},
};

/// How many transceivers one session has: as many as m-sections.
const MAX_TRANSCEIVERS: usize = pc_sdp::MAX_MEDIA;
/// The longest id of a stream or track, in bytes. RFC 8830 §2 has 64, and some peers' are longer.
const MAX_ID: usize = 255;

/// `RTCRtpTransceiverInit`.
#[derive(Debug, Clone, PartialEq)]
pub struct TransceiverInit {
    /// What the transceiver is to do.
    pub direction: TransceiverDirection,
    /// The ids of the streams that the track is to be in at the peer's.
    pub streams: Vec<String>,
    /// What is to be sent; empty: one encoding.
    pub send_encodings: Vec<EncodingParameters>,
}

impl Default for TransceiverInit {
    fn default() -> Self {
        Self {
            direction: TransceiverDirection::SendRecv,
            streams: Vec::new(),
            send_encodings: Vec::new(),
        }
    }
}

impl Session {
    /// `addTrack()`: puts a track into a transceiver that has never sent, or into a new one.
    ///
    /// # Errors
    ///
    /// `InvalidStateError`; `InvalidAccessError`: the track has a sender already; `TypeError`: an id that
    /// cannot stand in a description; `OperationError`: there are as many transceivers as m-sections.
    pub fn add_track(
        &mut self,
        kind: MediaKind,
        track: &str,
        streams: &[String],
    ) -> Result<TransceiverId, Error> {
        self.check_open()?;
        check_id(track)?;
        let streams = checked_streams(streams)?;
        let mut senders = self.transceivers.iter().filter(|own| !own.is_stopped());
        if senders.any(|own| own.sender.track.as_deref() == Some(track)) {
            return Err(Error::invalid_access("the track has a sender already"));
        }
        let mut free = self.transceivers.iter_mut();
        if let Some(free) = free.find(|own| own.can_take_track(kind)) {
            free.sender.track = Some(track.to_owned());
            free.sender.streams = streams;
            free.set_sending(true);
            free.by_add_track = true;
            let id = free.id;
            self.change();
            return Ok(id);
        }
        self.check_room()?;
        let encodings = SendEncodings::single(kind);
        let id = self.push_transceiver(kind, TransceiverDirection::SendRecv, encodings);
        if let Some(own) = self.transceiver_mut(id) {
            own.sender.track = Some(track.to_owned());
            own.sender.msid = track.to_owned();
            own.sender.streams = streams;
            own.by_add_track = true;
            own.by_peer = false;
        }
        Ok(id)
    }

    /// `removeTrack()`: the sender stays, without a track.
    ///
    /// # Errors
    ///
    /// `InvalidStateError`. Nothing happens to a transceiver that is stopping or gone.
    pub fn remove_track(&mut self, id: TransceiverId) -> Result<(), Error> {
        self.check_open()?;
        let Ok(transceiver) = self.running_mut(id) else {
            return Ok(());
        };
        if transceiver.sender.track.take().is_some() {
            transceiver.set_sending(false);
            self.change();
        }
        Ok(())
    }

    /// `addTransceiver()`; `track` is the id of the track to send, if there is one already.
    ///
    /// # Errors
    ///
    /// `InvalidStateError`; `TypeError`: the direction is "stopped", encodings contradict each other, or
    /// an id cannot stand in a description; `RangeError`, `OperationError`: as the W3C says of
    /// `sendEncodings`.
    pub fn add_transceiver(
        &mut self,
        kind: MediaKind,
        track: Option<&str>,
        init: TransceiverInit,
    ) -> Result<TransceiverId, Error> {
        self.check_open()?;
        if init.direction == TransceiverDirection::Stopped {
            return Err(Error::type_error(
                "a transceiver cannot begin as \"stopped\"",
            ));
        }
        track.map_or(Ok(()), check_id)?;
        let streams = checked_streams(&init.streams)?;
        let encodings = match init.send_encodings.is_empty() {
            true => SendEncodings::single(kind),
            false => {
                let codecs = self.send_codecs(kind);
                SendEncodings::new(kind, init.send_encodings, &codecs, |codec, mode| {
                    can_send(self.capabilities(kind), codec, mode)
                })?
            }
        };
        self.check_room()?;
        let id = self.push_transceiver(kind, init.direction, encodings);
        if let Some(own) = self.transceiver_mut(id) {
            if let Some(track) = track {
                own.sender.track = Some(track.to_owned());
                own.sender.msid = track.to_owned();
            }
            own.sender.streams = streams;
            own.by_peer = false;
        }
        Ok(id)
    }

    /// `replaceTrack()`, as far as negotiation knows of it.
    ///
    /// # Errors
    ///
    /// `InvalidStateError`: closed, or the transceiver is stopping; `TypeError`: an id that cannot stand
    /// in a description.
    pub fn replace_track(&mut self, id: TransceiverId, track: Option<&str>) -> Result<(), Error> {
        self.check_open()?;
        track.map_or(Ok(()), check_id)?;
        let transceiver = self.running_mut(id)?;
        transceiver.sender.track = track.map(str::to_owned);
        Ok(())
    }

    /// `setStreams()`: the streams that the sender's track is to be in at the peer's.
    ///
    /// # Errors
    ///
    /// `InvalidStateError`; `TypeError`: an id that cannot stand in a description.
    pub fn set_streams(&mut self, id: TransceiverId, streams: &[String]) -> Result<(), Error> {
        self.check_open()?;
        let streams = checked_streams(streams)?;
        if let Some(transceiver) = self.transceiver_mut(id) {
            transceiver.sender.streams = streams;
            self.change();
        }
        Ok(())
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
        self.check_open()?;
        let transceiver = self.running_mut(id)?;
        if direction == TransceiverDirection::Stopped {
            return Err(Error::type_error("\"stopped\" is what stop() is for"));
        }
        transceiver.direction = direction;
        self.change();
        Ok(())
    }

    /// `stop()`: the next exchange rejects the m-section.
    ///
    /// # Errors
    ///
    /// `InvalidStateError`: the connection is closed.
    pub fn stop(&mut self, id: TransceiverId) -> Result<(), Error> {
        self.check_open()?;
        if let Some(transceiver) = self.transceiver_mut(id)
            && transceiver.life == Life::Running
        {
            transceiver.life = Life::Stopping;
            transceiver.direction = TransceiverDirection::Stopped;
            self.change();
        }
        Ok(())
    }

    /// `setCodecPreferences()`: which codecs, in which order; none: as if it had never been called.
    ///
    /// # Errors
    ///
    /// `InvalidModificationError`: one of them is not among the capabilities, or none carries media.
    pub fn set_codec_preferences(
        &mut self,
        id: TransceiverId,
        codecs: Vec<Codec>,
    ) -> Result<(), Error> {
        let config = self.config.clone();
        if let Some(transceiver) = self.transceiver_mut(id) {
            let all = config.capabilities.of(transceiver.kind);
            transceiver.preferences = check_preferences(all, codecs)?;
            self.change();
        }
        Ok(())
    }

    /// Has offers ask for these streams of simulcast (RFC 8853 §5.3), of which the W3C has nothing: it only
    /// answers. None: no simulcast. What has been agreed on already is offered as it is.
    ///
    /// # Errors
    ///
    /// `TypeError`: what is no rid, or is there twice, or more than eight.
    pub fn set_layers_to_receive(
        &mut self,
        id: TransceiverId,
        rids: &[String],
    ) -> Result<(), Error> {
        let wanted = wanted_streams(rids)?;
        if let Some(transceiver) = self.transceiver_mut(id) {
            transceiver.receiver.wanted = wanted;
            self.change();
        }
        Ok(())
    }

    /// `setHeaderExtensionsToNegotiate()` (webrtc-extensions §7.1).
    ///
    /// # Errors
    ///
    /// `InvalidModificationError`: other extensions than those there are, or without the mid.
    pub fn set_header_extensions_to_negotiate(
        &mut self,
        id: TransceiverId,
        extensions: Vec<HeaderExtensionCapability>,
    ) -> Result<(), Error> {
        if let Some(transceiver) = self.transceiver_mut(id) {
            transceiver.extensions =
                check_extensions_to_negotiate(&transceiver.extensions, extensions)?;
            self.change();
        }
        Ok(())
    }

    /// `sender.getParameters()`.
    pub fn send_parameters(&mut self, id: TransceiverId) -> Option<SendParameters> {
        let transaction_id = self.random.uuid();
        let cname = self.cname.clone();
        let transceiver = self.transceiver_mut(id)?;
        let Negotiated {
            send,
            extensions,
            rtcp_rsize,
            ..
        } = transceiver.negotiated.clone();
        let rtcp = RtcpParameters {
            cname,
            reduced_size: rtcp_rsize,
        };
        let encodings = &mut transceiver.sender.encodings;
        Some(encodings.parameters(|| transaction_id, &send, &extensions, &rtcp))
    }

    /// `sender.setParameters()`.
    ///
    /// # Errors
    ///
    /// `InvalidStateError`: the transceiver is stopping, or the parameters are not those of a
    /// `getParameters` of this turn; others as the W3C says.
    pub fn set_send_parameters(
        &mut self,
        id: TransceiverId,
        parameters: SendParameters,
    ) -> Result<(), Error> {
        let kind = self.running_mut(id)?.kind;
        let codecs = self.send_codecs(kind);
        let capabilities = self.capabilities(kind).clone();
        let encodings = &mut self.running_mut(id)?.sender.encodings;
        encodings.set_parameters(parameters, &codecs, |codec, mode| {
            can_send(&capabilities, codec, mode)
        })
    }

    /// The event loop has turned: parameters that were got before cannot be set any more.
    pub fn end_parameter_transactions(&mut self) {
        for transceiver in &mut self.transceivers {
            transceiver.sender.encodings.forget_last_returned();
        }
    }

    /// `receiver.getParameters()`.
    pub fn receive_parameters(&self, id: TransceiverId) -> Option<ReceiveParameters> {
        let negotiated = &self.transceiver_ref(id)?.negotiated;
        Some(ReceiveParameters {
            header_extensions: negotiated.extensions.clone(),
            rtcp: RtcpParameters {
                cname: String::new(),
                reduced_size: negotiated.rtcp_rsize,
            },
            codecs: negotiated.receive.clone(),
        })
    }

    /// A new transceiver of the peer's, unless the caller says otherwise.
    pub(crate) fn push_transceiver(
        &mut self,
        kind: MediaKind,
        direction: TransceiverDirection,
        encodings: SendEncodings,
    ) -> TransceiverId {
        let id = self.new_transceiver_id();
        let extensions = self.config.capabilities.of(kind).header_extensions.clone();
        let msid = self.random.uuid();
        self.change();
        self.transceivers.push(Transceiver {
            id,
            kind,
            mid: None,
            direction,
            current_direction: None,
            fired_direction: None,
            life: Life::Running,
            by_add_track: false,
            by_peer: true,
            preferences: None,
            extensions,
            sender: Sender {
                track: None,
                streams: Vec::new(),
                msid,
                encodings,
                has_sent: false,
            },
            receiver: Receiver::default(),
            negotiated: Negotiated::default(),
        });
        id
    }

    fn check_room(&self) -> Result<(), Error> {
        if self.transceivers.len() < MAX_TRANSCEIVERS {
            return Ok(());
        }
        let message = format!("there are {MAX_TRANSCEIVERS} transceivers already");
        Err(Error::operation(message))
    }

    fn send_codecs(&self, kind: MediaKind) -> Vec<Codec> {
        let capabilities = self.config.capabilities.of(kind);
        capabilities.send_capabilities().codecs
    }

    fn running_mut(&mut self, id: TransceiverId) -> Result<&mut Transceiver, Error> {
        self.transceiver_mut(id)
            .filter(|own| own.life == Life::Running)
            .ok_or_else(|| Error::invalid_state("the transceiver is stopped"))
    }
}

/// Whether `codec`, as it is listed or as it was negotiated, can be sent in this scalability mode.
fn can_send(capabilities: &KindCapabilities, codec: &Codec, mode: &str) -> bool {
    let mut codecs = capabilities.codecs.iter().filter(|own| own.send);
    codecs
        .any(|own| own.scalability_modes.iter().any(|it| it == mode) && is_same(&own.codec, codec))
}

/// Each once, in order.
fn checked_streams(streams: &[String]) -> Result<Vec<String>, Error> {
    let mut distinct: Vec<String> = Vec::new();
    for stream in streams {
        check_id(stream)?;
        if stream == "-" {
            let message = "a stream cannot be called \"-\": that is no stream (RFC 8830 §2)";
            return Err(Error::type_error(message));
        }
        if distinct.contains(stream) {
            continue;
        }
        if distinct.len() == MAX_STREAMS {
            let message = format!("a track in more than {MAX_STREAMS} streams");
            return Err(Error::type_error(message));
        }
        distinct.push(stream.clone());
    }
    Ok(distinct)
}

/// Ids stand in `a=msid`: one that ends the word or the line there would say something else.
fn check_id(id: &str) -> Result<(), Error> {
    if id.len() > MAX_ID {
        let message = format!("an id of a stream or track is longer than {MAX_ID} bytes");
        return Err(Error::type_error(message));
    }
    match pc_sdp::Word::new(id) {
        Ok(_) => Ok(()),
        Err(error) => Err(Error::type_error(format!(
            "the id {id:?} of a stream or track cannot stand in a description: {error}"
        ))),
    }
}
