use std::fmt;

/// `kind` of a track (mediacapture-streams §4.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum MediaKind {
    /// `"audio"`.
    Audio,
    /// `"video"`.
    Video,
}

impl MediaKind {
    /// The W3C's word: `audio` or `video`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Audio => "audio",
            Self::Video => "video",
        }
    }
}

impl fmt::Display for MediaKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// `readyState` of a track (mediacapture-streams §4.3.3).
///
/// ```text
///           MediaStreamTrack::stop               no event
///  Live ──────────────────────────────► Ended
///           TrackSource::end, or its drop        TrackEvent::Ended
/// ```
///
/// A clone of a track begins in the state that the track is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MediaStreamTrackState {
    /// The source does its best to provide media.
    Live,
    /// The source provides nothing for this track any more. A track never leaves this state.
    Ended,
}

impl MediaStreamTrackState {
    /// The W3C's word: `live` or `ended`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Ended => "ended",
        }
    }
}

impl fmt::Display for MediaStreamTrackState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
