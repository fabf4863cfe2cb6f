//! The thread of a synthetic device.

use std::{
    future::Future,
    pin::pin,
    sync::Arc,
    task::{Context, Wake, Waker},
    thread::{self, JoinHandle, Thread},
    time::{Duration, Instant},
};

use super::{
    AudioConstraints, MediaError, TestPicture, Tone, VideoConstraints, error::overconstrained,
    system,
};
use crate::{AudioFrame, MediaFrame, TrackSource};

/// How late a device may be and still give every frame. After that, a machine that slept for one
/// thing, it goes on with the frame of now.
const MAX_LATENESS: Duration = Duration::from_millis(200);

/// What a device gives, as a function of time alone.
pub(super) trait Device: Send + 'static {
    /// What its thread is called.
    const NAME: &'static str;
    /// When frame number `index` begins, without an error that adds up.
    fn time(&self, index: u64) -> Duration;
    /// The last frame that begins at `time` or before.
    fn index(&self, time: Duration) -> u64;
    /// The frame that begins at `at`.
    fn frame(&self, at: Duration) -> Option<MediaFrame>;
}

/// Gives the device's frames to `source` until all its tracks are stopped or gone.
pub(super) fn run<D: Device>(
    source: TrackSource,
    start: Instant,
    device: D,
) -> Result<JoinHandle<()>, MediaError> {
    let thread = thread::Builder::new().name(D::NAME.into());
    thread
        .spawn(move || {
            let mut index = 0;
            while wait(&source, start + device.time(index)) {
                let at = device.time(index);
                // Nobody looks: nothing is made.
                if let Some(frame) = source.is_read().then(|| device.frame(at)).flatten() {
                    // It is of the source's kind.
                    let _ = source.write(frame);
                }
                index = next(&device, index, system::now().duration_since(start));
            }
        })
        .map_err(|error| MediaError::NotReadable(error.to_string()))
}

/// The frame after `index`, when so much time has gone by: the next, or that of now if the next is
/// too late.
pub(super) fn next<D: Device>(device: &D, index: u64, elapsed: Duration) -> u64 {
    let next = index + 1;
    if elapsed.saturating_sub(device.time(next)) <= MAX_LATENESS {
        return next;
    }
    device.index(elapsed).max(next)
}

/// Sleeps until `due`, and says whether media is still wanted; wakes at once when it is not.
pub(super) fn wait(source: &TrackSource, due: Instant) -> bool {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut stopped = pin!(source.stopped());
    loop {
        if stopped.as_mut().poll(&mut context).is_ready() {
            return false;
        }
        let left = due.saturating_duration_since(system::now());
        if left.is_zero() {
            return true;
        }
        thread::park_timeout(left);
    }
}

/// A microphone that hears a tone, in frames of 10 ms.
#[derive(Debug, PartialEq)]
pub(super) struct Microphone {
    tone: Tone,
    channels: u16,
}

impl Microphone {
    const FRAME: Duration = Duration::from_millis(10);

    pub(super) fn choose(wish: &AudioConstraints) -> Result<Self, MediaError> {
        let rate = Tone::SAMPLE_RATE;
        let rate = wish.sample_rate.choose(rate, rate, rate);
        rate.ok_or(overconstrained("sampleRate"))?;
        let channels = wish.channel_count.choose(1, 2, 1);
        let channels = channels.ok_or(overconstrained("channelCount"))?;
        let frequency = wish.frequency.choose(20.0, 20_000.0, 440.0);
        let tone = Tone {
            frequency: frequency.ok_or(overconstrained("frequency"))?,
            ..Tone::default()
        };
        let channels = channels as u16;
        Ok(Self { tone, channels })
    }
}

impl Device for Microphone {
    const NAME: &'static str = "synthetic tone";

    fn time(&self, index: u64) -> Duration {
        Duration::from_millis(index.saturating_mul(Self::FRAME.as_millis() as u64))
    }

    fn index(&self, time: Duration) -> u64 {
        (time.as_millis() / Self::FRAME.as_millis()) as u64
    }

    fn frame(&self, at: Duration) -> Option<MediaFrame> {
        let samples = self.tone.samples(at, 480, self.channels);
        let frame = AudioFrame::new(Tone::SAMPLE_RATE, self.channels, samples, at);
        frame.ok().map(MediaFrame::from)
    }
}

/// A camera that sees the test picture.
#[derive(Debug, PartialEq)]
pub(super) struct Camera {
    width: u32,
    height: u32,
    frame_rate: f64,
}

impl Camera {
    pub(super) fn choose(wish: &VideoConstraints) -> Result<Self, MediaError> {
        // The width that suits the height where only that is asked for, and the other way round.
        let usual = |of: u32, from: u32, to: u32| (of.saturating_mul(to) / from).max(2) & !1;
        let width = |usual| wish.width.choose(16, 4_096, usual);
        let height = |usual| wish.height.choose(16, 2_304, usual);
        let (width, height) = if wish.height.is_any() {
            let width = width(640).ok_or(overconstrained("width"))?;
            (Some(width), height(usual(width, 16, 9)))
        } else {
            let height = height(360).ok_or(overconstrained("height"))?;
            (width(usual(height, 9, 16)), Some(height))
        };
        let width = width.ok_or(overconstrained("width"))?;
        let height = height.ok_or(overconstrained("height"))?;
        let frame_rate = wish.frame_rate.choose(1.0, 120.0, 30.0);
        Ok(Self {
            width,
            height,
            frame_rate: frame_rate.ok_or(overconstrained("frameRate"))?,
        })
    }
}

impl Device for Camera {
    const NAME: &'static str = "synthetic picture";

    fn time(&self, index: u64) -> Duration {
        Duration::try_from_secs_f64(index as f64 / self.frame_rate).unwrap_or(Duration::MAX)
    }

    fn index(&self, time: Duration) -> u64 {
        (time.as_secs_f64() * self.frame_rate) as u64
    }

    fn frame(&self, at: Duration) -> Option<MediaFrame> {
        let frame = TestPicture::frame(at, self.width, self.height);
        frame.ok().map(MediaFrame::from)
    }
}
