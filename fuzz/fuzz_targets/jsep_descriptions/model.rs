//! Brings a session into the state that the first byte says, and sets the rest as a description.
//!
//! Used by the fuzz target and by the test of `pc-jsep` that replays its corpus.

use pc_jsep::{Config, MediaKind, SdpType, Session, SignalingState, TransceiverInit};

pub(crate) fn run(data: &[u8]) {
    let Some((&case, text)) = data.split_first() else {
        return;
    };
    let text = String::from_utf8_lossy(text);
    let session = session_in(case % 7);
    let kind = match case / 7 % 3 {
        0 => SdpType::Offer,
        1 => SdpType::Answer,
        _ => SdpType::Pranswer,
    };
    hear(&session, kind, &text);
}

/// A session with audio, video in three sizes and data, after or within an exchange.
fn session_in(state: u8) -> Session {
    let (mut own, mut peer) = (session(1), session(2));
    match state {
        // Nothing has happened.
        0 => {}
        1 => offer(&mut own),
        2 => {
            offer(&mut own);
            transfer(&own, &mut peer);
            set(&mut peer, SdpType::Pranswer);
            transfer(&peer, &mut own);
        }
        3 => {
            offer(&mut peer);
            transfer(&peer, &mut own);
        }
        4 => {
            offer(&mut peer);
            transfer(&peer, &mut own);
            set(&mut own, SdpType::Pranswer);
        }
        state => {
            offer(&mut own);
            transfer(&own, &mut peer);
            set(&mut peer, SdpType::Answer);
            transfer(&peer, &mut own);
            if state == 6 {
                offer(&mut own);
            }
        }
    }
    own
}

fn session(seed: u8) -> Session {
    let fingerprint = format!("sha-256 {}", vec![format!("{seed:02X}"); 32].join(":"));
    let fingerprint = fingerprint.parse().expect("a fingerprint");
    let mut config = Config::new([seed; 32], vec![fingerprint]);
    // Fewer codecs than there are: what is odd about a description is seldom that.
    config.capabilities.audio.codecs.drain(3..);
    config.capabilities.video.codecs.drain(6..);
    let mut session = Session::new(config);
    let streams = ["stream".to_owned()];
    session
        .add_track(MediaKind::Audio, "voice", &streams)
        .expect("a track");
    let encodings = ["q", "h", "f"].map(|rid| pc_jsep::EncodingParameters {
        rid: Some(rid.to_owned()),
        ..Default::default()
    });
    let init = TransceiverInit {
        send_encodings: encodings.to_vec(),
        ..TransceiverInit::default()
    };
    session
        .add_transceiver(MediaKind::Video, Some("face"), init)
        .expect("a transceiver");
    session.want_data();
    session
}

fn offer(session: &mut Session) {
    set(session, SdpType::Offer);
}

fn set(session: &mut Session, kind: SdpType) {
    session
        .set_local_description(Some((kind, "")))
        .expect("a local description");
}

fn transfer(from: &Session, to: &mut Session) {
    let (kind, text) = from.local_description().expect("a description");
    to.set_remote_description(kind, &text)
        .expect("a remote description");
}

/// A failure changes nothing; after a success the session goes on as if nothing had happened.
fn hear(session: &Session, kind: SdpType, text: &str) {
    let mut copy = session.clone();
    if copy.set_remote_description(kind, text).is_err() {
        let (before, after) = (format!("{session:?}"), format!("{copy:?}"));
        assert_eq!(before, after, "changed by a failure");
        return;
    }
    let (told, written) = copy.remote_description().expect("what was set");
    assert_eq!(told, kind);
    pc_sdp::SessionDescription::parse(&written).expect("what was set can be read");
    if copy.signaling_state() == SignalingState::HaveRemoteOffer {
        let mut back = copy.clone();
        back.set_local_description(Some((SdpType::Rollback, "")))
            .expect("a rollback");
        assert_eq!(back.signaling_state(), SignalingState::Stable);
        if copy.set_local_description(None).is_err() {
            return;
        }
        check_answer(&copy);
    }
    if copy.signaling_state() == SignalingState::Stable {
        copy.set_local_description(None).expect("a later offer");
        let (_, offer) = copy.local_description().expect("an offer");
        // Somebody who was not there has to understand it.
        let mut other = Session::new(copy_config());
        match other.set_remote_description(SdpType::Offer, &offer) {
            Ok(()) => other.set_local_description(None).expect("an answer"),
            Err(error) => panic!("{error} in our own offer:\n{offer}"),
        }
    }
}

fn copy_config() -> Config {
    let fingerprint = format!("sha-256 {}", ["03"; 32].join(":"));
    Config::new([3; 32], vec![fingerprint.parse().expect("a fingerprint")])
}

/// An answer has the sections of its offer.
fn check_answer(session: &Session) {
    let read = |description: Option<(SdpType, String)>| {
        let (_, text) = description.expect("a description");
        pc_sdp::SessionDescription::parse(&text).expect("a description that can be read")
    };
    let (offer, answer) = (
        read(session.current_remote_description()),
        read(session.current_local_description()),
    );
    assert_eq!(offer.media.len(), answer.media.len());
    for (offer, answer) in offer.media.iter().zip(&answer.media) {
        assert_eq!(offer.kind(), answer.kind());
        assert_eq!(offer.mid(), answer.mid());
        assert!(!offer.is_rejected() || answer.is_rejected());
    }
}
