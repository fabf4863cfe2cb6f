//! Scaling of one plane, rows and columns each on its own: a picture is first made wider or
//! narrower, then higher or lower.

use super::Plane;

/// Weights are in 1/`ONE`.
const ONE: u32 = 1 << 14;

/// Appends `plane` in the size `width`×`height` to `out`.
pub(super) fn plane(plane: Plane<'_>, width: usize, height: usize, out: &mut Vec<u8>) {
    let columns = taps(plane.width(), width);
    let mut narrowed = Vec::with_capacity(width * plane.height());
    for row in plane.rows() {
        narrowed.extend(columns.iter().map(|taps| taps.sum(row)));
    }
    let mut sums = vec![0_u32; width];
    for taps in taps(plane.height(), height) {
        sums.fill(ONE / 2);
        let rows = narrowed.chunks_exact(width).skip(taps.first);
        for (row, weight) in rows.zip(&taps.weights) {
            for (sum, sample) in sums.iter_mut().zip(row) {
                *sum += u32::from(*sample) * weight;
            }
        }
        out.extend(sums.iter().map(|sum| (sum / ONE).min(255) as u8));
    }
}

/// What one sample of the result is made of.
struct Taps {
    /// The first sample that it takes.
    first: usize,
    /// The weight of it and of those that follow; they sum up to [`ONE`].
    weights: Vec<u32>,
}

impl Taps {
    fn sum(&self, row: &[u8]) -> u8 {
        let samples = row.get(self.first..).unwrap_or(&[]);
        let products = samples
            .iter()
            .zip(&self.weights)
            .map(|(sample, weight)| u32::from(*sample) * weight);
        ((products.sum::<u32>() + ONE / 2) / ONE).min(255) as u8
    }
}

fn taps(from: usize, to: usize) -> Vec<Taps> {
    let one = if to < from { area } else { between };
    (0..to).map(|at| one(at, from, to)).collect()
}

/// The mean of the area that sample `at` of the smaller one covers. In units of 1/`to` of a
/// sample it goes from `at * from` to `(at + 1) * from`.
fn area(at: usize, from: usize, to: usize) -> Taps {
    let (begin, end) = (at * from, (at + 1) * from);
    let first = begin / to;
    let covered = (first..end.div_ceil(to)).map(|it| {
        let part = end.min((it + 1) * to) - begin.max(it * to);
        (part, from)
    });
    Taps {
        first,
        weights: weights(covered),
    }
}

/// The two neighbours of the middle of sample `at` of the larger one. In units of 1/(2 `to`) of a
/// sample, counted from the middle of the first, that is at `(2 at + 1) from - to`.
fn between(at: usize, from: usize, to: usize) -> Taps {
    let middle = ((2 * at + 1) * from).saturating_sub(to);
    let (first, after) = (middle / (2 * to), middle % (2 * to));
    if first + 1 >= from {
        return Taps {
            first: from - 1,
            weights: vec![ONE],
        };
    }
    let parts = [(2 * to - after, 2 * to), (after, 2 * to)];
    Taps {
        first,
        weights: weights(parts),
    }
}

/// Fractions as weights; the last takes what rounding has left over.
fn weights(parts: impl IntoIterator<Item = (usize, usize)>) -> Vec<u32> {
    let mut weights: Vec<_> = parts
        .into_iter()
        .map(|(part, whole)| (part as u64 * u64::from(ONE) / whole.max(1) as u64) as u32)
        .collect();
    let sum: u32 = weights.iter().sum();
    if let Some(last) = weights.last_mut() {
        *last += ONE.saturating_sub(sum);
    }
    weights
}
