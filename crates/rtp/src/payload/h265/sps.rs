//! The sequence parameter set, H.265 §7.3.2.2.1, as far as the picture's size.

use crate::payload::bits::Bits;

/// Width and height of the pictures inside the conformance window, in pixels.
pub(super) fn size(unit: &[u8]) -> Option<(u16, u16)> {
    let mut bits = Bits::escaped(unit);
    bits.skip(1 + 6)?; // forbidden_zero_bit, nal_unit_type
    if bits.number(6)? != 0 {
        return None; // nuh_layer_id: an enhancement layer's parameter set has another form
    }
    bits.skip(3 + 4)?; // nuh_temporal_id_plus1, sps_video_parameter_set_id
    let max_sub_layers_minus1 = bits.number(3)?;
    bits.skip(1)?; // sps_temporal_id_nesting_flag
    skip_profile_tier_level(&mut bits, max_sub_layers_minus1)?;
    bits.exp_golomb()?; // sps_seq_parameter_set_id
    let chroma = bits.exp_golomb()?;
    let separate_planes = chroma == 3 && bits.flag()?;
    let width = u64::from(bits.exp_golomb()?);
    let height = u64::from(bits.exp_golomb()?);
    let (mut crop_x, mut crop_y) = (0, 0);
    if bits.flag()? {
        let mut both = || Some(u64::from(bits.exp_golomb()?) + u64::from(bits.exp_golomb()?));
        (crop_x, crop_y) = (both()?, both()?);
    }
    // Table 6-1: the window is in chroma samples.
    let (unit_x, unit_y) = match chroma {
        1 if !separate_planes => (2, 2),
        2 if !separate_planes => (2, 1),
        _ => (1, 1),
    };
    let side = |pixels: u64, crop: u64| {
        let pixels = pixels.checked_sub(crop)?;
        u16::try_from(pixels).ok().filter(|pixels| *pixels > 0)
    };
    Some((
        side(width, crop_x * unit_x)?,
        side(height, crop_y * unit_y)?,
    ))
}

/// §7.3.3, with `profilePresentFlag` 1.
fn skip_profile_tier_level(bits: &mut Bits<'_>, max_sub_layers_minus1: u32) -> Option<()> {
    const PROFILE: u32 = 88;
    const LEVEL: u32 = 8;
    bits.skip(PROFILE + LEVEL)?;
    let mut present = bits.clone();
    if max_sub_layers_minus1 > 0 {
        bits.skip(8 * 2)?; // two flags of each sub-layer, then reserved_zero_2bits up to eight
    }
    for _ in 0..max_sub_layers_minus1 {
        if present.flag()? {
            bits.skip(PROFILE)?;
        }
        if present.flag()? {
            bits.skip(LEVEL)?;
        }
    }
    Some(())
}
