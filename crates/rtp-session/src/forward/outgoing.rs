//! What becomes of a packet: under which numbers it leaves.

use super::Incoming;
use crate::OutgoingPacket;
use pc_proto::{Serial16, Serial32, WriteError, Writer};
use pc_rtp::{
    ExtensionMap, ExtensionUri, Extensions, FIXED_HEADER_LEN, Header, PacketMut, ParseError,
    PayloadType, Ssrc,
    dependency::{MAX_LEN, set_frame_number},
    payload::{Vp8Descriptor, Vp8Numbers, Vp9Descriptor, Vp9Numbers},
};

/// The P bit of the first byte, RFC 3550 §5.1.
const PADDING: u8 = 0x20;

/// The numbers under which a packet is sent on.
///
/// [`write`](Self::write) writes the packet anew, with header extensions of one's own;
/// [`patch`](Self::patch) changes a copy of the packet as it came. Both leave the payload as it is, but
/// for the numbers in the descriptors of VP8 and VP9.
#[derive(Debug, Clone, Copy)]
pub struct Outgoing {
    /// The source that the receiver knows.
    pub ssrc: Ssrc,
    /// What the receiver takes the payload for.
    pub payload_type: PayloadType,
    /// One more than that of the packet before; a packet that came late has the number kept for it.
    pub sequence_number: Serial16,
    /// On one time line, whichever encoding it came from.
    pub timestamp: Serial32,
    /// Whether it is the last of its picture, as the receiver gets it.
    pub marker: bool,
    /// Whether it is sent emptied: it came late, its number is missed, but nobody waits for what is in
    /// it.
    pub is_padding: bool,
    /// Whether it is the first of a key frame.
    pub begins_key_frame: bool,
    /// The number of the frame in the dependency descriptor, where there is one.
    pub frame_number: Option<Serial16>,
    /// The decode targets that are sent on, where the receiver is to be told with this packet.
    pub active_decode_targets: Option<u32>,
    pub(super) payload_numbers: PayloadNumbers,
}

/// The numbers of the payload's descriptor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PayloadNumbers {
    None,
    Vp8(Vp8Descriptor, Vp8Numbers),
    Vp9(Vp9Descriptor, Vp9Numbers),
}

impl Outgoing {
    /// Changes a copy of the payload that came.
    ///
    /// # Errors
    ///
    /// It is shorter than what came.
    pub fn renumber(&self, payload: &mut [u8]) -> Result<(), WriteError> {
        match self.payload_numbers {
            PayloadNumbers::None => Ok(()),
            PayloadNumbers::Vp8(descriptor, numbers) => descriptor.renumber(payload, numbers),
            PayloadNumbers::Vp9(descriptor, numbers) => descriptor.renumber(payload, numbers),
        }
    }

    /// The packet for [`Session::send_packet`](crate::Session::send_packet), which writes it with the
    /// extensions of its sender, paces it, and sends it again to those who miss it. `payload` is a copy
    /// that was [renumbered](Self::renumber), or empty for padding. Its payload type has to be one of the
    /// sender's; there is no dependency descriptor then.
    pub const fn packet<'a>(&self, payload: &'a [u8]) -> OutgoingPacket<'a> {
        OutgoingPacket {
            source: self.ssrc,
            payload_type: self.payload_type,
            marker: self.marker,
            sequence_number: self.sequence_number,
            timestamp: self.timestamp,
            payload,
            audio_level: None,
            orientation: None,
        }
    }

    /// Writes the packet with these extensions, to which a dependency descriptor is added, where there
    /// is one and `map` has an id for it. Returns its length.
    ///
    /// # Errors
    ///
    /// It does not fit in `out`.
    pub fn write(
        &self,
        incoming: &Incoming<'_>,
        extensions: &Extensions<'_>,
        map: &ExtensionMap,
        out: &mut [u8],
    ) -> Result<usize, WriteError> {
        let wanted = map.id_of(ExtensionUri::DependencyDescriptor);
        match incoming.dependencies().filter(|_| wanted.is_some()) {
            None => self.write_with(incoming, extensions, map, out),
            Some(view) => {
                let mut bytes = [0; MAX_LEN];
                let number = self.frame_number.unwrap_or(view.frame_number());
                let len = view.rewrite(number, self.active_decode_targets, &mut bytes)?;
                let extensions = Extensions {
                    dependency_descriptor: bytes.get(..len),
                    ..extensions.clone()
                };
                self.write_with(incoming, &extensions, map, out)
            }
        }
    }

    fn write_with(
        &self,
        incoming: &Incoming<'_>,
        extensions: &Extensions<'_>,
        map: &ExtensionMap,
        out: &mut [u8],
    ) -> Result<usize, WriteError> {
        let header = Header {
            marker: self.marker,
            payload_type: self.payload_type,
            sequence_number: self.sequence_number,
            timestamp: self.timestamp,
            ssrc: self.ssrc,
            csrcs: &[],
            extensions,
            map,
        };
        let mut writer = Writer::new(out);
        header.write(&mut writer)?;
        let begin = writer.len();
        // RFC 3550 §5.1: the last byte of padding counts it.
        writer.bytes(if self.is_padding {
            &[1]
        } else {
            incoming.payload
        })?;
        let len = writer.len();
        if self.is_padding {
            set_padding(out);
        } else {
            self.renumber(out.get_mut(begin..len).unwrap_or_default())?;
        }
        Ok(len)
    }

    /// Changes a copy of the packet as it came, a retransmission of RFC 4588 excepted. Its header
    /// extensions stay, but for the frame number of a dependency descriptor, which has this id. Returns
    /// how many of its bytes are the packet.
    ///
    /// # Errors
    ///
    /// It is not a packet of RTP, or its payload is not what came.
    pub fn patch(
        &self,
        packet: &mut [u8],
        dependency_descriptor: Option<u8>,
    ) -> Result<usize, ParseError> {
        let len = packet.len();
        let mut copy = PacketMut::parse(packet)?;
        copy.set_payload_type(self.payload_type);
        copy.set_marker(self.marker);
        copy.set_sequence_number(self.sequence_number);
        copy.set_timestamp(self.timestamp);
        copy.set_ssrc(self.ssrc);
        let descriptor = dependency_descriptor.and_then(|id| copy.extension_mut(id));
        if let (Some(descriptor), Some(number)) = (descriptor, self.frame_number) {
            set_frame_number(descriptor, number)?;
        }
        let payload = copy.payload_mut();
        if !self.is_padding {
            return match self.renumber(payload) {
                Ok(()) => Ok(len),
                Err(_) => Err(ParseError {
                    what: "payload other than the one that came",
                    at: FIXED_HEADER_LEN,
                }),
            };
        }
        // The first byte of what came, payload or padding, is the only one that stays.
        let begin = copy.payload_start();
        set_padding(packet);
        match packet.get_mut(begin) {
            Some(count) => {
                *count = 1;
                Ok(begin + 1)
            }
            None => Err(ParseError {
                what: "packet without payload and padding",
                at: begin,
            }),
        }
    }
}

fn set_padding(packet: &mut [u8]) {
    if let Some(first) = packet.first_mut() {
        *first |= PADDING;
    }
}
