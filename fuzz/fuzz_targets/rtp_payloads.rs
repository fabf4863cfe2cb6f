//! Arbitrary payloads are put together or refused, and what is cut into payloads comes back; the body is
//! the crate's, which replays the corpus in its tests.
#![no_main]

#[path = "../../crates/rtp/tests/payloads/mod.rs"]
mod payloads;

libfuzzer_sys::fuzz_target!(|data: &[u8]| payloads::run(data));
