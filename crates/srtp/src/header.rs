//! What SRTP has to know of a header.

use crate::Rejected;

/// The bytes of a header without contributing sources and extension, RFC 3550 §5.1.
const FIXED_LEN: usize = 12;

/// The parts of a packet of RTP, in bytes from its start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) sequence_number: u16,
    pub(crate) ssrc: u32,
    /// Where the contributing sources end.
    pub(crate) csrcs_end: usize,
    /// "Defined by profile" of the extension, if there is one.
    pub(crate) profile: Option<u16>,
    /// Where the payload begins.
    pub(crate) len: usize,
}

impl Header {
    /// The whole of it must be in the packet.
    #[inline]
    pub(crate) fn parse(packet: &[u8]) -> Result<Self, Rejected> {
        let fixed = packet
            .first_chunk::<FIXED_LEN>()
            .ok_or(Rejected::Malformed)?;
        let [first, _, s0, s1, _, _, _, _, a, b, c, d] = *fixed;
        if first >> 6 != 2 {
            return Err(Rejected::Malformed);
        }
        let csrcs_end = FIXED_LEN + usize::from(first & 0x0F) * 4;
        let (profile, len) = match first & 0x10 {
            0 => (None, csrcs_end),
            _ => {
                let head = packet.get(csrcs_end..).and_then(<[u8]>::first_chunk::<4>);
                let [p0, p1, l0, l1] = *head.ok_or(Rejected::Malformed)?;
                let words = usize::from(u16::from_be_bytes([l0, l1]));
                (
                    Some(u16::from_be_bytes([p0, p1])),
                    csrcs_end + 4 + words * 4,
                )
            }
        };
        if packet.len() < len {
            return Err(Rejected::Malformed);
        }
        Ok(Self {
            sequence_number: u16::from_be_bytes([s0, s1]),
            ssrc: u32::from_be_bytes([a, b, c, d]),
            csrcs_end,
            profile,
            len,
        })
    }
}

/// The source of a packet of RTCP, RFC 3550 §6.4.1.
pub(crate) fn rtcp_ssrc(packet: &[u8]) -> Result<u32, Rejected> {
    let [first, _, _, _, a, b, c, d] = *packet.first_chunk::<8>().ok_or(Rejected::Malformed)?;
    if first >> 6 != 2 {
        return Err(Rejected::Malformed);
    }
    Ok(u32::from_be_bytes([a, b, c, d]))
}
