use std::time::{Duration, Instant};

/// Spaces new checks by Ta (RFC 8445 §14.2); retransmissions and answers are not its business.
///
/// ```text
///   open ── take ──► closed until now + Ta ── advance ──► open
/// ```
#[derive(Debug)]
pub(crate) struct Pacing {
    interval: Duration,
    /// When the next check may leave; `None` when it may at once.
    closed_until: Option<Instant>,
}

impl Pacing {
    /// The first check leaves at once.
    pub(crate) fn new(interval: Duration) -> Self {
        Self {
            interval,
            closed_until: None,
        }
    }

    pub(crate) fn advance(&mut self, now: Instant) {
        self.closed_until = self.closed_until.filter(|until| *until > now);
    }

    pub(crate) fn is_open(&self) -> bool {
        self.closed_until.is_none()
    }

    pub(crate) fn take(&mut self, now: Instant) {
        self.closed_until = Some(now + self.interval);
    }

    pub(crate) fn opens_at(&self) -> Option<Instant> {
        self.closed_until
    }
}
