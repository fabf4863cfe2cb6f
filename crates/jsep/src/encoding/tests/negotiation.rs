//! Offers, answers and rollback (W3C §4.4.1.5).

use super::*;

#[test]
fn an_offer_proposes_streams() {
    let mut sender = SendEncodings::single(MediaKind::Video);
    parameters(&mut sender, "1");
    sender.propose(&names(&["q", "h", "q", "f"]));
    assert_eq!(parameters(&mut sender, "2").transaction_id, "2");
    assert_eq!(rids(&sender), ["q", "h", "f"]);
    assert_eq!(scales(&sender), [4.0, 2.0, 1.0].map(Some));
    assert!(sender.is_simulcast());
    assert!(sender.encodings().iter().all(|own| own.active));
}

#[test]
fn a_proposal_for_one_stream_gives_it_its_rid() {
    let mut sender = SendEncodings::single(MediaKind::Video);
    sender.propose(&names(&["hi-res_1"]));
    assert_eq!(rids(&sender), ["hi-res_1"]);
    assert!(!sender.is_simulcast());
}

#[test]
fn a_proposal_of_nothing_changes_nothing() {
    let mut sender = SendEncodings::single(MediaKind::Video);
    let last = parameters(&mut sender, "1");
    sender.propose(&[]);
    assert_eq!(parameters(&mut sender, "2"), last);
    assert_eq!(rids(&sender), [""; 0]);
}

#[test]
fn a_sender_with_rids_takes_no_proposal() {
    let mut sender = simulcast(&["a", "b"]);
    sender.propose(&names(&["q", "a", "f"]));
    assert_eq!(rids(&sender), ["a", "b"]);
}

#[test]
fn a_proposal_is_bounded() {
    let all: Vec<_> = (0..64).map(|own| own.to_string()).collect();
    let mut sender = SendEncodings::single(MediaKind::Video);
    sender.propose(&all);
    assert_eq!(rids(&sender), ["0", "1", "2", "3", "4", "5", "6", "7"]);
    let mut audio = SendEncodings::single(MediaKind::Audio);
    audio.propose(&all);
    assert_eq!(audio.encodings(), [EncodingParameters::default()]);
}

#[test]
fn an_answer_narrows_for_good() {
    let mut sender = simulcast(&["q", "h", "f"]);
    parameters(&mut sender, "1");
    sender.narrow(&names(&["f", "q", "new"]));
    assert_eq!(rids(&sender), ["q", "f"]);
    assert_eq!(scales(&sender), [Some(4.0), Some(1.0)]);
    assert_eq!(parameters(&mut sender, "2").transaction_id, "2");
    sender.narrow(&names(&["q", "h", "f"]));
    sender.propose(&names(&["q", "h", "f"]));
    assert_eq!(rids(&sender), ["q", "f"]);
}

#[test]
fn an_answer_without_simulcast_leaves_the_first() {
    for accepted in [names(&[]), names(&["other"])] {
        let mut sender = simulcast(&["q", "h", "f"]);
        sender.narrow(&accepted);
        assert_eq!(rids(&sender), ["q"]);
        assert!(!sender.is_simulcast());
        sender.propose(&names(&["q", "h", "f"]));
        assert_eq!(rids(&sender), ["q"]);
    }
}

#[test]
fn encodings_without_rids_come_down_to_one() {
    let mut sender = video(vec![EncodingParameters::default(); 2]).unwrap();
    sender.narrow(&names(&["q"]));
    assert_eq!(scales(&sender), [Some(2.0)]);
}

#[test]
fn an_answer_leaves_a_sender_without_simulcast_alone() {
    let mut sender = SendEncodings::single(MediaKind::Video);
    let last = parameters(&mut sender, "1");
    sender.narrow(&names(&["q"]));
    assert_eq!(parameters(&mut sender, "2"), last);
}

#[test]
fn rollback_takes_the_proposal_back() {
    let mut sender = video(one(|own| own.max_bitrate = Some(100_000))).unwrap();
    let before = sender.encodings().to_vec();
    let stable = sender.clone();
    sender.propose(&names(&["q", "h"]));
    let last = parameters(&mut sender, "1");
    sender.roll_back(&stable);
    assert_eq!(sender.encodings(), before);
    assert_ne!(
        parameters(&mut sender, "2").transaction_id,
        last.transaction_id
    );
}

#[test]
fn rollback_keeps_what_was_set_meanwhile() {
    let mut sender = SendEncodings::single(MediaKind::Video);
    let stable = sender.clone();
    let mut new = parameters(&mut sender, "1");
    new.encodings[0].max_bitrate = Some(100_000);
    sender.set_parameters(new, &video_codecs(), can).unwrap();
    sender.roll_back(&stable);
    assert_eq!(sender.encodings()[0].max_bitrate, Some(100_000));
}

#[test]
fn rollback_leaves_established_simulcast() {
    let mut sender = SendEncodings::single(MediaKind::Video);
    sender.propose(&names(&["q", "h"]));
    sender.narrow(&names(&["q", "h"]));
    let stable = sender.clone();
    sender.propose(&names(&["q"]));
    sender.roll_back(&stable);
    assert_eq!(rids(&sender), ["q", "h"]);
}

#[test]
fn rollback_takes_nothing_back_that_the_offer_did_not_do() {
    let mut sender = simulcast(&["q", "h"]);
    let stable = sender.clone();
    let mut new = parameters(&mut sender, "1");
    new.encodings[1].active = false;
    sender.set_parameters(new, &video_codecs(), can).unwrap();
    sender.roll_back(&stable);
    assert!(!sender.encodings()[1].active);
}

#[test]
fn a_codec_stays_whose_parameters_differ_by_direction() {
    let h264 = |line: &str| Codec {
        sdp_fmtp_line: Some(line.into()),
        ..codec("video/H264")
    };
    let mut sender = video(one(|own| own.codec = Some(codec("video/VP8")))).unwrap();
    let mut theirs = negotiated(&["video/VP8"]);
    theirs[0].codec.sdp_fmtp_line = Some("max-fs=12288;max-fr=60".into());
    sender.retain_codecs(&theirs);
    assert_eq!(sender.encodings()[0].codec, Some(codec("video/VP8")));

    let ours = h264("packetization-mode=1;profile-level-id=42e01f");
    let init = one(|own| own.codec = Some(ours.clone()));
    let mut sender =
        SendEncodings::new(MediaKind::Video, init, std::slice::from_ref(&ours), can).unwrap();
    let mut theirs = negotiated(&["video/H264"]);
    theirs[0].codec = h264("profile-level-id=42e034;packetization-mode=1");
    sender.retain_codecs(&theirs);
    assert_eq!(sender.encodings()[0].codec, Some(ours));
    theirs[0].codec = h264("profile-level-id=42e01f;packetization-mode=0");
    sender.retain_codecs(&theirs);
    assert_eq!(sender.encodings()[0].codec, None);
}

#[test]
fn a_codec_negotiated_away_is_cleared() {
    let mut init = vec![rid("a"), rid("b"), rid("c")];
    init[0].codec = Some(codec("video/VP8"));
    init[1].codec = Some(codec("video/VP9"));
    let mut sender = video(init).unwrap();
    let codecs = |sender: &SendEncodings| {
        let all = sender.encodings().iter();
        all.map(|own| own.codec.clone()).collect::<Vec<_>>()
    };
    let before = codecs(&sender);
    sender.retain_codecs(&[]);
    assert_eq!(codecs(&sender), before);
    sender.retain_codecs(&negotiated(&["video/H264", "video/vp8"]));
    assert_eq!(codecs(&sender), [Some(codec("video/VP8")), None, None]);
}
