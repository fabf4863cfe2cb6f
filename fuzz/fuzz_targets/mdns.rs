//! Messages of multicast DNS to those who ask and those who answer; the body is the crate's, which
//! replays the corpus in its tests.
#![no_main]

#[path = "../../crates/net/tests/fuzzed/mdns.rs"]
mod mdns;

libfuzzer_sys::fuzz_target!(|data: &[u8]| mdns::run(data));
