//! What this side sends where others have a camera and a microphone: a tone, and a picture of a clock
//! with a bar that moves.

use std::{f64::consts::TAU, time::Duration};

use peerconnection::{AudioFrame, MediaKind, MediaStreamTrack, TrackSource, VideoFrame};
use tokio::{task::JoinHandle, time::interval};

/// The tone, in Hz.
pub const TONE: f64 = 440.0;
const SIZE: (u32, u32) = (480, 270);
const FRAME_RATE: u32 = 24;

/// Two sources that run until this is dropped.
pub struct Studio {
    tracks: [MediaStreamTrack; 2],
    tasks: [JoinHandle<()>; 2],
}

impl Studio {
    /// Begins to play.
    pub fn open() -> Self {
        let (sound, tone) = MediaStreamTrack::new(MediaKind::Audio, "tone", "440 Hz");
        let (view, picture) = MediaStreamTrack::new(MediaKind::Video, "clock", "a clock");
        Self {
            tracks: [sound, view],
            tasks: [tokio::spawn(play(tone)), tokio::spawn(show(picture))],
        }
    }

    /// The tone and the picture.
    pub fn tracks(&self) -> [MediaStreamTrack; 2] {
        self.tracks.clone()
    }
}

impl Drop for Studio {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

async fn play(source: TrackSource) {
    let mut ticks = interval(Duration::from_millis(10));
    for frame in 0_u64.. {
        ticks.tick().await;
        let sample = |index: u64| {
            let time = (frame * 480 + index) as f64 / 48_000.0;
            (6000.0 * (time * TONE * TAU).sin()) as i16
        };
        let samples: Vec<i16> = (0..480).map(sample).collect();
        let at = Duration::from_millis(frame * 10);
        if let Ok(frame) = AudioFrame::new(48_000, 1, samples, at) {
            let _ = source.write(frame);
        }
    }
}

async fn show(source: TrackSource) {
    let mut ticks = interval(Duration::from_secs(1) / FRAME_RATE);
    for frame in 0_u32.. {
        ticks.tick().await;
        let at = Duration::from_secs(1) * frame / FRAME_RATE;
        if let Ok(frame) = VideoFrame::new(SIZE.0, SIZE.1, paint(at), at) {
            let _ = source.write(frame);
        }
    }
}

/// Minutes, seconds and tenths over a bar that goes round once in four seconds.
fn paint(at: Duration) -> Vec<u8> {
    let (width, height) = (SIZE.0 as usize, SIZE.1 as usize);
    let mut luma = vec![40_u8; width * height];
    let begin = (at.as_millis() as usize * width / 4000) % width;
    for row in luma
        .chunks_exact_mut(width)
        .skip(height * 3 / 4)
        .take(height / 8)
    {
        for x in 0..width / 8 {
            row[(begin + x) % width] = 220;
        }
    }
    let (minutes, seconds) = (at.as_secs() / 60 % 100, at.as_secs() % 60);
    let text = format!("{minutes:02}:{seconds:02}.{}", at.subsec_millis() / 100);
    for (place, character) in text.chars().enumerate() {
        draw(&mut luma, width, 24 + place * 62, 50, character);
    }
    // A tint of blue: a picture that is grey would not show whether colour arrives.
    luma.extend(std::iter::repeat_n(150, luma.len() / 4));
    luma.extend(std::iter::repeat_n(112, width * height / 4));
    luma
}

/// A character of 3×5 squares, each of 16 pixels.
fn draw(luma: &mut [u8], width: usize, left: usize, top: usize, character: char) {
    let rows: [u8; 5] = match character {
        '0' => [7, 5, 5, 5, 7],
        '1' => [2, 6, 2, 2, 7],
        '2' => [7, 1, 7, 4, 7],
        '3' => [7, 1, 7, 1, 7],
        '4' => [5, 5, 7, 1, 1],
        '5' => [7, 4, 7, 1, 7],
        '6' => [7, 4, 7, 5, 7],
        '7' => [7, 1, 2, 2, 2],
        '8' => [7, 5, 7, 5, 7],
        '9' => [7, 5, 7, 1, 7],
        ':' => [0, 2, 0, 2, 0],
        _ => [0, 0, 0, 0, 2],
    };
    for (y, bits) in rows.into_iter().enumerate() {
        for x in (0..3).filter(|x| bits >> (2 - x) & 1 == 1) {
            for line in 0..16 {
                let from = (top + y * 16 + line) * width + left + x * 16;
                if let Some(square) = luma.get_mut(from..from + 16) {
                    square.fill(225);
                }
            }
        }
    }
}
