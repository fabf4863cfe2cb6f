//! Sound that is sent twice, RFC 2198, and keys that take its place.

use pc_proto::{Serial16, Serial32};
use pc_rtp::Ssrc;
use pc_simnet::{Link, ms};
use peerconnection::{
    engine::{OutgoingPacket, PayloadType},
    rtp::Codec,
};

use crate::phone::{A, B, Call};

fn codec(mime_type: &str) -> Codec {
    let all = peerconnection::rtp::built_in_capabilities();
    let mut codecs = all.audio.codecs.iter().map(|it| &it.codec);
    let found = codecs.find(|it| it.mime_type == mime_type && it.clock_rate == 48_000);
    found.unwrap().clone()
}

/// Opus with its telephone events, redundant or not.
fn codecs(is_redundant: bool) -> Vec<Codec> {
    // W3C webrtc-pc §5.2.1: a capability of red has no line, which speaks of payload types.
    let red = is_redundant.then(|| Codec {
        sdp_fmtp_line: None,
        ..codec("audio/red")
    });
    let others = ["audio/opus", "audio/telephone-event"].map(codec);
    red.into_iter().chain(others).collect()
}

fn lossy() -> Link {
    Link::new().delay(ms(20)).loss(0.2)
}

/// Of ten seconds of sound: frames that came, and those that did not.
fn heard(seed: pc_simnet::Seed, is_redundant: bool) -> (usize, usize) {
    let mut call = Call::new(seed, lossy(), Some(&codecs(is_redundant)));
    call.speak();
    call.listen(10_000, |_, _, _| {});
    let there = &call.net[B];
    assert!(there.frames + there.lost > 450);
    (there.frames, there.lost)
}

/// What one packet has lost the next one brings: of a fifth, a fifth is left.
#[test]
fn redundant_sound_survives_loss() {
    let mut all = [(0, 0); 2];
    pc_simnet::for_each_seed(5, |seed| {
        for is_redundant in [false, true] {
            let (came, lost) = heard(seed, is_redundant);
            let sum = &mut all[usize::from(is_redundant)];
            *sum = (sum.0 + came, sum.1 + lost);
        }
    });
    let share = |(came, lost): (usize, usize)| lost * 100 / (came + lost);
    let [plain, redundant] = all.map(share);
    assert!((15..=25).contains(&plain), "{plain} %: {all:?}");
    assert!(redundant <= 6, "{redundant} %: {all:?}");
}

/// Keys come as they do beside any sound, and sound goes on after them, each frame once.
#[test]
fn keys_are_heard_beside_redundant_sound() {
    pc_simnet::for_each_seed(5, |seed| {
        let mut call = Call::new(seed, lossy().jitter(ms(10)), Some(&codecs(true)));
        call.speak();
        call.insert("0123456789ABCD*#", 100, 70);
        call.listen(4000, |_, _, _| {});
        let keys: String = call.keys().iter().map(|(tone, _)| *tone).collect();
        assert_eq!(keys, "0123456789ABCD*#");
        assert!(call.net[B].frames <= 200, "{} frames", call.net[B].frames);
    });
}

/// A packet has a frame, and where redundancy is preferred the one before: five bytes say so.
#[test]
fn redundancy_is_sent_where_it_is_preferred() {
    for (is_redundant, packet_is) in [(false, 160), (true, 325)] {
        let link = Link::new().delay(ms(20));
        let mut call = Call::new(1, link, Some(&codecs(is_redundant)));
        call.speak();
        call.listen(500, |_, _, _| {});
        let there = &call.net[B];
        assert!(there.packets.len() >= 20);
        let usual = there.packets.iter().skip(1);
        assert!(usual.clone().all(|it| it.payload.len() == packet_is));
        assert_eq!(there.lost, 0);
    }
}

/// RFC 4733 §2.6.2: a key of which all packets are lost is told by the redundancy of the next one.
#[test]
fn keys_within_redundancy_are_heard() {
    let mut call = Call::new(1, Link::new().delay(ms(20)), Some(&codecs(true)));
    call.listen(100, |_, _, _| {});
    let now = call.net.now();
    let (engine, here) = (&mut call.net[A].engine, call.here);
    let view = engine.send_view(here).unwrap();
    let number = |is_it: fn(&Codec) -> bool| {
        let own = view.codecs.iter().find(|own| is_it(&own.codec));
        own.unwrap().payload_type.value()
    };
    let (red, events) = (number(Codec::is_red), number(Codec::is_telephone_event));
    // 100 ms of "1", and 170 ms after it had begun, "2".
    let [_, a, b, c] = ((8160_u32 << 10) | 4).to_be_bytes();
    let before = [1, 0x8A, 0x12, 0xC0];
    for (number, own) in (0..).zip([[2, 0x0A, 0x03, 0xC0], [2, 0x8A, 0x12, 0xC0]]) {
        let payload = [&[0x80 | events, a, b, c, events][..], &before, &own].concat();
        let packet = OutgoingPacket {
            source: Ssrc(5),
            payload_type: PayloadType::new(red).unwrap(),
            marker: number == 0,
            sequence_number: Serial16(number),
            timestamp: Serial32(48_000),
            payload: &payload,
            audio_level: None,
            orientation: None,
        };
        engine.send_packet(now, here, 0, packet).unwrap();
    }
    call.listen(500, |_, _, _| {});
    assert_eq!(call.keys(), [('1', 100), ('2', 100)]);
    assert_eq!((call.net[B].frames, call.net[B].lost), (0, 0));
}
