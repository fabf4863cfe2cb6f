//! What gives media: [`get_user_media`], [`enumerate_devices`], and devices that need no hardware:
//! a [tone](Tone) and a [moving picture](TestPicture) that tells the time to people and to programs.
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

pub mod clock;
mod constraints;
mod digits;
mod error;
mod picture;
mod run;
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

/// `enumerateDevices()` (mediacapture-streams §9.1): all devices, those of hardware first. This
/// build captures from none, so all there are
/// [are synthetic](MediaDeviceInfo::is_synthetic).
pub fn enumerate_devices() -> Vec<MediaDeviceInfo> {
    vec![
        MediaDeviceInfo::synthetic(SYNTHETIC_TONE, MediaKind::Audio, "Synthetic tone"),
        MediaDeviceInfo::synthetic(SYNTHETIC_PICTURE, MediaKind::Video, "Synthetic picture"),
    ]
}

/// `getUserMedia()` (mediacapture-streams §10.2): a stream with a track for each kind that is asked
/// for, of devices that satisfy the constraints and come as close as they can to what is ideal.
///
/// A device that needs no hardware is given only to those who ask for one: with
/// [`synthetic`](MediaStreamConstraints::synthetic), or by its id. There is then a thread for each
/// track. It makes frames while somebody reads them, at the times that the frame rate says without
/// a drift, and ends when the track and all clones of it are stopped or gone. Sound and picture of
/// one call have one clock, which begins with the call.
///
/// # Errors
///
/// With the W3C's names ([`MediaError::name`]): `TypeError` where nothing is asked for,
/// `NotFoundError` where there is no such device, `OverconstrainedError` where none satisfies the
/// constraints, `NotReadableError` where the operating system refuses.
pub fn get_user_media(constraints: &MediaStreamConstraints) -> Result<MediaStream, MediaError> {
    if constraints.audio.is_none() && constraints.video.is_none() {
        return Err(MediaError::Type);
    }
    // All is chosen before any device is opened (§10.2 step 6.5).
    let synthetic = constraints.synthetic;
    let microphone = constraints.audio.as_ref();
    let microphone = microphone.map(|wish| choose_microphone(wish, synthetic));
    let camera = constraints.video.as_ref();
    let camera = camera.map(|wish| choose_camera(wish, synthetic));
    let (microphone, camera) = (microphone.transpose()?, camera.transpose()?);

    let start = system::now();
    let mut tracks = Vec::new();
    if let Some(microphone) = microphone {
        tracks.push(open_microphone(microphone, start)?);
    }
    if let Some(camera) = camera {
        tracks.push(open_camera(camera, start)?);
    }
    Ok(MediaStream::new(uuid_v4(system::random()?), tracks))
}

fn choose_microphone(wish: &AudioConstraints, synthetic: bool) -> Result<Microphone, MediaError> {
    find(MediaKind::Audio, &wish.device_id, SYNTHETIC_TONE, synthetic)?;
    Microphone::choose(wish)
}

fn choose_camera(wish: &VideoConstraints, synthetic: bool) -> Result<Camera, MediaError> {
    find(
        MediaKind::Video,
        &wish.device_id,
        SYNTHETIC_PICTURE,
        synthetic,
    )?;
    Camera::choose(wish)
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

/// Whether the one device of this kind is among those that may be given, and the one that is
/// wanted.
fn find(
    kind: MediaKind,
    wish: &Constraint<String>,
    device: &str,
    synthetic: bool,
) -> Result<(), MediaError> {
    let named = [&wish.exact, &wish.ideal];
    let is_named = named.into_iter().flatten().any(|id| is_synthetic(id));
    if !synthetic && !is_named {
        return Err(MediaError::NotFound { kind });
    }
    let device = device.to_owned();
    if wish
        .choose(device.clone(), device.clone(), device)
        .is_none()
    {
        return Err(MediaError::Overconstrained {
            constraint: "deviceId",
        });
    }
    Ok(())
}

fn is_synthetic(device_id: &str) -> bool {
    device_id.starts_with("synthetic-")
}
