//! `getStats()`: what the layers have counted, in the W3C's words.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    time::{Duration, Instant},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use pc_dtls::{Fingerprint, HashAlgorithm};
use pc_ice::{Candidate, CandidateKind, PairView};
use pc_jsep::{CodecParameters, TransceiverId, TransceiverView, TransportId};
use pc_rtp_session as rtp;

use super::{Connection, media::MediaRoute, transport::Transport};
use crate::stats::{
    AudioSourceStats, CertificateStats, CodecStats, DataChannelStats, IceCandidatePairStats,
    IceCandidateStats, InboundRtpStreamStats, OutboundRtpStreamStats, PeerConnectionStats,
    RemoteInboundRtpStreamStats, RemoteOutboundRtpStreamStats, Stats, StatsReport, TransportStats,
    VideoSourceStats,
};

/// What codecs and tracks have counted of a transceiver, which the engine does not see.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct MediaCounts {
    /// The id of the receiver's track.
    pub received_track: String,
    /// Pictures that were decoded.
    pub frames_decoded: u32,
    /// Key frames among them.
    pub key_frames_decoded: u32,
    /// Sound that was decoded.
    pub received: Sound,
    /// What was counted of each encoding that is sent.
    pub encodings: Vec<EncodingCounts>,
    /// The id of the sender's track, if there is one.
    pub sent_track: Option<String>,
    /// Pictures that it has given.
    pub frames: u64,
    /// Pictures that it has given within the last second.
    pub frames_per_second: u32,
    /// Width and height of the last one.
    pub size: Option<(u32, u32)>,
    /// Sound that it has given.
    pub sent: Sound,
}

/// What an encoder has counted of one encoding.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct EncodingCounts {
    /// Pictures that were encoded.
    pub frames_encoded: u64,
    /// Those of the last second.
    pub frames_per_second: u32,
    /// Width and height of the last one.
    pub size: Option<(u16, u16)>,
    /// Bits a second that the encoder aims at; 0 while the encoding is not sent.
    pub target_bitrate: u64,
    /// The layers within the stream, where the application has chosen some.
    pub scalability_mode: Option<String>,
}

/// How much sound there was.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Sound {
    /// The sum of squared levels over time
    /// ([webrtc-stats](https://www.w3.org/TR/webrtc-stats/#dom-rtcaudiosourcestats-totalaudioenergy)).
    pub energy: f64,
    /// In seconds.
    pub duration: f64,
}

impl Sound {
    /// There was more.
    pub fn add(&mut self, more: Self) {
        self.energy += more.energy;
        self.duration += more.duration;
    }
}

impl Connection {
    /// `getStats()`, of everything. `counts` tells what codecs and tracks have counted.
    pub fn stats(
        &self,
        now: Instant,
        counts: impl Fn(TransceiverId) -> Option<MediaCounts>,
    ) -> StatsReport {
        let mut report = Report {
            report: StatsReport::default(),
            now,
            unix_time: self.transports.unix_time(now),
            id_key: self.transports.id_key,
        };
        report.connection(self);
        for transport in self.transports.iter() {
            report.transport(transport, self.transports.certificate());
        }
        for (route, view) in self.media_routes() {
            let counts = counts(view.id());
            report.outbound(self, &route, &view, counts.as_ref());
            report.inbound(self, &route, &view, counts.as_ref());
        }
        report.report
    }
}

struct Report {
    report: StatsReport,
    now: Instant,
    unix_time: Duration,
    id_key: u64,
}

fn transport_id(id: TransportId) -> String {
    format!("T{}", id.number())
}

impl Report {
    fn add(&mut self, stats: Stats) {
        self.report.add(stats);
    }

    /// A moment of the past on the clock of the world.
    fn unix(&self, at: Instant) -> Duration {
        let ago = self.now.saturating_duration_since(at);
        self.unix_time.saturating_sub(ago)
    }

    fn connection(&mut self, connection: &Connection) {
        let counts = &connection.data.counts;
        self.add(Stats::PeerConnection(PeerConnectionStats {
            id: "P".to_owned(),
            timestamp: self.unix_time,
            data_channels_opened: counts.opened,
            data_channels_closed: counts.closed,
        }));
        for (id, channel) in connection.channels() {
            let counted = counts.channels.get(&id).copied().unwrap_or_default();
            self.add(Stats::DataChannel(DataChannelStats {
                id: format!("D{id:?}"),
                timestamp: self.unix_time,
                label: channel.label.to_owned(),
                protocol: channel.protocol.to_owned(),
                data_channel_identifier: channel.id,
                state: channel.state.to_string(),
                messages_sent: counted.messages_sent,
                bytes_sent: counted.bytes_sent,
                messages_received: counted.messages_received,
                bytes_received: counted.bytes_received,
            }));
        }
    }

    fn transport(&mut self, transport: &Transport, own: &pc_dtls::Certificate) {
        let id = transport_id(transport.id);
        let pair = self.candidates(transport, &id);
        let local_certificate_id = self.certificate(own.der());
        let dtls = transport.dtls.connection();
        let remote = dtls.and_then(pc_dtls::Connection::remote_certificate);
        let remote_certificate_id = remote.map(|der| self.certificate(der));
        let known = transport.peer.is_some();
        let role = match transport.ice.role() {
            pc_ice::Role::Controlling => "controlling",
            pc_ice::Role::Controlled => "controlled",
        };
        let srtp = dtls.and_then(pc_dtls::Connection::srtp_keying_material);
        let traffic = transport.traffic.sum();
        self.add(Stats::Transport(Box::new(TransportStats {
            id,
            timestamp: self.unix_time,
            packets_sent: traffic.packets_sent,
            packets_received: traffic.packets_received,
            bytes_sent: traffic.bytes_sent,
            bytes_received: traffic.bytes_received,
            ice_role: known.then(|| role.to_owned()),
            ice_local_username_fragment: transport.ice.local_credentials().ufrag.clone(),
            dtls_state: transport.told.dtls.to_string(),
            ice_state: transport.told.ice.to_string(),
            selected_candidate_pair_id: pair,
            local_certificate_id,
            remote_certificate_id,
            tls_version: dtls.and_then(|it| Some(format!("{:04X}", it.version()?.id()))),
            dtls_cipher: dtls.and_then(|it| Some(it.cipher_suite()?.to_string())),
            dtls_role: match dtls.map(pc_dtls::Connection::role) {
                Some(pc_dtls::Role::Client) => "client",
                Some(_) => "server",
                None => "unknown",
            },
            srtp_cipher: srtp.map(|it| it.profile().name()),
        })));
    }

    /// All candidates, and the pair that is selected; its id.
    fn candidates(&mut self, transport: &Transport, transport_id: &str) -> Option<String> {
        let pair = transport.ice.selected_pair();
        let remote = transport.ice.remote_candidates();
        for candidate in remote.chain(pair.map(|it| &it.remote)) {
            let stats = self.candidate(transport, candidate, transport_id, "R");
            self.add(Stats::RemoteCandidate(stats));
        }
        let local = transport.known_candidates();
        for candidate in local.chain(pair.map(|it| &it.local)) {
            let stats = self.candidate(transport, candidate, transport_id, "L");
            self.add(Stats::LocalCandidate(stats));
        }
        // Those that peers have seen, and that were never signaled.
        for pair in transport.ice.pairs() {
            let stats = self.candidate(transport, &pair.local, transport_id, "L");
            self.add(Stats::LocalCandidate(stats));
        }
        let mut selected = None;
        for pair in transport.ice.pairs() {
            let id = self.pair(transport, &pair, transport_id);
            if pair.is_in_use {
                selected = Some(id);
            }
        }
        selected
    }

    fn pair(&mut self, transport: &Transport, pair: &PairView<'_>, transport_id: &str) -> String {
        let local_candidate_id = self.candidate_id(&pair.local, transport_id, "L");
        let remote_candidate_id = self.candidate_id(pair.remote, transport_id, "R");
        let id = format!("CP{local_candidate_id}_{remote_candidate_id}");
        let (counters, traffic) = (pair.counters, transport.traffic.of(pair.route));
        let rtt = counters.current_round_trip_time;
        self.add(Stats::CandidatePair(Box::new(IceCandidatePairStats {
            id: id.clone(),
            timestamp: self.unix_time,
            transport_id: transport_id.to_owned(),
            local_candidate_id,
            remote_candidate_id,
            state: pair.status.as_str(),
            nominated: pair.is_nominated,
            packets_sent: traffic.packets_sent,
            packets_received: traffic.packets_received,
            bytes_sent: traffic.bytes_sent,
            bytes_received: traffic.bytes_received,
            total_round_trip_time: counters.total_round_trip_time.as_secs_f64(),
            current_round_trip_time: (!rtt.is_zero()).then_some(rtt.as_secs_f64()),
            requests_received: counters.requests_received,
            requests_sent: counters.requests_sent,
            responses_received: counters.responses_received,
            // Every check that is taken is answered.
            responses_sent: counters.requests_received,
            consent_requests_sent: counters.consent_requests_sent,
        })));
        id
    }

    fn candidate(
        &self,
        transport: &Transport,
        own: &Candidate,
        transport_id: &str,
        side: &str,
    ) -> IceCandidateStats {
        let kind = match own.kind {
            CandidateKind::Host => "host",
            CandidateKind::ServerReflexive => "srflx",
            CandidateKind::PeerReflexive => "prflx",
            _ => "relay",
        };
        // What was only learned from checks is not told: it may be what a name hides.
        let is_told = own.kind != CandidateKind::PeerReflexive;
        let is_ours = side == "L";
        let origin = transport.origin_of(own).filter(|_| is_ours);
        let is_relayed = own.kind == CandidateKind::Relayed;
        let credentials = match is_ours {
            true => Some(transport.ice.local_credentials()),
            false => transport.ice.remote_credentials(),
        };
        // Of a server's candidates alone (webrtc-stats §6.15).
        let hides = is_ours && transport.hosts.hides();
        let related = own.related_address.filter(|_| is_told && !hides);
        let address = match is_ours {
            true => transport.hosts.address(own),
            false => Some(transport.names.address(own)),
        };
        IceCandidateStats {
            id: self.candidate_id(own, transport_id, side),
            timestamp: self.unix_time,
            transport_id: transport_id.to_owned(),
            address: address.filter(|_| is_told),
            port: own.address.port(),
            protocol: own.transport.to_string(),
            tcp_type: own.tcp_type.map(pc_ice::TcpType::as_str),
            candidate_type: kind.to_owned(),
            priority: own.priority,
            foundation: own.foundation.clone(),
            url: origin.map(|it| it.url.clone()),
            relay_protocol: origin.filter(|_| is_relayed).map(|it| it.protocol.clone()),
            related_address: related.map(|it| it.ip().to_string()),
            related_port: related.map(|it| it.port()),
            username_fragment: credentials.map(|it| it.ufrag.clone()),
        }
    }

    /// The same for one candidate in every report, and no way to its address.
    fn candidate_id(&self, candidate: &Candidate, transport_id: &str, side: &str) -> String {
        let mut hasher = DefaultHasher::new();
        (self.id_key, side, transport_id).hash(&mut hasher);
        (candidate.transport, candidate.tcp_type).hash(&mut hasher);
        (&candidate.foundation, candidate.address).hash(&mut hasher);
        format!("{side}{transport_id}_{:016x}", hasher.finish())
    }

    fn certificate(&mut self, der: &[u8]) -> String {
        let fingerprint = Fingerprint::of(HashAlgorithm::Sha256, der);
        let id = format!("CF{}", fingerprint.value_text());
        self.add(Stats::Certificate(CertificateStats {
            id: id.clone(),
            timestamp: self.unix_time,
            fingerprint: fingerprint.value_text(),
            fingerprint_algorithm: HashAlgorithm::Sha256.name().to_owned(),
            base64_certificate: STANDARD.encode(der),
            // DTLS of WebRTC has chains of one certificate.
            issuer_certificate_id: None,
        }));
        id
    }

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

    fn outbound(
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

    fn inbound(
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
