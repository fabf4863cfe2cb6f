use std::task::Waker;

use crate::{MediaKind, wakers::Wakers};

/// What those who read a track wish of its source. Only sources that write encoded frames can do
/// something about it; others have nothing to heed, as whoever encodes their frames does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Request {
    /// A key frame, as soon as possible: somebody begins to decode, or lost a frame.
    KeyFrame,
    /// This many bits per second: the least that any reader wants.
    Bitrate(u32),
}

/// A frame of audio was written to a track of video, the other way round, or an encoded frame
/// whose type is neither.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the frame is not {track}, which the track is")]
pub struct WrongKind {
    /// What the track is.
    pub track: MediaKind,
}

/// The wishes that a source has yet to be told. The latest of each kind is all that matters, so
/// nothing queues up.
#[derive(Debug, Default)]
pub(crate) struct Requests {
    key_frame: bool,
    /// The rate that the source knows of.
    told: Option<u32>,
    pub(crate) waiters: Wakers,
}

impl Requests {
    /// A key frame is wished for.
    #[must_use = "wake them outside the lock"]
    pub(crate) fn key_frame(&mut self) -> Vec<(u64, Waker)> {
        self.key_frame = true;
        self.waiters.take()
    }

    /// The next wish, where `bitrate` is the rate that is wished for at the moment.
    pub(crate) fn take(&mut self, bitrate: Option<u32>) -> Option<Request> {
        if std::mem::take(&mut self.key_frame) {
            return Some(Request::KeyFrame);
        }
        let bitrate = bitrate.filter(|it| self.told != Some(*it))?;
        self.told = Some(bitrate);
        Some(Request::Bitrate(bitrate))
    }
}
