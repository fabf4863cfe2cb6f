use std::{fmt, time::Duration};

use crate::{Credentials, Role};

/// What an [`Agent`](crate::Agent) is made from.
#[derive(Clone)]
pub struct Config {
    /// Which side nominates (RFC 8445 §6.1.1): the offerer is controlling, unless the peer is lite.
    pub role: Role,
    /// Everything random comes from it: it must be unpredictable, and never be used twice.
    pub seed: [u8; 32],
    /// The agent is lite (RFC 8445 §2.5): for a server that every peer can reach at its host
    /// candidates. It checks nothing, only answers, and is controlled by every peer that is not lite
    /// itself.
    pub lite: bool,
    /// The local ufrag and password; `None` generates them. They are used as they are: check those
    /// that come from elsewhere with [`Credentials::validate`].
    pub credentials: Option<Credentials>,
    /// Every duration and count; the defaults are those of the RFCs.
    pub timing: Timing,
}

impl Config {
    /// Generated credentials and the RFCs' timing.
    pub fn new(role: Role, seed: [u8; 32]) -> Self {
        Self {
            role,
            lite: false,
            seed,
            credentials: None,
            timing: Timing::default(),
        }
    }
}

impl fmt::Debug for Config {
    /// Without the seed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("role", &self.role)
            .field("lite", &self.lite)
            .field("credentials", &self.credentials)
            .field("timing", &self.timing)
            .finish_non_exhaustive()
    }
}

/// The durations and counts of an agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// Ta: the time between two new checks. 50 ms (RFC 8445 §14.2).
    pub pace: Duration,
    /// The least RTO of a check. 500 ms (RFC 8445 §14.3).
    pub min_rto: Duration,
    /// Rc: how often a check is sent at most. 7 (RFC 8489 §6.2.1).
    pub max_transmissions: u8,
    /// Rm: how many RTOs the last transmission is given. 16 (RFC 8489 §6.2.1).
    pub last_wait: u8,
    /// How long nothing is declared failed. 39.5 s (RFC 8863 §4).
    pub patience: Duration,
    /// The least time a controlling agent waits for a better pair. 50 ms, one pace.
    pub min_nomination_wait: Duration,
    /// The most time a controlling agent waits for a better pair; between the two, twice the
    /// round-trip time of the best pair found. 1 s. RFC 8445 §8.1.1 leaves the criterion open.
    pub max_nomination_wait: Duration,
    /// The mean time between two consent checks, which varies by a fifth. 5 s (RFC 7675 §5.1).
    pub consent_interval: Duration,
    /// How long consent lasts. 30 s (RFC 7675 §5.1).
    pub consent_expiry: Duration,
    /// How long the path is silent after something was sent on it before the state is
    /// [`Disconnected`](crate::State::Disconnected). 5 s, as in browsers.
    pub disconnected_after: Duration,
    /// How long nothing may be heard on the path after something was sent on it before it is probed
    /// with checks; at least two round trips. 400 ms.
    pub probe_after: Duration,
    /// The time between two probes of a path, and after the last of them until other pairs are tried;
    /// at least one and a half round trips. 150 ms.
    pub probe_interval: Duration,
    /// How many probes in a row without an answer make other pairs be tried. 3: with a tenth of all
    /// packets lost either way, less than one path in a hundred that lives is doubted.
    pub probes: u8,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            pace: Duration::from_millis(50),
            min_rto: Duration::from_millis(500),
            max_transmissions: 7,
            last_wait: 16,
            patience: Duration::from_millis(39_500),
            min_nomination_wait: Duration::from_millis(50),
            max_nomination_wait: Duration::from_secs(1),
            consent_interval: Duration::from_secs(5),
            consent_expiry: Duration::from_secs(30),
            disconnected_after: Duration::from_secs(5),
            probe_after: Duration::from_millis(400),
            probe_interval: Duration::from_millis(150),
            probes: 3,
        }
    }
}

impl Timing {
    /// The RTO of a check while `busy` pairs are waiting or in progress (RFC 8445 §14.3).
    pub(crate) fn rto(&self, busy: usize) -> Duration {
        let busy = u32::try_from(busy).unwrap_or(u32::MAX);
        self.min_rto.max(self.pace.saturating_mul(busy))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8863 §4: the PAC timer lasts as long as a check with all its retransmissions, "39.5
    /// seconds" with the default RTO, Rc and Rm.
    #[test]
    fn patience_is_the_length_of_a_whole_check() {
        let timing = Timing::default();
        let waits: u32 = (0..u32::from(timing.max_transmissions) - 1)
            .map(|n| 1 << n)
            .sum();
        let whole = timing.min_rto * (waits + u32::from(timing.last_wait));
        assert_eq!(timing.patience, whole);
    }

    #[test]
    fn the_rto_grows_with_the_checklist() {
        let timing = Timing::default();
        assert_eq!(timing.rto(1), Duration::from_millis(500));
        assert_eq!(timing.rto(10), Duration::from_millis(500));
        assert_eq!(timing.rto(100), Duration::from_secs(5));
    }
}
