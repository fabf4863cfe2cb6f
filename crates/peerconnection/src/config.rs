//! What a connection is built from.

use std::net::IpAddr;

use pc_dtls::Certificate;

/// Which addresses of the machine become host candidates.
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

/// [`RTCConfiguration`](https://www.w3.org/TR/webrtc/#rtcconfiguration-dictionary), as far as it is
/// supported, and what a browser would decide for the page.
///
/// There is no field that is stored and not used. `iceServers` and `iceTransportPolicy` come with
/// STUN and TURN; the bundle policies make no difference to a
/// session of one m-section.
#[derive(Debug, Clone, Default)]
pub struct Configuration {
    /// The certificate this side proves itself with; a new one is generated when there is none.
    pub certificate: Option<Certificate>,
    /// Which local addresses to offer. Not used with an `endpoint`, which has addresses of its own.
    pub host_addresses: HostAddresses,
    /// `iceCandidatePoolSize`: for how many transports sockets are bound at once, before any
    /// description is set. Means nothing with an `endpoint`, whose sockets are bound.
    pub ice_candidate_pool_size: u8,
    /// The sockets to use, shared with other connections; sockets of its own when there is none.
    pub endpoint: Option<crate::Endpoint>,
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
