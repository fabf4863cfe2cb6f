//! One 1,200-byte datagram over loopback, sent and received by one thread: `pc-net` in batches of
//! 1, 8 and 32 beside plain `send_to` and `recv_from`; and finding a datagram's connection.
//!
//! Only ratios within one run hold.
#![allow(clippy::disallowed_methods)] // a bench reads the clock

use std::{
    hint::black_box,
    net::{Ipv4Addr, SocketAddr, UdpSocket as Plain},
    time::{Duration, Instant},
};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use pc_net::{Claim, Demux, Envelope, RecvBatch, SendProgress, UdpSocket};
use pc_proto::{Batch, FiveTuple};
use tokio::runtime::{Builder, Runtime};

const LEN: usize = 1200;

fn any_port() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, 0).into()
}

/// `count` datagrams one by one.
fn plain(count: u64, here: &Plain, there: &Plain) -> Duration {
    let to = there.local_addr().unwrap();
    let (datagram, mut received) = ([7; LEN], [0; 2048]);
    let start = Instant::now();
    for _ in 0..count {
        here.send_to(&datagram, to).unwrap();
        let (len, _) = there.recv_from(&mut received).unwrap();
        assert_eq!(len, LEN);
    }
    start.elapsed()
}

/// At least `count` datagrams in batches; the time that `count` of them took.
async fn batches(count: u64, size: usize, here: &UdpSocket, there: &UdpSocket) -> Duration {
    let envelope = Envelope::to(there.local_addr());
    let (mut batch, mut received) = (Batch::new(), RecvBatch::new());
    let rounds = count.div_ceil(size as u64);
    let start = Instant::now();
    for _ in 0..rounds {
        let mut out = batch.transmit_buf(LEN, size);
        while !out.is_full() {
            out.datagram(LEN, |bytes| bytes.fill(7));
        }
        let mut progress = SendProgress::new();
        while here.try_send(envelope, &batch, &mut progress).is_err() {
            here.writable().await.unwrap();
        }
        let mut left = size;
        while left > 0 {
            left -= there.recv(&mut received).await.unwrap();
            for datagram in received.datagrams_mut() {
                assert_eq!(datagram.bytes.len(), LEN);
            }
        }
    }
    let each = start.elapsed().as_secs_f64() / (rounds * size as u64) as f64;
    Duration::from_secs_f64(each * count as f64)
}

fn loopback(c: &mut Criterion) {
    let mut group = c.benchmark_group("udp loopback, each datagram");
    group.throughput(Throughput::Bytes(LEN as u64));
    let (here, there) = (
        Plain::bind(any_port()).unwrap(),
        Plain::bind(any_port()).unwrap(),
    );
    group.bench_function("send_to and recv_from", |b| {
        b.iter_custom(|count| plain(count, &here, &there));
    });
    let runtime: Runtime = Builder::new_current_thread().enable_io().build().unwrap();
    let _entered = runtime.enter();
    let (here, there) = (
        UdpSocket::bind(any_port()).unwrap(),
        UdpSocket::bind(any_port()).unwrap(),
    );
    for size in [1, 8, 32] {
        group.bench_with_input(BenchmarkId::new("pc-net", size), &size, |b, size| {
            b.iter_custom(|count| runtime.block_on(batches(count, *size, &here, &there)));
        });
    }
    group.finish();
}

fn demux(c: &mut Criterion) {
    const CONNECTIONS: u32 = 100_000;
    let path = |key: u32| {
        let remote = (Ipv4Addr::from(0x0a00_0000 + key), 5000);
        FiveTuple::udp(([192, 0, 2, 1], 9).into(), remote.into())
    };
    let mut demux = Demux::new();
    let ufrags: Vec<String> = (0..CONNECTIONS).map(|key| format!("{key:08x}")).collect();
    for (key, ufrag) in (0..).zip(&ufrags) {
        demux.insert_ufrag(ufrag, key).unwrap();
        demux
            .insert_tuple(path(key), key, Claim::Confirmed)
            .unwrap();
    }
    let mut group = c.benchmark_group("demux among 100,000 connections");
    let mut next = 0;
    let mut some_key = || {
        next = (next + 7919) % CONNECTIONS;
        next
    };
    group.bench_function("by tuple", |b| {
        b.iter(|| black_box(demux.route(path(some_key()), None)));
    });
    group.bench_function("by ufrag", |b| {
        b.iter(|| {
            let key = some_key();
            black_box(demux.route(path(key), Some(&ufrags[key as usize])))
        });
    });
    group.finish();
}

criterion_group!(benches, loopback, demux);
criterion_main!(benches);
