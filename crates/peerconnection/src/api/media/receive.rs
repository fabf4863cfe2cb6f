//! Where frames and packets go that have come.

use std::{sync::Arc, time::Instant};

use pc_jsep::TransceiverId;
use pc_media::MediaKind;
use pc_rtp_session::{Received, ReceivedFrame};

use super::{Flow, KeyFrameNeeds, Media, Shared, Shown, Tap, Tracks};
use crate::{
    api::{
        flow::{Inbound, Verdict},
        packets::RtpPackets,
    },
    engine::MediaPacket,
    rtp::Codec,
};

impl Media {
    /// A frame has come: it goes to whoever reads its layer, and to the receiver's track. Of what a key
    /// frame is needed, because it could not be taken, or for somebody who has begun to look.
    pub(crate) fn receive(
        &mut self,
        shared: &Arc<Shared>,
        now: Instant,
        (id, kind): (TransceiverId, MediaKind),
        received: &Received<'_>,
    ) -> KeyFrameNeeds {
        let tracks = self.tracks(id, kind);
        let flow = self.flows.entry(id).or_default();
        let flow = &mut Receiving {
            shared,
            id,
            kind,
            tracks: &tracks,
            flow,
        };
        match received {
            Received::Frame(frame) if frame.rid.is_some() => {
                let mut needs = flow.show_layer(received, frame);
                if flow.choose(now, received, frame) {
                    let wanted = flow.wanted(frame);
                    needs.layer = needs.layer.or(wanted);
                }
                needs
            }
            _ => KeyFrameNeeds {
                all: flow.show(received, false),
                layer: None,
            },
        }
    }

    /// The tracks of one layer of simulcast.
    pub(crate) fn layer(&mut self, id: TransceiverId, kind: MediaKind, rid: &str) -> Arc<Shown> {
        let tracks = self.tracks(id, kind);
        if let Some(shown) = tracks.layer(rid) {
            return shown;
        }
        let shown = Arc::new(Shown::new(kind, &mut self.rng));
        shown.set_muted(tracks.received().muted());
        if tracks.received().ready_state() == pc_media::MediaStreamTrackState::Ended {
            shown.end();
        }
        tracks.layers().push((rid.into(), shown.clone()));
        shown
    }

    /// The receiver's track is to show this layer, or the largest.
    pub(crate) fn select_layer(&mut self, id: TransceiverId, rid: Option<Arc<str>>) {
        self.flows.entry(id).or_default().choice.select(rid);
    }

    /// The layer that was selected for the receiver's track, and the one that it shows.
    pub(crate) fn layer_choice(&self, id: TransceiverId) -> (Option<Arc<str>>, Option<Arc<str>>) {
        let choice = self.flows.get(&id).map(|flow| &flow.choice);
        let both = choice.map(|it| (it.selected().cloned(), it.shown().cloned()));
        both.unwrap_or_default()
    }

    /// Reads packets of a receiver as they come.
    pub(crate) fn read_packets(&mut self, id: TransceiverId) -> RtpPackets {
        self.taps.entry(id).or_default().read()
    }

    /// A packet has come. `codec` looks a payload type of a transceiver up.
    pub(crate) fn tap(
        &mut self,
        now: Instant,
        packet: &MediaPacket<'_>,
        codec: impl FnOnce(TransceiverId, u8) -> Option<Codec>,
    ) {
        let id = packet.transceiver;
        let Some(tap) = self.taps.get_mut(&id).filter(|tap| tap.is_read()) else {
            return;
        };
        if let Some(tracks) = self.transceivers.get(&id) {
            tap.give(now, packet, tracks, |payload_type| {
                codec(id, payload_type.number())
            });
        }
    }

    /// Payload types may mean something else from now on.
    pub(crate) fn forget_codecs(&mut self) {
        self.taps.values_mut().for_each(Tap::forget_codec);
    }
}

/// A transceiver, while a frame of it is looked at.
struct Receiving<'a> {
    shared: &'a Arc<Shared>,
    id: TransceiverId,
    kind: MediaKind,
    tracks: &'a Arc<Tracks>,
    flow: &'a mut Flow,
}

impl Receiving<'_> {
    /// To whoever reads this layer for itself.
    fn show_layer(&mut self, received: &Received<'_>, frame: &ReceivedFrame<'_>) -> KeyFrameNeeds {
        let rid = frame.rid.unwrap_or_default();
        let Some(shown) = self.tracks.layer(rid) else {
            return KeyFrameNeeds::default();
        };
        let place = self
            .flow
            .layers
            .iter()
            .position(|(known, _)| **known == *rid);
        let place = place.unwrap_or_else(|| {
            let rid: Arc<str> = rid.into();
            let inbound = self.spawn(&shown, None, Some(rid.clone()));
            self.flow.layers.push((rid, inbound));
            self.flow.layers.len() - 1
        });
        let Some((rid, inbound)) = self.flow.layers.get_mut(place) else {
            return KeyFrameNeeds::default();
        };
        let overrun = inbound.push(&shown, received, false);
        KeyFrameNeeds {
            all: false,
            layer: (shown.takes_key_frame_requests() || overrun).then(|| rid.clone()),
        }
    }

    /// To the receiver's track, if it is of the layer that this shows; whether a key frame is needed of
    /// what it is to show.
    fn choose(&mut self, now: Instant, received: &Received<'_>, frame: &ReceivedFrame<'_>) -> bool {
        let rid = frame.rid.unwrap_or_default();
        let choice = &mut self.flow.choice;
        match choice.take(now, rid, frame.is_key_frame, frame.size) {
            Verdict::Show => self.show(received, false),
            Verdict::Switch => self.show(received, true),
            // Nobody sees it anyway.
            Verdict::Await => self.tracks.shown().is_wanted(),
            Verdict::Leave => false,
        }
    }

    /// The layer of the frame that has made the wish.
    fn wanted(&self, frame: &ReceivedFrame<'_>) -> Option<Arc<str>> {
        frame.rid.map(Arc::from)
    }

    fn show(&mut self, received: &Received<'_>, is_switch: bool) -> bool {
        let shown = self.tracks.shown();
        if self.flow.inbound.is_none() {
            let inbound = self.spawn(shown, Some(self.tracks), None);
            self.flow.inbound = Some(inbound);
        }
        let overrun = match &mut self.flow.inbound {
            Some(inbound) => inbound.push(shown, received, is_switch),
            None => false,
        };
        shown.takes_key_frame_requests() || overrun
    }

    fn spawn(
        &self,
        shown: &Arc<Shown>,
        counted: Option<&Arc<Tracks>>,
        rid: Option<Arc<str>>,
    ) -> Inbound {
        Inbound::spawn(self.shared, (self.id, self.kind), shown, counted, rid)
    }
}
