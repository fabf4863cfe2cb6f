//! `getParameters` and `setParameters` (W3C §5.2).

use pc_sdp::Direction;

use super::*;
use crate::extension::HeaderExtension;

fn set(
    sender: &mut SendEncodings,
    codecs: &[CodecParameters],
    change: impl FnOnce(&mut SendParameters),
) -> Result<(), Error> {
    let rtcp = RtcpParameters::default();
    let mut new = sender.parameters(|| "id".into(), codecs, &[], &rtcp);
    change(&mut new);
    sender.set_parameters(new, &video_codecs(), can)
}

#[test]
fn parameters_hold_what_is_negotiated() {
    let mut sender = simulcast(&["q", "f"]);
    let codecs = negotiated(&["video/VP8"]);
    let extensions = [HeaderExtension {
        uri: "urn:ietf:params:rtp-hdrext:sdes:mid".into(),
        id: 4,
        direction: Direction::SendOnly,
        encrypted: false,
    }];
    let rtcp = RtcpParameters {
        cname: "name".into(),
        reduced_size: true,
    };
    let got = sender.parameters(|| "id".into(), &codecs, &extensions, &rtcp);
    let expected = SendParameters {
        transaction_id: "id".into(),
        encodings: sender.encodings().to_vec(),
        header_extensions: extensions.to_vec(),
        rtcp,
        codecs,
        degradation_preference: None,
    };
    assert_eq!(got, expected);
}

#[test]
fn a_transaction_lasts_until_it_is_forgotten_or_used() {
    let mut sender = SendEncodings::single(MediaKind::Video);
    assert_eq!(parameters(&mut sender, "1").transaction_id, "1");
    assert_eq!(parameters(&mut sender, "2").transaction_id, "1");
    sender.forget_last_returned();
    let got = parameters(&mut sender, "3");
    assert_eq!(got.transaction_id, "3");
    sender.set_parameters(got.clone(), &[], can).unwrap();
    let again = sender.set_parameters(got.clone(), &[], can);
    refused(again, ErrorKind::InvalidState, "getParameters");
    assert_eq!(parameters(&mut sender, "4").transaction_id, "4");
    let stale = sender.set_parameters(got, &[], can);
    refused(stale, ErrorKind::InvalidModification, "transactionId");
}

#[test]
fn without_get_there_is_no_set() {
    let mut sender = SendEncodings::single(MediaKind::Video);
    let mut got = parameters(&mut sender, "1");
    sender.forget_last_returned();
    refused(
        sender.set_parameters(got.clone(), &[], can),
        ErrorKind::InvalidState,
        "getParameters",
    );
    // WebIDL converts the argument before anything else is looked at.
    got.encodings[0].max_framerate = Some(f64::NAN);
    refused(sender.set_parameters(got, &[], can), ErrorKind::Type, "NaN");
}

#[test]
fn what_is_set_is_returned() {
    let mut sender = simulcast(&["q", "f"]);
    set(&mut sender, &[], |new| {
        new.encodings[0].active = false;
        new.encodings[1].max_bitrate = Some(500_000);
        new.encodings[1].priority = Priority::High;
        new.encodings[1].network_priority = Some(Priority::Medium);
        new.encodings[1].max_framerate = Some(0.0);
        new.degradation_preference = Some(DegradationPreference::Balanced);
    })
    .unwrap();
    let got = parameters(&mut sender, "2");
    assert_eq!(got.encodings, sender.encodings());
    assert!(!got.encodings[0].active);
    assert_eq!(got.encodings[1].max_bitrate, Some(500_000));
    assert_eq!(got.encodings[1].priority, Priority::High);
    assert_eq!(got.encodings[1].network_priority, Some(Priority::Medium));
    assert_eq!(got.encodings[1].max_framerate, Some(0.0));
    assert_eq!(
        got.degradation_preference,
        Some(DegradationPreference::Balanced)
    );
}

#[test]
fn what_is_read_only_stays() {
    type Change = fn(&mut SendParameters);
    let changes: [(&str, Change); 10] = [
        ("transactionId", |new| new.transaction_id.push('x')),
        ("1 encodings where there were 2", |new| {
            new.encodings.truncate(1)
        }),
        ("3 encodings where there were 2", |new| {
            new.encodings.push(rid("z"))
        }),
        ("0 encodings where there were 2", |new| {
            new.encodings.clear()
        }),
        ("order", |new| new.encodings.reverse()),
        ("rid", |new| new.encodings[0].rid = Some("x".into())),
        ("rid", |new| new.encodings[0].rid = None),
        ("headerExtensions", |new| {
            new.header_extensions.push(HeaderExtension {
                uri: "urn:x".into(),
                id: 1,
                direction: Direction::SendRecv,
                encrypted: false,
            });
        }),
        ("rtcp", |new| new.rtcp.reduced_size ^= true),
        ("codecs", |new| new.codecs.clear()),
    ];
    let codecs = negotiated(&["video/VP8"]);
    let mut sender = simulcast(&["q", "f"]);
    let before = sender.encodings().to_vec();
    for (culprit, change) in changes {
        let result = set(&mut sender, &codecs, change);
        refused(result, ErrorKind::InvalidModification, culprit);
        assert_eq!(sender.encodings(), before);
    }
    // A failure does not end the transaction.
    set(&mut sender, &codecs, |_| {}).unwrap();
}

#[test]
fn numbers_keep_their_ranges() {
    let mut sender = SendEncodings::single(MediaKind::Video);
    let mut with = |change: fn(&mut EncodingParameters)| {
        set(&mut sender, &[], |new| change(&mut new.encodings[0]))
    };
    let scale = with(|own| own.scale_resolution_down_by = Some(0.5));
    refused(scale, ErrorKind::Range, "scaleResolutionDownBy 0.5");
    let rate = with(|own| own.max_framerate = Some(-1.0));
    refused(rate, ErrorKind::Range, "maxFramerate -1");
    refused(
        with(|own| own.max_framerate = Some(f64::NAN)),
        ErrorKind::Type,
        "NaN",
    );
    let ptime = with(|own| (own.ptime, own.adaptive_ptime) = (Some(10), true));
    refused(ptime, ErrorKind::InvalidModification, "adaptivePtime");
    let to = ResolutionRestriction {
        max_width: 1,
        max_height: 0,
    };
    let mut with_to = |to| {
        set(&mut sender, &[], |new| {
            new.encodings[0].scale_resolution_down_to = to
        })
    };
    refused(
        with_to(Some(to)),
        ErrorKind::InvalidModification,
        "a side of 0",
    );
    assert!(
        with_to(Some(ResolutionRestriction {
            max_height: 1,
            ..to
        }))
        .is_ok()
    );
}

#[test]
fn video_always_has_a_scale_and_audio_never() {
    let mut sender = simulcast(&["q", "f"]);
    set(&mut sender, &[], |new| {
        new.encodings[0].scale_resolution_down_by = None
    })
    .unwrap();
    assert_eq!(scales(&sender), [Some(1.0), Some(1.0)]);
    let mut audio = SendEncodings::single(MediaKind::Audio);
    set(&mut audio, &[], |new| {
        new.encodings[0].scale_resolution_down_by = Some(0.5);
        new.encodings[0].max_framerate = Some(-1.0);
    })
    .unwrap();
    assert_eq!(audio.encodings(), [EncodingParameters::default()]);
}

#[test]
fn a_codec_is_one_negotiated_or_else_one_we_have() {
    let mut sender = simulcast(&["q", "f"]);
    let mut with = |negotiated: &[CodecParameters], mime_type| {
        sender.forget_last_returned();
        set(&mut sender, negotiated, |new| {
            new.encodings[1].codec = Some(codec(mime_type));
        })
    };
    let codecs = negotiated(&["video/VP8", "video/rtx", "video/AV1"]);
    let kind = ErrorKind::InvalidModification;
    refused(with(&codecs, "video/VP9"), kind, "video/VP9");
    refused(with(&codecs, "video/rtx"), kind, "video/rtx");
    refused(with(&[], "video/AV1"), kind, "video/AV1");
    with(&[], "video/VP9").unwrap();
    with(&codecs, "video/AV1").unwrap();
    assert_eq!(sender.encodings()[1].codec, Some(codec("video/AV1")));
}

#[test]
fn a_scalability_mode_is_one_of_the_codec_in_use() {
    let mut sender = simulcast(&["q", "f"]);
    let mut with = |negotiated: &[CodecParameters], mime_type: Option<&str>, mode: &str| {
        sender.forget_last_returned();
        set(&mut sender, negotiated, |new| {
            new.encodings[0].codec = mime_type.map(codec);
            new.encodings[0].scalability_mode = Some(mode.into());
        })
    };
    let codecs = negotiated(&["video/rtx", "video/VP8", "video/VP9"]);
    let kind = ErrorKind::InvalidModification;
    refused(with(&codecs, None, "L3T3"), kind, "L3T3");
    refused(with(&[], None, "L9T9"), kind, "L9T9");
    refused(with(&codecs, Some("video/VP9"), "S2T1"), kind, "S mode");
    with(&[], None, "L3T3").unwrap();
    with(&codecs, None, "L1T3").unwrap();
    with(&codecs, Some("video/VP9"), "L3T3").unwrap();
}
