//! Header extensions and contributing sources that are encrypted with the payload,
//! [RFC 9335](https://www.rfc-editor.org/rfc/rfc9335).
//!
//! The four bytes that begin the extension stay readable, and lie between the contributing sources and
//! its data, which do not. So that a cipher sees one run of bytes, they are moved in front of the
//! contributing sources for the time of its work (§6.2).

use crate::header::Header;

/// What is clear with Cryptex: the fixed header, and the head of the extension.
pub(crate) const CLEAR_LEN: usize = 16;
const FIXED_LEN: usize = 12;

/// What stands for a profile once it is encrypted, §5.1.
pub(crate) fn encrypted(profile: u16) -> Option<u16> {
    match profile {
        0xBEDE => Some(0xC0DE),
        0x1000 => Some(0xC2DE),
        _ => None,
    }
}

/// What an encrypted profile stands for, §5.1.
pub(crate) fn plain(profile: u16) -> Option<u16> {
    match profile {
        0xC0DE => Some(0xBEDE),
        0xC2DE => Some(0x1000),
        _ => None,
    }
}

/// Writes the profile of the extension.
pub(crate) fn set_profile(packet: &mut [u8], header: &Header, profile: u16) {
    let place = packet
        .get_mut(header.csrcs_end..)
        .and_then(<[u8]>::first_chunk_mut::<2>);
    if let Some(place) = place {
        *place = profile.to_be_bytes();
    }
}

/// Moves the head of the extension in front of the contributing sources.
pub(crate) fn gather(packet: &mut [u8], header: &Header) {
    if let Some(range) = packet.get_mut(FIXED_LEN..header.csrcs_end + 4) {
        range.rotate_right(4);
    }
}

/// Moves it back.
pub(crate) fn scatter(packet: &mut [u8], header: &Header) {
    if let Some(range) = packet.get_mut(FIXED_LEN..header.csrcs_end + 4) {
        range.rotate_left(4);
    }
}
