//! What is counted about each encoding that is sent.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use crate::engine::EncodingCounts;

/// The encodings of a sender.
#[derive(Debug, Default)]
pub(crate) struct Encodings {
    all: Vec<Encoding>,
}

#[derive(Debug, Default)]
struct Encoding {
    counts: EncodingCounts,
    /// When the pictures of the last second were encoded.
    recent: VecDeque<Instant>,
}

/// More pictures in a second than any encoder gives.
const MAX_RECENT: usize = 1000;

/// How an encoding is sent from now on.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Setting {
    /// Bits a second; 0: it is not sent.
    pub(crate) bitrate: u64,
    /// As it was asked for and is made.
    pub(crate) scalability_mode: Option<String>,
}

impl Encodings {
    /// There are these.
    pub(crate) fn set(&mut self, settings: Vec<Setting>) {
        self.all.resize_with(settings.len(), Encoding::default);
        for (encoding, setting) in self.all.iter_mut().zip(settings) {
            encoding.counts.target_bitrate = setting.bitrate;
            encoding.counts.scalability_mode = setting.scalability_mode;
        }
    }

    /// A picture was encoded.
    pub(crate) fn add(&mut self, now: Instant, index: usize, size: Option<(u16, u16)>) {
        if let Some(encoding) = self.all.get_mut(index) {
            encoding.counts.frames_encoded += 1;
            encoding.counts.size = size.or(encoding.counts.size);
            encoding.recent.push_back(now);
            encoding.forget_old(now);
        }
    }

    /// What is counted of each.
    pub(crate) fn counts(&mut self, now: Instant) -> Vec<EncodingCounts> {
        let counts = |encoding: &mut Encoding| {
            encoding.forget_old(now);
            EncodingCounts {
                frames_per_second: u32::try_from(encoding.recent.len()).unwrap_or(u32::MAX),
                ..encoding.counts.clone()
            }
        };
        self.all.iter_mut().map(counts).collect()
    }
}

impl Encoding {
    fn forget_old(&mut self, now: Instant) {
        let is_old = |at: &Instant| now.saturating_duration_since(*at) >= Duration::from_secs(1);
        while self.recent.front().is_some_and(is_old) || self.recent.len() > MAX_RECENT {
            self.recent.pop_front();
        }
    }
}
