//! Two connections that send sound to each other on a simulated network.
#![allow(unreachable_pub)]

use std::time::{Duration, Instant};

use pc_proto::Serial32;
use pc_rtp::dtmf;
use pc_simnet::{Link, Network, Seed, ms};
use peerconnection::{
    engine::{
        Connection, Event, Frame, MediaKind, MediaPacket, PayloadType, Received, TransceiverId,
        TransceiverInit,
    },
    rtp::{Codec, TransceiverDirection},
};

use crate::pair::{self, Application, Peer};
pub use crate::pair::{A, B};

/// A packet of media that came.
#[derive(Debug, Clone)]
pub struct Packet {
    pub payload_type: u8,
    pub marker: bool,
    pub timestamp: Serial32,
    pub payload: Vec<u8>,
}

/// What came to one side.
#[derive(Default)]
pub struct Phone {
    pub packets: Vec<Packet>,
    pub frames: usize,
    pub lost: usize,
}

impl Application for Phone {
    fn payload(&mut self, _: Instant, packet: Option<MediaPacket<'_>>) {
        self.packets.extend(packet.map(|it| Packet {
            payload_type: it.arrived.payload_type.number(),
            marker: it.arrived.packet.marker(),
            timestamp: it.arrived.packet.timestamp(),
            payload: it.arrived.payload.to_vec(),
        }));
    }

    fn pull(&mut self, engine: &mut Connection, now: Instant) {
        let ids: Vec<_> = engine.transceivers().map(|it| it.id()).collect();
        for id in ids {
            while let Some(received) = engine.poll_frame(now, id) {
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
    pub net: Network<Peer<Phone>>,
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
        Self::with(seed.into(), link, codecs, false)
    }

    pub fn lazy(seed: impl Into<Seed>, link: Link) -> Self {
        Self::with(seed.into(), link, None, true)
    }

    fn with(seed: Seed, link: Link, codecs: Option<&[Codec]>, lazy: bool) -> Self {
        let mut net = pair::network::<Phone>(seed, link, lazy);
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
        pair::connect(&mut self.net, &mut self.seen);
        self.ready = self.net.now();
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
