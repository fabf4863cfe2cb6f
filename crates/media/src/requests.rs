use std::task::Waker;

use crate::{EncodedFrame, MediaKind, wakers::Wakers};

/// What those who read a track wish of its source. Only sources that write encoded frames can do
/// something about it; others have nothing to heed, as whoever encodes their frames does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Request {
    /// A key frame of every encoding that there is, as soon as possible: somebody begins to decode, or
    /// lost a frame.
    KeyFrame,
    /// This many bits per second: the least that any reader wants.
    Bitrate(u32),
    /// A key frame of this [encoding](EncodedFrame::encoding) alone.
    KeyFrameOf(usize),
    /// This many bits per second of an [encoding](EncodedFrame::encoding): the least that any reader
    /// wants. 0 where none has a use for it at present; it is to go on with a key frame.
    BitrateOf(usize, u32),
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
    /// A bit for each encoding.
    key_frames: u8,
    /// A bit for each encoding that the source has given, but the first, which is there in any case.
    given: u8,
    /// The rate that the source knows of.
    told: Option<u32>,
    /// The same of each encoding.
    told_of: [Option<u32>; EncodedFrame::MAX_ENCODINGS],
    pub(crate) waiters: Wakers,
}

impl Requests {
    /// The source has given a frame of this encoding.
    pub(crate) fn note(&mut self, encoding: Option<usize>) {
        if let Some(encoding) = encoding.filter(|it| *it < EncodedFrame::MAX_ENCODINGS) {
            self.given |= 1 << encoding;
        }
    }

    /// Key frames are wished for, of the encodings that have a bit here.
    #[must_use = "wake them outside the lock"]
    pub(crate) fn key_frames(&mut self, encodings: u8) -> Vec<(u64, Waker)> {
        self.key_frames |= encodings;
        self.waiters.take()
    }

    /// The next wish, where `bitrate` is the rate that is wished for at the moment, and `bitrate_of`
    /// that of an encoding.
    pub(crate) fn take(
        &mut self,
        bitrate: Option<u32>,
        bitrate_of: impl Fn(usize) -> Option<u32>,
    ) -> Option<Request> {
        let given = self.given | 1;
        if self.key_frames & given == given {
            self.key_frames = 0;
            return Some(Request::KeyFrame);
        }
        if self.key_frames != 0 {
            let encoding = self.key_frames.trailing_zeros();
            self.key_frames &= !(1 << encoding);
            return Some(Request::KeyFrameOf(encoding as usize));
        }
        if let Some(bitrate) = bitrate.filter(|it| self.told != Some(*it)) {
            self.told = Some(bitrate);
            return Some(Request::Bitrate(bitrate));
        }
        let mut told = self.told_of.iter_mut().enumerate();
        told.find_map(|(encoding, told)| {
            let bitrate = bitrate_of(encoding).filter(|it| *told != Some(*it))?;
            *told = Some(bitrate);
            Some(Request::BitrateOf(encoding, bitrate))
        })
    }
}
