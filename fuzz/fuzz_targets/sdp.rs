//! Any bytes as a session description: no panic, nothing lost, what is written parses again.
//! The corpus is replayed by `cargo test -p pc-sdp`.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../crates/sdp/tests/round_trip/mod.rs"]
mod round_trip;

fuzz_target!(|data: &[u8]| round_trip::check(data));
