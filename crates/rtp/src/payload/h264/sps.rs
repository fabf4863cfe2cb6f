//! The sequence parameter set, H.264 §7.3.2.1.1, as far as the picture's size.

use crate::payload::bits::Bits;

/// Width and height of the pictures after cropping, in pixels.
pub(super) fn size(unit: &[u8]) -> Option<(u16, u16)> {
    let mut bits = Bits::escaped(unit.get(1..)?);
    let profile = bits.number(8)?;
    bits.skip(8 + 8)?; // constraint flags, level_idc
    bits.exp_golomb()?; // seq_parameter_set_id
    let chroma = match has_chroma_format(profile) {
        true => chroma_array_type(&mut bits)?,
        false => 1,
    };
    bits.exp_golomb()?; // log2_max_frame_num_minus4
    skip_picture_order_count(&mut bits)?;
    bits.exp_golomb()?; // max_num_ref_frames
    bits.skip(1)?; // gaps_in_frame_num_value_allowed_flag
    let width = (u64::from(bits.exp_golomb()?) + 1) * 16;
    let height = (u64::from(bits.exp_golomb()?) + 1) * 16;
    let frame_mbs_only = bits.flag()?;
    let fields = if frame_mbs_only { 1 } else { 2 };
    if !frame_mbs_only {
        bits.skip(1)?; // mb_adaptive_frame_field_flag
    }
    bits.skip(1)?; // direct_8x8_inference_flag
    let (crop_x, crop_y) = cropping(&mut bits)?;
    // §7.4.2.1.1: crop units are chroma samples, and pairs of lines where there are fields.
    let (unit_x, unit_y) = match chroma {
        1 => (2, 2),
        2 => (2, 1),
        _ => (1, 1),
    };
    let width = width.checked_sub(crop_x * unit_x)?;
    let height = (height * fields).checked_sub(crop_y * unit_y * fields)?;
    let side = |pixels: u64| u16::try_from(pixels).ok().filter(|pixels| *pixels > 0);
    Some((side(width)?, side(height)?))
}

/// The profiles of §7.3.2.1.1 whose parameter sets tell the chroma format.
const fn has_chroma_format(profile_idc: u32) -> bool {
    matches!(
        profile_idc,
        100 | 110 | 122 | 244 | 44 | 83 | 86 | 118 | 128 | 138 | 139 | 134 | 135
    )
}

/// ChromaArrayType: 0 is monochrome or three separate planes.
fn chroma_array_type(bits: &mut Bits<'_>) -> Option<u32> {
    let format = bits.exp_golomb()?;
    let separate_planes = format == 3 && bits.flag()?;
    bits.exp_golomb()?; // bit_depth_luma_minus8
    bits.exp_golomb()?; // bit_depth_chroma_minus8
    bits.skip(1)?; // qpprime_y_zero_transform_bypass_flag
    if bits.flag()? {
        for list in 0..if format == 3 { 12 } else { 8 } {
            if bits.flag()? {
                skip_scaling_list(bits, if list < 6 { 16 } else { 64 })?;
            }
        }
    }
    Some(if separate_planes { 0 } else { format })
}

/// §7.3.2.1.1.1.
fn skip_scaling_list(bits: &mut Bits<'_>, len: usize) -> Option<()> {
    let mut last = 8;
    for _ in 0..len {
        let next = (last + bits.signed_exp_golomb()?).rem_euclid(256);
        if next == 0 {
            break;
        }
        last = next;
    }
    Some(())
}

fn skip_picture_order_count(bits: &mut Bits<'_>) -> Option<()> {
    match bits.exp_golomb()? {
        0 => bits.exp_golomb().map(drop), // log2_max_pic_order_cnt_lsb_minus4
        1 => {
            bits.skip(1)?; // delta_pic_order_always_zero_flag
            bits.signed_exp_golomb()?; // offset_for_non_ref_pic
            bits.signed_exp_golomb()?; // offset_for_top_to_bottom_field
            // §7.4.2.1.1: num_ref_frames_in_pic_order_cnt_cycle is at most 255.
            let cycle = bits.exp_golomb().filter(|count| *count <= 255)?;
            (0..cycle).try_for_each(|_| bits.signed_exp_golomb().map(drop))
        }
        2 => Some(()),
        _ => None,
    }
}

/// The crop units at the sides, and at top and bottom.
fn cropping(bits: &mut Bits<'_>) -> Option<(u64, u64)> {
    if !bits.flag()? {
        return Some((0, 0));
    }
    let mut both = || Some(u64::from(bits.exp_golomb()?) + u64::from(bits.exp_golomb()?));
    Some((both()?, both()?))
}
