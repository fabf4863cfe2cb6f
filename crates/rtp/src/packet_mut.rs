use std::ops::Range;

use pc_proto::{ParseError, Serial16, Serial32};

use crate::{ExtensionsView, PacketView, PayloadType, Ssrc};

/// A packet that is changed where it lies: what forwards it gives it other numbers.
///
/// ```
/// use pc_proto::Serial16;
/// use pc_rtp::{PacketMut, PacketView, Ssrc};
///
/// // A packet with one header extension, of id 3 and two bytes.
/// let mut packet = [
///     0x90, 96, 0, 7, 0, 0, 3, 192, 0, 0, 0, 42, 0xBE, 0xDE, 0, 1, 0x31, 1, 2, 0, b'h', b'i',
/// ];
/// let mut changed = PacketMut::parse(&mut packet)?;
/// changed.set_sequence_number(Serial16(8));
/// changed.set_ssrc(Ssrc(43));
/// changed.extension_mut(3).ok_or("it is there")?.copy_from_slice(&[9, 9]);
/// changed.payload_mut().make_ascii_uppercase();
///
/// let view = PacketView::parse(&packet)?;
/// assert_eq!((view.sequence_number(), view.ssrc()), (Serial16(8), Ssrc(43)));
/// assert_eq!(view.extensions().iter().next(), Some((3, &[9, 9][..])));
/// assert_eq!(view.payload(), b"HI");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct PacketMut<'a> {
    bytes: &'a mut [u8],
    profile: u16,
    extension: Range<usize>,
    payload: Range<usize>,
}

impl<'a> PacketMut<'a> {
    /// Reads a packet in the clear.
    ///
    /// # Errors
    ///
    /// What [`PacketView::parse`] refuses.
    pub fn parse(bytes: &'a mut [u8]) -> Result<Self, ParseError> {
        let view = PacketView::parse(bytes)?;
        let (begin, end) = (view.header_len(), view.header_len() + view.payload().len());
        let extension = begin - view.extensions().len()..begin;
        let profile = view.extensions().profile();
        Ok(Self {
            bytes,
            profile,
            extension,
            payload: begin..end,
        })
    }

    /// The packet as it is now.
    pub const fn as_bytes(&self) -> &[u8] {
        self.bytes
    }

    /// Sets or clears the marker bit.
    pub fn set_marker(&mut self, marker: bool) {
        self.change(|[_, second, ..]| *second = *second & 0x7F | u8::from(marker) << 7);
    }

    /// See [`PacketView::payload_type`].
    pub fn set_payload_type(&mut self, payload_type: PayloadType) {
        self.change(|[_, second, ..]| *second = *second & 0x80 | payload_type.number());
    }

    /// See [`PacketView::sequence_number`].
    pub fn set_sequence_number(&mut self, number: Serial16) {
        self.change(|[_, _, a, b, ..]| [*a, *b] = number.0.to_be_bytes());
    }

    /// See [`PacketView::timestamp`].
    pub fn set_timestamp(&mut self, timestamp: Serial32) {
        self.change(|[_, _, _, _, a, b, c, d, ..]| {
            [*a, *b, *c, *d] = timestamp.0.to_be_bytes();
        });
    }

    /// See [`PacketView::ssrc`].
    pub fn set_ssrc(&mut self, ssrc: Ssrc) {
        self.change(|[.., a, b, c, d]| [*a, *b, *c, *d] = ssrc.0.to_be_bytes());
    }

    /// The data of the first header extension with this id.
    pub fn extension_mut(&mut self, id: u8) -> Option<&mut [u8]> {
        let all = self.bytes.get(self.extension.clone())?;
        let mut elements = ExtensionsView::new(self.profile, all).iter();
        let (_, data) = elements.by_ref().find(|(found, _)| *found == id)?;
        let end = self.extension.end - elements.remaining();
        self.bytes.get_mut(end - data.len()..end)
    }

    /// How many bytes are before the payload.
    pub const fn payload_start(&self) -> usize {
        self.payload.start
    }

    /// The payload, without padding.
    pub fn payload_mut(&mut self) -> &mut [u8] {
        let payload = self.payload.clone();
        self.bytes.get_mut(payload).unwrap_or_default()
    }

    /// Changes the fixed header, which every packet has.
    fn change(&mut self, change: impl FnOnce(&mut [u8; 12])) {
        if let Some(header) = self.bytes.first_chunk_mut::<12>() {
            change(header);
        }
    }
}
