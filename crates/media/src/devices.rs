//! What gives media: [`get_user_media`], [`enumerate_devices`], and devices that need no hardware:
//! a [tone](Tone) and a [moving picture](TestPicture) that tells the time to people and to programs.
//!
//! Microphones come with the feature `microphone` (the `cpal` crate: ALSA, WASAPI, CoreAudio), cameras
//! with the feature `camera` (Video4Linux; YUYV, UYVY, NV12, I420 and motion JPEG). What chooses among a
//! device's ways and what turns its bytes into frames is tested without hardware. Beyond that a tone was
//! heard through a virtual device of ALSA that plays a file; no hardware was met yet, no camera of any
//! kind, and no other system than Linux. ALSA tells standard error what it misses.
//!
//! Tone and picture are pure functions of time. What is sent at a moment can so be told from what
//! arrives, without a word between the two sides: [`sink`](crate::sink) reads it back.
//!
//! ```
//! use pc_media::{
//!     MediaFrame, sink,
//!     devices::{Constraint, MediaStreamConstraints, VideoConstraints, get_user_media},
//! };
//!
//! let stream = get_user_media(&MediaStreamConstraints {
//!     video: Some(VideoConstraints { width: Constraint::exact(320), ..Default::default() }),
//!     synthetic: true,
//!     ..Default::default()
//! })?;
//! let [camera] = stream.video_tracks().try_into().unwrap();
//! let Some(MediaFrame::Video(picture)) = camera.frames().blocking_next() else { panic!() };
//! assert_eq!((picture.width(), picture.height()), (320, 180));
//! // A camera's clock has nanoseconds, the picture tells whole milliseconds.
//! assert_eq!(sink::read_clock(&picture).unwrap().as_millis(), picture.timestamp().as_millis());
//! camera.stop(); // the device is let go
//! # Ok::<(), pc_media::devices::MediaError>(())
//! ```

#[cfg(all(feature = "camera", target_os = "linux"))]
mod camera;
pub mod clock;
mod constraints;
mod digits;
mod error;
#[cfg(feature = "microphone")]
mod microphone;
#[cfg(any(
    test,
    feature = "microphone",
    all(feature = "camera", target_os = "linux")
))]
#[cfg_attr(
    not(all(feature = "microphone", feature = "camera", target_os = "linux")),
    allow(dead_code)
)]
mod modes;
mod picture;
#[cfg(any(test, all(feature = "camera", target_os = "linux")))]
#[cfg_attr(not(feature = "camera"), allow(dead_code))]
mod pixels;
mod run;
#[cfg(any(test, feature = "microphone"))]
mod sound;
mod system;
#[cfg(test)]
mod tests;
mod tone;

use std::time::Instant;

pub use constraints::{AudioConstraints, Constraint, MediaStreamConstraints, VideoConstraints};
pub use error::MediaError;
pub use picture::TestPicture;
pub use tone::Tone;

use crate::{MediaKind, MediaStream, MediaStreamTrack, uuid_v4};
use run::{Camera, Microphone, run};

/// The id of the device that plays a [`Tone`].
pub const SYNTHETIC_TONE: &str = "synthetic-tone";
/// The id of the device that shows a [`TestPicture`].
pub const SYNTHETIC_PICTURE: &str = "synthetic-picture";

/// `MediaDeviceInfo` (mediacapture-streams §9.2): one device that there is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MediaDeviceInfo {
    /// What to ask for it with, in `device_id`.
    pub device_id: String,
    /// What it gives: `audioinput` or `videoinput` of the W3C's `MediaDeviceKind`.
    pub kind: MediaKind,
    /// What to call it.
    pub label: String,
    /// The same for devices that are one physical device.
    pub group_id: String,
}

impl MediaDeviceInfo {
    /// Whether it is one that needs no hardware, which [`get_user_media`] gives only to those who
    /// ask for such a one.
    pub fn is_synthetic(&self) -> bool {
        is_synthetic(&self.device_id)
    }

    fn synthetic(device_id: &str, kind: MediaKind, label: &str) -> Self {
        Self {
            device_id: device_id.into(),
            kind,
            label: label.into(),
            group_id: "synthetic".into(),
        }
    }
}

/// `enumerateDevices()` (mediacapture-streams §9.1): all devices, those of hardware first, of which
/// there are any only with the features `microphone` and `camera`; the rest
/// [are synthetic](MediaDeviceInfo::is_synthetic).
pub fn enumerate_devices() -> Vec<MediaDeviceInfo> {
    let mut all = Vec::new();
    #[cfg(feature = "microphone")]
    all.extend(microphone::list());
    #[cfg(all(feature = "camera", target_os = "linux"))]
    all.extend(camera::list());
    all.extend([
        MediaDeviceInfo::synthetic(SYNTHETIC_TONE, MediaKind::Audio, "Synthetic tone"),
        MediaDeviceInfo::synthetic(SYNTHETIC_PICTURE, MediaKind::Video, "Synthetic picture"),
    ]);
    all
}

/// `getUserMedia()` (mediacapture-streams §10.2): a stream with a track for each kind that is asked
/// for, of devices that satisfy the constraints and come as close as they can to what is ideal.
///
/// These are microphones and cameras, in a build that has the features. A device that needs no
/// hardware is given only to those who ask for one: with
/// [`synthetic`](MediaStreamConstraints::synthetic), or by its id. There is then a thread for each
/// track. It makes frames while somebody reads them, at the times that the frame rate says without
/// a drift.
///
/// A camera gives only the sizes that it has, without scaling (the W3C's `resizeMode` is always
/// `none`), and a microphone one of its rates: an encoder changes both as it needs. Where a camera
/// gives nothing for two seconds its track is muted; where a device is unplugged its track ends.
///
/// A device is let go when its track and all clones of that are stopped or gone. Sound and picture
/// of one call have one clock, which begins with the call.
///
/// # Errors
///
/// With the W3C's names ([`MediaError::name`]): `TypeError` where nothing is asked for,
/// `NotFoundError` where there is no such device, `OverconstrainedError` where none satisfies the
/// constraints, `NotAllowedError` where this program may not use it, `NotReadableError` where the
/// operating system refuses otherwise.
pub fn get_user_media(constraints: &MediaStreamConstraints) -> Result<MediaStream, MediaError> {
    if constraints.audio.is_none() && constraints.video.is_none() {
        return Err(MediaError::Type);
    }
    // All is chosen before any device is opened (§10.2 step 6.5).
    let synthetic = constraints.synthetic;
    let sound = constraints.audio.as_ref();
    let sound = sound
        .map(|wish| Sound::choose(wish, synthetic))
        .transpose()?;
    let view = constraints.video.as_ref();
    let view = view.map(|wish| View::choose(wish, synthetic)).transpose()?;

    let start = system::now();
    let mut tracks = Vec::new();
    if let Some(sound) = sound {
        tracks.push(sound.open(start)?);
    }
    if let Some(view) = view {
        tracks.push(view.open(start)?);
    }
    Ok(MediaStream::new(uuid_v4(system::random()?), tracks))
}

/// What sound was chosen.
enum Sound {
    Tone(Microphone),
    #[cfg(feature = "microphone")]
    Heard(Box<microphone::Chosen>),
}

impl Sound {
    fn choose(wish: &AudioConstraints, synthetic: bool) -> Result<Self, MediaError> {
        if wants_synthetic(&wish.device_id, synthetic) {
            check_id(&wish.device_id, SYNTHETIC_TONE)?;
            return Microphone::choose(wish).map(Self::Tone);
        }
        #[cfg(feature = "microphone")]
        return microphone::choose(wish).map(|it| Self::Heard(Box::new(it)));
        #[cfg(not(feature = "microphone"))]
        Err(MediaError::NotFound {
            kind: MediaKind::Audio,
        })
    }

    fn open(self, start: Instant) -> Result<MediaStreamTrack, MediaError> {
        match self {
            Self::Tone(microphone) => open_microphone(microphone, start),
            #[cfg(feature = "microphone")]
            Self::Heard(chosen) => microphone::open(*chosen, start),
        }
    }
}

/// What picture was chosen.
enum View {
    Test(Camera),
    #[cfg(all(feature = "camera", target_os = "linux"))]
    Seen(Box<camera::Chosen>),
}

impl View {
    fn choose(wish: &VideoConstraints, synthetic: bool) -> Result<Self, MediaError> {
        if wants_synthetic(&wish.device_id, synthetic) {
            check_id(&wish.device_id, SYNTHETIC_PICTURE)?;
            return Camera::choose(wish).map(Self::Test);
        }
        #[cfg(all(feature = "camera", target_os = "linux"))]
        return camera::choose(wish).map(|it| Self::Seen(Box::new(it)));
        #[cfg(not(all(feature = "camera", target_os = "linux")))]
        Err(MediaError::NotFound {
            kind: MediaKind::Video,
        })
    }

    fn open(self, start: Instant) -> Result<MediaStreamTrack, MediaError> {
        match self {
            Self::Test(camera) => open_camera(camera, start),
            #[cfg(all(feature = "camera", target_os = "linux"))]
            Self::Seen(chosen) => camera::open(*chosen, start),
        }
    }
}

fn open_microphone(microphone: Microphone, start: Instant) -> Result<MediaStreamTrack, MediaError> {
    let id = uuid_v4(system::random()?);
    let (track, source) = MediaStreamTrack::new(MediaKind::Audio, id, "Synthetic tone");
    run(source, start, microphone)?;
    Ok(track)
}

fn open_camera(camera: Camera, start: Instant) -> Result<MediaStreamTrack, MediaError> {
    let id = uuid_v4(system::random()?);
    let (track, source) = MediaStreamTrack::new(MediaKind::Video, id, "Synthetic picture");
    run(source, start, camera)?;
    Ok(track)
}

/// Whether a device that needs no hardware is asked for.
fn wants_synthetic(wish: &Constraint<String>, synthetic: bool) -> bool {
    let named = [&wish.exact, &wish.ideal];
    synthetic || named.into_iter().flatten().any(|id| is_synthetic(id))
}

/// Whether this device may be the one that is wanted.
fn check_id(wish: &Constraint<String>, device: &str) -> Result<(), MediaError> {
    let own = || device.to_owned();
    let chosen = wish.choose(own(), own(), own());
    chosen.map(|_| ()).ok_or(error::overconstrained("deviceId"))
}

fn is_synthetic(device_id: &str) -> bool {
    device_id.starts_with("synthetic-")
}
