use std::time::Duration;

/// The SCTP port that WebRTC uses by default (`a=sctp-port`, RFC 8841 §5; 5000 by custom).
pub const DEFAULT_PORT: u16 = 5000;

/// How an [`Association`](crate::Association) behaves.
#[derive(Clone)]
pub struct Config {
    /// The SCTP port on this side, not 0.
    pub local_port: u16,
    /// The SCTP port of the peer, not 0.
    pub remote_port: u16,
    /// The largest message that may be sent, in bytes: the peer's `a=max-message-size`.
    pub max_message_size: usize,
    /// The largest message that is received, in bytes: our `a=max-message-size`. A larger one ends
    /// the association with [`Error::MessageTooLarge`](crate::Error::MessageTooLarge).
    pub max_receive_message_size: usize,
    /// How many bytes of unread messages are kept before the receive window closes; at least twice
    /// `max_receive_message_size`.
    pub receive_buffer: usize,
    /// How many bytes of unsent messages one stream may hold.
    pub max_buffered: usize,
    /// The longest packet to send, in bytes: what fits into one DTLS record on the path.
    pub mtu: usize,
    /// How many streams may be in use at once. DATA for a further one is dropped until another is
    /// reset.
    pub max_streams: usize,
    /// The first retransmission timeout, RFC 9260 §16 (`RTO.Initial`).
    pub rto_initial: Duration,
    /// The smallest retransmission timeout (`RTO.Min`). It must exceed the peer's delay of SACKs,
    /// 200 ms.
    pub rto_min: Duration,
    /// The largest retransmission timeout, after any number of losses. Small, because ICE decides
    /// when the path is dead, and data must flow soon after an outage.
    pub rto_max: Duration,
    /// Where the tag, the first TSN and the State Cookie come from. The same seed gives the same
    /// packets for the same calls.
    pub seed: [u8; 32],
}

impl Default for Config {
    /// What a browser uses: ports 5000, messages up to 256 KiB, 1,191-byte packets (1,280 bytes of
    /// IPv6 less the headers of IPv6, UDP, DTLS and TURN), 5 MiB of receive buffer. The seed is zero: give one.
    fn default() -> Self {
        Self {
            local_port: DEFAULT_PORT,
            remote_port: DEFAULT_PORT,
            max_message_size: 65_536,
            max_receive_message_size: 262_144,
            receive_buffer: 5 << 20,
            max_buffered: 16 << 20,
            mtu: 1191,
            max_streams: 65_535,
            rto_initial: Duration::from_millis(500),
            rto_min: Duration::from_millis(400),
            rto_max: Duration::from_secs(6),
            seed: [0; 32],
        }
    }
}

impl std::fmt::Debug for Config {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Config")
            .field("ports", &(self.local_port, self.remote_port))
            .field("max_message_size", &self.max_message_size)
            .field("max_receive_message_size", &self.max_receive_message_size)
            .field("receive_buffer", &self.receive_buffer)
            .field("max_buffered", &self.max_buffered)
            .field("mtu", &self.mtu)
            .field("max_streams", &self.max_streams)
            .finish_non_exhaustive()
    }
}
