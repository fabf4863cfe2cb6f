//! What negotiation has decided about a transceiver, as RTP is told it.

use pc_jsep::{CodecParameters, HeaderExtension, Priority, TransceiverView};
use pc_rtp::{ExtensionMap, ExtensionUri, PayloadType, payload::Format};
use pc_rtp_session::{Codec, EncodingParameters, ReceiverParameters, SenderParameters};
use pc_sdp::{Direction, Feedback};

/// How the transceiver sends; `None` while it has no m-section, or no codec that can be sent.
pub(super) fn sender(view: &TransceiverView<'_>) -> Option<SenderParameters> {
    let codecs = codecs(view.send_codecs());
    let encodings = view.send_encodings().iter().map(|it| EncodingParameters {
        rid: it.rid.clone(),
        active: it.active,
    });
    Some(SenderParameters {
        mid: view.mid()?.to_owned(),
        extensions: extensions(view.header_extensions(), |direction| {
            matches!(direction, Direction::SendRecv | Direction::SendOnly)
        }),
        encodings: encodings.collect(),
        reduced_size: view.rtcp_reduced_size(),
        weight: weight(view.send_encodings()),
        codecs: Some(codecs).filter(|codecs| !codecs.is_empty())?,
    })
}

/// How a sender ranks for the bandwidth: as the highest of its active encodings. Each priority is worth
/// twice the one below (RFC 8835 §4.1, webrtc-priority §4).
fn weight(encodings: &[pc_jsep::EncodingParameters]) -> u32 {
    let active = encodings.iter().filter(|it| it.active);
    let weights = active.map(|it| match it.priority {
        Priority::VeryLow => 1,
        Priority::Low => 2,
        Priority::Medium => 4,
        Priority::High => 8,
    });
    weights.max().unwrap_or(1)
}

/// What the transceiver receives; `None` while it has no m-section, or no codec that can come.
pub(super) fn receiver(view: &TransceiverView<'_>) -> Option<ReceiverParameters> {
    let codecs = codecs(view.receive_codecs());
    let pairs = view.peer_ssrc_pairs().iter();
    Some(ReceiverParameters {
        mid: view.mid()?.to_owned(),
        extensions: extensions(view.header_extensions(), |direction| {
            matches!(direction, Direction::SendRecv | Direction::RecvOnly)
        }),
        rids: view.receive_rids().to_vec(),
        ssrcs: view
            .peer_ssrcs()
            .iter()
            .map(|it| pc_rtp::Ssrc(it.0))
            .collect(),
        rtx_pairs: pairs
            .map(|(media, rtx)| (pc_rtp::Ssrc(media.0), pc_rtp::Ssrc(rtx.0)))
            .collect(),
        reduced_size: view.rtcp_reduced_size(),
        codecs: Some(codecs).filter(|codecs| !codecs.is_empty())?,
    })
}

/// Those that carry media, each with what retransmits it, and beside them redundancy of sound and
/// telephone events.
fn codecs(negotiated: &[CodecParameters]) -> Vec<Codec> {
    let media = negotiated.iter().filter(|it| it.codec.is_media());
    let mut codecs: Vec<_> = media.filter_map(|it| codec(it, negotiated)).collect();
    if !codecs.is_empty() {
        let is_other = |it: &&CodecParameters| it.codec.is_red() || it.codec.is_telephone_event();
        let others = negotiated.iter().filter(is_other);
        codecs.extend(others.filter_map(|it| codec(it, negotiated)));
    }
    codecs
}

fn codec(own: &CodecParameters, all: &[CodecParameters]) -> Option<Codec> {
    let rtx = all
        .iter()
        .find(|it| it.codec.is_rtx() && it.apt() == Some(own.payload_type));
    let has = |feedback: Feedback| own.feedback.contains(&feedback);
    let line = own.codec.sdp_fmtp_line.as_deref();
    Some(Codec {
        payload_type: payload_type(own)?,
        format: Format::from_mime(&own.codec.mime_type, line)?,
        clock_rate: own.codec.clock_rate,
        channels: own.codec.channels.unwrap_or(1),
        rtx: rtx.and_then(payload_type),
        nack: has(Feedback::Nack),
        pli: has(Feedback::NackPli),
        fir: has(Feedback::CcmFir),
        transport_cc: has(Feedback::TransportCc),
        remb: has(Feedback::GoogRemb),
    })
}

fn payload_type(codec: &CodecParameters) -> Option<PayloadType> {
    PayloadType::new(codec.payload_type.value())
}

/// The extensions that are known, with their ids, in the directions that `fits` says.
fn extensions(negotiated: &[HeaderExtension], fits: impl Fn(Direction) -> bool) -> ExtensionMap {
    let mut map = ExtensionMap::new();
    for extension in negotiated.iter().filter(|it| fits(it.direction)) {
        let uri = ExtensionUri::parse(&extension.uri);
        if let Some((uri, id)) = uri.zip(u8::try_from(extension.id).ok()) {
            map.set(id, uri);
        }
    }
    map
}
