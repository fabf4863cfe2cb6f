//! Bytes as a source of choices.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Letters and digits: what every word of SDP may be made of.
const ALPHANUMERIC: &[u8] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
/// RFC 8839 §5.1: the `ice-char`.
const ICE: &[u8] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/";
/// RFC 8866 §9: the `token-char`.
const TOKEN: &[u8] =
    b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'*+-.^_`{|}~";

/// Gives zeros when the bytes run out.
pub(super) struct Dice<'a>(std::slice::Iter<'a, u8>);

impl<'a> Dice<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes.iter())
    }

    pub(super) fn byte(&mut self) -> u8 {
        self.0.next().copied().unwrap_or(0)
    }

    pub(super) fn yes(&mut self) -> bool {
        self.byte() & 1 == 1
    }

    pub(super) fn u16(&mut self) -> u16 {
        u16::from_be_bytes([self.byte(), self.byte()])
    }

    pub(super) fn u32(&mut self) -> u32 {
        u32::from(self.u16()) << 16 | u32::from(self.u16())
    }

    pub(super) fn u64(&mut self) -> u64 {
        u64::from(self.u32()) << 32 | u64::from(self.u32())
    }

    pub(super) fn below(&mut self, limit: usize) -> usize {
        usize::from(self.byte()) % limit
    }

    pub(super) fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }

    pub(super) fn word(&mut self) -> String {
        self.letters(ALPHANUMERIC, 1)
    }

    pub(super) fn token(&mut self) -> String {
        self.letters(TOKEN, 1)
    }

    pub(super) fn ice(&mut self, min: usize) -> String {
        self.letters(ICE, min)
    }

    /// Between `min` and seven more.
    fn letters(&mut self, from: &[u8], min: usize) -> String {
        let len = min + self.below(8);
        (0..len).map(|_| char::from(self.pick(from))).collect()
    }

    /// Words with one space between each.
    pub(super) fn text(&mut self) -> String {
        let words: Vec<_> = (0..=self.below(3)).map(|_| self.word()).collect();
        words.join(" ")
    }

    pub(super) fn ip(&mut self) -> IpAddr {
        if self.yes() {
            let segments: [u16; 8] = std::array::from_fn(|_| self.u16());
            Ipv6Addr::from(segments).into()
        } else {
            Ipv4Addr::from(self.u32()).into()
        }
    }

    /// `<nettype> <addrtype> <unicast-address>`.
    pub(super) fn network_address(&mut self) -> String {
        match self.ip() {
            IpAddr::V4(ip) => format!("IN IP4 {ip}"),
            IpAddr::V6(ip) => format!("IN IP6 {ip}"),
        }
    }
}
