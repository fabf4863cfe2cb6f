//! What there is to see of a connection: its states, its transports, how it runs.

use std::time::Duration;

use pc_jsep::TransportId;

use super::{Connection, TransportView, transport::Transport};
use crate::state::{
    DtlsTransportState, IceConnectionState, IceGatheringState, PeerConnectionState,
    SctpTransportState, SignalingState,
};

/// How a connection runs, for people and for statistics.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TransportInfo {
    /// The local and the remote candidate in use, such as `host udp 192.0.2.1:5000`.
    pub candidate_pair: Option<(String, String)>,
    /// The round-trip time that ICE measured last.
    pub round_trip_time: Option<Duration>,
    /// The DTLS version as four hexadecimal digits, `FEFC` for 1.3.
    pub tls_version: Option<String>,
    /// The cipher suite by its registry name.
    pub dtls_cipher: Option<String>,
    /// Datagrams dropped so far because they were malformed, forged, late or for somebody else.
    pub datagrams_rejected: u64,
}

impl Connection {
    /// `signalingState`.
    pub fn signaling_state(&self) -> SignalingState {
        self.session.signaling_state()
    }

    /// `iceGatheringState`.
    pub fn ice_gathering_state(&self) -> IceGatheringState {
        self.transports.gathering_state()
    }

    /// `iceConnectionState`.
    pub fn ice_connection_state(&self) -> IceConnectionState {
        self.states.ice
    }

    /// `connectionState`.
    pub fn connection_state(&self) -> PeerConnectionState {
        self.states.connection
    }

    /// `sctp.transport.state`; before there is a data section, that of the first transport.
    pub fn dtls_state(&self) -> DtlsTransportState {
        let told = self.main_transport().map(|it| it.dtls_state());
        match told {
            Some(state) => state,
            None if self.is_closed() => DtlsTransportState::Closed,
            None => DtlsTransportState::New,
        }
    }

    fn main_transport(&self) -> Option<TransportView<'_>> {
        let data = self.data.transport().and_then(|id| self.transport(id));
        data.or_else(|| self.transports().next())
    }

    /// `sctp.state`; `None` while there is no data section.
    pub fn sctp_state(&self) -> Option<SctpTransportState> {
        self.states.sctp
    }

    /// The ICE user fragments that checks for us begin with: how a demultiplexer of several
    /// connections knows them. Around an ICE restart a transport has two; and transports of a bundle
    /// that was offered have the same, which comes once for each.
    pub fn local_ufrags(&self) -> impl Iterator<Item = &str> {
        let transports = self.transports.iter();
        transports.flat_map(Transport::local_ufrags)
    }

    /// How the transport of the data channels, or else the first, runs.
    pub fn transport_info(&self) -> TransportInfo {
        let transport = self.main_transport();
        TransportInfo {
            candidate_pair: transport.and_then(|it| it.described_pair()),
            round_trip_time: transport.and_then(|it| it.round_trip_time()),
            tls_version: transport.and_then(|it| it.tls_version()),
            dtls_cipher: transport.and_then(|it| it.dtls_cipher()),
            datagrams_rejected: self.rejected,
        }
    }

    /// The transports, in the order of their first m-sections.
    pub fn transports(&self) -> impl Iterator<Item = TransportView<'_>> {
        self.transports.iter().map(TransportView::new)
    }

    /// A transport that is in use; `None` once it has ended, all its states being "closed" then.
    pub fn transport(&self, id: TransportId) -> Option<TransportView<'_>> {
        self.transports.get(id).map(TransportView::new)
    }

    /// Whether a transport still needs its sockets: it is in use, or has its peer to tell that it
    /// is not.
    pub fn needs_sockets(&self, id: TransportId) -> bool {
        self.transports.contains(id)
    }

    /// The transport of the data channels; `None` while there is no section for them.
    pub fn data_transport(&self) -> Option<TransportId> {
        self.data.transport()
    }
}
