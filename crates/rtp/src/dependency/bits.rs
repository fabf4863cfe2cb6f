//! Bits that do not keep to bytes, the most significant first.

use pc_proto::{ParseError, WriteError};

/// Reads bits, and knows where it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct BitReader<'a> {
    data: &'a [u8],
    /// In bits.
    at: usize,
}

impl<'a> BitReader<'a> {
    pub(super) const fn new(data: &'a [u8]) -> Self {
        Self { data, at: 0 }
    }

    /// A reader that stands at bit `at`.
    pub(super) const fn at_bit(data: &'a [u8], at: usize) -> Self {
        Self { data, at }
    }

    /// How many bits have been read.
    pub(super) const fn position(&self) -> usize {
        self.at
    }

    /// An error that names `what` in the byte that is read next.
    pub(super) const fn error(&self, what: &'static str) -> ParseError {
        ParseError {
            what,
            at: self.at / 8,
        }
    }

    /// `f(len)` of the specification: an unsigned number of `len` bits, at most 32.
    pub(super) fn number(&mut self, len: usize, what: &'static str) -> Result<u32, ParseError> {
        if len > (self.data.len() * 8).saturating_sub(self.at) {
            return Err(self.error(what));
        }
        let mut value = 0;
        for at in self.at..self.at + len {
            let byte = self.data.get(at / 8).copied().unwrap_or(0);
            value = value << 1 | u32::from(byte >> (7 - at % 8) & 1);
        }
        self.at += len;
        Ok(value)
    }

    pub(super) fn flag(&mut self, what: &'static str) -> Result<bool, ParseError> {
        Ok(self.number(1, what)? == 1)
    }

    /// A number that fits a byte: `len` is at most 8.
    pub(super) fn byte(&mut self, len: usize, what: &'static str) -> Result<u8, ParseError> {
        Ok(self.number(len.min(8), what)? as u8)
    }

    /// `ns(n)` of the specification: a number below `n`, which is 1 to 256, in as many bits as that
    /// takes or one less.
    pub(super) fn non_symmetric(&mut self, n: usize, what: &'static str) -> Result<u8, ParseError> {
        let (width, short) = non_symmetric(n);
        let value = self.number(width - 1, what)?;
        if (value as usize) < short {
            return Ok(value as u8);
        }
        let extra = self.number(1, what)?;
        Ok(((value << 1 | extra) as usize).saturating_sub(short) as u8)
    }
}

/// The bits of the largest number below `n`, and how many numbers take one less.
fn non_symmetric(n: usize) -> (usize, usize) {
    let width = n.max(1).ilog2() as usize + 1;
    (width, (1 << width) - n.max(1))
}

/// There is no byte left to write to.
const FULL: WriteError = WriteError {
    needed: 1,
    remaining: 0,
};

/// Writes bits; bytes are cleared as they are begun.
#[derive(Debug)]
pub(super) struct BitWriter<'a> {
    out: &'a mut [u8],
    at: usize,
}

impl<'a> BitWriter<'a> {
    pub(super) const fn new(out: &'a mut [u8]) -> Self {
        Self { out, at: 0 }
    }

    /// How many bytes have been begun.
    pub(super) const fn len(&self) -> usize {
        self.at.div_ceil(8)
    }

    pub(super) fn number(&mut self, len: usize, value: u32) -> Result<(), WriteError> {
        for shift in (0..len).rev() {
            let byte = self.out.get_mut(self.at / 8).ok_or(FULL)?;
            let bit = 7 - self.at % 8;
            if bit == 7 {
                *byte = 0;
            }
            *byte |= ((value >> shift & 1) as u8) << bit;
            self.at += 1;
        }
        Ok(())
    }

    pub(super) fn flag(&mut self, flag: bool) -> Result<(), WriteError> {
        self.number(1, flag.into())
    }

    /// The opposite of [`BitReader::non_symmetric`].
    pub(super) fn non_symmetric(&mut self, n: usize, value: u8) -> Result<(), WriteError> {
        let (width, short) = non_symmetric(n);
        let value = usize::from(value);
        match value < short {
            true => self.number(width - 1, value as u32),
            false => self.number(width, (value + short) as u32),
        }
    }

    /// Copies the bits from `from` to `to` of `data`.
    pub(super) fn copy(&mut self, data: &[u8], from: usize, to: usize) -> Result<(), WriteError> {
        let mut bits = BitReader::at_bit(data, from);
        for _ in from..to {
            let bit = bits.number(1, "bit").map_err(|_| FULL)?;
            self.number(1, bit)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_below_a_bound_take_no_more_bits_than_they_need() {
        // AV1 §4.10.7: for n = 5 the values are 00, 01, 10, 110, 111.
        for (value, len, bits) in [(0, 2, 0b00), (2, 2, 0b10), (3, 3, 0b110), (4, 3, 0b111)] {
            let mut bytes = [0; 1];
            BitWriter::new(&mut bytes).non_symmetric(5, value).unwrap();
            assert_eq!(bytes[0], bits << (8 - len), "{value}");
            let mut reader = BitReader::new(&bytes);
            assert_eq!(reader.non_symmetric(5, "n"), Ok(value));
            assert_eq!(reader.position(), len);
        }
        let mut reader = BitReader::new(&[]);
        assert_eq!(reader.non_symmetric(1, "none"), Ok(0), "no bits at all");
    }

    #[test]
    fn a_number_that_does_not_fit_is_refused() {
        let mut reader = BitReader::new(&[0xFF]);
        assert_eq!(reader.number(5, "a"), Ok(31));
        assert_eq!(reader.number(4, "b").unwrap_err().what, "b");
        assert_eq!(reader.number(3, "c"), Ok(7));
        let mut bytes = [0xAA; 1];
        let mut writer = BitWriter::new(&mut bytes);
        writer.number(3, 1).unwrap();
        assert!(writer.number(6, 1).is_err());
    }
}
