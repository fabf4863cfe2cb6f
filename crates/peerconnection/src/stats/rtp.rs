//! Streams, codecs and what is sent.

use std::time::Duration;

use super::dictionary;

dictionary! {
    /// [`RTCCodecStats`](https://www.w3.org/TR/webrtc-stats/#codec-dict*).
    CodecStats {
        /// The transport it is used on.
        transport_id: String,
        /// Its payload type there.
        payload_type: u8,
        /// As in `video/VP8`.
        mime_type: String,
        /// Ticks of the RTP timestamp in a second.
        clock_rate: u32,
        /// Channels of audio.
        channels: Option<u16>,
        /// What stands behind `a=fmtp`.
        sdp_fmtp_line: Option<String>,
    }
}

dictionary! {
    /// [`RTCInboundRtpStreamStats`](https://www.w3.org/TR/webrtc-stats/#inboundrtpstats-dict*).
    InboundRtpStreamStats {
        /// Its source.
        ssrc: u32,
        /// `audio` or `video`.
        kind: &'static str,
        /// The transport it comes on.
        transport_id: String,
        /// The codec of its last packet.
        codec_id: Option<String>,
        /// Packets that have come, sent again or not.
        packets_received: u64,
        /// Packets that were lost; duplicates count against them.
        packets_lost: i64,
        /// Of packets' arrivals, in seconds.
        jitter: f64,
        /// The id of the receiver's track.
        track_identifier: String,
        /// The m-section.
        mid: String,
        /// What the peer reports of it.
        remote_id: Option<String>,
        /// Pictures that were decoded.
        frames_decoded: Option<u32>,
        /// Key frames among them.
        key_frames_decoded: Option<u32>,
        /// Pictures that were received whole.
        frames_received: Option<u64>,
        /// Pictures that were given up.
        frames_dropped: Option<u64>,
        /// Of the last picture that told.
        frame_width: Option<u32>,
        /// Of the last picture that told.
        frame_height: Option<u32>,
        /// Requests for lost packets that were sent.
        nack_count: u32,
        /// Requests for key frames that were sent.
        fir_count: Option<u32>,
        /// The same of the other form.
        pli_count: Option<u32>,
        /// Bytes of payload.
        bytes_received: u64,
        /// Bytes of headers and padding.
        header_bytes_received: u64,
        /// Packets that came because they were sent again.
        retransmitted_packets_received: u64,
        /// Their bytes of payload.
        retransmitted_bytes_received: u64,
        /// The source of what is sent again.
        rtx_ssrc: Option<u32>,
        /// Packets that came too late, or too early.
        packets_discarded: u64,
        /// When the last packet came, in milliseconds since the Unix epoch.
        last_packet_received_timestamp: Option<f64>,
        /// What all frames together have waited, in seconds.
        jitter_buffer_delay: f64,
        /// What they were meant to wait.
        jitter_buffer_target_delay: f64,
        /// What the network demanded of that.
        jitter_buffer_minimum_delay: f64,
        /// How many they are.
        jitter_buffer_emitted_count: u64,
        /// How loud the last sound was: 0 to 1.
        audio_level: Option<f64>,
        /// The energy of all sound that was decoded.
        total_audio_energy: Option<f64>,
        /// How long that was, in seconds.
        total_samples_duration: Option<f64>,
        /// Gaps in sound.
        concealment_events: Option<u64>,
    }
}

dictionary! {
    /// [`RTCOutboundRtpStreamStats`](https://www.w3.org/TR/webrtc-stats/#outboundrtpstats-dict*).
    OutboundRtpStreamStats {
        /// Its source.
        ssrc: u32,
        /// `audio` or `video`.
        kind: &'static str,
        /// The transport it leaves on.
        transport_id: String,
        /// The codec of its last frame.
        codec_id: Option<String>,
        /// The m-section.
        mid: String,
        /// The track that it is made of.
        media_source_id: Option<String>,
        /// What the peer reports of it.
        remote_id: Option<String>,
        /// Its name among streams of simulcast.
        rid: Option<String>,
        /// Its place among the sender's encodings.
        encoding_index: u32,
        /// Packets that have left, again or not.
        packets_sent: u64,
        /// Bytes of payload.
        bytes_sent: u64,
        /// Bytes of headers and padding.
        header_bytes_sent: u64,
        /// Packets that were sent again.
        retransmitted_packets_sent: u64,
        /// Their bytes of payload.
        retransmitted_bytes_sent: u64,
        /// The source of what is sent again.
        rtx_ssrc: Option<u32>,
        /// The bit rate that encoders are given, in bits a second.
        target_bitrate: Option<f64>,
        /// Width of the last picture.
        frame_width: Option<u32>,
        /// Height of the last picture.
        frame_height: Option<u32>,
        /// Pictures that were encoded within the last second.
        frames_per_second: Option<f64>,
        /// The layers within the stream, where the application has chosen some.
        scalability_mode: Option<String>,
        /// Pictures that were encoded.
        frames_encoded: Option<u64>,
        /// Key frames among them.
        key_frames_encoded: Option<u64>,
        /// Pictures that have left.
        frames_sent: Option<u64>,
        /// What all packets together have waited, in seconds.
        total_packet_send_delay: f64,
        /// Requests for lost packets that came.
        nack_count: u32,
        /// Requests for key frames that came.
        fir_count: Option<u32>,
        /// The same of the other form.
        pli_count: Option<u32>,
        /// Whether it may be sent.
        active: bool,
    }
}

dictionary! {
    /// [`RTCRemoteInboundRtpStreamStats`](https://www.w3.org/TR/webrtc-stats/#remoteinboundrtpstats-dict*).
    RemoteInboundRtpStreamStats {
        /// The source it is about.
        ssrc: u32,
        /// `audio` or `video`.
        kind: &'static str,
        /// The transport.
        transport_id: String,
        /// The codec.
        codec_id: Option<String>,
        /// Packets that were lost.
        packets_lost: i64,
        /// Of packets' arrivals, in seconds.
        jitter: f64,
        /// What this side says of the stream.
        local_id: String,
        /// Measured last, in seconds.
        round_trip_time: Option<f64>,
        /// All measurements together.
        total_round_trip_time: f64,
        /// The part that was lost since the report before.
        fraction_lost: f64,
        /// How many there are.
        round_trip_time_measurements: u64,
    }
}

dictionary! {
    /// [`RTCRemoteOutboundRtpStreamStats`](https://www.w3.org/TR/webrtc-stats/#remoteoutboundrtpstats-dict*).
    RemoteOutboundRtpStreamStats {
        /// The source it is about.
        ssrc: u32,
        /// `audio` or `video`.
        kind: &'static str,
        /// The transport.
        transport_id: String,
        /// The codec.
        codec_id: Option<String>,
        /// Packets that have left, by the peer's count.
        packets_sent: u64,
        /// Bytes of payload, by the peer's count.
        bytes_sent: u64,
        /// What this side says of the stream.
        local_id: String,
        /// When the report was written, by the peer's clock, in milliseconds since the Unix epoch.
        remote_timestamp: f64,
        /// How many reports have come.
        reports_sent: u64,
    }
}

dictionary! {
    /// [`RTCAudioSourceStats`](https://www.w3.org/TR/webrtc-stats/#audiosourcestats-dict*).
    AudioSourceStats {
        /// The id of the track.
        track_identifier: String,
        /// `audio`.
        kind: &'static str,
        /// The energy of all sound that the track has given.
        total_audio_energy: f64,
        /// How long that was, in seconds.
        total_samples_duration: f64,
    }
}

dictionary! {
    /// [`RTCVideoSourceStats`](https://www.w3.org/TR/webrtc-stats/#videosourcestats-dict*).
    VideoSourceStats {
        /// The id of the track.
        track_identifier: String,
        /// `video`.
        kind: &'static str,
        /// Of the last picture.
        width: Option<u32>,
        /// Of the last picture.
        height: Option<u32>,
        /// Pictures that the track has given.
        frames: u64,
        /// Pictures that the track has given within the last second.
        frames_per_second: f64,
    }
}
