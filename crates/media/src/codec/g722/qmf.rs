//! The quadrature mirror filters that part 16 kHz into two bands of 8 kHz, and put them together
//! (G.722, clauses 3 and 4).

use super::adpcm::saturate;

/// Every other one of the 24 coefficients, times 2^13. The rest are the same backwards.
const COEFFICIENTS: [i32; 12] = [3, -11, 12, 32, -210, 951, 3_876, -805, 362, -156, 53, -11];

/// The last 24 values, the oldest first.
#[derive(Debug, Clone, Default)]
pub(super) struct Delay([i32; 24]);

impl Delay {
    fn push(&mut self, pair: [i32; 2]) {
        self.0.copy_within(2.., 0);
        [self.0[22], self.0[23]] = pair;
    }

    /// The sums over the first and over the second of each pair.
    fn filter(&self) -> [i32; 2] {
        let (pairs, _) = self.0.as_chunks::<2>();
        let both = COEFFICIENTS.iter().zip(COEFFICIENTS.iter().rev());
        let mut sums = [0; 2];
        for ([first, second], (forth, back)) in pairs.iter().zip(both) {
            sums[0] += first * forth;
            sums[1] += second * back;
        }
        sums
    }

    /// The lower and the higher band of two samples.
    pub(super) fn part(&mut self, samples: [i16; 2]) -> [i32; 2] {
        self.push(samples.map(i32::from));
        let [first, second] = self.filter();
        [(second + first) >> 14, (second - first) >> 14]
    }

    /// Two samples of a lower and a higher band.
    pub(super) fn join(&mut self, [lower, higher]: [i32; 2]) -> [i16; 2] {
        self.push([lower + higher, lower - higher]);
        let [first, second] = self.filter();
        [second, first].map(|sum| saturate(sum >> 11) as i16)
    }
}
