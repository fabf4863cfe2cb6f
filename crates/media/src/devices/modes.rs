//! Which of the ways that a device has comes closest to what is asked (mediacapture-streams §11.1,
//! the fitness distance).

use super::{AudioConstraints, Constraint, MediaError, VideoConstraints, error::overconstrained};

/// One way in which a camera gives pictures.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct CameraMode<F> {
    /// The less, the better.
    pub(super) format: F,
    pub(super) width: u32,
    pub(super) height: u32,
    /// Pictures a second.
    pub(super) rate: f64,
}

/// One way in which a microphone gives sound: any rate between two.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct MicrophoneMode<F> {
    /// The less, the better.
    pub(super) format: F,
    pub(super) channels: u32,
    pub(super) rates: (u32, u32),
}

/// What is taken where nothing is asked: what every camera has.
const USUAL: (f64, f64, f64) = (640.0, 480.0, 30.0);

/// Who asks for 30 pictures a second means 29.97 as well.
const SAME_RATE: f64 = 2e-3;

/// The best of these, and how far it is from what is asked; an error with the constraint that none
/// of them satisfies.
pub(super) fn choose_camera<'a, F: PartialOrd>(
    modes: &'a [CameraMode<F>],
    wish: &VideoConstraints,
) -> Result<(&'a CameraMode<F>, f64), MediaError> {
    let (width, height) = (as_float(&wish.width), as_float(&wish.height));
    let distances = |mode: &CameraMode<F>| {
        let (w, h) = (f64::from(mode.width), f64::from(mode.height));
        [
            ("width", width.distance(w, 0.0), relative(w, USUAL.0)),
            ("height", height.distance(h, 0.0), relative(h, USUAL.1)),
            (
                "frameRate",
                wish.frame_rate.distance(mode.rate, SAME_RATE),
                unusual_rate(mode.rate),
            ),
        ]
    };
    best(modes, distances, |a, b| a.format < b.format)
}

/// The best of these at its best rate, and how far it is from what is asked.
pub(super) fn choose_microphone<'a, F: PartialOrd>(
    modes: &'a [MicrophoneMode<F>],
    wish: &AudioConstraints,
) -> Result<(&'a MicrophoneMode<F>, u32, f64), MediaError> {
    let channels = as_float(&wish.channel_count);
    let rate = |mode: &MicrophoneMode<F>| {
        let (low, high) = mode.rates;
        wish.sample_rate.choose(low, high, 48_000)
    };
    let rates = as_float(&wish.sample_rate);
    let distances = |mode: &MicrophoneMode<F>| {
        let at = rate(mode).map(f64::from);
        let count = f64::from(mode.channels);
        [
            (
                "sampleRate",
                at.and_then(|at| rates.distance(at, 0.0)),
                relative(at.unwrap_or_default(), 48_000.0),
            ),
            (
                "channelCount",
                channels.distance(count, 0.0),
                relative(count, 1.0),
            ),
        ]
    };
    let (mode, distance) = best(modes, distances, |a, b| a.format < b.format)?;
    let rate = rate(mode).ok_or(overconstrained("sampleRate"))?;
    Ok((mode, rate, distance))
}

/// The mode of the least distance; among those alike the one that is closest to what is usual, and
/// then the one that is better.
fn best<M, const N: usize>(
    modes: &[M],
    distances: impl Fn(&M) -> [(&'static str, Option<f64>, f64); N],
    is_better: impl Fn(&M, &M) -> bool,
) -> Result<(&M, f64), MediaError> {
    let mut found: Option<(&M, [f64; 2])> = None;
    for mode in modes {
        let parts = distances(mode);
        let asked: Option<f64> = parts.iter().map(|(_, distance, _)| *distance).sum();
        let Some(asked) = asked else { continue };
        let usual: f64 = parts.iter().map(|(.., usual)| usual).sum();
        let key = [asked, usual];
        let wins = found
            .is_none_or(|(before, best)| key < best || (key == best && is_better(mode, before)));
        if wins {
            found = Some((mode, key));
        }
    }
    found
        .map(|(mode, [asked, _])| (mode, asked))
        .ok_or_else(|| overconstrained(culprit(modes, distances)))
}

/// The first constraint that no mode satisfies, or else the first that some mode does not.
fn culprit<M, const N: usize>(
    modes: &[M],
    distances: impl Fn(&M) -> [(&'static str, Option<f64>, f64); N],
) -> &'static str {
    let mut failed = [("deviceId", 0); N];
    for mode in modes {
        for (count, (name, distance, _)) in failed.iter_mut().zip(distances(mode)) {
            *count = (name, count.1 + usize::from(distance.is_none()));
        }
    }
    let all = failed.iter().find(|(_, count)| *count == modes.len());
    let any = failed.iter().find(|(_, count)| *count > 0);
    all.or(any).map_or("deviceId", |(name, _)| name)
}

fn as_float(constraint: &Constraint<u32>) -> Constraint<f64> {
    let float = |value: Option<u32>| value.map(f64::from);
    Constraint {
        exact: float(constraint.exact),
        min: float(constraint.min),
        max: float(constraint.max),
        ideal: float(constraint.ideal),
    }
}

fn unusual_rate(rate: f64) -> f64 {
    let distance = relative(rate, USUAL.2);
    if distance <= SAME_RATE { 0.0 } else { distance }
}

/// By how much of the larger they differ.
fn relative(actual: f64, ideal: f64) -> f64 {
    let larger = actual.abs().max(ideal.abs());
    if larger == 0.0 {
        return 0.0;
    }
    (actual - ideal).abs() / larger
}

impl Constraint<f64> {
    /// The fitness distance of a value: `None` where it is not to be had at any price. What differs
    /// by no more than such a part is the same.
    fn distance(&self, actual: f64, tolerance: f64) -> Option<f64> {
        let is_same = |value: f64| relative(actual, value) <= tolerance;
        let is_possible = self.exact.is_none_or(is_same)
            && self.min.is_none_or(|min| actual >= min || is_same(min))
            && self.max.is_none_or(|max| actual <= max || is_same(max));
        is_possible.then(|| self.ideal.map_or(0.0, |ideal| relative(actual, ideal)))
    }
}

/// The device that comes closest to what is asked, the first of those that do equally, and what was
/// chosen of it. There is at least one device.
pub(super) fn choose_device<D, M>(
    devices: Vec<D>,
    wish: &Constraint<String>,
    id: impl Fn(&D) -> String,
    choose: impl Fn(&D) -> Result<(M, f64), MediaError>,
) -> Result<(D, M), MediaError> {
    let mut error = overconstrained("deviceId");
    let mut found: Option<(D, M, f64)> = None;
    for device in devices {
        let own = id(&device);
        if wish.choose(own.clone(), own.clone(), own.clone()).is_none() {
            continue;
        }
        let other = wish.ideal.as_ref().is_some_and(|ideal| *ideal != own);
        match choose(&device) {
            Ok((mode, distance)) => {
                let distance = distance + f64::from(u8::from(other));
                if found.as_ref().is_none_or(|(.., best)| distance < *best) {
                    found = Some((device, mode, distance));
                }
            }
            Err(this) => error = this,
        }
    }
    found.map(|(device, mode, _)| (device, mode)).ok_or(error)
}
