//! Payload types, header extension ids, codec preferences, simulcast and parameters over exchanges.

use std::collections::BTreeMap;

use pc_jsep::{
    EncodingParameters, ErrorKind, SdpType, Session, TransceiverDirection as Direction,
    TransceiverId, TransceiverInit,
};

use crate::support::*;

/// What every payload type and extension id of a session's sections means.
fn meanings(text: &str) -> BTreeMap<String, String> {
    let mut meanings = BTreeMap::new();
    for line in text.lines() {
        let (key, value) = match line.split_once(' ') {
            Some((key, value)) if key.starts_with("a=rtpmap:") => (key, value),
            Some((key, value)) if key.starts_with("a=extmap:") => (key, value),
            Some((key, value)) if key.starts_with("a=fmtp:") && value.starts_with("apt=") => {
                (key, value)
            }
            _ => continue,
        };
        if let Some(other) = meanings.insert(key.to_owned(), value.to_owned()) {
            assert_eq!(other, value, "{key} means two things in\n{text}");
        }
    }
    meanings
}

#[test]
fn numbers_stay_whoever_offers() {
    // A peer with numbers of its own.
    let mut config = config(2);
    for (index, codec) in config.capabilities.video.codecs.iter_mut().enumerate() {
        codec.payload_type = 96 + u8::try_from(31 - index % 32).unwrap();
    }
    for (index, own) in config
        .capabilities
        .video
        .header_extensions
        .iter_mut()
        .enumerate()
    {
        own.preferred_id = 14 - u8::try_from(index % 14).unwrap();
    }
    let (mut a, mut b) = (session(1), Session::new(config));
    a.add_track(Video, "a", &[]).unwrap();
    let (first, answer) = exchange(&mut a, &mut b);
    let mut known = meanings(&first);
    for (key, value) in meanings(&answer) {
        assert_eq!(
            known.get(&key),
            Some(&value),
            "answers use the offer's numbers"
        );
    }
    for round in 0..6 {
        let (x, y) = match round % 2 {
            0 => (&mut b, &mut a),
            _ => (&mut a, &mut b),
        };
        let kind = if round % 3 == 0 { Audio } else { Video };
        x.add_track(kind, &format!("more-{round}"), &[]).unwrap();
        let (offer, answer) = exchange(x, y);
        for text in [offer, answer] {
            for (key, value) in meanings(&text) {
                let before = known.entry(key.clone()).or_insert_with(|| value.clone());
                assert_eq!(*before, value, "{key} has changed in round {round}");
            }
        }
    }
}

#[test]
fn preferences_order_offers_and_answers() {
    let (mut a, mut b) = pair();
    let id = a.add_track(Video, "face", &[]).unwrap();
    let all = a.capabilities(Video).receive_capabilities().codecs;
    let vp9 = all.iter().find(|own| own.name() == "VP9").unwrap().clone();
    let vp8 = all.iter().find(|own| own.name() == "VP8").unwrap().clone();
    a.set_codec_preferences(id, vec![vp9.clone(), vp8.clone()])
        .unwrap();
    let text = offer(&mut a, &mut b);
    let names = |text: &str| -> Vec<String> {
        let maps = lines(text, "a=rtpmap").into_iter();
        maps.map(|line| line.split([' ', '/']).nth(1).unwrap().to_owned())
            .collect()
    };
    assert_eq!(names(&text), ["VP9", "VP8"]);
    b.set_codec_preferences(only(&b), vec![vp8, vp9]).unwrap();
    let text = answer(&mut b, &mut a, SdpType::Answer);
    assert_eq!(names(&text), ["VP8", "VP9"]);
    let sent = a.transceiver(id).unwrap().send_codecs();
    assert_eq!(sent[0].codec.name(), "VP8", "what the peer wants most");
    let mut wrong = all[0].clone();
    wrong.clock_rate += 1;
    let error = fails(&mut a, |a| a.set_codec_preferences(id, vec![wrong]));
    assert_eq!(error.kind, ErrorKind::InvalidModification);
    a.set_codec_preferences(id, Vec::new()).unwrap();
    let text = local(&mut a, SdpType::Offer);
    assert!(names(&text).len() > 2);
}

#[test]
fn a_section_without_a_common_codec_is_rejected() {
    let (mut a, mut b) = pair();
    let id = a.add_track(Video, "face", &[]).unwrap();
    a.add_track(Audio, "voice", &[]).unwrap();
    let text = local(&mut a, SdpType::Offer);
    let text = text.replace("VP8/", "V_8/").replace("VP9/", "V_9/");
    let text = text.replace("H264/", "H_64/").replace("AV1/", "A_1/");
    b.set_remote_description(SdpType::Offer, &text).unwrap();
    answer(&mut b, &mut a, SdpType::Answer);
    assert!(a.transceiver(id).is_none());
    assert_eq!((a.transceivers().count(), b.transceivers().count()), (1, 1));
    assert_eq!(bundles(&a), bundles(&b));
}

fn in_sizes(session: &mut Session, rids: &[&str]) -> TransceiverId {
    let encodings = rids.iter().map(|rid| EncodingParameters {
        rid: Some((*rid).to_owned()),
        ..EncodingParameters::default()
    });
    let init = TransceiverInit {
        direction: Direction::SendOnly,
        send_encodings: encodings.collect(),
        ..TransceiverInit::default()
    };
    session.add_transceiver(Video, Some("face"), init).unwrap()
}

fn received_rids(session: &Session) -> Vec<String> {
    let all = session.transceivers();
    all.flat_map(|own| own.receive_rids().to_vec()).collect()
}

fn rids(session: &Session, id: TransceiverId) -> Vec<String> {
    let own = session.transceiver(id).unwrap();
    let rids = own.send_encodings().iter();
    rids.filter_map(|own| own.rid.clone()).collect()
}

#[test]
fn simulcast_is_offered_and_taken() {
    let (mut a, mut b) = pair();
    let id = in_sizes(&mut a, &["q", "h", "f"]);
    let (offer, answer) = exchange(&mut a, &mut b);
    assert_eq!(lines(&offer, "a=simulcast"), ["a=simulcast:send q;h;f"]);
    assert_eq!(lines(&answer, "a=simulcast"), ["a=simulcast:recv q;h;f"]);
    assert_eq!(
        lines(&answer, "a=rid"),
        ["a=rid:q recv", "a=rid:h recv", "a=rid:f recv"]
    );
    assert_eq!(rids(&a, id), ["q", "h", "f"]);
    assert_eq!(received_rids(&b), ["q", "h", "f"]);
    assert!(received_rids(&a).is_empty());
    exchange(&mut b, &mut a);
    assert_eq!(rids(&a, id), ["q", "h", "f"], "whoever offers");
    assert_eq!(received_rids(&b), ["q", "h", "f"]);
}

#[test]
fn a_scalability_mode_is_one_that_the_encoder_has() {
    let mut config = config(3);
    for codec in &mut config.capabilities.video.codecs {
        let is_kept = codec.codec.mime_type == "video/VP8";
        codec.scalability_modes.retain(|_| is_kept);
    }
    let mut session = Session::new(config);
    let mut with = |mode: &str| {
        let encoding = EncodingParameters {
            scalability_mode: Some(mode.to_owned()),
            ..EncodingParameters::default()
        };
        let init = TransceiverInit {
            send_encodings: vec![encoding],
            ..TransceiverInit::default()
        };
        session.add_transceiver(Video, None, init)
    };
    let id = with("L1T3").unwrap();
    assert_eq!(with("L3T3_KEY").unwrap_err().kind, ErrorKind::Operation);
    let mut parameters = session.send_parameters(id).unwrap();
    parameters.encodings[0].scalability_mode = Some("L2T1".into());
    let error = session.set_send_parameters(id, parameters).unwrap_err();
    assert_eq!(error.kind, ErrorKind::InvalidModification);
    assert_eq!(
        session.transceiver(id).unwrap().send_encodings()[0]
            .scalability_mode
            .as_deref(),
        Some("L1T3")
    );
}

#[test]
fn an_answer_takes_some_of_the_simulcast_or_none() {
    for (line, kept) in [
        ("a=simulcast:recv q;f\r\n", &["q", "f"][..]),
        ("a=simulcast:recv h\r\n", &["h"]),
        ("", &["q"]),
    ] {
        let (mut a, mut b) = pair();
        let id = in_sizes(&mut a, &["q", "h", "f"]);
        offer(&mut a, &mut b);
        let text = local(&mut b, SdpType::Answer);
        let text = edited(&text, "a=simulcast:recv q;h;f\r\n", line);
        a.set_remote_description(SdpType::Answer, &text).unwrap();
        assert_eq!(rids(&a, id), kept, "{line}");
        assert_eq!(
            a.transceiver(id).unwrap().send_encodings().len(),
            kept.len()
        );
    }
}

#[test]
fn the_peer_restricts_what_it_takes() {
    let (mut a, mut b) = pair();
    let id = in_sizes(&mut a, &["q", "f"]);
    offer(&mut a, &mut b);
    let text = local(&mut b, SdpType::Answer);
    let number = text.split("a=rtpmap:").nth(1).unwrap();
    let number = number.split(' ').next().unwrap();
    let line = format!("a=rid:f recv pt={number};max-width=640;max-fps=15.5;max-br=500000\r\n");
    let text = edited(&text, "a=rid:f recv\r\n", &line);
    a.set_remote_description(SdpType::Answer, &text).unwrap();
    let view = a.transceiver(id).unwrap();
    assert_eq!(rids(&a, id), ["q", "f"]);
    assert_eq!(view.send_restrictions("q"), None);
    let own = view.send_restrictions("f").unwrap();
    let types: Vec<_> = own.payload_types.iter().map(|it| it.value()).collect();
    assert_eq!(types, [number.parse::<u8>().unwrap()]);
    assert_eq!((own.max_width, own.max_height), (Some(640.0), None));
    assert_eq!(
        (own.max_framerate, own.max_bitrate),
        (Some(15.5), Some(500_000.0))
    );
}

#[test]
fn an_offer_asks_for_simulcast_and_its_rollback_takes_it_back() {
    let (mut a, mut b) = pair();
    let voice = b.add_track(Video, "face", &[]).unwrap();
    add(&mut a, Video, Direction::RecvOnly);
    let text = local(&mut a, SdpType::Offer);
    let text = edited(
        &text,
        "a=rtcp-mux\r\n",
        "a=rtcp-mux\r\na=rid:l recv\r\na=rid:m recv\r\na=simulcast:recv l;m\r\n",
    );
    b.set_remote_description(SdpType::Offer, &text).unwrap();
    assert_eq!(rids(&b, voice), ["l", "m"]);
    b.set_remote_description(SdpType::Rollback, "").unwrap();
    assert!(rids(&b, voice).is_empty());
    b.set_remote_description(SdpType::Offer, &text).unwrap();
    let text = local(&mut b, SdpType::Answer);
    assert_eq!(lines(&text, "a=simulcast"), ["a=simulcast:send l;m"]);
    assert_eq!(rids(&b, voice), ["l", "m"]);
}

#[test]
fn parameters_show_what_was_agreed() {
    let (mut a, mut b) = pair();
    let id = a.add_track(Video, "face", &[]).unwrap();
    let before = a.send_parameters(id).unwrap();
    assert!(before.codecs.is_empty() && before.header_extensions.is_empty());
    exchange(&mut a, &mut b);
    let error = fails(&mut a, |a| a.set_send_parameters(id, before));
    assert_eq!(
        error.kind,
        ErrorKind::InvalidState,
        "of before the exchange"
    );
    let mut own = a.send_parameters(id).unwrap();
    assert!(!own.codecs.is_empty() && !own.header_extensions.is_empty());
    assert!(own.rtcp.reduced_size && !own.rtcp.cname.is_empty());
    let theirs = b.receive_parameters(only(&b)).unwrap();
    let numbers = |codecs: &[pc_jsep::CodecParameters]| -> Vec<_> {
        let mut all: Vec<_> = codecs.iter().map(|own| own.payload_type.value()).collect();
        all.sort_unstable();
        all
    };
    assert_eq!(numbers(&own.codecs), numbers(&theirs.codecs));
    own.encodings[0].max_bitrate = Some(100_000);
    a.set_send_parameters(id, own.clone()).unwrap();
    let error = fails(&mut a, |a| a.set_send_parameters(id, own));
    assert_eq!(error.kind, ErrorKind::InvalidState, "each is set once");
    let own = a.send_parameters(id).unwrap();
    assert_eq!(own.encodings[0].max_bitrate, Some(100_000));
    a.end_parameter_transactions();
    let error = fails(&mut a, |a| a.set_send_parameters(id, own));
    assert_eq!(error.kind, ErrorKind::InvalidState);
    exchange(&mut b, &mut a);
    let own = a.send_parameters(id).unwrap();
    assert_eq!(
        own.encodings[0].max_bitrate,
        Some(100_000),
        "an exchange keeps it"
    );
}

#[test]
fn header_extensions_are_chosen() {
    let (mut a, mut b) = pair();
    let id = a.add_track(Audio, "voice", &[]).unwrap();
    let mut wanted = a
        .transceiver(id)
        .unwrap()
        .header_extensions_to_negotiate()
        .to_vec();
    for own in &mut wanted {
        if !own.uri.ends_with(":mid") {
            own.direction = Direction::Stopped;
        }
    }
    a.set_header_extensions_to_negotiate(id, wanted).unwrap();
    let (offer, answer) = exchange(&mut a, &mut b);
    assert_eq!(lines(&offer, "a=extmap:").len(), 1);
    assert_eq!(lines(&offer, "a=extmap:"), lines(&answer, "a=extmap:"));
    assert_eq!(a.transceiver(id).unwrap().header_extensions().len(), 1);
}
