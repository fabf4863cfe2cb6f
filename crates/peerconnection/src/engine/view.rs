//! What the W3C's interfaces show of a transport.

use std::time::Duration;

use pc_dtls as dtls;
use pc_ice as ice;
use pc_jsep::{IceCredentials, SectionName, TransportId};

use super::transport::Transport;
use crate::{
    IceCandidate,
    state::{DtlsTransportState, IceGathererState, IceTransportState},
};

/// One transport: the W3C's
/// [`RTCIceTransport`](https://www.w3.org/TR/webrtc/#rtcicetransport-interface) and
/// [`RTCDtlsTransport`](https://www.w3.org/TR/webrtc/#rtcdtlstransport-interface).
#[derive(Clone, Copy)]
pub struct TransportView<'a> {
    transport: &'a Transport,
}

impl<'a> TransportView<'a> {
    pub(super) fn new(transport: &'a Transport) -> Self {
        Self { transport }
    }

    /// Which transport.
    pub fn id(&self) -> TransportId {
        self.transport.id
    }

    /// The m-sections that use it.
    pub fn sections(&self) -> &'a [SectionName] {
        &self.transport.sections
    }

    /// `RTCIceTransport.state`.
    pub fn ice_state(&self) -> IceTransportState {
        self.transport.told.ice
    }

    /// `RTCIceTransport.gatheringState`.
    pub fn gathering_state(&self) -> IceGathererState {
        self.transport.gathering.state()
    }

    /// `RTCIceTransport.role`; `None` ("unknown") before the peer has been heard of.
    pub fn ice_role(&self) -> Option<ice::Role> {
        self.transport.peer.as_ref()?;
        Some(self.transport.ice.role())
    }

    /// `RTCIceTransport.getLocalCandidates()`: those announced for the current generation.
    pub fn local_candidates(&self) -> Vec<IceCandidate> {
        if self.transport.gathering.is_wanted() {
            return Vec::new();
        }
        let ufrag = &self.transport.local_credentials().ufrag;
        let list = self.transport.local_candidates();
        list.iter().map(|it| self.wrap(it, Some(ufrag))).collect()
    }

    /// `RTCIceTransport.getRemoteCandidates()`: those the peer has signaled. What was learned from
    /// checks alone is not among them.
    pub fn remote_candidates(&self) -> Vec<IceCandidate> {
        let ufrag = self.transport.ice.remote_credentials();
        let ufrag = ufrag.map(|it| it.ufrag.as_str());
        let signaled = self
            .transport
            .ice
            .remote_candidates()
            .filter(|it| it.kind != ice::CandidateKind::PeerReflexive);
        signaled
            .filter_map(|it| Some(self.wrap(&self.transport.names.told(it)?, ufrag)))
            .collect()
    }

    /// `RTCIceTransport.getSelectedCandidatePair()`: the local and the remote candidate.
    pub fn selected_candidate_pair(&self) -> Option<(IceCandidate, IceCandidate)> {
        let pair = self.selected_pair()?;
        let local = self.transport.hosts.told(&pair.local, None)?;
        let remote = self.transport.names.told(&pair.remote)?;
        let ours = &self.transport.ice.local_credentials().ufrag;
        let theirs = self.transport.ice.remote_credentials();
        Some((
            self.wrap(&local, Some(ours)),
            self.wrap(&remote, theirs.map(|it| it.ufrag.as_str())),
        ))
    }

    /// The same in words, such as `host udp 192.0.2.1:5000` or `host tcp 192.0.2.1:9 active`.
    pub(super) fn described_pair(&self) -> Option<(String, String)> {
        let pair = self.selected_pair()?;
        let describe = |it: &ice::Candidate, address: Option<String>| {
            let (kind, port) = (it.kind, it.address.port());
            let at = match address {
                Some(ip) if ip.contains(':') => format!(" [{ip}]:{port}"),
                Some(ip) => format!(" {ip}:{port}"),
                None => String::new(),
            };
            let tcp_type = it.tcp_type.map(|it| format!(" {it}")).unwrap_or_default();
            format!("{kind} {}{at}{tcp_type}", it.transport)
        };
        let local = self.transport.hosts.address(&pair.local);
        let remote = self.transport.names.address(&pair.remote);
        Some((
            describe(&pair.local, local),
            describe(&pair.remote, Some(remote)),
        ))
    }

    /// The same as the agent has it: with the addresses themselves, where others are
    /// [hidden](super::Config::hide_host_addresses), too.
    pub fn selected_pair(&self) -> Option<&'a ice::CandidatePair> {
        self.transport.ice.selected_pair()
    }

    /// The round-trip time that ICE measured last.
    pub fn round_trip_time(&self) -> Option<Duration> {
        self.transport.ice.rtt()
    }

    /// `RTCIceTransport.getLocalParameters()`: those of the local description.
    pub fn local_parameters(&self) -> &'a IceCredentials {
        self.transport.local_credentials()
    }

    /// `RTCIceTransport.getRemoteParameters()`: those of the last answered exchange.
    pub fn remote_parameters(&self) -> Option<&'a IceCredentials> {
        Some(&self.transport.peer.as_ref()?.remote)
    }

    /// `RTCDtlsTransport.state`.
    pub fn dtls_state(&self) -> DtlsTransportState {
        self.transport.told.dtls
    }

    /// The DTLS role; `None` before the handshake begins.
    pub fn dtls_role(&self) -> Option<dtls::Role> {
        Some(self.dtls()?.role())
    }

    /// `RTCDtlsTransport.getRemoteCertificates()`: DER, the peer's own first; none before the
    /// handshake has brought it.
    pub fn remote_certificates(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        self.dtls()
            .and_then(dtls::Connection::remote_certificate)
            .into_iter()
    }

    /// The DTLS version as four hexadecimal digits, `FEFC` for 1.3.
    pub fn tls_version(&self) -> Option<String> {
        Some(format!("{:04X}", self.dtls()?.version()?.id()))
    }

    /// The cipher suite by its registry name.
    pub fn dtls_cipher(&self) -> Option<String> {
        Some(self.dtls()?.cipher_suite()?.to_string())
    }

    fn dtls(&self) -> Option<&'a dtls::Connection> {
        self.transport.dtls.connection()
    }

    fn wrap(&self, candidate: &pc_sdp::Candidate, ufrag: Option<&str>) -> IceCandidate {
        let section = self.transport.sections.first();
        IceCandidate {
            candidate: candidate.to_string(),
            sdp_mid: section.map(|section| section.mid.clone()),
            sdp_m_line_index: section.and_then(|it| u16::try_from(it.index).ok()),
            username_fragment: ufrag.map(str::to_owned),
        }
    }
}
