//! The camera and the microphone of the programs.

use peerconnection::{
    MediaStream,
    devices::{
        AudioConstraints, MediaError, MediaStreamConstraints, VideoConstraints, get_user_media,
    },
};

/// The note that the microphone of [`camera_mic`] hears, in Hz.
pub const TONE: f64 = 440.0;

/// `getUserMedia({audio: true, video: true})` from the devices that need no hardware, so that a
/// program runs anywhere and whoever receives it can tell whether all of it came: a note, and a
/// moving picture with a clock that people and programs read.
///
/// # Errors
///
/// The operating system gives no thread.
pub fn camera_mic() -> Result<MediaStream, MediaError> {
    get_user_media(&MediaStreamConstraints {
        audio: Some(AudioConstraints {
            frequency: TONE.into(),
            ..Default::default()
        }),
        video: Some(VideoConstraints {
            width: 480.into(),
            height: 270.into(),
            frame_rate: 24.0.into(),
            ..Default::default()
        }),
        synthetic: true,
    })
}
