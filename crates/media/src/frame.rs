//! What flows from a source to whoever reads a track. All of it is cheap to clone: the samples,
//! pixels and bytes are shared.

mod audio;
mod scale;
mod video;

use std::{sync::Arc, time::Duration};

use bytes::Bytes;

pub use audio::AudioFrame;
pub use video::{Plane, Rotation, VideoFrame};

use crate::MediaKind;

/// Why samples or pixels are no frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidFrame {
    /// A sample rate of 0 or beyond [`AudioFrame::MAX_SAMPLE_RATE`].
    #[error("{0} samples a second are none that audio has")]
    SampleRate(u32),
    /// No channel, or more than [`AudioFrame::MAX_CHANNELS`].
    #[error("{0} channels are none that audio has")]
    Channels(u16),
    /// The samples do not come out even over the channels.
    #[error("{samples} samples are not a multiple of {channels} channels")]
    UnevenSamples {
        /// How many samples there are.
        samples: usize,
        /// Over how many channels.
        channels: u16,
    },
    /// A width or height of 0 or beyond [`VideoFrame::MAX_SIDE`].
    #[error("{width}×{height} pixels are no picture")]
    Size {
        /// In pixels.
        width: u32,
        /// In pixels.
        height: u32,
    },
    /// A plane with fewer bytes than the picture needs, or a stride below its width.
    #[error("{got} bytes where the picture needs {needed}")]
    Bytes {
        /// How many bytes it takes.
        needed: usize,
        /// How many there are.
        got: usize,
    },
}

/// A frame that somebody else has encoded, for tracks that are forwarded, recorded or come from a
/// camera that compresses: one packet of audio, or one picture (for H.264 and H.265 an access unit
/// in Annex B form, for AV1 a temporal unit in the low-overhead format).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncodedFrame {
    /// What it is encoded with, as in SDP: `video/VP8`, `audio/opus`. Case does not matter.
    pub mime_type: Arc<str>,
    /// The frame.
    pub data: Bytes,
    /// When it is to be played, on the clock of its source.
    pub timestamp: Duration,
    /// Whether a decoder can begin here. True of all audio.
    pub is_key_frame: bool,
    /// How long it lasts, if that is known.
    pub duration: Option<Duration>,
    /// Width and height of the picture, as far as that is known: of key frames at least.
    pub size: Option<(u16, u16)>,
    /// Which of the track's encodings it is of, where the same pictures come in several sizes or
    /// qualities, each in frames of its own (simulcast): its place among the `sendEncodings` of who
    /// sends it. 0 where there is one; less than [`MAX_ENCODINGS`](Self::MAX_ENCODINGS).
    pub encoding: usize,
}

impl EncodedFrame {
    /// How many encodings a track may have. A sender has no more (webrtc-pc §5.1, "maxN").
    pub const MAX_ENCODINGS: usize = 8;

    /// The kind that the type before the slash of [`mime_type`](Self::mime_type) says, if any.
    pub fn kind(&self) -> Option<MediaKind> {
        let (kind, _) = self.mime_type.split_once('/')?;
        [MediaKind::Audio, MediaKind::Video]
            .into_iter()
            .find(|it| kind.eq_ignore_ascii_case(it.as_str()))
    }
}

/// One frame of a track: samples, a picture, or either in encoded form.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum MediaFrame {
    /// Samples of an audio track.
    Audio(AudioFrame),
    /// A picture of a video track.
    Video(VideoFrame),
    /// Either in encoded form.
    Encoded(EncodedFrame),
}

impl MediaFrame {
    /// What track this is for; `None` for an encoded frame whose type is neither.
    pub fn kind(&self) -> Option<MediaKind> {
        match self {
            Self::Audio(_) => Some(MediaKind::Audio),
            Self::Video(_) => Some(MediaKind::Video),
            Self::Encoded(frame) => frame.kind(),
        }
    }

    /// When the frame is to be played, on the clock of its source.
    pub fn timestamp(&self) -> Duration {
        match self {
            Self::Audio(frame) => frame.timestamp(),
            Self::Video(frame) => frame.timestamp(),
            Self::Encoded(frame) => frame.timestamp,
        }
    }

    /// What a disabled track gives in place of this (mediacapture-streams §4.3.1): silence or
    /// black of the same shape. Encoded frames have no such form: nothing.
    pub(crate) fn blank(&self) -> Option<Self> {
        match self {
            Self::Audio(frame) => Some(Self::Audio(frame.silenced())),
            Self::Video(frame) => Some(Self::Video(frame.blackened())),
            Self::Encoded(_) => None,
        }
    }

    /// Of which encoding it is, if it is encoded.
    pub(crate) fn encoding(&self) -> Option<usize> {
        match self {
            Self::Encoded(frame) => Some(frame.encoding),
            _ => None,
        }
    }

    /// Whether frames before this one are needed to make sense of it.
    pub(crate) fn is_delta(&self) -> bool {
        matches!(self, Self::Encoded(frame) if !frame.is_key_frame)
    }
}

impl From<AudioFrame> for MediaFrame {
    fn from(frame: AudioFrame) -> Self {
        Self::Audio(frame)
    }
}

impl From<VideoFrame> for MediaFrame {
    fn from(frame: VideoFrame) -> Self {
        Self::Video(frame)
    }
}

impl From<EncodedFrame> for MediaFrame {
    fn from(frame: EncodedFrame) -> Self {
        Self::Encoded(frame)
    }
}
