//! A message to send, [RFC 8489 §6.1](https://www.rfc-editor.org/rfc/rfc8489#section-6.1).

use pc_proto::{WriteError, Writer};

use crate::attribute::ATTRIBUTE_HEADER_LEN;
use crate::header::{HEADER_LEN, Header, LENGTH_AT};
use crate::integrity::{SHA1_LEN, SHA256_LEN, SHA256_MIN_LEN, fingerprint};
use crate::{
    Attribute, AttributeType, Class, IntegrityAlgorithm, IntegrityKey, Method, TransactionId,
};

/// Why a message cannot be built; always the caller's doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The message does not fit into the bytes given, or its length not into 16 bits.
    #[error("no room: {0}")]
    NoRoom(WriteError),
    /// A value is longer than the specification allows.
    #[error("{kind} of {len} bytes, at most {limit} allowed")]
    TooLong {
        /// The attribute.
        kind: AttributeType,
        /// Its value's bytes.
        len: usize,
        /// The most it may have.
        limit: usize,
    },
    /// An error code outside 300–699. RFC 8489 §14.8
    #[error("{0} is not an error code")]
    ErrorCode(u16),
    /// HMAC-SHA256 cut to a length other than 16, 20, 24, 28 or 32. RFC 8489 §14.6
    #[error("HMAC-SHA256 cannot be cut to {0} bytes")]
    Truncation(usize),
    /// An attribute where receivers would ignore it or refuse the message (RFC 8489 §14.5–14.7),
    /// or a check value that only the builder can compute.
    #[error("{0} cannot be added here")]
    Misplaced(AttributeType),
}

impl From<WriteError> for BuildError {
    fn from(error: WriteError) -> Self {
        Self::NoRoom(error)
    }
}

/// How far a message is, which says what may still be added.
///
/// ```text
///         integrity()              integrity_sha256()          fingerprint()
///   Open ─────────────► AfterSha1 ───────────────────► AfterSha256 ────────► Done
///     │                     └────────── fingerprint() ───────────────────────▲▲
///     ├──── integrity_sha256() ──────────────────────────▲                    │
///     └──── fingerprint() ────────────────────────────────────────────────────┘
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    Open,
    AfterSha1,
    AfterSha256,
    Done,
}

/// Writes a message straight into the caller's bytes, attribute by attribute.
///
/// The first error sticks and is told by [`MessageBuilder::finish`].
#[derive(Debug)]
pub struct MessageBuilder<'b> {
    writer: Writer<'b>,
    transaction_id: TransactionId,
    phase: Phase,
    padding: u8,
    error: Option<BuildError>,
}

impl<'b> MessageBuilder<'b> {
    /// Starts a message at the start of `bytes`.
    pub fn new(
        bytes: &'b mut [u8],
        class: Class,
        method: Method,
        transaction_id: TransactionId,
    ) -> Self {
        let mut writer = Writer::new(bytes);
        let header = Header {
            class,
            method,
            id: &transaction_id.0,
        };
        let error = header.write(&mut writer).err().map(BuildError::from);
        Self {
            writer,
            transaction_id,
            phase: Phase::Open,
            padding: 0,
            error,
        }
    }

    /// Adds an attribute.
    pub fn attribute(&mut self, attribute: Attribute<'_>) -> &mut Self {
        self.step(Phase::Open, Phase::Open, attribute.kind(), |builder| {
            let kind = attribute.kind();
            if matches!(
                kind,
                AttributeType::MESSAGE_INTEGRITY
                    | AttributeType::MESSAGE_INTEGRITY_SHA256
                    | AttributeType::FINGERPRINT
            ) {
                return Err(BuildError::Misplaced(kind));
            }
            let padding = builder.padding;
            attribute.write(&builder.transaction_id.0, padding, &mut builder.writer)
        })
    }

    /// Adds MESSAGE-INTEGRITY, after which only MESSAGE-INTEGRITY-SHA256 and FINGERPRINT may
    /// follow. RFC 8489 §14.5
    pub fn integrity(&mut self, key: &IntegrityKey) -> &mut Self {
        let kind = AttributeType::MESSAGE_INTEGRITY;
        self.step(Phase::Open, Phase::AfterSha1, kind, |builder| {
            let length = builder.patch_length(ATTRIBUTE_HEADER_LEN + SHA1_LEN)?;
            let code = key.sha1(builder.writer.written(), length);
            builder.check_value(kind, &code)
        })
    }

    /// Adds MESSAGE-INTEGRITY-SHA256, after which only FINGERPRINT may follow. RFC 8489 §14.6
    pub fn integrity_sha256(&mut self, key: &IntegrityKey) -> &mut Self {
        self.integrity_sha256_truncated(key, SHA256_LEN)
    }

    /// Adds MESSAGE-INTEGRITY-SHA256 cut to its first 16, 20, 24, 28 or 32 bytes.
    pub fn integrity_sha256_truncated(&mut self, key: &IntegrityKey, len: usize) -> &mut Self {
        let kind = AttributeType::MESSAGE_INTEGRITY_SHA256;
        self.step(Phase::AfterSha1, Phase::AfterSha256, kind, |builder| {
            if !(SHA256_MIN_LEN..=SHA256_LEN).contains(&len) || !len.is_multiple_of(4) {
                return Err(BuildError::Truncation(len));
            }
            let length = builder.patch_length(ATTRIBUTE_HEADER_LEN + len)?;
            let code = key.sha256(builder.writer.written(), length);
            builder.check_value(kind, code.get(..len).unwrap_or_default())
        })
    }

    /// Adds FINGERPRINT, after which nothing may follow. RFC 8489 §14.7
    pub fn fingerprint(&mut self) -> &mut Self {
        let kind = AttributeType::FINGERPRINT;
        self.step(Phase::AfterSha256, Phase::Done, kind, |builder| {
            builder.patch_length(ATTRIBUTE_HEADER_LEN + 4)?;
            let value = fingerprint(builder.writer.written());
            builder.check_value(kind, &value.to_be_bytes())
        })
    }

    /// Completes the message and says how many bytes it has.
    ///
    /// # Errors
    ///
    /// Any step failed; the bytes are not a message then.
    pub fn finish(&mut self) -> Result<usize, BuildError> {
        self.patch_length(0)?;
        match self.error {
            None => Ok(self.writer.len()),
            Some(error) => Err(error),
        }
    }

    /// Runs a step if none has failed and the message is no further than `until`.
    fn step(
        &mut self,
        until: Phase,
        next: Phase,
        kind: AttributeType,
        write: impl FnOnce(&mut Self) -> Result<(), BuildError>,
    ) -> &mut Self {
        if self.error.is_none() {
            let result = if self.phase <= until {
                write(self)
            } else {
                Err(BuildError::Misplaced(kind))
            };
            self.error = result.err();
            self.phase = next;
        }
        self
    }

    /// Makes the header's length count what is written and `more` bytes.
    fn patch_length(&mut self, more: usize) -> Result<u16, BuildError> {
        let length = (self.writer.len() + more).saturating_sub(HEADER_LEN);
        let length = u16::try_from(length).map_err(|_| WriteError {
            needed: length,
            remaining: usize::from(u16::MAX),
        })?;
        if self.error.is_none() {
            self.writer.patch(LENGTH_AT, &length.to_be_bytes())?;
        }
        Ok(length)
    }

    fn check_value(&mut self, kind: AttributeType, value: &[u8]) -> Result<(), BuildError> {
        self.writer.u16(kind.0)?;
        self.writer.u16(value.len() as u16)?;
        Ok(self.writer.bytes(value)?)
    }

    /// Pads with that byte instead of zero, as some published examples do.
    #[cfg(test)]
    pub(crate) fn pad_with(&mut self, byte: u8) -> &mut Self {
        self.padding = byte;
        self
    }
}

/// A message to send as a plain value, for when its size is needed before its bytes.
#[derive(Debug, Clone, Copy)]
pub struct Message<'a> {
    /// What it is within its transaction.
    pub class: Class,
    /// What it asks for.
    pub method: Method,
    /// Fresh random bits in a request, the request's in a response.
    pub transaction_id: TransactionId,
    /// All attributes but those of integrity and FINGERPRINT.
    pub attributes: &'a [Attribute<'a>],
    /// Which integrity attribute to add, with which key.
    pub integrity: Option<(&'a IntegrityKey, IntegrityAlgorithm)>,
    /// Whether to add FINGERPRINT.
    pub fingerprint: bool,
}

impl Message<'_> {
    /// Bytes of the message.
    pub fn wire_len(&self) -> usize {
        let integrity = match self.integrity {
            None => 0,
            Some((_, IntegrityAlgorithm::Sha1)) => ATTRIBUTE_HEADER_LEN + SHA1_LEN,
            Some((_, IntegrityAlgorithm::Sha256)) => ATTRIBUTE_HEADER_LEN + SHA256_LEN,
        };
        let fingerprint = if self.fingerprint {
            ATTRIBUTE_HEADER_LEN + 4
        } else {
            0
        };
        let attributes: usize = self.attributes.iter().map(Attribute::wire_len).sum();
        HEADER_LEN + attributes + integrity + fingerprint
    }

    /// Writes the message.
    ///
    /// # Errors
    ///
    /// There is no room, or an attribute may not be sent.
    pub fn write(&self, writer: &mut Writer<'_>) -> Result<(), BuildError> {
        let bytes = writer.reserve(self.wire_len())?;
        let mut builder = MessageBuilder::new(bytes, self.class, self.method, self.transaction_id);
        for attribute in self.attributes {
            builder.attribute(*attribute);
        }
        match self.integrity {
            None => {}
            Some((key, IntegrityAlgorithm::Sha1)) => {
                builder.integrity(key);
            }
            Some((key, IntegrityAlgorithm::Sha256)) => {
                builder.integrity_sha256(key);
            }
        }
        if self.fingerprint {
            builder.fingerprint();
        }
        builder.finish().map(|_| ())
    }
}
