//! What is counted: the members of the W3C's statistics (webrtc-stats) that a session knows.

use pc_rtp::{PayloadType, Ssrc};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// One stream that is sent: `RTCOutboundRtpStreamStats`, with its `RTCRemoteInboundRtpStreamStats`.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct OutboundStats {
    /// The encoding's index.
    pub encoding: usize,
    /// Its restriction identifier.
    pub rid: Option<String>,
    /// The media section.
    pub mid: String,
    /// Its SSRC.
    pub ssrc: Ssrc,
    /// The SSRC of its retransmissions, where they have one.
    pub rtx_ssrc: Option<Ssrc>,
    /// Whether it may be sent.
    pub active: bool,
    /// The codec of the last frame.
    pub payload_type: Option<PayloadType>,
    /// Packets sent, retransmissions included.
    pub packets_sent: u64,
    /// Payload bytes sent, retransmissions included.
    pub bytes_sent: u64,
    /// Bytes of headers and padding sent, retransmissions included.
    pub header_bytes_sent: u64,
    /// Packets sent again.
    pub retransmitted_packets_sent: u64,
    /// Payload bytes sent again.
    pub retransmitted_bytes_sent: u64,
    /// NACK packets received.
    pub nack_count: u32,
    /// PLI packets received.
    pub pli_count: u32,
    /// FIR packets received.
    pub fir_count: u32,
    /// Frames whose last packet has left.
    pub frames_sent: u64,
    /// Key frames that were given to be sent (`keyFramesEncoded`).
    pub key_frames_sent: u64,
    /// The bit rate of the last [`TargetBitrate`](crate::Event::TargetBitrate), in bits a second.
    pub target_bitrate: Option<u64>,
    /// How long packets have waited between being packetized and leaving, all together.
    pub total_packet_send_delay: Duration,
    /// What the peer reports about it, from its first report on.
    pub remote: Option<RemoteInbound>,
}

/// What the peer reports of a stream that is sent: `RTCRemoteInboundRtpStreamStats`.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct RemoteInbound {
    /// When the last report came.
    pub received: Instant,
    /// Packets lost since the beginning; duplicates count against it.
    pub packets_lost: i32,
    /// The fraction lost between the last two reports, 0 to 1.
    pub fraction_lost: f64,
    /// Jitter of the arrivals.
    pub jitter: Duration,
    /// Highest sequence number received, extended by its cycles.
    pub highest_sequence: u32,
    /// The last measured round-trip time.
    pub round_trip_time: Option<Duration>,
    /// All measurements together.
    pub total_round_trip_time: Duration,
    /// How many measurements there are.
    pub round_trip_time_measurements: u64,
}

/// One stream that is received: `RTCInboundRtpStreamStats`, with its
/// `RTCRemoteOutboundRtpStreamStats`.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct InboundStats {
    /// Its SSRC.
    pub ssrc: Ssrc,
    /// The SSRC of its retransmissions, where they have one that is known.
    pub rtx_ssrc: Option<Ssrc>,
    /// Its restriction identifier, with simulcast.
    pub rid: Option<String>,
    /// The media section.
    pub mid: String,
    /// The codec of the last packet.
    pub payload_type: Option<PayloadType>,
    /// Packets received, retransmissions included.
    pub packets_received: u64,
    /// Payload bytes received, retransmissions included.
    pub bytes_received: u64,
    /// Bytes of headers and padding received.
    pub header_bytes_received: u64,
    /// Packets lost (RFC 3550 §6.4.1); duplicates count against it.
    pub packets_lost: i64,
    /// Jitter of the arrivals (RFC 3550 §6.4.1).
    pub jitter: Duration,
    /// When the last packet came.
    pub last_packet_received: Option<Instant>,
    /// Packets that came too late or too early to be played.
    pub packets_discarded: u64,
    /// Retransmissions received.
    pub retransmitted_packets_received: u64,
    /// Payload bytes of retransmissions received.
    pub retransmitted_bytes_received: u64,
    /// NACK packets sent.
    pub nack_count: u32,
    /// PLI packets sent.
    pub pli_count: u32,
    /// FIR packets sent.
    pub fir_count: u32,
    /// Frames received whole.
    pub frames_received: u64,
    /// Key frames among them.
    pub key_frames_received: u64,
    /// Frames that were given up.
    pub frames_dropped: u64,
    /// Frames put together from more than one packet.
    pub frames_assembled_from_multiple_packets: u64,
    /// How long those took from first to last packet, all together.
    pub total_assembly_time: Duration,
    /// Width and height of the last frame that told.
    pub frame_size: Option<(u16, u16)>,
    /// How long what was emitted was in the jitter buffer, all together.
    pub jitter_buffer_delay: Duration,
    /// The target delays at each emission, all together.
    pub jitter_buffer_target_delay: Duration,
    /// As `jitter_buffer_target_delay`, but for the network's jitter alone.
    pub jitter_buffer_minimum_delay: Duration,
    /// Frames or packets emitted.
    pub jitter_buffer_emitted: u64,
    /// The last known level of sound: linear, 0 silence, 1 the loudest there is.
    pub audio_level: Option<f64>,
    /// Gaps in sound that were told as [`Lost`](crate::Received::Lost).
    pub concealment_events: u64,
    /// What the peer reports about it, from its first report on.
    pub remote: Option<RemoteOutbound>,
}

/// What the peer's sender reports tell: `RTCRemoteOutboundRtpStreamStats`.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct RemoteOutbound {
    /// When the last report came.
    pub received: Instant,
    /// When it was written, by the peer's clock, since the Unix epoch.
    pub remote_timestamp: Duration,
    /// Packets sent, by the peer's count.
    pub packets_sent: u32,
    /// Payload bytes sent, by the peer's count.
    pub bytes_sent: u32,
    /// Reports received.
    pub reports_sent: u64,
}

/// What is known of a layer of simulcast that is received, or of the only stream.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ReceivedLayer {
    /// Its restriction identifier.
    pub rid: Option<Arc<str>>,
    /// Its source.
    pub ssrc: Ssrc,
    /// The codec of the last packet.
    pub payload_type: Option<PayloadType>,
    /// Width and height in pixels of the last frame that told.
    pub size: Option<(u16, u16)>,
    /// Bits of RTP that have come in the last second: payload, headers and padding, without what was sent
    /// again though nothing was missing.
    pub bit_rate: u64,
    /// Frames that were put together in the last second.
    pub frame_rate: u32,
    /// Frames that were put together since the beginning.
    pub frames_received: u64,
    /// Packets since the beginning.
    pub packets_received: u64,
    /// When the last packet came.
    pub last_packet_received: Option<Instant>,
    /// Whether nobody wants its frames: see
    /// [`Session::set_layer_paused`](crate::Session::set_layer_paused).
    pub is_paused: bool,
}
