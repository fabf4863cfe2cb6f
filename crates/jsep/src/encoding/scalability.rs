//! The scalability modes of [webrtc-svc](https://www.w3.org/TR/webrtc-svc/#scalabilitymodes*).

/// §6: the whole table, and `L2T1_KEY`, which only §10 draws but browsers know. Their case matters.
#[rustfmt::skip]
const MODES: [&str; 37] = [
    "L1T1", "L1T2", "L1T3",
    "L2T1", "L2T2", "L2T3", "L3T1", "L3T2", "L3T3",
    "L2T1h", "L2T2h", "L2T3h", "L3T1h", "L3T2h", "L3T3h",
    "S2T1", "S2T2", "S2T3", "S2T1h", "S2T2h", "S2T3h",
    "S3T1", "S3T2", "S3T3", "S3T1h", "S3T2h", "S3T3h",
    "L2T1_KEY", "L2T2_KEY", "L2T2_KEY_SHIFT", "L2T3_KEY", "L2T3_KEY_SHIFT",
    "L3T1_KEY", "L3T2_KEY", "L3T2_KEY_SHIFT", "L3T3_KEY", "L3T3_KEY_SHIFT",
];

/// §6: all that a codec without layers in space can do.
const TEMPORAL: [&str; 3] = ["L1T1", "L1T2", "L1T3"];

/// The modes of the codec of this name (§6: VP9 and AV1 have all, VP8, H.264 and H.265 those with
/// layers in time alone, audio and all else none).
pub(crate) fn scalability_modes(name: &str) -> impl Iterator<Item = &'static str> {
    let is = |names: &[&str]| names.iter().any(|own| own.eq_ignore_ascii_case(name));
    let modes: &[_] = if is(&["VP9", "AV1"]) {
        &MODES
    } else if is(&["VP8", "H264", "H265"]) {
        &TEMPORAL
    } else {
        &[]
    };
    modes.iter().copied()
}

/// Whether `mode` is simulcast within one RTP stream: an "S mode" (§4.1).
pub(super) fn is_simulcast(mode: &str) -> bool {
    mode.starts_with('S')
}
