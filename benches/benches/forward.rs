//! Forwarding one stream of VP8, in packets of 1,200 bytes that come ten at a time, to 1, 10 and 100
//! viewers: to each with numbers of its own, kept for NACKs, encrypted, in batches. Beside it copying and
//! encrypting alone, which is the limit, and str0m. Times are for ten packets to one viewer.
#![allow(clippy::disallowed_methods, clippy::print_stdout)] // a bench reads the clock and has a table

#[path = "forward/ours.rs"]
mod ours;
#[path = "forward/theirs.rs"]
mod theirs;

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};

/// The length of a packet, without what SRTP adds.
const LEN: usize = 1200;
/// How many come at a time.
const BURST: usize = 10;
const VIEWERS: [usize; 3] = [1, 10, 100];
const HEADER: usize = 12;

fn start() -> Instant {
    Instant::now()
}

/// A camera: each burst is a picture.
struct Stream {
    packets: Vec<Vec<u8>>,
    sequence: u16,
    pictures: u16,
}

impl Stream {
    fn new() -> Self {
        let mut packet = vec![0x55; LEN];
        packet[..HEADER].copy_from_slice(&[0x80, 96, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9]);
        // X; I, L, T, K; a picture id of 15 bits, TL0PICIDX, TID and KEYIDX.
        packet[HEADER..HEADER + 6].copy_from_slice(&[0x80, 0xF0, 0x80, 0, 0, 1]);
        Self {
            packets: vec![packet; BURST],
            sequence: 0,
            pictures: 0,
        }
    }

    fn burst(&mut self) -> &[Vec<u8>] {
        self.pictures = self.pictures.wrapping_add(1);
        let is_key = self.pictures == 1;
        let timestamp = u32::from(self.pictures).wrapping_mul(3000).to_be_bytes();
        for (at, packet) in self.packets.iter_mut().enumerate() {
            self.sequence = self.sequence.wrapping_add(1);
            packet[1] = 96 | u8::from(at + 1 == BURST) << 7;
            packet[2..4].copy_from_slice(&self.sequence.to_be_bytes());
            packet[4..8].copy_from_slice(&timestamp);
            packet[HEADER] = 0x80 | u8::from(at == 0) << 4;
            let [high, low] = (self.pictures & 0x7FFF).to_be_bytes();
            packet[HEADER + 2..HEADER + 4].copy_from_slice(&[0x80 | high, low]);
            packet[HEADER + 4] = self.pictures as u8;
            packet[HEADER + 6] = u8::from(!is_key);
        }
        &self.packets
    }

    fn payload(packet: &[u8]) -> &[u8] {
        &packet[HEADER..]
    }
}

/// Time that goes on by so little that nothing else becomes due.
struct Clock(Instant);

impl Clock {
    fn next(&mut self) -> Instant {
        self.0 += Duration::from_nanos(200);
        self.0
    }
}

fn forward(c: &mut Criterion) {
    for viewers in VIEWERS {
        let mut group = c.benchmark_group(format!("forward/{viewers}"));
        group
            .throughput(Throughput::Elements((viewers * BURST) as u64))
            .measurement_time(Duration::from_secs(3))
            .warm_up_time(Duration::from_secs(1))
            .sample_size(30);
        let mut limit = (Stream::new(), ours::Limit::new(viewers));
        group.bench_function("copying and SRTP alone", |b| {
            b.iter(|| black_box(limit.1.forward(limit.0.burst())));
        });
        let mut ours = (Stream::new(), ours::Server::new(viewers), Clock(start()));
        group.bench_function("pc-rtp-session", |b| {
            b.iter(|| black_box(ours.1.forward(ours.2.next(), ours.0.burst())));
        });
        let begin = start();
        let mut clock = Clock(begin + Duration::from_secs(2));
        let mut theirs = (
            Stream::new(),
            theirs::Server::new(viewers, begin),
            Vec::new(),
        );
        group.bench_function("str0m", |b| {
            b.iter(|| {
                let packets = theirs.0.burst();
                black_box(theirs.1.forward(clock.next(), packets, &mut theirs.2))
            });
        });
        group.finish();
    }
}

/// What is allocated for a packet, once everything has grown; and that everybody gets everything.
fn allocations(_: &mut Criterion) {
    const ROUNDS: usize = 200;
    for viewers in VIEWERS {
        let packets = (viewers * BURST * ROUNDS) as f64;
        let mut ours = (Stream::new(), ours::Server::new(viewers), Clock(start()));
        let begin = start();
        let mut clock = Clock(begin + Duration::from_secs(2));
        let mut theirs = (
            Stream::new(),
            theirs::Server::new(viewers, begin),
            Vec::new(),
        );
        let mut run_ours = || {
            for _ in 0..ROUNDS {
                let sent = ours.1.forward(ours.2.next(), ours.0.burst());
                assert_eq!(sent, viewers * BURST);
            }
        };
        run_ours();
        let of_ours = allocation_counter::measure(run_ours).count_total as f64;
        let mut run_theirs = || {
            let mut sent = 0;
            for _ in 0..ROUNDS {
                let packets = theirs.0.burst();
                sent += theirs.1.forward(clock.next(), packets, &mut theirs.2);
            }
            // The first burst waits for what belongs to a beginning.
            let expected = viewers * BURST * ROUNDS;
            assert!(sent * 100 >= expected * 99, "{sent} of {expected}");
        };
        run_theirs();
        let of_theirs = allocation_counter::measure(run_theirs).count_total as f64;
        println!(
            "allocations a packet, {viewers} viewers: pc-rtp-session {:.2}, str0m {:.2}",
            of_ours / packets,
            of_theirs / packets
        );
    }
}

criterion_group!(benches, allocations, ours::rewrite_only, forward);
criterion_main!(benches);
