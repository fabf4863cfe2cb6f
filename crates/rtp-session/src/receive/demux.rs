//! Whose a packet is, [RFC 9143 §9.2](https://www.rfc-editor.org/rfc/rfc9143#section-9.2).

use std::time::Instant;

use pc_rtp::{PacketView, Ssrc, payload::rtx};

use super::{Packet, Receivers, Stream, receiver::Receiver};
use crate::{Arrived, ReceiverId, Rejected};

/// How many sources are remembered; beyond, the one with the lowest number is looked for anew.
const MAX_ROUTES: usize = 256;

/// Whose packets of a source are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Route {
    pub(super) receiver: ReceiverId,
    /// They are retransmissions (RFC 4588).
    pub(super) is_rtx: bool,
}

impl Receivers {
    /// By its source, if that is known and has not changed sides; else by MID, by the sources that
    /// signaling named, or by a payload type that only one receiver takes.
    pub(super) fn route(&self, packet: &PacketView<'_>) -> Result<Route, Rejected> {
        let payload_type = packet.payload_type();
        let known = self.routes.get(&packet.ssrc()).copied();
        let known = known.and_then(|route| self.get(route.receiver));
        let receiver = match known.filter(|receiver| receiver.may_own(packet)) {
            Some(receiver) => receiver,
            None => self.find(packet)?,
        };
        let is_media = receiver.codec(payload_type).is_some();
        if !is_media && receiver.codec_of_rtx(payload_type).is_none() {
            return Err(Rejected::UnknownPayloadType(payload_type));
        }
        Ok(Route {
            receiver: receiver.id,
            is_rtx: !is_media,
        })
    }

    fn find(&self, packet: &PacketView<'_>) -> Result<&Receiver, Rejected> {
        let ssrc = packet.ssrc();
        // RFC 9143 §9.2: a MID decides, and one that nobody has drops the packet.
        if let Some(mid) = self.list.iter().find_map(|it| it.mid_of(packet)) {
            let named = self.list.iter().find(|it| it.parameters.mid == mid);
            return named.ok_or(Rejected::UnknownSsrc(ssrc));
        }
        // Its route may have had to make room, but its stream is still there.
        if let Some(known) = self.list.iter().find(|it| it.has(ssrc)) {
            return Ok(known);
        }
        let signaled = self.list.iter().find(|it| {
            let parameters = &it.parameters;
            let pairs = &parameters.rtx_pairs;
            parameters.ssrcs.contains(&ssrc) || pairs.iter().any(|(_, rtx)| *rtx == ssrc)
        });
        if let Some(signaled) = signaled {
            return Ok(signaled);
        }
        let mut taking = self
            .list
            .iter()
            .filter(|it| it.takes(packet.payload_type()));
        match (taking.next(), taking.next()) {
            (Some(only), None) => Ok(only),
            _ => Err(Rejected::UnknownSsrc(ssrc)),
        }
    }

    pub(super) fn remember(&mut self, ssrc: Ssrc, route: Route) {
        if self.routes.insert(ssrc, route).is_none() && self.routes.len() > MAX_ROUTES {
            self.routes.pop_first();
        }
    }
}

/// Gives a packet to its stream, and says which stream that has replaced.
pub(super) fn deliver<'d>(
    now: Instant,
    receiver: &mut Receiver,
    route: Route,
    packet: PacketView<'d>,
) -> Result<(Arrived<'d>, Option<Ssrc>), Rejected> {
    let parameters = &receiver.parameters;
    let extensions = packet.extensions().read(&parameters.extensions);
    let (at, number, payload, replaced) = if route.is_rtx {
        let unknown = Rejected::UnknownSsrc(packet.ssrc());
        let at = receiver.repaired(packet.ssrc(), extensions.repaired_rid);
        let at = at.ok_or(unknown)?;
        if packet.payload().is_empty() {
            // Padding, to find out what the path takes.
            return padding(receiver, at, packet);
        }
        let (number, payload) = rtx::parse(packet.payload())?;
        (at, number, payload, None)
    } else {
        let (at, replaced) = stream_of(now, receiver, &packet, extensions.rid)?;
        (at, packet.sequence_number(), packet.payload(), replaced)
    };
    let payload_type = packet.payload_type();
    let parameters = &receiver.parameters;
    let codec = parameters.codecs.iter().find(|it| match route.is_rtx {
        true => it.rtx == Some(payload_type),
        false => it.payload_type == payload_type,
    });
    let codec = codec.ok_or(Rejected::UnknownPayloadType(payload_type))?;
    let stream = receiver.streams.get_mut(at);
    let stream = stream.ok_or(Rejected::UnknownSsrc(packet.ssrc()))?;
    stream.on_packet(
        now,
        &Packet {
            number,
            payload,
            view: &packet,
            extensions: &extensions,
            codec,
            is_retransmission: route.is_rtx,
        },
    )?;
    let arrived = Arrived {
        receiver: receiver.id,
        ssrc: stream.ssrc,
        payload_type: codec.payload_type,
        sequence_number: number,
        payload,
        is_retransmission: route.is_rtx,
        rid: stream.rid.clone(),
        audio_level: extensions.audio_level,
        orientation: extensions.orientation,
        packet,
    };
    Ok((arrived, replaced))
}

/// Where the stream of a packet that comes for the first time is, and which one it has replaced.
fn stream_of(
    now: Instant,
    receiver: &mut Receiver,
    packet: &PacketView<'_>,
    rid: Option<&str>,
) -> Result<(usize, Option<Ssrc>), Rejected> {
    let ssrc = packet.ssrc();
    if let Some(at) = receiver.stream(ssrc) {
        return Ok((at, None));
    }
    let replaced = receiver.replace(now, ssrc, rid);
    let replaced = replaced.map_err(|()| Rejected::UnknownSsrc(ssrc))?;
    let codec = receiver.codec(packet.payload_type());
    let codec = codec.ok_or(Rejected::UnknownPayloadType(packet.payload_type()))?;
    let stream = Stream::new(now, ssrc, rid, codec, &receiver.parameters.mid);
    Ok((receiver.add(now, stream), replaced))
}

fn padding<'d>(
    receiver: &mut Receiver,
    at: usize,
    packet: PacketView<'d>,
) -> Result<(Arrived<'d>, Option<Ssrc>), Rejected> {
    let codec = receiver.codec_of_rtx(packet.payload_type());
    let payload_type = codec.map_or(packet.payload_type(), |it| it.payload_type);
    let id = receiver.id;
    let stream = receiver.streams.get_mut(at);
    let stream = stream.ok_or(Rejected::UnknownSsrc(packet.ssrc()))?;
    stream.stats.packets_received += 1;
    let overhead = packet.header_len() + packet.padding_len();
    stream.stats.header_bytes_received += overhead as u64;
    let arrived = Arrived {
        receiver: id,
        ssrc: stream.ssrc,
        payload_type,
        sequence_number: packet.sequence_number(),
        payload: &[],
        is_retransmission: true,
        rid: stream.rid.clone(),
        audio_level: None,
        orientation: None,
        packet,
    };
    Ok((arrived, None))
}
