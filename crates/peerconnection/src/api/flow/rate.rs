//! How many bits a second each encoding of a sender may use.

use pc_jsep::EncodingParameters;

/// What a sender begins with before the network has been heard of.
const START_BITRATE: u64 = 1_000_000;

/// What a lone picture of this many pixels is worth at 30 frames a second: a tenth of a bit a pixel,
/// which is what encoders in real time need for a picture that moves.
fn wanted(pixels: u64) -> u64 {
    (pixels * 3).clamp(100_000, 4_000_000)
}

/// What a stream of simulcast is to have, in bits a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Limits {
    /// With less than this the picture is not worth sending: its bits go to a smaller one.
    min: u64,
    /// What it gets before a larger one gets any.
    target: u64,
    /// What it gets when there is no larger one to have the rest.
    max: u64,
}

/// Pixels, then the limits of pictures of that size, in kbit/s: those of libwebrtc, so that servers
/// that are made for browsers see what they know. In between they are in proportion.
const LIMITS: [(u64, [u64; 3]); 6] = [
    (320 * 180, [30, 150, 200]),
    (480 * 270, [150, 350, 450]),
    (640 * 360, [150, 500, 700]),
    (960 * 540, [350, 1_200, 1_200]),
    (1_280 * 720, [600, 2_500, 2_500]),
    (1_920 * 1_080, [800, 4_000, 5_000]),
];

/// A stream that is sent goes on down to this many hundredths of what it takes to begin: beginning
/// costs a key frame, and viewers see each change.
const STAYS_WITH: u64 = 85;

impl Limits {
    fn of(pixels: u64, encoding: &EncodingParameters) -> Self {
        let [min, target, max] = Self::by_size(pixels).map(|kilobits| kilobits * 1000);
        match encoding.max_bitrate {
            // Where it is more than usual the largest encoding may have it.
            Some(limit) => Self {
                min: min.min(limit),
                target: target.min(limit),
                max: limit,
            },
            None => Self { min, target, max },
        }
    }

    fn by_size(pixels: u64) -> [u64; 3] {
        let above = LIMITS.iter().position(|(size, _)| *size >= pixels);
        let (from, to) = match above {
            Some(0) => return LIMITS.first().map_or([0; 3], |(_, limits)| *limits),
            Some(above) => (LIMITS.get(above - 1), LIMITS.get(above)),
            None => (None, LIMITS.last()),
        };
        match (from, to) {
            (Some((below, less)), Some((above, more))) => {
                let between = |less: u64, more: u64| {
                    less + (more - less) * (pixels - below) / (above - below).max(1)
                };
                let [a, b, c] = *less;
                let [x, y, z] = *more;
                [between(a, x), between(b, y), between(c, z)]
            }
            (_, Some((_, limits))) => *limits,
            _ => [0; 3],
        }
    }
}

/// What each encoding gets, and which of them are sent at all.
#[derive(Debug, Default)]
pub(super) struct Sharing {
    sent: Vec<bool>,
    next_step: u64,
}

impl Sharing {
    /// Shares what the network takes among encodings with so many pixels. The smallest picture comes
    /// first and is always sent; a larger one is where the smaller ones have what they need and there
    /// is enough left for it; the largest of those that are sent has the rest. 0 for one that is not
    /// sent, because there is not enough or it is not active. None gets more than its `maxBitrate`.
    pub(super) fn share(
        &mut self,
        network: Option<u64>,
        encodings: &[EncodingParameters],
        pixels: impl Fn(usize) -> u64,
    ) -> Vec<u64> {
        self.sent.resize(encodings.len(), false);
        let mut active: Vec<(usize, u64)> = (0..encodings.len())
            .filter(|index| encodings.get(*index).is_some_and(|it| it.active))
            .map(|index| (index, pixels(index)))
            .collect();
        active.sort_by_key(|(_, pixels)| *pixels);
        let with_limits = active.into_iter().filter_map(|(index, pixels)| {
            let encoding = encodings.get(index)?;
            let is_simulcast = encodings.len() > 1;
            let limits = match is_simulcast {
                true => Limits::of(pixels, encoding),
                false => lone(pixels, encoding),
            };
            Some((index, limits))
        });
        let layers: Vec<(usize, Limits)> = with_limits.collect();
        let targets: u64 = layers.iter().map(|(_, it)| it.target).sum();
        let shares = self.divide(network.unwrap_or(START_BITRATE.max(targets)), &layers);
        for (sent, share) in self.sent.iter_mut().zip(&shares) {
            *sent = *share > 0;
        }
        self.next_step = self.step_after(&layers);
        shares
    }

    fn step_after(&self, layers: &[(usize, Limits)]) -> u64 {
        let is_sent = |index: usize| self.sent.get(index).copied().unwrap_or(false);
        let Some(first) = layers.iter().position(|(index, _)| !is_sent(*index)) else {
            return 0;
        };
        let (below, above) = layers.split_at(first);
        let served: u64 = below.iter().map(|(_, it)| it.target).sum();
        let step = served + above.first().map_or(0, |(_, it)| it.min);
        // Somewhat more: who is told of rates is not told of small changes.
        step + step / 20
    }

    fn divide(&self, network: u64, layers: &[(usize, Limits)]) -> Vec<u64> {
        let mut shares = vec![0; self.sent.len()];
        let mut left = network;
        let mut top = None;
        for (index, limits) in layers {
            let is_sent = self.sent.get(*index).copied().unwrap_or(false);
            let least = match (top, is_sent) {
                (None, _) => 0,
                (Some(_), true) => limits.min * STAYS_WITH / 100,
                (Some(_), false) => limits.min,
            };
            if left < least || left == 0 {
                break;
            }
            let share = left.min(limits.target);
            left -= share;
            if let Some(slot) = shares.get_mut(*index) {
                *slot = share;
            }
            top = Some((*index, limits.max));
        }
        if let Some((index, max)) = top
            && let Some(slot) = shares.get_mut(index)
        {
            *slot = (*slot + left).min(max.max(*slot));
        }
        shares
    }

    /// What the network would have to take for the next larger encoding to be sent; 0 when all that
    /// are active are.
    pub(super) fn next_step(&self) -> u64 {
        self.next_step
    }
}

/// A stream without others beside it is sent whatever the network takes.
fn lone(pixels: u64, encoding: &EncodingParameters) -> Limits {
    let wish = wanted(pixels).min(encoding.max_bitrate.unwrap_or(u64::MAX));
    Limits {
        min: 0,
        target: wish,
        max: wish,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoding(active: bool, max_bitrate: Option<u64>) -> EncodingParameters {
        EncodingParameters {
            active,
            max_bitrate,
            ..Default::default()
        }
    }

    /// f, h, q: the largest first.
    fn pixels(index: usize) -> u64 {
        [1_280 * 720, 640 * 360, 320 * 180][index]
    }

    fn three() -> [EncodingParameters; 3] {
        [(); 3].map(|()| encoding(true, None))
    }

    #[test]
    fn the_smallest_are_served_first() {
        let share = |network| Sharing::default().share(Some(network), &three(), pixels);
        assert_eq!(share(5_000_000), [2_500_000, 500_000, 150_000]);
        assert_eq!(share(3_000_000), [2_350_000, 500_000, 150_000]);
        assert_eq!(share(1_250_000), [600_000, 500_000, 150_000]);
        // Not enough for the largest: what is left goes to the one below, as far as it can use it.
        assert_eq!(share(1_249_000), [0, 700_000, 150_000]);
        assert_eq!(share(600_000), [0, 450_000, 150_000]);
        assert_eq!(share(299_000), [0, 0, 200_000]);
        // The smallest is never given up.
        assert_eq!(share(20_000), [0, 0, 20_000]);
    }

    #[test]
    fn what_is_sent_does_not_stop_for_a_trifle() {
        let mut sharing = Sharing::default();
        let mut largest = |network| sharing.share(Some(network), &three(), pixels)[0];
        assert_eq!(largest(1_240_000), 0);
        assert_eq!(largest(1_260_000), 610_000);
        assert_eq!(largest(1_170_000), 520_000, "it has begun");
        assert_eq!(largest(1_150_000), 0);
        assert_eq!(largest(1_170_000), 0, "and has stopped");
    }

    #[test]
    fn inactive_encodings_leave_their_share() {
        let all = [
            encoding(true, None),
            encoding(false, None),
            encoding(true, Some(100_000)),
        ];
        let mut sharing = Sharing::default();
        assert_eq!(
            sharing.share(Some(800_000), &all, pixels),
            [700_000, 0, 100_000]
        );
        assert_eq!(sharing.next_step(), 0);
        assert_eq!(sharing.share(Some(600_000), &all, pixels), [0, 0, 100_000]);
        assert_eq!(sharing.next_step(), 735_000);
        let none = [(); 3].map(|()| encoding(false, None));
        assert_eq!(sharing.share(Some(800_000), &none, pixels), [0; 3]);
        assert_eq!(sharing.next_step(), 0);
    }

    #[test]
    fn limits_hold_in_both_directions() {
        let all = [
            encoding(true, Some(1_000_000)),
            encoding(true, Some(400_000)),
            encoding(true, Some(300_000)),
        ];
        let share = |network| Sharing::default().share(Some(network), &all, pixels);
        assert_eq!(share(10_000_000), [1_000_000, 400_000, 150_000]);
        assert_eq!(share(1_150_000), [600_000, 400_000, 150_000]);
        assert_eq!(share(1_149_999), [0, 400_000, 150_000]);
        let all = [encoding(true, Some(8_000_000)), encoding(true, None)];
        let share = |network| Sharing::default().share(Some(network), &all, pixels);
        assert_eq!(share(9_000_000), [8_000_000, 500_000]);
    }

    #[test]
    fn a_lone_encoding_has_what_there_is() {
        let mut sharing = Sharing::default();
        let one = [encoding(true, None)];
        let mut share = |network| sharing.share(network, &one, |_| 640 * 360);
        assert_eq!(share(None), [691_200]);
        assert_eq!(share(Some(400_000)), [400_000]);
        assert_eq!(share(Some(30_000)), [30_000]);
        assert_eq!(share(Some(9_000_000)), [691_200]);
        let limited = [encoding(true, Some(150_000))];
        assert_eq!(sharing.share(None, &limited, |_| 640 * 360), [150_000]);
    }

    #[test]
    fn sizes_in_between_have_limits_in_between() {
        let limits = |pixels| Limits::by_size(pixels);
        assert_eq!(limits(0), [30, 150, 200]);
        assert_eq!(limits(320 * 180), [30, 150, 200]);
        assert_eq!(limits(640 * 360), [150, 500, 700]);
        let [min, target, max] = limits(800 * 450);
        assert!((151..350).contains(&min) && (501..1_200).contains(&target));
        assert!((701..1_200).contains(&max));
        assert_eq!(limits(3_840 * 2_160), [800, 4_000, 5_000]);
    }
}
