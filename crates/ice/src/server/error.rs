use std::{fmt, net::SocketAddr};

use pc_stun::{ErrorCode, MessageView};

/// The most a reason phrase may have in bytes (RFC 8489 §14.8).
const MAX_REASON: usize = 763;

/// What a server answered when it refused (RFC 8489 §14.8).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorResponse {
    /// 300 to 699.
    pub code: u16,
    /// For people alone, at most 763 bytes; the server's own words, so escape them.
    pub reason: Box<str>,
}

impl ErrorResponse {
    /// Of a response that has ERROR-CODE.
    pub(crate) fn of(message: &MessageView<'_>) -> Option<Self> {
        message.error_code().map(Self::from)
    }
}

impl From<ErrorCode<'_>> for ErrorResponse {
    fn from(error: ErrorCode<'_>) -> Self {
        let end = error.reason.floor_char_boundary(MAX_REASON);
        let reason = error.reason.get(..end).unwrap_or_default();
        Self {
            code: error.code,
            // coturn counts the padding as part of the phrase.
            reason: reason.trim_end_matches('\0').into(),
        }
    }
}

impl fmt::Display for ErrorResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.code, self.reason)
    }
}

/// Why a server did not do what it was asked to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ServerError {
    /// No answer: 39.5 s have passed (RFC 8489 §6.2.1, §6.2.2).
    #[error("the server does not answer")]
    Timeout,
    /// An error response.
    #[error("the server refuses: {0}")]
    Refused(ErrorResponse),
    /// Answers came, and none of them was signed as it must be (RFC 8489 §9.2.5): a wrong password
    /// on a server that does not check, or somebody in between. What the last one said is claimed,
    /// not proven.
    #[error("the server's answer is not signed with the credentials")]
    Integrity(Option<ErrorResponse>),
    /// An answer with an attribute that must be understood and is not (RFC 8489 §6.3.3).
    #[error("the answer has an unknown comprehension-required attribute {0:#06x}")]
    UnknownAttribute(u16),
    /// An answer without what it must have, or with a value that is of no use; what of it.
    #[error("the answer has no usable {0}")]
    BadResponse(&'static str),
    /// The nonce says that the server has password algorithms, and the list of them is missing:
    /// somebody in between has taken it out (RFC 8489 §9.2.5).
    #[error("the server's list of password algorithms has been removed on the way")]
    BidDown,
    /// The server accepts no password algorithm that is known here (RFC 8489 §9.2.5).
    #[error("the server accepts neither MD5 nor SHA-256 passwords")]
    NoPasswordAlgorithm,
    /// The server asked for the credentials again and again (RFC 8489 §9.2.5).
    #[error("the server keeps refusing the nonces that it gave")]
    TooManyChallenges,
    /// Redirected to a server that was tried in the last five minutes, or too often
    /// (RFC 8489 §10).
    #[error("redirected in a circle, to {0}")]
    RedirectLoop(SocketAddr),
    /// The allocation was not refreshed in time, or the server has none any more (RFC 8656 §8).
    #[error("the allocation is gone")]
    AllocationLost,
    /// The connection to the server broke.
    #[error("the connection to the server is lost")]
    ConnectionLost,
}

impl ServerError {
    /// The number for an `icecandidateerror`: the server's, or 701 when there is none
    /// ([W3C webrtc-pc §4.8.2](https://www.w3.org/TR/webrtc/#rtcpeerconnectioniceerrorevent)).
    pub fn code(&self) -> u16 {
        match self {
            Self::Refused(error) | Self::Integrity(Some(error)) => error.code,
            _ => 701,
        }
    }
}
