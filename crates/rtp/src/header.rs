use pc_proto::{Serial16, Serial32, WriteError, Writer};

use crate::{ExtensionMap, Extensions, FIXED_HEADER_LEN, PayloadType, Ssrc};

/// The header of a packet to be written, extensions included.
///
/// ```
/// use pc_proto::{Serial16, Serial32, Writer};
/// use pc_rtp::{ExtensionMap, ExtensionUri, Extensions, Header, PacketView, PayloadType, Ssrc};
///
/// let mut map = ExtensionMap::new();
/// map.set(4, ExtensionUri::Mid);
/// let extensions = Extensions { mid: Some("0"), ..Default::default() };
/// let header = Header {
///     marker: true,
///     payload_type: PayloadType::new(96).unwrap(),
///     sequence_number: Serial16(7),
///     timestamp: Serial32(90_000),
///     ssrc: Ssrc(0x1234),
///     csrcs: &[],
///     extensions: &extensions,
///     map: &map,
/// };
/// let mut packet = vec![0; header.wire_len() + 5];
/// let mut writer = Writer::new(&mut packet);
/// header.write(&mut writer)?;
/// writer.bytes(b"hello")?;
/// let view = PacketView::parse(&packet)?;
/// assert_eq!(view.extensions().read(&map).mid, Some("0"));
/// assert_eq!(view.payload(), b"hello");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Header<'a> {
    /// See [`PacketView::marker`](crate::PacketView::marker).
    pub marker: bool,
    /// What the payload is.
    pub payload_type: PayloadType,
    /// One more than that of the packet before.
    pub sequence_number: Serial16,
    /// When the payload was sampled.
    pub timestamp: Serial32,
    /// Who sends it.
    pub ssrc: Ssrc,
    /// Whose media are in it; 15 at most are written.
    pub csrcs: &'a [Ssrc],
    /// The header extensions; those without an id in `map` are left out.
    pub extensions: &'a Extensions<'a>,
    /// Their ids.
    pub map: &'a ExtensionMap,
}

impl Header<'_> {
    /// The most CSRCs, RFC 3550 §5.1.
    pub const MAX_CSRCS: usize = 15;

    /// How many bytes [`write`](Self::write) writes.
    pub fn wire_len(&self) -> usize {
        let csrcs = self.csrcs.len().min(Self::MAX_CSRCS);
        FIXED_HEADER_LEN + 4 * csrcs + self.extensions.wire_len(self.map)
    }

    /// Writes the header; the payload comes right after it.
    ///
    /// # Errors
    ///
    /// The buffer is too short.
    pub fn write(&self, writer: &mut Writer<'_>) -> Result<(), WriteError> {
        let csrcs = self.csrcs.get(..Self::MAX_CSRCS).unwrap_or(self.csrcs);
        let form = self.extensions.form(self.map);
        let has_extension = if form.is_some() { 0x10 } else { 0 };
        writer.u8(0x80 | has_extension | csrcs.len() as u8)?;
        writer.u8(u8::from(self.marker) << 7 | self.payload_type.number())?;
        writer.u16(self.sequence_number.0)?;
        writer.u32(self.timestamp.0)?;
        writer.u32(self.ssrc.0)?;
        for csrc in csrcs {
            writer.u32(csrc.0)?;
        }
        match form {
            Some(form) => self.extensions.write(form, self.map, writer),
            None => Ok(()),
        }
    }
}
