//! Transports, their candidates and certificates.

use std::hash::{DefaultHasher, Hash, Hasher};

use base64::{Engine, engine::general_purpose::STANDARD};
use pc_dtls::{Fingerprint, HashAlgorithm};
use pc_ice::{Candidate, CandidateKind, PairView};

use super::{super::transport::Transport, Report, transport_id};
use crate::stats::{
    CertificateStats, IceCandidatePairStats, IceCandidateStats, Stats, TransportStats,
};

impl Report {
    pub(super) fn transport(&mut self, transport: &Transport, own: &pc_dtls::Certificate) {
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
}
