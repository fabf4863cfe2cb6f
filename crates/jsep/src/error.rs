use std::borrow::Cow;

/// Why a call failed: the kind is the W3C's name of the exception.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// Which exception it is.
    pub kind: ErrorKind,
    /// What is wrong, naming the culprit.
    pub message: Cow<'static, str>,
}

/// The exceptions of [WebRTC](https://www.w3.org/TR/webrtc/) that offer and answer lead to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// `InvalidStateError`: not now.
    InvalidState,
    /// `InvalidAccessError`: the description says something that must not be.
    InvalidAccess,
    /// `InvalidModificationError`: a change of what must not change.
    InvalidModification,
    /// `OperationError`: allowed and well formed, but it cannot be carried out.
    Operation,
    /// `OperationError` with the detail `sdp-syntax-error`: not SDP.
    Syntax {
        /// The line, counted from 1.
        line: usize,
    },
    /// `NotSupportedError`: refused by name rather than ignored.
    NotSupported,
    /// `TypeError`: an argument contradicts itself or another.
    Type,
    /// `RangeError`: a number out of its range.
    Range,
}

macro_rules! constructors {
    ($($name:ident = $kind:ident,)*) => {
        impl Error {$(
            pub(crate) fn $name(message: impl Into<Cow<'static, str>>) -> Self {
                Self { kind: ErrorKind::$kind, message: message.into() }
            }
        )*}
    };
}
constructors! {
    invalid_state = InvalidState,
    invalid_access = InvalidAccess,
    invalid_modification = InvalidModification,
    operation = Operation,
    type_error = Type,
    range = Range,
}

impl From<pc_sdp::ParseError> for Error {
    fn from(error: pc_sdp::ParseError) -> Self {
        Self {
            kind: ErrorKind::Syntax { line: error.line },
            message: error.to_string().into(),
        }
    }
}
