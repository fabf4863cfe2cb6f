/// The text of a version 4 UUID (RFC 9562 §5.4) made from `random`: 36 characters, lower case.
///
/// mediacapture-streams §4.2 recommends such ids for streams and tracks. The randomness is the
/// caller's, so that ids replay in a test; 122 of its 128 bits are kept.
///
/// ```
/// assert_eq!(pc_media::uuid_v4([0xab; 16]), "abababab-abab-4bab-abab-abababababab");
/// ```
pub fn uuid_v4(random: [u8; 16]) -> String {
    /// `ver` and `var` of RFC 9562 §5.4: bits 48 to 51 are 4, bits 64 and 65 are binary 10.
    const FIXED: u128 = 0x4000_8000_0000_0000_0000;
    const FREE: u128 = !0xf000_c000_0000_0000_0000;
    let bits = u128::from_be_bytes(random) & FREE | FIXED;
    let digits = format!("{bits:032x}");
    let mut text = String::with_capacity(36);
    for (at, digit) in digits.chars().enumerate() {
        // The hyphens of RFC 9562 §4.
        if matches!(at, 8 | 12 | 16 | 20) {
            text.push('-');
        }
        text.push(digit);
    }
    text
}
