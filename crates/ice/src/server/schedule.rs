use std::time::{Duration, Instant};

use crate::ServerTransport;

/// The durations and counts of a request to a server. The defaults are those of the RFC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestTiming {
    /// RTO: how long the first transmission is given over UDP. 500 ms (RFC 8489 §6.2.1).
    pub rto: Duration,
    /// Rc: how often a request is sent at most over UDP. 7 (RFC 8489 §6.2.1).
    pub max_transmissions: u8,
    /// Rm: how many RTOs the last transmission is given. 16 (RFC 8489 §6.2.1).
    pub last_wait: u8,
    /// Ti: how long an answer over TCP or TLS may take. 39.5 s (RFC 8489 §6.2.2).
    pub stream_timeout: Duration,
}

impl Default for RequestTiming {
    fn default() -> Self {
        Self {
            rto: Duration::from_millis(500),
            max_transmissions: 7,
            last_wait: 16,
            stream_timeout: Duration::from_millis(39_500),
        }
    }
}

/// When a request is sent, sent again and given up (RFC 8489 §6.2).
///
/// ```text
///   UDP      sent at 0, 1, 3, 7, 15, 31 and 63 RTO (Rc = 7), given up at 79 RTO (Rm = 16)
///   streams  sent at 0, given up at Ti
/// ```
#[derive(Debug, Clone)]
pub(crate) struct Schedule {
    timing: RequestTiming,
    stream: bool,
    sent: u8,
    /// A transmission is to leave; until it has left, no time runs.
    due: bool,
    next_at: Option<Instant>,
}

impl Schedule {
    /// A request that is to be sent at once.
    pub(crate) const fn new(transport: ServerTransport, timing: RequestTiming) -> Self {
        Self {
            timing,
            stream: transport.is_stream(),
            sent: 0,
            due: true,
            next_at: None,
        }
    }

    /// Whether a transmission is to leave.
    pub(crate) const fn is_due(&self) -> bool {
        self.due
    }

    /// Whether one has left already.
    pub(crate) const fn was_sent(&self) -> bool {
        self.sent > 0
    }

    /// A transmission leaves now.
    pub(crate) fn sent(&mut self, now: Instant) {
        self.due = false;
        self.sent = self.sent.saturating_add(1);
        let wait = if self.stream {
            self.timing.stream_timeout
        } else if self.sent >= self.timing.max_transmissions {
            self.timing.rto.saturating_mul(self.timing.last_wait.into())
        } else {
            let doubled = 1 << u32::from(self.sent - 1).min(20);
            self.timing.rto.saturating_mul(doubled)
        };
        self.next_at = now.checked_add(wait);
    }

    /// Lets the time run; says whether the request is to be given up.
    pub(crate) fn advance(&mut self, now: Instant) -> bool {
        if self.due || self.next_at.is_none_or(|at| at > now) {
            return false;
        }
        if self.stream || self.sent >= self.timing.max_transmissions {
            return true;
        }
        self.due = true;
        false
    }

    /// When time does something; never while a transmission waits to leave.
    pub(crate) fn next_timeout(&self) -> Option<Instant> {
        self.next_at.filter(|_| !self.due)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Milliseconds at which a request leaves, and at which it is given up.
    fn run(transport: ServerTransport) -> (Vec<u128>, u128) {
        let start = pc_simnet::epoch();
        let (mut now, mut sent) = (start, Vec::new());
        let mut schedule = Schedule::new(transport, RequestTiming::default());
        loop {
            if schedule.advance(now) {
                return (sent, (now - start).as_millis());
            }
            if schedule.is_due() {
                sent.push((now - start).as_millis());
                schedule.sent(now);
            }
            now = schedule.next_timeout().unwrap();
        }
    }

    /// RFC 8489 §6.2.1: "0 ms, 500 ms, 1500 ms, 3500 ms, 7500 ms, 15500 ms, and 31500 ms. If the
    /// client has not received a response after 39500 ms, the client will consider the transaction
    /// to have timed out."
    #[test]
    fn over_udp_a_request_is_sent_seven_times() {
        let times = vec![0, 500, 1_500, 3_500, 7_500, 15_500, 31_500];
        assert_eq!(run(ServerTransport::Udp), (times.clone(), 39_500));
        assert_eq!(run(ServerTransport::Dtls), (times, 39_500));
    }

    /// RFC 8489 §6.2.2: no retransmission, and Ti = 39.5 s.
    #[test]
    fn over_streams_a_request_is_sent_once() {
        assert_eq!(run(ServerTransport::Tcp), (vec![0], 39_500));
        assert_eq!(run(ServerTransport::Tls), (vec![0], 39_500));
    }
}
