//! Two of str0m's [`Rtc`]s, in frame mode, by its rule: each mutation is followed by a full drain of its
//! output.

use std::{collections::VecDeque, net::SocketAddr, time::Instant};

use str0m::{
    Candidate, Event, Input, Output, Rtc,
    config::DtlsVersion,
    format::Codec,
    media::{Direction, Frequency, MediaKind, MediaTime, Mid, Pt},
    net::{Protocol, Receive, Transmit},
};

use super::{Frames, Media, Sent, is_media};

struct Peer {
    rtc: Rtc,
    timeout: Instant,
    out: VecDeque<(Instant, Transmit)>,
    is_connected: bool,
    frames: usize,
}

pub struct Call {
    sender: Peer,
    receiver: Peer,
    mid: Mid,
    payload_type: Pt,
    frames: Frames,
    now: Instant,
}

impl Peer {
    fn new(address: SocketAddr, now: Instant) -> Self {
        let mut rtc = Rtc::builder()
            .set_dtls_version(DtlsVersion::Dtls13) // what our side negotiates
            .set_mtu(1200..=1500)
            .build(now);
        rtc.add_local_candidate(Candidate::host(address, "udp").unwrap());
        Self {
            rtc,
            timeout: now,
            out: VecDeque::new(),
            is_connected: false,
            frames: 0,
        }
    }

    fn drain(&mut self, now: Instant) {
        loop {
            match self.rtc.poll_output().unwrap() {
                Output::Timeout(at) => {
                    self.timeout = at;
                    return;
                }
                Output::Transmit(transmit) => self.out.push_back((now, transmit)),
                Output::Event(Event::Connected) => self.is_connected = true,
                Output::Event(Event::MediaData(_)) => self.frames += 1,
                Output::Event(_) => {}
            }
        }
    }

    fn handle(&mut self, now: Instant, input: Input<'_>) {
        self.rtc.handle_input(input).unwrap();
        self.drain(now);
    }

    fn receive(&mut self, now: Instant, transmit: &Transmit) {
        let receive = Receive {
            proto: Protocol::Udp,
            source: transmit.source,
            destination: transmit.destination,
            contents: transmit.contents[..].try_into().unwrap(),
        };
        self.handle(now, Input::Receive(now, receive));
    }

    /// Does what is due until then.
    fn ring(&mut self, until: Instant) {
        while self.timeout <= until {
            let at = self.timeout;
            self.handle(at, Input::Timeout(at));
        }
    }
}

impl Call {
    pub fn open(media: Media) -> Self {
        str0m::crypto::from_feature_flags().install_process_default();
        let mut now = Instant::now();
        let addresses = ["192.0.2.1:5000", "192.0.2.2:5000"].map(|it| it.parse().unwrap());
        let [mut a, mut b] = addresses.map(|address| Peer::new(address, now));
        let (kind, codec) = match media {
            Media::Opus => (MediaKind::Audio, Codec::Opus),
            Media::Vp8 => (MediaKind::Video, Codec::Vp8),
        };
        let mut change = a.rtc.sdp_api();
        let mid = change.add_media(kind, Direction::SendOnly, None, None, None);
        let (offer, pending) = change.apply().unwrap();
        let answer = b.rtc.sdp_api().accept_offer(offer).unwrap();
        b.drain(now);
        a.rtc.sdp_api().accept_answer(pending, answer).unwrap();
        a.drain(now);
        while !(a.is_connected && b.is_connected) {
            if !(exchange(now, &mut a, &mut b) | exchange(now, &mut b, &mut a)) {
                now = now.max(a.timeout.min(b.timeout));
                a.ring(now);
                b.ring(now);
            }
        }
        let writer = a.rtc.writer(mid).unwrap();
        let mut parameters = writer.payload_params();
        let payload_type = parameters.find(|it| it.spec().codec == codec).unwrap().pt();
        drop(parameters);
        Self {
            sender: a,
            receiver: b,
            mid,
            payload_type,
            frames: Frames::new(media, now),
            now,
        }
    }
}

impl super::Call for Call {
    fn send(&mut self) {
        for number in self.frames.burst() {
            let until = self.frames.at(number);
            self.sender.ring(until);
            let rate = match self.frames.media {
                Media::Opus => Frequency::FORTY_EIGHT_KHZ,
                Media::Vp8 => Frequency::NINETY_KHZ,
            };
            let frame = self.frames.frame(number);
            self.now = frame.at;
            let time = MediaTime::new(frame.timestamp, rate);
            let writer = self.sender.rtc.writer(self.mid).unwrap();
            writer
                .write(self.payload_type, frame.at, time, frame.data)
                .unwrap();
            self.sender.drain(self.now);
            // Packets are made when time is told.
            self.sender.handle(self.now, Input::Timeout(self.now));
        }
    }

    fn carry(&mut self) -> Sent {
        let mut sent = Sent::default();
        for (_, transmit) in &self.sender.out {
            if is_media(&transmit.contents) {
                sent.packets += 1;
                sent.bytes += transmit.contents.len();
            }
        }
        sent
    }

    fn receive(&mut self) -> usize {
        while let Some((at, transmit)) = self.sender.out.pop_front() {
            self.receiver.ring(at);
            self.receiver.receive(at, &transmit);
        }
        self.receiver.ring(self.now);
        std::mem::take(&mut self.receiver.frames)
    }

    fn answer(&mut self) {
        while let Some((_, transmit)) = self.receiver.out.pop_front() {
            self.sender.receive(self.now, &transmit);
        }
    }

    fn burst(&self) -> usize {
        self.frames.media.burst() as usize
    }
}

fn exchange(now: Instant, from: &mut Peer, to: &mut Peer) -> bool {
    let mut moved = false;
    while let Some((_, transmit)) = from.out.pop_front() {
        to.receive(now, &transmit);
        moved = true;
    }
    moved
}
