//! Packets of RTP and RTCP that are read can be written anew, and read the same; the body is the
//! crate's, which replays the corpus in its tests.
#![no_main]

#[path = "../../crates/rtp/tests/wire/mod.rs"]
mod wire;

libfuzzer_sys::fuzz_target!(|data: &[u8]| wire::run(data));
