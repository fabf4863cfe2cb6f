//! Attributes whose value is a list: [RFC 8489 §14.11–14.13](https://www.rfc-editor.org/rfc/rfc8489#section-14.11).
//!
//! ```text
//! UNKNOWN-ATTRIBUTES         type (16 bits), type, …
//! META-DTLS-IN-STUN-ACK      CRC-32, CRC-32, …
//! PASSWORD-ALGORITHM(S)      number (16 bits), length (16 bits), parameters padded to 4 bytes
//! ```

use pc_proto::{Reader, WriteError, Writer};

use crate::AttributeType;
use crate::integrity::PasswordAlgorithm;

/// How a list is stored: as it is on the wire, or as the caller has it.
#[derive(Debug, Clone, Copy)]
enum Items<'a, T> {
    Wire(&'a [u8]),
    List(&'a [T]),
}

/// Types of attributes that a server did not understand. RFC 8489 §14.13
#[derive(Debug, Clone, Copy)]
pub struct UnknownAttributes<'a>(Items<'a, AttributeType>);

impl<'a> UnknownAttributes<'a> {
    /// The list to send.
    pub const fn new(types: &'a [AttributeType]) -> Self {
        Self(Items::List(types))
    }

    /// The types, in their order.
    pub fn iter(&self) -> impl Iterator<Item = AttributeType> + use<'a> {
        let (wire, list) = match self.0 {
            Items::Wire(wire) => (wire, Default::default()),
            Items::List(list) => (Default::default(), list),
        };
        wire.as_chunks()
            .0
            .iter()
            .map(|pair| AttributeType(u16::from_be_bytes(*pair)))
            .chain(list.iter().copied())
    }

    pub(super) fn parse(value: &'a [u8]) -> Option<Self> {
        value
            .len()
            .is_multiple_of(2)
            .then_some(Self(Items::Wire(value)))
    }

    pub(super) fn value_len(&self) -> usize {
        match self.0 {
            Items::Wire(wire) => wire.len(),
            Items::List(list) => list.len() * 2,
        }
    }

    pub(super) fn write(&self, writer: &mut Writer<'_>) -> Result<(), WriteError> {
        self.iter().try_for_each(|kind| writer.u16(kind.0))
    }
}

impl PartialEq for UnknownAttributes<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for UnknownAttributes<'_> {}

/// CRC-32s of the DTLS datagrams that have arrived. libwebrtc's SPED
#[derive(Debug, Clone, Copy)]
pub struct Acks<'a>(Items<'a, u32>);

impl<'a> Acks<'a> {
    /// The list to send; libwebrtc sends at most four.
    pub const fn new(checksums: &'a [u32]) -> Self {
        Self(Items::List(checksums))
    }

    /// The checksums, in their order.
    pub fn iter(&self) -> impl Iterator<Item = u32> + use<'a> {
        let (wire, list) = match self.0 {
            Items::Wire(wire) => (wire, Default::default()),
            Items::List(list) => (Default::default(), list),
        };
        wire.as_chunks()
            .0
            .iter()
            .map(|word| u32::from_be_bytes(*word))
            .chain(list.iter().copied())
    }

    pub(super) fn parse(value: &'a [u8]) -> Option<Self> {
        value
            .len()
            .is_multiple_of(4)
            .then_some(Self(Items::Wire(value)))
    }

    pub(super) fn value_len(&self) -> usize {
        match self.0 {
            Items::Wire(wire) => wire.len(),
            Items::List(list) => list.len() * 4,
        }
    }

    pub(super) fn write(&self, writer: &mut Writer<'_>) -> Result<(), WriteError> {
        self.iter().try_for_each(|checksum| writer.u32(checksum))
    }
}

impl PartialEq for Acks<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Acks<'_> {}

/// A way to make a key of a password, with its parameters. RFC 8489 §14.12
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PasswordAlgorithmEntry<'a> {
    /// The number in the IANA registry. RFC 8489 §18.5
    pub number: u16,
    /// Its parameters; none are defined for MD5 and SHA-256.
    pub parameters: &'a [u8],
}

impl<'a> PasswordAlgorithmEntry<'a> {
    /// The algorithm, if this crate has it and it comes without parameters.
    pub const fn algorithm(&self) -> Option<PasswordAlgorithm> {
        if self.parameters.is_empty() {
            PasswordAlgorithm::from_number(self.number)
        } else {
            None
        }
    }

    /// Reads a value that is one entry.
    pub(super) fn parse(value: &'a [u8]) -> Option<Self> {
        let mut reader = Reader::new(value);
        let entry = Self::read(&mut reader)?;
        reader.is_empty().then_some(entry)
    }

    /// Reads one entry; the padding of the last may be left out.
    fn read(reader: &mut Reader<'a>) -> Option<Self> {
        let number = reader.u16("algorithm").ok()?;
        let len = usize::from(reader.u16("parameters length").ok()?);
        let parameters = reader.bytes(len, "parameters").ok()?;
        let padding = (len.next_multiple_of(4) - len).min(reader.remaining());
        reader.bytes(padding, "padding").ok()?;
        Some(Self { number, parameters })
    }

    pub(super) fn value_len(&self) -> usize {
        4 + self.parameters.len().next_multiple_of(4)
    }

    pub(super) fn write(&self, writer: &mut Writer<'_>) -> Result<(), WriteError> {
        writer.u16(self.number)?;
        // A longer one is refused by its attribute's length before it gets here.
        writer.u16(u16::try_from(self.parameters.len()).unwrap_or(u16::MAX))?;
        writer.bytes(self.parameters)?;
        writer.zeros(self.parameters.len().next_multiple_of(4) - self.parameters.len())
    }
}

impl From<PasswordAlgorithm> for PasswordAlgorithmEntry<'static> {
    fn from(algorithm: PasswordAlgorithm) -> Self {
        Self {
            number: algorithm.number(),
            parameters: &[],
        }
    }
}

/// What a server accepts, best first. RFC 8489 §14.11
#[derive(Debug, Clone, Copy)]
pub struct PasswordAlgorithms<'a>(Items<'a, PasswordAlgorithmEntry<'a>>);

impl<'a> PasswordAlgorithms<'a> {
    /// The list to send.
    pub const fn new(entries: &'a [PasswordAlgorithmEntry<'a>]) -> Self {
        Self(Items::List(entries))
    }

    /// The entries, best first.
    pub fn iter(&self) -> impl Iterator<Item = PasswordAlgorithmEntry<'a>> + use<'a> {
        let (wire, list) = match self.0 {
            Items::Wire(wire) => (wire, Default::default()),
            Items::List(list) => (Default::default(), list),
        };
        let mut reader = Reader::new(wire);
        std::iter::from_fn(move || PasswordAlgorithmEntry::read(&mut reader))
            .chain(list.iter().copied())
    }

    pub(super) fn parse(value: &'a [u8]) -> Option<Self> {
        let mut reader = Reader::new(value);
        while !reader.is_empty() {
            PasswordAlgorithmEntry::read(&mut reader)?;
        }
        Some(Self(Items::Wire(value)))
    }

    pub(super) fn value_len(&self) -> usize {
        self.iter().map(|entry| entry.value_len()).sum()
    }

    pub(super) fn write(&self, writer: &mut Writer<'_>) -> Result<(), WriteError> {
        self.iter().try_for_each(|entry| entry.write(writer))
    }
}

impl PartialEq for PasswordAlgorithms<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for PasswordAlgorithms<'_> {}
