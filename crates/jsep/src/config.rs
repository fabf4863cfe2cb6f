use std::fmt;

use pc_sdp::Fingerprint;

use crate::{BundlePolicy, Capabilities, UfragPrefix};

/// What a [`Session`](crate::Session) is made from.
#[derive(Clone)]
pub struct Config {
    /// Everything random in descriptions comes from it, ICE passwords too: it must be unpredictable,
    /// and never be used twice.
    pub seed: [u8; 32],
    /// How many transports an offer proposes.
    pub bundle_policy: BundlePolicy,
    /// The hashes of the local certificate, at least one.
    pub fingerprints: Vec<Fingerprint>,
    /// The codecs and header extensions this side can use.
    pub capabilities: Capabilities,
    /// The longest data channel message this side takes, in bytes (RFC 8841 §6).
    pub max_message_size: u64,
    /// Offers a section for data channels whether or not there is one
    /// (webrtc-extensions, `alwaysNegotiateDataChannels`).
    pub always_negotiate_data_channels: bool,
    /// The ICE agent is lite (RFC 8445 §2.5): descriptions say so, and a peer that is not controls.
    pub ice_lite: bool,
    /// What local user fragments begin with.
    pub ufrag_prefix: UfragPrefix,
}

impl Config {
    /// The defaults of the W3C's `RTCConfiguration`.
    pub fn new(seed: [u8; 32], fingerprints: Vec<Fingerprint>) -> Self {
        Self {
            seed,
            bundle_policy: BundlePolicy::Balanced,
            fingerprints,
            capabilities: Capabilities::default(),
            max_message_size: 262_144,
            always_negotiate_data_channels: false,
            ice_lite: false,
            ufrag_prefix: UfragPrefix::default(),
        }
    }
}

impl fmt::Debug for Config {
    /// Without the seed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("bundle_policy", &self.bundle_policy)
            .field("fingerprints", &self.fingerprints)
            .field("max_message_size", &self.max_message_size)
            .finish_non_exhaustive()
    }
}
