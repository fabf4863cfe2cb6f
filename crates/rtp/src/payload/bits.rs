//! Bits of a codec's headers, the most significant first.

/// Reads bits; past the end there are none.
#[derive(Debug, Clone)]
pub(super) struct Bits<'a> {
    rest: &'a [u8],
    /// What is left of the byte that is being read, from its top.
    byte: u8,
    left: u8,
    /// Whether emulation prevention bytes are skipped, and how many zero bytes came last.
    escaped: bool,
    zeros: u8,
}

impl<'a> Bits<'a> {
    /// Bits as they are: VP9 and AV1.
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self {
            rest: bytes,
            byte: 0,
            left: 0,
            escaped: false,
            zeros: 0,
        }
    }

    /// Bits of a NAL unit, where 0x03 after two zero bytes is not part of the data (H.264 §7.4.1,
    /// H.265 §7.4.2).
    pub(super) const fn escaped(bytes: &'a [u8]) -> Self {
        let mut bits = Self::new(bytes);
        bits.escaped = true;
        bits
    }

    fn load(&mut self) -> Option<()> {
        let mut byte = self.take()?;
        if self.escaped && self.zeros >= 2 && byte == 3 {
            self.zeros = 0;
            byte = self.take()?;
        }
        self.zeros = match byte {
            0 => self.zeros.saturating_add(1),
            _ => 0,
        };
        (self.byte, self.left) = (byte, 8);
        Some(())
    }

    fn take(&mut self) -> Option<u8> {
        let (byte, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*byte)
    }

    /// One bit.
    pub(super) fn flag(&mut self) -> Option<bool> {
        if self.left == 0 {
            self.load()?;
        }
        let bit = self.byte & 0x80 != 0;
        self.byte <<= 1;
        self.left -= 1;
        Some(bit)
    }

    /// A number of `len` bits, at most 32.
    pub(super) fn number(&mut self, len: u32) -> Option<u32> {
        let mut value = 0;
        for _ in 0..len {
            value = value << 1 | u32::from(self.flag()?);
        }
        Some(value)
    }

    /// Passes over `len` bits.
    pub(super) fn skip(&mut self, len: u32) -> Option<()> {
        for _ in 0..len {
            self.flag()?;
        }
        Some(())
    }

    /// An unsigned Exp-Golomb number: `ue(v)` of H.264 §9.1, which AV1 calls `uvlc()`.
    pub(super) fn exp_golomb(&mut self) -> Option<u32> {
        let mut zeros = 0;
        while !self.flag()? {
            zeros += 1;
            if zeros == 32 {
                return None;
            }
        }
        let suffix = self.number(zeros)?;
        Some((1u32 << zeros) - 1 + suffix)
    }

    /// A signed Exp-Golomb number: `se(v)` of H.264 §9.1.1.
    pub(super) fn signed_exp_golomb(&mut self) -> Option<i64> {
        let code = i64::from(self.exp_golomb()?);
        Some(match code & 1 {
            1 => (code + 1) / 2,
            _ => -(code / 2),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_golomb_numbers_of_the_standard() {
        // H.264 table 9-2: 1, 010, 011, 00100, then table 9-3's signs.
        let mut bits = Bits::new(&[0b1010_0110, 0b0100_0000]);
        let codes: Vec<_> = std::iter::from_fn(|| bits.exp_golomb()).collect();
        assert_eq!(codes, [0, 1, 2, 3]);
        let mut bits = Bits::new(&[0b1010_0110, 0b0100_0010, 0b1000_0000]);
        let codes: Vec<_> = (0..5).filter_map(|_| bits.signed_exp_golomb()).collect();
        assert_eq!(codes, [0, 1, -1, 2, -2]);
    }

    #[test]
    fn the_longest_code_does_not_overflow() {
        let longest = [0, 0, 0, 0x01, 0xFF, 0xFF, 0xFF, 0xFE];
        assert_eq!(Bits::new(&longest).exp_golomb(), Some(u32::MAX - 1));
        assert_eq!(Bits::new(&[0; 9]).exp_golomb(), None);
    }

    #[test]
    fn emulation_prevention_bytes_are_no_data() {
        let mut bits = Bits::escaped(&[0, 0, 3, 1, 0, 0, 3, 0, 0, 3, 3]);
        let bytes: Vec<_> = std::iter::from_fn(|| bits.number(8)).collect();
        assert_eq!(bytes, [0, 0, 1, 0, 0, 0, 0, 3]);
    }
}
