//! Choices, made by the fuzzer's bytes.

pub(crate) struct Dice<'a>(&'a [u8]);

impl<'a> Dice<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// 0 once there are no more.
    pub(crate) fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else {
            return 0;
        };
        self.0 = rest;
        *first
    }

    pub(crate) fn u16(&mut self) -> u16 {
        u16::from_be_bytes([self.byte(), self.byte()])
    }

    /// So many bytes that differ from each other.
    pub(crate) fn bytes(&mut self, len: usize) -> impl Iterator<Item = u8> + use<> {
        let (first, step) = (self.byte(), self.byte() | 1);
        (0..len).map(move |at| first.wrapping_add((at as u8).wrapping_mul(step)))
    }
}
