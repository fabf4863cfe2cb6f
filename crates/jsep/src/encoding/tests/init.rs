//! `addTransceiver`'s `sendEncodings` (W3C §5.1).

use super::*;

#[test]
fn nothing_said_is_one_encoding() {
    let sender = video(Vec::new()).unwrap();
    assert_eq!(scales(&sender), [Some(1.0)]);
    assert!(sender.encodings()[0].active);
    assert_eq!(
        sender.encodings(),
        SendEncodings::single(MediaKind::Video).encodings()
    );
    let audio = SendEncodings::new(MediaKind::Audio, Vec::new(), &[], can).unwrap();
    assert_eq!(audio.encodings(), [EncodingParameters::default()]);
}

#[test]
fn rids_are_letters_and_digits() {
    for bad in [
        "",
        "a b",
        "a-b",
        "a_b",
        "é",
        "~a",
        "a;b",
        "12345678901234567",
    ] {
        let init = vec![rid("ok"), rid(bad)];
        refused(video(init), ErrorKind::Type, &format!("{bad:?}"));
    }
    let longest = "1234567890abcdEF";
    assert_eq!(rids(&simulcast(&["q", longest])), ["q", longest]);
}

#[test]
fn rids_are_for_all_and_differ() {
    refused(
        video(vec![rid("q"), rid("q")]),
        ErrorKind::Type,
        "\"q\" is there twice",
    );
    let some = vec![rid("q"), EncodingParameters::default()];
    refused(video(some), ErrorKind::Type, "some encodings have a rid");
    assert!(video(vec![rid("q"), rid("Q")]).is_ok());
}

#[test]
fn encodings_without_any_rid_are_no_simulcast() {
    let sender = video(vec![EncodingParameters::default(); 2]).unwrap();
    assert_eq!(scales(&sender), [Some(2.0), Some(1.0)]);
    assert!(!sender.is_simulcast());
}

#[test]
fn one_encoding_loses_its_rid() {
    let sender = simulcast(&["q"]);
    assert_eq!(rids(&sender), [""; 0]);
    assert!(!sender.is_simulcast());
    refused(video(vec![rid("not ok")]), ErrorKind::Type, "not ok");
}

#[test]
fn scales_are_powers_of_two_unless_one_is_given() {
    assert_eq!(
        scales(&simulcast(&["q", "h", "f"])),
        [4.0, 2.0, 1.0].map(Some)
    );
    let mut init = ["q", "h", "f"].map(rid).to_vec();
    init[0].scale_resolution_down_by = Some(3.0);
    assert_eq!(scales(&video(init).unwrap()), [3.0, 1.0, 1.0].map(Some));
}

#[test]
fn a_scale_in_what_is_trimmed_counts() {
    let mut init: Vec<_> = (0..9).map(|own| rid(&own.to_string())).collect();
    init[8].scale_resolution_down_by = Some(3.0);
    assert_eq!(scales(&video(init).unwrap()), [Some(1.0); 8]);
}

#[test]
fn too_many_are_trimmed_at_the_end() {
    let init: Vec<_> = (0..100).map(|own| rid(&own.to_string())).collect();
    let sender = video(init.clone()).unwrap();
    assert_eq!(rids(&sender), ["0", "1", "2", "3", "4", "5", "6", "7"]);
    assert_eq!(scales(&sender)[0], Some(128.0));
    let audio = SendEncodings::new(MediaKind::Audio, init, &[], can).unwrap();
    assert_eq!(audio.encodings(), [EncodingParameters::default()]);
}

#[test]
fn numbers_keep_their_ranges() {
    let scale = |scale| video(one(|own| own.scale_resolution_down_by = Some(scale)));
    refused(scale(0.99), ErrorKind::Range, "scaleResolutionDownBy 0.99");
    refused(scale(-1.0), ErrorKind::Range, "scaleResolutionDownBy -1");
    refused(scale(f64::NAN), ErrorKind::Type, "NaN");
    refused(scale(f64::INFINITY), ErrorKind::Type, "inf");
    assert_eq!(scales(&scale(1.0).unwrap()), [Some(1.0)]);
    let rate = |rate| video(one(|own| own.max_framerate = Some(rate)));
    refused(rate(-0.1), ErrorKind::Range, "maxFramerate -0.1");
    refused(rate(f64::NEG_INFINITY), ErrorKind::Type, "-inf");
    assert_eq!(rate(0.0).unwrap().encodings()[0].max_framerate, Some(0.0));
}

#[test]
fn audio_has_no_members_of_video() {
    let init = one(|own| {
        own.scale_resolution_down_by = Some(0.5);
        own.scale_resolution_down_to = Some(ResolutionRestriction {
            max_width: 0,
            max_height: 0,
        });
        own.max_framerate = Some(-1.0);
        own.max_bitrate = Some(32_000);
    });
    let sender = SendEncodings::new(MediaKind::Audio, init, &[], can).unwrap();
    let left = one(|own| own.max_bitrate = Some(32_000));
    assert_eq!(sender.encodings(), left);
}

#[test]
fn a_codec_is_one_we_can_send() {
    let with = |mime_type: &str| video(one(|own| own.codec = Some(codec(mime_type))));
    refused(with("video/AV1"), ErrorKind::Operation, "video/AV1");
    refused(with("video/rtx"), ErrorKind::Operation, "video/rtx");
    let sender = with("VIDEO/vp8").unwrap();
    assert_eq!(sender.encodings()[0].codec, Some(codec("video/VP8")));
}

#[test]
fn a_codec_matches_to_the_letter() {
    let mut wanted = codec("video/VP8");
    wanted.sdp_fmtp_line = Some("max-fs=12288".into());
    let init = one(|own| own.codec = Some(wanted));
    refused(video(init), ErrorKind::Operation, "max-fs=12288");
}

#[test]
fn a_scalability_mode_is_one_that_a_codec_can_do() {
    let mode = |codec: Option<&str>, mode: &str| {
        video(one(|own| {
            own.codec = codec.map(super::codec);
            own.scalability_mode = Some(mode.into());
        }))
    };
    for good in [
        "L1T1",
        "L3T3_KEY",
        "L2T2_KEY_SHIFT",
        "L3T1h",
        "S3T3h",
        "L2T1_KEY",
    ] {
        assert!(mode(None, good).is_ok(), "{good}");
    }
    for bad in [
        "", "l1t1", "L4T1", "L1T4", "L1T2h", "S1T1", "S2T1_KEY", "L1T3 ",
    ] {
        refused(mode(None, bad), ErrorKind::Operation, &format!("{bad:?}"));
    }
    assert!(mode(Some("video/VP8"), "L1T3").is_ok());
    assert!(mode(Some("video/VP9"), "L3T3").is_ok());
    refused(
        mode(Some("video/VP8"), "L2T1"),
        ErrorKind::Operation,
        "L2T1",
    );
    refused(
        mode(Some("video/H264"), "S2T1"),
        ErrorKind::Operation,
        "S2T1",
    );
    let audio = one(|own| own.scalability_mode = Some("L1T1".into()));
    let opus = [codec("audio/opus")];
    let audio = SendEncodings::new(MediaKind::Audio, audio, &opus, can);
    refused(audio, ErrorKind::Operation, "L1T1");
}

#[test]
fn an_s_mode_is_for_one_active_encoding() {
    let mut init = vec![rid("a"), rid("b")];
    init[0].scalability_mode = Some("S2T1".into());
    refused(video(init.clone()), ErrorKind::Operation, "S mode");
    init[1].active = false;
    assert!(video(init.clone()).is_ok());
    init[0].active = false;
    init[1].active = true;
    init.push(rid("c"));
    assert!(video(init).is_ok());
}

#[test]
fn resolutions_are_for_all_active_encodings() {
    let to = |max_width, max_height| {
        Some(ResolutionRestriction {
            max_width,
            max_height,
        })
    };
    let mut init = vec![rid("a"), rid("b")];
    init[0].scale_resolution_down_to = to(640, 360);
    refused(
        video(init.clone()),
        ErrorKind::Operation,
        "no scaleResolutionDownTo",
    );
    init[1].active = false;
    assert!(video(init.clone()).is_ok());
    for (width, height) in [(0, 360), (640, 0)] {
        init[0].scale_resolution_down_to = to(width, height);
        refused(video(init.clone()), ErrorKind::Operation, "a side of 0");
    }
}

#[test]
fn a_fixed_packet_time_does_not_adapt() {
    let with = |ptime, adaptive_ptime| {
        let init = one(|own| {
            own.ptime = ptime;
            own.adaptive_ptime = adaptive_ptime;
        });
        SendEncodings::new(MediaKind::Audio, init, &[], can)
    };
    refused(
        with(Some(20), true),
        ErrorKind::InvalidModification,
        "ptime",
    );
    assert!(with(Some(20), false).is_ok());
    assert!(with(None, true).is_ok());
}

#[test]
fn names_are_those_of_the_w3c() {
    assert_eq!(Priority::default().as_str(), "low");
    assert_eq!(Priority::from_name("very-low"), Some(Priority::VeryLow));
    let name = "maintain-framerate-and-resolution";
    let preference = DegradationPreference::MaintainFramerateAndResolution;
    assert_eq!(DegradationPreference::from_name(name), Some(preference));
}
