//! When what one connection receives is what another has agreed to send.

use crate::rtp::Codec;

/// Whether what one side sends is what the other takes.
pub(super) fn matches(theirs: &Codec, ours: &Codec) -> bool {
    theirs.mime_type.eq_ignore_ascii_case(&ours.mime_type)
        && theirs.clock_rate == ours.clock_rate
        && PARAMETERS.iter().all(|(name, default)| {
            parameter(theirs, name, default).eq_ignore_ascii_case(parameter(ours, name, default))
        })
}

/// What makes a codec another one, and what goes for it where nothing is said: RFC 6184 §8.1 (the
/// profile is in the first four digits of `profile-level-id`), RFC 9628 §6.1, AV1 RTP §7.2.1.
const PARAMETERS: [(&str, &str); 4] = [
    ("packetization-mode", "0"),
    ("profile-level-id", "420010"),
    ("profile-id", "0"),
    ("profile", "0"),
];

fn parameter<'a>(codec: &'a Codec, name: &str, default: &'a str) -> &'a str {
    let line = codec.sdp_fmtp_line.as_deref().unwrap_or_default();
    let mut parts = line.split(';').filter_map(|it| it.trim().split_once('='));
    let value = parts.find(|(own, _)| own.eq_ignore_ascii_case(name));
    let value = value.map_or(default, |(_, value)| value.trim());
    match name {
        "profile-level-id" => value.get(..4).unwrap_or(value),
        _ => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codec(mime_type: &str, line: Option<&str>) -> Codec {
        Codec {
            mime_type: mime_type.into(),
            clock_rate: 90_000,
            channels: None,
            sdp_fmtp_line: line.map(str::to_owned),
        }
    }

    #[test]
    fn a_codec_is_the_same_by_its_name_and_profile() {
        let h264 = |line| codec("video/H264", Some(line));
        let constrained =
            h264("level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f");
        let same = h264("profile-level-id=42E034; packetization-mode=1");
        assert!(matches(&constrained, &same), "levels may differ");
        assert!(!matches(
            &constrained,
            &h264("packetization-mode=1;profile-level-id=64001f")
        ));
        assert!(!matches(&constrained, &h264("profile-level-id=42e01f")));

        let vp9 = |line| codec("video/VP9", line);
        assert!(matches(&vp9(None), &vp9(Some("profile-id=0"))));
        assert!(!matches(&vp9(Some("profile-id=2")), &vp9(None)));
        assert!(matches(
            &codec("video/vp8", None),
            &codec("video/VP8", None)
        ));
        assert!(!matches(&codec("video/VP8", None), &vp9(None)));
        // What cannot be cut is compared as it is.
        assert!(!matches(&h264("profile-level-id=4é"), &same));
    }
}
