//! The STUN header, [RFC 8489 §5](https://www.rfc-editor.org/rfc/rfc8489#section-5).
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |0 0|  class and method         |  length without the header    |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                  magic cookie 0x2112A442                      |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                  transaction id (96 bits)                     |
//! |                                                               |
//! |                                                               |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//!
//! the 14 bits of class (C) and method (M):  M M M M M C M M M C M M M M
//! ```

use std::fmt;

use pc_proto::{ParseError, Reader, WriteError, Writer};

/// The fixed value that marks a STUN message. RFC 8489 §5.
pub const MAGIC_COOKIE: u32 = 0x2112_A442;

/// Bytes of a STUN header. RFC 8489 §5.
pub const HEADER_LEN: usize = 20;

/// Where the length field of the header starts.
pub(crate) const LENGTH_AT: usize = 2;

/// The number that ties a response to its request, 96 random bits. RFC 8489 §5.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TransactionId(pub [u8; 12]);

impl fmt::Debug for TransactionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TransactionId({self})")
    }
}

impl fmt::Display for TransactionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// What a message is within its transaction. RFC 8489 §5.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// Asks for a response.
    Request,
    /// Asks for none.
    Indication,
    /// Answers a request that succeeded.
    Success,
    /// Answers a request that failed; carries ERROR-CODE.
    Error,
}

/// What a message asks for: a number of 12 bits. RFC 8489 §18.2.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Method(u16);

impl Method {
    /// Binding, RFC 8489 §2.
    pub const BINDING: Self = Self(0x001);
    /// Allocate, RFC 8656 §17.
    pub const ALLOCATE: Self = Self(0x003);
    /// Refresh, RFC 8656 §17.
    pub const REFRESH: Self = Self(0x004);
    /// Send (indication), RFC 8656 §17.
    pub const SEND: Self = Self(0x006);
    /// Data (indication), RFC 8656 §17.
    pub const DATA: Self = Self(0x007);
    /// CreatePermission, RFC 8656 §17.
    pub const CREATE_PERMISSION: Self = Self(0x008);
    /// ChannelBind, RFC 8656 §17.
    pub const CHANNEL_BIND: Self = Self(0x009);
    /// Connect, RFC 6062 §6.1.
    pub const CONNECT: Self = Self(0x00A);
    /// ConnectionBind, RFC 6062 §6.1.
    pub const CONNECTION_BIND: Self = Self(0x00B);
    /// ConnectionAttempt (indication), RFC 6062 §6.1.
    pub const CONNECTION_ATTEMPT: Self = Self(0x00C);
    /// The abbreviated check of libwebrtc (message types 0x0200, 0x0300 and 0x0310).
    pub const GOOG_PING: Self = Self(0x080);

    /// The method of that number, if it has at most 12 bits.
    pub const fn new(number: u16) -> Option<Self> {
        if number < 0x1000 {
            Some(Self(number))
        } else {
            None
        }
    }

    /// The method's number, below 0x1000.
    pub const fn number(self) -> u16 {
        self.0
    }
}

impl fmt::Debug for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Method({self})")
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match *self {
            Self::BINDING => "Binding",
            Self::ALLOCATE => "Allocate",
            Self::REFRESH => "Refresh",
            Self::SEND => "Send",
            Self::DATA => "Data",
            Self::CREATE_PERMISSION => "CreatePermission",
            Self::CHANNEL_BIND => "ChannelBind",
            Self::CONNECT => "Connect",
            Self::CONNECTION_BIND => "ConnectionBind",
            Self::CONNECTION_ATTEMPT => "ConnectionAttempt",
            Self::GOOG_PING => "GoogPing",
            Self(number) => return write!(f, "{number:#05x}"),
        })
    }
}

/// The checked fields of a header; the length agrees with the bytes that follow.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Header<'a> {
    pub(crate) class: Class,
    pub(crate) method: Method,
    /// The transaction id where it stands.
    pub(crate) id: &'a [u8; 12],
}

impl<'a> Header<'a> {
    /// Reads a header whose message fills the rest of `reader`.
    #[inline]
    pub(crate) fn parse(reader: &mut Reader<'a>) -> Result<Self, ParseError> {
        let start = *reader;
        let error = |what, offset| ParseError {
            what,
            at: start.at() + offset,
        };
        let head = reader.u32("header")?;
        let cookie = reader.u32("header")?;
        let id = reader.bytes(12, "header")?;
        let id = id.first_chunk().ok_or(start.error("header"))?;
        let (kind, length) = ((head >> 16) as u16, (head & 0xFFFF) as usize);
        if kind >> 14 != 0 {
            return Err(error("message type", 0));
        }
        if cookie != MAGIC_COOKIE {
            return Err(error("magic cookie", 4));
        }
        if length % 4 != 0 || length != reader.remaining() {
            return Err(error("message length", LENGTH_AT));
        }
        let (class, method) = split(kind);
        Ok(Self { class, method, id })
    }

    /// Writes the header with a length of zero, to be patched.
    pub(crate) fn write(&self, writer: &mut Writer<'_>) -> Result<(), WriteError> {
        writer.u16(join(self.class, self.method))?;
        writer.u16(0)?;
        writer.u32(MAGIC_COOKIE)?;
        writer.bytes(self.id)
    }
}

/// Takes a message type of 14 bits apart.
const fn split(kind: u16) -> (Class, Method) {
    let class = match (kind & 0x0100 != 0, kind & 0x0010 != 0) {
        (false, false) => Class::Request,
        (false, true) => Class::Indication,
        (true, false) => Class::Success,
        (true, true) => Class::Error,
    };
    let method = (kind & 0x000F) | ((kind >> 1) & 0x0070) | ((kind >> 2) & 0x0F80);
    (class, Method(method))
}

/// The message type of a class and a method.
const fn join(class: Class, method: Method) -> u16 {
    let class = match class {
        Class::Request => 0x0000,
        Class::Indication => 0x0010,
        Class::Success => 0x0100,
        Class::Error => 0x0110,
    };
    let Method(m) = method;
    class | (m & 0x000F) | ((m & 0x0070) << 1) | ((m & 0x0F80) << 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_message_type_splits_and_joins() {
        for kind in 0..0x4000 {
            let (class, method) = split(kind);
            assert_eq!(join(class, method), kind);
            assert_eq!(Method::new(method.number()), Some(method));
        }
        assert_eq!(Method::new(0x1000), None);
    }

    #[test]
    fn message_types_seen_on_the_wire() {
        assert_eq!(split(0x0001), (Class::Request, Method::BINDING));
        assert_eq!(split(0x0101), (Class::Success, Method::BINDING));
        assert_eq!(split(0x0111), (Class::Error, Method::BINDING));
        assert_eq!(split(0x0016), (Class::Indication, Method::SEND));
        assert_eq!(split(0x0109), (Class::Success, Method::CHANNEL_BIND));
        assert_eq!(split(0x0200), (Class::Request, Method::GOOG_PING));
        assert_eq!(split(0x0310), (Class::Error, Method::GOOG_PING));
    }
}
