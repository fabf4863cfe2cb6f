//! Datagrams in byte streams, however they are cut; the body is the crate's, which replays the
//! corpus in its tests.
#![no_main]

#[path = "../../crates/net/tests/fuzzed/tcp_framing.rs"]
mod tcp_framing;

libfuzzer_sys::fuzz_target!(|data: &[u8]| tcp_framing::run(data));
