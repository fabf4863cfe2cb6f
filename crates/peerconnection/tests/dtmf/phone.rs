//! Two connections that send sound to each other on a simulated network.
#![allow(unreachable_pub)]

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use pc_proto::{FiveTuple, Serial32};
use pc_rtp::dtmf;
use pc_simnet::{HostId, LazyDriver, Link, Network, Node, Seed, ms};
use peerconnection::{
    Certificate, IceCandidate,
    engine::{
        Config, Connection, Event, Frame, MediaKind, MediaPacket, PayloadType, Received,
        TransceiverId, TransceiverInit,
    },
    rtp::{Codec, TransceiverDirection},
    state::PeerConnectionState,
};

pub const A: HostId = HostId(0);
pub const B: HostId = HostId(1);

/// A packet of media that came.
#[derive(Debug, Clone)]
pub struct Packet {
    pub payload_type: u8,
    pub marker: bool,
    pub timestamp: Serial32,
    pub payload: Vec<u8>,
}

/// A connection, and what came to it.
pub struct Phone {
    pub engine: Connection,
    address: SocketAddr,
    pub packets: Vec<Packet>,
    pub frames: usize,
    pub lost: usize,
}

impl Phone {
    fn new(seed: Seed, name: &str, address: SocketAddr) -> Self {
        let certificate = Certificate::generate(Duration::from_secs(1_795_000_000)).unwrap();
        Self {
            engine: Connection::new(Config::new(certificate, seed.bytes(name))),
            address,
            packets: Vec::new(),
            frames: 0,
            lost: 0,
        }
    }
}

impl Node for Phone {
    type Engine = Connection;

    fn engine(&self) -> &Connection {
        &self.engine
    }

    fn engine_mut(&mut self) -> &mut Connection {
        &mut self.engine
    }

    fn payload(&mut self, _: Instant, _: FiveTuple, packet: Option<MediaPacket<'_>>) {
        self.packets.extend(packet.map(|it| Packet {
            payload_type: it.arrived.payload_type.number(),
            marker: it.arrived.packet.marker(),
            timestamp: it.arrived.packet.timestamp(),
            payload: it.arrived.payload.to_vec(),
        }));
    }

    fn pull(&mut self, now: Instant) {
        let ids: Vec<_> = self.engine.transceivers().map(|it| it.id()).collect();
        for id in ids {
            while let Some(received) = self.engine.poll_frame(now, id) {
                match received {
                    Received::Frame(_) => self.frames += 1,
                    Received::Lost { .. } => self.lost += 1,
                }
            }
        }
    }
}

/// What is told of a tone: when, since the call was ready; which; and what waits in the buffer.
pub type Told = (u64, String, String);

pub struct Call {
    pub net: Network<Phone>,
    /// A's transceiver, which sends and receives sound, and B's.
    pub here: TransceiverId,
    pub there: TransceiverId,
    ready: Instant,
    seen: [usize; 2],
    next_sound: Option<Duration>,
}

impl Call {
    /// Two that are connected; `codecs` are what A prefers, if anything.
    pub fn new(seed: impl Into<Seed>, link: Link, codecs: Option<&[Codec]>) -> Self {
        Self::with(seed.into(), link, codecs, None)
    }

    pub fn lazy(seed: impl Into<Seed>, link: Link) -> Self {
        Self::with(seed.into(), link, None, Some(LazyDriver::default()))
    }

    fn with(seed: Seed, link: Link, codecs: Option<&[Codec]>, lazy: Option<LazyDriver>) -> Self {
        let mut net = Network::new(seed).with_link(link);
        if let Some(lazy) = lazy {
            net = net.with_driver(lazy);
        }
        for (name, address) in [("a", "192.0.2.1:5000"), ("b", "198.51.100.2:6000")] {
            let address = address.parse().unwrap();
            net.add(Phone::new(seed, name, address), &[address]);
        }
        let init = TransceiverInit {
            direction: TransceiverDirection::SendRecv,
            streams: Vec::new(),
            send_encodings: Vec::new(),
        };
        let a = &mut net[A].engine;
        let here = a
            .add_transceiver(MediaKind::Audio, Some("voice"), init)
            .unwrap();
        if let Some(codecs) = codecs {
            a.set_codec_preferences(here, codecs.to_vec()).unwrap();
        }
        let b = &mut net[B].engine;
        let there = b.add_track(MediaKind::Audio, "answer", &[]).unwrap();
        let ready = net.now();
        let mut call = Self {
            net,
            here,
            there,
            ready,
            seen: [0; 2],
            next_sound: None,
        };
        call.negotiate();
        call
    }

    /// A's offer, B's answer; until both are connected.
    pub fn negotiate(&mut self) {
        let now = self.net.now();
        let offer = self.set_local(A);
        let b = &mut self.net[B].engine;
        b.set_remote_description(now, offer).unwrap();
        let answer = self.set_local(B);
        let a = &mut self.net[A].engine;
        a.set_remote_description(now, answer).unwrap();
        let mut seen = self.seen;
        self.net.drive(|net| {
            for (from, to) in [(A, B), (B, A)] {
                let events = &net[from].events[seen[from.0]..];
                seen[from.0] += events.len();
                let candidates: Vec<_> = events.iter().filter_map(candidate).collect();
                for candidate in candidates {
                    let now = net.now();
                    net[to]
                        .engine
                        .add_ice_candidate(now, Some(candidate))
                        .unwrap();
                }
            }
            [A, B]
                .iter()
                .all(|it| net[*it].engine.connection_state() == PeerConnectionState::Connected)
        });
        self.seen = seen;
        self.ready = self.net.now();
    }

    fn set_local(&mut self, host: HostId) -> peerconnection::SessionDescription {
        let now = self.net.now();
        let own = &mut self.net[host];
        let address = own.address;
        own.engine.set_local_description(now, None).unwrap();
        own.engine.gather(now, &[address]);
        own.engine.local_description().unwrap()
    }

    /// From now on, A has sound to send, every 20 ms.
    pub fn speak(&mut self) {
        self.next_sound = Some(self.net.now() - self.ready);
    }

    /// Time since the call was ready.
    pub fn elapsed(&self) -> Duration {
        self.net.now() - self.ready
    }

    pub fn insert(&mut self, tones: &str, duration: u64, gap: u64) {
        let now = self.net.now();
        let (engine, here) = (&mut self.net[A].engine, self.here);
        let inserted = engine.insert_dtmf(now, here, tones, ms(duration), ms(gap));
        inserted.unwrap();
    }

    /// What A is told of its tones until `until`, and does about it.
    pub fn listen(
        &mut self,
        until: u64,
        mut act: impl FnMut(&mut Connection, Instant, Option<char>),
    ) -> Vec<Told> {
        let mut told = Vec::new();
        self.net.run_until(self.net.now());
        loop {
            let now = self.net.now();
            let own = &mut self.net[A];
            let tones: Vec<_> = own.events[self.seen[0]..].iter().filter_map(tone).collect();
            self.seen[0] = own.events.len();
            for (id, tone) in tones {
                assert_eq!(id, self.here);
                let name = tone.map_or(String::new(), |tone| tone.to_string());
                let at = (now - self.ready).as_millis() as u64;
                told.push((at, name, own.engine.tone_buffer(id)));
                act(&mut own.engine, now, tone);
            }
            let elapsed = now - self.ready;
            if let Some(at) = self.next_sound.filter(|at| *at <= elapsed) {
                send_sound(&mut own.engine, now, self.here, at);
                self.next_sound = Some(at + ms(20));
            }
            if elapsed >= ms(until) {
                return told;
            }
            // Engines are looked at every millisecond; their timers run when they are due.
            self.net.run_until(now + ms(1));
        }
    }

    /// What B has heard of A's keys.
    pub fn heard(&self) -> Vec<dtmf::Event> {
        let events = self.net[B].events.iter();
        events
            .filter_map(|event| match event {
                Event::TelephoneEvent(id, event) if *id == self.there => Some(*event),
                _ => None,
            })
            .collect()
    }

    /// The keys of which B has heard the end, and for how long each was pressed.
    pub fn keys(&self) -> Vec<(char, u64)> {
        let heard = self.heard().into_iter();
        heard
            .filter_map(|event| match event {
                dtmf::Event::End(ended) => {
                    Some((ended.code.tone()?, ended.duration.as_millis() as u64))
                }
                _ => None,
            })
            .collect()
    }
}

fn candidate(event: &Event) -> Option<IceCandidate> {
    match event {
        Event::IceCandidate(Some(candidate)) => Some((**candidate).clone()),
        _ => None,
    }
}

fn tone(event: &Event) -> Option<(TransceiverId, Option<char>)> {
    match event {
        Event::ToneChange(id, tone) => Some((*id, *tone)),
        _ => None,
    }
}

/// The sound of 20 ms, with the codec that was negotiated first.
fn send_sound(engine: &mut Connection, now: Instant, id: TransceiverId, at: Duration) {
    let Some(view) = engine.send_view(id) else {
        return;
    };
    let codec = view.codecs[0].clone();
    let ticks = at.as_millis() as u32 * (codec.codec.clock_rate / 1000);
    let frame = Frame {
        payload_type: PayloadType::new(codec.payload_type.value()).unwrap(),
        data: &[0xD5; 160],
        timestamp: Serial32(ticks),
        capture: now,
        is_key_frame: true,
        size: None,
        audio_level: None,
        orientation: None,
        layer: None,
    };
    engine.send_frame(now, id, 0, frame).unwrap();
}
