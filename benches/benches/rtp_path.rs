//! The path of media, in ns a packet: from an encoder's frame to protected datagrams in a batch, and from
//! datagrams to frames, each half apart, beside str0m. What each packet allocates is in `allocated`, as an
//! allocator that counts takes time.
#![allow(clippy::disallowed_methods)] // a bench reads the clock

mod calls;

use std::time::{Duration, Instant};

use calls::{Call, Media, STACKS, running};
use criterion::{BenchmarkId, Criterion, SamplingMode, criterion_group, criterion_main};

/// What of a call is measured.
#[derive(Clone, Copy)]
enum Half {
    Send,
    Receive,
}

fn send(c: &mut Criterion) {
    measure(c, "send", Half::Send);
}

fn receive(c: &mut Criterion) {
    measure(c, "receive", Half::Receive);
}

fn measure(c: &mut Criterion, name: &str, half: Half) {
    let mut group = c.benchmark_group(format!("RTP path, {name}, a packet"));
    group
        .sampling_mode(SamplingMode::Flat)
        .sample_size(30)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(3));
    for (media_name, media) in Media::ALL {
        for (stack, open) in STACKS {
            let mut call = running(open, media);
            group.bench_function(BenchmarkId::new(stack, media_name), |b| {
                b.iter_custom(|packets| time(&mut *call, half, packets));
            });
        }
    }
    group.finish();
}

/// How long this half takes for so many packets.
fn time(call: &mut dyn Call, half: Half, packets: u64) -> Duration {
    let (mut elapsed, mut count) = (Duration::ZERO, 0);
    while count < packets {
        let begin = Instant::now();
        call.send();
        let sent = Instant::now();
        count += call.carry().packets as u64;
        let arrived = Instant::now();
        call.receive();
        elapsed += match half {
            Half::Send => sent - begin,
            Half::Receive => arrived.elapsed(),
        };
        call.answer();
    }
    // The last burst may have been longer than was left.
    elapsed.mul_f64(packets as f64 / count as f64)
}

criterion_group!(benches, send, receive);
criterion_main!(benches);
