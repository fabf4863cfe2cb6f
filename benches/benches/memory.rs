//! How the resident set grows with each idle connection, an open data channel included: the
//! allocator's gaps, the C side of the cryptography and the stacks are in it.
#![allow(clippy::print_stdout)] // its result is a table

mod pairs;

use pairs::idle::{Pair, each_kind};

fn main() {
    println!("| an idle connection | of | resident |");
    println!("|---|---|---|");
    each_kind(measure);
}

fn measure(name: &str, pairs: usize, open: &dyn Fn() -> Pair) -> Vec<Pair> {
    let mut all = vec![open()]; // pays for what all share
    let before = resident();
    all.extend((0..pairs).map(|_| open()));
    let grown = resident().saturating_sub(before) as f64;
    let connections = 2 * pairs;
    let each = grown / 1024.0 / connections as f64;
    println!("| {name} | {connections} | {each:.1} KiB |");
    all
}

/// Bytes of the resident set; 0 where the system does not tell it this way.
fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = statm.split(' ').nth(1).and_then(|it| it.parse().ok());
    pages.unwrap_or(0usize) * 4096
}
