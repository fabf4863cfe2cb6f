//! Two connected peers of each stack, in memory and over loopback, with one open data channel.
#![allow(dead_code, unreachable_pub)] // each bench uses its part
#![allow(clippy::disallowed_methods)] // a bench reads the clock

use std::time::{Duration, Instant};

pub mod facade;
pub mod idle;
pub mod ours;
pub mod theirs;

/// Time that runs as it does, and jumps over waiting: in memory only the work is measured.
pub struct Clock {
    skipped: Duration,
}

impl Clock {
    pub fn new() -> Self {
        Self {
            skipped: Duration::ZERO,
        }
    }

    pub fn now(&self) -> Instant {
        Instant::now() + self.skipped
    }

    /// Goes on to `next`, of two peers of which neither has anything to do before.
    pub fn skip_to(&mut self, next: Option<Instant>) {
        let next = next.expect("neither peer waits for anything");
        self.skipped += next.saturating_duration_since(self.now());
    }
}

/// Sends messages over an open channel.
pub trait Transfer {
    /// Returns when the other side has read `count` messages of `len` bytes.
    fn transfer(&mut self, len: usize, count: usize);
}
