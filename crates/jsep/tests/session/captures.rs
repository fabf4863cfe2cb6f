//! The descriptions of real peers.

use std::{fs, path::PathBuf};

use pc_jsep::{SdpType, Session, SignalingState, TransceiverDirection as Direction};

use crate::support::*;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data")
}

fn read(name: &str) -> String {
    fs::read_to_string(folder().join(name)).unwrap()
}

fn names() -> Vec<String> {
    let files = fs::read_dir(folder()).unwrap();
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.filter(|name| name.ends_with(".sdp")).collect();
    names.sort();
    names
}

#[test]
fn every_offer_gets_an_answer_and_a_later_offer() {
    let mut count = 0;
    for name in names().iter().filter(|name| !name.contains("answer")) {
        let text = read(name);
        let mut own = session(1);
        own.add_track(Audio, "voice", &streams(&["s"])).unwrap();
        own.add_track(Video, "face", &streams(&["s"])).unwrap();
        own.set_remote_description(SdpType::Offer, &text)
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        let offered = parse(&text);
        let answered = parse(&local(&mut own, SdpType::Answer));
        assert_eq!(own.signaling_state(), SignalingState::Stable);
        assert_eq!(answered.media.len(), offered.media.len(), "{name}");
        for (theirs, ours) in offered.media.iter().zip(&answered.media) {
            assert_eq!(theirs.mid(), ours.mid(), "{name}");
            let was_stopped = theirs.is_rejected() && !theirs.has(&pc_sdp::Attribute::BundleOnly);
            assert_eq!(
                ours.is_rejected(),
                was_stopped,
                "{name}: {:?}",
                theirs.mid()
            );
        }
        for plan in own.transports() {
            assert!(plan.peer.is_some(), "{name}");
        }
        assert_eq!(own.transports().len(), 1, "{name}");
        let (_, later) = {
            own.set_local_description(None).unwrap();
            own.local_description().unwrap()
        };
        assert!(parse(&later).media.len() >= offered.media.len(), "{name}");
        own.set_local_description(Some((SdpType::Rollback, "")))
            .unwrap();
        // The peer offers the same again.
        own.set_remote_description(SdpType::Offer, &text)
            .unwrap_or_else(|error| panic!("{name} again: {error}"));
        own.set_local_description(None).unwrap();
        count += 1;
    }
    assert!(count >= 30, "{count} offers");
}

/// Sections as in an answer, of our own offer.
fn offering(answer: &str) -> Session {
    let mut own = session(1);
    for media in &parse(answer).media {
        match media.kind() {
            pc_sdp::MediaKind::Audio => drop(add(&mut own, Audio, Direction::SendRecv)),
            pc_sdp::MediaKind::Video => drop(add(&mut own, Video, Direction::SendRecv)),
            _ => own.want_data(),
        }
    }
    own
}

#[test]
fn every_answer_is_taken_for_an_offer_like_its_own() {
    let mut count = 0;
    for name in names().iter().filter(|name| name.contains("answer")) {
        let mut text = read(name);
        let mut own = offering(&text);
        local(&mut own, SdpType::Offer);
        // It answers another offer: what the sections are called was that one's choice.
        let (_, offer) = own.local_description().unwrap();
        for (index, media) in parse(&text).media.iter().enumerate() {
            let theirs = media.mid().expect("a mid").to_string();
            let line = format!("a=mid:{theirs}\r\n");
            text = edited(&text, &line, &format!("a=mid:{index}\r\n"));
            text = text.replace(&format!("BUNDLE {theirs}"), &format!("BUNDLE {index}"));
        }
        let sections = parse(&offer).media.len();
        let group: String = (0..sections).map(|mid| format!(" {mid}")).collect();
        let lines = text
            .lines()
            .map(|line| match line.starts_with("a=group:BUNDLE") {
                true => format!("a=group:BUNDLE{group}\r\n"),
                false => format!("{line}\r\n"),
            });
        let text: String = lines.collect();
        own.set_remote_description(SdpType::Answer, &text)
            .unwrap_or_else(|error| panic!("{name}: {error}\n{text}"));
        assert_eq!(own.transports().len(), 1, "{name}");
        let has_codecs = own.transceivers().all(|own| {
            own.current_direction() == Some(Direction::Inactive) || !own.send_codecs().is_empty()
        });
        assert!(has_codecs, "{name}");
        local(&mut own, SdpType::Offer);
        count += 1;
    }
    assert!(count >= 7, "{count} answers");
}
