use std::fmt::Write;

use pc_sdp::{Direction, SessionDescription};
use proptest::prelude::*;

use super::*;
use crate::{Capabilities, ErrorKind, MediaKind};

fn description(of_session: &str, of_media: &str) -> SessionDescription {
    let text = format!(
        "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n{of_session}\
         m=video 9 UDP/TLS/RTP/SAVPF 96\r\n{of_media}"
    );
    SessionDescription::parse(&text).unwrap()
}

fn read(of_session: &str, of_media: &str) -> Result<Vec<HeaderExtension>, Error> {
    let session = description(of_session, of_media);
    read_extensions(&session, &session.media[0])
}

fn extension(id: u16, uri: &str, direction: Direction) -> HeaderExtension {
    HeaderExtension {
        uri: uri.to_owned(),
        id,
        direction,
        encrypted: false,
    }
}

fn both(id: u16, uri: &str) -> HeaderExtension {
    extension(id, uri, Direction::SendRecv)
}

fn wanted(kind: MediaKind) -> Vec<HeaderExtensionCapability> {
    Capabilities::default().of(kind).header_extensions.clone()
}

fn ids(extensions: &[HeaderExtension]) -> Vec<u16> {
    extensions.iter().map(|own| own.id).collect()
}

/// The first section of a kind in a captured description.
fn captured(name: &str, kind: &str) -> Vec<HeaderExtension> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    let text = std::fs::read_to_string(folder.join(name)).unwrap();
    let session = SessionDescription::parse(&text).unwrap();
    let mut media = session.media.iter();
    let media = media.find(|media| media.kind().as_str() == kind).unwrap();
    read_extensions(&session, media).unwrap()
}

#[test]
fn what_we_offer_is_what_chromium_offers() {
    let mut taken = ExtensionIds::default();
    for kind in [MediaKind::Audio, MediaKind::Video] {
        let chromium = captured("chromium-audio-video-data.sdp", kind.as_str());
        let ours = offer_extensions(&wanted(kind), &[], &mut taken);
        assert_eq!(ours, chromium, "{kind}");
    }
}

#[test]
fn an_answer_has_what_both_have_by_the_ids_of_the_offer() {
    for (name, kind, expected) in [
        (
            "firefox-audio-video-data.sdp",
            MediaKind::Audio,
            &[1, 3, 7][..],
        ),
        (
            "firefox-audio-video-data.sdp",
            MediaKind::Video,
            &[3, 4, 5, 6, 7],
        ),
        ("aiortc-av-data-offer.sdp", MediaKind::Video, &[1, 3]),
        ("gst-vp8-offer.sdp", MediaKind::Video, &[]),
        ("wrtc-audio-video-data.sdp", MediaKind::Audio, &[1, 2, 3, 4]),
    ] {
        let offered = captured(name, kind.as_str());
        let answer = answer_extensions(&wanted(kind), &offered);
        assert_eq!(ids(&answer), expected, "{name} {kind}");
    }
    // playout-delay is to Firefox, from us.
    let offered = captured("firefox-video.sdp", "video");
    let answer = answer_extensions(&wanted(MediaKind::Video), &offered);
    let delay = answer.iter().find(|own| own.uri == uri::PLAYOUT_DELAY);
    assert_eq!(delay.map(|own| own.direction), Some(Direction::SendOnly));
}

#[test]
fn an_answers_direction_is_what_both_allow() {
    use Direction::{Inactive, RecvOnly, SendOnly, SendRecv};
    use TransceiverDirection as Ours;
    for (ours, theirs, expected) in [
        (Ours::SendRecv, SendOnly, Some(RecvOnly)),
        (Ours::SendRecv, RecvOnly, Some(SendOnly)),
        (Ours::RecvOnly, SendRecv, Some(RecvOnly)),
        (Ours::RecvOnly, RecvOnly, None),
        (Ours::SendOnly, SendOnly, None),
        (Ours::SendRecv, Inactive, None),
        (Ours::Inactive, SendRecv, None),
        (Ours::Stopped, SendRecv, None),
    ] {
        let wanted = [HeaderExtensionCapability {
            uri: uri::MID.to_owned(),
            direction: ours,
            preferred_id: 4,
        }];
        let answer = answer_extensions(&wanted, &[extension(9, uri::MID, theirs)]);
        let direction = answer.first().map(|own| own.direction);
        assert_eq!(direction, expected, "{ours} and {theirs}");
    }
}

#[test]
fn encrypted_proposed_and_repeated_extensions_are_not_taken() {
    let offered = read(
        "",
        "a=extmap:1 urn:ietf:params:rtp-hdrext:encrypt urn:ietf:params:rtp-hdrext:sdes:mid\r\n\
         a=extmap:4096 urn:ietf:params:rtp-hdrext:sdes:mid\r\n\
         a=extmap:20 urn:ietf:params:rtp-hdrext:sdes:mid\r\n\
         a=extmap:3 urn:ietf:params:rtp-hdrext:sdes:mid\r\n\
         a=extmap:5 urn:ietf:params:rtp-hdrext:encrypt\r\n",
    );
    let offered = offered.unwrap();
    assert_eq!(ids(&offered), [1, 4096, 20, 3]);
    assert!(offered[0].encrypted && offered[0].uri == uri::MID);
    let answer = answer_extensions(&wanted(MediaKind::Video), &offered);
    assert_eq!(answer, [both(20, uri::MID)]);
}

#[test]
fn an_id_means_one_extension() {
    let line = |id: u16, uri: &str| format!("a=extmap:{id} {uri}\r\n");
    let (mid, rid) = (line(1, uri::MID), line(1, uri::RID));
    assert_eq!(ids(&read("", &format!("{mid}{mid}")).unwrap()), [1]);
    assert_eq!(ids(&read(&mid, &mid).unwrap()), [1]);
    for (of_session, of_media) in [("", format!("{mid}{rid}")), (&*mid, rid)] {
        let error = read(of_session, &of_media).unwrap_err();
        assert_eq!(error.kind, ErrorKind::InvalidAccess);
    }
}

#[test]
fn the_session_speaks_for_its_sections_until_they_speak_themselves() {
    let of_session = "a=extmap:1 a\r\na=extmap:2 b\r\n";
    let read = read(of_session, "a=extmap:1/sendonly a\r\na=extmap:3 c\r\n").unwrap();
    assert_eq!(
        read,
        [
            extension(1, "a", Direction::SendOnly),
            both(2, "b"),
            both(3, "c")
        ]
    );
}

#[test]
fn an_id_keeps_its_meaning_for_the_whole_session() {
    let mut taken = ExtensionIds::default();
    taken
        .learn(&[both(1, uri::MID), both(4096, uri::RID)])
        .unwrap();
    taken
        .learn(&[both(1, uri::MID), both(4096, uri::MID)])
        .unwrap();
    let error = taken
        .learn(&[both(5, "new"), both(1, uri::RID)])
        .unwrap_err();
    assert_eq!(error.kind, ErrorKind::InvalidAccess);
    taken
        .learn(&[both(5, "another")])
        .expect("nothing was noted");
}

#[test]
fn a_section_keeps_its_ids_and_new_ones_go_around_them() {
    let mut taken = ExtensionIds::default();
    let section = [both(4, uri::ABS_SEND_TIME), both(1, uri::MID)];
    taken.learn(&section).unwrap();
    let ours = offer_extensions(&wanted(MediaKind::Audio), &section, &mut taken);
    assert_eq!(
        ours,
        [
            both(2, uri::SSRC_AUDIO_LEVEL),
            both(4, uri::ABS_SEND_TIME),
            both(3, uri::TRANSPORT_CC),
            both(1, uri::MID),
        ]
    );
    let second = offer_extensions(&wanted(MediaKind::Audio), &[], &mut taken);
    assert_eq!(second, ours);
}

#[test]
fn ids_of_a_section_outside_the_bundle_do_not_collide_with_new_ones() {
    let mut taken = ExtensionIds::default();
    taken.learn(&[both(1, uri::MID)]).unwrap();
    let section = [both(1, uri::TRANSPORT_CC), both(2, uri::ABS_SEND_TIME)];
    taken.learn(&section).unwrap_err();
    let ours = offer_extensions(&wanted(MediaKind::Audio), &section, &mut taken);
    assert_eq!(
        ours,
        [
            both(3, uri::SSRC_AUDIO_LEVEL),
            both(2, uri::ABS_SEND_TIME),
            both(1, uri::TRANSPORT_CC),
            both(4, uri::MID),
        ]
    );
}

#[test]
fn ids_run_out_without_harm_and_15_is_never_given() {
    let capability = |index: usize| HeaderExtensionCapability {
        uri: format!("x{index}"),
        direction: TransceiverDirection::SendRecv,
        preferred_id: 0,
    };
    let wanted: Vec<_> = (0..300).map(capability).collect();
    let offered = offer_extensions(&wanted, &[], &mut ExtensionIds::default());
    let expected: Vec<u16> = (1..=14).chain(16..=255).collect();
    assert_eq!(ids(&offered), expected);
}

#[test]
fn a_session_cannot_fill_all_its_sections() {
    let mut lines = String::new();
    for id in 1..=255 {
        write!(lines, "a=extmap:{id} x{id}\r\n").unwrap();
    }
    assert_eq!(read(&lines, "").unwrap().len(), 32);
    assert_eq!(read("", &lines).unwrap().len(), 255);
    let long = format!("a=extmap:1 {}\r\n", "x".repeat(256));
    assert_eq!(read("", &long), Ok(vec![]));
}

#[test]
fn only_directions_can_be_chosen() {
    let current = wanted(MediaKind::Audio);
    let checked = |change: fn(&mut Vec<HeaderExtensionCapability>)| {
        let mut wanted = current.clone();
        change(&mut wanted);
        check_extensions_to_negotiate(&current, wanted)
    };
    let stopped = checked(|all| {
        all[0].direction = TransceiverDirection::Stopped;
        all[0].preferred_id = 99;
    });
    let stopped = stopped.unwrap();
    assert_eq!(stopped[0].direction, TransceiverDirection::Stopped);
    assert_eq!(stopped[0].preferred_id, current[0].preferred_id);
    assert_eq!(stopped[1..], current[1..]);
    let changes: [fn(&mut Vec<HeaderExtensionCapability>); 6] = [
        |all| drop(all.pop()),
        |all| all.push(all[0].clone()),
        |all| all.swap(0, 1),
        |all| all[0].uri.push('x'),
        |all| all[3].direction = TransceiverDirection::Stopped,
        |all| all[3].direction = TransceiverDirection::RecvOnly,
    ];
    assert_eq!(current[3].uri, uri::MID);
    for change in changes {
        let error = checked(change).unwrap_err();
        assert_eq!(error.kind, ErrorKind::InvalidModification);
    }
}

fn any_extension() -> impl Strategy<Value = HeaderExtension> {
    let direction = prop::sample::select(vec![
        Direction::SendRecv,
        Direction::SendOnly,
        Direction::RecvOnly,
        Direction::Inactive,
    ]);
    let id = prop_oneof![1..=255_u16, 4096..=4351_u16];
    let uri = prop_oneof![
        Just(uri::MID.to_owned()),
        Just(uri::RID.to_owned()),
        "[a-z:]{1,9}"
    ];
    (id, uri, direction, any::<bool>()).prop_map(|(id, uri, direction, encrypted)| {
        HeaderExtension {
            uri,
            id,
            direction,
            encrypted,
        }
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read_the_same(
        mut extensions in prop::collection::vec(any_extension(), 0..40),
    ) {
        let mut seen = std::collections::BTreeSet::new();
        extensions.retain(|own| seen.insert(own.id));
        let mut session = description("", "a=extmap:7 old\r\n");
        write_extensions(&extensions, &mut session.media[0]);
        let parsed = SessionDescription::parse(&session.to_string()).unwrap();
        prop_assert_eq!(read_extensions(&parsed, &parsed.media[0]).unwrap(), extensions);
    }

    #[test]
    fn offers_never_give_one_id_to_two(
        learned in prop::collection::vec(any_extension(), 0..40),
    ) {
        let mut taken = ExtensionIds::default();
        let mut section = Vec::new();
        for own in learned {
            if taken.learn(std::slice::from_ref(&own)).is_ok() {
                section.push(own);
            }
        }
        let ours = offer_extensions(&wanted(MediaKind::Video), &section, &mut taken);
        let mut seen = std::collections::BTreeSet::new();
        for own in &ours {
            prop_assert!((1..=255).contains(&own.id) && seen.insert(own.id), "{}", own.id);
        }
        prop_assert!(taken.learn(&ours).is_ok());
        let answer = answer_extensions(&wanted(MediaKind::Video), &section);
        for own in answer {
            prop_assert!(section.iter().any(|other| other.id == own.id && other.uri == own.uri));
        }
    }
}
