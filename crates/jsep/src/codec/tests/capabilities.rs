//! What we say we can do, and preferences among it.

use super::*;
use crate::Error;

/// The `codecs` array of `set` in a browser's capabilities, without a JSON parser: its strings
/// have no escapes.
fn browser(text: &str, set: &str) -> Vec<String> {
    let text = text.split_once(&format!("\"{set}\"")).unwrap().1;
    let text = text.split_once('[').unwrap().1.split_once(']').unwrap().0;
    let strings = text.split('"').skip(1).step_by(2);
    strings.map(|text| text.trim_end().to_owned()).collect()
}

fn shown(codec: &Codec) -> String {
    let channels = codec
        .channels
        .map_or(String::new(), |own| format!("/{own}"));
    let line = codec.sdp_fmtp_line.as_deref().unwrap_or_default();
    let text = format!("{}/{}{channels} {line}", codec.mime_type, codec.clock_rate);
    text.trim_end().to_owned()
}

#[test]
fn the_defaults_can_be_offered() {
    Capabilities::default().check().unwrap();
}

#[test]
fn the_defaults_are_those_of_chromium_but_for_what_we_cannot_use() {
    let chromium = capture("chromium-caps.json");
    let all = Capabilities::default();
    for (set, ours) in [("sa", &all.audio), ("sv", &all.video)] {
        let ours: Vec<_> = ours.send_capabilities().codecs.iter().map(shown).collect();
        for theirs in browser(&chromium, set) {
            let usable = !["video/red/90000", "video/ulpfec/90000"].contains(&&*theirs);
            assert_eq!(ours.contains(&theirs), usable, "{theirs}");
        }
    }
}

#[test]
fn all_rtx_are_shown_as_one_and_directions_apart() {
    let mut video = Capabilities::default().video;
    video.codecs[0].send = false;
    let rtx = |shown: &RtpCapabilities| shown.codecs.iter().filter(|own| own.is_rtx()).count();
    let (send, receive) = (video.send_capabilities(), video.receive_capabilities());
    assert_eq!((rtx(&send), rtx(&receive)), (1, 1));
    let vp8 = codec("video/vp8", "");
    assert!(!send.codecs.contains(&vp8) && receive.codecs.contains(&vp8));
}

#[test]
fn what_cannot_be_offered_is_refused() {
    type Change = fn(&mut Capabilities);
    let changes: [(&str, Change); 10] = [
        ("a line break", |all| {
            all.video.codecs[2].codec.sdp_fmtp_line = Some("a\r\na=b".into());
        }),
        ("white space", |all| {
            all.video.codecs[0].codec.mime_type = "video/VP 8".into();
        }),
        ("a third part", |all| {
            all.video.codecs[0].codec.mime_type = "video/VP8/1".into();
        }),
        ("another kind", |all| {
            all.video.codecs[0].codec.mime_type = "audio/VP8".into();
        }),
        ("payload type", |all| all.video.codecs[0].payload_type = 128),
        ("dangling apt", |all| {
            all.video.codecs.remove(0);
        }),
        ("the same twice", |all| {
            let mut again = all.video.codecs[0].clone();
            again.payload_type = 35;
            all.video.codecs.push(again);
        }),
        ("no channels", |all| {
            all.audio.codecs[0].codec.channels = Some(0)
        }),
        ("no clock", |all| all.audio.codecs[0].codec.clock_rate = 0),
        ("no URI", |all| all.audio.header_extensions[0].uri.clear()),
    ];
    for (what, change) in changes {
        let mut all = Capabilities::default();
        change(&mut all);
        let error = all.check().unwrap_err();
        assert_eq!(error.kind, ErrorKind::Type, "{what}: {error}");
    }
}

fn check(wanted: Vec<Codec>) -> Result<Option<Vec<Codec>>, Error> {
    check_preferences(&ours(&MediaKind::Video), wanted)
}

#[test]
fn preferences_are_capabilities_each_once() {
    let (vp8, rtx) = (codec("video/VP8", ""), codec("video/rtx", ""));
    assert_eq!(check(vec![]), Ok(None));
    assert_eq!(
        check(vec![codec("VIDEO/vp8", ""), rtx.clone(), vp8.clone()]),
        Ok(Some(vec![vp8, rtx]))
    );
}

#[test]
fn what_is_no_capability_or_no_media_cannot_be_preferred() {
    let vp8 = codec("video/VP8", "");
    for wanted in [
        vec![codec("video/rtx", "")],
        vec![vp8.clone(), codec("video/VP8", "max-fr=60")],
        vec![vp8.clone(), codec("video/VP7", "")],
        vec![codec("video/VP9", "profile-id=7")],
        vec![codec("video/rtx", "apt=96"), vp8.clone()],
        vec![Codec {
            clock_rate: 8_000,
            ..vp8.clone()
        }],
        vec![Codec {
            channels: Some(1),
            ..vp8
        }],
    ] {
        let error = check(wanted).unwrap_err();
        assert_eq!(error.kind, ErrorKind::InvalidModification);
    }
    let all = Capabilities::default().audio;
    let helpers = all.send_capabilities().codecs.into_iter();
    let helpers: Vec<_> = helpers.filter(|own| !own.is_media()).collect();
    assert_eq!(helpers.len(), 4, "red, CN and both telephone-events");
    let error = check_preferences(&all, helpers).unwrap_err();
    assert_eq!(error.kind, ErrorKind::InvalidModification);
}

#[test]
fn names_tell_what_a_codec_is_for() {
    for (name, media) in [("VP8", true), ("L16", true), ("RTX", false), ("cn", false)] {
        assert_eq!(
            codec(&format!("video/{name}"), "").is_media(),
            media,
            "{name}"
        );
    }
    for name in ["ulpfec", "flexfec-03", "flexfec"] {
        assert!(codec(&format!("video/{name}"), "").is_fec(), "{name}");
    }
    let opus = codec("audio/opus", "");
    assert_eq!((opus.kind_name(), opus.name()), ("audio", "opus"));
    assert_eq!(codec("opus", "").name(), "opus");
}
