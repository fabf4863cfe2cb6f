//! Streams of RTP, their codecs and sources.

use pc_jsep::{CodecParameters, TransceiverView, TransportId};
use pc_rtp_session as rtp;

use super::{
    super::{Connection, media::MediaRoute},
    MediaCounts, Report, transport_id,
};
use crate::stats::{
    AudioSourceStats, CodecStats, InboundRtpStreamStats, OutboundRtpStreamStats,
    RemoteInboundRtpStreamStats, RemoteOutboundRtpStreamStats, Stats, VideoSourceStats,
};

impl Report {
    fn codec(
        &mut self,
        own: Option<&CodecParameters>,
        on: TransportId,
        way: &str,
    ) -> Option<String> {
        let own = own?;
        let transport_id = transport_id(on);
        let payload_type = own.payload_type.value();
        let id = format!("C{way}{transport_id}_{payload_type}");
        self.add(Stats::Codec(CodecStats {
            id: id.clone(),
            timestamp: self.unix_time,
            transport_id,
            payload_type,
            mime_type: own.codec.mime_type.clone(),
            clock_rate: own.codec.clock_rate,
            channels: own.codec.channels,
            sdp_fmtp_line: own.codec.sdp_fmtp_line.clone(),
        }));
        Some(id)
    }

    fn source(
        &mut self,
        view: &TransceiverView<'_>,
        counts: Option<&MediaCounts>,
    ) -> Option<String> {
        let counts = counts?;
        let track_identifier = counts.sent_track.clone()?;
        let id = format!("S{}", view.id().number());
        let (timestamp, kind) = (self.unix_time, view.kind().as_str());
        self.add(match view.kind() {
            pc_jsep::MediaKind::Audio => Stats::AudioSource(AudioSourceStats {
                id: id.clone(),
                timestamp,
                track_identifier,
                kind,
                total_audio_energy: counts.sent.energy,
                total_samples_duration: counts.sent.duration,
            }),
            pc_jsep::MediaKind::Video => Stats::VideoSource(VideoSourceStats {
                id: id.clone(),
                timestamp,
                track_identifier,
                kind,
                width: counts.size.map(|(width, _)| width),
                height: counts.size.map(|(_, height)| height),
                frames: counts.frames,
                frames_per_second: f64::from(counts.frames_per_second),
            }),
        });
        Some(id)
    }

    pub(super) fn outbound(
        &mut self,
        connection: &Connection,
        route: &MediaRoute,
        view: &TransceiverView<'_>,
        counts: Option<&MediaCounts>,
    ) {
        let source = self.source(view, counts);
        for own in connection.outbound_stats(view.id()) {
            let mut codecs = view.send_codecs().iter();
            let codec = codecs.find(|it| {
                Some(it.payload_type.value()) == own.payload_type.map(pc_rtp::PayloadType::number)
            });
            let codec_id = self.codec(codec, route.transport, "O");
            let id = format!("O{}", own.ssrc);
            let remote_id = self.remote_inbound(&own, route, view, &id, codec_id.as_deref());
            let is_video = view.kind() == pc_jsep::MediaKind::Video;
            let encodings = counts.filter(|_| is_video).map(|it| &it.encodings);
            let encoded = encodings.and_then(|it| it.get(own.encoding));
            let rate = encoded.map(|it| it.target_bitrate).or(own.target_bitrate);
            self.add(Stats::OutboundRtp(Box::new(OutboundRtpStreamStats {
                id,
                timestamp: self.unix_time,
                ssrc: own.ssrc.0,
                kind: view.kind().as_str(),
                transport_id: transport_id(route.transport),
                codec_id,
                mid: own.mid,
                media_source_id: source.clone(),
                remote_id,
                rid: own.rid,
                encoding_index: own.encoding as u32,
                packets_sent: own.packets_sent,
                bytes_sent: own.bytes_sent,
                header_bytes_sent: own.header_bytes_sent,
                retransmitted_packets_sent: own.retransmitted_packets_sent,
                retransmitted_bytes_sent: own.retransmitted_bytes_sent,
                rtx_ssrc: own.rtx_ssrc.map(|it| it.0),
                target_bitrate: rate.map(|rate| rate as f64),
                frame_width: encoded.and_then(|it| Some(it.size?.0.into())),
                frame_height: encoded.and_then(|it| Some(it.size?.1.into())),
                frames_per_second: encoded.map(|it| it.frames_per_second.into()),
                scalability_mode: encoded.and_then(|it| it.scalability_mode.clone()),
                frames_encoded: encoded.map(|it| it.frames_encoded),
                key_frames_encoded: is_video.then_some(own.key_frames_sent),
                frames_sent: is_video.then_some(own.frames_sent),
                total_packet_send_delay: own.total_packet_send_delay.as_secs_f64(),
                nack_count: own.nack_count,
                fir_count: is_video.then_some(own.fir_count),
                pli_count: is_video.then_some(own.pli_count),
                active: own.active,
            })));
        }
    }

    fn remote_inbound(
        &mut self,
        own: &rtp::OutboundStats,
        route: &MediaRoute,
        view: &TransceiverView<'_>,
        local_id: &str,
        codec_id: Option<&str>,
    ) -> Option<String> {
        let remote = own.remote?;
        let id = format!("RI{}", own.ssrc);
        self.add(Stats::RemoteInboundRtp(RemoteInboundRtpStreamStats {
            id: id.clone(),
            timestamp: self.unix(remote.received),
            ssrc: own.ssrc.0,
            kind: view.kind().as_str(),
            transport_id: transport_id(route.transport),
            codec_id: codec_id.map(str::to_owned),
            packets_lost: remote.packets_lost.into(),
            jitter: remote.jitter.as_secs_f64(),
            local_id: local_id.to_owned(),
            round_trip_time: remote.round_trip_time.map(|rtt| rtt.as_secs_f64()),
            total_round_trip_time: remote.total_round_trip_time.as_secs_f64(),
            fraction_lost: remote.fraction_lost,
            round_trip_time_measurements: remote.round_trip_time_measurements,
        }));
        Some(id)
    }

    pub(super) fn inbound(
        &mut self,
        connection: &Connection,
        route: &MediaRoute,
        view: &TransceiverView<'_>,
        counts: Option<&MediaCounts>,
    ) {
        let is_video = view.kind() == pc_jsep::MediaKind::Video;
        let video = counts.filter(|_| is_video);
        let audio = counts.filter(|_| !is_video);
        for own in connection.inbound_stats(view.id()) {
            let mut codecs = view.receive_codecs().iter();
            let codec = codecs.find(|it| {
                Some(it.payload_type.value()) == own.payload_type.map(pc_rtp::PayloadType::number)
            });
            let codec_id = self.codec(codec, route.transport, "I");
            let id = format!("I{}", own.ssrc);
            let remote_id = self.remote_outbound(&own, route, view, &id, codec_id.as_deref());
            let last = own.last_packet_received.map(|at| self.unix(at));
            self.add(Stats::InboundRtp(Box::new(InboundRtpStreamStats {
                id,
                timestamp: self.unix_time,
                ssrc: own.ssrc.0,
                kind: view.kind().as_str(),
                transport_id: transport_id(route.transport),
                codec_id,
                packets_received: own.packets_received,
                packets_lost: own.packets_lost,
                jitter: own.jitter.as_secs_f64(),
                track_identifier: counts.map_or_else(String::new, |it| it.received_track.clone()),
                mid: own.mid,
                remote_id,
                frames_decoded: video.map(|it| it.frames_decoded),
                key_frames_decoded: video.map(|it| it.key_frames_decoded),
                frames_received: is_video.then_some(own.frames_received),
                frames_dropped: is_video.then_some(own.frames_dropped),
                frame_width: own.frame_size.map(|(width, _)| width.into()),
                frame_height: own.frame_size.map(|(_, height)| height.into()),
                nack_count: own.nack_count,
                fir_count: is_video.then_some(own.fir_count),
                pli_count: is_video.then_some(own.pli_count),
                bytes_received: own.bytes_received,
                header_bytes_received: own.header_bytes_received,
                retransmitted_packets_received: own.retransmitted_packets_received,
                retransmitted_bytes_received: own.retransmitted_bytes_received,
                rtx_ssrc: own.rtx_ssrc.map(|it| it.0),
                packets_discarded: own.packets_discarded,
                last_packet_received_timestamp: last.map(|at| at.as_secs_f64() * 1000.0),
                jitter_buffer_delay: own.jitter_buffer_delay.as_secs_f64(),
                jitter_buffer_target_delay: own.jitter_buffer_target_delay.as_secs_f64(),
                jitter_buffer_minimum_delay: own.jitter_buffer_minimum_delay.as_secs_f64(),
                jitter_buffer_emitted_count: own.jitter_buffer_emitted,
                audio_level: own.audio_level.filter(|_| !is_video),
                total_audio_energy: audio.map(|it| it.received.energy),
                total_samples_duration: audio.map(|it| it.received.duration),
                concealment_events: (!is_video).then_some(own.concealment_events),
            })));
        }
    }

    fn remote_outbound(
        &mut self,
        own: &rtp::InboundStats,
        route: &MediaRoute,
        view: &TransceiverView<'_>,
        local_id: &str,
        codec_id: Option<&str>,
    ) -> Option<String> {
        let remote = own.remote?;
        let id = format!("RO{}", own.ssrc);
        self.add(Stats::RemoteOutboundRtp(RemoteOutboundRtpStreamStats {
            id: id.clone(),
            timestamp: self.unix(remote.received),
            ssrc: own.ssrc.0,
            kind: view.kind().as_str(),
            transport_id: transport_id(route.transport),
            codec_id: codec_id.map(str::to_owned),
            packets_sent: remote.packets_sent.into(),
            bytes_sent: remote.bytes_sent.into(),
            local_id: local_id.to_owned(),
            remote_timestamp: remote.remote_timestamp.as_secs_f64() * 1000.0,
            reports_sent: remote.reports_sent,
        }));
        Some(id)
    }
}
