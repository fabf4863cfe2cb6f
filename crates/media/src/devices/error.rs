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
        "no {kind} device: this build captures from none. Ask for one that needs no hardware with \
         `synthetic: true`, or feed a track of your own through `MediaStreamTrack::new`"
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
    /// The operating system refused.
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
            Self::NotReadable(_) => "NotReadableError",
        }
    }
}
