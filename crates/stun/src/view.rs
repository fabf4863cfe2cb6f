//! A received message, [RFC 8489 §5](https://www.rfc-editor.org/rfc/rfc8489#section-5).

mod attributes;

use std::fmt;
use std::net::SocketAddr;
use std::ops::Range;

use pc_proto::{ParseError, Reader};

pub use attributes::Attributes;
use attributes::{Phase, Tlv};

use crate::attribute::ATTRIBUTE_HEADER_LEN;
use crate::header::{HEADER_LEN, Header, MAGIC_COOKIE};
use crate::integrity::{compare, fingerprint};
use crate::{
    Attribute, AttributeType, Class, ErrorCode, IntegrityAlgorithm, IntegrityError, IntegrityKey,
    Method, TransactionId,
};

/// A message that borrows the datagram it came in, checked whole when it is made.
///
/// What it says is proven by [`MessageView::verify_integrity`] alone; everything else reads what
/// anybody may have written.
#[derive(Clone, Copy)]
pub struct MessageView<'a> {
    bytes: &'a [u8],
    header: Header<'a>,
    /// Where MESSAGE-INTEGRITY and MESSAGE-INTEGRITY-SHA256 start, if they count.
    sha1_at: Option<u16>,
    sha256_at: Option<u16>,
    fingerprint: Option<u32>,
}

impl<'a> MessageView<'a> {
    /// Whether a datagram is meant to be STUN: first byte 0–3, the cookie, and a length that
    /// fits. RFC 7983 §7, RFC 8489 §6.3
    ///
    /// Methods from 0x100 on, which [`MessageView::parse`] reads, start with another byte: they
    /// are kept unassigned so that STUN can share a port (RFC 7983 §4).
    pub fn is_stun(bytes: &[u8]) -> bool {
        bytes.first().is_some_and(|first| *first < 4)
            && Self::stream_len(bytes) == Some(bytes.len())
    }

    /// The transaction that a datagram claims to end, as a response of either kind: what its header says
    /// and no more, so that what answers nothing costs nothing on sockets where many ask.
    /// RFC 8489 §5, §6.3.3
    pub fn response_to(bytes: &[u8]) -> Option<TransactionId> {
        let (&[first, _, _, _, _, _, _, _], rest) = bytes.split_first_chunk()?;
        let (id, _) = rest.split_first_chunk()?;
        // The higher bit of the class, C1.
        (first & 1 == 1 && Self::is_stun(bytes)).then_some(TransactionId(*id))
    }

    /// Bytes of the message that starts with `head`, for streams. RFC 8489 §6.2.2
    ///
    /// `None` when `head` is shorter than 8 bytes or cannot be the start of a STUN message.
    pub fn stream_len(head: &[u8]) -> Option<usize> {
        let (&[first, _, high, low, a, b, c, d], _) = head.split_first_chunk()?;
        let length = usize::from(u16::from_be_bytes([high, low]));
        (first >> 6 == 0
            && u32::from_be_bytes([a, b, c, d]) == MAGIC_COOKIE
            && length.is_multiple_of(4))
        .then_some(HEADER_LEN + length)
    }

    /// Checks the header, the bounds of every attribute, and the values of those that this crate
    /// types and that a receiver must understand.
    ///
    /// # Errors
    ///
    /// The bytes are not exactly one message, an attribute reaches past the end, a value is not
    /// what its type calls for, or FINGERPRINT is not the last attribute (RFC 8489 §14.7).
    /// An *optional* attribute with such a value is kept as [`Attribute::Unknown`] instead.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, ParseError> {
        let mut reader = Reader::new(bytes);
        let mut view = Self {
            bytes,
            header: Header::parse(&mut reader)?,
            sha1_at: None,
            sha256_at: None,
            fingerprint: None,
        };
        let mut phase = Phase::Open;
        while !reader.is_empty() {
            let tlv = Tlv::read(&mut reader)?;
            if !phase.admits(tlv.kind) {
                continue;
            }
            view.admit(&tlv, &reader)?;
            phase = phase.after(tlv.kind);
        }
        Ok(view)
    }

    /// Checks an attribute that counts, and remembers where it is if it is a check value.
    #[inline]
    fn admit(&mut self, tlv: &Tlv<'a>, rest: &Reader<'_>) -> Result<(), ParseError> {
        let decoded = Attribute::decode(tlv.kind, tlv.value, self.header.id);
        match decoded {
            Some(Attribute::MessageIntegrity(_)) => self.sha1_at = Some(tlv.at),
            Some(Attribute::MessageIntegritySha256(_)) => self.sha256_at = Some(tlv.at),
            Some(Attribute::Fingerprint(_)) if !rest.is_empty() => {
                return Err(rest.error("attribute after FINGERPRINT"));
            }
            Some(Attribute::Fingerprint(value)) => self.fingerprint = Some(value),
            Some(_) => {}
            None if tlv.kind.is_comprehension_required()
                || tlv.kind == AttributeType::FINGERPRINT =>
            {
                return Err(tlv.error("attribute value"));
            }
            None => {}
        }
        Ok(())
    }

    /// What the message is within its transaction.
    pub const fn class(&self) -> Class {
        self.header.class
    }

    /// What the message asks for.
    pub const fn method(&self) -> Method {
        self.header.method
    }

    /// What ties a response to its request.
    pub const fn transaction_id(&self) -> TransactionId {
        TransactionId(*self.header.id)
    }

    /// The whole message.
    pub const fn as_bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The attributes that count, in their order: after the first integrity attribute only
    /// MESSAGE-INTEGRITY-SHA256 and FINGERPRINT do. RFC 8489 §14.5–14.6
    ///
    /// All occurrences are given; where only one may be, the first is meant (§14).
    pub fn attributes(&self) -> Attributes<'a> {
        Attributes::new(self.bytes, self.header.id)
    }

    /// The first attribute of a type, decoded.
    pub fn attribute(&self, kind: AttributeType) -> Option<Attribute<'a>> {
        self.first(kind)
    }

    /// The value of the first attribute of a type as it is on the wire, without padding.
    pub fn value(&self, kind: AttributeType) -> Option<&'a [u8]> {
        self.attributes().value_of(kind)
    }

    /// Where in the message the value of the first attribute of a type is, for who goes on with the
    /// bytes in place, as with the DATA of an indication (RFC 8656 §11.6).
    pub fn value_range(&self, kind: AttributeType) -> Option<Range<usize>> {
        self.attributes().range_of(kind)
    }

    /// The same, made anew for each type so that only its own decoding is left.
    #[inline(always)]
    fn first(&self, kind: AttributeType) -> Option<Attribute<'a>> {
        let value = self.attributes().value_of(kind)?;
        Attribute::decode(kind, value, self.header.id)
    }

    /// USERNAME, RFC 8489 §14.3
    pub fn username(&self) -> Option<&'a str> {
        match self.first(AttributeType::USERNAME)? {
            Attribute::Username(text) => Some(text),
            _ => None,
        }
    }

    /// REALM, RFC 8489 §14.9
    pub fn realm(&self) -> Option<&'a str> {
        match self.first(AttributeType::REALM)? {
            Attribute::Realm(text) => Some(text),
            _ => None,
        }
    }

    /// NONCE, RFC 8489 §14.10
    pub fn nonce(&self) -> Option<&'a str> {
        match self.first(AttributeType::NONCE)? {
            Attribute::Nonce(text) => Some(text),
            _ => None,
        }
    }

    /// ERROR-CODE, RFC 8489 §14.8
    pub fn error_code(&self) -> Option<ErrorCode<'a>> {
        match self.first(AttributeType::ERROR_CODE)? {
            Attribute::ErrorCode(code) => Some(code),
            _ => None,
        }
    }

    /// XOR-MAPPED-ADDRESS, RFC 8489 §14.2
    pub fn xor_mapped_address(&self) -> Option<SocketAddr> {
        match self.first(AttributeType::XOR_MAPPED_ADDRESS)? {
            Attribute::XorMappedAddress(address) => Some(address),
            _ => None,
        }
    }

    /// PRIORITY, RFC 8445 §16.1
    pub fn priority(&self) -> Option<u32> {
        match self.first(AttributeType::PRIORITY)? {
            Attribute::Priority(priority) => Some(priority),
            _ => None,
        }
    }

    /// Whether USE-CANDIDATE is there, RFC 8445 §16.1
    pub fn use_candidate(&self) -> bool {
        self.first(AttributeType::USE_CANDIDATE).is_some()
    }

    /// The tie-breaker of ICE-CONTROLLING, RFC 8445 §16.1
    pub fn ice_controlling(&self) -> Option<u64> {
        match self.first(AttributeType::ICE_CONTROLLING)? {
            Attribute::IceControlling(tie_breaker) => Some(tie_breaker),
            _ => None,
        }
    }

    /// The tie-breaker of ICE-CONTROLLED, RFC 8445 §16.1
    pub fn ice_controlled(&self) -> Option<u64> {
        match self.first(AttributeType::ICE_CONTROLLED)? {
            Attribute::IceControlled(tie_breaker) => Some(tie_breaker),
            _ => None,
        }
    }

    /// NOMINATION, draft-thatcher-ice-renomination
    pub fn nomination(&self) -> Option<u32> {
        match self.first(AttributeType::NOMINATION)? {
            Attribute::Nomination(number) => Some(number),
            _ => None,
        }
    }

    /// Types that a receiver must understand and this crate does not; a request with any is
    /// answered with 420 and these in UNKNOWN-ATTRIBUTES. RFC 8489 §6.3.1
    pub fn unknown_comprehension_required(&self) -> impl Iterator<Item = u16> + use<'a> {
        self.attributes().filter_map(|attribute| match attribute {
            Attribute::Unknown { kind, .. } if kind.is_comprehension_required() => Some(kind.0),
            _ => None,
        })
    }

    /// Whether an integrity attribute of this kind is there and counts.
    pub const fn has_integrity(&self, algorithm: IntegrityAlgorithm) -> bool {
        match algorithm {
            IntegrityAlgorithm::Sha1 => self.sha1_at.is_some(),
            IntegrityAlgorithm::Sha256 => self.sha256_at.is_some(),
        }
    }

    /// Checks MESSAGE-INTEGRITY-SHA256 if it is there, and MESSAGE-INTEGRITY otherwise, in
    /// constant time. RFC 8489 §9.1.3
    ///
    /// # Errors
    ///
    /// There is neither, or the one checked does not belong to this message and key.
    pub fn verify_integrity(&self, key: &IntegrityKey) -> Result<(), IntegrityError> {
        self.verify_integrity_with(
            key,
            if self.sha256_at.is_some() {
                IntegrityAlgorithm::Sha256
            } else {
                IntegrityAlgorithm::Sha1
            },
        )
    }

    /// Checks the one integrity attribute that was agreed, so that nobody in between can choose
    /// the weaker. RFC 8489 §9.1.4
    ///
    /// # Errors
    ///
    /// It is not there, or it does not belong to this message and key.
    pub fn verify_integrity_with(
        &self,
        key: &IntegrityKey,
        algorithm: IntegrityAlgorithm,
    ) -> Result<(), IntegrityError> {
        let at = match algorithm {
            IntegrityAlgorithm::Sha1 => self.sha1_at,
            IntegrityAlgorithm::Sha256 => self.sha256_at,
        };
        let at = at.ok_or(IntegrityError::Missing)?;
        let (covered, rest) = self
            .bytes
            .split_at_checked(usize::from(at))
            .ok_or(IntegrityError::Missing)?;
        let carried = Tlv::read(&mut Reader::new(rest))
            .map_err(|_| IntegrityError::Missing)?
            .value;
        // RFC 8489 §14.5: the length counts this attribute and none after it.
        let length = covered.len() - HEADER_LEN + ATTRIBUTE_HEADER_LEN + carried.len();
        let length = length as u16;
        match algorithm {
            IntegrityAlgorithm::Sha1 => compare(&key.sha1(covered, length), carried),
            IntegrityAlgorithm::Sha256 => {
                // RFC 8489 §14.6: what is carried may be cut to its first 16 bytes or more.
                let code = key.sha256(covered, length);
                compare(code.get(..carried.len()).unwrap_or_default(), carried)
            }
        }
    }

    /// Checks FINGERPRINT. RFC 8489 §14.7
    ///
    /// # Errors
    ///
    /// It is not there, or the bytes before it are not those it was computed over.
    pub fn verify_fingerprint(&self) -> Result<(), IntegrityError> {
        let carried = self.fingerprint.ok_or(IntegrityError::Missing)?;
        let covered = self
            .bytes
            .len()
            .checked_sub(ATTRIBUTE_HEADER_LEN + 4)
            .and_then(|end| self.bytes.get(..end))
            .ok_or(IntegrityError::Missing)?;
        if fingerprint(covered) == carried {
            Ok(())
        } else {
            Err(IntegrityError::Mismatch)
        }
    }
}

impl fmt::Debug for MessageView<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} {:?} {} ",
            self.method(),
            self.class(),
            self.transaction_id()
        )?;
        f.debug_list().entries(self.attributes()).finish()
    }
}
