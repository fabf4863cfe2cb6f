//! Errors by the names the W3C gives them.

use std::{borrow::Cow, fmt};

/// Why a call failed, by the W3C's name for it.
///
/// [WebRTC §4.4](https://www.w3.org/TR/webrtc/#interface-definition) says for each method which
/// error it fails with; [`name`](Self::name) is that name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The object is in a state that does not allow the call.
    #[error("InvalidStateError: {0}")]
    InvalidState(Cow<'static, str>),
    /// The call is allowed and well formed, but carrying it out failed.
    #[error("OperationError: {0}")]
    Operation(Cow<'static, str>),
    /// The description lacks something it needs, or says something that must not be.
    #[error("InvalidAccessError: {0}")]
    InvalidAccess(Cow<'static, str>),
    /// The description is not the one that was created, or changes what must not change.
    #[error("InvalidModificationError: {0}")]
    InvalidModification(Cow<'static, str>),
    /// The stack does not support this, and says so instead of ignoring it.
    #[error("NotSupportedError: {0}")]
    NotSupported(Cow<'static, str>),
    /// An argument is out of its range or contradicts another.
    #[error("TypeError: {0}")]
    Type(Cow<'static, str>),
    /// A number is out of its range.
    #[error("RangeError: {0}")]
    Range(Cow<'static, str>),
    /// A string has a character that means nothing.
    #[error("InvalidCharacterError: {0}")]
    InvalidCharacter(Cow<'static, str>),
    /// A URL is not one.
    #[error("SyntaxError: {0}")]
    Syntax(Cow<'static, str>),
    /// An `OperationError` with details, [WebRTC §11](https://www.w3.org/TR/webrtc/#rtcerror-interface).
    #[error("OperationError: {0}")]
    Rtc(RtcError),
}

impl Error {
    /// The name of the W3C's exception.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::InvalidState(_) => "InvalidStateError",
            Self::Operation(_) | Self::Rtc(_) => "OperationError",
            Self::InvalidAccess(_) => "InvalidAccessError",
            Self::InvalidModification(_) => "InvalidModificationError",
            Self::NotSupported(_) => "NotSupportedError",
            Self::Type(_) => "TypeError",
            Self::Range(_) => "RangeError",
            Self::InvalidCharacter(_) => "InvalidCharacterError",
            Self::Syntax(_) => "SyntaxError",
        }
    }

    /// The line of the description that is wrong, counted from 1, if one is.
    pub const fn sdp_line_number(&self) -> Option<usize> {
        match self {
            Self::Rtc(error) => error.sdp_line_number,
            _ => None,
        }
    }

    pub(crate) fn closed() -> Self {
        Self::InvalidState("the connection is closed".into())
    }
}

impl From<pc_jsep::Error> for Error {
    fn from(error: pc_jsep::Error) -> Self {
        use pc_jsep::ErrorKind as Kind;
        let message = error.message;
        match error.kind {
            Kind::InvalidState => Self::InvalidState(message),
            Kind::InvalidAccess => Self::InvalidAccess(message),
            Kind::InvalidModification => Self::InvalidModification(message),
            Kind::NotSupported => Self::NotSupported(message),
            Kind::Type => Self::Type(message),
            Kind::Range => Self::Range(message),
            Kind::Syntax { line } => Self::Rtc(RtcError {
                sdp_line_number: Some(line),
                ..RtcError::new(RtcErrorDetail::SdpSyntaxError, message)
            }),
            _ => Self::Operation(message),
        }
    }
}

/// What an `OperationError` is about, with what is known of it.
///
/// The W3C's [`RTCError`](https://www.w3.org/TR/webrtc/#rtcerror-interface).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RtcError {
    /// The kind of failure.
    pub detail: RtcErrorDetail,
    /// For people.
    pub message: Cow<'static, str>,
    /// With [`RtcErrorDetail::SdpSyntaxError`]: the line, counted from 1.
    pub sdp_line_number: Option<usize>,
    /// With [`RtcErrorDetail::SctpFailure`]: the cause code of the peer's ABORT, RFC 9260 §3.3.10.
    pub sctp_cause_code: Option<u16>,
}

impl RtcError {
    pub(crate) fn new(detail: RtcErrorDetail, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            detail,
            message: message.into(),
            sdp_line_number: None,
            sctp_cause_code: None,
        }
    }
}

impl fmt::Display for RtcError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.detail, self.message)
    }
}

impl std::error::Error for RtcError {}

/// The W3C's [`RTCErrorDetailType`](https://www.w3.org/TR/webrtc/#rtcerrordetailtype-enum).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RtcErrorDetail {
    /// A data channel failed.
    DataChannelFailure,
    /// The DTLS handshake failed, or the connection ended with a fatal error.
    DtlsFailure,
    /// The peer's certificate matches none of the fingerprints in its description.
    FingerprintFailure,
    /// The SCTP association failed or was aborted.
    SctpFailure,
    /// A description is not SDP.
    SdpSyntaxError,
}

impl fmt::Display for RtcErrorDetail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::DataChannelFailure => "data-channel-failure",
            Self::DtlsFailure => "dtls-failure",
            Self::FingerprintFailure => "fingerprint-failure",
            Self::SctpFailure => "sctp-failure",
            Self::SdpSyntaxError => "sdp-syntax-error",
        })
    }
}
