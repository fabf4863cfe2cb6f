//! The codewords of the two sub-bands at 64 kbit/s: six bits and two (G.722, clauses 3 and 6;
//! the names in parentheses are those of its tables).

use super::adpcm::{Predictor, Step, at, saturate};

/// Decision levels of the lower band, in 1/8 of a step of 2^12 (Q6).
const LEVELS: [i32; 29] = [
    35, 72, 110, 150, 190, 233, 276, 323, 370, 422, 473, 530, 587, 650, 714, 786, 858, 940, 1_023,
    1_121, 1_219, 1_339, 1_458, 1_612, 1_765, 1_980, 2_195, 2_557, 2_919,
];

/// What a codeword of six bits stands for (QM6). The first four are none that an encoder gives.
const VALUES_6: [i32; 64] = [
    -136, -136, -136, -136, -24_808, -21_904, -19_008, -16_704, -14_984, -13_512, -12_280, -11_192,
    -10_232, -9_360, -8_576, -7_856, -7_192, -6_576, -6_000, -5_456, -4_944, -4_464, -4_008,
    -3_576, -3_168, -2_776, -2_400, -2_032, -1_688, -1_360, -1_040, -728, 24_808, 21_904, 19_008,
    16_704, 14_984, 13_512, 12_280, 11_192, 10_232, 9_360, 8_576, 7_856, 7_192, 6_576, 6_000,
    5_456, 4_944, 4_464, 4_008, 3_576, 3_168, 2_776, 2_400, 2_032, 1_688, 1_360, 1_040, 728, 432,
    136, -432, -136,
];

/// The same without the two lowest bits, which is what the predictor learns from (QM4).
const VALUES_4: [i32; 16] = [
    0, -20_456, -12_896, -8_968, -6_288, -4_240, -2_584, -1_200, 20_456, 12_896, 8_968, 6_288,
    4_240, 2_584, 1_200, 0,
];

/// By how much each of these moves the step (WL, by way of RL42).
const MOVES_4: [i32; 16] = [
    -60, 3_042, 1_198, 538, 334, 172, 58, -30, 3_042, 1_198, 538, 334, 172, 58, -30, -60,
];

/// What a codeword of two bits stands for, and by how much it moves the step (QM2, WH, RH2).
const VALUES_2: [i32; 4] = [-7_408, -1_616, 7_408, 1_616];
const MOVES_2: [i32; 4] = [798, -214, 798, -214];

/// The decision level of the higher band, in 1/8 of a step of 2^12.
const LEVEL_2: i32 = 564;

/// The lower sub-band, in an encoder or a decoder.
#[derive(Debug, Clone)]
pub(super) struct Lower {
    step: Step,
    predictor: Predictor,
}

/// The higher sub-band.
#[derive(Debug, Clone)]
pub(super) struct Higher {
    step: Step,
    predictor: Predictor,
}

impl Lower {
    pub(super) fn new() -> Self {
        Self {
            step: Step::lower(),
            predictor: Predictor::default(),
        }
    }

    pub(super) fn encode(&mut self, signal: i32) -> u8 {
        let (magnitude, is_negative) = split(signal - self.predictor.signal());
        let step = self.step.size();
        let interval = LEVELS
            .iter()
            .take_while(|level| magnitude >= (*level * step) >> 12)
            .count();
        // IL: the innermost two intervals below 0 have codes of their own.
        let code = match (is_negative, interval) {
            (false, interval) => 61 - interval,
            (true, interval @ 0..=1) => 63 - interval,
            (true, interval) => 33 - interval,
        } as u8;
        self.adapt(code);
        code
    }

    pub(super) fn decode(&mut self, code: u8) -> i32 {
        let value = at(&VALUES_6, code.into());
        let signal = self.predictor.signal() + ((self.step.size() * value) >> 15);
        self.adapt(code);
        // LIMIT.
        signal.clamp(-16_384, 16_383)
    }

    fn adapt(&mut self, code: u8) {
        let rough = usize::from(code >> 2);
        let difference = (self.step.size() * at(&VALUES_4, rough)) >> 15;
        self.step.adapt(at(&MOVES_4, rough));
        self.predictor.adapt(difference);
    }
}

impl Higher {
    pub(super) fn new() -> Self {
        Self {
            step: Step::higher(),
            predictor: Predictor::default(),
        }
    }

    pub(super) fn encode(&mut self, signal: i32) -> u8 {
        let (magnitude, is_negative) = split(signal - self.predictor.signal());
        let is_large = magnitude >= (LEVEL_2 * self.step.size()) >> 12;
        let code = match (is_negative, is_large) {
            (true, true) => 0,
            (true, false) => 1,
            (false, true) => 2,
            (false, false) => 3,
        };
        self.adapt(code);
        code
    }

    pub(super) fn decode(&mut self, code: u8) -> i32 {
        let signal = self.predictor.signal() + self.difference(code);
        self.adapt(code);
        signal.clamp(-16_384, 16_383)
    }

    fn difference(&self, code: u8) -> i32 {
        (self.step.size() * at(&VALUES_2, code.into())) >> 15
    }

    fn adapt(&mut self, code: u8) {
        let difference = self.difference(code);
        self.step.adapt(at(&MOVES_2, code.into()));
        self.predictor.adapt(difference);
    }
}

/// The magnitude of a difference, and whether it is negative. What is negative counts from -1
/// downwards, so that both halves are of the same size.
fn split(difference: i32) -> (i32, bool) {
    let difference = saturate(difference);
    if difference < 0 {
        (!difference, true)
    } else {
        (difference, false)
    }
}
