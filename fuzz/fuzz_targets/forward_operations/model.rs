//! Reads bytes as packets and decisions of a server that forwards, and checks what must hold whatever
//! they are.
//!
//! Used by the fuzz target and by the test of `pc-rtp-session` that replays its corpus.

mod packets;

use std::{
    collections::{HashMap, VecDeque},
    time::{Duration, Instant},
};

use packets::{Bytes, DESCRIPTOR_ID, Kind, Source, extensions};
use pc_proto::{Serial16, Serial32};
use pc_rtp::{
    Extensions, PacketView, PayloadType, Ssrc, dependency::DependencyReader, payload::Vp8Descriptor,
};
use pc_rtp_session::forward::{
    Encoding, Incoming, KeyFrameLimiter, Layer, LayerSelector, LayerSelectorConfig, NackCache,
    NackCacheConfig, OperatingPoint, OperatingPointInfo, Outgoing, Refused, Retransmission,
    Rewriter, RewriterConfig,
};

const SSRC: Ssrc = Ssrc(0xF00D);
/// Those that the operations use, and one for the end.
const ENCODINGS: usize = 3;
const GOOD: usize = 3;
const INTERVAL: Duration = Duration::from_millis(500);

/// Runs the operations, then lets a good stream come: it has to be forwarded.
pub(crate) fn run(data: &[u8]) {
    let mut bytes = Bytes(data);
    let mut world = World::new(Kind::of(bytes.byte()));
    for _ in 0..400 {
        let Some(operation) = bytes.next() else { break };
        world.operate(operation, &mut bytes);
    }
    world.recover();
}

struct World {
    kind: Kind,
    now: Instant,
    sources: Vec<Source>,
    readers: Vec<DependencyReader>,
    rewriter: Rewriter,
    wanted: Option<Encoding>,
    /// Packets that come later, or twice.
    held: VecDeque<(usize, Vec<u8>)>,
    /// What left under each number, without roll-overs.
    sent: HashMap<u64, Vec<u8>>,
    highest: Option<u64>,
    newest: Option<Serial32>,
    cache: NackCache,
    answered: HashMap<u64, (u32, Instant)>,
    limiter: KeyFrameLimiter,
    asked: HashMap<Encoding, Instant>,
    selector: LayerSelector,
    points: HashMap<OperatingPoint, OperatingPointInfo>,
}

impl World {
    fn new(kind: Kind) -> Self {
        Self {
            kind,
            now: pc_simnet::epoch(),
            sources: (0..=GOOD).map(|at| Source::new(kind, at as u16)).collect(),
            readers: vec![DependencyReader::new(); GOOD + 1],
            rewriter: Rewriter::new(&RewriterConfig {
                ssrc: SSRC,
                payload_type: payload_type(100),
                clock_rate: 90_000,
                seed: [3; 32],
            }),
            wanted: None,
            held: VecDeque::new(),
            sent: HashMap::new(),
            highest: None,
            newest: None,
            cache: NackCache::new(NackCacheConfig {
                max_packets: 64,
                max_bytes: 4000,
                keep: Duration::from_secs(1),
            }),
            answered: HashMap::new(),
            limiter: KeyFrameLimiter::new(INTERVAL),
            asked: HashMap::new(),
            selector: LayerSelector::new(LayerSelectorConfig::default()),
            points: HashMap::new(),
        }
    }

    fn operate(&mut self, operation: u8, bytes: &mut Bytes<'_>) {
        let of = usize::from(operation >> 5) % ENCODINGS;
        match operation & 0x1F {
            0 => self.now += Duration::from_millis(bytes.byte().into()),
            1..=8 => {
                let packet = self.sources[of].next(bytes);
                self.arrive(of, &packet);
            }
            9 => {
                let packet = self.sources[of].next(bytes);
                self.held.push_back((of, packet));
            }
            10 | 11 => {
                if let Some((of, packet)) = self.held.pop_front() {
                    self.arrive(of, &packet);
                }
            }
            12 => {
                if let Some((of, packet)) = self.held.pop_back() {
                    self.arrive(of, &packet);
                    self.held.push_front((of, packet));
                }
            }
            13 => {
                let payload = bytes.some();
                let packet = self.sources[of].hostile(bytes, &payload);
                self.arrive(of, &packet);
            }
            14 => self.sources[of].jump(bytes),
            15 | 16 => {
                self.rewriter.select(Encoding(of as u32));
                self.wanted = Some(Encoding(of as u32));
            }
            17 => {
                self.rewriter.pause();
                self.wanted = None;
                assert_eq!(
                    (self.rewriter.current(), self.rewriter.awaited()),
                    (None, None)
                );
            }
            18 | 19 => {
                let byte = bytes.byte();
                self.rewriter.set_limit(Layer {
                    spatial_id: byte & 7,
                    temporal_id: byte >> 3 & 7,
                });
            }
            20 | 21 => self.nack(bytes),
            22 | 23 => self.ask(of, bytes.byte()),
            24 | 25 => self.choose(bytes),
            26 => self.cache.clear(),
            27 => self.rewriter.set_payload_type(payload_type(bytes.byte())),
            _ => self.now += Duration::from_millis(33),
        }
        assert!(
            self.rewriter
                .awaited()
                .is_none_or(|it| Some(it) == self.wanted)
        );
        if self.rewriter.current() != self.wanted {
            assert_eq!(self.rewriter.awaited(), self.wanted);
        }
    }

    /// Whether it is sent on.
    fn arrive(&mut self, of: usize, packet: &[u8]) -> bool {
        let mut reader = std::mem::take(&mut self.readers[of]);
        let is_sent = self.read(of, packet, &mut reader);
        self.readers[of] = reader;
        is_sent
    }

    fn read(&mut self, of: usize, packet: &[u8], reader: &mut DependencyReader) -> bool {
        let Ok(view) = PacketView::parse(packet) else {
            return false;
        };
        let map = extensions();
        let data = view.extensions().read(&map).dependency_descriptor;
        let dependencies = match data.map(|data| reader.read(data)) {
            Some(Err(_)) => return false,
            Some(Ok(view)) => Some(view),
            None => None,
        };
        let Ok(incoming) = Incoming::of_packet(self.kind.format(), &view, dependencies) else {
            return false;
        };
        let encoding = Encoding(of as u32);
        let (before, next) = (
            self.rewriter.current(),
            self.rewriter.next_sequence_number(),
        );
        let result = self.rewriter.rewrite(self.now, encoding, &incoming);
        let has_switched = before != self.rewriter.current() && self.rewriter.current().is_some();
        match result {
            Ok(outgoing) => {
                if has_switched {
                    assert_eq!(outgoing.sequence_number, next, "no gap at a switch");
                    assert!(incoming.begins_key_frame() && outgoing.begins_key_frame);
                    let newest = self.newest.replace(outgoing.timestamp);
                    assert!(newest.is_none_or(|it| outgoing.timestamp.0 != it.0));
                }
                self.send(packet, &incoming, &outgoing);
                true
            }
            Err(Refused::NotSelected) => {
                assert!(self.rewriter.current() != Some(encoding));
                false
            }
            Err(Refused::AwaitsKeyFrame) => {
                assert_eq!(self.rewriter.awaited(), Some(encoding));
                false
            }
            Err(_) => false,
        }
    }

    /// Nothing leaves twice under one number, and both ways of writing it say the same.
    fn send(&mut self, packet: &[u8], incoming: &Incoming<'_>, outgoing: &Outgoing) {
        let map = extensions();
        let mut out = [0xAA; 2000];
        let len = (outgoing.write(incoming, &Extensions::default(), &map, &mut out)).unwrap();
        let written = PacketView::parse(&out[..len]).unwrap();
        let mut copy = packet.to_vec();
        if let Ok(len) = outgoing.patch(&mut copy, Some(DESCRIPTOR_ID)) {
            let patched = PacketView::parse(&copy[..len]).unwrap();
            let said = |it: &PacketView<'_>| {
                (
                    (it.sequence_number(), it.timestamp(), it.ssrc()),
                    (it.payload_type(), it.marker(), it.payload().to_vec()),
                )
            };
            assert_eq!(said(&written), said(&patched));
        }
        assert_eq!(written.ssrc(), SSRC);
        assert_eq!(outgoing.is_padding, written.payload().is_empty());
        assert!(outgoing.is_padding || written.payload().len() == incoming.payload().len());
        if self.kind == Kind::Vp8 && !outgoing.is_padding {
            let of = |payload| Vp8Descriptor::parse(payload).unwrap();
            let (came, left) = (of(incoming.payload()), of(written.payload()));
            assert_eq!(
                (
                    came.len,
                    came.temporal_id,
                    came.is_layer_sync,
                    came.starts_frame
                ),
                (
                    left.len,
                    left.temporal_id,
                    left.is_layer_sync,
                    left.starts_frame
                )
            );
        }
        let number = self.unrolled(outgoing.sequence_number);
        self.highest = Some(self.highest.map_or(number, |highest| highest.max(number)));
        self.cache
            .insert(self.now, outgoing.sequence_number, &out[..len]);
        self.answered.remove(&number);
        let before = self.sent.insert(number, out[..len].to_vec());
        assert!(before.is_none(), "number {number} for two packets");
    }

    fn unrolled(&self, number: Serial16) -> u64 {
        let Some(highest) = self.highest else {
            return 1 << 32 | u64::from(number.0);
        };
        let ahead = number.0.wrapping_sub(highest as u16).cast_signed();
        highest.saturating_add_signed(ahead.into())
    }

    /// What is given again is what was sent, seldom enough.
    fn nack(&mut self, bytes: &mut Bytes<'_>) {
        let back = u64::from(bytes.byte());
        let number = self.highest.unwrap_or(1 << 32).saturating_sub(back);
        let round_trip = Duration::from_millis(20);
        let Some(packet) = self
            .cache
            .answer(self.now, round_trip, Serial16(number as u16))
        else {
            return;
        };
        assert_eq!(Some(packet), self.sent.get(&number).map(Vec::as_slice));
        let (count, last) = self.answered.entry(number).or_insert((0, self.now));
        assert!(*count == 0 || self.now - *last >= round_trip);
        (*count, *last) = (*count + 1, self.now);
        assert!(*count <= 10);
        let stream = Retransmission {
            ssrc: Ssrc(1),
            payload_type: payload_type(101),
            sequence_number: Serial16(9),
        };
        let mut out = [0; 2000];
        let len = stream.write(packet, &mut out).unwrap();
        let view = PacketView::parse(&out[..len]).unwrap();
        let (original, _) = pc_rtp::payload::rtx::parse(view.payload()).unwrap();
        assert_eq!(original, Serial16(number as u16));
    }

    /// No encoding is asked for a key frame twice in an interval.
    fn ask(&mut self, of: usize, what: u8) {
        let encoding = Encoding(of as u32);
        match what & 3 {
            0 | 1 => self.limiter.want(self.now, encoding),
            2 => self.limiter.key_frame(encoding),
            _ => {}
        }
        let due = self.limiter.poll_timeout().is_some_and(|at| at <= self.now);
        let mut any = false;
        while let Some(encoding) = self.limiter.poll(self.now) {
            let before = self.asked.insert(encoding, self.now);
            assert!(before.is_none_or(|before| self.now - before >= INTERVAL));
            any = true;
        }
        assert_eq!(any, due);
    }

    /// What is chosen is there, and fits where anything does.
    fn choose(&mut self, bytes: &mut Bytes<'_>) {
        let what = bytes.byte();
        let point = OperatingPoint {
            encoding: Encoding(u32::from(what >> 2 & 3)),
            limit: Layer {
                spatial_id: 0,
                temporal_id: what >> 4 & 1,
            },
        };
        match what & 3 {
            0 => {
                let value = u32::from(bytes.byte());
                let info = OperatingPointInfo {
                    bit_rate: u64::from(value) * 10_000,
                    size: (value * 4, value * 3),
                    is_active: value & 1 == 0,
                };
                self.selector.set_point(point, info);
                self.points.insert(point, info);
            }
            1 => {
                self.selector.remove_point(point);
                self.points.remove(&point);
            }
            2 => self.selector.set_target(u64::from(bytes.byte()) * 10_000),
            _ => {
                let size = u32::from(bytes.byte());
                self.selector
                    .set_max_size((size > 0).then_some((size * 4, size * 3)));
                self.selector.set_paused(size == 255);
            }
        }
        let chosen = self.selector.select(self.now);
        if let Some(chosen) = chosen {
            assert!(self.points[&chosen].is_active);
        }
        assert_eq!(
            self.selector.select(self.now),
            chosen,
            "it does not change its mind"
        );
    }

    /// A good stream, of an encoding that has not been there: all of it leaves, in a row.
    fn recover(&mut self) {
        self.rewriter.select(Encoding(GOOD as u32));
        self.wanted = Some(Encoding(GOOD as u32));
        for picture in 0..8_u32 {
            self.now += Duration::from_millis(33);
            for packet in self.sources[GOOD].picture(picture.is_multiple_of(4)) {
                let next = self.rewriter.next_sequence_number();
                assert!(
                    self.arrive(GOOD, &packet),
                    "picture {picture} of a good stream"
                );
                assert_eq!(self.rewriter.next_sequence_number(), next.next(), "a gap");
            }
        }
        assert_eq!(self.rewriter.current(), self.wanted);
    }
}

fn payload_type(number: u8) -> PayloadType {
    PayloadType::new(number & 0x7F).expect("seven bits")
}
