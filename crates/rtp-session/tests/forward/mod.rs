//! A camera, the way to a server that loses and reorders, and what a viewer gets.
#![allow(unreachable_pub)]

pub mod oracle;
pub mod source;

use oracle::{Expected, Oracle, Summary};
use pc_rtp::{Extensions, PacketView, PayloadType, Ssrc, dependency::DependencyReader};
use pc_rtp_session::forward::{
    Encoding, Incoming, KeyFrameLimiter, Layer, Refused, Rewriter, RewriterConfig,
};
use pc_simnet::{epoch, ms, secs};
use source::{Kind, Source, extensions};
use std::{
    cmp::Reverse,
    collections::BinaryHeap,
    time::{Duration, Instant},
};

/// How bad the way from the camera is. Probabilities are in thousandths.
#[derive(Debug, Clone, Copy)]
pub struct Way {
    pub lost: u32,
    /// Of lost packets: those that no retransmission brings back.
    pub lost_for_good: u32,
    pub repeated: u32,
    pub jitter: Duration,
}

/// A way that does nothing to packets.
pub const GOOD: Way = Way {
    lost: 0,
    lost_for_good: 0,
    repeated: 0,
    jitter: Duration::ZERO,
};

/// A packet on its way: when it arrives, in which order, and of which encoding.
type Flying = (Instant, u64, usize, Vec<u8>);

pub struct World {
    pub now: Instant,
    pub kind: Kind,
    pub rewriter: Rewriter,
    pub oracle: Oracle,
    way: Way,
    sources: Vec<Source>,
    readers: Vec<DependencyReader>,
    limiter: KeyFrameLimiter,
    asked: Vec<bool>,
    air: BinaryHeap<Reverse<Flying>>,
    order: u64,
    random: u32,
    pub lost: usize,
    pub switches: usize,
    pub key_frames: usize,
    next_picture: Instant,
    current: Option<Encoding>,
}

impl World {
    pub fn new(kind: Kind, encodings: u8, way: Way, seed: u32) -> Self {
        let ssrc = Ssrc(0xABCD);
        let sources = (0..encodings)
            .map(|encoding| Source::new(kind, encoding, seed ^ u32::from(encoding) << 20));
        Self {
            now: epoch(),
            kind,
            rewriter: Rewriter::new(&RewriterConfig {
                ssrc,
                payload_type: PayloadType::new(120).unwrap(),
                clock_rate: 90_000,
                seed: [seed as u8; 32],
            }),
            oracle: Oracle::new(kind, ssrc),
            way,
            sources: sources.collect(),
            readers: vec![DependencyReader::new(); encodings.into()],
            limiter: KeyFrameLimiter::new(ms(300)),
            asked: vec![true; encodings.into()],
            air: BinaryHeap::new(),
            order: 0,
            random: seed.wrapping_mul(2_654_435_761) | 1,
            lost: 0,
            switches: 0,
            key_frames: 0,
            next_picture: epoch(),
            current: None,
        }
    }

    pub fn random(&mut self, below: u32) -> u32 {
        self.random = self
            .random
            .wrapping_mul(1_664_525)
            .wrapping_add(1_013_904_223);
        (self.random >> 12) % below
    }

    /// Lets time pass.
    pub fn run(&mut self, time: Duration) {
        let until = self.now + time;
        while self.now < until {
            let arrival = self.air.peek().map(|Reverse(next)| next.0);
            let next = arrival.map_or(self.next_picture, |at| at.min(self.next_picture));
            if next > until {
                break;
            }
            self.now = next;
            if self.now == self.next_picture {
                self.shoot();
                self.next_picture += Duration::from_micros(33_333);
            }
            while let Some(Reverse(next)) = self.air.peek()
                && next.0 <= self.now
            {
                let Some(Reverse((_, _, encoding, packet))) = self.air.pop() else {
                    break;
                };
                self.arrive(encoding, &packet);
            }
            self.ask();
        }
        self.now = until;
    }

    /// A picture of each encoding.
    fn shoot(&mut self) {
        for encoding in 0..self.sources.len() {
            let is_key = std::mem::take(&mut self.asked[encoding]);
            self.key_frames += usize::from(is_key);
            for packet in self.sources[encoding].picture(is_key) {
                self.send(encoding, packet);
            }
        }
    }

    fn send(&mut self, encoding: usize, packet: Vec<u8>) {
        let jitter = self.way.jitter.as_micros() as u32;
        let jitter = if jitter > 0 { self.random(jitter) } else { 0 };
        let mut at = self.now + ms(10) + Duration::from_micros(jitter.into());
        if self.random(1000) < self.way.lost {
            if self.random(1000) < self.way.lost_for_good {
                self.lost += 1;
                return;
            }
            at += ms(60);
        }
        for _ in 0..=u32::from(self.random(1000) < self.way.repeated) {
            self.order += 1;
            let order = self.order;
            (self.air).push(Reverse((at, order, encoding, packet.clone())));
            at += ms(7);
        }
    }

    fn arrive(&mut self, encoding: usize, packet: &[u8]) {
        let map = extensions();
        let view = PacketView::parse(packet).unwrap();
        let descriptor = view.extensions().read(&map).dependency_descriptor;
        let dependencies = match descriptor {
            None => None,
            Some(data) => match self.readers[encoding].read(data) {
                Ok(view) => Some(view),
                Err(_) => {
                    // Its key frame has not come: nothing can be said about it.
                    self.lost += 1;
                    return;
                }
            },
        };
        let incoming = Incoming::of_packet(self.kind.format(), &view, dependencies).unwrap();
        let of = Encoding(encoding as u32);
        if incoming.begins_key_frame() {
            self.limiter.key_frame(of);
        }
        let outgoing = match self.rewriter.rewrite(self.now, of, &incoming) {
            Ok(outgoing) => outgoing,
            Err(Refused::TooOld) => {
                self.lost += 1;
                return;
            }
            Err(_) => return,
        };
        let mut bytes = [0; 700];
        let len = (outgoing.write(&incoming, &Extensions::default(), &map, &mut bytes)).unwrap();
        self.oracle.packet(self.now, &bytes[..len]);
        // Changed where it lies, it says the same.
        let mut copy = packet.to_vec();
        let copied = (outgoing.patch(&mut copy, Some(source::DESCRIPTOR_ID))).unwrap();
        let (a, b) = (
            PacketView::parse(&bytes[..len]).unwrap(),
            PacketView::parse(&copy[..copied]).unwrap(),
        );
        assert_eq!(
            (a.sequence_number(), a.timestamp(), a.marker(), a.ssrc()),
            (b.sequence_number(), b.timestamp(), b.marker(), b.ssrc())
        );
        let current = self.rewriter.current();
        if self.current.is_some() && current != self.current {
            self.switches += 1;
        }
        self.current = current;
    }

    fn ask(&mut self) {
        if let Some(encoding) = self.rewriter.awaited() {
            self.limiter.want(self.now, encoding);
        }
        while let Some(encoding) = self.limiter.poll(self.now) {
            self.asked[encoding.0 as usize] = true;
        }
    }

    /// Switches to and fro, between encodings and layers, until there were so many switches.
    pub fn switch(&mut self, count: usize) {
        let encodings = self.sources.len() as u32;
        let deadline = self.now + secs(600);
        while self.switches < count {
            assert!(self.now < deadline, "{} switches", self.switches);
            let next = Encoding(self.random(encodings));
            self.rewriter.select(next);
            if self.random(4) == 0 {
                let limit = Layer {
                    spatial_id: self.random(2) as u8,
                    temporal_id: self.random(3) as u8,
                };
                self.rewriter.set_limit(limit);
            }
            if self.random(20) == 0 {
                self.rewriter.pause();
                self.current = None;
            }
            let time = ms(50 + u64::from(self.random(700)));
            self.run(time);
        }
        self.run(secs(1));
        self.drain();
    }

    /// The sender of an encoding begins anew, with numbers from elsewhere.
    pub fn restart(&mut self, encoding: u8, seed: u32) {
        self.sources[usize::from(encoding)] = Source::new(self.kind, encoding, seed);
    }

    /// Lets arrive what is on its way.
    pub fn drain(&mut self) {
        while let Some(Reverse((at, _, encoding, packet))) = self.air.pop() {
            self.now = at;
            self.arrive(encoding, &packet);
        }
    }

    pub fn check(&self, is_orderly: bool) -> Summary {
        let expected = Expected {
            lost: self.lost,
            is_orderly,
        };
        self.oracle.check(expected)
    }
}
