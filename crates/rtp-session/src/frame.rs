//! What goes in and comes out: frames, and packets that are forwarded.

use crate::ReceiverId;
use pc_proto::{Serial16, Serial32};
use pc_rtp::{AudioLevel, PacketView, PayloadType, Ssrc, VideoOrientation, payload::TemporalLayer};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// A frame of an encoder, to be sent.
#[derive(Debug, Clone)]
pub struct Frame<'a> {
    /// Which of the sender's codecs it is.
    pub payload_type: PayloadType,
    /// What the encoder wrote: see [`Packetizer::packetize`](pc_rtp::payload::Packetizer::packetize).
    pub data: &'a [u8],
    /// When it is to be played, on the codec's RTP clock; the stream's random offset is added
    /// (RFC 3550 §5.1).
    pub timestamp: Serial32,
    /// When it was captured: relates `timestamp` to the wall clock in sender reports, for lip sync.
    pub capture: Instant,
    /// Whether it can be decoded without any frame before it.
    pub is_key_frame: bool,
    /// Width and height in pixels, which some formats carry with a key frame.
    pub size: Option<(u16, u16)>,
    /// How loud it is, when the extension was negotiated (RFC 6464).
    pub audio_level: Option<AudioLevel>,
    /// How the picture is to be turned, when the extension was negotiated (3GPP TS 26.114).
    pub orientation: Option<VideoOrientation>,
    /// Where it stands among the encoding's layers in time, if there are any.
    pub layer: Option<TemporalLayer>,
}

/// A received packet, to be sent on.
///
/// Payload, marker and the distances of sequence numbers and timestamps stay; header and extensions
/// are written anew. Where packets are missing, their numbers stay free, and a packet that comes
/// late takes its place.
#[derive(Debug, Clone)]
pub struct OutgoingPacket<'a> {
    /// Where it came from. When this changes, the stream's numbers go on without a gap.
    pub source: Ssrc,
    /// Which of the sender's codecs it is.
    pub payload_type: PayloadType,
    /// The marker bit.
    pub marker: bool,
    /// The sequence number it came with.
    pub sequence_number: Serial16,
    /// The timestamp it came with.
    pub timestamp: Serial32,
    /// The payload.
    pub payload: &'a [u8],
    /// How loud it is (RFC 6464).
    pub audio_level: Option<AudioLevel>,
    /// How the picture is to be turned.
    pub orientation: Option<VideoOrientation>,
}

/// What one datagram was.
#[derive(Debug, Clone)]
pub enum Input<'d> {
    /// Media.
    Rtp(Arrived<'d>),
    /// Reports and feedback.
    Rtcp,
}

/// A packet that was taken, for taps and forwarding. Frames are polled instead.
#[derive(Debug, Clone)]
pub struct Arrived<'d> {
    /// Who received it.
    pub receiver: ReceiverId,
    /// The media stream it belongs to: that of the original, when it is a retransmission.
    pub ssrc: Ssrc,
    /// The codec's payload type: that of the original, when it is a retransmission.
    pub payload_type: PayloadType,
    /// Its number in the media stream: that of the original, when it is a retransmission.
    pub sequence_number: Serial16,
    /// The payload: that of the original, when it is a retransmission. Empty for padding.
    pub payload: &'d [u8],
    /// Whether it came as a retransmission (RFC 4588).
    pub is_retransmission: bool,
    /// The restriction identifier of its stream, with simulcast.
    pub rid: Option<Arc<str>>,
    /// How loud it is (RFC 6464).
    pub audio_level: Option<AudioLevel>,
    /// How the picture is to be turned.
    pub orientation: Option<VideoOrientation>,
    /// The packet as it came.
    pub packet: PacketView<'d>,
}

/// The next thing to play.
#[derive(Debug, Clone)]
pub enum Received<'a> {
    /// A frame, whole.
    Frame(ReceivedFrame<'a>),
    /// A gap in sound that concealment should fill: one packet's worth.
    Lost {
        /// What the missing packet's timestamp would have been.
        timestamp: Serial32,
    },
}

/// A frame that arrived whole and is due.
#[derive(Debug, Clone)]
pub struct ReceivedFrame<'a> {
    /// Which of the receiver's codecs it is.
    pub payload_type: PayloadType,
    /// What a decoder takes: see [`FrameView::data`](pc_rtp::payload::FrameView::data).
    pub data: &'a [u8],
    /// Its RTP timestamp, as it came.
    pub timestamp: Serial32,
    /// Its stream.
    pub ssrc: Ssrc,
    /// The restriction identifier of its stream, with simulcast.
    pub rid: Option<&'a str>,
    /// Whether it can be decoded without any frame before it.
    pub is_key_frame: bool,
    /// Width and height in pixels, where the frame tells.
    pub size: Option<(u16, u16)>,
    /// When it was captured, by the sender's clock, since the Unix epoch; known from the first
    /// sender report on.
    pub capture_time: Option<Duration>,
    /// How loud it is (RFC 6464).
    pub audio_level: Option<AudioLevel>,
    /// How the picture is to be turned.
    pub orientation: Option<VideoOrientation>,
    /// When its last packet arrived.
    pub received: Instant,
    /// When it is to be played.
    pub playout: Instant,
}

/// Who can be heard or seen: an entry of `getContributingSources()` or
/// `getSynchronizationSources()` (webrtc-pc §5.3).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Source {
    /// The contributing or synchronization source.
    pub ssrc: Ssrc,
    /// When its last frame was played.
    pub timestamp: Instant,
    /// That frame's RTP timestamp.
    pub rtp_timestamp: Serial32,
    /// How loud it was: linear, 0 silence, 1 the loudest there is.
    pub audio_level: Option<f64>,
}
