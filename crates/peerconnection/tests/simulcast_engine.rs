//! Simulcast as it is on the wire, between two engines on a simulated network.

#[path = "common/layers.rs"]
mod layers;
#[path = "common/pair.rs"]
mod pair;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use layers::RIDS;
use pair::{A, Application, B, Peer};
use pc_proto::{Serial16, Serial32};
use pc_rtp::{ExtensionMap, ExtensionUri};
use pc_simnet::{Link, Network, ms, secs};
use peerconnection::{
    Error,
    engine::{
        Connection, Event, Frame, MediaKind, MediaPacket, PayloadType, Ssrc, TransceiverId,
        TransceiverInit,
    },
    rtp::TransceiverDirection,
};

/// A packet of media as it came.
#[derive(Debug, Clone)]
struct Packet {
    at: Instant,
    /// Of the packet itself, and of the stream that it belongs to.
    ssrc: Ssrc,
    stream: Ssrc,
    number: Serial16,
    mid: Option<String>,
    rid: Option<String>,
    repaired_rid: Option<String>,
}

impl Packet {
    fn is_repeated(&self) -> bool {
        self.ssrc != self.stream
    }
}

#[derive(Default)]
struct Receiver {
    extensions: ExtensionMap,
    packets: Vec<Packet>,
}

impl Application for Receiver {
    fn payload(&mut self, at: Instant, packet: Option<MediaPacket<'_>>) {
        let Some(arrived) = packet.map(|it| it.arrived) else {
            return;
        };
        let read = arrived.packet.extensions().read(&self.extensions);
        self.packets.push(Packet {
            at,
            ssrc: arrived.packet.ssrc(),
            stream: arrived.ssrc,
            number: arrived.sequence_number,
            mid: read.mid.map(str::to_owned),
            rid: read.rid.map(str::to_owned),
            repaired_rid: read.repaired_rid.map(str::to_owned),
        });
    }

    fn pull(&mut self, engine: &mut Connection, now: Instant) {
        let ids: Vec<_> = engine.transceivers().map(|it| it.id()).collect();
        for id in ids {
            while engine.poll_frame(now, id).is_some() {}
        }
    }
}

/// A sends three encodings to B.
struct Call {
    net: Network<Peer<Receiver>>,
    here: TransceiverId,
    begin: Instant,
    /// When each encoding has its next picture, by its number.
    pictures: u32,
    /// The encodings that A's application encodes.
    encoded: [bool; 3],
}

impl Call {
    fn new(seed: u64, link: Link, lazy: bool) -> Self {
        let mut net = pair::network::<Receiver>(seed.into(), link, lazy);
        let init = TransceiverInit {
            direction: TransceiverDirection::SendOnly,
            streams: Vec::new(),
            send_encodings: layers::encodings([1.0, 2.0, 4.0]),
        };
        let a = &mut net[A].engine;
        let here = a.add_transceiver(MediaKind::Video, Some("face"), init);
        let here = here.unwrap();
        pair::connect(&mut net, &mut [0; 2]);
        let answer = net[B].engine.local_description().unwrap();
        net[B].extensions = extensions(&answer.sdp);
        Self {
            begin: net.now(),
            net,
            here,
            pictures: 0,
            encoded: [true; 3],
        }
    }

    /// Sends pictures, 25 a second, for so long: key frames where they are asked for.
    fn run(&mut self, time: Duration) {
        let until = self.net.now() + time;
        let mut seen = self.net[A].events.len();
        while self.net.now() < until {
            let asked: BTreeSet<usize> = self.net[A].events[seen..]
                .iter()
                .filter_map(|event| match event {
                    Event::KeyFrameRequested(_, encoding) => Some(*encoding),
                    _ => None,
                })
                .collect();
            seen = self.net[A].events.len();
            let encoded = self.encoded;
            for encoding in (0..3).filter(|it| encoded[*it]) {
                let is_key_frame = self.pictures == 0 || asked.contains(&encoding);
                self.send(encoding, is_key_frame).unwrap();
            }
            self.pictures += 1;
            self.net.run_until(self.net.now() + ms(40));
        }
    }

    fn send(&mut self, encoding: usize, is_key_frame: bool) -> Result<(), Error> {
        let now = self.net.now();
        let engine = &mut self.net[A].engine;
        let codec = &engine.send_view(self.here).unwrap().codecs[0];
        assert_eq!(codec.codec.mime_type, "video/VP8");
        // RFC 6386 §9.1: the start of a key frame of 320×180, and of another.
        let key = [0x10, 0, 0, 0x9D, 0x01, 0x2A, 0x40, 0x01, 0xB4, 0x00];
        let mut data = vec![0x11; 2_500 >> encoding];
        if is_key_frame {
            data[..key.len()].copy_from_slice(&key);
        }
        let frame = Frame {
            payload_type: PayloadType::new(codec.payload_type.value()).unwrap(),
            data: &data,
            timestamp: Serial32(self.pictures * 3_600),
            capture: now,
            is_key_frame,
            size: None,
            audio_level: None,
            orientation: None,
            layer: None,
        };
        engine.send_frame(now, self.here, encoding, frame)
    }

    /// Turns an encoding on or off.
    fn set_active(&mut self, encoding: usize, active: bool) {
        let now = self.net.now();
        let engine = &mut self.net[A].engine;
        let mut parameters = engine.send_parameters(self.here).unwrap();
        parameters.encodings[encoding].active = active;
        engine
            .set_send_parameters(now, self.here, parameters)
            .unwrap();
        self.encoded[encoding] = active;
    }

    /// The SSRCs of each encoding: of its media and of what is sent again.
    fn ssrcs(&self) -> [(Ssrc, Ssrc); 3] {
        let stats = self.net[A].engine.outbound_stats(self.here);
        let ssrcs: Vec<_> = stats.map(|it| (it.ssrc, it.rtx_ssrc.unwrap())).collect();
        ssrcs.try_into().unwrap()
    }

    /// What has come to B of a stream since `from`.
    fn came(&self, ssrc: Ssrc, from: Instant) -> Vec<&Packet> {
        let packets = self.net[B].packets.iter();
        packets
            .filter(|it| it.ssrc == ssrc && it.at >= from)
            .collect()
    }
}

/// The header extensions of a description with one section.
fn extensions(sdp: &str) -> ExtensionMap {
    let mut map = ExtensionMap::new();
    for line in sdp.lines().filter_map(|it| it.strip_prefix("a=extmap:")) {
        let (id, uri) = line.split_once(' ').unwrap();
        let id = id.split('/').next().unwrap();
        if let Some(uri) = ExtensionUri::parse(uri) {
            map.set(id.parse().unwrap(), uri);
        }
    }
    map
}

fn each_encoding_is_a_stream(lazy: bool) {
    let mut call = Call::new(1, Link::new().delay(ms(20)), lazy);
    call.run(secs(1));
    let ssrcs = call.ssrcs();
    let all: BTreeSet<u32> = ssrcs.iter().flat_map(|(a, b)| [a.0, b.0]).collect();
    assert_eq!(all.len(), 6, "{ssrcs:?}");
    for (rid, (ssrc, _)) in RIDS.into_iter().zip(ssrcs) {
        let came = call.came(ssrc, call.begin);
        assert!(came.len() >= 20, "{rid}: {}", came.len());
        assert_eq!(came[0].rid.as_deref(), Some(rid));
        assert_eq!(came[0].mid.as_deref(), Some("0"));
        assert!(
            came.iter()
                .all(|it| it.rid.as_deref().is_none_or(|it| it == rid))
        );
    }
    // Nobody else sends, and B has each under its name.
    let there = call.net[B].engine.transceivers().next().unwrap();
    assert_eq!(there.receive_rids(), RIDS);
    let inbound = call.net[B].engine.inbound_stats(there.id());
    let known: BTreeMap<_, _> = inbound.map(|it| (it.rid.unwrap(), it.ssrc)).collect();
    let sent = RIDS.into_iter().zip(ssrcs);
    assert_eq!(
        known,
        sent.map(|(rid, (it, _))| (rid.to_owned(), it)).collect()
    );
}

#[test]
fn each_encoding_is_a_stream_of_its_own() {
    each_encoding_is_a_stream(false);
}

#[test]
fn no_order_of_calls_is_needed() {
    each_encoding_is_a_stream(true);
}

#[test]
fn names_are_told_until_the_receiver_has_reported() {
    let mut call = Call::new(2, Link::new().delay(ms(20)), false);
    call.run(secs(5));
    let end = call.net.now();
    let ssrcs = call.ssrcs();
    for (ssrc, _) in ssrcs {
        let came = call.came(ssrc, call.begin);
        let named = came.iter().take_while(|it| it.rid.is_some()).count();
        assert!(named > 0 && named < came.len(), "{named} of {}", came.len());
        for packet in &came[named..] {
            assert_eq!((&packet.rid, &packet.mid), (&None, &None));
        }
        // A report came before names were left out, and that soon.
        let stats = call.net[A].engine.outbound_stats(call.here);
        let stats = stats.into_iter().find(|it| it.ssrc == ssrc).unwrap();
        assert!(stats.remote.is_some());
        assert!(came[named].at - call.begin < secs(3));
    }
    // Whoever changes parameters may have another receiver: it is told again.
    call.set_active(1, false);
    call.set_active(1, true);
    call.run(secs(1));
    for (ssrc, _) in ssrcs {
        let came = call.came(ssrc, end + ms(40));
        assert!(came[0].rid.is_some() && came[0].mid.is_some());
    }
}

#[test]
fn what_is_sent_again_names_what_it_repairs() {
    let link = Link::new().delay(ms(20)).loss(0.1);
    let mut call = Call::new(3, link, false);
    call.run(secs(8));
    for (rid, (ssrc, rtx)) in RIDS.into_iter().zip(call.ssrcs()) {
        let again = call.came(rtx, call.begin);
        assert!(again.len() > 5, "{rid}: {}", again.len());
        assert_eq!(again[0].repaired_rid.as_deref(), Some(rid));
        assert!(again.iter().all(|it| it.is_repeated() && it.stream == ssrc));
        // RFC 8852 §3.2: the repaired stream's name, never its own.
        assert!(again.iter().all(|it| it.rid.is_none()));
    }
}

#[test]
fn an_encoding_that_is_not_active_is_not_sent() {
    let mut call = Call::new(4, Link::new().delay(ms(20)), false);
    call.run(secs(2));
    let ssrcs = call.ssrcs();
    call.set_active(1, false);
    assert!(call.send(1, false).is_err());
    call.run(ms(200));
    let from = call.net.now();
    call.run(secs(2));
    let counts = ssrcs.map(|(ssrc, _)| call.came(ssrc, from).len());
    assert_eq!(counts[1], 0);
    assert!(counts[0] > 40 && counts[2] > 40, "{counts:?}");
    // It goes on under the same SSRC, without a gap in its numbers.
    let last = call.came(ssrcs[1].0, call.begin).last().unwrap().number;
    call.set_active(1, true);
    assert_eq!(call.ssrcs(), ssrcs);
    let from = call.net.now();
    call.send(1, true).unwrap();
    call.run(secs(1));
    let came = call.came(ssrcs[1].0, from);
    assert_eq!(came[0].number, last.next());
    assert_eq!(came[0].rid.as_deref(), Some("h"));
}
