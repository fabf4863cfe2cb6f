use std::collections::BTreeMap;

use super::Stats;

/// [`RTCStatsReport`](https://www.w3.org/TR/webrtc/#rtcstatsreport-object): objects by their `id`, which
/// is also how they refer to one another.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct StatsReport {
    by_id: BTreeMap<String, Stats>,
}

impl StatsReport {
    /// The object of this `id`.
    pub fn get(&self, id: &str) -> Option<&Stats> {
        self.by_id.get(id)
    }

    /// All objects, by their ids.
    pub fn iter(&self) -> impl Iterator<Item = &Stats> {
        self.by_id.values()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    /// The streams that `is_wanted`, and all that they refer to, directly or not ([WebRTC §8.3],
    /// "stats selection algorithm").
    ///
    /// [WebRTC §8.3]: https://www.w3.org/TR/webrtc/#dfn-stats-selection-algorithm
    pub(crate) fn about(&self, is_wanted: impl Fn(&Stats) -> bool) -> Self {
        let mut wanted: Vec<&Stats> = self.iter().filter(|it| is_wanted(it)).collect();
        let mut found = Self::default();
        while let Some(stats) = wanted.pop() {
            if found.get(stats.id()).is_none() {
                found.add(stats.clone());
                let referred = stats.references().into_iter().flatten();
                wanted.extend(referred.filter_map(|id| self.get(id)));
            }
        }
        found
    }

    pub(crate) fn add(&mut self, stats: Stats) {
        self.by_id.insert(stats.id().to_owned(), stats);
    }
}
