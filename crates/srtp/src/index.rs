//! The index of a packet: its sequence number and how often that has rolled over,
//! [RFC 3711 §3.3.1](https://www.rfc-editor.org/rfc/rfc3711#section-3.3.1).

/// One key protects no more packets of a source than this (RFC 3711 §9.2).
pub(crate) const MAX_INDEX: u64 = (1 << 48) - 1;

/// The index nearest to `highest` that ends in `sequence_number`. One before the beginning of the
/// stream is taken for one ahead.
#[inline]
pub(crate) fn estimate(highest: u64, sequence_number: u16) -> u64 {
    let ahead = sequence_number.wrapping_sub(highest as u16).cast_signed();
    highest
        .checked_add_signed(i64::from(ahead))
        .unwrap_or_else(|| u64::from(sequence_number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_index_is_the_one() {
        assert_eq!(estimate(0xFFFF, 0), 0x1_0000);
        assert_eq!(estimate(0x1_0000, 0xFFFF), 0xFFFF);
        assert_eq!(estimate(0x5_8000, 0x7FFF), 0x5_7FFF);
        assert_eq!(estimate(0x5_0001, 0x8000), 0x5_8000);
        // Nothing is before the first packet.
        assert_eq!(estimate(3, 0xFFFF), 0xFFFF);
        assert_eq!(estimate(0, 0), 0);
    }
}
