//! What an application does at random.

use std::time::Instant;

use peerconnection::{
    engine::{MediaKind, TransceiverId, TransceiverInit},
    rtp::{EncodingParameters, TransceiverDirection},
    state::SignalingState,
};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use crate::peer::Peer;

/// More transceivers than this at once only cost time.
const MAX_TRANSCEIVERS: usize = 8;

/// Does one thing, and says what. None of them fails.
pub(crate) fn operate(peer: &mut Peer, now: Instant, rng: &mut ChaCha8Rng) -> String {
    let running: Vec<TransceiverId> = peer
        .engine
        .transceivers()
        .filter(|transceiver| !transceiver.is_stopping())
        .map(|transceiver| transceiver.id())
        .collect();
    let adds = running.len() < MAX_TRANSCEIVERS;
    let Some(&one) = running.get(rng.random_range(0..running.len().max(1))) else {
        return add(peer, now, rng);
    };
    let mid = peer.engine.transceiver(one).unwrap().mid();
    let name = format!("{one:?} {mid:?}");
    let what = match rng.random_range(0..20) {
        0..5 if adds => return add(peer, now, rng),
        0..7 => {
            peer.engine.stop_transceiver(one).unwrap();
            "stop".to_owned()
        }
        7..9 => {
            peer.engine.remove_track(one).unwrap();
            "removeTrack".to_owned()
        }
        9..13 => {
            let direction = direction(rng);
            peer.engine.set_direction(one, direction).unwrap();
            format!("{direction:?}")
        }
        13..15 => {
            let streams = streams(rng);
            peer.engine.set_streams(one, &streams).unwrap();
            format!("setStreams {streams:?}")
        }
        15 => {
            let track = rng.random_bool(0.5).then(|| track(rng));
            peer.engine.replace_track(one, track.as_deref()).unwrap();
            format!("replaceTrack {track:?}")
        }
        16 => {
            peer.engine.restart_ice();
            return "restartIce".to_owned();
        }
        17 => {
            prefer(peer, one, rng);
            "setCodecPreferences".to_owned()
        }
        18 => return create_channel(peer, now, rng),
        _ => return describe_in_vain(peer, now, rng),
    };
    format!("{name}: {what}")
}

/// An offer or answer that is made and not used.
fn describe_in_vain(peer: &mut Peer, now: Instant, rng: &mut ChaCha8Rng) -> String {
    if peer.engine.signaling_state() == SignalingState::HaveRemoteOffer {
        peer.engine.create_answer(now).unwrap();
        return "createAnswer".to_owned();
    }
    let ice_restart = rng.random_bool(0.3);
    let options = peerconnection::OfferOptions { ice_restart };
    peer.engine.create_offer(now, options).unwrap();
    format!("createOffer, iceRestart {ice_restart}")
}

fn add(peer: &mut Peer, now: Instant, rng: &mut ChaCha8Rng) -> String {
    match rng.random_range(0..7) {
        0 => create_channel(peer, now, rng),
        1..4 => {
            let (kind, track) = (kind(rng), track(rng));
            let streams = streams(rng);
            let id = peer.engine.add_track(kind, &track, &streams).unwrap();
            format!("addTrack {kind:?} {streams:?}: {id:?}")
        }
        _ => {
            let kind = kind(rng);
            let track = rng.random_bool(0.5).then(|| track(rng));
            let is_simulcast = kind == MediaKind::Video && rng.random_bool(0.3);
            let rids = if is_simulcast {
                &["h", "m", "l"][..]
            } else {
                &[]
            };
            let encoding = |rid: &&str| EncodingParameters {
                rid: Some((*rid).to_owned()),
                ..Default::default()
            };
            let init = TransceiverInit {
                direction: direction(rng),
                streams: streams(rng),
                send_encodings: rids.iter().map(encoding).collect(),
            };
            let what = format!("addTransceiver {kind:?} {:?} {rids:?}", init.direction);
            let engine = &mut peer.engine;
            let id = engine
                .add_transceiver(kind, track.as_deref(), init)
                .unwrap();
            format!("{what}: {id:?}")
        }
    }
}

fn create_channel(peer: &mut Peer, now: Instant, rng: &mut ChaCha8Rng) -> String {
    let label = rng.random_range(0..1000).to_string();
    let init = Default::default();
    peer.engine.create_data_channel(now, &label, init).unwrap();
    "createDataChannel".to_owned()
}

/// Some of the codecs in another order: never none that carries media.
fn prefer(peer: &mut Peer, id: TransceiverId, rng: &mut ChaCha8Rng) {
    let kind = peer.engine.transceiver(id).unwrap().kind();
    let capabilities = peer.engine.capabilities(kind);
    let mut codecs = capabilities.receive_capabilities().codecs;
    let at = rng.random_range(0..codecs.len());
    codecs.rotate_left(at);
    // What both sides are sure to have, so that the section is not refused.
    let common = codecs.iter().position(|codec| codec.is_media()).unwrap();
    if rng.random_bool(0.5) {
        codecs.swap(0, common);
    }
    peer.engine.set_codec_preferences(id, codecs).unwrap();
}

fn kind(rng: &mut ChaCha8Rng) -> MediaKind {
    match rng.random_bool(0.5) {
        true => MediaKind::Audio,
        false => MediaKind::Video,
    }
}

fn direction(rng: &mut ChaCha8Rng) -> TransceiverDirection {
    TransceiverDirection::new(rng.random_bool(0.7), rng.random_bool(0.7))
}

fn track(rng: &mut ChaCha8Rng) -> String {
    format!("track-{}", rng.random::<u64>())
}

fn streams(rng: &mut ChaCha8Rng) -> Vec<String> {
    let some = (0..3).filter(|_| rng.random_bool(0.4));
    some.map(|n| format!("stream-{n}")).collect()
}
