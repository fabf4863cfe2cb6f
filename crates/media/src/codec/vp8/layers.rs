//! Layers in time: which pictures of a VP8 stream build on which (webrtc-svc §10, `L1T2`, `L1T3`).
//!
//! ```text
//!  L1T2                         L1T3
//!       1     1     1  T1            2     2     2     2  T2
//!      /     /     /                /     /     /     /
//!     0─────0─────0    T0          │   1─┘     │   1─┘    T1
//!                                  ├──┘        ├──┘
//!                                  0───────────0          T0
//! ```
//!
//! Pictures of the base layer build on the last one of it, which is what the decoder's LAST holds:
//! others leave that as it is. With three layers the picture in the middle goes into GOLDEN, for the
//! one after it. Whoever leaves a layer out leaves out what the layers below never look at: motion
//! vectors and probabilities of VP8 are each picture's own, but for those that a picture saves (RFC
//! 6386 §9.11, `refresh_entropy_probs`), and the encoder saves none after a key frame.

use oxideav_vp8::{KeyframePlanes, RefreshControls};

use crate::codec::TemporalLayer;

/// One place in a pattern.
#[derive(Debug, Clone, Copy)]
struct Step {
    layer: TemporalLayer,
    /// It takes the place of the last picture of the base layer.
    is_base: bool,
    /// It goes into GOLDEN.
    is_kept: bool,
    /// It may build on GOLDEN.
    uses_kept: bool,
}

const fn step(id: u8, is_sync: bool, is_discardable: bool) -> Step {
    Step {
        layer: TemporalLayer {
            id,
            is_sync,
            is_discardable,
        },
        is_base: id == 0,
        is_kept: id != 0 && !is_discardable,
        uses_kept: id != 0 && !is_sync,
    }
}

const L1T1: &[Step] = &[step(0, false, false)];
const L1T2: &[Step] = &[step(0, false, false), step(1, true, true)];
const L1T3: &[Step] = &[
    step(0, false, false),
    step(2, true, true),
    step(1, true, false),
    step(2, false, true),
];

/// Where in its pattern a stream is.
pub(super) struct Layers {
    pattern: &'static [Step],
    /// The place of the next picture.
    next: usize,
    /// What the decoder has in GOLDEN, from the picture that goes there to the next of the base layer.
    golden: Option<KeyframePlanes>,
}

impl Default for Layers {
    fn default() -> Self {
        Self {
            pattern: L1T1,
            next: 0,
            golden: None,
        }
    }
}

impl Layers {
    /// Begins with another pattern; whether there is one of this name.
    pub(super) fn set_mode(&mut self, mode: &str) -> bool {
        self.pattern = match mode {
            "L1T1" => L1T1,
            "L1T2" => L1T2,
            "L1T3" => L1T3,
            _ => return false,
        };
        self.begin();
        true
    }

    /// The next picture is of the base layer.
    pub(super) fn begin(&mut self) {
        self.next = 0;
        self.golden = None;
    }

    fn step(&self) -> Step {
        let next = self.pattern.get(self.next).copied();
        next.unwrap_or_else(|| step(0, false, false))
    }

    /// What the next picture may build on beside the base layer.
    pub(super) fn golden(&self) -> Option<&KeyframePlanes> {
        self.golden.as_ref().filter(|_| self.step().uses_kept)
    }

    /// Where the next picture goes in the decoder.
    pub(super) fn refresh(&self) -> RefreshControls {
        let step = self.step();
        RefreshControls {
            refresh_last: step.is_base,
            refresh_golden_frame: step.is_kept,
            ..RefreshControls::default()
        }
    }

    /// What the next picture is, if there are layers.
    pub(super) fn layer(&self) -> Option<TemporalLayer> {
        (self.pattern.len() > 1).then(|| self.step().layer)
    }

    /// The picture is encoded; `kept` is what the decoder has of it, if that goes into GOLDEN.
    pub(super) fn advance(&mut self, kept: Option<KeyframePlanes>) {
        self.next = (self.next + 1) % self.pattern.len().max(1);
        match kept {
            Some(kept) => self.golden = Some(kept),
            None if self.next == 0 => self.golden = None,
            None => {}
        }
    }
}
