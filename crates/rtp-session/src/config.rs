//! How a session behaves.

use std::time::Duration;

/// How a [`Session`](crate::Session) behaves.
#[derive(Clone)]
pub struct Config {
    /// Where everything random comes from: SSRCs, first sequence numbers, timestamp offsets, the
    /// spread of reports.
    pub seed: [u8; 32],
    /// The canonical name of everything that is sent (RFC 3550 §6.5.1, RFC 7022): the same for all
    /// sessions of one peer connection.
    pub cname: String,
    /// The time since the Unix epoch at the `now` that [`Session::new`](crate::Session::new) gets,
    /// for the wall clock in sender reports.
    pub unix_time: Duration,
    /// The longest RTP packet and the longest RTCP packet, header included, before protection.
    pub mtu: usize,
    /// The bit rate that is assumed before feedback tells more, in bits a second.
    pub start_bitrate: u64,
    /// The highest bit rate ever announced, in bits a second.
    pub max_bitrate: u64,
}

impl Default for Config {
    /// 1,180-byte packets: 1,200 bytes with the tag and index of SRTCP (RFC 7714 §9). 1 Mbit/s to
    /// begin with, 20 Mbit/s at most. The seed is zero and the name empty: give them.
    fn default() -> Self {
        Self {
            seed: [0; 32],
            cname: String::new(),
            unix_time: Duration::ZERO,
            mtu: 1180,
            start_bitrate: 1_000_000,
            max_bitrate: 20_000_000,
        }
    }
}

impl std::fmt::Debug for Config {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Config")
            .field("cname", &self.cname)
            .field("unix_time", &self.unix_time)
            .field("mtu", &self.mtu)
            .field("start_bitrate", &self.start_bitrate)
            .field("max_bitrate", &self.max_bitrate)
            .finish_non_exhaustive()
    }
}
