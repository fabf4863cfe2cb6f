//! How a session behaves.

/// How many bytes one channel may hold unsent, unless
/// [`max_buffered`](pc_sctp::Config::max_buffered) says otherwise. One message may go beyond it.
pub const MAX_BUFFERED_AMOUNT: usize = 16 << 20;

/// The side of the DTLS handshake, which decides whose ids are even (RFC 8832 §6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// The DTLS client opens channels with even ids.
    Client,
    /// The DTLS server opens channels with odd ids.
    Server,
}

impl Role {
    pub(crate) const fn parity(self) -> u16 {
        match self {
            Self::Client => 0,
            Self::Server => 1,
        }
    }
}

/// How a [`Session`](crate::Session) behaves.
#[derive(Clone)]
pub struct Config {
    /// Where everything random comes from; replaces the seed in `sctp`.
    pub seed: [u8; 32],
    /// The association beneath.
    pub sctp: pc_sctp::Config,
    /// How many channels there may be at once, at most 65,535.
    pub max_channels: u16,
    /// How many bytes the labels and protocols of channels that the peer opened may have together.
    pub max_incoming_names: usize,
}

impl Default for Config {
    /// The association's defaults, 65,535 channels, 4 MiB of names. The seed is zero: give one.
    fn default() -> Self {
        Self {
            seed: [0; 32],
            sctp: pc_sctp::Config::default(),
            max_channels: u16::MAX,
            max_incoming_names: 4 << 20,
        }
    }
}

impl std::fmt::Debug for Config {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Config")
            .field("sctp", &self.sctp)
            .field("max_channels", &self.max_channels)
            .field("max_incoming_names", &self.max_incoming_names)
            .finish_non_exhaustive()
    }
}
