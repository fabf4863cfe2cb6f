use std::{
    sync::OnceLock,
    time::{Duration, Instant},
};

/// Where virtual time begins in every simulation of this process.
///
/// `Instant` has no other constructor, hence this one look at the real clock; nothing depends on
/// its value. Engines that want `now` at construction get this.
pub fn epoch() -> Instant {
    static EPOCH: OnceLock<Instant> = OnceLock::new();
    #[allow(clippy::disallowed_methods)]
    *EPOCH.get_or_init(Instant::now)
}

/// `n` milliseconds.
pub const fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// `n` seconds.
pub const fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}
