//! Cameras of Linux, by Video4Linux and the `linuxvideo` crate.

use std::{
    io, thread,
    time::{Duration, Instant},
};

use linuxvideo::{
    BufType, Device, Fract,
    format::{FrameIntervals, FrameSizes, PixFormat, PixelFormat as FourCc},
    stream::ReadStream,
};

use super::{
    MediaDeviceInfo, MediaError, VideoConstraints, modes,
    modes::CameraMode,
    pixels::{PixelFormat, Pixels},
    run::wait,
    system,
};
use crate::{MediaKind, MediaStreamTrack, TrackSource, uuid_v4};

/// Sizes that are tried where a camera has any of a range.
const SIZES: [(u32, u32); 7] = [
    (320, 180),
    (320, 240),
    (640, 360),
    (640, 480),
    (960, 540),
    (1_280, 720),
    (1_920, 1_080),
];

/// A track is muted when there was no picture for so long (mediacapture-streams §4.3.1).
const SILENCE: Duration = Duration::from_secs(2);

/// A camera that there is, not yet in use.
struct Camera {
    device: Device,
    info: MediaDeviceInfo,
    modes: Vec<CameraMode<Offer>>,
}

/// What a mode is called by the camera. Of two the one is better whose format comes first.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
struct Offer {
    format: PixelFormat,
    fourcc: [u8; 4],
    /// Seconds from one picture to the next, as a fraction.
    interval: (u32, u32),
}

/// One that was chosen, and how it is to be opened.
pub(super) struct Chosen {
    device: Device,
    label: String,
    mode: CameraMode<Offer>,
}

/// All that there are.
pub(super) fn list() -> Vec<MediaDeviceInfo> {
    let (cameras, _) = cameras(&VideoConstraints::default());
    cameras.into_iter().map(|it| it.info).collect()
}

/// The one that comes closest to what is asked.
pub(super) fn choose(wish: &VideoConstraints) -> Result<Chosen, MediaError> {
    let (cameras, refused) = cameras(wish);
    if cameras.is_empty() {
        let kind = MediaKind::Video;
        return Err(refused.unwrap_or(MediaError::NotFound { kind }));
    }
    let mode = |camera: &Camera| {
        let (mode, distance) = modes::choose_camera(&camera.modes, wish)?;
        Ok((mode.clone(), distance))
    };
    let id = |it: &Camera| it.info.device_id.clone();
    let (camera, mode) = modes::choose_device(cameras, &wish.device_id, id, mode)?;
    Ok(Chosen {
        device: camera.device,
        label: camera.info.label,
        mode,
    })
}

/// Opens it. It is closed when all its tracks are stopped or gone.
pub(super) fn open(chosen: Chosen, start: Instant) -> Result<MediaStreamTrack, MediaError> {
    let CameraMode {
        format: offer,
        width,
        height,
        rate,
    } = chosen.mode;
    let format = PixFormat::new(width, height, FourCc::from_fourcc(offer.fourcc));
    let device = chosen.device.video_capture(format).map_err(refused)?;
    // A camera that cannot be told its rate has one of its own.
    let (numerator, denominator) = offer.interval;
    let _ = device.set_frame_interval(Fract::new(numerator, denominator.max(1)));
    let format = device.format();
    let understood = PixelFormat::from_fourcc(format.pixel_format().as_fourcc());
    let understood = understood.ok_or_else(|| {
        MediaError::NotReadable("the camera insists on another pixel format".into())
    })?;
    let layout = Layout {
        format: understood,
        width: format.width(),
        height: format.height(),
        stride: format.bytes_per_line() as usize,
    };
    let stream = device.into_stream().map_err(refused)?;
    let id = uuid_v4(system::random()?);
    let (track, source) = MediaStreamTrack::new(MediaKind::Video, id, &chosen.label);
    let feed = Feed {
        source,
        start,
        stream,
        layout,
        // Often enough to be late by no more than a fraction of the time between two pictures.
        poll: Duration::from_secs(1) / (8.0 * rate.clamp(1.0, 120.0)) as u32,
    };
    let thread = thread::Builder::new().name("camera".into());
    match thread.spawn(move || feed.run()) {
        Ok(_) => Ok(track),
        Err(error) => Err(MediaError::NotReadable(error.to_string())),
    }
}

/// What the thread of an open camera has.
struct Feed {
    source: TrackSource,
    start: Instant,
    stream: ReadStream,
    layout: Layout,
    poll: Duration,
}

/// What the bytes of each picture are.
#[derive(Debug, Clone, Copy)]
struct Layout {
    format: PixelFormat,
    width: u32,
    height: u32,
    stride: usize,
}

impl Feed {
    /// Until all tracks are stopped or gone, or the camera is.
    fn run(mut self) {
        let mut last = system::now();
        while wait(&self.source, system::now() + self.poll) {
            let now = system::now();
            match self.stream.will_block() {
                Ok(true) => {
                    if now.duration_since(last) > SILENCE {
                        self.source.set_muted(true);
                    }
                }
                Ok(false) if self.take(now).is_ok() => {
                    last = now;
                    self.source.set_muted(false);
                }
                // Unplugged.
                Ok(false) | Err(_) => return self.source.end(),
            }
        }
    }

    fn take(&mut self, now: Instant) -> io::Result<()> {
        let (source, layout) = (&self.source, self.layout);
        let at = now.duration_since(self.start);
        self.stream.dequeue(|view| {
            if view.is_error() || !source.is_read() {
                return Ok(());
            }
            let pixels = Pixels {
                format: layout.format,
                width: layout.width,
                height: layout.height,
                stride: layout.stride,
                data: &view,
            };
            // One picture that is broken says nothing about the next.
            if let Ok(frame) = pixels.to_frame(at) {
                let _ = source.write(frame);
            }
            Ok(())
        })
    }
}

/// Those that can be opened and give pictures that are understood, and why another could not be.
fn cameras(wish: &VideoConstraints) -> (Vec<Camera>, Option<MediaError>) {
    let (mut found, mut error) = (Vec::new(), None);
    for device in linuxvideo::list().into_iter().flatten() {
        match device {
            Ok(device) => found.extend(Camera::of(device, wish)),
            Err(this) if this.kind() == io::ErrorKind::PermissionDenied => {
                error = Some(refused(this));
            }
            Err(_) => {}
        }
    }
    found.sort_by(|a, b| a.info.device_id.cmp(&b.info.device_id));
    (found, error)
}

impl Camera {
    fn of(device: Device, wish: &VideoConstraints) -> Option<Self> {
        let capture = BufType::VIDEO_CAPTURE;
        let capabilities = device.capabilities().ok()?;
        let path = device.path().ok()?;
        let mut modes = Vec::new();
        for format in device.formats(capture).flatten() {
            let fourcc = format.pixel_format();
            if let Some(understood) = PixelFormat::from_fourcc(fourcc.as_fourcc()) {
                modes.extend(sizes_of(&device, fourcc, wish).into_iter().flat_map(
                    |(width, height)| modes_of(&device, fourcc, understood, (width, height), wish),
                ));
            }
        }
        let info = MediaDeviceInfo {
            device_id: path.to_string_lossy().into_owned(),
            kind: MediaKind::Video,
            label: capabilities.card().to_owned(),
            group_id: capabilities.bus_info().to_owned(),
        };
        (!modes.is_empty()).then_some(Self {
            device,
            info,
            modes,
        })
    }
}

fn sizes_of(device: &Device, fourcc: FourCc, wish: &VideoConstraints) -> Vec<(u32, u32)> {
    let steps = match device.frame_sizes(fourcc) {
        Ok(FrameSizes::Discrete(sizes)) => {
            return sizes.iter().map(|it| (it.width(), it.height())).collect();
        }
        Ok(FrameSizes::Stepwise(steps) | FrameSizes::Continuous(steps)) => steps,
        Err(_) => return Vec::new(),
    };
    let snap = |value: u32, low: u32, high: u32, step: u32| {
        let value = value.clamp(low, high.max(low));
        value - (value - low) % step.max(1)
    };
    let wished = (
        wish.width.exact.or(wish.width.ideal),
        wish.height.exact.or(wish.height.ideal),
    );
    let wished = match wished {
        (Some(width), Some(height)) => (width, height),
        (Some(width), None) => (width, width / 16 * 9),
        (None, Some(height)) => (height / 9 * 16, height),
        (None, None) => (640, 480),
    };
    let sizes = SIZES.into_iter().chain([wished]).map(|(width, height)| {
        (
            snap(
                width,
                steps.min_width(),
                steps.max_width(),
                steps.step_width(),
            ),
            snap(
                height,
                steps.min_height(),
                steps.max_height(),
                steps.step_height(),
            ),
        )
    });
    sizes.collect()
}

fn modes_of(
    device: &Device,
    fourcc: FourCc,
    format: PixelFormat,
    (width, height): (u32, u32),
    wish: &VideoConstraints,
) -> Vec<CameraMode<Offer>> {
    let mode = |interval: (u32, u32)| CameraMode {
        format: Offer {
            format,
            fourcc: fourcc.as_fourcc(),
            interval,
        },
        width,
        height,
        rate: f64::from(interval.1) / f64::from(interval.0.max(1)),
    };
    let parts = |it: &Fract| (it.numerator(), it.denominator());
    match device.frame_intervals(fourcc, width, height) {
        Ok(FrameIntervals::Discrete(all)) => all.iter().map(|it| mode(parts(it.fract()))).collect(),
        Ok(FrameIntervals::Stepwise(range) | FrameIntervals::Continuous(range)) => {
            let rate = |it: &Fract| f64::from(it.denominator()) / f64::from(it.numerator().max(1));
            let (low, high) = (rate(range.max()), rate(range.min()));
            let rate = wish
                .frame_rate
                .choose(low, high, 30.0_f64.clamp(low, high.max(low)));
            let rate = rate.unwrap_or(high);
            vec![mode((1_000, (rate * 1_000.0).round() as u32))]
        }
        // It does not tell.
        Err(_) => vec![mode((1, 30))],
    }
}

fn refused(error: io::Error) -> MediaError {
    match error.kind() {
        io::ErrorKind::PermissionDenied => MediaError::NotAllowed(error.to_string()),
        _ => MediaError::NotReadable(error.to_string()),
    }
}
