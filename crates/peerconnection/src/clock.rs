//! The one place where this crate reads a clock and the system's randomness.

use std::time::{Duration, Instant, SystemTime};

/// The monotonic clock that engines are driven with.
#[allow(clippy::disallowed_methods)]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// The time since 1970, for the validity of certificates.
#[allow(clippy::disallowed_methods)]
pub(crate) fn unix_time() -> Duration {
    SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default()
}

/// Both at once, for the times that sender reports tell.
pub(crate) fn wall_clock() -> crate::engine::WallClock {
    crate::engine::WallClock {
        at: now(),
        since_epoch: unix_time(),
    }
}

/// A seed for an engine's generator, from the operating system.
#[allow(clippy::disallowed_methods)]
pub(crate) fn seed() -> Result<[u8; 32], crate::Error> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed)
        .map_err(|error| crate::Error::Operation(format!("no randomness: {error}").into()))?;
    Ok(seed)
}
