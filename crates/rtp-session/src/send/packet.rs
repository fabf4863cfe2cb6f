//! Writing one packet: header, extensions and payload, once, into the datagram that leaves.

use super::{history::SentFrame, stream::Stream};
use crate::{Codec, SenderParameters};
use pc_proto::{Serial16, Serial32, TransmitBuf, WriteError, Writer};
use pc_rtp::{
    AbsSendTime, AudioLevel, ExtensionMap, ExtensionUri, Extensions, Header, PayloadType, Ssrc,
    VideoOrientation, payload::rtx,
};
use std::time::Duration;

/// What differs from packet to packet, whatever the frame.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stamp {
    /// Since the Unix epoch.
    pub(super) unix: Duration,
    pub(super) transport_sequence: Serial16,
}

/// The bytes that were written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Written {
    pub(super) header: usize,
    pub(super) payload: usize,
}

/// The extensions of a sender, looked up once.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Negotiated {
    mid: bool,
    rid: bool,
    repaired_rid: bool,
    abs_send_time: bool,
    pub(super) transport_sequence: bool,
    audio_level: bool,
    orientation: bool,
}

impl Negotiated {
    pub(super) fn new(map: &ExtensionMap) -> Self {
        let has = |uri| map.id_of(uri).is_some();
        Self {
            mid: has(ExtensionUri::Mid),
            rid: has(ExtensionUri::Rid),
            repaired_rid: has(ExtensionUri::RepairedRid),
            abs_send_time: has(ExtensionUri::AbsSendTime),
            transport_sequence: has(ExtensionUri::TransportCc),
            audio_level: has(ExtensionUri::SsrcAudioLevel),
            orientation: has(ExtensionUri::VideoOrientation),
        }
    }

    fn extensions<'a>(
        self,
        parameters: &'a SenderParameters,
        stream: &'a Stream,
        shown: Shown,
        stamp: Stamp,
    ) -> Extensions<'a> {
        // RFC 9143 §15 and RFC 8852 §3: until the receiver knows whose the SSRC is, which its
        // report about it shows.
        let rid = stream.rid.as_deref().filter(|_| !shown.is_known_to_peer);
        Extensions {
            mid: (self.mid && !shown.is_known_to_peer).then_some(parameters.mid.as_str()),
            rid: rid.filter(|_| self.rid && !shown.is_repaired),
            repaired_rid: rid.filter(|_| self.repaired_rid && shown.is_repaired),
            abs_send_time: (self.abs_send_time).then(|| AbsSendTime::from_duration(stamp.unix)),
            transport_sequence: (self.transport_sequence).then_some(stamp.transport_sequence.0),
            audio_level: shown.audio_level.filter(|_| self.audio_level),
            orientation: shown.orientation.filter(|_| self.orientation),
            ..Extensions::default()
        }
    }
}

/// What decides which extensions a packet has.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shown {
    pub(super) is_known_to_peer: bool,
    pub(super) is_repaired: bool,
    pub(super) audio_level: Option<AudioLevel>,
    pub(super) orientation: Option<VideoOrientation>,
}

/// One packet of a frame.
#[derive(Debug, Clone, Copy)]
pub(super) struct Packet<'a> {
    pub(super) frame: &'a SentFrame,
    /// Which one.
    pub(super) offset: usize,
    pub(super) ssrc: Ssrc,
    pub(super) payload_type: PayloadType,
    pub(super) sequence_number: Serial16,
    /// In the stream of retransmissions: the number it had.
    pub(super) original: Option<Serial16>,
    pub(super) is_known_to_peer: bool,
}

impl Packet<'_> {
    fn marker(&self) -> bool {
        self.frame.marker && self.offset + 1 == self.frame.payloads.len()
    }

    /// Appends it to `out`.
    pub(super) fn write(
        &self,
        parameters: &SenderParameters,
        negotiated: Negotiated,
        stream: &Stream,
        stamp: Stamp,
        out: &mut TransmitBuf<'_>,
    ) -> Written {
        let shown = Shown {
            is_known_to_peer: self.is_known_to_peer,
            is_repaired: self.original.is_some(),
            audio_level: self.frame.audio_level,
            orientation: self.frame.orientation,
        };
        let extensions = negotiated.extensions(parameters, stream, shown, stamp);
        let header = Header {
            marker: self.marker(),
            payload_type: self.payload_type,
            sequence_number: self.sequence_number,
            timestamp: self.frame.timestamp,
            ssrc: self.ssrc,
            csrcs: &[],
            extensions: &extensions,
            map: &parameters.extensions,
        };
        let payload = self.frame.payloads.get(self.offset).unwrap_or_default();
        let original_len = self.original.map_or(0, |_| rtx::HEADER_LEN);
        let written = Written {
            header: header.wire_len(),
            payload: original_len + payload.len(),
        };
        let write = |bytes: &mut [u8]| -> Result<(), WriteError> {
            let mut writer = Writer::new(bytes);
            header.write(&mut writer)?;
            match self.original {
                Some(original) => rtx::write(original, payload, &mut writer),
                None => writer.bytes(payload),
            }
        };
        let len = written.header + written.payload;
        out.datagram_up_to(len, |bytes| write(bytes).ok().map(|()| len));
        written
    }
}

/// How many bytes of payload fit beside the longest header that a packet of this stream has, now
/// or when it is sent again.
pub(super) fn max_payload(
    parameters: &SenderParameters,
    negotiated: Negotiated,
    stream: &Stream,
    codec: &Codec,
    shown: Shown,
    mtu: usize,
) -> usize {
    let stamp = Stamp {
        unix: Duration::ZERO,
        transport_sequence: Serial16(0),
    };
    // A repaired RID is as long as the RID.
    let extensions = negotiated.extensions(parameters, stream, shown, stamp);
    let header = Header {
        marker: false,
        payload_type: codec.payload_type,
        sequence_number: Serial16(0),
        timestamp: Serial32(0),
        ssrc: stream.ssrc,
        csrcs: &[],
        extensions: &extensions,
        map: &parameters.extensions,
    };
    let original = codec.rtx.map_or(0, |_| rtx::HEADER_LEN);
    mtu.saturating_sub(header.wire_len() + original)
}
