//! Arbitrary chunks in valid packets, into a connected association; the body is the crate's, which
//! replays the corpus in its tests.
#![no_main]

#[path = "../../crates/sctp/tests/datagrams/mod.rs"]
mod datagrams;

libfuzzer_sys::fuzz_target!(|data: &[u8]| datagrams::run(std::time::Instant::now(), data));
