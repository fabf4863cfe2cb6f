//! What each idle connection has allocated, an open data channel included, and what a packet of media
//! allocates on its way. Not in `memory` and `rtp_path`, as the allocator that counts also touches what the
//! system would give only when it is used, and takes time.
#![allow(clippy::print_stdout)] // its result is a table

mod calls;
mod pairs;

use calls::{Call, Media, STACKS, running};
use pairs::idle::{Pair, each_kind};

fn main() {
    println!("| an idle connection | of | allocated | allocations |");
    println!("|---|---|---|---|");
    each_kind(|name, pairs, open| measure(name, pairs.div_ceil(5), open));
    println!();
    println!("| a packet of media | length | sending, allocations | bytes | receiving | bytes |");
    println!("|---|---|---|---|---|---|");
    for (media_name, media) in Media::ALL {
        for (stack, open) in STACKS {
            on_the_way(
                &format!("{media_name}, {stack}"),
                &mut *running(open, media),
            );
        }
    }
}

/// What a second or more of a call allocates. Buffers that still grow now and then show as fractions.
fn on_the_way(name: &str, call: &mut dyn Call) {
    let (mut packets, mut length) = (0, 0);
    let mut counts = [0_u64; 4];
    for _ in 0..200 {
        let sending = allocation_counter::measure(|| call.send());
        let sent = call.carry();
        let receiving = allocation_counter::measure(|| {
            call.receive();
        });
        call.answer();
        packets += sent.packets as u64;
        length += sent.bytes as u64;
        let found = [
            sending.count_total,
            sending.bytes_total,
            receiving.count_total,
            receiving.bytes_total,
        ];
        for (sum, count) in counts.iter_mut().zip(found) {
            *sum += count;
        }
    }
    let [sends, send_bytes, receives, receive_bytes] =
        counts.map(|count| count as f64 / packets as f64);
    println!(
        "| {name} | {} | {sends:.2} | {send_bytes:.0} | {receives:.2} | {receive_bytes:.0} |",
        length / packets
    );
}

fn measure(name: &str, pairs: usize, open: &dyn Fn() -> Pair) -> Vec<Pair> {
    let mut all = vec![open()]; // pays for what all share
    all.reserve(pairs);
    let info = allocation_counter::measure(|| all.extend((0..pairs).map(|_| open())));
    let connections = 2 * pairs;
    let each = info.bytes_current as f64 / 1024.0 / connections as f64;
    let count = info.count_current as f64 / connections as f64;
    println!("| {name} | {connections} | {each:.1} KiB | {count:.0} |");
    all
}
