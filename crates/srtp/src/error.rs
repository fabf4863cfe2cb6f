/// Why a context cannot be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The master key is not of the profile's length.
    #[error("a master key of {got} bytes where the profile has {needed}")]
    KeyLength {
        /// How many there are.
        got: usize,
        /// How many there should be.
        needed: usize,
    },
    /// The master salt is not of the profile's length.
    #[error("a master salt of {got} bytes where the profile has {needed}")]
    SaltLength {
        /// How many there are.
        got: usize,
        /// How many there should be.
        needed: usize,
    },
    /// The window against replays is shorter than 64 packets (RFC 3711 §3.3.2) or longer than 32,768.
    #[error("a replay window of {0} packets is not between 64 and 32,768")]
    ReplayWindow(usize),
    /// The cryptographic library failed.
    #[error("the cryptographic library failed: {0}")]
    Crypto(#[from] pc_crypto::Error),
}

/// Why a packet was dropped. Nothing has changed by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Rejected {
    /// Too short, or a header that does not fit in.
    #[error("not a packet of SRTP or SRTCP")]
    Malformed,
    /// No room behind the packet for what protection adds.
    #[error("no room for the tag behind the packet")]
    NoRoom,
    /// Forged, damaged, or under another key.
    #[error("not authentic")]
    NotAuthentic,
    /// It has come before.
    #[error("replayed")]
    Replayed,
    /// Older than the window against replays reaches.
    #[error("older than the replay window")]
    TooOld,
    /// SRTCP that is not encrypted: it could be read by anybody.
    #[error("SRTCP without encryption")]
    NotEncrypted,
    /// More sources than [`Options::max_ssrcs`](crate::Options::max_ssrcs).
    #[error("more sources than are kept")]
    TooManySources,
    /// As many packets as one key may protect (RFC 3711 §9.2).
    #[error("the key has protected as many packets as it may")]
    KeyExhausted,
}
