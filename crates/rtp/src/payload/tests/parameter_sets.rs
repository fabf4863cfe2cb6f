//! Picture sizes in the sequence parameter sets of x264 and x265 and in the headers of SVT-AV1 and libvpx.

use super::*;

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex
        .bytes()
        .map(|digit| (digit as char).to_digit(16).unwrap() as u8)
        .collect();
    digits
        .chunks(2)
        .map(|pair| pair[0] << 4 | pair[1])
        .collect()
}

fn size(format: Format, payload: &str) -> Option<(u16, u16)> {
    inspect(format, &bytes(payload)).unwrap().size
}

#[test]
fn h264_sizes_are_those_after_cropping() {
    for (sps, expected) in [
        // Baseline.
        (
            "6742c01ed900a02ff9610000030001000003003c0f162e48",
            (640, 360),
        ),
        // High, interlaced, with scaling matrices: 1,088 lines cropped in units of four.
        (
            "67640028acd94078044fdc20000003002000000783e2c5b2c0",
            (1920, 1080),
        ),
        // High 4:4:4 with scaling matrices: units of one sample.
        ("67f4000a919b28e4f1f1d080000003008000001e078912cb", (98, 51)),
        // High 4:2:2: units of two samples and one line.
        (
            "677a000abcd9447e223e10000003001000000303c0f1225960",
            (50, 34),
        ),
        // Monochrome.
        ("6764000af36511f8f8f840000003004000000f03c4896580", (50, 34)),
    ] {
        assert_eq!(size(H264, sps), Some(expected), "{sps}");
    }
}

#[test]
fn h265_sizes_are_those_of_the_conformance_window() {
    for (sps, expected) in [
        (
            "420101016000000300900000030000030078a003c08010e596566924cae68080000003008000000f04",
            (1920, 1080),
        ),
        // 4:2:2.
        (
            "4201010408000003009d0800000300003cb0172069c93e5959a4932b9a020000030002000003003c10",
            (178, 98),
        ),
        // 4:4:4.
        (
            "4201010408000003009e0800000300003c9002e40d3889b2cacd24995cd010000003001000000301e080",
            (177, 99),
        ),
        // Three temporal layers.
        (
            "42010401600000030090000003000003003c0000a0172069c92659594aca565924cae68080000003008000000f04",
            (178, 98),
        ),
    ] {
        assert_eq!(size(Format::H265, sps), Some(expected), "{sps}");
    }
}

#[test]
fn av1_and_vp9_sizes_are_in_their_headers() {
    // A payload of one element with a sequence header.
    assert_eq!(
        size(Format::Av1, "100800000042abbfc3712be401"),
        Some((1920, 1080))
    );
    // A payload of one frame: profile 0, and profile 1 with 4:4:4.
    assert_eq!(
        size(Format::Vp9, "0882498342000b1006160638241c18"),
        Some((178, 98))
    );
    assert_eq!(
        size(Format::Vp9, "08a249834200016200c2c0c7048383"),
        Some((178, 98))
    );
}

#[test]
fn what_is_cut_off_or_absurd_has_no_size() {
    let sps = "67640028acd94078044fdc20000003002000000783e2c5b2c0";
    for len in 1..sps.len() / 2 {
        let cut = &bytes(sps)[..len];
        assert!(matches!(
            inspect(H264, cut).unwrap().size,
            None | Some((1920, 1080))
        ));
    }
    // Cropped to nothing: 16×16 with a crop of 8 units at the left.
    // profile 66, level 30, sps_id 0, log2 0, poc type 2, refs 0, no gaps, 1×1 macroblocks, frames,
    // direct, crop 8,0,0,0.
    let bits = "1 1 011 1 0 1 1 1 0 1 0001001 1 1 1 1".replace(' ', "");
    let mut sps = vec![0x67, 66, 0, 30];
    sps.extend(bits.as_bytes().chunks(8).map(|byte| {
        let digits = std::str::from_utf8(byte).unwrap();
        u8::from_str_radix(&format!("{digits:0<8}"), 2).unwrap()
    }));
    assert_eq!(inspect(H264, &sps).unwrap().size, None);
    // Exp-Golomb numbers without end.
    assert_eq!(
        inspect(H264, &[0x67, 66, 0, 30, 0, 0, 0, 0, 0, 0, 0])
            .unwrap()
            .size,
        None
    );
}
