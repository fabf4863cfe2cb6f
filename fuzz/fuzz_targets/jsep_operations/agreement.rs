//! What two sessions that have settled agree on.

use pc_jsep::{
    CodecParameters, HeaderExtension, Session, SignalingState, TransceiverDirection as Direction,
    TransceiverView,
};
use pc_sdp::SessionDescription;

use super::Peer;

pub(super) fn check(peers: &[Peer; 2]) {
    let [a, b] = peers;
    for peer in peers {
        assert_eq!(peer.session.signaling_state(), SignalingState::Stable);
        let mut again = peer.session.clone();
        again.update_negotiation_needed();
        assert_eq!(again.poll_event(), None, "settled, and yet in need");
    }
    check_descriptions(&a.session, &b.session);
    check_descriptions(&b.session, &a.session);
    check_transceivers(&a.session, &b.session);
    check_transceivers(&b.session, &a.session);
    check_transports(&a.session, &b.session);
}

fn check_descriptions(one: &Session, other: &Session) {
    let local = one.current_local_description();
    let remote = other.current_remote_description();
    let (Some((kind, local)), Some((told, remote))) = (&local, &remote) else {
        assert_eq!((local, remote), (None, None));
        return;
    };
    assert_eq!(kind, told);
    let read = |text: &str| {
        let sdp = SessionDescription::parse(text).expect("a description");
        let sections = sdp.media.iter();
        sections
            .map(|media| {
                let mid = media.mid().map(|mid| mid.to_string());
                (media.kind().clone(), mid, media.is_rejected())
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(read(local), read(remote), "m-sections");
}

fn check_transceivers(one: &Session, other: &Session) {
    for own in one.transceivers() {
        let Some(mid) = own.mid() else {
            panic!("{:?} was never described", own.id());
        };
        let mut theirs = other.transceivers();
        let theirs = theirs.find(|other| other.mid() == Some(mid));
        let Some(theirs) = theirs else {
            panic!("the mid {mid} is on one side only");
        };
        check_pair(own, theirs);
    }
}

fn check_pair(own: TransceiverView<'_>, theirs: TransceiverView<'_>) {
    assert_eq!(own.kind(), theirs.kind());
    assert!(!own.is_stopping());
    let direction = own.current_direction().expect("a direction");
    let mirrored = theirs.current_direction().expect("a direction");
    let mirrored = Direction::new(mirrored.receives(), mirrored.sends());
    assert_eq!(direction, mirrored, "directions of {:?}", own.mid());
    if direction.sends() {
        let (mut sent, mut heard) = (
            own.sender_streams().to_vec(),
            theirs.receiver_streams().to_vec(),
        );
        sent.sort();
        heard.sort();
        assert_eq!(sent, heard, "streams of {:?}", own.mid());
    }
    assert_eq!(
        numbers(own.send_codecs()),
        numbers(theirs.receive_codecs()),
        "payload types of {:?}",
        own.mid()
    );
    assert_eq!(
        ids(own.header_extensions()),
        ids(theirs.header_extensions()),
        "header extensions of {:?}",
        own.mid()
    );
}

fn numbers(codecs: &[CodecParameters]) -> Vec<(u8, String)> {
    let mut numbers: Vec<_> = codecs
        .iter()
        .map(|own| (own.payload_type.value(), own.codec.mime_type.to_lowercase()))
        .collect();
    numbers.sort();
    numbers
}

fn ids(extensions: &[HeaderExtension]) -> Vec<(u16, &str)> {
    let mut ids: Vec<_> = extensions.iter().map(|own| (own.id, &*own.uri)).collect();
    ids.sort_unstable();
    ids
}

fn check_transports(a: &Session, b: &Session) {
    assert_eq!(a.transports().len(), b.transports().len(), "transports");
    if !a.transports().is_empty() {
        assert_ne!(a.is_controlling(), b.is_controlling());
    }
    for own in a.transports() {
        let theirs = b.transports().iter();
        let mut theirs = theirs.filter(|theirs| theirs.sections == own.sections);
        let theirs = theirs.next().expect("a transport of the same sections");
        let (to, from) = (own.peer.as_ref(), theirs.peer.as_ref());
        let (to, from) = to.zip(from).expect("both sides of a transport");
        assert_eq!((&to.local, &own.local), (&own.local, &from.remote));
        assert_eq!((&from.local, &theirs.local), (&theirs.local, &to.remote));
        assert_ne!(to.dtls_client, from.dtls_client, "DTLS roles");
    }
    let mids = |session: &Session| session.data().map(|data| data.mid.clone());
    assert_eq!(mids(a), mids(b), "data channels");
    for session in [a, b] {
        assert!(session.data().is_none_or(|data| data.peer.is_some()));
    }
}
