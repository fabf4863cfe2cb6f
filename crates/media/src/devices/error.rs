use crate::MediaKind;

/// Why there is no stream (mediacapture-streams §10.2).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MediaError {
    /// Neither audio nor video was asked for.
    #[error("neither audio nor video was asked for: set one of them in the constraints")]
    Type,
    /// There is no device of this kind.
    #[error(
        "no {kind} device was found; a build has those of hardware with the features `microphone` and \
         `camera`. Ask for one that needs none with `synthetic: true`, or feed a track of your own through \
         `MediaStreamTrack::new`"
    )]
    NotFound {
        /// What was asked for.
        kind: MediaKind,
    },
    /// No device does what is asked of this property.
    #[error("no device satisfies the constraint `{constraint}`")]
    Overconstrained {
        /// The W3C's name of the property, `OverconstrainedError.constraint`.
        constraint: &'static str,
    },
    /// The operating system does not let this program use the device.
    #[error("the device may not be used: {0}")]
    NotAllowed(String),
    /// The operating system refused, as where another program has the device.
    #[error("the device cannot be read: {0}")]
    NotReadable(String),
}

impl MediaError {
    /// The W3C's name of the error.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Type => "TypeError",
            Self::NotFound { .. } => "NotFoundError",
            Self::Overconstrained { .. } => "OverconstrainedError",
            Self::NotAllowed(_) => "NotAllowedError",
            Self::NotReadable(_) => "NotReadableError",
        }
    }
}

pub(super) fn overconstrained(constraint: &'static str) -> MediaError {
    MediaError::Overconstrained { constraint }
}
