//! Two sessions over bad links, on virtual time.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod common;

use common::*;
use pc_proto::Serial32;
use pc_rtp_session::{Config, Event, Input, Received, ReceiverId, SendError, Session};
use pc_simnet::{LazyDriver, Link, Node, Pair, Seed, epoch, for_each_seed, ms, secs};
use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

const PICTURE: ReceiverId = ReceiverId(1);
const SOUND: ReceiverId = ReceiverId(2);

/// A session and what came out of it.
struct Peer {
    session: Session,
    /// Each packet of pictures, when it came first: by number, with its timestamp.
    packets: HashMap<u16, (Serial32, Instant)>,
    /// Each picture: its number, when it was played, whether it is a key frame.
    pictures: Vec<(u32, Instant, bool)>,
    /// Each piece of sound that was played: its number, or that it was lost.
    sound: Vec<Option<u32>>,
}

impl Node for Peer {
    type Engine = Session;

    fn engine(&self) -> &Session {
        &self.session
    }

    fn engine_mut(&mut self) -> &mut Session {
        &mut self.session
    }

    fn payload(&mut self, now: Instant, (): (), input: Input<'_>) {
        if let Input::Rtp(arrived) = input
            && arrived.receiver == PICTURE
        {
            let timestamp = arrived.packet.timestamp();
            let number = arrived.sequence_number.0;
            self.packets.entry(number).or_insert((timestamp, now));
        }
    }

    fn pull(&mut self, now: Instant) {
        while let Some(received) = self.session.poll_frame(now, PICTURE) {
            if let Received::Frame(frame) = received {
                let number = frame.data[10..14].try_into().unwrap();
                let picture = (u32::from_be_bytes(number), now, frame.is_key_frame);
                self.pictures.push(picture);
            }
        }
        while let Some(received) = self.session.poll_frame(now, SOUND) {
            self.sound.push(match received {
                Received::Frame(frame) => {
                    Some(u32::from_be_bytes(frame.data[..4].try_into().unwrap()))
                }
                Received::Lost { .. } => None,
            });
        }
    }
}

/// A peer that sends pictures and sound to one that plays them.
struct Call {
    pair: Pair<Peer, Peer>,
    next: u32,
    needs_key_frame: bool,
    /// When each picture was sent, by number.
    sent: Vec<Instant>,
    /// Bytes of a picture.
    len: usize,
    interval: Duration,
    /// Whether the encoder obeys the target bit rate.
    is_obedient: bool,
}

impl Call {
    fn new(seed: Seed, link: Link) -> Self {
        let mut call = Self::without_receiver(seed, link);
        call.receive();
        call
    }

    fn without_receiver(seed: Seed, link: Link) -> Self {
        let peer = |name: &str| Peer {
            session: Session::new(
                epoch(),
                Config {
                    seed: seed.bytes(name),
                    ..config(0)
                },
            ),
            packets: HashMap::new(),
            pictures: Vec::new(),
            sound: Vec::new(),
        };
        let (mut a, b) = (peer("a"), peer("b"));
        a.session.set_sender(epoch(), VIDEO, sends("v", vp8()));
        a.session.set_sender(epoch(), AUDIO, sends("a", opus()));
        Self {
            pair: Pair::new(seed, a, b)
                .with_link(link)
                .with_limits(secs(100_000), 1_000_000_000),
            next: 0,
            needs_key_frame: true,
            sent: Vec::new(),
            len: 4000,
            interval: ms(33),
            is_obedient: false,
        }
    }

    fn receive(&mut self) {
        let now = self.pair.now();
        let session = &mut self.pair.b.session;
        session.set_receiver(now, PICTURE, receives("v", vp8()));
        session.set_receiver(now, SOUND, receives("a", opus()));
    }

    /// Sends a picture and sound at each interval, and key frames when asked.
    fn run(&mut self, time: Duration) {
        let end = self.pair.now() + time;
        while self.pair.now() < end {
            let now = self.pair.now();
            for event in self.pair.a.take_events() {
                match event {
                    Event::KeyFrameRequested { .. } => self.needs_key_frame = true,
                    Event::TargetBitrate {
                        bits_per_second, ..
                    } if self.is_obedient => {
                        // Sound and headers take their part.
                        let bytes = bits_per_second as f64 / 8.0 * 0.9;
                        self.len = (bytes * self.interval.as_secs_f64()) as usize;
                    }
                    _ => {}
                }
            }
            let key = std::mem::take(&mut self.needs_key_frame);
            let len = if key { self.len * 5 } else { self.len };
            let mut data = vec![u8::from(!key); len];
            if key {
                data[..10].copy_from_slice(&[0x10, 0, 0, 0x9D, 1, 0x2A, 64, 0, 64, 0]);
            }
            data[10..14].copy_from_slice(&self.next.to_be_bytes());
            let millis = (now - epoch()).as_millis() as u32;
            let frame = picture(now, millis, key, &data);
            match self.pair.a.session.send_frame(now, VIDEO, 0, frame) {
                Ok(()) | Err(SendError::QueueFull) => {}
                Err(error) => panic!("{error}"),
            }
            let frame = sound(now, millis, &data[10..90]);
            let _ = self.pair.a.session.send_frame(now, AUDIO, 0, frame);
            self.sent.push(now);
            self.next += 1;
            self.pair.run_until(now + self.interval);
        }
    }

    /// The part of the packets of pictures sent so far that came within `limit` of their frame.
    fn in_time(&self, limit: Duration) -> f64 {
        let stats = self.pair.a.session.outbound_stats(VIDEO).next().unwrap();
        let total = stats.packets_sent - stats.retransmitted_packets_sent;
        let millis = |at: Instant| Serial32(((at - epoch()).as_millis() as u32).wrapping_mul(90));
        let times: HashMap<_, _> = self.sent.iter().map(|at| (millis(*at), *at)).collect();
        // The offset of the stream's timestamps: the first packet tells.
        let (first, _) = self
            .pair
            .b
            .packets
            .values()
            .min_by_key(|(_, at)| *at)
            .unwrap();
        let shift = first.steps_from(millis(self.sent[0]));
        let in_time = self.pair.b.packets.values().filter(|(timestamp, at)| {
            let sent = times[&timestamp.minus(shift)];
            *at - sent <= limit
        });
        in_time.count() as f64 / total as f64
    }
}

#[test]
fn five_percent_loss_is_repaired_in_time() {
    for_each_seed(3, |seed| {
        let link = Link::new().delay(ms(25)).loss(0.05);
        let mut call = Call::new(seed, link);
        call.run(secs(60));
        let frames = call.sent.len();
        call.pair.run_for(ms(500));
        let in_time = call.in_time(ms(200));
        assert!(in_time >= 0.99, "{in_time} of the packets within 200 ms");
        let stats = call.pair.b.session.inbound_stats(PICTURE).next().unwrap();
        assert!(stats.retransmitted_packets_received > 100, "{stats:?}");
        let played = call.pair.b.pictures.len();
        assert!(played * 100 >= frames * 97, "{played} of {frames} played");
        let sound = call.pair.b.sound.iter().flatten().count();
        assert!(sound * 100 >= frames * 92, "{sound} of {frames} heard");
    });
}

#[test]
fn thirty_percent_loss_never_wedges() {
    for_each_seed(3, |seed| {
        let link = Link::new().delay(ms(25)).jitter(ms(10)).loss(0.3);
        let mut call = Call::new(seed, link);
        call.len = 1500;
        let mut before = 0;
        for window in 0..12 {
            call.run(secs(5));
            let played = call.pair.b.pictures.len();
            assert!(
                played - before >= 10,
                "{} in window {window}",
                played - before
            );
            before = played;
        }
        let rising = call
            .pair
            .b
            .pictures
            .windows(2)
            .all(|pair| pair[0].0 < pair[1].0);
        assert!(rising, "pictures in their order");
        // On a good link all is well again.
        let good = Link::new().delay(ms(25));
        call.pair.set_link(pc_simnet::Side::A, good.clone());
        call.pair.set_link(pc_simnet::Side::B, good);
        call.run(secs(3));
        let before = call.pair.b.pictures.len();
        call.run(secs(3));
        let played = call.pair.b.pictures.len() - before;
        assert!(played >= 85, "{played} of 91 played");
    });
}

#[test]
fn who_joins_late_gets_a_key_frame() {
    for_each_seed(4, |seed| {
        let mut call = Call::without_receiver(seed, Link::new().delay(ms(40)).loss(0.02));
        call.run(secs(5));
        assert_eq!(call.pair.b.pictures, []);
        let joined = call.pair.now();
        call.receive();
        call.run(secs(2));
        let &(_, at, is_key_frame) = call.pair.b.pictures.first().expect("a picture");
        assert!(is_key_frame);
        assert!(at - joined <= ms(800), "after {:?}", at - joined);
        let asked = call
            .pair
            .b
            .session
            .inbound_stats(PICTURE)
            .next()
            .unwrap()
            .pli_count;
        assert!((1..=3).contains(&asked), "{asked} requests");
    });
}

#[test]
fn whatever_the_driver_leaves_undone_pictures_come() {
    for_each_seed(5, |seed| {
        let mut call = Call::new(seed, Link::new().delay(ms(20)).loss(0.02));
        call.pair = call.pair.with_driver(LazyDriver::default());
        call.run(secs(20));
        call.pair.run_for(secs(1));
        let (sent, played) = (call.sent.len(), call.pair.b.pictures.len());
        assert!(played * 100 >= sent * 90, "{played} of {sent}");
    });
}

#[test]
fn numbers_wrap_on_a_lossy_link() {
    for_each_seed(1, |seed| {
        let mut call = Call::new(seed, Link::new().delay(ms(10)).loss(0.02));
        call.len = 200;
        call.interval = ms(20);
        // 66,000 packets of each.
        call.pair.a.session.remove_sender(epoch(), AUDIO);
        call.run(secs(1320));
        let (sent, played) = (call.sent.len(), call.pair.b.pictures.len());
        assert!(sent >= 66_000);
        assert!(played * 1000 >= sent * 995, "{played} of {sent}");
        let rising = call
            .pair
            .b
            .pictures
            .windows(2)
            .all(|pair| pair[0].0 < pair[1].0);
        assert!(rising, "pictures in their order");
    });
}

#[test]
fn an_encoder_that_obeys_finds_its_rate_on_a_narrow_link() {
    for_each_seed(3, |seed| {
        let link = Link::new().delay(ms(25)).rate(600_000, 30_000);
        let mut call = Call::new(seed, link);
        call.is_obedient = true;
        call.run(secs(40));
        let before = (call.sent.len(), call.pair.b.pictures.len());
        call.run(secs(40));
        let target = call.pair.a.session.target_bitrate(call.pair.now());
        let sent = call.sent.len() - before.0;
        let played = call.pair.b.pictures.len() - before.1;
        assert!((200_000..800_000).contains(&target), "{target}");
        assert!(played * 100 >= sent * 70, "{played} of {sent}");
    });
}
