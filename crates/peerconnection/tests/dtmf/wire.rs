//! What leaves, and what the other side hears.

use pc_rtp::{dtmf, payload::telephone_event};
use peerconnection::rtp::Codec;

use super::*;

fn codec(mime_type: &str, clock_rate: u32) -> Codec {
    let all = peerconnection::rtp::built_in_capabilities();
    let mut codecs = all.audio.codecs.iter().map(|it| &it.codec);
    let found = codecs.find(|it| it.mime_type == mime_type && it.clock_rate == clock_rate);
    found.unwrap().clone()
}

fn opus() -> Codec {
    codec("audio/opus", 48_000)
}

fn g711() -> Codec {
    codec("audio/PCMU", 8000)
}

fn events(clock_rate: u32) -> Codec {
    codec("audio/telephone-event", clock_rate)
}

/// The clock of telephone events is that of the sound: 48,000 Hz for Opus, 8,000 Hz for G.711. A peer
/// may have one only that is not.
#[test]
fn events_have_the_clock_of_the_sound() {
    let (wide, narrow) = (events(48_000), events(8000));
    for (codecs, payload_type, ticks) in [
        (
            vec![opus(), g711(), wide.clone(), narrow.clone()],
            110,
            4800,
        ),
        (vec![opus(), narrow.clone(), wide.clone()], 110, 4800),
        (vec![g711(), opus(), wide.clone(), narrow.clone()], 126, 800),
        (vec![opus(), narrow.clone()], 126, 800),
    ] {
        let mut call = Call::new(1, good(), Some(&codecs));
        call.speak();
        call.listen(200, |_, _, _| {});
        call.insert("5", 100, 70);
        call.listen(600, |_, _, _| {});
        let packets = &call.net[B].packets;
        let is_event = |it: &&phone::Packet| it.payload_type == payload_type;
        let last = packets.iter().rfind(is_event).unwrap();
        let event = telephone_event::parse(&last.payload)
            .unwrap()
            .next()
            .unwrap();
        assert_eq!(
            (event.duration, event.volume, event.is_end),
            (ticks, 10, true)
        );
        assert_eq!(call.keys(), [('5', 100)]);
    }
    let mut call = Call::new(1, good(), Some(&[opus()]));
    let engine = &mut call.net[A].engine;
    assert!(!engine.can_insert_dtmf(call.here), "not negotiated");
}

/// Marker, timestamp and number of the packets; no sound while they leave, and sound on its time line
/// before and after.
#[test]
fn tones_take_the_place_of_sound() {
    let mut call = Call::new(1, good(), None);
    call.speak();
    call.listen(200, |_, _, _| {});
    call.insert("1", 200, 70);
    call.listen(600, |_, _, _| {});
    let packets = &call.net[B].packets;
    let is_event = |it: &phone::Packet| it.payload_type == 110;
    let first = packets.iter().position(is_event).unwrap();
    let last = packets.iter().rposition(is_event).unwrap();
    let tone = &packets[first..=last];
    assert!(tone.iter().all(is_event), "sound among the events");
    assert_eq!(tone.len(), 10 + 2);
    assert!(tone[0].marker && !tone[1..].iter().any(|it| it.marker));
    assert!(tone.iter().all(|it| it.timestamp == tone[0].timestamp));
    let begin = packets[0].timestamp;
    let (before, after) = (&packets[first - 1], &packets[last + 1]);
    assert_eq!(tone[0].timestamp.steps_from(begin), 200 * 48);
    // The sound of 200 ms was sent before the tone began.
    assert_eq!(before.timestamp.steps_from(begin), 200 * 48);
    assert_eq!(after.timestamp.steps_from(begin), 440 * 48);
    let phone = &call.net[B];
    assert_eq!(phone.lost, 0, "nothing is missed where tones were");
    assert!(phone.frames >= packets.len() - tone.len() - 3);
}

/// Six seconds are five segments at 48,000 Hz, and one key.
#[test]
fn the_longest_tone_is_one_key() {
    let mut call = Call::new(1, good(), None);
    call.insert("*", 6000, 70);
    call.listen(7000, |_, _, _| {});
    assert_eq!(call.keys(), [('*', 6000)]);
    assert_eq!(call.heard().len(), 2);
    let timestamps = call.net[B]
        .packets
        .chunk_by(|a, b| a.timestamp == b.timestamp);
    assert_eq!(timestamps.count(), 5);
    assert_eq!(call.net[B].packets.iter().filter(|it| it.marker).count(), 1);
}

/// A fifth of all packets lost, some late, some twice: all 16 keys are heard once, in order.
#[test]
fn no_key_is_lost_or_repeated() {
    let link = good().jitter(ms(10)).loss(0.2).duplicate(0.1);
    pc_simnet::for_each_seed(10, |seed| {
        let mut call = Call::new(seed, link.clone(), None);
        call.speak();
        call.insert("0123456789ABCD*#", 100, 70);
        call.listen(4000, |_, _, _| {});
        let keys: String = call.keys().iter().map(|(tone, _)| *tone).collect();
        assert_eq!(keys, "0123456789ABCD*#");
        let heard = call.heard();
        assert_eq!(heard.len(), 32);
        let whole = heard.iter().filter(
            |it| matches!(it, dtmf::Event::End(it) if it.is_complete && it.duration == ms(100)),
        );
        assert!(whole.count() >= 14);
    });
}

/// A key whose end is not heard ends when the peer no longer sends.
#[test]
fn what_is_cut_off_ends() {
    let mut call = Call::new(1, good(), None);
    call.insert("7", 6000, 70);
    call.listen(500, |_, _, _| {});
    assert!(matches!(call.heard()[..], [dtmf::Event::Begin(_)]));
    call.net.cut_between(A, B);
    call.listen(1000, |_, _, _| {});
    let heard = call.heard();
    assert!(
        matches!(heard[..], [_, dtmf::Event::End(it)] if !it.is_complete && it.duration >= ms(400)),
        "{heard:?}"
    );
}
