use std::fmt;

/// Why bytes are not what they should be, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParseError {
    /// The part that is wrong, in the specification's words.
    pub what: &'static str,
    /// Its offset in bytes from the start of the input.
    pub at: usize,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at byte {}", self.what, self.at)
    }
}

impl core::error::Error for ParseError {}

/// Reads wire bytes front to back; every access is checked.
///
/// ```
/// use pc_proto::Reader;
/// let mut reader = Reader::new(&[0x12, 0x34, 7, 8, 9]);
/// assert_eq!(reader.u16("length")?, 0x1234);
/// assert_eq!(reader.bytes(2, "value")?, &[7, 8]);
/// assert_eq!(reader.u16("trailer").unwrap_err().to_string(), "trailer at byte 4");
/// # Ok::<(), pc_proto::ParseError>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Reader<'a> {
    rest: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    /// Reads `bytes` from their start.
    #[inline]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, at: 0 }
    }

    /// How many bytes have been read.
    #[inline]
    pub const fn at(&self) -> usize {
        self.at
    }

    /// How many bytes are left.
    #[inline]
    pub const fn remaining(&self) -> usize {
        self.rest.len()
    }

    /// Whether every byte has been read.
    #[inline]
    pub const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The bytes that are left, without reading them.
    #[inline]
    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// An error that names `what` at the current offset.
    #[inline]
    pub const fn error(&self, what: &'static str) -> ParseError {
        ParseError { what, at: self.at }
    }

    /// The next `len` bytes.
    ///
    /// # Errors
    ///
    /// Fewer are left; nothing is read then. So it is with every method below.
    #[inline]
    pub const fn bytes(&mut self, len: usize, what: &'static str) -> Result<&'a [u8], ParseError> {
        match self.rest.split_at_checked(len) {
            Some((head, rest)) => {
                self.rest = rest;
                self.at += len;
                Ok(head)
            }
            None => Err(self.error(what)),
        }
    }

    /// The next `N` bytes as an array.
    #[inline]
    pub const fn array<const N: usize>(
        &mut self,
        what: &'static str,
    ) -> Result<[u8; N], ParseError> {
        match self.rest.split_first_chunk::<N>() {
            Some((head, rest)) => {
                self.rest = rest;
                self.at += N;
                Ok(*head)
            }
            None => Err(self.error(what)),
        }
    }

    /// One byte.
    #[inline]
    pub fn u8(&mut self, what: &'static str) -> Result<u8, ParseError> {
        self.array(what).map(u8::from_be_bytes)
    }

    /// A big-endian 16-bit number.
    #[inline]
    pub fn u16(&mut self, what: &'static str) -> Result<u16, ParseError> {
        self.array(what).map(u16::from_be_bytes)
    }

    /// A big-endian 24-bit number.
    #[inline]
    pub fn u24(&mut self, what: &'static str) -> Result<u32, ParseError> {
        self.array(what)
            .map(|[a, b, c]| u32::from_be_bytes([0, a, b, c]))
    }

    /// A big-endian 32-bit number.
    #[inline]
    pub fn u32(&mut self, what: &'static str) -> Result<u32, ParseError> {
        self.array(what).map(u32::from_be_bytes)
    }

    /// A big-endian 64-bit number.
    #[inline]
    pub fn u64(&mut self, what: &'static str) -> Result<u64, ParseError> {
        self.array(what).map(u64::from_be_bytes)
    }

    /// A reader of the next `len` bytes alone, whose offsets count on from here.
    #[inline]
    pub const fn sub(&mut self, len: usize, what: &'static str) -> Result<Self, ParseError> {
        let at = self.at;
        match self.bytes(len, what) {
            Ok(rest) => Ok(Self { rest, at }),
            Err(error) => Err(error),
        }
    }

    /// Succeeds when every byte has been read, and names `what` at the first left over otherwise.
    #[inline]
    pub const fn finish(&self, what: &'static str) -> Result<(), ParseError> {
        if self.is_empty() {
            Ok(())
        } else {
            Err(self.error(what))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_read_takes_nothing() {
        let mut reader = Reader::new(&[1, 2, 3]);
        assert_eq!(
            reader.u32("word"),
            Err(ParseError {
                what: "word",
                at: 0
            })
        );
        assert_eq!(reader.u24("word"), Ok(0x01_02_03));
        assert_eq!(reader.u8("end"), Err(ParseError { what: "end", at: 3 }));
        assert_eq!(reader.finish("trailing bytes"), Ok(()));
    }

    #[test]
    fn a_sub_reader_keeps_absolute_offsets() {
        let mut reader = Reader::new(&[9, 1, 2, 3, 4]);
        reader.u8("type").unwrap();
        let mut value = reader.sub(2, "value").unwrap();
        assert_eq!(value.u16("number"), Ok(0x0102));
        assert_eq!(
            value.u8("more"),
            Err(ParseError {
                what: "more",
                at: 3
            })
        );
        assert_eq!(reader.remaining(), 2);
        assert!(reader.sub(usize::MAX, "too long").is_err());
    }
}
