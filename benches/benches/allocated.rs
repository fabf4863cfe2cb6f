//! What each idle connection has allocated, an open data channel included. Not in `memory`, as the
//! allocator that counts also touches what the system would give only when it is used.
#![allow(clippy::print_stdout)] // its result is a table

mod pairs;

use pairs::idle::{Pair, each_kind};

fn main() {
    println!("| an idle connection | of | allocated | allocations |");
    println!("|---|---|---|---|");
    each_kind(|name, pairs, open| measure(name, pairs.div_ceil(5), open));
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
