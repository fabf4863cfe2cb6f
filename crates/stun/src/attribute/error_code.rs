//! Error codes, [RFC 8489 §14.8](https://www.rfc-editor.org/rfc/rfc8489#section-14.8).
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |       reserved, should be zero          |hundred|   number    |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |  reason phrase, at most 763 bytes                           ...
//!
//! ADDRESS-ERROR-CODE (RFC 8656 §18.12) has the address family in the first byte
//! ```

use std::fmt;

/// Why a request failed. RFC 8489 §14.8
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ErrorCode<'a> {
    /// 300 to 699.
    pub code: u16,
    /// For people alone, at most 763 bytes; what follows bytes that are not UTF-8 is left out.
    pub reason: &'a str,
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $reason:literal;)*) => {
        impl ErrorCode<'static> {
            $($(#[$doc])* pub const $name: Self = Self { code: $code, reason: $reason };)*
        }
    };
}

codes! {
    /// RFC 8489 §14.8
    TRY_ALTERNATE = 300, "Try Alternate";
    /// RFC 8489 §14.8
    BAD_REQUEST = 400, "Bad Request";
    /// RFC 8489 §14.8
    UNAUTHENTICATED = 401, "Unauthenticated";
    /// RFC 8656 §19
    FORBIDDEN = 403, "Forbidden";
    /// RFC 8016 §4.2
    MOBILITY_FORBIDDEN = 405, "Mobility Forbidden";
    /// RFC 8489 §14.8
    UNKNOWN_ATTRIBUTE = 420, "Unknown Attribute";
    /// RFC 8656 §19
    ALLOCATION_MISMATCH = 437, "Allocation Mismatch";
    /// RFC 8489 §14.8
    STALE_NONCE = 438, "Stale Nonce";
    /// RFC 8656 §19
    ADDRESS_FAMILY_NOT_SUPPORTED = 440, "Address Family not Supported";
    /// RFC 8656 §19
    WRONG_CREDENTIALS = 441, "Wrong Credentials";
    /// RFC 8656 §19
    UNSUPPORTED_TRANSPORT_PROTOCOL = 442, "Unsupported Transport Protocol";
    /// RFC 8656 §19
    PEER_ADDRESS_FAMILY_MISMATCH = 443, "Peer Address Family Mismatch";
    /// RFC 6062 §6.3
    CONNECTION_ALREADY_EXISTS = 446, "Connection Already Exists";
    /// RFC 6062 §6.3
    CONNECTION_TIMEOUT_OR_FAILURE = 447, "Connection Timeout or Failure";
    /// RFC 8656 §19
    ALLOCATION_QUOTA_REACHED = 486, "Allocation Quota Reached";
    /// RFC 8445 §16.2
    ROLE_CONFLICT = 487, "Role Conflict";
    /// RFC 8489 §14.8
    SERVER_ERROR = 500, "Server Error";
    /// RFC 8656 §19
    INSUFFICIENT_CAPACITY = 508, "Insufficient Capacity";
}

impl fmt::Display for ErrorCode<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.code, self.reason)
    }
}

impl<'a> ErrorCode<'a> {
    /// Reads the value; the first two bytes, reserved or a family, are ignored.
    pub(super) fn parse(value: &'a [u8]) -> Option<Self> {
        let (&[_, _, hundred, number], reason) = value.split_first_chunk()?;
        let hundred = hundred & 0b111;
        // RFC 8489 §14.8: the class is 3 to 6, the number 0 to 99.
        if !(3..=6).contains(&hundred) || number > 99 {
            return None;
        }
        Some(Self {
            code: u16::from(hundred) * 100 + u16::from(number),
            reason: valid_prefix(reason),
        })
    }

    /// The class and the number, if the code is within 300 to 699.
    pub(super) fn parts(&self) -> Option<[u8; 2]> {
        let hundred = u8::try_from(self.code / 100).ok()?;
        let number = u8::try_from(self.code % 100).ok()?;
        (3..=6).contains(&hundred).then_some([hundred, number])
    }
}

/// The text up to the first byte that is not UTF-8: a bad phrase must not hide the code.
fn valid_prefix(bytes: &[u8]) -> &str {
    bytes.utf8_chunks().next().map_or("", |chunk| chunk.valid())
}
