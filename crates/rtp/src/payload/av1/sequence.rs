//! The sequence header, AV1 §5.5.1, as far as the largest picture's size.

use crate::payload::bits::Bits;

/// Whether the stream is one picture whose frame header has no type of its own.
pub(super) fn is_reduced_still_picture(payload: &[u8]) -> bool {
    payload.first().is_some_and(|first| first & 0x08 != 0)
}

/// The largest width and height of the sequence, in pixels.
pub(super) fn size(payload: &[u8]) -> Option<(u16, u16)> {
    let mut bits = Bits::new(payload);
    bits.skip(3 + 1)?; // seq_profile, still_picture
    if bits.flag()? {
        bits.skip(5)?; // reduced_still_picture_header: seq_level_idx
    } else {
        skip_operating_points(&mut bits)?;
    }
    let width_bits = bits.number(4)? + 1;
    let height_bits = bits.number(4)? + 1;
    let mut side = |len| bits.number(len)?.checked_add(1)?.try_into().ok();
    Some((side(width_bits)?, side(height_bits)?))
}

/// From timing_info_present_flag to the last operating point.
fn skip_operating_points(bits: &mut Bits<'_>) -> Option<()> {
    let mut delay_len = None;
    if bits.flag()? {
        bits.skip(32 + 32)?; // num_units_in_display_tick, time_scale
        if bits.flag()? {
            bits.exp_golomb()?; // num_ticks_per_picture_minus_1
        }
        if bits.flag()? {
            delay_len = Some(bits.number(5)? + 1);
            bits.skip(32 + 5 + 5)?; // num_units_in_decoding_tick and two lengths
        }
    }
    let has_display_delay = bits.flag()?;
    for _ in 0..=bits.number(5)? {
        bits.skip(12)?; // operating_point_idc
        if bits.number(5)? > 7 {
            bits.skip(1)?; // seq_tier
        }
        if let Some(len) = delay_len
            && bits.flag()?
        {
            bits.skip(len + len + 1)?; // decoder_buffer_delay, encoder_buffer_delay, low_delay_mode
        }
        if has_display_delay && bits.flag()? {
            bits.skip(4)?; // initial_display_delay_minus_1
        }
    }
    Some(())
}
