//! Reads bytes as operations on two sessions and checks what must hold whatever they are.
//!
//! Used by the fuzz target and by the test of `pc-rtp-session` that replays its corpus.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use pc_proto::{Batch, Protocol, Serial16, Serial32, Writer};
use pc_rtp::{
    AudioLevel, ExtensionMap, ExtensionUri, NtpTime, PacketView, PayloadType, Ssrc,
    VideoOrientation, is_rtcp,
    payload::{Format, TemporalLayer},
    rtcp::{
        Bye, Compound, Fir, FirEntry, Nack, Pli, ReceiverReport, Remb, ReportBlock, SenderReport,
        write_receiver_reference_time,
    },
};
use pc_rtp_session::{
    Codec, Config, EncodingParameters, Frame, Input, OutgoingPacket, Received, ReceiverId,
    ReceiverParameters, SenderId, SenderParameters, Session,
};

const MTU: usize = 1180;
const MEDIA: u32 = 2;

/// Runs the operations, then gives the sessions a good network: pictures have to arrive.
pub(crate) fn run(data: &[u8]) {
    let mut world = World::new();
    let mut bytes = Bytes(data);
    for _ in 0..300 {
        let Some(operation) = bytes.next() else { break };
        world.operate(operation, &mut bytes);
        world.check();
    }
    world.recover();
}

struct Bytes<'a>(&'a [u8]);

impl Bytes<'_> {
    fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn byte(&mut self) -> u8 {
        self.next().unwrap_or(0)
    }

    fn short(&mut self) -> u16 {
        u16::from_be_bytes([self.byte(), self.byte()])
    }

    fn some(&mut self) -> Vec<u8> {
        let len = usize::from(self.byte());
        (0..len).map(|_| self.byte()).collect()
    }
}

struct Host {
    session: Session,
    /// Payload of what was received last, to be sent on.
    tapped: Option<(Ssrc, Serial16, Serial32, Vec<u8>)>,
    clock: u32,
}

struct World {
    now: Instant,
    hosts: [Host; 2],
    /// Who it is for, and the bytes.
    air: VecDeque<(usize, Vec<u8>)>,
    heard: VecDeque<(usize, Vec<u8>)>,
    batch: Batch,
}

impl World {
    fn new() -> Self {
        let now = pc_simnet::epoch();
        let host = |seed: u8| {
            let config = Config {
                seed: [seed; 32],
                cname: "fuzz".into(),
                unix_time: Duration::from_secs(1_700_000_000),
                mtu: MTU,
                ..Config::default()
            };
            let mut host = Host {
                session: Session::new(now, config),
                tapped: None,
                clock: 0,
            };
            for id in 0..MEDIA {
                host.set_sender(now, id, 0);
                host.set_receiver(now, id, 0);
            }
            host
        };
        Self {
            now,
            hosts: [host(1), host(2)],
            air: VecDeque::new(),
            heard: VecDeque::new(),
            batch: Batch::new(),
        }
    }

    fn operate(&mut self, operation: u8, bytes: &mut Bytes<'_>) {
        let which = usize::from(operation & 1);
        let now = self.now;
        let host = &mut self.hosts[which];
        match operation >> 1 & 0x1F {
            0 => self.pass(Duration::from_millis(u64::from(bytes.byte()))),
            1 => self.pass(Duration::from_millis(u64::from(bytes.short()))),
            2 => host.send(now, 0, bytes),
            3 => host.send(now, 1, bytes),
            4 => self.deliver(),
            5 => (0..16).for_each(|_| self.deliver()),
            6 => drop(self.air.pop_front()),
            7 => self.swap(),
            8 => self.corrupt(bytes),
            9 => self.replay(bytes),
            10 => self.give(which, bytes.some()),
            11 => self.forge_rtp(which, bytes),
            12 | 13 => self.forge_rtcp(which, bytes),
            14 => {
                let (id, bits) = (bytes.byte(), bytes.byte());
                host.set_sender(now, u32::from(id) % MEDIA, bits);
            }
            15 => {
                let (id, bits) = (bytes.byte(), bytes.byte());
                host.set_receiver(now, u32::from(id) % MEDIA, bits);
            }
            16 => (host.session).remove_sender(now, SenderId(u32::from(bytes.byte()) % MEDIA)),
            17 => (host.session).remove_receiver(now, ReceiverId(u32::from(bytes.byte()) % MEDIA)),
            18 => (host.session).stop_sending(now, SenderId(u32::from(bytes.byte()) % MEDIA)),
            19 => {
                (host.session).request_key_frame(now, ReceiverId(u32::from(bytes.byte()) % MEDIA))
            }
            20 => {
                let target = Duration::from_millis(u64::from(bytes.short()));
                let id = ReceiverId(u32::from(bytes.byte()) % MEDIA);
                host.session.set_jitter_buffer_target(id, Some(target));
            }
            21 => host.send_on(now, bytes),
            _ => drop(host.take_frames(now)),
        }
    }

    /// Lets time pass, timer by timer.
    fn pass(&mut self, time: Duration) {
        let until = self.now + time;
        for _ in 0..10_000 {
            let timeouts = self
                .hosts
                .iter()
                .filter_map(|host| host.session.poll_timeout());
            match timeouts.min() {
                Some(next) if next <= until => self.now = self.now.max(next),
                _ => {
                    self.now = until;
                    return;
                }
            }
            let now = self.now;
            self.hosts
                .iter_mut()
                .for_each(|host| host.session.handle_timeout(now));
            self.collect();
        }
        panic!("timers that do not come to rest");
    }

    /// Takes what the sessions want to send.
    fn collect(&mut self) {
        for (from, host) in self.hosts.iter_mut().enumerate() {
            for round in 0.. {
                assert!(round < 2000, "transmits that do not come to rest");
                let mut out = self.batch.transmit_buf(1200, 16);
                if host.session.poll_transmit(self.now, &mut out).is_none() {
                    break;
                }
                assert!(!self.batch.is_empty());
                for datagram in self.batch.datagrams() {
                    assert!(datagram.len() <= MTU, "{} bytes", datagram.len());
                    if is_rtcp(datagram) {
                        let compound = Compound::parse(datagram).expect("RTCP of our own");
                        assert!(compound.packets().all(|packet| packet.is_ok()));
                    } else {
                        PacketView::parse(datagram).expect("RTP of our own");
                    }
                    self.air.push_back((1 - from, datagram.to_vec()));
                }
            }
        }
        while self.air.len() > 4000 {
            self.air.pop_front();
        }
    }

    fn check(&mut self) {
        self.collect();
        for host in &mut self.hosts {
            let mut events = 0;
            while host.session.poll_event().is_some() {
                events += 1;
            }
            assert!(events < 10_000, "{events} events of one operation");
            for id in 0..MEDIA {
                for stats in host.session.outbound_stats(SenderId(id)) {
                    assert!(stats.retransmitted_packets_sent <= stats.packets_sent);
                    assert!(stats.retransmitted_bytes_sent <= stats.bytes_sent);
                }
                for stats in host.session.inbound_stats(ReceiverId(id)) {
                    assert!(stats.retransmitted_packets_received <= stats.packets_received);
                }
            }
        }
    }

    fn deliver(&mut self) {
        if let Some((to, datagram)) = self.air.pop_front() {
            self.heard.push_back((to, datagram.clone()));
            if self.heard.len() > 200 {
                self.heard.pop_front();
            }
            self.give(to, datagram);
        }
    }

    fn give(&mut self, to: usize, mut datagram: Vec<u8>) {
        let host = &mut self.hosts[to];
        if let Ok(Input::Rtp(arrived)) = host.session.handle_input(self.now, (), &mut datagram) {
            host.tapped = Some((
                arrived.ssrc,
                arrived.sequence_number,
                arrived.packet.timestamp(),
                arrived.payload.to_vec(),
            ));
        }
    }

    fn swap(&mut self) {
        if self.air.len() >= 2 {
            self.air.swap(0, 1);
        }
    }

    fn corrupt(&mut self, bytes: &mut Bytes<'_>) {
        let (at, with) = (usize::from(bytes.byte()), bytes.byte());
        if let Some((to, mut datagram)) = self.air.pop_front() {
            if let Some(byte) = datagram.get_mut(at) {
                *byte ^= with;
            }
            if with & 0x80 != 0 {
                datagram.truncate(at);
            }
            self.give(to, datagram);
        }
    }

    fn replay(&mut self, bytes: &mut Bytes<'_>) {
        let which = usize::from(bytes.byte());
        if let Some((to, datagram)) = self.heard.get(which % self.heard.len().max(1)).cloned() {
            self.give(to, datagram);
        }
    }

    /// A packet with the marks of a good one: some payload, some payload type, a number near those
    /// that are used.
    fn forge_rtp(&mut self, to: usize, bytes: &mut Bytes<'_>) {
        let good = self
            .heard
            .iter()
            .find(|heard| heard.0 == to && !is_rtcp(&heard.1));
        let Some((_, mut datagram)) = good.cloned() else {
            return;
        };
        let (kind, step) = (bytes.byte(), bytes.short());
        let number = u16::from_be_bytes([datagram[2], datagram[3]]).wrapping_add(step);
        datagram[2..4].copy_from_slice(&number.to_be_bytes());
        if kind & 1 != 0 {
            datagram[1] = bytes.byte();
        }
        if kind & 2 != 0 {
            datagram[4..8].copy_from_slice(&u32::from(bytes.short()).to_be_bytes());
        }
        if kind & 4 != 0 {
            datagram[8..12].copy_from_slice(&u32::from(bytes.byte()).to_be_bytes());
        }
        if kind & 8 != 0
            && let Ok(view) = PacketView::parse(&datagram)
        {
            let header = view.header_len();
            datagram.truncate(header);
            datagram.extend(bytes.some());
        }
        if !is_rtcp(&datagram) {
            self.give(to, datagram);
        }
    }

    /// Feedback and reports about streams that exist, with contents of any kind.
    fn forge_rtcp(&mut self, to: usize, bytes: &mut Bytes<'_>) {
        let (kind, value) = (bytes.byte(), bytes.short());
        let peer = 1 - to;
        let media = |world: &Self, of: usize| {
            let mut ssrcs = world.hosts[of]
                .session
                .ssrcs(SenderId(u32::from(value) % MEDIA));
            ssrcs.next().map_or(Ssrc(7), |(media, rtx)| {
                if value & 64 == 0 {
                    media
                } else {
                    rtx.unwrap_or(media)
                }
            })
        };
        let (ours, theirs) = (media(self, to), media(self, peer));
        let lost: Vec<_> = (0..=value % 300)
            .map(|n| Serial16(bytes.short().wrapping_add(n)))
            .collect();
        let wide = u32::from(value).wrapping_mul(0x1_0003);
        let block = ReportBlock {
            ssrc: ours,
            fraction_lost: bytes.byte(),
            cumulative_lost: wide.cast_signed(),
            highest_sequence: wide.rotate_left(7),
            jitter: wide,
            last_sr: wide.rotate_left(3),
            delay_since_last_sr: wide,
        };
        let mut buffer = [0; 2000];
        let mut writer = Writer::new(&mut buffer);
        let result = match kind % 9 {
            0 => Nack {
                sender: theirs,
                media: ours,
                lost: &lost,
            }
            .write(&mut writer),
            1 => Pli {
                sender: theirs,
                media: ours,
            }
            .write(&mut writer),
            2 => {
                let entry = FirEntry {
                    ssrc: ours,
                    sequence_number: bytes.byte(),
                };
                Fir {
                    sender: theirs,
                    entries: &[entry; 5],
                }
                .write(&mut writer)
            }
            3 => {
                let bits_per_second = u64::from(wide) << (kind >> 3);
                Remb {
                    sender: theirs,
                    bits_per_second,
                    ssrcs: &[ours],
                }
                .write(&mut writer)
            }
            4 => ReceiverReport {
                ssrc: theirs,
                reports: &[block; 3],
            }
            .write(&mut writer),
            5 => {
                let report = SenderReport {
                    ssrc: theirs,
                    ntp: NtpTime(u64::from(wide) << 30),
                    rtp: Serial32(wide),
                    packet_count: wide,
                    octet_count: wide,
                    reports: &[block],
                };
                report.write(&mut writer)
            }
            6 => Bye {
                ssrcs: &[theirs, Ssrc(wide)],
            }
            .write(&mut writer),
            7 => write_receiver_reference_time(
                &mut writer,
                Ssrc(wide),
                NtpTime(u64::from(wide) << 20),
            ),
            _ => writer
                .bytes(&[0x8F, 205, 0, 5])
                .and_then(|()| writer.zeros(20)),
        };
        if result.is_ok() {
            let datagram = writer.written().to_vec();
            self.give(to, datagram);
        }
    }

    /// Sessions that were set anew, on a network without faults: a key frame arrives.
    fn recover(&mut self) {
        self.air.clear();
        for (seed, host) in self.hosts.iter_mut().enumerate() {
            for id in 0..MEDIA {
                host.session.stop_sending(self.now, SenderId(id));
                host.session.remove_receiver(self.now, ReceiverId(id));
                host.set_sender(self.now, id, 0);
                host.set_receiver(self.now, id, 0);
            }
            let _ = seed;
        }
        self.collect();
        self.air.clear();
        let mut frames = [0, 0];
        for _ in 0..100 {
            for host in &mut self.hosts {
                host.send_picture(self.now, &[0x10; 3000], true);
            }
            for _ in 0..4 {
                self.pass(Duration::from_millis(25));
                while !self.air.is_empty() {
                    self.deliver();
                    self.collect();
                }
                for (host, frames) in self.hosts.iter_mut().zip(&mut frames) {
                    *frames += host.take_frames(self.now);
                }
            }
        }
        assert!(
            frames.iter().all(|count| *count >= 20),
            "{frames:?} frames of 100"
        );
    }
}

fn payload_type(number: u8) -> PayloadType {
    PayloadType::new(number & 0x7F).expect("seven bits")
}

/// What was negotiated for picture (0) or sound (1); bits turn parts of it off or on.
fn codec(id: u32, bits: u8) -> Codec {
    let is_video = id == 0;
    Codec {
        payload_type: payload_type(if is_video { 96 } else { 111 }),
        format: if is_video { Format::Vp8 } else { Format::Opus },
        clock_rate: if is_video { 90_000 } else { 48_000 },
        channels: 1,
        rtx: (is_video && bits & 1 == 0).then_some(payload_type(97)),
        nack: bits & 2 == 0,
        pli: bits & 4 == 0,
        fir: bits & 8 == 0,
        transport_cc: bits & 16 == 0,
        remb: true,
    }
}

/// All that was negotiated: for sound redundancy too.
fn codecs(id: u32, bits: u8) -> Vec<Codec> {
    let codec = codec(id, bits);
    if id == 0 || bits & 1 != 0 {
        return vec![codec];
    }
    let red = Codec {
        payload_type: payload_type(63),
        format: Format::Red {
            primary: codec.payload_type,
        },
        ..codec.clone()
    };
    vec![codec, red]
}

fn extensions() -> ExtensionMap {
    let mut map = ExtensionMap::new();
    map.set(1, ExtensionUri::SsrcAudioLevel);
    map.set(2, ExtensionUri::AbsSendTime);
    map.set(3, ExtensionUri::TransportCc);
    map.set(4, ExtensionUri::Mid);
    map.set(5, ExtensionUri::Rid);
    map.set(6, ExtensionUri::RepairedRid);
    map.set(20, ExtensionUri::VideoOrientation);
    map
}

fn mid(id: u32) -> String {
    ["v", "a"][id as usize % 2].into()
}

impl Host {
    fn set_sender(&mut self, now: Instant, id: u32, bits: u8) {
        let rids: &[Option<&str>] = match bits >> 5 {
            0 | 1 => &[None],
            2 => &[None, None],
            3 => &[Some("a"), Some("b"), Some("c")],
            _ => &[Some("a"), None],
        };
        let encodings = rids.iter().map(|rid| EncodingParameters {
            rid: rid.map(String::from),
            active: bits >> 5 != 1,
        });
        let parameters = SenderParameters {
            mid: mid(id),
            codecs: codecs(id, bits),
            extensions: extensions(),
            encodings: encodings.collect(),
            reduced_size: bits & 16 == 0,
            weight: (bits & 3).into(),
        };
        self.session.set_sender(now, SenderId(id), parameters);
    }

    fn set_receiver(&mut self, now: Instant, id: u32, bits: u8) {
        let rids: &[&str] = if bits & 32 == 0 { &[] } else { &["a", "b"] };
        let parameters = ReceiverParameters {
            mid: mid(id),
            codecs: codecs(id, bits),
            extensions: extensions(),
            rids: rids.iter().map(|rid| String::from(*rid)).collect(),
            ssrcs: (0..bits >> 6).map(|n| Ssrc(n.into())).collect(),
            rtx_pairs: (0..bits >> 6)
                .map(|n| (Ssrc(n.into()), Ssrc(100)))
                .collect(),
            reduced_size: bits & 16 == 0,
        };
        self.session.set_receiver(now, ReceiverId(id), parameters);
    }

    fn send(&mut self, now: Instant, id: u32, bytes: &mut Bytes<'_>) {
        let (bits, len) = (bytes.byte(), usize::from(bytes.short()));
        let len = if id == 0 { len % 30_000 } else { len % 1300 };
        let data = vec![bits | 1; len];
        let step = u32::from(bits).wrapping_mul(if bits & 7 == 7 { 0x80_0000 } else { 100 });
        self.clock = self.clock.wrapping_add(step);
        let number = match id {
            0 => 96,
            _ if bits & 16 == 0 => 111,
            _ => 63,
        };
        let frame = Frame {
            payload_type: payload_type(number),
            data: &data,
            timestamp: Serial32(self.clock),
            capture: now,
            is_key_frame: bits & 1 == 0,
            size: None,
            audio_level: (bits & 2 == 0).then_some(AudioLevel {
                voice: true,
                level: bits,
            }),
            orientation: (bits & 4 == 0).then_some(VideoOrientation::default()),
            layer: (bits & 32 == 0).then_some(TemporalLayer {
                id: bits & 3,
                is_sync: bits & 4 == 0,
                is_discardable: bits & 8 == 0,
            }),
        };
        let _ = (self.session).send_frame(now, SenderId(id), usize::from(bits >> 6), frame);
    }

    fn send_picture(&mut self, now: Instant, data: &[u8], is_key_frame: bool) {
        self.clock = self.clock.wrapping_add(9000);
        let frame = Frame {
            payload_type: payload_type(96),
            data,
            timestamp: Serial32(self.clock),
            capture: now,
            is_key_frame,
            size: None,
            audio_level: None,
            orientation: None,
            layer: None,
        };
        (self.session.send_frame(now, SenderId(0), 0, frame)).expect("an active sender");
    }

    fn send_on(&mut self, now: Instant, bytes: &mut Bytes<'_>) {
        let (id, step) = (bytes.byte(), bytes.short());
        let Some((source, number, timestamp, payload)) = &self.tapped else {
            return;
        };
        let packet = OutgoingPacket {
            source: *source,
            payload_type: payload_type(if id & 1 == 0 { 96 } else { 111 }),
            marker: id & 2 != 0,
            sequence_number: number.plus(step),
            timestamp: *timestamp,
            payload,
            audio_level: None,
            orientation: None,
        };
        let sender = SenderId(u32::from(id) % MEDIA);
        let _ = self.session.send_packet(now, sender, 0, packet);
    }

    /// Plays what is due; how many pictures there were.
    fn take_frames(&mut self, now: Instant) -> usize {
        let mut pictures = 0;
        for id in 0..MEDIA {
            for round in 0.. {
                assert!(round < 100_000, "frames that do not come to an end");
                match self.session.poll_frame(now, ReceiverId(id)) {
                    Some(Received::Frame(frame)) => {
                        assert!(!frame.data.is_empty() || id == 1);
                        pictures += usize::from(id == 0);
                    }
                    Some(_) => {}
                    None => break,
                }
            }
            self.session
                .contributing_sources(now, ReceiverId(id))
                .for_each(drop);
            self.session
                .synchronization_sources(now, ReceiverId(id))
                .for_each(drop);
        }
        pictures
    }
}
