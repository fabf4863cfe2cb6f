//! What real peers write.

use super::*;

#[test]
fn every_section_of_every_capture_is_read_whole() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    let mut sections = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "sdp") {
            continue;
        }
        let session = SessionDescription::parse(&fs::read_to_string(&path).unwrap()).unwrap();
        for media in session.media.iter().filter(|own| own.protocol().is_rtp()) {
            let codecs = read_codecs(media).unwrap();
            let listed = media.head.formats.payload_types();
            assert_eq!(codecs.len(), listed.len(), "{}", path.display());
            let written = codecs.iter().map(|own| own.feedback.len()).sum::<usize>();
            assert_eq!(written, media.rtcp_fbs().count(), "{}", path.display());
            sections += 1;
        }
    }
    assert!(sections >= 48, "only {sections}");
}

#[test]
fn answers_list_what_both_have_by_the_numbers_of_the_offer() {
    const CHROMIUM_VIDEO: &[u8] = &[
        96, 97, 102, 103, 104, 107, 108, 109, 114, 115, 116, 117, 39, 40, 45, 46, 98, 99, 100, 101,
    ];
    // Without VP9 profiles 1 and 3 (35 to 38), H264 High 4:4:4 (41 to 44), AV1 profile 1 (47, 48),
    // FlexFEC (49), red and ulpfec.
    const CHROMIUM_RECEIVES: &[u8] = &[
        96, 97, 98, 99, 100, 101, 102, 103, 104, 107, 108, 109, 114, 115, 116, 117, 39, 40, 45, 46,
    ];
    for (name, kind, expected) in [
        (
            "chromium-audio-video-data.sdp",
            MediaKind::Audio,
            &[111, 63, 9, 0, 8, 13, 110, 126][..],
        ),
        (
            "chromium-audio-video-data.sdp",
            MediaKind::Video,
            CHROMIUM_VIDEO,
        ),
        (
            "chromium-recvonly-av.sdp",
            MediaKind::Video,
            CHROMIUM_RECEIVES,
        ),
        (
            "firefox-audio-video-data.sdp",
            MediaKind::Audio,
            &[109, 9, 0, 8, 101],
        ),
        (
            "firefox-audio-video-data.sdp",
            MediaKind::Video,
            &[120, 124, 121, 125, 99, 100],
        ),
        ("aiortc-av-data-offer.sdp", MediaKind::Audio, &[96, 9, 0, 8]),
        (
            "aiortc-av-data-offer.sdp",
            MediaKind::Video,
            &[97, 98, 99, 100, 101, 102],
        ),
        ("gst-vp8-offer.sdp", MediaKind::Audio, &[111]),
        ("gst-vp8-offer.sdp", MediaKind::Video, &[96]),
        // Without iSAC, iLBC, CN and telephone-event at 16 and 32 kHz.
        (
            "wrtc-audio-video-data.sdp",
            MediaKind::Audio,
            &[111, 63, 9, 0, 8, 13, 110, 126],
        ),
        (
            "wrtc-audio-video-data.sdp",
            MediaKind::Video,
            &[96, 97, 39, 40, 98, 99, 100, 101],
        ),
    ] {
        let offered = read_codecs(&captured(name, kind.clone())).unwrap();
        let answer = answer_to(&offered, &kind);
        assert_eq!(numbers(&answer), expected, "{name} {kind}");
    }
}

#[test]
fn an_answer_has_our_parameters_and_the_offers_references() {
    let offered = read_codecs(&captured("firefox-audio.sdp", MediaKind::Audio)).unwrap();
    assert_eq!(
        listed(&answer_to(&offered, &MediaKind::Audio)),
        [
            "109 opus minptime=10;useinbandfec=1",
            "9 G722",
            "0 PCMU",
            "8 PCMA",
            "101 telephone-event",
        ]
    );
    let offered = read_codecs(&captured("firefox-video.sdp", MediaKind::Video)).unwrap();
    assert_eq!(
        listed(&answer_to(&offered, &MediaKind::Video)),
        [
            "120 VP8",
            "124 rtx apt=120",
            "121 VP9 profile-id=0",
            "125 rtx apt=121",
            "99 AV1 level-idx=5;profile=0;tier=0",
            "100 rtx apt=99",
        ]
    );
}

#[test]
fn an_answer_has_the_feedback_that_both_have() {
    let offered = read_codecs(&captured("gst-vp8-offer.sdp", MediaKind::Video)).unwrap();
    let answer = answer_to(&offered, &MediaKind::Video);
    assert_eq!(
        answer[0].feedback,
        [Feedback::TransportCc, Feedback::CcmFir, Feedback::NackPli]
    );
}

#[test]
fn chromiums_offer_is_written_line_by_line_as_chromium_does() {
    let is_codec = |line: &&str| {
        ["a=rtpmap", "a=fmtp", "a=rtcp-fb"]
            .iter()
            .any(|name| line.starts_with(name))
    };
    for kind in [MediaKind::Audio, MediaKind::Video] {
        let media = captured("chromium-audio-video-data.sdp", kind.clone());
        let text = capture("chromium-audio-video-data.sdp");
        let start = format!("m={kind} ");
        let theirs: Vec<_> = text
            .lines()
            .skip_while(|line| !line.starts_with(&start))
            .skip(1)
            .take_while(|line| !line.starts_with("m="))
            .filter(is_codec)
            .collect();
        let mut written = media.clone();
        write_codecs(&read_codecs(&media).unwrap(), &mut written);
        let attributes = written.attributes().map(|own| format!("a={own}"));
        let ours: Vec<_> = attributes.filter(|own| is_codec(&own.as_str())).collect();
        assert_eq!(ours, theirs);
        assert_eq!(written.head.formats, media.head.formats);
    }
}

#[test]
fn what_both_send_is_by_the_receivers_numbers() {
    let kind = MediaKind::Video;
    let ours = offer(None, &[]);
    let theirs = read_codecs(&captured(
        "firefox-answer-audio-video-data.sdp",
        kind.clone(),
    ));
    let theirs = theirs.unwrap();
    assert_eq!(
        listed(&sendable(&ours, &theirs)),
        [
            "120 VP8 max-fs=12288;max-fr=60",
            "124 rtx apt=120",
            "121 VP9 max-fs=12288;max-fr=60",
            "125 rtx apt=121",
            "99 AV1",
            "100 rtx apt=99",
        ]
    );
    assert_eq!(
        listed(&receivable(&ours, &theirs)),
        [
            "96 VP8",
            "97 rtx apt=96",
            "98 VP9 profile-id=0",
            "99 rtx apt=98",
            "45 AV1 level-idx=5;profile=0;tier=0",
            "46 rtx apt=45",
        ]
    );
}

#[test]
fn what_we_may_receive_is_in_the_order_of_the_answer() {
    let theirs = captured("chromium-answer-audio-video-data.sdp", MediaKind::Video);
    let received = receivable(&offer(None, &[]), &read_codecs(&theirs).unwrap());
    assert_eq!(
        numbers(&received),
        [
            96, 97, 102, 103, 104, 107, 108, 109, 114, 115, 116, 117, 39, 40, 45, 46, 98, 99, 100,
            101,
        ]
    );
    assert_eq!(numbers(&offer(None, &received))[..20], numbers(&received));
}

#[test]
fn gstreamers_upper_case_opus_is_opus() {
    let offered = read_codecs(&captured("gst-vp8-offer.sdp", MediaKind::Audio)).unwrap();
    assert_eq!(offered[0].codec.mime_type, "audio/OPUS");
    let answer = answer_to(&offered, &MediaKind::Audio);
    assert_eq!(answer[0].codec.mime_type, "audio/opus");
    assert_eq!(sendable(&answer, &offered)[0].codec.mime_type, "audio/opus");
}
