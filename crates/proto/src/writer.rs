use std::fmt;

/// The buffer given to a [`Writer`] is too short.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WriteError {
    /// How many bytes were to be written where `remaining` were left.
    pub needed: usize,
    /// How many bytes were left.
    pub remaining: usize,
}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} bytes to write, room for {}",
            self.needed, self.remaining
        )
    }
}

impl core::error::Error for WriteError {}

/// Writes wire bytes front to back into a slice; every access is checked.
///
/// ```
/// use pc_proto::Writer;
/// let mut bytes = [0; 8];
/// let mut writer = Writer::new(&mut bytes);
/// writer.u16(0)?; // the length, not known yet
/// writer.bytes(b"abc")?;
/// let len = writer.len() as u16;
/// writer.patch(0, &len.to_be_bytes())?;
/// assert_eq!(writer.written(), [0, 5, b'a', b'b', b'c']);
/// # Ok::<(), pc_proto::WriteError>(())
/// ```
#[derive(Debug)]
pub struct Writer<'a> {
    bytes: &'a mut [u8],
    at: usize,
}

impl<'a> Writer<'a> {
    /// Writes into `bytes` from their start.
    #[inline]
    pub const fn new(bytes: &'a mut [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// How many bytes have been written.
    #[inline]
    pub const fn len(&self) -> usize {
        self.at
    }

    /// Whether nothing has been written yet.
    #[inline]
    pub const fn is_empty(&self) -> bool {
        self.at == 0
    }

    /// How many bytes there is room for.
    #[inline]
    pub const fn remaining(&self) -> usize {
        self.bytes.len() - self.at
    }

    /// What has been written so far.
    #[inline]
    pub fn written(&self) -> &[u8] {
        self.bytes.get(..self.at).unwrap_or_default()
    }

    /// Writes `source`.
    ///
    /// # Errors
    ///
    /// There is no room; nothing is written then. So it is with every method below.
    #[inline]
    pub fn bytes(&mut self, source: &[u8]) -> Result<(), WriteError> {
        self.reserve(source.len())?.copy_from_slice(source);
        Ok(())
    }

    /// Writes `len` zero bytes.
    #[inline]
    pub fn zeros(&mut self, len: usize) -> Result<(), WriteError> {
        self.reserve(len)?.fill(0);
        Ok(())
    }

    /// Takes the next `len` bytes for the caller to fill; they hold whatever was there.
    #[inline]
    pub fn reserve(&mut self, len: usize) -> Result<&mut [u8], WriteError> {
        let error = WriteError {
            needed: len,
            remaining: self.remaining(),
        };
        let end = self.at.checked_add(len).ok_or(error)?;
        let room = self.bytes.get_mut(self.at..end).ok_or(error)?;
        self.at = end;
        Ok(room)
    }

    /// Writes one byte.
    #[inline]
    pub fn u8(&mut self, value: u8) -> Result<(), WriteError> {
        self.bytes(&[value])
    }

    /// Writes a big-endian 16-bit number.
    #[inline]
    pub fn u16(&mut self, value: u16) -> Result<(), WriteError> {
        self.bytes(&value.to_be_bytes())
    }

    /// Writes the low 24 bits of a number, big-endian.
    #[inline]
    pub fn u24(&mut self, value: u32) -> Result<(), WriteError> {
        let [_, a, b, c] = value.to_be_bytes();
        self.bytes(&[a, b, c])
    }

    /// Writes a big-endian 32-bit number.
    #[inline]
    pub fn u32(&mut self, value: u32) -> Result<(), WriteError> {
        self.bytes(&value.to_be_bytes())
    }

    /// Writes a big-endian 64-bit number.
    #[inline]
    pub fn u64(&mut self, value: u64) -> Result<(), WriteError> {
        self.bytes(&value.to_be_bytes())
    }

    /// Overwrites bytes written earlier, from offset `at` on.
    #[inline]
    pub fn patch(&mut self, at: usize, source: &[u8]) -> Result<(), WriteError> {
        let error = WriteError {
            needed: source.len(),
            remaining: self.at.saturating_sub(at),
        };
        let end = at
            .checked_add(source.len())
            .filter(|end| *end <= self.at)
            .ok_or(error)?;
        self.bytes
            .get_mut(at..end)
            .ok_or(error)?
            .copy_from_slice(source);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_write_goes_past_the_end() {
        let mut bytes = [0xFF; 5];
        let mut writer = Writer::new(&mut bytes);
        writer.u24(0x01_02_03).unwrap();
        assert_eq!(
            writer.u32(1),
            Err(WriteError {
                needed: 4,
                remaining: 2
            })
        );
        assert_eq!(
            writer.patch(2, &[9, 9]),
            Err(WriteError {
                needed: 2,
                remaining: 1
            })
        );
        writer.patch(1, &[8, 9]).unwrap();
        assert_eq!(writer.written(), [1, 8, 9]);
        writer.zeros(2).unwrap();
        assert_eq!(bytes, [1, 8, 9, 0, 0]);
    }
}
