mod audio;
#[cfg(feature = "av1")]
mod av1;
mod g722;
#[cfg(feature = "vp8")]
mod layers;
#[cfg(any(feature = "vp8", feature = "vp9"))]
mod rate;
mod resample;
mod video;

use std::{f64::consts::PI, time::Duration};

use crate::VideoFrame;

/// `samples` of a sine, on all channels alike.
fn tone(
    hertz: f64,
    amplitude: f64,
    rate: u32,
    channels: u16,
    from: usize,
    samples: usize,
) -> Vec<i16> {
    let one = |at: usize| amplitude * (2.0 * PI * hertz * at as f64 / f64::from(rate)).sin();
    (from..from + samples)
        .flat_map(|at| std::iter::repeat_n(one(at).round() as i16, usize::from(channels)))
        .collect()
}

/// The amplitude of what is there of this frequency (Goertzel), and that of all there is, as if it
/// were one sine.
fn amplitude(samples: &[i16], hertz: f64, rate: u32) -> (f64, f64) {
    let step = 2.0 * PI * hertz / f64::from(rate);
    let (mut re, mut im, mut energy) = (0.0, 0.0, 0.0);
    for (at, sample) in samples.iter().enumerate() {
        let sample = f64::from(*sample);
        re += sample * (step * at as f64).cos();
        im += sample * (step * at as f64).sin();
        energy += sample * sample;
    }
    let count = samples.len() as f64;
    (2.0 * re.hypot(im) / count, (2.0 * energy / count).sqrt())
}

/// One channel of interleaved samples.
fn channel(samples: &[i16], channel: usize, channels: usize) -> Vec<i16> {
    samples
        .iter()
        .skip(channel)
        .step_by(channels)
        .copied()
        .collect()
}

/// A picture with texture, of which a part moves.
fn picture(width: u32, height: u32, at: u32) -> VideoFrame {
    let (w, h) = (width as i32, height as i32);
    let (left, top) = (at as i32 * 5 % (w * 2 / 3), at as i32 * 3 % (h * 2 / 3));
    let mut data = Vec::new();
    for y in 0..h {
        for x in 0..w {
            let (dx, dy) = (x - left, y - top);
            let luma = if (0..w / 4).contains(&dx) && (0..h / 4).contains(&dy) {
                60 + (dx / 8 + dy / 8) % 2 * 120 + dx % 8 * 3
            } else {
                let wave = (f64::from(x) * 0.05).sin() * 40.0 + (f64::from(y) * 0.07).cos() * 40.0;
                110 + wave as i32 + ((x * 7) ^ (y * 13)) % 11
            };
            data.push(luma as u8);
        }
    }
    let (w, h) = (width.div_ceil(2), height.div_ceil(2));
    data.extend((0..w * h).map(|it| (100 + it % w * 50 / w) as u8));
    data.extend((0..w * h).map(|it| (100 + it / w * 50 / h) as u8));
    let time = Duration::from_secs(u64::from(at)) / 30;
    VideoFrame::new(width, height, data, time).expect("a picture")
}

/// The signal to noise ratio of luma, in dB.
fn psnr(a: &VideoFrame, b: &VideoFrame) -> f64 {
    assert_eq!((a.width(), a.height()), (b.width(), b.height()));
    let (a, b) = (a.y().data(), b.y().data());
    let squares = a
        .iter()
        .zip(b)
        .map(|(a, b)| f64::from(a.abs_diff(*b)).powi(2));
    let mean = squares.sum::<f64>() / a.len() as f64;
    10.0 * (255.0_f64.powi(2) / mean.max(1e-9)).log10()
}

/// A small generator, so that the same garbage comes each time.
fn garbage(seed: u32, len: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(2_654_435_761) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state as u8
    };
    (0..len).map(|_| next()).collect()
}
