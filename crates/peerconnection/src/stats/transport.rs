//! What a connection runs on.

use std::time::Duration;

use super::dictionary;

dictionary! {
    /// [`RTCPeerConnectionStats`](https://www.w3.org/TR/webrtc-stats/#pcstats-dict*).
    PeerConnectionStats {
        /// Data channels that have been open.
        data_channels_opened: u32,
        /// Those of them that have closed since.
        data_channels_closed: u32,
    }
}

dictionary! {
    /// [`RTCDataChannelStats`](https://www.w3.org/TR/webrtc-stats/#dcstats-dict*).
    DataChannelStats {
        /// Its name.
        label: String,
        /// Its subprotocol.
        protocol: String,
        /// The id of its stream.
        data_channel_identifier: Option<u16>,
        /// Where it is in its life.
        state: String,
        /// Messages that were given to be sent.
        messages_sent: u32,
        /// Their bytes.
        bytes_sent: u64,
        /// Messages that were read.
        messages_received: u32,
        /// Their bytes.
        bytes_received: u64,
    }
}

dictionary! {
    /// [`RTCTransportStats`](https://www.w3.org/TR/webrtc-stats/#transportstats-dict*).
    TransportStats {
        /// Datagrams that have left on the selected pair.
        packets_sent: u64,
        /// Datagrams that have come for DTLS, RTP and RTCP.
        packets_received: u64,
        /// Their bytes, without UDP's header.
        bytes_sent: u64,
        /// Their bytes, without UDP's header.
        bytes_received: u64,
        /// `controlling` or `controlled`.
        ice_role: Option<String>,
        /// Of checks for this side.
        ice_local_username_fragment: String,
        /// Of DTLS.
        dtls_state: String,
        /// Of ICE.
        ice_state: String,
        /// What carries the data.
        selected_candidate_pair_id: Option<String>,
        /// Ours.
        local_certificate_id: String,
        /// The peer's, once DTLS has brought it.
        remote_certificate_id: Option<String>,
        /// As four hexadecimal digits, `FEFC` for DTLS 1.3.
        tls_version: Option<String>,
        /// By its registry name.
        dtls_cipher: Option<String>,
        /// `client`, `server` or `unknown`.
        dtls_role: &'static str,
        /// By its registry name.
        srtp_cipher: Option<&'static str>,
    }
}

dictionary! {
    /// [`RTCIceCandidatePairStats`](https://www.w3.org/TR/webrtc-stats/#candidatepair-dict*). Of every
    /// pair that is checked.
    IceCandidatePairStats {
        /// The transport.
        transport_id: String,
        /// The candidate of this side.
        local_candidate_id: String,
        /// That of the peer.
        remote_candidate_id: String,
        /// `frozen`, `waiting`, `in-progress`, `succeeded` or `failed`.
        state: &'static str,
        /// Whether it is nominated.
        nominated: bool,
        /// Datagrams of data that have left over it.
        packets_sent: u64,
        /// Datagrams of data that have come over it.
        packets_received: u64,
        /// Bytes of these.
        bytes_sent: u64,
        /// Bytes of these.
        bytes_received: u64,
        /// The sum of all round trips that were measured, in seconds.
        total_round_trip_time: f64,
        /// Measured last, in seconds.
        current_round_trip_time: Option<f64>,
        /// Checks of the peer's.
        requests_received: u64,
        /// Checks that have left, those for consent apart.
        requests_sent: u64,
        /// Answers to checks.
        responses_received: u64,
        /// Answers to the peer's checks.
        responses_sent: u64,
        /// Checks for consent that have left.
        consent_requests_sent: u64,
    }
}

dictionary! {
    /// [`RTCIceCandidateStats`](https://www.w3.org/TR/webrtc-stats/#icecandidate-dict*).
    IceCandidateStats {
        /// The transport.
        transport_id: String,
        /// Where datagrams go; `None` for a name that has not been resolved.
        address: Option<String>,
        /// Where datagrams go.
        port: u16,
        /// `udp` or `tcp`.
        protocol: String,
        /// Who connects, of a candidate of TCP: `active`, `passive` or `so`.
        tcp_type: Option<&'static str>,
        /// `host`, `srflx`, `prflx` or `relay`.
        candidate_type: String,
        /// The larger, the better.
        priority: u32,
        /// Equal for those that share their fate.
        foundation: String,
        /// The server that a candidate of ours is from.
        url: Option<String>,
        /// How the TURN server of a relayed candidate of ours is reached: `udp`, `tcp` or `tls`.
        relay_protocol: Option<String>,
        /// What it derives from; an address that says nothing where only relayed ones are told.
        related_address: Option<String>,
        /// Its port.
        related_port: Option<u16>,
        /// The generation that it belongs to.
        username_fragment: Option<String>,
    }
}

dictionary! {
    /// [`RTCCertificateStats`](https://www.w3.org/TR/webrtc-stats/#certificatestats-dict*).
    CertificateStats {
        /// In upper case, with colons.
        fingerprint: String,
        /// `sha-256`.
        fingerprint_algorithm: String,
        /// The certificate, DER.
        base64_certificate: String,
        /// That of its issuer; `None`, as it always is here: chains have one certificate.
        issuer_certificate_id: Option<String>,
    }
}
