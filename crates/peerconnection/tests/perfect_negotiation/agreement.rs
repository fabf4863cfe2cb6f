//! What two sides that have settled agree on.

use std::collections::{BTreeMap, BTreeSet};

use pc_jsep::{CodecParameters, TransceiverView};
use pc_sdp::SessionDescription as Sdp;
use peerconnection::{
    engine::Connection,
    rtp::{HeaderExtension, TransceiverDirection as Direction},
    state::*,
};

use crate::peer::{Heard, Peer};

pub(crate) fn check(a: &Peer, b: &Peer) {
    for peer in [a, b] {
        let engine = &peer.engine;
        assert_eq!(engine.signaling_state(), SignalingState::Stable);
        assert_eq!(peer.told, SignalingState::Stable, "the last event");
        assert_eq!(engine.pending_local_description(), None);
        assert_eq!(engine.pending_remote_description(), None);
        assert!(!peer.making_offer && !peer.is_setting_remote_answer && !peer.is_taking_back);
        check_heard(peer);
    }
    check_descriptions(&a.engine, &b.engine);
    check_descriptions(&b.engine, &a.engine);
    check_transceivers(&a.engine, &b.engine);
    check_transceivers(&b.engine, &a.engine);
    check_transports(&a.engine, &b.engine);
}

/// What one side has set as its own is what the other has heard, and numbers have one meaning.
fn check_descriptions(one: &Connection, other: &Connection) {
    let (ours, theirs) = (
        one.current_local_description(),
        other.current_remote_description(),
    );
    let (Some(ours), Some(theirs)) = (&ours, &theirs) else {
        return assert_eq!((ours, theirs), (None, None));
    };
    assert_eq!(ours.kind, theirs.kind);
    let read = |text: &str| Sdp::parse(text).unwrap();
    let (local, heard) = (read(&ours.sdp), read(&theirs.sdp));
    assert_eq!(outline(&local), outline(&heard), "m-sections");
    let back = other.current_local_description().unwrap();
    check_numbers(&local, &read(&back.sdp));
}

fn outline(sdp: &Sdp) -> Vec<(String, Option<String>, bool, Vec<String>)> {
    let sections = sdp.media.iter();
    sections
        .map(|media| {
            let rtpmaps = media.rtpmaps().map(|map| format!("{map:?}"));
            (
                media.kind().to_string(),
                media.mid().map(ToString::to_string),
                media.is_rejected(),
                rtpmaps.collect(),
            )
        })
        .collect()
}

/// In a bundle, and this is all one, a payload type is one codec and an id is one header extension,
/// on both sides (RFC 9143 §9.1).
fn check_numbers(ours: &Sdp, theirs: &Sdp) {
    let mut codecs = BTreeMap::new();
    let mut extensions = BTreeMap::new();
    for (section, sdp) in [ours, theirs].iter().enumerate() {
        let live = sdp.media.iter().filter(|media| !media.is_rejected());
        for media in live {
            for map in media.rtpmaps() {
                let meaning = (map.encoding.to_string(), map.clock_rate);
                let before = codecs.insert(map.payload_type, meaning.clone());
                let before = before.unwrap_or_else(|| meaning.clone());
                assert_eq!(before, meaning, "{section} {:?}", map.payload_type);
            }
            for map in media.extmaps() {
                let uri = map.uri.to_string();
                let before = extensions.insert(map.id, uri.clone());
                assert_eq!(before.unwrap_or_else(|| uri.clone()), uri, "{:?}", map.id);
            }
        }
    }
}

fn check_transceivers(one: &Connection, other: &Connection) {
    for own in one.transceivers() {
        let mid = own.mid().expect("a transceiver that was never described");
        let theirs = other.transceivers().find(|it| it.mid() == Some(mid));
        let theirs = theirs.unwrap_or_else(|| panic!("the mid {mid} is on one side only"));
        check_pair(own, theirs);
    }
}

fn check_pair(own: TransceiverView<'_>, theirs: TransceiverView<'_>) {
    let mid = own.mid();
    assert_eq!(own.kind(), theirs.kind());
    assert!(!own.is_stopping(), "{mid:?} was not stopped");
    let direction = own.current_direction().expect("a direction");
    let mirrored = reversed(theirs.current_direction().expect("a direction"));
    assert_eq!(direction, mirrored, "{mid:?}");
    let (wanted, allowed) = (own.direction(), reversed(theirs.direction()));
    let both = Direction::new(
        wanted.sends() && allowed.sends(),
        wanted.receives() && allowed.receives(),
    );
    assert_eq!(direction, both, "{mid:?}: what both want");
    if direction.sends() {
        let sent: BTreeSet<_> = own.sender_streams().iter().collect();
        assert_eq!(sent, theirs.receiver_streams().iter().collect(), "{mid:?}");
    }
    assert_eq!(numbers(own.send_codecs()), numbers(theirs.receive_codecs()));
    assert!(own.send_codecs().iter().any(|it| it.codec.is_media()));
    assert_eq!(
        ids(own.header_extensions()),
        ids(theirs.header_extensions())
    );
}

fn reversed(direction: Direction) -> Direction {
    Direction::new(direction.receives(), direction.sends())
}

fn numbers(codecs: &[CodecParameters]) -> BTreeSet<(u8, String)> {
    let name = |own: &CodecParameters| own.codec.mime_type.to_ascii_lowercase();
    let codecs = codecs.iter();
    codecs
        .map(|own| (own.payload_type.value(), name(own)))
        .collect()
}

fn ids(extensions: &[HeaderExtension]) -> BTreeSet<(u16, &str)> {
    extensions.iter().map(|own| (own.id, &*own.uri)).collect()
}

/// The events have told what the getters tell.
fn check_heard(peer: &Peer) {
    for own in peer.engine.transceivers() {
        let nothing = Heard::default();
        let heard = peer.heard.get(&own.id()).unwrap_or(&nothing);
        assert!(!heard.ended, "{:?} is alive", own.mid());
        let receives = own.current_direction().is_some_and(Direction::receives);
        assert_eq!(heard.receiving, receives, "{:?}: track, mute", own.mid());
        let streams: BTreeSet<_> = own.receiver_streams().iter().cloned().collect();
        assert_eq!(heard.streams, streams, "{:?}: streams", own.mid());
    }
}

fn check_transports(a: &Connection, b: &Connection) {
    assert_eq!(a.transports().count(), b.transports().count(), "transports");
    for own in a.transports() {
        let mut theirs = b.transports().filter(|it| it.sections() == own.sections());
        let theirs = theirs.next().expect("a transport of the same sections");
        assert_eq!(Some(own.local_parameters()), theirs.remote_parameters());
        assert_eq!(Some(theirs.local_parameters()), own.remote_parameters());
    }
    let mid = |engine: &Connection| {
        let id = engine.data_transport()?;
        Some(engine.transport(id)?.sections().to_vec())
    };
    assert_eq!(mid(a), mid(b), "the transport of the data channels");
}

pub(crate) fn check_connected(peer: &Peer) {
    let engine = &peer.engine;
    if engine.transports().next().is_none() {
        return assert_eq!(engine.connection_state(), PeerConnectionState::New);
    }
    assert_eq!(engine.connection_state(), PeerConnectionState::Connected);
    assert_eq!(engine.ice_gathering_state(), IceGatheringState::Complete);
    for transport in engine.transports() {
        assert_eq!(transport.dtls_state(), DtlsTransportState::Connected);
        let ice = transport.ice_state();
        let connected = [IceTransportState::Connected, IceTransportState::Completed];
        assert!(connected.contains(&ice), "{ice}");
    }
}
