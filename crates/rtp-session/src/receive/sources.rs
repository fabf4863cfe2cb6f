//! Who was heard or seen lately, [webrtc-pc §5.3](https://www.w3.org/TR/webrtc/#dom-rtcrtpreceiver-getcontributingsources).

use std::time::{Duration, Instant};

use crate::Source;

/// "In the last 10 seconds."
const AGE: Duration = Duration::from_secs(10);
/// As many as are kept of each kind; a packet names 15 contributing sources at most.
const MAX: usize = 32;

#[derive(Debug, Default)]
pub(super) struct Sources {
    list: Vec<Source>,
}

impl Sources {
    /// A source has been played.
    pub(super) fn note(&mut self, source: Source) {
        match self.list.iter_mut().find(|known| known.ssrc == source.ssrc) {
            Some(known) => *known = source,
            None => {
                if self.list.len() == MAX {
                    let oldest = (0..).zip(&self.list).min_by_key(|(_, it)| it.timestamp);
                    if let Some((at, _)) = oldest {
                        self.list.swap_remove(at);
                    }
                }
                self.list.push(source);
            }
        }
    }

    /// The latest first.
    pub(super) fn list(&self, now: Instant) -> Vec<Source> {
        let is_recent = |it: &&Source| now.saturating_duration_since(it.timestamp) <= AGE;
        let mut recent: Vec<_> = self.list.iter().filter(is_recent).copied().collect();
        recent.sort_by_key(|it| std::cmp::Reverse(it.timestamp));
        recent
    }
}
