//! Dependency descriptors of one stream are read or refused, and written the same; the body is the
//! crate's, which replays the corpus in its tests.
#![no_main]

#[path = "../../crates/rtp/tests/dependency/mod.rs"]
mod dependency;

libfuzzer_sys::fuzz_target!(|data: &[u8]| dependency::run(data));
