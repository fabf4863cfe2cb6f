//! Media: which transceiver sends and receives on which transport, and what goes through them.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use pc_jsep::{CodecParameters, TransceiverId, TransceiverView, TransportId};
use pc_rtp::PayloadType;
use pc_rtp_session::{self as rtp, ReceiverId, SenderId};

use super::{Connection, Event, rtp_parameters as parameters};
use crate::Error;

/// Which transceivers have a sender or a receiver, and on which transport. RTP knows them by their
/// number.
#[derive(Default)]
pub(super) struct Media {
    routes: HashMap<u32, Route>,
    /// How long what transceivers receive is to wait at least.
    targets: HashMap<u32, Duration>,
}

/// What a transceiver has on a transport.
struct Route {
    transceiver: TransceiverId,
    transport: TransportId,
    sends: Option<rtp::SenderParameters>,
    receives: Option<rtp::ReceiverParameters>,
}

/// Where a transceiver's media are.
pub(super) struct MediaRoute {
    pub(super) transport: TransportId,
}

/// A packet of media that has come, in the clear.
#[derive(Debug, Clone)]
pub struct MediaPacket<'d> {
    /// What it is for.
    pub transceiver: TransceiverId,
    /// The packet, and the original's numbers when it is a retransmission.
    pub arrived: rtp::Arrived<'d>,
}

impl Media {
    /// For whom a packet is.
    pub(super) fn packet<'d>(&self, input: rtp::Input<'d>) -> Option<MediaPacket<'d>> {
        match input {
            rtp::Input::Rtp(arrived) => Some(MediaPacket {
                transceiver: self.transceiver(arrived.receiver.0)?,
                arrived,
            }),
            _ => None,
        }
    }

    /// Whether a transceiver receives.
    pub(super) fn receives(&self, id: TransceiverId) -> bool {
        let route = self.routes.get(&id.number());
        route.is_some_and(|it| it.receives.is_some())
    }

    /// What comes to a transceiver with this payload type.
    pub(super) fn received_codec(
        &self,
        id: TransceiverId,
        own: PayloadType,
    ) -> Option<&rtp::Codec> {
        let receives = self.routes.get(&id.number())?.receives.as_ref()?;
        receives.codecs.iter().find(|it| it.payload_type == own)
    }

    fn transceiver(&self, number: u32) -> Option<TransceiverId> {
        Some(self.routes.get(&number)?.transceiver)
    }
}

/// What a transceiver has to send with: see [`Connection::send_view`].
#[derive(Debug, Clone, PartialEq)]
pub struct SendView<'a> {
    /// What may be sent, what the peer wants most first.
    pub codecs: &'a [CodecParameters],
    /// What is to be made of the track.
    pub encodings: &'a [pc_jsep::EncodingParameters],
    /// What the peer takes of each encoding, where it says so.
    pub restrictions: Vec<Option<&'a pc_jsep::RidRestrictions>>,
    /// Whether there are keys to send with.
    pub is_ready: bool,
}

impl Connection {
    /// Brings senders and receivers in line with what has been negotiated.
    pub(super) fn follow_media(&mut self, now: Instant) {
        let mut old = std::mem::take(&mut self.media.routes);
        let mut targeted = Vec::new();
        for view in self.session.transceivers() {
            let number = view.id().number();
            let before = old.remove(&number);
            let Some(transport) = view.transport() else {
                self.transports.end_media(now, before.as_ref());
                continue;
            };
            let moved = before.filter(|route| {
                let stays = route.transport == transport;
                if !stays {
                    self.transports.end_media(now, Some(route));
                }
                stays
            });
            let next = Route {
                transceiver: view.id(),
                transport,
                sends: sends(&view).then(|| parameters::sender(&view)).flatten(),
                receives: receives(&view)
                    .then(|| parameters::receiver(&view))
                    .flatten(),
            };
            if self.transports.carry_media(now, moved.as_ref(), &next) {
                self.events.push_back(Event::SenderChange(view.id()));
            }
            self.media.routes.insert(number, next);
            if self.media.targets.contains_key(&number) {
                targeted.push(view.id());
            }
        }
        for route in old.values() {
            self.transports.end_media(now, Some(route));
        }
        for id in targeted {
            self.follow_target(id);
        }
    }

    /// What RTP has to tell.
    pub(super) fn pump_media(&mut self, now: Instant) {
        for transport in self.transports.follow_keys(now) {
            let routes = self.media.routes.values();
            let sending = routes.filter(|it| it.transport == transport && it.sends.is_some());
            let senders = sending.map(|it| Event::SenderChange(it.transceiver));
            self.events.extend(senders);
        }
        while let Some(event) = self.transports.poll_rtp_event() {
            let known = |number| self.media.transceiver(number);
            let event = match event {
                rtp::Event::FirstPacket(ReceiverId(id)) => known(id).map(Event::TrackUnmuted),
                rtp::Event::FrameReady(ReceiverId(id)) => known(id).map(Event::FrameReady),
                rtp::Event::KeyFrameRequested { sender, encoding } => {
                    known(sender.0).map(|id| Event::KeyFrameRequested(id, encoding))
                }
                rtp::Event::TargetBitrate {
                    sender,
                    bits_per_second,
                } => known(sender.0).map(|id| Event::TargetBitrate(id, bits_per_second)),
                _ => None,
            };
            self.events.extend(event);
        }
    }

    pub(super) fn session_of(&mut self, id: TransceiverId) -> Option<&mut rtp::Session> {
        let route = self.media.routes.get(&id.number())?;
        self.transports.rtp_session(route.transport)
    }

    /// Sends a frame of an encoder, as one of the transceiver's encodings. Sound is left out while
    /// [tones](Self::insert_dtmf) are played.
    ///
    /// # Errors
    ///
    /// `InvalidStateError`: the transceiver does not send, or cannot [yet](SendView::is_ready);
    /// `OperationError`: the frame cannot be put into packets.
    pub fn send_frame(
        &mut self,
        now: Instant,
        id: TransceiverId,
        encoding: usize,
        frame: rtp::Frame<'_>,
    ) -> Result<(), Error> {
        if self.dtmf.silences(id) {
            return Ok(());
        }
        self.sending(id, |session| {
            session.send_frame(now, SenderId(id.number()), encoding, frame)
        })
    }

    /// Forwards a packet that was received elsewhere, with its marker, timestamp and payload; header
    /// and extensions are written anew. Left out while tones are played, as frames are.
    ///
    /// # Errors
    ///
    /// As [`send_frame`](Self::send_frame).
    pub fn send_packet(
        &mut self,
        now: Instant,
        id: TransceiverId,
        encoding: usize,
        packet: rtp::OutgoingPacket<'_>,
    ) -> Result<(), Error> {
        if self.dtmf.silences(id) {
            return Ok(());
        }
        self.sending(id, |session| {
            session.send_packet(now, SenderId(id.number()), encoding, packet)
        })
    }

    /// Tells at what rate of the network's the transceiver could send another of its encodings, 0 when
    /// it sends all: that much is tried out even where what is sent now does not fill the network.
    pub fn set_wanted_bitrate(&mut self, id: TransceiverId, bits_per_second: u64) {
        if let Some(session) = self.session_of(id) {
            session.set_wanted_bitrate(SenderId(id.number()), bits_per_second);
        }
    }

    pub(super) fn sending(
        &mut self,
        id: TransceiverId,
        send: impl FnOnce(&mut rtp::Session) -> Result<(), rtp::SendError>,
    ) -> Result<(), Error> {
        self.check_open()?;
        let route = self.media.routes.get(&id.number());
        if !route.is_some_and(|it| self.transports.can_send(it.transport)) {
            let message = "nothing can be sent yet: there is no path with keys";
            return Err(Error::InvalidState(message.into()));
        }
        let session = self.session_of(id);
        let session =
            session.ok_or_else(|| Error::InvalidState("the transceiver does not send".into()))?;
        send(session).map_err(|error| Error::Operation(error.to_string().into()))
    }

    fn is_ready(&self, id: TransceiverId) -> bool {
        let route = self.media.routes.get(&id.number());
        route.is_some_and(|it| it.sends.is_some() && self.transports.has_keys(it.transport))
    }

    /// What the transceiver has to send with; `None` while it does not send.
    pub fn send_view(&self, id: TransceiverId) -> Option<SendView<'_>> {
        self.media.routes.get(&id.number())?.sends.as_ref()?;
        let view = self.session.transceiver(id)?;
        Some(SendView {
            codecs: view.send_codecs(),
            encodings: view.send_encodings(),
            restrictions: (view.send_encodings().iter())
                .map(|it| view.send_restrictions(it.rid.as_deref()?))
                .collect(),
            is_ready: self.is_ready(id),
        })
    }

    /// The next frame of this transceiver that is complete and due; after
    /// [`FrameReady`](Event::FrameReady) until it is `None`.
    pub fn poll_frame(&mut self, now: Instant, id: TransceiverId) -> Option<rtp::Received<'_>> {
        self.session_of(id)?
            .poll_frame(now, ReceiverId(id.number()))
    }

    /// Asks the peer for a key frame: at most once a second.
    pub fn request_key_frame(&mut self, now: Instant, id: TransceiverId) {
        if let Some(session) = self.session_of(id) {
            session.request_key_frame(now, ReceiverId(id.number()));
        }
    }

    /// The same of one layer of simulcast, by its restriction identifier; of all, without one.
    pub fn request_layer_key_frame(&mut self, now: Instant, id: TransceiverId, rid: Option<&str>) {
        let Some(session) = self.session_of(id) else {
            return;
        };
        let receiver = ReceiverId(id.number());
        match rid {
            Some(rid) => session.request_layer_key_frame(now, receiver, rid),
            None => session.request_key_frame(now, receiver),
        }
    }

    /// Whether the frames of a layer of simulcast are wanted: see
    /// [`rtp::Session::set_layer_paused`].
    pub fn set_layer_paused(
        &mut self,
        now: Instant,
        id: TransceiverId,
        rid: &str,
        is_paused: bool,
    ) {
        if let Some(session) = self.session_of(id) {
            session.set_layer_paused(now, ReceiverId(id.number()), rid, is_paused);
        }
    }

    /// The layers of simulcast that a transceiver receives, or its only stream.
    pub fn received_layers(
        &self,
        now: Instant,
        id: TransceiverId,
    ) -> impl Iterator<Item = rtp::ReceivedLayer> {
        let session = self.session_for(id).into_iter();
        session.flat_map(move |it| it.received_layers(now, ReceiverId(id.number())))
    }

    /// The contributing sources that were heard or seen in the last ten seconds, the latest first.
    pub fn contributing_sources(
        &self,
        now: Instant,
        id: TransceiverId,
    ) -> impl Iterator<Item = rtp::Source> {
        let session = self.session_for(id).into_iter();
        session.flat_map(move |it| it.contributing_sources(now, ReceiverId(id.number())))
    }

    /// The synchronization sources that were heard or seen in the last ten seconds, the latest first.
    pub fn synchronization_sources(
        &self,
        now: Instant,
        id: TransceiverId,
    ) -> impl Iterator<Item = rtp::Source> {
        let session = self.session_for(id).into_iter();
        session.flat_map(move |it| it.synchronization_sources(now, ReceiverId(id.number())))
    }

    /// What is counted about each stream that a transceiver sends.
    pub fn outbound_stats(&self, id: TransceiverId) -> impl Iterator<Item = rtp::OutboundStats> {
        let session = self.session_for(id).into_iter();
        session.flat_map(move |it| it.outbound_stats(SenderId(id.number())))
    }

    /// What is counted about each stream that a transceiver receives.
    pub fn inbound_stats(&self, id: TransceiverId) -> impl Iterator<Item = rtp::InboundStats> {
        let session = self.session_for(id).into_iter();
        session.flat_map(move |it| it.inbound_stats(ReceiverId(id.number())))
    }

    /// The transceivers that have something on a transport.
    pub(super) fn media_routes(&self) -> impl Iterator<Item = (MediaRoute, TransceiverView<'_>)> {
        self.session.transceivers().filter_map(|view| {
            let route = self.media.routes.get(&view.id().number())?;
            let transport = route.transport;
            Some((MediaRoute { transport }, view))
        })
    }

    pub(super) fn session_for(&self, id: TransceiverId) -> Option<&rtp::Session> {
        let route = self.media.routes.get(&id.number())?;
        let transport = self.transports.get(route.transport)?;
        Some(&transport.rtp.as_ref()?.session)
    }

    /// `receiver.jitterBufferTarget`: how long media is to wait at least; `None`: as the network
    /// demands.
    pub fn set_jitter_buffer_target(&mut self, id: TransceiverId, target: Option<Duration>) {
        match target {
            Some(target) => self.media.targets.insert(id.number(), target),
            None => self.media.targets.remove(&id.number()),
        };
        self.follow_target(id);
    }

    /// `receiver.jitterBufferTarget`.
    pub fn jitter_buffer_target(&self, id: TransceiverId) -> Option<Duration> {
        self.media.targets.get(&id.number()).copied()
    }

    fn follow_target(&mut self, id: TransceiverId) {
        let target = self.jitter_buffer_target(id);
        if let Some(session) = self.session_of(id) {
            session.set_jitter_buffer_target(ReceiverId(id.number()), target);
        }
    }
}

impl Route {
    fn sender(&self) -> SenderId {
        SenderId(self.transceiver.number())
    }

    fn receiver(&self) -> ReceiverId {
        ReceiverId(self.transceiver.number())
    }
}

fn sends(view: &TransceiverView<'_>) -> bool {
    let direction = view.current_direction();
    !view.is_stopping() && direction.is_some_and(|it| it.sends())
}

fn receives(view: &TransceiverView<'_>) -> bool {
    let direction = view.current_direction();
    !view.is_stopping() && direction.is_some_and(|it| it.receives())
}

impl super::transports::Transports {
    /// Changes what a transceiver has on its transport; whether its sender has changed.
    fn carry_media(&mut self, now: Instant, before: Option<&Route>, next: &Route) -> bool {
        let wanted = next.sends.is_some() || next.receives.is_some();
        if !wanted && before.is_none() {
            return false;
        }
        let Some(session) = self.rtp_session_or_new(now, next.transport) else {
            return false;
        };
        let sent = before.and_then(|it| it.sends.as_ref());
        let changed = sent != next.sends.as_ref();
        match &next.sends {
            Some(parameters) if changed => {
                session.set_sender(now, next.sender(), parameters.clone());
            }
            None if changed => session.remove_sender(now, next.sender()),
            _ => {}
        }
        let received = before.and_then(|it| it.receives.as_ref());
        if received != next.receives.as_ref() {
            match &next.receives {
                Some(parameters) => session.set_receiver(now, next.receiver(), parameters.clone()),
                None => session.remove_receiver(now, next.receiver()),
            }
        }
        changed
    }

    /// The transceiver has left its transport.
    fn end_media(&mut self, now: Instant, route: Option<&Route>) {
        let Some(route) = route else { return };
        if let Some(session) = self.rtp_session(route.transport) {
            session.remove_sender(now, route.sender());
            session.remove_receiver(now, route.receiver());
        }
    }
}
