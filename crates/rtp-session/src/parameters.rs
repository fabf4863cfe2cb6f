//! What signalling agreed on for one sender or receiver.

use pc_rtp::{ExtensionMap, PayloadType, Ssrc, payload::Format};

/// Names a sender of a [`Session`](crate::Session): the transceiver's number, or any other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SenderId(pub u32);

/// Names a receiver of a [`Session`](crate::Session): the transceiver's number, or any other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ReceiverId(pub u32);

/// A codec under its payload type, with the feedback that was negotiated for it (RFC 4585 §4.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Codec {
    /// The payload type of its packets.
    pub payload_type: PayloadType,
    /// How frames travel in payloads.
    pub format: Format,
    /// The RTP clock, in ticks a second.
    pub clock_rate: u32,
    /// Audio channels; 1 for video.
    pub channels: u16,
    /// The payload type of its retransmissions (RFC 4588), when negotiated.
    pub rtx: Option<PayloadType>,
    /// `nack`: lost packets are asked for.
    pub nack: bool,
    /// `nack pli`: a key frame is asked for by PLI (RFC 4585 §6.3.1).
    pub pli: bool,
    /// `ccm fir`: a key frame is asked for by FIR (RFC 5104 §4.3.1).
    pub fir: bool,
    /// `transport-cc`: arrivals are reported with transport-wide feedback.
    pub transport_cc: bool,
    /// `goog-remb`: the receiver tells its estimate of the available bit rate.
    pub remb: bool,
}

/// One stream of a sender: the only one, or one of simulcast (RFC 8853).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncodingParameters {
    /// Its restriction identifier, which travels in the RID header extension (RFC 8852 §3.1).
    pub rid: Option<String>,
    /// Whether it is sent. An inactive one keeps its SSRCs and sequence numbers.
    pub active: bool,
}

/// A sender as negotiated: [`Session::set_sender`](crate::Session::set_sender).
#[derive(Debug, Clone, PartialEq)]
pub struct SenderParameters {
    /// The media section's identification (`a=mid`), which travels in the MID header extension
    /// (RFC 9143 §15).
    pub mid: String,
    /// The codecs that may be sent.
    pub codecs: Vec<Codec>,
    /// The header extensions, with the numbers they have in the packets that leave.
    pub extensions: ExtensionMap,
    /// The streams, in the order of negotiation.
    pub encodings: Vec<EncodingParameters>,
    /// `a=rtcp-rsize`: feedback may leave without a report in front (RFC 5506).
    pub reduced_size: bool,
    /// How its share of the target rate compares with those of other senders of pictures; 0 counts as 1.
    /// Sound is not rationed.
    pub weight: u32,
}

/// A receiver as negotiated: [`Session::set_receiver`](crate::Session::set_receiver).
#[derive(Debug, Clone, PartialEq)]
pub struct ReceiverParameters {
    /// The media section's identification (`a=mid`).
    pub mid: String,
    /// The codecs that may come.
    pub codecs: Vec<Codec>,
    /// The header extensions, with the numbers they have in the packets that arrive.
    pub extensions: ExtensionMap,
    /// The restriction identifiers of simulcast that may come; empty without simulcast.
    pub rids: Vec<String>,
    /// The peer's SSRCs as signalled by `a=ssrc` (RFC 5576); may be empty.
    pub ssrcs: Vec<Ssrc>,
    /// Media and retransmission SSRCs that belong together, as signalled by `a=ssrc-group:FID`.
    pub rtx_pairs: Vec<(Ssrc, Ssrc)>,
    /// `a=rtcp-rsize`: feedback may leave without a report in front (RFC 5506).
    pub reduced_size: bool,
}
