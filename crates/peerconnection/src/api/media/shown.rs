//! What is received of one stream: a track that is decoded, and one that is not.

use pc_media::{
    EncodedFrame, MediaFrame, MediaKind, MediaStreamTrack, Request, TrackSource, uuid_v4,
};
use rand_chacha::{ChaCha12Rng, rand_core::Rng};

/// Both tracks, and what feeds them.
pub(crate) struct Shown {
    pub(super) decoded: MediaStreamTrack,
    source: TrackSource,
    /// The same media as it came, for who forwards or records it.
    encoded: MediaStreamTrack,
    encoded_source: TrackSource,
}

impl Shown {
    pub(super) fn new(kind: MediaKind, rng: &mut ChaCha12Rng) -> Self {
        let mut uuid = || {
            let mut random = [0; 16];
            rng.fill_bytes(&mut random);
            uuid_v4(random)
        };
        let (decoded, source) = MediaStreamTrack::remote(kind, uuid());
        let (encoded, encoded_source) = MediaStreamTrack::remote(kind, uuid());
        Self {
            decoded,
            source,
            encoded,
            encoded_source,
        }
    }

    pub(crate) fn decoded(&self) -> &MediaStreamTrack {
        &self.decoded
    }

    pub(crate) fn encoded(&self) -> &MediaStreamTrack {
        &self.encoded
    }

    /// Whether somebody looks at, or listens to, what was decoded.
    pub(crate) fn is_watched(&self) -> bool {
        self.source.is_read()
    }

    /// Whether somebody takes frames, decoded or not.
    pub(crate) fn is_wanted(&self) -> bool {
        self.source.is_read() || self.encoded_source.is_read()
    }

    /// A decoded frame, for those who read the decoded track.
    pub(crate) fn write(&self, frame: impl Into<MediaFrame>) {
        if let Err(error) = self.source.write(frame) {
            tracing::debug!(%error, "a decoded frame is of another kind");
        }
    }

    /// A frame as it came.
    pub(crate) fn write_encoded(&self, frame: &EncodedFrame) {
        if self.encoded_source.is_read()
            && let Err(error) = self.encoded_source.write(frame.clone())
        {
            tracing::debug!(%error, "a received frame is of another kind");
        }
    }

    /// Whether a reader, of what is decoded or not, cannot begin without a key frame.
    pub(crate) fn takes_key_frame_requests(&self) -> bool {
        let asks = |source: &TrackSource| {
            let mut asked = false;
            while let Some(request) = source.try_request() {
                asked |= matches!(request, Request::KeyFrame);
            }
            asked
        };
        let decoded = asks(&self.source);
        asks(&self.encoded_source) || decoded
    }

    pub(super) fn set_muted(&self, muted: bool) {
        self.source.set_muted(muted);
        self.encoded_source.set_muted(muted);
    }

    pub(super) fn end(&self) {
        self.source.end();
        self.encoded_source.end();
    }
}
