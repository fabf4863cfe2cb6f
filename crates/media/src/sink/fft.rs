//! The discrete Fourier transform of as many numbers as are a power of two (Cooley and Tukey).

use std::f64::consts::TAU;

/// A complex number.
pub(super) type Complex = (f64, f64);

/// Transforms in place. The number of values is a power of two.
pub(super) fn transform(values: &mut [Complex]) {
    debug_assert!(values.len().is_power_of_two());
    let mut scratch = values.to_vec();
    halves(values, &mut scratch);
}

/// The even and the odd values on their own, then put together.
fn halves(values: &mut [Complex], scratch: &mut [Complex]) {
    let half = values.len() / 2;
    if half == 0 {
        return;
    }
    let (even, odd) = scratch.split_at_mut(half);
    for (pair, (even, odd)) in values.chunks_exact(2).zip(even.iter_mut().zip(&mut *odd)) {
        if let [first, second] = pair {
            (*even, *odd) = (*first, *second);
        }
    }
    let (low, high) = values.split_at_mut(half);
    halves(even, low);
    halves(odd, high);
    let pairs = low.iter_mut().zip(high).zip(even.iter().zip(&*odd));
    for (at, ((low, high), (even, odd))) in pairs.enumerate() {
        let (sin, cos) = (-TAU * at as f64 / (2 * half) as f64).sin_cos();
        let turned = (odd.0 * cos - odd.1 * sin, odd.0 * sin + odd.1 * cos);
        *low = (even.0 + turned.0, even.1 + turned.1);
        *high = (even.0 - turned.0, even.1 - turned.1);
    }
}
