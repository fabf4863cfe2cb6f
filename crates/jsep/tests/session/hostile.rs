//! Descriptions and names that mean harm: an error, in little time, and nothing changed.

use std::fmt::Write;
use std::time::{Duration, Instant};

use pc_jsep::{
    BundlePolicy, EncodingParameters, ErrorKind, SdpType, Session,
    TransceiverDirection as Direction, TransceiverInit,
};

use crate::support::*;

/// The one thing these tests ask the clock for.
#[allow(clippy::disallowed_methods)]
fn now() -> Instant {
    Instant::now()
}

/// Far more than any takes, debug build and busy machine included; what is quadratic takes longer.
const SOON: Duration = Duration::from_secs(20);

fn session_lines() -> String {
    let fingerprint = ["AB"; 32].join(":");
    format!(
        "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=ice-ufrag:abcd\r\n\
         a=ice-pwd:abcdefghijklmnopqrstuv\r\na=fingerprint:sha-256 {fingerprint}\r\na=setup:actpass\r\n"
    )
}

fn audio(mid: &str) -> String {
    format!(
        "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=mid:{mid}\r\na=rtcp-mux\r\n\
         a=rtpmap:111 opus/48000/2\r\n"
    )
}

fn refused(text: &str) -> pc_jsep::Error {
    let mut session = session(1);
    session.add_track(Audio, "voice", &[]).unwrap();
    let started = now();
    let error = fails(&mut session, |own| {
        own.set_remote_description(SdpType::Offer, text)
    });
    assert!(started.elapsed() < SOON, "{:?}", started.elapsed());
    error
}

#[test]
fn too_much_is_refused_with_its_line() {
    let long = session_lines() + &"a=x:".repeat(10 << 20 >> 2);
    let many: String = (0..100_000).map(|mid| audio(&mid.to_string())).collect();
    let short = session_lines() + &"m=audio 0 RTP/AVP 0\r\n".repeat(100_000);
    for text in [long, session_lines() + &many, short] {
        let error = refused(&text);
        let ErrorKind::Syntax { line } = error.kind else {
            panic!("{error:?}");
        };
        assert!(line > 4, "{error}");
    }
}

#[test]
fn what_is_no_sdp_is_refused_with_its_line() {
    let text = session_lines() + "m=audio 9 UDP/TLS/RTP/SAVPF 128\r\n";
    assert_eq!(refused(&text).kind, ErrorKind::Syntax { line: 9 });
    for (line, text) in [
        (13, "a=rtpmap:128 opus/48000/2\r\n"),
        (14, "a=extmap:0 urn:x\r\n"),
    ] {
        let text = session_lines() + &audio("0") + text;
        let error = refused(&text);
        assert!(
            matches!(error.kind, ErrorKind::Syntax { .. }),
            "{line} {error:?}"
        );
    }
    assert_eq!(refused("").kind, ErrorKind::Syntax { line: 1 });
    assert_eq!(refused("v=1\r\n").kind, ErrorKind::Syntax { line: 1 });
}

#[test]
fn contradictions_are_refused() {
    let bundle = |groups: &str| session_lines() + groups + &audio("0") + &audio("1");
    for text in [
        session_lines() + &audio("0") + &audio("0"),
        bundle("a=group:BUNDLE 0 1\r\na=group:BUNDLE 1\r\n"),
        bundle("a=group:BUNDLE 0 0 1\r\n"),
        session_lines() + &audio("0") + "a=extmap:1 urn:x\r\na=extmap:1 urn:y\r\n",
        session_lines()
            + "a=group:BUNDLE 0 1\r\n"
            + &audio("0")
            + "a=extmap:1 urn:x\r\n"
            + &audio("1")
            + "a=extmap:1 urn:y\r\n",
        (session_lines() + &audio("0")).replace("111", "70"),
        session_lines() + &audio("0") + "a=rtpmap:111 PCMU/8000\r\n",
    ] {
        assert_eq!(refused(&text).kind, ErrorKind::InvalidAccess, "{text}");
    }
}

#[test]
fn extensions_beyond_the_ids_of_packets_are_not_taken() {
    let mut own = session(1);
    let text =
        session_lines() + &audio("0") + "a=extmap:256 urn:ietf:params:rtp-hdrext:sdes:mid\r\n";
    match own.set_remote_description(SdpType::Offer, &text) {
        Err(error) => assert!(matches!(
            error.kind,
            ErrorKind::Syntax { .. } | ErrorKind::InvalidAccess
        )),
        Ok(()) => assert!(lines(&local(&mut own, SdpType::Answer), "a=extmap").is_empty()),
    }
}

#[test]
fn a_thousand_rids_are_refused() {
    let mut text = session_lines() + &audio("0");
    for rid in 0..1000 {
        write!(text, "a=rid:r{rid} send\r\n").unwrap();
    }
    assert_eq!(refused(&text).kind, ErrorKind::InvalidAccess);
}

fn answers_soon(session: &mut Session, text: &str) -> String {
    let started = now();
    session
        .set_remote_description(SdpType::Offer, text)
        .unwrap();
    let answer = local(session, SdpType::Answer);
    assert!(started.elapsed() < SOON, "{:?}", started.elapsed());
    answer
}

#[test]
fn a_thousand_sections_are_answered() {
    let mids: String = (0..1000).map(|mid| format!(" {mid}")).collect();
    let sections: String = (0..1000).map(|mid| audio(&mid.to_string())).collect();
    let bundled = session_lines() + "a=group:BUNDLE" + &mids + "\r\n" + &sections;
    let alone = session_lines() + &sections;
    let nameless: String = alone
        .lines()
        .filter(|line| !line.starts_with("a=mid"))
        .flat_map(|line| [line, "\r\n"])
        .collect();
    for (text, transports) in [(&bundled, 1), (&alone, 1000), (&nameless, 1000)] {
        let mut own = with_policy(1, BundlePolicy::MaxCompat);
        let answer = parse(&answers_soon(&mut own, text));
        assert_eq!(answer.media.len(), 1000);
        assert!(answer.media.iter().all(|media| !media.is_rejected()));
        assert_eq!(own.transports().len(), transports);
        let started = now();
        own.update_negotiation_needed();
        let text = local(&mut own, SdpType::Offer);
        assert_eq!(parse(&text).media.len(), 1000);
        assert!(started.elapsed() < SOON, "{:?}", started.elapsed());
        let full = fails(&mut own, |own| {
            own.add_track(Audio, "one more", &[]).map(drop)
        });
        assert!(
            matches!(full.kind, ErrorKind::Type | ErrorKind::Operation),
            "{full}"
        );
    }
}

#[test]
fn what_is_said_for_all_sections_is_not_kept_for_each_without_bound() {
    let fingerprint = format!("a=fingerprint:sha-256 {}\r\n", ["CD"; 32].join(":"));
    let head = session_lines();
    let sections: String = (0..900).map(|mid| audio(&mid.to_string())).collect();
    let room = (1 << 20) - head.len() - sections.len() - 8000;
    let extmaps: String = (0..4000)
        .map(|id| format!("a=extmap:{} urn:{id}:{}\r\n", 256 + id, "x".repeat(200)))
        .collect();
    let mids: String = (0..900).map(|mid| format!(" {mid}")).collect();
    for more in [
        fingerprint.repeat(room / fingerprint.len()),
        format!("a=tls-id:{}\r\n", "x".repeat(room - 20)),
        extmaps[..room.min(extmaps.len())]
            .rsplit_once("a=extmap")
            .unwrap()
            .0
            .to_owned(),
    ] {
        let text = head.clone() + &more + "a=group:BUNDLE" + &mids + "\r\n" + &sections;
        let mut own = session(1);
        let started = now();
        // Refused or not, it must not fill the memory: a third of a gigabyte would be a megabyte each.
        let _ = own.set_remote_description(SdpType::Offer, &text);
        assert!(started.elapsed() < SOON, "{:?}", started.elapsed());
        assert!(format!("{own:?}").len() < 64 << 20);
    }
    let text = head.replace(
        "a=ice-ufrag:abcd",
        &("a=ice-ufrag:".to_owned() + &"x".repeat(room - 20)),
    ) + "a=group:BUNDLE"
        + &mids
        + "\r\n"
        + &sections;
    assert_eq!(refused(&text).kind, ErrorKind::InvalidAccess);
}

#[test]
fn candidates_are_bounded() {
    let mut text = session_lines() + &audio("0");
    for port in 1..10_000 {
        write!(
            text,
            "a=candidate:{port} 1 udp 1 192.0.2.1 {port} typ host\r\n"
        )
        .unwrap();
    }
    let mut own = session(1);
    answers_soon(&mut own, &text);
    let peer = own.transports()[0].peer.as_ref().unwrap();
    assert_eq!(peer.candidates.len(), 256);
    for port in 10_000..11_000 {
        let init = pc_jsep::CandidateInit {
            candidate: format!("candidate:{port} 1 udp 1 192.0.2.1 {port} typ host"),
            sdp_mid: Some("0".to_owned()),
            ..Default::default()
        };
        own.add_ice_candidate(Some(&init)).unwrap();
    }
    assert_eq!(
        own.transports()[0].peer.as_ref().unwrap().candidates.len(),
        256
    );
    let (_, text) = own.remote_description().unwrap();
    assert!(lines(&text, "a=candidate").len() < 10_300);
}

#[test]
fn an_offer_cannot_shrink_or_rename() {
    let (mut a, mut b) = pair();
    a.add_track(Audio, "voice", &[]).unwrap();
    a.add_track(Video, "face", &[]).unwrap();
    exchange(&mut a, &mut b);
    let text = local(&mut a, SdpType::Offer);
    let fewer = &text[..text.find("m=video").unwrap()];
    let renamed = edited(
        &edited(&text, "a=mid:1", "a=mid:x"),
        "BUNDLE 0 1",
        "BUNDLE 0 x",
    );
    let mut other = session(3);
    other.add_track(Video, "face", &[]).unwrap();
    other.add_track(Audio, "voice", &[]).unwrap();
    let turned = local(&mut other, SdpType::Offer);
    for text in [fewer, &renamed, &turned] {
        let error = fails(&mut b, |b| b.set_remote_description(SdpType::Offer, text));
        assert_eq!(error.kind, ErrorKind::InvalidAccess);
    }
    b.set_remote_description(SdpType::Offer, &text).unwrap();
}

#[test]
fn no_name_breaks_out_of_its_line() {
    let long = "x".repeat(256);
    for name in ["a b", "a\r\na=x", "a\na=x", "a\tb", "", "a\0b", &long] {
        let mut own = session(1);
        let id = own.add_track(Audio, "voice", &[]).unwrap();
        let names = streams(&["fine", name]);
        let of_track = fails(&mut own, |own| own.add_track(Video, name, &[]));
        let of_stream = fails(&mut own, |own| own.add_track(Video, "face", &names));
        let init = TransceiverInit {
            streams: names.clone(),
            ..TransceiverInit::default()
        };
        let of_init = fails(&mut own, |own| {
            own.add_transceiver(Video, Some("face"), init)
        });
        let init = TransceiverInit::default();
        let of_transceiver = fails(&mut own, |own| own.add_transceiver(Video, Some(name), init));
        let of_set = fails(&mut own, |own| own.set_streams(id, &names));
        let of_replace = fails(&mut own, |own| own.replace_track(id, Some(name)));
        let rid = EncodingParameters {
            rid: Some(name.to_owned()),
            ..EncodingParameters::default()
        };
        let init = TransceiverInit {
            send_encodings: vec![rid],
            ..TransceiverInit::default()
        };
        let of_rid = fails(&mut own, |own| own.add_transceiver(Video, None, init));
        for error in [
            of_track,
            of_stream,
            of_init,
            of_transceiver,
            of_set,
            of_replace,
            of_rid,
        ] {
            assert_eq!(error.kind, ErrorKind::Type, "{name:?}: {error}");
        }
        let offer = local(&mut own, SdpType::Offer);
        assert_eq!(lines(&offer, "a=x").len(), 0);
    }
    let mut own = session(1);
    let none = fails(&mut own, |own| {
        own.add_track(Audio, "voice", &streams(&["-"]))
    });
    assert_eq!(none.kind, ErrorKind::Type);
    let many: Vec<_> = (0..65).map(|name| name.to_string()).collect();
    let error = fails(&mut own, |own| own.add_track(Audio, "voice", &many));
    assert_eq!(error.kind, ErrorKind::Type);
}

#[test]
fn what_nobody_knows_is_rejected_and_keeps_its_place() {
    let mut own = session(1);
    let text = session_lines()
        + "a=group:BUNDLE x 1 nobody\r\nm=text 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:x\r\n"
        + &audio("1")
        + "m=audio 9 RTP/AVP 0\r\na=mid:2\r\nm=application 9 TCP/BFCP *\r\na=mid:3\r\nm=text 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:4\r\n";
    own.set_remote_description(SdpType::Offer, &text).unwrap();
    let answer = parse(&local(&mut own, SdpType::Answer));
    let ports: Vec<_> = answer.media.iter().map(|media| media.port() == 0).collect();
    assert_eq!(ports, [true, false, true, true, true]);
    let heads = lines(&text, "m=")
        .into_iter()
        .map(|line| line.split(' ').next().unwrap());
    let ours: Vec<_> = answer
        .media
        .iter()
        .map(|media| format!("m={}", media.kind()))
        .collect();
    assert!(heads.eq(ours.iter().map(String::as_str)));
    // The free places are taken by what comes.
    own.add_track(Video, "face", &[]).unwrap();
    add(&mut own, Audio, Direction::RecvOnly);
    let offer = parse(&local(&mut own, SdpType::Offer));
    assert_eq!(offer.media.len(), 5);
    assert_eq!(own.transceivers().count(), 3);
}
