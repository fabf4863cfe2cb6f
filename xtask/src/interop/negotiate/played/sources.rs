//! What our side sends: devices that need no hardware.

use std::time::Duration;

use anyhow::Result;
use peerconnection::{
    MediaKind, MediaStream, MediaStreamTrack, TrackSource, VideoFrame,
    devices::{
        AudioConstraints, Constraint, MediaStreamConstraints, VideoConstraints, get_user_media,
    },
};
use tokio::task::JoinHandle;

/// The note that is played, in Hz.
pub(super) const TONE: f64 = 440.0;
pub(super) const SIZE: (u32, u32) = (480, 270);
pub(super) const FRAME_RATE: u32 = 20;

/// A moving picture with a clock.
pub(super) fn picture() -> Result<MediaStream> {
    Ok(get_user_media(&MediaStreamConstraints {
        video: Some(video()),
        synthetic: true,
        ..Default::default()
    })?)
}

/// Both, of one clock.
pub(super) fn tone_and_picture() -> Result<MediaStream> {
    Ok(get_user_media(&MediaStreamConstraints {
        audio: Some(audio()),
        video: Some(video()),
        synthetic: true,
    })?)
}

fn audio() -> AudioConstraints {
    AudioConstraints {
        frequency: Constraint::exact(TONE),
        ..Default::default()
    }
}

fn video() -> VideoConstraints {
    VideoConstraints {
        width: Constraint::exact(SIZE.0),
        height: Constraint::exact(SIZE.1),
        frame_rate: Constraint::exact(FRAME_RATE.into()),
        ..Default::default()
    }
}

/// A picture of one brightness, written by a task that ends with this.
pub(super) struct Plain {
    pub(super) track: MediaStreamTrack,
    task: JoinHandle<()>,
}

impl Plain {
    pub(super) fn new(luma: u8) -> Self {
        let (track, source) = MediaStreamTrack::new(MediaKind::Video, "our-plain", "nothing");
        let task = tokio::spawn(show(source, luma));
        Self { track, task }
    }
}

impl Drop for Plain {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn show(source: TrackSource, luma: u8) {
    let (width, height) = SIZE;
    let pixels = (width * height) as usize;
    let mut data = vec![luma; pixels];
    data.resize(VideoFrame::byte_len(width, height).unwrap_or(pixels), 128);
    let mut ticks = tokio::time::interval(Duration::from_secs(1) / FRAME_RATE);
    for frame in 0_u32.. {
        ticks.tick().await;
        let at = Duration::from_secs(1) / FRAME_RATE * frame;
        if let Ok(frame) = VideoFrame::new(width, height, data.clone(), at) {
            let _ = source.write(frame);
        }
    }
}
