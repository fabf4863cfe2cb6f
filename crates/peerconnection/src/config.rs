//! What a connection is built from.

use std::{net::IpAddr, time::Duration};

use pc_dtls::Certificate;
use pc_ice::NetworkCost;
use pc_jsep::{BundlePolicy, Capabilities, UfragPrefix};
use pc_net::TlsOptions;

use crate::{Error, IceServer};

/// Which addresses of the machine become host candidates.
///
/// Interfaces are looked at twice a second while there is a connection. An address that goes takes its
/// pairs with it, one that comes is tried with the peer's candidates.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum HostAddresses {
    /// Every address of every interface that is up, but loopback and IPv6 link-local ones.
    #[default]
    Interfaces,
    /// Those, and the loopback addresses: for peers on the same machine.
    InterfacesAndLoopback,
    /// These alone.
    Only(Vec<IpAddr>),
}

/// [`RTCIceTransportPolicy`](https://www.w3.org/TR/webrtc/#rtcicetransportpolicy-enum): which
/// candidates may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum IceTransportPolicy {
    /// Those of TURN servers alone, which hide the addresses of this machine.
    Relay,
    /// All.
    #[default]
    All,
}

/// Which TCP candidates are gathered (RFC 6544). UDP is preferred wherever it works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum TcpCandidates {
    /// None: no connection is opened to a peer, and none is accepted.
    Disabled,
    /// Active ones, as in browsers: this side connects to what the peer listens at. Costs nothing where
    /// the peer does not.
    #[default]
    Active,
    /// And passive ones: each transport listens on a free port of each address. For a peer that others
    /// can reach; two browsers never connect to each other over TCP, for neither listens.
    ///
    /// TURN servers that are reached over TCP or TLS listen and connect, too (RFC 6062), where they do
    /// so at all: one more allocation at each. They let in whom the peer's candidates name: who connects
    /// from another address, as from behind a NAT that no candidate tells of, finds nobody.
    ActiveAndPassive,
    /// And those of simultaneous open: through NATs that let in whom this side connects to. Browsers have
    /// none.
    All,
}

impl TcpCandidates {
    /// Whether candidates of this type are gathered.
    pub const fn includes(self, tcp_type: pc_ice::TcpType) -> bool {
        use pc_ice::TcpType::{Active, Passive, SimultaneousOpen};
        match tcp_type {
            Active => !matches!(self, Self::Disabled),
            Passive => matches!(self, Self::ActiveAndPassive | Self::All),
            SimultaneousOpen => matches!(self, Self::All),
        }
    }
}

/// [`RTCConfiguration`](https://www.w3.org/TR/webrtc/#rtcconfiguration-dictionary), and what a
/// browser would decide for the page.
///
/// There is no field that is stored and not used. There is none for `rtcpMuxPolicy`, which can only
/// be "require".
#[derive(Debug, Clone)]
pub struct Configuration {
    /// `iceServers`: whom to ask for candidates, and to relay through. With an `endpoint` its port is
    /// what STUN servers are asked about; each connection has sockets of its own towards TURN servers.
    pub ice_servers: Vec<IceServer>,
    /// Whose certificates are believed of servers over TLS: further authorities, or certificates by
    /// their hashes. A browser decides this for the page. Stays for the life of a connection; those of one
    /// `endpoint` need not believe the same.
    pub server_tls: TlsOptions,
    /// `iceTransportPolicy`. Without servers nothing can be relayed, so "relay" finds no candidate.
    pub ice_transport_policy: IceTransportPolicy,
    /// Which TCP candidates are gathered; a browser decides this for the page. With an `endpoint`, passive
    /// ones are those of [its ports](crate::Endpoint::bind_with_tcp), and there are no simultaneous opens.
    /// Stays for the life of a connection.
    pub tcp_candidates: TcpCandidates,
    /// `bundlePolicy`: how many transports an offer proposes.
    pub bundle_policy: BundlePolicy,
    /// `certificates`: what this side proves itself with; a new one is generated when there is none.
    /// There is no use for a second one, which is refused with `NotSupportedError`.
    pub certificates: Vec<Certificate>,
    /// `iceCandidatePoolSize`: for how many transports sockets are bound at once and servers asked from
    /// there, before any description is set. What is found is told when one is. Not together with an
    /// `endpoint`, whose sockets are bound.
    pub ice_candidate_pool_size: u8,
    /// How long gathering waits for `ice_servers` that do not answer; a browser decides this for the
    /// page. What they answer later serves without being told, until ICE is restarted. Shorter where
    /// descriptions are sent when gathering is complete, as by WHIP, and servers may be down.
    pub ice_gathering_timeout: Duration,
    /// `alwaysNegotiateDataChannels` of webrtc-extensions: offers have a section for data channels
    /// though there is none.
    pub always_negotiate_data_channels: bool,
    /// Which local addresses to offer. Not together with an `endpoint`, which has addresses of its own.
    pub host_addresses: HostAddresses,
    /// What it costs to send from these addresses of this machine, where the application knows better than
    /// their interfaces tell: a wireless LAN that a telephone provides is paid for by volume. Of pairs that
    /// work, the one whose two ends cost less is used
    /// ([ice-network-cost](https://datatracker.ietf.org/doc/html/draft-thatcher-ice-network-cost)). Without,
    /// a cable costs nothing, a wireless LAN [little](NetworkCost::LOW), a cellular network
    /// [much](NetworkCost::HIGH), a VPN as much as what is [not known](NetworkCost::UNKNOWN) and one more.
    /// Costs come before everything else: a relay over a cable goes before a direct way through a VPN.
    /// Stays for the life of a connection.
    pub network_costs: Vec<(IpAddr, NetworkCost)>,
    /// Whether ICE restarts by itself when the network in use is gone and no other one leads to the
    /// peer: `negotiationneeded` is fired as if the application had called
    /// [`restart_ice`](crate::PeerConnection::restart_ice). Browsers leave that to the page.
    pub restart_ice_on_network_change: bool,
    /// Whether TURN servers are asked for tickets with which allocations move to another network
    /// ([RFC 8016](https://www.rfc-editor.org/rfc/rfc8016)): when the network in use is gone and another
    /// one comes, a relayed connection goes on under its relayed addresses after one round trip to the
    /// server. Without, the server is asked for other addresses from there, which takes a few round trips
    /// more. Not the default, since coturn refuses whoever asks, unless it is started with `--mobility`:
    /// then gathering takes a round trip more there. Servers that know nothing of it take no notice.
    pub relay_mobility: bool,
    /// Whether host candidates have a random name of multicast DNS in place of their address, in
    /// signaling and statistics alike
    /// ([mdns-ice-candidates](https://datatracker.ietf.org/doc/html/draft-ietf-mmusic-mdns-ice-candidates)):
    /// only peers on the same link learn the addresses of this machine then. Browsers do so for pages
    /// that may not use the microphone. Not the default here, since peers that do not look names up,
    /// such as GStreamer and aiortc, are not reached by these candidates. Where this machine has no
    /// multicast DNS, host candidates are not told at all.
    pub hide_host_addresses: bool,
    /// The codecs and header extensions to negotiate; `None`:
    /// [what this build can encode and decode](crate::rtp::built_in_capabilities). More of them are for
    /// tracks of encoded frames.
    pub capabilities: Option<Capabilities>,
    /// Whether this side is an ICE-lite agent (RFC 8445 §2.5): it offers its host candidates, checks
    /// nothing, and answers. For servers with public addresses, to which every peer finds its way; not
    /// together with `ice_servers`.
    pub ice_lite: bool,
    /// What local ICE user fragments begin with. It stands first in every check, so that whoever
    /// spreads datagrams over servers can see where a session lives.
    pub ufrag_prefix: UfragPrefix,
    /// The sockets to use, shared with other connections; sockets of its own when there is none. Stays
    /// for the life of a connection.
    pub endpoint: Option<crate::Endpoint>,
}

impl Default for Configuration {
    fn default() -> Self {
        Self {
            ice_servers: Vec::new(),
            server_tls: TlsOptions::default(),
            ice_transport_policy: IceTransportPolicy::All,
            tcp_candidates: TcpCandidates::default(),
            bundle_policy: BundlePolicy::Balanced,
            certificates: Vec::new(),
            ice_candidate_pool_size: 0,
            ice_gathering_timeout: crate::engine::GATHERING_TIMEOUT,
            always_negotiate_data_channels: false,
            host_addresses: HostAddresses::default(),
            network_costs: Vec::new(),
            restart_ice_on_network_change: true,
            relay_mobility: false,
            hide_host_addresses: false,
            capabilities: None,
            ice_lite: false,
            ufrag_prefix: UfragPrefix::default(),
            endpoint: None,
        }
    }
}

impl Configuration {
    /// What must hold for a new configuration and a changed one alike, [WebRTC §4.4.1.6].
    ///
    /// # Errors
    ///
    /// `SyntaxError`, `InvalidAccessError`: an ICE server is wrong; `InvalidAccessError`: a certificate
    /// has expired; `NotSupportedError`: more than one certificate, a server over DTLS, or what does not go
    /// together.
    ///
    /// [WebRTC §4.4.1.6]: https://www.w3.org/TR/webrtc/#set-the-configuration
    pub(crate) fn check(&self, unix_time: Duration) -> Result<(), Error> {
        for certificate in &self.certificates {
            if certificate.expires() <= unix_time {
                return Err(Error::InvalidAccess("the certificate has expired".into()));
            }
        }
        if self.certificates.len() > 1 {
            let message = "more than one certificate is not supported";
            return Err(Error::NotSupported(message.into()));
        }
        if let Some(capabilities) = &self.capabilities {
            capabilities.check()?;
        }
        let servers = self.servers()?;
        if self.ice_lite
            && (!servers.is_empty() || self.ice_transport_policy == IceTransportPolicy::Relay)
        {
            let message = "an ICE-lite agent has host candidates alone";
            return Err(Error::NotSupported(message.into()));
        }
        if self.endpoint.is_some() {
            self.check_beside_endpoint()?;
        }
        Ok(())
    }

    /// Nothing that sockets of an endpoint do not have.
    fn check_beside_endpoint(&self) -> Result<(), Error> {
        let what = if self.host_addresses != HostAddresses::default() {
            "host addresses are chosen where the endpoint is bound"
        } else if self.ice_candidate_pool_size > 0 {
            "an endpoint's sockets are bound: there is nothing to pool"
        } else {
            return Ok(());
        };
        Err(Error::NotSupported(what.into()))
    }

    /// The servers, one for each URL, as the engine wants them.
    ///
    /// # Errors
    ///
    /// Those of [`check`](Self::check).
    pub(crate) fn servers(&self) -> Result<Vec<crate::engine::IceServer>, Error> {
        let all = self.ice_servers.iter().map(IceServer::parse);
        Ok(all.collect::<Result<Vec<_>, _>>()?.concat())
    }

    /// What is negotiated.
    pub(crate) fn capabilities(&self) -> Capabilities {
        let own = self.capabilities.clone();
        own.unwrap_or_else(crate::rtp::built_in_capabilities)
    }

    /// Whether `new` may take the place of this one, [WebRTC §4.4.1.6].
    ///
    /// # Errors
    ///
    /// `InvalidModificationError`: something that stays for the life of a connection, the size of the
    /// pool among it. `NotSupportedError`: another policy once a local description is `described`.
    ///
    /// [WebRTC §4.4.1.6]: https://www.w3.org/TR/webrtc/#set-the-configuration
    pub(crate) fn check_change(&self, new: &Self, described: bool) -> Result<(), Error> {
        let stays = |what: &str| {
            let message = format!("{what} stays for the life of a connection");
            Err(Error::InvalidModification(message.into()))
        };
        let fingerprints = |list: &[Certificate]| -> Vec<_> {
            let certificates = list.iter();
            let hash = pc_dtls::HashAlgorithm::Sha256;
            certificates.map(|own| own.fingerprint(hash)).collect()
        };
        let given = !new.certificates.is_empty();
        if given && fingerprints(&self.certificates) != fingerprints(&new.certificates) {
            return stays("the certificate");
        }
        if self.server_tls != new.server_tls {
            return stays("whose certificates are believed");
        }
        if self.tcp_candidates != new.tcp_candidates {
            return stays("the choice of TCP candidates");
        }
        if self.bundle_policy != new.bundle_policy {
            return stays("the bundle policy");
        }
        if self.always_negotiate_data_channels != new.always_negotiate_data_channels {
            return stays("alwaysNegotiateDataChannels");
        }
        if self.host_addresses != new.host_addresses {
            return stays("the choice of host addresses");
        }
        if self.network_costs != new.network_costs {
            return stays("what networks cost");
        }
        if (self.ice_lite, &self.ufrag_prefix) != (new.ice_lite, &new.ufrag_prefix) {
            return stays("what kind of ICE agent there is");
        }
        if self.hide_host_addresses != new.hide_host_addresses {
            return stays("whether host addresses are hidden");
        }
        if self.capabilities != new.capabilities {
            return stays("what can be negotiated");
        }
        if described && self.ice_candidate_pool_size != new.ice_candidate_pool_size {
            let message = "the size of the candidate pool stays once a description is set";
            return Err(Error::InvalidModification(message.into()));
        }
        if new.endpoint.is_some() && self.endpoint != new.endpoint {
            return stays("the endpoint");
        }
        if self.endpoint.is_some() {
            new.check_beside_endpoint()?;
        }
        if described && self.ice_transport_policy != new.ice_transport_policy {
            let message =
                "another iceTransportPolicy, once there are candidates, is not supported yet";
            return Err(Error::NotSupported(message.into()));
        }
        Ok(())
    }
}

/// [`RTCDataChannelInit`](https://www.w3.org/TR/webrtc/#dom-rtcdatachannelinit).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataChannelInit {
    /// Whether messages arrive in the order they were sent.
    pub ordered: bool,
    /// Gives up on a message after this many milliseconds. Excludes `max_retransmits`.
    pub max_packet_life_time: Option<u16>,
    /// Gives up on a message after this many retransmissions. Excludes `max_packet_life_time`.
    pub max_retransmits: Option<u16>,
    /// A subprotocol name for the application.
    pub protocol: String,
    /// Whether both sides create the channel themselves, with the same `id`, and nothing is sent
    /// to announce it.
    pub negotiated: bool,
    /// The stream id; needed with `negotiated`, ignored without, as the W3C says.
    pub id: Option<u16>,
}

impl Default for DataChannelInit {
    fn default() -> Self {
        Self {
            ordered: true,
            max_packet_life_time: None,
            max_retransmits: None,
            protocol: String::new(),
            negotiated: false,
            id: None,
        }
    }
}
