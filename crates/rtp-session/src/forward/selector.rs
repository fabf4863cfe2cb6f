//! Which of several encodings, and which layers of it, a viewer gets.

use super::{Encoding, Layer};
use std::time::{Duration, Instant};

/// What can be chosen: an encoding, up to a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct OperatingPoint {
    /// See [`Rewriter::select`](super::Rewriter::select).
    pub encoding: Encoding,
    /// See [`Rewriter::set_limit`](super::Rewriter::set_limit).
    pub limit: Layer,
}

/// What is known of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OperatingPointInfo {
    /// What it takes, in bits a second, as measured over a second or so, layers below included.
    pub bit_rate: u64,
    /// Width and height in pixels.
    pub size: (u32, u32),
    /// Whether it is being sent.
    pub is_active: bool,
}

/// How a [`LayerSelector`] makes up its mind.
#[derive(Debug, Clone, Copy)]
pub struct LayerSelectorConfig {
    /// To go up, the target has to be this much more than what the better one takes: in percent.
    pub headroom: u64,
    /// And for so long without a break.
    pub up_after: Duration,
    /// Rates vary: as long as what is chosen is above the target by no more than this, it stays. In
    /// percent.
    pub tolerance: u64,
    /// Whether nothing is sent where not even the lowest fits; else that one is sent.
    pub pauses: bool,
}

impl Default for LayerSelectorConfig {
    /// 20 % for two seconds to go up, 5 % of tolerance, and pauses.
    fn default() -> Self {
        Self {
            headroom: 20,
            up_after: Duration::from_secs(2),
            tolerance: 5,
            pauses: true,
        }
    }
}

/// Chooses the best operating point for a bit rate and a size, without going to and fro.
///
/// It goes down at once, and up when the better one has fitted with room to spare for a while. Whoever
/// asks for another size, or for a paused stream, gets it at once.
///
/// ```text
///                target < lowest                    set_paused(true)
///   ┌─ chosen ──────────────────────▶ starved ────────────────────────▶ paused
///   │    ▲  ▲ lowest fits with headroom  │ set_paused(true) ▲              │
///   └────┘  └────────────────────────────┘                  └──────────────┘ set_paused(false): what fits
///   up with headroom, down at once
/// ```
#[derive(Debug, Clone)]
pub struct LayerSelector {
    config: LayerSelectorConfig,
    /// From the worst to the best.
    points: Vec<(OperatingPoint, OperatingPointInfo)>,
    target: u64,
    max_size: Option<(u32, u32)>,
    is_paused: bool,
    chosen: Option<OperatingPoint>,
    /// Whether what is chosen is to be looked for anew, without waiting.
    is_unsettled: bool,
    /// What could be gone up to, and since when.
    better: Option<(OperatingPoint, Instant)>,
}

impl LayerSelector {
    /// One that knows no operating point, and has any bit rate.
    pub const fn new(config: LayerSelectorConfig) -> Self {
        Self {
            config,
            points: Vec::new(),
            target: u64::MAX,
            max_size: None,
            is_paused: false,
            chosen: None,
            is_unsettled: true,
            better: None,
        }
    }

    /// Tells of an operating point, or what is known of it now.
    pub fn set_point(&mut self, point: OperatingPoint, info: OperatingPointInfo) {
        match self.points.iter_mut().find(|(it, _)| *it == point) {
            Some((_, known)) => *known = info,
            None => self.points.push((point, info)),
        }
        // A stable sort without allocation: there are few.
        self.points.sort_unstable_by_key(|(point, info)| {
            let pixels = u64::from(info.size.0) * u64::from(info.size.1);
            let layer = (point.limit.spatial_id, point.limit.temporal_id);
            (pixels, info.bit_rate, layer, point.encoding)
        });
    }

    /// An operating point is gone.
    pub fn remove_point(&mut self, point: OperatingPoint) {
        self.points.retain(|(it, _)| *it != point);
    }

    /// What the way to the viewer has room for, in bits a second.
    pub const fn set_target(&mut self, bits_per_second: u64) {
        self.target = bits_per_second;
    }

    /// At which size the viewer shows it: nothing is chosen that is larger than the smallest that covers
    /// it. `None` for any.
    pub fn set_max_size(&mut self, size: Option<(u32, u32)>) {
        self.is_unsettled |= self.max_size != size;
        self.max_size = size;
    }

    /// The viewer does not want to see it, or does again.
    pub fn set_paused(&mut self, is_paused: bool) {
        self.is_unsettled |= self.is_paused != is_paused;
        self.is_paused = is_paused;
    }

    /// What is to be sent now; `None` for nothing.
    pub fn select(&mut self, now: Instant) -> Option<OperatingPoint> {
        if self.is_paused {
            (self.chosen, self.better) = (None, None);
            return None;
        }
        let info_of_chosen = self.chosen.and_then(|point| self.info(point));
        let stays = info_of_chosen.is_some_and(|info| {
            let limit = with_percent(self.target, self.config.tolerance);
            info.bit_rate <= limit && self.is_wanted(&info)
        });
        // One that is gone, inactive or not wanted any more is no reason to wait either.
        let is_free = self.is_unsettled || (self.chosen.is_some() && !stays);
        if is_free {
            self.choose(self.best(0));
            self.is_unsettled = self.points.is_empty();
            return self.chosen;
        }
        let better = self.best(self.config.headroom);
        match better.filter(|better| self.is_better(*better)) {
            None => self.better = None,
            Some(better) => {
                let since = match self.better {
                    // Another one that is good enough, too, does not start the wait anew.
                    Some((_, since)) => since,
                    None => now,
                };
                self.better = Some((better, since));
                if now.saturating_duration_since(since) >= self.config.up_after {
                    self.choose(Some(better));
                }
            }
        }
        self.chosen
    }

    /// When it may go up, if nothing changes until then.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.better.map(|(_, since)| since + self.config.up_after)
    }

    fn choose(&mut self, point: Option<OperatingPoint>) {
        (self.chosen, self.better) = (point, None);
    }

    fn info(&self, point: OperatingPoint) -> Option<OperatingPointInfo> {
        let found = self.points.iter().find(|(it, _)| *it == point);
        found.map(|(_, info)| *info)
    }

    /// The best that fits with so much headroom, or what there is instead.
    fn best(&self, headroom: u64) -> Option<OperatingPoint> {
        let wanted = || self.points.iter().filter(|(_, info)| self.is_wanted(info));
        let fits = |info: &OperatingPointInfo| with_percent(info.bit_rate, headroom) <= self.target;
        let best = wanted().rfind(|(_, info)| fits(info));
        let lowest = || wanted().next().filter(|_| !self.config.pauses);
        best.or_else(lowest).map(|(point, _)| *point)
    }

    /// Whether it is there and no larger than what the viewer can show.
    fn is_wanted(&self, info: &OperatingPointInfo) -> bool {
        let Some((width, height)) = self.max_size else {
            return info.is_active;
        };
        let covers = |size: (u32, u32)| size.0 >= width && size.1 >= height;
        let active = self.points.iter().filter(|(_, info)| info.is_active);
        let smallest = active.map(|(_, info)| info.size).find(|size| covers(*size));
        let pixels = |size: (u32, u32)| u64::from(size.0) * u64::from(size.1);
        info.is_active && smallest.is_none_or(|smallest| pixels(info.size) <= pixels(smallest))
    }

    fn is_better(&self, point: OperatingPoint) -> bool {
        let place = |point| self.points.iter().position(|(it, _)| *it == point);
        match self.chosen {
            None => true,
            Some(chosen) => place(point) > place(chosen),
        }
    }
}

const fn with_percent(value: u64, percent: u64) -> u64 {
    value.saturating_add((value / 100).saturating_mul(percent))
}
