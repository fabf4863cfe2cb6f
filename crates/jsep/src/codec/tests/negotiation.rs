//! Offers and answers in every turn they may take.

use super::*;

const H264: &str = "a=rtpmap:96 H264/90000\r\n";

fn matches_us(formats: &str, lines: &str) -> bool {
    !answer_to(&video(formats, lines), &MediaKind::Video).is_empty()
}

#[test]
fn h264_matches_by_profile_and_packetization_mode() {
    for (line, expected) in [
        // No packetization-mode is 0 (RFC 6184 §8.1), which we have of every profile.
        ("profile-level-id=42e01f", true),
        ("PROFILE-LEVEL-ID=42E034; Packetization-Mode = 1", true),
        ("profile-level-id=4d801f;packetization-mode=1", true),
        ("profile-level-id=640028;packetization-mode=1", true),
        ("profile-level-id=42e01f;packetization-mode=2", false),
        ("profile-level-id=42e01f;packetization-mode=x", false),
        ("profile-level-id=58001f;packetization-mode=1", false),
        ("profile-level-id=zzzzzz;packetization-mode=1", false),
        ("profile-level-id=f4001f;packetization-mode=1", false),
        // Baseline at level 1.
        ("packetization-mode=1", true),
    ] {
        let lines = format!("{H264}a=fmtp:96 {line}\r\n");
        assert_eq!(matches_us("96", &lines), expected, "{line}");
    }
}

#[test]
fn an_answers_h264_has_the_profile_of_the_offer_and_the_lower_level() {
    for (offered, expected) in [
        (
            "profile-level-id=42c00b;packetization-mode=1",
            "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42c00b",
        ),
        (
            "profile-level-id=42c00b;packetization-mode=1;level-asymmetry-allowed=1",
            "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42c01f",
        ),
        (
            "profile-level-id=4d0034",
            "level-asymmetry-allowed=1;packetization-mode=0;profile-level-id=4d001f",
        ),
    ] {
        let offered = video("96", &format!("{H264}a=fmtp:96 {offered}\r\n"));
        let answer = answer_to(&offered, &MediaKind::Video);
        assert_eq!(answer[0].codec.sdp_fmtp_line.as_deref(), Some(expected));
    }
}

#[test]
fn profiles_of_vp9_and_av1_are_0_where_nothing_is_said() {
    for (name, line, expected) in [
        ("VP9", "", true),
        ("vp9", "profile-id=0", true),
        ("VP9", "max-fr=30; profile-id=2", true),
        ("VP9", "profile-id=1", false),
        ("VP9", "profile-id=", false),
        ("AV1", "", true),
        ("AV1", "level-idx=19;tier=1", true),
        ("AV1", "profile=1", false),
    ] {
        let lines = format!("a=rtpmap:96 {name}/90000\r\na=fmtp:96 {line}\r\n");
        assert_eq!(matches_us("96", &lines), expected, "{name} {line}");
    }
}

#[test]
fn audio_matches_by_name_clock_rate_and_channels() {
    for (rtpmap, expected) in [
        ("opus/48000/2", true),
        ("Opus/48000/2", true),
        ("opus/48000", false),
        ("opus/16000/2", false),
        ("G722/8000", true),
        ("G722/8000/1", true),
        ("G722/8000/2", false),
    ] {
        let offered = audio("96", &format!("a=rtpmap:96 {rtpmap}\r\n"));
        let answer = answer_to(&offered, &MediaKind::Audio);
        assert_eq!(!answer.is_empty(), expected, "{rtpmap}");
    }
}

#[test]
fn static_payload_types_need_no_rtpmap() {
    let offered = audio("0 8 9 3 96", "");
    let names: Vec<_> = offered.iter().map(|own| own.codec.name()).collect();
    assert_eq!(names, ["PCMU", "PCMA", "G722", "GSM"]);
    assert_eq!(numbers(&answer_to(&offered, &MediaKind::Audio)), [0, 8, 9]);
    assert_eq!(video("31 0", "")[0].codec.mime_type, "video/H261");
}

#[test]
fn red_and_rtx_match_by_what_they_refer_to() {
    const OPUS: &str = "a=rtpmap:96 opus/48000/2\r\na=rtpmap:97 red/48000/2\r\n";
    for (line, expected) in [
        ("a=fmtp:97 96/96\r\n", true),
        ("a=fmtp:97 96/96/96\r\n", true),
        ("a=fmtp:97 96/0\r\n", false),
        ("a=fmtp:97 98/98\r\n", false),
        ("a=fmtp:97 97/97\r\n", false),
        ("", false),
    ] {
        let offered = audio("96 97 0", &format!("{OPUS}{line}"));
        let answer = answer_to(&offered, &MediaKind::Audio);
        assert_eq!(numbers(&answer).contains(&97), expected, "{line}");
    }
    const VP8: &str =
        "a=rtpmap:96 VP8/90000\r\na=rtpmap:97 rtx/90000\r\na=rtpmap:98 H263/90000\r\n";
    for (line, expected) in [
        ("apt=96", true),
        ("rtx-time=3000;APT=96", true),
        ("apt=98", false),
        ("apt=97", false),
        ("apt=99", false),
        ("apt=352", false),
    ] {
        let offered = video("96 97 98", &format!("{VP8}a=fmtp:97 {line}\r\n"));
        let answer = answer_to(&offered, &MediaKind::Video);
        assert_eq!(numbers(&answer).contains(&97), expected, "{line}");
    }
}

#[test]
fn preferences_order_an_answer_and_leave_out_of_it() {
    let offered = read_codecs(&captured("firefox-video.sdp", MediaKind::Video)).unwrap();
    let answer = |preferences: &[Codec]| {
        let all = ours(&MediaKind::Video);
        numbers(&answer_codecs(
            &all,
            Some(preferences),
            true,
            true,
            &offered,
        ))
    };
    let (vp8, vp9, rtx) = (
        codec("video/VP8", ""),
        codec("video/VP9", "profile-id=0"),
        codec("video/rtx", ""),
    );
    assert_eq!(answer(&[vp9.clone(), vp8.clone()]), [121, 120]);
    assert_eq!(answer(&[rtx.clone(), vp9, vp8]), [121, 125, 120, 124]);
    let main = "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=4d001f";
    assert!(answer(&[codec("video/H264", main), rtx]).is_empty());
}

#[test]
fn helpers_alone_are_no_answer() {
    let offered = audio("126 13", "a=rtpmap:126 telephone-event/8000\r\n");
    assert_eq!(offered.len(), 2);
    assert!(answer_to(&offered, &MediaKind::Audio).is_empty());
}

#[test]
fn directions_filter() {
    let mut all = ours(&MediaKind::Video);
    all.codecs.truncate(4);
    all.codecs[0].send = false;
    all.codecs[1].send = false;
    all.codecs[2].receive = false;
    let offered = |sends, receives| {
        let mut taken = PayloadTypes::default();
        let offer = offer_codecs(&all, None, sends, receives, &[], &mut taken).unwrap();
        numbers(&offer)
    };
    assert_eq!(offered(false, true), [96, 97], "no rtx of what is left out");
    assert_eq!(offered(true, false), [98, 99]);
    assert_eq!(offered(true, true), [0; 0]);
    assert_eq!(offered(false, false), [96, 97, 98, 99]);
}

#[test]
fn a_second_section_uses_the_same_numbers_and_another_kind_none_of_them() {
    let all = Capabilities::default();
    let mut taken = PayloadTypes::default();
    let mut offered = |all, section: &[CodecParameters]| {
        offer_codecs(all, None, true, true, section, &mut taken).unwrap()
    };
    let theirs = audio("96", "a=rtpmap:96 opus/48000/2\r\n");
    let audio = offered(&all.audio, &theirs);
    assert_eq!(
        listed(&audio)[..2],
        ["96 opus minptime=10;useinbandfec=1", "63 red 96/96"]
    );
    let first = offered(&all.video, &[]);
    let second = offered(&all.video, &[]);
    assert_eq!(first, second);
    assert!(!numbers(&first).contains(&96));
    assert_eq!(first[1].apt(), Some(first[0].payload_type));
}

#[test]
fn a_later_offer_keeps_numbers_order_and_feedback_of_the_answer() {
    let offered = read_codecs(&captured("firefox-video.sdp", MediaKind::Video)).unwrap();
    let answer = answer_to(&offered, &MediaKind::Video);
    let mut agreed = receivable(&answer, &offered);
    agreed[0].feedback.retain(|own| *own == Feedback::NackPli);
    agreed.rotate_left(2);
    let later = offer(None, &agreed);
    assert_eq!(
        listed(&later)[..6],
        [
            "121 VP9 profile-id=0",
            "125 rtx apt=121",
            "99 AV1 level-idx=5;profile=0;tier=0",
            "100 rtx apt=99",
            "120 VP8",
            "124 rtx apt=120",
        ]
    );
    assert_eq!(later[4].feedback, [Feedback::NackPli]);
    assert_eq!(later.len(), ours(&MediaKind::Video).codecs.len());
    let vp8 = [codec("video/VP8", ""), codec("video/VP9", "profile-id=0")];
    assert_eq!(numbers(&offer(Some(&vp8), &agreed)), [120, 121]);
}

#[test]
fn numbers_come_from_the_dynamic_ranges_and_run_out() {
    let mut all = ours(&MediaKind::Video);
    let vp8 = all.codecs[0].clone();
    let many = |count: usize| {
        let codec = |index| {
            let mut own = vp8.clone();
            own.codec.mime_type = format!("video/X{index}");
            own.payload_type = 64;
            own
        };
        (0..count).map(codec).collect::<Vec<_>>()
    };
    let mut offered = |count| {
        all.codecs = many(count);
        offer_codecs(&all, None, true, true, &[], &mut PayloadTypes::default())
    };
    let all_numbers: Vec<u8> = (96..=127).chain(35..=63).collect();
    assert_eq!(numbers(&offered(61).unwrap()), all_numbers);
    assert_eq!(offered(62).unwrap_err().kind, ErrorKind::Operation);
}

#[test]
fn a_number_that_meant_something_else_is_not_given_out() {
    let mut taken = PayloadTypes::default();
    taken.learn(&video("96 97", "a=rtpmap:96 VP8/90000\r\n"));
    taken.learn(&video("96", "a=rtpmap:96 H263/90000\r\n"));
    let all = ours(&MediaKind::Video);
    let offered = offer_codecs(&all, None, true, true, &[], &mut taken).unwrap();
    assert!(!numbers(&offered).contains(&96));
}
