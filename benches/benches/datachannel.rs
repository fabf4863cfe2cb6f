//! A data channel in memory and over loopback, and how long a connection takes to set up: this
//! project beside str0m, each with both of its peers on one thread.
//!
//! In memory the clock jumps over waiting, so these are costs and not delays. Only ratios within
//! one run hold.

mod pairs;

use std::time::Duration;

use criterion::{
    BenchmarkId, Criterion, SamplingMode, Throughput, criterion_group, criterion_main,
};
use pairs::{Transfer, facade, ours, theirs};

/// Bytes that one iteration carries.
const TRANSFER: usize = 4 << 20;

const LENGTHS: [(&str, usize); 3] = [("1 KiB", 1024), ("16 KiB", 16_384), ("256 KiB", 262_144)];

/// A name, and what connects a pair for messages of a length.
type Stack = (&'static str, fn(usize) -> Box<dyn Transfer>);

fn throughput(c: &mut Criterion, group: &str, open: &[Stack]) {
    let mut group = c.benchmark_group(group);
    group
        .throughput(Throughput::Bytes(TRANSFER as u64))
        .sampling_mode(SamplingMode::Flat)
        .sample_size(10)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(3));
    for (name, len) in LENGTHS {
        for (stack, open) in open {
            let mut pair = open(len);
            group.bench_with_input(BenchmarkId::new(*stack, name), &len, |b, len| {
                b.iter(|| pair.transfer(*len, TRANSFER / len));
            });
        }
    }
    group.finish();
}

/// What str0m takes by default, or two messages where one fills that.
fn buffer(len: usize) -> usize {
    theirs::DEFAULT_BUFFER.max(2 * len)
}

fn memory(c: &mut Criterion) {
    let stacks: [Stack; 2] = [
        ("peerconnection", |_| Box::new(ours::Memory::open())),
        ("str0m", |len| Box::new(theirs::Memory::open(buffer(len)))),
    ];
    throughput(c, "data channel in memory", &stacks);
}

fn loopback(c: &mut Criterion) {
    let stacks: [Stack; 2] = [
        ("peerconnection", |_| Box::new(facade::Loopback::open())),
        ("str0m", |len| Box::new(theirs::Loopback::open(buffer(len)))),
    ];
    throughput(c, "data channel over loopback", &stacks);
}

fn set_up(c: &mut Criterion) {
    let mut group = c.benchmark_group("two peers to an open channel, in memory");
    group
        .sampling_mode(SamplingMode::Flat)
        .sample_size(20)
        .measurement_time(Duration::from_secs(3));
    group.bench_function("peerconnection", |b| b.iter(ours::Memory::open));
    group.bench_function("str0m", |b| {
        b.iter(|| theirs::Memory::open(theirs::DEFAULT_BUFFER));
    });
    group.finish();
}

criterion_group!(benches, set_up, memory, loopback);
criterion_main!(benches);
