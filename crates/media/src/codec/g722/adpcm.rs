//! What the two sub-bands have in common: a quantizer whose step follows the signal, and a predictor
//! that learns from what was decoded, so that both ends have the same (G.722, clauses 3 and 6).

/// 2^11·2^(i/32): the mantissa of a step (ILB).
const MANTISSAS: [i32; 32] = [
    2048, 2093, 2139, 2186, 2233, 2282, 2332, 2383, 2435, 2489, 2543, 2599, 2656, 2714, 2774, 2834,
    2896, 2960, 3025, 3091, 3158, 3228, 3298, 3371, 3444, 3520, 3597, 3676, 3756, 3838, 3922, 4008,
];

/// Within 16 bits.
pub(super) fn saturate(value: i32) -> i32 {
    value.clamp(i16::MIN.into(), i16::MAX.into())
}

/// The entry of a table; the index is one of the table's wherever this is used.
pub(super) fn at(table: &[i32], index: usize) -> i32 {
    table.get(index).copied().unwrap_or_default()
}

/// The step of a quantizer, as a logarithm that each codeword moves (LOGSCL and SCALEL, LOGSCH and SCALEH).
#[derive(Debug, Clone)]
pub(super) struct Step {
    log: i32,
    max: i32,
    shift: i32,
}

impl Step {
    /// Of the lower sub-band.
    pub(super) fn lower() -> Self {
        Self {
            log: 0,
            max: 18_432,
            shift: 8,
        }
    }

    /// Of the higher sub-band.
    pub(super) fn higher() -> Self {
        Self {
            log: 0,
            max: 22_528,
            shift: 10,
        }
    }

    pub(super) fn size(&self) -> i32 {
        let mantissa = at(&MANTISSAS, (self.log >> 6 & 31) as usize);
        let shift = self.shift - (self.log >> 11);
        let size = if shift < 0 {
            mantissa << -shift
        } else {
            mantissa >> shift
        };
        size << 2
    }

    /// Forgets a little of what was, and goes by `multiplier`.
    pub(super) fn adapt(&mut self, multiplier: i32) {
        let leaked = (self.log * 127) >> 7;
        self.log = (leaked + multiplier).clamp(0, self.max);
    }
}

/// Two poles and six zeros (block 4).
#[derive(Debug, Clone, Default)]
pub(super) struct Predictor {
    /// Coefficients of the poles, and the two signals before, reconstructed: wholly, and from the
    /// zeros alone. The newest first, here and below.
    a: [i32; 2],
    r: [i32; 2],
    p: [i32; 2],
    /// Coefficients of the zeros, and the six differences before.
    b: [i32; 6],
    d: [i32; 6],
    /// What the zeros say of the next signal, and what both say.
    zeros: i32,
    signal: i32,
}

impl Predictor {
    /// The next signal.
    pub(super) fn signal(&self) -> i32 {
        self.signal
    }

    /// Learns that the signal was so much more than was predicted.
    pub(super) fn adapt(&mut self, difference: i32) {
        let r0 = saturate(self.signal + difference);
        let p0 = saturate(self.zeros + difference);
        self.adapt_poles(p0);
        self.adapt_zeros(difference);
        self.r = [r0, self.r[0]];
        self.p = [p0, self.p[0]];
        self.d.rotate_right(1);
        self.d[0] = difference;
        // FILTEP, FILTEZ, PREDIC.
        let filter = |of: &[i32], by: &[i32]| -> i32 {
            let terms = of.iter().zip(by).map(|(x, c)| (c * saturate(2 * x)) >> 15);
            saturate(terms.sum())
        };
        self.zeros = filter(&self.d, &self.b);
        self.signal = saturate(filter(&self.r, &self.a) + self.zeros);
    }

    /// UPPOL2 and UPPOL1: towards or away from the sign that the signal keeps, and never so far that
    /// the filter could ring for ever.
    fn adapt_poles(&mut self, p0: i32) {
        let ([a1, a2], [p1, p2]) = (self.a, self.p);
        let swing = saturate(a1 << 2);
        let swing = if same_sign(p0, p1) { -swing } else { swing };
        let towards = if same_sign(p0, p2) { 128 } else { -128 };
        let second = towards + (swing.min(i16::MAX.into()) >> 7) + ((a2 * 32_512) >> 15);
        let second = second.clamp(-12_288, 12_288);
        let towards = if same_sign(p0, p1) { 192 } else { -192 };
        let limit = 15_360 - second;
        let first = saturate(towards + ((a1 * 32_640) >> 15)).clamp(-limit, limit);
        self.a = [first, second];
    }

    /// UPZERO.
    fn adapt_zeros(&mut self, difference: i32) {
        let step = if difference == 0 { 0 } else { 128 };
        for (b, d) in self.b.iter_mut().zip(self.d) {
            let towards = if same_sign(d, difference) {
                step
            } else {
                -step
            };
            *b = saturate(towards + ((*b * 32_640) >> 15));
        }
    }
}

fn same_sign(a: i32, b: i32) -> bool {
    (a < 0) == (b < 0)
}
