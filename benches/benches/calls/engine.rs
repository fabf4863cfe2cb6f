//! Two of our [`Connection`]s.

use std::time::{Duration, Instant};

use pc_dtls::Certificate;
use pc_proto::{Batch, FiveTuple, MAX_GSO_SEGMENTS, Protocol, Serial32};
use peerconnection::engine::{
    Config, Connection, Event, Frame, MediaKind, PayloadType, Received, TransceiverId,
};

use super::{Frames, Media, Sent, wire::Wire};

/// As the driver of the facade has it.
const MTU: usize = 1200;

pub struct Call {
    sender: Connection,
    receiver: Connection,
    transceiver: TransceiverId,
    payload_type: PayloadType,
    frames: Frames,
    /// What leaves in one burst; memory is used again, as a driver does.
    batches: Vec<Batch>,
    /// When each left, and where to.
    routes: Vec<(Instant, FiveTuple)>,
    wire: Wire<(Instant, FiveTuple)>,
    answers: Wire<(Instant, FiveTuple)>,
    batch: Batch,
    ready: Vec<TransceiverId>,
    now: Instant,
}

impl Call {
    pub fn open(media: Media) -> Self {
        let mut now = Instant::now();
        let (mut a, mut b) = (connection(1), connection(2));
        let kind = match media {
            Media::Opus => MediaKind::Audio,
            Media::Vp8 => MediaKind::Video,
        };
        let transceiver = a
            .add_transceiver(kind, Some("track"), Default::default())
            .unwrap();
        negotiate(&mut a, &mut b, now);
        let mut batch = Batch::new();
        while !a.send_view(transceiver).is_some_and(|it| it.is_ready) {
            let there = exchange(&mut batch, now, &mut a, &mut b);
            if !(exchange(&mut batch, now, &mut b, &mut a) || there) {
                let due = [a.poll_timeout(), b.poll_timeout()];
                now = now.max(due.into_iter().flatten().min().unwrap());
                a.handle_timeout(now);
                b.handle_timeout(now);
            }
        }
        let name = match media {
            Media::Opus => "opus",
            Media::Vp8 => "VP8",
        };
        let view = a.send_view(transceiver).unwrap();
        let codec = view
            .codecs
            .iter()
            .find(|it| it.codec.mime_type.ends_with(name));
        let payload_type = codec.expect("both have it").payload_type;
        Self {
            payload_type: PayloadType::new(payload_type.value()).unwrap(),
            sender: a,
            receiver: b,
            transceiver,
            frames: Frames::new(media, now),
            batches: Vec::new(),
            routes: Vec::new(),
            wire: Wire::new(),
            answers: Wire::new(),
            batch,
            ready: Vec::new(),
            now,
        }
    }

    /// Fills batches until there is nothing to send.
    fn transmit(&mut self) {
        loop {
            if self.routes.len() == self.batches.len() {
                self.batches.push(Batch::new());
            }
            let batch = &mut self.batches[self.routes.len()];
            let mut out = batch.transmit_buf(MTU, MAX_GSO_SEGMENTS);
            let Some(route) = self.sender.poll_transmit(self.now, &mut out) else {
                break;
            };
            self.routes.push((self.now, route));
        }
        while self.sender.poll_event().is_some() {}
    }
}

impl super::Call for Call {
    fn send(&mut self) {
        self.routes.clear();
        for number in self.frames.burst() {
            let until = self.frames.at(number);
            while let Some(due) = self.sender.poll_timeout().filter(|due| *due <= until) {
                self.now = self.now.max(due);
                self.sender.handle_timeout(self.now);
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
            self.sender
                .send_frame(self.now, self.transceiver, 0, frame)
                .unwrap();
            self.transmit();
        }
    }

    fn carry(&mut self) -> Sent {
        self.wire.clear();
        for ((at, route), batch) in self.routes.iter().zip(&self.batches) {
            for datagram in batch.datagrams() {
                self.wire.push((*at, route.reversed()), datagram);
            }
        }
        self.wire.sent()
    }

    fn receive(&mut self) -> usize {
        let Self {
            receiver,
            wire,
            answers,
            batch,
            ready,
            ..
        } = self;
        let mut frames = 0;
        answers.clear();
        let mut datagrams = wire.datagrams().peekable();
        let mut now = self.now;
        while let Some((at, _)) = datagrams.peek().map(|(route, _)| *route) {
            now = at;
            while let Some((route, datagram)) = datagrams.next_if(|(route, _)| route.0 == at) {
                let _ = receiver.handle_input(now, route.1, datagram);
            }
            if receiver.poll_timeout().is_some_and(|due| due <= now) {
                receiver.handle_timeout(now);
            }
            frames += play(receiver, ready, now);
        }
        // Frames that are due before the next burst.
        while let Some(due) = receiver.poll_timeout().filter(|due| *due <= self.now) {
            now = now.max(due);
            receiver.handle_timeout(now);
            frames += play(receiver, ready, now);
        }
        while let Some(route) =
            receiver.poll_transmit(now, &mut batch.transmit_buf(MTU, MAX_GSO_SEGMENTS))
        {
            for datagram in batch.datagrams() {
                answers.push((now, route.reversed()), datagram);
            }
        }
        frames
    }

    fn answer(&mut self) {
        for ((_, route), datagram) in self.answers.datagrams() {
            let _ = self.sender.handle_input(self.now, route, datagram);
        }
    }

    fn burst(&self) -> usize {
        self.frames.media.burst() as usize
    }
}

/// Takes every frame that is due.
fn play(receiver: &mut Connection, ready: &mut Vec<TransceiverId>, now: Instant) -> usize {
    while let Some(event) = receiver.poll_event() {
        if let Event::FrameReady(id) = event {
            ready.push(id);
        }
    }
    let mut frames = 0;
    for id in ready.drain(..) {
        while let Some(received) = receiver.poll_frame(now, id) {
            frames += usize::from(matches!(received, Received::Frame(_)));
        }
    }
    frames
}

fn connection(seed: u8) -> Connection {
    let certificate = Certificate::generate(Duration::from_secs(1_800_000_000)).unwrap();
    Connection::new(Config::new(certificate, [seed; 32]))
}

fn negotiate(a: &mut Connection, b: &mut Connection, now: Instant) {
    a.set_local_description(now, None).unwrap();
    a.gather(now, &["192.0.2.1:5000".parse().unwrap()]);
    b.set_remote_description(now, a.local_description().unwrap())
        .unwrap();
    b.set_local_description(now, None).unwrap();
    b.gather(now, &["192.0.2.2:5000".parse().unwrap()]);
    a.set_remote_description(now, b.local_description().unwrap())
        .unwrap();
}

/// One side's datagrams to the other; whether there were any.
fn exchange(batch: &mut Batch, now: Instant, from: &mut Connection, to: &mut Connection) -> bool {
    let mut moved = false;
    while let Some(route) = from.poll_transmit(now, &mut batch.transmit_buf(MTU, MAX_GSO_SEGMENTS))
    {
        for datagram in batch.datagrams() {
            let _ = to.handle_input(now, route.reversed(), &mut datagram.to_vec());
        }
        moved = true;
    }
    moved
}
