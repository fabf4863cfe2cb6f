//! Nothing is allocated for a packet once the buffers have grown.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod common;

use common::*;
use pc_proto::{Batch, Protocol, Serial16, Writer};
use pc_rtp::{
    PacketView, Ssrc, is_rtcp,
    rtcp::{Nack, ReceiverReport, ReportBlock},
};
use pc_rtp_session::{OutgoingPacket, Received, ReceiverId, Session};
use pc_simnet::{epoch, ms};
use std::time::Instant;

/// Sends a picture and sound every 20 ms, as a driver would; now and then a packet is asked for again
/// and a report comes.
struct Sending {
    session: Session,
    batch: Batch,
    now: Instant,
    step: u32,
    data: Vec<u8>,
    media: Ssrc,
    newest: Serial16,
    packets: u64,
}

impl Sending {
    fn new() -> Self {
        let session = sending(epoch());
        let (media, _) = session.ssrcs(VIDEO).next().unwrap();
        Self {
            media,
            session,
            batch: Batch::new(),
            now: epoch(),
            step: 0,
            data: vec![1; 30_000],
            newest: Serial16(0),
            packets: 0,
        }
    }

    fn run(&mut self, steps: u32) {
        for _ in 0..steps {
            self.step += 1;
            self.now += ms(20);
            let is_key_frame = self.step.is_multiple_of(50);
            let len = if is_key_frame { 30_000 } else { 2500 };
            let data = &self.data[..len];
            let video = picture(self.now, self.step * 20, is_key_frame, data);
            self.session.send_frame(self.now, VIDEO, 0, video).unwrap();
            let audio = sound(self.now, self.step * 20, &data[..80]);
            self.session.send_frame(self.now, AUDIO, 0, audio).unwrap();
            self.transmit();
            self.hear();
        }
    }

    fn transmit(&mut self) {
        let mut out = self.batch.transmit_buf(1200, 64);
        while self.session.poll_transmit(self.now, &mut out).is_some() {
            for datagram in self.batch.datagrams().filter(|datagram| !is_rtcp(datagram)) {
                let packet = PacketView::parse(datagram).unwrap();
                self.packets += 1;
                if packet.ssrc() == self.media {
                    self.newest = packet.sequence_number();
                }
            }
            out = self.batch.transmit_buf(1200, 64);
        }
        while self.session.poll_event().is_some() {}
    }

    fn hear(&mut self) {
        let mut bytes = [0; 200];
        let mut writer = Writer::new(&mut bytes);
        let block = ReportBlock {
            ssrc: self.media,
            fraction_lost: 0,
            cumulative_lost: 0,
            highest_sequence: self.newest.0.into(),
            jitter: 0,
            last_sr: 0,
            delay_since_last_sr: 0,
        };
        let report = ReceiverReport {
            ssrc: Ssrc(9),
            reports: &[block],
        };
        report.write(&mut writer).unwrap();
        let lost = [self.newest.minus(2), self.newest.minus(1)];
        let nack = Nack {
            sender: Ssrc(9),
            media: self.media,
            lost: &lost,
        };
        nack.write(&mut writer).unwrap();
        let len = writer.len();
        self.session
            .handle_input(self.now, (), &mut bytes[..len])
            .unwrap();
    }
}

#[test]
fn sending_allocates_nothing() {
    let mut sending = Sending::new();
    // A second of history, key frames in all its buffers, and reports.
    sending.run(3000);
    let before = sending.packets;
    let counted = allocation_counter::measure(|| sending.run(500));
    let packets = sending.packets - before;
    let again = sending.session.outbound_stats(VIDEO).next().unwrap();
    assert!(packets > 2500 && again.retransmitted_packets_sent > 500);
    assert_eq!(counted.count_total, 0, "for {packets} packets");
}

#[test]
fn forwarding_allocates_nothing() {
    let (mut session, mut batch) = (sending(epoch()), Batch::new());
    let payload = [7; 1000];
    let mut forward = |numbers: std::ops::Range<u32>| {
        for number in numbers {
            let now = epoch() + ms(2) * number;
            let packet = OutgoingPacket {
                source: Ssrc(5),
                payload_type: payload_type(96),
                marker: false,
                sequence_number: Serial16(number as u16),
                timestamp: pc_proto::Serial32(number * 180),
                payload: &payload,
                audio_level: None,
                orientation: None,
            };
            session.send_packet(now, VIDEO, 0, packet).unwrap();
            while session
                .poll_transmit(now, &mut batch.transmit_buf(1200, 64))
                .is_some()
            {}
        }
    };
    forward(0..3000);
    let counted = allocation_counter::measure(|| forward(3000..5000));
    assert_eq!(counted.count_total, 0);
}

/// A call: pictures and sound from one session to the other, every hundredth packet lost.
struct Call {
    a: Session,
    b: Session,
    batch: Batch,
    datagram: Vec<u8>,
    now: Instant,
    step: u32,
    data: Vec<u8>,
    packets: u32,
    frames: u32,
}

impl Call {
    fn new() -> Self {
        let mut b = Session::new(epoch(), config(2));
        b.set_receiver(epoch(), ReceiverId(1), receives("v", vp8()));
        b.set_receiver(epoch(), ReceiverId(2), receives("a", opus()));
        Self {
            a: sending(epoch()),
            b,
            batch: Batch::new(),
            datagram: Vec::with_capacity(2000),
            now: epoch(),
            step: 0,
            data: vec![1; 30_000],
            packets: 0,
            frames: 0,
        }
    }

    fn run(&mut self, steps: u32) {
        for _ in 0..steps {
            self.step += 1;
            self.now += ms(20);
            let is_key_frame = self.step % 50 == 1;
            self.data[..10].copy_from_slice(&[0x10, 0, 0, 0x9D, 1, 0x2A, 64, 0, 64, 0]);
            self.data[0] |= u8::from(!is_key_frame);
            let data = &self.data[..if is_key_frame { 30_000 } else { 2500 }];
            let video = picture(self.now, self.step * 20, is_key_frame, data);
            self.a.send_frame(self.now, VIDEO, 0, video).unwrap();
            let audio = sound(self.now, self.step * 20, &data[..80]);
            self.a.send_frame(self.now, AUDIO, 0, audio).unwrap();
            self.carry(true);
            self.carry(false);
            self.play();
        }
    }

    fn carry(&mut self, forth: bool) {
        let (from, to) = match forth {
            true => (&mut self.a, &mut self.b),
            false => (&mut self.b, &mut self.a),
        };
        from.handle_timeout(self.now);
        while from
            .poll_transmit(self.now, &mut self.batch.transmit_buf(1200, 64))
            .is_some()
        {
            for datagram in self.batch.datagrams() {
                self.packets += 1;
                if !self.packets.is_multiple_of(100) {
                    self.datagram.clear();
                    self.datagram.extend_from_slice(datagram);
                    to.handle_input(self.now, (), &mut self.datagram).unwrap();
                }
            }
        }
        while from.poll_event().is_some() {}
    }

    fn play(&mut self) {
        for id in [ReceiverId(1), ReceiverId(2)] {
            while let Some(received) = self.b.poll_frame(self.now, id) {
                self.frames += u32::from(matches!(received, Received::Frame(_)));
            }
        }
    }
}

#[test]
fn a_call_allocates_nothing() {
    let mut call = Call::new();
    call.run(3000);
    let (packets, frames) = (call.packets, call.frames);
    let counted = allocation_counter::measure(|| call.run(500));
    let (packets, frames) = (call.packets - packets, call.frames - frames);
    assert!(
        packets > 2000 && frames > 900,
        "{packets} packets, {frames} frames"
    );
    let again = call.b.inbound_stats(ReceiverId(1)).next().unwrap();
    assert!(again.retransmitted_packets_received > 50);
    assert_eq!(counted.count_total, 0, "for {packets} packets");
}
