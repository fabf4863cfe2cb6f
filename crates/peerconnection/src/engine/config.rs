use std::{
    collections::HashMap,
    fmt,
    net::IpAddr,
    time::{Duration, Instant},
};

use pc_dtls::Certificate;
use pc_ice::NetworkCost;
use pc_jsep::{BundlePolicy, Capabilities, UfragPrefix};

/// What a [`Connection`](super::Connection) is built from.
#[derive(Clone)]
pub struct Config {
    /// What this side proves itself with.
    pub certificate: Certificate,
    /// Of everything that is random in ICE and SCTP; secret, and never used twice. The keys of
    /// DTLS come from the cryptographic library.
    pub seed: [u8; 32],
    /// How many transports an offer proposes.
    pub bundle_policy: BundlePolicy,
    /// Whether an offer has a section for data channels when there is none.
    pub always_negotiate_data_channels: bool,
    /// Whether ICE is lite (RFC 8445 §2.5): only host candidates, no checks of our own, and controlled
    /// by every peer that is not lite itself. For servers that every peer can reach.
    pub ice_lite: bool,
    /// What local user fragments begin with.
    pub ufrag_prefix: UfragPrefix,
    /// The codecs and header extensions this side can use.
    pub capabilities: Capabilities,
    /// Whether host candidates are told by [names](super::Connection::set_host_name) of multicast DNS
    /// instead of addresses, which are told nowhere then.
    pub hide_host_addresses: bool,
    /// What it costs to send from these addresses of this machine, whatever
    /// [their networks](super::Connection::set_networks) cost otherwise.
    pub network_costs: HashMap<IpAddr, NetworkCost>,
    /// What sender reports tell the time by; without it, by the time since the first packet.
    pub wall_clock: Option<WallClock>,
}

/// A moment on both clocks: the monotonic one, and that of the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WallClock {
    /// The moment.
    pub at: Instant,
    /// Its time since the Unix epoch.
    pub since_epoch: Duration,
}

impl WallClock {
    /// The time since the Unix epoch at `now`.
    pub fn unix_time(&self, now: Instant) -> Duration {
        self.since_epoch + now.saturating_duration_since(self.at)
    }
}

impl Config {
    /// The W3C's defaults.
    pub fn new(certificate: Certificate, seed: [u8; 32]) -> Self {
        Self {
            certificate,
            seed,
            bundle_policy: BundlePolicy::Balanced,
            always_negotiate_data_channels: false,
            ice_lite: false,
            ufrag_prefix: UfragPrefix::default(),
            capabilities: Capabilities::default(),
            hide_host_addresses: false,
            network_costs: HashMap::new(),
            wall_clock: None,
        }
    }
}

impl fmt::Debug for Config {
    /// Without the seed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("certificate", &self.certificate)
            .field("bundle_policy", &self.bundle_policy)
            .finish_non_exhaustive()
    }
}
