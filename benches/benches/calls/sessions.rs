//! Two sessions of `pc-rtp-session` with `pc-srtp` around them, composed as the engine does, without ICE
//! and DTLS.

use std::time::{Duration, Instant};

use pc_proto::{Batch, MAX_GSO_SEGMENTS, Protocol, Serial32};
use pc_rtp::{ExtensionMap, ExtensionUri, PayloadType, is_rtcp, payload::Format};
use pc_rtp_session::{
    Codec, Config, EncodingParameters, Event, Frame, Received, ReceiverId, ReceiverParameters,
    SenderId, SenderParameters, Session,
};
use pc_srtp::{Options, Profile, Receiver, Sender};

use super::{Frames, Media, Sent, wire::Wire};

const PROFILE: Profile = Profile::AeadAes128Gcm;
const MTU: usize = 1200;

struct Peer {
    session: Session,
    protection: Sender,
    opening: Receiver,
}

pub struct Call {
    sender: Peer,
    receiver: Peer,
    payload_type: PayloadType,
    frames: Frames,
    batches: Vec<Batch>,
    /// When each left.
    times: Vec<Instant>,
    wire: Wire<Instant>,
    answers: Wire<Instant>,
    batch: Batch,
    now: Instant,
}

impl Call {
    pub fn open(media: Media) -> Self {
        let now = Instant::now();
        let codec = codec(media);
        let payload_type = codec.payload_type;
        let (mut sender, mut receiver) = (Peer::new(1, now), Peer::new(2, now));
        let parameters = SenderParameters {
            mid: "0".into(),
            codecs: vec![codec.clone()],
            extensions: extensions(),
            encodings: vec![EncodingParameters {
                rid: None,
                active: true,
            }],
            reduced_size: true,
            weight: 1,
        };
        sender.session.set_sender(now, SenderId(0), parameters);
        let parameters = ReceiverParameters {
            mid: "0".into(),
            codecs: vec![codec],
            extensions: extensions(),
            rids: Vec::new(),
            ssrcs: Vec::new(),
            rtx_pairs: Vec::new(),
            reduced_size: true,
        };
        receiver
            .session
            .set_receiver(now, ReceiverId(0), parameters);
        Self {
            sender,
            receiver,
            payload_type,
            frames: Frames::new(media, now),
            batches: Vec::new(),
            times: Vec::new(),
            wire: Wire::new(),
            answers: Wire::new(),
            batch: Batch::new(),
            now,
        }
    }

    fn transmit(&mut self) {
        loop {
            if self.times.len() == self.batches.len() {
                self.batches.push(Batch::new());
            }
            let batch = &mut self.batches[self.times.len()];
            if !self.sender.transmit(self.now, batch) {
                break;
            }
            self.times.push(self.now);
        }
        while self.sender.session.poll_event().is_some() {}
    }
}

impl super::Call for Call {
    fn send(&mut self) {
        self.times.clear();
        for number in self.frames.burst() {
            let until = self.frames.at(number);
            while let Some(due) = self.sender.due(until) {
                self.now = self.now.max(due);
                self.sender.session.handle_timeout(self.now);
                self.transmit();
            }
            let frame = self.frames.frame(number);
            self.now = frame.at;
            let frame = Frame {
                payload_type: self.payload_type,
                data: frame.data,
                timestamp: Serial32(frame.timestamp as u32),
                capture: frame.at,
                is_key_frame: frame.is_key_frame,
                size: None,
                audio_level: None,
                orientation: None,
                layer: None,
            };
            let session = &mut self.sender.session;
            session.send_frame(self.now, SenderId(0), 0, frame).unwrap();
            self.transmit();
        }
    }

    fn carry(&mut self) -> Sent {
        self.wire.clear();
        for (at, batch) in self.times.iter().zip(&self.batches) {
            for datagram in batch.datagrams() {
                self.wire.push(*at, datagram);
            }
        }
        self.wire.sent()
    }

    fn receive(&mut self) -> usize {
        let mut frames = 0;
        self.answers.clear();
        let mut datagrams = self.wire.datagrams().peekable();
        let mut now = self.now;
        while let Some(at) = datagrams.peek().map(|(at, _)| *at) {
            now = at;
            while let Some((_, datagram)) = datagrams.next_if(|(when, _)| *when == at) {
                self.receiver.handle_input(now, datagram);
            }
            if self.receiver.due(now).is_some() {
                self.receiver.session.handle_timeout(now);
            }
            frames += self.receiver.play(now);
        }
        while let Some(due) = self.receiver.due(self.now) {
            now = now.max(due);
            self.receiver.session.handle_timeout(now);
            frames += self.receiver.play(now);
        }
        while self.receiver.transmit(now, &mut self.batch) {
            for datagram in self.batch.datagrams() {
                self.answers.push(now, datagram);
            }
        }
        frames
    }

    fn answer(&mut self) {
        for (_, datagram) in self.answers.datagrams() {
            self.sender.handle_input(self.now, datagram);
        }
    }

    fn burst(&self) -> usize {
        self.frames.media.burst() as usize
    }
}

impl Peer {
    fn new(seed: u8, now: Instant) -> Self {
        let config = Config {
            seed: [seed; 32],
            cname: "bench".into(),
            unix_time: Duration::from_secs(1_800_000_000),
            ..Config::default()
        };
        let (key, salt) = (vec![1; PROFILE.key_len()], vec![2; PROFILE.salt_len()]);
        Self {
            session: Session::new(now, config),
            protection: Sender::new(PROFILE, &key, &salt, Options::default()).unwrap(),
            opening: Receiver::new(PROFILE, &key, &salt, Options::default()).unwrap(),
        }
    }

    /// What is due until then.
    fn due(&self, until: Instant) -> Option<Instant> {
        self.session.poll_timeout().filter(|due| *due <= until)
    }

    fn handle_input(&mut self, now: Instant, datagram: &mut [u8]) {
        let packet = if is_rtcp(datagram) {
            self.opening.unprotect_rtcp(datagram)
        } else {
            self.opening.unprotect_rtp(datagram)
        };
        self.session.handle_input(now, (), packet.unwrap()).unwrap();
    }

    /// Writes a batch, each packet protected where it is written; whether there was any.
    fn transmit(&mut self, now: Instant, batch: &mut Batch) -> bool {
        let mut out = batch.transmit_buf(MTU, MAX_GSO_SEGMENTS);
        let overhead = PROFILE.rtp_overhead().max(PROFILE.rtcp_overhead());
        let Self {
            session,
            protection,
            ..
        } = self;
        let written = out.wrap(
            0,
            overhead,
            |inner| session.poll_transmit(now, inner),
            |packet| {
                let len = packet.len() - overhead;
                if is_rtcp(packet) {
                    protection.protect_rtcp(packet, len).ok()
                } else {
                    protection.protect_rtp(packet, len).ok()
                }
            },
        );
        written.is_some()
    }

    fn play(&mut self, now: Instant) -> usize {
        let mut frames = 0;
        while let Some(event) = self.session.poll_event() {
            if let Event::FrameReady(id) = event {
                while let Some(received) = self.session.poll_frame(now, id) {
                    frames += usize::from(matches!(received, Received::Frame(_)));
                }
            }
        }
        frames
    }
}

/// What the engine offers for them.
fn codec(media: Media) -> Codec {
    let is_video = media == Media::Vp8;
    Codec {
        payload_type: PayloadType::new(if is_video { 96 } else { 111 }).unwrap(),
        format: if is_video { Format::Vp8 } else { Format::Opus },
        clock_rate: if is_video { 90_000 } else { 48_000 },
        channels: if is_video { 1 } else { 2 },
        rtx: is_video.then(|| PayloadType::new(97).unwrap()),
        nack: is_video,
        pli: is_video,
        fir: is_video,
        transport_cc: true,
        remb: false,
    }
}

fn extensions() -> ExtensionMap {
    let mut map = ExtensionMap::new();
    for (id, uri) in [
        (2, ExtensionUri::AbsSendTime),
        (3, ExtensionUri::TransportCc),
        (4, ExtensionUri::Mid),
    ] {
        map.set(id, uri);
    }
    map
}
